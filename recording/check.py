"""Whether the file of a leg is really there: its header, its length against the leg's time."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from recording.table import Recording, is_message

HEADER = 44
"""Bytes before the sound in the wav files Asterisk writes (format_wav.c)."""
LATE = 1.0
"""Seconds by which a file may be shorter than its leg before seconds count as lost: the file begins a moment
after the leg is up and ends a moment before Asterisk tells that it is over."""


@dataclass(frozen=True, slots=True)
class Header:
    rate: int
    channels: int
    bits: int
    data: int
    """Bytes of sound by the header: 0 until Asterisk closes the file."""


@dataclass(frozen=True, slots=True)
class Found:
    """What lies on disk. ``size`` -1: nothing."""

    size: int
    header: Header | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``why`` empty: it can be heard, ``seconds`` of it, ``short`` of them too few."""

    seconds: float = 0.0
    short: float = 0.0
    why: str = ""


def header_of(raw: bytes) -> Header | None:
    """The header of a wav as Asterisk writes it; None for anything else."""
    if len(raw) < HEADER or raw[:4] != b"RIFF" or raw[8:16] != b"WAVEfmt " or raw[36:40] != b"data":
        return None
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", raw, 20)
    (data,) = struct.unpack_from("<I", raw, 40)
    return Header(rate, channels, bits, data) if kind == 1 else None


def closed(found: Found) -> bool:
    """Asterisk writes the length into the header when it is done with the file, and not before."""
    return found.header is not None and found.header.data > 0


def mended(raw: bytes, size: int) -> bytes:
    """The header of a file whose Asterisk died: what is there is what was said."""
    data = (size - HEADER) // 2 * 2
    return raw[:4] + struct.pack("<I", data + HEADER - 8) + raw[8:40] + struct.pack("<I", data)


def verdict(one: Recording, found: Found) -> Verdict:
    """What is to be said of this leg's recording, its file being closed or given up."""
    if found.size < 0:
        return Verdict(why="no-file" if one.began is not None else "never-started")
    if found.header is None or found.header.channels != 1 or found.header.bits != 16 or not found.header.rate:
        return Verdict(why="empty" if found.size <= HEADER else "broken")
    seconds = min(found.header.data, found.size - HEADER) / (2 * found.header.rate)
    lasted = (one.ended or 0.0) - one.began if one.began is not None and one.sure else 0.0
    if seconds <= 0:
        # a leg that was gone before its first sound lost nothing, nor did who said nothing after the beep
        return Verdict(why="" if 0.0 < lasted <= LATE or is_message(one.leg) else "empty")
    short = lasted - seconds
    return Verdict(round(seconds, 3), round(short, 3) if short > LATE else 0.0)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds since the epoch: talk of a leg, or what a file holds of it."""

    leg: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Holes:
    """``gaps``: talk in no file; ``twice``: talk in two."""

    gaps: tuple[Stretch, ...]
    twice: tuple[Stretch, ...]


def holes(talk: Iterable[Stretch], files: Iterable[Stretch], tolerance: float = LATE) -> Holes:
    """Every second of talk against what the files hold. Stretches up to ``tolerance`` do not count."""
    kept: dict[str, list[tuple[float, float]]] = {}
    for file in files:
        kept.setdefault(file.leg, []).append((file.begin, file.end))
    gaps: list[Stretch] = []
    twice: list[Stretch] = []
    for one in talk:
        at, covered = one.begin, one.begin
        for begin, end in sorted(kept.get(one.leg, ())):
            if end <= one.begin or begin >= one.end:
                continue
            if begin - at > tolerance:
                gaps.append(Stretch(one.leg, at, begin))
            if covered - begin > tolerance and covered > one.begin:
                twice.append(Stretch(one.leg, max(begin, one.begin), min(covered, end)))
            at = covered = max(at, min(end, one.end))
        if one.end - at > tolerance:
            gaps.append(Stretch(one.leg, at, one.end))
    return Holes(tuple(gaps), tuple(twice))
