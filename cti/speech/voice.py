"""The voice that speaks Mandarin prompts: Kokoro-82M (quantised ONNX), phonemes by misaki.

Measured: about half of real time on one core. The same text gives the same samples on one
machine (the graph holds no random operation); other processors may differ in the last bits, so a prompt is
"changed" when its key differs, never because its samples do.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cti.errors import NotNow, Refused
from cti.speech.sound import Wave, faded, trimmed

SPEAKER = "zf_xiaoyi"
"""Of the eight Mandarin voices the one the recogniser reads back best (5.0 % of characters)."""
RATE = 24000
BREATH = 0.22
"""Seconds between two sentences."""
MOST_TOKENS = 500
"""The model takes 510 phoneme tokens; the voice's style table has 510 rows."""

DOMAIN_WORDS = (
    "井号键",
    "星号键",
    "话务员",
    "来电人",
    "坐席",
    "专席",
    "工单",
    "便民热线",
    "提示音",
    "回铃音",
)
"""Words the general dictionary cuts wrongly, which moves the pauses (按井|号键)."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A text to speak, and how."""

    text: str
    style: int | None = None
    speed: float = 1.0
    stop: str | None = None
    keep: tuple[float, float] | None = None


class Voice(Protocol):
    """Text -> speech."""

    name: str

    def say(self, utterance: Utterance) -> tuple[Wave, int]:
        """The spoken text, trimmed, and its sample rate. Raises Refused for a text it cannot speak."""
        ...


class Kokoro:
    """Kokoro-82M with one speaker. Loading takes 1-3 s and 300 MB; not for the event loop."""

    def __init__(self, folder: Path, speaker: str = SPEAKER, threads: int = 2) -> None:
        """Raises NotNow when model or packages are missing, saying how to get them."""
        model, style = folder / "kokoro-quantized.onnx", folder / f"{speaker}.bin"
        for file in (model, style, folder / "tokenizer.json"):
            if not file.is_file():
                raise NotNow(f"the voice is not here ({file}); get it: cti prompts fetch")
        try:
            import jieba
            import onnxruntime
            from misaki.zh import ZHG2P
        except ImportError as why:
            raise NotNow(
                f"the voice needs the package {why.name} (Python < 3.13): pip install 'hotline12345[voice]'"
            ) from why
        jieba.setLogLevel(logging.WARNING)
        for word in DOMAIN_WORDS:
            jieba.add_word(word)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.name = f"kokoro-82m {speaker}"
        self._session: Any = onnxruntime.InferenceSession(str(model), options)
        vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
        self._tokens: dict[str, int] = vocabulary
        self._styles = np.fromfile(style, dtype="<f4").reshape(-1, 1, 256)
        self._phonemes: Any = ZHG2P()

    def say(self, utterance: Utterance) -> tuple[Wave, int]:
        parts: list[Wave] = []
        for sentence in sentences(utterance.text):
            if parts:
                parts.append(np.zeros(int(BREATH * RATE), dtype=np.float32))
            parts.append(trimmed(self._sentence(sentence, utterance), RATE))
        if not parts:
            raise Refused(f"nothing to speak in {utterance.text!r}")
        whole = np.concatenate(parts)
        if utterance.keep is not None:
            first, last = (int(seconds * RATE) for seconds in utterance.keep)
            return faded(whole[first:last], RATE, seconds=0.02), RATE
        return faded(whole, RATE), RATE

    def _sentence(self, text: str, how: Utterance) -> Wave:
        if how.stop is not None:
            text = text.rstrip("。！？，") + how.stop
        phonemes, _ = self._phonemes(text)
        tokens = [self._tokens[p] for p in phonemes if p in self._tokens]
        if not tokens:
            raise Refused(f"the voice speaks Mandarin only: {text!r}")
        if len(tokens) > MOST_TOKENS:
            raise Refused(f"a sentence is too long for the voice ({len(text)} characters): {text[:20]}…")
        row = len(tokens) if how.style is None else how.style
        (spoken,) = self._session.run(
            ["waveform"],
            {
                "input_ids": np.array([[0, *tokens, 0]], dtype=np.int64),
                "style": self._styles[row],
                "speed": np.array([how.speed], dtype=np.float32),
            },
        )
        wave: Wave = spoken[0].astype(np.float32)
        return wave


def sentences(text: str) -> list[str]:
    """The text cut after 。！？； — the voice speaks one sentence better than three."""
    return [s.strip() for s in re.findall(r"[^。！？；]+[。！？；]*", text) if s.strip("。！？；，、 ")]
