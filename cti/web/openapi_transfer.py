"""Transfers and hand-off records in OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, TypeAdapter

from cti.web import transfer
from cti.web.api import CallsQuestion
from transfer.handoff import Handoff

REFERENCE = "#/components/schemas/{model}"
MODELS: tuple[type[BaseModel], ...] = (transfer.TransferAnswer,)
WHY = {
    400: "a field is wrong",
    401: "no valid token",
    403: "the role may not, or another seat, another agent's record, another city",
    404: "no such record, or another city's",
    409: "refused, and why",
    503: "not now",
}


def paths() -> Iterator[tuple[str, dict[str, Any]]]:
    """(path, operations) of everything here."""
    record = TypeAdapter(Handoff).json_schema()
    kind = {"type": "string", "description": "what was ordered: to an emergency or utility centre blind is "
            "handoff, consult is three"}  # fmt: skip
    begun = {"type": "object", "properties": {"handoff": {"type": "string"}, "kind": kind},
             "required": ["handoff", "kind"]}  # fmt: skip
    standing: dict[str, Any] = {"$ref": REFERENCE.format(model="TransferAnswer")}
    yield (
        "/api/seats/{city}/{seat}/transfer",
        {"post": _told("What this seat's agent wishes for their caller 转接", begun, ("city", "seat"))
         | _body(transfer.WishQuestion)},
    )  # fmt: skip
    yield (
        "/api/transfers",
        {
            "get": _told("Where talks and transfers stand, and their buttons 转接状态", _list(standing))
            | {"parameters": list(_query(CallsQuestion))}
        },
    )
    yield (
        "/api/handoffs",
        {"get": _told("Hand-off records, the newest first 移交记录", _list(record))
         | {"parameters": list(_query(transfer.HandoffsQuestion))}},
    )  # fmt: skip
    yield (
        "/api/handoffs/{id}",
        {
            "get": _told("One record 移交记录", record, ("id",)),
            "post": _told("Words for a record 补充移交记录", record, ("id",)) | _body(transfer.NoteQuestion),
        },
    )
    sheet = _told("One page to print and sign 移交单", {"type": "string"}, ("id",))
    sheet["responses"]["200"]["content"] = {"text/html": {"schema": {"type": "string"}}}
    yield "/api/handoffs/{id}/sheet", {"get": sheet}
    hook = _told("A centre's computer, signed 中心系统回执", {"type": "object"}, ("city", "centre"))
    # no person with a token: the signature says who it is
    yield "/hooks/centres/{city}/{centre}", {"post": hook | {"security": []}}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _told(summary: str, schema: dict[str, Any], named: tuple[str, ...] = ()) -> dict[str, Any]:
    responses: dict[str, Any] = {
        "200": {"description": summary, "content": {"application/json": {"schema": schema}}}
    }
    for status, why in WHY.items():
        problem = {"application/problem+json": {"schema": {"$ref": REFERENCE.format(model="Problem")}}}
        responses[str(status)] = {"description": why, "content": problem}
    parameters = [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in named]
    return {
        "summary": summary,
        "security": [{"token": []}],
        "parameters": parameters,
        "responses": responses,
    }


def _query(question: type[BaseModel]) -> Iterator[dict[str, Any]]:
    for name, field in question.model_json_schema(by_alias=True)["properties"].items():
        yield {"name": name, "in": "query", "required": False, "schema": field}


def _body(question: type[BaseModel]) -> dict[str, Any]:
    schema = question.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
