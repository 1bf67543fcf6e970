"""The lab's ears find what was said and only that: after A-law, at any level, with losses, in noise."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from lab import ears
from lab.babble import babble
from lab.ears import Samples

SEEDS = range(8)


@functools.cache
def voice(seed: int) -> Samples:
    return np.asarray(babble(seed, 3.5 + 0.5 * (seed % 3)).samples, dtype=np.float64) / 32768


def alaw(sound: Samples) -> Samples:
    """The companding of G.711 as a curve with 8 bits (A = 87.6)."""
    a = 87.6
    size = np.abs(np.clip(sound, -1, 1))
    small = size < 1 / a
    bent = np.where(small, a * size, 1 + np.log(np.maximum(a * size, 1e-9))) / (1 + np.log(a))
    bent = np.round(bent * 127) / 127
    straight = np.where(
        bent < 1 / (1 + np.log(a)), bent * (1 + np.log(a)) / a, np.exp(bent * (1 + np.log(a)) - 1) / a
    )
    result: Samples = np.sign(sound) * straight
    return result


def telephone(sound: Samples, gain: float = 1.0, before: float = 1.3, noise: float = 0.001) -> Samples:
    chance = np.random.default_rng(len(sound))
    quiet = np.zeros(int(before * 8000))
    whole = np.concatenate([quiet, sound * gain, np.zeros(6000)])
    return alaw(whole + chance.normal(0, noise, len(whole)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("gain", [0.05, 0.3, 1.0])
def test_what_was_said_is_found_where_and_how_loud_it_was(seed: int, gain: float) -> None:
    match = ears.contains(telephone(voice(seed), gain), voice(seed))
    assert match.found
    assert abs(match.at - 1.3) < 0.25
    assert abs(match.level - 20 * np.log10(gain)) < 2.5


@pytest.mark.parametrize("seed", SEEDS)
def test_what_others_said_is_not_found(seed: int) -> None:
    heard = telephone(voice(seed))
    assert [other for other in SEEDS if other != seed and ears.contains(heard, voice(other))] == []


def test_a_voice_under_another_is_found_and_a_third_is_not() -> None:
    mix = voice(0)[:24000] * 0.5 + voice(1)[:24000] * 0.5
    heard = telephone(mix)
    assert ears.contains(heard, voice(0)[:24000])
    assert ears.contains(heard, voice(1)[:24000])
    assert not ears.contains(heard, voice(2)[:24000])


def test_lost_and_late_packets_do_not_hide_it() -> None:
    said = voice(3)
    torn = np.concatenate([said[:9000], said[9160:16000], np.zeros(160), said[16000:]])
    assert ears.contains(telephone(torn), said)


def test_half_of_it_is_not_it() -> None:
    said = voice(4)
    match = ears.contains(telephone(said[: len(said) // 2]), said)
    assert not match.found
    assert match.share < 0.7


def test_a_voice_whose_waveform_is_gone_is_found_by_its_course() -> None:
    said = voice(5)
    spectrum = np.fft.rfft(said)
    turned = np.fft.irfft(spectrum * np.exp(1j * 2.5 * np.sin(np.arange(len(spectrum)) / 900)), len(said))
    heard = telephone(turned)
    assert ears.contains(heard, said).found
    assert not ears.contains(heard, voice(6)).found


def test_nothing_is_found_in_nothing() -> None:
    assert not ears.contains(np.zeros(0), voice(0))
    assert not ears.contains(np.zeros(80000), voice(0))
    assert not ears.contains(telephone(voice(0)), np.zeros(30000))


def test_silence_is_silence_and_a_quiet_voice_is_not() -> None:
    chance = np.random.default_rng(1)
    assert ears.silent(chance.normal(0, 0.0005, 16000))
    assert not ears.silent(voice(0) * 0.05)


def test_a_tone_is_told_from_a_voice_and_from_another_tone() -> None:
    time = np.arange(16000) / 8000
    ringback = 0.2 * np.sin(2 * np.pi * 450 * time)  # GB/T 3380: 450 Hz
    assert ears.tone_seconds(ringback, 450) > 1.8
    assert ears.tone_seconds(ringback, 1000) == 0
    assert ears.tone_seconds(voice(0), 450) < 0.2


def test_music_is_told_from_voices() -> None:
    time = np.arange(8 * 8000) / 8000
    notes = np.zeros(len(time))
    for start, hertz in zip(range(0, 8), (392, 494, 587, 784, 659, 523, 440, 392), strict=True):
        part = (time >= start) & (time < start + 1)
        fade = np.exp(-1.5 * (time[part] - start))
        notes[part] = (
            0.3
            * fade
            * (np.sin(2 * np.pi * hertz * time[part]) + 0.5 * np.sin(6.2832 * 2 * hertz * time[part]))
        )
    assert ears.musical(notes)
    assert not any(ears.musical(voice(seed)) for seed in SEEDS)
    assert not ears.musical(np.random.default_rng(2).normal(0, 0.1, 40000))
