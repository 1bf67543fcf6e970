"""Room kept for recordings: a file that is given up when the disk runs full, so that calls go on being kept.

First go local copies that the shelf has. Somebody else's bytes may fill a disk in a second; a reserve gives
people the time to make room, and the alarm tells them so.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import structlog

from cti.errors import NotNow

log = structlog.get_logger(__name__)

LOOK = 0.5
"""Seconds between two looks at the disk: one question of the kernel."""
SPARE_SECONDS = 2.0
"""A shelf that hangs must not hold the reserve."""
MB = 1 << 20
SHARE_RESERVE, SHARE_LOW = 10, 20
"""Never more of a disk than one part in so many: a small one is not filled by its own reserve."""


class Reserve:
    """``run`` watches. As long as it runs there is a reserve, or ``trouble`` says why not."""

    def __init__(
        self,
        file: Path,
        *,
        reserve_mb: int,
        low_mb: int,
        spare: Callable[[], Awaitable[int]],
        room: Callable[[Path], tuple[int, int]] | None = None,
    ) -> None:
        """``file``: on the recordings' disk. With fewer than ``low_mb`` free, ``spare`` removes what lies
        elsewhere too, then the reserve goes. ``reserve_mb`` 0: none, the alarm only. ``room``: bytes free and
        in all on the disk of a folder."""
        self.trouble = ""
        self._file, self._spare, self._room = file, spare, room or _room
        self._fresh = file.with_name(f"{file.name}.fresh")
        self._wished = reserve_mb * MB, low_mb * MB

    @property
    def held(self) -> bool:
        return self._file.exists()

    async def run(self) -> None:
        """Until cancelled; the reserve goes with whoever would give it up in need. What a killed service had
        begun to make is given up first."""
        with suppress(OSError):
            self._fresh.unlink(missing_ok=True)
        try:
            while True:
                try:
                    await self.look()
                except OSError as why:
                    self.trouble = f"录音磁盘 the recordings' disk: {why.strerror or why}"
                await asyncio.sleep(LOOK)
        finally:
            self._file.unlink(missing_ok=True)

    async def look(self) -> None:
        """Raises OSError: there is no such folder, or no disk below it."""
        free, total = self._room(self._file.parent)
        size, low = min(self._wished[0], total // SHARE_RESERVE), min(self._wished[1], total // SHARE_LOW)
        if free >= low:
            if size and not self.held and free >= size + 2 * low:
                await asyncio.to_thread(self._make, size)
            if self.held or not size:
                self.trouble = ""
            elif not self.trouble:
                self._alarm(free, "没有预留空间 no room for a reserve")
            return
        if free >= low // 2 or not self.held:
            await self._spared()
            free, _ = self._room(self._file.parent)
        if free < low and self.held:
            self._file.unlink()  # at once: every moment may be somebody's sentence
        given = "预留已用 the reserve is given up" if size else "没有预留空间 there is no reserve"
        done = "已清理副本 copies removed" if self.held else given
        self._alarm(self._room(self._file.parent)[0], done)

    def _alarm(self, free: int, what: str) -> None:
        if what not in self.trouble:
            log.error("the disk of recordings is nearly full", free=free, what=what)
        self.trouble = f"录音磁盘将满 the recordings' disk is nearly full: {free // MB} MB free, {what}"

    async def _spared(self) -> None:
        try:
            async with asyncio.timeout(SPARE_SECONDS):
                await self._spare()
        except (NotNow, TimeoutError) as why:
            log.warning("no local copies removed", why=str(why))

    def _make(self, size: int) -> None:
        try:
            with self._fresh.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
            self._fresh.replace(self._file)
        finally:
            self._fresh.unlink(missing_ok=True)


def _room(folder: Path) -> tuple[int, int]:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
