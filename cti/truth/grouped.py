"""The office's rows counted again, from Asterisk's files alone: by line, original number, queue, seat, hour.

A row is right when every count is the same. What neither side can prove (calls an Asterisk died with, calls
that go on) may be in one and not in the other, so a row may differ by as many and no more; near the edge of
an hour, by the calls within a second of it.

A seat's row counts rings. A call that an Asterisk died with may have rung it as often as queue_log says and
once more; a phone that was lifted as the caller left stands in queue_log or not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cti.truth.compare import Difference, Truth
from cti.truth.recount import SECONDS, CountedCall, CountedVisit, Recount

HOUR = 3600
EDGE = 1.0
"""Seconds between two clocks that tell of one arrival."""
OF_CALLS = ("offered", "answered", "within")
OF_VISITS = ("offered", "answered", "timed_out", "key_exit", "withdrawn", "redirected", "overflowed")
OF_SEATS = ("offered", "answered", "missed")
GROUPS: Mapping[str, Sequence[str]] = {
    "line": OF_CALLS,
    "original": OF_CALLS,
    "interval": OF_CALLS,
    "queue": OF_VISITS,
    "seat": OF_SEATS,
}
"""What the office's ledger is asked by, and the counts that Asterisk's files prove of such a row."""
Rows = dict[str, Counter[str]]


def rows(counted: Recount, by: str, since: float, until: float, city: str | None = None) -> Rows:
    """Counts by key, as the ledger names its rows (an interval by its first second)."""
    found: Rows = {}
    for call in counted.calls.values():
        if not since <= call.arrived < until or city not in (None, call.city) or not call.offered:
            continue
        if by == "queue":
            for queue, counts in _of_visits(call.visits):
                found.setdefault(f"{call.city}/{queue}", Counter()).update(counts)
            continue
        if by == "seat":
            for seat, became in call.rings:
                found.setdefault(f"{call.city}/{seat}", Counter()).update(("offered", became))
            continue
        row = found.setdefault(_key(by, call, since), Counter())
        row["offered"] += 1
        row["answered"] += call.seconds is not None
        row["within"] += call.seconds is not None and call.seconds <= SECONDS
    return found


def _key(by: str, call: CountedCall, since: float) -> str:
    if by == "interval":
        return f"{max(since, call.arrived // HOUR * HOUR):.3f}"
    return f"{call.city}/{call.line if by == 'line' else call.original}"


def _of_visits(visits: Sequence[CountedVisit]) -> Iterable[tuple[str, Counter[str]]]:
    for n, visit in enumerate(visits):
        after = visits[n + 1] if n + 1 < len(visits) else None
        said = Counter(offered=int(visit.outcome != "waiting"))
        match visit.outcome:
            case "answered":
                said["answered"] = 1
            case "moved":
                said["redirected"] = 1
            case "withdrawn":
                said["withdrawn" if after is None else "redirected"] = 1
            case "waiting":
                pass
            case how:
                said["timed_out"], said["key_exit"] = int(how == "timeout"), int(how == "key")
                stays = after is None or (how == "key" and after.queue == visit.queue)
                said["overflowed"] = int(not stays)
        yield visit.queue, said


def differences(
    counted: Recount,
    told: Mapping[str, Sequence[Mapping[str, Any]]],
    truth: Truth,
    since: float,
    until: float,
    city: str | None = None,
) -> list[Difference]:
    """``told``: the ledger's own rows by each of ``GROUPS``. One difference for each count that is wrong."""
    unproved = len(truth.unprovable) + truth.open
    rung = _unsure(counted, since, city, unproved)
    wrong: list[Difference] = []
    for by, counts in GROUPS.items():
        mine = rows(counted, by, since, until, city)
        theirs = {_name(by, row): row for row in told[by]}
        for key in sorted(mine.keys() | theirs.keys()):
            near = _near(counted, float(key), since, until, city) if by == "interval" else 0
            for name in counts:
                a, b = int(theirs.get(key, {}).get(name, 0)), mine.get(key, Counter())[name]
                slack = unproved + near + (len(truth.borderline) if name == "within" else 0)
                slack += rung[key] if by == "seat" else 0
                if abs(a - b) > slack:
                    wrong.append(Difference("", f"{by} {key} {name}", a, b))
    return wrong


def _unsure(counted: Recount, since: float, city: str | None, unproved: int) -> Counter[str]:
    """Rings, by seat, that may stand on one side only."""
    found: Counter[str] = Counter()
    for call in counted.calls.values():
        if call.arrived < since or city not in (None, call.city):
            continue
        found.update(f"{call.city}/{visit.lifted}" for visit in call.visits if visit.lifted)
        if unproved and not call.told_by_cdr:
            found.update(f"{call.city}/{seat}" for seat, _ in call.rings)
    return found


def _name(by: str, row: Mapping[str, Any]) -> str:
    return f"{float(row['since']):.3f}" if by == "interval" else str(row["key"])


def _near(counted: Recount, begins: float, since: float, until: float, city: str | None) -> int:
    """Calls that one clock may put into the hour before or after."""
    edges = [e for e in (begins, math.floor(begins / HOUR + 1) * HOUR) if since < e < until]
    mine = [c for c in counted.calls.values() if c.offered and city in (None, c.city)]
    return sum(abs(c.arrived - edge) <= EDGE for c in mine for edge in edges)
