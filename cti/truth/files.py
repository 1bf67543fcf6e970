"""Asterisk's own files, read as they are: ``queue_log`` (app_queue) and ``cdr-csv/Master.csv`` (cdr_csv).

Both are also read in their rotated parts (``queue_log.0``, ``Master.csv.1``). Times are whole seconds; our
dialplan adds milliseconds where the figure hangs on them (CDR userfield, queue_log ``HOTLINEANSWER``).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

CALL_ID = re.compile(r"([a-z][a-z0-9]{0,15})-(.{1,100}\.\d{1,12})")
"""City and Uniqueid of the caller's leg."""


@dataclass(frozen=True, slots=True)
class QueueLine:
    """``at|uniqueid|queue|agent|event|data…``. ``number`` is its place in the file."""

    number: int
    at: int
    uniqueid: str
    queue: str
    agent: str
    event: str
    data: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cdr:
    """One row of cdr_csv with ``usegmtime``, ``loguniqueid`` and ``loguserfield``."""

    number: int
    call: str
    src: str
    context: str
    channel: str
    peer: str
    app: str
    data: str
    start: float
    end: float
    disposition: str
    uniqueid: str
    userfield: str


class NoFiles(Exception):
    """A file is missing; the text says which and what to do."""


def parts(file: Path) -> list[Path]:
    """The file and its rotated parts, oldest first. Raises NoFiles when there is none."""
    found = [p for p in file.parent.glob(file.name + "*") if p.is_file()]
    if not found:
        raise NoFiles(f"{file}: not there; Asterisk writes it from its first call on (cti up)")
    return sorted(found, key=lambda p: (p == file, p.stat().st_mtime))


def queue_log(file: Path) -> Iterator[QueueLine]:
    """Every line of the log. A line cut by a crash is passed over."""
    number = 0
    for part in parts(file):
        with part.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                words = line.rstrip("\n").split("|")
                if len(words) >= 5 and words[0].isdigit():
                    at, uniqueid, queue, agent, event, *data = words
                    yield QueueLine(number, int(at), uniqueid, queue, agent, event, tuple(data))
                    number += 1


def cdrs(file: Path) -> Iterator[Cdr]:
    """Every row that has a call's account code. Asterisk doubles quotes as RFC 4180 does."""
    number = 0
    for part in parts(file):
        with part.open(encoding="utf-8", errors="replace", newline="") as rows:
            for row in csv.reader(rows):
                if len(row) < 18 or not CALL_ID.fullmatch(row[0]):
                    continue
                start, end = _utc(row[9]), _utc(row[11])
                if start is None or end is None:
                    continue
                yield Cdr(
                    number, row[0], row[1], row[3], row[5], row[6], row[7], row[8],
                    start, end, row[14], row[16], row[17],
                )  # fmt: skip
                number += 1


def _utc(told: str) -> float | None:
    try:
        return datetime.strptime(told, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
