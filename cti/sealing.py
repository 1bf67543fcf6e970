"""The sealer of recordings: what is filed is encrypted (``cti.vault``) some time after its leg is over, and
says itself from then on what it is.

Whoever dies in between leaves no plain file that nobody looks at again: what is sealed and not marked in the
database is marked by the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from calls.facts import CallId, LegId
from cti import vault
from cti.errors import Broken, NotNow
from cti.ring import Ring
from cti.store.recordings import RecordingStore
from cti.stubborn import Stubborn
from recording.filed import Filed
from recording.table import State

log = structlog.get_logger(__name__)

LOOK, LEAST = 2.0, 0.2
"""Seconds between two looks for what is to be sealed."""
MOST = 50
"""So many are sealed between two looks."""
THE_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Troubles of the disk, and of no one recording."""
TOLD = ("leg", "call", "city", "line", "original", "seat", "role", "began", "ended", "seconds", "sha256")
"""What a sealed file says of its row, besides the pauses."""


class Sealer:
    """``run`` seals."""

    def __init__(
        self,
        folder: Path,
        store: RecordingStore,
        ring: Callable[[], Ring],
        alarm: Callable[[CallId, LegId, str], None],
        removed: Callable[[Filed], None],
        *,
        after: float | None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``after``: seconds from a leg's end to its encryption, None for never; ``removed`` is told of a
        recording that somebody took away."""
        self._folder, self._store, self._ring = folder, store, ring
        self._alarm, self._removed, self._after, self._now = alarm, removed, after, now
        self._stubborn = Stubborn(now)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tidy_at_the_start())
            while True:
                if self._after is not None:
                    try:
                        await self.seal_due(self._now() - self._after)
                    except NotNow as why:
                        log.warning("recordings stay unsealed for now", why=str(why))
                await asyncio.sleep(min(LOOK, max(LEAST, self._after or 0.0)))

    async def seal_due(self, before: float) -> None:
        """Encrypt some of what was over before ``before``. Raises NotNow: the database is away, or the key
        ring."""
        most = MOST + len(self._stubborn)
        rows = await self._store.unsealed(before, most)
        if len(rows) < most:
            self._stubborn.only({row.leg for row in rows})
        done: list[LegId] = []
        try:
            await self._seal_all([row for row in rows if not self._stubborn.rests(row.leg)][:MOST], done)
        finally:
            if done:
                # one transaction for all; whoever dies before it finds the sealed files, and marks them then
                with contextlib.suppress(NotNow):
                    await self._store.mark(*done, sealed=True)

    async def _seal_all(self, rows: list[Filed], done: list[LegId]) -> None:
        """Those that are sealed now are told in ``done``. Raises NotNow."""
        for row in rows:
            try:
                if await self.seal(row):
                    done.append(row.leg)
            except (Broken, OSError) as why:
                if isinstance(why, OSError) and why.errno in THE_DISKS:
                    # a try may fill the disk to its last byte: one a look, and each time another
                    log.warning("recording stays unsealed for now", leg=row.leg, why=str(why))
                    self._stubborn.later(row.leg)
                    return
                log.error("recording cannot be sealed", call=row.call, leg=row.leg, why=str(why))
                if self._stubborn.failed(row.leg):
                    self._alarm(row.call, row.leg, "not-sealed")

    async def seal(self, row: Filed) -> bool:
        """Encrypt one; False: it is not there. Raises NotNow; Broken, OSError: it is this one's own trouble,
        the plain file stays."""
        path = self._folder / row.file
        target = path.with_name(path.name + vault.SUFFIX)
        if not path.exists():
            if target.exists():
                return True
            # somebody took it away: this is what must never pass in silence
            await self._store.mark(row.leg, state=State.MISSING, why="removed")
            self._removed(row)
            return False
        meta = {name: getattr(row, name) for name in TOLD}
        meta |= {"pauses": json.loads(row.pauses), "apart": json.loads(row.apart)}
        digest = await asyncio.to_thread(vault.seal, self._ring(), path, target, meta)
        if digest != row.sha256:
            log.error("recording changed after it was filed", call=row.call, leg=row.leg)
            self._alarm(row.call, row.leg, "changed")
        # this order: whoever dies in between leaves no plain file that nobody looks at again
        await asyncio.to_thread(path.unlink)
        return True

    async def _tidy_at_the_start(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            try:
                return await self.tidy()
            except (NotNow, OSError) as why:
                log.warning("plain files beside sealed ones are not looked for", why=str(why))

    async def tidy(self) -> None:
        """Remove plain files that lie beside their sealed ones, when those open and say the same: services
        used to leave them when killed. Raises NotNow: the database is away."""
        for path in await asyncio.to_thread(_plain_beside_sealed, self._folder):
            row = await self._store.one(path.stem)
            if row is None or not row.sealed or self._folder / row.file != path:
                continue
            try:
                same = await asyncio.to_thread(_says_the_same, self._ring(), path)
                if same:
                    await asyncio.to_thread(path.unlink)
                log.warning("a plain file beside its sealed one", leg=row.leg, removed=same)
            except (NotNow, Broken, OSError) as why:
                log.warning("a plain file stays beside its sealed one", leg=row.leg, why=str(why))


def row_of(folder: Path, ring: Ring, path: Path) -> Filed:
    """What a sealed file says of itself, as when its database was lost. Raises NotNow, Broken, OSError."""
    try:
        file = vault.Sealed(ring, path)
        told = file.meta
        return Filed(
            leg=LegId(told["leg"]),
            call=CallId(told["call"]),
            city=told["city"],
            line=told["line"],
            # files sealed before did not say it
            original=told.get("original", ""),
            seat=told["seat"],
            role=told["role"],
            began=told["began"],
            ended=told["ended"],
            seconds=told["seconds"],
            pauses=json.dumps(told["pauses"]),
            apart=json.dumps(told.get("apart", [])),
            file=str(path.relative_to(folder)).removesuffix(vault.SUFFIX),
            bytes=file.size,
            sha256=told["sha256"],
            sealed=True,
        )
    except (KeyError, TypeError, ValueError) as why:
        raise Broken(f"{path.name}: does not say what it is: {why!r}") from why


def _plain_beside_sealed(folder: Path) -> list[Path]:
    plain = folder.glob("*/*/*.wav")
    return [path for path in plain if path.with_name(path.name + vault.SUFFIX).exists()]


def _says_the_same(ring: Ring, path: Path) -> bool:
    """Raises NotNow, Broken, OSError."""
    digest = hashlib.sha256()
    for block in vault.Sealed(ring, path.with_name(path.name + vault.SUFFIX)).blocks():
        digest.update(block)
    with path.open("rb") as plain:
        return digest.hexdigest() == hashlib.file_digest(plain, "sha256").hexdigest()
