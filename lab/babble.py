"""Voices that belong to nobody: sound with the rhythm and the formants of speech, made from a seed.

Used where a citizen has to say something and no recording is at hand. Not words: a person hears a
mumbling, a machine a signal that differs from every other seed's.
"""

from __future__ import annotations

import array
import math
import random
from pathlib import Path

from lab.wav import RATE, Sound, write

_VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
"""Formants in Hz (Peterson & Barney 1952, men)."""


def babble(seed: int, seconds: float = 5.0) -> Sound:
    """``seconds`` of mumbling, the same for the same seed."""
    chance = random.Random(seed)
    voice = chance.uniform(95, 230)
    samples = array.array("h")
    while len(samples) < seconds * RATE:
        length = chance.uniform(0.12, 0.28)
        formants = [f * chance.uniform(0.92, 1.12) for f in chance.choice(_VOWELS)]
        samples.extend(
            _syllable(voice * chance.uniform(0.8, 1.25), chance.uniform(0.85, 1.2), formants, length)
        )
        gap = chance.uniform(0.25, 0.45) if chance.random() < 0.12 else chance.uniform(0.02, 0.09)
        samples.extend([0] * int(gap * RATE))
    return Sound(RATE, samples[: int(seconds * RATE)])


def _syllable(pitch: float, glide: float, formants: list[float], length: float) -> list[int]:
    count = int(length * RATE)
    strengths = []
    for harmonic in range(1, int(3400 / pitch)):
        away = min(abs(harmonic * pitch - f) for f in formants)
        strengths.append(math.exp(-((away / 130) ** 2)) + 0.03)
    out = []
    phase = 0.0
    for n in range(count):
        phase += 2 * math.pi * pitch * (1 + (glide - 1) * n / count) / RATE
        shape = math.sin(math.pi * n / count) ** 0.6
        value = sum(s * math.sin(phase * (k + 1)) for k, s in enumerate(strengths))
        out.append(max(-32000, min(32000, int(5500 * shape * value))))
    return out


def babble_file(folder: Path, seed: int, seconds: float = 5.0) -> Path:
    """The mumbling of a seed as a WAV file in ``folder``, made once."""
    path = folder / f"babble-{seed}-{seconds:g}.wav"
    if not path.exists():
        write(path, babble(seed, seconds))
    return path
