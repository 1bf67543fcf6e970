"""How long a call's last visit is remembered: as long as the call may come into a queue again."""

from __future__ import annotations

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from queues.visit import KEPT_CLOSED, Outcome, Visits, step

ODD = CallId("demo-n1-1.1")


def folded(visits: Visits, *facts: Fact) -> Visits:
    for fact in facts:
        visits = step(visits, fact)
    return visits


def joins(call: CallId, at: float) -> f.QueueJoined:
    leg = LegId(call.partition("-")[2])
    return f.QueueJoined(
        at=at, node="n1", call=call, city="demo", queue="general", leg=leg, position=1, waiting=1
    )


def talks(call: CallId, at: float) -> tuple[Fact, ...]:
    """Comes into the queue, is answered; the talk with that seat ends."""
    here = {"node": "n1", "call": call, "city": "demo", "queue": "general", "seat": "1001", "waited": 1.0}
    return (
        joins(call, at),
        f.SeatAnswered(at=at + 1, leg=LegId("n1-9.9"), rang=1.0, **here),  # type: ignore[arg-type]  # a dict of several types
        f.SeatFinished(at=at + 2, reason="agent", talked=1.0, **here),  # type: ignore[arg-type]  # a dict of several types
    )


def left(call: CallId, at: float) -> f.CallLeft:
    return f.CallLeft(at=at, node="n1", call=call, by="caller", cause=16)


def test_a_caller_who_was_passed_on_comes_back_as_the_next_visit_however_many_called_meanwhile() -> None:
    visits = folded(Visits(), *talks(ODD, 1.0))
    for n in range(2 * KEPT_CLOSED):
        call = CallId(f"demo-n1-2.{n}")
        visits = folded(visits, *talks(call, 10.0 + n), left(call, 13.0 + n))
    visits = folded(visits, joins(ODD, 5000.0))
    assert (visits.last[ODD].number, visits.last[ODD].outcome) == (2, Outcome.WAITING)
    # calls that are over are forgotten
    assert len(visits.last) <= KEPT_CLOSED + KEPT_CLOSED // 4 + 1
    assert visits.over <= visits.last.keys()


def test_a_call_whose_end_nobody_heard_is_forgotten_too() -> None:
    visits = folded(Visits(), *talks(ODD, 1.0))
    visits = folded(visits, f.Snapshot(at=100.0, node="n1", legs=(), members=(), waiters=(), queues=()))
    assert ODD in visits.over
