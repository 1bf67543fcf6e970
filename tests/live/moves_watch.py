"""Where every caller stands, second by second, by the house's own events. The service is not asked.

The oracle of the random transfers: it shares no code with what it judges.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.wire import Event

TOLD = 400
"""Lines kept of one call's story."""
_OVER = ("refused", "taken-back", "back", "over", "queued")


@dataclass(slots=True)
class Leg:
    """One channel of the house."""

    id: str
    name: str
    bridge: str = ""
    call: str = ""
    up: bool = False

    @property
    def person(self) -> bool:
        return self.name.startswith("PJSIP/")

    @property
    def phone(self) -> str:
        """``moves-2001``, or the trunk a number outside is reached through."""
        return self.name.removeprefix("PJSIP/").rpartition("-")[0]


@dataclass(slots=True)
class Trace:
    """One caller. Moments are Asterisk's."""

    call: str
    story: list[str] = field(default_factory=list)
    with_: frozenset[str] = frozenset()
    """Phones in talk with the caller now."""
    last_with: frozenset[str] = frozenset()
    talked: bool = False
    queued: bool = False
    ended: float | None = None
    asked: str = ""
    """Kind of a transfer that is under way and unanswered."""
    handed: bool = False
    """The last transfer was a hand-over to a centre, and answered."""
    alone_since: float | None = None
    alone: float = 0.0
    """The longest time with nobody, in no queue, and no other phone of the call that somebody has lifted."""
    held_since: float | None = None
    held: float = 0.0
    """The longest time with nobody on the line while somebody held another phone of the call."""
    ended_asked: str = ""
    ended_handed: bool = False
    ended_with: frozenset[str] = frozenset()
    talks: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """Leg -> from, to: it heard somebody."""


class Watch:
    """``take`` gets every event of the house, in order."""

    def __init__(self, city: str) -> None:
        self._call = re.compile(rf"{city}-n\d+-\d+\.\d+")
        self.calls: dict[str, Trace] = {}
        self.by_sip: dict[str, str] = {}
        self.changed = asyncio.Event()
        self._legs: dict[str, Leg] = {}
        self._names: dict[str, str] = {}
        self._bridges: dict[str, set[str]] = {}
        self._of_call: dict[str, set[str]] = {}
        self._talks: dict[str, float] = {}

    async def until(self, true: Callable[[], bool], within: float) -> bool:
        """Wait for what events bring about; False: it did not come."""
        try:
            async with asyncio.timeout(within):
                while not true():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            return False
        return True

    def people(self, call: str) -> frozenset[str]:
        """Legs that hear the caller now."""
        return self._reach(call.partition("-")[2])

    # --- events ------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        at = float(event.get("Timestamp") or 0.0)
        kind = event.get("Event", "")
        touched: set[str] = set()
        id = event.get("Uniqueid", "")
        if kind == "Newchannel":
            self._legs[id] = Leg(id, event["Channel"])
            self._names[event["Channel"]] = id
        leg = self._legs.get(id)
        if leg is not None and self._call.fullmatch(event.get("AccountCode", "")):
            self._joins(leg, event["AccountCode"])
        if (
            kind == "NewAccountCode"
            and leg is not None
            and self._call.fullmatch(event.get("AccountCode", ""))
        ):
            self._joins(leg, event["AccountCode"])
        if kind == "UserEvent":
            self._said(event, at)
        elif kind in ("BridgeEnter", "BridgeLeave") and leg is not None:
            bridge = event["BridgeUniqueid"]
            members = self._bridges.setdefault(bridge, set())
            touched |= {self._legs[m].call for m in members if m in self._legs}
            if kind == "BridgeEnter":
                members.add(id)
                leg.bridge = bridge
            else:
                members.discard(id)
                if leg.bridge == bridge:
                    leg.bridge = ""
                if not members:
                    del self._bridges[bridge]
            touched |= {self._legs[m].call for m in members if m in self._legs}
            self._note(leg.call, at, f"{leg.name} {'in' if kind == 'BridgeEnter' else 'out of'} {bridge[:8]}")
        elif kind in ("QueueCallerJoin", "QueueCallerLeave") and leg is not None:
            trace = self.calls.get(leg.call)
            if trace is not None and id == leg.call.partition("-")[2]:
                trace.queued = kind == "QueueCallerJoin"
                self._note(leg.call, at, kind)
        elif kind == "Hangup" and leg is not None:
            self._note(leg.call, at, f"{leg.name} hangs up, cause {event.get('Cause')}")
            if leg.bridge:
                self._bridges.get(leg.bridge, set()).discard(id)
            if leg.call and id == leg.call.partition("-")[2]:
                self._ended(self.calls.get(leg.call), at)
            self._talk(leg, at, talks=False)
            del self._legs[id]
            self._names.pop(leg.name, None)
            self._of_call.get(leg.call, set()).discard(id)
        elif kind == "Rename" and leg is not None:
            self._names.pop(leg.name, None)
            leg.name = event["Newname"]
            self._names[leg.name] = id
        elif kind == "Newstate" and leg is not None and leg.person:
            leg.up = event.get("ChannelStateDesc") == "Up"
            self._note(leg.call, at, f"{leg.name} {event.get('ChannelStateDesc')}")
        if leg is not None:
            touched.add(leg.call)
        for call in touched - {""}:
            self._look(call, at)
        self.changed.set()

    def _joins(self, leg: Leg, call: str) -> None:
        if leg.call != call:
            self._of_call.get(leg.call, set()).discard(leg.id)
            leg.call = call
            self._of_call.setdefault(call, set()).add(leg.id)

    def _said(self, event: Event, at: float) -> None:
        if event.get("UserEvent") != "Hotline":
            return
        call, what = event.get("Call", ""), event.get("What", "")
        if what == "arrived":
            self.calls[call] = Trace(call)
            self.by_sip[event.get("SipCall", "")] = call
            leg = self._legs.get(call.partition("-")[2])
            if leg is not None:
                self._joins(leg, call)
        trace = self.calls.get(call)
        if trace is None:
            return
        if what == "transfer":
            step = event.get("Step", "")
            more = " ".join(event[name] for name in ("Kind", "To", "Status") if event.get(name))
            self._note(call, at, f"transfer {event.get('Id')} {step} {more}")
            if step == "asked":
                trace.asked, trace.handed = event.get("Kind", ""), False
            elif step == "answered":
                trace.handed, trace.asked = trace.asked == "handoff", ""
            elif step in _OVER:
                trace.asked, trace.handed = "", False
        elif what != "recording":
            self._note(call, at, what)

    def _note(self, call: str, at: float, text: str) -> None:
        trace = self.calls.get(call)
        if trace is not None and len(trace.story) < TOLD:
            trace.story.append(f"{at % 10000:9.3f} {text}")

    # --- where the caller stands ---------------------------------------------------------------------

    def _reach(self, id: str) -> frozenset[str]:
        """Persons in this one's bridge, and behind the Local channels there."""
        found: set[str] = set()
        seen: set[str] = {id}
        wave = [id]
        while wave:
            leg = self._legs.get(wave.pop())
            if leg is None:
                continue
            near = set(self._bridges.get(leg.bridge, ())) if leg.bridge else set()
            if leg.name.startswith("Local/"):
                near.add(self._names.get(leg.name[:-1] + ("2" if leg.name.endswith("1") else "1"), ""))
            for other in near - seen:
                seen.add(other)
                there = self._legs.get(other)
                if there is None or there.name.startswith("CBAnn"):
                    continue
                if there.person:
                    found.add(other)
                wave.append(other)
        return frozenset(found)

    def _look(self, call: str, at: float) -> None:
        trace = self.calls.get(call)
        if trace is None or trace.ended is not None:
            return
        caller = call.partition("-")[2]
        mine = [self._legs[i] for i in self._of_call.get(call, ()) if i in self._legs]
        for leg in mine:
            if leg.person:
                self._talk(leg, at, talks=bool(self._reach(leg.id)))
        people = self._reach(caller)
        trace.with_ = frozenset(self._legs[i].phone for i in people)
        if people:
            trace.talked = True
            trace.last_with = trace.with_
        # one that only rings is nobody yet
        others = any(leg.person and leg.up and leg.id != caller for leg in mine)
        held = trace.talked and not people and not trace.queued and others
        alone = trace.talked and not people and not trace.queued and not others
        if alone and trace.alone_since is None:
            trace.alone_since = at
        elif not alone and trace.alone_since is not None:
            trace.alone = max(trace.alone, at - trace.alone_since)
            trace.alone_since = None
        if held and trace.held_since is None:
            trace.held_since = at
        elif not held and trace.held_since is not None:
            trace.held = max(trace.held, at - trace.held_since)
            trace.held_since = None

    def _talk(self, leg: Leg, at: float, *, talks: bool) -> None:
        if talks:
            self._talks.setdefault(leg.id, at)
        elif (began := self._talks.pop(leg.id, None)) is not None and leg.call in self.calls:
            self.calls[leg.call].talks.setdefault(leg.id, []).append((began, at))

    def _ended(self, trace: Trace | None, at: float) -> None:
        if trace is None:
            return
        trace.ended = at
        trace.ended_asked, trace.ended_handed = trace.asked, trace.handed
        trace.ended_with = trace.last_with
        if trace.alone_since is not None:
            trace.alone = max(trace.alone, at - trace.alone_since)
        if trace.held_since is not None:
            trace.held = max(trace.held, at - trace.held_since)
