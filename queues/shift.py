"""Days and shifts: what kind of day a date is, and which shift a pattern gives a person on it.

All in the city's own time. A day's kind comes from the plan's own table, else from a calendar that somebody
outside hands in, else it is Monday to Friday: then nobody has said so yet, and that is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from plan.roster import REST, DayKind, Pattern, Roster

Calendar = Callable[[date], DayKind | None]
"""The kind of a day; None: this calendar does not know the year (its notice is not out yet)."""

HOURS_FROM_UTC: Mapping[str, int] = {
    "Asia/Shanghai": 8,
    "Asia/Urumqi": 6,
    "Asia/Hong_Kong": 8,
    "Asia/Macau": 8,
    "UTC": 0,
}
"""The zones a plan may name. None of them has had summer time since 1991."""


@dataclass(frozen=True, slots=True)
class Day:
    """``known`` is False where only the weekday tells: a holiday there is not seen."""

    date: date
    kind: DayKind
    known: bool = True


def zone(name: str) -> timezone:
    """A plan's time zone."""
    return timezone(timedelta(hours=HOURS_FROM_UTC[name]), name)


def moment(day: date, minutes: int, tz: timezone) -> datetime:
    """Minutes after the midnight that ``day`` begins with."""
    return datetime(day.year, day.month, day.day, tzinfo=tz) + timedelta(minutes=minutes)


def dates(first: date, last: date) -> Iterator[date]:
    """Both included."""
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)


def day_of(day: date, roster: Roster, calendar: Calendar) -> Day:
    """What kind of day a date is."""
    for special in roster.days:
        if special.date == day:
            return Day(day, special.kind)
    told = calendar(day)
    if told is not None:
        return Day(day, told)
    return Day(day, "weekend" if day.weekday() >= 5 else "workday", known=False)


def shift_of(pattern: Pattern, day: Day, offset: int = 0) -> str:
    """The shift's name, or ``rest``."""
    if day.kind == "holiday" and (pattern.holiday or not pattern.cycle):
        return pattern.holiday or REST
    if pattern.cycle and pattern.starts is not None:
        return pattern.cycle[((day.date - pattern.starts).days + offset) % len(pattern.cycle)]
    if pattern.week:
        if day.kind == "workday" and day.date.weekday() >= 5:
            # a Saturday worked for a holiday: the notice does not say which weekday's shift it takes
            return pattern.workday or pattern.week[0]
        return pattern.week[day.date.weekday()]
    return (pattern.workday if day.kind == "workday" else pattern.weekend) or REST
