"""Putting history right after nobody listened: what Asterisk itself wrote is folded through the rooms.

A silence is the time between the last fact heard and the snapshot of the next connection. Calls that touch
one get, when they have ended, the rows that queue_log and CDR prove; a row that says the same already stays
as it was heard, one that had to be made or mended says ``source = refilled``. Rows go into the journal like
all others, so that the order of what history is told stays one order. Hand-off records are mended on the
board, by a fact of ours: words may be noted in them still, and their centre is to hear of it.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from calls.facts import (
    CallId,
    Fact,
    FlagRaised,
    HandoffNoted,
    HandoffRefilled,
    LegId,
    LinkDown,
    LinkUp,
    MaskMissed,
    RecordingFiled,
    RecordingMissing,
    Snapshot,
)
from calls.model import Call, LeftBy, Source, Stage
from cti.asterisk.files import Written, wrap_ups, written
from cti.errors import NotNow
from cti.store.drain import Drain
from cti.store.history import History, Past, Span
from cti.store.journal import Journal, Reader
from cti.store.keeping import call_record, fact_of, opened, stint_record, visit_record
from cti.switchboard import Board, Heard, fold
from queues.stint import Part, Stint
from queues.visit import Visit
from queues.wrap_up import WRAP_UP, WrapUp
from transfer.handoff import Handoff, mended, proved

log = structlog.get_logger(__name__)

NEAR = 1.6
"""Seconds: two moments of one event, one of them cut to the whole second."""
EXACT = 0.3
"""Seconds: two moments of one event, both with milliseconds, on a busy machine."""
SAME = 0.001
"""Seconds: a moment that is the snapshot's own, by which a silence ended."""
MARGIN = 3.0
"""Seconds around a silence: what was heard then may have died on the way to the disk."""
SETTLE = 2.0
LONGEST = 3600.0
"""Seconds: a wrap-up that began longer before a silence was over by then."""
OURS = (
    LinkUp,
    LinkDown,
    MaskMissed,
    RecordingFiled,
    RecordingMissing,
    FlagRaised,
    HandoffNoted,
    HandoffRefilled,
)
"""Facts we tell ourselves, also before anybody listens to Asterisk again: they end no silence."""
LOOK = 1.0


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody of ours heard node ``node`` from ``since`` to ``until``, seconds since the epoch."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Proof:
    """One call as Asterisk's files tell it."""

    call: Call
    visits: tuple[Visit, ...]
    stints: tuple[Stint, ...]


def prove(told: Written) -> Proof | None:
    """The rows of one call, made as heard facts make them."""
    board = Board()
    visits: dict[int, Visit] = {}
    stints: dict[str, Stint] = {}
    for fact in told.facts:
        board = fold(board, fact)
        visits |= {v.number: v for v in board.visits.touched}
        stints |= {s.leg: s for s in board.stints.touched}
    call = board.picture.calls.get(told.call)
    if call is None:
        return None
    return Proof(call, tuple(visits[n] for n in sorted(visits)), tuple(stints.values()))


# --- heard and proved ---------------------------------------------------------------------------------


def mended_call(heard: Call | None, proved: Call, silence: Silence) -> Call | None:
    """The row history should hold; None when it holds it."""
    if heard is None:
        return replace(proved, source=Source.REFILLED)
    changes: dict[str, Any] = {}
    for name in ("line", "trunk", "caller", "called", "original"):
        if getattr(proved, name) and getattr(proved, name) != getattr(heard, name):
            changes[name] = getattr(proved, name)
    for name in ("arrived", "answered", "ended"):
        told = getattr(proved, name)
        if not _agree(getattr(heard, name), told, silence, EXACT if _within(told) == EXACT else NEAR):
            changes[name] = told
    for name in ("first_seat", "visits"):
        if getattr(heard, name) != getattr(proved, name):
            changes[name] = getattr(proved, name)
    if heard.answered is None and proved.answered is not None:
        changes |= {"seat": proved.seat, "queue": proved.queue}
    if heard.left_by in (None, LeftBy.UNKNOWN) or heard.ended is None:
        changes |= {"state": proved.state, "since": proved.since, "left_by": proved.left_by}
        changes |= {"cause": proved.cause, "stage": proved.stage}
    elif proved.answered is None and proved.stage not in (Stage.UNKNOWN, heard.stage):
        changes["stage"] = proved.stage
    if proved.callback_of and (not heard.callback_of or heard.greeted is None):
        changes |= {"callback_of": proved.callback_of, "greeted": heard.greeted or proved.greeted}
    if proved.outgoing and (not heard.outgoing or not heard.seat):
        changes |= {"direction": proved.direction, "seat": proved.seat, "callback_of": proved.callback_of}
        changes["greeted"] = heard.greeted or proved.greeted
    if proved.owed and not heard.owed:
        changes["owed"] = True
    mended = replace(heard, **changes)
    return None if mended == heard else replace(mended, source=Source.REFILLED)


def mended_visit(heard: Visit | None, proved: Visit, silence: Silence) -> Visit | None:
    """The row history should hold; None when it holds it."""
    if heard is not None:
        same = all(getattr(heard, n) == getattr(proved, n) for n in ("queue", "outcome", "seat", "declined"))
        there = _agree(heard.joined, proved.joined, silence) and _agree(heard.left, proved.left, silence)
        if same and there:
            # back at the same seat unheard, the later talk was taken for this visit's
            if proved.talked is None or _near(heard.talked, proved.talked):
                return None
            return replace(heard, talked=proved.talked, source=Source.REFILLED)
        return replace(proved, position=proved.position or heard.position, source=Source.REFILLED)
    return replace(proved, source=Source.REFILLED)


def mended_stints(heard: Iterable[Stint], proved: Iterable[Stint], silence: Silence) -> list[Stint]:
    """Rows to write: parts nobody heard, the ends of parts that were cut off, the talk that fell into it."""
    there = list(heard)
    legs = {s.leg: s for s in there}
    todo: list[Stint] = []
    # first those whose leg the files name: none of these is another one's twin
    for stint in sorted(proved, key=lambda s: s.leg not in legs):
        twin = legs.get(stint.leg) or next((s for s in there if _same_ring(s, stint, silence)), None)
        if twin is None:
            todo.append(replace(stint, source=Source.REFILLED))
            continue
        there.remove(twin)
        # a seat that came back from asking a colleague was heard as one who joined, its ring as nobody's; one
        # that was there when we looked again, as one who joined then
        late = 1 + EXACT if twin.part is stint.part is Part.JOINED else NEAR + 1
        late = _within(stint.began) if _guessed(twin.began, silence) else late
        unbegun = twin.began > stint.began + late and _in(silence, stint.began)
        # its ring was heard and its answer was not: at its end it seemed to have stopped ringing
        other = twin.part is not stint.part
        unanswered = other and stint.answered is not None and _in(silence, stint.answered)
        lost = twin.ended is None or _in(silence, twin.ended) or unbegun or unanswered
        guessed = _guessed(twin.ended, silence)
        ends = _agree(twin.ended, stint.ended, silence)
        # the files do not tell talk from hold, and what was heard of hold stays
        talk = max(0.0, stint.talk - twin.hold)
        # a piece of talk is counted when somebody comes or goes: one that ended unheard is in no sum
        touched = twin.began <= silence.until + MARGIN and (
            twin.ended is None or twin.ended >= silence.since - MARGIN
        )
        if lost and (other or unbegun or not ends):
            names = ("part", "answered", "ring", "queue", *("began",) * unbegun, *("ended",) * (not ends))
            told = {n: getattr(stint, n) for n in names}
            if "ended" in told and stint.ended is not None:
                # cut to the second it may lie before its own answer
                told["ended"] = max(stint.ended, told.get("began", twin.began), stint.answered or 0.0)
            # an end that was heard is finer than one cut to the second
            talk = max(talk, twin.talk) if ends and not guessed and not other else talk
            todo.append(replace(twin, **told, talk=talk, source=Source.REFILLED))
        # the files cut the end of a talk to the second, so what they have more than we was there
        elif touched and talk > twin.talk + 2 * EXACT:
            todo.append(replace(twin, talk=talk, source=Source.REFILLED))
    return todo


def mended_wrap_ups(talks: Sequence[Stint], proved: Sequence[WrapUp], silence: Silence) -> Iterator[Stint]:
    """Talks whose wrap-up nobody heard begin or end, or that took another's: each wrap-up belongs to the talk
    of its seat that ended when it began. Only of seats that wrapped up, or talked, in the silence."""
    mine = _belong(talks, proved)
    begin, end = silence.since - MARGIN, silence.until + MARGIN

    def over(stint: Stint) -> float | None:
        wrap = mine.get(stint.leg)
        return stint.ended if wrap is None else wrap.ended

    touched = {s.leg for s in talks if s.began <= end and ((at := over(s)) is None or at >= begin)}
    for stint in talks:
        own = mine.get(stint.leg)
        if own is None:
            if stint.wrap_up is not None and any(
                _near(stint.wrap_up, wrap.ended - wrap.began)
                for leg, wrap in mine.items()
                if leg in touched and wrap.seat == stint.seat and wrap.city == stint.city
                if wrap.ended is not None and wrap.began > (stint.ended or wrap.began)
            ):
                # it was the last talk of its seat that was heard
                yield replace(stint, wrap_up=None, source=Source.REFILLED)
        elif own.ended is not None and stint.leg in touched:
            lasted = own.ended - own.began
            if not _near(stint.wrap_up, lasted):
                yield replace(stint, wrap_up=lasted, source=Source.REFILLED)


def _belong(talks: Sequence[Stint], proved: Sequence[WrapUp]) -> dict[LegId, WrapUp]:
    """Each wrap-up to the talk of its seat that ended nearest to its first second, by that talk's leg."""
    ended: dict[tuple[str, str], list[tuple[float, LegId]]] = {}
    for stint in talks:
        if stint.ended is not None:
            ended.setdefault((stint.city, stint.seat), []).append((stint.ended, stint.leg))
    for mine in ended.values():
        mine.sort()
    near: list[tuple[float, float, LegId, WrapUp]] = []
    for wrap in proved:
        mine = ended.get((wrap.city, wrap.seat), [])
        first, last = (bisect(mine, (at, LegId(""))) for at in (wrap.began - NEAR, wrap.began + 1 + NEAR))
        near += [(_off(at, wrap.began), wrap.began, leg, wrap) for at, leg in mine[first:last]]
    found: dict[LegId, WrapUp] = {}
    taken: set[WrapUp] = set()
    for _, _, leg, wrap in sorted(near, key=lambda one: one[:3]):
        if leg not in found and wrap not in taken:
            found[leg] = wrap
            taken.add(wrap)
    return found


def _off(ended: float, second: float) -> float:
    """Seconds from a moment to a second of the files."""
    return max(second - ended, ended - second - 1.0, 0.0)


def _in(silence: Silence, at: float) -> bool:
    return silence.since - MARGIN <= at <= silence.until + MARGIN


def _agree(heard: float | None, told: float | None, silence: Silence, within: float = NEAR) -> bool:
    """Whether what stands in history may be the moment the files tell."""
    return _near(heard, told, _within(told) if _guessed(heard, silence) else within)


def _guessed(at: float | None, silence: Silence) -> bool:
    """Nobody heard it happen: it stands in history with the moment when we looked again."""
    return at is not None and abs(at - silence.until) < SAME


def _within(told: float | None) -> float:
    """Seconds by which what happened may lie behind what the files tell: the dialplan writes milliseconds,
    cdr_csv and app_queue cut to the second."""
    return 1.0 if told is None or told.is_integer() else EXACT


def _same_ring(heard: Stint, proved: Stint, silence: Silence) -> bool:
    """A phone that was not answered, or a colleague's, has no leg in the files: seat and time tell it."""
    unanswered = (Part.MISSED, Part.STOPPED, Part.RINGING)
    alike = heard.part in unanswered and proved.part in unanswered
    joined = heard.part is proved.part is Part.JOINED
    if heard.seat != proved.seat or not (alike or joined):
        return False
    if abs(heard.began - proved.began) < NEAR + 1:
        return True
    # there when we looked again, however long before it came
    over = float("inf") if proved.ended is None else proved.ended + 1.0
    return joined and _guessed(heard.began, silence) and proved.began <= heard.began < over


def _near(one: float | None, other: float | None, within: float = NEAR) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= within


def rows_for(proofs: Iterable[Proof], span: Span, silence: Silence) -> tuple[int, list[dict[str, Any]]]:
    """How many calls are put right, and the journal's records that do it."""
    calls = {c.id: c for c in span.calls}
    visits = {(v.call, v.number): v for v in span.visits}
    stints: dict[CallId, list[Stint]] = {}
    for stint in span.stints:
        stints.setdefault(stint.call, []).append(stint)
    told: list[dict[str, Any]] = []
    count = 0
    for proof in proofs:
        mine: list[dict[str, Any]] = []
        if (call := mended_call(calls.get(proof.call.id), proof.call, silence)) is not None:
            mine.append(call_record(call))
        for visit in proof.visits:
            if (better := mended_visit(visits.get((visit.call, visit.number)), visit, silence)) is not None:
                mine.append(visit_record(better))
        for one in mended_stints(stints.get(proof.call.id, ()), proof.stints, silence):
            mine.append(stint_record(one))
        told += mine
        count += bool(mine)
    return count, told


def unfinished(board: Board) -> dict[CallId, float]:
    """When each call began that goes on, or of whose seats more will be heard: an agent puts the handset down
    after the caller, a wrap-up ends. Such a row would be written over one that was put right before."""
    stints = board.stints
    found = {call.id: call.arrived for call in board.picture.live()}
    wrapping = (stints.late.get(leg) or stints.open.get(leg) for leg, _ in stints.wrapping.values())
    for stint in (*stints.open.values(), *wrapping):
        if stint is not None:
            found.setdefault(stint.call, stint.began)
    return found


# --- when ---------------------------------------------------------------------------------------------


def silences_of(reader: Reader) -> list[Silence]:
    """The silences of a journal's last segments: before each snapshot, back to the last thing heard; and
    those that waited when the segments began."""
    found: list[Silence] = []
    waited: list[Silence] = []
    last = 0.0
    fresh = True
    for record in reader.recent(2):
        if (was_open := opened(record)) is not None:
            waited += [Silence(since, until) for since, until in was_open.silences]
        fact = fact_of(record)
        if fact is None:
            continue
        if isinstance(fact, Snapshot):
            if not fresh:
                found.append(Silence(last, fact.at))
            fresh = False
        elif not isinstance(fact, OURS):
            last, fresh = max(last, fact.at), False
        if isinstance(fact, Snapshot):
            last = max(last, fact.at)
    # as the service that heard them had them
    return list({s.until: s for s in (*found, *waited)}.values())


class Refiller:
    """Runs beside the drain. ``hear`` notes silences as they end; ``run`` puts their calls right."""

    def __init__(
        self,
        node: str,
        files: tuple[Path, Path],
        history: History,
        journal: Journal,
        drain: Drain,
        board: Callable[[], Board],
        hear: Callable[[Fact], None],
        recall: Callable[[Handoff], None],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``files``: queue_log and the CDR's Master.csv; ``hear`` and ``recall``: the switchboard's."""
        self.node = node
        self._files = files
        self._history, self._journal, self._drain, self._board = history, journal, drain, board
        self._tell, self._recall, self._now = hear, recall, now
        self._waiting: dict[float, Silence] = {}
        self._last = board().picture.stale_since
        self._heard = self._last or 0.0
        self._begun: dict[float, int] = {}
        """Silences put right as far as could be, and how many calls that were."""
        self._one = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """Silences whose calls are not all put right."""
        return len(self._waiting)

    @property
    def silences(self) -> list[tuple[float, float]]:
        """Since and until of each of them."""
        return [(s.since, s.until) for s in list(self._waiting.values())]

    def remember(self, reader: Reader) -> None:
        """Take up what an earlier service left. Blocking: before ``run``."""
        for silence in silences_of(reader):
            self._waiting[silence.until] = silence

    def hear(self, heard: Heard) -> None:
        """A listener of the switchboard."""
        fact = heard.fact
        if isinstance(fact, Snapshot) and self._last is not None:
            self._waiting[fact.at] = Silence(self._last, fact.at)
        stale = heard.board.picture.stale_since
        if not isinstance(fact, OURS):
            self._heard = max(self._heard, fact.at)
        # a link that froze is noticed late: the last thing heard counts
        self._last = None if stale is None else min(stale, self._heard or stale)

    async def run(self) -> None:
        """Until cancelled."""
        done = await self._known()
        for until in done:
            self._waiting.pop(until, None)
        while True:
            await asyncio.sleep(LOOK)
            for silence in sorted(self._waiting.values(), key=lambda s: s.until):
                if self._now() < silence.until + SETTLE:
                    continue
                over = self._may_end(silence)
                if not over and silence.until in self._begun:
                    continue
                try:
                    count = await self.put_right(silence)
                    count = self._begun[silence.until] = self._begun.get(silence.until, 0) + count
                    if not over:
                        continue  # once more when its last call is over
                    await self._history.put_refill(
                        self.node, silence.since, silence.until, count, self._now()
                    )
                except NotNow as why:
                    log.warning("not refilled yet", why=str(why))
                    break
                self._waiting.pop(silence.until, None)
                self._begun.pop(silence.until, None)
                log.info("refilled", since=silence.since, until=silence.until, calls=count)

    async def _known(self) -> dict[float, float]:
        while True:
            try:
                return await self._history.refilled(self.node)
            except NotNow:
                await asyncio.sleep(LOOK)

    def _may_end(self, silence: Silence) -> bool:
        """Every call that touched the silence is over: only then Asterisk writes its CDR. And no seat wraps
        up of which nobody heard when it began."""
        board = self._board()
        if any(began <= silence.until + MARGIN for began in unfinished(board).values()):
            return False
        seats = board.seats.seats.values()
        wraps = {(s.city, s.name) for s in seats if s.paused.partition(":")[0] == WRAP_UP}
        return wraps <= board.stints.wrapping.keys()

    async def put_right(self, silence: Silence) -> int:
        """Refill this time now, as far as its calls are over; how many calls. Raises NotNow."""
        async with self._one:
            await self._drained()
            since, until = silence.since - MARGIN, silence.until + MARGIN
            found = await asyncio.to_thread(written, *self._files, self.node, since, until)
            if not found:
                await self._wrap_ups(silence, since)
                return 0
            first = min(w.began for w in found)
            span = await self._history.span(first - MARGIN, until + MARGIN)
            live = unfinished(self._board())
            over = [w for w in found if w.call not in live]
            proofs = [p for w in over if (p := prove(w)) is not None]
            count, told = await asyncio.to_thread(rows_for, proofs, span, silence)
            for record in told:
                self._journal.append(record)
            await self._drained()
            await self._handoffs(over)
            await self._wrap_ups(silence, min(first, since))
            return count

    async def _handoffs(self, over: Iterable[Written]) -> None:
        """The records of these calls: stages that nobody heard. Raises NotNow."""
        for call in over:
            for id in dict.fromkeys(step.id for step in call.stages):
                fact = HandoffRefilled(
                    at=self._now(), node=self.node, id=id, call=call.call, ended=call.ended,
                    steps=tuple(step for step in call.stages if step.id == id),
                )  # fmt: skip
                if (told := proved(fact)) is None:
                    continue
                known = self._board().moves.records.get(id)
                if known is None:
                    found = await self._history.handoffs(Past(most=1), id=id)
                    # words may have been noted in it meanwhile
                    known = self._board().moves.records.get(id) or next(iter(found), None)
                if mended(known, told) is not None:
                    if known is not None:
                        self._recall(known)
                    self._tell(fact)

    async def _wrap_ups(self, silence: Silence, first: float) -> None:
        """Once the stints are right. Raises NotNow."""
        proved = await asyncio.to_thread(wrap_ups, self._files[0], first - LONGEST)
        talks = await self._history.talks(first - LONGEST + NEAR, self._now())
        live = {leg for leg, _ in self._board().stints.wrapping.values()}
        over = [stint for stint in talks if stint.leg not in live]
        for stint in await asyncio.to_thread(lambda: list(mended_wrap_ups(over, proved, silence))):
            self._journal.append(stint_record(stint))
        await self._drained()

    async def _drained(self) -> None:
        """Wait until history has all the journal holds. Raises NotNow after a while."""
        end = self._now() + 30
        # in this order: what does not wait any more is in the file, where the drain sees it
        while self._journal.waiting or self._drain.behind:
            if self._now() > end:
                raise NotNow("history is behind the journal")
            await asyncio.sleep(0.1)
