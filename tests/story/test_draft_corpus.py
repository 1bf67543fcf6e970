"""The corpus of spoken calls: the held-out part is the one committed first, and its goals are met."""

from __future__ import annotations

import pytest

from bench import fields


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


def test_no_spoken_number_is_right_by_being_the_lines_own() -> None:
    held = fields.calls("heldout")
    assert sum(map(fields.spoken, held)) > 75
    right, count = fields.spoken_numbers(fields.drafts(held, fields.said))
    assert right / count >= fields.GOALS["phone"]
