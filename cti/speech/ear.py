"""The recogniser as a port: sound in, spans with word times and confidences out.

What it says is vosk's own text, letter by letter; nothing is mended here. Only beside it, where a span sounds
like a telephone number, the same sound is decoded a second time with a grammar of digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from cti.errors import NotNow
from recording.draft.digits import DIGIT, SOUNDS_LIKE
from recording.recognised import Recognised, Speaker, Word

DIGIT_WORDS = ("零", "一", "二", "三", "四", "五", "六", "七", "八", "九", "幺")
LEAST_DIGITS = 7
"""So many characters from the first digit to the last make a span worth a second look …"""
CLEAR_DIGITS = 4
"""… with so many of them plain digits."""
FOREIGN_WORDS = 3
"""So many words that are no digits may stand between two that are."""
GAP_SECONDS = 2.5
"""Longest stretch without a digit inside one number."""
KEPT_SECONDS = 30.0
"""Of sound kept for the second look; a number is told in less."""
BLOCK = 4000


class Listener(Protocol):
    """One voice being listened to."""

    def hear(self, pcm: bytes) -> list[Recognised]:
        """Take sound (16 bit, mono, little endian); the spans that ended in it."""
        ...

    def partial(self) -> str:
        """What was understood of the span that has not ended."""
        ...

    def finish(self) -> list[Recognised]:
        """The sound is over: the last span, if there is one."""
        ...


class Ear(Protocol):
    """A recogniser with its model loaded. Several listeners share it; each belongs to one thread."""

    name: str

    def listen(self, rate: int, speaker: Speaker = "", offset: float = 0.0) -> Listener:
        """Begin with a voice; ``offset``: seconds from the call's start to its first sample."""
        ...


class Vosk:
    """Vosk with one model (150 MB, a second to load). Not for the event loop: bursts of 250 ms."""

    def __init__(self, folder: Path) -> None:
        """Raises NotNow when the model or the package is missing, saying how to get it."""
        if not (folder / "am" / "final.mdl").is_file():
            raise NotNow(f"the recogniser's model is not here ({folder}); get it: cti speech fetch")
        try:
            import vosk
        except ImportError as why:
            raise NotNow("listening needs the package vosk: pip install 'hotline12345[speech]'") from why
        vosk.SetLogLevel(-2)
        self.name = f"vosk {folder.name}"
        self._vosk: Any = vosk
        self._model: Any = vosk.Model(str(folder))

    def listen(self, rate: int, speaker: Speaker = "", offset: float = 0.0) -> VoskListener:
        recogniser = self._vosk.KaldiRecognizer(self._model, rate)
        recogniser.SetWords(True)
        return VoskListener(self, recogniser, rate, speaker, offset)

    def digits(self, pcm: bytes, rate: int) -> str:
        """The digits in a stretch of sound, everything else left out."""
        # escaped characters would be dropped with only a line in vosk's log: ensure_ascii=False
        grammar = json.dumps([*DIGIT_WORDS, "[unk]"], ensure_ascii=False)
        recogniser = self._vosk.KaldiRecognizer(self._model, rate, grammar)
        recogniser.AcceptWaveform(pcm)
        text = json.loads(recogniser.FinalResult())["text"]
        return "".join(DIGIT[c] for c in text if c in DIGIT)


class VoskListener:
    """One stream through vosk."""

    def __init__(self, ear: Vosk, recogniser: Any, rate: int, speaker: Speaker, offset: float) -> None:
        self._ear, self._recogniser = ear, recogniser
        self._rate, self._speaker, self._offset = rate, speaker, offset
        self._sound = bytearray()
        self._sound_from = 0.0
        """Second of the stream at which the kept sound begins."""

    def hear(self, pcm: bytes) -> list[Recognised]:
        self._keep(pcm)
        if self._recogniser.AcceptWaveform(pcm):
            return self._spans(self._recogniser.Result())
        return []

    def partial(self) -> str:
        # right after the end of a span vosk answers without the word
        return str(json.loads(self._recogniser.PartialResult()).get("partial", ""))

    def finish(self) -> list[Recognised]:
        return self._spans(self._recogniser.FinalResult())

    def _keep(self, pcm: bytes) -> None:
        self._sound += pcm
        extra = len(self._sound) - int(KEPT_SECONDS * self._rate) * 2
        if extra > 0:
            extra += extra % 2
            del self._sound[:extra]
            self._sound_from += extra / 2 / self._rate

    def _spans(self, result: str) -> list[Recognised]:
        span = span_of(result, self._speaker, self._offset)
        if span is None:
            return []
        if stretch := number_stretch(span):
            first, last = (seconds - self._offset - self._sound_from for seconds in stretch)
            part = self._sound[
                2 * max(0, int((first - 0.15) * self._rate)) : 2 * int((last + 0.25) * self._rate)
            ]
            # half a second of silence: a decoder needs an end
            digits = self._ear.digits(bytes(part) + bytes(self._rate), self._rate) if part else ""
            span = replace(span, digits=digits)
        return [span]


def span_of(result: str, speaker: Speaker = "", offset: float = 0.0) -> Recognised | None:
    """A result of vosk (JSON, words asked for) as a span; None when nothing was said."""
    told = json.loads(result)
    words = tuple(
        Word(w["word"], round(w["start"] + offset, 3), round(w["end"] + offset, 3), w["conf"])
        for w in told.get("result", ())
    )
    if not words:
        return None
    sure = sum(word.confidence for word in words) / len(words)
    return Recognised(told["text"], words[0].start, words[-1].end, round(sure, 3), speaker, words)


def number_stretch(span: Recognised) -> tuple[float, float] | None:
    """From..to of what may be a telephone number, in seconds of the call; None with too few clear digits.

    Free decoding makes words of digits (八五六 -> 班和只有), so a few words between digits belong to it.
    """
    best: tuple[int, int, int] = (0, 0, 0)
    first, last, clear = -1, -1, 0
    for place, word in enumerate(span.words):
        if not all(char in DIGIT or char in SOUNDS_LIKE for char in word.text):
            continue
        far = first >= 0 and (
            place - last > FOREIGN_WORDS + 1 or word.start - span.words[last].end > GAP_SECONDS
        )
        if first < 0 or far:
            first, clear = place, 0
        last = place
        clear += sum(char in DIGIT for char in word.text)
        best = max(best, (clear, first, last))
    clear, first, last = best
    length = sum(len(word.text) for word in span.words[first : last + 1])
    if clear < CLEAR_DIGITS or length < LEAST_DIGITS:
        return None
    after = span.words[last + 1 : last + 3]
    end = max((w.end for w in after if w.start - span.words[last].end < 1.0), default=span.words[last].end)
    before = span.words[max(0, first - 1) : first]
    return (before[0].start if before else span.words[first].start), end


def heard(
    ear: Ear, pcm: bytes, rate: int, speaker: Speaker = "", offset: float = 0.0
) -> Iterator[Recognised]:
    """All spans of a whole recording, as they end."""
    listener = ear.listen(rate, speaker, offset)
    for at in range(0, len(pcm), 2 * BLOCK):
        yield from listener.hear(pcm[at : at + 2 * BLOCK])
    yield from listener.finish()


def in_order(spans: Iterable[Recognised]) -> list[Recognised]:
    """The spans of several legs by the moment they began."""
    return sorted(spans, key=lambda span: (span.start, span.end))


def plain(text: str) -> str:
    """Without the spaces between words."""
    return re.sub(r"\s", "", text)
