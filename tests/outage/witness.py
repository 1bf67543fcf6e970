"""An independent eye on Asterisk: pyst2's manager, logged in as ``observer``, which may change nothing.

No code of ours reads these events, and times are Asterisk's own ``Timestamp``: what is measured does not
depend on how busy this test is.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any, Self

from asterisk.manager import Event as Pyst2Event
from asterisk.manager import Manager, ManagerException

from cti.home import Home
from lab.client import Unheard

Event = dict[str, str]
Fits = Callable[[Event], bool]
HEARD = 5.0
"""Seconds in which this test hears of what happened in time, however busy the machine is."""


class Witness:
    """Use as ``async with Witness(home) as witness``."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._manager = Manager()
        self._news = asyncio.Event()
        self.events: list[Event] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()

        def heard(event: Pyst2Event, _: Any) -> None:
            loop.call_soon_threadsafe(self._take, dict(event.headers))

        def log_in() -> None:
            self._manager.connect("127.0.0.1", self._home.ports.ami)
            self._manager.register_event("*", heard)
            self._manager.login("observer", self._home.secrets["ami_observer"])

        await asyncio.to_thread(log_in)
        return self

    async def __aexit__(self, *_: object) -> None:
        # pyst2 logs off first, and trips over Asterisk's having closed the connection in answer
        with contextlib.suppress(ValueError, ManagerException):
            await asyncio.to_thread(self._manager.close)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def event(self, named: str, fits: Fits, within: float, since: int = 0) -> Event:
        """The first event from number ``since`` on that fits, by Asterisk's stamp within so many seconds.
        Raises Unheard."""
        looked, end = since, time.time() + within
        try:
            async with asyncio.timeout(within + HEARD):
                while True:
                    for event in self.events[looked:]:
                        if fits(event) and at(event) <= end:
                            return event
                    looked = len(self.events)
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            seen = ", ".join(f"{e['Event']} {e.get('What', '')}".strip() for e in self.events[-15:])
            raise Unheard(f"{named}: not within {within:g} s; last: {seen or 'nothing'}") from None

    def told(self, what: str, call: str) -> Fits:
        """Our dialplan's own event about this call."""
        return lambda e: e.get("What") == what and e.get("Call") == call

    def all(self, name: str) -> list[Event]:
        return [e for e in self.events if e["Event"] == name]


def at(event: Event) -> float:
    """When Asterisk says it happened, seconds since the epoch."""
    return float(event["Timestamp"])
