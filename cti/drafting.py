"""The draft of a ticket while people talk, what the agent typed over it, and the ticket it becomes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from calls.facts import CallId
from calls.model import Call
from cti.errors import Refused
from cti.listening import Listening
from cti.speech.pinyin import sounds
from cti.store.tickets import TicketStore
from cti.web.answers import Answered
from cti.web.tickets import DraftAnswer, TicketAnswer
from plan.model import Plan
from recording.draft.fields import NAMES, Name, Occasion
from recording.draft.make import Drafter, as_json
from recording.ticket import FIELDS, Ticket, accepted
from recording.transcript import spoken

KEPT = 2000


class Drafting:
    """Implements ``cti.web.tickets.Drafts``."""

    def __init__(
        self,
        listening: Listening,
        tickets: TicketStore,
        call: Callable[[str], Awaitable[Call | None]],
        plans: Callable[[], Mapping[str, Plan]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._listening, self._tickets, self._call, self._plans, self._now = (
            listening, tickets, call, plans, now,
        )  # fmt: skip
        self._drafters: dict[str, tuple[Plan, Drafter]] = {}
        self._typed: dict[CallId, dict[str, Any]] = {}
        """What agents typed, kept until the ticket is made; the draft never overwrites it."""

    async def draft(self, call: str) -> DraftAnswer:
        known = await self._known(call)
        told = await self._listening.transcript(known.id)
        fields = await asyncio.to_thread(self._fields, known, told.said)
        return DraftAnswer(call=known.id, complete=told.complete, fields=fields)

    async def type(self, call: str, typed: Mapping[str, Any]) -> DraftAnswer:
        known = await self._known(call)
        mine = self._typed.setdefault(known.id, {})
        for name, value in typed.items():
            mine[_name(name)] = value
        while len(self._typed) > KEPT:
            del self._typed[next(iter(self._typed))]
        return await self.draft(call)

    async def make(self, call: str, fields: Mapping[str, Any], by: str, *, again: bool) -> TicketAnswer:
        known = await self._known(call)
        before = await self._tickets.of_call(known.id)
        if before and not again:
            numbers = ", ".join(t.number for t in before)
            raise Refused(f"该通话已有工单 this call has a ticket ({numbers}); tell 'again' for another")
        typed: dict[str, Any] = {**self._typed.get(known.id, {}), **{_name(n): v for n, v in fields.items()}}
        told = await self._listening.transcript(known.id)
        offered = await asyncio.to_thread(self._fields, known, told.said)
        plan = self._plans().get(known.city)
        zone = ZoneInfo(plan.city.timezone if plan is not None else "Asia/Shanghai")
        now = self._now()
        said = [
            {"role": s.role, "seat": s.seat, "at": s.at, "text": s.text, "leg": s.leg, "start": s.start}
            for s in told.said
        ]

        def ticket(number: str) -> Ticket:
            return Ticket(
                number=number,
                city=known.city,
                call=known.id,
                original=known.original,
                caller=known.caller,
                line=known.line,
                made=now,
                by=by,
                fields=json.dumps(accepted(offered, typed), ensure_ascii=False, default=str),
                draft=json.dumps(offered, ensure_ascii=False, default=str),
                transcript=json.dumps({"complete": told.complete, "said": said}, ensure_ascii=False),
            )

        day = f"{datetime.fromtimestamp(now, zone):%Y%m%d}"
        made = await self._tickets.make(known.city, day, ticket)
        self._typed.pop(known.id, None)
        return _answer(made)

    async def tickets(self, call: str) -> list[TicketAnswer]:
        return [_answer(t) for t in await self._tickets.of_call(call)]

    async def ticket(self, number: str) -> TicketAnswer:
        found = await self._tickets.one(number)
        if found is None:
            raise Answered(404, f"no ticket {number!r}", "number")
        return _answer(found)

    # --- inside ---------------------------------------------------------------------------------------

    async def _known(self, call: str) -> Call:
        found = await self._call(call)
        if found is None:
            raise Answered(404, f"no call {call!r}", "call")
        return found

    def _fields(self, call: Call, said: Any) -> dict[str, Any]:
        plan = self._plans().get(call.city)
        zone = ZoneInfo(plan.city.timezone if plan is not None else "Asia/Shanghai")
        occasion = Occasion(
            datetime.fromtimestamp(call.arrived, zone),
            call.caller,
            call.original or call.called,
            units={} if plan is None else plan.units,
            areas=() if plan is None else plan.areas,
            sounds=sounds,
        )
        held = self._drafters.get(call.city)
        if held is None or held[0] is not plan:
            # its gazetteer is built once a plan
            drafter = Drafter(occasion)
            if plan is not None:
                self._drafters[call.city] = (plan, drafter)
        else:
            drafter = held[1]
        draft = drafter.draft(
            spoken(said, call.arrived),
            occasion,
            {_name(n): v for n, v in self._typed.get(call.id, {}).items()},
        )
        return as_json(draft, occasion)


def _name(name: str) -> Name:
    if name not in FIELDS:
        raise Answered(400, f"no field {name!r}: {', '.join(FIELDS)}", "fields")
    return next(n for n in NAMES if n == name)


def _answer(ticket: Ticket) -> TicketAnswer:
    told = asdict(ticket)
    for name in ("fields", "draft", "transcript"):
        told[name] = json.loads(told[name])
    return TicketAnswer(**told)
