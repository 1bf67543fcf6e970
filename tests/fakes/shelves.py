"""Shelves that do wrong: one that writes something else than it was given, one that is not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from cti.shelf.port import Away, Shelf, Standing


class Liar:
    """Another shelf, but what is put there under a name in ``spoilt`` comes back with one byte changed."""

    def __init__(self, shelf: Shelf, spoilt: set[str]) -> None:
        self.where, self._shelf, self.spoilt = shelf.where, shelf, spoilt

    async def put(self, name: str, file: Path) -> None:
        await self._shelf.put(name, file)

    async def size(self, name: str) -> int:
        return await self._shelf.size(name)

    async def read(self, name: str, offset: int, length: int) -> bytes:
        told = await self._shelf.read(name, offset, length)
        return told[:-1] + bytes([told[-1] ^ 1]) if name in self.spoilt else told

    async def remove(self, name: str) -> None:
        await self._shelf.remove(name)

    async def every(self) -> AsyncIterator[Standing]:
        async for one in self._shelf.every():
            yield one

    async def look(self) -> None:
        await self._shelf.look()


class Fickle(Liar):
    """Another shelf that is away while ``away`` is set."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf, set())
        self.away = False

    async def put(self, name: str, file: Path) -> None:
        self._asked()
        await super().put(name, file)

    async def read(self, name: str, offset: int, length: int) -> bytes:
        self._asked()
        return await super().read(name, offset, length)

    async def remove(self, name: str) -> None:
        self._asked()
        await super().remove(name)

    async def look(self) -> None:
        self._asked()
        await super().look()

    def _asked(self) -> None:
        if self.away:
            raise Away("the shelf is away")
