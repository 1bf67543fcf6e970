"""The dialplan's record of a promised call back, ``city/queue/line/number/rank/tries/state/due``, as a fact.

It stands in AstDB, in queue_log (behind the call's id) and in a UserEvent, always in the same words.
"""

from __future__ import annotations

from calls.facts import CallBackMoved, CallId

STATES = ("asked", "standing", "dialling", "talking", "resting", "given-up", "done")


def call_back_of(record: str, call: CallId, at: float, node: str) -> CallBackMoved | None:
    """The fact; None when it is no such record."""
    parts = record.split("/")
    if len(parts) != 8 or parts[6] not in STATES:
        return None
    rank, tries, due = (part if part.isdigit() else "" for part in (parts[4], parts[5], parts[7]))
    if not (rank and tries and due):
        return None
    return CallBackMoved(
        at=at,
        node=node,
        call=call,
        city=parts[0],
        queue=parts[1],
        line=parts[2],
        number=parts[3],
        rank=int(rank),
        tries=int(tries),
        state=parts[6],
        due=float(due),
    )


def record_of(told: CallBackMoved) -> str:
    """The record again."""
    fields = (told.city, told.queue, told.line, told.number, told.rank, told.tries, told.state)
    return "/".join(map(str, (*fields, int(told.due))))
