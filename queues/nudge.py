"""Whom a free seat concerns: the callers to be reminded that it may be their turn.

app_queue looks for a free seat once a second for each waiting caller (RECHECK in app_queue.c), so a seat
would stand idle half a second on average while somebody waits. Whoever is nudged looks at once; whoever is
not, or when nobody nudges, looks within that second as ever. A nudge changes no order: app_queue decides.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from calls.facts import CallId, LegId
from calls.model import Seat, SeatState
from queues.visit import Outcome, Visit

MOST = 3
"""Callers nudged in each queue: the first, and two in case somebody's priority put them in front."""


def whom(seat: Seat | None, visits: Iterable[Visit], ringing: Container[CallId]) -> list[LegId]:
    """Legs of the callers who have waited longest in the queues of a seat that is ready; else nobody.

    ``ringing``: calls for which a phone rings already.
    """
    if seat is None or seat.state is not SeatState.READY:
        return []
    waiting: dict[str, list[Visit]] = {}
    for visit in visits:
        mine = visit.city == seat.city and visit.queue in seat.queues
        if mine and visit.outcome is Outcome.WAITING and visit.leg and visit.call not in ringing:
            waiting.setdefault(visit.queue, []).append(visit)
    first = [v for line in waiting.values() for v in sorted(line, key=lambda v: v.joined)[:MOST]]
    # of two queues with the same seats, whoever has waited longer looks first
    return [v.leg for v in sorted(first, key=lambda v: v.joined)]
