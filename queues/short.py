"""The need of this minute against who is signed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from calls.model import Seat, SeatState
from plan.model import Plan
from plan.roster import Roster
from queues.need import Need, Shared, needs, share
from queues.roster import Laid, Slot, Turn, at


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A queue with fewer people at their seats than its target needs in this interval."""

    city: str
    queue: str
    need: int
    present: int
    """People who count for this queue when all are shared out."""
    able: int
    """People at their seats who could answer it, those counted for other queues too."""
    paused: tuple[str, ...]
    """Seats of this queue that are signed in but paused."""
    missing: tuple[str, ...]
    """Persons the roster expects for this queue now who are not signed in anywhere."""

    @property
    def short(self) -> int:
        return self.need - self.present


AT_WORK = frozenset({SeatState.READY, SeatState.RINGING, SeatState.BUSY, SeatState.WRAP_UP})


def signed_in(city: str, seats: Iterable[Seat], wanted: Mapping[str, Need]) -> Shared:
    """The people at their seats, shared out over the queues as each needs them, each person to one."""
    here = [s.queues for s in seats if s.city == city and s.state in AT_WORK]
    return share({queue: need.agents for queue, need in wanted.items()}, here)


def short_now(
    city: str, seats: Iterable[Seat], rostered: Iterable[Turn], wanted: Mapping[str, Need]
) -> list[Shortfall]:
    """Queues whose signed-in seats fall below the need of now. Paused seats and dead phones do not count."""
    mine = [s for s in seats if s.city == city]
    numbers = {queue: need.agents for queue, need in wanted.items()}
    shared = signed_in(city, mine, wanted)
    # without agents a seat is its own agent
    there = {s.agent or s.name for s in mine if s.queues and s.state is not SeatState.UNREACHABLE}
    expected = [turn for turn in rostered if turn.who not in there]
    return [
        Shortfall(
            city=city,
            queue=queue,
            need=need,
            present=shared.given[queue],
            able=shared.able[queue],
            paused=tuple(sorted(s.name for s in mine if queue in s.queues and s.state is SeatState.PAUSED)),
            missing=tuple(sorted({turn.who for turn in expected if queue in turn.skills})),
        )
        for queue, need in numbers.items()
        if shared.given[queue] < need
    ]


def wanted_at(
    plan: Plan, roster: Roster, laid: Laid, when: datetime
) -> tuple[tuple[Turn, ...], dict[str, Need]]:
    """Who should be at their seat at this instant of a laid day, and what its interval needs."""
    local = when.astimezone(laid.tz)
    step = timedelta(minutes=roster.interval_minutes)
    begins = laid.begins + (local - laid.begins) // step * step
    slot = Slot(begins, begins + step, laid.days[local.date()], ())
    return at(laid, local), needs(plan, roster, laid, slot)
