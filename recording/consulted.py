"""Consultations in a recording: what somebody said to a colleague, a unit or a centre while the citizen of
the call heard nobody. A leg has one file for both, so they are told apart when it is read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from recording.filed import Filed
from recording.masked import together
from recording.table import Recording
from recording.transcript import Said, plain

Stretches = Sequence[tuple[float, float]]
"""From and to, seconds in a file."""
SHORT = 0.3
"""Seconds that are no consultation: on the way to one bridge the others may be there before the citizen."""


def in_file(one: Recording, began: float, seconds: float) -> tuple[tuple[float, float], ...]:
    """Where the consultations of a leg stand in its file, that one too which goes on. ``began``: of its first
    sample, seconds since the epoch; ``seconds``: its length."""
    told = list(one.apart)
    if one.away is not None and one.consults:
        told.append((one.away, began + seconds))
    found = ((max(0.0, a - began), min(seconds, b - began)) for a, b in told)
    return together((round(a, 3), round(b, 3)) for a, b in found if b - a >= SHORT)


def of_row(row: Filed) -> tuple[tuple[float, float], ...]:
    """The same, of a recording that is filed."""
    return tuple((a, b) for a, b in json.loads(row.apart))


def is_whole(row: Filed) -> bool:
    """Whether there is nothing but consultation in it."""
    stretches = of_row(row)
    return bool(stretches) and row.seconds - sum(b - a for a, b in stretches) < SHORT


def quiet(pcm: bytes, rate: int, stretches: Stretches, first: int = 0) -> bytes:
    """16 bit sound with silence in these stretches. ``first``: the byte of the sound with which it begins."""
    if not stretches:
        return pcm
    out = bytearray(pcm)
    for begin, end in stretches:
        # whole samples, whatever byte was asked for
        a, b = (2 * int(at * rate) - first for at in (begin, end))
        a, b = max(0, a), min(len(out), b)
        if a < b:
            out[a:b] = bytes(b - a)
    return bytes(out)


def parted(said: Iterable[Said], stretches: Stretches) -> Iterator[Said]:
    """What one leg said, each span either of a consultation (``apart``) or not: cut between its words. A span
    whose words are not known is of one as soon as it touches it."""
    for one in said:
        if not any(_touch(one.start, one.end, s) for s in stretches):
            yield one
            continue
        if not one.words:
            yield replace(one, apart=True)
            continue
        runs: list[tuple[bool, list[int]]] = []
        for n, word in enumerate(one.words):
            apart = any(_touch(word.start, word.end, s) for s in stretches)
            if not runs or runs[-1][0] != apart:
                runs.append((apart, []))
            runs[-1][1].append(n)
        if len(runs) == 1:
            yield replace(one, apart=runs[0][0])
            continue
        for apart, numbers in runs:
            words = tuple(one.words[n] for n in numbers)
            yield replace(
                one, apart=apart, words=words, start=words[0].start, end=words[-1].end,
                at=round(one.at + words[0].start - one.start, 3), digits="",
                text=plain(" ".join(w.text for w in words)),
            )  # fmt: skip


def _touch(start: float, end: float, stretch: tuple[float, float]) -> bool:
    return start < stretch[1] and end > stretch[0]
