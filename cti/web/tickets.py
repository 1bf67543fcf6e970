"""The draft of a ticket, corrected by the agent, and the numbered ticket it becomes."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from calls.audit import Audited, Outcome
from calls.mask import masked
from cti.web.answers import Answer, Answered, asked, json_of, told
from cti.web.who import WHO, Role, Who

Fields = Annotated[
    dict[str, Any],
    Field(max_length=16, description="name, phone, address, time, kind, subject, unit, title, story"),
]


class DraftAnswer(Answer):
    """Each field with value, confidence, source (leg's words), alternatives; ``typed``: the agent's own. An
    alternative's source is ``call``, or ``history``: an earlier ticket of the same number."""

    call: str
    complete: bool = Field(description="all of the talk has been listened to")
    fields: dict[str, Any]


class TicketAnswer(Answer):
    """A ticket keeps the draft it came from, the call, the number that was dialled and what was said."""

    number: str
    city: str
    call: str
    original: str
    caller: str
    line: str
    made: float
    by: str
    fields: dict[str, Any]
    draft: dict[str, Any]
    transcript: dict[str, Any] = Field(description="empty for whom the call's classes do not let read it")


class TypedBody(BaseModel):
    """What the agent typed: the draft keeps its hands off these fields from now on."""

    model_config = ConfigDict(extra="forbid")

    fields: Fields


class TicketBody(BaseModel):
    """Accept the draft of a call, with corrections."""

    model_config = ConfigDict(extra="forbid")

    call: Annotated[str, Field(min_length=1, max_length=128)]
    fields: Fields = Field(default_factory=dict)
    again: Annotated[bool, Field(description="another ticket of a call that has one")] = False


class TicketsQuestion(BaseModel):
    model_config = ConfigDict(extra="forbid")

    call: Annotated[str, Field(min_length=1, max_length=128)]


class Drafts(Protocol):
    """Raises NotNow, Refused, Answered."""

    async def draft(self, call: str) -> DraftAnswer: ...

    async def type(self, call: str, typed: Mapping[str, Any]) -> DraftAnswer: ...

    async def make(self, call: str, fields: Mapping[str, Any], by: str, *, again: bool) -> TicketAnswer: ...

    async def tickets(self, call: str) -> list[TicketAnswer]: ...

    async def ticket(self, number: str) -> TicketAnswer: ...


class Tickets:
    """The routes."""

    def __init__(
        self,
        drafts: Drafts,
        sits_in: Callable[[Who, str], bool],
        bars: Callable[[Who, str], Awaitable[str]],
        note: Callable[[Audited], None],
        hidden: Callable[[Who, str], bool] = lambda who, call: False,
    ) -> None:
        """``sits_in``: whether an agent is in a call; ``bars``: why this person may not read what was said
        in it, empty when they may; ``note`` writes a row of the audit trail; ``hidden``: whether this
        person may not see the citizen's number in a call."""
        self._drafts, self._sits_in, self._bars = drafts, sits_in, bars
        self._note, self._hidden = note, hidden

    def add(self, app: web.Application) -> None:
        app.router.add_get("/api/calls/{call}/draft", self._draft)
        app.router.add_post("/api/calls/{call}/draft", self._type)
        app.router.add_get("/api/tickets", self._tickets)
        app.router.add_post("/api/tickets", self._make)
        app.router.add_get("/api/tickets/{number}", self._ticket)

    async def _draft(self, request: web.Request) -> web.Response:
        call = await self._may_read(request[WHO], request.match_info["call"], "draft")
        return json_of(self._shown(request[WHO], await self._drafts.draft(call)))

    async def _type(self, request: web.Request) -> web.Response:
        call = await self._may_read(request[WHO], request.match_info["call"], "draft")
        body = await told(request, TypedBody)
        return json_of(self._shown(request[WHO], await self._drafts.type(call, body.fields)))

    async def _make(self, request: web.Request) -> web.Response:
        who = request[WHO]
        body = await told(request, TicketBody)
        call = await self._may_read(who, body.call, "ticket")
        made = await self._drafts.make(call, body.fields, who.agent or who.name, again=body.again)
        now = time.time()
        self._note(
            Audited(
                id=uuid.uuid4().hex, at=now, city=made.city, who=who.name, role=who.role.value, did="ticket",
                on=call, told=json.dumps({"number": made.number}), outcome=Outcome.DONE, ended=now,
            )
        )  # fmt: skip
        return json_of(await self._told(who, made), status=201)

    async def _tickets(self, request: web.Request) -> web.Response:
        who = request[WHO]
        call = self._may(who, asked(request, TicketsQuestion).call)
        return json_of([await self._told(who, one) for one in await self._drafts.tickets(call)])

    async def _ticket(self, request: web.Request) -> web.Response:
        who = request[WHO]
        found = await self._drafts.ticket(request.match_info["number"][:128])
        if not who.may(Role.AGENT) or not who.sees(found.city):
            raise Answered(403, "tickets are for the agents of their city")
        return json_of(await self._told(who, found))

    async def _may_read(self, who: Who, call: str, what: str) -> str:
        """A draft holds what was said, word for word. Raises Answered."""
        call = self._may(who, call)
        if why := await self._bars(who, call):
            city, now = call.partition("-")[0], time.time()
            self._note(
                Audited(
                    id=uuid.uuid4().hex, at=now, city=city, who=who.name, role=who.role.value, did=what,
                    on=call, told="{}", outcome=Outcome.DENIED, why=why, ended=now,
                )
            )  # fmt: skip
            raise Answered(403, why)
        return call

    async def _told(self, who: Who, ticket: TicketAnswer) -> TicketAnswer:
        """The ticket as this person may see it."""
        if await self._bars(who, ticket.call):
            ticket = ticket.model_copy(update={"transcript": {}, "draft": _without_words(ticket.draft)})
        return self._masked(who, ticket)

    def _masked(self, who: Who, ticket: TicketAnswer) -> TicketAnswer:
        """The ticket without the citizen's number, where this person may not see it: an agent sees that of
        the call they are in, unless the plan hides it."""
        inside = who.full or self._sits_in(who, ticket.call)
        if inside and not self._hidden(who, ticket.call):
            return ticket
        fields = dict(ticket.fields)
        if fields.get("phone"):
            fields["phone"] = masked(str(fields["phone"]))
        told = {"caller": masked(ticket.caller), "fields": fields, "draft": _without_number(ticket.draft)}
        return ticket.model_copy(update=told)

    def _shown(self, who: Who, draft: DraftAnswer) -> DraftAnswer:
        """The draft without the number that the call came with, where this person may not see it."""
        if not self._hidden(who, draft.call):
            return draft
        return draft.model_copy(update={"fields": _without_number(draft.fields)})

    def _may(self, who: Who, call: str) -> str:
        """The call's id, if this person may. Raises Answered."""
        if len(call) > 128 or not call.isprintable():
            raise Answered(400, "not a call", "call")
        if not who.sees(call.partition("-")[0]):
            raise Answered(403, f"you are signed in for {who.city}")
        if not who.may(Role.AGENT):
            raise Answered(403, f"drafts are for agents, you are {who.role}")
        if who.role is Role.AGENT and not self._sits_in(who, call):
            raise Answered(403, "agents write tickets of the call they are in; others are for supervisors")
        return call


def _without_words(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A draft as a ticket's fields are: without the stretches of talk it was made of, and what else they may
    have meant."""
    bare: dict[str, Any] = {"source": [], "alternatives": []}
    return {name: {**field, **bare} if isinstance(field, dict) else field for name, field in fields.items()}


def _without_number(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A draft whose number to call back is masked, with no other number beside it."""
    phone = fields.get("phone")
    if not isinstance(phone, dict):
        return dict(fields)
    return {**fields, "phone": {**phone, "value": masked(str(phone.get("value") or "")), "alternatives": []}}
