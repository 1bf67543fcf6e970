"""What counts as talk that must be in a recording."""

from __future__ import annotations

from calls.facts import CallId, LegId
from cti.recordings_check import talked
from queues.stint import Part, Stint

CALL, SEAT = CallId("demo-n1-100.1"), LegId("n1-102.2")


def stint(ended: float) -> Stint:
    return Stint(SEAT, CALL, "demo", "1001", "general", 102.0, Part.ANSWERED, answered=104.0, ended=ended)


def test_a_talk_whose_end_nobody_heard_lasts_as_long_as_asterisks_files_are_sure_of() -> None:
    """The call was over at 112.26; we looked again at 113.4."""
    found = talked(stint(113.4), {CALL}, {CALL: 112.0})
    assert [(s.leg, s.begin, s.end) for s in found] == [(SEAT, 104.0, 112.0), ("n1-100.1", 104.0, 112.0)]


def test_a_talk_whose_end_was_heard_is_counted_to_the_moment() -> None:
    assert {s.end for s in talked(stint(112.9), {CALL}, {CALL: 112.0})} == {112.9}
    assert {s.end for s in talked(stint(112.9), {CALL}, {})} == {112.9}
    # the call goes on without this seat
    assert {s.end for s in talked(stint(112.9), {CALL}, {CALL: 140.0})} == {112.9}
