"""ITU-T G.711 A-law to linear samples, without numpy: prompts are laid out on machines that have none."""

from __future__ import annotations


def _linear(code: int) -> int:
    """One A-law byte as a 16 bit sample (ITU-T G.711)."""
    code ^= 0x55
    segment, size = (code & 0x70) >> 4, ((code & 0x0F) << 4) + 8
    size = size if segment == 0 else (size + 0x100) << (segment - 1)
    return size if code & 0x80 else -size


_LOW = bytes(_linear(code) & 0xFF for code in range(256))
_HIGH = bytes(_linear(code) >> 8 & 0xFF for code in range(256))


def linear(alaw: bytes) -> bytes:
    """The same sound as 16 bit samples, little endian."""
    samples = bytearray(2 * len(alaw))
    samples[0::2], samples[1::2] = alaw.translate(_LOW), alaw.translate(_HIGH)
    return bytes(samples)
