"""Callers whom an emergency or utility centre hands over: who may answer them, and that no machine does.

A queue they come to has the seats allowed for it. Its way out may be itself (``next = "queue:<own name>"``:
the caller stays), a duty phone, or a queue whose seats are allowed too or that takes no other callers
(supervisors).
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
    rows = [row for row in plan.numbers.values() if row.kind != "linked"]
    named = {line for row in rows for line in (row.line, row.before)} | {plan.main}
    todo = [Destination("line", n) for n, line in plan.lines.items() if line.numbers or n in named]
    seen: set[Destination] = set()
    while todo:
        at = todo.pop()
        if at not in seen:
            seen.add(at)
            todo += [to for _, to in steps(plan, at)]
    return {at.name for at in seen if at.kind == "queue"}


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
