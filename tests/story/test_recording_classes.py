"""Classes of calls whose recordings have a term or listeners of their own (recordings.toml)."""

from __future__ import annotations

from datetime import date

import pytest

from plan.check import check
from plan.explain import pages
from plan.model import Plan
from plan.recordings import CallClass, RecordingClass, days_of, for_operators, own_places
from recording.retention import DAY, Term, terms
from tests.story.plan_files import checked, demo, demo_files, standard_prompts
from tests.story.test_merged_check import luan

FILE = "recordings.toml"
NOW = 10_000 * DAY


def faults(text: str) -> list[str]:
    files = demo_files()
    files[FILE] = text.encode()
    return [str(fault) for fault in checked(files).faults]


def classes(**rules: RecordingClass) -> Plan:
    return demo().model_copy(update={"recordings": rules})


def kept(days: int) -> RecordingClass:
    return RecordingClass(keep_days=days)


# --- the plan -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[flaged]\nkeep_days = 10",
            "recordings.toml: flaged: no such class of calls 'flaged' (did you mean 'flagged'?)",
        ),
        (
            "[urgent]\nkeep_days = 10",
            "recordings.toml: urgent: no such class of calls 'urgent' "
            "(there are: consultation, flagged, handed, outgoing, ticketed)",
        ),
        ("[handed]\nkeep_days = 0", "recordings.toml: handed.keep_days: 0 is too small (at least 1)"),
        ("[handed]\nkeep_days = 36501", "recordings.toml: handed.keep_days: 36501 is too large"),
        ('[handed]\nkeep_days = "10"', "recordings.toml: handed.keep_days: '10' is not a whole number"),
        (
            '[handed]\nlisten = "operater"',
            "recordings.toml: handed.listen: 'operater' is not known here (did you mean 'operator'?)",
        ),
        ('[handed]\nlisten = "agent"', "recordings.toml: handed.listen: 'agent' is not known here"),
        (
            "[handed]\nkeep_day = 10",
            "recordings.toml: handed.keep_day: unknown key 'keep_day' (did you mean 'keep_days'?)",
        ),
        (
            '[handed]\nassumption = "x"',
            "recordings.toml: handed: says nothing of keeping or listening [warning] "
            '(keep_days = 3650, or listen = "operator")',
        ),
    ],
)
def test_a_class_that_cannot_be_is_named_with_its_remedy(text: str, told: str) -> None:
    found = faults(text)
    assert len(found) == 1, found
    assert found[0].startswith(told), found


def test_a_class_owes_its_clause_where_a_notice_is_followed() -> None:
    silent = b"[handed]\nkeep_days = 10"
    found = check({**luan(), FILE: silent}, {}, standard_prompts(), "luan").faults
    assert [str(fault) for fault in found] == [
        "recordings.toml: handed: has neither basis nor assumption "
        '(basis = "六安 2021 §二(一)2" for a clause, assumption = "…" where the notice is silent)'
    ]
    founded = silent + b'\nassumption = "x"'
    assert not check({**luan(), FILE: founded}, {}, standard_prompts(), "luan").refused


def test_the_page_tells_each_class_with_term_listeners_and_clause() -> None:
    (section,) = [s for s in pages(demo(), date(2026, 11, 21)) if s.title.startswith("录音分类")]
    told = {row[0].split("\n")[0]: row[1:] for row in section.rows}
    assert told["handed"][:2] == ("1825 天 days", "仅管理员 operators only")
    assert told["outgoing"][:2] == ("365 天 days", "班长及以上 supervisors and above")
    assert "假设" in told["handed"][-1]
    assert told["其他 others"][0] == "730 天 days"
    assert told["consultation"][:2] == ("180 天 days", "仅管理员 operators only")
    assert "ticketed" not in told
    assert [s for s in pages(classes(), date(2026, 11, 21)) if s.title.startswith("录音分类")] == []


# --- terms --------------------------------------------------------------------------------------


def due(plan: Plan, line: str, of: set[CallClass], days: float) -> bool:
    """Whether a recording of this line, of a call of these classes, goes after so many days."""

    def goes(term: Term) -> bool:
        return term.line in (None, line) and term.holds(of) and NOW - days * DAY < term.before

    return any(goes(term) for term in terms(plan, NOW))


def term_of(plan: Plan, line: str, *of: CallClass) -> int:
    """The whole days after which a recording goes."""
    return next(days for days in range(5000) if due(plan, line, set(of), days + 0.5))


def test_a_call_of_no_class_is_kept_by_its_line_else_by_the_city() -> None:
    plan = classes(handed=kept(1825), outgoing=kept(10))
    main = plan.lines["main"].model_copy(update={"recordings_keep_days": 90})
    plan = plan.model_copy(update={"lines": {**plan.lines, "main": main}})
    assert term_of(plan, "main") == 90
    assert term_of(plan, "12315") == 730
    assert term_of(plan, "gone") == 730


def test_a_class_with_a_term_takes_the_place_of_the_lines_whether_longer_or_shorter() -> None:
    plan = classes(handed=kept(1825), outgoing=kept(10))
    assert term_of(plan, "main", "handed") == 1825
    assert term_of(plan, "main", "outgoing") == 10


def test_of_several_classes_the_longest_term_holds() -> None:
    plan = classes(handed=kept(1825), outgoing=kept(10), flagged=kept(40), ticketed=kept(40))
    assert term_of(plan, "main", "outgoing", "flagged") == 40
    assert term_of(plan, "main", "flagged", "ticketed") == 40
    assert term_of(plan, "main", "outgoing", "flagged", "handed") == 1825


def test_a_class_without_a_term_changes_none() -> None:
    plan = classes(handed=RecordingClass(listen="operator"), outgoing=kept(10))
    assert days_of(plan) == {"outgoing": 10}
    assert term_of(plan, "main", "handed") == 730
    assert term_of(plan, "main", "handed", "outgoing") == 10


def test_a_plan_without_classes_has_the_terms_of_its_lines_alone() -> None:
    assert {(term.of, term.but) for term in terms(classes(), NOW)} == {(None, frozenset())}


def test_terms_know_the_citys_own_places_and_no_centre_is_one() -> None:
    (own,) = {term.own for term in terms(demo(), NOW)}
    assert {"1001", "queue-general", "12345"} <= own
    assert not own & set(demo().centres)


def test_a_merged_number_is_an_own_place_and_a_centres_sign_is_none() -> None:
    plan = check(luan(), {}, standard_prompts()).plan
    assert plan is not None
    own = own_places(plan)
    assert {"12345", "12315", "12336"} <= own
    assert not own & {"110", "12345110", "12333", "1234571"}


def test_classes_that_ask_for_an_operator_are_told() -> None:
    plan = classes(handed=RecordingClass(listen="operator"), flagged=kept(10))
    assert for_operators(plan) == ("handed",)
