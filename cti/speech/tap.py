"""A file that grows while somebody speaks, as samples for the recogniser.

Asterisk hands a file to the kernel in pieces of 32 KiB: 2.0 s at 8 kHz, 0.34 s at 48 kHz. So a live tap is
``.sln48`` (raw 16 bit) and is brought down to 8 kHz here, where a telephone's sound came from. What is
written down is given back to the disk: a tap is as large as a sentence, however long the call.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

RATE = 8000
"""What the recogniser is given: bringing telephone sound up gains nothing."""
TAP_RATE = 48000
_FACTOR = TAP_RATE // RATE
_TAPS = 97
_CUT = 3700.0
_BLOCK = 1 << 18
"""Bytes that are given back at once (1.4 s)."""
_HOLE = 0x03
"""FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE (linux/falloc.h)."""
_libc = ctypes.CDLL(None, use_errno=True)


def _filter() -> Any:
    """Windowed sinc: nothing above 4 kHz of a wide-band phone may fold down into the voice."""
    n = np.arange(_TAPS) - (_TAPS - 1) / 2
    h = np.sinc(2 * _CUT / TAP_RATE * n) * np.hamming(_TAPS)
    return (h / h.sum()).astype(np.float32)


class Tap:
    """Reads on where it stopped. ``begin``: seconds of the tap to pass over."""

    def __init__(self, path: Path, begin: float = 0.0) -> None:
        self.path = path
        self._at = int(begin * RATE) * _FACTOR * 2
        self.seconds = int(begin * RATE) / RATE
        """How much of it has been read."""
        self._tail = np.zeros(_TAPS - 1, dtype=np.float32)
        self._h = _filter()
        self._given = 0

    def read(self, seconds: float) -> bytes:
        """Up to so much sound at 8 kHz, 16 bit; nothing when there is no more now."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._at)
                raw = file.read(int(seconds * RATE) * _FACTOR * 2)
        except FileNotFoundError:
            return b""
        raw = raw[: len(raw) // (2 * _FACTOR) * 2 * _FACTOR]
        if not raw:
            return b""
        self._at += len(raw)
        self.seconds += len(raw) / (2 * TAP_RATE)
        sound = np.concatenate([self._tail, np.frombuffer(raw, "<i2").astype(np.float32)])
        self._tail = sound[-(_TAPS - 1) :]
        low = np.convolve(sound, self._h, "valid")[::_FACTOR]
        return bytes(np.clip(np.round(low), -32768, 32767).astype("<i2").tobytes())

    def give_back(self, until: float) -> None:
        """The disk gets back what was read before this second of the tap; it reads as silence from then on.

        Where the file system cannot do that (fallocate(2)) nothing happens.
        """
        end = min(int(until * RATE) * _FACTOR * 2, self._at) // _BLOCK * _BLOCK
        if end <= self._given:
            return
        self._given = end
        with suppress(OSError):
            tap = os.open(self.path, os.O_WRONLY)
            try:
                _libc.fallocate64(tap, _HOLE, ctypes.c_int64(0), ctypes.c_int64(end))
            finally:
                os.close(tap)

    @property
    def behind(self) -> float:
        """Seconds that are written and not read."""
        try:
            return max(0, self.path.stat().st_size - self._at) / (2 * TAP_RATE)
        except FileNotFoundError:
            return 0.0


class Fed:
    """A voice that comes in pieces, 8 kHz and 16 bit already."""

    def __init__(self) -> None:
        self._sound = bytearray()
        self.seconds = 0.0

    def feed(self, pcm: bytes) -> None:
        self._sound += pcm

    def read(self, seconds: float) -> bytes:
        data = bytes(self._sound[: int(seconds * RATE) * 2])
        del self._sound[: len(data)]
        self.seconds += len(data) / (2 * RATE)
        return data

    @property
    def behind(self) -> float:
        return len(self._sound) / (2 * RATE)


class Kept:
    """A recording that is over, read the same way: 16-bit wav, sealed or not."""

    def __init__(self, source: Any, begin: float = 0.0, until: float | None = None) -> None:
        """``source``: ``cti.vault.opened``. Raises ValueError when it is no wav of ours."""
        from recording.check import HEADER, header_of

        header = header_of(source.read(0, HEADER))
        if header is None or header.channels != 1 or header.bits != 16:
            raise ValueError("no wav as Asterisk writes it")
        self.rate = header.rate
        self._source = source
        self._at = HEADER + int(begin * self.rate) * 2
        self._end = source.size if until is None else min(source.size, HEADER + int(until * self.rate) * 2)
        self.seconds = int(begin * self.rate) / self.rate

    def read(self, seconds: float) -> bytes:
        length = max(0, min(int(seconds * self.rate) * 2, self._end - self._at))
        data: bytes = self._source.read(self._at, length)
        self._at += len(data)
        self.seconds += len(data) / (2 * self.rate)
        return data

    @property
    def behind(self) -> float:
        return float(max(0, self._end - self._at) / (2 * self.rate))
