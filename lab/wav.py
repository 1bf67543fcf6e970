"""WAV files in and out: whatever a person has at hand becomes what a telephone plays.

Only the standard library: ``cti lab call --say FILE`` must work without numpy. RIFF/WAVE as in the
Multimedia Programming Interface and Data Specifications 1.0; format tags 1 (PCM), 6 (A-law), 7 (mu-law)
and 0xFFFE (extensible, with one of these inside).
"""

from __future__ import annotations

import array
import hashlib
import math
import os
import struct
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import mul
from pathlib import Path

RATE = 8000
"""What a telephone carries."""
LONGEST = 600.0
"""Seconds of audio that are taken from a file."""
_TAPS = 16
"""Zero crossings of the resampling filter on each side."""


class BadAudio(Exception):
    """Not audio we can play; the text names the file, the fault and the remedy."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One channel of 16-bit samples."""

    rate: int
    samples: array.array[int]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def read(path: Path) -> Sound:
    """A WAV file as one channel (several are averaged). Raises BadAudio."""
    try:
        raw = path.read_bytes()
    except OSError as why:
        raise BadAudio(f"{path}: {why.strerror or why}") from None
    return parse(raw, str(path))


def parse(raw: bytes, name: str = "audio") -> Sound:
    """The bytes of a WAV file, also of one that is still being written (sizes 0 or too large)."""
    if len(raw) < 12 or raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        raise BadAudio(f"{name}: not a WAV file (convert it: sox {name} out.wav)")
    form: tuple[int, int, int, int] | None = None
    at = 12
    while at + 8 <= len(raw):
        tag, size = raw[at : at + 4], struct.unpack_from("<I", raw, at + 4)[0]
        body = at + 8
        if tag == b"fmt " and len(raw) >= body + 16:
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", raw, body)
            if kind == 0xFFFE and size >= 26:
                kind = struct.unpack_from("<H", raw, body + 24)[0]
            form = (kind, channels, rate, bits)
        elif tag == b"data":
            if form is None:
                raise BadAudio(f"{name}: damaged WAV file (data before its format)")
            open_end = size == 0 or body + size > len(raw)
            return _samples(raw[body:] if open_end else raw[body : body + size], form, name)
        at = body + size + size % 2
    raise BadAudio(f"{name}: damaged WAV file (no audio in it)")


def _samples(data: bytes, form: tuple[int, int, int, int], name: str) -> Sound:
    kind, channels, rate, bits = form
    if channels not in (1, 2) or not 4000 <= rate <= 192_000:
        raise BadAudio(f"{name}: {channels} channels at {rate} Hz (1 or 2 at 4000 to 192000 are taken)")
    data = data[: int(LONGEST * rate) * channels * (bits // 8 or 1)]
    samples = array.array("h")
    if kind == 1 and bits == 16:
        samples.frombytes(data[: len(data) // 2 * 2])
        if sys.byteorder == "big":
            samples.byteswap()
    elif kind == 1 and bits == 8:
        samples.extend((byte - 128) * 256 for byte in data)
    elif kind in (6, 7) and bits == 8:
        table = _alaw() if kind == 6 else _ulaw()
        samples.extend(map(table.__getitem__, data))
    else:
        raise BadAudio(
            f"{name}: {bits}-bit format {kind:#x} is not taken; make it 16-bit: sox {name} -b 16 out.wav"
        )
    if channels == 2:
        left, right = samples[0::2], samples[1::2]
        samples = array.array("h", ((a + b) // 2 for a, b in zip(left, right, strict=False)))
    return Sound(rate, samples)


@cache
def _alaw() -> Sequence[int]:
    """ITU-T G.711 table 1a, all 256 codes."""

    def value(code: int) -> int:
        code ^= 0x55
        exponent, mantissa = (code >> 4) & 7, code & 15
        size = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
        return size if code & 0x80 else -size

    return [value(code) for code in range(256)]


@cache
def _ulaw() -> Sequence[int]:
    """ITU-T G.711 table 2a, all 256 codes."""

    def value(code: int) -> int:
        code = ~code & 0xFF
        size = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
        return -size if code & 0x80 else size

    return [value(code) for code in range(256)]


def resampled(sound: Sound, rate: int = RATE) -> Sound:
    """The same sound at another rate: band-limited by a Hann-windowed sinc."""
    if sound.rate == rate or not sound.samples:
        return Sound(rate, sound.samples)
    divisor = math.gcd(sound.rate, rate)
    up, down = rate // divisor, sound.rate // divisor
    cut = min(1.0, rate / sound.rate) * 0.94
    reach = math.ceil(_TAPS / cut)
    phases = [_filter(phase / up, cut, reach) for phase in range(up)]
    padded = array.array("h", bytes(2 * reach)) + sound.samples + array.array("h", bytes(2 * reach + 2))
    out = array.array("h")
    for n in range(len(sound.samples) * up // down):
        whole, phase = divmod(n * down, up)
        value = sum(map(mul, padded[whole + 1 : whole + 2 * reach + 1], phases[phase]))
        out.append(max(-32768, min(32767, round(value))))
    return Sound(rate, out)


def _filter(offset: float, cut: float, reach: int) -> list[float]:
    taps = []
    for k in range(-reach + 1, reach + 1):
        x = k - offset
        window = 0.5 + 0.5 * math.cos(math.pi * x / (reach + 1))
        taps.append(window * cut * (1.0 if x == 0 else math.sin(math.pi * cut * x) / (math.pi * cut * x)))
    total = sum(taps)
    return [tap / total for tap in taps]


def write(path: Path, sound: Sound) -> None:
    """Write a 16-bit WAV file; a reader never sees half of it."""
    data = sound.samples.tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, sound.rate,
        sound.rate * 2, 2, 16, b"data", len(data),
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(dir=path.parent, prefix=".wav")
    with os.fdopen(fd, "wb") as file:
        file.write(head + data)
        os.fchmod(file.fileno(), 0o644)
    os.replace(name, path)


def for_phones(path: Path, folder: Path) -> Path:
    """``path`` as 8 kHz mono in ``folder``, converted once for each content. Raises BadAudio."""
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:20]
    except OSError as why:
        raise BadAudio(f"{path}: {why.strerror or why}") from None
    to = folder / f"{digest}.wav"
    if not to.exists():
        sound = read(path)
        if not sound.samples:
            raise BadAudio(f"{path}: holds no audio")
        write(to, resampled(sound))
    return to


def complete(path: Path) -> bool:
    """Whether whoever writes the file has closed it: its header then states the size it has."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
            return len(head) == 8 and 0 < struct.unpack("<I", head[4:])[0] == path.stat().st_size - 8
    except OSError:
        return False
