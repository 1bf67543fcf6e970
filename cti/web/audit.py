"""The audit trail, read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from aiohttp import web
from pydantic import ConfigDict, Field

from calls.audit import Audited, Outcome
from cti.web.answers import Answer, Answered, asked, json_of
from cti.web.api import CallsQuestion, Moment
from cti.web.who import WHO, Role, scope


class AuditQuestion(CallsQuestion):
    """Orders given in [from, to), the newest first."""

    model_config = ConfigDict(extra="forbid", validate_by_alias=True, validate_by_name=False)

    since: Moment | None = Field(default=None, alias="from")
    until: Moment | None = Field(default=None, alias="to")
    who: Annotated[str, Field(max_length=64)] | None = None
    did: Annotated[str, Field(max_length=32)] | None = None
    on: (
        Annotated[
            str, Field(max_length=128, description="'seat 1001', 'line main', a call's id, or a note's")
        ]
        | None
    ) = None
    most: Annotated[int, Field(ge=1, le=1000)] = Field(default=100, alias="limit")


class AuditAnswer(Answer):
    """Who ordered what, when, on whom, and what became of it."""

    id: str
    at: float
    city: str
    who: str
    role: str
    did: str
    on: str
    told: str = Field(description="what was ordered with it, as JSON")
    outcome: Outcome
    why: str
    ended: float | None


Ask = Callable[[AuditQuestion, str | None], Awaitable[Sequence[Audited]]]
"""The rows of a question, in one city or (None) in all. Raises NotNow."""


class AuditDoor:
    """GET /api/audit."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def add(self, app: web.Application) -> None:
        app.router.add_get("/api/audit", self._rows)

    async def _rows(self, request: web.Request) -> web.Response:
        who = request[WHO]
        if not who.may(Role.SUPERVISOR):
            raise Answered(403, f"the audit trail is for supervisors, you are {who.role}")
        question = asked(request, AuditQuestion)
        rows = await self._ask(question, scope(who, question.city))
        return json_of([audit_answer(row) for row in rows])


def audit_answer(row: Audited) -> AuditAnswer:
    return AuditAnswer(**{name: getattr(row, name) for name in AuditAnswer.model_fields})
