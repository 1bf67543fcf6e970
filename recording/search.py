"""Where words stand in what a leg said: by their characters or by their sound, also across a pause.

Blanks mean nothing in what was said. Pinyin may be typed with blanks or without (``jie fang lu``,
``jiefanglu``): a hit begins and ends with a syllable, and so does each part between blanks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from recording.transcript import Said

Sounds = Callable[[str], Sequence[str]]
"""A text to its syllables, one a character, without tones."""


@dataclass(frozen=True, slots=True)
class Place:
    """Words found in spans ``first`` to ``last``, and the ``second`` of the recording where they begin."""

    first: int
    last: int
    second: float


def bare(text: str) -> str:
    """As it is looked for: without blanks."""
    return "".join(text.split())


def by_characters(spans: Sequence[Said], words: str) -> list[Place]:
    """Each place where these characters stand one after the other."""
    return _places(spans, [bare(words)], lambda text: list(text))


def by_sound(spans: Sequence[Said], pinyin: str, sounds: Sounds) -> list[Place]:
    """Each place that sounds so. ``pinyin`` as ``syllables`` gives it."""
    return _places(spans, pinyin.split(), sounds)


def syllables(told: str, sounds: Sounds) -> str:
    """Pinyin as somebody typed it (``Xi'an``, ``lü se``), or the sound of characters."""
    typed = re.sub(r"['’]", " ", told.lower().replace("ü", "v"))
    return " ".join(typed.split()) if typed.isascii() else " ".join(sounds(bare(told)))


def _places(spans: Sequence[Said], parts: Sequence[str], units: Sounds) -> list[Place]:
    """``parts`` follow each other; each is made of whole units (characters or syllables)."""
    wanted = "".join(parts)
    if not wanted:
        return []
    where = [(n, at) for n, span in enumerate(spans) for at in range(len(bare(span.text)))]
    told = [unit for span in spans for unit in units(bare(span.text))]
    edges = {at: n for n, at in enumerate(accumulate(map(len, told), initial=0))}
    lengths = list(accumulate(map(len, parts)))
    found = []
    for at in _found("".join(told), wanted):
        if at in edges and all(at + length in edges for length in lengths):
            (first, char), (last, _) = where[edges[at]], where[edges[at + len(wanted)] - 1]
            found.append(Place(first, last, _second(spans[first], char)))
    return found


def _found(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)


def _second(span: Said, char: int) -> float:
    """When the word was said that holds this character; without words the span's own beginning."""
    ends = accumulate(len(bare(word.text)) for word in span.words)
    return next((word.start for word, end in zip(span.words, ends, strict=True) if end > char), span.start)
