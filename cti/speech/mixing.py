"""Both sides of a call in one wav, made when somebody asks: every leg's file laid where it was spoken."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cti.speech.sound import from_alaw

RATE = 8000


@dataclass(frozen=True, slots=True)
class Part:
    """One leg. ``at``: seconds since the epoch of its first sample; ``pcm``: 16 bit; ``left``: the caller."""

    at: float
    pcm: bytes
    left: bool
    rate: int = RATE


def mixed(parts: Sequence[Part], channels: int, before: bytes = b"") -> bytes:
    """A wav of one channel, or of two with the caller on the left; ``before``: A-law sound put in front."""
    start = min((p.at for p in parts), default=0.0)
    ends = [p.at - start + len(p.pcm) / (2 * p.rate) for p in parts]
    length = int(max(ends, default=0.0) * RATE) + 1
    sides: Any = np.zeros((length, channels), dtype=np.int32)
    for part in parts:
        sound = np.frombuffer(part.pcm[: len(part.pcm) // 2 * 2], "<i2").astype(np.int32)
        first = int((part.at - start) * RATE)
        sound = sound[: length - first]
        sides[first : first + len(sound), 0 if channels == 1 or part.left else 1] += sound
    body = np.clip(sides, -32768, 32767).astype("<i2")
    if before:
        said = (from_alaw(before) * 32767).astype("<i2")
        quiet = np.zeros(RATE // 2, dtype="<i2")
        front = np.concatenate([said, quiet])
        body = np.concatenate([np.repeat(front[:, None], channels, axis=1), body])
    data = bytes(body.tobytes())
    form = struct.pack("<IHHIIHH", 16, 1, channels, RATE, RATE * 2 * channels, 2 * channels, 16)
    head = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + form
    return head + b"data" + struct.pack("<I", len(data)) + data


def peaks(pcm: bytes, points: int) -> list[float]:
    """The loudest sample of each of ``points`` stretches, 0..1."""
    sound = np.abs(np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.int32))
    if not len(sound):
        return []
    edges = np.linspace(0, len(sound), min(points, len(sound)) + 1).astype(int)
    loudest = np.maximum.reduceat(sound, edges[:-1])
    return [round(float(x) / 32768, 4) for x in loudest]
