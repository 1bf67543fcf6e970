"""What the lab's people say: WAV files beside their texts (voices.toml)."""

from __future__ import annotations

import struct
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent


def citizens() -> list[Path]:
    """The words of citizens; empty when the files are not there."""
    return sorted(p for p in FOLDER.glob("*.wav") if p.stem != "agent")


def agent() -> Path | None:
    """What a seat says when nobody told it what."""
    path = FOLDER / "agent.wav"
    return path if path.exists() else None


def make(models: Path) -> list[Path]:
    """Speak every text anew. Needs the extra ``voice`` and its model (``cti prompts fetch``)."""
    from asterisk_conf.prompts import spoken
    from cti.speech.sound import alaw, normalised, to_line_rate
    from cti.speech.voice import Kokoro, Utterance

    voice = Kokoro(models)
    written = []
    for name, told in tomllib.loads((FOLDER / "voices.toml").read_text()).items():
        sound, rate = voice.say(Utterance(spoken(told["zh"])))
        # played at another speed it is another person
        data = alaw(normalised(to_line_rate(sound, round(rate * told["pitch"]))))
        path = FOLDER / f"{name}.wav"
        path.write_bytes(alaw_wav(data))
        written.append(path)
    return written


def alaw_wav(data: bytes) -> bytes:
    """A-law samples as a WAV file (format tag 6, 8 kHz, one channel)."""
    head = struct.pack("<HHIIHHH", 6, 1, 8000, 8000, 1, 8, 0)
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body
