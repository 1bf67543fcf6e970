"""What the phones themselves saw, against the ledger's rows: the third witness.

The phones' log knows nothing of the house but the headers of its INVITEs. A caller who hangs up, or a queue
whose time runs out, while the seat lifts its handset is a race that both may tell differently: such calls are
counted, not compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
"""A row of the ledger as SQL gives it."""
NEAR = 2.0
"""Seconds between what a phone and the house say of one moment; refilled rows have whole seconds."""
RACE = 2.0
FAR = 5.0
"""Seconds in which a call with the caller's number is looked for; nobody dials again within them."""


@dataclass(slots=True)
class SeatRing:
    phone: str
    rang: float
    answered: float | None = None
    ended: float | None = None
    by: str = ""


@dataclass(slots=True)
class Seen:
    """One citizen's call."""

    caller: str
    called: str
    sent: float
    sip: str
    ended: float | None = None
    by: str = ""
    call: str = ""
    """CALL_ID, when a seat's phone was told it."""
    rings: list[SeatRing] = field(default_factory=list)

    @property
    def first(self) -> SeatRing | None:
        taken = [r for r in self.rings if r.answered is not None]
        return min(taken, key=lambda r: r.answered or 0, default=None)


@dataclass(slots=True)
class Report:
    calls: int = 0
    rings: int = 0
    races: int = 0
    differences: list[str] = field(default_factory=list)


def seen(log: Path, since: float = 0.0) -> list[Seen]:
    """Citizens' calls of the phones' log that were sent at ``since`` or later, in order."""
    calls: dict[str, Seen] = {}
    by_sip: dict[str, Seen] = {}
    rings: dict[str, SeatRing] = {}
    with log.open(encoding="utf-8") as lines:
        for raw in lines:
            line = json.loads(raw)
            what, leg = line["what"], line["leg"]
            if what == "sent" and line["kind"] == "citizen" and line["at"] >= since:
                one = calls[leg] = Seen(line["caller"], line["called"], line["at"], line["sip_call"])
                by_sip[one.sip] = one
            elif what == "rings" and (one_ := by_sip.get(line["caller_sip_call"])) is not None:
                rings[leg] = SeatRing(line["phone"], line["at"])
                one_.rings.append(rings[leg])
                one_.call = one_.call or line["call"]
            elif what == "answered" and leg in rings:
                rings[leg].answered = line["at"]
            elif what == "ended" and leg in rings:
                rings[leg].ended, rings[leg].by = line["at"], line["by"]
            elif what == "ended" and leg in calls:
                calls[leg].ended, calls[leg].by = line["at"], line["by"]
    return list(calls.values())


def compare(
    told: Iterable[Seen],
    calls: Mapping[str, Row],
    visits: Mapping[str, Sequence[Row]],
) -> Report:
    """Each citizen's call against the row of the ledger that is it; and no row without a citizen."""
    report = Report()
    # a call back of ours was dialled by nobody
    left = {id: row for id, row in calls.items() if not row.get("callback_of")}
    for one in told:
        report.calls += 1
        report.rings += len(one.rings)
        row = _row_of(one, left)
        if row is None:
            report.differences.append(f"{one.caller} at {one.sent:.3f}: not in the ledger")
            continue
        del left[row["id"]]
        report.differences += [f"{row['id']} ({one.caller}): {d}" for d in _differ(one, row, visits, report)]
    report.differences += [f"{id}: in the ledger, and no phone called" for id in left]
    return report


def _row_of(one: Seen, rows: Mapping[str, Row]) -> Row | None:
    if one.call:
        return rows.get(one.call)
    near = (r for r in rows.values() if r["caller"] == one.caller and abs(r["arrived"] - one.sent) < FAR)
    return min(near, key=lambda r: abs(r["arrived"] - one.sent), default=None)


def _differ(one: Seen, row: Row, visits: Mapping[str, Sequence[Row]], report: Report) -> Iterable[str]:
    mine = visits.get(row["id"], ())
    if abs(row["arrived"] - one.sent) > NEAR:
        yield f"arrived {row['arrived']:.3f}, the phone dialled at {one.sent:.3f}"
    if row["called"] != one.called:
        yield f"called {row['called']}, the phone dialled {one.called}"
    if one.ended is None or row["ended"] is None:
        yield f"ended {row['ended']}, the phone says {one.ended}"
        return
    if abs(row["ended"] - one.ended) > NEAR:
        yield f"ended {row['ended']:.3f}, the phone says {one.ended:.3f}"
    first = one.first
    if first is not None and row["answered"] is None:
        lifted = first.answered or 0.0
        # lifted as the caller hung up, or as the queue's time ran out: the house took the phone's call back
        if one.ended - lifted < RACE or (first.by == "far" and (first.ended or lifted) - lifted < RACE):
            report.races += 1
            return
    seat = "" if first is None else first.phone.partition("-")[2]
    if (row["first_seat"] or "") != seat:
        yield f"first seat {row['first_seat'] or 'none'}, the phones say {seat or 'none'}"
    elif first is not None and abs(row["answered"] - (first.answered or 0)) > NEAR:
        yield f"answered {row['answered']:.3f}, the phone says {first.answered:.3f}"
    agents = [r for r in one.rings if r.answered is not None and r.by == "self" and r.ended is not None]
    agent = any(abs((r.ended or 0) - one.ended) < NEAR for r in agents)
    by = "agent" if agent and one.by == "far" else "system" if one.by == "far" else "caller"
    if agent and row["left_by"] != by and one.by == "self":
        report.races += 1
    elif row["left_by"] != by:
        yield f"left by {row['left_by']}, the phones say {by}"
    rung = sum(v["declined"] for v in mine) + sum(v["outcome"] == "answered" for v in mine)
    rung += row["stage"] == "ringing"
    if rung != len(one.rings):
        yield f"{rung} rings in the ledger, the phones saw {len(one.rings)}"
