"""What a journal is made of: one line of text per record, checked by its own length and CRC.

``0000007b 1c291ca3 {"v":1,"what":"fact",...}\\n``: length and CRC-32 of the JSON in hexadecimal, then
the JSON, readable and greppable as it is. A line is whole or it is not: nothing is guessed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

HEAD = 18
"""Two hexadecimal numbers of 8 digits, a blank after each."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a journal: the number of the segment and the byte in it."""

    segment: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """``at`` is where it begins, ``after`` where the next one begins."""

    at: Position
    after: Position
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no record. ``torn``: at the very end, left by a death in the middle of a write."""

    at: Position
    length: int
    torn: bool


def line(told: dict[str, Any]) -> bytes:
    """One record as it stands on disk."""
    try:
        body = orjson.dumps(told)
    except TypeError:  # half a character from the wire: keep the rest
        body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    return _head(body) + body + b"\n"


def _head(body: bytes) -> bytes:
    return b"%08x %08x " % (len(body), zlib.crc32(body))


def read(data: bytes, segment: int, offset: int = 0) -> Iterator[Record | Damage]:
    """The records of a segment's bytes, which begin at ``offset``. Damage is never skipped in silence."""
    place = 0
    while place < len(data):
        end = data.find(b"\n", place)
        told = _whole(data, place, end) if end >= 0 else None
        if told is not None:
            at = Position(segment, offset + place)
            place = end + 1
            yield Record(at, Position(segment, offset + place), told)
            continue
        start = place
        place = _next_whole(data, end + 1) if end >= 0 else len(data)
        yield Damage(Position(segment, offset + start), place - start, torn=place >= len(data))


def _next_whole(data: bytes, place: int) -> int:
    while 0 < place < len(data):
        end = data.find(b"\n", place)
        if end < 0:
            return len(data)
        if _whole(data, place, end) is not None:
            return place
        place = end + 1
    return len(data)


def _whole(data: bytes, place: int, end: int) -> dict[str, Any] | None:
    body = data[place + HEAD : end]
    if data[place : place + HEAD] != _head(body):
        return None
    try:
        told = orjson.loads(body)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
