"""What was said: spans of text with their time, speaker and, from a recogniser, words and confidences.

The recogniser makes them (``cti.speech.ear``), a typed text becomes some without times; the ticket's draft,
search and the screen read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Speaker = Literal["caller", "agent", ""]
"""Whose leg it was; empty where one file holds both."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word as heard: seconds from the start of the call, confidence 0..1."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Recognised:
    """One stretch of speech between pauses. Typed text has no times: ``start`` = ``end`` = 0, no words."""

    text: str
    start: float = 0.0
    end: float = 0.0
    confidence: float = 1.0
    speaker: Speaker = ""
    words: tuple[Word, ...] = ()
    digits: str = ""
    """The digits of a number in it, as a grammar of digits heard them; free decoding errs on four in ten."""


_AGENT = re.compile(r"^\s*(?:话务员|坐席|座席|接线员|客服|agent|a)\s*[:：]\s*", re.IGNORECASE)
_CALLER = re.compile(
    r"^\s*(?:来电人|市民|群众|市民来电|来电者|诉求人|caller|citizen|c)\s*[:：]\s*", re.IGNORECASE
)


def typed(lines: Iterable[str]) -> tuple[Recognised, ...]:
    """Lines a person typed or a system exported. ``话务员：`` and ``来电人：`` name the speaker."""
    spans: list[Recognised] = []
    for line in lines:
        speaker: Speaker = ""
        text = line
        if found := _AGENT.match(line):
            speaker, text = "agent", line[found.end() :]
        elif found := _CALLER.match(line):
            speaker, text = "caller", line[found.end() :]
        if text.strip():
            spans.append(Recognised(text.strip(), speaker=speaker))
    return tuple(spans)
