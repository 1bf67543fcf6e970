"""The ledger: the office's figures, counted over calls, visits and stints, never over events.

The figure of GB/T 33358-2016 (decision 10): the clock starts when a call enters the line, so the
greeting counts, and stops when an agent first answers. All offered calls stand below the line; a call-back
and a recorded message are not "answered"; short abandons are shown beside it and not taken out. Rates are
fractions 0 to 1, and a figure over zero rows is None, not 0 or 1.

Rows by call (total, interval, city, line, original) count calls; rows by queue count visits, and each
re-queue is a new visit; rows by seat count stints.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from calls.facts import CallId
from calls.model import Call, LeftBy, Source, Stage
from queues.counted import (
    WITHIN,
    abandoned,
    in_time,
    is_open,
    not_in_service,
    offered,
    own,
    refused,
    seconds_to_answer,
)
from queues.stint import Part, Stint
from queues.visit import Outcome, Visit

SHORT = 5.0
"""Whoever hangs up within so many seconds of entering the line is a short abandon: hardly anybody could
have answered in time."""


class By(StrEnum):
    TOTAL = "total"
    INTERVAL = "interval"
    CITY = "city"
    LINE = "line"
    ORIGINAL = "original"
    QUEUE = "queue"
    SEAT = "seat"


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds. None over zero rows. ``p95``: nineteen of twenty were no longer (nearest rank)."""

    count: int = 0
    total: float = 0.0
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    longest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One row. What does not apply to its kind of row is 0 or None."""

    key: str = ""
    since: float
    until: float
    offered: int = 0
    answered: int = 0
    within: int = 0
    """Answered within 15 s."""
    connect_rate: float | None = None
    within_15s: float | None = None
    abandoned: int = 0
    abandoned_in: Mapping[str, int] = field(default_factory=dict)
    """By stage: greeting, menu, waiting, ringing, message."""
    short_abandoned: int = 0
    lost: int = 0
    """Ended while nobody could see how: a switch that died."""
    ended_by_us: int = 0
    """Neither answered nor abandoned: heard the last message to its end."""
    open: int = 0
    """Not yet answered and not yet over; in no rate."""
    refused: int = 0
    """Trunk full; not in ``offered``."""
    not_in_service: int = 0
    """Dialled a number no line owns; not in ``offered``."""
    owed: int = 0
    """Calls that left a call-back duty."""
    called_back: int = 0
    """Calls whose citizen an agent has talked with when calling back. Not "answered"."""
    timed_out: int = 0
    key_exit: int = 0
    full: int = 0
    no_seats: int = 0
    withdrawn: int = 0
    """Taken out of the queue by somebody, and into none."""
    redirected: int = 0
    """Visits ended by somebody moving the caller to another queue."""
    overflowed: int = 0
    """Visits without an answer that were followed by another visit, neither moved by somebody nor gone on in
    the same queue after a key."""
    missed: int = 0
    """Rings that nobody answered."""
    wait: Spread = Spread()
    """From joining a queue to leaving it, answered or not."""
    to_answer: Spread = Spread()
    """The 15 s clock, of answered calls."""
    ring: Spread = Spread()
    """Of answered rings."""
    talk: Spread = Spread()
    """Seat and caller in one bridge; per stint, so a transfer adds a stint and inflates nobody's."""
    hold: Spread = Spread()
    wrap_up: Spread = Spread()
    called_out: int = 0
    """Calls that agents made to citizens: in no other figure."""
    reached_out: int = 0
    """Those of them that the citizen answered."""
    talk_out: Spread = Spread()
    refilled: int = 0
    """How many of the counted rows were put right from Asterisk's files."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What the ledger counts: calls, with all their visits and stints."""

    calls: Sequence[Call] = ()
    visits: Sequence[Visit] = ()
    stints: Sequence[Stint] = ()


def figures(rows: Rows, since: float, until: float, by: By = By.TOTAL, minutes: int = 60) -> list[Figures]:
    """A row for each key, in order; always one for TOTAL, and for each interval of [since, until)."""
    found = _figures(rows, since, until, by, minutes)
    ours = [c for c in rows.calls if c.outgoing and since <= c.arrived < until]
    return _called(found, ours, rows.stints, by) if ours else found


def _figures(rows: Rows, since: float, until: float, by: By, minutes: int) -> list[Figures]:
    """Of what citizens called."""
    calls = {c.id: c for c in rows.calls if own(c) and since <= c.arrived < until}
    back = called_back(rows.calls)
    visits = [v for v in rows.visits if v.call in calls]
    stints = [s for s in rows.stints if s.call in calls]
    if by is By.QUEUE:
        return _by_queue(calls, visits, stints, since, until)
    if by is By.SEAT:
        return _by_seat(calls, stints, since, until)
    if by is By.TOTAL:
        return [_of_calls(calls, visits, stints, back, "", since, until)]
    if by is By.INTERVAL:
        spans = intervals(since, until, minutes)
        starts = [a for a, _ in spans]
        groups = _split(calls, visits, stints, lambda c: f"{bisect_right(starts, c.arrived) - 1}")
        none: _Group = ({}, [], [])
        return [_of_calls(*groups.get(f"{n}", none), back, "", a, b) for n, (a, b) in enumerate(spans)]
    groups = _split(calls, visits, stints, _KEYS[by])
    return [_of_calls(*groups[key], back, key, since, until) for key in sorted(groups)]


def _called(rows: list[Figures], calls: Sequence[Call], stints: Sequence[Stint], by: By) -> list[Figures]:
    """The same rows with what agents called; whoever did nothing else gets a row of their own."""
    if by not in _OUT_KEYS:
        return rows
    if by is By.INTERVAL:
        starts = [row.since for row in rows]
        keys = {c.id: str(bisect_right(starts, c.arrived) - 1) for c in calls}
        named = {str(n): row for n, row in enumerate(rows)}
    else:
        keys = {c.id: _OUT_KEYS[by](c) for c in calls}
        named = {row.key: row for row in rows}
    span = (rows[0].since, rows[0].until) if rows else (calls[0].arrived, calls[-1].arrived)
    for key in sorted(set(keys.values())):
        mine = [c for c in calls if keys[c.id] == key]
        talks = [s.talk for s in stints if s.answered is not None and keys.get(s.call) == key]
        row = named.get(key) or Figures(key=key, since=span[0], until=span[1])
        reached = sum(c.answered is not None for c in mine)
        named[key] = replace(row, called_out=len(mine), reached_out=reached, talk_out=spread(talks))
    return list(named.values()) if by is By.INTERVAL else [named[key] for key in sorted(named)]


_OUT_KEYS: Mapping[By, Callable[[Call], str]] = {
    By.TOTAL: lambda c: "",
    By.INTERVAL: lambda c: "",
    By.CITY: lambda c: c.city,
    By.LINE: lambda c: f"{c.city}/{c.line}",
    By.SEAT: lambda c: f"{c.city}/{c.seat}",
}
"""Rows that tell of calls to citizens, and the row of each."""
_Group = tuple[dict[CallId, Call], list[Visit], list[Stint]]


def _split(
    calls: Mapping[CallId, Call],
    visits: Sequence[Visit],
    stints: Sequence[Stint],
    key: Callable[[Call], str],
) -> dict[str, _Group]:
    of = {call.id: key(call) for call in calls.values()}
    groups: dict[str, _Group] = {name: ({}, [], []) for name in of.values()}
    for call in calls.values():
        groups[of[call.id]][0][call.id] = call
    for visit in visits:
        groups[of[visit.call]][1].append(visit)
    for stint in stints:
        groups[of[stint.call]][2].append(stint)
    return groups


_KEYS: Mapping[By, Callable[[Call], str]] = {
    By.CITY: lambda c: c.city,
    By.LINE: lambda c: f"{c.city}/{c.line}",
    By.ORIGINAL: lambda c: f"{c.city}/{c.original}",
}


def intervals(since: float, until: float, minutes: int) -> list[tuple[float, float]]:
    """[since, until) cut at whole multiples of ``minutes`` since the epoch."""
    step = minutes * 60.0
    cuts = [since]
    at = (math.floor(since / step) + 1) * step
    while at < until:
        cuts.append(at)
        at += step
    return list(zip(cuts, [*cuts[1:], until], strict=True)) if since < until else []


def called_back(calls: Iterable[Call]) -> set[str]:
    """Calls whose call back reached the citizen."""
    return {
        c.callback_of for c in calls if c.callback_of and c.greeted is not None and c.answered is not None
    }


# --- rows -------------------------------------------------------------------------------------------------


def _of_calls(
    calls: Mapping[CallId, Call],
    visits: Sequence[Visit],
    stints: Sequence[Stint],
    back: Container[str],
    key: str,
    since: float,
    until: float,
) -> Figures:
    mine = [c for c in calls.values() if offered(c)]
    reached = [c for c in mine if c.answered is not None]
    within = sum(map(in_time, reached))
    gone = [c for c in mine if abandoned(c)]
    stages = {s.value: sum(c.stage is s for c in gone) for s in _STAGES}
    return Figures(
        key=key,
        since=since,
        until=until,
        offered=len(mine),
        answered=len(reached),
        within=within,
        connect_rate=rate(len(reached), len(mine)),
        within_15s=rate(within, len(mine)),
        abandoned=len(gone),
        abandoned_in=stages,
        short_abandoned=sum((c.ended or 0.0) - c.arrived < SHORT for c in gone),
        lost=sum(c.answered is None and c.left_by is LeftBy.UNKNOWN for c in mine),
        ended_by_us=sum(c.answered is None and c.left_by in (LeftBy.SYSTEM, LeftBy.AGENT) for c in mine),
        open=sum(map(is_open, calls.values())),
        refused=sum(map(refused, calls.values())),
        not_in_service=sum(map(not_in_service, calls.values())),
        owed=sum(c.owed for c in mine),
        called_back=sum(c.id in back for c in mine),
        missed=sum(s.part is Part.MISSED for s in stints),
        to_answer=spread(x for c in reached if (x := seconds_to_answer(c)) is not None),
        refilled=sum(c.source is Source.REFILLED for c in calls.values()),
        **_of_visits(visits, _led_on(visits)),
        **_of_stints(stints),
    )


_STAGES = (Stage.GREETING, Stage.MENU, Stage.WAITING, Stage.RINGING, Stage.MESSAGE)


_Named = set[tuple[CallId, int]]
"""Visits by call and number."""


def _led_on(visits: Sequence[Visit]) -> tuple[_Named, _Named]:
    """Visits without an answer that were followed by another: overflowed, and redirected by somebody.

    A supervisor's move is a withdrawal to app_queue (``QueueWithdrawCaller``). A caller who keyed something
    and waits on in the same queue did not overflow.
    """
    after = {(v.call, v.number - 1): v for v in visits}
    over, sent = set(), set()
    for visit in visits:
        name = (visit.call, visit.number)
        follows = after.get(name)
        if visit.outcome is Outcome.MOVED or (visit.outcome is Outcome.WITHDRAWN and follows is not None):
            sent.add(name)
            continue
        stays = follows is None or (visit.outcome is Outcome.KEY and follows.queue == visit.queue)
        if not stays and visit.outcome not in (Outcome.ANSWERED, Outcome.WAITING):
            over.add(name)
    return over, sent


def _of_visits(visits: Sequence[Visit], led: tuple[_Named, _Named]) -> dict[str, Any]:
    def count(*outcomes: Outcome) -> int:
        return sum(v.outcome in outcomes for v in visits)

    over, sent = led

    return {
        "timed_out": count(Outcome.TIMEOUT),
        "key_exit": count(Outcome.KEY),
        "full": count(Outcome.FULL),
        "no_seats": count(Outcome.NO_SEATS, Outcome.SEATS_LEFT),
        "withdrawn": sum(v.outcome is Outcome.WITHDRAWN and (v.call, v.number) not in sent for v in visits),
        "redirected": sum((v.call, v.number) in sent for v in visits),
        "overflowed": sum((v.call, v.number) in over for v in visits),
        "wait": spread(v.waited for v in visits if v.outcome is not Outcome.WAITING),
    }


def _of_stints(stints: Sequence[Stint]) -> dict[str, Any]:
    taken = [s for s in stints if s.answered is not None and s.ended is not None]
    return {
        "ring": spread(s.ring for s in taken if s.part is Part.ANSWERED),
        "talk": spread(s.talk for s in taken),
        "hold": spread(s.hold for s in taken if s.hold),
        "wrap_up": spread(s.wrap_up for s in taken if s.wrap_up is not None),
    }


def _by_queue(
    calls: Mapping[CallId, Call],
    visits: Sequence[Visit],
    stints: Sequence[Stint],
    since: float,
    until: float,
) -> list[Figures]:
    led = _led_on(visits)
    found = []
    for city, queue in sorted({(v.city, v.queue) for v in visits}):
        mine = [v for v in visits if (v.city, v.queue) == (city, queue)]
        shut = [v for v in mine if v.outcome is not Outcome.WAITING]
        taken = [v for v in shut if v.outcome is Outcome.ANSWERED]
        clocks = [_clock(v, calls[v.call]) for v in taken]
        within = sum(x <= WITHIN for x in clocks)
        gone = [v for v in shut if v.outcome is Outcome.ABANDONED]
        stages = [calls[v.call].stage for v in gone]
        theirs = [s for s in stints if (s.city, s.queue) == (city, queue)]
        found.append(
            Figures(
                key=f"{city}/{queue}",
                since=since,
                until=until,
                offered=len(shut),
                answered=len(taken),
                within=within,
                connect_rate=rate(len(taken), len(shut)),
                within_15s=rate(within, len(shut)),
                abandoned=len(gone),
                abandoned_in={s.value: stages.count(s) for s in (Stage.WAITING, Stage.RINGING)},
                lost=sum(v.outcome is Outcome.UNKNOWN for v in shut),
                open=len(mine) - len(shut),
                missed=sum(s.part is Part.MISSED for s in theirs),
                to_answer=spread(clocks),
                refilled=sum(v.source is Source.REFILLED for v in mine),
                **_of_visits(mine, led),
                **_of_stints(theirs),
            )
        )
    return found


def _clock(visit: Visit, call: Call) -> float:
    """From entering the line to this visit's answer; from joining, when an agent had the call before."""
    left = visit.joined + visit.waited if visit.left is None else visit.left
    first = call.answered is None or left <= call.answered + 1.0
    return max(0.0, left - (call.arrived if first else visit.joined))


def _by_seat(
    calls: Mapping[CallId, Call], stints: Sequence[Stint], since: float, until: float
) -> list[Figures]:
    """``offered``: rings. ``within_15s``: of the calls this seat was the first to answer."""
    found = []
    for city, seat in sorted({(s.city, s.seat) for s in stints}):
        mine = [s for s in stints if (s.city, s.seat) == (city, seat)]
        rung = [s for s in mine if s.part in (Part.MISSED, Part.STOPPED, Part.ANSWERED)]
        taken = [s for s in rung if s.part is Part.ANSWERED]
        first = [c for s in taken if (c := calls[s.call]).first_seat == seat and c.city == city]
        within = sum(map(in_time, first))
        found.append(
            Figures(
                key=f"{city}/{seat}",
                since=since,
                until=until,
                offered=len(rung),
                answered=len(taken),
                within=within,
                connect_rate=rate(len(taken), len(rung)),
                within_15s=rate(within, len(first)),
                redirected=sum(s.part is Part.JOINED for s in mine),
                open=sum(s.ended is None for s in mine),
                missed=sum(s.part is Part.MISSED for s in mine),
                to_answer=spread(x for c in first if (x := seconds_to_answer(c)) is not None),
                refilled=sum(s.source is Source.REFILLED for s in mine),
                **_of_stints(mine),
            )
        )
    return found


def rate(part: int, whole: int) -> float | None:
    """A fraction 0 to 1; None over zero rows."""
    return part / whole if whole else None


def spread(values: Iterable[float]) -> Spread:
    got = sorted(values)
    if not got:
        return Spread()
    total = math.fsum(got)

    def rank(share: float) -> float:
        return got[max(0, math.ceil(share * len(got)) - 1)]

    return Spread(len(got), total, total / len(got), rank(0.5), rank(0.95), got[-1])
