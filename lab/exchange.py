"""The lab's telephone exchange: its Asterisk's events become lines of the phones' log, and orders go back."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from lab.behaviour import USUAL, Behaviour
from lab.conf import SENDS
from lab.leg import Kind, Leg, What
from lab.site import LabSite, carrier_for
from lab.wire import Event, Wire, WireDown, WireRefused

log = logging.getLogger("lab")
Line = dict[str, Any]


_NUMBER = re.compile(r"[0-9A-Za-z+*#._-]{0,40}")


class Unknown(Exception):
    """No such leg, phone or city; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A call to be made. ``phone`` is ``citizen`` or a seat's name; ``say`` is converted audio."""

    number: str
    caller: str = ""
    city: str = ""
    phone: str = "citizen"
    diversion: str = ""
    history: str = ""
    hear: bool = False
    say: Path | None = None
    say_when: str = "seat"
    """``seat``: when a seat has answered; ``answer``: as soon as the line is up."""
    ring_seconds: float = 120.0


@dataclass(slots=True)
class Exchange:
    """The phones of one lab. ``connect`` again after Asterisk restarted."""

    site: LabSite
    legs: dict[str, Leg] = field(default_factory=dict)
    registered: dict[str, bool] = field(default_factory=dict)
    house_there: bool = False
    watchers: list[Callable[[Line], None]] = field(default_factory=list)
    missed: set[str] = field(default_factory=set)
    """Seats' phones that let the last ring pass; the house may count it."""
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    """What single phones were told; all others do the usual."""
    _wire: Wire | None = None
    _log: TextIO | None = None
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _promised: dict[str, Order] = field(default_factory=dict)
    _unregistered: set[str] = field(default_factory=set)
    """Phones that somebody took off the network: they are not to come back by themselves."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    # --- the connection ------------------------------------------------------------------------

    async def connect(self) -> Wire:
        """Log in; legs of an Asterisk that died are lost. Raises WireDown."""
        if self._log is None:
            self._log = self.site.log.open("a", encoding="utf-8", buffering=1)
        wire = Wire(self._take)
        await wire.connect("127.0.0.1", self.site.ami, "lab", self.site.ami_secret)
        self._wire = wire
        alive = {row.get("Uniqueid", "") for row in await wire.ask_list("CoreShowChannels")}
        for leg in [leg for leg in self.legs.values() if leg.id not in alive]:
            leg.by = "lost"
            self._end(leg, time.time(), 0)
        for row in await wire.ask_list("PJSIPShowRegistrationsOutbound"):
            if row["Event"] == "OutboundRegistrationDetail":
                self.registered[row["ObjectName"]] = row["Status"] == "Registered"
        # "No Contacts found" is a refusal: right after its start Asterisk has none yet, an event tells
        with contextlib.suppress(WireRefused):
            for row in await wire.ask_list("PJSIPShowContacts"):
                if row.get("Aor") == "house":
                    self.house_there = row["Status"] == "Reachable"
        for kind in ("seat", "outside"):
            await self.behave(kind, USUAL)
        return wire

    async def close(self) -> None:
        """End the connection and the log."""
        for task in list(self._tasks):
            task.cancel()
        if self._wire is not None:
            await self._wire.close()
        if self._log is not None:
            self._log.close()
            self._log = None

    @property
    def wire(self) -> Wire:
        if self._wire is None or self._wire.gone.is_set():
            raise WireDown("the lab's Asterisk is not connected")
        return self._wire

    # --- orders ----------------------------------------------------------------------------------

    async def dial(self, order: Order) -> Leg:
        """Send an INVITE; the leg is known at once, what becomes of it is in the log."""
        for name, value in (
            ("number", order.number),
            ("caller", order.caller),
            ("diversion", order.diversion),
            ("history", order.history),
        ):
            if not _NUMBER.fullmatch(value):
                raise Unknown(f"{name} {value!r}: digits, + * # and letters are dialled, nothing else")
        citizen = order.phone == "citizen"
        if citizen:
            carrier = carrier_for(self.site.carriers, order.city)
            if carrier is None:
                known = ", ".join(sorted({c.city for c in self.site.carriers})) or "none"
                raise Unknown(f"no trunk into city {order.city!r} (cities: {known})")
            endpoint, city = carrier.endpoint, carrier.city
        else:
            seat = next((s for s in self.site.seats if s.name == order.phone), None)
            if seat is None:
                raise Unknown(f"no phone {order.phone!r}")
            endpoint, city = seat.name, seat.city
        leg = Leg(
            id=f"lab-{int(time.time() * 1000):x}.{next(self._numbers)}",
            phone=order.phone, kind="citizen" if citizen else "seat", city=city,
            caller=order.caller, called=order.number, began=time.time(), hear=order.hear,
        )  # fmt: skip
        self.legs[leg.id] = leg
        self._promised[leg.id] = order
        told = dict.fromkeys(SENDS, "") | {
            "phone": leg.phone,
            "kind": leg.kind,
            "city": city,
            "number": order.number,
            "caller": order.caller,
            "hear": "1" if order.hear else "0",
            "diversion": order.diversion,
            "history": order.history,
        }
        say = str(order.say.with_suffix("")) if order.say and order.say_when == "answer" else ""
        channel = f"PJSIP/{order.number}@{endpoint}"
        self._later(self._originate(leg, channel, ",".join(told[k] for k in SENDS), say, order.ring_seconds))
        return leg

    async def _originate(self, leg: Leg, channel: str, sends: str, say: str, ring_seconds: float) -> None:
        """One connection for each call: Originate runs PreDialGoSub only without Async (seen on 22.10), and
        without Async the connection is blocked until somebody answers."""
        wire = Wire(lambda _: None)
        headers: dict[str, str | int | float] = {"CallerID": leg.caller} if leg.caller else {}
        try:
            await wire.connect("127.0.0.1", self.site.ami, "lab", self.site.ami_secret, events="off")
            await wire.ask(
                "Originate",
                {"LAB_SAY": say},
                ring_seconds + 5,
                Channel=channel,
                ChannelId=leg.id,
                Context="caller",
                Exten="s",
                Priority=1,
                PreDialGoSub=f"sends,s,1({sends})",
                Timeout=int(ring_seconds * 1000),
                **headers,
            )
        except (WireDown, WireRefused) as why:
            log.info("%s -> %s: %s", leg.phone, leg.called, why)
            if not leg.channel and leg.ended is None:
                # refused before there was a channel (no transport, no memory): no Hangup will come
                self._end(leg, time.time(), 0)
        finally:
            await wire.close()

    async def say(self, leg: Leg, audio: Path) -> None:
        """Play converted audio into the call, instead of what plays now. The leg must be answered."""
        await self._set(leg, LAB_SAY=str(audio.with_suffix("")))
        await self._redirect(leg, "talk")

    async def press(self, leg: Leg, key: str, milliseconds: int = 120) -> None:
        """One key, sent as an RFC 4733 event of that length."""
        await self.wire.ask("PlayDTMF", Channel=leg.channel, Digit=key, Duration=milliseconds)

    async def pick_up(self, leg: Leg, say: Path | None = None, talk: float | None = None) -> None:
        """Answer a phone that rings, now."""
        told = {
            "LAB_SAY": str(say.with_suffix("")) if say else "",
            "LAB_FOR": "" if talk is None else f"{talk:g}",
        }
        await self._set(leg, **told)
        await self._redirect(leg, "picks-up")

    async def reject(self, leg: Leg, *, busy: bool = False) -> None:
        """Decline a phone that rings, now."""
        await self._redirect(leg, "busy" if busy else "rejects")

    async def hang_up(self, leg: Leg) -> None:
        """Put the handset down. A leg that has just ended is fine."""
        if not leg.channel and leg.ended is None:
            await asyncio.sleep(0)  # Originate is queued: the channel is announced in the next event
        try:
            await self.wire.ask("Hangup", Channel=leg.channel or leg.id, Cause=16)
        except WireRefused:
            if leg.ended is None and leg.id in self.legs:
                log.warning("leg %s could not be hung up", leg.id)

    async def behave(self, phone: str, behaviour: Behaviour | None) -> None:
        """From the next call on ``phone`` does this; None: what all phones of its kind do."""
        if behaviour is None:
            self.behaviours.pop(phone, None)
            try:
                await self.wire.ask("DBDel", Family="phone", Key=phone)
            except WireRefused:
                return  # it had no behaviour of its own
        else:
            self.behaviours[phone] = behaviour
            await self.wire.ask("DBPut", Family="phone", Key=phone, Val=behaviour.text())

    async def register(self, phone: str) -> None:
        """Bring a phone (back) to the network."""
        self._unregistered.discard(phone)
        await self.wire.ask("PJSIPRegister", Registration=phone)

    async def unregister(self, phone: str) -> None:
        """Take a phone off the network; the house is told (REGISTER with Expires 0)."""
        self._unregistered.add(phone)
        await self.wire.ask("PJSIPUnregister", Registration=phone)

    async def register_all(self) -> None:
        """Every phone that nobody took off the network registers anew."""
        for seat in self.site.seats:
            if seat.name not in self._unregistered:
                await self.wire.ask("PJSIPRegister", Registration=seat.name)

    def all_registered(self) -> bool:
        """Whether the house has confirmed every phone that should be on the network."""
        names = (seat.name for seat in self.site.seats)
        return all(self.registered.get(name, False) for name in names if name not in self._unregistered)

    async def _set(self, leg: Leg, **variables: str) -> None:
        for name, value in variables.items():
            await self.wire.ask("Setvar", Channel=leg.channel, Variable=name, Value=value)

    async def _redirect(self, leg: Leg, context: str) -> None:
        await self.wire.ask("Redirect", Channel=leg.channel, Context=context, Exten="s", Priority=1)

    def leg(self, id: str) -> Leg:
        try:
            return self.legs[id]
        except KeyError:
            raise Unknown(f"no leg {id!r}, or it has ended") from None

    # --- events ----------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
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
                more={"line": event["Line"], "original": event["Original"]},
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
                self._somebody_listens(leg)
        elif event["ChannelState"] == "5" and leg.id in self._promised:
            self._tell(leg, "ringing", at)

    def _dial_state(self, event: Event, at: float) -> None:
        leg = self.legs.get(event.get("DestUniqueid", ""))
        if leg is not None and event.get("DialStatus") == "PROGRESS":
            self._tell(leg, "progress", at)

    def _somebody_listens(self, seat: Leg) -> None:
        """The citizen whose call this seat answered starts to speak, once."""
        for id, order in self._promised.items():
            leg = self.legs.get(id)
            if leg and order.say and order.say_when == "seat" and leg.sip_call == seat.caller_sip_call:
                self._promised[id] = Order(number=order.number)
                self._later(self.say(leg, order.say))

    def _later(self, action: Any) -> None:
        async def run() -> None:
            try:
                await action
            except (WireDown, WireRefused) as why:
                log.info("a phone could not do it: %s", why)

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _key(self, event: Event, at: float) -> None:
        leg = self.legs.get(event["Uniqueid"])
        if leg is not None and event["Direction"] == "Received":
            self._tell(leg, "key", at, key=event["Digit"])

    def _pause(self, event: Event, at: float) -> None:
        if (leg := self.legs.get(event["Uniqueid"])) is not None:
            self._tell(leg, "pause", at)

    def _far_hangup(self, event: Event, at: float) -> None:
        if (leg := self.legs.get(event["Uniqueid"])) is not None and leg.by is None:
            leg.by = "far"

    def _own_hangup(self, event: Event, at: float) -> None:
        if (leg := self.legs.get(event["Uniqueid"])) is not None and leg.by is None:
            leg.by = "self"

    def _hangup(self, event: Event, at: float) -> None:
        if (leg := self.legs.get(event["Uniqueid"])) is not None:
            self._end(leg, at, int(event.get("Cause", "0")))

    def _registry(self, event: Event, at: float) -> None:
        name = event["Username"].removeprefix("sip:").partition("@")[0]
        there = event["Status"] == "Registered"
        if there != self.registered.get(name, False):
            self.registered[name] = there
            city = name.partition("-")[0]
            leg = Leg(id="", phone=name, kind="seat", city=city)
            self._tell(leg, "registered" if there else "unregistered", at)

    def _contact(self, event: Event, at: float) -> None:
        if event.get("AOR") != "house":
            return
        there = event["ContactStatus"] == "Reachable"
        if there and not self.house_there:
            self._later(self.register_all())
        self.house_there = there

    def _end(self, leg: Leg, at: float, cause: int) -> None:
        leg.ended, leg.cause, leg.by = at, cause, leg.by or "self"
        if leg.kind == "seat":
            # answered, or a code dialled: nothing is held against this phone
            (self.missed.discard if leg.answered is not None else self.missed.add)(leg.phone)
        self.legs.pop(leg.id, None)
        self._promised.pop(leg.id, None)
        self._tell(leg, "ended", at, by=leg.by, cause=cause, answered=leg.answered)

    def _tell(self, leg: Leg, what: What, at: float, **more: Any) -> None:
        self.note(leg.line(what, at, **more))

    def note(self, line: Line) -> None:
        """Write a line of the log, and tell who watches."""
        if self._log is not None:
            self._log.write(json.dumps(line, ensure_ascii=False) + "\n")
        for watcher in list(self.watchers):
            watcher(line)


_HANDLERS: dict[str, Callable[[Exchange, Event, float], None]] = {
    "UserEvent": Exchange._user_event,
    "Newchannel": Exchange._new_channel,
    "Newstate": Exchange._new_state,
    "DialState": Exchange._dial_state,
    "DTMFEnd": Exchange._key,
    "ChannelTalkingStop": Exchange._pause,
    "HangupRequest": Exchange._far_hangup,
    "SoftHangupRequest": Exchange._own_hangup,
    "Hangup": Exchange._hangup,
    "Registry": Exchange._registry,
    "ContactStatus": Exchange._contact,
}
