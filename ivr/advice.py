"""The answer to "where next?": rules of the plan and what is known of the seats, nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from plan.model import Destination, Plan


@dataclass(frozen=True, slots=True)
class Question:
    """What the dialplan asks after the greeting, about one caller."""

    call: str
    line: str
    caller: str
    called: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the queues at this moment.

    ``staffed``: queue to the seats that are signed in there and whose phones are reachable. A queue that
    is not in it is one of which nothing is known.
    """

    staffed: Mapping[str, Collection[str]] = field(default_factory=dict)


def where_next(plan: Plan, question: Question, known: Known) -> Destination | None:
    """The place the caller should go to, or None when the plan's own first place is right.

    Only places of this plan are ever named. The first rule that fits the caller counts; then a queue
    that nobody staffs gives way to its overflow.
    """
    line = plan.lines.get(question.line)
    if line is None:
        return None
    hinted = next((rule.to for rule in plan.advice if _fits(rule.callers, rule.lines, question)), None)
    first = Destination.parse(hinted or line.first)
    if first is None:
        return None
    to = _staffed(plan, first, known)
    return to if hinted or to != first else None


def _fits(callers: Collection[str], lines: Collection[str], question: Question) -> bool:
    if lines and question.line not in lines:
        return False
    return any(
        question.caller.startswith(pattern[:-1]) if pattern.endswith("*") else question.caller == pattern
        for pattern in callers
    )


def _staffed(plan: Plan, to: Destination, known: Known) -> Destination:
    """The place itself, or where its overflow leads while nobody is there."""
    overflow = {rule.queue: rule.to for rule in plan.overflow}
    passed = {to}
    while to.kind == "queue" and to.name in overflow and _nobody(known, to.name):
        onward = Destination.parse(overflow[to.name])
        if onward is None or onward in passed:
            break
        passed.add(onward)
        to = onward
    return to


def _nobody(known: Known, queue: str) -> bool:
    """Surely nobody; what is unknown counts as somebody, for app_queue has its own eyes."""
    return queue in known.staffed and not known.staffed[queue]
