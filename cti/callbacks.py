"""Promised calls back: whoever has no stand-in in line and should have one gets one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

import structlog

from calls.facts import Fact
from calls.orders import Order
from cti.errors import NotNow, Refused
from cti.switchboard import Heard
from queues.callback import CallBacks, missing, ordered, step

log = structlog.get_logger("call-backs")

LOOK = 1.0


class CallBackKeeper:
    """``hear`` is a listener of the switchboard; ``run`` carries out. What the journal told is taken up."""

    def __init__(
        self,
        do: Callable[[Order], Awaitable[str]],
        linked: Callable[[], bool],
        past: Iterable[Fact] = (),
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._do, self._linked, self._now = do, linked, now
        self.known = CallBacks()
        for fact in past:
            self.known = step(self.known, fact)

    def hear(self, heard: Heard) -> None:
        self.known = step(self.known, heard.fact)

    async def run(self) -> None:
        """Until cancelled. What is due is looked up every second; nobody waits for that second."""
        while True:
            await asyncio.sleep(LOOK)
            if self._linked():
                await self.once()

    async def once(self) -> None:
        now = self._now()
        for order in list(missing(self.known, now)):
            # before it is carried out: its fact may come first
            self.known = ordered(self.known, order.call, now)
            try:
                await self._do(order)
                log.info("stand-in ordered", call=order.call)
            except (NotNow, Refused) as why:
                log.warning("stand-in not made, tried again", call=order.call, why=str(why))
