"""The house's own events, seen from outside: which call an INVITE became, in which queue it waits.

A login that may change nothing (``observer``) over the lab's own AMI client; the service of the house is
not asked and may be dead.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Self

from cti.home import Home
from lab.client import Unheard
from lab.wire import Event, Wire, WireDown, WireRefused


class HouseDown(Exception):
    """The house's Asterisk does not answer; the text says how to start it."""


class Observer:
    """Use as ``async with Observer(home) as house``."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._wire = Wire(self._take)
        self._news = asyncio.Event()
        self.events: list[Event] = []
        """Everything since this connection began."""

    async def __aenter__(self) -> Self:
        port = self._home.ports.ami
        try:
            await self._wire.connect("127.0.0.1", port, "observer", self._home.secrets["ami_observer"])
        except (WireDown, WireRefused) as why:
            raise HouseDown(
                f"热线没有运行 the hotline does not answer ({why}); start it: cti up --lab"
            ) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._wire.close()

    async def ask_list(self, action: str, **headers: str) -> list[Event]:
        """A question with a list of answers, such as CoreShowChannels. Raises WireDown, WireRefused."""
        return await self._wire.ask_list(action, **headers)

    def call_of(self, sip_call: str) -> str | None:
        """The CALL_ID of the INVITE with this Call-ID, once the house has said it."""
        for event in self.events:
            if _is_hotline(event, "arrived") and event.get("SipCall") == sip_call:
                return event.get("Call")
        return None

    async def call_known(self, sip_call: str, within: float = 5.0) -> str:
        """Wait for ``call_of``. Raises Unheard."""
        event = await self.event(
            f"the house knows the call with SIP Call-ID {sip_call}",
            lambda e: _is_hotline(e, "arrived") and e.get("SipCall") == sip_call,
            within,
        )
        return event["Call"]

    async def event(self, named: str, fits: Callable[[Event], bool], within: float, since: int = 0) -> Event:
        """The first event from number ``since`` on that fits. Raises Unheard after ``within`` seconds.

        Whether it came in time says its own stamp: who waits may have been without a processor meanwhile.
        """
        until = time.time() + within
        try:
            async with asyncio.timeout(within):
                return await self._event(fits, since)
        except TimeoutError:
            with contextlib.suppress(WireDown, WireRefused):
                await self._wire.ask("Ping")
            for event in self.events[since:]:
                if float(event.get("Timestamp") or 0.0) <= until and fits(event):
                    return event
            seen = ", ".join(name_of(e) for e in self.events[since:][-15:]) or "nothing"
            raise Unheard(f"{named}: not within {within:g} s; the house's last events: {seen}") from None

    async def _event(self, fits: Callable[[Event], bool], since: int) -> Event:
        at = since
        while True:
            while at < len(self.events):
                if fits(self.events[at]):
                    return self.events[at]
                at += 1
            if self._wire.gone.is_set():
                raise HouseDown("the house's Asterisk went away")
            self._news.clear()
            await self._news.wait()

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()


def _is_hotline(event: Event, what: str) -> bool:
    return event.get("UserEvent") == "Hotline" and event.get("What") == what


def name_of(event: Event) -> str:
    """``QueueCallerJoin demo-general`` or ``Hotline arrived``."""
    name = event.get("UserEvent") or event.get("Event", "?")
    more = event.get("What") or event.get("Queue") or event.get("Channel", "")
    return f"{name} {more}".strip()
