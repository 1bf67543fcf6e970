"""Wrap-ups counted again from queue_log: a pause whose reason says so, until the seat is ready, paused for
something else, or signed out. Each belongs to the talk that ended when it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cti.truth.compare import HANDLER, SLACK, Difference, Truth
from cti.truth.files import QueueLine
from cti.truth.rows import Row

PAUSE = "wrapup:"
SECOND = 1.0
"""The file has whole seconds."""
EDGE = 5.0
"""Seconds at either end of the time asked about in which a talk may stand outside of it."""
AROUND = 3.0
"""Seconds around a silence: what was heard then may have died on the way to the disk."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Seconds since the epoch; ``ended`` None: it goes on where the file ends."""

    city: str
    seat: str
    began: float
    ended: float | None = None


@dataclass(slots=True)
class _Seat:
    queues: set[str] = field(default_factory=set)
    """Those it was seen to sit in."""
    now: Wrapped | None = None


def wrap_ups(log: Iterable[QueueLine]) -> list[Wrapped]:
    """Every wrap-up this file holds, in the order in which they ended."""
    seats: dict[str, _Seat] = {}
    found: list[Wrapped] = []
    for line in log:
        city, _, name = line.agent.partition("-")
        seat = seats.setdefault(line.agent, _Seat())
        reason = line.data[0] if line.data else ""
        over = line.event == "UNPAUSE" or (line.event == "PAUSE" and not reason.startswith(PAUSE))
        if line.event == "REMOVEMEMBER":
            seat.queues.discard(line.queue)
            over = not seat.queues
        elif line.event in ("ADDMEMBER", "PAUSE", "UNPAUSE"):
            seat.queues.add(line.queue)
        if over and seat.now is not None:
            found.append(replace(seat.now, ended=float(line.at)))
            seat.now = None
        elif line.event == "PAUSE" and not over and seat.now is None:
            seat.now = Wrapped(city, name, float(line.at))
    return [*found, *(seat.now for seat in seats.values() if seat.now is not None)]


def compare_wrap_ups(
    truth: Truth,
    counted: Sequence[Wrapped],
    stints: Sequence[Row],
    silences: Sequence[tuple[float, float]],
    since: float,
    until: float,
    city: str | None = None,
) -> None:
    """``stints``: the ledger's rows of talks that ended in [since, until), a little more at either end;
    ``silences``: when nobody of ours was listening. Differences, and what is labelled, go into ``truth``."""
    mine = [w for w in counted if city in (None, w.city)]
    rows = [row for row in stints if city in (None, row["city"])]
    pairs = _pairs(mine, rows)
    for row in rows:
        wrap = pairs.get(str(row["leg"]))
        if since <= row["ended"] < until:
            _one(truth, row, wrap, silences)
    belong = set(pairs.values())
    for wrap in mine:
        if wrap not in belong and since + EDGE <= wrap.began < until - EDGE:
            truth.differences.append(Difference("", f"wrap-up {wrap.seat}", None, _seconds(wrap)))


def _pairs(counted: Sequence[Wrapped], rows: Sequence[Row]) -> Mapping[str, Wrapped]:
    """Each wrap-up to the talk of its seat that ended nearest to its first second, by that talk's leg."""
    near = [
        (
            max(wrap.began - row["ended"], row["ended"] - wrap.began - SECOND, 0.0),
            row["wrap_up"] is None,
            str(row["leg"]),
            wrap,
        )
        for wrap in counted
        for row in rows
        if (row["city"], row["seat"]) == (wrap.city, wrap.seat)
    ]
    pairs: dict[str, Wrapped] = {}
    taken: set[Wrapped] = set()
    for apart, _, leg, wrap in sorted(near, key=lambda one: one[:3]):
        if apart <= HANDLER + SLACK and leg not in pairs and wrap not in taken:
            pairs[leg] = wrap
            taken.add(wrap)
    return pairs


def _one(truth: Truth, row: Row, wrap: Wrapped | None, silences: Sequence[tuple[float, float]]) -> None:
    told, call, what = row["wrap_up"], str(row["call"]), f"wrap-up {row['seat']}"
    if wrap is None:
        if told is not None:
            truth.differences.append(Difference(call, what, told, None))
        return
    truth.wrap_ups += 1
    seconds = _seconds(wrap)
    if seconds is None or wrap.ended is None:
        if told is not None:
            truth.differences.append(Difference(call, what, told, None))
    elif told is not None:
        # both ends are cut to the second
        if abs(told - seconds) > SECOND + SLACK:
            truth.differences.append(Difference(call, what, told, seconds))
    elif any(a - AROUND <= wrap.ended and wrap.began <= b + AROUND for a, b in silences):
        truth.unheard.append(call)
    else:
        truth.differences.append(Difference(call, what, None, seconds))


def _seconds(wrap: Wrapped) -> Any:
    return None if wrap.ended is None else wrap.ended - wrap.began
