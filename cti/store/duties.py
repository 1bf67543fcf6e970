"""What duties are found in, in the database of history: promises, drafts, and what was settled by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, desc, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.audit import Outcome
from calls.codec import from_dict
from calls.facts import CallId
from calls.model import Call, Direction
from calls.note import ShiftNote
from cti.store.history import AUDIT, CALLS, NOTES, History
from cti.store.recordings import IN_ONE, SPANS
from cti.store.tickets import TICKETS
from queues.duties import ByHand, Drafted, DutyKind

SETTLED = {f"settle-{kind}": kind for kind in DutyKind}
"""What the audit trail calls settling by hand (``cti.web.orders``)."""


class DutyStore:
    """Every method raises NotNow while the database is away. ``older``: also from before ``since`` what is
    open; ``most`` of each, what is open first."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def owed(
        self, since: float, city: str | None = None, most: int = 1000, *, older: bool = False
    ) -> list[Call]:
        """Calls since then that owe a call back, and every answered call of the same callers."""
        recent = CALLS.c.arrived >= since
        mine = [CALLS.c.owed, or_(recent, _not_called_back()) if older else recent]
        if city is not None:
            mine.append(CALLS.c.city == city)
        promised = select(CALLS).where(*mine).order_by(desc(_not_called_back()), CALLS.c.arrived.desc())
        promised = promised.limit(most)

        async def read(conn: AsyncConnection) -> list[Call]:
            rows = (await conn.execute(promised)).mappings().all()
            callers = {row["caller"] for row in rows if row["caller"]}
            ours = or_(CALLS.c.caller.in_(callers), CALLS.c.callback_of.in_([row["id"] for row in rows]))
            talked = select(CALLS).where(ours, CALLS.c.answered.is_not(None), CALLS.c.arrived >= since)
            later = (await conn.execute(talked)).mappings().all() if rows else []
            found = {row["id"]: row for row in (*rows, *later)}
            return [from_dict(Call, dict(row)) for row in found.values()]

        return await self._history.within(read)

    async def drafted(
        self, since: float, city: str | None = None, most: int = 1000, *, older: bool = False
    ) -> list[Drafted]:
        """Calls since then that an agent answered, that are over, and whose caller's words were written
        down: those without a ticket first, then the newest. Without words a draft holds nothing that the
        call's own row does not."""
        number = func.min(TICKETS.c.number).label("number")
        made = func.min(TICKETS.c.made).label("made")
        first = select(TICKETS.c.call, number, made).group_by(TICKETS.c.call).subquery()
        recent = CALLS.c.arrived >= since
        unsent = and_(first.c.number.is_(None), CALLS.c.id.not_in(_by_hand(DutyKind.DRAFT)))
        mine = [
            or_(recent, unsent) if older else recent,
            CALLS.c.answered.is_not(None),
            CALLS.c.ended.is_not(None),
            CALLS.c.consult_of.is_(None),
            CALLS.c.direction == Direction.IN,
            exists().where(SPANS.c.leg == CALLS.c.leg, SPANS.c.text != ""),
        ]
        if city is not None:
            mine.append(CALLS.c.city == city)
        wanted = (
            select(CALLS, first.c.number, first.c.made)
            .outerjoin(first, first.c.call == CALLS.c.id)
            .where(*mine)
            .order_by(desc(unsent), CALLS.c.arrived.desc())
            .limit(most)
        )

        async def read(conn: AsyncConnection) -> list[Drafted]:
            found = []
            for row in (await conn.execute(wanted)).mappings():
                told = dict(row)
                ticket, at = told.pop("number"), told.pop("made")
                found.append(Drafted(from_dict(Call, told), ticket, at))
            return found

        return await self._history.within(read)

    async def notes(
        self, since: float, city: str | None = None, most: int = 1000, *, older: bool = False
    ) -> list[ShiftNote]:
        """What shifts wrote since then."""
        unread = NOTES.c.id.not_in(_by_hand(DutyKind.NOTE))
        recent = NOTES.c.at >= since
        wanted = select(NOTES).where(or_(recent, unread) if older else recent)
        if city is not None:
            wanted = wanted.where(NOTES.c.city == city)
        wanted = wanted.order_by(desc(unread), NOTES.c.at.desc()).limit(most)

        async def read(conn: AsyncConnection) -> list[ShiftNote]:
            return [from_dict(ShiftNote, dict(row)) for row in (await conn.execute(wanted)).mappings()]

        return await self._history.within(read)

    async def note(self, id: str) -> ShiftNote | None:
        """The one with this id."""
        wanted = select(NOTES).where(NOTES.c.id == id)

        async def read(conn: AsyncConnection) -> ShiftNote | None:
            row = (await conn.execute(wanted)).mappings().first()
            return None if row is None else from_dict(ShiftNote, dict(row))

        return await self._history.within(read)

    async def done_before(self, before: float) -> list[ShiftNote]:
        """Some of those that somebody settled before then; empty: there is none."""
        done = _by_hand(DutyKind.NOTE).where(AUDIT.c.at < before)
        wanted = select(NOTES).where(NOTES.c.id.in_(done)).limit(IN_ONE)

        async def read(conn: AsyncConnection) -> list[ShiftNote]:
            return [from_dict(ShiftNote, dict(row)) for row in (await conn.execute(wanted)).mappings()]

        return await self._history.within(read)

    async def forget(self, notes: Sequence[ShiftNote]) -> None:
        """Delete these, as many as ``done_before`` gives."""
        mine = delete(NOTES).where(NOTES.c.id.in_([note.id for note in notes]))

        async def write(conn: AsyncConnection) -> None:
            await conn.execute(mine)

        await self._history.within(write)

    async def by_hand(self, calls: Sequence[str]) -> dict[tuple[DutyKind, CallId], ByHand]:
        """Which duties of these calls and notes somebody settled by hand: the audit trail has it."""
        wanted = select(AUDIT).where(AUDIT.c.did.in_(SETTLED), AUDIT.c.outcome == Outcome.DONE)

        async def read(conn: AsyncConnection) -> dict[tuple[DutyKind, CallId], ByHand]:
            found = {}
            for at in range(0, len(calls), IN_ONE):
                some = wanted.where(AUDIT.c.on.in_(calls[at : at + IN_ONE]))
                for row in (await conn.execute(some)).mappings():
                    reason = str(json.loads(row["told"] or "{}").get("reason", ""))
                    found[SETTLED[row["did"]], CallId(row["on"])] = ByHand(row["at"], row["who"], reason)
            return found

        return await self._history.within(read)


def _not_called_back() -> ColumnElement[bool]:
    """Nobody has talked with that number since, as ``queues.duties.call_backs`` finds it, nor settled it. A
    withheld number is many people."""
    talk, back = CALLS.alias(), CALLS.alias()
    since = func.coalesce(CALLS.c.ended, CALLS.c.since)
    talked = exists().where(
        talk.c.caller == CALLS.c.caller,
        talk.c.city == CALLS.c.city,
        talk.c.answered > since,
        talk.c.consult_of.is_(None),
        talk.c.callback_of == "",
    )
    kept = select(back.c.callback_of).where(back.c.callback_of != "", back.c.greeted.is_not(None))
    return and_(
        or_(CALLS.c.caller.in_(("", "anonymous")), ~talked),
        CALLS.c.id.not_in(kept.where(back.c.answered.is_not(None))),
        CALLS.c.id.not_in(_by_hand(DutyKind.CALL_BACK)),
    )


def _by_hand(kind: DutyKind) -> Select[Any]:
    return select(AUDIT.c.on).where(AUDIT.c.did == f"settle-{kind}", AUDIT.c.outcome == Outcome.DONE)
