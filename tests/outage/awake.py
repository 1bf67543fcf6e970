"""Whether a test that sits in a service's place had a processor in the tenths of a second it is given.

Such a test is one process beside many. Where it did not run for a good part of its time, what Asterisk did
says nothing of Asterisk: the test is made once more. One that ran, and found something wrong, fails at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, Self

from lab.scenario import Lab

SLEPT = 0.1
"""Seconds without a processor, of the 0.4 in which each of two services is to answer."""
TRIES = 5
BEAT = 0.01


class Slept(AssertionError):
    """What was wrong was found by one who had not been there."""


class Pulse:
    """Use as ``async with Pulse()``: what is asserted in the block by one who slept raises Slept."""

    def __init__(self) -> None:
        self.slept = 0.0
        """The longest time in which this loop did not run."""

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
        if isinstance(why, AssertionError) and self.slept > SLEPT:
            raise Slept(f"without a processor for {self.slept:.2f} s: {why}") from why

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT
            await asyncio.sleep(BEAT)
            self.slept = max(self.slept, loop.time() - due)


P = ParamSpec("P")


def awake(test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """A test that is made once more when it raises Slept; the last time stands. It has a ``city``."""

    @functools.wraps(test)
    async def tried(*args: P.args, **more: P.kwargs) -> None:
        for _ in range(TRIES - 1):
            try:
                return await test(*args, **more)
            except Slept:
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
