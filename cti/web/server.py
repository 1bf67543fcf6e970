"""The HTTP door of the service: health, figures, the API and a page that says what runs here.

Every answer under /api needs ``Authorization: Bearer <token>``. Who sees whole numbers is
``Who.full``. Errors are problem+json (RFC 9457) and name the field that is wrong.
"""

from __future__ import annotations

import asyncio
import hmac
import importlib.metadata
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import orjson
import structlog
from aiohttp import web
from pydantic import ValidationError

from calls.facts import CallId
from cti.web import api, ledger, staffing
from cti.web.answers import Answered, Handler, in_problem_words
from cti.web.answers import asked as _asked
from cti.web.answers import json_of as _json
from cti.web.answers import wrong as _wrong
from cti.web.health import ready
from cti.web.metrics import CONTENT_TYPE, Metrics
from cti.web.openapi import document
from cti.web.reader import Reader
from cti.web.who import WHO, Role, Who, scope

log = structlog.get_logger(__name__)

LONGEST_CALL_ID = 128
OPEN = frozenset({"/api/openapi.json", "/api/sessions", "/api/socket"})
"""Paths below /api that ask for the token themselves, or for none."""


class Door(Protocol):
    """A further part of the API: sessions, orders, the socket."""

    def add(self, app: web.Application) -> None:
        """Its routes."""


class Web:
    """``run`` serves until it is cancelled. Tokens by role, as HOME/tokens.json has them."""

    def __init__(
        self,
        host: str,
        port: int,
        reader: Reader,
        tokens: Mapping[str, str],
        metrics: Metrics,
        doors: Sequence[Door] = (),
        session: Callable[[str], Who | None] = lambda token: None,
        hides: Callable[[str], bool] = lambda city: False,
    ) -> None:
        """``doors``: further routes; ``session``: whose short token this is; ``hides``: whether this city
        (empty: any) hides numbers from everybody who signs in."""
        self.host = host
        self.port = port
        self._reader = reader
        self._tokens = {
            Role(role): token.encode() for role, token in tokens.items() if token and role in set(Role)
        }
        self._doors = doors
        self._session = session
        self._hides = hides
        self._metrics = metrics
        self._version = version()
        self._document = orjson.dumps(document(self._version), option=orjson.OPT_INDENT_2)

    async def run(self) -> None:
        """Raises OSError when the port is taken."""
        # no access log of aiohttp's: its lines would carry numbers from query strings
        runner = web.AppRunner(self.app(), access_log=None, handle_signals=False, shutdown_timeout=2.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[in_problem_words, self._who], client_max_size=64 * 1024)
        app.router.add_get("/", self._page)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/metrics", self._figures)
        app.router.add_get("/api/openapi.json", self._openapi)
        app.router.add_get("/api/calls", self._calls)
        app.router.add_get("/api/calls/{call}", self._call)
        app.router.add_get("/api/calls/{call}/story", self._story)
        app.router.add_get("/api/seats", self._seats)
        app.router.add_get("/api/queues", self._queues)
        app.router.add_get("/api/history/calls", self._history)
        app.router.add_get("/api/ledger", self._ledger)
        app.router.add_post("/api/ledger/refill", self._refill)
        app.router.add_get("/api/shortfalls", self._shortfalls)
        app.router.add_get("/api/duties", self._duties)
        for door in self._doors:
            door.add(app)
        return app

    # --- who asks -----------------------------------------------------------------------------------

    @web.middleware
    async def _who(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/api/") and request.path not in OPEN:
            request[WHO] = self.who(request.headers.get("Authorization", ""))
        return await handler(request)

    def who(self, told: str) -> Who:
        """Whose ``Bearer <token>`` this is. Raises Answered."""
        scheme, _, token = told.partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        found: Who | None = None
        for role, known in self._tokens.items():
            # every token is compared, each in constant time
            if hmac.compare_digest(given, known):
                found = Who(name=f"token-{role}", role=role)
        found = found or self._session(token.strip())
        if scheme.lower() != "bearer" or found is None:
            raise Answered(
                401,
                "send 'Authorization: Bearer <token>': a token of HOME/tokens.json, "
                "or one from POST /api/sessions (it may have ended: sign in again)",
            )
        return replace(found, hides=self._hides(found.city))

    # --- answers --------------------------------------------------------------------------------------

    async def _health(self, request: web.Request) -> web.Response:
        parts = self._reader.health()
        told = api.HealthAnswer(
            ready=ready(parts),
            version=self._version,
            parts={n: api.PartAnswer(ok=p.ok, needed=p.needed, text=p.text) for n, p in parts.items()},
        )
        return _json(told, status=200 if told.ready else 503)

    async def _figures(self, request: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def _openapi(self, request: web.Request) -> web.Response:
        return web.Response(body=self._document, content_type="application/json")

    async def _calls(self, request: web.Request) -> web.Response:
        city = scope(request[WHO], _asked(request, api.CallsQuestion).city)
        full = request[WHO].full
        return _json(
            [api.call_answer(c, full=full) for c in self._reader.live_calls() if city in (None, c.city)]
        )

    async def _call(self, request: web.Request) -> web.Response:
        id = await self._named(request)
        call = await self._reader.call(id)
        if call is None or not request[WHO].sees(call.city):
            raise Answered(404, f"no call {id!r}", "call")
        return _json(api.call_answer(call, full=request[WHO].full))

    async def _story(self, request: web.Request) -> web.Response:
        full = _asked(request, api.StoryQuestion).full
        if full and not request[WHO].full:
            raise Answered(403, "whole numbers are for supervisors; ask without 'full'", "full")
        id = await self._named(request)
        mine = request[WHO].sees(id.partition("-")[0])
        lines = await self._reader.story(CallId(id), full=full) if mine else ()
        if not lines:
            raise Answered(404, f"no story of a call {id!r} is kept", "call")
        return _json(api.story_answer(id, list(lines)))

    async def _seats(self, request: web.Request) -> web.Response:
        city = scope(request[WHO], _asked(request, api.CallsQuestion).city)
        return _json([api.seat_answer(s) for s in self._reader.seats() if city in (None, s.city)])

    async def _queues(self, request: web.Request) -> web.Response:
        city = scope(request[WHO], _asked(request, api.CallsQuestion).city)
        return _json([api.queue_answer(q) for q in self._reader.queues() if city in (None, q.city)])

    async def _history(self, request: web.Request) -> web.Response:
        asked = _asked(request, api.HistoryQuestion)
        full = request[WHO].full
        found = await self._reader.past_calls(
            asked.since, asked.until, scope(request[WHO], asked.city), asked.most
        )
        return _json([api.call_answer(c, full=full) for c in found])

    async def _ledger(self, request: web.Request) -> web.Response:
        asked = _asked(request, ledger.LedgerQuestion)
        since, until = asked.span(time.time())
        rows = await self._reader.ledger(since, until, scope(request[WHO], asked.city))
        try:
            return _json(await asyncio.to_thread(ledger.ledger_answer, asked, rows, since, until))
        except ledger.TooMany as why:
            raise Answered(400, str(why), "minutes") from None

    async def _refill(self, request: web.Request) -> web.Response:
        if not request[WHO].may(Role.OPERATOR):
            raise Answered(403, "only operators put history right")
        try:
            asked = ledger.RefillQuestion.model_validate_json(await request.read())
        except ValidationError as why:
            raise _wrong(why) from None
        return _json(ledger.RefillAnswer(calls=await self._reader.refill(asked.since, asked.until)))

    async def _shortfalls(self, request: web.Request) -> web.Response:
        city = scope(request[WHO], _asked(request, api.CallsQuestion).city)
        found = self._reader.shortfalls()
        return _json([staffing.shortfall_answer(s) for s in found if city in (None, s.city)])

    async def _duties(self, request: web.Request) -> web.Response:
        asked = _asked(request, staffing.DutiesQuestion)
        city = scope(request[WHO], asked.city)
        found = await self._reader.duties(asked.begins(time.time()), city, older=asked.older)
        full = request[WHO].full
        return _json([staffing.duty_answer(d, full=full) for d in found if asked.wants(d)])

    async def _named(self, request: web.Request) -> str:
        """The call a path names: its id, the beginning of one, or ``last``."""
        told = request.match_info["call"]
        if len(told) > LONGEST_CALL_ID or not told.isprintable():
            raise Answered(400, "not a call id", "call")
        if told == "last":
            last = await self._reader.latest()
            if last is None:
                raise Answered(404, "there has been no call yet", "call")
            return last
        found = await self._reader.beginning(told)
        if told in found or not found:
            return told
        if len(found) > 1:
            raise Answered(400, f"{told!r} begins several calls: {', '.join(found[:5])}", "call")
        return found[0]

    async def _page(self, request: web.Request) -> web.Response:
        state = "就绪 ready" if ready(self._reader.health()) else "未就绪 not ready"
        return web.Response(
            text=PAGE.format(version=self._version, state=state), content_type="text/html", charset="utf-8"
        )


def version() -> str:
    try:
        return importlib.metadata.version("hotline12345")
    except importlib.metadata.PackageNotFoundError:
        return "0"


PAGE = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>hotline12345</title>
<style>body{{font:16px/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;color:#222}}
h1{{font-size:1.6rem}}code{{background:#f2f2f2;padding:.1rem .3rem;border-radius:3px}}
small{{color:#666}}</style>
<h1>12345 政务热线话务系统 <small>hotline12345 {version}</small></h1>
<p>状态 State: <strong>{state}</strong></p>
<p>来电由 Asterisk 受理并分配座席，本服务提供建议、记录与查询。<br>
Asterisk answers and distributes the calls; this service advises, records and tells.</p>
<ul>
<li><a href="/healthz">/healthz</a> 运行状况 health of every part</li>
<li><a href="/metrics">/metrics</a> 指标 figures for Prometheus</li>
<li><a href="/api/openapi.json">/api/openapi.json</a> 接口说明 the API (OpenAPI 3.1)</li>
</ul>
<p>接口需令牌：<code>Authorization: Bearer …</code>，令牌见 <code>tokens.json</code>。<br>
The API needs a token; the tokens stand in <code>tokens.json</code>.</p>
<p><code>cti calls</code> · <code>cti seats</code> · <code>cti queues</code> · <code>cti story last</code></p>
</html>
"""
