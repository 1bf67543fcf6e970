"""What was heard, kept and found again: the switchboard's ears for journal and Redis, and the web's reader.

Also without a service: the same reader over the journal on disk tells what was known last.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from calls.codec import Unknown, from_dict
from calls.facts import CallId, Fact
from calls.model import Call, CallState, Leg, Seat
from calls.picture import put_call
from calls.story import Line, ending, tell
from cti.errors import NotNow
from cti.store import journal as disk
from cti.store.drain import Drain
from cti.store.duties import DutyStore
from cti.store.history import History, Past
from cti.store.journal import Journal
from cti.store.keeping import Open, fact_of, flag_record, handoff_record, open_record, opened, records
from cti.store.picture import LivePicture
from cti.store.recordings import RecordingStore
from cti.store.records import Position, Record
from cti.switchboard import Board, Heard, Listener, Switchboard, fold
from cti.web.health import Part
from queues.duties import Duty, Known, duties
from queues.ledger import Rows
from queues.now import QueueNow
from queues.short import Shortfall
from queues.visit import recalled as visits_recalled
from recording.flagged import Flag
from recording.flagged import known as with_flags
from transfer.handoff import recalled

SEVERAL = 20
GONE = "its folder was deleted while it ran: restore the home, or stop and start it anew"


# --- ears -------------------------------------------------------------------------------------------


def journal_ear(journal: Journal) -> Listener:
    """Every fact, and the rows it changed, go to the journal."""

    def hear(heard: Heard) -> None:
        for told in records(heard.fact, heard.call, heard.calls, heard.visits, heard.stints):
            journal.append(told)
        for handoff in heard.handoffs:
            journal.append(handoff_record(handoff))
        for flag in heard.flags:
            journal.append(flag_record(flag))

    return hear


def picture_ear(live: LivePicture) -> Listener:
    """Changed calls and seats go to Redis."""

    def hear(heard: Heard) -> None:
        if heard.calls or heard.seats:
            live.note([*heard.calls, *heard.seats])
        if heard.forgotten:
            live.forget(heard.forgotten)

    return hear


def checkpoint(
    board: Callable[[], Board], silences: Callable[[], Sequence[tuple[float, float]]] = tuple
) -> Callable[[], list[dict[str, Any]]]:
    """What a new segment of the journal begins with: what is open now. Safe from another thread.

    ``silences``: those whose calls are not all put right (``cti.refill``).
    """

    def open_now() -> list[dict[str, Any]]:
        now = board()
        calls = now.picture.live()
        visits = [v for c in calls if (v := now.visits.last.get(c.id)) is not None]
        flags = [x for c in calls for x in now.flags.of(c.id)]
        # which centre has a computer to tell them to is the plan's to know
        handoffs = [h for h in now.moves.records.values() if not h.settled]
        return [open_record(Open(calls, visits, flags, handoffs, silences()))]

    return open_now


def everything(board: Callable[[], Board]) -> Callable[[], Iterable[Call | Seat]]:
    """All calls and seats of the board, for Redis after a failure."""
    return lambda: [*board().picture.calls.values(), *board().seats.seats.values()]


# --- the board again, from disk -----------------------------------------------------------------------


def board_from(records_: Iterable[Record]) -> Board:
    """The board a journal ends with, as far as its last segments tell."""
    board = Board()
    last = 0.0
    for record in records_:
        if (fact := fact_of(record)) is not None:
            board = fold(board, fact)
            last = fact.at
        elif (was_open := opened(record)) is not None:
            board = _with_open(board, was_open)
    # what was known is old until Asterisk says otherwise
    return replace(board, picture=replace(board.picture, linked=False, stale_since=last))


def _with_open(board: Board, was_open: Open) -> Board:
    picture = board.picture
    legs = dict(picture.legs)
    for call in was_open.calls:
        if call.id not in picture.calls:
            picture = put_call(picture, call)
            legs.setdefault(call.leg, Leg(id=call.leg, channel="", call=call.id, endpoint=""))
    moves = board.moves
    for handoff in was_open.handoffs:
        moves = recalled(moves, handoff)
    return replace(
        board,
        picture=replace(picture, legs=legs, touched=board.picture.touched),
        visits=visits_recalled(board.visits, was_open.visits),
        flags=with_flags(board.flags, was_open.flags),
        moves=moves,
    )


def last_board(reader: disk.Reader) -> Board:
    """The board at the end of this journal. One segment back too, for the seats."""
    return board_from(reader.recent(2))


# --- the reader ---------------------------------------------------------------------------------------


class Kept:
    """Answers the web (``cti.web.reader.Reader``) and the commands. Blocking reads run in threads."""

    def __init__(
        self,
        switchboard: Switchboard,
        reader: disk.Reader,
        *,
        history: History | None = None,
        journal: Journal | None = None,
        drain: Drain | None = None,
        live: LivePicture | None = None,
        refiller: Callable[[float, float], Awaitable[int]] | None = None,
        shortfalls: Callable[[], Sequence[Shortfall]] | None = None,
        more_health: Callable[[], Mapping[str, Part]] = dict,
    ) -> None:
        self._switchboard = switchboard
        self._reader = reader
        self._history = history
        self._journal = journal
        self._drain = drain
        self._live = live
        self._refiller = refiller
        self._shortfalls = shortfalls
        self._more_health = more_health

    def health(self) -> Mapping[str, Part]:
        picture = self._switchboard.board.picture
        linked = picture.linked and picture.stale_since is None
        parts = {
            "asterisk": Part(linked, needed=True, text=f"{picture.version} linked" if linked else "no link"),
        }
        if self._journal is not None:
            alarm = self._journal.alarm or (GONE if self._journal.deleted else "")
            lost = f"{self._journal.unwritten} records lost" if self._journal.unwritten else "ok"
            parts["journal"] = Part(not alarm, text=alarm or lost)
        if self._drain is not None:
            parts["database"] = Part(self._drain.ok, text=self._drain.status)
        if self._live is not None:
            parts["redis"] = Part(self._live.ok, text=self._live.status)
        return {**parts, **self._more_health()}

    def live_calls(self) -> Sequence[Call]:
        return self._switchboard.board.picture.live()

    def seats(self) -> Sequence[Seat]:
        seats = self._switchboard.board.seats.seats
        return [seats[key] for key in sorted(seats)]

    def queues(self) -> Sequence[QueueNow]:
        return self._switchboard.board.queues_now()

    async def call(self, id: str) -> Call | None:
        live = self._switchboard.board.picture.calls.get(CallId(id))
        if live is not None or self._history is None:
            return live
        return await self._history.call(id)

    async def latest(self) -> CallId | None:
        known = [c for c in self._switchboard.board.picture.calls.values() if c.consult_of is None]
        if known:
            return max(known, key=lambda c: c.arrived).id
        if self._history is not None:
            past = await self._history.calls(Past(most=1))
            return past[0].id if past else None
        return None

    async def beginning(self, prefix: str) -> Sequence[CallId]:
        live = self._switchboard.board.picture.calls.values()
        found = sorted((c for c in live if c.id.startswith(prefix)), key=lambda c: -c.arrived)
        if found or not prefix:
            return [c.id for c in found[:SEVERAL]]
        return await asyncio.to_thread(self._written, prefix)

    def _written(self, prefix: str) -> list[CallId]:
        """Calls of the journal whose id begins so."""
        found: dict[CallId, None] = {}
        for record in self._reader.mentioning(f'"of":"{prefix}'):
            found[CallId(record.told["of"])] = None
        return list(found)[-SEVERAL:][::-1]

    async def story(self, call: CallId, *, full: bool) -> Sequence[Line]:
        return await asyncio.to_thread(self._story, call, full)

    def _story(self, call: CallId, full: bool) -> list[Line]:
        facts: list[tuple[float, Position, Fact]] = []
        last: Call | None = None
        merged = self._reader.mentioning(f'"consult_of":"{call}"')
        wanted = [call, *dict.fromkeys(CallId(r.told["of"]) for r in merged if "of" in r.told)]
        for one in wanted:
            for record in self._reader.mentioning(f'"of":"{one}"'):
                if (fact := fact_of(record)) is not None:
                    facts.append((fact.at, record.at, fact))
                elif one == call and record.told.get("what") == "call":
                    last = _call_of(record) or last
        facts.sort(key=lambda x: x[1])
        lines = tell([fact for _, _, fact in facts], call, full=full)
        if last is not None and last.state is CallState.ENDED and last.left_by == "unknown" and last.ended:
            lines.append(ending("unknown", last.ended))
        return lines

    async def flags(self, call: str) -> Sequence[Flag] | None:
        """Red flags of a call, the first raised first; None: no such call. Raises NotNow."""
        here = self._switchboard.board.flags.of(CallId(call))
        if here or await self.call(call) is None:
            return here or None
        return () if self._history is None else await self._history.flags(call)

    async def past_calls(
        self, since: float | None, until: float | None, city: str | None, most: int
    ) -> Sequence[Call]:
        if self._history is None:
            raise NotNow("history is not open here")
        return await self._history.calls(Past(since, until, city, most))

    async def ledger(self, since: float, until: float, city: str | None) -> Rows:
        if self._history is None:
            raise NotNow("history is not open here")
        span = await self._history.span(since, until, city)
        return Rows(span.calls, span.visits, span.stints)

    async def refill(self, since: float, until: float) -> int:
        if self._refiller is None:
            raise NotNow("nothing is refilled here")
        return await self._refiller(since, until)

    def shortfalls(self) -> Sequence[Shortfall]:
        if self._shortfalls is None:
            raise NotNow("nobody counts seats here: only the running service does")
        return self._shortfalls()

    async def duties(
        self, since: float, city: str | None, history: History | None = None, *, older: bool = False
    ) -> Sequence[Duty]:
        """``history``: another database than the one that is open here; ``older``: those from before that
        are open too."""
        # what has not reached the database yet stands on the board
        history = history or self._history
        board = self._switchboard.board
        up = [a for a in board.standing.announcements.values() if city in (None, a.city)]
        live = [c for c in board.picture.calls.values() if city in (None, c.city) and c.arrived >= since]
        if history is None:
            return duties(Known(live, up))
        store = DutyStore(history)
        drafted = await store.drafted(since, city, older=older)
        known = {c.id: c for c in (*await store.owed(since, city, older=older), *live)}
        notes = await store.notes(since, city, older=older)
        owed = [c.id for c in known.values() if c.owed]
        messages = await RecordingStore(history).messages(owed)
        of = [*owed, *(d.call.id for d in drafted), *(n.id for n in notes)]
        by_hand = await store.by_hand(of)
        return duties(Known(list(known.values()), up, drafted, messages, by_hand, notes))


def _call_of(record: Record) -> Call | None:
    try:
        return from_dict(Call, record.told["row"])
    except (Unknown, KeyError):
        return None


Gauge = tuple[str, str, Callable[[], float]]


def gauges(
    journal: Journal, drain: Drain, board: Callable[[], Board], refills: Callable[[], int] = int
) -> list[Gauge]:
    """Figures that ``cti.web.metrics`` looks up when asked."""
    return [
        ("hotline_link_up", "1 while Asterisk talks to us", lambda: float(board().picture.linked)),
        ("hotline_picture_stale_seconds", "Since when the picture is unproved", lambda: _stale(board())),
        ("hotline_journal_waiting", "Records not yet in the file", lambda: float(journal.waiting)),
        ("hotline_journal_lost", "Records lost to a full or broken disk", lambda: float(journal.unwritten)),
        ("hotline_journal_behind_bytes", "Journal the database has not read", lambda: float(drain.behind)),
        ("hotline_refills_waiting", "Silences not yet put right", lambda: float(refills())),
        ("hotline_database_up", "1 while history is written", lambda: float(drain.ok)),
    ]


def _stale(board: Board) -> float:
    since = board.picture.stale_since
    return 0.0 if since is None or since == 0.0 else max(0.0, time.time() - since)
