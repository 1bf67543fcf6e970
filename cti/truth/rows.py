"""The ledger's rows as plain SQL: from the file of SQLite, or from PostgreSQL. Reading only."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg

from cti.errors import NotNow

Row = dict[str, Any]
SECONDS = 10.0

_CALLS = (
    "SELECT id, city, line, trunk, caller, called, original, arrived, answered, first_seat, ended, left_by,"
    " cause, greeted, stage, source, consult_of, callback_of,"
    " direction, seat, owed FROM calls WHERE arrived >= ? AND arrived < ?"
)
_STINTS = (
    "SELECT leg, call, city, seat, ended, wrap_up FROM stints"
    " WHERE answered IS NOT NULL AND ended >= ? AND ended < ? ORDER BY ended"
)
_TALKS = (
    "SELECT s.leg, s.call, s.seat, s.answered, s.ended, s.talk, s.hold, s.source FROM stints s"
    " JOIN calls c ON c.id = s.call WHERE s.answered IS NOT NULL AND c.arrived >= ? AND c.arrived < ?"
)
_SILENCES = "SELECT since, until FROM refills WHERE until >= ? AND since < ?"
_VISITS = (
    "SELECT v.call, v.number, v.queue, v.joined, v.outcome, v.left, v.seat, v.waited, v.rang, v.talked,"
    " v.declined, v.source FROM visits v JOIN calls c ON c.id = v.call WHERE c.arrived >= ? AND c.arrived < ?"
    " ORDER BY v.call, v.number"
)


def ledger_rows(url: str, since: float, until: float) -> tuple[dict[str, Row], dict[str, list[Row]]]:
    """Calls by id, and their visits in order, that arrived in [since, until).

    ``url`` as SQLAlchemy writes it. Raises NotNow when the database is not there.
    """
    calls, visits = _read(url, (_CALLS, _VISITS), since, until)
    of: dict[str, list[Row]] = {}
    for visit in visits:
        of.setdefault(visit["call"], []).append(visit)
    return {call["id"]: call for call in calls}, of


def wrap_up_rows(url: str, since: float, until: float) -> tuple[list[Row], list[tuple[float, float]]]:
    """Talks of seats that ended in [since, until), and the silences that touched it. Raises NotNow."""
    stints, silences = _read(url, (_STINTS, _SILENCES), since, until)
    return stints, [(row["since"], row["until"]) for row in silences]


def talk_rows(url: str, since: float, until: float) -> dict[str, Row]:
    """Talks of seats, by the seat's leg, in calls that arrived in [since, until). Raises NotNow."""
    (talks,) = _read(url, (_TALKS,), since, until)
    return {row["leg"]: row for row in talks}


def _read(url: str, asked: Sequence[str], since: float, until: float) -> list[list[Row]]:
    scheme, _, rest = url.partition("://")
    if scheme.startswith("sqlite"):
        return _from_file(Path(rest.removeprefix("/")), asked, since, until)
    return asyncio.run(_from_postgres(f"postgresql://{rest}", asked, since, until))


def _from_file(file: Path, asked: Sequence[str], since: float, until: float) -> list[list[Row]]:
    if not file.exists():
        raise NotNow(f"{file}: no database there; the service makes it (cti up)")
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=SECONDS)) as base:
            base.row_factory = sqlite3.Row
            return [[dict(row) for row in base.execute(sql, (since, until))] for sql in asked]
    except sqlite3.Error as why:
        raise NotNow(f"{file}: {why}") from None


async def _from_postgres(url: str, asked: Sequence[str], since: float, until: float) -> list[list[Row]]:
    def numbered(sql: str) -> str:
        return sql.replace("?", "$1", 1).replace("?", "$2", 1)

    try:
        base: Any = await asyncpg.connect(url, timeout=SECONDS)
        try:
            found: Sequence[Any] = [await base.fetch(numbered(sql), since, until) for sql in asked]
        finally:
            await base.close()
    except (OSError, TimeoutError, asyncpg.PostgresError) as why:
        raise NotNow(f"the database does not answer: {why}") from None
    return [[dict(row) for row in rows] for rows in found]
