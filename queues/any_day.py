"""Any continuous 24 hours: the worst window of all that fit into a time, not the worst calendar day."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from calls.model import Call
from queues.counted import in_time, offered

DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """The window [since, since + 24 h) with the lowest figure. Windows without calls have no figure."""

    since: float
    until: float
    offered: int
    answered: int
    within: int
    connect_rate: float
    within_15s: float


def worst_window(
    calls: Iterable[Call], since: float, until: float, of: str = "within_15s", span: float = DAY
) -> Worst | None:
    """The worst of all windows of ``span`` seconds inside [since, until): every moment may begin one.

    None when none of them holds an offered call, or the time is shorter than a window.
    ``of``: ``within_15s`` or ``connect_rate``.
    """
    mine = sorted((c for c in calls if offered(c) and since <= c.arrived < until), key=lambda c: c.arrived)
    last = until - span
    if last < since:
        return None
    times = [c.arrived for c in mine]
    # as the beginning moves on, a call leaves just after its arrival and enters just after arrival - span
    moves = sorted(
        {since, *(t for t in times if t < last), *(t - span for t in times if since <= t - span < last)}
    )
    low = high = answered = within = 0
    worst: Worst | None = None
    for n, move in enumerate([None, *moves]):
        # the first round is the window that begins at ``since`` exactly, the others begin just after a move
        begin = since if move is None else math.nextafter(move, math.inf)
        if begin > last:
            break
        while high < len(mine) and times[high] < begin + span:
            answered += mine[high].answered is not None
            within += in_time(mine[high])
            high += 1
        while low < high and times[low] < begin:
            answered -= mine[low].answered is not None
            within -= in_time(mine[low])
            low += 1
        if low == high:
            continue
        rates = {"connect_rate": answered / (high - low), "within_15s": within / (high - low)}
        if worst is None or rates[of] < getattr(worst, of):
            # any beginning up to the next move has the same calls: the latest is told, it is a round one
            at = since if move is None else (moves[n] if n < len(moves) else last)
            worst = Worst(
                since=at, until=at + span, offered=high - low, answered=answered, within=within, **rates
            )
    return worst
