"""Journal -> history: at its own pace, in order, nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import structlog

from calls.audit import Audited
from calls.codec import Unknown, from_dict
from calls.model import Call
from calls.note import ShiftNote
from cti.errors import Broken, NotNow
from cti.store.history import History
from cti.store.journal import Journal, Reader, segments
from cti.store.records import Position, Record
from queues.stint import Stint
from queues.visit import Visit
from recording.flagged import Flag
from transfer.handoff import Handoff

log = structlog.get_logger(__name__)


class Drain:
    """Reads the rows the journal carries and saves them with the cursor in one transaction."""

    def __init__(
        self,
        journal: Journal,
        history: History,
        *,
        batch: int = 500,
        look_seconds: float = 0.5,
        most_seconds: float = 15.0,
    ) -> None:
        """``batch``: the most records saved at once, fewer after a failure; ``look_seconds``: how often an
        idle journal is read; ``most_seconds``: the longest back-off."""
        self.status = "starting"
        """``ok``, or why history does not move."""
        self.ok = False
        self.position = Position()
        self.refused = 0
        """Rows the database would not take. They stand in the journal and in the log."""
        self._journal = journal
        self._opened = journal.end
        """What stands here or later was written in this life: no cursor of a former one has read it."""
        self._known = False
        """``position`` was asked for: from then on it is this life's own."""
        self._reader = Reader(journal.folder)
        self._history = history
        self._most_batch = self._batch = batch
        self._look = look_seconds
        self._most = most_seconds

    @property
    def behind(self) -> int:
        """Bytes of the journal the database has not read."""
        bytes_on_disk = 0
        for number, path in segments(self._journal.folder):
            if number >= self.position.segment:
                with contextlib.suppress(FileNotFoundError):
                    bytes_on_disk += path.stat().st_size
        return max(0, bytes_on_disk - self.position.offset)

    async def run(self) -> None:
        """Until cancelled."""
        wait = self._look
        while True:
            try:
                if not self._known:
                    await self._history.start()
                    self.position = await self._begin()
                    self._known = True
                moved = await self.once()
            except NotNow as why:
                if self.ok or self.status == "starting":
                    log.warning("history waits in the journal", why=str(why))
                self.ok, self.status = False, str(why)
                # a slow one takes a few in its time where it never takes many
                self._batch = max(1, self._batch // 2)
                wait = min(self._most, wait * 2)
                await asyncio.sleep(wait)
                continue
            if not self.ok:
                log.info("history is written", segment=self.position.segment, offset=self.position.offset)
            self.ok, self.status = True, "ok"
            self._batch = min(self._most_batch, self._batch * 2)
            wait = self._look
            if not moved:
                await asyncio.sleep(self._look)

    async def _begin(self) -> Position:
        """Where to read on. Raises NotNow."""
        cursor = await self._history.cursor(self._journal.ident)
        if cursor <= self._opened:
            return cursor
        # a power cut took the journal's end, or an older copy of it was laid back; kept at once, or what is
        # written next would hide it from the next start
        log.warning("the database has read beyond the journal's end", cursor=cursor, end=self._opened)
        await self._history.save([], [], self._journal.ident, self._opened)
        return self._opened

    async def once(self) -> bool:
        """Save one batch; False when there was nothing to read."""
        # reading and understanding a batch takes milliseconds, and the loop has callers to advise
        rows, after = await asyncio.to_thread(self._next)
        if after is None:
            return False
        try:
            await self._history.save(
                rows.calls,
                rows.visits,
                self._journal.ident,
                after,
                rows.stints,
                rows.audits,
                handoffs=rows.handoffs,
                flags=rows.flags,
                notes=rows.notes,
            )
        except Broken as why:
            log.error("history refuses a batch, its rows are tried one by one", why=str(why))
            await self._one_by_one(rows, after)
        self.position = after
        self._journal.drained = self.position
        return True

    def _next(self) -> tuple[Rows, Position | None]:
        """The rows of the next batch and where it ends; None when the journal has no more."""
        records = self._reader.after(self.position, self._batch)
        return rows_of(records), records[-1].after if records else None

    async def _one_by_one(self, rows: Rows, after: Position) -> None:
        """A row the database will never take must not stop the others; the journal still has it."""
        alone = [Rows([c], [], []) for c in rows.calls] + [Rows([], [v], []) for v in rows.visits]
        alone += [Rows([], [], [s]) for s in rows.stints]
        alone += [Rows([], [], [], [a]) for a in rows.audits]
        alone += [Rows([], [], [], handoffs=[h]) for h in rows.handoffs]
        alone += [Rows([], [], [], flags=[x]) for x in rows.flags]
        alone += [Rows([], [], [], notes=[n]) for n in rows.notes]
        for one in alone:
            try:
                await self._history.save(
                    one.calls,
                    one.visits,
                    self._journal.ident,
                    self.position,
                    one.stints,
                    one.audits,
                    handoffs=one.handoffs,
                    flags=one.flags,
                    notes=one.notes,
                )
            except Broken as why:
                self.refused += 1
                of = one.of
                log.error("history refuses a row", call=of, why=str(why))
        await self._history.save([], [], self._journal.ident, after)


@dataclass(frozen=True, slots=True)
class Rows:
    """What a stretch of the journal says history should hold."""

    calls: list[Call]
    visits: list[Visit]
    stints: list[Stint]
    audits: list[Audited] = field(default_factory=list)
    handoffs: list[Handoff] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    notes: list[ShiftNote] = field(default_factory=list)

    @property
    def of(self) -> str:
        """What the first row is about."""
        named: list[str] = [*(c.id for c in self.calls), *(v.call for v in self.visits)]
        named += [*(s.call for s in self.stints), *(a.id for a in self.audits)]
        named += [*(h.call for h in self.handoffs), *(x.call for x in self.flags)]
        named += [n.id for n in self.notes]
        return named[0] if named else ""


def rows_of(records: Iterable[Record]) -> Rows:
    """The rows of these records, in their order. Of several with one key only the last that can be read:
    history would keep no other, and a call changes a dozen times in a busy second."""
    told = [
        (record, place) for record in records if (place := _KINDS.get(record.told.get("what"))) is not None
    ]
    rows = Rows([], [], [])
    seen: set[tuple[str, Any]] = set()
    for record, (name, kind, key_of) in reversed(told):
        try:
            row = record.told["row"]
            key = (name, key_of(row))
            if key not in seen:
                getattr(rows, name).append(from_dict(kind, row))
                seen.add(key)
        except (Unknown, KeyError) as why:
            log.error("journal row cannot be read", at=str(record.at), why=str(why))
    for name, _, _ in _KINDS.values():
        getattr(rows, name).reverse()
    return rows


_KINDS: Mapping[Any, tuple[str, type[Any], Callable[[Any], Any]]] = {
    "call": ("calls", Call, itemgetter("id")),
    "visit": ("visits", Visit, itemgetter("call", "number")),
    "stint": ("stints", Stint, itemgetter("leg")),
    "audit": ("audits", Audited, itemgetter("id")),
    "handoff": ("handoffs", Handoff, itemgetter("id")),
    "flag": ("flags", Flag, itemgetter("call", "flag")),
    "note": ("notes", ShiftNote, itemgetter("id")),
}
"""What a record says it holds -> the list of ``Rows``, the type, and history's key of it."""
