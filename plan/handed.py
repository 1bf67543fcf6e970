"""Callers whom an emergency or utility centre hands over: who may answer them, and that no machine does.

A queue they come to has the seats allowed for it. Its way out may be itself (``next = "queue:<own name>"``:
the caller stays), a duty phone, or a queue whose seats are allowed too or that takes no other callers
(supervisors). Nobody else comes to a queue in which callers stay: every other wait has an end (decision 7).
"""

from __future__ import annotations

from collections.abc import Iterator

from plan.faults import Fault
from plan.model import Destination, Plan
from plan.roads import FILE_OF, stays, steps


def faults_of_handed(plan: Plan) -> Iterator[Fault]:
    """Ways of such a queue to seats that are not allowed or to a message; ordinary queues without end."""
    ordinary = _ordinary(plan)
    may_stay: set[Destination] = set()
    for name in dict.fromkeys(_receiving(plan, ordinary)):
        seen: set[Destination] = set()
        yield from _ways(plan, name, ordinary, seen)
        may_stay |= seen
    for name, queue in plan.queues.items():
        if stays(name, queue) and Destination("queue", name) not in may_stay:
            what = f"callers would go in a circle: queue:{name} -> queue:{name}"
            yield Fault("queues.toml", f"{name}.next", what, "let one end in a message")
    yield from _kept(plan, {at.name for at in may_stay if at.kind == "queue"})


def _kept(plan: Plan, may_stay: set[str]) -> Iterator[Fault]:
    """Callers of a line, whom no centre handed over, led into a queue that a centre's callers may stay in."""
    told: set[tuple[str, str]] = set()
    seen: set[Destination] = set()
    for line, to, hint in (*_led(plan), *_hinted_to(plan)):
        todo = [to]
        while todo:
            at = todo.pop()
            if at in seen or not plan.has(at):
                continue
            seen.add(at)
            todo += [onward for _, onward in steps(plan, at)]
            if at.kind != "queue" or at.name not in may_stay or not stays(at.name, plan.queues[at.name]):
                continue
            file, place = hint or ("queues.toml", f"{at.name}.next")
            if (file, place) not in told:
                told.add((file, place))
                what = f"callers of line '{line}' would wait in queue:{at.name} with no way out"
                remedy = "name another place" if hint else "end it in a message, give the centre a queue"
                yield Fault(file, place, what, f"only callers whom a centre hands over may stay: {remedy}")


Hint = tuple[str, str] | None
"""File and place of the rule by which somebody is led there, if it is not the plan's plain road."""


def _led(plan: Plan) -> Iterator[tuple[str, Destination, Hint]]:
    for name in _lines_of_all(plan):
        if (first := Destination.parse(plan.lines[name].first)) is not None:
            yield name, first, None


def _hinted_to(plan: Plan) -> Iterator[tuple[str, Destination, Hint]]:
    """Where the service may lead callers of such lines, as ``ivr.advice`` does it."""
    centres = {number for centre in plan.centres.values() for number in centre.numbers}
    centres |= {c for row in plan.numbers.values() if row.kind == "linked" for c in row.callers}
    for name in _lines_of_all(plan):
        line = plan.lines[name]
        if not line.ask:
            continue
        begins = [Destination.parse(line.first)]
        for number, rule in enumerate(plan.advice, 1):
            mine = not rule.lines or name in rule.lines
            if mine and not set(rule.callers) <= centres and (to := Destination.parse(rule.to)) is not None:
                yield name, to, ("advice.toml", f"advice {number}.to")
                begins.append(to)
        passed: set[Destination | None] = set()
        while begins:
            at = begins.pop()
            if at is None or at in passed:
                continue
            passed.add(at)
            for number, over in enumerate(plan.overflow, 1):
                to = Destination.parse(over.to)
                if at == Destination("queue", over.queue) and to is not None:
                    yield name, to, ("advice.toml", f"overflow {number}.to")
                    begins.append(to)


def _receiving(plan: Plan, ordinary: set[str]) -> Iterator[str]:
    """Queues that such callers come to first. A city that follows no notice may let everybody answer them,
    in a queue of all callers."""
    for centre in plan.centres.values():
        told_apart = bool(plan.city.notice) or centre.queue not in ordinary
        if centre.urgent and centre.queue in plan.queues and told_apart:
            yield centre.queue
    for row in plan.numbers.values():
        if row.kind == "linked" and row.line in plan.lines:
            to = Destination.parse(plan.lines[row.line].first)
            if to is not None and to.kind == "queue" and to.name in plan.queues:
                yield to.name


def _ordinary(plan: Plan) -> set[str]:
    """Queues that other callers can come to."""
    todo = [Destination("line", name) for name in _lines_of_all(plan)]
    seen: set[Destination] = set()
    while todo:
        at = todo.pop()
        if at not in seen:
            seen.add(at)
            todo += [to for _, to in steps(plan, at)]
    return {at.name for at in seen if at.kind == "queue"}


def _lines_of_all(plan: Plan) -> list[str]:
    """Lines that others than a centre call."""
    rows = [row for row in plan.numbers.values() if row.kind != "linked"]
    named = {line for row in rows for line in (row.line, row.before)} | {plan.main}
    return [name for name, line in plan.lines.items() if line.numbers or name in named]


def _answers(plan: Plan, queue: str) -> set[str]:
    """Seats, and persons with a skill of their own."""
    own = {f"工号 {number}" for number, agent in plan.agents.items() if queue in agent.skills}
    return set(plan.queues[queue].members) | own


def _hinted(plan: Plan, first: str) -> Iterator[tuple[str, str, Destination]]:
    """Where advice leads callers of the lines that a centre's callers come by to this queue."""
    lines = {row.line for row in plan.numbers.values() if row.kind == "linked" and row.line in plan.lines}
    led = {n for n in lines if plan.lines[n].ask and plan.lines[n].first == f"queue:{first}"}
    for number, rule in enumerate(plan.advice, 1):
        to = Destination.parse(rule.to)
        if to is not None and (led & set(rule.lines) if rule.lines else led):
            yield "advice.toml", f"advice {number}.to", to


def _ways(plan: Plan, first: str, ordinary: set[str], seen: set[Destination]) -> Iterator[Fault]:
    """``seen`` becomes every place they can come to."""
    allowed = _answers(plan, first)
    todo = [Destination("queue", first)]
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        onward = [(FILE_OF[at.kind], f"{at.name}.{key}", to) for key, to in steps(plan, at)]
        if at == Destination("queue", first):
            onward += _hinted(plan, first)
        if at.kind == "queue":
            over = [(n, rule.to) for n, rule in enumerate(plan.overflow, 1) if rule.queue == at.name]
            there = ((n, Destination.parse(to)) for n, to in over)
            onward += [("advice.toml", f"overflow {n}.to", to) for n, to in there if to is not None]
        for file, place, to in onward:
            if to.kind == "message":
                what = f"a caller whom a centre handed over to queue:{first} would end at a machine ({to})"
                hint = f'let them stay: next = "queue:{first}", or name a duty phone'
                if first in ordinary:
                    hint = "give the centre a queue of its own, in which its callers may stay"
                yield Fault(file, place, what, hint)
                continue
            if to.kind == "queue" and to.name in plan.queues and to.name in ordinary:
                strangers = sorted(_answers(plan, to.name) - allowed)
                if strangers:
                    what = f"seats that are not in queue:{first} would answer a centre's callers: "
                    hint = f"stay in it, or name a queue with seats of queue:{first} only"
                    yield Fault(file, place, what + ", ".join(strangers[:6]), hint)
                    continue
            if plan.has(to):
                todo.append(to)
