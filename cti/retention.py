"""Deleting what was kept long enough; what is held for the law stays, and every deletion is told."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from calls.audit import Audited, Outcome
from cti import vault
from cti.errors import NotNow
from cti.store.recordings import RecordingStore
from plan.model import Plan
from recording.retention import terms

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
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._store, self._plans, self._note, self._now = folder, store, plans, note, now

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.sleep(FIRST)
        while True:
            try:
                await self.sweep()
            except (NotNow, OSError) as why:
                log.warning("recordings not swept", why=str(why))
            await asyncio.sleep(EVERY)

    async def sweep(self) -> int:
        """Delete what is due; how many recordings. Raises NotNow, OSError."""
        gone = 0
        for plan in list(self._plans().values()):
            for term in terms(plan, self._now()):
                while rows := await self._store.expired(term.before, term.city, term.line):
                    for row in rows:
                        path = self._folder / row.file
                        await asyncio.to_thread(_unlink, path)
                        await self._store.forget(row.leg, EXPIRED)
                        self._tell(row.city, row.call, row.leg)
                        gone += 1
        return gone

    def _tell(self, city: str, call: str, leg: str) -> None:
        now = self._now()
        log.info("recording deleted: kept long enough", call=call, leg=leg)
        self._note(
            Audited(
                id=uuid.uuid4().hex, at=now, city=city, who="retention", role="system", did="expire", on=call,
                told=json.dumps({"leg": leg}), outcome=Outcome.DONE, ended=now,
            )
        )  # fmt: skip


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(path.name + vault.SUFFIX).unlink(missing_ok=True)
