"""Many calls of every kind: citizens who leave at any moment, seats that answer, decline or do nothing.

What each citizen and each phone will do is drawn from the seed before it happens; what then happens is the
hotline's and the moment's. Bounded in calls, in calls at once and in seconds of each call.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from lab.client import Client, Line, NotDone, Unheard

AT_ONCE = 40
LONGEST = 60.0
"""Seconds after which any citizen gives up."""
CHANGE = (0.4, 1.6)
"""Seconds between one phone changing its mind and the next."""


class Leaves(StrEnum):
    """When a citizen hangs up."""

    EARLY = "early"  # in the greeting
    LATER = "later"  # after a few seconds, wherever that is
    RINGING = "ringing"  # as soon as a phone rings
    TALKED = "talked"  # after talking
    NEVER = "never"  # waits for the other side


_MANNERS = {
    Leaves.EARLY: 14,
    Leaves.LATER: 20,
    Leaves.RINGING: 12,
    Leaves.TALKED: 36,
    Leaves.NEVER: 18,
}
_KEYS = "0123459*"


@dataclass(frozen=True, slots=True)
class Citizen:
    """What one caller is going to do. Seconds."""

    number: str
    city: str
    caller: str
    leaves: Leaves
    patience: float
    key: str
    key_after: float
    again: bool
    """Calls once more when nobody answered."""


def citizen(seed: int, n: int, numbers: list[tuple[str, str]]) -> Citizen:
    """The n-th caller of this seed."""
    chance = random.Random(f"{seed}/{n}")
    city, number = numbers[0] if chance.random() < 0.5 else chance.choice(numbers)
    if chance.random() < 0.03:
        number = "99999"
    leaves = chance.choices(list(_MANNERS), list(_MANNERS.values()))[0]
    patience = {
        Leaves.EARLY: chance.uniform(0.0, 1.0),
        Leaves.LATER: chance.uniform(0.5, 9.0),
        Leaves.RINGING: chance.uniform(0.0, 0.8),
        Leaves.TALKED: chance.uniform(0.3, 3.0),
        Leaves.NEVER: LONGEST,
    }[leaves]
    return Citizen(
        number, city, f"139{n:08d}", leaves, patience, chance.choice(_KEYS), chance.uniform(0.3, 2.5),
        chance.random() < 0.3,
    )  # fmt: skip


def manner(chance: random.Random) -> dict[str, object]:
    """What a seat's phone does from now on: an order for ``behave``."""
    kind = chance.random()
    if kind < 0.70:
        talk = chance.uniform(0.4, 3.0) if chance.random() < 0.5 else None
        return {"does": "answer", "after": round(chance.uniform(0.0, 1.5), 2), "talk": talk}
    if kind < 0.82:
        return {"does": "reject", "after": round(chance.uniform(0.0, 0.8), 2)}
    return {"does": "busy", "after": 0.0} if kind < 0.90 else {"does": "ignore"}


@dataclass(slots=True)
class Tally:
    made: int = 0
    over: int = 0
    reached: int = 0
    """Calls that a seat's phone answered."""
    refused: int = 0
    """Calls the lab could not make."""
    left: Counter[str] = field(default_factory=Counter)
    """Calls by how they were meant to end."""


class Mixed:
    """``calls`` calls at ``rate`` a second; ``progress`` is told after each."""

    def __init__(
        self, client: Client, calls: int, rate: float, seed: int, progress: Callable[[Tally], None]
    ) -> None:
        self._client = client
        self._calls, self._rate, self._seed = calls, rate, seed
        self._progress = progress
        self.tally = Tally()

    async def run(self) -> Tally:
        """Until the last call is over. Raises LabDown."""
        status = await self._client.ask("status")
        numbers = [(city, number) for city, number in status["numbers"]]
        if not numbers:
            raise NotDone("the plans have no number to call", "Unknown")
        chance = random.Random(f"{self._seed}/gaps")
        phones = sorted(status["phones"])
        for phone in phones:
            await self._client.ask("behave", phone=phone, **manner(chance))
        seats = asyncio.create_task(self._moods(phones))
        room = asyncio.Semaphore(AT_ONCE)
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            async with asyncio.TaskGroup() as group:
                for n in range(self._calls):
                    due += chance.expovariate(self._rate)
                    await asyncio.sleep(max(0.0, due - loop.time()))
                    if self.tally.made >= self._calls:
                        break  # second calls count too
                    await room.acquire()
                    self.tally.made += 1
                    task = group.create_task(self._life(citizen(self._seed, n, numbers)))
                    task.add_done_callback(lambda _: room.release())
        finally:
            seats.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await seats
        return self.tally

    async def _moods(self, phones: list[str]) -> None:
        chance = random.Random(f"{self._seed}/phones")
        while True:
            await asyncio.sleep(chance.uniform(*CHANGE))
            phone = chance.choice(phones)
            with contextlib.suppress(NotDone):
                await self._client.ask("behave", phone=phone, **manner(chance))

    async def _life(self, one: Citizen) -> None:
        while True:
            reached = await self._call(one)
            self.tally.over += 1
            self.tally.reached += reached
            self.tally.left[one.leaves] += 1
            self._progress(self.tally)
            if reached or not one.again or self.tally.made >= self._calls:
                return
            self.tally.made += 1
            one = Citizen(
                one.number, one.city, one.caller, Leaves.TALKED, 1.0, one.key, one.key_after, again=False
            )
            await asyncio.sleep(1.5)  # a person needs that long to dial again

    async def _call(self, one: Citizen) -> bool:
        since = self._client.count
        try:
            leg = (await self._client.ask("dial", number=one.number, city=one.city, caller=one.caller))["leg"]
        except NotDone:
            self.tally.refused += 1
            return False
        seen: dict[str, str] = {"sip": ""}
        reached = False

        def mine(line: Line, *what: str) -> bool:
            if line["leg"] == leg:
                if line["what"] == "sent":
                    seen["sip"] = line["sip_call"]
                return line["what"] in ("ended", *what)
            if not seen["sip"] or line["caller_sip_call"] != seen["sip"]:
                return False
            return f"seat {line['what']}" in what

        async def until(*what: str, within: float) -> Line | None:
            """The next of these, or the end of the call; None when the time is up."""
            nonlocal since
            with contextlib.suppress(Unheard):
                line = await self._client.line("", lambda x: mine(x, *what), within, since)
                since = line["n"] + 1
                return line
            return None

        def over(line: Line | None) -> bool:
            return line is not None and line["what"] == "ended" and line["leg"] == leg

        line = await until("answered", within=20)
        if line is None or over(line):
            await self._hang_up(leg, since, line)
            return False
        pressing = asyncio.create_task(self._press(leg, one))
        try:
            if one.leaves in (Leaves.EARLY, Leaves.LATER):
                line = await until(within=one.patience)
            elif one.leaves is Leaves.RINGING:
                line = await until("seat rings", within=LONGEST / 2)
                if line is not None and not over(line):
                    line = await until(within=one.patience)
            else:
                line = await until("seat answered", within=LONGEST / 2)
                if line is not None and not over(line):
                    reached = True
                    line = await until(within=one.patience)
        finally:
            pressing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pressing
        await self._hang_up(leg, since, line if over(line) else None)
        return reached

    async def _press(self, leg: str, one: Citizen) -> None:
        await asyncio.sleep(one.key_after)
        with contextlib.suppress(NotDone):
            await self._client.ask("press", leg=leg, key=one.key)

    async def _hang_up(self, leg: str, since: int, ended: Line | None) -> None:
        if ended is not None:
            return
        with contextlib.suppress(NotDone):
            await self._client.ask("hang_up", leg=leg)
        with contextlib.suppress(Unheard):
            await self._client.line("the end", lambda x: x["leg"] == leg and x["what"] == "ended", 10, since)
