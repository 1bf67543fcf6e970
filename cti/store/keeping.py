"""What the journal is told: every fact with its call, and beside it the rows it changed.

Facts make the story and the picture again; rows make history. Both stand in one file in one order, so
history needs no second reading of what the facts meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from calls.audit import Audited
from calls.codec import VERSION, Unknown, fact_from_dict, fact_to_dict, from_dict, to_dict
from calls.facts import CallId, Fact
from calls.model import Call
from calls.note import ShiftNote
from cti.store.records import Record
from queues.stint import Stint
from queues.visit import Visit
from recording.flagged import Flag
from transfer.handoff import Handoff

log = structlog.get_logger(__name__)


def fact_record(fact: Fact, call: CallId | None) -> dict[str, Any]:
    return {"what": "fact", "of": call, **fact_to_dict(fact)}


def call_record(call: Call) -> dict[str, Any]:
    return {"what": "call", "v": VERSION, "of": call.id, "row": to_dict(call)}


def visit_record(visit: Visit) -> dict[str, Any]:
    return {"what": "visit", "v": VERSION, "of": visit.call, "row": to_dict(visit)}


def stint_record(stint: Stint) -> dict[str, Any]:
    return {"what": "stint", "v": VERSION, "of": stint.call, "row": to_dict(stint)}


def audit_record(row: Audited) -> dict[str, Any]:
    return {"what": "audit", "v": VERSION, "of": row.id, "row": to_dict(row)}


def handoff_record(row: Handoff) -> dict[str, Any]:
    return {"what": "handoff", "v": VERSION, "of": row.call, "row": to_dict(row)}


def flag_record(row: Flag) -> dict[str, Any]:
    return {"what": "flag", "v": VERSION, "of": row.call, "row": to_dict(row)}


def note_record(row: ShiftNote) -> dict[str, Any]:
    return {"what": "note", "v": VERSION, "of": row.id, "row": to_dict(row)}


@dataclass(frozen=True, slots=True)
class Open:
    """What was open when a segment began. ``silences``: from when to when nobody heard, seconds since the
    epoch, as far as their calls are not all put right."""

    calls: Sequence[Call] = ()
    visits: Sequence[Visit] = ()
    flags: Sequence[Flag] = ()
    handoffs: Sequence[Handoff] = ()
    silences: Sequence[tuple[float, float]] = ()


def open_record(now: Open) -> dict[str, Any]:
    return {
        "what": "open",
        "v": VERSION,
        "calls": [to_dict(c) for c in now.calls],
        "visits": [to_dict(v) for v in now.visits],
        "flags": [to_dict(x) for x in now.flags],
        "handoffs": [to_dict(h) for h in now.handoffs],
        "silences": list(now.silences),
    }


def records(
    fact: Fact,
    call: CallId | None,
    calls: Sequence[Call],
    visits: Sequence[Visit],
    stints: Sequence[Stint] = (),
) -> Iterator[dict[str, Any]]:
    """The records of one fact, in the order they are written."""
    yield fact_record(fact, call)
    for row in calls:
        yield call_record(row)
    for visit in visits:
        yield visit_record(visit)
    for stint in stints:
        if stint.ended is not None:  # while it goes on, the facts tell it
            yield stint_record(stint)


def fact_of(record: Record) -> Fact | None:
    """The fact of a record; None when it holds something else or cannot be read (then it is logged)."""
    if record.told.get("what") != "fact":
        return None
    try:
        return fact_from_dict(record.told)
    except Unknown as why:
        log.error("journal fact cannot be read", at=str(record.at), why=str(why))
        return None


def opened(record: Record) -> Open | None:
    """What a segment begins with; None when the record is something else."""
    if record.told.get("what") != "open":
        return None
    try:
        told = record.told
        return Open(
            [from_dict(Call, row) for row in told["calls"]],
            [from_dict(Visit, row) for row in told["visits"]],
            # older versions wrote none of these
            [from_dict(Flag, row) for row in told.get("flags", ())],
            [from_dict(Handoff, row) for row in told.get("handoffs", ())],
            [(float(since), float(until)) for since, until in told.get("silences", ())],
        )
    except (Unknown, KeyError) as why:
        log.error("journal checkpoint cannot be read", at=str(record.at), why=str(why))
        return None
