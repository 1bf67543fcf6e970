"""Collects facts and lets a test wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from calls.facts import Fact


class Told:
    """An ``on_fact`` that remembers."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self._came = asyncio.Event()

    def __call__(self, fact: Fact) -> None:
        self.facts.append(fact)
        self._came.set()

    async def until(self, enough: Callable[[list[Fact]], bool]) -> None:
        async with asyncio.timeout(10):
            while not enough(self.facts):
                self._came.clear()
                await self._came.wait()

    async def has(self, kind: type[Fact], times: int = 1) -> None:
        await self.until(lambda facts: sum(isinstance(fact, kind) for fact in facts) >= times)

    def kinds(self) -> list[str]:
        return [type(fact).__name__ for fact in self.facts]
