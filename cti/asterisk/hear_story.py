"""What only our dialplan knows: ``UserEvent(Hotline,What: …)`` -> facts of the call.

``What`` and ``Call`` come first in the event: a caller's number with a comma in it could add headers
behind, and the first one of a name counts.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from calls.facts import (
    AdviceAsked,
    AgentBound,
    AgentUnbound,
    CallArrived,
    CallBackOwed,
    CallerReturned,
    CallId,
    CallLeft,
    DutyPhoneAnswered,
    GreetingEnded,
    HandedToUs,
    LegId,
    MenuChosen,
    MenuListened,
    MessageReached,
    OutgoingRefused,
    QueueGaveUp,
    RecordingStarted,
    SeatActed,
    SeatMissed,
    TransferStepped,
)
from calls.record import call_back_of
from cti.asterisk import hear_desk, hear_recording
from cti.asterisk.ear import UNIQUEID, Ear, call_of, city_and
from cti.asterisk.stages import NAMES
from cti.asterisk.wire.frames import late, value
from plan.words import SEAT

_Teller = Callable[[Ear, str, CallId, LegId, float], None]
"""``said`` is the frame from UserEvent on, ``leg`` the channel that ran the dialplan."""


def _arrived(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    ear.belongs(leg, call, at)
    ear.tell(
        CallArrived(
            at=at,
            node=ear.node,
            call=call,
            leg=leg,
            city=value(said, "\r\nCity: "),
            trunk=value(said, "\r\nTrunk: "),
            line=value(said, "\r\nLine: "),
            called=value(said, "\r\nCalled: "),
            original=value(said, "\r\nOriginal: "),
            caller=value(said, "\r\nCaller: "),
            sip_call=value(said, "\r\nSipCall: "),
            merged=value(said, "\r\nMerged: "),
            how=value(said, "\r\nHow: "),
            centre=value(said, "\r\nCentre: "),
            case=value(said, "\r\nCase: "),
            story=story_of(value(said, "\r\nStory: ")),
            callback_of=value(said, "\r\nCallBackOf: "),
            direction=value(said, "\r\nDirection: "),
            seat=value(said, "\r\nSeat: "),
        )
    )


def story_of(encoded: str) -> str:
    """A centre's story as text: percent-encoded UTF-8, cut anywhere, by a machine that is not ours."""
    text = unquote(encoded.rsplit("%", 1)[0] if encoded[-2:].count("%") else encoded, errors="ignore")
    return "".join(char for char in text if char.isprintable() or char == "\n")


def _greeted(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    ear.tell(GreetingEnded(at=at, node=ear.node, call=call))


def _asked(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    status, after = value(said, "\r\nStatus: "), value(said, "\r\nNext: ")
    by = value(said, "\r\nBy: ")
    ear.tell(AdviceAsked(at=at, node=ear.node, call=call, status=status, next=after, by=by))


def _chose(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    menu, key, after = value(said, "\r\nMenu: "), value(said, "\r\nKey: "), value(said, "\r\nNext: ")
    by = value(said, "\r\nBy: ")
    words = spoken_of(value(said, "\r\nSaid: ")) if by == "voice" else ""
    ear.tell(MenuChosen(at=at, node=ear.node, call=call, menu=menu, key=key, next=after, by=by, said=words))


def _message(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    ear.tell(MessageReached(at=at, node=ear.node, call=call, message=value(said, "\r\nMessage: ")))


def _listened(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    ear.tell(
        MenuListened(
            at=at,
            node=ear.node,
            call=call,
            menu=value(said, "\r\nMenu: "),
            status=value(said, "\r\nStatus: "),
            round=_number(value(said, "\r\nRound: ")),
            said=spoken_of(value(said, "\r\nSaid: ")),
            sure=_number(value(said, "\r\nSure: ")),
        )
    )


def spoken_of(encoded: str) -> str:
    """A caller's words: percent-encoded UTF-8 that came from a recogniser, one line."""
    return "".join(char for char in unquote(encoded, errors="ignore") if char.isprintable())


def _queued_out(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    city, _ = city_and(call)
    ear.tell(
        QueueGaveUp(
            at=at,
            node=ear.node,
            call=call,
            city=city,
            queue=value(said, "\r\nQueue: ").removeprefix(f"{city}-"),
            status=value(said, "\r\nStatus: "),
            key=value(said, "\r\nKey: "),
        )
    )


def _owed(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    caller, line = value(said, "\r\nCaller: "), value(said, "\r\nLine: ")
    message = value(said, "\r\nMessage: ")
    ear.tell(CallBackOwed(at=at, node=ear.node, call=call, caller=caller, line=line, message=message))


def _left(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    cause = value(said, "\r\nCause: ")
    by = value(said, "\r\nBy: ")
    ear.tell(CallLeft(at=at, node=ear.node, call=call, by=by, cause=int(cause) if cause.isdigit() else 0))


def _recording(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    if value(said, "\r\nState: ") in ("started", ""):
        leg = LegId(value(said, "\r\nLeg: ")) or leg
        ear.tell(RecordingStarted(at=at, node=ear.node, call=call, leg=leg, file=value(said, "\r\nFile: ")))


def _missed(ear: Ear, text: str, call: CallId, leg: LegId, at: float) -> None:
    city, seat = value(text, "\r\nCity: "), value(text, "\r\nSeat: ")
    count, limit = _number(value(text, "\r\nCount: ")), _number(value(text, "\r\nOf: "))
    ear.tell(SeatMissed(at=at, node=ear.node, call=call, city=city, seat=seat, count=count, limit=limit))


def _returned(ear: Ear, text: str, call: CallId, leg: LegId, at: float) -> None:
    city, _ = city_and(call)
    _, seat = city_and(value(text, "\r\nMember: ").removeprefix("PJSIP/"))
    queue, cause = value(text, "\r\nQueue: "), _number(value(text, "\r\nCause: "))
    ear.tell(CallerReturned(at=at, node=ear.node, call=call, city=city, queue=queue, seat=seat, cause=cause))


def _transfer(ear: Ear, text: str, call: CallId, leg: LegId, at: float) -> None:
    told = {name.lower(): value(text, f"\r\n{name}: ") for name in ("Id", "Step", *NAMES)}
    if told["id"]:
        why = value(text, "\r\nCause: ")
        urgent = value(text, "\r\nUrgent: ") == "1"
        ear.tell(TransferStepped(at=at, node=ear.node, call=call, why=why, urgent=urgent, **told))


def _handed_to_us(ear: Ear, text: str, call: CallId, leg: LegId, at: float) -> None:
    told = {n.lower(): value(text, f"\r\n{n}: ") for n in ("Centre", "Case", "Trunk", "Caller", "Of")}
    story = story_of(value(text, "\r\nStory: "))
    ear.tell(HandedToUs(at=at, node=ear.node, call=call, story=story, **told))


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


def _out_refused(ear: Ear, text: str, at: float) -> None:
    """A seat wanted to call out and could not: no call came of it."""
    told = {
        n.lower(): value(text, f"\r\n{n}: ") for n in ("City", "Seat", "Agent", "Number", "Why", "Kind", "By")
    }
    if told["city"] and SEAT.fullmatch(told["seat"]):
        ear.tell(OutgoingRefused(at=at, node=ear.node, **told))


def _call_back(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    fact = call_back_of(value(said, "\r\nRecord: "), call, at, ear.node)
    if fact is not None:
        ear.tell(fact)


def _duty(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    ear.tell(DutyPhoneAnswered(at=at, node=ear.node, call=call, phone=value(said, "\r\nPhone: ")))


_TELLERS: dict[str, _Teller] = {
    "arrived": _arrived,
    "greeted": _greeted,
    "asked": _asked,
    "chose": _chose,
    "message": _message,
    "listened": _listened,
    "queued-out": _queued_out,
    "owed": _owed,
    "left": _left,
    "recording": _recording,
    "mask": hear_recording.mask_asked,
    "missed": _missed,
    "returned": _returned,
    "call-back": _call_back,
    "duty": _duty,
    "transfer": _transfer,
    "handed-to-us": _handed_to_us,
}


def _user_event(ear: Ear, text: str) -> None:
    start = text.find("\r\nUserEvent: Hotline\r\n")
    if start < 0:
        return
    said = text[start:]
    what = value(said, "\r\nWhat: ")
    if what == "seat":
        _seat(ear, said, ear.moment(text))
        return
    if what == "out-refused":
        _out_refused(ear, said, ear.moment(text))
        return
    if what in hear_desk.TELLERS:
        hear_desk.TELLERS[what](ear, said, ear.moment(text))
        return
    teller = _TELLERS.get(what)
    call = call_of(value(said, "\r\nCall: "))
    if teller is not None and call is not None:
        teller(ear, said, call, LegId(late(text, UNIQUEID, start)), ear.moment(text))


HANDLERS: dict[bytes, Callable[[Ear, str], None]] = {b"UserEvent": _user_event}
