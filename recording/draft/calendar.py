"""Days people name: weekdays, festivals, lunar dates; as dates relative to the moment of the call."""

from __future__ import annotations

from datetime import date, timedelta

NEW_YEAR = {
    2023: date(2023, 1, 22), 2024: date(2024, 2, 10), 2025: date(2025, 1, 29), 2026: date(2026, 2, 17),
    2027: date(2027, 2, 6), 2028: date(2028, 1, 26), 2029: date(2029, 2, 13), 2030: date(2030, 2, 3),
}  # fmt: skip
"""First day of the first lunar month. Years beyond are not guessed."""
_FIXED = {
    "元旦": (1, 1, 1), "五一": (5, 1, 5), "劳动节": (5, 1, 5), "六一": (6, 1, 1), "国庆": (10, 1, 7),
    "十一长假": (10, 1, 7), "十一假期": (10, 1, 7), "十一期间": (10, 1, 7),
    "清明": (4, 4, 3), "双十一": (11, 11, 1), "三八节": (3, 8, 1), "暑假": (7, 1, 62), "高考": (6, 7, 2),
}  # fmt: skip
"""Month, day, days it lasts. 清明 by its holiday."""
_MOON = {
    "中秋": {2024: (9, 17), 2025: (10, 6), 2026: (9, 25), 2027: (9, 15)},
    "端午": {2024: (6, 10), 2025: (5, 31), 2026: (6, 19), 2027: (6, 9)},
}  # fmt: skip
_FROM_NEW_YEAR = {
    "除夕": (-1, 1), "大年三十": (-1, 1), "春节": (0, 7), "过年": (0, 7), "过了年": (0, 1),
    "正月十五": (14, 1), "元宵": (14, 1),
}  # fmt: skip
FESTIVALS = tuple(sorted((*_FIXED, *_MOON, *_FROM_NEW_YEAR), key=len, reverse=True))


def festival(name: str, today: date) -> tuple[date, date] | None:
    """The latest such festival that has begun: first day, and the day after the last."""
    for year in (today.year, today.year - 1):
        first, days = _festival(name, year)
        if first is not None and first <= today:
            return first, first + timedelta(days=days)
    return None


def _festival(name: str, year: int) -> tuple[date | None, int]:
    if name in _FIXED:
        month, day, days = _FIXED[name]
        return date(year, month, day), days
    if name in _MOON:
        at = _MOON[name].get(year)
        return (date(year, *at) if at else None), 3
    shift, days = _FROM_NEW_YEAR[name]
    first = NEW_YEAR.get(year)
    return (first + timedelta(days=shift) if first else None), days


def lunar_day(day: int, today: date) -> date | None:
    """大年初三: the day of the first lunar month."""
    for year in (today.year, today.year - 1):
        first = NEW_YEAR.get(year)
        if first is not None and first + timedelta(days=day - 1) <= today:
            return first + timedelta(days=day - 1)
    return None


def weekday(day: int, weeks_back: int, today: date) -> date:
    """Monday = 0 of this week (0), last week (1) …"""
    return today - timedelta(days=today.weekday()) - timedelta(weeks=weeks_back) + timedelta(days=day)


def month_start(year: int, month: int) -> date:
    """The first of a month; months run over into the years around."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, 1)
