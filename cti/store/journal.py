"""The journal: every fact on disk before it is anywhere else.

Records are appended by ``append`` (never waits, never raises) and written by one thread; another makes them
durable: at most ``sync_seconds`` or ``sync_records`` are behind on the last fsync begun. A kill -9 loses at
most what the first had not yet handed to the kernel, also while a disk takes seconds for an fsync. A disk
that is full or broken costs records, which are counted and shown, and never a call; writing goes on as soon
as it can.

Each segment begins with what was open at that moment, so the last segments are enough to start from.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from cti.store.reading import SUFFIX, Reader, segments
from cti.store.records import Damage, Position, line, read

log = structlog.get_logger(__name__)

__all__ = ["Journal", "Limits", "Reader", "segments"]


@dataclass(frozen=True, slots=True)
class Limits:
    """``keep_bytes`` is a wish: what the database has not read yet is kept up to twice as much."""

    segment_bytes: int = 16 * 1024 * 1024
    sync_seconds: float = 0.05
    sync_records: int = 64
    gather_seconds: float = 0.005
    """The writer waits so long for company: a thread that wakes for each record takes the interpreter from
    the loop each time."""
    keep_bytes: int = 20 * 1024**3
    keep_seconds: float = 400 * 86400.0
    waiting_records: int = 200_000
    """As many may wait in memory for a disk that stands still."""
    retry_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class _Turn:
    """A new segment begins here, with ``head``."""

    head: bytes


class Journal:
    """One writer per folder. Open it, append, close it. Reading is ``Reader``'s."""

    def __init__(
        self,
        folder: Path,
        limits: Limits | None = None,
        *,
        checkpoint: Callable[[], list[dict[str, Any]]] = list,
        write: Callable[[int, bytes], int] = os.write,
    ) -> None:
        """``checkpoint`` gives the records a new segment begins with; asked by ``append``."""
        self.folder = folder
        self.limits = limits or Limits()
        self.unwritten = 0
        """Records lost to a full or broken disk since the start."""
        self.damaged = 0
        """Damaged places found on opening."""
        self.alarm = ""
        """Why the journal does not write now; empty while it does."""
        self.deleted = False
        """Its file was deleted while it ran: what stood there and history had not read is gone."""
        self.written = 0
        self.drained = Position()
        """How far the database has read: older segments may go."""
        self._checkpoint = checkpoint
        self._write = write
        self._waiting: deque[bytes | _Turn] = deque()
        self._filled = self.limits.segment_bytes
        """Bytes of the segment in which the next record will stand; full until there is one."""
        self._wake = threading.Condition()
        self._closing = False
        self._dirty = 0
        self._fd = -1
        self._end = Position()
        self._appended = 0
        self._durable = 0
        self._wished = threading.Condition()
        self._wish: tuple[int, int] | None = None
        """What is to be made durable next: a descriptor of its own, and how many records that makes."""
        self._ended = False
        self.ident = _open_folder(folder)
        self._open_last()
        self._syncer = threading.Thread(target=self._sync_wishes, name="journal-sync", daemon=True)
        self._syncer.start()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    # --- for everybody ------------------------------------------------------------------------------

    def append(self, told: dict[str, Any]) -> bool:
        """Write this record soon. Never waits; when the disk stands still too long it counts a loss: False,
        this record is never written."""
        if len(self._waiting) >= self.limits.waiting_records:
            self.unwritten += 1
            return False
        data = line(told)
        self._appended += 1
        if self._filled + len(data) > self.limits.segment_bytes:
            # decided here, so that the new segment begins with what is open at this very record
            head = b"".join(line(open_now) for open_now in self._checkpoint())
            self._waiting.append(_Turn(head))
            self._filled = len(head)
        self._filled += len(data)
        self._waiting.append(data)
        if len(self._waiting) <= 2:
            with self._wake:
                self._wake.notify()
        return True

    @property
    def end(self) -> Position:
        """After the last record that is in the file."""
        return self._end

    @property
    def waiting(self) -> int:
        """Records that are not in the file yet, also those that the writer has in hand."""
        return self._appended - self.written

    @property
    def appended(self) -> int:
        """Records given to it since it was opened."""
        return self._appended

    @property
    def durable(self) -> int:
        """As many of them are on disk for good."""
        return self._durable

    def flush(self, seconds: float = 5.0) -> bool:
        """Wait until all that was appended is on disk for good; False when it is not by then."""
        target = self._appended
        with self._wake:
            self._wake.notify_all()
            return self._wake.wait_for(lambda: self._durable >= target, seconds)

    def close(self) -> None:
        """Write what waits, make it durable, end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        self._thread.join(timeout=10.0)

    # --- the writer's thread -------------------------------------------------------------------------

    def _work(self) -> None:
        due = 0.0
        while True:
            with self._wake:
                if not self._closing and (self.alarm or not self._waiting):
                    self._wake.wait(self._idle_seconds(due))
                closing = self._closing
            if not closing and not self.alarm and 0 < len(self._waiting) < self.limits.sync_records:
                time.sleep(self.limits.gather_seconds)
            clean = not self._dirty
            self._write_waiting()
            if self._dirty and clean:
                due = time.monotonic() + self.limits.sync_seconds
            if self._dirty and (
                closing or self._dirty >= self.limits.sync_records or time.monotonic() >= due
            ):
                self._wish_sync()
            if closing and (not self._waiting or self.alarm):
                self.unwritten += sum(isinstance(x, bytes) for x in self._waiting)
                if self._fd >= 0:
                    os.close(self._fd)
                with self._wished:
                    self._ended = True
                    self._wished.notify()
                self._syncer.join()
                return

    def _idle_seconds(self, due: float) -> float | None:
        if self._dirty:
            return max(0.0, due - time.monotonic())
        return self.limits.retry_seconds if self.alarm else None

    def _write_waiting(self) -> None:
        """Write batches until nothing waits, the disk refuses, or an fsync is due."""
        while self._waiting and self._dirty < self.limits.sync_records:
            batch: list[bytes | _Turn] = [self._waiting.popleft()]
            size = 0
            if isinstance(batch[0], bytes):
                size = len(batch[0])
                while self._waiting and size < 256 * 1024 and len(batch) < self.limits.sync_records:
                    following = self._waiting[0]
                    if isinstance(following, _Turn):
                        break
                    batch.append(self._waiting.popleft())
                    size += len(following)
            if not self._put(batch, size):
                # kept in memory until there is room
                self._waiting.extendleft(reversed(batch))
                return

    def _put(self, batch: list[bytes | _Turn], size: int) -> bool:
        first = batch[0]
        data = b"".join(x for x in batch if isinstance(x, bytes))
        try:
            self._find_again()
            if isinstance(first, _Turn):
                self._next_segment(first.head)
            elif self._fd < 0:
                self._next_segment(b"")
            _all(self._write, self._fd, data)
        except OSError as why:
            self._cut()
            if not self.alarm:
                log.error("journal cannot write", folder=str(self.folder), why=str(why))
            self.alarm = str(why)
            return False
        if self.alarm:
            log.warning("journal writes again", unwritten=self.unwritten)
            self.alarm = ""
        self._end = Position(self._end.segment, self._end.offset + size)
        if data:
            self._dirty += len(batch)
            self.written += len(batch)
        return True

    def _find_again(self) -> None:
        """What is written to a deleted file, nobody ever reads: the next segment takes it. Raises OSError."""
        if self._fd < 0 or os.fstat(self._fd).st_nlink:
            return
        log.error("the journal was deleted while it ran, it begins anew", folder=str(self.folder))
        self.deleted = True
        _open_folder(self.folder, self.ident)
        os.close(self._fd)
        self._fd = -1

    def _cut(self) -> None:
        """Half a record may stand at the end: the next one must not follow it on the same line."""
        if self._fd < 0:
            return
        try:
            os.ftruncate(self._fd, self._end.offset)
        except OSError:
            os.close(self._fd)
            self._fd = -1

    def _wish_sync(self) -> None:
        self._dirty = 0
        try:
            # of its own: the segment may be closed before it is its turn
            wish = (os.dup(self._fd), self.written)
        except OSError as why:
            self._not_durable(why)
            return
        with self._wished:
            former, self._wish = self._wish, wish
            self._wished.notify()
        if former is not None:
            # same file, fewer records: a turn of the segment syncs what came before it
            os.close(former[0])

    def _sync_wishes(self) -> None:
        while True:
            with self._wished:
                while self._wish is None and not self._ended:
                    self._wished.wait()
                wish, self._wish = self._wish, None
            if wish is None:
                return
            self._sync(*wish)
            os.close(wish[0])

    def _sync(self, fd: int, records: int) -> None:
        try:
            os.fdatasync(fd)
        except OSError as why:
            self._not_durable(why)
        else:
            self._durable = max(self._durable, records)
        with self._wake:
            self._wake.notify_all()

    def _not_durable(self, why: OSError) -> None:
        # what the kernel could not write is gone from its cache too: only an alarm is honest
        self.alarm = f"fsync: {why}"
        log.error("journal is not durable", why=str(why))

    def _next_segment(self, head: bytes) -> None:
        number = self._end.segment + 1 if self._fd >= 0 or self._end.offset else max(1, self._end.segment)
        number, path, fd = self._fresh(number)
        try:
            _all(self._write, fd, head)
        except OSError:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        if self._fd >= 0:
            self._sync(self._fd, self.written)
            self._dirty = 0
            os.close(self._fd)
        self._fd = fd
        self._end = Position(number, len(head))
        _sync_folder(self.folder)
        self._retire()

    def _fresh(self, number: int) -> tuple[int, Path, int]:
        """A segment that nobody has written, numbered so or higher: number, file, its descriptor."""
        while True:
            path = self.folder / f"{number:08d}{SUFFIX}"
            try:
                return number, path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o600)
            except FileExistsError:
                log.error("a journal segment is there already, the next number is taken", segment=path.name)
                number += 1

    def _retire(self) -> None:
        """Old segments go once the database has read them; unread ones only when the disk is at stake."""
        stats = [(n, path, path.stat()) for n, path in segments(self.folder)]
        total = sum(s.st_size for _, _, s in stats)
        oldest = time.time() - self.limits.keep_seconds
        for number, path, stat in stats[:-2]:
            unread = number >= self.drained.segment
            if unread and total <= 2 * self.limits.keep_bytes:
                return
            if total <= self.limits.keep_bytes and stat.st_mtime >= oldest:
                return
            if unread:
                log.error("journal drops a segment the database never read", segment=path.name)
            path.unlink(missing_ok=True)
            total -= stat.st_size

    def _open_last(self) -> None:
        known = segments(self.folder)
        if not known:
            return
        number, path = known[-1]
        data = path.read_bytes()
        end = len(data)
        for found in read(data, number):
            if isinstance(found, Damage):
                self.damaged += 1
                log.warning("journal is damaged", segment=path.name, at=found.at.offset, torn=found.torn)
                if found.torn:
                    end = found.at.offset
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        if end < len(data):
            os.ftruncate(self._fd, end)
            os.fsync(self._fd)
        self._end = Position(number, end)
        self._filled = end


def _open_folder(folder: Path, known: str = "") -> str:
    """The journal's own name, by which a database tells it from another one; ``known`` where none is told."""
    folder.mkdir(parents=True, exist_ok=True)
    name = folder / "ident"
    if not name.exists():
        name.write_text((known or uuid.uuid4().hex) + "\n")
    return name.read_text().strip()


def _all(write: Callable[[int, bytes], int], fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[write(fd, bytes(view)) :]


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
