"""A plan that changed who answers what: whoever sits there gets the new queues at once, not at the next
sign-in. What a supervisor gave a seat by hand stays, unless the plan changed for that very person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog

from calls.model import Seat
from calls.orders import Order, SetQueues
from cti.errors import NotNow, Refused
from plan.model import Plan

log = structlog.get_logger("plan")

TRIES = 30
"""Once a second: the plan's link moves before Asterisk has read the new queues."""


class Skills:
    """``changed`` notes what is to be done, ``give`` does it."""

    def __init__(self, do: Callable[[Order], Awaitable[str]]) -> None:
        self._do = do
        self._due: dict[tuple[str, str], tuple[SetQueues, int]] = {}

    def changed(self, before: Mapping[str, Plan], now: Mapping[str, Plan], seats: Iterable[Seat]) -> None:
        for order in changed_skills(before, now, seats):
            self._due[order.city, order.seat] = (order, TRIES)

    async def give(self) -> None:
        """Try each once; what Asterisk does not take yet is tried again the next time."""
        for key, (order, tries) in list(self._due.items()):
            del self._due[key]
            try:
                await self._do(order)
            except (Refused, NotNow) as why:
                if tries > 1:
                    self._due[key] = (order, tries - 1)
                else:
                    log.warning("queues not changed", city=order.city, seat=order.seat, why=str(why))


def changed_skills(
    before: Mapping[str, Plan], now: Mapping[str, Plan], seats: Iterable[Seat]
) -> list[SetQueues]:
    """An order for each seat whose person's queues or levels the plan changed."""
    orders = []
    for seat in seats:
        old, new = before.get(seat.city), now.get(seat.city)
        if not seat.agent or old is None or new is None or seat.agent not in new.staff:
            continue
        wanted = new.skills(seat.agent, seat.name)
        if wanted and wanted != old.skills(seat.agent, seat.name):
            queues = tuple(sorted(wanted.items()))
            orders.append(SetQueues(city=seat.city, seat=seat.name, queues=queues, by="system"))
    return orders
