"""Faults of numbers.toml, units.toml and rules.toml, and whether each entry says where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel

from plan.faults import Fault
from plan.merged import Merged, MergedKind, numbers_of
from plan.model import Destination, Plan, Queue
from plan.rule import Rule
from plan.tables import TABLES
from plan.words import did_you_mean

FILE = "numbers.toml"
ALWAYS = ("numbers",)
"""There because of a notice, as rules.toml; the others owe their clause when ``city.notice`` is set."""
Known = Mapping[str, set[str]]


def faults_of_merged(plan: Plan, known: Known) -> Iterator[Fault]:
    """All of them. ``known``: kind of table to the names its file has, also those with faults."""
    yield from _lines_without_number(plan, known)
    yield from _twice(plan)
    for name, row in plan.numbers.items():
        yield from _names(plan, known, name, row)
        yield from _dates(name, row)
        yield from _of_its_kind(plan, name, row)
    yield from _unfounded(plan)


def _lines_without_number(plan: Plan, known: Known) -> Iterator[Fault]:
    led = {line for row in plan.numbers.values() for line in (row.line, row.before)}
    led |= {to.name for _, to in _places_named(plan) if to.kind == "line"}
    for name, line in plan.lines.items():
        if not line.numbers and name not in led and not known["numbers"]:
            yield Fault("lines.toml", f"{name}.numbers", "is missing", "every table of this kind needs it")
        elif not line.numbers and name not in led:
            yield Fault(
                "lines.toml", f"{name}.numbers", "is missing, and no row of numbers.toml names this line",
                f'add numbers here, or a row with line = "{name}"',
            )  # fmt: skip


def _places_named(plan: Plan) -> Iterator[tuple[str, Destination]]:
    texts = [line.first for line in plan.lines.values()] + [queue.next for queue in plan.queues.values()]
    texts += [to for menu in plan.menus.values() for to in (*menu.keys.values(), menu.otherwise)]
    texts += [rule.to for rule in plan.advice] + [rule.to for rule in plan.overflow]
    for text in texts:
        if (to := Destination.parse(text)) is not None:
            yield text, to


def _twice(plan: Plan) -> Iterator[Fault]:
    in_lines = {number: name for name, line in plan.lines.items() for number in line.numbers}
    for number in numbers_of(plan.numbers):
        rows = [(n, row) for n, row in plan.numbers.items() if number in (*row.numbers, *row.called)]
        last, row = rows[-1]
        place = f"{last}.{'numbers' if number in row.numbers else 'called'}"
        if number in in_lines:
            fault = f"'{number}' belongs to line '{in_lines[number]}' in lines.toml too"
            yield Fault(FILE, place, fault, "a merged number stands here only")
        if number in plan.seats:
            yield Fault(FILE, place, f"'{number}' is a seat's number too", "give the seat another one")
        if len({row.begins for _, row in rows}) < len(rows):
            first = rows[0][0]
            fault = f"'{number}' stands in row '{first}' too, from the same day on"
            yield Fault(FILE, place, fault, "give the later row a day it begins on: begins = 2030-01-01")
    for name, row in plan.numbers.items():
        every = (*row.numbers, *row.called)
        for number in dict.fromkeys(n for n in every if every.count(n) > 1):
            yield Fault(FILE, f"{name}.numbers", f"'{number}' stands there twice", "keep one")


def _names(plan: Plan, known: Known, name: str, row: Merged) -> Iterator[Fault]:
    for key, line in (("line", row.line), ("before", row.before)):
        if line and line not in known["lines"]:
            yield Fault(FILE, f"{name}.{key}", f"no such line '{line}'", did_you_mean(line, known["lines"]))
    if row.unit and row.unit not in known["units"]:
        fault = f"no such unit '{row.unit}'"
        yield Fault(FILE, f"{name}.unit", fault, did_you_mean(row.unit, known["units"]))
    for trunk in row.trunks:
        if trunk not in known["trunks"]:
            fault = f"no such trunk '{trunk}'"
            yield Fault(FILE, f"{name}.trunks", fault, did_you_mean(trunk, known["trunks"]))
    if (row.trunks or row.callers) and row.kind != "linked":
        key = "trunks" if row.trunks else "callers"
        hint = 'only a centre is known by who calls: kind = "linked"'
        yield Fault(FILE, f"{name}.{key}", f"means nothing for kind '{row.kind}'", hint)


def _dates(name: str, row: Merged) -> Iterator[Fault]:
    told = [(key, day) for key in ("begins", "since", "retired") if (day := getattr(row, key)) is not None]
    for (one, early), (other, late) in pairwise(told):
        if late <= early:
            yield Fault(FILE, f"{name}.{other}", f"{late} is not after {one} {early}", "a row goes forward")
    if row.retired is not None and row.kind in ("dedicated", "linked", "kept"):
        hint = "only whole and dual numbers are cancelled"
        yield Fault(FILE, f"{name}.retired", f"means nothing for kind '{row.kind}'", hint)


def _of_its_kind(plan: Plan, name: str, row: Merged) -> Iterator[Fault]:
    if row.kind not in get_args(MergedKind):
        return  # told already
    dialled = (*row.numbers, *row.called)
    if row.kind == "dedicated" and dialled:
        hint = 'a seat with a number of its own is kind = "dual" or "kept"'
        yield Fault(FILE, f"{name}.numbers", "a dedicated seat has no number", hint)
    if row.kind != "dedicated" and not (*dialled, *row.trunks, *row.callers) and not row.assumption:
        hint = 'add it, or say why there is none: assumption = "…"'
        yield Fault(FILE, f"{name}.numbers", "has no number", hint)
    line = plan.lines.get(row.line)
    if line is None or (queue := _queue_of(plan, line.first)) is None:
        return
    general = _queue_of(plan, plan.lines[plan.main].first)
    if row.kind in ("dual", "kept") and row.line == plan.main:
        hint = "a line with a greeting and seats of its own"
        yield Fault(FILE, f"{name}.line", f"'{row.line}' is the main line", hint)
    elif row.kind == "dual" and general is not None and not _then_general(plan, queue, general):
        hint = f"add seats of the main queue with a higher penalty, or next = queue:{_name_of(plan, general)}"
        yield Fault(FILE, f"{name}.line", "its own seats come first, and 12345's never", hint)
    if row.way == "parallel" and general is not None and not _side_by_side(queue, general):
        fault = (
            f"parallel answering needs own seats and 12345's side by side in queue:{_name_of(plan, queue)}"
        )
        yield Fault(FILE, f"{name}.way", fault, "the same lowest penalty for one of each")
    if row.kind == "linked" and queue.max_waiting:
        fault = f"queue:{_name_of(plan, queue)} refuses callers beyond {queue.max_waiting}"
        yield Fault(FILE, f"{name}.line", fault, "a centre's callers pass every limit: max_waiting = 0")
    if row.kind == "linked" and queue is general:
        hint = "a queue of its own with the seats allowed for it, and a weight"
        yield Fault(FILE, f"{name}.line", "everybody would answer a centre's calls", hint)


def _queue_of(plan: Plan, place: str) -> Queue | None:
    to = Destination.parse(place)
    return plan.queues.get(to.name) if to is not None and to.kind == "queue" else None


def _name_of(plan: Plan, queue: Queue) -> str:
    return next(name for name, one in plan.queues.items() if one is queue)


def _then_general(plan: Plan, queue: Queue, general: Queue) -> bool:
    if queue is general:
        return False
    lowest = min(queue.members.values(), default=0)
    own = {seat for seat, penalty in queue.members.items() if penalty == lowest}
    shared = set(queue.members) & set(general.members)
    return bool(own) and (bool(shared) or _queue_of(plan, queue.next) is general)


def _side_by_side(queue: Queue, general: Queue) -> bool:
    lowest = min(queue.members.values(), default=0)
    first = {seat for seat, penalty in queue.members.items() if penalty == lowest}
    return bool(first - set(general.members)) and bool(first & set(general.members))


def _unfounded(plan: Plan) -> Iterator[Fault]:
    follows = bool(plan.city.notice)
    for kind in TABLES:
        if follows or kind in ALWAYS:
            for name, rule in getattr(plan, kind).items():
                if not rule.founded:
                    yield _no_clause(f"{kind}.toml", name)
    if plan.rules is not None:
        yield from (
            _no_clause("rules.toml", place) for place, rule in _inside(plan.rules) if not rule.founded
        )
    if follows and plan.outgoing is not None and not plan.outgoing.founded:
        yield _no_clause("outgoing.toml", "")
    if follows:
        for kind, rules in (("advice", plan.advice), ("overflow", plan.overflow)):
            numbered: tuple[Rule, ...] = rules
            for number, rule in enumerate(numbered, 1):
                if not rule.founded:
                    yield _no_clause("advice.toml", f"{kind} {number}")


def _no_clause(file: str, place: str) -> Fault:
    hint = 'basis = "六安 2021 §二(一)2" for a clause, assumption = "…" where the notice is silent'
    return Fault(file, place, "has neither basis nor assumption", hint)


def _inside(rules: BaseModel) -> Iterator[tuple[str, Rule]]:
    """Every entry of rules.toml with its place, the file itself left out."""
    for key in type(rules).model_fields:
        value: Any = getattr(rules, key)
        if isinstance(value, Rule):
            yield key, value
            yield from ((f"{key}.{place}", one) for place, one in _inside(value))
        elif isinstance(value, dict):
            yield from ((f"{key}.{name}", one) for name, one in value.items() if isinstance(one, Rule))
        elif isinstance(value, tuple):
            yield from ((f"{key}.{n}", one) for n, one in enumerate(value, 1) if isinstance(one, Rule))
