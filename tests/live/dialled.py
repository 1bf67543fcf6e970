"""Many numbers dialled at once: where each call arrives, and in which queue it waits. Hangs up then."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from lab.scenario import Lab
from lab.wire import Event

GREETED = 60.0
"""Seconds that announcement, greeting and notice of many calls at once may take on a busy machine."""
AT_ONCE = 40
SENT_AT_ONCE = 6
"""A crowd of INVITEs in one moment would test the lab's patience, not our numbers."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a caller meets: the line, how the number is merged, and the queue or how the call ended."""

    line: str
    how: str
    queue: str


@dataclass(frozen=True, slots=True)
class Dialled:
    """One call to make. ``way``: own (its own called number), diversion or history (forwarded to 12345)."""

    number: str
    way: str
    place: Place
    original: str
    city: str = ""
    caller: str = ""

    def __str__(self) -> str:
        return f"{self.city}{self.number} by {self.way}"


async def wrong(lab: Lab, calls: Iterable[Dialled]) -> list[str]:
    """Make the calls side by side and tell each that did not meet what it should. Empty: all did."""
    room, door = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(SENT_AT_ONCE)

    async def one(number: int, call: Dialled) -> str:
        async with room:
            return await _outcome(lab, door, call, call.caller or f"139{number:08}")

    told = await asyncio.gather(*(one(number, call) for number, call in enumerate(calls)))
    return [text for text in told if text]


async def _outcome(lab: Lab, door: asyncio.Semaphore, call: Dialled, caller: str) -> str:
    forwarded = {call.way: call.number} if call.way in ("diversion", "history") else {}
    number = "12345" if forwarded else call.number
    since = len(lab.house.events)
    async with door:
        dialling = await lab.caller(caller, call.city or None).dials(number, hear=False, **forwarded)
        mine = dialling.sip_call
        arrived = await lab.house.event(f"{call} arrives", lambda e: _arrived(e, mine), 10, since)
    met = Place(arrived["Line"], arrived["How"], "")
    unique = arrived["Call"].partition("-")[2]
    city = arrived["City"]

    def waits_or_leaves(event: Event) -> bool:
        joined = event["Event"] == "QueueCallerJoin" and event.get("Uniqueid") == unique
        return joined or (event.get("What") == "left" and event.get("Call") == arrived["Call"])

    end = await lab.house.event(f"{call} waits", waits_or_leaves, GREETED, since)
    if end["Event"] == "QueueCallerJoin":
        met = Place(met.line, met.how, end["Queue"].removeprefix(f"{city}-"))
        await dialling.hangs_up()
    else:
        met = Place(met.line, met.how, f"left by {end['By']}")
    if (met, arrived["Original"]) == (call.place, call.original):
        return ""
    return f"{call}: {met} original {arrived['Original']}, not {call.place} original {call.original}"


def _arrived(event: Event, sip_call: str) -> bool:
    return event.get("What") == "arrived" and event.get("SipCall") == sip_call
