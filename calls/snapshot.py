"""The whole truth at one moment, laid over the picture: start-up and recovery are the same."""

from __future__ import annotations

from calls import facts as f
from calls.facts import LegId
from calls.model import Call, CallState, Direction, LeftBy, Leg
from calls.picture import (
    KEPT_GONE,
    Picture,
    caller_leg,
    city_of,
    over,
    peers,
    put_call,
    seat_of,
    talking,
    true_call,
    with_,
)
from calls.value import replace
from plan.words import SEAT


def lay_over(p: Picture, x: f.Snapshot) -> Picture:
    """Drop what Asterisk does not know, add what it does, keep what agrees."""
    legs: dict[LegId, Leg] = {}
    for now in x.legs:
        known = p.legs.get(now.leg)
        legs[now.leg] = Leg(
            id=now.leg,
            channel=now.channel,
            call=true_call(p, now.call) or (known.call if known is not None else None),
            endpoint=now.endpoint,
            up=now.up,
            on_hold=(known is not None and known.on_hold) if now.held is None else now.held,
            bridge=now.bridge,
            linked=now.linked,
        )
    dropped = [k for k in p.legs if k not in legs]
    gone = {**{k: v for k, v in p.gone.items() if k not in legs}, **dict.fromkeys(dropped, x.at)}
    while len(gone) > KEPT_GONE:
        del gone[next(iter(gone))]
    rings = {
        call: {k: v for k, v in seats.items() if k in legs and not legs[k].up}
        for call, seats in p.ringing.items()
    }
    p = replace(
        p, legs=legs, gone=gone, ringing={k: v for k, v in rings.items() if v}, node=x.node, stale_since=None
    )
    waits = {w.leg: w for w in x.waiters}
    for call in p.live():
        if call.leg in legs:
            p = _agree(p, call, waits.get(call.leg), x)
        else:
            p = over(p, call, x.at, LeftBy.UNKNOWN, 0)
    for now in x.legs:
        # only the caller's own leg proves that the caller is still there
        if now.call is not None and now.call not in p.calls and caller_leg(now.call) == now.leg:
            p = _rebuilt(p, now, waits.get(now.leg), x)
    return p


def _agree(p: Picture, call: Call, wait: f.WaiterNow | None, x: f.Snapshot) -> Picture:
    """Put the state right where the snapshot says otherwise; times of the change are the snapshot's."""
    caller = p.legs[call.leg]
    others = peers(p, caller)
    if others:
        seat = next((s for o in others if (s := seat_of(call, caller, o))), call.seat)
        if call.state is CallState.TALKING and call.seat == seat:
            return p
        return talking(p, replace(call, state=CallState.TALKING, since=x.at, seat=seat), x.at)
    if wait is not None:
        rings = p.ringing.get(call.id)
        state = CallState.RINGING if rings else CallState.WAITING
        if call.state is state and call.queue == wait.queue:
            return p
        joined = call.joined if call.queue == wait.queue and call.joined is not None else x.at - wait.waited
        seat = next(iter(rings.values())) if rings else ""
        visits = max(call.visits, 1) if call.queue == wait.queue else call.visits + 1
        return put_call(
            p,
            replace(call, state=state, since=x.at, queue=wait.queue, joined=joined, seat=seat, visits=visits),
        )
    if call.state is CallState.TALKING:
        return put_call(p, replace(call, state=CallState.MOVING, since=x.at))
    if call.state in (CallState.WAITING, CallState.RINGING):
        return put_call(p, replace(call, state=CallState.GREETED, since=x.at, seat=""))
    return p


def _rebuilt(p: Picture, now: f.LegNow, wait: f.WaiterNow | None, x: f.Snapshot) -> Picture:
    """A call that began while nobody of ours was looking, as far as the snapshot tells it."""
    if now.call is None or now.leg in p.gone:
        return p
    arrived = x.at - now.seconds
    call = Call(
        id=now.call,
        city=city_of(now.call),
        line="",
        trunk="",
        caller=now.caller,
        called=now.called,
        original="",
        leg=now.leg,
        state=CallState.GREETED,
        since=arrived,
        arrived=arrived,
    )
    city, _, seat = now.endpoint.partition("-")
    if city == call.city and SEAT.fullmatch(seat):
        # a call that is named after a seat's leg is one that the seat made
        call = replace(
            call, direction=Direction.OUT, seat=seat, caller="", called="", state=CallState.DIALLING
        )
    p = put_call(p, call)
    for leg in p.legs.values():
        # phones that ring for it
        if (
            leg.call == call.id
            and not leg.up
            and leg.id != now.leg
            and (seat := seat_of(call, p.legs[now.leg], leg))
        ):
            p = replace(p, ringing=with_(p.ringing, call.id, with_(p.ringing.get(call.id, {}), leg.id, seat)))
    return _agree(p, call, wait, x)
