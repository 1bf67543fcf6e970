"""Looks at files of legs that are over, all of a moment in one turn of a thread: a thread's turn costs ten
times as much as the look, and a file without a sound is looked at for seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

GATHER = 0.04
"""Seconds for which whoever asks first waits for others; Asterisk closes most files meanwhile."""
T = TypeVar("T")


class Glances(Generic[T]):
    """``look`` is called in a thread and may raise OSError."""

    def __init__(self, look: Callable[[Path], T]) -> None:
        self._look = look
        self._asked: list[tuple[Path, asyncio.Future[T]]] = []

    async def at(self, path: Path) -> T:
        """What ``look`` says of it, a moment later. Raises OSError."""
        first = not self._asked
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._asked.append((path, answer))
        if first:
            await self._for_all()
        return await answer

    async def _for_all(self) -> None:
        asked = self._asked
        try:
            await asyncio.sleep(GATHER)
            self._asked = []
            found = await asyncio.to_thread(self._each, [path for path, _ in asked])
        except BaseException:
            # told to end: so is whoever waits for us
            self._asked = []
            for _, answer in asked:
                answer.cancel()
            raise
        for (_, answer), told in zip(asked, found, strict=True):
            if answer.done():
                continue
            if isinstance(told, OSError):
                answer.set_exception(told)
            else:
                answer.set_result(told)

    def _each(self, paths: Sequence[Path]) -> list[T | OSError]:
        found: list[T | OSError] = []
        for path in paths:
            try:
                found.append(self._look(path))
            except OSError as why:
                found.append(why)
        return found
