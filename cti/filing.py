"""The clerk of recordings: looks at each leg's file when the leg is over, files it or says it is missing.

Nothing here is in a call's way: Asterisk writes without us, and what ended while we were away is found on
disk. A row that the database does not take now is taken later; the files themselves wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from calls.facts import CallId, Fact, LegId, MaskAsked, RecordingFiled, RecordingMissing, Snapshot
from calls.picture import city_of
from cti import vault
from cti.errors import Broken, NotNow
from cti.glances import Glances
from cti.leg_file import found_at, glance, mend, orphans, placed, silence
from cti.ring import Ring
from cti.sealing import row_of
from cti.store.recordings import RecordingStore
from cti.stubborn import Stubborn
from cti.switchboard import Board, Heard
from recording.check import HEADER, Found, closed, verdict
from recording.consulted import in_file
from recording.filed import Filed, Role, whose
from recording.filed import Heard as Transcribed
from recording.masked import MARGIN, Key, together, unkept, unpaused
from recording.table import Recording, State, speaker

log = structlog.get_logger(__name__)

SOON, LONGEST = 0.03, 2.0
"""Seconds between two looks at a file that Asterisk has not closed yet."""
PATIENCE = 8.0
"""Seconds after its leg's end (and after its last byte) until a file that nobody closed is taken as it is."""
LOOK = 2.0
LATE = 1.0
"""Seconds after which a key that we hear counts as one that nobody heard."""
SAVE = 0.1
"""Seconds between two looks for rows to be saved."""
TOGETHER = 50
"""So many rows are saved in one transaction: one each costs more than all else that is done for a call."""
ORPHANS_EVERY = 300.0
ALARMS = 50
"""So many are kept in memory and shown on boards."""
LACKING = 1000
"""The most rows of the database in one answer."""
Keys = Callable[[CallId, float], Sequence[Key]]
"""The keys of a call from a moment on."""
TURNS_UP = ("never-started", "no-file")
"""Reasons to be missing that a file which turns up later takes away."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A recording that is not there, for a person to look into."""

    at: float
    call: CallId
    leg: LegId
    why: str


class Filer:
    """``hear`` is a listener of the switchboard; ``run`` files."""

    def __init__(
        self,
        folder: Path,
        store: RecordingStore,
        ring: Callable[[], Ring],
        board: Callable[[], Board],
        tell: Callable[[Fact], None],
        *,
        node: str,
        keys: Keys = lambda call, since: (),
        longest: float = 180.0,
        filed: Callable[[Filed], None] = lambda filed: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``keys``: what agents keyed in a call to keep out of its recordings, ``longest``: for so many
        seconds at most; ``filed``: who else wants to know."""
        self.folder = folder
        self.alarms: list[Alarm] = []
        """The last ones, the newest last; after a start those of the database."""
        self.alarmed: Callable[[Alarm], None] = lambda alarm: None
        """Called with each new one."""
        self.filed = self.missing = 0
        """Since the start."""
        self.trouble = ""
        """Why rows wait; empty while none does."""
        self._store, self._ring, self._board, self._tell = store, ring, board, tell
        self._node, self._told, self._now = node, filed, now
        self._keys, self._longest = keys, longest
        self._listening_since = float("inf")
        """Since when every fact was heard."""
        self._late: set[CallId] = set()
        """Calls in which something was keyed while we slept."""
        self._news = asyncio.Event()
        self._at_work: set[LegId] = set()
        self._glances = Glances(glance)
        self._rows: dict[LegId, Filed] = {}
        """Not yet in the database."""
        self._again: dict[LegId, Recording] = {}
        """Filed or missing by the journal, and in no row: looked at once more."""
        self._orphans = Stubborn(now)

    @property
    def waiting(self) -> int:
        """Legs that are over and not filed, and rows the database has not taken."""
        return len(self._board().recordings.due()) + len(self._again) + len(self._rows)

    def hear(self, heard: Heard) -> None:
        if isinstance(heard.fact, Snapshot):
            self._listening_since = heard.fact.at
        if isinstance(heard.fact, MaskAsked) and self._now() - heard.fact.at > LATE:
            self._late.add(heard.call or heard.fact.call)
        self._late.difference_update(heard.forgotten)
        if any(one.due for one in heard.recordings):
            self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._remember())
            group.create_task(self._recall())
            group.create_task(self._save_for_ever())
            group.create_task(self._orphans_for_ever())
            while True:
                for one in (*self._board().recordings.due(), *self._again.values()):
                    if one.leg not in self._at_work:
                        self._at_work.add(one.leg)
                        group.create_task(self._file(one))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await self._news.wait()
                # legs end together, and each asks for a look through all
                await asyncio.sleep(SOON)
                self._news.clear()

    # --- one leg ------------------------------------------------------------------------------------

    async def _file(self, one: Recording) -> None:
        try:
            await self.look_at(one)
            self._again.pop(one.leg, None)
        except OSError as why:
            log.error("recording cannot be looked at", call=one.call, leg=one.leg, why=str(why))
            await asyncio.sleep(LONGEST)
        finally:
            self._at_work.discard(one.leg)

    async def look_at(self, one: Recording) -> Filed:
        """Wait until Asterisk closed the file, check it, and say what became of it."""
        if not one.file and (there := await asyncio.to_thread(self._on_disk, one)):
            # it began while nobody listened
            one = replace(one, file=there)
        path = self.folder / one.file if one.file else None
        wait, size, grew = SOON, -2, self._now()
        while True:
            found = Found(-1) if path is None else await self._glances.at(path)
            if found.size != size:
                size, grew = found.size, self._now()
            if closed(found) or (path is None and one.began is None):
                break
            if self._now() - max(grew, one.ended or 0.0) > PATIENCE:
                break
            await asyncio.sleep(wait)
            wait = min(LONGEST, wait * 2)
        if path is not None and not one.sure and found.size >= 0:
            one = await asyncio.to_thread(placed, one, path, found.size)
        if path is not None and not closed(found) and found.size > HEADER:
            await asyncio.to_thread(mend, path, found.size)
        if (known := self._board().recordings.of(one.leg)) is not None:
            # told in the moment in which the leg ended
            one = replace(one, missed=known.missed)
        heard = one.sure and one.began is not None and one.began > self._listening_since
        if path is not None and (not heard or one.missed or one.call in self._late):
            one = await asyncio.to_thread(self._unkept, one, path)
            found = replace(found, sha256="")
        if not found.sha256:
            found = await asyncio.to_thread(found_at, path, whole=True)
        return self._decide(one, found)

    def _unkept(self, one: Recording, path: Path) -> Recording:
        """What an agent keyed while nobody listened, and what Asterisk did not pause when it was asked to, is
        made silence now. Raises OSError."""
        found = found_at(path, whole=False)
        if found.header is None or one.ended is None or not found.header.rate:
            return one
        seconds = min(found.header.data, found.size - HEADER) / (2 * found.header.rate)
        began = one.began if one.began is not None else one.ended - seconds
        keys = self._keys(one.call, began - MARGIN)
        keyed = unkept(keys, began, began + seconds, one.pauses, self._longest)
        stretches = together((*keyed, *unpaused(one.missed, began, began + seconds)))
        if not stretches:
            return one
        silence(path, stretches, found.header.rate)
        log.info("what was to be kept out is silence now", call=one.call, leg=one.leg)
        return replace(one, pauses=together((*one.pauses, *stretches)))

    def _on_disk(self, one: Recording) -> str:
        found = next(self.folder.glob(f"*/{one.call}/{one.leg}.wav"), None)
        return "" if found is None else str(found.relative_to(self.folder))

    def _decide(self, one: Recording, found: Found) -> Filed:
        told = verdict(one, found)
        if one.began is None and not told.why and one.ended is not None:
            # nobody heard it begin: a file ends with its leg
            one = replace(one, began=one.ended - told.seconds)
        call = self._board().picture.calls.get(one.call)
        role, seat = whose(one, outgoing=call is not None and call.outgoing)
        filed = Filed(
            leg=one.leg,
            call=one.call,
            city=city_of(one.call),
            line="" if call is None else call.line,
            original="" if call is None else call.original,
            seat=seat,
            role=role,
            state=State.MISSING if told.why else State.FILED,
            why=told.why,
            began=one.began,
            ended=one.ended,
            seconds=told.seconds,
            short=told.short,
            pauses=json.dumps(one.pauses),
            apart=json.dumps([] if one.began is None else in_file(one, one.began, told.seconds)),
            file=one.file,
            bytes=max(0, found.size),
            sha256=found.sha256,
            # the words of a message are in the caller's own recording, and written down once
            heard=Transcribed.NOTHING if told.why or role is Role.MESSAGE else Transcribed.WAITING,
        )
        self._rows[one.leg] = filed
        known = self._board().recordings.of(one.leg)
        news = known is None or known.state is not filed.state
        if told.why:
            self.missing += 1
            self.alarm(one.call, one.leg, told.why)
            log.error("recording is missing", call=one.call, leg=one.leg, why=told.why)
            if news:
                self._tell(
                    RecordingMissing(
                        at=self._now(), node=self._node, leg=one.leg, call=one.call, why=told.why
                    )
                )
            return filed
        self.filed += 1
        if told.short:
            self.alarm(one.call, one.leg, "short")
            log.error("recording is short", call=one.call, leg=one.leg, seconds=told.short)
        if news:
            self._tell(
                RecordingFiled(
                    at=self._now(),
                    node=self._node,
                    leg=one.leg,
                    call=one.call,
                    file=one.file,
                    seconds=told.seconds,
                    sha256=found.sha256,
                    short=told.short,
                )
            )
        self._told(filed)
        return filed

    def alarm(self, call: CallId, leg: LegId, why: str) -> None:
        """A recording that a person should look into."""
        new = Alarm(self._now(), call, leg, why)
        self.alarms = [*self.alarms[-ALARMS + 1 :], new]
        self.alarmed(new)

    def removed(self, row: Filed) -> None:
        """A recording that was filed and that somebody took away."""
        self.missing += 1
        self.alarm(row.call, row.leg, "removed")
        log.error("recording was removed", call=row.call, leg=row.leg)

    async def lacking(self, since: float | None, until: float | None, city: str | None) -> list[Alarm]:
        """Every alarm of a time, the newest last: what the database says is missing or short, and what only
        this process knows (not filed, not sealed, not carried, changed, not saved yet). Raises NotNow."""
        rows = await self._store.lacking(since, until, city, most=LACKING)
        found = {(a.leg, a.why): a for a in map(alarm_of, rows)}
        for one in self.alarms:
            mine = city in (None, city_of(one.call))
            if mine and (since is None or one.at >= since) and (until is None or one.at < until):
                found.setdefault((one.leg, one.why), one)
        return sorted(found.values(), key=lambda a: a.at)

    async def _remember(self) -> None:
        """What was missing before this process began."""
        while True:
            try:
                rows = await self._store.lacking(None, None, None, most=ALARMS)
            except NotNow:
                await asyncio.sleep(LOOK)
                continue
            mine = {(a.leg, a.why): a for a in (*map(alarm_of, rows), *self.alarms)}
            self.alarms = sorted(mine.values(), key=lambda a: a.at)[-ALARMS:]
            for one in self.alarms:
                self.alarmed(one)
            return

    # --- rows ---------------------------------------------------------------------------------------

    async def _save_for_ever(self) -> None:
        while True:
            await self._save()
            try:
                await asyncio.sleep(SAVE if not self.trouble else LOOK)
            except asyncio.CancelledError:
                if not self.trouble:
                    await self._save()
                raise

    async def _save(self) -> None:
        """Every row that waits, until the database takes none."""
        waiting = list(self._rows.items())
        for first in range(0, len(waiting), TOGETHER):
            rows = waiting[first : first + TOGETHER]
            try:
                await self._put([row for _, row in rows])
            except NotNow as why:
                self.trouble = str(why)
                break
            for leg, row in rows:
                if self._rows.get(leg) is row:
                    del self._rows[leg]
            self.trouble = ""

    async def _put(self, rows: list[Filed]) -> None:
        """Raises NotNow. A row the database will never take must not stop the others."""
        try:
            await self._store.put(*rows)
        except Broken as why:
            if len(rows) == 1:
                log.error("history refuses a recording", leg=rows[0].leg, why=str(why))
                return
            for row in rows:
                await self._put([row])

    async def _recall(self) -> None:
        """A service that died before it saved its rows: the journal says that the files were looked at, and
        history knows nothing of it."""
        over = {leg: one for leg, one in self._board().recordings.over.items() if leg not in self._rows}
        while True:
            try:
                rows = await self._store.legs()
            except NotNow:
                await asyncio.sleep(LOOK)
                continue
            break
        for leg, one in over.items():
            path = self.folder / one.file if one.file else None
            if leg in rows:
                lost = (
                    one.state is State.FILED and rows[leg] in TURNS_UP and path is not None and path.exists()
                )
            else:
                # a sealed file says itself what it is: ``adopt``
                lost = path is None or not path.with_name(path.name + vault.SUFFIX).exists()
            if lost:
                self._again[leg] = replace(one, state=State.ROLLING, why="")
        self._news.set()

    # --- what nobody told of --------------------------------------------------------------------------

    async def _orphans_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            left = 1
            try:
                left = await self.adopt()
            except (NotNow, OSError) as why:
                log.warning("orphans not looked for", why=str(why))
            # one that is still written, or has just been, is looked at again soon
            await asyncio.sleep(PATIENCE if left else ORPHANS_EVERY)

    async def adopt(self) -> int:
        """File what lies on disk and in no row: calls that came and went while nobody of ours listened. How
        many files were found so, those included that are to be looked at soon again. Raises NotNow, OSError:
        nothing can be looked for."""
        rows = await self._store.legs()
        known = frozenset(leg for leg, why in rows.items() if why not in TURNS_UP)
        board = self._board().recordings
        lost = await asyncio.to_thread(orphans, self.folder, known | frozenset(board.going))
        self._orphans.only({leg for _, _, leg in lost})
        lost = [one for one in lost if not self._orphans.rests(one[2])]
        for path, call, leg in lost:
            here = board.of(leg)
            sealed = path.name.endswith(vault.SUFFIX)
            if leg in self._rows or leg in self._again:
                continue
            if here is not None and here.state is not State.MISSING and not sealed:
                continue
            if not self._board().picture.linked or speaker(leg) in self._board().picture.legs:
                continue  # it goes on, and began while nobody listened
            try:
                await self._adopt(path, call, leg)
            except NotNow as why:
                # by its key, or the whole ring
                log.warning("recording of nobody cannot be opened now", leg=leg, why=str(why))
                self._orphans.later(leg)
            except (Broken, OSError) as why:
                log.error("recording of nobody cannot be filed", call=call, leg=leg, why=str(why))
                if self._orphans.failed(leg):
                    self.alarm(call, leg, "not-filed")
        return len(lost)

    async def _adopt(self, path: Path, call: CallId, leg: LegId) -> None:
        stat = await asyncio.to_thread(path.stat)
        if self._now() - stat.st_mtime < PATIENCE:
            return
        if path.name.endswith(vault.SUFFIX):
            # a database that was lost: the sealed file says itself what it is
            row = await asyncio.to_thread(row_of, self.folder, self._ring(), path)
            self._rows[row.leg] = row
            return
        found = await asyncio.to_thread(found_at, path, whole=False)
        seconds = max(0, found.size - HEADER) / 16000
        began = self._began(path, stat.st_mtime, seconds)
        one = Recording(
            leg,
            call,
            State.ROLLING,
            since=began,
            began=began,
            ended=began + seconds,
            sure=False,
            file=str(path.relative_to(self.folder)),
        )
        await self.look_at(one)

    def _began(self, path: Path, touched: float, seconds: float) -> float:
        """Asterisk names a channel by the second in which it was made; the file ends with its last write."""
        return touched - seconds


def alarm_of(row: Filed) -> Alarm:
    """A row that is missing or short, at the moment its leg was over."""
    return Alarm(row.ended or row.began or 0.0, row.call, row.leg, row.why or "short")
