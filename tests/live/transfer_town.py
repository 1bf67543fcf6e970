"""A talk with tones: each party of a call says one of its own, and the recordings tell who heard whom.

Every (state, party) has a frequency nobody else has, so the recordings are judged once, after the call,
when they are closed and whole.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from cti.home import Home
from lab import ears
from lab.parties import Call, Phone, Seat
from lab.scenario import Lab
from lab.wav import RATE, Sound, write
from lab.wire import Event

FIRST, STEP, SECOND, MOST = 600.0, 1.085, 2.31, 9
"""An utterance is two tones at once: music may have one of them, hardly both in one moment."""
SECONDS = 0.7
HEARD = 0.3
"""Seconds of them that prove it was heard; a tenth of a second at a change is nobody's word."""


@dataclass
class Talk:
    """Who takes part, and what was said when."""

    folder: Path
    call: Call | None = None
    """Whose legs Asterisk is asked for before anybody speaks; None: nobody is waited for."""
    parties: dict[str, Phone] = field(default_factory=dict)
    said: dict[tuple[str, str], float] = field(default_factory=dict)
    files: dict[str, list[Path]] = field(default_factory=dict)

    def joins(self, name: str, phone: Phone) -> None:
        """From now on ``phone`` is this party (again, on another leg)."""
        self.parties[name] = phone
        if phone.heard_file is not None and phone.heard_file not in self.files.setdefault(name, []):
            self.files[name].append(phone.heard_file)

    async def speak(self, state: str, *names: str, hear: Iterable[frozenset[str]] | None = None) -> None:
        """These parties speak at once, each in tones of their own, when those who are to ``hear`` each other
        (all of them, if nothing is said) are together: a phone is up, and a step told, before they are."""
        for group in (frozenset(names),) if hear is None else hear:
            await self._together(group)
        said = []
        for name in names:
            number = len(self.said)
            assert number < MOST, "no frequency left"
            hertz = FIRST * STEP**number
            wav = self.folder / f"{number}.wav"
            write(wav, tone(hertz))
            self.said[state, name] = hertz
            said.append(self.parties[name].says(wav, within=10))
        await asyncio.gather(*said)

    async def _together(self, group: frozenset[str], within: float = 10.0) -> None:
        """Asterisk has as many phones in one bridge, or in some that Local channels join."""
        if self.call is None or len(group) < 2:
            return
        house, leg = self.call._lab.house, (await self.call.id()).partition("-")[2]
        seats = {name: f"PJSIP/{phone.name}-" for name, phone in self.parties.items() if "-" in phone.name}
        others = tuple(seats[name] for name in seats.keys() - group)
        rows: list[Event] = []
        try:
            async with asyncio.timeout(within):
                while True:
                    rows = await house.ask_list("CoreShowChannels")
                    for row in rows:
                        if "caller" in group:
                            mine = row.get("Uniqueid") == leg
                        else:
                            mine = row.get("Channel", "").startswith(seats.get("agent", "-"))
                        there = [name for name in hall(rows, row) if name.startswith("PJSIP/")]
                        # nothing begins with nobody's name
                        if mine and sum(not name.startswith(others) for name in there) >= len(group):
                            return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            where = [(row.get("Channel"), row.get("BridgeId")) for row in rows]
            raise AssertionError(f"{sorted(group)} are not together: {where}") from None

    async def heard(self) -> dict[str, set[tuple[str, str]]]:
        """Party -> {(state, speaker)}. Call it when all have hung up."""
        result: dict[str, set[tuple[str, str]]] = {}
        for name, files in self.files.items():
            sounds = []
            for file in files:
                probe = Phone.__new__(Phone)
                probe.heard_file = file
                with contextlib.suppress(TimeoutError):
                    sounds.append(await probe.recorded(20))
            result[name] = {
                said
                for said, hertz in self.said.items()
                if said[1] != name and any(tones_in(s, hertz) >= HEARD for s in sounds)
            }
        return result


def hall(rows: list[Event], of: Event) -> set[str]:
    """The channels in its bridge, and in those that Local channels join to it."""
    bridges: dict[str, set[str]] = {}
    for row in rows:
        if row.get("BridgeId"):
            bridges.setdefault(row["BridgeId"], set()).add(row["Channel"])
    where = {name: bridge for bridge, names in bridges.items() for name in names}
    found: set[str] = set()
    ahead = [of.get("BridgeId", "")]
    while ahead:
        for name in bridges.pop(ahead.pop(), ()):
            found.add(name)
            if name.startswith("Local/"):
                other = name[:-1] + ("2" if name.endswith("1") else "1")
                ahead.append(where.get(other, ""))
    return found


def tone(hertz: float) -> Sound:
    samples = (
        int(
            5000
            * (math.sin(2 * math.pi * hertz * n / RATE) + math.sin(2 * math.pi * hertz * SECOND * n / RATE))
        )
        for n in range(int(RATE * SECONDS))
    )
    return Sound(RATE, array.array("h", samples))


def tones_in(sound: ears.Samples, hertz: float) -> float:
    """Seconds in which both tones of this utterance are to be heard, whoever speaks beside."""
    size, hop, found = 1024, 256, 0
    for at in range(0, len(sound) - size + 1, hop):
        power = np.abs(np.fft.rfft(sound[at : at + size] * np.hanning(size))) ** 2
        power[:3] = 0
        whole = float(power.sum())
        if whole < 1e-3:
            continue
        peaks = [round(h * size / RATE) for h in (hertz, hertz * SECOND)]
        found += all(float(power[p - 2 : p + 3].sum()) > 0.06 * whole for p in peaks)
    return found * hop / RATE


async def orders(home: Home, path: str, role: str = "operator", **told: Any) -> tuple[int, Any]:
    """POST to the API; status and answer."""
    headers = {"Authorization": f"Bearer {home.tokens[role]}"}
    url = f"http://127.0.0.1:{home.ports.api}{path}"
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session,
        session.post(url, json=told, headers=headers) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def asks(home: Home, path: str, role: str = "operator") -> Any:
    """GET from the API."""
    headers = {"Authorization": f"Bearer {home.tokens[role]}"}
    url = f"http://127.0.0.1:{home.ports.api}{path}"
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session,
        session.get(url, headers=headers) as answer,
    ):
        return await answer.json(content_type=None)


def centre(city: Lab, number: str) -> Seat:
    """A phone outside, known by the number it is called at."""
    return Seat(city, number)


async def talking(
    city: Lab, folder: Path, seat: str = "1001", caller: str = "13900000007", plan: str | None = None
) -> tuple[Talk, Call]:
    """A caller and an agent of that plan, connected; without ``plan``: of the lab's own."""
    call = await city.caller(caller, plan).dials("12345")
    phone = city.seat(seat, plan)
    # others may be offered the caller first and let it ring
    await phone.answers(call, within=40)
    id = await call.id()
    # the phone is up a moment before Asterisk knows whose talk it is in
    await city.house.event(
        "they talk", lambda e: e["Event"] == "AgentConnect" and e.get("AccountCode") == id, 10
    )
    talk = Talk(folder, call)
    talk.joins("caller", call)
    talk.joins("agent", phone)
    return talk, call


async def step_told(city: Lab, call: Call, step: str, within: float = 10.0, since: int = 0) -> Any:
    """The dialplan's own word of a transfer's step."""
    id = await call.id()
    return await city.house.event(
        f"transfer {step}",
        lambda e: (
            e.get("UserEvent") == "Hotline"
            and e.get("What") == "transfer"
            and e.get("Call") == id
            and e.get("Step") == step
        ),
        within,
        since,
    )


AGENT_GONE = 6.0
"""Seconds after which a caller whose agent is gone has somebody or a place in a queue (issue 4)."""


async def queued_soon(call: Call, agent: Phone, since: int) -> None:
    """The caller of an agent who has hung up was queued in time, by the stamps of lab and Asterisk."""
    left = await agent.sees("ended", within=5, after=0)
    back = await call.waits_in("general", 20, since)
    assert float(back["Timestamp"]) - left["at"] <= AGENT_GONE


async def in_the_room(city: Lab, call: Call, *channels: str, within: float = 10.0) -> None:
    """Channels whose names begin so are in the call's room: a step is told before they are."""
    id = await call.id()

    def inside(name: str) -> bool:
        mine = [
            e["Event"]
            for e in city.house.events
            if e["Event"] in ("ConfbridgeJoin", "ConfbridgeLeave")
            and e["Conference"] == id
            and e["Channel"].startswith(name)
        ]
        return mine[-1:] == ["ConfbridgeJoin"]

    async with asyncio.timeout(within):
        while not all(inside(name) for name in channels):  # noqa: ASYNC110  # of two kinds of events, the last
            await asyncio.sleep(0.05)


async def until_gone(*phones: Phone) -> None:
    """Everybody hangs up, whoever still can."""
    for phone in phones:
        with contextlib.suppress(Exception):
            await phone.hangs_up(10)
    await asyncio.sleep(0)


async def has_somebody(city: Lab, call: Call, within: float) -> bool:
    """The caller is in a bridge with somebody, or waits in a queue: asked of Asterisk, not of us."""
    leg = (await call.id()).partition("-")[2]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            while True:
                rows = [r for r in await city.house.ask_list("CoreShowChannels") if r.get("Uniqueid")]
                mine = [r for r in rows if r["Uniqueid"] == leg]
                if not mine:
                    return False
                bridge = mine[0].get("BridgeId", "")
                if bridge and any(r.get("BridgeId") == bridge for r in rows if r not in mine):
                    return True
                waiting = await city.house.ask_list("QueueStatus")
                if any(r.get("Event") == "QueueEntry" and r.get("Uniqueid") == leg for r in waiting):
                    return True
                await asyncio.sleep(0.1)
    return False
