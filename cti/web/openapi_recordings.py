"""Recordings, transcripts, drafts and tickets in OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from cti.web import flags, recordings, tickets

REFERENCE = "#/components/schemas/{model}"
MODELS: tuple[type[BaseModel], ...] = (
    recordings.RecordingAnswer,
    recordings.AlarmAnswer,
    recordings.WaveformAnswer,
    recordings.TranscriptAnswer,
    recordings.RecordingDone,
    flags.FlagAnswer,
    tickets.DraftAnswer,
    tickets.TicketAnswer,
)
WHY = {
    400: "a field is wrong",
    401: "no valid token",
    403: "the role may not, or another city",
    404: "no such call, recording, ticket",
    409: "refused, and why",
    416: "no such range",
    503: "not now",
}
ALL = (400, 401, 403, 404, 503)


def paths() -> Iterator[tuple[str, dict[str, Any]]]:
    """(path, operations) of everything here."""
    r, t = recordings, tickets
    yield "/api/recordings", {"get": _get("Recordings, and where words were said 录音检索", r.RecordingAnswer,
                                          r.RecordingsQuestion, many=True)}  # fmt: skip
    yield (
        "/api/recordings/alarms",
        {"get": _get("Recordings that are missing 录音告警", r.AlarmAnswer, r.AlarmsQuestion, many=True)},
    )
    yield "/api/recordings/{leg}/audio", {"get": _sound("Listen to one leg 收听", r.PurposeQuestion, "leg")}
    yield (
        "/api/recordings/{leg}/waveform",
        {"get": _get("Its waveform 波形", r.WaveformAnswer, r.PointsQuestion, "leg")},
    )
    svg = _sound("Its waveform as a picture 波形图", None, "leg")
    svg["responses"]["200"]["content"] = {"image/svg+xml": {"schema": {"type": "string"}}}
    yield "/api/recordings/{leg}/waveform.svg", {"get": svg}
    yield (
        "/api/calls/{call}/transcript",
        {"get": _get("What was said, also while it is said 转写", r.TranscriptAnswer, None, "call")},
    )
    yield (
        "/api/calls/{call}/flags",
        {"get": _get("Red flags in what was said 红旗", flags.FlagAnswer, None, "call", many=True)},
    )
    yield "/api/calls/{call}/mix", {"get": _sound("Both sides in one wav 混音", r.MixQuestion, "call")}
    export = _sound("Both sides, after a notice of confidentiality 导出", None, "call")
    yield "/api/calls/{call}/export", {"post": export | _body(r.ExportBody)}
    for did, summary, body in (
        ("mask", "Keep what is said now out of the recordings 录音屏蔽", r.MaskBody),
        ("hold", "Keep this call's recordings for the law 法律留存", r.PurposeBody),
        ("release", "End the hold 解除留存", r.PurposeBody),
    ):
        yield f"/api/calls/{{call}}/{did}", {"post": _post(summary, body, r.RecordingDone, "200", "call")}
    yield (
        "/api/calls/{call}/draft",
        {
            "get": _get("The draft of a ticket, also while they talk 工单草稿", t.DraftAnswer, None, "call"),
            "post": _post(
                "What the agent typed; it stays 话务员填写", t.TypedBody, t.DraftAnswer, "200", "call"
            ),
        },
    )
    yield (
        "/api/tickets",
        {
            "get": _get("Tickets of a call 通话的工单", t.TicketAnswer, t.TicketsQuestion, many=True),
            "post": _post(
                "Accept the draft as a numbered ticket 生成工单", t.TicketBody, t.TicketAnswer, "201"
            ),
        },
    )
    yield "/api/tickets/{number}", {"get": _get("One ticket 工单", t.TicketAnswer, None, "number")}


def _get(
    summary: str,
    answer: type[BaseModel],
    question: type[BaseModel] | None = None,
    named: str = "",
    *,
    many: bool = False,
) -> dict[str, Any]:
    schema: dict[str, Any] = {"$ref": REFERENCE.format(model=answer.__name__)}
    if many:
        schema = {"type": "array", "items": schema}
    return _told(summary, {"application/json": {"schema": schema}}, question, named)


def _post(
    summary: str, body: type[BaseModel], answer: type[BaseModel], status: str, named: str = ""
) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": REFERENCE.format(model=answer.__name__)}}}
    told = _told(summary, content, None, named, status=status, errors=(*ALL, 409))
    return told | _body(body)


def _sound(summary: str, question: type[BaseModel] | None, named: str) -> dict[str, Any]:
    content = {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}
    told = _told(summary, content, question, named, errors=(*ALL, 416))
    told["responses"]["206"] = {"description": "the range asked for", "content": content}
    return told


def _told(
    summary: str,
    content: dict[str, Any],
    question: type[BaseModel] | None,
    named: str,
    *,
    status: str = "200",
    errors: tuple[int, ...] = ALL,
) -> dict[str, Any]:
    responses: dict[str, Any] = {status: {"description": summary, "content": dict(content)}}
    for error in errors:
        problem = {"application/problem+json": {"schema": {"$ref": REFERENCE.format(model="Problem")}}}
        responses[str(error)] = {"description": WHY[error], "content": problem}
    parameters: list[dict[str, Any]] = []
    if named:
        parameters.append({"name": named, "in": "path", "required": True, "schema": {"type": "string"}})
    if question is not None:
        schema = question.model_json_schema(by_alias=True)
        for name, field in schema["properties"].items():
            needed = name in schema.get("required", ())
            parameters.append({"name": name, "in": "query", "required": needed, "schema": field})
    return {"summary": summary, "security": [{"token": []}], "parameters": parameters, "responses": responses}


def _body(body: type[BaseModel]) -> dict[str, Any]:
    needed = any(field.is_required() for field in body.model_fields.values())
    content = {"application/json": {"schema": body.model_json_schema()}}
    return {"requestBody": {"required": needed, "content": content}}
