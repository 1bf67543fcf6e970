"""Asterisk's memory of which phone is where: in memory while it runs, at home when it has ended."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cti import registrations
from tests.fakes.power import Power


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(registrations, "MEMORY", folder)
    return folder


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "home/asterisk/db"


def remember(db: Path, *what: str) -> None:
    with closing(sqlite3.connect(db / registrations.FILE)) as database, database:
        database.execute("pragma synchronous = off")  # no power is cut here but by Power
        database.execute("create table if not exists astdb (key primary key, value)")
        database.executemany("insert into astdb values (?, '')", [(one,) for one in what])


def remembered(db: Path) -> list[str]:
    """What Asterisk would find when it starts."""
    if not (db / registrations.FILE).exists():
        return []
    with closing(sqlite3.connect(db / registrations.FILE)) as database:
        return [key for (key,) in database.execute("select key from astdb order by key")]


def lose(memory: Path) -> None:
    """The power is cut, or the container is killed."""
    shutil.rmtree(memory)
    memory.mkdir()


def test_the_database_lies_in_memory_and_outlives_asterisk(memory: Path, tmp_path: Path) -> None:
    db = tmp_path / "home/asterisk/db"
    registrations.lay_out(db)
    (db / registrations.FILE).write_text("phones")
    assert db.resolve().parent == memory
    registrations.lay_out(db)
    assert (db / registrations.FILE).read_text() == "phones"


def test_a_stop_in_order_brings_the_database_home_and_the_next_start_takes_it_along(
    memory: Path, db: Path
) -> None:
    registrations.lay_out(db)
    remember(db, "phones")
    registrations.put_away(db)
    assert not list(memory.iterdir())
    registrations.lay_out(db)
    assert remembered(db) == ["phones"]


def test_a_power_cut_does_not_bring_back_what_was_true_at_the_last_stop_in_order(
    memory: Path, db: Path
) -> None:
    registrations.lay_out(db)
    remember(db, "a call back that is kept tomorrow")
    registrations.put_away(db)
    registrations.lay_out(db)
    remember(db, "today")
    lose(memory)
    registrations.lay_out(db)
    assert remembered(db) == []
    assert db.is_dir()


def test_a_copy_that_an_older_version_left_goes_while_the_memory_is_there(memory: Path, db: Path) -> None:
    registrations.lay_out(db)
    remember(db, "today")
    shutil.copy(db / registrations.FILE, db.with_name(registrations.FILE))
    registrations.lay_out(db)
    assert remembered(db) == ["today"]
    lose(memory)
    registrations.lay_out(db)
    assert remembered(db) == []


def test_what_was_brought_home_outlives_a_power_cut(
    memory: Path, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = Power(monkeypatch)
    registrations.lay_out(db)
    remember(db, "phones")
    registrations.put_away(db)
    power.cut(db.parent)
    registrations.lay_out(db)
    assert remembered(db) == ["phones"]


def test_a_disk_that_fills_while_the_database_comes_home_leaves_nothing_torn(
    memory: Path, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registrations.lay_out(db)
    remember(db, "phones")

    def half(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:5000])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copy", half)
    registrations.put_away(db)
    monkeypatch.undo()
    monkeypatch.setattr(registrations, "MEMORY", memory)
    assert [path.name for path in db.parent.iterdir()] == ["db"]
    registrations.lay_out(db)
    assert remembered(db) == ["phones"]


@pytest.mark.parametrize("left", [5000, 20])
def test_a_torn_copy_is_set_aside_and_asterisk_starts(memory: Path, db: Path, left: int) -> None:
    registrations.lay_out(db)
    remember(db, 9000 * "phones")
    registrations.put_away(db)
    os.truncate(db.with_name(registrations.FILE), left)
    with capture_logs() as told:
        registrations.lay_out(db)
    assert remembered(db) == []
    assert [(line["log_level"], Path(line["aside"]).stat().st_size) for line in told] == [("error", left)]


HALF_WRITTEN = """
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("pragma cache_size = 1")
db.execute("begin")
db.execute("update astdb set key = 'changed ' || key")
os.kill(os.getpid(), signal.SIGKILL)
"""
"""A change larger than the cache: a part stands in the file, how it was before in the journal beside it."""


def test_what_a_killed_asterisk_had_half_written_does_not_come_home(memory: Path, db: Path) -> None:
    registrations.lay_out(db)
    phones = [f"{number:900}" for number in range(100)]
    remember(db, *phones)
    killed = subprocess.run([sys.executable, "-c", HALF_WRITTEN, db / registrations.FILE], check=False)
    assert killed.returncode == -signal.SIGKILL
    registrations.put_away(db)
    registrations.lay_out(db)
    assert remembered(db) == sorted(phones)


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from cti import registrations
from tests.outage.test_registrations import remember

root, what = Path(sys.argv[1]), sys.argv[2]
registrations.MEMORY = root / "memory"

def killed_before(step):
    def told(event, words):
        nonlocal step
        # rmtree names what lies in a folder by the name alone
        if any(str(word).startswith((str(root), registrations.FILE)) for word in words[:2]):
            step -= 1
            if step == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    return told

for step in range(1, 100):
    db = root / str(step) / "db"
    registrations.lay_out(db)
    remember(db, "phones")
    if what == "lay_out":
        registrations.put_away(db)
    child = os.fork()
    if child == 0:
        sys.addaudithook(killed_before(step))
        getattr(registrations, what)(db)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""
"""Kills itself before the n-th look at, or change of, a file (audit events), for each n there is."""


@pytest.mark.parametrize("what", ["put_away", "lay_out"])
def test_killed_at_any_step_of_start_or_stop_the_next_start_has_what_was_remembered(
    memory: Path, tmp_path: Path, what: str
) -> None:
    subprocess.run([sys.executable, "-c", KILLED_AT, tmp_path, what], check=True)
    homes = [path / "db" for path in tmp_path.iterdir() if path.name.isdigit()]
    assert 8 < len(homes) < 99
    for db in homes:
        registrations.lay_out(db)
        assert remembered(db) == ["phones"], db
        lose(db.resolve())
        registrations.lay_out(db)
        assert remembered(db) == [], db


def test_a_restarted_machine_has_an_empty_memory_and_asterisk_starts(memory: Path, tmp_path: Path) -> None:
    db = tmp_path / "home/asterisk/db"
    registrations.lay_out(db)
    db.resolve().rmdir()
    registrations.lay_out(db)
    assert db.is_dir()


def test_a_copied_home_does_not_share_the_database_of_its_original(memory: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "home/asterisk/db", tmp_path / "copy/asterisk/db"
    registrations.lay_out(first)
    second.parent.mkdir(parents=True)
    second.symlink_to(first.readlink())
    registrations.lay_out(second)
    assert second.resolve() != first.resolve()


def test_a_home_made_anew_forgets_the_phones_of_the_deleted_one(memory: Path, tmp_path: Path) -> None:
    db = tmp_path / "home/asterisk/db"
    registrations.lay_out(db)
    (db / registrations.FILE).write_text("phones")
    db.unlink()
    registrations.lay_out(db)
    assert not list(db.iterdir())


def test_without_memory_the_disk_is_better_than_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registrations, "MEMORY", tmp_path / "nowhere")
    db = tmp_path / "home/asterisk/db"
    registrations.lay_out(db)
    assert db.is_dir()
    assert not db.is_symlink()
