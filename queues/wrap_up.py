"""Wrap-up (整理): a pause that names its own end, and what is done when nobody ended it.

Asterisk keeps it as the member's pause reason, ``wrapup:1732190695`` (decision 6); the dialplan's clock
(asterisk_conf.seat_leg) ends it, the agent may end it early.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from calls.model import Seat
from calls.orders import EndWrapUp

WRAP_UP = "wrapup"
REST = "rest"
"""After a ring nobody answered: ``rest:1732190695``. Ends like a wrap-up, and is none."""
GRACE = 3.0
"""Seconds after its end in which the clock does it; then somebody else has to."""


@dataclass(frozen=True, slots=True)
class WrapUp:
    """One that Asterisk wrote down, in whole seconds since the epoch; ``ended`` None: it goes on."""

    city: str
    seat: str
    began: float
    ended: float | None = None


def timed(reason: str) -> bool:
    """Whether this pause ends by itself."""
    return reason.partition(":")[0] in (WRAP_UP, REST)


def ends(reason: str) -> float:
    """When a timed pause with this pause reason ends; 0 (long ago) when the reason does not say."""
    moment = reason.partition(":")[2]
    return float(moment) if moment.isascii() and moment.isdigit() and len(moment) < 16 else 0.0


def overdue(seats: Iterable[Seat], now: float) -> tuple[EndWrapUp, ...]:
    """Orders for timed pauses that outlived their end: their clock stopped, or the reason is broken."""
    return tuple(
        EndWrapUp(city=seat.city, seat=seat.name, by="system")
        for seat in seats
        if timed(seat.paused) and ends(seat.paused) + GRACE <= now
    )
