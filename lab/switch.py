"""What the lab's Asterisk says, as legs and as lines of the phones' log."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from lab.leg import Kind, Leg, What
from lab.site import LabSite
from lab.wire import Event

log = logging.getLogger("lab")
Line = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A call to be made. ``phone`` is ``citizen`` or a seat's name; ``say`` is converted audio."""

    number: str
    caller: str = ""
    city: str = ""
    phone: str = "citizen"
    diversion: str = ""
    history: str = ""
    trunk: str = ""
    """Which of the city's trunks; empty: the first."""
    case: str = ""
    """The case number of a centre that hands a caller over."""
    handoff: str = ""
    """The house's own record of this caller, sent back by a centre that returns them."""
    hear: bool = False
    say: Path | None = None
    say_when: str = "seat"
    """``seat``: when a seat has answered; ``answer``: as soon as the line is up."""
    ring_seconds: float = 120.0


@dataclass(slots=True)
class Switch:
    """The phones of one lab, as its events tell. ``lab.exchange`` gives them orders."""

    site: LabSite
    legs: dict[str, Leg] = field(default_factory=dict)
    registered: dict[str, bool] = field(default_factory=dict)
    house_there: bool | None = None
    """None: Asterisk has not said."""
    watchers: list[Callable[[Line], None]] = field(default_factory=list)
    promised: dict[str, Order] = field(default_factory=dict)
    """What was ordered of the legs we dialled."""
    missed: set[str] = field(default_factory=set)
    """Seats' phones that let the last ring pass; the house may count it."""
    _log: TextIO | None = None

    def seat_answered(self, seat: Leg) -> None:
        """A seat's phone has answered a caller."""

    def house_came(self) -> None:
        """The house answers OPTIONS after it did not."""

    def lose(self) -> None:
        """Asterisk died, and every call with it."""
        for leg in list(self.legs.values()):
            leg.by = "lost"
            self._end(leg, time.time(), 0)
        self.registered.clear()

    def take(self, event: Event) -> None:
        handler = _HANDLERS.get(event.get("Event", ""))
        if handler is not None:
            try:
                handler(self, event, float(event.get("Timestamp") or time.time()))
            except (KeyError, ValueError):
                log.exception("an event of the lab's Asterisk was not understood: %s", event)

    def _user_event(self, event: Event, at: float) -> None:
        if event.get("UserEvent") != "Phone":
            return
        what, id = event["What"], event["Uniqueid"]
        if what == "rings":
            kind: Kind = "seat" if event["Kind"] == "seat" else "outside"
            name = event["Phone"]
            leg = self.legs[id] = Leg(
                id=id, phone=name, kind=kind, channel=event["Channel"], began=at,
                city=name.partition("-")[0] if kind == "seat" else "", sip_call=event["SipCall"],
                call=event["Call"], caller_sip_call=event["CallerSipCall"], caller=event["Caller"],
                called=event["Called"], hear=True,
                more={"line": event["Line"], "original": event["Original"], "handoff": event["Handoff"]},
            )  # fmt: skip
            self._tell(leg, "rings", at, does=event["Does"])
        elif what == "sent":
            leg = self.legs.setdefault(id, Leg(id=id, phone=event["Phone"], kind="citizen"))
            leg.channel, leg.sip_call, leg.began = event["Channel"], event["SipCall"], at
            leg.city = event.get("City") or leg.city
            leg.caller, leg.called = event["Caller"], event["Called"]
            if event.get("Diversion"):
                leg.more["diversion"] = event["Diversion"]
            self._tell(leg, "sent", at)
        elif what in ("held", "resumed"):
            if id in self.legs:
                self._tell(self.legs[id], "held" if what == "held" else "resumed", at)
        elif (known := self.legs.get(id)) is not None:
            self._tell(known, "says" if what == "says" else "said", at, audio=event["Audio"])

    def _new_channel(self, event: Event, at: float) -> None:
        if (leg := self.legs.get(event["Uniqueid"])) is not None:
            leg.channel = event["Channel"]

    def _new_state(self, event: Event, at: float) -> None:
        leg = self.legs.get(event["Uniqueid"])
        if leg is None:
            return
        if event["ChannelState"] == "6" and leg.answered is None:
            leg.answered = at
            self._tell(leg, "answered", at)
            if leg.kind == "seat" and leg.caller_sip_call:
                self.seat_answered(leg)
        elif event["ChannelState"] == "5" and leg.id in self.promised:
            self._tell(leg, "ringing", at)

    def _dial_state(self, event: Event, at: float) -> None:
        leg = self.legs.get(event.get("DestUniqueid", ""))
        if leg is not None and event.get("DialStatus") == "PROGRESS":
            self._tell(leg, "progress", at)

    def _key(self, event: Event, at: float) -> None:
        leg = self.legs.get(event["Uniqueid"])
        if leg is not None and event["Direction"] == "Received":
            self._tell(leg, "key", at, key=event["Digit"])

    def _pause(self, event: Event, at: float) -> None:
        if (leg := self.legs.get(event["Uniqueid"])) is not None:
            self._tell(leg, "pause", at)

    def _far_hangup(self, event: Event, at: float) -> None:
        if (leg := self.legs.get(event["Uniqueid"])) is not None and leg.by is None:
            # a call hung up while its INVITE is being made ends with a request of the channel driver's
            leg.by = "far" if leg.put_down is None or at < leg.put_down else "self"

    def _own_hangup(self, event: Event, at: float) -> None:
        if (leg := self.legs.get(event["Uniqueid"])) is not None and leg.by is None:
            leg.by = "self"

    def _hangup(self, event: Event, at: float) -> None:
        if (leg := self.legs.get(event["Uniqueid"])) is not None:
            self._end(leg, at, int(event.get("Cause", "0")))

    def _registry(self, event: Event, at: float) -> None:
        name = event["Username"].removeprefix("sip:").partition("@")[0]
        there = event["Status"] == "Registered"
        before = self.registered.get(name, False)
        self.registered[name] = there
        if there != before:
            city = name.partition("-")[0]
            leg = Leg(id="", phone=name, kind="seat", city=city)
            self._tell(leg, "registered" if there else "unregistered", at)

    def _contact(self, event: Event, at: float) -> None:
        if event.get("AOR") != "house":
            return
        there = event["ContactStatus"] == "Reachable"
        if there and not self.house_there:
            self.house_came()
        self.house_there = there

    def _end(self, leg: Leg, at: float, cause: int) -> None:
        leg.ended, leg.cause, leg.by = at, cause, leg.by or "self"
        if leg.kind == "seat":
            # answered, or a code dialled: nothing is held against this phone
            (self.missed.discard if leg.answered is not None else self.missed.add)(leg.phone)
        self.legs.pop(leg.id, None)
        self.promised.pop(leg.id, None)
        self._tell(leg, "ended", at, by=leg.by, cause=cause, answered=leg.answered)

    def _tell(self, leg: Leg, what: What, at: float, **more: Any) -> None:
        self.note(leg.line(what, at, **more))

    def note(self, line: Line) -> None:
        """Write a line of the log, and tell who watches."""
        if self._log is not None:
            self._log.write(json.dumps(line, ensure_ascii=False) + "\n")
        for watcher in list(self.watchers):
            watcher(line)


_HANDLERS: dict[str, Callable[[Switch, Event, float], None]] = {
    "UserEvent": Switch._user_event,
    "Newchannel": Switch._new_channel,
    "Newstate": Switch._new_state,
    "DialState": Switch._dial_state,
    "DTMFEnd": Switch._key,
    "ChannelTalkingStop": Switch._pause,
    "HangupRequest": Switch._far_hangup,
    "SoftHangupRequest": Switch._own_hangup,
    "Hangup": Switch._hangup,
    "Registry": Switch._registry,
    "ContactStatus": Switch._contact,
}
