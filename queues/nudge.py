"""Whom a free seat concerns: the caller to be reminded that it may be their turn.

app_queue looks for a free seat once a second for each waiting caller (RECHECK in app_queue.c), so a seat
would stand idle half a second on average while somebody waits. Whoever is nudged looks at once; whoever is
not, or when nobody nudges, looks within that second as ever.

One caller of each queue, its head: a head that is being tried does not count as waiting (``pending`` in
is_our_turn), and the seat counts as free until its phone rings, so the second caller, woken in the same
milliseconds, would take the seat before the first (seen on 22.10: once in a night).
"""

from collections.abc import Container, Iterable, Mapping
from types import MappingProxyType

from calls.facts import CallId, LegId
from calls.model import Seat, SeatState
from queues.visit import Outcome, Visit

NOTHING: Mapping[CallId, float] = MappingProxyType({})


def whom(
    seat: Seat | None,
    visits: Iterable[Visit],
    ringing: Container[CallId],
    greeted: Mapping[CallId, float] = NOTHING,
) -> list[LegId]:
    """Legs of the heads of the queues of a seat that is ready, who has waited longest first; else nobody.

    ``ringing``: calls for which a phone rings already. ``greeted``: when calls were; whoever was passed on
    from another queue has waited since then.
    """
    if seat is None or seat.state is not SeatState.READY:
        return []
    waiting: dict[str, list[Visit]] = {}
    for visit in visits:
        mine = visit.city == seat.city and visit.queue in seat.queues
        if mine and visit.outcome is Outcome.WAITING and visit.leg and visit.call not in ringing:
            waiting.setdefault(visit.queue, []).append(visit)
    heads = [_head(line) for line in waiting.values()]
    # of two queues with the same seats, whoever has waited longer looks first
    return [v.leg for v in sorted(heads, key=lambda v: _waits_since(v, greeted))]


def _waits_since(visit: Visit, greeted: Mapping[CallId, float]) -> float:
    return visit.joined if visit.number == 1 else min(visit.joined, greeted.get(visit.call, visit.joined))


def _head(line: Iterable[Visit]) -> Visit:
    """Who stands first: app_queue told each one's place when they joined; a higher rank is put in front."""
    order: list[Visit] = []
    for visit in sorted(line, key=lambda v: v.joined):
        # a place we did not hear is the end of the line
        order.insert(visit.position - 1 if visit.position > 0 else len(order), visit)
    return order[0]
