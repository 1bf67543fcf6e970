"""Sealed recordings carried to the shelf; local copies removed once the shelf is known to have them.

Nothing waits for the shelf but this: what cannot be carried now stays on disk and is carried later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import structlog

from calls.facts import CallId, LegId
from cti import vault
from cti.errors import Broken, NotNow, Refused
from cti.ring import Ring
from cti.shelf.chosen import Chosen
from cti.shelf.copying import carried, fetched
from cti.shelf.port import Absent, Away
from cti.store.recordings import RecordingStore
from cti.stubborn import AGAIN, HOUR, Later
from recording.filed import Filed, Kept

log = structlog.get_logger(__name__)

LOOK, LONGEST = 2.0, 30.0
"""Seconds between two looks; after failures at most the second."""
PROBE = 15.0
"""With nothing to carry the shelf is asked so often whether it is there."""
AT_ONCE = 4
MOST = 40
DAY = 86400.0


def name_of(row: Filed) -> str:
    """A recording's name on the shelf."""
    return row.file + vault.SUFFIX


class Carrier:
    """``run`` carries; ``back`` brings a copy to the disk again for whoever needs a file."""

    def __init__(
        self,
        folder: Path,
        store: RecordingStore,
        shelf: Chosen,
        busy: Callable[[], Collection[str]],
        alarm: Callable[[CallId, LegId, str], None],
        ring: Callable[[], Ring],
        *,
        local_days: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``busy``: legs whose local file somebody reads now."""
        self.trouble = ""
        """Why nothing is carried; empty while all is well."""
        self.waiting = 0
        """Sealed and not on the shelf, at the last look."""
        self.carried = self.dropped = 0
        """Since the start."""
        self._folder, self._store, self._shelf, self._busy = folder, store, shelf, busy
        self._alarm, self._ring, self._local, self._now = alarm, ring, local_days * DAY, now
        self._later: dict[LegId, Later] = {}
        self._coming: set[LegId] = set()
        self._probed = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        pause = LOOK
        while True:
            moved = 0
            try:
                moved = await self.round()
                pause = LOOK
            except NotNow as why:
                # the shelf's own troubles are told by round itself
                log.info("recordings are not carried now", why=str(why))
                pause = min(LONGEST, pause * 2)
            if not moved:
                await asyncio.sleep(pause)

    async def round(self) -> int:
        """Carry and remove what is due now; how many. Raises NotNow: the shelf or the database is away."""
        self.waiting = await self._store.uncarried_count()
        now = self._now()
        most = MOST + len(self._later)
        rows = await self._store.uncarried(most)
        old = await self._store.twice_kept(now - self._local, most)
        if len(rows) < most and len(old) < most:
            # what was deleted or carried by another way troubles nobody any more
            there = {row.leg for row in (*rows, *old)}
            self._later = {leg: one for leg, one in self._later.items() if leg in there}
        rows, old = self._due(rows, now), self._due(old, now)
        busy = self._busy()
        old = [row for row in old if row.leg not in busy and row.leg not in self._coming]
        done = 0
        with self._watched(rows):
            if not rows and not old and now - self._probed >= PROBE:
                await self._shelf().look()
                self._probed = now
            for begin in range(0, len(rows), AT_ONCE):
                some = rows[begin : begin + AT_ONCE]
                told = await asyncio.gather(
                    *(self._one(row, self.carry) for row in some), return_exceptions=True
                )
                done += sum(one for one in told if isinstance(one, int))
                for one in told:
                    if isinstance(one, BaseException):
                        raise one
            for row in old:
                done += await self._one(row, self.drop)
        self.waiting = await self._store.uncarried_count()
        return done

    async def carry(self, row: Filed) -> None:
        """One to the shelf. Raises NotNow, Refused; Broken, OSError: it is this one's own trouble."""
        shelf, path = self._shelf(), self._folder / name_of(row)
        # a deletion that comes in between then knows that there may be something on the shelf
        if not await self._store.keep(row.leg, Kept.CARRYING):
            return
        try:
            async with self._travels():
                await carried(shelf, name_of(row), path)
        except (Broken, OSError):
            if await self._store.keep(row.leg, Kept.CARRYING):
                raise
            # it was deleted meanwhile, there and here
        if await self._store.keep(row.leg, Kept.BOTH):
            self.carried += 1
            log.info("recording carried", call=row.call, leg=row.leg, to=shelf.where)
        else:
            await shelf.remove(name_of(row))

    async def drop(self, row: Filed) -> None:
        """Remove the local copy of one that the shelf has. Raises as ``carry``."""
        path = self._folder / name_of(row)
        try:
            local = (await asyncio.to_thread(path.stat)).st_size
        except FileNotFoundError:
            local = 0
        try:
            there = await self._shelf().size(name_of(row))
        except Absent:
            there = -1
        if local and there != local:
            await self._store.keep(row.leg, Kept.DISK)
            raise Broken(f"{name_of(row)}: {there} 字节 bytes on the shelf instead of {local}: carried again")
        if there < 0:
            raise Broken(f"{name_of(row)}: 磁盘和存储上都没有 neither on disk nor on the shelf")
        if row.leg in self._coming or row.leg in self._busy():
            return
        path.unlink(missing_ok=True)  # at once, before anybody else's turn
        await self._store.keep(row.leg, Kept.SHELF)
        self.dropped += 1

    async def spare(self) -> int:
        """The disk is nearly full: remove local copies that the shelf has, whatever their age; how many.
        Raises NotNow."""
        if not self._shelf.there:
            return 0
        now = self._now()
        rows = self._due(await self._store.twice_kept(now, MOST + len(self._later)), now)
        busy, done = self._busy(), 0
        with self._watched(()):
            for row in rows:
                if row.leg not in busy and row.leg not in self._coming:
                    done += await self._one(row, self.drop)
        return done

    async def back(self, row: Filed) -> None:
        """See to it that the file lies on the disk: it stays there until nobody is busy with it.
        Raises NotNow, Refused."""
        path = self._folder / row.file
        if path.exists() or path.with_name(path.name + vault.SUFFIX).exists():  # a look
            return
        self._coming.add(row.leg)
        try:
            async with self._travels():
                await fetched(self._shelf(), name_of(row), self._folder / name_of(row))
            await self._store.keep(row.leg, Kept.BOTH)
        except OSError as why:
            raise NotNow(f"{row.file}: {why.strerror or why}") from why
        finally:
            self._coming.discard(row.leg)

    # --- inside ---------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _travels(self) -> AsyncIterator[None]:
        """No key is taken out of the ring under a copy that is on its way."""
        in_use = self._ring().in_use()
        await asyncio.to_thread(in_use.__enter__)
        try:
            yield
        finally:
            in_use.__exit__(None, None, None)

    async def _one(self, row: Filed, work: Callable[[Filed], Awaitable[None]]) -> int:
        try:
            await work(row)
        except (Broken, OSError) as why:
            known = self._later.get(row.leg, Later(0, 0.0))
            if not known.tries:
                self._alarm(row.call, row.leg, "not-carried")
            pause = min(HOUR, AGAIN * 2 ** min(known.tries, 7))
            self._later[row.leg] = Later(known.tries + 1, self._now() + pause)
            log.error("recording not carried", call=row.call, leg=row.leg, why=str(why), again_in=pause)
            return 0
        self._later.pop(row.leg, None)
        return 1

    def _due(self, rows: Sequence[Filed], now: float) -> list[Filed]:
        return [r for r in rows if r.leg not in self._later or self._later[r.leg].at <= now][:MOST]

    @contextmanager
    def _watched(self, rows: Sequence[Filed]) -> Iterator[None]:
        try:
            yield
        except (Away, Refused) as why:
            self._shelf.again()
            if not self.trouble:
                log.error("the shelf takes no recordings", why=str(why))
                for row in rows[:1]:
                    self._alarm(row.call, row.leg, "not-carried")
            self.trouble = str(why)
            raise NotNow(str(why)) from why
        bad = len(self._later)
        self.trouble = f"{bad} 段录音未能存入 not carried, each by its own fault" if bad else ""
