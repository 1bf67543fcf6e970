"""What the facts of single legs, and transfers, change in the picture."""

from __future__ import annotations

from calls import facts as f
from calls.facts import Fact, LegId
from calls.model import CallState, LeftBy, Leg
from calls.picture import (
    KEPT_GONE,
    Picture,
    call_of_caller,
    moved_by,
    newest,
    over,
    peers,
    put_call,
    put_leg,
    rings_no_more,
    seat_of,
    talking,
    true_call,
    without,
)
from calls.value import replace

# --- legs -------------------------------------------------------------------------------------


def leg_started(p: Picture, x: f.LegStarted) -> Picture:
    if x.leg in p.gone:
        return p
    known = p.legs.get(x.leg)
    if known is not None:
        return (
            p
            if x.call is None
            else leg_belongs(p, f.LegBelongs(at=x.at, node=x.node, leg=x.leg, call=x.call))
        )
    return put_leg(
        p, Leg(id=x.leg, channel=x.channel, call=true_call(p, x.call), endpoint=x.endpoint, linked=x.linked)
    )


def leg_belongs(p: Picture, x: f.LegBelongs) -> Picture:
    if x.leg in p.gone:
        return p
    known = p.legs.get(x.leg) or Leg(id=x.leg, channel="", call=None, endpoint="")
    p = put_leg(p, replace(known, call=true_call(p, x.call)))
    return _bridge_told(p, x.leg, x)


def leg_answered(p: Picture, x: f.LegAnswered) -> Picture:
    known = p.legs.get(x.leg)
    return p if known is None else put_leg(p, replace(known, up=True))


def leg_renamed(p: Picture, x: f.LegRenamed) -> Picture:
    known = p.legs.get(x.leg)
    return p if known is None else put_leg(p, replace(known, channel=x.channel))


def leg_held(p: Picture, x: f.LegHeld | f.LegUnheld) -> Picture:
    known = p.legs.get(x.leg)
    return p if known is None else put_leg(p, replace(known, on_hold=isinstance(x, f.LegHeld)))


def leg_joined(p: Picture, x: f.LegJoined) -> Picture:
    if x.leg in p.gone:
        return p
    known = p.legs.get(x.leg) or Leg(id=x.leg, channel="", call=None, endpoint="")
    # in a holding bridge everybody listens to music, nobody to each other
    bridge = "" if x.kind == "holding" else x.bridge
    p = put_leg(p, replace(known, bridge=bridge, up=True))
    return _bridge_told(p, x.leg, x)


def _bridge_told(p: Picture, leg: LegId, x: Fact) -> Picture:
    """A caller and somebody else are in one bridge: they talk."""
    me = p.legs[leg]
    everybody = [me, *peers(p, me)]
    if len(everybody) < 2:
        return p
    for one in everybody:
        call = call_of_caller(p, one.id)
        if call is None:
            continue
        seats = [s for o in everybody if o.id != one.id and (s := seat_of(call, one, o))]
        seat = seats[0] if seats else ""
        moved = moved_by(call, f.LegJoined, x.at, seat=seat or call.seat)
        if moved is not None:
            p = talking(p, moved, x.at)
        elif call.state is CallState.TALKING and seat and call.seat not in seats:
            p = put_call(p, replace(call, seat=seat))
    return p


def leg_left(p: Picture, x: f.LegLeft) -> Picture:
    known = p.legs.get(x.leg)
    if known is None or known.bridge != x.bridge:
        return p
    others = peers(p, known)
    p = put_leg(p, replace(known, bridge=""))
    return _alone(p, [known, *others], x)


def _alone(p: Picture, were: list[Leg], x: f.LegLeft | f.LegEnded) -> Picture:
    """Whoever of these is a caller and has nobody in the bridge any more, is on the move."""
    for leg in were:
        call = call_of_caller(p, leg.id)
        now = p.legs.get(leg.id)
        if call is None or now is None or peers(p, now):
            continue
        moved = moved_by(call, f.LegLeft, x.at)
        if moved is not None:
            p = put_call(p, moved)
    return p


def leg_ended(p: Picture, x: f.LegEnded) -> Picture:
    call = call_of_caller(p, x.leg)
    known = p.legs.get(x.leg)
    others = peers(p, known) if known is not None else []
    p = replace(p, legs=without(p.legs, x.leg), gone=newest(p.gone, x.leg, x.at, KEPT_GONE))
    if call is not None:
        return over(p, call, x.at, LeftBy.UNKNOWN, x.cause)
    for id, seats in p.ringing.items():
        if x.leg in seats:
            p = rings_no_more(p, id, x.leg, x)
            break
    return _alone(p, others, x)


# --- transfers --------------------------------------------------------------------------------


def blind(p: Picture, x: f.BlindTransferred) -> Picture:
    if not x.ok or x.leg is None:
        return p
    call = call_of_caller(p, x.leg)
    moved = moved_by(call, f.BlindTransferred, x.at) if call is not None else None
    return p if moved is None else put_call(p, moved)


def attended(p: Picture, x: f.AttendedTransferred) -> Picture:
    if not x.ok:
        return p
    for leg in x.joined:
        call = call_of_caller(p, leg)
        if call is None:
            continue
        mates = [p.legs[o] for o in x.joined if o != leg and o in p.legs]
        for mate in mates:
            if mate.call is None:
                p = put_leg(p, replace(mate, call=call.id))
        seat = next((s for o in mates if (s := seat_of(call, p.legs.get(leg), o))), "")
        moved = moved_by(call, f.AttendedTransferred, x.at, seat=seat)
        if moved is not None:
            p = talking(p, moved, x.at)
    return p
