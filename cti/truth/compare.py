"""The ledger's rows against the recount: every difference, and the figure counted both ways."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cti.truth.recount import SECONDS, CountedCall, CountedVisit, Recount
from cti.truth.rows import Row

SLACK = 0.5
"""Seconds between a line of Asterisk's files and the event that tells the same, on a busy machine."""
HANDLER = 1.0
"""Seconds more for an end: the files are written first, then the dialplan goes on and tells us."""
ONLY_LEDGER = ("greeting's end", "hold", "advice", "talk of callers passed on or called back")
"""What neither file holds: not compared."""


@dataclass(frozen=True, slots=True)
class Difference:
    """``what``: the field. ``call`` is empty for a figure."""

    call: str
    what: str
    ledger: Any
    asterisk: Any

    def told(self) -> dict[str, Any]:
        return {"call": self.call, "what": self.what, "ledger": self.ledger, "asterisk": self.asterisk}


@dataclass(slots=True)
class Truth:
    """``connect_rate`` and ``within_15s`` are the recount's own."""

    calls: int = 0
    visits: int = 0
    offered: int = 0
    answered: int = 0
    within: int = 0
    connect_rate: float | None = None
    within_15s: float | None = None
    ledger_connect_rate: float | None = None
    ledger_within_15s: float | None = None
    differences: list[Difference] = field(default_factory=list)
    refilled: int = 0
    """Rows of the ledger that were made from these very files, and say so."""
    open: int = 0
    """Calls that go on: Asterisk writes their CDR at their end."""
    unprovable: list[str] = field(default_factory=list)
    """Calls an Asterisk died with: it wrote no CDR, so only the ledger knows them. In neither figure."""
    borderline: list[str] = field(default_factory=list)
    """Calls so near to 15 s that the two clocks may say either; in the figures as each side has them."""
    wrap_ups: int = 0
    talks: int = 0
    """Talks that queue_log proves."""
    unheard: list[str] = field(default_factory=list)
    """Calls after which a seat wrapped up in a silence: the ledger says that it does not know how long."""


def compare(
    counted: Recount,
    calls: Mapping[str, Row],
    visits: Mapping[str, Sequence[Row]],
    since: float,
    until: float,
    city: str | None = None,
) -> Truth:
    """Calls that arrived in [since, until), of one city or of all."""
    truth = Truth()
    theirs = (c for c in counted.calls.values() if city in (None, c.city))
    mine = {c.id for c in theirs if _inside(c.arrived, since, until)}
    ours = (r for r in calls.values() if city in (None, r["city"]))
    rows = {str(r["id"]) for r in ours if _inside(r["arrived"], since, until)}
    # a call at the very edge may be inside by one clock and outside by the other: both rows are wanted
    pairs = {id: (counted.calls.get(id), calls.get(id)) for id in sorted(mine | rows)}
    judged: list[tuple[CountedCall, Row]] = []
    kept = {c.callback_of for c in counted.calls.values() if c.reached and _inside(c.arrived, since, until)}
    ours_kept = {r["callback_of"] for r in calls.values() if r.get("callback_of") and _talked_back(r)}
    for id, (call, row) in pairs.items():
        if call is not None and row is not None and call.told_by_cdr:
            _one(truth, call, row, visits.get(id, ()))
            if (id in kept) != (id in ours_kept):
                truth.differences.append(Difference(id, "called back", id in ours_kept, id in kept))
            judged.append((call, row))
        elif row is None:
            if call is not None and (call.told_by_cdr or _over(call)):
                truth.differences.append(Difference(id, "call", None, "in Asterisk's files"))
        elif row["ended"] is None:
            truth.open += 1
        elif _died_with(row, counted.starts):
            truth.unprovable.append(id)
        else:
            truth.differences.append(Difference(id, "call", "in the ledger", None))
    _figures(truth, judged)
    return truth


def _inside(at: float, since: float, until: float) -> bool:
    """The CDR knows whole seconds only, so both clocks are cut to them."""
    return math.floor(since) <= math.floor(at) < math.ceil(until)


def _over(call: CountedCall) -> bool:
    return bool(call.visits) and all(v.outcome in ("lost", "abandoned") for v in call.visits)


def _died_with(row: Row, starts: Iterable[float]) -> bool:
    """Asterisk started anew after this call arrived and before it was noticed to be gone."""
    return row["left_by"] == "unknown" and any(row["arrived"] <= at <= row["ended"] + 60 for at in starts)


def _one(truth: Truth, call: CountedCall, row: Row, visits: Sequence[Row]) -> None:
    truth.calls += 1
    truth.visits += len(call.visits)
    truth.refilled += row["source"] == "refilled"
    truth.refilled += sum(v["source"] == "refilled" for v in visits)
    differ = _Differ(truth, call.id)
    for name in ("line", "original"):
        differ.same(name, row[name], getattr(call, name))
    for name in ("trunk", "called", "caller"):
        if getattr(call, name):
            differ.same(name, row[name], getattr(call, name))
    differ.near("arrived", row["arrived"], call.arrived, 0.0 if call.exact else 1.0)
    differ.near("ended", row["ended"], call.ended, 1.0 + HANDLER)
    differ.same("left_by", row["left_by"], call.left_by)
    differ.same("direction", row.get("direction") or "in", "out" if call.seat else "in")
    if call.seat:
        _called(differ, call, row)
        return
    differ.same("owed", bool(row["owed"]), call.owed)
    first = call.first
    differ.same("first seat", row["first_seat"] or "", "" if first is None else first.seat)
    if first is None or row["answered"] is None:
        differ.same("answered", row["answered"] is not None, first is not None)
    else:
        differ.near("answered", row["answered"], first.answered, 0.0 if first.exact else 1.0)
    if first is None and call.left_by == "caller" and call.offered:
        differ.same("stage", row["stage"], call.stage)
    differ.same("visits", len(visits), len(call.visits))
    for number, (mine, theirs) in enumerate(zip(visits, call.visits, strict=False), 1):
        _visit(differ, f"visit {number} ", mine, theirs)


def _called(differ: _Differ, call: CountedCall, row: Row) -> None:
    """A seat called a citizen."""
    differ.same("seat", row["seat"], call.seat)
    differ.same("callback_of", row["callback_of"], call.callback_of)
    differ.near("answered", row["answered"], call.answered, 0.0)


def _visit(differ: _Differ, name: str, row: Row, visit: CountedVisit) -> None:
    differ.same(name + "queue", row["queue"], visit.queue)
    outcome = "unknown" if visit.outcome == "lost" else visit.outcome
    differ.same(name + "outcome", row["outcome"], outcome)
    differ.same(name + "seat", row["seat"], visit.seat)
    differ.near(name + "joined", row["joined"], visit.joined, 1.0)
    if outcome != "unknown":
        differ.near(name + "left", row["left"], visit.left, 1.0 + HANDLER)
    differ.same(name + "missed", row["declined"], visit.missed)
    for what, seconds in (("waited", visit.waited), ("rang", visit.rang)):
        if seconds is not None:
            differ.near(name + what, row[what], seconds, 1.0)
    if visit.talked is not None:
        differ.near(name + "talked", row["talked"], visit.talked, 1.0)


@dataclass(slots=True)
class _Differ:
    truth: Truth
    call: str

    def same(self, what: str, ledger: Any, asterisk: Any) -> None:
        if ledger != asterisk:
            self.truth.differences.append(Difference(self.call, what, ledger, asterisk))

    def near(self, what: str, ledger: Any, asterisk: Any, resolution: float) -> None:
        if ledger is None or asterisk is None:
            self.same(what, ledger, asterisk)
        elif abs(ledger - asterisk) > resolution + SLACK:
            self.truth.differences.append(Difference(self.call, what, ledger, asterisk))


def _figures(truth: Truth, judged: Sequence[tuple[CountedCall, Row]]) -> None:
    offered = [(c, r) for c, r in judged if c.offered]
    truth.offered = len(offered)
    seconds = [c.seconds for c, _ in offered if c.seconds is not None]
    truth.answered, truth.within = len(seconds), sum(s <= SECONDS for s in seconds)
    truth.connect_rate = truth.answered / truth.offered if offered else None
    truth.within_15s = truth.within / truth.offered if offered else None
    theirs = [_clock(r) for _, r in judged if _row_offered(r)]
    got = [s for s in theirs if s is not None]
    within = sum(s <= SECONDS for s in got)
    truth.ledger_connect_rate = len(got) / len(theirs) if theirs else None
    truth.ledger_within_15s = within / len(theirs) if theirs else None
    for call, row in offered:
        mine, other = call.seconds, _clock(row)
        if mine is None or other is None or (mine <= SECONDS) == (other <= SECONDS):
            continue
        if abs(mine - other) <= call.resolution + SLACK:
            truth.borderline.append(call.id)
    if truth.ledger_connect_rate != truth.connect_rate:
        truth.differences.append(
            Difference("", "connect_rate", truth.ledger_connect_rate, truth.connect_rate)
        )
    if len(theirs) != truth.offered or abs(within - truth.within) > len(truth.borderline):
        truth.differences.append(Difference("", "within_15s", truth.ledger_within_15s, truth.within_15s))


def _row_offered(row: Row) -> bool:
    full = row["cause"] == 34 and row["left_by"] == "system" and row["greeted"] is None
    wrong_number = not row["line"] and bool(row["original"])
    return row["consult_of"] is None and not _ours(row) and not full and not wrong_number


def _ours(row: Row) -> bool:
    """We called the citizen."""
    return bool(row.get("callback_of")) or row.get("direction") == "out"


def _talked_back(row: Row) -> bool:
    return row["greeted"] is not None and row["answered"] is not None


def _clock(row: Row) -> float | None:
    return None if row["answered"] is None else max(0.0, row["answered"] - row["arrived"])
