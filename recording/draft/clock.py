"""Times of day as people say them: 晚上十点多, 下午三点半左右, 半夜一两点."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from recording.draft.numerals import NUMERAL, number

PARTS = {
    "凌晨": (0, 5), "后半夜": (0, 5), "大清早": (5, 9), "一大早": (5, 9), "清早": (5, 9), "清晨": (5, 9),
    "早上": (5, 9), "早晨": (5, 9),
    "早起": (5, 9), "上午": (8, 12), "中午": (11, 13), "晌午": (11, 13), "下午": (13, 18), "后晌": (13, 18),
    "傍晚": (17, 19), "天黑": (18, 24),
    "晚上": (18, 24), "晚间": (18, 24), "夜里头": (18, 29), "夜里": (18, 29), "黑夜": (18, 24),
    "黑了": (18, 24), "半夜三更": (23, 29), "半夜": (23, 29),
    "深夜": (22, 29), "夜间": (18, 29), "早": (5, 9), "晨": (5, 9), "晚": (18, 24), "夜": (18, 29),
}  # fmt: skip
"""Hours from..to of the day; above 24: of the night that begins that day."""
PART = f"(?:{'|'.join(sorted(PARTS, key=len, reverse=True))})"
_ABOUT = r"(?:大概|大约|差不多|可能|也就|就是|快|是|约)?"
CLOCK = (
    rf"(?:(?P<hour>{NUMERAL})(?:点|时(?!候|间|常|不))(?:钟)?(?P<minutes>半|一刻|三刻|(?:过|零)?{NUMERAL}(?:几|多)?分?(?!个|天|岁))?"
    r"(?P<more>多钟?|过一点点|过一点儿?|过|出头)?(?P<about>左右|来钟|上下|前后|样子|的样子|钟左右)?)"
)
CLOCK_AFTER = _ABOUT + CLOCK
_HALF = timedelta(minutes=30)
_QUARTER = timedelta(minutes=15)


def hours(text: str) -> tuple[int, int] | None:
    """One hour, or two that stand together (两三点, 十一二点)."""
    if re.fullmatch(r"[0-9]+", text):
        return (int(text), int(text)) if int(text) <= 24 else None
    if found := re.fullmatch(r"(十?)([一二两三四五六七八九])([一二三四五六七八九])", text):
        first, second = number(found[2]), number(found[3])
        if first is not None and second == first + 1:
            ten = 10 if found[1] else 0
            return ten + first, ten + second
    one = number(text)
    return (one, one) if one is not None and 0 <= one <= 24 else None


def on(
    midnight: datetime, part: str | None, found: re.Match[str], now: datetime, today: bool
) -> tuple[datetime, datetime] | None:
    """The interval of a spoken clock time on a day. ``today``: the day is the call's own or unnamed."""
    both = hours(found["hour"])
    if both is None:
        return None
    first, second = both
    shift = _shift(first, part, midnight, now, today)
    base = midnight + timedelta(hours=first + shift)
    if second != first:
        return base, base + timedelta(hours=second - first)
    minutes, more = found["minutes"], found["more"]
    if minutes == "半":
        at = base + _HALF
        return (at, at + _HALF) if more else (at - _QUARTER, at + _QUARTER)
    if minutes in ("一刻", "三刻"):
        at = base + (_QUARTER if minutes == "一刻" else 3 * _QUARTER)
        return at - _QUARTER, at + _QUARTER
    if minutes:
        vague = minutes.rstrip("分")[-1:] in "几多"
        value = number(minutes.strip("过零分几多")) or 0
        at = base + timedelta(minutes=min(value, 59))
        return (at, at + timedelta(minutes=10)) if vague else (at - _QUARTER, at + _QUARTER)
    if more in ("过一点点", "过一点", "过一点儿"):
        return base, base + _QUARTER
    if more:
        return base, base + timedelta(hours=1)
    return base - _HALF, base + _HALF


def _shift(hour: int, part: str | None, midnight: datetime, now: datetime, today: bool) -> int:
    """Hours to add so that 十点 in the evening is 22."""
    if hour > 12 or hour == 0:
        return 0
    if part is None:
        late = midnight + timedelta(hours=hour + 12)
        if today:
            # the latest such time that has passed
            return 12 if late - _HALF <= now and hour < 12 else 0
        return 12 if hour < 6 else 0
    low, high = PARTS[part]
    if high <= 9 or part == "上午":
        return -12 if hour == 12 and high <= 5 else 0
    if part in ("中午", "晌午"):
        return 12 if hour < 5 else 0
    if high <= 19:
        return 12 if hour < 12 else 0
    if hour == 12:  # midnight: ends the day that was named; today's own has not come yet
        return -12 if today and midnight + timedelta(hours=24) > now else 12
    if hour < 5 or (hour == 5 and low >= 22):
        return 0 if today and midnight + timedelta(hours=24 + hour) > now else 24
    return 12
