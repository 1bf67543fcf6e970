"""The file of a leg on disk: what lies there, when it was made and written, and which nobody knows."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from calls.facts import CallId, LegId
from calls.picture import caller_leg
from cti import vault
from recording.check import HEADER, Found, closed, header_of, mended
from recording.table import Recording, message_of

OLD_MESSAGE = "message"
"""The name of every call's message before it was the caller's leg's."""
TICK = 0.001
"""Seconds: a file that was made and left in one turn of the kernel's clock has lasted all the same."""


def orphans(folder: Path, known: frozenset[str]) -> list[tuple[Path, CallId, LegId]]:
    """Files that are not known: of legs, and messages that were left."""
    found = []
    for path in sorted(folder.glob("*/*/*.wav*")):
        leg = path.name.removesuffix(vault.SUFFIX).removesuffix(".wav")
        call = CallId(path.parent.name)
        if leg == OLD_MESSAGE:
            leg = message_of(caller_leg(call))
        if path.name.startswith(".") or leg in known or not caller_leg(call):
            continue
        found.append((path, call, LegId(leg)))
    return found


def glance(path: Path) -> Found:
    """What lies there; read as a whole where nobody writes to it any more, or nobody has written a sound."""
    found = found_at(path, whole=False)
    return found_at(path, whole=True) if closed(found) or 0 <= found.size <= HEADER else found


def found_at(path: Path | None, *, whole: bool) -> Found:
    """What lies there; ``whole``: read all of it."""
    if path is None:
        return Found(-1)
    try:
        with path.open("rb") as file:
            head = file.read(HEADER)
            size = path.stat().st_size
            if not whole:
                return Found(size, header_of(head))
            digest = hashlib.sha256(head)
            while block := file.read(1 << 20):
                digest.update(block)
            return Found(size, header_of(head), digest.hexdigest())
    except FileNotFoundError:
        return Found(-1)


def silence(path: Path, stretches: Iterable[tuple[float, float]], rate: int) -> None:
    """Seconds of a 16 bit file. On the disk when this returns."""
    with path.open("r+b") as file:
        for begin, end in stretches:
            first, last = int(begin * rate), int(end * rate)
            file.seek(HEADER + 2 * first)
            file.write(bytes(2 * (last - first)))
        file.flush()
        os.fsync(file.fileno())


def placed(one: Recording, path: Path, size: int) -> Recording:
    """A leg that was gone when we looked again, by Asterisk's last write to its file, perhaps long before.
    Raises OSError."""
    if one.ended is None:
        return one
    last = path.stat().st_mtime
    ended = max(min(one.ended, last), one.began or 0.0)
    one = replace(one, ended=ended)
    if size > HEADER or (one.began is not None and one.began < ended):
        return one
    # nothing was written, so that one gone before its first sound is to be known: by when its file was made,
    # else by its id, which has the second in which the leg was made (Asterisk's Uniqueid). What it talked
    # longer is a gap in the check.
    began = _born(path)
    if began is None or began > ended + TICK:
        made = one.leg.rpartition("-")[2].partition(".")[0]
        if not made.isdigit():
            return one
        began = float(made)
    return replace(one, began=began, ended=max(ended, began + TICK), sure=True)


def _born(path: Path) -> float | None:
    """When this file was made, seconds since the epoch: MixMonitor makes it when it begins. None: it lies on
    a file system that does not say. A copy is younger than what it is a copy of. os.stat of our Pythons does
    not know it."""
    command = ["stat", "--format=%.6W", "--", str(path)]
    try:
        told = subprocess.run(command, capture_output=True, env=os.environ | {"LC_ALL": "C"}, timeout=5)
        return float(told.stdout) or None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def mend(path: Path, size: int) -> None:
    """Asterisk died before it wrote the length."""
    with path.open("r+b") as file:
        head = file.read(HEADER)
        if header_of(head) is not None:
            file.seek(0)
            file.write(mended(head, size))
