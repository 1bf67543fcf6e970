"""The draft of a ticket while people talk, what the agent typed over it, and the ticket it becomes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import structlog

from calls.facts import CallId
from calls.model import Call
from cti.errors import NotNow, Refused
from cti.speech.pinyin import sounds
from cti.store.tickets import TicketStore
from cti.web.answers import Answered
from cti.web.tickets import DraftAnswer, TicketAnswer
from plan.model import Plan
from recording.draft.fields import KIND_OF, NAMES, Earlier, Name, Occasion
from recording.draft.make import Drafter, as_json
from recording.filed import Role
from recording.ticket import FIELDS, Ticket, accepted
from recording.transcript import Said, Transcript, spoken

log = structlog.get_logger(__name__)

EARLIER = 3
"""So many earlier tickets of a caller's number are looked at."""
FINISH_EVERY = 2.0


class Talks(Protocol):
    """What was said in a call (``cti.listening.Listening``). Raises NotNow.

    A draft and a ticket tell the citizen's matter: what an agent said of it to a colleague is not in them."""

    async def transcript(self, call: CallId) -> Transcript: ...

    def heard_now(self, call: CallId) -> Transcript:
        """The same, as far as it is known without the database."""


class Drafting:
    """Implements ``cti.web.tickets.Drafts``; ``run`` completes tickets made while people still talked."""

    def __init__(
        self,
        listening: Talks,
        tickets: TicketStore,
        call: Callable[[str], Awaitable[Call | None]],
        plans: Callable[[], Mapping[str, Plan]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._listening, self._tickets, self._call, self._plans, self._now = (
            listening, tickets, call, plans, now,
        )  # fmt: skip
        self._drafters: dict[str, tuple[Plan, Drafter]] = {}
        self.changed: Callable[[CallId], None] = lambda call: None
        """Called when somebody typed into a call's draft."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.finish()
            except NotNow as why:
                log.info("tickets wait for the rest of their talk", why=str(why))
            await asyncio.sleep(FINISH_EVERY)

    async def finish(self) -> int:
        """Put the whole talk into tickets that were made before it was known; how many. Raises NotNow."""
        done = 0
        for ticket in await self._tickets.unfinished():
            told = (await self._listening.transcript(ticket.call)).with_citizen()
            if told.complete:
                await self._tickets.finish(ticket.number, _transcript(told))
                done += 1
        return done

    async def draft(self, call: str) -> DraftAnswer:
        known = await self._known(call)
        told, fields = await self._drafted(known, await self._tickets.typed(known.id))
        return DraftAnswer(call=known.id, complete=told.complete, fields=fields)

    async def type(self, call: str, typed: Mapping[str, Any]) -> DraftAnswer:
        known = await self._known(call)
        if typed:
            mine: dict[str, Any] = {_name(name): value for name, value in typed.items()}
            # told only when it would outlive this process
            await self._tickets.type(known.id, mine, self._now())
            self.changed(known.id)
        return await self.draft(call)

    async def fields(self, call: CallId) -> dict[str, Any]:
        """The draft's fields as they are now, also while the database is away: then made of what is being
        said, and without what was typed. What people outside say, whom the caller was brought to, is none of
        the caller's account, and no consultation is. Raises NotNow for a call that only the database could
        know."""
        known = await self._call(call)
        if known is None:
            return {}
        typed: Mapping[str, Any] = {}
        try:
            typed = await self._tickets.typed(known.id)
            told = await self._listening.transcript(known.id)
        except NotNow:
            told = self._listening.heard_now(known.id)
        said = [one for one in told.with_citizen().said if one.role is not Role.OTHER]
        return await asyncio.to_thread(self._fields, known, said, (), typed)

    async def make(self, call: str, fields: Mapping[str, Any], by: str, *, again: bool) -> TicketAnswer:
        known = await self._known(call)
        before = await self._tickets.of_call(known.id)
        if before and not again:
            numbers = ", ".join(t.number for t in before)
            raise Refused(f"该通话已有工单 this call has a ticket ({numbers}); tell 'again' for another")
        before_now = await self._tickets.typed(known.id)
        typed: dict[str, Any] = {**before_now, **{_name(n): v for n, v in fields.items()}}
        told, offered = await self._drafted(known, before_now)
        plan = self._plans().get(known.city)
        zone = ZoneInfo(plan.city.timezone if plan is not None else "Asia/Shanghai")
        now = self._now()

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
                transcript=_transcript(told),
                complete=told.complete,
            )

        day = f"{datetime.fromtimestamp(now, zone):%Y%m%d}"
        return _answer(await self._tickets.make(known.city, day, ticket))

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

    async def _drafted(self, call: Call, typed: Mapping[str, Any]) -> tuple[Transcript, dict[str, Any]]:
        """What was said, and the draft of it under what was typed."""
        told = (await self._listening.transcript(call.id)).with_citizen()
        earlier = await self._tickets.of_caller(call.city, call.caller, EARLIER + 1)
        before = tuple(_earlier(t) for t in earlier if t.call != call.id)[:EARLIER]
        return told, await asyncio.to_thread(self._fields, call, told.said, before, typed)

    def _fields(
        self, call: Call, said: Sequence[Said], earlier: tuple[Earlier, ...], typed: Mapping[str, Any]
    ) -> dict[str, Any]:
        plan = self._plans().get(call.city)
        zone = ZoneInfo(plan.city.timezone if plan is not None else "Asia/Shanghai")
        menu = None if plan is None else plan.menus.get(call.menu)
        occasion = Occasion(
            datetime.fromtimestamp(call.arrived, zone),
            call.caller,
            call.original or call.called,
            key_unit="" if menu is None else menu.units.get(call.menu_key, ""),
            key_kind="" if menu is None else KIND_OF.get(menu.kinds.get(call.menu_key, ""), ""),
            earlier=earlier,
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
            {_name(n): v for n, v in typed.items()},
        )
        return as_json(draft, occasion)


def _name(name: str) -> Name:
    if name not in FIELDS:
        raise Answered(400, f"no field {name!r}: {', '.join(FIELDS)}", "fields")
    return next(n for n in NAMES if n == name)


def _earlier(ticket: Ticket) -> Earlier:
    """What an earlier ticket says of its caller, as far as it can be read."""
    told = json.loads(ticket.fields)
    name, phone, place = (told.get(n) for n in ("name", "phone", "address"))
    if isinstance(place, str):
        place = {"text": place}  # typed as one text
    return Earlier(
        name if isinstance(name, str) else "",
        phone if isinstance(phone, str) else "",
        {k: v for k, v in place.items() if isinstance(v, str)} if isinstance(place, dict) else {},
    )


def _transcript(told: Transcript) -> str:
    said = [
        {"role": s.role, "seat": s.seat, "at": s.at, "text": s.text, "leg": s.leg, "start": s.start}
        for s in told.said
    ]
    return json.dumps({"complete": told.complete, "said": said}, ensure_ascii=False)


def _answer(ticket: Ticket) -> TicketAnswer:
    told = asdict(ticket)
    del told["complete"]  # stands in the transcript
    for name in ("fields", "draft", "transcript"):
        told[name] = json.loads(told[name])
    return TicketAnswer(**told)
