"""The lab's telephone exchange: orders to its Asterisk."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.behaviour import USUAL, Behaviour
from lab.conf import SENDS
from lab.leg import Leg
from lab.site import carrier_for
from lab.switch import Order, Switch
from lab.wire import Wire, WireDown, WireRefused

log = logging.getLogger("lab")

BETWEEN_KEYS = 0.1
"""Seconds between the end of a tone and the next, of somebody who knows the keys by heart."""
TONE_MS = 120

_NUMBER = re.compile(r"[0-9A-Za-z+*#._-]{0,40}")


class Unknown(Exception):
    """No such leg, phone or city; the text says which."""


@dataclass(slots=True)
class Exchange(Switch):
    """The phones of one lab, obeying. ``connect`` again after Asterisk restarted."""

    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    """What single phones were told; all others do the usual."""
    _wire: Wire | None = None
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _unregistered: set[str] = field(default_factory=set)
    """Phones that somebody took off the network: they are not to come back by themselves."""
    _disobeying: set[str] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    # --- the connection ------------------------------------------------------------------------

    async def connect(self) -> Wire:
        """Log in to an Asterisk that has just started. Raises WireDown, WireRefused."""
        if self._log is None:
            self._log = self.site.log.open("a", encoding="utf-8", buffering=1)
        wire = Wire(self.take)
        self.registered.clear()
        self.house_there = None
        await wire.connect("127.0.0.1", self.site.ami, "lab", self.site.ami_secret)
        self._wire = wire
        # an event heard while a list was made is newer than its row, or as old
        for row in await wire.ask_list("PJSIPShowRegistrationsOutbound"):
            if row["Event"] == "OutboundRegistrationDetail":
                self.registered.setdefault(row["ObjectName"], row["Status"] == "Registered")
        # "No Contacts found" is a refusal: right after its start Asterisk has none yet, an event tells
        with contextlib.suppress(WireRefused):
            for row in await wire.ask_list("PJSIPShowContacts"):
                if row.get("Aor") == "house" and self.house_there is None:
                    self.house_there = row["Status"] == "Reachable"
        for kind in ("seat", "outside"):
            await self.behave(kind, USUAL)
        for name in self._unregistered:
            await self.unregister(name)
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
            ("case", order.case),
            ("handoff", order.handoff),
        ):
            if not _NUMBER.fullmatch(value):
                raise Unknown(f"{name} {value!r}: digits, + * # and letters are dialled, nothing else")
        citizen = order.phone == "citizen"
        if citizen:
            carrier = carrier_for(self.site.carriers, order.city, order.trunk)
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
        self.promised[leg.id] = order
        told = dict.fromkeys(SENDS, "") | {
            "phone": leg.phone,
            "kind": leg.kind,
            "city": city,
            "number": order.number,
            "caller": order.caller,
            "hear": "1" if order.hear else "0",
            "diversion": order.diversion,
            "history": order.history,
            "case": order.case,
            "handoff": order.handoff,
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

    async def press(self, leg: Leg, keys: str, milliseconds: int = TONE_MS) -> None:
        """One key after the other, sent as RFC 4733 events of that length.

        A connection for each leg: PlayDTMF answers when the tone is over, and a connection does one thing at
        a time; phones that key at once would wait for each other. One for all keys: between two of a feature
        code Asterisk waits no longer than a second.
        """
        wire = Wire(lambda _: None)
        try:
            await wire.connect("127.0.0.1", self.site.ami, "lab", self.site.ami_secret, events="off")
            for n, key in enumerate(keys):
                if n:
                    await asyncio.sleep(BETWEEN_KEYS)
                self._tell(leg, "pressed", time.time(), key=key)
                await wire.ask("PlayDTMF", Channel=leg.channel, Digit=key, Duration=milliseconds)
        finally:
            await wire.close()

    async def hold(self, leg: Leg) -> None:
        """Put the other side on hold. The leg must be answered."""
        await self._redirect(leg, "holds")

    async def resume(self, leg: Leg) -> None:
        """Back from hold."""
        await self._redirect(leg, "resumes")

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
        leg.put_down = leg.put_down or time.time()
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

    async def register(self, phone: str, *, anew: bool = False) -> None:
        """Bring a phone (back) to the network; one that is there stays there, unless it is to come ``anew``.

        (PJSIPRegister unregisters first: a moment in which no call gets through.)
        """
        self._unregistered.discard(phone)
        if anew or not self.registered.get(phone, False):
            await self.wire.ask("PJSIPRegister", Registration=phone)

    async def unregister(self, phone: str) -> None:
        """Take a phone off the network; the house is told (REGISTER with Expires 0)."""
        self._unregistered.add(phone)
        await self.wire.ask("PJSIPUnregister", Registration=phone)

    async def reconcile(self) -> None:
        """Repeat what was ordered of phones that have not obeyed since the last time.

        Asterisk forgets an order given while an earlier REGISTER of the same phone is under way.
        """
        wrong = {
            seat.name
            for seat in self.site.seats
            if self.registered.get(seat.name, False) == (seat.name in self._unregistered)
        }
        for name in wrong & self._disobeying:
            if name in self._unregistered:
                await self.wire.ask("PJSIPUnregister", Registration=name)
            elif self.house_there:
                await self.wire.ask("PJSIPRegister", Registration=name)
        # one that was told again gets time again
        self._disobeying = wrong - self._disobeying

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

    def seat_answered(self, seat: Leg) -> None:
        """The citizen whose call this seat answered starts to speak, once."""
        for id, order in self.promised.items():
            leg = self.legs.get(id)
            if leg and order.say and order.say_when == "seat" and leg.sip_call == seat.caller_sip_call:
                self.promised[id] = Order(number=order.number)
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

    def house_came(self) -> None:
        """Registrations may have died with it: every phone registers anew."""
        self._later(self.register_all())
