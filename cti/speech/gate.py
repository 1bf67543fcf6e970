"""While one side speaks the other is silent: digital silence is not decoded, and the times stay true.

Only silence a telephone line makes by itself (a few steps of 32768) is passed over, after enough of it that
the recogniser has ended its span, and all sound from a moment before the next voice is given to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cti.speech.ear import Listener
from recording.recognised import Recognised

QUIET = 24
"""A-law's smallest step is 8 of 32768; a quiet room on an open microphone is some hundreds."""
HANG = 1.4
"""Seconds of silence that are still decoded: vosk ends a span after 0.5 to 1.0 s of it."""
BEFORE = 0.3
"""Seconds of silence given back before a voice."""


class Gate:
    """A listener that spares silence. Times as if everything had been decoded."""

    def __init__(self, listener: Listener, rate: int, offset: float = 0.0) -> None:
        self._listener, self._rate, self._offset = listener, rate, offset
        self._quiet = 0.0
        self._fed = 0.0
        self._held = b""
        self._jumps: list[tuple[float, float]] = []
        """(second of what was fed, seconds passed over before it in all)."""
        self.passed = 0.0
        """Seconds passed over."""

    def hear(self, pcm: bytes) -> list[Recognised]:
        seconds = len(pcm) / (2 * self._rate)
        if _loudest(pcm) > QUIET:
            self._quiet = 0.0
            return self._feed(pcm)
        self._quiet += seconds
        if self._quiet <= HANG:
            return self._feed(pcm)
        held = self._held + pcm
        keep = int(BEFORE * self._rate) * 2
        self.passed += max(0, len(held) - keep) / (2 * self._rate)
        self._held = held[-keep:]
        return []

    def partial(self) -> str:
        return self._listener.partial()

    def finish(self) -> list[Recognised]:
        return self._true(self._listener.finish())

    def _feed(self, pcm: bytes) -> list[Recognised]:
        if self._held:
            self._jumps.append((self._fed, self.passed))
            pcm, self._held = self._held + pcm, b""
        spans = self._true(self._listener.hear(pcm))
        self._fed += len(pcm) / (2 * self._rate)
        return spans

    def _true(self, spans: Sequence[Recognised]) -> list[Recognised]:
        return [
            replace(
                span,
                start=self._at(span.start),
                end=self._at(span.end),
                words=tuple(replace(w, start=self._at(w.start), end=self._at(w.end)) for w in span.words),
            )
            for span in spans
        ]

    def _at(self, second: float) -> float:
        fed = second - self._offset
        passed = next((p for at, p in reversed(self._jumps) if at <= fed), 0.0)
        return round(second + passed, 3)


def _loudest(pcm: bytes) -> int:
    sound = np.frombuffer(pcm, "<i2")
    return int(np.abs(sound.astype(np.int32)).max()) if len(sound) else 0
