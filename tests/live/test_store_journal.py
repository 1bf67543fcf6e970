"""The journal on a real disk: deaths, damage, a full disk, rotation."""

from __future__ import annotations

import errno
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from cti.store.journal import Journal, Limits, Reader, segments
from cti.store.records import Position

SMALL = Limits(segment_bytes=2000, retry_seconds=0.01)


def told(folder: Path) -> list[int]:
    return [r.told["n"] for r in Reader(folder).after(Position(), most=100_000) if "n" in r.told]


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for n in range(1000):
        journal.append({"n": n})
    assert journal.flush()
    assert told(tmp_path) == list(range(1000))
    journal.close()


def test_a_record_waits_until_it_is_in_the_file_also_while_it_is_being_written(tmp_path: Path) -> None:
    """Who waits for all of it to be in history would else read history before the last record is there."""
    begun, goes_on = threading.Event(), threading.Event()

    def write(descriptor: int, data: bytes) -> int:
        begun.set()
        goes_on.wait(30)
        return os.write(descriptor, data)

    journal = Journal(tmp_path, write=write)
    journal.append({"n": 0})
    assert begun.wait(30)
    assert journal.waiting == 1
    goes_on.set()
    assert journal.flush()
    assert journal.waiting == 0
    assert told(tmp_path) == [0]
    journal.close()


def test_a_journal_opened_again_goes_on_and_keeps_its_name(tmp_path: Path) -> None:
    for n in range(3):
        journal = Journal(tmp_path)
        journal.append({"n": n})
        journal.close()
    assert told(tmp_path) == [0, 1, 2]
    assert Journal(tmp_path).ident == journal.ident


def test_a_torn_tail_is_cut_and_what_follows_is_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({"n": 0})
    journal.append({"n": 1})
    journal.close()
    (_, path), *_ = segments(tmp_path)
    os.truncate(path, path.stat().st_size - 3)
    journal = Journal(tmp_path)
    journal.append({"n": 2})
    journal.close()
    assert journal.damaged == 1
    assert told(tmp_path) == [0, 2]


def test_a_corrupted_record_in_the_middle_is_skipped_and_counted(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for n in range(3):
        journal.append({"n": n})
    journal.close()
    (_, path), *_ = segments(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":7'))
    journal = Journal(tmp_path)
    assert journal.damaged == 1
    assert told(tmp_path) == [0, 2]
    journal.close()


WRITER = """
import sys
import threading
import time
from pathlib import Path
from cti.store.journal import Journal
journal = Journal(Path(sys.argv[1]))
n = 0
while True:
    journal.append({"n": n, "pad": "x" * (n % 700)})
    n += 1
    if n % 50 == 0:
        journal.flush()
        print(n, flush=True)
"""


@pytest.mark.parametrize("rounds", [7])
def test_a_writer_killed_at_any_moment_leaves_every_durable_record_and_no_half_one(
    tmp_path: Path, rounds: int
) -> None:
    durable = 0
    for round_ in range(rounds):
        folder = tmp_path / str(round_)
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(round_ + 1):
            durable = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        journal = Journal(folder)
        journal.append({"n": -1})
        journal.close()
        *kept, last = told(folder)
        assert kept == list(range(len(kept)))
        assert len(kept) >= durable
        assert last == -1


def test_a_full_disk_costs_no_record_while_memory_lasts_and_is_an_alarm(tmp_path: Path) -> None:
    full = True
    refused: list[int] = []

    def write(fd: int, data: bytes) -> int:
        if full:
            refused.append(len(data))
            os.write(fd, data[:5])  # a full disk takes a part first
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(fd, data)

    journal = Journal(tmp_path, SMALL, write=write)
    for n in range(10):
        journal.append({"n": n})
    assert not journal.flush(seconds=0.2)
    end = time.monotonic() + 10
    while not journal.alarm and time.monotonic() < end:
        time.sleep(0.01)
    assert "No space left" in journal.alarm
    assert refused
    full = False
    assert journal.flush()
    assert journal.alarm == ""
    assert journal.unwritten == 0
    assert told(tmp_path) == list(range(10))
    journal.close()


def test_what_the_disk_did_not_keep_is_not_called_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    journal = Journal(tmp_path, SMALL)
    journal.append({"n": 0})
    assert journal.flush()
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", refuses)
        journal.append({"n": 1})
        assert not journal.flush(0.5)
        assert (journal.appended, journal.durable) == (2, 1)
        assert journal.alarm.startswith("fsync")
    journal.append({"n": 2})
    assert journal.flush()
    assert journal.alarm == ""
    journal.close()


def test_while_an_fsync_takes_its_time_what_comes_still_reaches_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on = threading.Event(), threading.Event()
    sync = os.fdatasync

    def slow(fd: int) -> None:
        begun.set()
        assert goes_on.wait(10)
        sync(fd)

    monkeypatch.setattr(os, "fdatasync", slow)
    journal = Journal(tmp_path, SMALL)
    journal.append({"n": 0})
    assert begun.wait(5)
    for n in range(1, 4):
        before = journal.end
        journal.append({"n": n})
        while journal.end == before:
            time.sleep(0.01)
    # what a kill -9 would leave now
    assert (told(tmp_path), journal.durable) == ([0, 1, 2, 3], 0)
    goes_on.set()
    assert journal.flush()
    assert journal.durable == 4
    journal.close()


def test_a_journal_deleted_while_it_runs_goes_on_in_a_new_file_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "journal"
    journal = Journal(folder, SMALL)
    journal.append({"n": 0})
    assert journal.flush()
    before = journal.deleted
    shutil.rmtree(tmp_path / "home")
    journal.append({"n": 1})
    assert journal.flush()
    assert (before, journal.deleted) == (False, True)
    assert told(folder) == [1]
    # a database that had read the lost ones goes on behind them
    assert (folder / "ident").read_text().strip() == journal.ident
    assert [r.told for r in Reader(folder).after(Position(1, 1000))] == [{"n": 1}]
    journal.close()


class Growing(io.FileIO):
    """A segment to which the rest of a record comes while it is read: a write shows page by page."""

    rest = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(-1 if size is None else size)
        if self.rest:
            with Path(str(self.name)).open("ab") as file:
                file.write(self.rest)
            self.rest = b""
        return line


def test_a_record_that_is_read_while_it_is_written_is_read_whole_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    for n in range(3):
        journal.append({"n": n})
    journal.close()
    (_, path), *_ = segments(tmp_path)
    data = path.read_bytes()
    seam = data.index(b'"n":1')
    path.write_bytes(data[:seam])

    def opens(self: Path, mode: str) -> Growing:
        file = Growing(str(self), mode)
        file.rest = data[seam:]
        return file

    with monkeypatch.context() as growing:
        growing.setattr("cti.store.reading.Path.open", opens)
        first = Reader(tmp_path).after(Position())
    assert [r.told["n"] for r in first] == [0]
    assert [r.told["n"] for r in Reader(tmp_path).after(first[-1].after)] == [1, 2]


def test_a_disk_that_stands_still_too_long_costs_records_which_are_counted(tmp_path: Path) -> None:
    def write(fd: int, data: bytes) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal = Journal(tmp_path, Limits(waiting_records=5, retry_seconds=0.01), write=write)
    taken = [journal.append({"n": n}) for n in range(12)]
    assert not journal.flush(seconds=0.1)
    assert journal.unwritten == taken.count(False) >= 7 - 5
    journal.close()
    assert journal.unwritten == 12


def test_a_new_segment_begins_with_what_was_open(tmp_path: Path) -> None:
    def open_calls() -> list[dict[str, Any]]:
        return [{"open": True}]

    journal = Journal(tmp_path, SMALL, checkpoint=open_calls)
    for n in range(300):
        journal.append({"n": n})
    assert journal.flush()
    first = [next(iter(Reader(tmp_path)._records(path, n, 0))).told for n, path in segments(tmp_path)]
    assert len(first) > 2
    assert all(record == {"open": True} for record in first)
    assert told(tmp_path) == list(range(300))
    journal.close()


def test_two_writers_of_one_folder_never_overwrite_each_others_segments(tmp_path: Path) -> None:
    first, second = Journal(tmp_path, SMALL), Journal(tmp_path, SMALL)
    numbers = iter(range(300))
    # each begins new segments while the other one stands further on, or further back
    for journal in (first, second, first, second, second, first):
        for _ in range(50):
            journal.append({"n": next(numbers), "pad": "x" * 50})
        assert journal.flush()
    assert sorted(told(tmp_path)) == list(range(300))
    first.close()
    second.close()


def test_old_segments_go_only_after_the_database_has_read_them(tmp_path: Path) -> None:
    journal = Journal(tmp_path, Limits(segment_bytes=2000, keep_bytes=6000))
    journal.drained = Position(10_000, 0)
    for n in range(1000):
        journal.append({"n": n})
    assert journal.flush()
    assert sum(p.stat().st_size for _, p in segments(tmp_path)) <= 6000 + 2 * 2000
    journal.close()


def test_a_reader_in_another_place_goes_on_where_it_stopped(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SMALL)
    place, seen = Position(), []
    for n in range(200):
        journal.append({"n": n})
        if n % 17 == 0:
            assert journal.flush()
            for record in Reader(tmp_path).after(place, most=10):
                place = record.after
                seen.append(record.told["n"])
    assert journal.flush()
    while batch := Reader(tmp_path).after(place, most=10):
        place = batch[-1].after
        seen += [r.told["n"] for r in batch]
    assert seen == list(range(200))
    journal.close()


def test_one_calls_records_are_found_by_its_name(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SMALL)
    for n in range(100):
        journal.append({"n": n, "call": f"demo-n1-{n % 7}."})
    assert journal.flush()
    assert [r.told["n"] for r in Reader(tmp_path).mentioning("demo-n1-3.")] == list(range(3, 100, 7))
    journal.close()
