"""Strangers at the FastAGI port: the service answers a real question within its budget all the while."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

import pytest

from lab.scenario import Lab
from tests.house import House
from tests.outage.calling import first_seat_talks, served
from tests.outage.measured import note
from tests.outage.witness import Witness

BUDGET = 0.8
"""Seconds of the question "where next?" over all addresses (settings: advice_seconds)."""


class Strangers:
    """Peers that keep ``count`` connections to the port; whoever is thrown out comes again."""

    def __init__(self, port: int, count: int, first_words: bytes, *, more: bytes = b"") -> None:
        self._port, self._count = port, count
        self._words, self._more = first_words, more
        self.connected = 0
        self._all_there = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Strangers:
        self._tasks = [asyncio.create_task(self._one()) for _ in range(self._count)]
        async with asyncio.timeout(20):
            await self._all_there.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _one(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                await self._visit()
            await asyncio.sleep(0.05)

    async def _visit(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.connected += 1
        if self.connected >= self._count:
            self._all_there.set()
        try:
            writer.write(self._words)
            while self._more:
                await writer.drain()
                writer.write(self._more)
            await reader.read()
        finally:
            writer.close()


def garbage(lines: int) -> bytes:
    chance = random.Random(12345)
    return b"".join(chance.randbytes(chance.randint(1, 60)).replace(b"\n", b"") + b"\n" for _ in range(lines))


HALF = b"agi_network: yes\nagi_network_script: where-next\nagi_request: agi://127.0."
LINES = 10_000


@contextlib.asynccontextmanager
async def nuisance(kind: str, port: int) -> AsyncIterator[None]:
    """One kind of stranger, as long as the block lasts."""
    few = {
        "a bare connect": Strangers(port, 1, b""),
        "ten thousand lines of garbage": Strangers(port, 1, garbage(LINES)),
        "ten thousand lines that look like a head": Strangers(port, 1, b"agi_x: y\n" * LINES),
        "half a header": Strangers(port, 1, HALF),
        "five hundred idle connections": Strangers(port, 500, b""),
        "garbage for ever": Strangers(port, 4, b"", more=garbage(200)),
    }
    async with contextlib.AsyncExitStack() as stack:
        for name in few if kind == "all of them at once" else [kind]:
            await stack.enter_async_context(few[name])
        yield


KINDS = (
    "a bare connect",
    "ten thousand lines of garbage",
    "ten thousand lines that look like a head",
    "half a header",
    "five hundred idle connections",
    "garbage for ever",
    "all of them at once",
)


@pytest.mark.parametrize("kind", KINDS)
async def test_strangers_at_the_agi_port_take_nothing_from_a_callers_question(
    house: House, city: Lab, witness: Witness, kind: str
) -> None:
    await first_seat_talks(city)
    pid = house.parts()["service"].pid
    async with nuisance(kind, house.home.ports.agi):
        found = [await served(city, witness) for _ in range(2)]
    assert [(each.status, each.by) for each in found] == [("SUCCESS", "service")] * 2
    assert note(f"question beside {kind}", max(x.asked for x in found), BUDGET) <= BUDGET
    assert house.parts()["service"].pid == pid
