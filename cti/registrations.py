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
from pathlib import Path

MEMORY = Path("/dev/shm")
"""tmpfs on every Linux with glibc (shm_open(3))."""
FILE = "astdb.sqlite3"
NOBODY = 65534
"""Who Asterisk is when root starts it."""


def lay_out(folder: Path) -> None:
    """Make ``folder`` (astdbdir) a link into memory, or a plain folder where there is no such memory.

    What is already there stays: an adopted Asterisk may work in it.
    """
    there = _memory(folder)
    if folder.is_symlink():
        # a copied home still has the link of its original
        if folder.is_dir() and folder.readlink() == there:
            return
        folder.unlink()
    elif folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not _made(there):
        folder.mkdir()
        return
    folder.symlink_to(there)
    if (kept := _kept(folder)).exists():
        shutil.copy(kept, there / FILE)


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
            shutil.copy(folder / FILE, _kept(folder))
        except OSError:
            return  # nothing there yet, or a full disk: it stays in memory
        shutil.rmtree(folder.resolve(), ignore_errors=True)


def _kept(folder: Path) -> Path:
    return folder.with_name(FILE)
