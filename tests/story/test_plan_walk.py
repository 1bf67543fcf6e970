"""`cti plan try` and `diff`: what an operator reads before applying."""

from __future__ import annotations

from typing import Any

from plan.differ import differences
from plan.walk import Step, walk
from tests.story.plan_files import demo

TEXTS = {"greeting": "您好", "greeting-12315": "市场监管热线", "sorry-message": "请留言"}


def road(number: str, **more: Any) -> list[Step]:
    steps = walk(demo(), number, TEXTS, **more)
    assert steps is not None
    return list(steps)


def decisions(number: str, **more: Any) -> str:
    return "\n".join(f"{step.what} {step.decided}" for step in road(number, **more))


def test_a_number_leads_to_its_lines_greeting_and_queue() -> None:
    told = decisions("12315")
    assert "市场监管热线" in told
    assert "queue market" in told


def test_a_forwarded_call_belongs_to_the_line_it_was_dialled_for() -> None:
    assert "线路 12315" not in decisions("12345")
    assert "line 12315, the original number is kept" in decisions("12345", forwarded_from="12315")


def test_a_key_leads_where_the_menu_says() -> None:
    assert "message leave" in decisions("12346", keys="9")


def test_no_key_leads_to_a_person() -> None:
    assert "queue general" in decisions("12346")


def test_every_road_ends_with_a_voice() -> None:
    for line in demo().lines.values():
        for number in line.numbers:
            assert any("message " in step.what for step in road(number))


def test_a_number_of_nobody_has_no_road() -> None:
    assert walk(demo(), "99999", TEXTS) is None


def test_a_difference_names_place_old_and_new() -> None:
    queue = demo().queues["general"].model_copy(update={"wait_seconds": 60})
    new = demo().model_copy(update={"queues": {**demo().queues, "general": queue}})
    assert list(differences(demo(), new)) == ["~ queues.general.wait_seconds: 90 -> 60"]


def test_the_same_plan_has_no_difference() -> None:
    assert list(differences(demo(), demo())) == []


def test_a_first_plan_is_all_new() -> None:
    assert all(line.startswith("+ ") for line in differences(None, demo()))
