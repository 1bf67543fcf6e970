"""What only our dialplan knows: ``UserEvent(Hotline,What: …)`` -> facts of the call.

``What`` and ``Call`` come first in the event: a caller's number with a comma in it could add headers
behind, and the first one of a name counts.
"""

from __future__ import annotations

from collections.abc import Callable

from calls.facts import (
    AdviceAsked,
    AgentBound,
    AgentUnbound,
    CallArrived,
    CallBackOwed,
    CallerReturned,
    CallId,
    CallLeft,
    GreetingEnded,
    LegId,
    MenuChosen,
    QueueGaveUp,
    RecordingStarted,
    SeatActed,
    SeatMissed,
)
from cti.asterisk.ear import UNIQUEID, Ear, call_of, city_and
from cti.asterisk.wire.frames import value
from plan.words import SEAT

_Teller = Callable[[Ear, str, float, CallId], None]


def _arrived(ear: Ear, text: str, at: float, call: CallId) -> None:
    leg = LegId(value(text, UNIQUEID))
    ear.belongs(leg, call, at)
    ear.tell(
        CallArrived(
            at=at,
            node=ear.node,
            call=call,
            leg=leg,
            city=value(text, "\r\nCity: "),
            trunk=value(text, "\r\nTrunk: "),
            line=value(text, "\r\nLine: "),
            called=value(text, "\r\nCalled: "),
            original=value(text, "\r\nOriginal: "),
            caller=value(text, "\r\nCaller: "),
            sip_call=value(text, "\r\nSipCall: "),
        )
    )


def _greeted(ear: Ear, text: str, at: float, call: CallId) -> None:
    ear.tell(GreetingEnded(at=at, node=ear.node, call=call))


def _asked(ear: Ear, text: str, at: float, call: CallId) -> None:
    status, after = value(text, "\r\nStatus: "), value(text, "\r\nNext: ")
    by = value(text, "\r\nBy: ")
    ear.tell(AdviceAsked(at=at, node=ear.node, call=call, status=status, next=after, by=by))


def _chose(ear: Ear, text: str, at: float, call: CallId) -> None:
    menu, key, after = value(text, "\r\nMenu: "), value(text, "\r\nKey: "), value(text, "\r\nNext: ")
    ear.tell(MenuChosen(at=at, node=ear.node, call=call, menu=menu, key=key, next=after))


def _queued_out(ear: Ear, text: str, at: float, call: CallId) -> None:
    city, _ = city_and(call)
    ear.tell(
        QueueGaveUp(
            at=at,
            node=ear.node,
            call=call,
            city=city,
            queue=value(text, "\r\nQueue: ").removeprefix(f"{city}-"),
            status=value(text, "\r\nStatus: "),
            key=value(text, "\r\nKey: "),
        )
    )


def _owed(ear: Ear, text: str, at: float, call: CallId) -> None:
    caller, line = value(text, "\r\nCaller: "), value(text, "\r\nLine: ")
    message = value(text, "\r\nMessage: ")
    ear.tell(CallBackOwed(at=at, node=ear.node, call=call, caller=caller, line=line, message=message))


def _left(ear: Ear, text: str, at: float, call: CallId) -> None:
    cause = value(text, "\r\nCause: ")
    by = value(text, "\r\nBy: ")
    ear.tell(CallLeft(at=at, node=ear.node, call=call, by=by, cause=int(cause) if cause.isdigit() else 0))


def _recording(ear: Ear, text: str, at: float, call: CallId) -> None:
    if value(text, "\r\nState: ") in ("started", ""):
        leg = LegId(value(text, "\r\nLeg: ") or value(text, UNIQUEID))
        ear.tell(RecordingStarted(at=at, node=ear.node, call=call, leg=leg, file=value(text, "\r\nFile: ")))


def _missed(ear: Ear, text: str, at: float, call: CallId) -> None:
    city, seat = value(text, "\r\nCity: "), value(text, "\r\nSeat: ")
    count, limit = _number(value(text, "\r\nCount: ")), _number(value(text, "\r\nOf: "))
    ear.tell(SeatMissed(at=at, node=ear.node, call=call, city=city, seat=seat, count=count, limit=limit))


def _returned(ear: Ear, text: str, at: float, call: CallId) -> None:
    city, _ = city_and(call)
    _, seat = city_and(value(text, "\r\nMember: ").removeprefix("PJSIP/"))
    queue, cause = value(text, "\r\nQueue: "), _number(value(text, "\r\nCause: "))
    ear.tell(CallerReturned(at=at, node=ear.node, call=call, city=city, queue=queue, seat=seat, cause=cause))


def _number(digits: str) -> int:
    return int(digits) if digits.isdigit() else 0


def _seat(ear: Ear, text: str, at: float) -> None:
    """What somebody did at a seat: it belongs to no call."""
    city, seat = value(text, "\r\nCity: "), value(text, "\r\nSeat: ")
    if not city or not SEAT.fullmatch(seat):
        return
    agent, did, why = value(text, "\r\nAgent: "), value(text, "\r\nDid: "), value(text, "\r\nWhy: ")
    ok = value(text, "\r\nOk: ") == "yes"
    reason, by = value(text, "\r\nReason: "), value(text, "\r\nBy: ")
    ear.tell(
        SeatActed(
            at=at,
            node=ear.node,
            city=city,
            seat=seat,
            agent=agent,
            did=did,
            reason=reason,
            by=by,
            ok=ok,
            why=why,
        )
    )
    if ok and did == "in":
        ear.tell(AgentBound(at=at, node=ear.node, city=city, seat=seat, agent=agent))
    elif ok and did == "out":
        ear.tell(AgentUnbound(at=at, node=ear.node, city=city, seat=seat, agent=agent, why=why))


_TELLERS: dict[str, _Teller] = {
    "arrived": _arrived,
    "greeted": _greeted,
    "asked": _asked,
    "chose": _chose,
    "queued-out": _queued_out,
    "owed": _owed,
    "left": _left,
    "recording": _recording,
    "missed": _missed,
    "returned": _returned,
}


def _user_event(ear: Ear, text: str, at: float) -> None:
    if value(text, "\r\nUserEvent: ") != "Hotline":
        return
    what = value(text, "\r\nWhat: ")
    if what == "seat":
        _seat(ear, text, at)
        return
    teller = _TELLERS.get(what)
    call = call_of(value(text, "\r\nCall: "))
    if teller is not None and call is not None:
        teller(ear, text, at, call)


HANDLERS: dict[bytes, Callable[[Ear, str, float], None]] = {b"UserEvent": _user_event}
