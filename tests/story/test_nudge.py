"""A free seat concerns those who wait longest in its queues, and nobody else."""

from __future__ import annotations

from dataclasses import replace

from calls.facts import CallId, LegId
from calls.model import Seat, SeatState
from queues.nudge import whom
from queues.visit import Outcome, Visit

READY = Seat("demo", "1001", SeatState.READY, 0.0, queues=("general", "fund"))


def waits(n: int, queue: str = "general", city: str = "demo", outcome: Outcome = Outcome.WAITING) -> Visit:
    return Visit(CallId(f"{city}-n1-1.{n}"), 1, city, queue, LegId(f"n1-1.{n}"), float(n), outcome)


def test_the_head_of_each_of_its_queues_and_nobody_behind() -> None:
    line = [waits(n) for n in (5, 3, 4, 2, 9)]
    assert whom(READY, [*line, waits(7, "fund")], ()) == ["n1-1.2", "n1-1.7"]
    assert whom(READY, line, ()) == ["n1-1.2"]


def test_who_came_later_and_was_put_in_front_is_the_head() -> None:
    """A caller whose agent's phone died is at position 1 again: who is woken beside may take the seat."""
    back = replace(waits(9), position=1)
    assert whom(READY, [replace(waits(2), position=1), replace(waits(3), position=2), back], ()) == ["n1-1.9"]


def test_when_the_head_is_rung_for_the_next_is_the_head() -> None:
    line = [replace(waits(2), position=1), replace(waits(3), position=2), replace(waits(9), position=1)]
    assert whom(READY, line, {CallId("demo-n1-1.9")}) == ["n1-1.2"]


def test_of_two_queues_with_the_same_seats_whoever_waited_longer_looks_first() -> None:
    line = [waits(3), waits(6), waits(2, "fund"), waits(5, "fund")]
    assert whom(READY, line, ()) == ["n1-1.2", "n1-1.3"]


def test_of_two_queues_whoever_was_passed_on_has_waited_since_they_were_greeted() -> None:
    passed_on = replace(waits(9, "fund"), number=2)
    assert whom(READY, [waits(5), passed_on], (), {passed_on.call: 4.0}) == ["n1-1.9", "n1-1.5"]
    assert whom(READY, [waits(3), passed_on], (), {passed_on.call: 4.0}) == ["n1-1.3", "n1-1.9"]
    # a menu is no waiting
    first = waits(9, "fund")
    assert whom(READY, [waits(5), first], (), {first.call: 4.0}) == ["n1-1.5", "n1-1.9"]


def test_whom_a_phone_rings_for_already_needs_no_nudge() -> None:
    assert whom(READY, [waits(1), waits(2)], {CallId("demo-n1-1.1")}) == ["n1-1.2"]


def test_nobody_of_other_queues_or_cities_or_who_has_left() -> None:
    others = [waits(1, "market"), waits(2, city="other"), waits(3, outcome=Outcome.ABANDONED)]
    assert whom(READY, others, ()) == []


def test_a_seat_that_is_not_ready_concerns_nobody() -> None:
    for state in SeatState:
        seat = Seat("demo", "1001", state, 0.0, queues=("general",))
        assert bool(whom(seat, [waits(1)], ())) == (state is SeatState.READY)
    assert whom(None, [waits(1)], ()) == []
