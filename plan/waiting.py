"""Waiting: levels that widen, priorities, calls out; and the proof that every queue has a way out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from plan.faults import Fault
from plan.model import Destination, Plan, Queue
from plan.roads import FILE_OF, stays, steps
from plan.words import did_you_mean

Known = Mapping[str, set[str]]
"""Kind of table (``queues``) to the names its file has, also those with faults of their own."""


def faults_of_waiting(plan: Plan, known: Known) -> Iterator[Fault]:
    """Faults in how callers wait and in how they are led out of it."""
    yield from _ways_out(plan, known)
    for name, queue in plan.queues.items():
        if stays(name, queue) and queue.members and not _levels(plan, name, queue):
            what = "callers stay here, and nobody ever answers: every agent has skills, and none has this one"
            hint = f"give an agent the skill {name}: skills = {{ {name} = 0 }} in agents.toml"
            yield Fault("queues.toml", f"{name}.next", what, hint)
        if queue.widen:
            yield from _widen(plan, name, queue)
        if queue.call_back is not None:
            yield from _dials_out(
                plan, known, "queues.toml", f"{name}.call_back.trunk", queue.call_back.trunk
            )
    for name, phone in plan.phones.items():
        yield from _dials_out(plan, known, "phones.toml", f"{name}.trunk", phone.trunk)
    yield from _priorities(plan, known)


def dead_ends(plan: Plan) -> Iterator[tuple[Destination, str]]:
    """Places from which some way leads neither to a message nor on: the place, and the key of that way.

    Empty together with no circle (``plan.roads``) means: whatever a caller does or leaves undone, every queue
    is left for a message within finitely many places, because each wait has an end of its own; but one in
    which callers stay.
    """
    for queue in plan.queues:
        seen: set[Destination] = set()
        todo = [Destination("queue", queue)]
        while todo:
            at = todo.pop()
            if at in seen or at.kind == "message":
                continue
            seen.add(at)
            onward = list(steps(plan, at))
            if not onward and plan.has(at) and not _kept(plan, at):
                yield at, "next"
            for key, to in onward:
                if plan.has(to):
                    todo.append(to)
                else:
                    yield at, key


def _kept(plan: Plan, at: Destination) -> bool:
    return at.kind == "queue" and stays(at.name, plan.queues[at.name])


def _ways_out(plan: Plan, known: Known) -> Iterator[Fault]:
    for at, key in dead_ends(plan):
        named = dict(steps(plan, at)).get(key)
        if named is not None and named.name not in known[f"{named.kind}s"]:
            continue  # told as a place that does not exist
        if named is not None:
            continue  # its own table has a fault that was told
        yield Fault(
            FILE_OF[at.kind],
            f"{at.name}.{key}",
            "callers would wait here with no way out",
            "name a queue, phone, menu or message",
        )


def _levels(plan: Plan, name: str, queue: Queue) -> set[int]:
    """The levels at which somebody may sit here."""
    own = {agent.skills[name] for agent in plan.agents.values() if name in agent.skills}
    if plan.agents and all(agent.skills for agent in plan.agents.values()):
        return own
    return own | set(queue.members.values())


def _widen(plan: Plan, name: str, queue: Queue) -> Iterator[Fault]:
    place = f"{name}.widen"
    table = sorted((int(seconds), level) for seconds, level in queue.widen.items())
    if table[0][0] != 0:
        yield Fault("queues.toml", place, "does not say who rings at first", "begin with 0 = 0")
    if any(a[1] >= b[1] for a, b in pairwise(table)):
        yield Fault(
            "queues.toml", place, "does not widen", "a later level must be higher: { 0 = 0, 20 = 10 }"
        )
    levels = _levels(plan, name, queue)
    last = table[-1]
    if levels and min(levels) > last[1]:
        yield Fault(
            "queues.toml",
            place,
            f"nobody would ever ring: the lowest level here is {min(levels)}",
            f"let it reach {min(levels)}",
        )
    elif levels and max(levels) > last[1]:
        yield Fault(
            "queues.toml", place, f"level {max(levels)} never rings", f"let it reach {max(levels)}", True
        )
    if last[0] >= queue.wait_seconds:
        yield Fault(
            "queues.toml",
            place,
            f"callers leave after {queue.wait_seconds} s, before {last[0]} s are over",
            "widen earlier",
            True,
        )


def _dials_out(plan: Plan, known: Known, file: str, place: str, trunk: str) -> Iterator[Fault]:
    if trunk not in known["trunks"]:
        yield Fault(file, place, f"no such trunk '{trunk}'", did_you_mean(trunk, known["trunks"]))
    elif trunk in plan.trunks and not (plan.trunks[trunk].out or plan.trunks[trunk].lab):
        yield Fault(file, place, f"nobody may call out through '{trunk}'", "out = ... in trunks.toml")


def _priorities(plan: Plan, known: Known) -> Iterator[Fault]:
    for name, priority in plan.priorities.items():
        nobody = not (priority.lines or priority.callers or priority.keys or priority.dropped_within_minutes)
        if nobody:
            yield Fault(
                "priorities.toml", name, "is nobody's", "say lines, callers, keys or dropped_within_minutes"
            )
        for line in priority.lines:
            if line not in known["lines"]:
                hint = did_you_mean(line, known["lines"])
                yield Fault("priorities.toml", f"{name}.lines", f"no such line '{line}'", hint)
        for press in priority.keys:
            menu, _, key = press.partition(":")
            if menu not in known["menus"]:
                hint = did_you_mean(menu, known["menus"])
                yield Fault("priorities.toml", f"{name}.keys", f"no such menu '{menu}'", hint)
            elif menu in plan.menus and key not in plan.menus[menu].keys:
                offered = ", ".join(plan.menus[menu].keys)
                yield Fault(
                    "priorities.toml", f"{name}.keys", f"menu '{menu}' has no key {key}", f"it has {offered}"
                )


__all__ = ["dead_ends", "faults_of_waiting"]
