"""Recordings on their way to the shelf and back: rows in SQLite, files on disk, a folder as the shelf."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from calls.facts import CallId, LegId
from cti import vault
from cti.carrying import Carrier, name_of
from cti.errors import NotNow
from cti.retention import Retention
from cti.ring import Ring
from cti.shelf.chosen import Chosen
from cti.shelf.folder import FolderShelf
from cti.shelf.port import Shelf
from cti.sounds import Sounds
from cti.store.history import History, sqlite_url
from cti.store.recordings import Hold, RecordingStore
from recording.filed import Filed, Kept, Role
from recording.retention import DAY
from recording.table import State
from tests.fakes.shelves import Fickle, Liar
from tests.story.plan_files import demo

ENDED = 1_000_000.0
LOCAL_DAYS = 7.0


class Given(Chosen):
    """The shelf that the test gives."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    @property
    def there(self) -> bool:
        return True

    def __call__(self) -> Shelf:
        return self.shelf

    def again(self) -> None:
        """It is what it is."""


class Desk:
    """A carrier with its store, its disk, its shelf and a clock."""

    def __init__(self, folder: Path, store: RecordingStore) -> None:
        self.near, self.far = folder / "near", folder / "far"
        self.far.mkdir()
        self.store, self.folder = store, FolderShelf(self.far, 5.0)
        self.chosen = Given(self.folder)
        self.ring = Ring(folder / "ring.json")
        self.busy: set[str] = set()
        self.alarms: list[tuple[str, str]] = []
        self.clock = ENDED + 60.0
        self.carrier = Carrier(
            self.near, store, self.chosen, lambda: self.busy,
            lambda call, leg, why: self.alarms.append((leg, why)), lambda: self.ring,
            local_days=LOCAL_DAYS, now=lambda: self.clock,
        )  # fmt: skip
        self.sounds = Sounds(self.near, lambda: self.ring, self.chosen)

    async def recorded(self, leg: str = "n1-1.1") -> tuple[Filed, bytes]:
        """A recording that is filed and sealed, and its plain bytes."""
        data = b"RIFF" + secrets.token_bytes(150_000)
        row = Filed(
            leg=LegId(leg), call=CallId(f"demo-{leg}"), city="demo", line="main", role=Role.CALLER,
            began=ENDED - 60, ended=ENDED, seconds=60.0, file=f"20260101/demo-{leg}/{leg}.wav",
            bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), sealed=True,
        )  # fmt: skip
        path = self.near / row.file
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        vault.seal(self.ring, path, self.near / name_of(row), {"leg": leg, "began": row.began})
        path.unlink()
        await self.store.put(row)
        return row, data

    async def row(self, leg: str = "n1-1.1") -> Filed:
        found = await self.store.one(leg)
        assert found is not None
        return found

    def local(self) -> list[str]:
        return sorted(p.name for p in self.near.rglob("*.sealed"))

    def on_shelf(self) -> list[str]:
        return sorted(p.name for p in self.far.rglob("*") if p.is_file())

    async def sound(self, leg: str = "n1-1.1") -> bytes:
        opened = await self.sounds.open(await self.row(leg))
        return await opened.read(0, opened.size)

    def retention(self, after: float) -> Retention:
        plan = demo()
        days = plan.lines["main"].recordings_keep_days or plan.city.recordings_keep_days
        return Retention(
            self.near, self.store, lambda: {"demo": plan}, lambda row: None, self.chosen,
            lambda: ENDED + days * DAY + after,
        )  # fmt: skip


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    history = History(sqlite_url(tmp_path / "history.sqlite"), seconds=10.0)
    await history.start()
    yield Desk(tmp_path, RecordingStore(history))
    await history.close()


async def test_a_local_copy_goes_when_its_days_are_over_and_the_sound_is_the_same_from_afar(
    desk: Desk,
) -> None:
    _, data = await desk.recorded()
    assert await desk.carrier.round() == 1
    assert (await desk.row()).kept is Kept.BOTH
    assert desk.local() == desk.on_shelf() == ["n1-1.1.wav.sealed"]
    assert await desk.carrier.round() == 0
    desk.clock = ENDED + LOCAL_DAYS * DAY + 1
    assert await desk.carrier.round() == 1
    assert ((await desk.row()).kept, desk.local()) == (Kept.SHELF, [])
    assert await desk.sound() == data
    # a row that is written again keeps what it knows of the shelf
    await desk.store.put(replace(await desk.row(), kept=Kept.DISK))
    assert (await desk.row()).kept is Kept.SHELF


async def test_on_a_disk_nearly_full_a_copy_goes_before_its_days_are_over_and_only_if_the_shelf_has_it(
    desk: Desk,
) -> None:
    _, data = await desk.recorded("n1-1.1")
    await desk.carrier.round()
    await desk.recorded("n1-2.2")
    assert await desk.carrier.spare() == 1
    assert desk.local() == ["n1-2.2.wav.sealed"]
    assert await desk.sound("n1-1.1") == data
    # gone from the shelf behind our back: the copy here is the only one
    await desk.carrier.round()
    await desk.folder.remove(name_of(await desk.row("n1-2.2")))
    assert await desk.carrier.spare() == 0
    assert desk.local() == ["n1-2.2.wav.sealed"]


async def test_a_copy_that_goes_while_somebody_listens_is_read_on_from_the_shelf(desk: Desk) -> None:
    _, data = await desk.recorded()
    opened = await desk.sounds.open(await desk.row())
    first = await opened.read(0, 1000)
    desk.clock = ENDED + LOCAL_DAYS * DAY + 1
    await desk.carrier.round()
    await desk.carrier.round()
    assert desk.local() == []
    # it was opened when the row still said "on disk"
    assert first + await opened.read(1000, len(data)) == data


async def test_a_lying_shelf_costs_the_local_copy_nothing_and_the_others_are_carried(desk: Desk) -> None:
    bad, data = await desk.recorded("n1-1.1")
    await desk.recorded("n1-2.2")
    liar = Liar(desk.folder, {name_of(bad)})
    desk.chosen.shelf = liar
    desk.clock = ENDED + LOCAL_DAYS * DAY + 1
    for _ in range(3):
        await desk.carrier.round()
    assert desk.local() == ["n1-1.1.wav.sealed"]
    assert desk.on_shelf() == ["n1-2.2.wav.sealed"]
    assert (await desk.row()).kept is Kept.CARRYING
    assert await desk.sound() == data
    assert desk.alarms == [("n1-1.1", "not-carried")]
    assert "1" in desk.carrier.trouble
    # it is tried again later, and all is well when the shelf is honest
    liar.spoilt.clear()
    desk.clock += 3600
    await desk.carrier.round()
    assert (desk.carrier.trouble, (await desk.row()).kept) == ("", Kept.BOTH)


async def test_a_shelf_that_is_away_is_told_once_and_takes_everything_when_it_is_back(desk: Desk) -> None:
    for leg in ("n1-1.1", "n1-2.2", "n1-3.3"):
        await desk.recorded(leg)
    fickle = Fickle(desk.folder)
    desk.chosen.shelf, fickle.away = fickle, True
    for _ in range(3):
        with pytest.raises(NotNow):
            await desk.carrier.round()
    assert len(desk.alarms) == 1
    assert (desk.carrier.waiting, desk.carrier.trouble) == (3, "the shelf is away")
    assert len(desk.local()) == 3
    fickle.away = False
    assert await desk.carrier.round() == 3
    assert (desk.carrier.waiting, desk.carrier.trouble) == (0, "")


async def test_a_shelf_that_is_away_is_noticed_with_nothing_to_carry(desk: Desk) -> None:
    fickle = Fickle(desk.folder)
    desk.chosen.shelf = fickle
    await desk.carrier.round()
    fickle.away = True
    desk.clock += 60
    with pytest.raises(NotNow):
        await desk.carrier.round()
    assert desk.carrier.trouble == "the shelf is away"
    assert desk.alarms == []


async def test_a_local_copy_stays_when_the_shelf_has_lost_its_own_and_is_carried_again(desk: Desk) -> None:
    row, data = await desk.recorded()
    await desk.carrier.round()
    (desk.far / name_of(row)).write_bytes(b"cut")
    desk.clock = ENDED + LOCAL_DAYS * DAY + 1
    await desk.carrier.round()
    assert desk.local() == ["n1-1.1.wav.sealed"]
    assert desk.alarms == [("n1-1.1", "not-carried")]
    desk.clock += 3600
    while await desk.carrier.round():
        pass
    assert (await desk.row()).kept is Kept.SHELF
    assert await desk.sound() == data


async def test_a_file_that_somebody_reads_stays_and_one_that_is_wanted_again_comes_back(desk: Desk) -> None:
    row, data = await desk.recorded()
    desk.busy.add(row.leg)
    desk.clock = ENDED + LOCAL_DAYS * DAY + 1
    await desk.carrier.round()
    assert desk.local() == ["n1-1.1.wav.sealed"]
    assert await desk.carrier.round() == 0
    desk.busy.clear()
    await desk.carrier.round()
    assert desk.local() == []
    # for the recogniser, which reads a file
    await desk.carrier.back(await desk.row())
    [path] = desk.near.rglob("*.sealed")
    file = vault.Sealed(desk.ring, path)
    assert file.read(0, file.size) == data
    await desk.carrier.round()
    assert desk.local() == []


async def test_what_was_kept_long_enough_goes_from_the_shelf_too_unless_its_call_is_held(desk: Desk) -> None:
    await desk.recorded("n1-1.1")
    held, data = await desk.recorded("n1-9.9")
    await desk.store.hold(Hold(held.call, "8001", "court", ENDED))
    desk.clock = ENDED + LOCAL_DAYS * DAY + 1
    while await desk.carrier.round():
        pass
    assert await desk.retention(-5).sweep() == 0
    assert await desk.retention(5).sweep() == 1
    assert desk.on_shelf() == ["n1-9.9.wav.sealed"]
    assert await desk.sound("n1-9.9") == data
    await desk.store.release(held.call)
    assert await desk.retention(5).sweep() == 1
    assert desk.on_shelf() == []


async def test_with_the_shelf_away_nothing_is_called_deleted_that_is_still_there(desk: Desk) -> None:
    await desk.recorded("n1-1.1")
    await desk.carrier.round()
    await desk.recorded("n1-2.2")
    fickle = Fickle(desk.folder)
    desk.chosen.shelf, fickle.away = fickle, True
    # the one that never left this disk goes all the same
    assert await desk.retention(5).sweep() == 1
    assert ((await desk.row("n1-1.1")).state, (await desk.row("n1-2.2")).state) == (
        State.FILED,
        State.EXPIRED,
    )
    fickle.away = False
    assert await desk.retention(5).sweep() == 1
    assert (desk.on_shelf(), desk.local()) == ([], [])


async def test_a_recording_deleted_while_it_is_carried_leaves_nothing_on_the_shelf(desk: Desk) -> None:
    row, _ = await desk.recorded()
    put, go = asyncio.Event(), asyncio.Event()

    class Slow(Liar):
        async def put(self, name: str, file: Path) -> None:
            await super().put(name, file)
            put.set()
            await go.wait()

    desk.chosen.shelf = Slow(desk.folder, set())
    carrying = asyncio.create_task(desk.carrier.carry(row))
    await put.wait()
    assert await desk.retention(5).sweep() == 1
    go.set()
    await carrying
    assert (desk.on_shelf(), desk.local(), desk.alarms) == ([], [], [])


async def test_a_recording_that_is_nowhere_is_said_to_be_nowhere(desk: Desk) -> None:
    row, _ = await desk.recorded()
    (desk.near / name_of(row)).unlink()
    with pytest.raises(NotNow, match="recordings check"):
        await desk.sound()
    await desk.store.keep(row.leg, Kept.SHELF)
    with pytest.raises(NotNow, match="recordings check"):
        await desk.sound()
    await desk.store.keep(row.leg, Kept.DISK)
    assert await desk.carrier.round() == 0
    assert desk.alarms == [(row.leg, "not-carried")]
