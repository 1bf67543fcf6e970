"""What supervisors do, told by the dialplan (asterisk_conf.desk) -> facts."""

from __future__ import annotations

from collections.abc import Callable

from calls.facts import AnnouncementSet, CallTakenOver, LegId, WatchBegan, WatchEnded
from cti.asterisk.ear import Ear, call_of
from cti.asterisk.wire.frames import value


def _watch(ear: Ear, said: str, at: float) -> None:
    call = call_of(value(said, "\r\nCall: "))
    leg, city = LegId(value(said, "\r\nLeg: ")), value(said, "\r\nCity: ")
    seat, by = value(said, "\r\nSeat: "), value(said, "\r\nBy: ")
    if call is None or not leg:
        return
    if value(said, "\r\nState: ") == "begun":
        how = value(said, "\r\nHow: ")
        ear.tell(WatchBegan(at=at, node=ear.node, call=call, city=city, seat=seat, by=by, how=how, leg=leg))
    else:
        ear.tell(WatchEnded(at=at, node=ear.node, call=call, city=city, seat=seat, by=by, leg=leg))


def _taken(ear: Ear, said: str, at: float) -> None:
    call = call_of(value(said, "\r\nCall: "))
    if call is not None:
        city, queue, by = call.partition("-")[0], value(said, "\r\nQueue: "), value(said, "\r\nBy: ")
        ear.tell(CallTakenOver(at=at, node=ear.node, call=call, city=city, queue=queue, by=by))


def _announced(ear: Ear, said: str, at: float) -> None:
    city, line = value(said, "\r\nCity: "), value(said, "\r\nLine: ")
    if city and line:
        sound, by = value(said, "\r\nSound: "), value(said, "\r\nBy: ")
        ear.tell(AnnouncementSet(at=at, node=ear.node, city=city, line=line, sound=sound, by=by))


TELLERS: dict[str, Callable[[Ear, str, float], None]] = {
    "watch": _watch,
    "taken": _taken,
    "announced": _announced,
}
