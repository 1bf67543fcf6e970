"""How the web answers: JSON, or a problem that names the field and the remedy (RFC 9457)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cti.errors import NotNow, Refused

log = structlog.get_logger(__name__)

Q = TypeVar("Q", bound=BaseModel)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TITLES = {
    400: "a field is wrong",
    401: "who are you?",
    403: "not for this role",
    404: "not found",
    405: "wrong method",
    409: "refused",
    429: "too often",
    500: "a bug of ours",
    503: "not now",
}


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Problem(Answer):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    field: str | None = Field(default=None, description="which field is wrong, for a 400")


class Answered(Exception):
    """The question is answered with a problem."""

    def __init__(self, status: int, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.field = field


def asked(request: web.Request, question: type[Q]) -> Q:
    """The query string as a question. Raises Answered."""
    repeated = sorted({name for name in request.query if len(request.query.getall(name)) > 1})
    if repeated:
        raise Answered(400, f"{repeated[0]}: told more than once", repeated[0])
    try:
        return question.model_validate(dict(request.query))
    except ValidationError as why:
        raise wrong(why) from None


async def told(request: web.Request, body: type[Q]) -> Q:
    """The JSON body; an empty one is ``{}``. Raises Answered."""
    try:
        return body.model_validate_json(await request.read() or b"{}")
    except ValidationError as why:
        raise wrong(why) from None


def wrong(why: ValidationError) -> Answered:
    first = why.errors(include_url=False)[0]
    field = ".".join(str(x) for x in first["loc"] if isinstance(x, str)) or None
    detail = first["msg"].removeprefix("Value error, ")
    return Answered(400, f"{field}: {detail}" if field else detail, field)


def json_of(told: BaseModel | Sequence[BaseModel], status: int = 200) -> web.Response:
    plain = told.model_dump() if isinstance(told, BaseModel) else [x.model_dump() for x in told]
    return web.Response(body=orjson.dumps(plain), status=status, content_type="application/json")


def problem(status: int, detail: str, field: str | None = None) -> web.Response:
    told = Problem(title=TITLES.get(status, "error"), status=status, detail=detail, field=field)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status in (429, 503):
        headers["Retry-After"] = "2" if status == 503 else "30"
    body = orjson.dumps(told.model_dump(exclude_none=True))
    return web.Response(body=body, status=status, content_type="application/problem+json", headers=headers)


@web.middleware
async def in_problem_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong behind here becomes a problem."""
    try:
        return await handler(request)
    except Answered as why:
        return problem(why.status, str(why), why.field)
    except NotNow as why:
        return problem(503, str(why))
    except Refused as why:
        return problem(409, str(why))
    except web.HTTPException as why:
        if why.status < 400:
            raise
        answer = problem(why.status, f"{request.method} {request.path}: {why.reason}")
        if allow := why.headers.get("Allow"):
            answer.headers["Allow"] = allow
        return answer
    except Exception as why:
        log.exception("request failed", path=request.path, why=repr(why))
        return problem(500, "a bug of ours; the log has it")
