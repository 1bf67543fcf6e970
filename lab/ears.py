"""What a recording holds, judged from the samples: this wav, silence, a tone, music.

The sample clocks of a telephone call on one machine agree, so a piece that was played is found again by
plain correlation of the waveform, whatever A-law, level, offset and a lost packet did to it. A piece
that went through a codec which keeps the spectrum only (Opus), or a browser's gain control, is found by
the course of its spectrum. Both look at the needle in short pieces that must lie one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lab.wav import RATE, parse, read, resampled

Samples = npt.NDArray[np.float64]

PIECE = 0.5
"""Seconds of one piece of the needle."""
DRIFT = 0.08
"""Seconds that neighbouring pieces may move against each other (a lost packet, a jitter buffer)."""
SAME_WAVE = 0.38
"""Correlation from which a piece in its place counts as found."""
SURE_WAVE = 0.5
"""What the pieces have to reach on average: a short needle finds one likeness by chance, not all of them."""
SAME_COURSE = 0.78
"""The same for the course of the spectrum."""
MOST = 0.7
"""Share of the loud pieces that has to be found."""
QUIET = -50.0
"""dB of full scale (rms of 20 ms) below which nobody speaks."""


@dataclass(frozen=True, slots=True)
class Match:
    """Whether a recording holds a sound; ``at`` seconds from its start; ``share`` of the pieces found."""

    found: bool
    at: float
    share: float
    level: float
    """How much louder (dB) the recording has it."""

    def __bool__(self) -> bool:
        return self.found


def listen(path: Path) -> Samples:
    """A recording at 8 kHz, also one that is still being written; empty while there is none."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return np.zeros(0)
    if len(raw) < 46:
        return np.zeros(0)
    return _array(resampled(parse(raw, str(path))).samples)


def load(path: Path) -> Samples:
    """A sound to look for. Raises BadAudio."""
    return _array(resampled(read(path)).samples)


def _array(samples: Sequence[int]) -> Samples:
    return np.asarray(samples, dtype=np.float64) / 32768.0


def contains(recording: Samples, needle: Samples) -> Match:
    """Whether the needle was played into the recording, once and in order."""
    needle = _trimmed(_band(needle))
    heard = _band(recording)
    nothing = Match(False, 0.0, 0.0, 0.0)
    if len(needle) < RATE * PIECE or len(heard) < len(needle) * MOST:
        return nothing
    best = _by_wave(heard, needle)
    return best if best.found else max(best, _by_course(heard, needle), key=lambda m: (m.found, m.share))


def _pieces(needle: Samples, length: int) -> list[tuple[int, Samples]]:
    whole = [(at, needle[at : at + length]) for at in range(0, len(needle) - length + 1, length)]
    loudest = max(float(np.mean(p**2)) for _, p in whole)
    # a piece of silence is everywhere
    return [(at, p) for at, p in whole if float(np.mean(p**2)) > loudest / 300]


def _by_wave(heard: Samples, needle: Samples) -> Match:
    length = int(PIECE * RATE)
    pieces = _pieces(needle, length)
    curves = list(_correlations(heard, [piece for _, piece in pieces]))
    reach = int(DRIFT * RATE)
    best = Match(False, 0.0, 0.0, 0.0)
    tried: set[int] = set()
    for (at, _), curve in zip(pieces, curves, strict=True):
        # Where one piece is, all the others must be in their places.
        anchor = int(np.argmax(np.abs(curve))) - at
        if any(abs(anchor - other) < reach for other in tried):
            continue
        tried.add(anchor)
        scores, gains = [], []
        moved = 0
        for (offset, piece), there in zip(pieces, curves, strict=True):
            middle = anchor + offset + moved
            low, high = max(0, middle - reach), min(len(there), middle + reach + 1)
            if low >= high:
                scores.append(0.0)
                continue
            peak = low + int(np.argmax(np.abs(there[low:high])))
            scores.append(float(abs(there[peak])))
            if scores[-1] > SAME_WAVE:
                moved += peak - middle
                gains.append(_level(heard[peak : peak + length]) - _level(piece))
        share = sum(score > SAME_WAVE for score in scores) / len(scores)
        if share > best.share:
            level = float(np.median(gains)) if gains else 0.0
            sure = share >= MOST and float(np.mean(scores)) >= SURE_WAVE
            best = Match(sure, max(0.0, anchor / RATE), share, level)
    return best


def _correlations(heard: Samples, pieces: Sequence[Samples]) -> Iterator[Samples]:
    """For pieces of one length. Normalised: 1 where the recording is the piece, whatever its level."""
    length = len(pieces[0])
    size = 1 << (len(heard) + length - 1).bit_length()
    spectrum = np.fft.rfft(heard, size)
    energy = np.concatenate(([0.0], np.cumsum(heard**2)))
    there = energy[length:] - energy[:-length]
    # digital silence is like nothing
    loud = np.maximum(there, max(1e-9, float(np.max(there)) * 1e-5))
    for piece in pieces:
        raw = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, size)), size)[: len(heard) - length + 1]
        yield raw / np.sqrt(loud * max(float(np.sum(piece**2)), 1e-12))


_HOP, _FRAME = RATE // 100, RATE // 40
_EDGES = np.geomspace(280, 3300, 15)


def _course(sound: Samples) -> Samples:
    """Energy in 14 bands every 10 ms, in dB (rows: time)."""
    count = max(0, (len(sound) - _FRAME) // _HOP + 1)
    if count == 0:
        return np.zeros((0, len(_EDGES) - 1))
    index = np.arange(_FRAME)[None, :] + _HOP * np.arange(count)[:, None]
    spectrum = np.abs(np.fft.rfft(sound[index] * np.hanning(_FRAME), 256)) ** 2
    frequency = np.fft.rfftfreq(256, 1 / RATE)
    bands = [
        spectrum[:, (frequency >= low) & (frequency < high)].sum(axis=1) for low, high in pairwise(_EDGES)
    ]
    power = np.stack(bands, axis=1)
    result: Samples = 10 * np.log10(power + max(float(power.max()) * 1e-5, 1e-9))
    return result


def _by_course(heard: Samples, needle: Samples) -> Match:
    there, pattern = _course(heard), _course(needle)
    length = 100  # one second
    if len(pattern) < length or len(there) < length:
        return Match(False, 0.0, 0.0, 0.0)
    windows = np.lib.stride_tricks.sliding_window_view(there, length, axis=0)  # time, band, window
    windows = windows - windows.mean(axis=2, keepdims=True)
    energy = np.einsum("tbw,tbw->t", windows, windows)
    scores, places = [], []
    for at in range(0, len(pattern) - length + 1, length):
        piece = pattern[at : at + length]
        piece = piece - piece.mean(axis=0)
        size = np.sqrt(energy * float(np.sum(piece**2)))
        curve = np.einsum("tbw,wb->t", windows, piece) / np.maximum(size, 1e-9)
        best = int(np.argmax(curve))
        scores.append(float(curve[best]))
        places.append(best - at)
    middle = float(np.median(places))
    good = [
        s > SAME_COURSE and abs(p - middle) < 100 * DRIFT * 2 for s, p in zip(scores, places, strict=True)
    ]
    share = sum(good) / len(good)
    return Match(share >= MOST and sum(good) >= 2, max(0.0, middle / 100), share, 0.0)


def _band(sound: Samples) -> Samples:
    """300 to 3400 Hz, what every telephone passes, without a constant."""
    if len(sound) == 0:
        return sound
    spectrum = np.fft.rfft(sound)
    frequency = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(frequency < 300) | (frequency > 3400)] = 0
    result: Samples = np.fft.irfft(spectrum, len(sound))
    return result


def _trimmed(sound: Samples) -> Samples:
    """Without silence at both ends."""
    loud = np.flatnonzero(levels(sound) > QUIET)
    if len(loud) == 0:
        return sound[:0]
    return sound[loud[0] * 160 : (loud[-1] + 1) * 160]


def _level(sound: Samples) -> float:
    return 10 * float(np.log10(np.mean(sound**2) + 1e-12)) if len(sound) else -120.0


def levels(sound: Samples) -> Samples:
    """Level of each 20 ms in dB of full scale."""
    count = len(sound) // 160
    frames = sound[: count * 160].reshape(count, 160)
    result: Samples = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    return result


def sound_seconds(sound: Samples, above: float = QUIET) -> float:
    """How long something is to be heard."""
    return float(np.count_nonzero(levels(sound) > above)) * 0.02


def silent(sound: Samples) -> bool:
    """Nothing to be heard, but for a click."""
    return sound_seconds(sound) < 0.1


def tone_seconds(sound: Samples, hertz: float) -> float:
    """How long a steady tone of this frequency (within 3 %) is heard by itself."""
    frames = _steady(sound)
    return sum(hop for peak, purity, hop in frames if abs(peak - hertz) < 0.03 * hertz and purity > 0.7)


def _steady(sound: Samples) -> list[tuple[float, float, float]]:
    size, hop = 512, 256
    found = []
    for at in range(0, len(sound) - size + 1, hop):
        frame = sound[at : at + size]
        if _level(frame) < QUIET:
            continue
        power = np.abs(np.fft.rfft(frame * np.hanning(size))) ** 2
        power[:3] = 0
        peak = int(np.argmax(power))
        share = float(power[max(0, peak - 2) : peak + 3].sum() / max(float(power.sum()), 1e-12))
        found.append((peak * RATE / size, share, hop / RATE))
    return found


def musical(sound: Samples) -> bool:
    """More held notes than a voice has: partials that stay where they are for 0.2 s, most of the time.

    Meant for a waiting caller's music against speech; noise and hum are neither.
    """
    size, hop = 1024, 256
    held = loud = 0
    before: list[frozenset[int]] = []
    for at in range(0, len(sound) - size + 1, hop):
        frame = sound[at : at + size]
        if _level(frame) < QUIET:
            before.clear()
            continue
        power = np.abs(np.fft.rfft(frame * np.hanning(size)))
        inner = power[1:-1]
        peaks = np.flatnonzero((inner > power[:-2]) & (inner >= power[2:]) & (inner > power.max() * 0.2)) + 1
        before.append(frozenset(int(p) for p in peaks))
        if len(before) >= 7:
            recent = before[-7:]
            stays = [p for p in recent[0] if all({p - 1, p, p + 1} & other for other in recent[1:])]
            loud += 1
            # noise has a peak everywhere, and so always one that seems to stay
            held += bool(stays) and len(recent[0]) < 40
    return loud > 20 and held / loud > 0.6
