"""Silence is not decoded, and every word keeps its second."""

from __future__ import annotations

import numpy as np

from cti.speech.gate import BEFORE, HANG, Gate
from recording.recognised import Recognised, Word

RATE = 8000
TURN = 0.2


class Fake:
    """Hears one word a loud stretch: where in what it was fed."""

    def __init__(self, offset: float = 0.0) -> None:
        self.fed, self._offset = b"", offset

    def hear(self, pcm: bytes) -> list[Recognised]:
        begin = len(self.fed) / (2 * RATE)
        self.fed += pcm
        loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2")) > 1000)
        if not len(loud):
            return []
        at = self._offset + begin + loud[0] / RATE
        return [Recognised("字", at, at + 0.1, 1.0, "", (Word("字", at, at + 0.1, 1.0),))]

    def partial(self) -> str:
        return ""

    def finish(self) -> list[Recognised]:
        return []


def heard(seconds: float, clicks: list[float], level: int = 0) -> tuple[list[float], Fake, Gate]:
    sound = np.full(int(seconds * RATE), level, dtype="<i2")
    for at in clicks:
        sound[int(at * RATE)] = 20000
    fake = Fake()
    gate = Gate(fake, RATE)
    turn = int(TURN * RATE)
    spans = [s for i in range(0, len(sound), turn) for s in gate.hear(sound[i : i + turn].tobytes())]
    assert all(s.start == s.words[0].start for s in spans)
    return [round(s.start, 2) for s in spans], fake, gate


def test_words_keep_their_second_across_any_silence() -> None:
    clicks = [0.5, 4.0, 4.3, 20.1, 21.0, 60.0]
    found, fake, gate = heard(70, clicks)
    assert found == clicks
    assert len(fake.fed) / (2 * RATE) < len(clicks) * (HANG + BEFORE + 2 * TURN)
    assert gate.passed > 55


def test_a_rooms_own_noise_is_decoded_in_full() -> None:
    _, fake, gate = heard(30, [3.0], level=200)
    assert (len(fake.fed), gate.passed) == (30 * RATE * 2, 0.0)
