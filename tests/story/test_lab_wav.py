"""Whatever WAV a person has becomes what a telephone plays, or a message that says what to do."""

from __future__ import annotations

import array
import io
import itertools
import math
import struct
import wave
from pathlib import Path

import pytest

from lab.wav import BadAudio, Sound, complete, for_phones, parse, read, resampled, write


def tone(rate: int, seconds: float, hertz: float = 440.0, size: int = 9000) -> array.array[int]:
    count = int(rate * seconds)
    return array.array("h", (int(size * math.sin(2 * math.pi * hertz * n / rate)) for n in range(count)))


def loudness(samples: array.array[int]) -> float:
    return math.sqrt(sum(x * x for x in samples) / len(samples))


def wav_bytes(rate: int, channels: int, frames: bytes, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(frames)
    return file.getvalue()


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_any_rate_keeps_length_pitch_and_level(rate: int) -> None:
    sound = resampled(Sound(rate, tone(rate, 0.5)))
    assert sound.rate == 8000
    assert abs(sound.seconds - 0.5) < 0.01
    middle = sound.samples[400:-400]
    crossings = sum(a < 0 <= b for a, b in itertools.pairwise(middle))
    assert abs(crossings / (len(middle) / 8000) - 440) < 8
    assert 0.9 < loudness(middle) / (9000 / math.sqrt(2)) < 1.1


def test_what_a_telephone_cannot_carry_does_not_fold_back() -> None:
    sound = resampled(Sound(16000, tone(16000, 0.5, hertz=6000)))
    assert loudness(sound.samples[400:-400]) < 90


def test_two_channels_are_heard_as_one() -> None:
    left, right = tone(8000, 0.1, 300), tone(8000, 0.1, 900)
    frames = b"".join(struct.pack("<hh", a, b) for a, b in zip(left, right, strict=True))
    sound = parse(wav_bytes(8000, 2, frames))
    assert sound.samples[7] == (left[7] + right[7]) // 2
    assert len(sound.samples) == 800


def test_the_law_codes_of_g711_are_read() -> None:
    head = struct.pack("<HHIIHH", 6, 1, 8000, 8000, 1, 8)
    raw = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", 4)
    # G.711 table 1a: 0xd5 is the smallest positive step, 0xaa the largest, 0x55 and 0x2a their negatives
    assert list(parse(raw + b"\xd5\xaa\x55\x2a").samples) == [8, 32256, -8, -32256]
    raw = raw.replace(struct.pack("<HH", 6, 1), struct.pack("<HH", 7, 1))
    assert list(parse(raw + b"\xff\x80\x7f\x00").samples) == [0, 32124, 0, -32124]


def test_a_file_still_being_written_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    raw = wav_bytes(8000, 1, tone(8000, 1.0).tobytes())
    growing = raw[:40] + struct.pack("<I", 0) + raw[44:4044]
    assert len(parse(growing).samples) == 2000
    path = tmp_path / "growing.wav"
    path.write_bytes(growing)
    assert not complete(path)
    path.write_bytes(raw)
    assert complete(path)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"ID3\x04 an mp3", "not a WAV file"),
        (b"", "not a WAV file"),
        (b"RIFF\x24\0\0\0WAVE", "no audio in it"),
        (wav_bytes(8000, 1, b"\0" * 300, width=3), "24-bit"),
        (wav_bytes(8000, 6, b"\0" * 1200), "6 channels"),
    ],
)
def test_what_cannot_be_played_is_refused_with_a_remedy(raw: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(raw)
    with pytest.raises(BadAudio, match=says) as refused:
        read(path)
    assert str(path) in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match=r"none\.wav: No such file"):
        for_phones(tmp_path / "none.wav", tmp_path)


def test_a_file_is_converted_once_for_each_content(tmp_path: Path) -> None:
    source = tmp_path / "a.wav"
    write(source, Sound(16000, tone(16000, 0.2)))
    first = for_phones(source, tmp_path / "out")
    assert read(first).rate == 8000
    assert for_phones(source, tmp_path / "out") == first
    write(source, Sound(16000, tone(16000, 0.3)))
    assert for_phones(source, tmp_path / "out") != first
