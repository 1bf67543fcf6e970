"""The places of a plan, found in text by their characters, and in recognised text by their sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from plan.land import Area
from recording.draft.fields import Sounds

Kind = Literal["area", "town", "street", "place"]
SAME_SOUND = (
    ("zh", "z"),
    ("ch", "c"),
    ("sh", "s"),
    ("ng", "n"),
    ("lv", "lu"),
    ("hu", "fu"),
    ("r", "l"),
    ("n", "l"),
)
"""What southern speakers and telephones do not tell apart; written as the second of each pair."""
LEAST_BY_SOUND = 3
"""Syllables a name needs to be found by its sound alone: 来村 would be found everywhere."""


@dataclass(frozen=True, slots=True)
class Known:
    """A name of the plan."""

    name: str
    kind: Kind
    area: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A name found at ``start``..``end`` of a text; ``sure`` below 1 when only its sound was."""

    known: Known
    start: int
    end: int
    sure: float


class Gazetteer:
    """Built once a plan; a look at a span takes well below a millisecond."""

    def __init__(self, areas: Sequence[Area], sounds: Sounds = list) -> None:
        self._sounds = sounds
        self._names: dict[str, list[Known]] = {}
        self._heard: dict[tuple[str, ...], Known] = {}
        self._nearly: dict[tuple[str, ...], Known | None] = {}
        for area in areas:
            self._add(Known(area.name, "area", area.name))
            named: tuple[tuple[Kind, Sequence[str]], ...] = (
                ("town", area.towns),
                ("street", area.streets),
                ("place", (*area.compounds, *area.villages)),
            )
            for kind, names in named:
                for name in names:
                    self._add(Known(name, kind, area.name))
        self._longest = max(map(len, self._names), default=0)
        self.areas = tuple(area.name for area in areas)

    def _add(self, known: Known) -> None:
        self._names.setdefault(known.name, []).append(known)
        for short in _short(known):
            self._names.setdefault(short, []).append(known)
        syllables = self._syllables(known.name)
        if len(syllables) >= LEAST_BY_SOUND:
            self._heard.setdefault(syllables, known)
            if len(syllables) >= 4:
                for place in range(len(syllables) - 1):
                    key = (*syllables[:place], "?", *syllables[place + 1 :])
                    # two names that differ in one syllable: neither is guessed
                    self._nearly[key] = None if key in self._nearly and self._nearly[key] != known else known

    def _syllables(self, text: str) -> tuple[str, ...]:
        return tuple(map(_plain, self._sounds(text)))

    def named(self, name: str) -> list[Known]:
        """All that bear this name; 城关镇 is in several counties."""
        return self._names.get(name, [])

    def find(self, text: str, by_sound: bool) -> list[Hit]:
        """Names in a text, longest first at each place, without overlaps."""
        hits = list(self._by_characters(text))
        if by_sound:
            taken = {at for hit in hits for at in range(hit.start, hit.end)}
            for hit in self._by_sound(text):
                if not taken & set(range(hit.start, hit.end)):
                    hits.append(hit)
                    taken |= set(range(hit.start, hit.end))
        return sorted(hits, key=lambda hit: hit.start)

    def _by_characters(self, text: str) -> Iterator[Hit]:
        at = 0
        while at < len(text):
            for length in range(min(self._longest, len(text) - at), 1, -1):
                known = self._names.get(text[at : at + length])
                if known and known[0].kind in _TAILS and text[at : at + length] != known[0].name:
                    # 天堂寨景区 is no town, 佛子岭路 neither
                    known = None if text.startswith(_OTHER_THING, at + length) else known
                if known:
                    yield Hit(known[0], at, at + length, 1.0)
                    at += length
                    break
            else:
                at += 1

    def _by_sound(self, text: str) -> list[Hit]:
        heard = self._syllables(text)
        if len(heard) != len(text):
            return []
        found: list[Hit] = []
        for length in range(min(self._longest, len(text)), LEAST_BY_SOUND - 1, -1):
            for at in range(len(text) - length + 1):
                window = heard[at : at + length]
                if known := self._heard.get(window):
                    found.append(Hit(known, at, at + length, 0.8))
        for length in range(min(self._longest, len(text)), 3, -1):
            for at in range(len(text) - length + 1):
                window = heard[at : at + length]
                for place in range(length - 1):
                    near = self._nearly.get((*window[:place], "?", *window[place + 1 :]))
                    if near is not None:
                        found.append(Hit(near, at, at + length, 0.6))
                        break
        found.sort(key=lambda hit: (-hit.sure, hit.start - hit.end))
        return found


_OTHER_THING = (
    "景区", "路", "东路", "西路", "南路", "北路", "中路", "大道", "街", "大街", "东街", "西街", "南街",
    "北街", "中街", "小区", "中学", "小学", "花园", "水库", "大桥", "煤矿", "一中", "公园", "广场", "古镇",
    "菜市场", "农贸市场", "火车站", "汽车站", "国际", "新城", "村",
)  # fmt: skip
_TAILS = {"town": ("街道", "镇", "乡"), "area": ("区", "县", "市")}


def _short(known: Known) -> Iterator[str]:
    """苏埠 for 苏埠镇, 金安 for 金安区; never of two characters that end in 城 or are common words."""
    for tail in _TAILS.get(known.kind, ()):
        bare = known.name.removesuffix(tail)
        if bare != known.name and len(bare) >= 2 and bare not in _COMMON:
            yield bare


_COMMON = frozenset([
    "城关", "高新", "临空经济", "青山", "城南", "城北", "城东", "城西", "花园", "大街", "中市", "东市",
    "西市", "新安", "河口", "文化", "劳动", "迎接", "和平", "双河", "大佛", "中和", "保和", "龙门", "清水",
    "忠义", "永安街", "青年路", "丝绸路", "城北路", "周村", "松涛", "莲花", "山河", "三元", "龙潭", "梅山",
    "望城", "石桥", "白沙", "江口", "柳林", "新店", "马头", "王村", "学府", "新华", "东湖",
])  # fmt: skip
"""Also streets, compounds or words: they are towns only with 镇, 乡 or 街道 behind them."""


def _plain(syllable: str) -> str:
    for full, plain in SAME_SOUND[:3]:
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
