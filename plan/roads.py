"""Where calls can go: every place exists, every road ends in a message, no road runs in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from plan.faults import Fault
from plan.model import MAX_HOPS, Destination, DestinationKind, Plan, Queue
from plan.words import did_you_mean

FILE_OF: Mapping[DestinationKind, str] = {
    "queue": "queues.toml",
    "menu": "menus.toml",
    "message": "messages.toml",
    "line": "lines.toml",
    "phone": "phones.toml",
}
Known = Mapping[str, set[str]]
"""Kind of table (``queues``) to the names its file has, also those with faults of their own."""


def faults_of_roads(plan: Plan, known: Known) -> Iterator[Fault]:
    """Faults in how the places of a plan lead to each other."""
    yield from _missing_places(plan, known)
    yield from _circles(plan)
    yield from _lengths(plan)
    yield from _never_used(plan)


def steps(plan: Plan, at: Destination) -> Iterator[tuple[str, Destination]]:
    """The places a call can go to from here, and by which key of the plan."""
    match at.kind:
        case "line" if at.name in plan.lines:
            yield from _one("first", plan.lines[at.name].first)
        case "queue" if at.name in plan.queues:
            if not stays(at.name, plan.queues[at.name]):
                yield from _one("next", plan.queues[at.name].next)
        case "phone" if at.name in plan.phones:
            yield from _one("next", plan.phones[at.name].next)
        case "menu" if at.name in plan.menus:
            for key, to in plan.menus[at.name].keys.items():
                yield from _one(f"keys.{key}", to)
            yield from _one("otherwise", plan.menus[at.name].otherwise)


def stays(name: str, queue: Queue) -> bool:
    """Whether callers stay in this queue until somebody answers: its way out is itself. Who may write that is
    ``plan.handed``'s."""
    return queue.next == f"queue:{name}"


def _one(key: str, to: str) -> Iterator[tuple[str, Destination]]:
    if (there := Destination.parse(to)) is not None:
        yield key, there


def _places(plan: Plan) -> Iterator[Destination]:
    for kind in FILE_OF:
        for name in plan.names(kind):
            yield Destination(kind, name)


def _mentions(plan: Plan) -> Iterator[tuple[str, str, Destination]]:
    for at in _places(plan):
        for key, to in steps(plan, at):
            yield FILE_OF[at.kind], f"{at.name}.{key}", to
    if plan.city.last and (last := Destination.parse(plan.city.last)):
        yield "city.toml", "last", last
    for number, advice in enumerate(plan.advice, 1):
        yield from (("advice.toml", f"advice {number}.to", to) for _, to in _one("to", advice.to))
    for number, over in enumerate(plan.overflow, 1):
        yield from (("advice.toml", f"overflow {number}.to", to) for _, to in _one("to", over.to))


def _missing_places(plan: Plan, known: Known) -> Iterator[Fault]:
    for file, place, to in _mentions(plan):
        names = known[f"{to.kind}s"]
        if to.name not in names:
            yield Fault(file, place, f"no such {to.kind} '{to.name}'", did_you_mean(to.name, names))
        elif file == "city.toml" and to.kind != "message":
            yield Fault(file, place, f"'{to}' is not a message", "every road ends in one that speaks")
        elif file in ("queues.toml", "phones.toml") and to.kind == "line":
            yield Fault(
                file,
                place,
                "a queue's way out cannot greet the caller again",
                "name a queue, menu or message",
            )
    for number, advice in enumerate(plan.advice, 1):
        for line in advice.lines:
            if line not in known["lines"]:
                yield Fault(
                    "advice.toml",
                    f"advice {number}.lines",
                    f"no such line '{line}'",
                    did_you_mean(line, known["lines"]),
                )
    for number, over in enumerate(plan.overflow, 1):
        if over.queue not in known["queues"]:
            yield Fault(
                "advice.toml",
                f"overflow {number}.queue",
                f"no such queue '{over.queue}'",
                did_you_mean(over.queue, known["queues"]),
            )
        elif over.to == f"queue:{over.queue}":
            yield Fault(
                "advice.toml",
                f"overflow {number}.to",
                "a queue cannot overflow into itself",
                "name another place",
            )


def _circles(plan: Plan) -> Iterator[Fault]:
    """Each circle once, told at the place where it closes."""
    done: set[Destination] = set()
    for start in _places(plan):
        path: list[Destination] = []
        stack: list[tuple[Destination, Iterator[tuple[str, Destination]]]] = []
        if start not in done:
            path, stack = [start], [(start, steps(plan, start))]
        while stack:
            at, onward = stack[-1]
            for key, to in onward:
                if to in path:
                    ring = " -> ".join(str(p) for p in [*path[path.index(to) :], to])
                    yield Fault(
                        FILE_OF[at.kind],
                        f"{at.name}.{key}",
                        f"callers would go in a circle: {ring}",
                        "let one end in a message",
                    )
                elif to not in done:
                    path.append(to)
                    stack.append((to, steps(plan, to)))
                    break
            else:
                done.add(path.pop())
                stack.pop()


def _lengths(plan: Plan) -> Iterator[Fault]:
    longest: dict[Destination, int] = {}

    def hops(at: Destination, seen: frozenset[Destination]) -> int:
        if at not in longest:
            onward = [hops(to, seen | {at}) for _, to in steps(plan, at) if to not in seen and len(seen) < 50]
            longest[at] = 1 + max(onward, default=0)
        return longest[at]

    for name, line in plan.lines.items():
        if (first := Destination.parse(line.first)) and (n := hops(first, frozenset())) > MAX_HOPS:
            yield Fault(
                "lines.toml",
                f"{name}.first",
                f"a caller could pass {n} places one after the other",
                f"at most {MAX_HOPS}",
            )


def _never_used(plan: Plan) -> Iterator[Fault]:
    reached = {to for _, _, to in _mentions(plan)}
    kinds: tuple[DestinationKind, ...] = ("queue", "menu", "phone")
    for kind in kinds:
        for name in plan.names(kind):
            if Destination(kind, name) not in reached:
                yield Fault(
                    FILE_OF[kind],
                    name,
                    "no line leads here",
                    f"name {kind}:{name} in a line, menu or queue",
                    True,
                )
