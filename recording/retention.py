"""How long a recording is kept: by the classes of its call, else by its line, else by the city."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass

from plan.model import Plan
from plan.recordings import CallClass, days_of, of_consultation, own_places
from recording.consulted import is_whole
from recording.filed import Filed

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Term:
    """Recordings that ended before ``before`` (seconds since the epoch, UTC) go: those of calls of the class
    ``of`` (None: of any or none) that are of no class in ``but``, and of this line (None: of every line)."""

    city: str
    line: str | None
    before: float
    of: CallClass | None = None
    but: frozenset[CallClass] = frozenset()
    own: frozenset[str] = frozenset()
    """The city's own places: a caller who was brought there was not handed over."""
    consultation: float | None = None
    """Consultations that ended before this moment go; None: they go with the rest of their call."""
    alone: bool = False
    """Of recordings that hold nothing but consultation, of whatever class their call is."""

    def holds(self, classes: Set[CallClass]) -> bool:
        """Whether it is the term of a call of these classes."""
        return (self.of is None or self.of in classes) and not self.but & classes

    def takes(self, row: Filed) -> bool:
        """Whether it is the term of this recording, as far as that hangs on the consultations in it: one with
        other talk too stays as long as either is kept."""
        if self.consultation is None or row.apart == "[]":
            return not self.alone
        if is_whole(row):
            return self.alone
        return not self.alone and (row.ended or 0.0) < self.consultation


def terms(plan: Plan, now: float) -> Iterator[Term]:
    """What may be deleted at ``now`` (seconds since the epoch), unless a call is held.

    Of a call's classes the one that is kept longest counts, also where its line is kept longer. A line that
    the plan does not know any more keeps the longest term of all lines: nobody has decided otherwise.
    """
    classes, own = days_of(plan), own_places(plan)
    apart = of_consultation(plan).keep_days
    consultation = None if apart is None else now - apart * DAY
    for name, days in classes.items():
        longer = frozenset(other for other, more in classes.items() if more > days)
        yield Term(plan.id, None, now - days * DAY, name, longer, own, consultation)
    none, city = frozenset(classes), plan.city.recordings_keep_days
    lines = {name: line.recordings_keep_days or city for name, line in plan.lines.items()}
    for line, days in lines.items():
        yield Term(plan.id, line, now - days * DAY, None, none, own, consultation)
    longest = max(city, *lines.values(), 0)
    yield Term(plan.id, None, now - longest * DAY, None, none, own, consultation)
    if consultation is not None:
        yield Term(plan.id, None, consultation, own=own, consultation=consultation, alone=True)
