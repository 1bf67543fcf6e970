"""How many people a queue needs in an interval, and whether those who are there can be shared out so.

Queues that share people are counted apart: each queue's need is computed as if nobody else helped it, and a
person counts for one queue at a time. That asks for more people than one big queue with the same calls
(``pooled`` tells how many that would be); the truth lies between the two, and a roster that is whole here
is whole. A queue that is closed hands its calls to the queue its ``next`` leads to.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache

from plan.model import Destination, Plan
from plan.roster import DAY_MINUTES, Roster, Target, span
from queues.erlang import Quality, impatient, patient
from queues.roster import Laid, Slot, Turn
from queues.shift import Day

MOST = 20_000
"""Agents of one queue: beyond it there is a mistake in the forecast, not a hotline."""


@dataclass(frozen=True, slots=True)
class Need:
    """One queue in one interval. ``agents`` at their seats reach the target; ``rostered`` adds shrinkage."""

    queue: str
    calls: float
    handle: float
    """Seconds of one call, on average over the queues whose calls come here."""
    agents: int
    rostered: int
    quality: Quality
    """With ``agents`` present."""
    load: float
    """Erlang."""


@dataclass(frozen=True, slots=True)
class Shared:
    """People shared out: how many each queue gets, and how many present could answer it at all."""

    given: Mapping[str, int]
    able: Mapping[str, int] = field(default_factory=dict)


def agents_for(calls: float, seconds: float, handle: float, target: Target) -> tuple[int, Quality]:
    """The fewest agents that reach the target with ``calls`` offered in ``seconds``, and what they reach."""
    within = max(0.0, float(target.within_seconds - target.greeting_seconds))
    goal = (target.answered, target.connect, within, float(target.patience_seconds))
    return _agents_for(round(calls, 6) / seconds, round(handle, 3), target.minimum, goal)


@lru_cache(maxsize=100_000)
def _agents_for(
    rate: float, handle: float, least: int, goal: tuple[float, float, float, float]
) -> tuple[int, Quality]:
    answered, connected, within, patience = goal

    def quality(agents: int) -> Quality:
        if patience:
            return impatient(rate, handle, agents, within, patience)
        return patient(rate, handle, agents, within)

    def enough(agents: int) -> bool:
        found = quality(agents)
        return rate <= 0 or (found.answered >= answered and found.connected >= connected)

    if enough(least):
        return least, quality(least)
    # both shares rise with every agent (tested), so halving finds the first that is enough
    low, high = least, max(1, 2 * least, math.ceil(rate * handle))
    while not enough(high) and high < MOST:
        low, high = high, min(MOST, 2 * high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high, quality(high)


def rostered_for(agents: int, target: Target) -> int:
    """People to roster so that ``agents`` are at their seats after shrinkage."""
    # a hair less, so that 9 / 0.9 is 10 and not 11
    return max(target.minimum, math.ceil(agents / (1 - target.shrinkage) - 1e-9))


def is_open(target: Target, day: Day, before: Day, begins: int, minutes: int) -> bool:
    """Whether the queue has people of its own in any part of these minutes of ``day``."""
    if not target.open:
        return True
    for at, shift in ((day, 0), (before, DAY_MINUTES)):
        hours = target.open.get(at.kind)
        if hours is None:
            continue
        opens = span(hours)
        if opens.begins < begins + shift + minutes and begins + shift < opens.ends:
            return True
    return False


def needs(plan: Plan, roster: Roster, laid: Laid, slot: Slot) -> dict[str, Need]:
    """The need of every queue that is open in this interval, in the plan's order."""
    begins = slot.begins.hour * 60 + slot.begins.minute
    minutes = (slot.ends - slot.begins) // timedelta(minutes=1)
    before = laid.days.get(slot.begins.date() - timedelta(days=1), slot.day)
    here = [q for q in plan.queues if is_open(roster.target_of(q), slot.day, before, begins, minutes)]
    calls: dict[str, float] = dict.fromkeys(here, 0.0)
    work: dict[str, float] = dict.fromkeys(here, 0.0)
    for queue, forecast in roster.forecast.items():
        end = _answers(plan, queue, calls)
        if end is not None:
            offered = forecast.calls(slot.day.kind, begins, minutes)
            calls[end] += offered
            work[end] += offered * forecast.handle_seconds
    found = {}
    for queue in here:
        target = roster.target_of(queue)
        handle = work[queue] / calls[queue] if calls[queue] else 0.0
        agents, quality = agents_for(calls[queue], 60.0 * minutes, handle, target)
        load = work[queue] / (60.0 * minutes)
        rostered = rostered_for(agents, target)
        found[queue] = Need(queue, calls[queue], handle, agents, rostered, quality, load)
    return found


def _answers(plan: Plan, queue: str, opened: Mapping[str, float]) -> str | None:
    """The open queue where calls of ``queue`` end up; None when that is a message."""
    seen: set[str] = set()
    while queue in plan.queues and queue not in opened and queue not in seen:
        seen.add(queue)
        to = Destination.parse(plan.queues[queue].next)
        queue = to.name if to is not None and to.kind == "queue" else ""
    return queue if queue in opened else None


def pooled(roster: Roster, wanted: Iterable[Need], seconds: float) -> int:
    """Agents if everybody could answer everything, at the strictest target of these queues: a lower bound."""
    there = [n for n in wanted if n.calls > 0]
    if not there:
        return 0
    calls = sum(n.calls for n in there)
    work = sum(n.calls * n.handle for n in there)
    targets = [roster.target_of(n.queue) for n in there]
    strictest = roster.target.model_copy(
        update={
            "answered": max(t.answered for t in targets),
            "within_seconds": min(t.within_seconds for t in targets),
            "greeting_seconds": max(t.greeting_seconds for t in targets),
            "connect": max(t.connect for t in targets),
            "patience_seconds": min(t.patience_seconds for t in targets),
            "minimum": 0,
        }
    )
    return agents_for(calls, seconds, work / calls, strictest)[0]


# --- sharing people out -------------------------------------------------------------------------------


def share(wanted: Mapping[str, int], people: Sequence[Iterable[str]]) -> Shared:
    """Give each queue as many people as it wants, each person to one queue: as many as can be (maximum flow).

    ``people``: the queues each can answer. Where not all can be served, queues named first are.
    """
    skills = tuple(sorted(tuple(sorted(set(queues) & wanted.keys())) for queues in people))
    given = _shared(tuple(wanted.items()), skills)
    able = {queue: sum(queue in mine for mine in skills) for queue in wanted}
    return Shared(dict(zip(wanted, given, strict=True)), able)


@lru_cache(maxsize=4_000)  # a key names everybody there: kilobytes, in the service's memory for good
def _shared(wanted: tuple[tuple[str, int], ...], people: tuple[tuple[str, ...], ...]) -> tuple[int, ...]:
    sharing = _Sharing(tuple(queue for queue, _ in wanted), people)
    return tuple(sum(sharing.add(queue) for _ in range(number)) for queue, number in wanted)


class _Sharing:
    """People of like skills are one kind and counted: hundreds of people are a handful of kinds."""

    def __init__(self, queues: tuple[str, ...], people: tuple[tuple[str, ...], ...]) -> None:
        self._free = Counter(people)
        self._at: dict[str, Counter[tuple[str, ...]]] = {queue: Counter() for queue in queues}

    def add(self, queue: str) -> bool:
        """One more for ``queue``: somebody free, or somebody whose queue finds another in turn."""
        reached: dict[str, tuple[str, tuple[str, ...]] | None] = {queue: None}
        looking = deque([queue])
        while looking:
            here = looking.popleft()
            for kind, number in self._free.items():
                if number and here in kind:
                    self._free[kind] -= 1
                    self._at[here][kind] += 1
                    self._pass_on(here, reached)
                    return True
            for other, there in self._at.items():
                if other not in reached:
                    moves = next((kind for kind, number in there.items() if number and here in kind), None)
                    if moves is not None:
                        reached[other] = (here, moves)
                        looking.append(other)
        return False

    def _pass_on(self, here: str, reached: Mapping[str, tuple[str, tuple[str, ...]] | None]) -> None:
        while (step := reached[here]) is not None:
            to, kind = step
            self._at[here][kind] -= 1
            self._at[to][kind] += 1
            here = to


def skills_of(turns: Iterable[Turn]) -> list[tuple[str, ...]]:
    """What the people of these turns can answer."""
    return [tuple(turn.skills) for turn in turns]
