"""Are all recordings there? Talk, as the ledger and Asterisk's own files tell it, against the disk."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from calls.facts import LegId
from cti import vault
from cti.asterisk.files import written
from cti.carrying import name_of
from cti.errors import Broken, NotNow, Refused
from cti.home import NODE, Home
from cti.leg_file import orphans
from cti.refill import Proof, prove
from cti.ring import Ring
from cti.shelf.chosen import Chosen
from cti.sounds import Sounds
from cti.store.history import History
from cti.store.recordings import RecordingStore
from queues.stint import Part, Stint
from recording.check import LATE, Stretch, holes
from recording.filed import Filed, Kept
from recording.table import State

FAR = 16 * vault.CHUNK
"""Bytes of a recording on the shelf that are read at once."""
PIECE = 2.0
"""Seconds by which queue_log's whole seconds may differ from ours."""


@dataclass(slots=True)
class Checked:
    """``talk`` and ``recorded`` in seconds; every list says what a person should look into."""

    calls: int = 0
    legs: int = 0
    talk: float = 0.0
    recorded: float = 0.0
    gaps: list[dict[str, Any]] = field(default_factory=list)
    """Talk that is in no file."""
    twice: list[dict[str, Any]] = field(default_factory=list)
    """Talk that is in two files."""
    missing: list[dict[str, Any]] = field(default_factory=list)
    """Legs whose recording is missing, and why."""
    orphans: list[str] = field(default_factory=list)
    """Files that belong to no leg we know."""
    lost: list[dict[str, Any]] = field(default_factory=list)
    """Filed once, and not on disk (or changed) now."""
    shelf: str = ""
    """The shelf, when one is configured or a recording lies on one."""
    carried: int = 0
    """Legs whose recording is on the shelf, as far as it was looked for there."""
    waiting: int = 0
    """Sealed recordings that are not on the shelf yet; no fault."""
    shelf_trouble: str = ""
    """Why the shelf could not be looked at."""
    shelf_lost: list[dict[str, Any]] = field(default_factory=list)
    """Carried once, and not on the shelf (or changed) now; the only copy, or one that is on disk too."""
    shelf_orphans: list[str] = field(default_factory=list)
    """On the shelf, and of no recording that we keep."""
    unheard: list[dict[str, Any]] = field(default_factory=list)
    """Answered by Asterisk's own files, and in no row of ours."""

    @property
    def whole(self) -> bool:
        talk = self.gaps or self.twice or self.missing or self.unheard
        files = self.orphans or self.lost or self.shelf_lost or self.shelf_orphans or self.shelf_trouble
        return not (talk or files)

    def as_json(self) -> dict[str, Any]:
        told = asdict(self)
        return {
            "whole": self.whole,
            **{k: round(v, 3) if isinstance(v, float) else v for k, v in told.items()},
        }


async def check(
    home: Home,
    history: History,
    since: float,
    until: float,
    city: str | None,
    *,
    deep: bool,
    ring: Callable[[], Ring],
    shelf: Chosen,
    told: Callable[[int, int], None] = lambda done, of: None,
) -> Checked:
    """Every call that arrived in [since, until). ``deep`` reads every file and compares its checksum."""
    store = RecordingStore(history)
    span = await history.span(since, until, city)
    rows = {row.leg: row for row in await store.between(since, until + 86400.0, city)}
    calls = {c.id for c in span.calls if c.ended is not None}
    found = Checked(calls=len(calls))
    mine = [row for row in rows.values() if row.call in calls or (row.ended or 0.0) < until]
    found.legs = len(mine)
    known = frozenset(await store.legs())
    standing = await _standing(found, shelf, mine)
    if standing is not None:
        found.shelf_orphans = _strays(standing, known, {r.leg: r for r in rows.values()})
    for number, row in enumerate(mine):
        if row.state is State.FILED and not _near(home.recordings / row.file):
            # it may have been carried away, or deleted, since the rows were read
            row = await store.one(row.leg) or row
        _row(found, home.recordings, row, deep, ring)
        if row.state is State.FILED and standing is not None:
            if row.kept in (Kept.BOTH, Kept.SHELF) and name_of(row) not in standing:
                # carried since the shelf was listed, or really not there
                with contextlib.suppress(NotNow, Refused):
                    standing[name_of(row)] = await shelf().size(name_of(row))
            await _carried(found, row, standing, Sounds(home.recordings, ring, shelf) if deep else None)
        told(number + 1, len(mine))
    files = [
        Stretch(r.leg, r.began, r.began + r.seconds)
        for r in rows.values()
        if r.state is State.FILED and r.began is not None
    ]
    found.recorded = sum(f.end - f.begin for f in files)
    proofs = [p for p in map(prove, written(home.queue_log, home.cdr, NODE, since, until)) if p is not None]
    talk = [s for stint in span.stints for s in talked(stint, calls, _ends(proofs))]
    found.talk = sum(s.end - s.begin for s in talk)
    expired = {r.leg for r in rows.values() if r.state is State.EXPIRED}
    left = holes([s for s in talk if s.leg not in expired], files)
    found.gaps = [asdict(s) for s in left.gaps]
    found.twice = [asdict(s) for s in left.twice]
    found.twice += _copies(home.recordings, {row.leg: row.file for row in mine})
    found.orphans = [str(p.relative_to(home.recordings)) for p, _, _ in orphans(home.recordings, known)]
    found.unheard = _unheard(proofs, since, city, rows, known)
    return found


def _row(found: Checked, folder: Path, row: Filed, deep: bool, ring: Callable[[], Ring]) -> None:
    about = {"call": row.call, "leg": row.leg}
    if row.state is State.MISSING:
        found.missing.append({**about, "why": row.why})
        return
    if row.state is not State.FILED:
        return
    path = folder / row.file
    if not _near(path):
        if row.kept not in (Kept.BOTH, Kept.SHELF):
            found.lost.append({**about, "why": "no-file"})
    elif deep:
        try:
            opened = vault.opened(ring(), path)
            digest = hashlib.sha256()
            for offset in range(0, opened.size, vault.CHUNK):
                digest.update(opened.read(offset, vault.CHUNK))
            if digest.hexdigest() != row.sha256:
                found.lost.append({**about, "why": "changed"})
        except (Broken, NotNow) as why:
            found.lost.append({**about, "why": str(why)})
    if row.short > LATE:
        found.gaps.append({**about, "begin": row.began, "end": row.ended, "seconds": row.short})


def _copies(folder: Path, files: Mapping[LegId, str]) -> list[dict[str, Any]]:
    """Further files of legs whose recording is another file."""
    told = []
    for path in sorted(folder.glob("*/*/*.wav*")):
        file = str(path.relative_to(folder)).removesuffix(vault.SUFFIX)
        own = files.get(LegId(path.name.removesuffix(vault.SUFFIX).removesuffix(".wav")))
        if own and file != own and not path.name.startswith("."):
            told.append({"call": path.parent.name, "leg": path.name.partition(".wav")[0], "file": file})
    return told


def _near(path: Path) -> bool:
    return path.exists() or path.with_name(path.name + vault.SUFFIX).exists()


async def _standing(found: Checked, shelf: Chosen, rows: Sequence[Filed]) -> dict[str, int] | None:
    """What stands on the shelf: name -> bytes. None: there is none, or it cannot be looked at."""
    if not shelf.there and not any(r.kept in (Kept.BOTH, Kept.SHELF) for r in rows):
        return None
    try:
        found.shelf = shelf().where
        return {one.name: one.size async for one in shelf().every()}
    except (NotNow, Refused) as why:
        found.shelf_trouble = str(why)
        return None


def _strays(standing: Mapping[str, int], known: frozenset[str], rows: Mapping[Any, Filed]) -> list[str]:
    """On the shelf, of no leg we know or of one that was deleted. Files of others are none of ours."""
    told = []
    for name in sorted(standing):
        parts = name.removesuffix(vault.SUFFIX).removesuffix(".wav").split("/")
        if len(parts) != 3 or not name.endswith(f".wav{vault.SUFFIX}"):
            continue
        row = rows.get(parts[2])
        if parts[2] not in known or (row is not None and row.state is State.EXPIRED):
            told.append(name)
    return told


async def _carried(found: Checked, row: Filed, standing: Mapping[str, int], deep: Sounds | None) -> None:
    """One recording on the shelf; ``deep``: all of it is read from there."""
    about = {"call": row.call, "leg": row.leg, "only": row.kept is Kept.SHELF}
    if row.kept in (Kept.DISK, Kept.CARRYING):
        found.waiting += row.sealed
        return
    size = standing.get(name_of(row))
    if size is None:
        found.shelf_lost.append({**about, "why": "no-file"})
        return
    # a row made from a sealed file of old does not know its length
    if row.bytes and size != vault.sealed_size(row.bytes):
        found.shelf_lost.append({**about, "why": f"{size} bytes instead of {vault.sealed_size(row.bytes)}"})
        return
    found.carried += 1
    if deep is None:
        return
    try:
        opened = await deep.far(row)
        digest = hashlib.sha256()
        for offset in range(0, opened.size, FAR):
            digest.update(await opened.read(offset, FAR))
        if digest.hexdigest() != row.sha256:
            found.shelf_lost.append({**about, "why": "changed"})
    except (Broken, NotNow, Refused) as why:
        found.shelf_lost.append({**about, "why": str(why)})


def _ends(proofs: Sequence[Proof]) -> dict[str, float]:
    """Call -> the second in which it was over, as Asterisk's own files tell. Legs of a call that goes on
    stand there with the moment they left a queue's bridge, and may talk elsewhere."""
    return {str(p.call.id): float(int(p.call.ended)) for p in proofs if p.call.ended is not None}


def talked(stint: Stint, calls: set[Any], ends: Mapping[str, float]) -> Sequence[Stretch]:
    """A seat and its caller talked: both legs must be recorded for so long.

    What ended while nobody of ours listened stands in history with the moment we looked again; where
    Asterisk's files tell of an earlier second, the talk is known to have lasted until then.
    """
    if stint.call not in calls or stint.part not in (Part.ANSWERED, Part.JOINED, Part.CALLED):
        return ()
    if stint.answered is None or stint.ended is None or stint.ended - stint.answered < LATE:
        return ()
    caller, end = stint.call.partition("-")[2], stint.ended
    second = ends.get(stint.call)
    if second is not None and end >= second + 1.0:
        end = max(stint.answered, second)
    if stint.part is Part.CALLED:
        # the call is named after the seat's own leg; the citizen's is in no row of ours
        return (Stretch(stint.leg, stint.answered, end),)
    return (Stretch(stint.leg, stint.answered, end), Stretch(caller, stint.answered, end))


def _unheard(
    proofs: Sequence[Proof], since: float, city: str | None, rows: dict[Any, Filed], known: frozenset[str]
) -> list[dict[str, Any]]:
    """Answers in queue_log and CDR whose legs stand nowhere."""
    told = []
    for proof in proofs:
        if (city is not None and proof.call.city != city) or proof.call.arrived < since:
            continue
        for stint in proof.stints:
            if stint.part is Part.ANSWERED and stint.talk > PIECE and stint.leg not in known:
                told.append({"call": proof.call.id, "leg": stint.leg, "seconds": stint.talk})
    return told
