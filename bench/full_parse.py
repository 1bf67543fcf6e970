"""The baseline of ``ami_events``: every header of every event into a dict, then the same facts.

Written by hand the plain way, as most AMI programs are. It shares no parsing with ``cti.asterisk``; the
few questions about names (``city_and`` …) and the bookkeeping of calls are the same functions, so that
only the reading is compared. ``ami_events`` checks that both tell the very same facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from calls import facts as f
from calls.facts import CallId, LegId
from cti.asterisk.ear import Ear, call_of, city_and, elder, endpoint_of, number_of
from plan.words import SEAT

Row = Mapping[str, Any]
"""A dict of ours, or panoramisk's Message."""


def parse(frame: str) -> dict[str, str]:
    """All headers of one frame."""
    row: dict[str, str] = {}
    for line in frame.split("\r\n"):
        key, colon, rest = line.partition(": ")
        if colon:
            row[key] = rest
    return row


def _int(text: str) -> int:
    return int(text) if text.isdigit() else 0


class FullEar:
    """Rows in, facts out."""

    def __init__(self, ear: Ear) -> None:
        self.ear = ear
        self.tell = ear.tell
        self.handlers: dict[str, Callable[[Row, dict[str, Any]], None]] = {
            "Newchannel": self.new_channel,
            "Newstate": self.new_state,
            "NewAccountCode": lambda h, w: ear.belongs(h["Uniqueid"], call_of(h["AccountCode"]), w["at"]),
            "Rename": self.rename,
            "DialBegin": self.dial_begin,
            "LocalBridge": self.local_bridge,
            "Hold": lambda h, w: self.tell(f.LegHeld(leg=h["Uniqueid"], **w)),
            "Unhold": lambda h, w: self.tell(f.LegUnheld(leg=h["Uniqueid"], **w)),
            "DTMFEnd": self.dtmf,
            "BridgeEnter": self.bridge_enter,
            "BridgeLeave": lambda h, w: self.tell(
                f.LegLeft(leg=h["Uniqueid"], bridge=h["BridgeUniqueid"], **w)
            ),
            "HangupRequest": self.hangup_wanted,
            "SoftHangupRequest": self.hangup_wanted,
            "Hangup": self.hangup,
            "ConfbridgeJoin": lambda h, w: self.tell(
                f.ConferenceJoined(
                    leg=h["Uniqueid"], room=h["Conference"], marked=h.get("MarkedUser") == "Yes", **w
                )
            ),
            "ConfbridgeLeave": lambda h, w: self.tell(
                f.ConferenceLeft(leg=h["Uniqueid"], room=h["Conference"], **w)
            ),
            "BlindTransfer": self.blind,
            "AttendedTransfer": self.attended,
            "QueueCallerJoin": self.queue_joined,
            "QueueCallerLeave": self.queue_left,
            "QueueCallerAbandon": self.queue_abandoned,
            "AgentCalled": self.seat_rang,
            "AgentRingNoAnswer": self.seat_declined,
            "AgentConnect": self.seat_answered,
            "AgentComplete": self.seat_finished,
            "QueueMemberAdded": self.member_added,
            "QueueMemberRemoved": self.member_removed,
            "QueueMemberPause": self.member_paused,
            "DeviceStateChange": self.device,
            "ContactStatus": self.contact,
            "UserEvent": self.user_event,
        }

    def hear(self, row: Row) -> None:
        handler = self.handlers.get(row.get("Event", ""))
        if handler is not None:
            stamp = row.get("Timestamp", "")
            at = float(stamp) if stamp else self.ear.now()
            handler(row, {"at": at, "node": self.ear.node})

    def new_channel(self, h: Row, w: dict[str, Any]) -> None:
        leg = h["Uniqueid"]
        call = call_of(h["AccountCode"]) or self.ear.calls.get(h["Linkedid"])
        self.ear.channels[leg] = h["Channel"]
        if call is not None:
            self.ear.calls[leg] = call
        self.tell(
            f.LegStarted(
                leg=leg,
                channel=h["Channel"],
                call=call,
                endpoint=endpoint_of(h["Channel"]),
                caller=number_of(h["CallerIDNum"]),
                called=number_of(h["Exten"]),
                context=h["Context"],
                linked=h["Linkedid"],
                **w,
            )
        )

    def new_state(self, h: Row, w: dict[str, Any]) -> None:
        if h["ChannelState"] == "6":
            self.tell(f.LegAnswered(leg=h["Uniqueid"], **w))
        elif h["ChannelState"] == "5":
            self.tell(f.LegRang(leg=h["Uniqueid"], **w))

    def rename(self, h: Row, w: dict[str, Any]) -> None:
        leg, channel = h["Uniqueid"], h["Newname"]
        self.ear.channels[leg] = channel
        self.tell(f.LegRenamed(leg=leg, channel=channel, **w))
        for other, name in self.ear.channels.items():
            if name == channel + "<MASQ>":
                self.ear.belongs(leg, self.ear.calls.get(other), w["at"])
                break

    def dial_begin(self, h: Row, w: dict[str, Any]) -> None:
        if h["DestUniqueid"] not in self.ear.calls:
            self.ear.belongs(h["DestUniqueid"], self.ear.calls.get(h.get("Uniqueid", "")), w["at"])

    def local_bridge(self, h: Row, w: dict[str, Any]) -> None:
        halves = (h["LocalOneUniqueid"], h["LocalTwoUniqueid"])
        call = self.ear.calls.get(halves[0]) or self.ear.calls.get(halves[1])
        for half in halves:
            if half not in self.ear.calls:
                self.ear.belongs(half, call, w["at"])

    def dtmf(self, h: Row, w: dict[str, Any]) -> None:
        if h["Direction"] == "Received":
            self.tell(f.KeyPressed(leg=h["Uniqueid"], key=h["Digit"], **w))

    def bridge_enter(self, h: Row, w: dict[str, Any]) -> None:
        leg = h["Uniqueid"]
        if leg not in self.ear.calls:
            self.ear.belongs(leg, self.ear.calls.get(h["Linkedid"]), w["at"])
        if h["BridgeTechnology"] == "holding_bridge":
            kind = "holding"
        elif h["BridgeType"] == "basic":
            kind = "basic"
        else:
            kind = "conference" if h["BridgeTechnology"] == "softmix" else "other"
        self.tell(f.LegJoined(leg=leg, bridge=h["BridgeUniqueid"], kind=kind, **w))

    def hangup_wanted(self, h: Row, w: dict[str, Any]) -> None:
        if h["Uniqueid"] in self.ear.channels:
            self.ear.hanging.add(h["Uniqueid"])

    def hangup(self, h: Row, w: dict[str, Any]) -> None:
        leg = h["Uniqueid"]
        self.ear.channels.pop(leg, None)
        self.ear.calls.pop(leg, None)
        self.ear.hanging.discard(leg)
        self.tell(f.LegEnded(leg=leg, cause=_int(h["Cause"]), **w))

    def blind(self, h: Row, w: dict[str, Any]) -> None:
        to = h["Context"] + "/" + h["Extension"]
        leg = h.get("TransfereeUniqueid") or None
        ok = h["Result"] == "Success"
        self.tell(f.BlindTransferred(by=h["TransfererUniqueid"], leg=leg, to=to, ok=ok, **w))

    def attended(self, h: Row, w: dict[str, Any]) -> None:
        both = (h.get("TransfereeUniqueid", ""), h.get("TransferTargetUniqueid", ""))
        joined = tuple(leg for leg in both if leg)
        self.tell(
            f.AttendedTransferred(
                original=h["OrigTransfererUniqueid"],
                consult=h["SecondTransfererUniqueid"],
                joined=joined,
                ok=h["Result"] == "Success",
                **w,
            )
        )
        known = [self.ear.calls[leg] for leg in joined if leg in self.ear.calls]
        if h["Result"] == "Success" and known:
            for leg in joined:
                self.ear.belongs(leg, elder(known), w["at"])

    # --- the queue --------------------------------------------------------------------------

    def place(self, h: Row, w: dict[str, Any]) -> dict[str, Any] | None:
        city, queue = city_and(h["Queue"])
        if not city:
            return None
        leg = LegId(h["Uniqueid"])
        call = self.ear.calls.get(leg) or call_of(h["AccountCode"]) or CallId(f"{city}-{leg}")
        return {"call": call, "city": city, "queue": queue, **w}

    def queue_joined(self, h: Row, w: dict[str, Any]) -> None:
        if p := self.place(h, w):
            position, waiting = _int(h["Position"]), _int(h["Count"])
            self.tell(f.QueueJoined(leg=h["Uniqueid"], position=position, waiting=waiting, **p))

    def queue_left(self, h: Row, w: dict[str, Any]) -> None:
        if p := self.place(h, w):
            self.tell(f.QueueLeft(leg=h["Uniqueid"], waiting=_int(h["Count"]), **p))

    def queue_abandoned(self, h: Row, w: dict[str, Any]) -> None:
        if h["Uniqueid"] in self.ear.hanging and (p := self.place(h, w)):
            waited = float(_int(h["HoldTime"]))
            self.tell(f.QueueAbandoned(leg=h["Uniqueid"], position=_int(h["Position"]), waited=waited, **p))

    def seat(self, h: Row) -> str:
        return city_and(h["MemberName"])[1]

    def seat_rang(self, h: Row, w: dict[str, Any]) -> None:
        if p := self.place(h, w):
            if h["DestUniqueid"] not in self.ear.calls:
                self.ear.belongs(h["DestUniqueid"], p["call"], w["at"])
            self.tell(f.SeatRang(seat=self.seat(h), leg=h["DestUniqueid"], **p))

    def seat_declined(self, h: Row, w: dict[str, Any]) -> None:
        if p := self.place(h, w):
            rang = _int(h["RingTime"]) / 1000
            self.tell(f.SeatDeclined(seat=self.seat(h), leg=h["DestUniqueid"], rang=rang, **p))

    def seat_answered(self, h: Row, w: dict[str, Any]) -> None:
        if p := self.place(h, w):
            waited, rang = float(_int(h["HoldTime"])), float(_int(h["RingTime"]))
            if h["DestUniqueid"] not in self.ear.calls:
                self.ear.belongs(h["DestUniqueid"], p["call"], w["at"])
            self.tell(f.SeatAnswered(seat=self.seat(h), leg=h["DestUniqueid"], waited=waited, rang=rang, **p))

    def seat_finished(self, h: Row, w: dict[str, Any]) -> None:
        if p := self.place(h, w):
            waited, talked = float(_int(h["HoldTime"])), float(_int(h["TalkTime"]))
            self.tell(
                f.SeatFinished(seat=self.seat(h), reason=h["Reason"], waited=waited, talked=talked, **p)
            )

    # --- seats ------------------------------------------------------------------------------

    def member(self, h: Row, w: dict[str, Any]) -> dict[str, Any] | None:
        city, queue = city_and(h["Queue"])
        return {"city": city, "queue": queue, "seat": self.seat(h), **w} if city else None

    def member_added(self, h: Row, w: dict[str, Any]) -> None:
        if m := self.member(h, w):
            penalty, paused = _int(h["Penalty"]), h["Paused"] == "1"
            self.tell(f.SeatSignedIn(penalty=penalty, paused=paused, reason=h["PausedReason"], **m))

    def member_removed(self, h: Row, w: dict[str, Any]) -> None:
        if m := self.member(h, w):
            self.tell(f.SeatSignedOut(**m))

    def member_paused(self, h: Row, w: dict[str, Any]) -> None:
        if m := self.member(h, w):
            if h["Paused"] == "1":
                self.tell(f.SeatPaused(reason=h["PausedReason"], **m))
            else:
                self.tell(f.SeatUnpaused(**m))

    def device(self, h: Row, w: dict[str, Any]) -> None:
        if h["Device"].startswith("PJSIP/"):
            city, seat = city_and(h["Device"][6:])
            if SEAT.fullmatch(seat):
                self.tell(f.SeatDevice(city=city, seat=seat, state=h["State"].lower(), **w))

    def contact(self, h: Row, w: dict[str, Any]) -> None:
        city, seat = city_and(h["EndpointName"] or h["AOR"])
        if not SEAT.fullmatch(seat):
            return
        if h["ContactStatus"] in ("Reachable", "NonQualified", "Created", "Updated"):
            self.tell(f.PhoneReachable(city=city, seat=seat, contact=h["URI"], **w))
        elif h["ContactStatus"] in ("Unreachable", "Removed"):
            self.tell(f.PhoneGone(city=city, seat=seat, contact=h["URI"], **w))

    # --- our dialplan -----------------------------------------------------------------------

    def user_event(self, h: Row, w: dict[str, Any]) -> None:
        call = call_of(h.get("Call", ""))
        if h["UserEvent"] != "Hotline" or call is None:
            return
        w = {"call": call, **w}
        match h["What"]:
            case "arrived":
                self.ear.belongs(h["Uniqueid"], call, w["at"])
                self.tell(
                    f.CallArrived(
                        leg=h["Uniqueid"],
                        city=h["City"],
                        trunk=h["Trunk"],
                        line=h["Line"],
                        called=h["Called"],
                        original=h["Original"],
                        caller=h["Caller"],
                        sip_call=h["SipCall"],
                        **w,
                    )
                )
            case "greeted":
                self.tell(f.GreetingEnded(**w))
            case "asked":
                self.tell(f.AdviceAsked(status=h["Status"], next=h["Next"], by=h["By"], **w))
            case "chose":
                self.tell(f.MenuChosen(menu=h["Menu"], key=h["Key"], next=h["Next"], **w))
            case "queued-out":
                city = city_and(call)[0]
                queue = h["Queue"].removeprefix(f"{city}-")
                key = h.get("Key", "")
                self.tell(f.QueueGaveUp(city=city, queue=queue, status=h["Status"], key=key, **w))
            case "owed":
                message = h.get("Message", "")
                self.tell(f.CallBackOwed(caller=h["Caller"], line=h["Line"], message=message, **w))
            case "left":
                self.tell(f.CallLeft(by=h["By"], cause=_int(h["Cause"]), **w))
            case "recording":
                self.tell(f.RecordingStarted(leg=h["Leg"], file=h["File"], **w))
