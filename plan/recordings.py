"""Classes of calls whose recordings are kept for a time of their own, or heard by fewer: recordings.toml.

What a class means is fixed here; what holds for it is the plan's. A call may be of several classes, and of
one that it was not of when its recording was filed: a ticket, a hand-off or a flag comes later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Protocol, get_args

from pydantic import Field

from plan.faults import Fault
from plan.merged import Merged, answered_here
from plan.rule import Rule
from plan.words import NAME, did_you_mean

FILE = "recordings.toml"

CallClass = Literal["handed", "outgoing", "flagged", "ticketed"]
"""handed: brought to a centre, or handed to us by one. outgoing: we called the citizen. flagged: a red flag
was raised in it. ticketed: it became a ticket."""
CLASSES: tuple[CallClass, ...] = get_args(CallClass)
CONSULTATION = "consultation"
"""What somebody of ours said to a colleague, a unit or a centre while the citizen heard nobody: a class of
stretches of talk, not of calls. Without a rule of its own it is kept as its call, and heard by supervisors.
It is in no mix and no export unless it is asked for (decision 18)."""
KNOWN = (*CLASSES, CONSULTATION)
Listener = Literal["supervisor", "operator"]


class RecordingClass(Rule):
    """``[flagged]``: the recordings of one class of calls."""

    keep_days: Annotated[int | None, Field(ge=1, le=36_500)] = None
    """How long they are kept, instead of the line's or the city's ``recordings_keep_days``; the longest of
    a call's classes holds. None: as if the call were not of this class. Of a consultation: nobody hears it
    after so many days; a leg's file that holds other talk too stays as long as either is kept."""
    listen: Listener = "supervisor"
    """The least role that may hear and read them; the highest of a call's classes holds."""


class HasRecordings(Protocol):
    """A plan, which is made of this module's rules."""

    @property
    def recordings(self) -> Mapping[str, RecordingClass]: ...


class HasPlaces(Protocol):
    """A plan, as far as it says whom an agent may bring a caller to."""

    @property
    def seats(self) -> Mapping[str, object]: ...
    @property
    def contacts(self) -> Mapping[str, object]: ...
    @property
    def queues(self) -> Mapping[str, object]: ...
    @property
    def centres(self) -> Mapping[str, object]: ...
    @property
    def lines(self) -> Mapping[str, HasNumbers]: ...
    @property
    def numbers(self) -> Mapping[str, Merged]: ...


class HasNumbers(Protocol):
    @property
    def numbers(self) -> tuple[str, ...]: ...


def own_places(plan: HasPlaces) -> frozenset[str]:
    """Whom a caller is brought to without being handed over: seats, units, queues and lines of this city. A
    target that stands nowhere any more counts as a centre: deleting too late can be mended."""
    numbers = {number for line in plan.lines.values() for number in line.numbers}
    numbers |= set(answered_here(plan.numbers))
    own = {*plan.seats, *plan.contacts, *(f"queue-{name}" for name in plan.queues), *numbers}
    return frozenset(own - set(plan.centres))


def days_of(plan: HasRecordings) -> dict[CallClass, int]:
    """The classes that are kept for a time of their own, and for how many days."""
    rules = {name: plan.recordings[name] for name in CLASSES if name in plan.recordings}
    return {name: rule.keep_days for name, rule in rules.items() if rule.keep_days is not None}


def for_operators(plan: HasRecordings) -> tuple[CallClass, ...]:
    """The classes that no supervisor may hear."""
    return tuple(n for n in CLASSES if n in plan.recordings and plan.recordings[n].listen == "operator")


def of_consultation(plan: HasRecordings) -> RecordingClass:
    """What holds for consultations in this city."""
    return plan.recordings.get(CONSULTATION, RecordingClass())


def faults_of_recordings(plan: HasRecordings, known: Mapping[str, set[str]]) -> Iterator[Fault]:
    """Classes that nobody knows, and those of which nothing is said. ``known``: kind of table to the names
    its file has, also those with faults."""
    for name in sorted(known["recordings"] - set(KNOWN)):
        if NAME.fullmatch(name):
            yield Fault(FILE, name, f"no such class of calls '{name}'", did_you_mean(name, KNOWN))
    for name, rule in plan.recordings.items():
        if name in KNOWN and not rule.model_fields_set & {"keep_days", "listen"}:
            hint = 'keep_days = 3650, or listen = "operator"'
            yield Fault(FILE, name, "says nothing of keeping or listening", hint, True)
