"""Holes in a roster before they happen: intervals without people, people in two places, unknown holidays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone

from plan.model import Plan
from plan.roster import Roster
from queues.hole import Hole, HoleKind, merged
from queues.need import Need, Shared, needs, share, skills_of
from queues.rest import tired
from queues.roster import Laid, Slot, Turn, lay, slots
from queues.shift import Calendar

LOOK_BACK = 28
"""Days before the first one that count for the rest rules."""


@dataclass(frozen=True, slots=True)
class Covered:
    """A queue in an interval, at the instant that is worst for it."""

    need: Need
    have: int
    """People whom the roster gives it, each to one queue; never more than ``need.rostered``."""
    able: int
    """People there who could answer it, those counted for other queues too."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Every queue that is open in it. ``fewest``, ``most``: people at their seats at any instant."""

    begins: datetime
    ends: datetime
    fewest: int
    most: int
    queues: Mapping[str, Covered]


@dataclass(frozen=True, slots=True)
class Outlook:
    """A roster from ``first`` to ``last``, both included: what each interval needs and has, and the holes."""

    city: str
    first: date
    last: date
    tz: timezone
    holes: tuple[Hole, ...]
    intervals: tuple[Interval, ...]
    at: float = 0.0
    """When ``signed_in`` was looked at."""
    signed_in: Shared | None = None
    """Who is at their seats now, shared out as the interval of now needs them; None: not known."""


def holes(plan: Plan, roster: Roster, first: date, last: date, calendar: Calendar) -> list[Hole]:
    """Everything wrong with these days, both included, faults before warnings, each in order of time."""
    return list(outlook(plan, roster, first, last, calendar).holes)


def outlook(plan: Plan, roster: Roster, first: date, last: date, calendar: Calendar) -> Outlook:
    """These days in intervals, with their holes."""
    laid = lay(plan, roster, first, last, calendar)
    wide = lay(plan, roster, first - timedelta(days=LOOK_BACK), last, calendar)
    every = _intervals(plan, roster, laid)
    found = [
        *_uncovered(len(plan.seats), every),
        *_twice(laid),
        *tired(roster, wide, laid.begins),
        *_odd(laid),
        *_unknown(laid),
    ]
    found.sort(key=lambda h: (h.warning, h.begins, h.kind, h.queue, h.who))
    return Outlook(plan.id, first, last, laid.tz, tuple(found), tuple(every))


# --- people and need ------------------------------------------------------------------------------------


def _intervals(plan: Plan, roster: Roster, laid: Laid) -> list[Interval]:
    found = []
    for slot in slots(laid, roster.interval_minutes):
        people = [len(there) for there in slot.present]
        queues = covered(slot, needs(plan, roster, laid, slot))
        found.append(Interval(slot.begins, slot.ends, min(people), max(people), queues))
    return found


def covered(slot: Slot, wanted: Mapping[str, Need]) -> dict[str, Covered]:
    """Each queue at its worst instant of this interval."""
    numbers = {queue: need.rostered for queue, need in wanted.items()}
    shared = [share(numbers, skills_of(there)) for there in slot.present]
    return {
        queue: Covered(need, min(s.given[queue] for s in shared), min(s.able[queue] for s in shared))
        for queue, need in wanted.items()
    }


def _uncovered(seats: int, every: Iterable[Interval]) -> list[Hole]:
    found: list[Hole] = []
    for one in every:
        found += _short(one)
        if one.most > seats:
            zh, en = f"在班 {one.most} 人，座席仅 {seats} 个", f"{one.most} people, {seats} seats"
            found.append(Hole(HoleKind.CROWDED, one.begins, one.ends, zh, en, have=seats, need=one.most))
    return [_worded(hole) for hole in merged(found)]


def _short(one: Interval) -> Iterable[Hole]:
    """The queues that are short at some instant of this interval, each at its worst."""
    for queue, there in one.queues.items():
        if there.have < there.need.rostered:
            kind = HoleKind.SHORT if there.able else HoleKind.UNCOVERED
            have, need = there.have, there.need.rostered
            yield Hole(kind, one.begins, one.ends, "", "", queue=queue, have=have, need=need)


def _worded(hole: Hole) -> Hole:
    match hole.kind:
        case HoleKind.UNCOVERED:
            zh = f"无人能接，需 {hole.need} 人"
            return replace(hole, zh=zh, en=f"nobody who answers it, {hole.need} needed")
        case HoleKind.SHORT:
            return replace(
                hole, zh=f"需 {hole.need} 人，可排 {hole.have} 人", en=f"{hole.have} of {hole.need} needed"
            )
        case _:
            return hole


# --- people ---------------------------------------------------------------------------------------------


def _twice(laid: Laid) -> Iterable[Hole]:
    """One person in two shifts at once, two persons at one seat."""
    person: dict[str, Turn] = {}
    seat: dict[str, Turn] = {}
    for turn in laid.turns:
        before = person.get(turn.who)
        if before is not None and turn.begins < before.ends:
            zh, en = f"{turn.who} 同时排了两个班", f"{turn.who} has two shifts at once"
            yield _both(before, turn, zh, en)
        person[turn.who] = _later(before, turn)
        if not turn.seat:
            continue
        before = seat.get(turn.seat)
        if before is not None and before.who != turn.who and turn.begins < before.ends:
            zh = f"座席 {turn.seat} 同时排了 {before.who} 和 {turn.who}"
            yield _both(before, turn, zh, f"{before.who} and {turn.who} both sit at {turn.seat}")
        seat[turn.seat] = _later(before, turn)


def _later(before: Turn | None, turn: Turn) -> Turn:
    return turn if before is None or turn.ends > before.ends else before


def _both(before: Turn, turn: Turn, zh: str, en: str) -> Hole:
    ends = min(before.ends, turn.ends)
    return Hole(HoleKind.TWICE, turn.begins, ends, zh, en, who=turn.who, seat=turn.seat)


def _odd(laid: Laid) -> Iterable[Hole]:
    for odd in laid.oddities:
        begins = datetime(odd.day.year, odd.day.month, odd.day.day, tzinfo=laid.tz)
        if laid.begins <= begins:
            yield Hole(HoleKind.ODD, begins, begins + timedelta(days=1), odd.zh, odd.en, who=odd.who)


def _unknown(laid: Laid) -> Iterable[Hole]:
    """One for each day: whoever reads about that day must see it."""
    for day in laid.days.values():
        begins = datetime(day.date.year, day.date.month, day.date.day, tzinfo=laid.tz)
        if not day.known and laid.begins <= begins:
            zh = f"{day.date.year} 年节假日未知，按周一至周五计；请在 roster.toml 写 [[days]]"
            en = f"holidays of {day.date.year} are not known, taken as Monday to Friday; add [[days]]"
            yield Hole(HoleKind.UNKNOWN_DAY, begins, begins + timedelta(days=1), zh, en)
