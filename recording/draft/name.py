"""The caller's name: what follows 我叫, 免贵姓 or the agent's question; spelling decides characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from recording.draft.fields import Field, Occasion, Option, Sounds, from_history
from recording.draft.phone import WRONG
from recording.draft.said import Talk, Turn
from recording.draft.surnames import COMPOUND, ELSEWHERE, PARTS, SINGLE, TITLES

_TITLE = f"(?:{'|'.join(TITLES)})"
_S = f"(?:{'|'.join(sorted(COMPOUND))}|[{''.join(sorted(SINGLE))}])"
_H = r"[\u4e00-\u9fff]"
ASKED = re.compile(
    r"贵姓|怎么称呼|如何称呼|咋称呼|称呼您|尊姓|姓名|名字|叫什么|您叫|叫啥|您是[？?]|姓什么|的称呼|您的称呼|全名|全称|怎么叫|您的名"
)
_NOT_CALLER = re.compile(
    r"孩子|小孩|店|厂|公司|老板|养殖|物业|老人|负责人|摊主|网吧|小区|楼盘|中介|养老院|KTV|超市|饭店|学校|企业|对方|他叫|她叫|医生"
)
_REFUSED = re.compile(
    r"不方便|不想留|不留|匿名|不说|保密|不告诉|不敢说|不得说|不好说|不用了|别问|不讲|不写|算了|暂时不"
)
_FULL = re.compile(
    rf"(?:我的?名字(?:是|叫)|本人(?:叫|姓名)?|大名(?:叫)?|全名(?:叫)?|我(?:是|姓[^，。]{{1,8}}[，,])?叫|(?<![小单店厂司区队校业要么都人])叫做?|名叫|我是)"
    rf"(?P<name>{_S}{_H}{{1,2}})"
)
_ROLE = re.compile(
    rf"(?:联系人|来电人|诉求人|姓名|的(?:村民|业主|居民|市民|住户|租户|家长|商户|职工|老师))(?:是|叫|为)?[:：，]?(?P<name>{_S}{_H}{{1,2}})"
    r"(?=$|[，,。、；;]|(?:的)?(?:联系)?(?:电话|手机|号码)|我|反映|[零一二三四五六七八九幺0-9]{3})"
)
_SURNAME = re.compile(rf"(?:免贵[，,]?(?:姓)?|(?<!百)姓|写(?:个|姓)?)(?P<name>{_S})")
_TITLED = re.compile(rf"(?<!小)(?P<name>{_S}(?:{_H}{{0,2}}?)?(?P<title>{_TITLE}))")
_OLD = re.compile(
    rf"(?:^|[，,。、！]|姓{_H}[，,]|就?[叫喊]我|称呼我|[，,]叫|写|我是?)(?P<name>[老小]{_S}[哥姐]?)"
    r"(?=$|[，,。、！!吧]|(?:就|也|都)(?:行|好|可以|成|中|得)|即可|同志)"
)
_SMALL = frozenset(
    [
        "小时",
        "小米",
        "小麦",
        "小车",
        "小康",
        "小桥",
        "小池",
        "小鱼",
        "小家",
        "小段",
        "小包",
        "小满",
        "小白",
        "小国",
    ]
)
"""Words, and nobody's name."""
_ONE_CHARACTER = re.compile(
    rf"(?P<surname>{_S})[，,、]?(?:我|的)?(?:单名|名字|名)[，,]?(?:就)?(?:是|叫|有)?(?:一个|个)(?P<given>{_H})(?:字|$|[，,。])"
)
_E = f"[{''.join(sorted(set(ELSEWHERE)))}]"
_ELSEWHERE = re.compile(
    rf"(?:我的?名字(?:是|叫)|本人(?:叫|姓名)?|名叫|我叫|我是|叫做?|(?P<bare>^(?:嗯|呃|哦|啊|那个)*[，,]?))"
    rf"(?P<name>{_H}{{2,8}}[·・•]{_H}{{1,8}}(?:[·・•]{_H}{{1,8}})?|{_E}{{3,10}})"
)
_AFTER = re.compile(
    r"电话|手机|号码|号|联系|我|就|住|吧|嘛|啊|呀|哈|呢|是|女的|男的|你|的|们|在|这|那|打|不|要|家|说|哦|喔|反|报|先|地|固|座|咱|俺"
)
_NEW_CLAUSE = re.compile(
    r"[零一二三四五六七八九幺0-9]{5,}|电话|手机|号码|我姓|我叫|大名|免贵|打这个|就这个|就打"
)
_SPELT = re.compile(rf"({_H}{{2,5}})(?:的|里的|那个)(?:那个)?({_H})(?!{_H}?的)")
_OTHERS = re.compile(
    r"(?:孩子|老板|他|她|厂|公司|店|儿子|女儿|老公|老婆|邻居|房东|医生|老师|站长|书记|主任|对方|负责人|摊主|师傅|人家|经理|大名|小名)[^，。！？]{0,4}$"
)
_QUESTION_WORDS = frozenset("什么啥谁哪怎几多")
_WORDS = frozenset([
    "家长", "路过", "安岳", "乐至", "简阳", "居民", "村民", "邻居", "市民", "业主", "商户", "农民", "司机",
    "租户", "平时", "时候", "时间", "方便", "单位", "国家", "路人", "车主", "房主", "房东", "强烈", "温馨",
    "高中", "高速", "万一", "常常", "何必", "任何", "应该", "干嘛", "从来", "于是", "和平", "成天", "于今",
    "安全", "广德", "周村", "周边", "金安", "裕安", "高都", "巴公", "阳光", "那边", "那个", "那里", "那儿",
    "易燃",
])  # fmt: skip
"""Words that begin with a surname's character."""
_NO_GIVEN = frozenset("的了吗呢吧啊呀嘛哈是在有和跟我你他她们这那就都也不没很哪什么怎说叫姓")


@dataclass(frozen=True, slots=True)
class _Found:
    value: str
    turn: int
    start: int
    end: int
    weight: float
    full: bool


def name_of(talk: Talk, occasion: Occasion) -> Field:
    """The caller's name as given; None when refused or never said.

    One of an earlier ticket is an alternative, but not to somebody who would not say.
    """
    found: list[_Found] = []
    for turn in talk.turns:
        if not turn.agent:
            parted, back = _parted(turn)
            found += (
                replace(f, start=back[f.start], end=back[f.end - 1] + 1) for f in _of_turn(talk, parted)
            )
    before = [e.name for e in occasion.earlier]
    found = _uncorrected(talk, found)
    if not found:
        return Field(None, 0.5) if _refused(talk) else Field(None, 0.0, (), from_history(before, ()))
    best = max(found, key=lambda f: (f.full, f.weight, f.turn, f.start))
    value = best.value
    surname = _surname(value)
    if not best.full:
        titled = _called_by_agent(talk, surname) if value == surname else None
        value = titled or value
    value, spelt = _spelling(talk, best, value, occasion.sounds)
    sure = min(0.97, best.weight + (0.1 if spelt else 0)) * talk.heard(best.turn, best.start, best.end)
    left = [f.value for f in found if f.value != value and not value.startswith(f.value)]
    others = tuple(Option(v, 0.3) for v in dict.fromkeys(left)) + from_history(before, (value, *left))
    return Field(value, round(sure, 3), (talk.source(best.turn, best.start, best.end),), others)


def _parted(turn: Turn) -> tuple[Turn, list[int]]:
    """The turn with commas around what explains a name (陶渊明的陶, 口天吴), around 吴女士, before digits.

    A recogniser writes none, nor does a hasty typist. Also returns each character's place in the turn.
    """
    text = turn.text
    cuts: set[int] = set()
    for found in re.finditer(rf"的(?:那个)?({'|'.join(sorted(COMPOUND))}|{_H})", text):
        for length in (2, 3, 4):
            word = text[max(0, found.start() - length) : found.start()]
            if len(word) == length and found[1] in word and re.fullmatch(rf"{_H}+", word):
                cuts |= {found.start() - length, found.end()}
                break
    for found in re.finditer(rf"(?:^|姓)({_S})(?=\1{_H})", text):
        cuts.add(found.end())
    for found in re.finditer(rf"(?:^|姓)({_S})(?=\1{_H})", text):
        cuts.add(found.end())
    for parts in PARTS:
        if (at := text.find(parts + PARTS[parts])) >= 0:
            cuts |= {at, at + len(parts) + 1}
    for found in re.finditer(rf"{_S}{_TITLE}", text):
        if found[0] not in _WORDS and text[max(0, found.start() - 1) : found.start()] not in ("姓", "小"):
            cuts |= {found.start(), found.end()}
    for found in _NEW_CLAUSE.finditer(text):
        cuts.add(found.start())
    chars: list[str] = []
    back: list[int] = []
    for place, char in enumerate(text):
        if place in cuts and chars and re.match(_H, char) and re.match(_H, chars[-1]):
            chars.append("，")
            back.append(place)
        chars.append(char)
        back.append(place)
    return Turn(turn.index, turn.speaker, "".join(chars), turn.origin), back


def _of_turn(talk: Talk, turn: Turn) -> Iterator[_Found]:
    text = turn.text
    before = talk.turns[turn.index - 1] if turn.index else None
    question = before.text if before is not None and (before.agent or before.speaker == "") else ""
    asked = bool(ASKED.search(question)) and not _NOT_CALLER.search(question)
    asked_other = bool(ASKED.search(question)) and not asked
    for found in _FULL.finditer(text):
        if _OTHERS.search(text[: found.start()]) or (asked_other and found.start() < 4):
            continue
        if found[0].startswith("我是") and (
            not asked or re.match(r".{0,2}的|.{0,3}[是村镇]", text[found.end("name") :])
        ):
            continue
        if found["name"] in _WORDS or found["name"][:2] in _WORDS:
            continue
        value, end = _given(text, found.start("name"), found.end("name"))
        if len(value) > len(_surname(value)):
            yield _Found(value, turn.index, found.start("name"), end, 0.9, True)
    for found in _ROLE.finditer(text):
        if found["name"] not in _WORDS:
            yield _Found(found["name"], turn.index, found.start("name"), found.end("name"), 0.85, True)
    for found in _SURNAME.finditer(text):
        if _OTHERS.search(text[: found.start()]):
            continue
        start = found.start("name")
        yield from _after_surname(turn, start, found.end("name"))
    for found in _TITLED.finditer(text):
        cued = re.search(r"(?:叫我|写|姓|记|我是|就|^|[，,。…])(?:您|你)?$", text[: found.start()])
        if cued and (asked or re.search(r"叫我|写|我是|姓", text[max(0, found.start() - 4) : found.start()])):
            yield _Found(found["name"], turn.index, found.start(), found.end(), 0.75, False)
    for found in _OLD.finditer(text):
        called = re.search(r"[叫喊]我|称呼我|[，,]叫", found[0]) is not None
        if (asked or called or ("姓" in text and found["name"][0] == "老")) and found["name"] not in _SMALL:
            yield _Found(found["name"], turn.index, found.start("name"), found.end("name"), 0.83, False)
    for found in _ONE_CHARACTER.finditer(text):
        if not _OTHERS.search(text[: found.start()]) and (asked or re.search(r"姓|我|免贵", text)):
            value = found["surname"] + found["given"]
            yield _Found(value, turn.index, found.start(), found.end("given"), 0.92, True)
    for found in _ELSEWHERE.finditer(text):
        dotted = re.search(r"[·・•]", found["name"])
        told = asked or (found["bare"] is None and not found[0].startswith(("我是", "叫")))
        if not told or _OTHERS.search(text[: found.start()]) or asked_other:
            continue
        if dotted or len(found["name"]) > 3 or found["name"][0] not in SINGLE:
            yield _Found(found["name"], turn.index, found.start("name"), found.end("name"), 0.92, True)
    if asked or "姓" in text:
        for parts, char in PARTS.items():
            if (at := text.find(parts + char)) >= 0 and char in SINGLE:
                yield from _after_surname(turn, at + len(parts), at + len(parts) + 1)
    # 我是他爸，栾文军
    said = re.match(rf"我是[^，。]{{1,6}}[，,](?!姓)({_S}{_H}{{1,2}})(?=$|[，,。])", text) if asked else None
    if said and said[1] not in _WORDS:
        yield _Found(said[1], turn.index, said.start(1), said.end(1), 0.8, True)
    if asked and (bare := re.match(rf"(?:嗯|呃|哦|啊|那个|好|好的|行|我|俺)*[，,]?({_S}{_H}{{0,2}})", text)):
        yield from _bare(turn, bare)


def _bare(turn: Turn, found: re.Match[str]) -> Iterator[_Found]:
    """An answer that is nothing but the name: 朱永贵，永远的永."""
    text, start = turn.text, found.start(1)
    if text[start] in "我是姓叫免不" and text[start : start + 2] not in COMPOUND:
        return
    value, end = _given(text, start, found.end(1))
    surname = _surname(value)
    if (
        re.match(rf"{_H}?的(?:那个)?{re.escape(surname)}", text[end:])
        and text[start + len(surname)] not in "，,"
    ):
        # 阎王的阎，阎女士: the explanation comes first
        yield from _after_surname(turn, start, start + len(surname))
        return
    if value in _WORDS:
        return
    rest = text[start + len(surname) :]
    if len(value) > len(surname) and _ends(text, end):
        if value[-1] in "家人" and len(value) == 2:
            return
        yield _Found(value, turn.index, start, end, 0.85, True)
    elif not rest or re.match(r"[，,。、…！吧嘛啊]", rest):
        yield from _after_surname(turn, start, start + len(surname))


def _after_surname(turn: Turn, start: int, end: int) -> Iterator[_Found]:
    """姓陶，陶渊明的陶，叫陶国庆: the surname, and a full name that begins with it soon after."""
    text, surname = turn.text, turn.text[start:end]
    yield _Found(surname, turn.index, start, end, 0.8, False)
    title = re.match(rf"(?:的)?({_TITLE})", text[end:])
    if title and not text[end:].startswith("的"):
        yield _Found(surname + title[1], turn.index, start, end + title.end(), 0.82, False)
    spelt = next((char for parts, char in PARTS.items() if parts + char in text[end : end + 30]), surname)
    for again in re.finditer(f"{re.escape(surname)}|{spelt}", text[end : end + 30]):
        at = end + again.start()
        surname = again[0]
        tail = text[at : at + len(surname) + 2]
        if re.match(rf"{_H}{{0,4}}的(?:那个)?", text[at + len(surname) :]) and not _ends(
            text, at + len(surname) + 2
        ):
            continue
        if re.search(r"的(?:那个)?$", text[:at]) and not re.match(
            rf"{_H}{{1,2}}(?:$|[，,。、！])", text[at + 1 :]
        ):
            # 陶渊明的陶: explains; what follows without a pause may still be the name (范冰冰的范范志强)
            continue
        value, stop = _given(text, at, at + len(tail))
        if titled := re.match(rf"{re.escape(surname)}({_TITLE})", text[at:]):
            yield _Found(titled[0], turn.index, at, at + titled.end(), 0.84, False)
        elif len(value) > len(surname) and value[len(surname) :][0] not in "的字":
            weight = 0.9 if _ends(text, stop) else 0.7
            if not re.match(rf"{_H}?的", text[stop:]):
                yield _Found(value, turn.index, at, stop, weight, True)
    direct, stop = _given(text, start, min(len(text), end + 2))
    explained = text[end : end + 1] == "的" or text[stop : stop + 1] == "的"
    if len(direct) > len(surname) and not title and not explained and _ends(text, stop):
        yield _Found(direct, turn.index, start, stop, 0.86, True)


def _given(text: str, start: int, end: int) -> tuple[str, int]:
    """The name from ``start``: the surname and up to two characters that can be a given name."""
    surname = _surname(text[start:end])
    stop = start + len(surname)
    while stop < min(len(text), start + len(surname) + 2):
        char = text[stop]
        if not re.match(_H, char) or char in _NO_GIVEN or char in _QUESTION_WORDS:
            break
        if _AFTER.match(text, stop) and stop > start + len(surname):
            break
        if re.match(r"电话|手机|号码|联系", text[stop:]) or (
            re.match(r"[零一幺]", char) and _digits(text, stop)
        ):
            break
        # 王大勇大小的大: the explanation begins
        if (
            stop > start + len(surname)
            and re.match(rf"{_H}{{1,3}}的{_H}", text[stop:])
            and _ends_spelt(text, stop)
        ):
            break
        stop += 1
    return text[start:stop], stop


def _ends_spelt(text: str, at: int) -> bool:
    found = re.match(rf"({_H}{{2,4}})的({_H})", text[at:])
    return bool(found and found[2] in found[1])


def _digits(text: str, at: int) -> bool:
    return re.match(r"[零一二三四五六七八九幺]{3}", text[at:]) is not None


def _ends(text: str, at: int) -> bool:
    """Whether a name may end here."""
    return at >= len(text) or not re.match(_H, text[at]) or bool(_AFTER.match(text, at)) or _digits(text, at)


def _surname(name: str) -> str:
    if name[:1] in ("老", "小") and len(name) in (2, 3) and name[1] in SINGLE:
        return name[1]
    return name[:2] if name[:2] in COMPOUND else name[:1]


def _uncorrected(talk: Talk, found: list[_Found]) -> list[_Found]:
    """Without those taken back: 我叫亓官……不是，我叫亓建国."""
    kept = []
    for one in found:
        text = talk.turns[one.turn].text
        wrong = WRONG.search(text, one.end, min(len(text), one.end + 10)) or re.search(
            r"[，。…]啊?不是", text[one.end : one.end + 8]
        )
        later = any(o.turn == one.turn and o.start > one.end for o in found)
        if not (wrong and later):
            kept.append(one)
    return kept


def _called_by_agent(talk: Talk, surname: str) -> str | None:
    """司马女士: how the agent addresses a caller who gave the surname only."""
    for turn in talk.turns:
        if turn.agent and (
            found := re.match(rf"(?:好的|嗯)?[，,]?({re.escape(surname)}{_TITLE})", turn.text)
        ):
            return found[1]
    return None


def _spelling(talk: Talk, best: _Found, name: str, sounds: Sounds) -> tuple[str, bool]:
    """Characters put right by how the caller spells them: 拂晓的晓, 立早章."""
    spelt = False
    for turn in talk.turns[max(0, best.turn - 1) : best.turn + 3]:
        if turn.agent:
            continue
        for parts, char in PARTS.items():
            if (
                parts in turn.text
                and name
                and (
                    name[0] == char
                    or (list(sounds(name[0])) == list(sounds(char)) and name[:2] not in COMPOUND)
                )
            ):
                name, spelt = char + name[1:], True
        for found in _SPELT.finditer(turn.text):
            word, char = found[1], found[2]
            if char not in word:
                continue
            if char in name:
                spelt = True
                continue
            for place, old in enumerate(name):
                if list(sounds(old)) == list(sounds(char)) and not (place == 0 and char not in SINGLE):
                    name, spelt = name[:place] + char + name[place + 1 :], True
                    break
    return name, spelt


def _refused(talk: Talk) -> bool:
    return any(
        _REFUSED.search(turn.text) and turn.index and ASKED.search(talk.turns[turn.index - 1].text)
        for turn in talk.turns
        if not turn.agent
    )
