"""Reading prompts back: what does a recogniser hear in the sound that callers will hear?

Vosk with its small Mandarin model listens to the very A-law bytes. Short words are read against a
grammar of the words that could stand there, sentences freely. The measure is the character error
rate (CER), and the syllable error rate (SER), for which a homophone is right: a caller hears sounds,
and the model has no context to spell a lone 是 or 市.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cti.errors import NotNow
from cti.speech.sound import LINE_RATE, from_alaw

WORST_SER = 0.25
"""A sentence fails above this: one syllable in four unheard. The model itself errs on 14.6 % of characters of
clean human speech after A-law, and the shortest sentences have four syllables, so one doubtful syllable
must not fail them; two of eight mean a word was lost."""
WORST_WORD = 0.0
"""A word said alone (digit, month, minute) fails unless it is read exactly from its grammar: nothing
around it would help the caller to guess it."""

GRAMMAR_KINDS = frozenset({"digits", "clock"})


@dataclass(frozen=True, slots=True)
class Heard:
    """What was made of one prompt."""

    text: str
    cer: float
    ser: float
    lost: str = ""
    """A quantity (三位, 十五分钟) that was spoken and not heard, by sound: the point of such a prompt."""

    def passes(self, kind: str) -> bool:
        """Whether a caller would have understood."""
        return not self.lost and self.ser <= (WORST_WORD if kind in GRAMMAR_KINDS else WORST_SER)


class Reader:
    """The recogniser. Loading takes 1 s and 150 MB."""

    def __init__(self, folder: Path) -> None:
        """Raises NotNow when the model or the package is missing."""
        if not (folder / "am" / "final.mdl").is_file():
            raise NotNow(f"the recogniser's model is not here ({folder}); get it: cti prompts fetch")
        try:
            import vosk
        except ImportError as why:
            raise NotNow("reading back needs the package vosk: pip install 'hotline12345[speech]'") from why
        vosk.SetLogLevel(-2)
        self._vosk: Any = vosk
        self._model: Any = vosk.Model(str(folder))

    def read(self, alaw: bytes, words: Sequence[str] = ()) -> str:
        """The characters heard, without spaces; with ``words``, the likeliest of them."""
        if words:
            # escaped characters would be dropped silently: ensure_ascii=False
            grammar = json.dumps([*map(self._known, words), "[unk]"], ensure_ascii=False)
            recogniser = self._vosk.KaldiRecognizer(self._model, LINE_RATE, grammar)
        else:
            recogniser = self._vosk.KaldiRecognizer(self._model, LINE_RATE)
        quiet = np.zeros(LINE_RATE // 2, dtype=np.float32)
        sound = np.concatenate([quiet, from_alaw(alaw), quiet])
        recogniser.AcceptWaveform((sound * 32767).astype("<i2").tobytes())
        return re.sub(r"\s", "", str(json.loads(recogniser.FinalResult())["text"]))

    def _known(self, word: str) -> str:
        """The word as the model's vocabulary has it: one it lacks (星号) goes in by its characters."""
        return word if self._model.vosk_model_find_word(word) >= 0 else " ".join(word)

    def check(self, alaw: bytes, expected: str, words: Sequence[str] = ()) -> Heard:
        """Read ``alaw`` and compare with the text that was spoken."""
        heard = self.read(alaw, words)
        want, got = characters(expected), characters(heard)
        rates = error_rate(want, got), error_rate(syllables(want), syllables(got))
        return Heard(heard, *rates, lost=lost_quantity(want, got))


def characters(text: str) -> str:
    """Chinese characters only; 幺 counts as 一, which the model writes for it."""
    return re.sub(r"[^\u4e00-\u9fff]", "", text).replace("幺", "一")


def syllables(text: str) -> list[str]:
    """The toneless syllable of each character (8 kHz and a short word leave little of the tone).

    Needs pypinyin, which comes with the voice; without it characters are compared.
    """
    try:
        from pypinyin import lazy_pinyin
    except ImportError:
        return list(text)
    return list(lazy_pinyin(text))


def lost_quantity(want: str, got: str) -> str:
    """The first number before 位 or 分钟 in ``want`` whose syllables are not in ``got``.

    The syllable before it counts too, or 三位 would be found in 十三位.
    """
    sounded = f" {' '.join(syllables(got))} "
    for quantity in re.findall(r".?[零一二两三四五六七八九十]+(?:位|分钟)", want):
        if f" {' '.join(syllables(quantity))} " not in sounded:
            return str(quantity)
    return ""


def error_rate(want: Sequence[str], got: Sequence[str]) -> float:
    """Levenshtein distance over the wanted length."""
    row = list(range(len(got) + 1))
    for i, wanted in enumerate(want, 1):
        above, row[0] = row[0], i
        for j, found in enumerate(got, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (wanted != found))
    return row[-1] / max(1, len(want))
