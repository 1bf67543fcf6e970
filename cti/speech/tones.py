"""Sounds nobody speaks: signals by their standards, and the hold music, which is ours.

Signals follow GB/T 3378 (China): ring-back and busy are 450 Hz. The music is computed from the notes
below, so it is free of anybody's rights and the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from cti.speech.sound import LINE_RATE, Wave, faded

SIGNAL_LEVEL = 10 ** (-20 / 20)
"""Peak of a signal: -20 dBov, gentle to an ear that is close to the receiver."""


def _sine(hertz: float, seconds: float) -> Wave:
    at = np.arange(int(seconds * LINE_RATE)) / LINE_RATE
    tone: Wave = (SIGNAL_LEVEL * 2 * np.sin(2 * np.pi * hertz * at)).astype(np.float32)
    return faded(tone, LINE_RATE)


def _silence(seconds: float) -> Wave:
    return np.zeros(int(seconds * LINE_RATE), dtype=np.float32)


def beep() -> Wave:
    """Speak now: 1 kHz, 0.4 s, with a little air around it."""
    return np.concatenate([_silence(0.05), _sine(1000, 0.4), _silence(0.1)])


def error() -> Wave:
    """That failed: three short low tones."""
    return np.concatenate([_sine(400, 0.12), _silence(0.06)] * 3)


def joined() -> Wave:
    """Somebody joined: a rising pair."""
    return np.concatenate([_sine(523.25, 0.12), _sine(659.26, 0.16)])


def left() -> Wave:
    """Somebody left: a falling pair."""
    return np.concatenate([_sine(659.26, 0.12), _sine(523.25, 0.16)])


def ringing() -> Wave:
    """Chinese ring-back tone: 450 Hz, 1 s on, 4 s off."""
    return np.concatenate([_sine(450, 1.0), _silence(4.0)])


def busy() -> Wave:
    """Chinese busy tone: 450 Hz, 0.35 s on and off, four times."""
    return np.concatenate([_sine(450, 0.35), _silence(0.35)] * 4)


def _plucked(hertz: float, seconds: float, level: float) -> Wave:
    """A soft struck-string sound: a few partials, the higher ones dying sooner."""
    at = np.arange(int(seconds * LINE_RATE)) / LINE_RATE
    voice = np.zeros_like(at)
    for partial, share in enumerate((1.0, 0.35, 0.12, 0.05), start=1):
        if hertz * partial < 3300:
            voice += share * np.sin(2 * np.pi * hertz * partial * at) * np.exp(-at * (1.1 + 0.9 * partial))
    rise = np.minimum(1.0, at / 0.012)
    return (level * voice * rise).astype(np.float32)


# Own melody in the pentatonic scale on C (C D E G A), 12 bars of 4 beats; '.' lasts on.
_MELODY = (
    *("E5", ".", "G5", ".", "A5", ".", "G5", ".", "E5", ".", "D5", ".", "C5", ".", ".", "."),
    *("D5", ".", "E5", ".", "G5", ".", "E5", ".", "D5", ".", "C5", ".", "A4", ".", ".", "."),
    *("C5", ".", "D5", ".", "E5", ".", "G5", ".", "A5", ".", "G5", "E5", "D5", ".", ".", "."),
)
_CHORDS = ("C3 G3 E4", "A3 E4 C4", "G3 D4 B3", "C3 G3 E4", "F3 C4 A3", "C3 G3 E4") * 2
_BEAT = 0.5
_NOTES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def _hertz(note: str) -> float:
    semitones = _NOTES[note[0]] + 12 * (int(note[1]) - 4) - 9
    return float(440 * 2 ** (semitones / 12))


def gentle() -> Wave:
    """24 s of hold music that loops without a seam: tails that pass the end sound at the beginning."""
    total = int(len(_MELODY) * _BEAT * LINE_RATE)
    sheet = np.zeros(total, dtype=np.float32)

    def strike(beat: float, note: str, seconds: float, level: float) -> None:
        sound = _plucked(_hertz(note), seconds, level)
        places = (int(beat * _BEAT * LINE_RATE) + np.arange(len(sound))) % total
        np.add.at(sheet, places, sound)

    for beat, note in enumerate(_MELODY):
        if note != ".":
            strike(beat, note, 2.4, 0.11)
    for bar, chord in enumerate(_CHORDS):
        for step, note in enumerate(chord.split()):
            strike(bar * 4 + step * 4 / 3, note, 3.0, 0.07)
    return sheet


COMPUTED: Mapping[str, Callable[[], Wave]] = {
    "beep": beep,
    "beeperr": error,
    "confbridge-join": joined,
    "confbridge-leave": left,
    "ringing": ringing,
    "busy": busy,
    "gentle": gentle,
}
"""Prompt id -> how its sound is computed."""
