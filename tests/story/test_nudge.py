"""A free seat concerns those who wait longest in its queues, and nobody else."""

from __future__ import annotations

from calls.facts import CallId, LegId
from calls.model import Seat, SeatState
from queues.nudge import MOST, whom
from queues.visit import Outcome, Visit

READY = Seat("demo", "1001", SeatState.READY, 0.0, queues=("general", "fund"))


def waits(n: int, queue: str = "general", city: str = "demo", outcome: Outcome = Outcome.WAITING) -> Visit:
    return Visit(CallId(f"{city}-n1-1.{n}"), 1, city, queue, LegId(f"n1-1.{n}"), float(n), outcome)


def test_the_longest_waiting_of_each_of_its_queues() -> None:
    line = [waits(n) for n in (5, 3, 4, 2, 9)]
    assert whom(READY, [*line, waits(7, "fund")], ()) == ["n1-1.2", "n1-1.3", "n1-1.4", "n1-1.7"]
    assert len(whom(READY, line, ())) == MOST


def test_of_two_queues_with_the_same_seats_whoever_waited_longer_looks_first() -> None:
    line = [waits(3), waits(6), waits(2, "fund"), waits(5, "fund")]
    assert whom(READY, line, ()) == ["n1-1.2", "n1-1.3", "n1-1.5", "n1-1.6"]


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
