"""A shelf: named files kept somewhere else. One contract (tests/live/test_shelf.py) for every kind of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from cti.errors import NotNow

T = TypeVar("T")

AT_ONCE = 8
"""Threads of one shelf: what hangs there hangs nobody else."""


class Away(NotNow):
    """The shelf does not answer, or not in time."""


class Absent(NotNow):
    """The shelf answers, and nothing of that name stands there."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A file on the shelf; ``size`` in bytes."""

    name: str
    size: int


class Shelf(Protocol):
    """Names are relative, with slashes. Every method raises Away or Refused (with a remedy)."""

    where: str
    """For people."""

    async def put(self, name: str, file: Path) -> None:
        """Copy ``file`` there, in place of what stood there; a reader sees the old or the new, never half."""

    async def size(self, name: str) -> int:
        """In bytes. Raises Absent."""

    async def read(self, name: str, offset: int, length: int) -> bytes:
        """Exactly so many bytes, which must be there. Raises Absent."""

    async def remove(self, name: str) -> None:
        """It is gone afterwards, whether it was there or not."""

    def every(self) -> AsyncIterator[Standing]:
        """All that stands there, in no order."""

    async def look(self) -> None:
        """Is the shelf itself there, and may we read it?"""


class Threads:
    """Blocking work in threads of its own, given up after a while."""

    def __init__(self, where: str, seconds: float) -> None:
        self._where, self.seconds = where, seconds
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="shelf")

    async def do(self, work: Callable[[], T], *, within: float | None = None) -> T:
        """Raises Away when it takes longer than ``within`` seconds (default: the shelf's own)."""
        seconds = self.seconds if within is None else within
        try:
            async with asyncio.timeout(seconds):
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._pool, work)
        except TimeoutError:
            raise Away(f"{self._where} 没有应答 does not answer within {seconds:g} s") from None
