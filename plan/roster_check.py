"""From roster.toml and forecast.toml to a Roster, and every name in it against the plan and itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plan.faults import Fault
from plan.model import Plan
from plan.roster import (
    REST,
    Absence,
    Extra,
    Forecast,
    Pattern,
    Person,
    Rest,
    Roster,
    Shift,
    Span,
    SpecialDay,
    Swap,
    Target,
    span,
)
from plan.rule import Rule
from plan.tables import rule_of
from plan.words import NAME, SEAT, did_you_mean, shown

ROSTER = "roster.toml"
FORECAST = "forecast.toml"
TABLES: Mapping[str, type[Rule]] = {"shifts": Shift, "patterns": Pattern, "people": Person, "targets": Target}
LISTS: Mapping[str, type[Rule]] = {"days": SpecialDay, "swaps": Swap, "absences": Absence, "extra": Extra}
SINGLE: Mapping[str, type[Rule]] = {"target": Target, "rest": Rest}
KEYS = ("interval_minutes", *SINGLE, *TABLES, *LISTS)
INTERVALS = (15, 30, 60)
RATES = (24, 48, 96)


def roster_of(raw: Mapping[str, dict[str, Any]], plan: Plan, found: list[Fault]) -> Roster | None:
    """The roster of a plan, as far as it is sound; None without roster.toml. ``raw``: file to its tables.

    ``plan`` may be faulty elsewhere: its queues, seats and agents are those that could be read.
    """
    if ROSTER not in raw:
        if FORECAST in raw:
            found.append(Fault(FORECAST, "", "is of no use without roster.toml", "add roster.toml", True))
        return None
    parts = dict(_parts(raw[ROSTER], found))
    parts["forecast"] = dict(_table(FORECAST, (), raw.get(FORECAST, {}), Forecast, found))
    parts["targets"] = _whole(parts.get("target", Target()), parts.get("targets", {}))
    roster = Roster.model_construct(**parts)
    found += _faults(roster, plan, raw[ROSTER])
    return roster


def _whole(common: Target, own: Mapping[str, Target]) -> dict[str, Target]:
    """Each queue's own keys over the common ones."""
    return {
        queue: common.model_copy(update={key: getattr(target, key) for key in target.model_fields_set})
        for queue, target in own.items()
    }


def _parts(raw: dict[str, Any], found: list[Fault]) -> Iterator[tuple[str, Any]]:
    for key, value in raw.items():
        if key in TABLES:
            yield key, dict(_table(ROSTER, (key,), value, TABLES[key], found))
        elif key in LISTS:
            yield key, tuple(_list(key, value, LISTS[key], found))
        elif key in SINGLE:
            if not isinstance(value, dict):
                found.append(
                    Fault(ROSTER, key, "is not a table", f"start it with [{key}] on a line of its own")
                )
            elif (one := rule_of(ROSTER, (key,), value, SINGLE[key], found)) is not None:
                yield key, one
        elif key == "interval_minutes":
            if isinstance(value, int) and value in INTERVALS:
                yield key, value
            else:
                found.append(
                    Fault(ROSTER, key, f"{shown(str(value))} is not known here", "there are: 15, 30, 60")
                )
        else:
            found.append(Fault(ROSTER, shown(key)[1:-1], "unknown table", did_you_mean(key, KEYS)))


def _table(
    file: str, place: tuple[str, ...], raw: Any, rule: type[Rule], found: list[Fault]
) -> Iterator[tuple[str, Any]]:
    if not isinstance(raw, dict):
        found.append(Fault(file, place[0], "is not a table of tables", f"write [{place[0]}.name]"))
        return
    people = rule is Person
    for name, value in raw.items():
        if not (SEAT if people else NAME).fullmatch(name):
            what = "an agent's or a seat's number" if people else "a name"
            hint = "3 to 6 digits" if people else "lower case letters, digits and hyphens, at most 24"
            found.append(Fault(file, ".".join((*place, shown(name))), f"is not {what}", hint))
        elif not isinstance(value, dict):
            here = ".".join((*place, name))
            found.append(Fault(file, here, "is not a table", f"start it with [{here}] on a line of its own"))
        elif (one := rule_of(file, (*place, name), value, rule, found)) is not None:
            yield name, one


def _list(key: str, raw: Any, rule: type[Rule], found: list[Fault]) -> Iterator[Any]:
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        found.append(Fault(ROSTER, key, "is not a list of tables", f"start each with [[{key}]]"))
        return
    for number, entry in enumerate(raw, 1):
        if (one := rule_of(ROSTER, (f"{key} {number}",), entry, rule, found)) is not None:
            yield one


# --- names -------------------------------------------------------------------------------------------


def _faults(roster: Roster, plan: Plan, raw: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _shifts(roster)
    yield from _patterns(roster, set(raw.get("shifts", ())))
    yield from _people(roster, plan, raw)
    yield from _changes(roster, plan, set(raw.get("shifts", ())))
    yield from _queues(roster, plan)


def _no_such(place: str, what: str, name: str, known: Mapping[str, Any] | set[str]) -> Fault:
    return Fault(ROSTER, place, f"no such {what} {shown(name)}", did_you_mean(name, known))


def _shifts(roster: Roster) -> Iterator[Fault]:
    for name, shift in roster.shifts.items():
        if name == REST:
            yield Fault(ROSTER, f"shifts.{name}", "'rest' means no shift", "choose another name")
        yield from _breaks(f"shifts.{name}.breaks", shift, shift.breaks)


def _breaks(place: str, shift: Shift, own: tuple[str, ...]) -> Iterator[Fault]:
    hours = span(shift.hours)
    last = hours.begins
    for text, each in zip(own, shift.breaks_of(own), strict=True):
        if not (hours.begins <= each.begins and each.ends <= hours.ends):
            yield Fault(
                ROSTER, place, f"'{text}' is not inside of {shift.hours}", "a break lies within its shift"
            )
        elif each.begins < last:
            yield Fault(
                ROSTER, place, f"'{text}' begins before the one in front of it ends", "put them in order"
            )
        last = max(last, each.ends)
    if own and _length(hours) <= sum(_length(each) for each in shift.breaks_of(own)):
        yield Fault(ROSTER, place, "nothing is left of the shift", "make them shorter")


def _length(hours: Span) -> int:
    return hours.ends - hours.begins


def _patterns(roster: Roster, shifts: set[str]) -> Iterator[Fault]:
    for name, pattern in roster.patterns.items():
        place = f"patterns.{name}"
        for key, shift in pattern.shifts():
            if shift not in shifts:
                yield _no_such(f"{place}.{key}", "shift", shift, {*shifts, REST})
        if pattern.cycle and pattern.starts is None:
            hint = "a day on which somebody with offset 0 is at the first entry, like 2026-01-05"
            yield Fault(ROSTER, f"{place}.starts", "is missing", hint)
        if pattern.week and len(pattern.week) != 7:
            yield Fault(ROSTER, f"{place}.week", f"has {len(pattern.week)} entries", "seven, Monday first")
        if pattern.cycle and (pattern.week or pattern.workday or pattern.weekend):
            yield Fault(ROSTER, place, "is both a cycle and a week", "keep one; holiday may stand with both")
        if not pattern.shifts():
            yield Fault(ROSTER, place, "has no shift at all", 'like workday = "day", or a cycle', True)


def _people(roster: Roster, plan: Plan, raw: Mapping[str, Any]) -> Iterator[Fault]:
    patterns = raw.get("patterns", {})
    for who, person in roster.people.items():
        place = f"people.{who}"
        if who not in plan.staff:
            yield _no_such(place, "agent" if plan.agents else "seat", who, set(plan.staff))
        if person.pattern not in patterns:
            yield _no_such(f"{place}.pattern", "pattern", person.pattern, set(patterns))
        if person.seat and person.seat not in plan.seats:
            yield _no_such(f"{place}.seat", "seat", person.seat, set(plan.seats))
        if person.first and person.last and person.first > person.last:
            yield Fault(
                ROSTER, f"{place}.last", f"{person.last} is before {person.first}", "first, then last"
            )
        for name, own in person.breaks.items():
            if name in roster.shifts:
                yield from _breaks(f"{place}.breaks.{name}", roster.shifts[name], own)
            elif name not in raw.get("shifts", {}):
                yield _no_such(f"{place}.breaks", "shift", name, set(raw.get("shifts", {})))
    for who in plan.staff:
        if who not in raw.get("people", {}) and all(extra.who != who for extra in roster.extra):
            yield Fault(ROSTER, "people", f"{shown(who)} is on no roster", f"add [people.{who}]", True)


def _changes(roster: Roster, plan: Plan, shifts: set[str]) -> Iterator[Fault]:
    what = "agent" if plan.agents else "seat"
    seen: dict[Any, int] = {}
    for number, day in enumerate(roster.days, 1):
        if day.date in seen:
            place = f"days {number}.date"
            yield Fault(ROSTER, place, f"{day.date} stands in days {seen[day.date]} too", "keep one")
        seen.setdefault(day.date, number)
    for number, swap in enumerate(roster.swaps, 1):
        for who in swap.who:
            if who not in plan.staff:
                yield _no_such(f"swaps {number}.who", what, who, set(plan.staff))
        if swap.who[0] == swap.who[1]:
            yield Fault(ROSTER, f"swaps {number}.who", "is one person twice", "two who change places")
    for number, absence in enumerate(roster.absences, 1):
        if absence.who not in plan.staff:
            yield _no_such(f"absences {number}.who", what, absence.who, set(plan.staff))
        if absence.first > absence.last:
            place = f"absences {number}.last"
            yield Fault(ROSTER, place, f"{absence.last} is before {absence.first}", "first, then last")
    for number, extra in enumerate(roster.extra, 1):
        if extra.who not in plan.staff:
            yield _no_such(f"extra {number}.who", what, extra.who, set(plan.staff))
        if extra.shift not in shifts:
            yield _no_such(f"extra {number}.shift", "shift", extra.shift, shifts)
        if extra.seat and extra.seat not in plan.seats:
            yield _no_such(f"extra {number}.seat", "seat", extra.seat, set(plan.seats))


def _queues(roster: Roster, plan: Plan) -> Iterator[Fault]:
    for name, target in roster.targets.items():
        if name not in plan.queues:
            yield _no_such(f"targets.{name}", "queue", name, set(plan.queues))
        elif target.open and not plan.queues[name].next.startswith(("queue:", "phone:")):
            text = "is closed at times, and its callers then reach nobody"
            yield Fault(
                ROSTER, f"targets.{name}.open", text, f"lead queues.{name}.next to another queue", True
            )
    for name, forecast in roster.forecast.items():
        if name not in plan.queues:
            hint = did_you_mean(name, set(plan.queues))
            yield Fault(FORECAST, name, f"no such queue {shown(name)}", hint)
        for kind in ("workday", "weekend", "holiday"):
            rates = getattr(forecast, kind)
            if (rates or kind == "workday") and (len(rates) not in RATES):
                hint = "24 for hours, 48 for half hours, 96 for quarters"
                yield Fault(FORECAST, f"{name}.{kind}", f"has {len(rates)} entries", hint)
    for name in plan.queues:
        if name not in roster.forecast:
            text = f"no calls are foreseen for queue '{name}': its minimum alone counts"
            yield Fault(FORECAST, "", text, f"add [{name}]; cti roster need --from-history makes one", True)


__all__ = ["FORECAST", "ROSTER", "roster_of"]
