"""The API described in OpenAPI 3.1, built from the same types that answer."""

from __future__ import annotations

from typing import Any

from apispec import APISpec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cti.web import (
    api,
    audit,
    ledger,
    openapi_desk,
    openapi_recordings,
    openapi_transfer,
    roster,
    staffing,
    truth,
)

REFERENCE = "#/components/schemas/{model}"

ANSWERS: tuple[type[BaseModel], ...] = (
    api.CallAnswer,
    api.SeatAnswer,
    api.QueueAnswer,
    api.StoryAnswer,
    api.HealthAnswer,
    ledger.LedgerAnswer,
    ledger.RefillAnswer,
    ledger.RefillQuestion,
    staffing.ShortfallAnswer,
    staffing.DutyAnswer,
    roster.RosterAnswer,
    truth.TruthAnswer,
    api.Problem,
    *openapi_desk.MODELS,
    *openapi_recordings.MODELS,
    *openapi_transfer.MODELS,
)

PATHS: tuple[tuple[str, str, type[BaseModel] | None, type[BaseModel], bool, tuple[int, ...]], ...] = (
    ("/api/calls", "Calls in progress 进行中的通话", api.CallsQuestion, api.CallAnswer, True, (400,)),
    ("/api/calls/{call}", "One call, live or past 一次通话", None, api.CallAnswer, False, (404, 503)),
    (
        "/api/calls/{call}/story",
        "One call as prose 通话经过",
        api.StoryQuestion,
        api.StoryAnswer,
        False,
        (400, 404, 503),
    ),
    ("/api/seats", "Seats 座席", api.CallsQuestion, api.SeatAnswer, True, (400,)),
    ("/api/queues", "Queues 队列", api.CallsQuestion, api.QueueAnswer, True, (400,)),
    ("/api/history/calls", "Past calls 历史通话", api.HistoryQuestion, api.CallAnswer, True, (400, 503)),
    (
        "/api/ledger",
        "The office's figures 台账",
        ledger.LedgerQuestion,
        ledger.LedgerAnswer,
        False,
        (400, 503),
    ),
    (
        "/api/shortfalls",
        "Queues with too few people now 在席不足",
        api.CallsQuestion,
        staffing.ShortfallAnswer,
        True,
        (400, 503),
    ),
    (
        "/api/roster",
        "Holes before they happen, the need by interval 排班检查",
        roster.RosterQuestion,
        roster.RosterAnswer,
        False,
        (400, 404, 429),
    ),
    (
        "/api/truth",
        "The figures recounted from Asterisk's own files, and each difference 复核",
        truth.TruthQuestion,
        truth.TruthAnswer,
        False,
        (400, 429, 503),
    ),
    (
        "/api/duties",
        "What a shift hands over 交接班事项",
        staffing.DutiesQuestion,
        staffing.DutyAnswer,
        True,
        (400, 503),
    ),
    ("/api/audit", "Who ordered what 操作日志", audit.AuditQuestion, audit.AuditAnswer, True, (400, 503)),
)
"""(path, summary, question, answer, many, which errors besides 401 and 403)."""

ERRORS = {
    400: "a field is wrong",
    401: "no valid token",
    403: "the token's role may not",
    404: "no such call, or no roster",
    409: "refused, and why",
    429: "one at a time: ask again when it has ended",
    503: "not now",
}


def document(version: str) -> dict[str, Any]:
    """The whole description."""
    spec = APISpec(
        title="hotline12345",
        version=version,
        openapi_version="3.1.0",
        info={"description": "12345 政务热线话务系统 · 12345 citizen hotline"},
    )
    _, schemas = models_json_schema([(m, "serialization") for m in ANSWERS], ref_template=REFERENCE)
    for name, schema in schemas["$defs"].items():
        spec.components.schema(name, schema)
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    for path, summary, question, answer, many, errors in PATHS:
        spec.path(path, operations={"get": _operation(path, summary, question, answer, many, errors)})
    spec.path("/api/ledger/refill", operations={"post": _order()})
    further = (*openapi_desk.paths(), *openapi_recordings.paths(), *openapi_transfer.paths())
    for path, operations in further:
        spec.path(path, operations=operations)
    health = {"description": "every part by itself", "content": _json(_reference(api.HealthAnswer))}
    answers = {"200": health, "503": health}
    spec.path("/healthz", operations={"get": {"summary": "Ready? 就绪检查", "responses": answers}})
    text = {"description": "Prometheus text", "content": {"text/plain": {"schema": {"type": "string"}}}}
    spec.path("/metrics", operations={"get": {"summary": "Figures 指标", "responses": {"200": text}}})
    described: dict[str, Any] = spec.to_dict()
    return described


def _operation(
    path: str,
    summary: str,
    question: type[BaseModel] | None,
    answer: type[BaseModel],
    many: bool,
    errors: tuple[int, ...],
) -> dict[str, Any]:
    schema = _reference(answer)
    if many:
        schema = {"type": "array", "items": schema}
    parameters: list[dict[str, Any]] = []
    if "{call}" in path:
        parameters.append({"name": "call", "in": "path", "required": True, "schema": {"type": "string"}})
    if question is not None:
        for name, field in question.model_json_schema(by_alias=True)["properties"].items():
            parameters.append({"name": name, "in": "query", "required": False, "schema": field})
    responses: dict[str, Any] = {"200": {"description": summary, "content": _json(schema)}}
    for status in sorted({401, 403, *errors}):
        responses[str(status)] = {
            "description": ERRORS[status],
            "content": {"application/problem+json": {"schema": _reference(api.Problem)}},
        }
    return {"summary": summary, "security": [{"token": []}], "parameters": parameters, "responses": responses}


def _order() -> dict[str, Any]:
    told = _operation(
        "", "Put right what nobody heard 补录", None, ledger.RefillAnswer, False, (400, 409, 503)
    )
    del told["parameters"]
    return told | {"requestBody": {"required": True, "content": _json(_reference(ledger.RefillQuestion))}}


def _reference(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
