"""The desk's part of the API in OpenAPI: signing in, every order, the audit trail, the socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from cti.web import audit, notes, orders, sessions

REFERENCE = "#/components/schemas/{model}"
BODIES: dict[str, type[BaseModel]] = {
    "/api/sessions": sessions.SignInBody,
    **{rule.path: rule.body for rule in orders.ORDERS},
}
MODELS: tuple[type[BaseModel], ...] = (
    sessions.SessionAnswer,
    sessions.WhoAnswer,
    orders.DoneAnswer,
    orders.CalledAnswer,
    orders.RevealedAnswer,
    notes.NotedAnswer,
    audit.AuditAnswer,
)
SOCKET = """One WebSocket a client: a snapshot, then numbered changes; docs/socket.md has the contract.

The token comes in the header `Authorization: Bearer …`, or (browsers) as the first message
`{"token": "…"}` within 5 s. Close codes: 4401 no valid token, 4408 the token ended, 1013 too slow."""


def paths() -> Iterator[tuple[str, dict[str, Any]]]:
    """(path, operations) of everything here."""
    yield "/api/sessions", {"post": _post(
        "Sign in: a password or a pin for a token 登录", sessions.SignInBody, sessions.SessionAnswer,
        "201", (400, 401, 409, 429), free=True,
    )}  # fmt: skip
    yield "/api/sessions/renew", {"post": _post(
        "A new token for one that has not ended 续期", None, sessions.SessionAnswer, "201", (401, 403)
    )}  # fmt: skip
    yield (
        "/api/session",
        {"get": _answering("Whose token this is 当前身份", sessions.WhoAnswer, "200", (401,))},
    )
    for rule in orders.ORDERS:
        told = _post(
            f"{rule.summary} · {rule.least} and above",
            rule.body,
            rule.answer,
            "200",
            (400, 401, 403, 404, 409, 503),
        )
        name = {"name": rule.kind, "in": "path", "required": True, "schema": {"type": "string"}}
        yield rule.path, {"post": {"operationId": rule.did, **told, "parameters": [name]}}
    errors = (400, 401, 403, 404, 503)
    yield "/api/duties/note", {"post": _post(
        "A note for the next shift 交班留言 · agent and above", notes.NoteBody, notes.NotedAnswer,
        "200", errors,
    )}  # fmt: skip
    told = _post(
        "A note is done 了结留言 · supervisor and above", orders.SettleBody, orders.DoneAnswer, "200", errors
    )
    name = {"name": "note", "in": "path", "required": True, "schema": {"type": "string"}}
    yield "/api/duties/note/{note}/settle", {"post": {**told, "parameters": [name]}}
    switched = {"101": {"description": "switched to WebSocket"}, "400": {"description": "no WebSocket"}}
    told = {"summary": "The live board 实时看板", "description": SOCKET, "responses": switched}
    yield "/api/socket", {"get": {**told, "security": [{"token": []}, {}]}}


def schema_of(body: type[BaseModel]) -> dict[str, Any]:
    """A body's own schema, whole: two bodies may have the same name."""
    return body.model_json_schema()


def _post(
    summary: str,
    body: type[BaseModel] | None,
    answer: type[BaseModel],
    status: str,
    errors: tuple[int, ...],
    *,
    free: bool = False,
) -> dict[str, Any]:
    told = _answering(summary, answer, status, errors)
    if free:
        told["security"] = []
    if body is not None:
        needed = any(field.is_required() for field in body.model_fields.values())
        content = {"application/json": {"schema": schema_of(body)}}
        told["requestBody"] = {"required": needed, "content": content}
    return told


def _answering(summary: str, answer: type[BaseModel], status: str, errors: tuple[int, ...]) -> dict[str, Any]:
    schema = {"$ref": REFERENCE.format(model=answer.__name__)}
    responses: dict[str, Any] = {
        status: {"description": summary, "content": {"application/json": {"schema": schema}}}
    }
    for error in errors:
        problem = {"$ref": REFERENCE.format(model="Problem")}
        content = {"application/problem+json": {"schema": problem}}
        responses[str(error)] = {"description": WHY[error], "content": content}
    return {"summary": summary, "security": [{"token": []}], "responses": responses}


WHY = {
    400: "a field is wrong",
    401: "no valid token, or a wrong password",
    403: "the role may not, or another city",
    404: "no such seat, call, line, queue, prompt, note",
    409: "refused, and why",
    429: "too many wrong passwords",
    503: "nobody knows whether it was done",
}
