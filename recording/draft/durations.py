"""How long: 三天了, 半年没人管, 两个多月前; an interval that ends with the call, or a point before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from recording.draft import calendar
from recording.draft.numerals import NUMERAL, number

_VAGUE_DAYS = {
    "前几天": (5, 2), "前两天": (3, 1), "前些天": (8, 3), "前一阵": (20, 5), "这两天": (1, 0),
    "这几天": (3, 0), "最近": (7, 0), "近几天": (3, 0), "近期": (14, 0), "这些天": (5, 0),
}  # fmt: skip
"""Days before the call, from and to (0: it goes on)."""
_VAGUE = re.compile("|".join(_VAGUE_DAYS))
_DURATION = re.compile(
    rf"(?P<count>小半|半|好几|好多|十几|几十|几|十来|二十来|{NUMERAL}(?:来|多)?(?:几)?)(?P<ge>多?个)?(?:多|来)?(?P<unit>天半月|天|礼拜|星期|周(?!岁|年)|月|年|小时|钟头|分钟)(?P<more>多|半)?"
    r"(?P<tail>左右)?(?P<what>以前|之前|前|了|没|下来|时间|(?<=了一个星期)|(?<=了一天)|(?<=了一个月)|(?<=了两天)|(?<=了三天)|(?<=了两个月)|(?<=了三个月)|(?<=了半个月))"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """A spoken duration as an interval, its place in the text, and how much it is about the event."""

    interval: tuple[datetime, datetime]
    start: int
    end: int
    weight: float


def durations(text: str, at: datetime) -> Iterator[Duration]:
    """Every duration in a text, seen from ``at``. How long somebody worked somewhere weighs little."""
    for vague in _VAGUE.finditer(text):
        first, last = _VAGUE_DAYS[vague[0]]
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        start = midnight - timedelta(days=first)
        yield Duration(
            (start, midnight - timedelta(days=last - 1) if last else at), vague.start(), vague.end(), 1.1
        )
    for found in _DURATION.finditer(text):
        count = _count(found)
        if count is None:
            continue
        if found["unit"] == "年" and count > 60:
            continue
        start = _ago(at, count, found["unit"])
        ago = found["what"] in ("以前", "之前", "前")
        if ago and found["unit"] in ("天", "礼拜", "星期", "周"):
            interval = (start, start + timedelta(days=1))
        elif ago and found["unit"] in ("月", "年"):
            interval = (start, start + timedelta(days=30))
        else:
            interval = (start, at)
        lead = text[max(0, found.start() - 3) : found.start()]
        weight = 1.9
        if re.search(r"判|干|做|住|买|用|交|上|满|工|岁", lead) and not re.search(
            r"停|坏|断|欠|漏|没|冒|都", lead
        ):
            weight = 0.7
        yield Duration(interval, found.start(), found.end(), weight)


def _count(found: re.Match[str]) -> float | None:
    text = found["count"]
    vague = {
        "小半": 0.42,
        "半": 0.5,
        "好几": 4,
        "好多": 8,
        "十几": 13,
        "几十": 30,
        "几": 3,
        "十来": 10,
        "二十来": 20,
    }
    if text in vague:
        value = float(vague[text])
    else:
        bare = re.sub(r"[来多几]", "", text)
        pair = re.fullmatch(r"([一二两三四五六七八九])([一二三四五六七八九])", bare)
        whole = number(pair[1]) if pair else number(bare)
        if whole is None:
            return None
        value = float(whole)
    if found["more"] == "半":
        value += 0.5
    elif "多" in found[0] and found["unit"] in ("月", "年"):
        value += 0.2
    return value


def _ago(at: datetime, count: float, unit: str) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit in ("小时", "钟头"):
        return at - timedelta(hours=count)
    if unit == "分钟":
        return at - timedelta(minutes=count)
    days = {"天": 1.0, "礼拜": 7.0, "星期": 7.0, "周": 7.0}.get(unit)
    if days is not None:
        return midnight - timedelta(days=round(days * count))
    months = count * (12 if unit == "年" else 1)
    whole, rest = int(months), months - int(months)
    first = calendar.month_start(at.year, at.month - whole)
    days_in = (calendar.month_start(first.year, first.month + 1) - first).days
    day = first + timedelta(days=min(at.day, days_in) - 1) - timedelta(days=round(rest * 30))
    return datetime.combine(day, datetime.min.time(), at.tzinfo)
