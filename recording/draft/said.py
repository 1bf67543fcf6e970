"""The talk as the rules read it: turns of plain text, and the way back to the spans they came from."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from recording.recognised import Recognised, Speaker

COMMA_PAUSE, STOP_PAUSE = 0.3, 0.8
"""Seconds of silence between two words that separate clauses, sentences."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value was said: characters ``start``..``end`` of span ``span``, and the seconds if known."""

    span: int
    start: int
    end: int
    text: str
    seconds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One span, its text without the spaces a recogniser puts between words."""

    index: int
    speaker: Speaker
    text: str
    origin: tuple[int, ...]
    """For each character its place in the span's own text."""

    @property
    def agent(self) -> bool:
        return self.speaker == "agent"


class Talk:
    """All turns so far. A value's place is (turn, from, to) in the turns' own text."""

    def __init__(self, spans: Sequence[Recognised]) -> None:
        self.spans = tuple(spans)
        self.turns = tuple(_turn(index, span) for index, span in enumerate(spans))

    def source(self, turn: int, start: int, end: int) -> Source:
        """The place in the words of the span it came from."""
        span, origin = self.spans[turn], self.turns[turn].origin
        first = origin[start] if start < len(origin) else len(span.text)
        last = origin[end - 1] + 1 if 0 < end <= len(origin) else len(span.text)
        seconds: tuple[float, float] | None = None
        if span.words:
            times = [
                (w.start, w.end) for w, at in zip(span.words, _places(span), strict=True) if at[0] < last
            ]
            inside = [
                (w.start, w.end)
                for w, at in zip(span.words, _places(span), strict=True)
                if at[0] < last and at[1] > first
            ]
            chosen = inside or times[-1:]
            if chosen:
                seconds = (chosen[0][0], chosen[-1][1])
        elif span.end > span.start:
            seconds = (span.start, span.end)
        return Source(turn, first, last, span.text[first:last], seconds)

    def heard(self, turn: int, start: int, end: int) -> float:
        """How sure the recogniser was of these characters; 1 for typed text."""
        span, origin = self.spans[turn], self.turns[turn].origin
        if not span.words or start >= len(origin):
            return span.confidence
        first, last = origin[start], origin[min(end, len(origin)) - 1] + 1
        sure = [
            w.confidence
            for w, at in zip(span.words, _places(span), strict=True)
            if at[0] < last and at[1] > first
        ]
        return sum(sure) / len(sure) if sure else span.confidence


def _places(span: Recognised) -> list[tuple[int, int]]:
    """From..to of each word in the span's text."""
    found, at = [], 0
    for word in span.words:
        start = span.text.find(word.text, at)
        start = at if start < 0 else start
        at = start + len(word.text)
        found.append((start, at))
    return found


def _turn(index: int, span: Recognised) -> Turn:
    chars: list[str] = []
    origin: list[int] = []
    pauses = _pauses(span)
    for place, char in enumerate(span.text):
        if place in pauses and chars:
            chars.append(pauses[place])
            origin.append(origin[-1])
        for plain in unicodedata.normalize("NFKC", char) if char not in "，：；？！（）" else char:
            if plain.isspace() and not _between_latin(span.text, place):
                continue
            chars.append(plain)
            origin.append(place)
    return Turn(index, span.speaker, "".join(chars), tuple(origin))


def _pauses(span: Recognised) -> dict[int, str]:
    """Character at which a word begins after a pause -> the sign that says so. A recogniser writes none."""
    if not span.words:
        return {}
    places = _places(span)
    found = {}
    for at in range(1, len(span.words)):
        quiet = span.words[at].start - span.words[at - 1].end
        if quiet >= COMMA_PAUSE:
            found[places[at][0]] = "。" if quiet >= STOP_PAUSE else "，"
    return found


def _between_latin(text: str, place: int) -> bool:
    return (
        0 < place < len(text) - 1
        and text[place - 1].isascii()
        and text[place - 1].isalnum()
        and text[place + 1].isascii()
        and text[place + 1].isalnum()
    )
