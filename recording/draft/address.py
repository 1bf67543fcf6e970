"""Where: district, town, street, house number, compound or village; by the plan's places or a name's form.

The answer to "where?" counts more than a place in passing, and what is taken back (不对，石伯村是那谁家的)
does not count at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from recording.draft.fields import Field, Occasion, Option, from_history
from recording.draft.gazetteer import Gazetteer
from recording.draft.numerals import NUMERAL, number
from recording.draft.said import Talk, Turn
from recording.draft.unlisted import unlisted

ASKED = re.compile(
    r"哪里|哪儿|位置|地址|在哪|地点|什么地方|哪条路|什么路|哪个村|哪个镇|哪个小区|门牌|住址|哪个区|哪一段|哪条街|什么小区|哪个位置|哪栋|几号楼|哪个网点|哪个学校|哪个幼儿园|哪家|户口在"
)
_H = r"[\u4e00-\u9fff]"
_NUMBER = re.compile(
    rf"^(?:的|那边|上|靠近|大概|好像是?|快到|附近|门牌|是|，|,|旁边)*(?P<number>{NUMERAL})号(?!楼(?!下)|栋|线|摊|院?\d?单元)"
)
_CALLED = re.compile(rf"(?:小区|楼盘)(?:的?名字)?叫(?:做)?(?P<name>{_H}{{2,6}})")
_BACK = re.compile(r"不对|不是(?!我)|错了|说错")
_NOT_OURS = re.compile(rf"^(?:是|那是)(?:那|别|谁|人家|{_H}{{1,3}}的(?:$|[，。]))")
_BUILDING = re.compile(
    rf"{NUMERAL}(?:号楼|栋|幢|座)(?:{NUMERAL}(?:单元|层|楼|门))*"
    rf"(?:{NUMERAL}(?:室|户)|[0-9零一二三四五六七八九]{{3,4}}(?!块|元))?|{NUMERAL}单元(?:{NUMERAL}(?:室|户|楼)?)?"
)
_NUMERALS = re.compile(NUMERAL)
UNLISTED = 0.6
"""How sure a name is at most that the plan's places do not hold."""
_WORK = re.compile(r"(?:上班|单位|户口)(?:在|是)?$")


@dataclass(frozen=True, slots=True)
class _Found:
    kind: str
    name: str
    turn: int
    start: int
    end: int
    weight: float
    area: str = ""
    listed: bool = True


def address_of(talk: Talk, occasion: Occasion, gazetteer: Gazetteer) -> Field:
    """``{"district", "town", "street", "number", "place", "detail", "text"}``, each empty when not said."""
    found: list[_Found] = []
    for turn in talk.turns:
        found += _of_turn(talk, turn, gazetteer)
    best = {kind: _best(found, kind) for kind in ("area", "town", "street", "place")}
    place, town = best["place"], best["town"]
    before = [e.address for e in occasion.earlier]
    if not any(best.values()):
        return Field(None, 0.0, (), from_history(before, ()))
    house, at = _house(talk, best["street"], found)
    parts = {
        "district": _district(best, gazetteer),
        "town": town.name if town else "",
        "street": best["street"].name if best["street"] else "",
        "number": house,
        "place": place.name if place else "",
        "detail": _detail(talk, place or best["street"]),
    }
    order = ("district", "town", "street")
    text = (
        "".join(parts[key] for key in order)
        + (f"{house}号" if house else "")
        + parts["place"]
        + parts["detail"]
    )
    used = [f for f in best.values() if f is not None]
    sources = [talk.source(f.turn, f.start, f.end) for f in sorted(used, key=lambda f: (f.turn, f.start))]
    if at is not None:
        sources.append(talk.source(*at))
    sure = min(
        min(0.95 if f.listed else UNLISTED, 0.5 + f.weight / 8) * talk.heard(f.turn, f.start, f.end)
        for f in used
    )
    value = {**parts, "text": text}
    others = (*_others(found, best), *from_history(before, (value,)))
    return Field(value, round(sure, 3), tuple(sources), others)


def _others(found: list[_Found], best: dict[str, _Found | None]) -> Iterator[Option]:
    told = {f.name for f in best.values() if f is not None}
    for one in sorted(found, key=lambda f: -f.weight):
        if one.kind in ("street", "place", "town") and one.name not in told:
            told.add(one.name)
            key = "place" if one.kind == "place" else one.kind
            yield Option({key: one.name}, round(min(0.5, one.weight / 10), 2))


def _best(found: list[_Found], kind: str) -> _Found | None:
    ours = [f for f in found if f.kind == kind]
    if not ours:
        return None
    total: dict[str, float] = {}
    for one in ours:
        total[one.name] = max(total.get(one.name, 0.0), one.weight) + (0.3 if one.name in total else 0)
    return max(ours, key=lambda f: (total[f.name], -f.turn, -f.start))


def _district(best: dict[str, _Found | None], gazetteer: Gazetteer) -> str:
    if best["area"] is not None:
        return best["area"].name
    for kind in ("place", "street", "town"):
        one = best[kind]
        if one is not None and len({k.area for k in gazetteer.named(one.name)}) == 1:
            return one.area
    return gazetteer.areas[0] if len(gazetteer.areas) == 1 else ""


def _of_turn(talk: Talk, turn: Turn, gazetteer: Gazetteer) -> list[_Found]:
    text = turn.text
    asked = bool(
        turn.index and ASKED.search(talk.turns[turn.index - 1].text) and talk.turns[turn.index - 1].agent
    )
    base = 1.0 if turn.agent else 2.6 if asked else 2.0
    base -= 0.02 * turn.index
    by_sound = bool(talk.spans[turn.index].words) or talk.spans[turn.index].confidence < 1
    found: list[_Found] = []
    taken: set[int] = set()
    for hit in gazetteer.find(text, by_sound):
        if hit.known.kind in ("street", "place") and _part_of_longer(
            text, hit.start, hit.end, hit.known.kind
        ):
            continue
        name = hit.known.name
        taken |= set(range(hit.start, hit.end))
        weight = base * hit.sure + (0.5 if hit.known.kind != "area" else 0)
        found.append(_Found(hit.known.kind, name, turn.index, hit.start, hit.end, weight, hit.known.area))
    if not turn.agent:
        for called in _CALLED.finditer(text):
            if not taken & set(range(*called.span("name"))):
                found.append(_unlisted(turn, "place", *called.span("name"), 1.5))
                taken |= set(range(*called.span("name")))
        found += (_unlisted(turn, f.kind, f.start, f.end, f.weight) for f in unlisted(text, taken))
    return [_weighed(text, one) for one in found]


def _unlisted(turn: Turn, kind: str, start: int, end: int, weight: float) -> _Found:
    return _Found(
        kind, turn.text[start:end], turn.index, start, end, weight - 0.02 * turn.index, listed=False
    )


def _weighed(text: str, one: _Found) -> _Found:
    """Less when taken back, when somebody else's, when only the place of work or of the register."""
    after, before = text[one.end : one.end + 14], text[max(0, one.start - 8) : one.start]
    weight = one.weight
    if _NOT_OURS.match(after):
        weight -= 2.5
    if (back := _BACK.search(after[:8])) and re.search(
        rf"{_H}{{1,8}}(?:路|街|村|镇|乡|小区|花园|道)",
        after[back.end() :] + text[one.end + 14 : one.end + 30],
    ):
        weight -= 1.5
    if _BACK.search(before):
        weight += 0.6
    if _WORK.search(before):
        weight -= 0.8
    if _NUMBER.match(text[one.end :]) and one.kind == "street":
        weight += 1.0
    if re.match(r"(?:我|俺|咱)(?:们)?(?:家)?(?:住|是|在|这)", before[-4:]) or re.search(
        r"住(?:在)?$|在$", before
    ):
        weight += 0.3
    return _Found(one.kind, one.name, one.turn, one.start, one.end, weight, one.area, one.listed)


def _part_of_longer(text: str, start: int, end: int, kind: str) -> bool:
    """解放路 inside 解放路小学, 建设路 inside 新建设路 are other things; 路 before 口 is still the street."""
    after = text[end : end + 2]
    return kind == "street" and after in ("小学", "中学", "街道", "幼儿")


def _detail(talk: Talk, near: _Found | None) -> str:
    """Building, unit, floor, room, said in the turn of the place or in the next two of the caller."""
    if near is None:
        return ""
    for turn in [t for t in talk.turns[near.turn :] if not t.agent][:3]:
        if found := _BUILDING.search(turn.text):
            return _NUMERALS.sub(lambda numeral: str(number(numeral[0]) or numeral[0]), found[0])
    return ""


def _house(talk: Talk, street: _Found | None, found: list[_Found]) -> tuple[str, tuple[int, int, int] | None]:
    """The house number behind the street; else the answer to the agent's question for one."""
    if street is None:
        return "", None
    for one in (f for f in found if f.kind == "street" and f.name == street.name):
        turn = talk.turns[one.turn]
        if turn.agent:
            continue
        if match := _NUMBER.match(turn.text[one.end :]):
            value = number(match["number"])
            if value:
                place = (one.turn, one.end + match.start("number"), one.end + match.end("number"))
                return str(value), place
        # 皖西路上，靠近二百一十号; 新建中路那个小区，十七号
        near = re.search(
            rf"(?P<number>{NUMERAL})号(?!楼|栋|线|摊|单元|下|上|早|晚|开|那天|晚上|买|到)",
            turn.text[one.end : one.end + 16],
        )
        if near and not re.search(
            r"月|上个月", turn.text[max(0, one.end + near.start() - 2) : one.end + near.start()]
        ):
            value = number(near["number"])
            if value and (
                value > 31
                or ("号" in near[0] and re.search(r"门|靠近|附近", turn.text[one.end : one.end + 20]))
            ):
                return str(value), (one.turn, one.end + near.start("number"), one.end + near.end("number"))
    for turn in talk.turns:
        if turn.agent and re.search(r"门牌", turn.text) and turn.index + 1 < len(talk.turns):
            answer = talk.turns[turn.index + 1]
            if match := re.search(rf"(?P<number>{NUMERAL})号", answer.text):
                value = number(match["number"])
                if value:
                    return str(value), (answer.index, match.start("number"), match.end("number"))
    return "", None
