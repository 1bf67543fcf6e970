"""The desk's orders, laid over what is going on: which call, which leg, may this be done now.

The web asks by names (a call, a seat, a line); Asterisk wants legs. What the board cannot know (a phone that
does not answer, a caller who leaves in this very second) Asterisk says, and it becomes the same Refused.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Container, Mapping
from typing import Literal

from calls.facts import CallId, LegId
from calls.model import Call, CallState, Seat, SeatState
from calls.orders import (
    Announce,
    CallOut,
    EndWrapUp,
    Free,
    HangUp,
    How,
    MoveToFront,
    MoveToQueue,
    Order,
    Pause,
    SetQueues,
    SignIn,
    SignOut,
    TakeOver,
    Unpause,
    Watch,
)
from calls.picture import peers, seat_of
from cti.errors import Refused
from cti.switchboard import Board
from cti.web.answers import Answered
from cti.web.orders import By, NoSuch
from cti.web.who import Role, Who
from plan.model import Plan
from plan.outgoing import judge, plain
from plan.words import did_you_mean
from queues.duties import DutyKind
from transfer.handoff import Now, stands
from transfer.table import State

Sounds = Callable[[Plan, str], str | None]
"""The sound that a prompt of a plan plays as; None: there is none."""
REVEAL = "supervisor"
"""The least role that may ask for a whole number where the plan has no outgoing.toml."""
PASSED_ON = "来电人正在转接 the caller is just being passed on: wait until somebody has them"
ASKED = (
    "来电人不属于该座席 the caller is not this seat's, which was asked only: order it for whoever has them"
)
UNDER_WAY = (State.ASKING, State.CONSULTING, State.RINGING, State.TOGETHER, State.SENT, State.ALONE)
"""A colleague or a centre is part of it: who leaves now leaves the caller to them, or to the queue's head."""
HELD = (State.ASKING, State.CONSULTING, State.RINGING, State.TOGETHER)
"""The caller's leg waits, or is on its way to a room: it can be led away."""
LOOK, LOOKS = 0.05, 10
"""Seconds between two looks, and how many: app_queue tells of a ring milliseconds after it chose a seat."""
WAITING = (CallState.WAITING, CallState.RINGING)
VANISHED = 41
"""The Q.850 cause of a phone that did not hang up (asterisk_conf.seat_leg.GONE): no ring was missed by it."""


class Desk:
    """Implements ``cti.web.orders.Desk``."""

    def __init__(
        self,
        board: Callable[[], Board],
        plans: Callable[[], Mapping[str, Plan]],
        do: Callable[[Order], Awaitable[str]],
        sound: Sounds,
        past: Callable[[str], Awaitable[Call | None]],
    ) -> None:
        """``past``: a call, live or from history."""
        self._board, self._plans, self._do, self._sound = board, plans, do, sound
        self._past = past

    # --- names ----------------------------------------------------------------------------------------

    def city(self, told: str, who: Who) -> str:
        plans = self._plans()
        city = told or who.city or (next(iter(plans)) if len(plans) == 1 else "")
        if city not in plans:
            here = ", ".join(sorted(plans))
            raise NoSuch(f"no city {city!r}; there are {here}" if city else f"tell 'city': {here}", "city")
        return city

    def city_of_call(self, call: str) -> str:
        return self._call(call).city

    def seat_of(self, city: str, agent: str) -> str:
        seats = self._board().seats.seats.values()
        return next((s.name for s in seats if s.city == city and agent and s.agent == agent), "")

    def _call(self, id: str) -> Call:
        calls = self._board().picture.calls
        found = calls.get(CallId(id))
        if found is None:
            raise NoSuch(f"no call {id!r} is going on; GET /api/calls tells which are", "call")
        if found.state is CallState.ENDED:
            raise Refused(f"通话已结束 the call is over: {id}")
        return found

    def _seat(self, city: str, name: str, field: str = "seat") -> Seat:
        found = self._board().seats.seats.get((city, name))
        if found is None:
            raise NoSuch(f"{city} has no seat {name!r}; GET /api/seats tells which there are", field)
        return found

    # --- seats ----------------------------------------------------------------------------------------

    async def sign_in(self, city: str, seat: str, agent: str, by: By) -> None:
        self._seat(city, seat)
        await self._do(SignIn(city=city, seat=seat, agent=agent, by=by.word))

    async def sign_out(self, city: str, seat: str, by: By) -> None:
        self._seat(city, seat)
        await self._do(SignOut(city=city, seat=seat, by=by.word))

    async def pause(self, city: str, seat: str, reason: str, by: By) -> None:
        self._seat(city, seat)
        reasons = {*self._plans()[city].pause_reasons, "forced"}
        if reason not in reasons:
            hint = did_you_mean(reason, reasons)
            raise NoSuch(f"no reason {reason!r}: {hint or ', '.join(sorted(reasons))}", "reason")
        await self._do(Pause(city=city, seat=seat, reason=reason, by=by.word))

    async def ready(self, city: str, seat: str, by: By) -> None:
        self._seat(city, seat)
        await self._do(Unpause(city=city, seat=seat, by=by.word))

    async def end_wrap_up(self, city: str, seat: str, by: By) -> None:
        self._seat(city, seat)
        await self._do(EndWrapUp(city=city, seat=seat, by=by.word))

    async def set_queues(self, city: str, seat: str, queues: Mapping[str, int], by: By) -> None:
        self._seat(city, seat)
        known = self._plans()[city].queues
        for queue in queues:
            self._queue(city, queue, known)
        await self._do(SetQueues(city=city, seat=seat, queues=tuple(sorted(queues.items())), by=by.word))
        await self._rings_no_more(city, seat, queues, answered=False)

    async def force_out(
        self, city: str, seat: str, caller: Literal["queue", "end"], sign_out: bool, by: By
    ) -> None:
        there = self._seat(city, seat)
        if caller == "end" and (why := self._why_not_end(there)):
            raise Refused(why)
        # first no more calls, then the caller: else the next call would ring here in between
        if there.state is not SeatState.AWAY:
            out = SignOut(city=city, seat=seat, by=by.word)
            await self._do(out if sign_out else Pause(city=city, seat=seat, reason="forced", by=by.word))
        call = self._call_at(city, seat)
        why = self._why_not_end(self._seat(city, seat)) if caller == "end" else ""
        if call is not None and not await self._frees(call, seat, caller):
            await self._hangs_up_at(call, seat)
            if why:
                # passed on since it was looked for first
                raise Refused(_out_but(seat, why))
        elif call is None and there.state is SeatState.AWAY:
            raise Refused(f"座席 {seat} 无人签入也无通话 nobody is signed in at {seat}, and it has no call")
        # a ring that began meanwhile, or was about to, is one too
        await self._rings_no_more(city, seat, (), answered=True)

    async def _frees(self, call: Call, seat: str, caller: Literal["queue", "end"]) -> bool:
        """The caller of this seat is taken out of their talk; False: they are not this seat's alone, and go
        on as the transfer table says when one of its parties leaves. Raises Refused, NotNow."""
        if call.outgoing and call.state is CallState.TALKING and call.seat == seat:
            # a citizen whom the seat called waits in no queue
            await self._do(HangUp(leg=call.leg))
            return True
        now = stands(self._board().moves, call.id, call)
        if now is None or call.state in WAITING or not _theirs(call, now, seat):
            return False
        if caller == "queue" and now.state in UNDER_WAY:
            return False
        try:
            await self._do(Free(city=call.city, seat=seat, leg=call.leg, to=caller))
        except Refused as why:
            if (after := self._call_at(call.city, seat)) is not None:
                # passed on in this very moment
                await self._hangs_up_at(after, seat)
            if caller == "end":
                raise Refused(_out_but(seat, str(why))) from None
            if after is None:
                raise
        return True

    def _why_not_end(self, seat: Seat) -> str:
        """Why the caller cannot be ended with this seat's talk; "": they can, or it has no caller to end."""
        call = self._call_at(seat.city, seat.name)
        if call is None or call.outgoing or seat.state is SeatState.RINGING:
            return ""
        now = stands(self._board().moves, call.id, call)
        if now is not None and not _theirs(call, now, seat.name):
            return ASKED
        led = call.state is CallState.TALKING or (now is not None and now.state in HELD)
        return "" if led or (now is None and call.seat != seat.name) else PASSED_ON

    def _call_at(self, city: str, seat: str) -> Call | None:
        found = self._seat(city, seat).call
        return None if found is None else self._board().picture.calls.get(found)

    async def _hangs_up_at(self, call: Call, seat: str) -> None:
        """Every leg of this seat in this call. Raises NotNow."""
        picture = self._board().picture
        rings = picture.calls.get(call.id, call).state in WAITING
        for leg in (x for x in picture.legs.values() if x.call == call.id):
            if leg.endpoint != f"{call.city}-{seat}":
                continue
            # who answered in this very moment, or is just announced, is a phone that vanished: the caller
            # comes first again
            talks = leg.up and not rings
            await self._is_gone(HangUp(leg=leg.id) if talks else HangUp(leg=leg.id, cause=VANISHED))

    async def _rings_no_more(self, city: str, seat: str, queues: Container[str], *, answered: bool) -> None:
        """No queue but these rings at this seat, nor does one that had chosen it before it was told.

        ``answered``: nor has it a caller to whom its agent is only announced so far."""
        cut: set[LegId] = set()
        for _ in range(LOOKS):
            picture = self._board().picture
            for id, rings in picture.ringing.items():
                call = picture.calls.get(id)
                if call is None or call.city != city or call.queue in queues:
                    continue
                for leg in (x for x, name in rings.items() if name == seat and x not in cut):
                    known = picture.legs.get(leg)
                    if known is not None and known.up and not answered:
                        continue
                    cut.add(leg)
                    await self._is_gone(HangUp(leg=leg, cause=VANISHED))
            # nobody tells that app_queue has nothing in hand
            await asyncio.sleep(LOOK)

    async def _is_gone(self, order: HangUp) -> None:
        """One that has gone by itself is gone, too. Raises NotNow."""
        with contextlib.suppress(Refused):
            await self._do(order)

    # --- calls ----------------------------------------------------------------------------------------

    async def watch(self, call: str, seat: str, how: How, by: By) -> None:
        now = self._call(call)
        self._own_phone(now, seat)
        agent = self._agents_leg(now, coming=True)
        before = self._board().standing.watching(now.id, seat)
        await self._do(
            Watch(
                call=now.id,
                city=now.city,
                seat=now.seat,
                leg=agent,
                by=seat,
                how=how,
                watching=None if before is None else before.leg,
            )
        )

    async def take_over(self, call: str, seat: str, by: By) -> None:
        now = self._call(call)
        self._own_phone(now, seat)
        if now.outgoing:
            raise Refused("外呼通话不能接管 a call to a citizen cannot be taken over; you can barge in")
        self._agents_leg(now)
        before = self._board().standing.watching(now.id, seat)
        await self._do(
            TakeOver(
                call=now.id,
                city=now.city,
                seat=now.seat,
                leg=now.leg,
                by=seat,
                watching=None if before is None else before.leg,
            )
        )

    async def move(self, call: str, queue: str, first: bool, by: By) -> None:
        now = self._call(call)
        if now.state not in WAITING:
            raise Refused(f"来电不在排队 the caller does not wait in a queue: {now.state}")
        if not queue or queue == now.queue:
            if not first:
                raise Refused(f"来电已在队列 {now.queue} the caller is in {now.queue} already")
            await self._do(MoveToFront(city=now.city, queue=now.queue, leg=now.leg))
            return
        self._queue(now.city, queue, self._plans()[now.city].queues)
        await self._do(MoveToQueue(city=now.city, queue=now.queue, leg=now.leg, to=queue, first=first))

    def _own_phone(self, call: Call, seat: str) -> None:
        there = self._seat(call.city, seat)
        if seat == call.seat:
            raise Refused(f"座席 {seat} 正是通话的座席 {seat} is the seat that talks; use your own phone")
        watching = self._board().standing.watching(call.id, seat) is not None
        if there.state in (SeatState.BUSY, SeatState.RINGING) and not watching:
            raise Refused(f"座席 {seat} 的话机正忙 the phone of seat {seat} is busy")

    def _agents_leg(self, call: Call, *, coming: bool = False) -> LegId:
        """The leg of the seat that talks to this caller, or (``coming``) has answered and is about to: that
        it talks is told some milliseconds before the two are in one bridge. Raises Refused when none does."""
        picture = self._board().picture
        caller = picture.legs.get(call.leg)
        if call.state is CallState.TALKING and call.outgoing:
            return call.leg
        if call.state is CallState.TALKING and caller is not None:
            others = peers(picture, caller)
            if coming and not caller.bridge:
                mine = (leg for leg in picture.legs.values() if leg.call == call.id and leg.id != caller.id)
                others = [leg for leg in mine if leg.up and not leg.bridge]
            for other in others:
                if seat_of(call, caller, other) == call.seat:
                    return other.id
        raise Refused(f"没有座席在与来电人通话 no seat talks with this caller now: {call.state}")

    # --- calls to citizens ------------------------------------------------------------------------

    async def call_back(self, call: str, seat: str, by: By) -> str:
        then = await self._known(call)
        of = then.callback_of if then.outgoing and then.callback_of else then.id
        return await self._call_out(then.city, seat, then.caller, of)

    async def call_out(self, city: str, seat: str, number: str, by: By) -> str:
        return await self._call_out(city, seat, number, "")

    async def reveal(self, call: str, by: By) -> str:
        then = await self._known(call)
        rules = self._plans()[then.city].outgoing
        least = Role(rules.reveal if rules is not None else REVEAL)
        if not by.who.may(least):
            raise Answered(403, f"号码查看权 whole numbers need the role {least}, you are {by.who.role}")
        if not then.caller:
            raise Refused("来电未显示号码 the number was withheld")
        return then.caller

    async def settle(self, call: str, kind: DutyKind, by: By) -> None:
        then = await self._known(call)
        answered = then.answered is not None and then.ended is not None and not then.outgoing
        if not (then.owed if kind is DutyKind.CALL_BACK else answered):
            raise Refused(f"该通话没有此类待办 this call has no duty of that kind: {kind}")

    async def _known(self, id: str) -> Call:
        found = await self._past(id)
        if found is None or found.city not in self._plans():
            raise NoSuch(f"no call {id!r}", "call")
        return found

    async def _call_out(self, city: str, seat: str, number: str, of: str) -> str:
        there, rules = self._seat(city, seat), self._plans()[city].outgoing
        number = plain(number)
        if not number:
            raise Refused("来电未显示号码 the number was withheld, or is none")
        verdict = judge(rules, number)
        if rules is None or not verdict.allowed:
            kind = f" ({verdict.kind})" if verdict.kind else ""
            raise Refused(f"计划不允许外呼该号码 the plan does not allow calls to this number{kind}")
        if not there.agent:
            raise Refused(f"座席 {seat} 无人签入 nobody is signed in at {seat}")
        if there.state in (SeatState.BUSY, SeatState.RINGING):
            raise Refused(f"座席 {seat} 的话机正忙 the phone of seat {seat} is busy")
        shown = number if rules.hide_numbers == "no" else rules.present
        leg = await self._do(CallOut(city=city, seat=seat, number=number, shown=shown, of=of))
        return f"{city}-{leg}"

    # --- lines ----------------------------------------------------------------------------------------

    async def announce(self, city: str, line: str, prompt: str, by: By) -> None:
        plan = self._plans()[city]
        if line not in plan.lines:
            raise NoSuch(f"{city} has no line {line!r}{_hint(line, plan.lines)}", "line")
        sound = self._sound(plan, prompt) if prompt else ""
        if sound is None:
            raise NoSuch(
                f"no prompt {prompt!r} has a sound: put its text into prompts.toml and `cti plan apply`, "
                "or take a shipped one (cti prompts list)",
                "prompt",
            )
        await self._do(Announce(city=city, line=line, sound=sound, by=by.who.name))

    def _queue(self, city: str, queue: str, known: Mapping[str, object]) -> None:
        if queue not in known:
            raise NoSuch(f"{city} has no queue {queue!r}{_hint(queue, known)}", "queue")


def _theirs(call: Call, now: Now, seat: str) -> bool:
    """The caller is this seat's. In a transfer the table says whose: a phone that comes into a room by a
    Local channel is no seat to the picture, and one that comes there first is taken for the agent's."""
    if now.state in UNDER_WAY:
        return seat == now.seat
    return seat in (call.seat, now.to if now.state is State.HANDED else now.seat)


def _out_but(seat: str, why: str) -> str:
    return f"座席 {seat} 已强制签出 seat {seat} is out; {why}"


def _hint(name: str, known: Mapping[str, object]) -> str:
    hint = did_you_mean(name, set(known))
    return f": {hint}" if hint else f"; there are {', '.join(known)}"
