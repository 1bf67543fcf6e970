"""The API of transfers: an agent's wish, where transfers stand, hand-off records and their printed sheet, and
the door for centres' computers."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from zoneinfo import ZoneInfo

import orjson
from aiohttp import web
from pydantic import ConfigDict, Field, ValidationError

from calls.codec import to_dict
from calls.mask import masked
from calls.orders import Kind
from cti.web.api import Answer, CallsQuestion, Moment
from cti.web.who import WHO
from transfer.handoff import LONGEST, Handoff, Now, hears
from transfer.table import STATES, buttons

Words = Annotated[str, Field(max_length=LONGEST)]
CITY = ZoneInfo("Asia/Shanghai")


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
    outcome: Literal["kept", "refused"] | None = None


class HandoffsQuestion(CallsQuestion):
    """Asked for in [from, to), the newest first."""

    model_config = ConfigDict(extra="forbid", validate_by_alias=True, validate_by_name=False)

    since: Moment | None = Field(default=None, alias="from")
    until: Moment | None = Field(default=None, alias="to")
    most: Annotated[int, Field(ge=1, le=1000)] = Field(default=100, alias="limit")


class TransferAnswer(Answer):
    """Where a call stands in the transfer table."""

    call: str
    city: str
    seat: str
    to: str
    state: str
    title: str
    hear: list[str] = Field(description="who hears whom: caller-agent")
    caller_hears: str = Field(description="music or ringing when it is nobody")
    buttons: list[str] = Field(description="what the agent may wish now")
    handoff: str = Field(description="id of the record")


class Rooms(Protocol):
    """What ``cti.handoffs`` and ``cti.centres`` answer. May raise Refused and NotNow."""

    async def wish(self, city: str, seat: str, kind: Kind, to: str, words: Mapping[str, str]) -> str: ...

    def note(self, id: str, words: Mapping[str, str]) -> Handoff: ...

    def now(self) -> Sequence[Now]: ...

    async def records(self, past: Any) -> Sequence[Handoff]: ...

    async def record(self, id: str) -> Handoff | None: ...


Take = Callable[[str, str, Mapping[str, str], bytes], Awaitable[None]]


class TransferDoor:
    """Routes for ``cti.web.server``. ``full``: whether who asks may change things and see whole numbers."""

    def __init__(
        self,
        rooms: Rooms,
        take: Take,
        full: Callable[[web.Request], bool],
        past: Callable[[HandoffsQuestion], Any],
        problem: Callable[[int, str, str | None], Exception],
    ) -> None:
        self._rooms, self._take, self._full, self._past, self._problem = rooms, take, full, past, problem

    def add(self, app: web.Application) -> None:
        app.router.add_post("/api/seats/{city}/{seat}/transfer", self._wish)
        app.router.add_get("/api/transfers", self._now)
        app.router.add_get("/api/handoffs", self._records)
        app.router.add_get("/api/handoffs/{id}", self._record)
        app.router.add_post("/api/handoffs/{id}", self._note)
        app.router.add_get("/api/handoffs/{id}/sheet", self._sheet)
        # outside of /api: a computer with a signature, no person with a token
        app.router.add_post("/hooks/centres/{city}/{centre}", self._hook)

    async def _wish(self, request: web.Request) -> web.Response:
        self._may(request)
        asked = await self._read(request, WishQuestion)
        city, seat = request.match_info["city"], request.match_info["seat"]
        words = {n: t for n in ("location", "summary") if (t := getattr(asked, n))}
        words["asked_by"] = request[WHO].name
        return _json({"handoff": await self._rooms.wish(city, seat, asked.kind, asked.to, words)})

    async def _now(self, request: web.Request) -> web.Response:
        return _json([transfer_answer(now).model_dump() for now in self._rooms.now()])

    async def _records(self, request: web.Request) -> web.Response:
        try:
            asked = HandoffsQuestion.model_validate(dict(request.query))
        except ValidationError as why:
            raise self._wrong(why) from None
        full = self._full(request)
        found = await self._rooms.records(self._past(asked))
        return _json([handoff_answer(one, full=full) for one in found])

    async def _named(self, request: web.Request) -> Handoff:
        id = request.match_info["id"]
        record = await self._rooms.record(id) if len(id) <= 128 and id.isprintable() else None
        if record is None:
            raise self._problem(404, f"no hand-off record {id[:128]!r}", "id")
        return record

    async def _record(self, request: web.Request) -> web.Response:
        return _json(handoff_answer(await self._named(request), full=self._full(request)))

    async def _note(self, request: web.Request) -> web.Response:
        self._may(request)
        asked = await self._read(request, NoteQuestion)
        words = {name: text for name, text in asked.model_dump().items() if text is not None}
        if words.keys() & {"location", "summary"}:
            words["asked_by"] = request[WHO].name
        return _json(handoff_answer(self._rooms.note(request.match_info["id"], words), full=True))

    async def _sheet(self, request: web.Request) -> web.Response:
        record = await self._named(request)
        text = sheet(record, full=self._full(request))
        return web.Response(text=text, content_type="text/html", charset="utf-8")

    async def _hook(self, request: web.Request) -> web.Response:
        city, centre = request.match_info["city"], request.match_info["centre"]
        await self._take(city, centre, request.headers, await request.read())
        return _json({})

    def _may(self, request: web.Request) -> None:
        if not self._full(request):
            raise self._problem(403, "only those who may act", None)

    async def _read(self, request: web.Request, question: Any) -> Any:
        try:
            return question.model_validate_json(await request.read())
        except ValidationError as why:
            raise self._wrong(why) from None

    def _wrong(self, why: ValidationError) -> Exception:
        first = why.errors(include_url=False)[0]
        field = ".".join(str(x) for x in first["loc"] if isinstance(x, str)) or None
        return self._problem(400, f"{field}: {first['msg']}" if field else first["msg"], field)


def transfer_answer(now: Now) -> TransferAnswer:
    """Buttons and hearing come from the table's own rows."""
    situation = STATES[now.state]
    return TransferAnswer(
        call=now.call, city=now.city, seat=now.seat, to=now.to, state=now.state.value,
        title=situation.title, hear=list(hears(now)),
        caller_hears="ringing" if now.handoff and situation.else_hears else situation.else_hears,
        buttons=[wish.value for wish in buttons(now.state)], handoff=now.id,
    )  # fmt: skip


def handoff_answer(record: Handoff, *, full: bool) -> dict[str, Any]:
    """The record as JSON; the caller's number is masked for who may not see it."""
    told = to_dict(record)
    return told if full else told | {"caller": masked(record.caller)}


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
    "case": "案件编号 case",
    "of": "原移交 returned from",
    "story": "对方说明 their story",
    "officer": "接警员 officer",
    "location": "地点 location",
    "summary": "摘要 summary",
    "reason": "拒绝理由 reason",
    "result": "反馈 result",
}


def sheet(record: Handoff, *, full: bool) -> str:
    """One page to print and sign."""
    told = handoff_answer(record, full=full)
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
