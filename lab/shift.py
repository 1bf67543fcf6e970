"""The lab's people come to work: whoever's phone is on the network signs in once, by feature code."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping

from lab.exchange import Exchange, Unknown
from lab.switch import Line, Order
from lab.wire import WireDown, WireRefused
from plan.model import Plan

log = logging.getLogger("lab")
AT_ONCE = 20
"""Phones that sign in at the same time."""
PATIENCE = 5.0
"""Seconds a person waits for the house to answer the code."""
TRIES = 5
"""How often a person dials it who was not answered: a house that just starts drops a call now and then."""
AGAIN = 1.0
"""Seconds between two of them."""
DONE = ("answered", "ended")


def sign_in_codes(plan: Plan) -> Mapping[str, str]:
    """What is dialled at each seat. Nobody sits where the plan has no person left, or only one with a pin."""
    usual = {agent.seat: agent for agent in plan.staff.values() if agent.seat}
    others = iter([number for number, agent in plan.staff.items() if not agent.seat and not agent.pin])
    codes: dict[str, str] = {}
    for seat in plan.seats:
        if seat in usual:
            codes[seat] = "" if usual[seat].pin else "*11"
        else:
            codes[seat] = f"*11{number}" if (number := next(others, "")) else ""
    return codes


class Shift:
    """Signs in each phone when it first registers, and not again in this life of the lab."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._seen: set[str] = set()
        self._at_work: set[str] = set()
        self._door = asyncio.Semaphore(AT_ONCE)

    def all_at_work(self) -> bool:
        """Whether everybody who has a seat to sign in at has tried."""
        return all(seat.name in self._at_work for seat in self._exchange.site.seats if seat.code)

    async def run(self) -> None:
        """Watch for phones until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for seat in self._exchange.site.seats:
                    there = self._exchange.registered.get(seat.name, False)
                    if there and seat.code and seat.name not in self._seen:
                        self._seen.add(seat.name)
                        group.create_task(self._sign_in(seat.name, seat.code))
                await asyncio.sleep(0.1)

    async def _sign_in(self, phone: str, code: str) -> None:
        async with self._door:
            for n in range(TRIES):
                if why := await self._dials(phone, code):
                    log.warning("%s could not sign in, try %d of %d: %s", phone, n + 1, TRIES, why)
                    await asyncio.sleep(AGAIN)
                else:
                    break
            self._at_work.add(phone)

    async def _dials(self, phone: str, code: str) -> str:
        """Why the code was not answered; empty when it was: what it asked for is done by then."""
        heard: asyncio.Queue[Line] = asyncio.Queue()
        self._exchange.watchers.append(heard.put_nowait)
        try:
            async with asyncio.timeout(PATIENCE):
                leg = await self._exchange.dial(Order(number=code, phone=phone))
                while (line := await heard.get())["leg"] != leg.id or line["what"] not in DONE:
                    pass
            if line["what"] == "answered":
                # nobody has to listen to the voice
                await self._exchange.hang_up(leg)
                return ""
            return "the call was not answered"
        except (TimeoutError, WireDown, WireRefused, Unknown) as why:
            return str(why) or "the house does not answer"
        finally:
            with contextlib.suppress(ValueError):
                self._exchange.watchers.remove(heard.put_nowait)
