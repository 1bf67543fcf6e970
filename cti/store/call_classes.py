"""Of which classes (recordings.toml) calls are, asked of the history as it stands now.

What counts for a call counts for its whole talk: a consultation is part of the call it was made for, and a
call back belongs to the call whose citizen is called back. What is noted of the call back alone (a flag, a
ticket) says nothing of the earlier call.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import (
    CTE,
    ColumnElement,
    String,
    Table,
    and_,
    case,
    column,
    literal,
    or_,
    select,
    true,
    union_all,
    values,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.model import Direction
from cti.store.history import CALLS, FLAGS, HANDOFFS
from cti.store.models import Base
from cti.store.recording_rows import TicketRow
from plan.recordings import CallClass

TICKETS = Base.metadata.tables[TicketRow.__tablename__]
HANDED = '"kind":"handoff"'
"""As the record's JSON has it: quotes inside of a text are escaped there."""


async def classes_of(
    conn: AsyncConnection, calls: Collection[str], names: Collection[CallClass], own: Collection[str]
) -> dict[str, frozenset[CallClass]]:
    """Which of the classes ``names`` each call is of; calls of none are left out. ``own``: the places of
    their city's plan (``plan.recordings.own_places``)."""
    if not calls or not names:
        return {}
    # all calls in one recursion: one for each row of a search costs PostgreSQL half a millisecond
    kin = _kin(calls)
    each = []
    for name in names:
        table, says = _said(name, kin, own)
        each.append(
            select(kin.c.call, literal(name).label("name")).select_from(kin.join(table, says)).distinct()
        )
    known: dict[str, CallClass] = {name: name for name in names}
    found: dict[str, set[CallClass]] = {}
    for row in await conn.execute(union_all(*each)):
        found.setdefault(row.call, set()).add(known[row.name])
    return {call: frozenset(classes) for call, classes in found.items()}


def _said(name: CallClass, kin: CTE, own: Collection[str]) -> tuple[Table, ColumnElement[bool]]:
    """Where it stands that a call is of a class, and which rows say so."""
    match name:
        case "outgoing":
            return CALLS, and_(CALLS.c.id == kin.c.id, CALLS.c.direction == Direction.OUT)
        case "flagged":
            return FLAGS, FLAGS.c.call == kin.c.id
        case "ticketed":
            return TICKETS, TICKETS.c.call == kin.c.id
        case "handed":
            # transfers to seats, units and lines have records too
            h = HANDOFFS.c
            centre = or_(h.direction == "in", h.centre.not_in(sorted(own)), h.row.contains(HANDED))
            return HANDOFFS, and_(h.call == kin.c.id, centre)


def _kin(calls: Collection[str]) -> CTE:
    """(call, id): each of the calls with itself, those it belongs to, and all their consultations."""
    asked = values(column("call", String), name="asked").data([(call,) for call in calls]).cte("asked")
    kin = select(asked.c.call.label("call"), asked.c.call.label("id")).cte("kin", recursive=True)
    # PostgreSQL lets a recursion name itself once: each call found gives three ids
    way = union_all(*(select(literal(n).label("n")) for n in range(3))).subquery("way")
    near = or_(CALLS.c.id == kin.c.id, CALLS.c.consult_of == kin.c.id)
    id = case((way.c.n == 0, CALLS.c.id), (way.c.n == 1, CALLS.c.consult_of), else_=CALLS.c.callback_of)
    step = select(kin.c.call, id).select_from(kin.join(CALLS, near).join(way, true()))
    return kin.union(step.where(id != ""))
