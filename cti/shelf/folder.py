"""A shelf that is a folder: another disk, or a file server that the machine has mounted."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from cti.errors import Refused
from cti.shelf.port import Absent, Away, Standing, Threads

T = TypeVar("T")

FRESH = ".fresh"
PAGE = 1000


class FolderShelf:
    """``root`` must be there: one that is missing is a disk that is not mounted, and is never made."""

    def __init__(self, root: Path, seconds: float) -> None:
        self.where, self._root = f"file://{root}", root
        self._threads = Threads(self.where, seconds)

    async def put(self, name: str, file: Path) -> None:
        def copy() -> None:
            target = self._path(name)
            self._there()
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = target.with_name(f".{target.name}{FRESH}")
            try:
                with file.open("rb") as source, fresh.open("wb") as out:
                    shutil.copyfileobj(source, out, 1 << 20)
                    out.flush()
                    os.fsync(out.fileno())
                os.replace(fresh, target)
            finally:
                fresh.unlink(missing_ok=True)

        await self._do(copy)

    async def size(self, name: str) -> int:
        return await self._do(lambda: self._path(name).stat().st_size)

    async def read(self, name: str, offset: int, length: int) -> bytes:
        def some() -> bytes:
            with self._path(name).open("rb") as file:
                file.seek(offset)
                return file.read(length)

        told = await self._do(some)
        if len(told) != length:
            raise Away(f"{self.where}: {name} 比应有的短 is shorter than it should be")
        return told

    async def remove(self, name: str) -> None:
        def away() -> None:
            self._there()
            self._path(name).unlink(missing_ok=True)

        await self._do(away)

    async def every(self) -> AsyncIterator[Standing]:
        def walk() -> Iterator[Standing]:
            for folder, _, names in os.walk(self._root):
                for name in names:
                    if name.endswith(FRESH):
                        continue
                    path = Path(folder) / name
                    yield Standing(path.relative_to(self._root).as_posix(), path.stat().st_size)

        await self.look()
        found = walk()
        while page := await self._do(lambda: list(islice(found, PAGE))):
            for one in page:
                yield one

    async def look(self) -> None:
        await self._do(self._there)

    def _there(self) -> None:
        if not self._root.is_dir():
            raise Refused(
                f"没有文件夹 there is no folder {self._root}: "
                "mount it, or mend `recording_shelf` in settings.toml"
            )

    def _path(self, name: str) -> Path:
        path = self._root / name
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise Refused(f"{name!r} 不在 is not below {self._root}")
        return path

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await self._threads.do(work)
        except FileNotFoundError as why:
            await self._threads.do(self._there)
            raise Absent(f"{self.where}: {why.filename} 不存在 is not there") from why
        except PermissionError as why:
            raise Refused(f"{self.where}: {why.strerror}: chown or chmod the folder") from why
        except OSError as why:
            raise Away(f"{self.where}: {why.strerror or why}") from why
