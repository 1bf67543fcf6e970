"""The live picture of calls: what Asterisk is doing now, as one value.

``calls.step.step(picture, fact)`` gives the next one. Facts may come twice, late, or not at all: a
missing row of ``LIFE`` means that fact changes nothing in that state, an ended call never changes again,
and a ``Snapshot`` puts right whatever was missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.model import Call, CallState, LeftBy, Leg, Stage
from calls.value import dataclass, field, replace
from plan.words import SEAT

KEPT_ENDED_SECONDS = 300.0
"""An ended call stays in the picture this long, so that its late facts find it ended."""
KEPT_ENDED = 512
LOOK_SECONDS = 10.0
"""How often the picture is looked through for calls to forget: that costs as much as twenty facts."""
KEPT_GONE = 1024

_D, _G, _W, _R, _T, _M, _E = (
    CallState.DIALLING,
    CallState.GREETED,
    CallState.WAITING,
    CallState.RINGING,
    CallState.TALKING,
    CallState.MOVING,
    CallState.ENDED,
)

LIFE: Mapping[tuple[CallState, type[Fact]], CallState] = {
    (_D, f.LegJoined): _T,  # the citizen answered
    (_G, f.QueueJoined): _W,
    (_G, f.SeatRang): _R,
    (_G, f.SeatAnswered): _T,
    (_G, f.LegJoined): _T,  # bridged by Dial, not by a queue
    (_W, f.SeatRang): _R,
    (_W, f.SeatAnswered): _T,
    (_W, f.LegJoined): _T,
    (_W, f.QueueJoined): _W,  # another queue
    (_W, f.QueueGaveUp): _G,  # back in the dialplan: message, other queue, apology
    (_R, f.SeatRang): _R,
    (_R, f.SeatDeclined): _W,  # the last phone that rang for this caller
    (_R, f.LegEnded): _W,  # the same, when app_queue says nothing of it
    (_R, f.SeatAnswered): _T,
    (_R, f.LegJoined): _T,
    (_R, f.QueueJoined): _W,
    (_R, f.QueueGaveUp): _G,
    (_T, f.QueueJoined): _W,
    (_T, f.SeatAnswered): _T,
    (_T, f.SeatFinished): _M,
    (_T, f.LegLeft): _M,  # nobody is left in the bridge with the caller
    (_T, f.BlindTransferred): _M,
    (_T, f.AttendedTransferred): _T,
    (_M, f.QueueJoined): _W,
    (_M, f.SeatRang): _R,
    (_M, f.SeatAnswered): _T,
    (_M, f.LegJoined): _T,
    (_M, f.AttendedTransferred): _T,
}
"""(state, fact about this call) -> next state. The caller's end is a row of every state: see ``over``."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Calls and legs as known after the last fact. Times are seconds since the epoch, UTC."""

    calls: Mapping[CallId, Call] = field(default_factory=dict)
    legs: Mapping[LegId, Leg] = field(default_factory=dict)
    ringing: Mapping[CallId, Mapping[LegId, str]] = field(default_factory=dict)
    """Which seats ring for a call now."""
    gone: Mapping[LegId, float] = field(default_factory=dict)
    """Legs that ended lately, so that no late fact brings them back."""
    callers: Mapping[LegId, CallId] = field(default_factory=dict, compare=False)
    """The callers' legs of the calls that have not ended."""
    node: str = ""
    version: str = ""
    boot: str = ""
    linked: bool = False
    stale_since: float | None = 0.0
    """Since when nobody tells us anything; None while a snapshot and the link stand behind the picture."""
    looked: float = field(default=0.0, compare=False)
    """When calls were forgotten last."""
    touched: frozenset[CallId] = field(default=frozenset(), compare=False)
    """The calls the last step changed."""

    def live(self) -> list[Call]:
        """The calls that have not ended, oldest first."""
        return sorted((c for c in self.calls.values() if c.state is not _E), key=lambda c: c.arrived)

    def call_of(self, fact: Fact) -> CallId | None:
        """The call a fact is about: said by the fact itself, or by the leg it names."""
        told: CallId | None = getattr(fact, "call", None)
        if told is not None:
            return told
        for name in ("leg", "original", "by"):
            leg = self.legs.get(getattr(fact, name, None) or LegId(""))
            if leg is not None and leg.call is not None:
                return leg.call
        return None


def caller_leg(call: CallId) -> LegId:
    """CALL_ID is ``<city>-<Uniqueid of the caller's leg>``."""
    return LegId(call.partition("-")[2])


def city_of(call: CallId) -> str:
    return call.partition("-")[0]


def absorb(picture: Picture, kept: CallId, lost: CallId, at: float) -> Picture:
    """Call ``lost`` was only a consultation for ``kept``: its legs are now ``kept``'s."""
    consult = picture.calls.get(lost)
    if consult is None or kept not in picture.calls or kept == lost:
        return picture
    legs = {k: replace(v, call=kept) if v.call == lost else v for k, v in picture.legs.items()}
    picture = replace(picture, legs=legs)
    if consult.consult_of == kept:
        return picture
    ended = replace(
        consult,
        consult_of=kept,
        state=_E,
        since=consult.since if consult.state is _E else at,
        ended=consult.ended if consult.ended is not None else at,
        left_by=consult.left_by or LeftBy.SYSTEM,
    )
    return put_call(picture, ended)


# --- small changes ----------------------------------------------------------------------------

K = TypeVar("K")
V = TypeVar("V")


def with_(mapping: Mapping[K, V], key: K, value: V) -> dict[K, V]:
    fresh = dict(mapping)
    fresh[key] = value
    return fresh


def without(mapping: Mapping[K, V], key: K) -> Mapping[K, V]:
    if key not in mapping:
        return mapping
    fresh = dict(mapping)
    del fresh[key]
    return fresh


def newest(mapping: Mapping[K, V], key: K, value: V, most: int) -> dict[K, V]:
    """With this one as the newest. When there are too many the oldest go, several at a time: a dict that lost
    its first entries is copied one by one, which takes five times as long."""
    fresh = dict(mapping)
    fresh.pop(key, None)
    fresh[key] = value
    return fresh if len(fresh) <= most + most // 4 else dict(list(fresh.items())[-most:])


def put_call(picture: Picture, call: Call) -> Picture:
    if picture.calls.get(call.id) == call:
        return picture
    callers = picture.callers
    if call.state is not _E:
        callers = callers if call.leg in callers else with_(callers, call.leg, call.id)
    elif callers.get(call.leg) == call.id:
        callers = without(callers, call.leg)
    calls = with_(picture.calls, call.id, call)
    return replace(picture, calls=calls, callers=callers, touched=picture.touched | {call.id})


def put_leg(picture: Picture, leg: Leg) -> Picture:
    if picture.legs.get(leg.id) == leg:
        return picture
    return replace(picture, legs=with_(picture.legs, leg.id, leg))


def open_call(picture: Picture, call: CallId | None) -> Call | None:
    known = picture.calls.get(call) if call is not None else None
    return None if known is None or known.state is _E else known


def call_of_caller(picture: Picture, leg: LegId) -> Call | None:
    """The open call whose caller's leg this is."""
    known = picture.legs.get(leg)
    call = open_call(picture, known.call if known is not None else None)
    if call is not None and call.leg == leg:
        return call
    # the leg may not have said yet whose it is, or a merge gave it another call
    return open_call(picture, picture.callers.get(leg))


def moved_by(call: Call, kind: type[Fact], at: float, **changes: Any) -> Call | None:
    """The call after a row of ``LIFE``; None when there is no such row."""
    state = LIFE.get((call.state, kind))
    if state is None:
        return None
    since = call.since if state is call.state else at
    return replace(call, state=state, since=since, **changes)


def over(picture: Picture, call: Call, at: float, by: LeftBy, cause: int) -> Picture:
    """Row of every state: the caller is gone, the call has ended."""
    stage = Stage.UNKNOWN if by is LeftBy.UNKNOWN else stage_of(call)
    ended = replace(call, state=_E, since=at, ended=at, left_by=by, cause=cause, stage=stage)
    picture = replace(picture, ringing=without(picture.ringing, call.id))
    return _forget_old(put_call(picture, ended), at)


_STAGES: Mapping[CallState, Stage] = {
    _W: Stage.WAITING,
    _R: Stage.RINGING,
    _T: Stage.TALKING,
    _M: Stage.MOVING,
}


def stage_of(call: Call) -> Stage:
    """How far an open call has come."""
    if call.state is _W and call.silenced is not None:
        return Stage.RINGING  # app_queue silences the phones before it tells that the caller has left
    if call.state is not _G:
        return _STAGES.get(call.state, Stage.UNKNOWN)
    if call.stage is Stage.WAITING and not call.owed:
        return Stage.WAITING  # what was keyed there led to no promise
    if call.visits or call.owed or call.stage is Stage.MESSAGE or call.advice.startswith("message:"):
        return Stage.MESSAGE
    return Stage.GREETING if call.greeted is None else Stage.MENU


def _forget_old(picture: Picture, at: float) -> Picture:
    if picture.looked <= at < picture.looked + LOOK_SECONDS and len(picture.calls) < 2 * KEPT_ENDED:
        return picture
    picture = replace(picture, looked=at)
    ended = [c for c in picture.calls.values() if c.state is _E and c.id not in picture.touched]
    ended.sort(key=lambda c: c.ended or 0.0)
    surplus = len(ended) - KEPT_ENDED
    drop = {
        c.id
        for n, c in enumerate(ended)
        if n < surplus
        or (at - (c.ended or 0.0) > KEPT_ENDED_SECONDS and open_call(picture, c.consult_of) is None)
    }
    if not drop:
        return picture
    return replace(picture, calls={k: v for k, v in picture.calls.items() if k not in drop})


def peers(picture: Picture, leg: Leg) -> list[Leg]:
    if not leg.bridge:
        return []
    return [x for x in picture.legs.values() if x.bridge == leg.bridge and x.id != leg.id]


def seat_of(call: Call, caller: Leg | None, peer: Leg) -> str:
    """The seat name of a leg; empty for a leg back out through the caller's own trunk."""
    prefix = call.city + "-"
    # whom a seat calls is behind a trunk
    if call.outgoing and not SEAT.fullmatch(peer.endpoint.removeprefix(prefix)):
        return ""
    if not peer.endpoint.startswith(prefix) or (caller is not None and peer.endpoint == caller.endpoint):
        return ""
    return peer.endpoint[len(prefix) :]


def true_call(p: Picture, call: CallId | None) -> CallId | None:
    """The call that a merged call became part of."""
    seen: set[CallId] = set()
    while call is not None and call not in seen:
        seen.add(call)
        known = p.calls.get(call)
        if known is None or known.consult_of is None:
            return call
        call = known.consult_of
    return call


def talking(p: Picture, call: Call, at: float) -> Picture:
    if call.seat and call.answered is None:
        call = replace(call, answered=at, first_seat=call.seat)
    return replace(put_call(p, call), ringing=without(p.ringing, call.id))


def rings_no_more(p: Picture, id: CallId, leg: LegId, x: Fact) -> Picture:
    left = without(p.ringing.get(id, {}), leg)
    p = replace(p, ringing=with_(p.ringing, id, left) if left else without(p.ringing, id))
    call = open_call(p, id)
    declined = isinstance(x, f.SeatDeclined)
    if call is not None and declined and call.silenced is not None:
        call = replace(call, silenced=None)
        p = put_call(p, call)
    if call is None or call.state is not _R:
        return p
    if left:
        return put_call(p, replace(call, seat=next(iter(left.values()))))
    moved = moved_by(call, type(x), x.at, seat="", silenced=None if declined else x.at)
    return p if moved is None else put_call(p, moved)
