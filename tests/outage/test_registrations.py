"""Asterisk's memory of which phone is where: in memory while it runs, at home when it has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti import registrations


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(registrations, "MEMORY", folder)
    return folder


def test_the_database_lies_in_memory_and_outlives_asterisk(memory: Path, tmp_path: Path) -> None:
    db = tmp_path / "home/asterisk/db"
    registrations.lay_out(db)
    (db / registrations.FILE).write_text("phones")
    assert db.resolve().parent == memory
    registrations.lay_out(db)
    assert (db / registrations.FILE).read_text() == "phones"


def test_a_stop_in_order_brings_the_database_home_and_the_next_start_takes_it_along(
    memory: Path, tmp_path: Path
) -> None:
    db = tmp_path / "home/asterisk/db"
    registrations.lay_out(db)
    (db / registrations.FILE).write_text("phones")
    registrations.put_away(db)
    assert not list(memory.iterdir())
    registrations.lay_out(db)
    assert (db / registrations.FILE).read_text() == "phones"


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
