"""Tickets in the database of history, numbered by city and day without a gap or a double; what agents typed
into drafts that are no ticket yet."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.codec import from_dict, to_dict
from cti.errors import Broken, NotNow
from cti.store.history import History
from cti.store.models import Base
from cti.store.recording_rows import RecordingRow, TicketRow, TypedRow
from recording.filed import Heard
from recording.table import State
from recording.ticket import Ticket, numbered

TICKETS = Base.metadata.tables[TicketRow.__tablename__]
TYPED = Base.metadata.tables[TypedRow.__tablename__]
RECORDINGS = Base.metadata.tables[RecordingRow.__tablename__]
TRIES = 5
TYPED_KEPT = 30 * 86_400.0
"""Seconds until what was typed for a ticket that was never made is forgotten."""


class TicketStore:
    """Every method raises NotNow while the database is away."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def make(self, city: str, day: str, ticket: Callable[[str], Ticket]) -> Ticket:
        """Give the next number of this city and day to ``ticket`` and keep it; its call's typed fields go."""
        prefix = f"{city}-{day}-"
        last = select(TICKETS.c.number).where(TICKETS.c.number.startswith(prefix, autoescape=True))

        async def write(conn: AsyncConnection) -> Ticket:
            newest = (await conn.execute(last.order_by(TICKETS.c.number.desc()).limit(1))).scalar()
            made = ticket(numbered(city, day, newest))
            await conn.execute(insert(TICKETS).values(to_dict(made)))
            await conn.execute(delete(TYPED).where(TYPED.c.call == made.call))
            return made

        for _ in range(TRIES):
            try:
                return await self._history.within(write)
            except Broken:
                continue  # another service took this number meanwhile: the key is the judge
        raise NotNow("no ticket number could be had; try again")

    async def one(self, number: str) -> Ticket | None:
        found = await self._rows(TICKETS.c.number == number)
        return found[0] if found else None

    async def of_call(self, call: str) -> list[Ticket]:
        return await self._rows(TICKETS.c.call == call)

    async def of_caller(self, city: str, number: str, most: int = 3) -> list[Ticket]:
        """The last tickets of this caller's number, the newest first; of a withheld number none."""
        if not number:
            return []
        mine = select(TICKETS).where(TICKETS.c.city == city, TICKETS.c.caller == number)
        newest = mine.order_by(TICKETS.c.made.desc(), TICKETS.c.number.desc()).limit(most)
        return await self._read(newest)

    async def unfinished(self, most: int = 20) -> list[Ticket]:
        """Tickets that do not have the whole talk though every recording of their call is written down."""
        r = RECORDINGS.c
        filed = exists().where(r.call == TICKETS.c.call, r.state == State.FILED)
        waits = exists().where(
            r.call == TICKETS.c.call, r.state == State.FILED, r.heard.in_((Heard.WAITING, Heard.TALK))
        )
        ready = select(TICKETS).where(not_(TICKETS.c.complete), filed, not_(waits))
        return await self._read(ready.order_by(TICKETS.c.made.desc()).limit(most))

    async def finish(self, number: str, transcript: str) -> None:
        """The whole talk in place of what was known when the ticket was made. Nothing else changes."""
        whole = update(TICKETS).where(TICKETS.c.number == number, not_(TICKETS.c.complete))

        async def write(conn: AsyncConnection) -> None:
            await conn.execute(whole.values(transcript=transcript, complete=True))

        await self._history.within(write)

    async def type(self, call: str, fields: Mapping[str, Any], at: float) -> None:
        """What an agent typed into these fields; others that were typed before stay."""
        rows = [
            {"call": call, "name": name, "value": json.dumps(value, ensure_ascii=False), "at": at}
            for name, value in fields.items()
        ]

        async def write(conn: AsyncConnection) -> None:
            await conn.execute(delete(TYPED).where(TYPED.c.at < at - TYPED_KEPT))
            await self._history._upsert(conn, TYPED, rows)

        await self._history.within(write)

    async def typed(self, call: str) -> dict[str, Any]:
        """Field to what was typed there and is in no ticket yet."""
        mine = select(TYPED.c.name, TYPED.c.value).where(TYPED.c.call == call)

        async def read(conn: AsyncConnection) -> dict[str, Any]:
            return {row.name: json.loads(row.value) for row in await conn.execute(mine)}

        return await self._history.within(read)

    async def _rows(self, which: ColumnElement[bool]) -> list[Ticket]:
        wanted = select(TICKETS).where(which)
        return await self._read(wanted.order_by(TICKETS.c.number))

    async def _read(self, wanted: Any) -> list[Ticket]:
        async def read(conn: AsyncConnection) -> list[Ticket]:
            return [from_dict(Ticket, dict(x)) for x in (await conn.execute(wanted)).mappings()]

        return await self._history.within(read)
