"""Telephone numbers spoken digit by digit: 幺三八, 零五六四, pauses, fillers, stutters.

A recogniser writes 一 for 幺 and, in the middle of digits, words that sound like one (就 for 九). Those
count only between clear digits, and only where they make a number whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

DIGIT = {c: str(i) for i, c in enumerate("零一二三四五六七八九")} | {"〇": "0", "○": "0", "幺": "1"}
DIGIT |= {c: c for c in "0123456789"}
SOUNDS_LIKE = {
    "要": "1", "腰": "1", "妖": "1", "邀": "1", "亿": "1", "以": "1", "衣": "1",
    "而": "2", "儿": "2", "尔": "2", "两": "2", "散": "3", "伞": "3", "是": "4", "死": "4", "寺": "4",
    "市": "4", "事": "4",
    "我": "5", "无": "5", "吴": "5", "午": "5", "物": "5", "武": "5", "流": "6", "留": "6", "刘": "6",
    "溜": "6", "柳": "6",
    "起": "7", "期": "7", "其": "7", "气": "7", "去": "7", "吧": "8", "把": "8", "巴": "8", "爸": "8",
    "罢": "8",
    "就": "9", "酒": "9", "久": "9", "旧": "9", "救": "9", "林": "0", "玲": "0", "铃": "0", "您": "0",
    "灵": "0", "领": "0", "令": "0",
}  # fmt: skip
"""Heard for a digit by the small Mandarin model, on 8 kHz."""

MOBILE = re.compile(r"1[3-9]\d{9}")
LANDLINE = re.compile(r"0(?:10|2\d|[3-9]\d{2})\d{7,8}")
_GROUP = re.compile(f"[{''.join(DIGIT)}]+")
_SOFT = re.compile(
    r"(?:[\s，、。,.…·—~-]|嗯|呃|额|啊|哦|噢|哎|那个|然后|接着|再|后面|后边|后头|中间|前面|是|两位|三位|四位)*"
)
_MEASURE = re.compile(r"[号栋幢楼单元室点块元年月日个岁平米次趟天十百千万多几分度位]")


@dataclass(frozen=True, slots=True)
class Run:
    """Digits said in one breath: ``groups`` as (digits, from, to) in one turn's text."""

    groups: tuple[tuple[str, int, int], ...]

    @property
    def digits(self) -> str:
        return "".join(digits for digits, _, _ in self.groups)

    @property
    def start(self) -> int:
        return self.groups[0][1]

    @property
    def end(self) -> int:
        return self.groups[-1][2]


def whole(digits: str) -> bool:
    """Whether these digits are a telephone number: a mobile, or a landline with its area code."""
    return bool(MOBILE.fullmatch(digits) or LANDLINE.fullmatch(digits))


def runs(text: str) -> Iterator[Run]:
    """The stretches of digits in a text; numerals with a measure (三十号, 五点) are none."""
    groups: list[tuple[str, int, int]] = []
    for found in _GROUP.finditer(text):
        start, end = found.span()
        if _MEASURE.match(text, end):
            end -= 1
        if start and text[start - 1] in "十百千第":
            start += 1
        if start >= end:
            continue
        if groups and not _SOFT.fullmatch(text, groups[-1][2], start):
            yield Run(tuple(groups))
            groups = []
        groups.append(("".join(DIGIT[c] for c in text[start:end]), start, end))
    if groups:
        yield Run(tuple(groups))


def numbers(run: Run) -> Iterator[tuple[str, int, int]]:
    """Whole numbers inside a run, each with its place; a run may hold one said twice."""
    at = 0
    while at < len(run.groups):
        best = None
        for last in range(at, len(run.groups)):
            joined = "".join(g[0] for g in run.groups[at : last + 1])
            if whole(joined):
                best = (joined, last)
                if MOBILE.fullmatch(joined):
                    break
            if len(joined) > 12:
                break
        if best is not None:
            yield best[0], run.groups[at][1], run.groups[best[1]][2]
            at = best[1] + 1
            continue
        # two numbers without a pause between them, or a digit too many before one
        alone = run.groups[at][0]
        for found in MOBILE.finditer(alone) if len(alone) > 12 else ():
            yield found[0], run.groups[at][1] + found.start(), run.groups[at][1] + found.end()
        at += 1


def unstuttered(run: Run) -> str:
    """The digits without a group that is begun again: 三三，嗯，三三八九 -> 三三八九."""
    kept = [
        digits
        for place, (digits, _, _) in enumerate(run.groups)
        if place + 1 == len(run.groups) or not run.groups[place + 1][0].startswith(digits) or len(digits) > 3
    ]
    return "".join(kept)


def guessed(text: str) -> Iterator[tuple[str, int, int]]:
    """Whole mobile numbers when words that sound like digits count; eight of eleven must be clear."""
    letters = "".join({**DIGIT, **SOUNDS_LIKE})
    for found in re.finditer(f"[{re.escape(letters)}]{{11,14}}", text):
        chars = found[0]
        for start in range(len(chars) - 10):
            part = chars[start : start + 11]
            clear = sum(c in DIGIT for c in part)
            digits = "".join(DIGIT.get(c) or SOUNDS_LIKE[c] for c in part)
            if clear >= 8 and clear < 11 and MOBILE.fullmatch(digits):
                yield digits, found.start() + start, found.start() + start + 11
                break
