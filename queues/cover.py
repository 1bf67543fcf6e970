"""Holes in a roster before they happen: intervals without people, people in two places, unknown holidays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from plan.model import Plan
from plan.roster import Roster
from queues.hole import Hole, HoleKind, badness, merged
from queues.need import Need, needs, share, skills_of
from queues.rest import tired
from queues.roster import Laid, Slot, Turn, lay, slots
from queues.shift import Calendar

LOOK_BACK = 28
"""Days before the first one that count for the rest rules."""


def holes(plan: Plan, roster: Roster, first: date, last: date, calendar: Calendar) -> list[Hole]:
    """Everything wrong with these days, both included, faults before warnings, each in order of time."""
    laid = lay(plan, roster, first, last, calendar)
    wide = lay(plan, roster, first - timedelta(days=LOOK_BACK), last, calendar)
    found = [
        *_uncovered(plan, roster, laid),
        *_twice(laid),
        *tired(roster, wide, laid.begins),
        *_odd(laid),
        *_unknown(laid),
    ]
    return sorted(found, key=lambda h: (h.warning, h.begins, h.kind, h.queue, h.who))


# --- people and need ------------------------------------------------------------------------------------


def _uncovered(plan: Plan, roster: Roster, laid: Laid) -> list[Hole]:
    found: list[Hole] = []
    for slot in slots(laid, roster.interval_minutes):
        wanted = needs(plan, roster, laid, slot)
        found += worst(slot, wanted)
        most = max((len(there) for there in slot.present), default=0)
        if most > len(plan.seats):
            zh, en = f"在班 {most} 人，座席仅 {len(plan.seats)} 个", f"{most} people, {len(plan.seats)} seats"
            found.append(
                Hole(HoleKind.CROWDED, slot.begins, slot.ends, zh, en, have=len(plan.seats), need=most)
            )
    return [_worded(hole) for hole in merged(found)]


def worst(slot: Slot, wanted: Mapping[str, Need]) -> list[Hole]:
    """The queues that are short at some instant of this interval, each at its worst."""
    numbers = {queue: need.rostered for queue, need in wanted.items()}
    found: dict[str, Hole] = {}
    for there in slot.present:
        shared = share(numbers, skills_of(there))
        for queue, need in numbers.items():
            have = shared.given[queue]
            if have >= need:
                continue
            kind = HoleKind.SHORT if shared.able[queue] else HoleKind.UNCOVERED
            hole = Hole(kind, slot.begins, slot.ends, "", "", queue=queue, have=have, need=need)
            if queue not in found or badness(hole) > badness(found[queue]):
                found[queue] = hole
    return list(found.values())


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
