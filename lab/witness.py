"""What the phones themselves saw, against the ledger's rows: the third witness.

The phones' log knows nothing of the house but the headers of its INVITEs. A caller who hangs up, or a queue
whose time runs out, while the seat lifts its handset is a race that both may tell differently, and so is one
whose agent hangs up, too: the phones cannot decide it. Such calls are named (``Race``) with what the ledger
says, for whoever heard Asterisk itself (``lab.referee``).

Phones in no queue (``direct``) ring only for callers whom an agent passes on. How long each phone was with
the caller, and had them on hold, says ``lab.talk``; the ledger's seconds are to be the same, within ``NEAR``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.talk import Ring, Span, Talk, with_caller

Row = Mapping[str, Any]
"""A row of the ledger as SQL gives it."""
NEAR = 2.0
"""Seconds between what a phone and the house say of one moment; refilled rows have whole seconds."""
RACE = 2.0
FAR = 5.0
"""Seconds in which a call with the caller's number is looked for; nobody dials again within them."""


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
class Sums:
    """One seat's answered stints; seconds as the ledger says, and as its phone. A hold that the ledger cannot
    know of (a silence) is counted as talk on both sides."""

    stints: int = 0
    refilled: int = 0
    """Of these, rows that were made from Asterisk's files."""
    talk: float = 0.0
    hold: float = 0.0
    phone_talk: float = 0.0
    phone_hold: float = 0.0


@dataclass(frozen=True, slots=True)
class Race:
    """What the ledger says of a call of which the phones say otherwise, and need not be right."""

    call: str
    answered: tuple[str, ...]
    """The seats that answered, in order."""
    left_by: str = ""
    """Who ended it, when that is what they differ in."""


@dataclass(slots=True)
class Report:
    calls: int = 0
    rings: int = 0
    races: list[Race] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    seats: dict[str, Sums] = field(default_factory=dict)


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
            elif what == "pressed" and leg in rings:
                rings[leg].pressed.append((line["at"], line["key"]))
            elif what in ("held", "resumed") and leg in rings:
                rings[leg].held.append(line["at"])
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
    unheard: Sequence[Span] = (),
) -> Report:
    """Each citizen's call against the row of the ledger that is it, and no row without a citizen; each call
    back against the phones it rang. ``direct``: seats in no queue; ``unheard``: the service's silences."""
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
        differences += _seats(one.rings, mine, direct)
        differences += _talks(one.rings, mine, one.ended, unheard, report)
        report.differences += [f"{row['id']} ({one.caller}): {d}" for d in differences]
    report.differences += [f"{id}: in the ledger, and no phone called" for id in left]
    report.differences += _called(told, calls, stints, report)
    return report


def _called(
    told: Log, calls: Mapping[str, Row], stints: Mapping[str, Sequence[Row]], report: Report
) -> Iterable[str]:
    """Calls back: the seats and the citizens' phones that rang for them."""
    backs = {id: row for id, row in calls.items() if row.get("callback_of")}
    for id, row in backs.items():
        rang = told.seats.get(id, [])
        lifted = min((r for r in rang if r.answered is not None), key=lambda r: r.answered or 0, default=None)
        seat = "" if lifted is None else lifted.seat
        if (row["first_seat"] or "") != seat:
            yield f"{id}: first seat {row['first_seat'] or 'none'}, the phones say {seat or 'none'}"
        mine = stints.get(id, ())
        yield from (f"{id}: {d}" for d in (*_seats(rang, mine, ()), *_talks(rang, mine, None, (), report)))
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


def _seats(rings: Sequence[Ring], stints: Sequence[Row], direct: Collection[str]) -> Iterable[str]:
    """The phones that the call's queues rang."""
    told = Counter(s["seat"] for s in stints if s["part"] != "joined")
    there = Counter(r.seat for r in rings if r.seat not in direct)
    if told != there:
        yield f"rings of {_several(told)} in the ledger, the phones saw {_several(there)}"


def _talks(
    rings: Sequence[Ring], stints: Sequence[Row], left: float | None, unheard: Sequence[Span], report: Report
) -> Iterable[str]:
    """Each seat's time with the caller, who ``left``: one stint, as long as its phone says."""
    open_ = [s for s in stints if s["answered"] is not None]
    for ring in rings:
        talk = with_caller(ring, rings, left)
        near = [s for s in open_ if s["seat"] == ring.seat and _is(s, ring, talk)]
        if not near:
            if talk.total > NEAR:
                yield f"{ring.seat} talked {talk.total:.1f} s, in no stint"
            continue
        stint = min(near, key=lambda s: abs(s["answered"] - (ring.answered or 0.0)))
        open_.remove(stint)
        yield from _same(stint, talk, unheard, report)
    for stint in open_:
        if stint["talk"] + stint["hold"] > NEAR or stint["part"] != "joined":
            yield f"{stint['seat']} talked {stint['talk']:.1f} s and held {stint['hold']:.1f} s, by no phone"


def _is(stint: Row, ring: Ring, talk: Talk) -> bool:
    if ring.answered is None:
        return False
    began: float = stint["answered"]
    if stint["part"] != "joined":
        return abs(began - ring.answered) < NEAR
    return bool(talk.spans) and abs(began - talk.began) < NEAR


def _same(stint: Row, talk: Talk, unheard: Sequence[Span], report: Report) -> Iterable[str]:
    sums = report.seats.setdefault(stint["seat"], Sums())
    sums.stints += 1
    sums.refilled += stint["source"] == "refilled"
    told = {"talk": stint["talk"], "hold": stint["hold"]}
    theirs = {"talk": talk.talk, "hold": talk.hold}
    began, ended = stint["answered"], stint["ended"] or float("inf")
    if any(began < until + NEAR and ended > since - NEAR for since, until in unheard):
        told = {"talk": stint["talk"] + stint["hold"], "hold": 0.0}
        theirs = {"talk": talk.total, "hold": 0.0}
    sums.talk += told["talk"]
    sums.hold += told["hold"]
    sums.phone_talk += theirs["talk"]
    sums.phone_hold += theirs["hold"]
    for what, seconds in told.items():
        if abs(seconds - theirs[what]) > NEAR:
            yield f"{stint['seat']} {what} {seconds:.1f} s, the phone says {theirs[what]:.1f}"


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
    answered = [v["seat"] for v in visits if v["outcome"] == "answered"]
    if first is not None and row["answered"] is None:
        lifted = first.answered or 0.0
        # lifted as the caller hung up, or as the queue's time ran out: the house took the phone's call back
        if one.ended - lifted < RACE or (first.by == "far" and (first.ended or lifted) - lifted < RACE):
            report.races.append(Race(row["id"], tuple(answered)))
            return
    seat = "" if first is None else first.seat
    if (row["first_seat"] or "") != seat:
        yield f"first seat {row['first_seat'] or 'none'}, the phones say {seat or 'none'}"
    elif first is not None and abs(row["answered"] - (first.answered or 0)) > NEAR:
        yield f"answered {row['answered']:.3f}, the phone says {first.answered:.3f}"
    lifted_by = [r for r in one.rings if r.answered is not None and r.seat not in direct]
    if answered != [r.seat for r in lifted_by]:
        # as above, in a later visit, or as the caller keyed a way out
        taken = [r.seat for r in lifted_by if r.by != "far" or r.talked >= RACE]
        if answered == taken:
            report.races.append(Race(row["id"], tuple(answered)))
        else:
            yield f"visits answered by {answered}, the phones say {[r.seat for r in lifted_by]}"
    agents = [r for r in one.rings if r.answered is not None and r.by == "self" and r.ended is not None]
    agent = any(abs((r.ended or 0) - one.ended) < NEAR for r in agents)
    by = "agent" if agent and one.by == "far" else "system" if one.by == "far" else "caller"
    if agent and row["left_by"] != by and one.by == "self":
        report.races.append(Race(row["id"], tuple(answered), row["left_by"]))
    elif row["left_by"] != by:
        yield f"left by {row['left_by']}, the phones say {by}"
