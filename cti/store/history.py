"""History in a database: SQLite in a file, or PostgreSQL. Says NotNow when the database does not answer.

What is saved twice stands there once: calls by their id, visits by call and number. A transaction is
never cut in the middle by a cancelled task; one that takes longer than ``seconds`` is given up with its
connections, and the journal's cursor, saved in the same transaction, says what is to be done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import orjson
import structlog
from sqlalchemy import Table, event, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from calls.audit import Audited
from calls.codec import Unknown, from_dict, to_dict
from calls.model import Call
from calls.note import ShiftNote
from cti.errors import Broken, NotNow
from cti.store import migrations
from cti.store import recording_rows as recording_rows
from cti.store.models import (
    AuditRow,
    Base,
    CallRow,
    CursorRow,
    FlagRow,
    HandoffRow,
    NoteRow,
    RefillRow,
    StintRow,
    VisitRow,
)
from cti.store.records import Position
from queues.stint import Stint
from queues.visit import Visit
from recording.flagged import Flag
from transfer.handoff import Handoff

log = structlog.get_logger(__name__)

T = TypeVar("T")

CALLS = Base.metadata.tables[CallRow.__tablename__]
VISITS = Base.metadata.tables[VisitRow.__tablename__]
STINTS = Base.metadata.tables[StintRow.__tablename__]
AUDIT = Base.metadata.tables[AuditRow.__tablename__]
REFILLS = Base.metadata.tables[RefillRow.__tablename__]
HANDOFFS = Base.metadata.tables[HandoffRow.__tablename__]
FLAGS = Base.metadata.tables[FlagRow.__tablename__]
NOTES = Base.metadata.tables[NoteRow.__tablename__]
MIGRATION_SECONDS = 3600.0
"""Deadline of one statement that changes tables: a column of millions of rows is filled in one."""
CURSORS = Base.metadata.tables[CursorRow.__tablename__]


@dataclass(frozen=True, slots=True)
class Past:
    """Which calls to read: those that arrived in [since, until), newest first, ``most`` at a time."""

    since: float | None = None
    until: float | None = None
    city: str | None = None
    most: int = 100


def sqlite_url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


@dataclass(frozen=True, slots=True)
class Span:
    """The rows of a time."""

    calls: list[Call]
    visits: list[Visit]
    stints: list[Stint]


def _span(calls: Sequence[Any], visits: Sequence[Any], stints: Sequence[Any]) -> Span:
    return Span(
        [from_dict(Call, dict(row)) for row in calls],
        [from_dict(Visit, dict(row)) for row in visits],
        [from_dict(Stint, dict(row)) for row in stints],
    )


class History:
    """Open it with ``start``; always ``close`` it, or SQLite's thread keeps the process alive."""

    def __init__(self, url: str, *, seconds: float = 10.0) -> None:
        """``url`` as SQLAlchemy writes it: ``sqlite+aiosqlite:///file`` or ``postgresql+asyncpg://…``."""
        self.url = url
        self.seconds = seconds
        self._engine: AsyncEngine | None = None
        self._current = False
        """The tables are known to be up to date."""
        self._migrating = asyncio.Lock()
        self._changing: asyncio.Future[None] | None = None
        """The tables are being changed."""

    async def start(self) -> None:
        """Bring the tables up to date. NotNow when the database is away."""
        await self._within(_nothing)

    async def close(self) -> None:
        if self._changing is not None:
            self._changing.cancel()
            await asyncio.wait({self._changing}, timeout=self.seconds)
        engine, self._engine = self._engine, None
        if engine is not None:
            async with asyncio.timeout(self.seconds):
                await engine.dispose()

    async def cursor(self, journal: str) -> Position:
        """How far this journal has been read; the very beginning when never."""

        async def read(conn: AsyncConnection) -> Position:
            found = (await conn.execute(select(CURSORS).where(CURSORS.c.journal == journal))).first()
            return Position() if found is None else Position(found.segment, found.offset)

        return await self._within(read)

    async def save(
        self,
        calls: Sequence[Call],
        visits: Sequence[Visit],
        journal: str,
        position: Position,
        stints: Sequence[Stint] = (),
        audits: Sequence[Audited] = (),
        *,
        handoffs: Sequence[Handoff] = (),
        flags: Sequence[Flag] = (),
        notes: Sequence[ShiftNote] = (),
    ) -> None:
        """Rows and the cursor in one transaction. The last of several with one key stands."""
        call_rows = {call.id: _call_row(call) for call in calls}
        visit_rows = {(visit.call, visit.number): to_dict(visit) for visit in visits}
        stint_rows = {stint.leg: to_dict(stint) for stint in stints}
        audit_rows = {row.id: _audit_row(row) for row in audits}
        handoff_rows = {row.id: _handoff_row(row) for row in handoffs}
        flag_rows = {(row.call, row.flag): _flag_row(row) for row in flags}
        note_rows = {row.id: _note_row(row) for row in notes}
        cursor = {"journal": journal, "segment": position.segment, "offset": position.offset}

        async def write(conn: AsyncConnection) -> None:
            await self._upsert(conn, CALLS, list(call_rows.values()))
            await self._upsert(conn, VISITS, list(visit_rows.values()))
            await self._upsert(conn, STINTS, list(stint_rows.values()))
            await self._upsert(conn, AUDIT, list(audit_rows.values()))
            await self._upsert(conn, HANDOFFS, list(handoff_rows.values()))
            await self._upsert(conn, FLAGS, list(flag_rows.values()))
            await self._upsert(conn, NOTES, list(note_rows.values()))
            await self._upsert(conn, CURSORS, [cursor])

        await self._within(write)

    async def call(self, id: str) -> Call | None:
        """The call with this id."""

        async def read(conn: AsyncConnection) -> Call | None:
            row = (await conn.execute(select(CALLS).where(CALLS.c.id == id))).mappings().first()
            return None if row is None else from_dict(Call, dict(row))

        return await self._within(read)

    async def calls(self, past: Past) -> list[Call]:
        """Newest first. Consultations stand among them with ``consult_of``."""
        wanted = select(CALLS).order_by(CALLS.c.arrived.desc(), CALLS.c.id.desc()).limit(past.most)
        if past.since is not None:
            wanted = wanted.where(CALLS.c.arrived >= past.since)
        if past.until is not None:
            wanted = wanted.where(CALLS.c.arrived < past.until)
        if past.city is not None:
            wanted = wanted.where(CALLS.c.city == past.city)

        async def read(conn: AsyncConnection) -> list[Call]:
            return [from_dict(Call, dict(row)) for row in (await conn.execute(wanted)).mappings()]

        return await self._within(read)

    async def visits(self, call: str) -> list[Visit]:
        wanted = select(VISITS).where(VISITS.c.call == call).order_by(VISITS.c.number)

        async def read(conn: AsyncConnection) -> list[Visit]:
            return [from_dict(Visit, dict(row)) for row in (await conn.execute(wanted)).mappings()]

        return await self._within(read)

    async def span(self, since: float, until: float, city: str | None = None) -> Span:
        """Calls that arrived in [since, until), oldest first, with their visits and stints."""
        mine = [CALLS.c.arrived >= since, CALLS.c.arrived < until]
        if city is not None:
            mine.append(CALLS.c.city == city)
        ids = select(CALLS.c.id).where(*mine)
        calls = select(CALLS).where(*mine).order_by(CALLS.c.arrived, CALLS.c.id)
        visits = select(VISITS).where(VISITS.c.call.in_(ids)).order_by(VISITS.c.call, VISITS.c.number)
        stints = select(STINTS).where(STINTS.c.call.in_(ids)).order_by(STINTS.c.began)

        async def read(conn: AsyncConnection) -> Span:
            # plain rows: a busy month has a million, and the loop has callers to advise
            found = [(await conn.execute(what)).mappings().all() for what in (calls, visits, stints)]
            return await asyncio.to_thread(_span, *found)

        return await self._within(read)

    async def talks(self, since: float, until: float) -> list[Stint]:
        """Stints that were answered and ended in [since, until)."""
        wanted = select(STINTS).where(
            STINTS.c.answered.is_not(None), STINTS.c.ended >= since, STINTS.c.ended < until
        )

        async def read(conn: AsyncConnection) -> list[Stint]:
            return [from_dict(Stint, dict(row)) for row in (await conn.execute(wanted)).mappings()]

        return await self._within(read)

    async def audits(self, past: Past, **equal: str) -> list[Audited]:
        """Orders given in the time of ``past``, newest first; ``equal``: columns and their values."""
        wanted = select(AUDIT).order_by(AUDIT.c.at.desc(), AUDIT.c.id).limit(past.most)
        if past.since is not None:
            wanted = wanted.where(AUDIT.c.at >= past.since)
        if past.until is not None:
            wanted = wanted.where(AUDIT.c.at < past.until)
        if past.city is not None:
            wanted = wanted.where(AUDIT.c.city == past.city)
        for name, value in equal.items():
            wanted = wanted.where(AUDIT.c[name] == value)

        async def read(conn: AsyncConnection) -> list[Audited]:
            return [from_dict(Audited, dict(row)) for row in (await conn.execute(wanted)).mappings()]

        return await self._within(read)

    async def handoffs(self, past: Past, *, id: str = "", centre: str = "", case: str = "") -> list[Handoff]:
        """Records asked for in the time of ``past``, newest first; ``id``: this one only; ``centre``,
        ``case``: those of this centre, with its case number."""
        wanted = select(HANDOFFS.c.row).order_by(HANDOFFS.c.asked.desc(), HANDOFFS.c.id).limit(past.most)
        if past.since is not None:
            wanted = wanted.where(HANDOFFS.c.asked >= past.since)
        if past.until is not None:
            wanted = wanted.where(HANDOFFS.c.asked < past.until)
        if past.city is not None:
            wanted = wanted.where(HANDOFFS.c.city == past.city)
        if id:
            wanted = wanted.where(HANDOFFS.c.id == id)
        if centre:
            wanted = wanted.where(HANDOFFS.c.centre == centre)
        if case:
            # as the row's JSON has it: quotes inside of a text are escaped there
            told = orjson.dumps({"case": case}).decode()[1:-1]
            wanted = wanted.where(HANDOFFS.c.row.contains(told, autoescape=True))

        async def read(conn: AsyncConnection) -> list[Handoff]:
            rows = (await conn.execute(wanted)).scalars()
            found = [from_dict(Handoff, orjson.loads(row)) for row in rows]
            # SQLite's LIKE takes JQ-1 for jq-1
            return [record for record in found if case in ("", record.case)]

        return await self._within(read)

    async def flags(self, call: str) -> list[Flag]:
        """Red flags of a call, in the order in which they were raised."""
        wanted = select(FLAGS).where(FLAGS.c.call == call).order_by(FLAGS.c.at, FLAGS.c.flag)

        async def read(conn: AsyncConnection) -> list[Flag]:
            return [from_dict(Flag, dict(row)) for row in (await conn.execute(wanted)).mappings()]

        return await self._within(read)

    async def refilled(self, node: str) -> dict[float, float]:
        """The ends and beginnings of the silences of this node that have been put right."""

        async def read(conn: AsyncConnection) -> dict[float, float]:
            rows = await conn.execute(select(REFILLS.c.until, REFILLS.c.since).where(REFILLS.c.node == node))
            return {row.until: row.since for row in rows}

        return await self._within(read)

    async def put_refill(self, node: str, since: float, until: float, calls: int, done: float) -> None:
        row = {"node": node, "since": since, "until": until, "calls": calls, "done": done}
        await self._within(lambda conn: self._upsert(conn, REFILLS, [row]))

    async def within(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Other tables of this database: one transaction, the same deadline, the same words of failure."""
        return await self._within(work)

    async def put(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Rows of another table: what is there with the same key is replaced."""
        await self._within(lambda conn: self._upsert(conn, table, rows))

    # --- inside ---------------------------------------------------------------------------------------

    async def _within(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run ``work`` in one transaction within the deadline, whatever becomes of the caller's task."""
        task = asyncio.ensure_future(self._transaction(work))
        try:
            done, _ = await asyncio.wait({task}, timeout=self.seconds)
        except asyncio.CancelledError:
            # let the transaction end by itself: half of it is worse than a slow farewell
            await asyncio.wait({task}, timeout=self.seconds)
            await self._give_up(task)
            raise
        if not done:
            await self._give_up(task)
            raise NotNow(f"the database did not answer within {self.seconds:g} s")
        return task.result()

    async def _transaction(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        try:
            if not self._current:
                await self._up_to_date()
            async with self._made().begin() as conn:
                return await work(conn)
        except Unknown as why:
            raise Broken(f"a row of history cannot be read: {why}") from why
        except OverflowError as why:
            raise Broken(f"database: {why}") from why
        except (OSError, TimeoutError) as why:
            raise NotNow(f"database: {str(why) or type(why).__name__}") from why
        except DBAPIError as why:
            raise _in_our_words(why) from why
        except SQLAlchemyError as why:
            raise NotNow(f"database: {why}") from why
        except Exception as why:
            if type(why).__module__.startswith("asyncpg"):  # raised while connecting
                raise NotNow(f"database: {why}") from why
            raise

    async def _up_to_date(self) -> None:
        """The tables as this version wants them. Changing them may take longer than any deadline where there
        are millions of rows: that goes on by itself, and meanwhile the database is away."""
        async with self._migrating:
            if self._current:
                return
            if self._changing is None:
                async with self._made().connect() as conn:
                    self._current = await conn.run_sync(migrations.is_current)
                if self._current:
                    return
                self._changing = asyncio.ensure_future(_changed(self.url))
                self._changing.add_done_callback(lambda t: None if t.cancelled() else t.exception())
            changing = self._changing
        try:
            await asyncio.shield(changing)
        finally:
            if changing.done() and self._changing is changing:
                self._changing = None
        self._current = True

    async def _give_up(self, task: asyncio.Future[Any]) -> None:
        """Leave a transaction that hangs, and its connections: the next one gets fresh ones."""
        if task.done():
            if not task.cancelled():
                task.exception()
            return
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose(close=False)
        task.cancel()
        task.add_done_callback(lambda t: None if t.cancelled() else t.exception())

    def _made(self) -> AsyncEngine:
        if self._engine is None:
            self._engine = _engine(self.url, self.seconds)
        return self._engine

    async def _upsert(self, conn: AsyncConnection, table: Table, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        await conn.execute(_statement(table, conn.dialect.name), rows)


@cache
def _statement(table: Table, dialect: str) -> Any:
    """One row's upsert, for executemany. Many rows in one statement would be compiled anew for each
    count of rows, for tens of milliseconds, in the event loop that also answers the advice question."""
    keys = [c.name for c in table.primary_key]
    statement: Any = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    fresh = statement.excluded
    # a journal read again must not open a call that has ended
    twice = table is CALLS or table is AUDIT
    where = or_(table.c.ended.is_(None), fresh.ended.is_not(None)) if twice else None
    others = {c.name: fresh[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others, where=where)


async def _nothing(conn: AsyncConnection) -> None:
    """The tables are brought up to date before any work, this one too."""


async def _changed(url: str) -> None:
    engine = _engine(url, MIGRATION_SECONDS)
    try:
        async with engine.begin() as conn:
            await _migrate(conn)
    finally:
        await engine.dispose()


async def _migrate(conn: AsyncConnection) -> None:
    if conn.dialect.name == "postgresql":
        # two services that start together must not both make the tables
        await conn.exec_driver_sql("SELECT pg_advisory_xact_lock(12345)")
    else:
        # Python's sqlite3 begins no transaction for CREATE and ALTER: each would stand by itself, and a
        # service killed between two of them could never be brought up to date again (seen)
        await conn.exec_driver_sql("BEGIN")
    await conn.run_sync(migrations.upgrade)


def _call_row(call: Call) -> dict[str, Any]:
    row = to_dict(call)
    del row["silenced"]  # matters only while it goes on
    row["seconds_to_answer"] = None if call.answered is None else call.answered - call.arrived
    row["seconds_in_all"] = None if call.ended is None else call.ended - call.arrived
    for name in ("line", "trunk", "caller", "called", "original", "advice", "advised_by", "queue", "seat"):
        # what a carrier sends is as long as it likes, and PostgreSQL takes no NUL
        row[name] = row[name].replace("\0", "")[:128]
    return row


def _audit_row(row: Audited) -> dict[str, Any]:
    plain = to_dict(row)
    # what a person types may be long, and PostgreSQL takes no NUL
    return {**plain, **{n: plain[n].replace("\0", "")[:128] for n in ("who", "on")}}


def _handoff_row(row: Handoff) -> dict[str, Any]:
    # PostgreSQL takes no NUL
    text = orjson.dumps(to_dict(row)).decode().replace("\\u0000", "")
    told = {name: getattr(row, name) for name in ("id", "call", "city", "direction", "centre", "outcome")}
    return {**told, "asked": row.asked or row.changed, "changed": row.changed, "row": text}


def _flag_row(row: Flag) -> dict[str, Any]:
    # PostgreSQL takes no NUL
    return {**to_dict(row), "words": row.words.replace("\0", "")}


def _note_row(row: ShiftNote) -> dict[str, Any]:
    plain = to_dict(row)
    # PostgreSQL takes no NUL
    return {**plain, "who": row.who.replace("\0", "")[:128], "text": row.text.replace("\0", "")}


def _in_our_words(why: DBAPIError) -> Exception:
    """A wrong statement or a broken rule is a bug; everything else is the database's hour."""
    # asyncpg's own refusal of a value comes as a bare DBAPIError
    cause = why.orig.__cause__ if why.orig is not None else None
    names = {type(why).__name__, type(cause).__name__}
    if names & {"ProgrammingError", "IntegrityError", "DataError", "NotSupportedError"}:
        return Broken(f"database: {why.orig}")
    return NotNow(f"database: {why.orig}")


def _engine(url: str, seconds: float) -> AsyncEngine:
    if url.startswith("sqlite"):
        engine = create_async_engine(url, connect_args={"timeout": seconds / 2}, hide_parameters=True)
        event.listen(engine.sync_engine, "connect", _sqlite_pragmas)
        return engine
    connect = {"timeout": seconds / 2, "command_timeout": seconds}
    return create_async_engine(
        url, pool_size=3, max_overflow=2, pool_pre_ping=True, connect_args=connect, hide_parameters=True
    )


def _sqlite_pragmas(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # readers do not stop the writer; what a power cut loses here, the journal tells again
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
