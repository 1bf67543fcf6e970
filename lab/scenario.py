"""The language in which tests tell a call.

    async with Lab(home) as city:
        await city.staffed("1001")
        call = await city.caller("13900000001").dials("12345").says(words).presses("1")
        await city.seat("1001").answers(call, say=greeting)
        await call.hears(greeting)
        await call.hangs_up()

Every wait names its event and has an end; what did not happen is an ``Unheard`` (an AssertionError) that
says what happened instead. Phones ring until told otherwise, and record what they hear.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any, Self

from cti.home import Home
from cti.site import seat_password
from lab.client import Client, Unheard
from lab.handset import Handset
from lab.observer import Observer
from lab.parties import LOOK, Call, Seat

UNKNOWN = 8.0
"""Seconds after which a phone that the house does not reach is one whose registration it has lost: one that
was asked once in vain is asked again, and reached, 3 s later."""


class Lab:
    """The city, seen by a test. Needs a running ``cti up --lab`` of this home."""

    def __init__(self, home: Home | Path, *, by_hand: bool = True) -> None:
        """``by_hand``: all phones only ring; else they do what they do anyway."""
        self._by_hand = by_hand
        self.home = home if isinstance(home, Home) else Home(home)
        self.client = Client(self.home)
        self.house = Observer(self.home)
        self._stack = contextlib.AsyncExitStack()
        self._seats: dict[str, Seat] = {}
        self.calls: list[Call] = []

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self.client)
            await stack.enter_async_context(self.house)
            for name in await self.phones() if self._by_hand else ():
                await self.client.ask("behave", phone=name, does="ignore", hear=True)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        # closing hangs up what we dialled and gives the phones their own will back
        for call in self.calls:
            await call._close()
        await self._stack.aclose()

    async def phones(self) -> dict[str, bool]:
        """Every seat's phone and whether the house has its registration."""
        phones: dict[str, bool] = (await self.client.ask("status"))["phones"]
        return phones

    @property
    def city(self) -> str:
        """The first city of the instance."""
        return str((self.home.state().get("cities") or self.home.cities())[0])

    def caller(self, number: str = "13900000000", city: str | None = None) -> Caller:
        """A citizen with this number."""
        return Caller(self, number, city or self.city)

    def seat(self, number: str, city: str | None = None) -> Seat:
        """The phone of a seat; the same object each time."""
        name = f"{city or self.city}-{number}"
        return self._seats.setdefault(name, Seat(self, name))

    def handset(self, number: str, city: str | None = None) -> Handset:
        """A phone that can vanish takes this seat over: ``async with city.handset("1001") as phone``."""
        name = f"{city or self.city}-{number}"
        return Handset(self.client, name, secret_of(self.home, name), self.home.ports.sip)

    @contextlib.asynccontextmanager
    async def away(self, number: str, city: str | None = None) -> AsyncIterator[None]:
        """The lab's phone of this seat leaves the network, so that a stranger's phone can sit there."""
        name = f"{city or self.city}-{number}"
        await self.client.ask("unregister", phone=name)
        try:
            yield
        finally:
            await self.client.ask("register", phone=name)

    async def staffed(
        self,
        *numbers: str,
        keep: str = "",
        city: str | None = None,
        within: float = 30.0,
        patient: bool = False,
    ) -> None:
        """Only these seats' phones of the city are on the network, and the house knows it.

        ``keep``: a seat that a handset has; it is on the network too. Whoever is paused, wraps up, has missed
        rings or signed out before is made ready: by feature code, as the person there would.

        A registration of the last second dies with an Asterisk that is killed, and a phone comes again by
        itself when its time is over (90 s). Who is not ``patient`` has it come at once.
        """
        prefix = f"{city or self.city}-"
        wanted = {prefix + n for n in (*numbers, keep) if n}
        there = await self.phones()
        for name in there:
            if name.startswith(prefix) and name != prefix + keep:
                await self.client.ask("register" if name in wanted else "unregister", phone=name)
        there_now: set[str] = set()
        loop = asyncio.get_running_loop()
        anew = loop.time() + UNKNOWN
        try:
            async with asyncio.timeout(within):
                # at most one event a change, and none for what already is
                while (there_now := await self._reachable(prefix)) != wanted:
                    if loop.time() > anew and not patient:
                        anew += UNKNOWN
                        for name in sorted(wanted - there_now - {prefix + keep}):
                            await self.client.ask("register", phone=name, anew=True)
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            raise Unheard(
                f"the house reaches {sorted(there_now)} and not {sorted(wanted)} after {within:g} s; "
                f"the lab has {await self.phones()}"
            ) from None

        async with asyncio.TaskGroup() as group:
            for name in sorted(await self._unready(wanted)):
                if name != prefix + keep:
                    group.create_task(self._made_ready(name.removeprefix(prefix), city))

    async def _unready(self, names: set[str]) -> set[str]:
        """Those that are signed in nowhere, paused, or left a ring unanswered."""
        members: dict[str, bool] = {}
        for row in await self.house.ask_list("QueueStatus"):
            if name := row.get("Name", ""):
                members[name] = members.get(name, False) or row.get("Paused") == "1"
        missed = set((await self.client.ask("status"))["missed"])
        return {name for name in names if members.get(name, True) or name in missed}

    async def _made_ready(self, number: str, city: str | None) -> None:
        phone = Seat(self, f"{city or self.city}-{number}")
        said = await phone.dials("*11")
        if said["what"] != "answered":
            said = await phone.dials("*11")
        if said["what"] != "answered":
            raise Unheard(f"{phone.name} dialled *11 twice and was not answered: {said}")
        await phone.hangs_up()

    async def _reachable(self, prefix: str) -> set[str]:
        rows = await self.house.ask_list("DeviceStateList")
        return {
            name
            for row in rows
            if (name := row.get("Device", "").removeprefix("PJSIP/")).startswith(prefix)
            and row.get("State") not in ("UNAVAILABLE", "INVALID", "UNKNOWN")
            and name.removeprefix(prefix).isdigit()
        }

    async def quiet(self, within: float = 10.0) -> None:
        """Wait until the house holds no call.

        The clock that ends wrap-ups is none, nor is the one that looks for phones that died holding, or a
        question that nobody waits for any more.
        """
        left: list[str] = []
        try:
            async with asyncio.timeout(within):
                while left := [  # noqa: ASYNC110  # each channel's end is an event, but not that it was the last: the list is asked for
                    " ".join(row.get(x, "") for x in ("Channel", "Context", "Application", "ApplicationData"))
                    for row in await self.house.ask_list("CoreShowChannels")
                    if "@seat-clock" not in row.get("Channel", "@seat-clock")
                    and "@held-clock" not in row["Channel"]
                    and "@ask-apart-" not in row["Channel"]
                ]:
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            raise Unheard(f"the house is not quiet after {within:g} s; it has {', '.join(left)}") from None


def secret_of(home: Home, name: str) -> str:
    """The SIP password of a seat's phone (``demo-1001``)."""
    return seat_password(home, name)


class Caller:
    """A citizen who has not dialled yet."""

    def __init__(self, lab: Lab, number: str, city: str) -> None:
        self._lab = lab
        self.number = number
        self.city = city

    def dials(
        self,
        number: str,
        *,
        diversion: str = "",
        history: str = "",
        hear: bool = True,
        trunk: str = "",
        case: str = "",
        handoff: str = "",
    ) -> Dialling:
        """A call, sent when awaited; ``diversion``: forwarded from that number (RFC 5806). ``hear``: what
        the caller hears is kept. ``trunk``: the one it comes through, when a city has several; ``case``: a
        centre hands it over; ``handoff``: and returns whom it got by that record."""
        told = {"number": number, "diversion": diversion, "history": history, "hear": hear, "trunk": trunk}
        told |= {"case": case, "handoff": handoff}
        return Dialling(self._lab, told | {"caller": self.number, "city": self.city})


class Dialling:
    """A call being described. ``await`` it to send the INVITE."""

    def __init__(self, lab: Lab, told: dict[str, Any]) -> None:
        self._lab = lab
        self._told = told
        self._keys = ""

    def says(self, wav: Path | str, *, when: str = "seat") -> Dialling:
        """Speak when a seat has answered, or (``when="answer"``) as soon as the line is up."""
        self._told |= {"say": str(wav), "say_when": when}
        return self

    def presses(self, keys: str) -> Dialling:
        """Keys, pressed as ``Call.presses`` does."""
        self._keys += keys
        return self

    def __await__(self) -> Generator[Any, None, Call]:
        return self._send().__await__()

    async def _send(self) -> Call:
        since = self._lab.client.count
        answer = await self._lab.client.ask("dial", **self._told)
        call = Call(self._lab, answer["leg"], Path(answer["heard"]), since, self._told)
        self._lab.calls.append(call)
        sent = await call.sees("sent", within=15)
        call.sip_call, call.sent = sent["sip_call"], sent["at"]
        if self._keys:
            call.will_press(self._keys)
        return call
