"""Sound as numbers: what happens to a voice between the model and the telephone line.

A wave is mono float32 in -1..1 at a stated rate. Telephone audio is 8 kHz A-law (ITU-T G.711),
kept without a header as ``.alaw``; Asterisk is given the same as linear samples (``shelf.PLAYED``).
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from cti.errors import Refused
from cti.speech.alaw import linear

Wave: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"

LINE_RATE = 8000
LOUDNESS = -19.0
"""Speech level after normalising, dBov over the voiced parts (ITU-T P.56 in spirit: pauses do not count).
Carriers expect active speech near -20 dBov; one dB more helps the old listener and leaves room for peaks."""
CEILING = 10 ** (-1.5 / 20)
"""No sample above -1.5 dBov: A-law clips at full scale and its steps are coarsest there."""
FRAME = 0.010
"""Seconds of one frame in which loudness is judged."""


def to_line_rate(sound: Wave, rate: int) -> Wave:
    """The same sound at 8 kHz, band-limited to the 300-3400 Hz telephone band's upper edge.

    Windowed-sinc low pass, then linear picking of the (already smooth) samples. Any rate >= 8000.
    """
    if rate < LINE_RATE:
        raise Refused(f"a sound of {rate} Hz is poorer than the telephone: record it at 8000 Hz or more")
    if rate == LINE_RATE:
        return sound.astype(np.float32)
    taps = 2 * int(2.0 * rate / 1000) + 1
    at = np.arange(taps) - (taps - 1) / 2
    cut = 3600 / rate
    kernel = 2 * cut * np.sinc(2 * cut * at) * np.kaiser(taps, 7.0)
    smooth = np.convolve(sound, kernel / kernel.sum(), "same")
    wanted = np.arange(int(len(sound) * LINE_RATE / rate)) * (rate / LINE_RATE)
    picked: Wave = np.interp(wanted, np.arange(len(smooth)), smooth).astype(np.float32)
    return picked


def _levels(sound: Wave, rate: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Level of each frame in dBov (a full-scale square wave is 0)."""
    size = int(rate * FRAME)
    frames = sound[: len(sound) // size * size].reshape(-1, size).astype(np.float64)
    if not len(frames):
        return np.full(1, -120.0)
    levels: np.ndarray[Any, np.dtype[np.float64]] = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    return levels


def loudness(sound: Wave, rate: int = LINE_RATE) -> float:
    """Level in dBov of the frames that are speech: those within 25 dB of the loudest."""
    levels = _levels(sound, rate)
    voiced = levels[levels > np.max(levels) - 25]
    return float(10 * np.log10(np.mean(10 ** (voiced / 10))))


def spans(sound: Wave, rate: int, pause: float, floor: float = -38.0) -> list[tuple[int, int]]:
    """The stretches of sound between pauses of at least ``pause`` seconds, as sample ranges.

    A frame is silent when it lies ``-floor`` dB below the loudest one.
    """
    levels = _levels(sound, rate)
    loud = np.flatnonzero(levels > np.max(levels) + floor)
    size = int(rate * FRAME)
    found: list[tuple[int, int]] = []
    for frame in loud.tolist():
        if found and (frame - found[-1][1]) * FRAME < pause:
            found[-1] = (found[-1][0], frame + 1)
        else:
            found.append((frame, frame + 1))
    return [(first * size, last * size) for first, last in found]


def trimmed(sound: Wave, rate: int, before: float = 0.03, after: float = 0.08) -> Wave:
    """Without the silence at both ends, but ``before`` and ``after`` seconds of it, softly faded."""
    found = spans(sound, rate, pause=0.2)
    first = max(0, found[0][0] - int(before * rate))
    last = min(len(sound), found[-1][1] + int(after * rate))
    return faded(sound[first:last], rate)


def faded(sound: Wave, rate: int, seconds: float = 0.01) -> Wave:
    """The same with a short ramp at both ends, so that nothing clicks."""
    size = min(int(seconds * rate), len(sound) // 2)
    ramp = np.linspace(0, 1, size, dtype=np.float32)
    shaped = sound.astype(np.float32).copy()
    shaped[:size] *= ramp
    shaped[len(shaped) - size :] *= ramp[::-1]
    return shaped


def normalised(sound: Wave, rate: int = LINE_RATE, level: float = LOUDNESS) -> Wave:
    """At ``level`` dBov; the few peaks above the ceiling are bent, not cut."""
    gained = sound * 10 ** ((level - loudness(sound, rate)) / 20)
    knee = CEILING * 0.7
    over = np.abs(gained) > knee
    bent = knee + (CEILING - knee) * np.tanh((np.abs(gained) - knee) / (CEILING - knee))
    return np.where(over, np.sign(gained) * bent, gained).astype(np.float32)


_SEGMENT_ENDS = np.array([0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF, 0x1FFF, 0x3FFF, 0x7FFF])


def alaw(sound: Wave) -> bytes:
    """G.711 A-law, one byte a sample."""
    pcm = np.clip(np.round(sound * 32767), -32768, 32767).astype(np.int32)
    size = np.where(pcm >= 0, pcm, -pcm - 1)
    segment = np.minimum(np.searchsorted(_SEGMENT_ENDS, size), 7)
    step = np.where(segment < 2, size >> 4, size >> (segment + 3)) & 0x0F
    code = (segment << 4) | step
    result: bytes = (code ^ np.where(pcm >= 0, 0xD5, 0x55)).astype(np.uint8).tobytes()
    return result


def from_alaw(data: bytes) -> Wave:
    """The wave an A-law telephone plays for these bytes."""
    return (np.frombuffer(linear(data), dtype="<i2") / 32768).astype(np.float32)


_REMEDY = "convert it: sox IN -r 8000 -c 1 -b 16 OUT.wav"


def read_wav(path: Path) -> tuple[Wave, int]:
    """A recorded PCM wav (16 bit, any rate >= 8 kHz; several channels are mixed) and its rate.

    Raises Refused naming the file and what to do.
    """
    try:
        with wave.open(str(path), "rb") as file:
            rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as why:
        raise Refused(f"{path}: not a PCM wav file ({why}); {_REMEDY}") from why
    if width != 2:
        raise Refused(f"{path}: {8 * width} bit samples; {_REMEDY}")
    if not data:
        raise Refused(f"{path}: no sound in it")
    pcm = np.frombuffer(data, dtype="<i2").reshape(-1, channels).mean(axis=1)
    return (pcm / 32768).astype(np.float32), rate


def write_wav(path: Path, sound: Wave, rate: int = LINE_RATE) -> None:
    """Write a 16-bit mono wav."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(np.round(sound * 32767), -32768, 32767).astype("<i2").tobytes())
