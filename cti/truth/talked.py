"""Talks counted again: app_queue's seconds (COMPLETECALLER, COMPLETEAGENT) against a stint's talk and hold.

Where a caller was passed on, or somebody else came in, app_queue's time runs on until the very end, and in a
call back the agent waits while the citizen is rung: such talks only the ledger knows. So it is with a talk
that touched a silence: its row was heard in part, or made from this very file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cti.truth.compare import SLACK, Difference, Truth
from cti.truth.recount import CountedCall, CountedVisit, Recount
from cti.truth.rows import Row

SECOND = 1.0
"""app_queue counts from one whole second to another."""
AROUND = 3.0
"""Seconds around a silence: what was heard then may have died on the way to the disk."""
ENDS = ("talked", "-queue-")
"""Where the dialplan is when agent or caller ended a talk that a queue began."""


def provable(call: CountedCall) -> CountedVisit | None:
    """The visit whose talk queue_log proves; None where it proves none."""
    last = call.visits[-1] if call.visits else None
    if last is None or last is not call.first or last.talked is None or not last.leg:
        return None
    alone = not call.led and not call.callback_of and call.told_by_cdr
    return last if alone and any(end in call.context for end in ENDS) else None


def compare_talks(
    truth: Truth,
    counted: Recount,
    talks: Mapping[str, Row],
    silences: Sequence[tuple[float, float]],
    since: float,
    until: float,
    city: str | None = None,
) -> None:
    """``talks``: the ledger's, by the seat's leg, of calls that arrived in [since, until), a little more at
    either end; ``silences``: when nobody of ours was listening. Differences go into ``truth``."""
    for call in counted.calls.values():
        visit = provable(call)
        if visit is None or city not in (None, call.city) or not since <= call.arrived < until:
            continue
        row = talks.get(visit.leg)
        if row is None:
            truth.differences.append(Difference(call.id, f"talk {visit.seat}", None, visit.talked))
        elif row["source"] != "refilled" and row["ended"] is not None and not _touched(row, silences):
            truth.talks += 1
            told = row["talk"] + row["hold"]
            if abs(told - (visit.talked or 0)) > SECOND + SLACK:
                truth.differences.append(Difference(call.id, f"talk {visit.seat}", told, visit.talked))


def _touched(row: Row, silences: Sequence[tuple[float, float]]) -> bool:
    return any(a - AROUND <= row["ended"] and row["answered"] <= b + AROUND for a, b in silences)
