"""One fact after another changes the picture; what the dialplan and the queue say of a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from calls import facts as f
from calls import legs as leg_rows
from calls import snapshot as truth
from calls.facts import Fact
from calls.model import Call, CallState, Direction, LeftBy, Leg, Stage
from calls.picture import (
    Picture,
    moved_by,
    open_call,
    over,
    peers,
    put_call,
    put_leg,
    rings_no_more,
    seat_of,
    talking,
    with_,
    without,
)
from calls.value import replace


def step(picture: Picture, fact: Fact) -> Picture:
    """The picture after this fact. Never raises; an unknown fact changes nothing."""
    if picture.touched:
        picture = replace(picture, touched=frozenset())
    handler = _HANDLERS.get(type(fact))
    return picture if handler is None else handler(picture, fact)


# --- the link ---------------------------------------------------------------------------------


def _link_up(p: Picture, x: f.LinkUp) -> Picture:
    return replace(p, node=x.node, version=x.version, boot=x.boot, linked=True)


def _link_down(p: Picture, x: f.LinkDown) -> Picture:
    return replace(p, linked=False, stale_since=x.at if p.stale_since is None else p.stale_since)


# --- told by the dialplan -----------------------------------------------------------------------


def _arrived(p: Picture, x: f.CallArrived) -> Picture:
    known = p.calls.get(x.call)
    told: dict[str, Any] = {
        "city": x.city,
        "line": x.line,
        "trunk": x.trunk,
        "caller": x.caller,
        "called": x.called,
        "original": x.original,
        "centre": x.centre,
        "case": x.case,
        "story": x.story,
        "callback_of": x.callback_of,
    }
    state = CallState.GREETED
    if x.direction == Direction.OUT:
        told |= {"direction": Direction.OUT, "seat": x.seat}
        state = CallState.DIALLING
    if known is not None:
        # a call rebuilt from a snapshot learns who called, also when it is over; a call that goes on to
        # a second line stays the call of its first
        return p if known.line or not x.line else put_call(p, replace(known, **told))
    call = Call(id=x.call, leg=x.leg, state=state, since=x.at, arrived=x.at, **told)
    if x.leg in p.gone:
        return over(p, call, x.at, LeftBy.UNKNOWN, 0)
    leg = p.legs.get(x.leg) or Leg(id=x.leg, channel="", call=None, endpoint="")
    return put_call(put_leg(p, replace(leg, call=x.call)), call)


def _said(p: Picture, x: Any, **changes: Any) -> Picture:
    call = open_call(p, x.call)
    return p if call is None else put_call(p, replace(call, **changes))


def _greeted(p: Picture, x: f.GreetingEnded) -> Picture:
    call = open_call(p, x.call)
    if call is None or call.greeted is not None:
        return p
    if call.outgoing:
        # the citizen answered: the notice that follows is ours
        return _said(p, x, greeted=x.at, answered=x.at, first_seat=call.seat)
    return _said(p, x, greeted=x.at)


def _advised(p: Picture, x: f.AdviceAsked) -> Picture:
    return _said(p, x, advice=x.next or x.status, advised_by=x.by)


def _chose(p: Picture, x: f.MenuChosen) -> Picture:
    told: dict[str, Any] = {"menu": x.menu, "menu_key": x.key} if x.key else {}
    if x.next.startswith("message:"):
        told["stage"] = Stage.MESSAGE
    return _said(p, x, **told) if told else p


def _message(p: Picture, x: f.MessageReached) -> Picture:
    return _said(p, x, stage=Stage.MESSAGE)


def _owed(p: Picture, x: f.CallBackOwed) -> Picture:
    return _said(p, x, owed=True)


def _recorded(p: Picture, x: f.RecordingStarted) -> Picture:
    call = open_call(p, x.call)
    return p if call is None or call.recording else _said(p, x, recording=x.file)


def _left(p: Picture, x: f.CallLeft) -> Picture:
    call = open_call(p, x.call)
    if call is None:
        return p
    by = LeftBy(x.by) if x.by in LeftBy.__members__.values() else LeftBy.UNKNOWN
    return over(p, call, x.at, by, x.cause)


# --- the queue ----------------------------------------------------------------------------------


def _queue_joined(p: Picture, x: f.QueueJoined) -> Picture:
    call = open_call(p, x.call)
    if call is None or (call.state in (CallState.WAITING, CallState.RINGING) and call.queue == x.queue):
        return p
    joined: dict[str, Any] = {
        "queue": x.queue, "joined": x.at, "seat": "", "silenced": None, "stage": Stage.UNKNOWN,
    }  # fmt: skip
    moved = moved_by(call, f.QueueJoined, x.at, visits=call.visits + 1, **joined)
    return p if moved is None else put_call(p, moved)


def _queue_gave_up(p: Picture, x: f.QueueGaveUp) -> Picture:
    call = open_call(p, x.call)
    if call is None or (call.queue and call.queue != x.queue):
        return p
    # whoever keyed something keeps the place, and has not come to what is behind the queue
    stage = Stage.WAITING if x.key else Stage.UNKNOWN
    moved = moved_by(call, f.QueueGaveUp, x.at, seat="", stage=stage)
    if moved is None:
        # or was refused at the door when they came back to it
        return _said(p, x, stage=stage) if call.stage is Stage.WAITING else p
    return replace(put_call(p, moved), ringing=without(p.ringing, call.id))


def _seat_rang(p: Picture, x: f.SeatRang) -> Picture:
    call = open_call(p, x.call)
    if call is None or x.leg in p.gone:
        return p
    moved = moved_by(call, f.SeatRang, x.at, seat=x.seat, queue=x.queue, silenced=None)
    if moved is None:
        return p
    ringing = with_(p.ringing, call.id, with_(p.ringing.get(call.id, {}), x.leg, x.seat))
    return put_call(replace(p, ringing=ringing), moved)


def _seat_declined(p: Picture, x: f.SeatDeclined) -> Picture:
    return rings_no_more(p, x.call, x.leg, x)


def _seat_answered(p: Picture, x: f.SeatAnswered) -> Picture:
    call = open_call(p, x.call)
    if call is None:
        return p
    moved = moved_by(call, f.SeatAnswered, x.at, seat=x.seat, queue=x.queue)
    if moved is None:
        return p
    if moved.visits == 0:
        moved = replace(moved, visits=1, joined=x.at - x.waited)
    return talking(p, moved, x.at)


def _seat_finished(p: Picture, x: f.SeatFinished) -> Picture:
    call = open_call(p, x.call)
    # after an attended transfer the first seat's end comes late: the caller talks to another by then
    if call is None or call.seat != x.seat:
        return p
    caller = p.legs.get(call.leg)
    if caller is not None and any(seat_of(call, caller, o) not in ("", x.seat) for o in peers(p, caller)):
        return p
    moved = moved_by(call, f.SeatFinished, x.at)
    return p if moved is None else put_call(p, moved)


_HANDLERS: Mapping[type[Fact], Callable[[Picture, Any], Picture]] = {
    f.LinkUp: _link_up,
    f.LinkDown: _link_down,
    f.LegStarted: leg_rows.leg_started,
    f.LegBelongs: leg_rows.leg_belongs,
    f.LegAnswered: leg_rows.leg_answered,
    f.LegRenamed: leg_rows.leg_renamed,
    f.LegHeld: leg_rows.leg_held,
    f.LegUnheld: leg_rows.leg_held,
    f.LegJoined: leg_rows.leg_joined,
    f.LegLeft: leg_rows.leg_left,
    f.LegEnded: leg_rows.leg_ended,
    f.BlindTransferred: leg_rows.blind,
    f.AttendedTransferred: leg_rows.attended,
    f.CallArrived: _arrived,
    f.GreetingEnded: _greeted,
    f.AdviceAsked: _advised,
    f.MenuChosen: _chose,
    f.MessageReached: _message,
    f.CallBackOwed: _owed,
    f.RecordingStarted: _recorded,
    f.CallLeft: _left,
    f.QueueJoined: _queue_joined,
    f.QueueGaveUp: _queue_gave_up,
    f.SeatRang: _seat_rang,
    f.SeatDeclined: _seat_declined,
    f.SeatAnswered: _seat_answered,
    f.SeatFinished: _seat_finished,
    f.Snapshot: truth.lay_over,
}
