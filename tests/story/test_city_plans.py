"""The five notices as plans: sound, founded entry by entry, and rendered without a line nobody meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from asterisk_conf.render import render
from cti import plan_folder
from plan.check import check, together
from plan.clauses import Rules
from plan.explain import pages
from plan.merged import Merged, numbers_of
from plan.model import Plan
from plan.routes import routes, svg
from plan.walk import walk
from tests.story.plan_files import ROOT, site, standard_prompts
from tests.story.strict_dialplan import strangers

FIVE = ("luan", "zezhou", "zhoucun", "guangde", "ziyang")
ANNEX = {
    "whole": {"12336", "12312", "12356", "96119", "12349"},
    "dual": {"12329", "12320", "12315", "12350", "12385", "12318", "12369", "12328", "12319"},
    "kept": {"12333"},
    "dedicated": set[str](),
    "linked": {"110", "120", "119", "122"},
}
"""六安's annex by how a number is merged; 12333 stands in its part two and is kept by §二(一)2."""


def folder(city: str) -> Path:
    return ROOT / "plans" / city


def files(city: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder(city).glob("*.toml")}


def plan(city: str) -> Plan:
    return plan_folder.load(folder(city))


@pytest.mark.parametrize("city", FIVE)
def test_the_plan_of_a_notice_has_no_fault_and_no_warning(city: str) -> None:
    assert plan_folder.read(folder(city)).faults == ()


@pytest.mark.parametrize("city", FIVE)
def test_it_renders_nothing_but_what_we_mean(city: str) -> None:
    assert strangers(render([plan(city)], site(plan(city))), plan(city)) == []


def test_all_five_live_together_on_one_machine() -> None:
    plans = [plan(city) for city in FIVE]
    passwords = {f"{p.id}-{seat}": "x" for p in plans for seat in p.seats}
    assert together(plans) == ()
    assert render(plans, site(seat_passwords=passwords))["extensions.conf"].count("-number]") == 5


def test_every_number_of_luans_annex_is_a_row_of_its_kind() -> None:
    rows = plan("luan").numbers.values()
    for kind, numbers in ANNEX.items():
        assert {n for row in rows if row.kind == kind for n in row.numbers} == numbers


@pytest.mark.parametrize("city", FIVE)
def test_a_plan_holds_public_hotlines_and_private_called_numbers_only(city: str) -> None:
    public = {"12345", *(number for numbers in ANNEX.values() for number in numbers)}
    found = {n for line in plan(city).lines.values() for n in line.numbers}
    found |= set(numbers_of(plan(city).numbers))
    found |= {way.number for centre in plan(city).centres.values() for way in centre.ways}
    found |= {contact.number for contact in plan(city).contacts.values()}
    assert {n for n in found - public if not n.startswith("12345")} == set()
    text = b"".join(files(city).values()).decode()
    assert re.findall(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])", text) == []


RUN_LINES = ("luan", "guangde", "ziyang")
LINKED = {
    "luan": {"110", "120", "119", "122", "12333", "1234571", "1234572", "1234573"},
    "ziyang": {"110", "120", "119"},
}
"""六安 annex 3 and 12333 of its part two, 资阳 §二(二): whom a notice names. 广德's names nobody."""


@pytest.mark.parametrize("city", RUN_LINES)
def test_every_linked_or_kept_number_is_a_centre_that_agents_can_dial(city: str) -> None:
    told = plan(city)
    centres = {told.centre_of(name) for name, row in told.numbers.items() if row.kind in ("linked", "kept")}
    assert centres == LINKED.get(city, set())
    assert {"110", "119", "120"} <= set(told.centres)


@pytest.mark.parametrize("city", RUN_LINES)
def test_every_way_to_an_emergency_centre_keeps_a_channel_for_it(city: str) -> None:
    told = plan(city)
    ways = [way for centre in told.centres.values() if centre.kind == "emergency" for way in centre.ways]
    shared = {way.trunk for way in ways if not told.trunks[way.trunk].title.startswith("110")}
    assert shared
    assert all(told.trunks[trunk].reserved for trunk in shared)


def test_an_emergency_centre_of_luan_has_a_second_trunk() -> None:
    for name, centre in plan("luan").centres.items():
        assert len({way.trunk for way in centre.ways}) >= 2, name


def test_units_of_luan_with_a_duty_around_the_clock_can_be_reached() -> None:
    """§二(三)9: 24小时值班制度. Police, fire brigade and power are centres; the office is where they sit."""
    told = plan("luan")
    phones = {contact.title.removesuffix("值班电话") for contact in told.contacts.values()}
    linked = {row.unit for row in told.numbers.values() if row.kind == "linked"}
    duty = {unit.title for name, unit in told.units.items() if unit.duty and name not in {"mayor", *linked}}
    assert duty <= phones


@pytest.mark.parametrize("city", RUN_LINES)
def test_the_page_the_tree_and_the_picture_of_a_plan_show_its_centres_and_contacts(city: str) -> None:
    told, day = plan(city), date(2022, 1, 1)
    page = str(list(pages(told, day)))
    tree, picture = str(routes(told, day)), svg(told, day)
    tried = str(list(walk(told, "12345", {}, day=day) or ()))
    titles = {name: one.title for name, one in told.centres.items()}
    titles |= {name: one.title for name, one in told.contacts.items()}
    for name, title in titles.items():
        for shown in (page, tree, picture, tried):
            assert name in shown, name
            assert title in shown, name


def test_a_call_tried_on_paper_from_a_centre_says_that_it_is_handed_over() -> None:
    first, *_ = (
        step.what for step in list(walk(plan("luan"), "12345110", {}, day=date(2022, 1, 1)) or ())[1:]
    )
    assert "由中心 110 移交" in first


def entries(city: str) -> Iterator[tuple[str, str]]:
    """Each line of a file that gives a clause or an assumption."""
    for name, content in files(city).items():
        for line in content.decode().splitlines():
            if re.match(r"(basis|assumption) = ", line):
                yield name, line


@pytest.mark.parametrize("city", FIVE)
def test_an_entry_that_loses_clause_and_assumption_is_refused(city: str) -> None:
    for name in ("units.toml", "rules.toml", *(["numbers.toml", "lines.toml"] if city == "luan" else [])):
        text = re.sub(r"(?m)^(basis|assumption) = .*\n", "", files(city)[name].decode())
        found = check({**files(city), name: text.encode()}, {}, standard_prompts(), city)
        assert found.refused
        told = [str(fault) for fault in found.faults if "neither basis nor assumption" in fault.fault]
        assert told
        assert all(text.startswith(name) for text in told)


def test_a_clause_is_owed_only_where_a_notice_is_followed() -> None:
    told = files("luan")
    lines = re.sub(r"(?m)^basis = .*\n", "", told["lines.toml"].decode()).encode()
    city = re.sub(r"(?m)^notice = .*\n", "", told["city.toml"].decode()).encode()
    assert check({**told, "lines.toml": lines}, {}, standard_prompts(), "luan").refused
    assert not check({**told, "lines.toml": lines, "city.toml": city}, {}, standard_prompts(), "luan").refused


def test_zezhous_deadlines_are_those_of_its_notice() -> None:
    rules = plan("zezhou").rules
    assert isinstance(rules, Rules)
    days = {kind: rule.workdays for kind, rule in rules.deadlines.items()}
    assert (days["inquiry"], days["suggestion"], days["help"], days["complaint"]) == (3, 3, 7, 10)
    assert rules.returns is not None
    assert rules.returns.workdays == 2
    assert rules.redo is not None
    assert (rules.redo.times, rules.redo.workdays) == (1, 5)


def test_zezhous_sixteen_items_add_up_to_what_the_notice_prints() -> None:
    rules = plan("zezhou").rules
    assert isinstance(rules, Rules)
    # the notice's hundred: 6 x 2, 10 + 15 + 20 + 10 + 15, 3 + 3 + 2 + 5 + 5
    assert len(rules.scores) == 16
    assert sum(item.points for item in rules.scores) == 100
    odd = {item.title for item in rules.scores if item.oddity}
    assert odd == {"投诉举报率", "按时办结率", "工单逾期率"}


def rules_of(city: str) -> Rules:
    rules = plan(city).rules
    assert isinstance(rules, Rules)
    return rules


@pytest.mark.parametrize(
    ("cases", "points"),
    [
        ({}, 0),
        ({"省级媒体表扬报道": 3, "市领导批示肯定": 1}, 3.5),
        ({"国家级媒体表扬报道": 7}, 10),
        ({"国家级媒体表扬报道": 4, "省领导批示肯定": 4, "市级媒体表扬报道": 4}, 10),
    ],
    ids=["none", "some", "one item is full", "all together are full"],
)
def test_zezhous_bonus_is_ten_points_at_most_however_many_items_earn_it(
    cases: dict[str, int], points: float
) -> None:
    rules = rules_of("zezhou")
    assert len(rules.bonus) == 5
    assert cases.keys() <= {item.title for item in rules.bonus}
    assert rules.bonus_for(cases) == points


def test_zezhous_three_ways_of_a_second_handling_and_the_form_of_its_assessment_are_told() -> None:
    rules = rules_of("zezhou")
    assert rules.redo is not None
    assert [case.basis for case in rules.redo.cases] == [f"泽州 2020 §二(二)4({n})" for n in (1, 2, 3)]
    assert "书面履责意见" in rules.redo.cases[2].title
    assert rules.assessment is not None
    assert "随机抽查" in rules.assessment.form


def test_zhoucuns_weighty_complaints_go_to_the_leader_at_once() -> None:
    (report,) = [r for r in rules_of("zhoucun").reports if r.every == "event"]
    assert report.to == ("区政府分管领导",)
    assert "第一时间" in report.holds


@pytest.mark.parametrize(
    ("city", "when", "to"),
    [
        ("zhoucun", "突出问题、重大问题", ("纪检监察部门", "组织部门", "政法部门")),
        ("zhoucun", "应办未办", ()),
        ("zhoucun", "推诿扯皮", ()),
        ("zhoucun", "公开承诺", ()),
        ("zhoucun", "反复投诉", ()),
        ("guangde", "不作为、慢作为、乱作为", ("纪检监察部门",)),
    ],
)
def test_a_notice_says_what_is_held_to_account_and_by_whom(city: str, when: str, to: tuple[str, ...]) -> None:
    (found,) = [one for one in rules_of(city).liability if when in one.when]
    assert found.to == to
    assert found.basis.endswith(("§四", "§三(三)"))


@pytest.mark.parametrize("city", ["zezhou", "zhoucun"])
def test_a_county_without_numbers_has_a_plan_without_lines(city: str) -> None:
    assert (plan(city).lines, plan(city).numbers) == ({}, {})
    assert plan(city).units


def test_a_row_of_two_lives_changes_on_its_day() -> None:
    dual = Merged(title="x", kind="dual", numbers=("12315",), line="market", since=date(2022, 1, 1))
    whole = Merged(title="x", kind="whole", numbers=("12315",), line="main", begins=date(2025, 1, 1),
                   since=date(2025, 6, 1), retired=date(2026, 1, 1))  # fmt: skip
    told = plan("luan").model_copy(update={"numbers": {"a": dual, "b": whole}})

    def how(*day: int) -> str:
        stage = told.stage("12315", date(*day))
        assert stage is not None
        return f"{stage.treatment} {stage.line}".strip()

    assert how(2021, 12, 31) == "announced main"
    assert how(2022, 1, 1) == "own market"
    assert how(2024, 12, 31) == "own market"
    assert how(2025, 1, 1) == "announced main"
    assert how(2025, 6, 1) == "silent main"
    assert how(2026, 1, 1) == "closed"
