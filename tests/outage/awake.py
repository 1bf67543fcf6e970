"""Whether a test that sits in a service's place had a processor in the tenths of a second it is given.

Such a test is one process beside many. Where it did not run while it was to answer, what Asterisk did says
nothing of Asterisk: the test is made once more, and the run's summary tells of it. One that ran then, and
found something wrong, fails at once, however long it slept before and afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, ParamSpec, Self

from lab.scenario import Lab
from tests.outage.measured import note

SLEPT = 0.1
"""Seconds without a processor, of the 0.4 in which each of two services is to answer."""
ANSWERING = 1.0
"""Seconds after which nobody waits for an answer any more: the budget is 0.8 (decision 1)."""
TRIES = 3
BEAT = 0.01
AROUND = 2 * BEAT
"""Seconds by which a stall that held a question up may end before the question is seen, or one that holds the
end of the connection up may begin after the answer."""


class Slept(AssertionError):
    """What was wrong was found by one who had not been there for so many seconds."""

    def __init__(self, seconds: float, wrong: object) -> None:
        super().__init__(f"without a processor for {seconds:.2f} s: {wrong}")
        self.seconds = seconds


class Pulse:
    """Use as ``async with Pulse()``: what is asserted in the block by one who slept while ``answering``
    raises Slept."""

    def __init__(self) -> None:
        self._stalls: list[tuple[float, float]] = []
        self._windows: list[tuple[float, float]] = []

    async def __aenter__(self) -> Self:
        self._beating = asyncio.create_task(self._beat())
        # until it waits for its first beat
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, _: object, why: BaseException | None, __: object) -> None:
        # the beat that is due now counts
        await asyncio.sleep(2 * BEAT)
        self._beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._beating
        if isinstance(why, AssertionError) and (slept := self.slept):
            raise Slept(slept, why) from why

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """From the question on, until all is said or nobody waits for it any more."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            yield
        finally:
            self._windows.append((begun, min(loop.time(), begun + ANSWERING)))

    @property
    def slept(self) -> float:
        """The longest stall of this loop that fell into a time in which it was to answer."""
        return max(
            (
                end - begin
                for begin, end in self._stalls
                for asked, said in self._windows
                if end >= asked - AROUND and begin <= said + AROUND
            ),
            default=0.0,
        )

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT
            await asyncio.sleep(BEAT)
            if (now := loop.time()) - due > SLEPT:
                self._stalls.append((due, now))


P = ParamSpec("P")


def awake(test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """A test that is made once more when it raises Slept; the last time stands. It has a ``city``."""

    name = getattr(test, "__name__", "a test")

    @functools.wraps(test)
    async def tried(*args: P.args, **more: P.kwargs) -> None:
        for _ in range(TRIES - 1):
            try:
                return await test(*args, **more)
            except Slept as why:
                note(f"made once more: {name}", why.seconds, SLEPT, f"{why.__cause__}".partition(";")[0])
                await _nobody_calls(more["city"])
        return await test(*args, **more)

    return tried


async def _nobody_calls(city: Any) -> None:
    assert isinstance(city, Lab)
    for call in city.calls:
        # whoever has hung up cannot any more
        with contextlib.suppress(Exception):
            await call.hangs_up()
    await city.quiet()
