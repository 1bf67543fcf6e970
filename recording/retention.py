"""How long a recording is kept: by the line its call came in on, else by the city."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plan.model import Plan

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Term:
    """Recordings of this line (None: of every line not named by another term) that ended before go."""

    city: str
    line: str | None
    before: float


def terms(plan: Plan, now: float) -> Iterator[Term]:
    """What may be deleted at ``now`` (seconds since the epoch), unless a call is held.

    A line that the plan does not know any more keeps the longest term there is: nobody has decided otherwise.
    """
    city = plan.city.recordings_keep_days
    days = [city]
    for name, line in plan.lines.items():
        mine = line.recordings_keep_days or city
        days.append(mine)
        yield Term(plan.id, name, now - mine * DAY)
    yield Term(plan.id, None, now - max(days) * DAY)
