"""A city that keeps calling: chance citizens with their own words, patience and manners."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from pathlib import Path

from lab.babble import babble_file
from lab.client import Client, Line, NotDone
from lab.voices import citizens

log = logging.getLogger("lab")
VOICES = 8
AT_ONCE = 60
"""Calls of one city at the same time; more wait to be made."""


def per_second(rate: str) -> float:
    """``2/min``, ``0.5/s`` or ``30/h`` as calls per second. Raises ValueError naming what is allowed."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*/\s*(s|sec|min|m|h|hour)\s*", rate)
    value = float(found[1]) if found else 0.0
    if found is None or value <= 0:
        raise ValueError(f"{rate!r} is no rate (like 2/min, 0.5/s or 30/h)")
    return value / {"s": 1, "m": 60, "h": 3600}[found[2][0]]


def _mumblings(folder: Path) -> list[Path]:
    return [babble_file(folder, seed, 4.0 + seed) for seed in range(VOICES)]


class Traffic:
    """Calls at ``rate`` per second (exponential gaps) until cancelled; ``seed`` repeats the same city."""

    def __init__(self, client: Client, rate: float, seed: int | None = None) -> None:
        self._client = client
        self._rate = rate
        self._chance = random.Random(seed)
        self.made = 0
        self.reached = 0
        """Calls that a seat answered."""

    async def run(self, seconds: float | None = None) -> None:
        """Keep calling, for so many seconds when given; calls under way are then finished."""
        status = await self._client.ask("status")
        numbers = [tuple(pair) for pair in status["numbers"]]
        if not numbers:
            raise NotDone("the plans have no number to call", "Unknown")
        words = citizens() or await asyncio.to_thread(_mumblings, Path(status["heard"]).parent / "voices")
        room = asyncio.Semaphore(AT_ONCE)
        loop = asyncio.get_running_loop()
        end = None if seconds is None else loop.time() + seconds
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(self._chance.expovariate(self._rate))
                if end is not None and loop.time() >= end:
                    return
                await room.acquire()
                # The first number of a plan is the hotline itself: most people call that.
                number = numbers[0] if self._chance.random() < 0.7 else self._chance.choice(numbers)
                task = group.create_task(self._citizen(number, words))
                task.add_done_callback(lambda _: room.release())

    async def _citizen(self, number: tuple[str, ...], voices: list[Path]) -> None:
        chance = self._chance
        words = chance.choice(voices)
        patience, talk = chance.expovariate(1 / 45) + 4, chance.uniform(6, 40)
        caller = f"1{chance.choice('3589')}0000{chance.randrange(10**5):05d}"
        since = self._client.count
        try:
            call = await self._client.ask(
                "dial", number=number[1], city=number[0], caller=caller, say=str(words)
            )
        except NotDone as why:
            log.warning("a citizen could not call: %s", why)
            return
        self.made += 1
        leg = call["leg"]
        sip = ""

        def seat_or_end(line: Line) -> bool:
            nonlocal sip
            if line["leg"] == leg and line["what"] == "sent":
                sip = line["sip_call"]
            mine = sip != "" and line["caller_sip_call"] == sip and line["what"] == "answered"
            return bool(mine or (line["leg"] == leg and line["what"] == "ended"))

        def over(line: Line) -> bool:
            return bool(line["leg"] == leg and line["what"] == "ended")

        try:
            async with asyncio.timeout(patience):
                found = await self._client.line("a seat", seat_or_end, patience + 1, since)
            if found["leg"] == leg:
                return
            self.reached += 1
            async with asyncio.timeout(talk):
                await self._client.line("the end", over, talk + 1, since)
        except TimeoutError:
            await self._client.ask("hang_up", leg=leg)
            await self._client.line("the end", over, 10, since)
