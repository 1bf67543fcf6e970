"""What a queue is doing now, counted from calls and seats: one source, so no board disagrees with another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from calls.model import Call, CallState, Seat, SeatState


@dataclass(frozen=True, slots=True)
class QueueNow:
    """``oldest`` is when the longest-waiting caller joined; None when nobody waits."""

    city: str
    name: str
    waiting: int = 0
    ringing: int = 0
    talking: int = 0
    oldest: float | None = None
    seats: int = 0
    ready: int = 0
    busy: int = 0
    paused: int = 0


def queues_now(
    calls: Iterable[Call], seats: Iterable[Seat], known: Iterable[tuple[str, str]]
) -> list[QueueNow]:
    """One row per queue of ``known`` and per queue a call or a seat names."""
    live = [c for c in calls if c.queue and c.state is not CallState.ENDED]
    places = list(seats)
    names = set(known) | {(c.city, c.queue) for c in live} | {(s.city, q) for s in places for q in s.queues}
    return [_row(city, name, live, places) for city, name in sorted(names)]


def _row(city: str, name: str, calls: list[Call], seats: list[Seat]) -> QueueNow:
    mine = [c for c in calls if (c.city, c.queue) == (city, name)]
    here = [s for s in seats if s.city == city and name in s.queues]
    # a caller for whom a phone rings still waits
    waits = [c for c in mine if c.state in (CallState.WAITING, CallState.RINGING)]
    return QueueNow(
        city=city,
        name=name,
        waiting=len(waits),
        ringing=sum(c.state is CallState.RINGING for c in mine),
        talking=sum(c.state is CallState.TALKING for c in mine),
        oldest=min((c.joined for c in waits if c.joined is not None), default=None),
        seats=len(here),
        ready=sum(s.state is SeatState.READY for s in here),
        busy=sum(s.state in (SeatState.BUSY, SeatState.RINGING) for s in here),
        paused=sum(s.state in (SeatState.PAUSED, SeatState.WRAP_UP) for s in here),
    )
