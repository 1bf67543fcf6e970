"""What the phones themselves saw, against the ledger's rows: the third witness.

The phones' log knows nothing of the house but the headers of its INVITEs. A caller who hangs up, or a queue
whose time runs out, while the seat lifts its handset is a race that both may tell differently: such calls are
counted, not compared.

Phones in no queue (``direct``) ring only for callers whom an agent passed on. They know how long somebody was
there, not whether it was the caller or the agent who asks: a ledger may say less talk than they, never more.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
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
class Ring:
    """A phone that rang: a seat's, or a citizen's whom the house called."""

    phone: str
    rang: float
    caller: str = ""
    answered: float | None = None
    ended: float | None = None
    by: str = ""

    @property
    def seat(self) -> str:
        return self.phone.partition("-")[2]

    @property
    def talked(self) -> float:
        """Seconds from lifting the handset to the end; 0 while nobody knows the end."""
        return self.with_caller(None)

    def with_caller(self, left: float | None) -> float:
        """The same, but no longer than to the moment when the caller left: who keys a number just then hears
        of it when the keys are read."""
        if self.answered is None or self.ended is None:
            return 0.0
        return max(0.0, (self.ended if left is None else min(self.ended, left)) - self.answered)


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
    rings: list[Ring] = field(default_factory=list)

    @property
    def first(self) -> Ring | None:
        taken = [r for r in self.rings if r.answered is not None]
        return min(taken, key=lambda r: r.answered or 0, default=None)


@dataclass(slots=True)
class Report:
    calls: int = 0
    rings: int = 0
    races: int = 0
    differences: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Log:
    """What the phones wrote."""

    citizens: list[Seen] = field(default_factory=list)
    """Calls that citizens made, in order."""
    called: list[Ring] = field(default_factory=list)
    """Calls to citizens."""
    seats: dict[str, list[Ring]] = field(default_factory=dict)
    """Rings of seats by CALL_ID."""


def seen(log: Path, since: float = 0.0) -> Log:
    """The phones' log from ``since`` on."""
    calls: dict[str, Seen] = {}
    by_sip: dict[str, Seen] = {}
    rings: dict[str, Ring] = {}
    found = Log()
    with log.open(encoding="utf-8") as lines:
        for raw in lines:
            line = json.loads(raw)
            what, leg = line["what"], line["leg"]
            if what == "sent" and line["kind"] == "citizen" and line["at"] >= since:
                one = calls[leg] = Seen(line["caller"], line["called"], line["at"], line["sip_call"])
                by_sip[one.sip] = one
                found.citizens.append(one)
            elif what == "rings" and line["at"] >= since:
                ring = rings[leg] = Ring(line["phone"], line["at"], line["caller"])
                if line["kind"] == "outside":
                    found.called.append(ring)
                    continue
                found.seats.setdefault(line["call"], []).append(ring)
                if (one_ := by_sip.get(line["caller_sip_call"])) is not None:
                    one_.rings.append(ring)
                    one_.call = one_.call or line["call"]
            elif what == "answered" and leg in rings:
                rings[leg].answered = line["at"]
            elif what == "ended" and leg in rings:
                rings[leg].ended, rings[leg].by = line["at"], line["by"]
            elif what == "ended" and leg in calls:
                calls[leg].ended, calls[leg].by = line["at"], line["by"]
    return found


def compare(
    told: Log,
    calls: Mapping[str, Row],
    visits: Mapping[str, Sequence[Row]],
    stints: Mapping[str, Sequence[Row]],
    direct: Collection[str] = (),
) -> Report:
    """Each citizen's call against the row of the ledger that is it, and no row without a citizen; each call
    back against the phones it rang. ``direct``: seats in no queue."""
    report = Report()
    # a call back of ours was dialled by nobody
    left = {id: row for id, row in calls.items() if not row.get("callback_of")}
    for one in told.citizens:
        report.calls += 1
        report.rings += len(one.rings)
        row = _row_of(one, left)
        if row is None:
            report.differences.append(f"{one.caller} at {one.sent:.3f}: not in the ledger")
            continue
        del left[row["id"]]
        mine = stints.get(row["id"], ())
        differences = [*_differ(one, row, visits.get(row["id"], ()), direct, report)]
        differences += _seats(one.rings, mine, direct, one.ended)
        differences += _colleagues(one, mine, direct)
        report.differences += [f"{row['id']} ({one.caller}): {d}" for d in differences]
    report.differences += [f"{id}: in the ledger, and no phone called" for id in left]
    report.differences += _called(told, calls, stints)
    return report


def _called(told: Log, calls: Mapping[str, Row], stints: Mapping[str, Sequence[Row]]) -> Iterable[str]:
    """Calls back: the seats and the citizens' phones that rang for them."""
    backs = {id: row for id, row in calls.items() if row.get("callback_of")}
    for id, row in backs.items():
        rang = told.seats.get(id, [])
        lifted = min((r for r in rang if r.answered is not None), key=lambda r: r.answered or 0, default=None)
        seat = "" if lifted is None else lifted.seat
        if (row["first_seat"] or "") != seat:
            yield f"{id}: first seat {row['first_seat'] or 'none'}, the phones say {seat or 'none'}"
        yield from (f"{id}: {d}" for d in _seats(rang, stints.get(id, ()), (), None))
        greeted = row["greeted"]
        if greeted is not None and not any(
            r.phone == row["caller"] and r.answered is not None and r.answered - NEAR < greeted
            and (r.ended is None or greeted < r.ended + NEAR) for r in told.called
        ):  # fmt: skip
            yield f"{id}: the citizen answered until {greeted:.3f}, and no phone of that number did"
    for ring in told.called:
        if not any(
            row["caller"] == ring.phone and row["arrived"] - NEAR < ring.rang < (row["ended"] or 0.0) + NEAR
            for row in backs.values()
        ):
            yield f"{ring.phone} at {ring.rang:.3f}: rang, and no call back in the ledger"


def _seats(
    rings: Sequence[Ring], stints: Sequence[Row], direct: Collection[str], left: float | None
) -> Iterable[str]:
    """The seats' parts in a call, which the caller ``left``."""
    queued = [r for r in rings if r.seat not in direct]
    parts = [s for s in stints if s["part"] != "joined"]
    told, there = Counter(s["seat"] for s in parts), Counter(r.seat for r in queued)
    if told != there:
        yield f"rings of {_several(told)} in the ledger, the phones saw {_several(there)}"
    for part in stints:
        if part["answered"] is None:
            continue
        mine = [r for r in rings if r.seat == part["seat"] and r.answered is not None]
        joined = part["part"] == "joined"
        near = [r for r in mine if joined or abs((r.answered or 0) - part["answered"]) < NEAR]
        talk = part["talk"] + part["hold"]
        theirs = [round(r.with_caller(left), 1) for r in near]
        if not any(talk < seconds + NEAR for seconds in theirs):
            yield f"{part['seat']} talked {talk:.1f} s, the phones say {theirs}"
        passed_on = len(queued) != len(rings) or len(stints) > len(parts)
        if not joined and not passed_on and not any(talk > seconds - NEAR for seconds in theirs):
            yield f"{part['seat']} talked {talk:.1f} s, the phones say {theirs}"


def _colleagues(one: Seen, stints: Sequence[Row], direct: Collection[str]) -> Iterable[str]:
    """Who was passed a caller blindly talks to nobody else; such a phone shows the caller's number."""
    joined = Counter(s["seat"] for s in stints if s["part"] == "joined" and s["talk"] + s["hold"] > 0)
    for ring in one.rings:
        if ring.seat in direct and ring.caller == one.caller and ring.talked > NEAR:
            if not joined[ring.seat]:
                yield f"{ring.seat} talked {ring.talked:.1f} s after a blind transfer, in no stint"
            joined[ring.seat] -= 1


def _several(seats: Counter[str]) -> str:
    return " ".join(f"{seat}x{n}" for seat, n in sorted(seats.items())) or "none"


def _row_of(one: Seen, rows: Mapping[str, Row]) -> Row | None:
    if one.call:
        return rows.get(one.call)
    near = (r for r in rows.values() if r["caller"] == one.caller and abs(r["arrived"] - one.sent) < FAR)
    return min(near, key=lambda r: abs(r["arrived"] - one.sent), default=None)


def _differ(
    one: Seen, row: Row, visits: Sequence[Row], direct: Collection[str], report: Report
) -> Iterable[str]:
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
    seat = "" if first is None else first.seat
    if (row["first_seat"] or "") != seat:
        yield f"first seat {row['first_seat'] or 'none'}, the phones say {seat or 'none'}"
    elif first is not None and abs(row["answered"] - (first.answered or 0)) > NEAR:
        yield f"answered {row['answered']:.3f}, the phone says {first.answered:.3f}"
    answered = [v["seat"] for v in visits if v["outcome"] == "answered"]
    lifted_by = [r for r in one.rings if r.answered is not None and r.seat not in direct]
    if answered != [r.seat for r in lifted_by]:
        # as above, in a later visit, or as the caller keyed a way out
        taken = [r.seat for r in lifted_by if r.by != "far" or r.talked >= RACE]
        if answered == taken:
            report.races += 1
        else:
            yield f"visits answered by {answered}, the phones say {[r.seat for r in lifted_by]}"
    agents = [r for r in one.rings if r.answered is not None and r.by == "self" and r.ended is not None]
    agent = any(abs((r.ended or 0) - one.ended) < NEAR for r in agents)
    by = "agent" if agent and one.by == "far" else "system" if one.by == "far" else "caller"
    if agent and row["left_by"] != by and one.by == "self":
        report.races += 1
    elif row["left_by"] != by:
        yield f"left by {row['left_by']}, the phones say {by}"
