"""A stint: one seat's part in one call, from the first ring to the end of its wrap-up.

Talk is counted while the seat and the caller are in one bridge, or in two that a Local channel joins (who is
brought into a call by ``three`` comes so), and hold is counted apart: app_queue's own talk time runs on
through transfers, so the first seat's figure would hold the second seat's work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.model import Source
from calls.picture import caller_leg, newest, without
from calls.value import dataclass, field, replace
from plan.words import SEAT
from queues.wrap_up import WRAP_UP

KEPT = 1024
"""Stints that are over and still waiting for their wrap-up, or for a late word of app_queue."""


class Part(StrEnum):
    RINGING = "ringing"
    MISSED = "missed"  # rang and was not answered: ignored, declined, busy
    STOPPED = "stopped"  # stopped ringing because the caller left or another seat answered
    ANSWERED = "answered"
    JOINED = "joined"  # came in without a queue: a transfer, a pick-up
    CALLED = "called"  # called a citizen; ``ring`` until the citizen answered


@dataclass(frozen=True, slots=True)
class Stint:
    """Moments are seconds since the epoch, UTC; ``ring``, ``talk``, ``hold``, ``wrap_up`` are seconds."""

    leg: LegId
    """The seat's leg: the stint's name."""
    call: CallId
    city: str
    seat: str
    queue: str
    """Empty when no queue brought the call."""
    began: float
    part: Part = Part.RINGING
    answered: float | None = None
    ended: float | None = None
    ring: float = 0.0
    talk: float = 0.0
    hold: float = 0.0
    wrap_up: float | None = None
    """None when nobody saw it end."""
    source: Source = Source.HEARD


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a leg is doing now."""

    endpoint: str = ""
    call: CallId | None = None
    bridge: str = ""
    joined: float = 0.0
    held: float | None = None
    local: str = ""
    """The name that both halves of a Local channel have in common; empty: none."""


@dataclass(frozen=True, slots=True)
class _Pause:
    """``reason`` is this wrap-up's own: it names when it ends. ``queues``: in which the seat is paused so."""

    reason: str
    queues: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stints:
    open: Mapping[LegId, Stint] = field(default_factory=dict)
    late: Mapping[LegId, Stint] = field(default_factory=dict)
    """Over, oldest first."""
    legs: Mapping[LegId, _Seen] = field(default_factory=dict)
    wrapping: Mapping[tuple[str, str], tuple[LegId, float]] = field(default_factory=dict)
    """(city, seat) -> the stint it wraps up, and since when."""
    pauses: Mapping[tuple[str, str], _Pause] = field(default_factory=dict)
    """Of seats that wrap up."""
    touched: tuple[Stint, ...] = field(default=(), compare=False)


def step(stints: Stints, fact: Fact) -> Stints:
    """The stints after this fact; ``touched`` are those it changed. Never raises."""
    if stints.touched:
        stints = replace(stints, touched=())
    handler = _HANDLERS.get(type(fact))
    return stints if handler is None else handler(stints, fact)


def _put(s: Stints, stint: Stint) -> Stints:
    if stint.ended is None:
        return replace(s, open={**s.open, stint.leg: stint}, touched=(*s.touched, stint))
    late = newest(s.late, stint.leg, stint, KEPT)
    return replace(s, open=without(s.open, stint.leg), late=late, touched=(*s.touched, stint))


def _called(s: Stints, x: f.CallArrived) -> Stints:
    if x.direction != "out" or x.leg in s.open or x.leg in s.late:
        return s
    return _put(s, Stint(x.leg, x.call, x.city, x.seat, "", x.at, Part.CALLED))


def _rang(s: Stints, x: f.SeatRang) -> Stints:
    if x.leg in s.open or x.leg in s.late:
        return s
    return _put(s, Stint(x.leg, x.call, x.city, x.seat, x.queue, x.at))


def _declined(s: Stints, x: f.SeatDeclined) -> Stints:
    """Comes after the end of the leg when the phone refused, before it when the time ran out."""
    known = s.open.get(x.leg) or s.late.get(x.leg)
    if known is None or known.answered is not None:
        return s
    return _put(s, replace(known, part=Part.MISSED, ring=x.rang, ended=known.ended or x.at))


def _answered(s: Stints, x: f.SeatAnswered) -> Stints:
    known = s.open.get(x.leg)
    if known is None:
        if x.leg in s.late or not x.leg:
            return s
        known = Stint(x.leg, x.call, x.city, x.seat, x.queue, x.at - x.rang)
    return _put(s, replace(known, part=Part.ANSWERED, answered=x.at, ring=max(0.0, x.at - known.began)))


def _belongs(s: Stints, x: f.LegBelongs) -> Stints:
    s = replace(s, legs={**s.legs, x.leg: replace(s.legs.get(x.leg, _Seen()), call=x.call)})
    known = s.open.get(x.leg)
    if known is None or known.call == x.call:
        return s
    return _put(s, replace(known, call=x.call))


def _joined(s: Stints, x: f.LegJoined) -> Stints:
    if x.kind == "holding":
        return s
    seen = s.legs.get(x.leg, _Seen())
    joined = replace(s, legs={**s.legs, x.leg: replace(seen, bridge=x.bridge, joined=x.at)})
    hall = _hall(joined, x.bridge)
    there = _people(joined, hall)
    # who was with it so far, and who is from now on
    both = {*_people(s, _hall(s, seen.bridge)), *there} & s.legs.keys()
    s = _counted(s, [leg for leg in s.legs if leg in both], x.at)
    s = replace(s, legs={**s.legs, x.leg: joined.legs[x.leg]})
    for leg in there:
        s = _came_in(s, leg, hall, x.at)
    return s


def _came_in(s: Stints, leg: LegId, hall: frozenset[str], at: float) -> Stints:
    """A seat that no queue rang talks to a caller: transferred to, or picked up."""
    seen = s.legs[leg]
    mine = s.open.get(leg)
    if mine is not None and mine.part is Part.CALLED and mine.answered is None:
        alone = len(_room(s, seen.bridge)) < 2
        return s if alone else _put(s, replace(mine, answered=at, ring=max(0.0, at - mine.began)))
    city, _, seat = seen.endpoint.partition("-")
    if seen.call is None or leg in s.open or leg in s.late or not SEAT.fullmatch(seat):
        return s
    caller = s.legs.get(caller_leg(seen.call))
    if caller is None or caller.bridge not in hall or leg == caller_leg(seen.call):
        return s
    s = replace(s, legs={**s.legs, leg: replace(seen, joined=at)})
    return _put(s, Stint(leg, seen.call, city, seat, "", at, Part.JOINED, answered=at))


def _left(s: Stints, x: f.LegLeft) -> Stints:
    seen = s.legs.get(x.leg)
    if seen is None or seen.bridge != x.bridge:
        return s
    s = _counted(s, _people(s, _hall(s, x.bridge)), x.at)
    return replace(s, legs={**s.legs, x.leg: replace(s.legs[x.leg], bridge="")})


def _held(s: Stints, x: f.LegHeld) -> Stints:
    seen = s.legs.get(x.leg)
    if seen is None or seen.held is not None:
        return s
    s = _counted(s, [x.leg], x.at)
    return replace(s, legs={**s.legs, x.leg: replace(s.legs[x.leg], held=x.at)})


def _unheld(s: Stints, x: f.LegUnheld) -> Stints:
    seen = s.legs.get(x.leg)
    if seen is None or seen.held is None:
        return s
    s = _counted(s, [x.leg], x.at)
    return replace(s, legs={**s.legs, x.leg: replace(s.legs[x.leg], held=None)})


def _room(s: Stints, bridge: str) -> list[LegId]:
    return [leg for leg, seen in s.legs.items() if seen.bridge == bridge]


def _hall(s: Stints, bridge: str) -> frozenset[str]:
    """This bridge, and those that Local channels join to it."""
    found: set[str] = set()
    ahead = [bridge]
    while ahead:
        one = ahead.pop()
        if one and one not in found:
            found.add(one)
            halves = {s.legs[leg].local for leg in _room(s, one)} - {""}
            if halves:
                ahead += [seen.bridge for seen in s.legs.values() if seen.local in halves]
    return frozenset(found)


def _people(s: Stints, hall: frozenset[str]) -> list[LegId]:
    return [leg for leg, seen in s.legs.items() if seen.bridge in hall]


def _counted(s: Stints, legs: list[LegId], at: float) -> Stints:
    """Add up what these seats talked or held since the last count."""
    for leg in legs:
        stint, seen = s.open.get(leg), s.legs[leg]
        if stint is None or not seen.bridge:
            continue
        caller = s.legs.get(caller_leg(stint.call))
        if caller is not None and caller.bridge in _hall(s, seen.bridge):
            span = max(0.0, at - max(seen.joined, caller.joined))
            if seen.held is None:
                s = _put(s, replace(stint, talk=stint.talk + span))
            else:
                s = _put(s, replace(stint, hold=stint.hold + span))
        s = replace(s, legs={**s.legs, leg: replace(seen, joined=at)})
    return s


def _started(s: Stints, x: f.LegStarted) -> Stints:
    if x.leg in s.legs:
        return s
    return replace(s, legs={**s.legs, x.leg: _Seen(x.endpoint, x.call, local=_local(x.channel))})


def _local(channel: str) -> str:
    """``Local/s@transfer-target-0000000a`` of either half, which ends in ``;1`` or ``;2``."""
    return channel.rpartition(";")[0] if channel.startswith("Local/") else ""


def _ended(s: Stints, x: f.LegEnded) -> Stints:
    seen = s.legs.get(x.leg)
    if seen is not None and seen.bridge:
        s = _counted(s, _people(s, _hall(s, seen.bridge)), x.at)
    s = replace(s, legs=without(s.legs, x.leg))
    stint = s.open.get(x.leg)
    if stint is None:
        return s
    if stint.answered is None and stint.part is Part.CALLED:
        stint = replace(stint, ring=max(0.0, x.at - stint.began))
    elif stint.answered is None:
        stint = replace(stint, part=Part.STOPPED, ring=max(0.0, x.at - stint.began))
    return _put(s, replace(stint, ended=x.at))


def _paused(s: Stints, x: f.SeatPaused) -> Stints:
    key = (x.city, x.seat)
    if not x.reason.startswith(WRAP_UP):
        return _wrapped(s, key, x.at)
    queues = s.pauses[key].queues if key in s.pauses else frozenset()
    s = replace(s, pauses={**s.pauses, key: _Pause(x.reason, queues | {x.queue})})
    if key in s.wrapping:
        return s
    # the hang-up handler may pause the seat before its leg is reported gone
    of = [
        t for t in (*s.late.values(), *s.open.values()) if (t.city, t.seat) == key and t.answered is not None
    ]
    if not of or of[-1].wrap_up is not None:
        return s
    return replace(s, wrapping={**s.wrapping, key: (of[-1].leg, x.at)})


def _unpaused(s: Stints, x: f.SeatUnpaused) -> Stints:
    return _wrapped(s, (x.city, x.seat), x.at)


def _signed_out(s: Stints, x: f.SeatSignedOut) -> Stints:
    """Of one queue; a supervisor may have taken it from a seat that wraps up and stays in others."""
    key = (x.city, x.seat)
    pause = s.pauses.get(key)
    left = pause.queues - {x.queue} if pause is not None and x.queue else frozenset()
    if pause is None or not left:
        return _wrapped(s, key, x.at)
    return replace(s, pauses={**s.pauses, key: replace(pause, queues=left)})


def _wrapped(s: Stints, key: tuple[str, str], at: float) -> Stints:
    s = replace(s, pauses=without(s.pauses, key))
    found = s.wrapping.get(key)
    if found is None:
        return s
    leg, since = found
    s = replace(s, wrapping={k: v for k, v in s.wrapping.items() if k != key})
    stint = s.late.get(leg) or s.open.get(leg)
    return s if stint is None else _put(s, replace(stint, wrap_up=max(0.0, at - since)))


def _true(s: Stints, x: f.Snapshot) -> Stints:
    """Whoever is gone has ended, when exactly nobody knows; bridges are as Asterisk says now. A wrap-up that
    is over has no length: what came after it, a later pause would count into it."""
    pauses: dict[tuple[str, str], _Pause] = {}
    for m in x.members:
        if m.paused and m.reason.startswith(WRAP_UP):
            known = pauses.get((m.city, m.seat))
            queues = known.queues if known is not None else frozenset()
            pauses[m.city, m.seat] = _Pause(m.reason, queues | {m.queue})
    # one with another reason is another wrap-up
    wrapping = {
        key: found
        for key, found in s.wrapping.items()
        if key in pauses and key in s.pauses and pauses[key].reason == s.pauses[key].reason
    }
    s = replace(s, wrapping=wrapping, pauses=pauses)
    alive = {leg.leg: leg for leg in x.legs}
    for leg, stint in list(s.open.items()):
        if leg not in alive:
            stopped = stint.answered is None and stint.part is not Part.CALLED
            part = Part.STOPPED if stopped else stint.part
            s = _put(s, replace(stint, part=part, ended=x.at))
    # when a hold began or ended that nobody heard of: now, as far as anybody knows
    turned = [
        leg
        for leg, now in alive.items()
        if leg in s.legs and now.held is not None and now.held is not (s.legs[leg].held is not None)
    ]
    s = _counted(s, [leg for leg in turned if s.legs[leg].bridge == alive[leg].bridge], x.at)
    legs: dict[LegId, _Seen] = {}
    for leg, now in alive.items():
        seen = s.legs.get(leg, _Seen(now.endpoint, now.call, local=_local(now.channel)))
        joined = seen.joined if seen.bridge == now.bridge else x.at
        held = seen.held if now.held is None else (seen.held or x.at) if now.held else None
        legs[leg] = replace(seen, bridge=now.bridge, joined=joined, held=held)
    s = replace(s, legs=legs)
    # whose ring and answer nobody heard: what it holds from now on is no talk
    for leg, now in alive.items():
        if now.bridge:
            s = _came_in(s, leg, _hall(s, now.bridge), x.at)
    return s


_HANDLERS: Mapping[type[Fact], Callable[[Stints, Any], Stints]] = {
    f.LegStarted: _started,
    f.LegBelongs: _belongs,
    f.LegJoined: _joined,
    f.LegLeft: _left,
    f.LegHeld: _held,
    f.LegUnheld: _unheld,
    f.LegEnded: _ended,
    f.CallArrived: _called,
    f.SeatRang: _rang,
    f.SeatDeclined: _declined,
    f.SeatAnswered: _answered,
    f.SeatPaused: _paused,
    f.SeatUnpaused: _unpaused,
    f.SeatSignedOut: _signed_out,
    f.Snapshot: _true,
}
