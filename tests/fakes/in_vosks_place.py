"""In the place of the package vosk: where there is a voice it hears what ``says.txt`` of its model says.

Put on PYTHONPATH as ``vosk.py`` it runs in the service's own recogniser processes, behind real taps of real
calls. It ends no span before the sound is over, so what is known earlier is known from unfinished text.
"""

from __future__ import annotations

import array
import json
from pathlib import Path

LOUD = 500
"""Of 32768: the loudest sample of a block in which somebody speaks."""
ENOUGH = 0.5
"""Seconds of a voice until it is understood."""


def SetLogLevel(level: int) -> None:
    """Nothing is logged."""


class Model:
    def __init__(self, folder: str) -> None:
        self.says = (Path(folder) / "says.txt").read_text("utf-8").split()


class KaldiRecognizer:
    def __init__(self, model: Model, rate: float, grammar: str = "") -> None:
        self._says, self._rate = model.says, rate
        self._heard, self._voice = 0.0, 0.0

    def SetWords(self, wanted: bool) -> None:
        """They are always told."""

    def AcceptWaveform(self, pcm: bytes) -> bool:
        seconds = len(pcm) / 2 / self._rate
        self._heard += seconds
        if max(map(abs, array.array("h", pcm[: len(pcm) // 2 * 2])), default=0) > LOUD:
            self._voice += seconds
        return False

    def PartialResult(self) -> str:
        return json.dumps({"partial": " ".join(self._says) if self._voice > ENOUGH else ""})

    def FinalResult(self) -> str:
        if self._voice <= ENOUGH:
            return json.dumps({"text": ""})
        each = self._heard / len(self._says)
        words = [
            {"word": word, "start": n * each, "end": (n + 1) * each, "conf": 0.9}
            for n, word in enumerate(self._says)
        ]
        return json.dumps({"text": " ".join(self._says), "result": words})
