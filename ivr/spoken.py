"""What a caller said, as a key of the menu that asked: by its characters, by its sound, or not understood.

A recogniser writes homophones (一宝 for 医保), and a southern caller says si for shi: a word is found by its
syllables without tones as well. Whoever names two subjects, or only says what it is not, is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

Sounds = Callable[[str], Sequence[str]]
"""One syllable without its tone for each character (``cti.speech.pinyin``)."""

SURE = 0.35
"""Below this nothing was understood: the word's own sureness times the recogniser's confidence."""
AS_WRITTEN = 1.0
SAME_SOUND, SAME_SHORT = 0.9, 0.8
"""All syllables are the same; short: there are but two of them."""
ALIKE, ALIKE_SHORT = 0.75, 0.55
"""The same but for what southern speakers and telephones do not tell apart."""
NEARLY = 0.6
"""One syllable of four or more is another one."""
LEAST_NEARLY = 4
_ONSETS = (("zh", "z"), ("ch", "c"), ("sh", "s"))
_NOT = (
    "不是",
    "不要",
    "不办",
    "不问",
    "不查",
    "不用",
    "不找",
    "别转",
    "不想问",
    "不想办",
    "不是要",
    "不是问",
)
_RATHER = ("不对", "不是", "我是说", "应该是", "说错了", "哦不")
"""Between two subjects: only the later one is meant."""


class Understood(NamedTuple):
    """``key`` is empty when nothing of this menu was understood; ``word``: what of the plan was found."""

    key: str
    word: str
    sure: float


@dataclass(frozen=True, slots=True)
class _Mention:
    key: str
    word: str
    start: int
    end: int
    sure: float


class Words:
    """The words of one menu, made ready once. A look at a sentence takes well below a millisecond."""

    def __init__(self, words: Mapping[str, Collection[str]], sounds: Sounds = list) -> None:
        self._sounds = sounds
        self._words = [(key, word) for key, of_key in words.items() for word in of_key]
        # a longer word first: 住房公积金 is not also 公积金
        self._words.sort(key=lambda pair: -len(pair[1]))
        self._heard = {word: tuple(sounds(word)) for _, word in self._words}
        self._plain = {word: tuple(map(_plain, heard)) for word, heard in self._heard.items()}

    def understood(self, text: str, confidence: float = 1.0) -> Understood:
        """The key that was meant. ``confidence``: the recogniser's own, 0 to 1."""
        said = "".join(text.split())
        found = _without_denied(said, self._mentions(said))
        found = _last_meant(said, found)
        if not found:
            return Understood("", "", 0.0)
        best = max(found, key=lambda hit: (hit.sure, hit.end - hit.start))
        # what is as good and means something else makes it unclear; a mere likeness of sound does not
        rivals = [hit for hit in found if hit.key != best.key and hit.sure >= min(best.sure, SAME_SHORT)]
        sure = round(best.sure * confidence, 2)
        if rivals or sure < SURE:
            return Understood("", best.word, sure)
        return Understood(best.key, best.word, sure)

    def alike(self) -> Iterator[tuple[str, str, str, str]]:
        """Words of two keys that sound the same: key, word, other key, other word."""
        for place, (key, word) in enumerate(self._words):
            for other, same in self._words[place + 1 :]:
                if key != other and self._heard[word] == self._heard[same]:
                    yield key, word, other, same

    def _mentions(self, said: str) -> list[_Mention]:
        heard = tuple(self._sounds(said))
        if len(heard) != len(said):
            heard = tuple(said)
        plain = tuple(map(_plain, heard))
        taken: set[int] = set()
        found: list[_Mention] = []
        for hit in sorted(self._all(said, heard, plain), key=lambda hit: (-hit.sure, hit.start - hit.end)):
            span = set(range(hit.start, hit.end))
            # two words that sound the same: neither is guessed
            twin = any((at.start, at.end, at.sure) == (hit.start, hit.end, hit.sure) for at in found)
            if twin or not span & taken:
                taken |= span
                found.append(hit)
        return sorted(found, key=lambda hit: hit.start)

    def _all(self, said: str, heard: Sequence[str], plain: Sequence[str]) -> Iterator[_Mention]:
        for key, word in self._words:
            length = len(word)
            exact, alike = self._heard[word], self._plain[word]
            for start in range(len(said) - length + 1):
                end = start + length
                sure = 0.0
                if said[start:end] == word:
                    sure = AS_WRITTEN
                elif heard[start:end] == exact:
                    sure = SAME_SOUND if length > 2 else SAME_SHORT
                elif plain[start:end] == alike:
                    sure = ALIKE if length > 2 else ALIKE_SHORT
                elif length >= LEAST_NEARLY and _differ(plain[start:end], alike) == 1:
                    sure = NEARLY
                if sure:
                    yield _Mention(key, word, start, end, sure)


def _without_denied(said: str, found: Sequence[_Mention]) -> list[_Mention]:
    """不是医保 names no subject."""
    return [hit for hit in found if not said[: hit.start].endswith(_NOT)]


def _last_meant(said: str, found: Sequence[_Mention]) -> list[_Mention]:
    """医保，不对，公积金: the last one, when a word between takes the earlier back."""
    for place in range(len(found) - 1, 0, -1):
        between = said[found[place - 1].end : found[place].start]
        if any(word in between for word in _RATHER):
            return list(found[place:])
    return list(found)


def _differ(one: Sequence[str], other: Sequence[str]) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def _plain(syllable: str) -> str:
    """Without the differences that are often not made or not heard: zh and z, n and l, h and f, ng and n."""
    for full, plain in _ONSETS:
        if syllable.startswith(full):
            syllable = plain + syllable[len(full) :]
            break
    if syllable.endswith("ng"):
        syllable = syllable[:-1]
    if syllable.startswith("n") and len(syllable) > 1:
        syllable = "l" + syllable[1:]
    if syllable.startswith("hu") and len(syllable) > 2:
        syllable = "f" + syllable[2:]
    return syllable
