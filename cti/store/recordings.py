"""Recordings, transcripts and legal holds in the database of history."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, exists, func, literal, not_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.codec import from_dict, to_dict
from calls.facts import CallId, LegId
from cti.store.call_classes import classes_of
from cti.store.history import History
from cti.store.models import Base
from cti.store.recording_rows import HoldRow, RecordingRow, SpanRow, SpokenRow
from plan.recordings import CallClass
from recording.filed import Filed, Heard, Kept, Role
from recording.retention import Term
from recording.search import bare
from recording.table import State

RECORDINGS = Base.metadata.tables[RecordingRow.__tablename__]
SPANS = Base.metadata.tables[SpanRow.__tablename__]
SPOKEN = Base.metadata.tables[SpokenRow.__tablename__]
HOLDS = Base.metadata.tables[HoldRow.__tablename__]

Mark = tuple[float, str]
"""How far recordings were looked through: end and leg of the last one."""
BEGIN: Mark = (0.0, "")
IN_ONE = 500
"""Calls in one question; databases allow some thousand values."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which recordings, after the first ``skip``. ``said``: characters, ``sound``: toneless syllables, one
    after the other in what a leg said, without blanks."""

    call: str = ""
    city: str | None = None
    line: str = ""
    original: str = ""
    seat: str = ""
    state: str = ""
    since: float | None = None
    until: float | None = None
    said: str = ""
    sound: str = ""
    most: int = 100
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A row of what was said. ``words`` is JSON: [text, start, end, confidence], seconds in the file."""

    leg: LegId
    number: int
    call: CallId
    city: str
    at: float
    start: float
    end: float
    text: str
    sound: str
    confidence: float
    words: str = "[]"


@dataclass(frozen=True, slots=True)
class Hold:
    call: CallId
    who: str
    why: str
    since: float


class RecordingStore:
    """Every method raises NotNow while the database is away."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def put(self, *rows: Filed) -> None:
        """In one transaction. A row again keeps what it already knew of sealing, listening and the shelf."""

        async def write(conn: AsyncConnection) -> None:
            r = RECORDINGS.c
            wanted = select(r.leg, r.sha256, r.sealed, r.heard, r.kept).where(
                r.leg.in_([x.leg for x in rows])
            )
            known = {row.leg: row for row in await conn.execute(wanted)}
            await self._history._upsert(
                conn, RECORDINGS, [_filed_row(_again(x, known.get(x.leg))) for x in rows]
            )

        await self._history.within(write)

    async def one(self, leg: str) -> Filed | None:
        found = await self._rows(select(RECORDINGS).where(RECORDINGS.c.leg == leg))
        return found[0] if found else None

    async def of_call(self, call: str) -> list[Filed]:
        """All of a call, the oldest first."""
        wanted = select(RECORDINGS).where(RECORDINGS.c.call == call)
        return await self._rows(wanted.order_by(RECORDINGS.c.began))

    async def messages(self, calls: Sequence[CallId]) -> dict[CallId, str]:
        """The recording of the message that was left in a call, of those in which one was."""
        found: dict[CallId, str] = {}
        wanted = select(RECORDINGS).where(
            RECORDINGS.c.role == Role.MESSAGE, RECORDINGS.c.state == State.FILED
        )
        for at in range(0, len(calls), IN_ONE):
            rows = await self._rows(wanted.where(RECORDINGS.c.call.in_(calls[at : at + IN_ONE])))
            found |= {row.call: row.leg for row in rows}
        return found

    async def find(self, wanted: Wanted) -> list[tuple[Filed, list[Span]]]:
        """Recordings, newest first; when words are asked for, each with all that was said in it. Syllables
        may be found where none begins (``an`` in ``fang``): the reader looks again."""
        r, s = RECORDINGS.c, SPANS.c
        mine: list[Any] = []
        for name in ("call", "line", "original", "seat", "state"):
            if told := getattr(wanted, name):
                mine.append(r[name] == told)
        if wanted.city is not None:
            mine.append(r.city == wanted.city)
        # a leg nobody heard begin is looked for by its end
        moment = func.coalesce(r.began, r.ended)
        if wanted.since is not None:
            mine.append(moment >= wanted.since)
        if wanted.until is not None:
            mine.append(moment < wanted.until)
        words: list[Any] = []
        if wanted.said:
            words.append(SPOKEN.c.text.contains(wanted.said, autoescape=True))
        if wanted.sound:
            words.append(SPOKEN.c.sound.contains(wanted.sound, autoescape=True))
        if words:
            mine.append(exists().where(SPOKEN.c.leg == r.leg, *words))
        newest = select(RECORDINGS).where(*mine).order_by(moment.desc(), r.leg)
        query = newest.limit(wanted.most).offset(wanted.skip)

        async def read(conn: AsyncConnection) -> list[tuple[Filed, list[Span]]]:
            rows = [from_dict(Filed, dict(x)) for x in (await conn.execute(query)).mappings()]
            told: dict[str, list[Span]] = {}
            if words and rows:
                spans = select(SPANS).where(s.leg.in_([x.leg for x in rows])).order_by(s.leg, s.number)
                for x in (await conn.execute(spans)).mappings():
                    told.setdefault(x["leg"], []).append(from_dict(Span, dict(x)))
            return [(x, told.get(x.leg, [])) for x in rows]

        return await self._history.within(read)

    async def legs(self) -> dict[str, str]:
        """Every leg that has a row, and why its recording is missing, if it is."""
        r = RECORDINGS.c

        async def read(conn: AsyncConnection) -> dict[str, str]:
            rows = await conn.execute(select(r.leg, r.state, r.why))
            return {row.leg: row.why if row.state == State.MISSING else "" for row in rows}

        return await self._history.within(read)

    async def unsealed(self, before: float, most: int = 50) -> list[Filed]:
        """Filed, plain, and over since before ``before``."""
        r = RECORDINGS.c
        wanted = select(RECORDINGS).where(r.state == State.FILED, not_(r.sealed), r.ended < before)
        return await self._rows(wanted.order_by(r.ended).limit(most))

    async def uncarried(self, most: int) -> list[Filed]:
        """Sealed, and not known to be on the shelf; the oldest first."""
        r = RECORDINGS.c
        wanted = select(RECORDINGS).where(
            r.state == State.FILED, r.sealed, r.kept.in_((Kept.DISK, Kept.CARRYING))
        )
        return await self._rows(wanted.order_by(r.ended).limit(most))

    async def uncarried_count(self) -> int:
        r = RECORDINGS.c
        wanted = select(func.count()).where(
            r.state == State.FILED, r.sealed, r.kept.in_((Kept.DISK, Kept.CARRYING))
        )

        async def read(conn: AsyncConnection) -> int:
            return int((await conn.execute(wanted)).scalar_one())

        return await self._history.within(read)

    async def twice_kept(self, before: float, most: int) -> list[Filed]:
        """On disk and on the shelf, over before ``before``."""
        r = RECORDINGS.c
        wanted = select(RECORDINGS).where(r.state == State.FILED, r.kept == Kept.BOTH, r.ended < before)
        return await self._rows(wanted.order_by(r.ended).limit(most))

    async def keep(self, leg: str, kept: Kept) -> bool:
        """Where its file is now; False when the recording has been deleted meanwhile."""
        r = RECORDINGS.c
        told = update(RECORDINGS).where(r.leg == leg, r.state == State.FILED).values(kept=kept)

        async def write(conn: AsyncConnection) -> bool:
            return bool((await conn.execute(told)).rowcount)

        return await self._history.within(write)

    async def lacking(
        self, since: float | None, until: float | None, city: str | None, most: int
    ) -> list[Filed]:
        """Missing, or short; over in [since, until); the newest first."""
        r = RECORDINGS.c
        mine = [] if city is None else [r.city == city]
        if since is not None:
            mine.append(r.ended >= since)
        if until is not None:
            mine.append(r.ended < until)
        found: list[Filed] = []
        # one after the other: each has an index, and an OR of both would read the whole table
        for lack in ((r.state == State.MISSING,), (r.state == State.FILED, r.short > 0)):
            wanted = select(RECORDINGS).where(*lack, *mine)
            found += await self._rows(wanted.order_by(r.ended.desc(), r.leg).limit(most))
        return sorted(found, key=lambda x: x.ended or 0.0, reverse=True)[:most]

    async def unheard(self, most: int = 20) -> list[Filed]:
        """Filed, and its words not written down to the end; the newest first."""
        r = RECORDINGS.c
        wanted = select(RECORDINGS).where(r.state == State.FILED, r.heard.in_((Heard.WAITING, Heard.TALK)))
        return await self._rows(wanted.order_by(r.ended.desc()).limit(most))

    async def expired(
        self, term: Term, after: Mark = BEGIN, most: int = 1000
    ) -> tuple[list[Filed], Mark | None]:
        """Filed, due by ``term``, of no call that is held, the oldest first; and the mark after which to go
        on, None when that was all. One asking looks at ``most`` recordings, whatever stays of them: those
        that a class keeps longer, or that hold no consultation, may be millions."""
        r = RECORDINGS.c
        mine = [r.state == State.FILED, r.city == term.city, r.ended < term.before, r.ended >= after[0]]
        mine.append(tuple_(r.ended, r.leg) > tuple_(literal(after[0]), literal(after[1])))
        if term.line is not None:
            mine.append(r.line == term.line)
        wanted = select(RECORDINGS).where(*mine).order_by(r.ended, r.leg).limit(most)

        async def read(conn: AsyncConnection) -> tuple[list[Filed], Mark | None]:
            rows = (await conn.execute(wanted)).mappings().all()
            goes = await _going(conn, term, {row["call"] for row in rows})
            due = [from_dict(Filed, dict(row)) for row in rows if row["call"] in goes]
            due = [row for row in due if term.takes(row)]
            return due, (rows[-1]["ended"], rows[-1]["leg"]) if len(rows) == most else None

        return await self._history.within(read)

    async def goes(self, term: Term, call: CallId) -> bool:
        """Whether a call's recordings are still to go by ``term``: a hold, a ticket, a flag may have come."""
        return bool(await self._history.within(lambda conn: _going(conn, term, {call})))

    async def classes(
        self, calls: Collection[str], names: Collection[CallClass], own: Collection[str]
    ) -> dict[str, frozenset[CallClass]]:
        """Which of the classes ``names`` each of these calls is of now; calls of none are left out.
        ``own``: the places of their city's plan (``plan.recordings.own_places``)."""
        return await self._history.within(lambda conn: classes_of(conn, calls, names, own))

    async def forget(self, leg: str, state: str) -> None:
        """Its sound is deleted: the row stays, its words go."""

        async def write(conn: AsyncConnection) -> None:
            await conn.execute(delete(SPANS).where(SPANS.c.leg == leg))
            await conn.execute(delete(SPOKEN).where(SPOKEN.c.leg == leg))
            told = {"state": state, "heard": Heard.NOTHING}
            await conn.execute(update(RECORDINGS).where(RECORDINGS.c.leg == leg).values(**told))

        await self._history.within(write)

    async def between(self, since: float, until: float, city: str | None) -> list[Filed]:
        """Every leg that was over in [since, until), the oldest first."""
        r = RECORDINGS.c
        mine = [r.ended >= since, r.ended < until]
        if city is not None:
            mine.append(r.city == city)
        return await self._rows(select(RECORDINGS).where(*mine).order_by(r.ended))

    async def mark(self, *legs: str, **changes: Any) -> None:
        """Change these rows: ``sealed``, ``heard``, ``state``, ``why``."""
        told = update(RECORDINGS).where(RECORDINGS.c.leg.in_(legs)).values(**changes)

        async def write(conn: AsyncConnection) -> None:
            await conn.execute(told)

        await self._history.within(write)

    async def put_spans(self, leg: str, spans: Sequence[Span], heard: Heard) -> bool:
        """All that was said in this leg, in place of what stood there; False when it is not filed yet."""

        async def write(conn: AsyncConnection) -> bool:
            of = update(RECORDINGS).where(RECORDINGS.c.leg == leg)
            if not (await conn.execute(of.values(heard=heard))).rowcount:
                return False
            await conn.execute(delete(SPANS).where(SPANS.c.leg == leg))
            await self._history._upsert(conn, SPANS, [to_dict(x) for x in spans])
            told = {name: bare("".join(getattr(x, name) for x in spans)) for name in ("text", "sound")}
            await self._history._upsert(conn, SPOKEN, [{"leg": leg, **told}])
            return True

        return await self._history.within(write)

    async def spans_of(self, leg: str) -> list[Span]:
        """What stands there of one leg."""
        wanted = select(SPANS).where(SPANS.c.leg == leg).order_by(SPANS.c.number)

        async def read(conn: AsyncConnection) -> list[Span]:
            return [from_dict(Span, dict(x)) for x in (await conn.execute(wanted)).mappings()]

        return await self._history.within(read)

    async def spans(self, call: str) -> list[Span]:
        """What was said in a call, in the order in which it was said."""
        wanted = select(SPANS).where(SPANS.c.call == call).order_by(SPANS.c.at, SPANS.c.leg, SPANS.c.number)

        async def read(conn: AsyncConnection) -> list[Span]:
            return [from_dict(Span, dict(x)) for x in (await conn.execute(wanted)).mappings()]

        return await self._history.within(read)

    async def hold(self, hold: Hold) -> None:
        await self._history.put(HOLDS, [to_dict(hold)])

    async def release(self, call: str) -> None:
        async def write(conn: AsyncConnection) -> None:
            await conn.execute(delete(HOLDS).where(HOLDS.c.call == call))

        await self._history.within(write)

    async def holds(self, calls: Sequence[str] = ()) -> dict[str, Hold]:
        """Holds by call; of these calls, or all."""
        wanted = select(HOLDS) if not calls else select(HOLDS).where(HOLDS.c.call.in_(calls))

        async def read(conn: AsyncConnection) -> dict[str, Hold]:
            rows = (await conn.execute(wanted)).mappings()
            return {x["call"]: from_dict(Hold, dict(x)) for x in rows}

        return await self._history.within(read)

    async def counts(self) -> dict[tuple[str, str], int]:
        """How many in each state, by reason."""
        r = RECORDINGS.c
        wanted = select(r.state, r.why, func.count()).group_by(r.state, r.why)

        async def read(conn: AsyncConnection) -> dict[tuple[str, str], int]:
            return {(row[0], row[1]): row[2] for row in await conn.execute(wanted)}

        return await self._history.within(read)

    async def _rows(self, wanted: Any) -> list[Filed]:
        async def read(conn: AsyncConnection) -> list[Filed]:
            return [from_dict(Filed, dict(x)) for x in (await conn.execute(wanted)).mappings()]

        return await self._history.within(read)


def _filed_row(one: Filed) -> dict[str, Any]:
    # what a carrier sends is as long as it likes, and PostgreSQL takes no NUL
    return {**to_dict(one), "original": one.original.replace("\0", "")[:128]}


def _again(filed: Filed, known: Any) -> Filed:
    if known is None or known.sha256 != filed.sha256:
        return filed
    sealed = known.sealed or filed.sealed
    return replace(filed, sealed=sealed, heard=Heard(known.heard), kept=Kept(known.kept))


async def _going(conn: AsyncConnection, term: Term, calls: Set[str]) -> set[str]:
    """The calls among these that ``term`` is the term of, and that nobody holds."""
    names: set[CallClass] = {*term.but, *([] if term.of is None else [term.of])}
    held = set((await conn.execute(select(HOLDS.c.call).where(HOLDS.c.call.in_(calls)))).scalars())
    classes = await classes_of(conn, calls, sorted(names), term.own)
    return {call for call in calls - held if term.holds(classes.get(call, frozenset()))}
