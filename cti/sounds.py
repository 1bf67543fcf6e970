"""The sound of a recording, wherever its file is: plain or sealed on disk, or on the shelf only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cti import vault
from cti.carrying import name_of
from cti.errors import NotNow
from cti.ring import Ring
from cti.shelf.chosen import Chosen
from cti.shelf.copying import BLOCK
from cti.shelf.port import Absent, Shelf
from recording.filed import Filed, Kept


class Opened(Protocol):
    """``size``: bytes of the plain file."""

    @property
    def size(self) -> int: ...

    async def read(self, offset: int, length: int) -> bytes:
        """As many bytes as there are. Raises NotNow, Refused, Broken."""


class Sounds:
    """Opens recordings."""

    def __init__(self, folder: Path, ring: Callable[[], Ring], shelf: Chosen) -> None:
        self._folder, self._ring, self._shelf = folder, ring, shelf

    async def open(self, row: Filed) -> Opened:
        """Raises NotNow (nowhere to be had now), Refused (the shelf is not configured or refuses), Broken."""
        path = self._folder / row.file
        local = await asyncio.to_thread(self._local, path)
        if local is not None:
            return OnDisk(local, row, self)
        # a row that was read a while ago may not know yet that its file was carried away
        if row.kept is Kept.DISK and not self._shelf.there:
            raise NotNow(f"{path.name}: 磁盘上没有 this recording is not on disk: cti recordings check")
        return await self.far(row)

    async def far(self, row: Filed) -> Opened:
        """The copy on the shelf, whatever lies on disk. Raises as ``open``."""
        shelf, name = self._shelf(), name_of(row)
        try:
            head = await shelf.read(name, 0, vault.HEAD)
        except Absent as why:
            raise NotNow(f"{row.leg}: 存储上没有 is not on {shelf.where}: cti recordings check") from why
        return OnShelf(await asyncio.to_thread(vault.Seal, self._ring(), head, name), shelf, name)

    def _local(self, path: Path) -> vault.Sealed | vault.Plain | None:
        if path.exists():
            return vault.Plain(path)
        sealed = path.with_name(path.name + vault.SUFFIX)
        return vault.Sealed(self._ring(), sealed) if sealed.exists() else None


class OnDisk:
    """A local file. It may be sealed or carried away between two reads: then the next place has it."""

    def __init__(self, file: vault.Sealed | vault.Plain, row: Filed, sounds: Sounds) -> None:
        self.size = file.size
        self._file: vault.Sealed | vault.Plain = file
        self._row, self._sounds = row, sounds

    async def read(self, offset: int, length: int) -> bytes:
        try:
            return await asyncio.to_thread(self._file.read, offset, length)
        except FileNotFoundError:
            again = await self._sounds.open(self._row)
            if isinstance(again, OnDisk):
                return await asyncio.to_thread(again._file.read, offset, length)
            return await again.read(offset, length)


class OnShelf:
    """A sealed file far away: only the chunks that are wanted are fetched."""

    def __init__(self, seal: vault.Seal, shelf: Shelf, name: str) -> None:
        self.size = seal.size
        self._seal, self._shelf, self._name = seal, shelf, name

    async def read(self, offset: int, length: int) -> bytes:
        begin, many = self._seal.stretch(offset, length)
        told = [
            await self._shelf.read(self._name, at, min(BLOCK, begin + many - at))
            for at in range(begin, begin + many, BLOCK)
        ]
        return await asyncio.to_thread(self._seal.plain, b"".join(told), offset, length)
