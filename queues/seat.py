"""Seats: one working place and what it is doing, read off its queues, its pause and its legs.

A seat's state is never stepped from the last one: the first row of ``TABLE`` that holds *is* the
state. So nothing can leave a seat busy once its legs are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.model import Seat, SeatState
from calls.picture import KEPT_GONE, newest, without
from calls.value import dataclass, field, replace
from queues.wrap_up import WRAP_UP, ends, timed

Key = tuple[str, str]
"""(city, seat)."""

UNREACHABLE_DEVICES = frozenset({"unavailable", "invalid"})


class Sound(StrEnum):
    """What the phone does with a leg."""

    SILENT = "silent"  # being set up
    RINGS = "rings"
    UP = "up"


@dataclass(frozen=True, slots=True)
class SeatLeg:
    seat: Key
    sound: Sound
    call: CallId | None


@dataclass(frozen=True, slots=True)
class Known:
    """All that decides a seat's state."""

    queues: tuple[str, ...]
    pauses: Mapping[str, str]
    """Queue -> reason code, for the queues it is paused in."""
    device: str
    legs: tuple[SeatLeg, ...]

    @property
    def paused(self) -> str:
        """The reason when it is paused in every queue it is signed in to."""
        if not self.queues or any(q not in self.pauses for q in self.queues):
            return ""
        return self.pauses[self.queues[0]]


TABLE: tuple[tuple[Callable[[Known], bool], SeatState], ...] = (
    (lambda k: any(x.sound is Sound.UP for x in k.legs), SeatState.BUSY),
    (lambda k: any(x.sound is Sound.RINGS for x in k.legs), SeatState.RINGING),
    (lambda k: not k.queues, SeatState.AWAY),
    (lambda k: k.device in UNREACHABLE_DEVICES, SeatState.UNREACHABLE),
    (lambda k: k.paused.partition(":")[0] == WRAP_UP, SeatState.WRAP_UP),
    (lambda k: bool(k.paused), SeatState.PAUSED),
    (lambda k: True, SeatState.READY),
)
"""The first row that holds is the seat's state."""


@dataclass(frozen=True, slots=True)
class Seats:
    """Every seat Asterisk or a phone ever told of."""

    seats: Mapping[Key, Seat] = field(default_factory=dict)
    pauses: Mapping[Key, Mapping[str, str]] = field(default_factory=dict)
    legs: Mapping[LegId, SeatLeg] = field(default_factory=dict)
    gone: Mapping[LegId, float] = field(default_factory=dict)
    touched: frozenset[Key] = field(default=frozenset(), compare=False)


def step(seats: Seats, fact: Fact) -> Seats:
    """The seats after this fact; ``touched`` are those it changed. Never raises."""
    if seats.touched:
        seats = replace(seats, touched=frozenset())
    handler = _HANDLERS.get(type(fact))
    return seats if handler is None else handler(seats, fact)


def planned(seats: Seats, city: str, names: tuple[str, ...], at: float) -> Seats:
    """The seats of a plan, shown as away until somebody signs in."""
    fresh = dict(seats.seats)
    for name in names:
        fresh.setdefault((city, name), Seat(city=city, name=name, state=SeatState.AWAY, since=at))
    return replace(seats, seats=fresh, touched=frozenset(fresh) - frozenset(seats.seats))


def _seat(seats: Seats, key: Key, at: float) -> Seat:
    return seats.seats.get(key) or Seat(city=key[0], name=key[1], state=SeatState.AWAY, since=at)


def _told(seats: Seats, key: Key, at: float, **changes: Any) -> Seats:
    """The seat with these changes, and the state that follows from them."""
    seat = replace(_seat(seats, key, at), **changes)
    legs = tuple(x for x in seats.legs.values() if x.seat == key)
    known = Known(seat.queues, seats.pauses.get(key, {}), seat.device, legs)
    state = next(state for holds, state in TABLE if holds(known))
    loud = sorted((x for x in legs if x.sound is not Sound.SILENT), key=lambda x: x.sound is not Sound.UP)
    seat = replace(
        seat,
        state=state,
        since=seat.since if state is seat.state else at,
        paused=known.paused,
        until=ends(known.paused) if timed(known.paused) else None,
        call=next((x.call for x in loud if x.call is not None), None),
    )
    if seats.seats.get(key) == seat:
        return seats
    return replace(seats, seats={**seats.seats, key: seat}, touched=seats.touched | {key})


# --- signing in, pauses, phones -----------------------------------------------------------------


def _pausing(seats: Seats, key: Key, queue: str, reason: str | None) -> Seats:
    """Reason None: not paused. Queue empty: in all its queues."""
    pauses = dict(seats.pauses.get(key, {}))
    for q in (queue,) if queue else _seat(seats, key, 0.0).queues:
        if reason is None:
            pauses.pop(q, None)
        else:
            pauses[q] = reason or "paused"
    return replace(seats, pauses={**seats.pauses, key: pauses})


def _signed_in(seats: Seats, x: f.SeatSignedIn) -> Seats:
    key = (x.city, x.seat)
    queues = _seat(seats, key, x.at).queues
    queues = queues if x.queue in queues else tuple(sorted((*queues, x.queue)))
    seats = _pausing(seats, key, x.queue, x.reason if x.paused else None)
    return _told(seats, key, x.at, queues=queues)


def _signed_out(seats: Seats, x: f.SeatSignedOut) -> Seats:
    key = (x.city, x.seat)
    queues = _seat(seats, key, x.at).queues
    seats = _pausing(seats, key, x.queue, None)
    return _told(seats, key, x.at, queues=tuple(q for q in queues if x.queue and q != x.queue))


def _paused(seats: Seats, x: f.SeatPaused) -> Seats:
    return _told(_pausing(seats, (x.city, x.seat), x.queue, x.reason), (x.city, x.seat), x.at)


def _unpaused(seats: Seats, x: f.SeatUnpaused) -> Seats:
    return _told(_pausing(seats, (x.city, x.seat), x.queue, None), (x.city, x.seat), x.at)


def _bound(seats: Seats, x: f.AgentBound) -> Seats:
    for (city, name), seat in seats.seats.items():
        if city == x.city and seat.agent == x.agent and name != x.seat:
            seats = _told(seats, (city, name), x.at, agent="")  # one person one seat
    return _told(seats, (x.city, x.seat), x.at, agent=x.agent, missed=0)


def _unbound(seats: Seats, x: f.AgentUnbound) -> Seats:
    if _seat(seats, (x.city, x.seat), x.at).agent != x.agent:
        return seats
    return _told(seats, (x.city, x.seat), x.at, agent="", missed=0)


def _acted(seats: Seats, x: f.SeatActed) -> Seats:
    if not x.ok or x.did not in ("ready", "pause"):
        return seats
    return _told(seats, (x.city, x.seat), x.at, missed=0)


def _missed(seats: Seats, x: f.SeatMissed) -> Seats:
    return _told(seats, (x.city, x.seat), x.at, missed=x.count)


def _device(seats: Seats, x: f.SeatDevice) -> Seats:
    if (x.city, x.seat) not in seats.seats:
        return seats  # a trunk, or a phone nobody signed in at
    return _told(seats, (x.city, x.seat), x.at, device=x.state)


def _reachable(seats: Seats, x: f.PhoneReachable) -> Seats:
    if (x.city, x.seat) not in seats.seats:
        return seats  # a trunk, or a phone nobody signed in at
    known = _seat(seats, (x.city, x.seat), x.at)
    device = "not_inuse" if known.device in UNREACHABLE_DEVICES else known.device
    return _told(seats, (x.city, x.seat), x.at, contact=x.contact, device=device)


def _phone_gone(seats: Seats, x: f.PhoneGone) -> Seats:
    if (x.city, x.seat) not in seats.seats:
        return seats  # a trunk, or a phone nobody signed in at
    known = _seat(seats, (x.city, x.seat), x.at)
    if known.contact and x.contact and known.contact != x.contact:
        return seats  # it registered anew before the old contact expired
    return _told(seats, (x.city, x.seat), x.at, contact="", device="unavailable")


# --- legs -----------------------------------------------------------------------------------------


def seat_key(endpoint: str) -> Key | None:
    """``demo-1001`` -> (demo, 1001)."""
    city, dash, name = endpoint.partition("-")
    return (city, name) if dash and name else None


def _leg_started(seats: Seats, x: f.LegStarted) -> Seats:
    key = seat_key(x.endpoint)
    if key is None or x.leg in seats.gone or x.leg in seats.legs or key not in seats.seats:
        return seats
    # a phone that dials has an extension; a phone that is dialled has none and will ring
    sound = Sound.UP if x.called else Sound.SILENT
    return _leg(seats, x.leg, SeatLeg(key, sound, x.call), x.at)


def _leg(seats: Seats, leg: LegId, value: SeatLeg, at: float) -> Seats:
    if leg in seats.gone:
        return seats
    before = seats.legs.get(leg)
    seats = _told(replace(seats, legs={**seats.legs, leg: value}), value.seat, at)
    # a leg is one seat's: whoever had it is free of it
    return seats if before is None or before.seat == value.seat else _told(seats, before.seat, at)


def _leg_changes(seats: Seats, x: Any, **changes: Any) -> Seats:
    known = seats.legs.get(x.leg)
    return seats if known is None else _leg(seats, x.leg, replace(known, **changes), x.at)


def _leg_rang(seats: Seats, x: f.LegRang) -> Seats:
    known = seats.legs.get(x.leg)
    return seats if known is None or known.sound is Sound.UP else _leg_changes(seats, x, sound=Sound.RINGS)


def _leg_up(seats: Seats, x: f.LegAnswered) -> Seats:
    return _leg_changes(seats, x, sound=Sound.UP)


def _leg_belongs(seats: Seats, x: f.LegBelongs) -> Seats:
    return _leg_changes(seats, x, call=x.call)


def _leg_ended(seats: Seats, x: f.LegEnded) -> Seats:
    seats = replace(seats, gone=newest(seats.gone, x.leg, x.at, KEPT_GONE))
    known = seats.legs.get(x.leg)
    if known is None:
        return seats
    seats = replace(seats, legs=without(seats.legs, x.leg))
    return _told(seats, known.seat, x.at)


def _seat_rang(seats: Seats, x: f.SeatRang) -> Seats:
    known = seats.legs.get(x.leg)
    if known is not None and known.sound is Sound.UP:
        return seats
    return _leg(seats, x.leg, SeatLeg((x.city, x.seat), Sound.RINGS, x.call), x.at)


def _seat_answered(seats: Seats, x: f.SeatAnswered) -> Seats:
    seats = _leg(seats, x.leg, SeatLeg((x.city, x.seat), Sound.UP, x.call), x.at)
    if _seat(seats, (x.city, x.seat), x.at).missed:
        seats = _told(seats, (x.city, x.seat), x.at, missed=0)
    return seats


# --- the whole truth --------------------------------------------------------------------------------


def _snapshot(seats: Seats, x: f.Snapshot) -> Seats:
    members: dict[Key, list[f.MemberNow]] = {}
    for member in x.members:
        members.setdefault((member.city, member.seat), []).append(member)
    here = {leg.leg for leg in x.legs}
    seats = replace(
        seats,
        pauses={
            key: {m.queue: m.reason or "paused" for m in said if m.paused} for key, said in members.items()
        },
        gone={
            **{k: v for k, v in seats.gone.items() if k not in here},
            **dict.fromkeys(seats.legs.keys() - here, x.at),
        },
    )
    sitting = None if x.agents is None else {(city, seat): agent for city, seat, agent in x.agents}
    known = set(seats.seats) | set(members) | set(sitting or ())
    legs: dict[LegId, SeatLeg] = {}
    for leg in x.legs:
        before = seats.legs.get(leg.leg)
        key = before.seat if before is not None else seat_key(leg.endpoint)
        if key is None or key not in known:
            continue
        if leg.up:
            sound = Sound.UP
        else:
            sound = before.sound if before is not None and before.sound is not Sound.UP else Sound.RINGS
        legs[leg.leg] = SeatLeg(key, sound, leg.call or (before.call if before is not None else None))
    seats = replace(seats, legs=legs)
    for key in sorted(known):
        said = members.get(key, [])
        device = said[0].device if said else _seat(seats, key, x.at).device
        changes: dict[str, Any] = {"queues": tuple(sorted({m.queue for m in said})), "device": device}
        if sitting is not None:
            changes["agent"] = sitting.get(key, "")
        seats = _told(seats, key, x.at, **changes)
    return seats


_HANDLERS: Mapping[type[Fact], Callable[[Seats, Any], Seats]] = {
    f.SeatSignedIn: _signed_in,
    f.SeatSignedOut: _signed_out,
    f.SeatPaused: _paused,
    f.SeatUnpaused: _unpaused,
    f.AgentBound: _bound,
    f.AgentUnbound: _unbound,
    f.SeatActed: _acted,
    f.SeatMissed: _missed,
    f.SeatDevice: _device,
    f.PhoneReachable: _reachable,
    f.PhoneGone: _phone_gone,
    f.LegStarted: _leg_started,
    f.LegRang: _leg_rang,
    f.LegAnswered: _leg_up,
    f.LegBelongs: _leg_belongs,
    f.LegEnded: _leg_ended,
    f.SeatRang: _seat_rang,
    f.SeatAnswered: _seat_answered,
    f.Snapshot: _snapshot,
}
