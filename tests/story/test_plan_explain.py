"""`cti plan explain` and `cti plan try --at`: what a person reads of a notice made executable."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cti import plan_folder
from cti.__main__ import command_tree
from plan.explain import pages
from plan.merged import numbers_of
from plan.model import Plan
from plan.routes import Branch, routes, svg
from tests.story.plan_files import DEMO, ROOT

FIVE = ("luan", "zezhou", "zhoucun", "guangde", "ziyang")
BETWEEN, AFTER = date(2021, 12, 15), date(2022, 1, 1)
SVG = "{http://www.w3.org/2000/svg}"


def plan(city: str) -> Plan:
    return plan_folder.load(ROOT / "plans" / city)


def cells(city: str, day: date = AFTER) -> list[tuple[str, ...]]:
    return [row for section in pages(plan(city), day) for row in section.rows]


def flat(branches: tuple[Branch, ...]) -> list[str]:
    return [text for branch in branches for text in (branch.text, *flat(branch.below))]


@pytest.mark.parametrize("city", FIVE)
def test_every_row_of_the_page_ends_with_its_clause_or_its_assumption(city: str) -> None:
    assert cells(city)
    assert [row for row in cells(city) if not row[-1]] == []


@pytest.mark.parametrize("city", FIVE)
def test_every_section_has_a_head_for_each_cell(city: str) -> None:
    for section in pages(plan(city), AFTER):
        assert {len(row) for row in section.rows} == {len(section.heads)}


def test_the_page_tells_of_every_number_unit_and_deadline() -> None:
    text = "\n".join("\n".join(row) for row in cells("luan"))
    told = plan("luan")
    assert [number for number in numbers_of(told.numbers) if number not in text] == []
    assert [unit.title for unit in told.units.values() if unit.title not in text] == []
    assert told.rules is not None
    assert len([row for row in cells("zezhou") if "workdays" in row[1]]) >= 5


def test_a_contradiction_of_the_notice_stands_beside_its_formula() -> None:
    (row,) = [row for row in cells("zezhou") if row[0] == "按时办结率"]
    assert row[1:4] == ("20", "按时办结事项件数 ÷ 转办总件数 × 10", "满分20分，公式乘以10")


@pytest.mark.parametrize(
    ("city", "row"),
    [
        ("zezhou", ("加分合计 bonus in all", "10", "加满为止 at most", "")),
        ("zezhou", ("考核形式 how assessed", "随机抽查与平台数据统计相结合")),
        ("zezhou", ("重办 redo", "应当办理且具备办理条件：尽快办理\nact")),
        ("zhoucun", ("问责 held to account", "推诿扯皮：严肃追究相关部门和人员的失职失责行为")),
        ("guangde", (
            "问责 held to account",
            "不作为、慢作为、乱作为等造成不良影响或引发严重后果：严肃执纪问责，依法依规追究相关单位和负责人的责任"
            " → 纪检监察部门",
        )),
    ],
)  # fmt: skip
def test_the_page_tells_of_the_most_of_a_bonus_of_second_handlings_and_who_is_held_to_account(
    city: str, row: tuple[str, ...]
) -> None:
    assert row in [cell[:-1] for cell in cells(city)]


def test_the_page_says_whose_recordings_are_silent_by_rule() -> None:
    (queues,) = [section for section in pages(plan("demo"), AFTER) if section.title.startswith("队列")]
    waits = {row[0]: row[3] for row in queues.rows}
    assert "recordings silent" in waits["fund"]
    assert "recordings silent" not in waits["general"]


def test_the_tree_tells_each_number_where_it_leads_that_day() -> None:
    told = {day: flat(routes(plan("luan"), day)) for day in (BETWEEN, AFTER)}
    for day, texts in told.items():
        for number in numbers_of(plan("luan").numbers):
            assert [text for text in texts if text.startswith(number)], (day, number)
    assert "号码已取消 cancelled" in told[AFTER]
    assert "号码已取消 cancelled" not in told[BETWEEN]


@pytest.mark.parametrize("city", [*FIVE, "demo"])
def test_the_picture_is_sound_svg_with_every_line_and_queue(city: str) -> None:
    picture = ET.fromstring(svg(plan(city), AFTER))
    texts = "\n".join(element.text or "" for element in picture.iter(f"{SVG}text"))
    for name in plan(city).lines:
        assert f"line:{name}" in texts
    for name in plan(city).queues:
        assert f"queue:{name}" in texts


def test_the_picture_leads_a_number_to_another_line_on_its_day() -> None:
    one, other = (svg(plan("luan"), day) for day in (BETWEEN, AFTER))
    assert one.count("先播过渡提示") > other.count("先播过渡提示") == 0
    assert other.count("stroke-dasharray") == 6  # the whole-merged numbers are cancelled
    assert one.count("stroke-dasharray") == 0


def test_a_title_cannot_break_the_picture() -> None:
    told = plan("luan")
    city = told.city.model_copy(update={"title": '<script>alert("x")</script>&'})
    picture = svg(told.model_copy(update={"city": city}), AFTER)
    assert "<script>" not in picture
    ET.fromstring(picture)


def test_the_command_prints_the_page_of_a_shipped_city_and_writes_its_picture(tmp_path: Path) -> None:
    picture = tmp_path / "luan.svg"
    words = ["plan", "explain", "luan", "--at", "2021-12-15", "--svg", str(picture)]
    ran = CliRunner().invoke(command_tree(()), [*words, "--home", str(tmp_path / "home")])
    assert ran.exit_code == 0, ran.output
    assert "六政办秘〔2021〕125号" in ran.output
    assert "12336" in ran.output
    ET.fromstring(picture.read_text("utf-8"))


def test_a_city_that_nobody_knows_is_wrong_use(tmp_path: Path) -> None:
    ran = CliRunner().invoke(command_tree(()), ["plan", "explain", "atlantis", "--home", str(tmp_path)])
    assert ran.exit_code == 2
    assert "no such folder" in ran.output


@pytest.mark.parametrize(
    ("day", "heard"),
    [
        ("2021-11-30", "12336自然资源热线已并入12345"),
        ("2021-12-01", "直接由 12345 接听"),
        ("2022-01-01", "您拨打的号码已经停用"),
    ],
)
def test_a_number_is_tried_as_on_a_day(day: str, heard: str) -> None:
    words = ["plan", "try", "12336", "--plan", str(ROOT / "plans/luan"), "--at", day]
    ran = CliRunner().invoke(command_tree(()), words)
    assert ran.exit_code == 0, ran.output
    assert heard in ran.output


def test_a_forwarded_call_is_tried_by_the_number_it_was_dialled_for() -> None:
    words = ["plan", "try", "12345", "--diversion", "12369", "--plan", str(ROOT / "plans/luan")]
    ran = CliRunner().invoke(command_tree(()), [*words, "--at", "2024-01-01"])
    assert "queue environment" in ran.output


def test_the_demo_city_without_a_notice_is_explained_too() -> None:
    ran = CliRunner().invoke(command_tree(()), ["plan", "explain", str(DEMO), "--tree"])
    assert ran.exit_code == 0
    assert "queue:general" in ran.output
