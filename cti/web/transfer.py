"""The API of transfers: an agent's wish, where transfers stand, hand-off records and their printed sheet, and
the door for centres' computers."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from zoneinfo import ZoneInfo

import orjson
from aiohttp import web
from pydantic import ConfigDict, Field

from calls.audit import Audited
from calls.codec import to_dict
from calls.mask import masked, masked_in
from calls.orders import Kind
from cti.web.answers import Answer, Answered, asked, json_of, told
from cti.web.api import CallsQuestion, Moment
from cti.web.trail import Trail, row_of
from cti.web.who import WHO, Role, Who, scope
from transfer.handoff import LONGEST, Handoff, Now, hears
from transfer.table import STATES, buttons, else_hears

Words = Annotated[str, Field(max_length=LONGEST)]
CITY = ZoneInfo("Asia/Shanghai")
LONGEST_ID = 128
_CODES = frozenset({"kind", "outcome", "case", "officer"})
"""What no citizen's number is written into."""


class WishQuestion(Answer):
    """What the agent wants. ``location`` and ``summary`` go with it to the centre."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    to: Annotated[str, Field(pattern=r"^[a-z0-9-]{0,30}$")] = ""
    location: Words = ""
    summary: Words = ""


class NoteQuestion(Answer):
    """Words for a record; what is left out stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: Words | None = None
    summary: Words | None = None
    officer: Annotated[str, Field(max_length=60)] | None = None
    case: Annotated[str, Field(max_length=60)] | None = None
    result: Words | None = None
    reason: Words | None = None
    outcome: Literal["kept", "refused"] | None = Field(
        default=None,
        description="kept: still undecided, and the platform that answered first keeps it "
        "(国办发〔2022〕12号); refused: the centre does not take it",
    )


class HandoffsQuestion(CallsQuestion):
    """Asked for in [from, to), the newest first."""

    model_config = ConfigDict(extra="forbid", validate_by_alias=True, validate_by_name=False)

    since: Moment | None = Field(default=None, alias="from")
    until: Moment | None = Field(default=None, alias="to")
    most: Annotated[int, Field(ge=1, le=1000)] = Field(default=100, alias="limit")


class TransferAnswer(Answer):
    """Where a call stands in the transfer table: one that talks to an agent, or is being transferred."""

    call: str
    city: str
    seat: str
    to: str = Field(description="with whom, as dialled; empty: nobody was asked yet")
    state: str
    title: str
    hear: list[str] = Field(description="who hears whom: caller-agent")
    caller_hears: str = Field(description="music or ringing when it is nobody")
    buttons: list[str] = Field(description="what the agent may wish now")
    handoff: str = Field(description="id of the record; empty: nobody was asked yet")


class Rooms(Protocol):
    """What ``cti.handoffs`` and ``cti.centres`` answer. May raise Refused and NotNow."""

    async def wish(
        self, city: str, seat: str, kind: Kind, to: str, words: Mapping[str, str]
    ) -> tuple[str, Kind]: ...

    async def amend(self, id: str, words: Mapping[str, str]) -> Handoff: ...

    def now(self) -> Sequence[Now]: ...

    async def records(self, past: Any) -> Sequence[Handoff]: ...

    async def record(self, id: str) -> Handoff | None: ...


Take = Callable[[str, str, Mapping[str, str], bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may act. Seeing whole numbers is another right: ``Who.full``."""

    agent_at: Callable[[str, str], str]
    """Who is signed in at a seat (city, seat); empty: nobody."""
    sits_in: Callable[[Who, str], bool]
    """Whether this agent is in a call, or was the last one in it."""
    reads: Callable[[str], Role] = lambda city: Role.OPERATOR
    """Who may read what was said in every call of a city."""

    def words(self, who: Who, record: Handoff) -> bool:
        """Whether this person may read what the caller said. (The agent in the call has its draft.)"""
        return who.full and who.may(self.reads(record.city))

    def wish_forbidden(self, who: Who, city: str, seat: str) -> str:
        """Why this person may not move the caller of this seat; empty: they may."""
        if not who.sees(city):
            return f"you are signed in for {who.city}, this is {city}"
        if not who.may(Role.AGENT):
            return f"this needs the role {Role.AGENT}, you are {who.role}"
        if not who.may(Role.SUPERVISOR) and not (who.agent and self.agent_at(city, seat) == who.agent):
            return f"you do not sit at {seat}: agents transfer the caller of their own seat"
        return ""

    def note_forbidden(self, who: Who, record: Handoff) -> str:
        """Why this person may not write into this record; empty: they may."""
        if who.may(Role.SUPERVISOR):
            return ""
        if not who.may(Role.AGENT):
            return f"this needs the role {Role.AGENT}, you are {who.role}"
        # who answered a caller that was handed to us may have passed them on; nobody names whom a phone took
        ours = record.direction == "in" or not record.agent
        mine = record.agent == who.agent or (ours and self.sits_in(who, record.call))
        return "" if who.agent and mine else "agents write into the records of their own calls"


class TransferDoor:
    """Routes for ``cti.web.server``."""

    def __init__(
        self,
        rooms: Rooms,
        take: Take,
        rights: Rights,
        past: Callable[[HandoffsQuestion, str | None], Any],
        note: Callable[[Audited], None],
    ) -> None:
        """``past``: the question in one city, or (None) in all, as ``rooms`` wants it; ``note`` writes a row
        of the audit trail."""
        self._rooms, self._take, self._rights, self._past = rooms, take, rights, past
        self._trail = Trail(note)

    def add(self, app: web.Application) -> None:
        app.router.add_post("/api/seats/{city:[a-z][a-z0-9]{0,15}}/{seat:[0-9]{3,6}}/transfer", self._wish)
        app.router.add_get("/api/transfers", self._now)
        app.router.add_get("/api/handoffs", self._records)
        app.router.add_get("/api/handoffs/{id}", self._record)
        app.router.add_post("/api/handoffs/{id}", self._note)
        app.router.add_get("/api/handoffs/{id}/sheet", self._sheet)
        # outside of /api: a computer with a signature, no person with a token
        app.router.add_post("/hooks/centres/{city}/{centre}", self._hook)

    async def _wish(self, request: web.Request) -> web.Response:
        who, body = request[WHO], await told(request, WishQuestion)
        city, seat = request.match_info["city"], request.match_info["seat"]
        row = row_of(who, city, "transfer", f"seat {seat}", _unnumbered(body))
        if forbidden := self._rights.wish_forbidden(who, city, seat):
            self._trail.denied(row, forbidden)
            raise Answered(403, forbidden)
        words = {n: t for n in ("location", "summary") if (t := getattr(body, n))} | {"asked_by": who.name}
        with self._trail.order(row) as done:
            id, kind = await self._rooms.wish(city, seat, body.kind, body.to, words)
            if id:
                done["handoff"] = id
            if kind != body.kind:
                done["meant"] = kind
        return _json({"handoff": id, "kind": kind})

    async def _now(self, request: web.Request) -> web.Response:
        city = scope(request[WHO], asked(request, CallsQuestion).city)
        standing = (now for now in self._rooms.now() if city in (None, now.city))
        return json_of([transfer_answer(now) for now in standing])

    async def _records(self, request: web.Request) -> web.Response:
        who, question = request[WHO], asked(request, HandoffsQuestion)
        found = await self._rooms.records(self._past(question, scope(who, question.city)))
        return _json([self._shown(who, one) for one in found])

    def _shown(self, who: Who, record: Handoff) -> dict[str, Any]:
        return handoff_answer(record, full=who.full, words=self._rights.words(who, record))

    async def _named(self, request: web.Request) -> tuple[str, Handoff | None]:
        id = request.match_info["id"]
        if len(id) > LONGEST_ID or not id.isprintable():
            raise Answered(400, "not a record", "id")
        return id, await self._rooms.record(id)

    async def _seen(self, request: web.Request) -> Handoff:
        """The record a path names, when it is of a city that this person sees. Raises Answered."""
        id, record = await self._named(request)
        if record is None or not request[WHO].sees(record.city):
            raise Answered(404, f"no hand-off record {id!r}", "id")
        return record

    async def _record(self, request: web.Request) -> web.Response:
        return _json(self._shown(request[WHO], await self._seen(request)))

    async def _note(self, request: web.Request) -> web.Response:
        who, body = request[WHO], await told(request, NoteQuestion)
        id, record = await self._named(request)
        on = record.call if record is not None else f"hand-off {id}"
        city = record.city if record is not None else who.city
        row = row_of(who, city, "hand-off", on, {"handoff": id, **_unnumbered(body)})
        if record is None or not who.sees(record.city):
            missing = f"no hand-off record {id!r}"
            if record is None:
                self._trail.refused(row, missing)
            else:
                self._trail.denied(row, f"you are signed in for {who.city}, this is {record.city}")
            raise Answered(404, missing, "id")
        if forbidden := self._rights.note_forbidden(who, record):
            self._trail.denied(row, forbidden)
            raise Answered(403, forbidden)
        words = body.model_dump(exclude_none=True)
        if words.keys() & {"location", "summary"}:
            words["asked_by"] = who.name
        if "outcome" in words:
            words["decided_by"] = who.name
        with self._trail.order(row):
            record = await self._rooms.amend(id, words)
        return _json(self._shown(who, record))

    async def _sheet(self, request: web.Request) -> web.Response:
        who, record = request[WHO], await self._seen(request)
        text = sheet(record, full=who.full, words=self._rights.words(who, record))
        return web.Response(text=text, content_type="text/html", charset="utf-8")

    async def _hook(self, request: web.Request) -> web.Response:
        city, centre = request.match_info["city"], request.match_info["centre"]
        await self._take(city, centre, request.headers, await request.read())
        return _json({})


def _unnumbered(body: WishQuestion | NoteQuestion) -> dict[str, str]:
    """What was ordered, as the audit trail may keep it."""
    told = body.model_dump(exclude_defaults=True)
    return {name: text if name in _CODES else masked_in(text) for name, text in told.items()}


def transfer_answer(now: Now) -> TransferAnswer:
    """Buttons and hearing come from the table's own rows."""
    situation = STATES[now.state]
    return TransferAnswer(
        call=now.call, city=now.city, seat=now.seat, to=now.to, state=now.state.value,
        title=situation.title, hear=list(hears(now)),
        caller_hears=else_hears(now.state, urgent=now.urgent),
        buttons=[wish.value for wish in buttons(now.state)], handoff=now.id,
    )  # fmt: skip


def handoff_answer(record: Handoff, *, full: bool, words: bool = False) -> dict[str, Any]:
    """The record as JSON; for who may not see the caller's number it is masked, and so is every number that
    people wrote into their text. Of a drafted summary they see nothing, others the title; with ``words`` also
    what was said."""
    told = to_dict(record)
    if record.summary_from == "draft" and not words:
        # its title names red flags, which are told to supervisors only
        told["summary"] = record.summary.partition("\n")[0] if full else ""
    if full:
        return told
    texts = {n: t for n, t in told.items() if isinstance(t, str) and n not in ("id", "call")}
    if record.caller:
        texts = {n: t.replace(record.caller, masked(record.caller)) for n, t in texts.items()}
    return told | texts | {n: masked_in(texts[n]) for n in _TYPED}


_TYPED = ("story", "location", "summary", "reason", "result")


_ROWS = {
    "direction": "方向 direction",
    "centre": "中心 centre",
    "caller": "来电人 caller",
    "seat": "座席 seat",
    "agent": "工号 agent",
    "asked": "请求 asked",
    "asked_by": "请求人 asked by",
    "dialled": "呼出 dialled",
    "answered": "接听 answered",
    "joined": "三方 joined",
    "handed": "移交 handed over",
    "ended": "结束 ended",
    "number": "接听号码 number",
    "outcome": "结果 outcome",
    "keeper": "首接受理平台 kept by",
    "decided": "认定时间 decided",
    "decided_by": "认定人 decided by",
    "case": "案件编号 case",
    "of": "原移交 returned from",
    "story": "对方说明 their story",
    "officer": "接警员 officer",
    "location": "地点 location",
    "location_from": "地点来源 location from",
    "summary": "摘要 summary",
    "summary_from": "摘要来源 summary from",
    "reason": "拒绝理由 reason",
    "result": "反馈 result",
}


def sheet(record: Handoff, *, full: bool, words: bool = False) -> str:
    """One page to print and sign; ``full`` and ``words`` as in ``handoff_answer``."""
    told = handoff_answer(record, full=full, words=words) | {"keeper": record.keeper}
    cells = ((name, html.escape(_shown(told[key]))) for key, name in _ROWS.items())
    rows = "".join(f"<tr><th>{name}</th><td>{text}</td></tr>" for name, text in cells)
    tried = "".join(f"<li>{html.escape(one)}</li>" for one in record.tried)
    named = {"id": html.escape(record.id), "call": html.escape(record.call)}
    return _SHEET.format(**named, rows=rows, tried=tried)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return datetime.fromtimestamp(value, CITY).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return "" if value is None else str(value)


_SHEET = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>移交单 {id}</title>
<style>body{{font:14px/1.7 serif;max-width:44rem;margin:2rem auto}}
table{{border-collapse:collapse;width:100%}}
th,td{{border:1px solid #555;padding:.3rem .6rem;text-align:left;vertical-align:top}}th{{width:12rem}}
</style>
<h1>12345 与应急中心移交单 Hand-off sheet</h1>
<p>{id} · {call}</p>
<table>{rows}</table>
<h2>线路 ways tried</h2><ul>{tried}</ul>
<p>移交人签字 handed over by: ______________　　接收人签字 received by: ______________</p>
</html>
"""


def _json(told: Any) -> web.Response:
    return web.Response(body=orjson.dumps(told), content_type="application/json")
