"""The corpus of spoken calls: the held-out part is the one committed first, and its goals are met."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from bench import fields
from plan.land import Area, Unit
from recording.draft.fields import Field as Draft
from recording.draft.fields import Occasion


def test_a_third_is_held_out_and_of_all_five_cities() -> None:
    held, tuning = fields.calls("heldout"), fields.calls("tuning")
    assert len(held) + len(tuning) >= 300
    assert len(held) / (len(held) + len(tuning)) >= 0.32
    assert {call["city"] for call in held} == {"luan", "zezhou", "zhoucun", "guangde", "ziyang"}


def test_an_altered_held_out_part_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    content = (fields.CORPUS / "heldout.jsonl").read_bytes()
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda _path: content + b"\n")
    with pytest.raises(SystemExit, match="not the part"):
        fields.calls("heldout")


def test_typed_text_of_the_held_out_part_meets_the_goals() -> None:
    found = fields.figures(fields.drafts(fields.calls("heldout"), fields.said))
    assert {name: found[name] for name, goal in fields.GOALS.items() if found[name] < goal} == {}


ANSWER: dict[str, Any] = {
    "kind": "投诉", "subject": "占道经营", "title": "皖西路振兴小区：占道经营（投诉）",
    "story": "来电人（李建国）投诉：皖西路振兴小区门口摆摊。", "address": {"district": "金安区"},
}  # fmt: skip
GOLD: dict[str, Any] = {
    "name": ["李建国", "老李"], "kind": ["投诉"], "units": ["urban"],
    "address": {"town": "", "street": "皖西路", "number": "", "place": "振兴小区"},
}  # fmt: skip
CITY = Occasion(
    at=datetime(2026, 1, 1, tzinfo=fields.ZONE),
    units={
        "urban": Unit(title="城管局", subjects=("占道经营",)),
        "env": Unit(title="环保局", subjects=("油烟扰民",)),
    },
    areas=(
        Area(name="金安区", streets=("皖西路",), compounds=("振兴小区",)),
        Area(name="裕安区", streets=("皖西路",)),
    ),
)


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({}, {}),
        ({"address": {"district": "裕安区"}}, {"district": 0.0}),
        ({"subject": "油烟扰民"}, {"subject": 0.0}),
        ({"title": "皖西路：占道经营（咨询）"}, {"title": 0.0}),
        ({"title": "占道经营（投诉）"}, {"title": 0.0}),
        ({"title": "皖西路" + "很" * 70 + "（投诉）"}, {"title": 0.0}),
        ({"story": "来电人投诉：皖西路有人摆摊。"}, {"story": 1 / 3}),
        ({"story": None}, {"story": 0.0}),
    ],
)
def test_district_subject_title_and_story_are_measured_by_what_the_gold_tells(
    told: dict[str, Any], wrong: dict[str, float]
) -> None:
    draft: Any = {name: Draft(value) for name, value in {**ANSWER, **told}.items()}
    right = dict.fromkeys(("district", "subject", "title", "story"), 1.0)
    assert fields.measured({"gold": GOLD}, draft, CITY) == pytest.approx({**right, **wrong})


def test_of_what_the_gold_tells_nothing_there_is_no_figure() -> None:
    draft: Any = {name: Draft(value) for name, value in ANSWER.items()}
    nowhere = {**GOLD, "name": [], "address": dict.fromkeys(("town", "street", "number", "place"), "")}
    found = fields.measured({"gold": nowhere}, draft, CITY)
    assert (found["district"], found["story"]) == (None, None)
    # in two districts, or in a city that has one only
    either = {**GOLD, "address": {**GOLD["address"], "place": ""}}
    assert fields.measured({"gold": either}, draft, CITY)["district"] is None
    assert fields.measured({"gold": GOLD}, draft, replace(CITY, areas=CITY.areas[:1]))["district"] is None


def test_no_spoken_number_is_right_by_being_the_lines_own() -> None:
    held = fields.calls("heldout")
    assert sum(map(fields.spoken, held)) > 75
    right, count = fields.spoken_numbers(fields.drafts(held, fields.said))
    assert right / count >= fields.GOALS["phone"]
