"""A disk that runs full: copies go that lie elsewhere too, then the reserve, and it is told all the time."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from cti.errors import NotNow
from cti.reserve import MB, Reserve


class Disk:
    """Of a gigabyte; a reserve of 64 MB counts against what is free, and 32 MB is little."""

    def __init__(self, folder: Path, copies: int = 0) -> None:
        self.others, self.copies, self.away = 500, copies, False
        self.file = folder / ".reserve"
        self.reserve = Reserve(self.file, reserve_mb=64, low_mb=32, spare=self._spare, room=self._room)

    async def _spare(self) -> int:
        if self.away:
            raise NotNow("the shelf does not answer")
        gone, self.copies = self.copies, 0
        self.others -= gone
        return gone

    def _room(self, folder: Path) -> tuple[int, int]:
        return (1000 - self.others - 64 * self.file.exists()) * MB, 1000 * MB

    async def with_others(self, megabytes: int) -> tuple[bool, str]:
        """Whether there is a reserve, and what is told, with so much on the disk beside it."""
        self.others = megabytes
        await self.reserve.look()
        return self.file.exists(), self.reserve.trouble


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


async def test_there_is_a_reserve_and_it_takes_its_room_really(disk: Disk) -> None:
    assert await disk.with_others(500) == (True, "")
    assert disk.file.stat().st_blocks * 512 >= 64 * MB


async def test_a_disk_nearly_full_gets_the_reserve_and_an_alarm_until_there_is_room_again(disk: Disk) -> None:
    await disk.with_others(500)
    held, told = await disk.with_others(910)
    assert (held, "the reserve is given up" in told) == (False, True)
    # there is room again because of the reserve: that is no reason to be quiet
    assert (await disk.with_others(915))[1] == told
    held, told = await disk.with_others(880)
    assert (held, bool(told)) == (False, True), "no reserve yet: it would be given up at once"
    assert await disk.with_others(500) == (True, "")


async def test_copies_that_lie_elsewhere_too_go_before_the_reserve(tmp_path: Path) -> None:
    disk = Disk(tmp_path, copies=200)
    await disk.with_others(500)
    held, told = await disk.with_others(910)
    assert (held, disk.others, "copies removed" in told) == (True, 710, True)
    await disk.reserve.look()
    assert disk.reserve.trouble == ""


async def test_a_shelf_that_is_away_does_not_hold_the_reserve(tmp_path: Path) -> None:
    disk = Disk(tmp_path, copies=200)
    disk.away = True
    await disk.with_others(500)
    assert (await disk.with_others(910))[0] is False


async def test_a_disk_without_room_for_a_reserve_is_told(disk: Disk) -> None:
    held, told = await disk.with_others(900)
    assert (held, "no room for a reserve" in told) == (False, True)


async def test_without_a_reserve_a_disk_nearly_full_is_told_all_the_same(tmp_path: Path) -> None:
    async def nothing() -> int:
        return 0

    room = [40 * MB]
    bare = Reserve(
        tmp_path / ".reserve",
        reserve_mb=0,
        low_mb=32,
        spare=nothing,
        room=lambda folder: (room[0], 1000 * MB),
    )
    await bare.look()
    assert bare.trouble == ""
    room[0] = 10 * MB
    await bare.look()
    assert "there is no reserve" in bare.trouble
    room[0] = 40 * MB
    await bare.look()
    assert (bare.trouble, (tmp_path / ".reserve").exists()) == ("", False)


async def test_of_a_small_disk_only_a_tenth_is_taken(tmp_path: Path) -> None:
    file = tmp_path / ".reserve"

    async def nothing() -> int:
        return 0

    small = Reserve(file, reserve_mb=256, low_mb=64, spare=nothing, room=lambda folder: (40 * MB, 64 * MB))
    await small.look()
    assert file.stat().st_size == 64 * MB // 10


async def test_the_reserve_goes_with_the_service_that_would_give_it_up(disk: Disk) -> None:
    running = asyncio.create_task(disk.reserve.run())
    async with asyncio.timeout(10):
        while not disk.file.exists():  # noqa: ASYNC110  # a file comes to be and tells nobody
            await asyncio.sleep(0.01)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert not disk.file.exists()


async def test_what_a_killed_service_had_begun_to_make_is_given_up_at_the_next_start(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.others = 960
    begun = tmp_path / ".reserve.fresh"
    begun.write_bytes(b"\0" * 4096)
    running = asyncio.create_task(disk.reserve.run())
    async with asyncio.timeout(10):
        while not disk.reserve.trouble:  # noqa: ASYNC110  # the first look at the disk tells nobody else
            await asyncio.sleep(0.01)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert not begun.exists()
