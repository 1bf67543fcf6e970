"""Who sits where: seats, the queues they answer, the persons who sign in, and why they pause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from plan.faults import Fault
from plan.model import RESERVED_PAUSES, Plan
from plan.words import did_you_mean

Known = Mapping[str, set[str]]
"""Kind of table (``queues``) to the names its file has, also those with faults of their own."""


def faults_of_staff(plan: Plan, known: Known, faulty: frozenset[str] = frozenset()) -> Iterator[Fault]:
    """Faults in who answers whom. ``faulty``: queues whose ``members`` were told already."""
    yield from _members(plan, known, faulty)
    yield from _agents(plan, known)
    yield from _pauses(plan)


def _members(plan: Plan, known: Known, faulty: frozenset[str]) -> Iterator[Fault]:
    seated: set[str] = set()
    skilled = {queue for agent in plan.agents.values() for queue in agent.skills}
    for name, queue in plan.queues.items():
        if not queue.members and name not in skilled and name not in faulty:
            yield Fault("queues.toml", f"{name}.members", "is empty", "at least 1")
        for seat in queue.members:
            seated.add(seat)
            if seat not in known["seats"]:
                yield Fault(
                    "queues.toml",
                    f"{name}.members",
                    f"no such seat '{seat}'",
                    did_you_mean(seat, known["seats"]),
                )
    if plan.agents and all(agent.skills for agent in plan.agents.values()):
        return  # everybody brings their own queues to whatever seat
    for seat in plan.seats:
        if seat not in seated:
            yield Fault(
                "seats.toml",
                seat,
                "sits in no queue: no caller will ever ring here",
                "add it to a queue's members",
                True,
            )


def _agents(plan: Plan, known: Known) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for number, agent in plan.agents.items():
        for queue in agent.skills:
            if queue not in known["queues"]:
                yield Fault(
                    "agents.toml",
                    f"{number}.skills",
                    f"no such queue '{queue}'",
                    did_you_mean(queue, known["queues"]),
                )
        if not agent.seat:
            continue
        if agent.seat not in known["seats"]:
            yield Fault(
                "agents.toml",
                f"{number}.seat",
                f"no such seat '{agent.seat}'",
                did_you_mean(agent.seat, known["seats"]),
            )
        first = owner.setdefault(agent.seat, number)
        if first != number:
            yield Fault(
                "agents.toml",
                f"{number}.seat",
                f"'{agent.seat}' is the usual seat of '{first}' too",
                "*11 alone must mean one person there: leave one of them without a seat",
            )


def _pauses(plan: Plan) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for name, pause in plan.pauses.items():
        if len(name) < 2 or name.isdigit():
            yield Fault("pauses.toml", name, "is no reason", "a word of two letters or more, like lunch")
        if name in RESERVED_PAUSES:
            yield Fault("pauses.toml", name, "is a reason the house itself gives", "choose another name")
        first = owner.setdefault(pause.key, name)
        if first != name:
            yield Fault(
                "pauses.toml",
                f"{name}.key",
                f"'{pause.key}' is the key of '{first}' too",
                "a key has one reason",
            )


__all__ = ["faults_of_staff"]
