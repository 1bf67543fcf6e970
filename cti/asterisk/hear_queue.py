"""app_queue's and the phones' events -> facts about callers waiting and seats.

Queues are ``<city>-<queue>``, members ``<city>-<seat>``; what has no city in front is not ours.
"""

from __future__ import annotations

from collections.abc import Callable

from calls.facts import (
    LegId,
    PhoneGone,
    PhoneReachable,
    QueueAbandoned,
    QueueJoined,
    QueueLeft,
    SeatAnswered,
    SeatDeclined,
    SeatDevice,
    SeatFinished,
    SeatPaused,
    SeatRang,
    SeatSignedIn,
    SeatSignedOut,
    SeatUnpaused,
)
from cti.asterisk.ear import UNIQUEID, Ear, city_and
from cti.asterisk.wire.frames import late, value
from plan.words import SEAT

_QUEUE = "\r\nQueue: "
_MEMBER = "\r\nMemberName: "
_DEST = "\r\nDestUniqueid: "


def _number(text: str, key: str) -> int:
    digits = late(text, key)
    return int(digits) if digits.isdigit() else 0


def _joined(ear: Ear, text: str) -> None:
    city, queue = city_and(late(text, _QUEUE))
    if not city:
        return
    leg = LegId(late(text, UNIQUEID))
    ear.tell(
        QueueJoined(
            at=ear.moment(text),
            node=ear.node,
            call=ear.call_in_queue(text, leg, city),
            leg=leg,
            city=city,
            queue=queue,
            position=_number(text, "\r\nPosition: "),
            waiting=_number(text, "\r\nCount: "),
        )
    )


def _left(ear: Ear, text: str) -> None:
    city, queue = city_and(late(text, _QUEUE))
    if not city:
        return
    leg = LegId(late(text, UNIQUEID))
    ear.tell(
        QueueLeft(
            at=ear.moment(text),
            node=ear.node,
            call=ear.call_in_queue(text, leg, city),
            leg=leg,
            city=city,
            queue=queue,
            waiting=_number(text, "\r\nCount: "),
        )
    )


def _abandoned(ear: Ear, text: str) -> None:
    """Asterisk 22 says this also when Queue()'s own timeout ends the visit (tape ``nobody_answers``):
    only a leg that is hanging up abandons; the other case is the dialplan's "queued-out".
    """
    city, queue = city_and(late(text, _QUEUE))
    leg = LegId(late(text, UNIQUEID))
    if not city or leg not in ear.hanging:
        return
    ear.tell(
        QueueAbandoned(
            at=ear.moment(text),
            node=ear.node,
            call=ear.call_in_queue(text, leg, city),
            leg=leg,
            city=city,
            queue=queue,
            position=_number(text, "\r\nPosition: "),
            waited=float(_number(text, "\r\nHoldTime: ")),
        )
    )


def _called(ear: Ear, text: str) -> None:
    city, queue = city_and(late(text, _QUEUE))
    if not city:
        return
    call = ear.call_in_queue(text, LegId(late(text, UNIQUEID)), city)
    leg = LegId(late(text, _DEST))
    if leg not in ear.calls:
        ear.belongs(leg, call, text)
    _, seat = city_and(late(text, _MEMBER))
    ear.tell(
        SeatRang(at=ear.moment(text), node=ear.node, call=call, city=city, queue=queue, seat=seat, leg=leg)
    )


def _declined(ear: Ear, text: str) -> None:
    city, queue = city_and(late(text, _QUEUE))
    if not city:
        return
    _, seat = city_and(late(text, _MEMBER))
    ear.tell(
        SeatDeclined(
            at=ear.moment(text),
            node=ear.node,
            call=ear.call_in_queue(text, LegId(late(text, UNIQUEID)), city),
            city=city,
            queue=queue,
            seat=seat,
            leg=LegId(late(text, _DEST)),
            # milliseconds here, whole seconds in AgentConnect
            rang=_number(text, "\r\nRingTime: ") / 1000,
        )
    )


def _answered(ear: Ear, text: str) -> None:
    city, queue = city_and(late(text, _QUEUE))
    if not city:
        return
    _, seat = city_and(late(text, _MEMBER))
    call, leg = ear.call_in_queue(text, LegId(late(text, UNIQUEID)), city), LegId(late(text, _DEST))
    if leg not in ear.calls:
        # a colleague picked up: that leg was never dialled for this call
        ear.belongs(leg, call, text)
    ear.connected[city + "-" + queue, seat] = call
    ear.tell(
        SeatAnswered(
            at=ear.moment(text),
            node=ear.node,
            call=call,
            city=city,
            queue=queue,
            seat=seat,
            leg=leg,
            waited=float(_number(text, "\r\nHoldTime: ")),
            rang=float(_number(text, "\r\nRingTime: ")),
        )
    )


def _finished(ear: Ear, text: str) -> None:
    """``Dest…`` is missing when the seat's leg is already gone (AMI Redirect of the caller), and all of the
    caller when that leg is gone (seen on a busy machine: 1 of 100 callers who hang up)."""
    city, queue = city_and(late(text, _QUEUE))
    if not city:
        return
    _, seat = city_and(late(text, _MEMBER))
    leg = LegId(late(text, UNIQUEID))
    known = ear.connected.pop((city + "-" + queue, seat), None)
    call = ear.call_in_queue(text, leg, city) if leg else known
    if call is None:
        return
    ear.tell(
        SeatFinished(
            at=ear.moment(text),
            node=ear.node,
            call=call,
            city=city,
            queue=queue,
            seat=seat,
            reason=late(text, "\r\nReason: "),
            waited=float(_number(text, "\r\nHoldTime: ")),
            talked=float(_number(text, "\r\nTalkTime: ")),
        )
    )


def _member_added(ear: Ear, text: str) -> None:
    city, queue = city_and(late(text, _QUEUE))
    _, seat = city_and(late(text, _MEMBER))
    if city:
        ear.tell(
            SeatSignedIn(
                at=ear.moment(text),
                node=ear.node,
                city=city,
                seat=seat,
                queue=queue,
                penalty=_number(text, "\r\nPenalty: "),
                paused=late(text, "\r\nPaused: ") == "1",
                reason=late(text, "\r\nPausedReason: "),
            )
        )


def _member_removed(ear: Ear, text: str) -> None:
    city, queue = city_and(late(text, _QUEUE))
    _, seat = city_and(late(text, _MEMBER))
    if city:
        ear.tell(SeatSignedOut(at=ear.moment(text), node=ear.node, city=city, seat=seat, queue=queue))


def _member_paused(ear: Ear, text: str) -> None:
    city, queue = city_and(late(text, _QUEUE))
    _, seat = city_and(late(text, _MEMBER))
    if not city:
        return
    if late(text, "\r\nPaused: ") == "1":
        reason = late(text, "\r\nPausedReason: ")
        ear.tell(
            SeatPaused(at=ear.moment(text), node=ear.node, city=city, seat=seat, queue=queue, reason=reason)
        )
    else:
        ear.tell(SeatUnpaused(at=ear.moment(text), node=ear.node, city=city, seat=seat, queue=queue))


def _seat_of(endpoint: str) -> tuple[str, str]:
    """A trunk is an endpoint too, and nobody's seat: a seat's name is its number."""
    city, seat = city_and(endpoint)
    return (city, seat) if SEAT.fullmatch(seat) else ("", "")


def _device(ear: Ear, text: str) -> None:
    """Phones only: queues, Local channels and hints have device states too."""
    device = value(text, "\r\nDevice: ")
    if device.startswith("PJSIP/"):
        city, seat = _seat_of(device[6:])
        if city:
            state = value(text, "\r\nState: ").lower()
            ear.tell(SeatDevice(at=ear.moment(text), node=ear.node, city=city, seat=seat, state=state))


_REACHABLE = frozenset({"Reachable", "NonQualified", "Created", "Updated"})
_GONE = frozenset({"Unreachable", "Removed"})


def _contact(ear: Ear, text: str) -> None:
    """NonQualified: registered, and nobody asked it OPTIONS yet (or ever, qualify_frequency = 0)."""
    city, seat = _seat_of(value(text, "\r\nEndpointName: ") or value(text, "\r\nAOR: "))
    if not city:
        return
    status, contact = value(text, "\r\nContactStatus: "), value(text, "\r\nURI: ")
    if status in _REACHABLE:
        ear.tell(PhoneReachable(at=ear.moment(text), node=ear.node, city=city, seat=seat, contact=contact))
    elif status in _GONE:
        ear.tell(PhoneGone(at=ear.moment(text), node=ear.node, city=city, seat=seat, contact=contact))


HANDLERS: dict[bytes, Callable[[Ear, str], None]] = {
    b"QueueCallerJoin": _joined,
    b"QueueCallerLeave": _left,
    b"QueueCallerAbandon": _abandoned,
    b"AgentCalled": _called,
    b"AgentRingNoAnswer": _declined,
    b"AgentConnect": _answered,
    b"AgentComplete": _finished,
    b"QueueMemberAdded": _member_added,
    b"QueueMemberRemoved": _member_removed,
    b"QueueMemberPause": _member_paused,
    b"DeviceStateChange": _device,
    b"ContactStatus": _contact,
}
