"""Who should sit where, when: a roster laid out over dates.

Patterns first, then swaps, then absences, then extra shifts. What does not come out as it was meant (a swap
of a day off) is told as an ``Oddity`` and otherwise ignored: the people who are there still count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone

from plan.model import Plan
from plan.roster import REST, Roster, span
from queues.shift import Calendar, Day, dates, day_of, moment, shift_of, zone


@dataclass(frozen=True, slots=True)
class Turn:
    """One person's stretch of work: on which shift, at which seat, able to answer which queues."""

    who: str
    seat: str
    """Empty: any free one."""
    day: date
    """The day the shift belongs to; a night shift ends on the next."""
    shift: str
    begins: datetime
    ends: datetime
    breaks: tuple[tuple[datetime, datetime], ...] = ()
    skills: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Queue to penalty."""
    instead_of: str = ""
    """Whose shift it was before a swap."""

    def at_seat(self, when: datetime) -> bool:
        """At work and not on a break."""
        return self.begins <= when < self.ends and not any(a <= when < b for a, b in self.breaks)


@dataclass(frozen=True, slots=True)
class Oddity:
    """An entry of the roster that changes nothing."""

    who: str
    day: date
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Laid:
    """A roster from ``first`` to ``last``, both included, with the nights that reach into ``first``."""

    first: date
    last: date
    tz: timezone
    days: Mapping[date, Day]
    turns: tuple[Turn, ...]
    oddities: tuple[Oddity, ...] = ()

    @property
    def begins(self) -> datetime:
        return moment(self.first, 0, self.tz)

    @property
    def ends(self) -> datetime:
        return moment(self.last + timedelta(days=1), 0, self.tz)


@dataclass(frozen=True, slots=True)
class Slot:
    """One interval, and for each instant at which somebody comes or goes, who is at their seat."""

    begins: datetime
    ends: datetime
    day: Day
    present: tuple[tuple[Turn, ...], ...]


def lay(plan: Plan, roster: Roster, first: date, last: date, calendar: Calendar) -> Laid:
    """The roster of these days. One day more is read on each side, for nights and for rest."""
    tz = zone(plan.city.timezone)
    days = {d: day_of(d, roster, calendar) for d in dates(first - timedelta(days=1), last)}
    odd: list[Oddity] = []
    entries = _patterns(plan, roster, days)
    _swap(plan, roster, entries, days, odd)
    for absence in roster.absences:
        for day in dates(max(absence.first, first - timedelta(days=1)), min(absence.last, last)):
            entries.pop((absence.who, day), None)
    for extra in roster.extra:
        if extra.date in days:
            entries.setdefault((extra.who, extra.date), []).append(
                _Entry(extra.shift, extra.seat or _seat(plan, roster, extra.who))
            )
    turns = [
        _turn(plan, roster, who, day, entry, tz) for (who, day), there in entries.items() for entry in there
    ]
    begins = moment(first, 0, tz)
    turns = sorted((s for s in turns if s.ends > begins), key=lambda s: (s.begins, s.who))
    return Laid(first, last, tz, days, tuple(turns), tuple(odd))


def slots(laid: Laid, minutes: int) -> list[Slot]:
    """The days in intervals. A break or a change of shift inside one is looked at by itself."""
    step = timedelta(minutes=minutes)
    found: list[Slot] = []
    begins = laid.begins
    waiting = list(laid.turns)  # by beginning
    here: list[Turn] = []
    at = 0
    while begins < laid.ends:
        ends = begins + step
        while at < len(waiting) and waiting[at].begins < ends:
            here.append(waiting[at])
            at += 1
        here = [s for s in here if s.ends > begins]
        present = [tuple(s for s in here if s.at_seat(when)) for when in _instants(here, begins, ends)]
        found.append(Slot(begins, ends, laid.days[begins.date()], tuple(dict.fromkeys(present))))
        begins = ends
    return found


def at(laid: Laid, when: datetime) -> tuple[Turn, ...]:
    """Who should be at their seat at this instant."""
    return tuple(s for s in laid.turns if s.at_seat(when))


# --- inside -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry:
    shift: str
    seat: str
    instead_of: str = ""


_Entries = dict[tuple[str, date], list[_Entry]]


def _seat(plan: Plan, roster: Roster, who: str) -> str:
    person = roster.people.get(who)
    known = plan.staff.get(who)
    return (person.seat if person else "") or (known.seat if known else "")


def _patterns(plan: Plan, roster: Roster, days: Mapping[date, Day]) -> _Entries:
    entries: _Entries = {}
    for who, person in roster.people.items():
        pattern = roster.patterns[person.pattern]
        for day in days.values():
            if (person.first and day.date < person.first) or (person.last and day.date > person.last):
                continue
            name = shift_of(pattern, day, person.offset)
            if name != REST:
                entries[(who, day.date)] = [_Entry(name, _seat(plan, roster, who))]
    return entries


def _swap(plan: Plan, roster: Roster, entries: _Entries, days: Mapping[date, Day], odd: list[Oddity]) -> None:
    for swap in roster.swaps:
        (one, other), first, last = swap.who, swap.dates[0], swap.dates[-1]
        if first not in days and last not in days:
            continue
        gives = _entry_of(entries, one, first, days)
        takes = _entry_of(entries, other, last, days)
        for who, day, entry in ((one, first, gives), (other, last, takes)):
            if entry is None and day in days:
                odd.append(Oddity(who, day, f"换班：{who} 当天无班", f"swap: {who} has no shift that day"))
            entries.pop((who, day), None)
        if gives is not None:
            entries.setdefault((other, first), []).append(replace(gives, instead_of=one))
        if takes is not None:
            entries.setdefault((one, last), []).append(replace(takes, instead_of=other))


def _entry_of(entries: _Entries, who: str, day: date, days: Mapping[date, Day]) -> _Entry | None:
    there = entries.get((who, day), []) if day in days else []
    return there[0] if there else None


def _turn(plan: Plan, roster: Roster, who: str, day: date, entry: _Entry, tz: timezone) -> Turn:
    shift = roster.shifts[entry.shift]
    person = roster.people.get(who)
    hours = span(shift.hours)
    own = person.breaks.get(entry.shift) if person else None
    breaks = tuple((moment(day, b.begins, tz), moment(day, b.ends, tz)) for b in shift.breaks_of(own))
    return Turn(
        who,
        entry.seat,
        day,
        entry.shift,
        moment(day, hours.begins, tz),
        moment(day, hours.ends, tz),
        breaks,
        plan.skills(who, entry.seat),
        entry.instead_of,
    )


def _instants(here: Iterable[Turn], begins: datetime, ends: datetime) -> list[datetime]:
    """The beginning, and every change of who is there before the end."""
    cuts = {begins}
    for turn in here:
        for when in (turn.begins, turn.ends, *(x for pair in turn.breaks for x in pair)):
            if begins < when < ends:
                cuts.add(when)
    return sorted(cuts)
