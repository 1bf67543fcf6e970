"""A visit: one caller's time in one queue, from joining to how it came out.

A call makes several visits when a queue gives up or the caller is sent on. The figures of the office
(offered, answered, abandoned, waits) are counted over visits and calls, never over events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.model import Source
from calls.picture import city_of, without
from calls.value import dataclass, field, replace

KEPT_CLOSED = 512


class Outcome(StrEnum):
    WAITING = "waiting"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    TIMEOUT = "timeout"
    FULL = "full"
    NO_SEATS = "no-seats"  # JOINEMPTY, JOINUNAVAIL
    SEATS_LEFT = "seats-left"  # LEAVEEMPTY, LEAVEUNAVAIL
    KEY = "key"  # the caller keyed a way out
    WITHDRAWN = "withdrawn"
    MOVED = "moved"  # joined another queue without a word from this one
    UNKNOWN = "unknown"  # over while nobody of ours was looking


QUEUESTATUS: Mapping[str, Outcome] = {
    "TIMEOUT": Outcome.TIMEOUT,
    "FULL": Outcome.FULL,
    "JOINEMPTY": Outcome.NO_SEATS,
    "JOINUNAVAIL": Outcome.NO_SEATS,
    "LEAVEEMPTY": Outcome.SEATS_LEFT,
    "LEAVEUNAVAIL": Outcome.SEATS_LEFT,
    "CONTINUE": Outcome.ANSWERED,
    "WITHDRAW": Outcome.WITHDRAWN,
    "KEY": Outcome.KEY,
}
"""Asterisk's QUEUESTATUS (app_queue), and ours for a key."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Times are seconds since the epoch, UTC; waits and talks are seconds."""

    call: CallId
    number: int
    """1 for the call's first visit, 2 for the next."""
    city: str
    queue: str
    leg: LegId
    joined: float
    outcome: Outcome = Outcome.WAITING
    left: float | None = None
    position: int = 0
    seat: str = ""
    waited: float = 0.0
    rang: float = 0.0
    talked: float | None = None
    declined: int = 0
    """Phones that rang for this visit and did not answer."""
    key: str = ""
    source: Source = Source.HEARD


@dataclass(frozen=True, slots=True)
class Visits:
    """The last visit of every call of late."""

    last: Mapping[CallId, Visit] = field(default_factory=dict)
    over: frozenset[CallId] = frozenset()
    """The calls among these that are over; the others may come into a queue again: they are kept."""
    waiting: Mapping[CallId, LegId] = field(default_factory=dict, compare=False)
    """The calls whose last visit goes on, with the caller's leg."""
    touched: tuple[Visit, ...] = field(default=(), compare=False)


def recalled(visits: Visits, more: Iterable[Visit]) -> Visits:
    """With these too; a call that is there already stays as it is. Nothing has happened to them."""
    touched = visits.touched
    for visit in more:
        if visit.call not in visits.last:
            visits = _put(visits, visit)
    return replace(visits, touched=touched)


def step(visits: Visits, fact: Fact) -> Visits:
    """The visits after this fact; ``touched`` are those it changed. Never raises."""
    if visits.touched:
        visits = replace(visits, touched=())
    match fact:
        case f.QueueJoined():
            return _joined(visits, fact)
        case f.QueueAbandoned():
            return _closed(
                visits, fact.call, fact, Outcome.ABANDONED, position=fact.position, waited=fact.waited
            )
        case f.QueueGaveUp():
            return _gave_up(visits, fact)
        case f.SeatDeclined():
            known = visits.last.get(fact.call)
            if known is None or known.outcome is not Outcome.WAITING:
                return visits
            return _put(visits, replace(known, declined=known.declined + 1))
        case f.SeatAnswered():
            return _answered(visits, fact)
        case f.SeatFinished():
            known = visits.last.get(fact.call)
            if known is None or known.seat != fact.seat or known.talked is not None:
                return visits
            return _put(visits, replace(known, talked=fact.talked))
        case f.CallLeft():
            if fact.call in visits.last:
                visits = replace(visits, over=visits.over | {fact.call})
            by = Outcome.ABANDONED if fact.by == "caller" else Outcome.UNKNOWN
            known = visits.last.get(fact.call)
            waited = max(0.0, fact.at - known.joined) if known is not None else 0.0
            return _closed(visits, fact.call, fact, by, waited=waited)
        case f.LegEnded():
            return _caller_gone(visits, fact)
        case f.Snapshot():
            return _true(visits, fact)
        case _:
            return visits


def _put(visits: Visits, visit: Visit) -> Visits:
    last = dict(visits.last)
    last.pop(visit.call, None)
    last[visit.call] = visit
    over, waiting = visits.over, visits.waiting
    # many at a time: looking for them costs as much as a hundred facts
    if len(last) > KEPT_CLOSED + KEPT_CLOSED // 4:
        done = [k for k, v in last.items() if k in over and v.talked is not None]
        done += [k for k, v in last.items() if k in over and v.talked is None]
        for call in done[: len(last) - KEPT_CLOSED]:
            del last[call]
        over = over & last.keys()
        waiting = {call: leg for call, leg in waiting.items() if call in last}
    if visit.outcome is Outcome.WAITING:
        waiting = {**waiting, visit.call: visit.leg}
    else:
        waiting = without(waiting, visit.call)
    return Visits(last=last, over=over, waiting=waiting, touched=(*visits.touched, visit))


def _closed(visits: Visits, call: CallId, fact: Fact, outcome: Outcome, **changes: Any) -> Visits:
    known = visits.last.get(call)
    if known is None or known.outcome is not Outcome.WAITING:
        return visits
    return _put(visits, replace(known, outcome=outcome, left=fact.at, **changes))


def _joined(visits: Visits, x: f.QueueJoined) -> Visits:
    known = visits.last.get(x.call)
    if known is not None and known.outcome is Outcome.WAITING:
        if known.queue == x.queue:
            return visits
        visits = _closed(visits, x.call, x, Outcome.MOVED, waited=max(0.0, x.at - known.joined))
    number = 1 if known is None else known.number + 1
    return _put(visits, Visit(x.call, number, x.city, x.queue, x.leg, x.at, position=x.position))


def _gave_up(visits: Visits, x: f.QueueGaveUp) -> Visits:
    known = visits.last.get(x.call)
    outcome = Outcome.KEY if x.key else QUEUESTATUS.get(x.status.upper(), Outcome.UNKNOWN)
    if known is not None and known.outcome is Outcome.WAITING and known.queue == x.queue:
        return _closed(visits, x.call, x, outcome, waited=max(0.0, x.at - known.joined), key=x.key)
    if outcome not in (Outcome.FULL, Outcome.NO_SEATS) or (known is not None and known.left == x.at):
        return visits
    # refused at the door: app_queue says no QueueCallerJoin, yet the caller was there
    number = 1 if known is None else known.number + 1
    leg = LegId("") if known is None else known.leg
    return _put(visits, Visit(x.call, number, x.city, x.queue, leg, x.at, outcome, left=x.at))


def _answered(visits: Visits, x: f.SeatAnswered) -> Visits:
    known = visits.last.get(x.call)
    if (
        known is not None
        and known.outcome is Outcome.ANSWERED
        and known.seat == x.seat
        and known.queue == x.queue
    ):
        return visits
    if known is None or known.outcome is not Outcome.WAITING:
        # we did not see it join
        number = 1 if known is None else known.number + 1
        known = Visit(x.call, number, x.city, x.queue, LegId(""), x.at - x.waited)
    return _put(
        visits,
        replace(
            known,
            queue=x.queue,
            outcome=Outcome.ANSWERED,
            left=x.at,
            seat=x.seat,
            waited=x.waited,
            rang=x.rang,
        ),
    )


def _caller_gone(visits: Visits, x: f.LegEnded) -> Visits:
    for call in [call for call, leg in visits.waiting.items() if leg == x.leg]:
        waited = max(0.0, x.at - visits.last[call].joined)
        visits = _closed(visits, call, x, Outcome.UNKNOWN, waited=waited)
    return visits


def _true(visits: Visits, x: f.Snapshot) -> Visits:
    """Whoever waits for us but not for Asterisk has left; whoever waits unknown to us has joined."""
    calls = {leg.leg: leg.call for leg in x.legs}
    # whose end nobody heard
    visits = replace(visits, over=visits.over | (visits.last.keys() - set(calls.values())))
    waits = {calls.get(w.leg): w for w in x.waiters}
    for visit in list(visits.last.values()):
        wait = waits.get(visit.call)
        if visit.outcome is Outcome.WAITING and (wait is None or wait.queue != visit.queue):
            visits = _closed(visits, visit.call, x, Outcome.UNKNOWN, waited=max(0.0, x.at - visit.joined))
    for call, wait in waits.items():
        known = visits.last.get(call) if call is not None else None
        if call is None or (known is not None and known.outcome is Outcome.WAITING):
            continue
        number = 1 if known is None else known.number + 1
        visits = _put(
            visits,
            Visit(
                call,
                number,
                wait.city or city_of(call),
                wait.queue,
                wait.leg,
                x.at - wait.waited,
                position=wait.position,
            ),
        )
    return visits
