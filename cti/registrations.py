"""Where Asterisk remembers which phone is where: in memory, not on the disk of the home.

Asterisk keeps registrations in its own database (astdb, SQLite). On a full disk it cannot prolong them:
after their 90 s to 10 min every phone counts as gone and no seat rings any more (seen on 22.10.1). So the
database lies in a file system in memory and the home only has a link to it. There it outlives Asterisk, so
that seats are back at once after its restart; a stop in order brings it home, and after a restart of the
machine phones register anew as they always do.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import structlog

from cti.home import sync

log = structlog.get_logger(__name__)

MEMORY = Path("/dev/shm")
"""tmpfs on every Linux with glibc (shm_open(3))."""
FILE = "astdb.sqlite3"
NOBODY = 65534
"""Who Asterisk is when root starts it."""


def lay_out(folder: Path) -> None:
    """Make ``folder`` (astdbdir) a link into memory, or a plain folder where there is no such memory, with
    the database that the last stop in order brought home.

    What is already there stays: an adopted Asterisk may work in it. The home's copy goes once it is taken
    over: after a power cut it would tell of calls back kept long ago. One that SQLite cannot read is set
    aside, for Asterisk does not start with it.
    """
    there, kept = _memory(folder), _kept(folder)
    # a copied home still has the link of its original
    ours = folder.is_dir() and (not folder.is_symlink() or folder.readlink() == there)
    if not ours or (kept.exists() and not (folder / FILE).exists()):
        _fill(folder, there, kept)
    if kept.exists():
        kept.unlink()
        sync(kept.parent)


def _fill(folder: Path, there: Path, kept: Path) -> None:
    """The link comes last: killed before, the next start begins again."""
    if folder.is_symlink():
        folder.unlink()
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.is_dir() or not _made(there):
        folder.mkdir(exist_ok=True)
        there = folder
    if kept.exists() and _sound(kept):
        _copy(kept, there / FILE)
    elif kept.exists():
        aside = kept.with_name(f"{FILE}.unreadable")
        os.replace(kept, aside)
        log.error(
            "Asterisk's memory cannot be read: seats sign in and phones register anew", aside=str(aside)
        )
    if there != folder:
        folder.symlink_to(there)


def _sound(file: Path) -> bool:
    """Whether SQLite can read it; a transaction left in its journal is rolled back first."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as database:
            return bool(database.execute("PRAGMA quick_check").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


def _copy(source: Path, target: Path) -> None:
    """Whole or not at all, also after a power cut. Raises OSError."""
    fresh = target.with_name(f".{target.name}.fresh")
    try:
        shutil.copy(source, fresh)
        sync(fresh)
        os.replace(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)
    sync(target.parent)


def _memory(folder: Path) -> Path:
    home = hashlib.sha256(os.fsencode(folder.parent.resolve())).hexdigest()[:16]
    return MEMORY / f"hotline12345-{os.geteuid()}-{home}"


def _made(there: Path) -> bool:
    """A new empty folder of our own; False without such memory, or when somebody else took the name."""
    ours = {os.geteuid(), NOBODY} if os.geteuid() == 0 else {os.geteuid()}
    try:
        if there.is_dir() and not there.is_symlink() and there.stat().st_uid in ours:
            shutil.rmtree(there)  # of a home that was deleted
        there.mkdir(mode=0o700)
    except OSError:
        return False
    return True


def own(folder: Path, owner: int) -> None:
    """Give the database to the process that writes it."""
    if folder.is_symlink() and folder.is_dir():
        for path in (folder.resolve(), *folder.resolve().iterdir()):
            os.chown(path, owner, owner, follow_symlinks=False)


def put_away(folder: Path) -> None:
    """After Asterisk has ended: the database comes home, and the memory is free again."""
    if folder.is_symlink() and folder.is_dir():
        try:
            _sound(
                folder / FILE
            )  # rolls back what a killed Asterisk had half written: only this file comes home
            _copy(folder / FILE, _kept(folder))
        except OSError:
            return  # nothing there yet, or a full disk: it stays in memory
        shutil.rmtree(folder.resolve(), ignore_errors=True)


def _kept(folder: Path) -> Path:
    return folder.with_name(FILE)
