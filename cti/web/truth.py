"""The figures recounted from Asterisk's own files, asked over HTTP: what `cti truth --json` tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web
from pydantic import Field

from calls.mask import masked
from cti.web.answers import Answer, Answered, asked
from cti.web.ledger import SpanQuestion
from cti.web.who import WHO, Role, scope
from queues.any_day import DAY

MOST_DAYS = 31
NUMBERS = frozenset({"caller", "called"})
"""Fields of a call that may be a citizen's number."""


class TruthQuestion(SpanQuestion):
    """Calls that arrived in [from, to), at most 31 days; without ``from`` the 24 hours before ``to``."""

    def bounded(self, now: float) -> tuple[float, float]:
        """[since, until). Raises Answered."""
        since, until = self.span(now)
        since = max(0.0, since)
        if since >= until:
            raise Answered(400, "from: is not before 'to'; tell an earlier one", "from")
        if until - since > MOST_DAYS * DAY:
            detail = f"from: more than {MOST_DAYS} days before 'to'; recount a month at a time"
            raise Answered(400, detail, "from")
        return since, until


class DifferenceAnswer(Answer):
    """One field, or (``call`` empty) one figure, that the ledger and Asterisk's files tell differently."""

    call: str
    what: str
    ledger: Any
    asterisk: Any


class LedgerRates(Answer):
    connect_rate: float | None
    within_15s: float | None


class TruthAnswer(Answer):
    """Figures of the recount, from queue_log and CDR alone; ``ledger`` has those of the ledger."""

    visits: int
    differences: list[DifferenceAnswer]
    connect_rate: float | None
    within_15s: float | None
    calls: int
    offered: int
    answered: int
    within: int = Field(description="answered within 15 s")
    ledger: LedgerRates
    refilled: int = Field(description="rows made from these very files after an outage, labelled so")
    open: int = Field(description="calls that go on: Asterisk writes their CDR at their end")
    unprovable: list[str] = Field(description="calls an Asterisk died with: only the ledger knows them")
    borderline: list[str] = Field(description="calls so near to 15 s that the two clocks may say either")
    wrap_ups: int
    talks: int
    unheard: list[str] = Field(description="calls after which nobody heard how long a seat wrapped up")
    not_compared: list[str] = Field(description="what neither file holds")


Recount = Callable[[float, float, str | None], Awaitable[bytes]]
"""``cti truth --json`` of [since, until), in one city or (None) in all. Raises NotNow."""


class TruthDoor:
    """GET /api/truth."""

    def __init__(self, recount: Recount) -> None:
        self._recount = recount
        self._since: float | None = None
        """When the recount that runs now began."""

    def add(self, app: web.Application) -> None:
        app.router.add_get("/api/truth", self._truth)

    async def _truth(self, request: web.Request) -> web.Response:
        who = request[WHO]
        if not who.may(Role.SUPERVISOR):
            raise Answered(403, f"the recount is for supervisors, you are {who.role}")
        question = asked(request, TruthQuestion)
        city = scope(who, question.city)
        since, until = question.bounded(time.time())
        if self._since is not None:
            began = datetime.fromtimestamp(self._since, UTC)
            detail = (
                f"a recount runs since {began:%H:%M:%S} UTC, and one at a time: ask again when it has ended"
            )
            raise Answered(429, detail)
        self._since = time.time()
        try:
            told = await self._recount(since, until, city)
        finally:
            self._since = None
        body = await asyncio.to_thread(as_json, told, full=who.full)
        return web.Response(body=body, content_type="application/json")


def as_json(told: bytes, *, full: bool) -> bytes:
    """The answer out of what the command printed; ``full`` shows citizens' numbers."""
    found = TruthAnswer.model_validate_json(told).model_dump()
    for one in () if full else found["differences"]:
        if one["what"] in NUMBERS:
            one |= {n: masked(one[n]) for n in ("ledger", "asterisk") if isinstance(one[n], str)}
    return orjson.dumps(found)
