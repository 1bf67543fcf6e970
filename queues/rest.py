"""Who rests too little: between two shifts, in a week, on average (劳动法 36, 38; limits in ``[rest]``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from plan.roster import Roster
from queues.hole import Hole, HoleKind
from queues.roster import Laid, Turn


def tired(roster: Roster, laid: Laid, since: datetime) -> Iterable[Hole]:
    """Holes that end after ``since``; ``laid`` begins some days before it."""
    people: dict[str, list[Turn]] = {}
    for turn in laid.turns:
        people.setdefault(turn.who, []).append(turn)
    for who, turns in sorted(people.items()):
        found = [
            *_short_nights(roster, who, turns),
            *_no_day_off(roster, who, turns),
            *_long_weeks(roster, laid, who, turns),
        ]
        yield from (replace(hole, begins=max(hole.begins, since)) for hole in found if hole.ends > since)


def _short_nights(roster: Roster, who: str, turns: list[Turn]) -> Iterable[Hole]:
    least = timedelta(hours=roster.rest.between_hours)
    for before, after in pairwise(turns):
        gap = after.begins - before.ends
        if timedelta() <= gap < least:
            hours = gap / timedelta(hours=1)
            zh = f"{who} 两班之间只休息 {hours:g} 小时，至少 {roster.rest.between_hours}"
            en = f"{who} rests {hours:g} h between two shifts, at least {roster.rest.between_hours}"
            yield Hole(HoleKind.REST, before.ends, after.begins + timedelta(minutes=1), zh, en, who=who)


def _no_day_off(roster: Roster, who: str, turns: list[Turn]) -> Iterable[Hole]:
    most = roster.rest.days_in_a_row
    worked = sorted({turn.day for turn in turns})
    run: list[date] = []
    for n, day in enumerate(worked):
        run = [*run, day] if run and day - run[-1] == timedelta(days=1) else [day]
        goes_on = n + 1 < len(worked) and worked[n + 1] - day == timedelta(days=1)
        if len(run) > most and not goes_on:
            there = [s for s in turns if s.day in run]
            zh, en = (
                f"{who} 连续上班 {len(run)} 天，至多 {most}",
                f"{who} works {len(run)} days in a row, at most {most}",
            )
            yield Hole(HoleKind.REST, there[0].begins, there[-1].ends, zh, en, who=who)


def _long_weeks(roster: Roster, laid: Laid, who: str, turns: list[Turn]) -> Iterable[Hole]:
    """Calendar weeks, Monday first; a week that is not wholly looked at counts as far as it is."""
    hours: dict[date, float] = {}
    for s in turns:
        monday = s.day - timedelta(days=s.day.weekday())
        off = sum((b - a for a, b in s.breaks), timedelta())
        hours[monday] = hours.get(monday, 0.0) + (s.ends - s.begins - off) / timedelta(hours=1)
    mine = [s.begins for s in turns]
    for monday, worked in sorted(hours.items()):
        if worked > roster.rest.week_hours:
            begins = min(b for s, b in zip(turns, mine, strict=True) if s.day >= monday)
            zh = f"{who} 一周 {worked:g} 小时，至多 {roster.rest.week_hours}"
            en = f"{who} works {worked:g} h in one week, at most {roster.rest.week_hours}"
            yield Hole(HoleKind.REST, begins, begins + timedelta(days=7), zh, en, who=who)
    whole = [m for m in hours if laid.first <= m and m + timedelta(days=6) <= laid.last]
    if len(whole) >= 4:
        mean = sum(hours[m] for m in whole) / len(whole)
        if mean > roster.rest.average_hours:
            zh = f"{who} 平均每周 {mean:.1f} 小时，至多 {roster.rest.average_hours}"
            en = f"{who} works {mean:.1f} h a week on average, at most {roster.rest.average_hours}"
            yield Hole(HoleKind.REST, laid.begins, laid.ends, zh, en, who=who)
