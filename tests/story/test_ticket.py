"""A ticket takes what the agent typed, else what the draft offers, and has a number of its own."""

from __future__ import annotations

from recording.ticket import FIELDS, accepted, numbered


def test_what_the_agent_typed_is_never_overwritten_not_even_when_it_is_nothing() -> None:
    draft = {"name": {"value": "王芳"}, "phone": {"value": "13812345678"}, "title": {"value": "噪音"}}
    told = accepted(draft, {"name": "汪芳", "phone": None})
    assert (told["name"], told["phone"], told["title"]) == ("汪芳", None, "噪音")
    assert set(told) == set(FIELDS)


def test_tickets_are_counted_by_city_and_day() -> None:
    assert numbered("demo", "20261121", None) == "demo-20261121-00001"
    assert numbered("demo", "20261121", "demo-20261121-00041") == "demo-20261121-00042"
