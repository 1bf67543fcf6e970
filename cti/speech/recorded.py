"""Recordings as samples: wav (PCM or A-law or mu-law), and Asterisk's headerless .alaw, .ulaw, .sln.

The standard library's wave module opens PCM only; telephone systems write A-law into wav files.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from cti.errors import Refused
from cti.speech.sound import Wave, from_alaw

PCM, ALAW, ULAW, EXTENSIBLE = 1, 6, 7, 0xFFFE
_RAW = {
    ".alaw": (ALAW, 8000), ".al": (ALAW, 8000), ".ulaw": (ULAW, 8000), ".sln": (PCM, 8000),
    ".sln16": (PCM, 16000), ".sln48": (PCM, 48000),
}  # fmt: skip
_REMEDY = "convert it: sox IN -r 8000 -c 1 -b 16 OUT.wav"


def pcm_of(path: Path) -> tuple[bytes, int]:
    """Samples (16 bit, mono, little endian; channels are mixed) and their rate.

    Raises Refused naming file and remedy.
    """
    try:
        content = path.read_bytes()
    except OSError as why:
        raise Refused(f"{path}: cannot be read: {why.strerror}") from why
    if path.suffix in _RAW and not content.startswith(b"RIFF"):
        code, rate = _RAW[path.suffix]
        return _linear(content, code, 16 if code == PCM else 8, 1, path), rate
    code, channels, rate, bits, data = _chunks(content, path)
    if not 8000 <= rate <= 48000:
        raise Refused(f"{path}: {rate} samples a second; {_REMEDY}")
    return _linear(data, code, bits, channels, path), rate


def _chunks(content: bytes, path: Path) -> tuple[int, int, int, int, bytes]:
    """Code, channels, rate, bits and samples of a wav file. A file still being written: what is there."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise Refused(f"{path}: not a wav file; {_REMEDY}")
    at, told = 12, None
    while at + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        at += 8
        if name == b"fmt " and at + 16 <= len(content):
            code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", content, at)
            if code == EXTENSIBLE and at + 26 <= len(content):
                (code,) = struct.unpack_from("<H", content, at + 24)
            told = code, channels, rate, bits
        elif name == b"data" and told is not None:
            # a recorder that has not closed the file has written 0 or nonsense for the size
            end = at + size if size and at + size <= len(content) else len(content)
            return (*told, content[at:end])
        at += size + size % 2
    raise Refused(f"{path}: no sound in it")


def _linear(data: bytes, code: int, bits: int, channels: int, path: Path) -> bytes:
    samples: Wave
    if code == ALAW and bits == 8:
        samples = from_alaw(data)
    elif code == ULAW and bits == 8:
        samples = _from_ulaw(data)
    elif code == PCM and bits == 16:
        if channels == 1:
            return data[: len(data) - len(data) % 2]
        samples = np.frombuffer(data[: len(data) - len(data) % 2], dtype="<i2").astype(np.float32)
        samples /= 32768
    else:
        raise Refused(f"{path}: {bits} bit samples of code {code}; {_REMEDY}")
    if channels not in (1, 2) or not len(samples):
        raise Refused(f"{path}: {channels} channels, {len(samples)} samples; {_REMEDY}")
    if channels == 2:
        samples = samples[: len(samples) // 2 * 2].reshape(-1, 2).mean(axis=1, dtype=np.float32)
    return np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tobytes()


def _from_ulaw(data: bytes) -> Wave:
    """G.711 mu-law."""
    code = ~np.frombuffer(data, dtype=np.uint8).astype(np.int32) & 0xFF
    size = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    linear = np.where(code & 0x80, 0x84 - size, size - 0x84)
    return (linear / 32768).astype(np.float32)
