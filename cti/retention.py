"""Deleting what was kept long enough; what is held for the law stays, and every deletion is told."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog

from calls.audit import Audited, Outcome
from cti import vault
from cti.carrying import name_of
from cti.errors import NotNow, Refused
from cti.shelf.chosen import Chosen
from cti.store.duties import DutyStore
from cti.store.recordings import BEGIN, Mark, RecordingStore
from plan.model import Plan
from recording.filed import Filed, Kept
from recording.retention import DAY, Term, terms

log = structlog.get_logger(__name__)

EVERY = 3600.0
FIRST = 60.0
EXPIRED = "expired"


class Retention:
    """``run`` looks once an hour."""

    def __init__(
        self,
        folder: Path,
        store: RecordingStore,
        plans: Callable[[], Mapping[str, Plan]],
        note: Callable[[Audited], None],
        shelf: Chosen,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._store, self._plans, self._note, self._now = folder, store, plans, note, now
        self._shelf = shelf

    async def run(self) -> None:
        """Until cancelled."""
        await _hourly("recordings", self.sweep)

    async def sweep(self) -> int:
        """Delete what is due; how many recordings. One that lies on a shelf which is away now stays, and is
        deleted another hour; a term that could not be asked for ends none of the others. Raises NotNow,
        OSError: the first of those, when all were tried."""
        gone, stuck = 0, set[str]()
        failed: NotNow | OSError | None = None
        for plan in list(self._plans().values()):
            for term in terms(plan, self._now()):
                try:
                    gone += await self._due(term, stuck)
                except (NotNow, OSError) as why:
                    log.warning("term not swept", city=term.city, line=term.line, of=term.of, why=str(why))
                    failed = failed or why
        if failed is not None:
            raise failed
        return gone

    async def _due(self, term: Term, stuck: set[str]) -> int:
        """Delete what is due by this term; how many. ``stuck``: those that a sweep tried in vain."""
        gone = 0
        after: Mark | None = BEGIN
        while after is not None:
            rows, after = await self._store.expired(term, after)
            for row in (row for row in rows if row.leg not in stuck):
                # deleting a thousand takes a while: somebody may hold one meanwhile
                if not await self._store.goes(term, row.call):
                    continue
                try:
                    await self._away(row)
                except (NotNow, Refused) as why:
                    stuck.add(row.leg)
                    log.warning("not deleted", call=row.call, leg=row.leg, why=str(why))
                    continue
                # first: whoever dies in between tells it again, and no deletion goes untold
                self._tell(row.city, row.call, row.leg)
                await self._store.forget(row.leg, EXPIRED)
                await self._late_copy(row)
                gone += 1
        return gone

    async def _away(self, row: Filed) -> None:
        """From the shelf first: a local copy that is still there tells what is to be deleted."""
        if row.kept is not Kept.DISK:
            await self._shelf().remove(name_of(row))
        await asyncio.to_thread(_unlink, self._folder / row.file)

    async def _late_copy(self, row: Filed) -> None:
        """It was carried just while it was deleted."""
        now = await self._store.one(row.leg)
        if row.kept is Kept.DISK and now is not None and now.kept is not Kept.DISK:
            try:
                await self._shelf().remove(name_of(row))
            except (NotNow, Refused) as why:
                log.error("a deleted recording stays on the shelf", leg=row.leg, why=str(why))

    def _tell(self, city: str, call: str, leg: str) -> None:
        now = self._now()
        log.info("recording deleted: kept long enough", call=call, leg=leg)
        self._note(_expired(leg, now, city, call, json.dumps({"leg": leg})))


class OldNotes:
    """What shifts wrote for the next one goes so many days after it was settled. One that nobody settled
    stays. ``run`` looks once an hour."""

    def __init__(
        self,
        store: DutyStore,
        days: float,
        note: Callable[[Audited], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        """``days``: as long as the journal has the same text."""
        self._store, self._days, self._note, self._now = store, days, note, now

    async def run(self) -> None:
        """Until cancelled."""
        await _hourly("notes", self.sweep)

    async def sweep(self) -> int:
        """Delete what is due; how many. Raises NotNow."""
        gone, now = 0, self._now()
        while due := await self._store.done_before(now - self._days * DAY):
            for one in due:
                # first, as of a recording
                self._note(_expired(one.id, now, one.city, one.id))
            await self._store.forget(due)
            gone += len(due)
        return gone


async def _hourly(what: str, sweep: Callable[[], Awaitable[int]]) -> None:
    await asyncio.sleep(FIRST)
    while True:
        try:
            await sweep()
        except (NotNow, OSError) as why:
            log.warning("not swept", what=what, why=str(why))
        await asyncio.sleep(EVERY)


def _expired(key: str, now: float, city: str, on: str, told: str = "") -> Audited:
    """The row of the audit trail; told again it is the same one."""
    return Audited(
        id=uuid.uuid5(uuid.NAMESPACE_OID, f"{EXPIRED} {key}").hex, at=now, city=city, who="retention",
        role="system", did="expire", on=on, told=told, outcome=Outcome.DONE, ended=now,
    )  # fmt: skip


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(path.name + vault.SUFFIX).unlink(missing_ok=True)
