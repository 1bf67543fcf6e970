"""Tickets in the database of history, numbered by city and day without a gap or a double."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Table, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.codec import from_dict, to_dict
from calls.model import Call, Direction
from cti.errors import Broken, NotNow
from cti.store.history import CALLS, History
from cti.store.recording_rows import TicketRow
from cti.store.recordings import SPANS
from queues.duties import Drafted
from recording.ticket import Ticket, numbered

TICKETS: Table = TicketRow.__table__  # type: ignore[assignment]  # declared as FromClause
TRIES = 5


class TicketStore:
    """Every method raises NotNow while the database is away."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def make(self, city: str, day: str, ticket: Callable[[str], Ticket]) -> Ticket:
        """Give the next number of this city and day to ``ticket`` and keep it."""
        prefix = f"{city}-{day}-"
        last = select(TICKETS.c.number).where(TICKETS.c.number.startswith(prefix, autoescape=True))

        async def write(conn: AsyncConnection) -> Ticket:
            newest = (await conn.execute(last.order_by(TICKETS.c.number.desc()).limit(1))).scalar()
            made = ticket(numbered(city, day, newest))
            await conn.execute(insert(TICKETS).values(to_dict(made)))
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

    async def drafted(self, since: float, city: str | None = None, most: int = 1000) -> list[Drafted]:
        """Calls since then that an agent answered, that are over, and whose caller's words were written
        down: those without a ticket first, then the newest. Without words a draft holds nothing that the
        call's own row does not."""
        number = func.min(TICKETS.c.number).label("number")
        made = func.min(TICKETS.c.made).label("made")
        first = select(TICKETS.c.call, number, made).group_by(TICKETS.c.call).subquery()
        mine = [
            CALLS.c.arrived >= since,
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
            .order_by(first.c.number.is_not(None), CALLS.c.arrived.desc())
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

    async def _rows(self, which: object) -> list[Ticket]:
        wanted = select(TICKETS).where(which).order_by(TICKETS.c.number)  # type: ignore[arg-type]

        async def read(conn: AsyncConnection) -> list[Ticket]:
            return [from_dict(Ticket, dict(x)) for x in (await conn.execute(wanted)).mappings()]

        return await self._history.within(read)
