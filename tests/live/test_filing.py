"""Who files and who seals recordings, over files and rows in SQLite: what a death or a bad file leaves
behind."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import threading
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from cti import leg_file, vault
from cti.errors import NotNow
from cti.filing import Filer
from cti.ring import Ring
from cti.sealing import Sealer
from cti.store.history import History, sqlite_url
from cti.store.recordings import RecordingStore
from cti.switchboard import Switchboard, replay
from recording.check import HEADER
from recording.filed import Filed
from recording.table import Recording, State

CALLER, SEAT, LOST = LegId("n1-1.1"), LegId("n1-2.2"), LegId("n1-3.3")
CALL = CallId("demo-n1-1.1")
SECONDS = 2.0


class Watched(RecordingStore):
    """A database that is away when it is told so, and tells each change."""

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self.away = False
        self.stops = ""
        """Where the process stops for ever: before or after a row is marked."""
        self.stopped = asyncio.Event()
        self._changed = asyncio.Event()

    async def put(self, *rows: Filed) -> None:
        self._there()
        await super().put(*rows)
        self._changed.set()

    async def legs(self) -> dict[str, str]:
        self._there()
        return await super().legs()

    async def mark(self, *legs: str, **changes: Any) -> None:
        self._there()
        if self.stops == "before":
            await self._stop()
        await super().mark(*legs, **changes)
        if self.stops == "after":
            await self._stop()
        self._changed.set()

    async def until(self, enough: Callable[[dict[LegId, Filed]], bool]) -> dict[LegId, Filed]:
        """The rows of the call, as soon as they are so."""
        async with asyncio.timeout(10):
            while True:
                self._changed.clear()
                rows = {row.leg: row for row in await self.of_call(CALL)}
                if enough(rows):
                    return rows
                await self._changed.wait()

    async def _stop(self) -> None:
        self.stopped.set()
        await asyncio.Event().wait()

    def _there(self) -> None:
        if self.away:
            raise NotNow("away")


class Office:
    """Filers, one life after the other, with a folder, a journal and a database that outlive them."""

    def __init__(self, folder: Path, history: History) -> None:
        self.folder = folder / "recordings"
        self.store = Watched(history)
        self.ring = Ring(folder / "ring.json")
        self.journal: list[Fact] = []
        self.over = asyncio.Event()
        self.filer = self.life()

    def life(self, *, seal_after: float | None = None) -> Filer:
        """A service that starts: it knows what the journal says."""
        board = Switchboard(replay(self.journal))
        board.listen(lambda heard: self.journal.append(heard.fact))
        self.hear = board.hear

        def tell(fact: Fact) -> None:
            board.hear(fact)
            if not board.board.recordings.going:
                self.over.set()

        self.filer = Filer(
            self.folder, self.store, lambda: self.ring, lambda: board.board, tell, node="n1",
        )  # fmt: skip
        self.sealer = Sealer(
            self.folder, self.store, lambda: self.ring, self.filer.alarm, self.filer.removed, after=seal_after
        )
        board.listen(self.filer.hear)
        return self.filer

    def told(self, kind: type[Fact], at: float, /, **more: Any) -> None:
        self.hear(kind(at=at, node="n1", **more))

    def recorded(self, leg: LegId) -> Path:
        """What Asterisk leaves of a leg."""
        return wav(self.folder / file_of(leg))

    def talked(self, *legs: LegId) -> None:
        """A call that is over: the caller, and a seat for each other leg."""
        now = time.time() - 5.0
        began = now - SECONDS
        for leg in legs:
            endpoint = "demo-carrier" if leg == CALLER else "demo-1001"
            self.told(
                f.LegStarted, began, leg=leg, channel=f"PJSIP/{endpoint}-{leg}", endpoint=endpoint,
                call=None if leg == CALLER else CALL, caller="", called="", context="", linked=CALLER,
            )  # fmt: skip
            if leg == CALLER:
                self.told(
                    f.CallArrived, began, call=CALL, leg=CALLER, city="demo", trunk="t", line="main",
                    called="12345", original="12345", caller="139", sip_call="",
                )  # fmt: skip
            self.told(f.RecordingStarted, began, call=CALL, leg=leg, file=file_of(leg))
        for leg in reversed(legs):
            self.told(f.LegEnded, now, leg=leg, cause=16)

    @asynccontextmanager
    async def runs(self) -> AsyncIterator[None]:
        running = [asyncio.create_task(part.run()) for part in (self.filer, self.sealer)]
        try:
            yield
        finally:
            for one in running:
                one.cancel()
            for one in running:
                with contextlib.suppress(asyncio.CancelledError):
                    await one

    async def looked(self) -> None:
        """Until each leg's file was looked at."""
        async with asyncio.timeout(10):
            await self.over.wait()

    def said(self, kind: type[Fact]) -> int:
        return sum(isinstance(fact, kind) for fact in self.journal)


def file_of(leg: LegId) -> str:
    return f"20260101/{CALL}/{leg}.wav"


def wav(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"\1\2" * int(8000 * SECONDS))
    return path


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    for module in ("filing", "sealing"):
        monkeypatch.setattr(f"cti.{module}.LOOK", 0.05)
    monkeypatch.setattr("cti.filing.PATIENCE", 0.05)
    history = History(sqlite_url(tmp_path / "history.sqlite"), seconds=10.0)
    await history.start()
    yield Office(tmp_path, history)
    await history.close()


# --- rows ---------------------------------------------------------------------------------------


async def test_rows_a_killed_service_had_not_saved_are_made_by_the_next(office: Office) -> None:
    for leg in (CALLER, SEAT):
        office.recorded(leg)
    office.store.away = True
    async with office.runs():
        office.talked(CALLER, SEAT, LOST)
        await office.looked()
    assert await office.store.of_call(CALL) == []
    filer = office.life()
    async with office.runs():
        office.store.away = False
        rows = await office.store.until(lambda rows: len(rows) == 3)
    assert {leg: (row.state, row.why, row.seat) for leg, row in rows.items()} == {
        CALLER: (State.FILED, "", ""),
        SEAT: (State.FILED, "", "1001"),
        LOST: (State.MISSING, "no-file", "1001"),
    }
    assert (rows[SEAT].line, rows[SEAT].seconds, rows[SEAT].short) == ("main", SECONDS, 0.0)
    assert [(alarm.leg, alarm.why) for alarm in filer.alarms] == [(LOST, "no-file")]
    assert (office.said(f.RecordingFiled), office.said(f.RecordingMissing)) == (2, 1), "told once each"
    # and a third service finds nothing left to do
    filer = office.life()
    await filer._recall()
    assert filer.waiting == 0


async def test_a_leg_that_came_and_went_unheard_is_placed_by_asterisks_last_write(office: Office) -> None:
    path = office.recorded(CALLER)
    os.utime(path, (1000.0, 1000.0))
    unheard = Recording(CALLER, CALL, State.ROLLING, since=1010.0, ended=1010.0, sure=False)
    row = await office.filer.look_at(unheard)
    assert (row.began, row.ended, row.seconds) == (1000.0 - SECONDS, 1000.0, SECONDS)
    # its beginning was heard: it stands, and the end is the file's
    row = await office.filer.look_at(replace(unheard, began=997.5, file=file_of(CALLER)))
    assert (row.began, row.ended) == (997.5, 1000.0)
    # written again since, by whoever mended or masked it
    os.utime(path, (2000.0, 2000.0))
    assert (await office.filer.look_at(unheard)).ended == 1010.0


async def test_a_leg_gone_unheard_before_its_first_sound_lost_nothing(office: Office) -> None:
    soon, late = LegId("n1-1000.1"), LegId("n1-990.1")
    for leg, state, why in ((soon, State.FILED, ""), (late, State.MISSING, "empty")):
        path = office.recorded(leg)
        path.write_bytes(path.read_bytes()[:HEADER])
        os.utime(path, (1000.9, 1000.9))
        unheard = Recording(leg, CALL, State.ROLLING, since=1010.0, ended=1010.0, sure=False)
        row = await office.filer.look_at(unheard)
        assert (row.state, row.why) == (state, why)
        # one of which even the journal knows nothing is found on the disk
        orphan = replace(unheard, began=1000.9, ended=1000.9, file=str(path.relative_to(office.folder)))
        row = await office.filer.look_at(orphan)
        assert (row.state, row.why) == (state, why)


@pytest.mark.parametrize(
    ("lasted", "why"), [(0.0, ""), (0.9, ""), (9.0, "empty"), (-2.0, "empty"), (None, "empty")]
)
async def test_a_phone_that_rang_long_and_was_gone_before_its_first_sound_lost_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch, lasted: float | None, why: str
) -> None:
    """Its id is a minute old; its file was made when it answered. A copy that is younger than its last word,
    and a file system that does not say, prove nothing."""
    leg = LegId("n1-940.1")
    path = office.recorded(leg)
    path.write_bytes(path.read_bytes()[:HEADER])
    os.utime(path, (1000.5, 1000.5))
    monkeypatch.setattr("cti.leg_file._born", lambda path: None if lasted is None else 1000.5 - lasted)
    unheard = Recording(leg, CALL, State.ROLLING, since=1010.0, ended=1010.0, sure=False)
    row = await office.filer.look_at(unheard)
    assert (row.state, row.why) == (State.MISSING if why else State.FILED, why)


def test_a_file_says_when_it_was_made_or_that_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    born = leg_file._born(tmp_path / "a file")
    assert born is None or abs(born - time.time()) < 60
    assert leg_file._born(tmp_path / "none") is None


async def test_a_service_told_to_end_saves_its_rows_before_it_goes(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti.filing.SAVE", 60.0)
    office.recorded(CALLER)
    async with office.runs():
        office.talked(CALLER)
        await office.looked()
        assert await office.store.of_call(CALL) == []
    assert [row.leg for row in await office.store.of_call(CALL)] == [CALLER]


@pytest.mark.parametrize("stops", ["before", "after"])
async def test_a_service_killed_while_it_seals_leaves_no_plain_file(office: Office, stops: str) -> None:
    path = office.recorded(CALLER)
    plain = path.read_bytes()
    office.store.stops = stops
    office.life(seal_after=0.0)
    async with office.runs():
        office.talked(CALLER)
        async with asyncio.timeout(10):
            await office.store.stopped.wait()
    office.store.stops = ""
    office.life(seal_after=0.0)
    async with office.runs():
        await office.store.until(lambda rows: rows[CALLER].sealed)
    [left] = path.parent.iterdir()
    file = vault.Sealed(office.ring, left)
    assert file.read(0, file.size) == plain


async def test_a_service_told_to_end_while_it_seals_ends_though_the_database_is_away(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = row_of(1), row_of(2)
    for row in (first, second):
        wav(office.folder / row.file)
        await office.store.put(row)
    seal, sealing, gone = vault.seal, asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(ring: Ring, source: Path, *more: Any) -> str:
        if first.leg in source.name or gone.is_set():
            return seal(ring, source, *more)
        office.store.away = True
        loop.call_soon_threadsafe(sealing.set)
        gone.wait(20)
        raise OSError(errno.EIO, "the process is gone")

    monkeypatch.setattr(vault, "seal", slow)
    office.life(seal_after=0.0)
    running = asyncio.create_task(office.sealer.run())
    await asyncio.wait_for(sealing.wait(), 10)
    running.cancel()
    ended, _ = await asyncio.wait({running}, timeout=5)
    running.cancel()
    gone.set()
    assert ended
    # the first was sealed and could not be marked: the next service does that
    office.store.away = False
    office.life(seal_after=0.0)
    async with office.runs():
        await office.store.until(lambda rows: all(row.sealed for row in rows.values()))


async def test_a_plain_file_beside_its_sealed_one_goes_only_if_both_say_the_same(office: Office) -> None:
    same, other, waits = (row_of(n) for n in range(3))
    for row in (same, other, waits):
        path = wav(office.folder / row.file)
        vault.seal(office.ring, path, path.with_name(path.name + vault.SUFFIX), {})
        await office.store.put(replace(row, sealed=row is not waits))
    with (office.folder / other.file).open("ab") as file:
        file.write(b"more")
    await office.sealer.tidy()
    left = [row for row in (same, other, waits) if (office.folder / row.file).exists()]
    assert left == [other, waits]


async def test_with_a_database_put_back_to_an_older_day_nothing_that_is_sealed_is_called_missing(
    office: Office,
) -> None:
    path = office.recorded(CALLER)
    office.store.away = True
    async with office.runs():
        office.talked(CALLER)
        await office.looked()
        [row] = office.filer._rows.values()
    meta = {n: getattr(row, n) for n in ("leg", "call", "city", "line", "seat", "role", "began", "ended")}
    meta |= {"seconds": row.seconds, "sha256": row.sha256, "pauses": []}
    vault.seal(office.ring, path, path.with_name(path.name + vault.SUFFIX), meta)
    path.unlink()
    office.store.away = False
    filer = office.life()
    async with office.runs():
        office.told(f.LinkUp, time.time(), version="", boot="b")
        rows = await office.store.until(bool)
    assert (rows[CALLER].state, rows[CALLER].sealed, rows[CALLER].sha256) == (State.FILED, True, row.sha256)
    assert filer.alarms == []


# --- one bad file -------------------------------------------------------------------------------


def row_of(n: int) -> Filed:
    """A row of the call, the n-th to end."""
    leg = LegId(f"n1-{n}.9")
    return Filed(leg, CALL, "demo", began=1000.0, ended=1000.0 + n, seconds=SECONDS, file=file_of(leg))


async def test_recordings_that_cannot_be_read_are_told_once_and_later_ones_are_sealed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti.filing.ALARMS", 100)
    *bad, good = [row_of(n) for n in range(52)]
    for row in bad:
        (office.folder / row.file).mkdir(parents=True)
    wav(office.folder / good.file)
    for row in (*bad, good):
        await office.store.put(row)
    filer = office.life(seal_after=0.0)
    async with office.runs():
        await office.store.until(lambda rows: rows[good.leg].sealed)
    await office.sealer.seal_due(2000.0)
    assert [a.leg for a in filer.alarms if a.why == "not-sealed"] == [row.leg for row in bad]


async def test_on_a_full_disk_the_recordings_take_turns_and_one_that_finds_room_is_sealed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    big, small = row_of(1), row_of(2)
    for row in (big, small):
        wav(office.folder / row.file)
        await office.store.put(row)
    seal, tries = vault.seal, list[str]()

    def full(ring: Ring, source: Path, *more: Any) -> str:
        tries.append(source.name)
        if big.leg in source.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return seal(ring, source, *more)

    monkeypatch.setattr(vault, "seal", full)
    filer = office.life(seal_after=0.0)
    async with office.runs():
        await office.store.until(lambda rows: rows[small.leg].sealed)
    assert tries == [f"{big.leg}.wav", f"{small.leg}.wav"]
    assert [alarm for alarm in filer.alarms if alarm.why == "not-sealed"] == []


async def test_files_of_nobody_that_do_not_open_are_told_and_a_later_one_is_filed(office: Office) -> None:
    path = office.recorded(CALLER)
    garbage, head, folder, strange = (path.with_name(f"n1-0.{n}.wav{vault.SUFFIX}") for n in range(4))
    garbage.write_bytes(b"x" * 9000)
    head.write_bytes(vault.MAGIC + b"\x1d\0\0\0" + b'{"wrapped": {}, "fixed": {} }')
    folder.with_suffix("").mkdir()
    vault.seal(Ring(office.folder.parent / "other.json"), path, strange, {"leg": "n1-0.3"})
    filer = office.life()
    office.told(f.LinkUp, time.time(), version="", boot="b")
    async with office.runs():
        rows = await office.store.until(bool)
    assert [row.leg for row in rows.values()] == [CALLER]
    assert [(a.leg, a.why) for a in filer.alarms] == [(f"n1-0.{n}", "not-filed") for n in range(3)]
