"""Live speech to text: which legs are tapped, who listens to them, and what becomes of the words.

While people talk, Asterisk writes a second file of each leg (a tap) that a recogniser's process follows; the
recording itself stays the source of truth. Whatever fails here (no process, no room, a tap that stopped, too
many calls) costs the live text only: the recording is transcribed when there is time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from calls.facts import CallId, LegId, Snapshot
from calls.model import CallState
from calls.orders import MaskRecording, Order, TapLeg, UntapLeg
from cti.errors import Broken, NotNow, Refused
from cti.speech.crew import Hand
from cti.speech.pinyin import sounds
from cti.store.recordings import RecordingStore, Span
from cti.switchboard import Board, Heard
from recording.consulted import Stretches, in_file, of_row, parted
from recording.filed import Filed, Role, whose
from recording.filed import Heard as Known
from recording.recognised import Recognised, Word
from recording.table import Recording, State
from recording.transcript import Now, Said, Transcript, in_order, plain, sounded

log = structlog.get_logger(__name__)

HEAD = 2.0
"""Seconds of a recording before its tap that are not worth a second listening."""
TAIL = 1.0
"""Seconds a tap may be shorter than the talk."""
LATE_AFTER = 1.0
LATE_EVERY = 1.0
TRIES = 3
BEHIND = 20.0
"""Seconds a live voice may fall behind before its words are left to after-call work."""
KEPT_DONE = 500
LAGS = 2000


@dataclass(slots=True)
class Hearing:
    """One leg being listened to."""

    leg: LegId
    call: CallId
    role: Role
    seat: str
    began: float
    """When its recording's first sample was spoken, seconds since the epoch."""
    offset: float
    """Seconds of the recording at which listening began."""
    file: str
    live: bool
    tap: str = ""
    hand: Hand | None = None
    spans: list[Recognised] = field(default_factory=list)
    partial: str = ""
    seconds: float = 0.0
    """Seconds of the tap that were listened to."""
    silent: float = 0.0
    """Seconds of the tap that were listened to before the unfinished words began."""
    ended: float | None = None
    over: bool = False
    saved: bool = False
    head: bool = False
    """Only what was said before the tap is listened to."""
    before: list[Recognised] = field(default_factory=list)
    """Spans that stand already, and stay."""
    row: Filed | None = None
    """Of a recording that is read afterwards."""


class Listening:
    """``hear`` is a listener of the switchboard; ``run`` keeps the processes and hands out the work."""

    def __init__(
        self,
        taps: Path,
        recordings: Path,
        model: Callable[[], Path | None],
        ring: Callable[[], Path],
        store: RecordingStore,
        board: Callable[[], Board],
        do: Callable[[Order], Awaitable[str]],
        *,
        workers: int,
        legs: int,
        back: Callable[[Filed], Awaitable[None]],
        now: Callable[[], float] = time.time,
    ) -> None:
        """``workers`` processes with ``legs`` live voices each; ``ring``: the key ring's file; ``back``
        brings a recording's file to the disk (it may be on the shelf only)."""
        self.hands = [Hand(n, model, self._told, self._began, self._lost) for n in range(workers)]
        self.dropped = 0
        """Legs whose live text was given up or never begun: transcribed afterwards."""
        self.unreadable = 0
        """Recordings that could not be listened to TRIES times: nobody writes their words down any more."""
        self.lags: deque[float] = deque(maxlen=LAGS)
        """Seconds from voice to text, the last ones."""
        self.changed: Callable[[CallId], None] = lambda call: None
        """Called when a call's words changed."""
        self._taps, self._recordings, self._model, self._ring = taps, recordings, model, ring
        self._store, self._board, self._do = store, board, do
        self._legs, self._back, self._now = legs, back, now
        self._known: dict[LegId, Hearing] = {}
        # as many as can be followed: where Asterisk is slow to tap, those behind them would have no place
        self._wanted: asyncio.Queue[LegId] = asyncio.Queue(max(1, workers * legs))
        self._asked: set[LegId] = set()
        self._tries: dict[LegId, int] = {}
        self._free = asyncio.Event()

    # --- for everybody --------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        return any(hand.ready for hand in self.hands)

    @property
    def reading(self) -> frozenset[LegId]:
        """Legs whose recordings are read now."""
        return frozenset(leg for leg, one in self._known.items() if not one.live)

    @property
    def trouble(self) -> bool:
        """A recogniser is gone that was there."""
        return any(hand.restarts and not hand.ready for hand in self.hands)

    @property
    def status(self) -> str:
        if not self.hands:
            return "switched off"
        ready = sum(hand.ready for hand in self.hands)
        live = sum(len(hand.live) for hand in self.hands)
        if not ready:
            return next((hand.why for hand in self.hands if hand.why), "starting")
        return f"{ready} of {len(self.hands)} recognisers, {live} voices"

    def lag(self, share: float) -> float:
        """The lag that this share of the last partial texts stayed below, seconds."""
        known = sorted(self.lags)
        return known[min(len(known) - 1, int(share * len(known)))] if known else 0.0

    async def transcript(self, call: CallId) -> Transcript:
        """What was said until now. Raises NotNow when the database is needed and away."""
        mine = [h for h in self._known.values() if h.call == call]
        rows = await self._store.of_call(call)
        stored = await self._store.spans(call)
        by_leg = {row.leg: row for row in rows}
        live = {h.leg for h in mine if not h.saved}
        said = [said_of(x, by_leg.get(x.leg)) for x in stored if x.leg not in live]
        said += [self._said(h, span) for h in mine if not h.saved for span in (*h.before, *h.spans)]
        complete = self._complete(call, mine, rows)
        return Transcript(call, in_order(self._parted(said, by_leg)), self._saying(mine), complete)

    def _parted(self, said: Sequence[Said], rows: Mapping[LegId, Filed]) -> list[Said]:
        """What of it was said in a consultation, told apart from the rest."""
        legs = {leg: self._consultations(leg, rows.get(leg)) for leg in {one.leg for one in said}}
        return [part for one in said for part in parted([one], legs[one.leg])]

    def _consultations(self, leg: LegId, row: Filed | None) -> Stretches:
        """Where the consultations of a leg stand in its file, as far as it goes."""
        if row is not None:
            return of_row(row)
        one = self._board().recordings.of(leg)
        if one is None or one.began is None:
            return ()
        return in_file(one, one.began, (self._now() if one.ended is None else one.ended) - one.began)

    def _saying(self, legs: Sequence[Hearing]) -> tuple[Now, ...]:
        return tuple(self._says(one) for one in legs if one.partial and not one.over)

    def _says(self, one: Hearing) -> Now:
        """Of unfinished words it is not known which is where: a consultation that they reach into has all."""
        begun, second = one.offset + one.silent, round(one.offset + one.seconds, 3)
        apart = any(begun < b and a < second for a, b in self._consultations(one.leg, None))
        at = one.began + one.offset + one.seconds
        return Now(one.leg, one.role, one.seat, plain(one.partial), second, at, apart)

    def heard_now(self, call: CallId) -> Transcript:
        """The words that are in this process's memory, without asking the database: those of legs that are
        being listened to, and of those whose words are not saved yet. Never ``complete``."""
        mine = [h for h in self._known.values() if h.call == call]
        said = [self._said(h, span) for h in mine for span in (*h.before, *h.spans)]
        rows = {h.leg: h.row for h in mine if h.row is not None}
        return Transcript(call, in_order(self._parted(said, rows)), self._saying(mine))

    def _complete(self, call: CallId, mine: Sequence[Hearing], rows: Sequence[Filed]) -> bool:
        done = {h.leg for h in mine if h.live and self._whole(h)}
        going = [x for x in self._board().recordings.going.values() if x.call == call and not x.over]
        if going:
            # of a leg whose live text was given up the words come when its recording is filed
            told = all(x.leg in done for x in going if x.began is not None)
            return bool(done) and told and all(h.leg in done for h in mine if h.live) and self._over(call)
        waiting = [r for r in rows if r.heard is Known.WAITING and r.state is State.FILED]
        return bool(rows) and all(r.leg in done for r in waiting)

    def _over(self, call: CallId) -> bool:
        known = self._board().picture.calls.get(call)
        return known is None or known.state is CallState.ENDED

    # --- the switchboard ------------------------------------------------------------------------------

    def hear(self, heard: Heard) -> None:
        if not self.hands:
            return
        recordings = heard.board.recordings
        # after a snapshot: calls that were going on when we began to listen
        calls = heard.board.picture.live() if isinstance(heard.fact, Snapshot) else heard.calls
        for call in calls:
            if call.state is CallState.TALKING:
                for one in recordings.of_call(call.id):
                    self._want(one)
        for one in heard.recordings:
            if one.missed and (listened := self._known.get(one.leg)) is not None and listened.live:
                log.warning("live text given up: a pause was missed", leg=one.leg)
                self._drop(listened)
            if one.ended is not None:
                self._ends(one)
                continue
            known = heard.board.picture.calls.get(one.call)
            if known is not None and known.state is CallState.TALKING:
                self._want(one)
            if (listened := self._known.get(one.leg)) is not None:
                listened.call = one.call

    def _want(self, one: Recording) -> None:
        if (
            one.leg not in self._asked
            and one.state in (State.ROLLING, State.PAUSED)
            and one.began is not None
            # what a pause should have kept out would be read from a tap; from the filed recording it is not
            and not one.missed
        ):
            self._asked.add(one.leg)
            try:
                self._wanted.put_nowait(one.leg)
            except asyncio.QueueFull:
                self.dropped += 1
                log.info("not listened to live: too many wait", leg=one.leg)

    def _ends(self, one: Recording) -> None:
        self._asked.discard(one.leg)
        listened = self._known.get(one.leg)
        if listened is not None and listened.live and listened.ended is None:
            listened.ended = one.ended if one.sure else self._now()
            if listened.hand is not None:
                listened.hand.say(do="end", leg=one.leg)

    # --- work -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        for left in self._taps.glob("*.sln48"):
            # of a service that died: the recordings of those legs are transcribed afterwards
            left.unlink(missing_ok=True)
        async with asyncio.TaskGroup() as group:
            for hand in self.hands:
                group.create_task(hand.run())
            group.create_task(self._late_for_ever())
            group.create_task(self._save_for_ever())
            while True:
                leg = await self._wanted.get()
                try:
                    await self._begin(leg)
                except (NotNow, Refused) as why:
                    log.info("not listened to live", leg=leg, why=str(why))

    async def _begin(self, leg: LegId) -> None:
        one = self._board().recordings.of(leg)
        if one is None or one.ended is not None or one.began is None or leg in self._known:
            return
        ready = [h for h in self.hands if h.ready and len(h.live) < self._legs]
        if not ready:
            self.dropped += 1
            return
        hand = min(ready, key=lambda h: len(h.live))
        file = self._taps / f"{leg}.sln48"
        tap = await self._do(TapLeg(leg=leg, file=str(file)))
        # Asterisk began to write a moment before it said so
        offset = max(0.0, self._now() - one.began)
        call = self._board().picture.calls.get(one.call)
        role, seat = whose(one, outgoing=call is not None and call.outgoing)
        listened = Hearing(leg, one.call, role, seat, one.began, offset, str(file), True, tap, hand)
        self._known[leg] = listened
        hand.live.add(leg)
        hand.say(do="follow", leg=leg, file=str(file), offset=offset)
        now = self._board().recordings.of(leg)
        if now is not None and now.state is State.PAUSED:
            try:
                await self._do(MaskRecording(leg=leg, on=True))
            except (NotNow, Refused):
                # nobody may read what the recording keeps out
                self._drop(listened)
                raise
        if now is not None and now.missed:
            self._drop(listened)
        elif now is None or now.ended is not None:
            listened.ended = self._now() if now is None or now.ended is None else now.ended
            hand.say(do="end", leg=leg)

    # --- what the processes say -------------------------------------------------------------------------

    def _told(self, hand: Hand, told: dict[str, Any]) -> None:
        listened = self._known.get(LegId(told["leg"]))
        if listened is None or listened.hand is not hand:
            return
        match told["what"]:
            case "partial":
                if not listened.partial:
                    listened.silent = listened.seconds
                listened.partial, listened.seconds = told["text"], told["at"]
                self.lags.append(max(0.0, self._now() - (listened.began + listened.offset + told["at"])))
                if told["behind"] > BEHIND:
                    log.warning("live text given up: too far behind", leg=listened.leg)
                    self._drop(listened)
            case "span":
                listened.partial, listened.seconds = "", told["at"]
                listened.spans.append(_recognised(told["span"]))
            case "over":
                listened.seconds = told["seconds"]
                self._finished(listened)
            case "failed":
                log.warning("recording not listened to", leg=listened.leg, why=told["why"])
                self._release(listened)
                self._known.pop(listened.leg, None)
                self._tries[listened.leg] = self._tries.get(listened.leg, 0) + 1
        self.changed(listened.call)

    def _drop(self, listened: Hearing) -> None:
        """This leg's words come afterwards."""
        self.dropped += 1
        if listened.hand is not None:
            listened.hand.say(do="drop", leg=listened.leg)
        self._release(listened)
        self._known.pop(listened.leg, None)
        if listened.ended is None:
            task = asyncio.ensure_future(self._untap(listened))
            task.add_done_callback(lambda t: t.cancelled() or t.exception())
        Path(listened.file).unlink(missing_ok=True)

    async def _untap(self, listened: Hearing) -> None:
        with contextlib.suppress(NotNow, Refused):
            await self._do(UntapLeg(leg=listened.leg, tap=listened.tap))

    def _finished(self, listened: Hearing) -> None:
        listened.over, listened.partial = True, ""
        self._release(listened)
        if listened.live:
            Path(listened.file).unlink(missing_ok=True)
            if not self._whole(listened):
                # the tap stopped early (a full disk, an Asterisk that died): the recording has all of it
                self.dropped += 1
                self._known.pop(listened.leg, None)
        self._free.set()

    def _whole(self, listened: Hearing) -> bool:
        """Whether the tap held all of the talk."""
        if not listened.over:
            return False
        talked = (listened.ended or 0.0) - listened.began - listened.offset
        return not listened.live or listened.seconds > talked - TAIL

    def _release(self, listened: Hearing) -> None:
        if listened.hand is not None:
            listened.hand.live.discard(listened.leg)
            listened.hand.late.discard(listened.leg)

    def _began(self, hand: Hand) -> None:
        """A process is ready: it takes up where the one before it stood."""
        for listened in self._known.values():
            if listened.hand is not hand or listened.over or not listened.live:
                continue
            begin = max((s.end for s in listened.spans), default=listened.offset) - listened.offset
            hand.say(
                do="follow",
                leg=listened.leg,
                file=listened.file,
                offset=listened.offset,
                begin=max(0.0, begin),
            )
            if listened.ended is not None:
                hand.say(do="end", leg=listened.leg)

    def _lost(self, hand: Hand) -> None:
        for leg in list(hand.late):
            self._known.pop(LegId(leg), None)
        hand.late.clear()

    # --- after the call -----------------------------------------------------------------------------------

    async def _late_for_ever(self) -> None:
        while True:
            self._free.clear()
            idle = [h for h in self.hands if h.ready and not h.late and len(h.live) < self._legs]
            try:
                for row in await self._store.unheard() if idle else ():
                    if not idle:
                        break
                    if row.leg not in self._known and (row.ended or 0.0) < self._now() - LATE_AFTER:
                        await self._late(row, idle.pop())
            except NotNow as why:
                log.info("after-call work waits", why=str(why))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LATE_EVERY):
                    await self._free.wait()

    async def _late(self, row: Filed, hand: Hand) -> None:
        if self._tries.get(row.leg, 0) >= TRIES:
            await self._store.mark(row.leg, heard=Known.NOTHING)
            self.unreadable += 1
            log.error("recording given up: nobody could listen to it", leg=row.leg, tries=TRIES)
            return
        before = await self._store.spans_of(row.leg) if row.heard is Known.TALK else []
        try:
            await self._back(row)
        except (NotNow, Refused) as why:
            log.info("its recording is not to be had now", leg=row.leg, why=str(why))
            return
        until = before[0].start - 0.2 if before else None
        listened = Hearing(
            row.leg, row.call, row.role, row.seat, row.began or 0.0, 0.0, row.file, False, hand=hand
        )
        listened.before, listened.row = [_spoken(x) for x in before], row
        listened.head = bool(before)
        self._known[row.leg] = listened
        hand.late.add(row.leg)
        path = self._recordings / row.file
        hand.say(do="transcribe", leg=row.leg, file=str(path), until=until, ring=str(self._ring()))

    async def _save_for_ever(self) -> None:
        while True:
            for listened in list(self._known.values()):
                if not listened.over or listened.saved:
                    continue
                try:
                    await self._save(listened)
                except NotNow as why:
                    log.info("transcripts wait", why=str(why))
                    break
                except Broken as why:
                    log.error("transcript refused", leg=listened.leg, why=str(why))
                    listened.saved = True
            done = [leg for leg, h in self._known.items() if h.saved]
            for leg in done:
                del self._known[leg]
            await asyncio.sleep(0.2)

    async def _save(self, listened: Hearing) -> None:
        known = Known.TALK if listened.live and listened.offset > HEAD else Known.DONE
        spans = sorted([*listened.before, *listened.spans], key=lambda s: s.start)
        rows = await asyncio.to_thread(_rows, listened, spans)
        listened.saved = await self._store.put_spans(listened.leg, rows, known)

    def _said(self, listened: Hearing, span: Recognised) -> Said:
        return Said(
            listened.leg,
            listened.role,
            listened.seat,
            round(listened.began + span.start, 3),
            span.start,
            span.end,
            plain(span.text),
            span.confidence,
            span.words,
            span.digits,
        )


def _recognised(told: dict[str, Any]) -> Recognised:
    words = tuple(Word(**word) for word in told["words"])
    return Recognised(**{**told, "words": words})


def _rows(listened: Hearing, spans: Sequence[Recognised]) -> list[Span]:
    return [
        Span(
            leg=listened.leg,
            number=number,
            call=listened.call,
            city=listened.call.partition("-")[0],
            at=round(listened.began + span.start, 3),
            start=span.start,
            end=span.end,
            text=plain(span.text),
            sound=sounded(span.text, sounds),
            confidence=span.confidence,
            words=json.dumps(
                {
                    "digits": span.digits,
                    "words": [[w.text, w.start, w.end, w.confidence] for w in span.words],
                },
                ensure_ascii=False,
            ),
        )
        for number, span in enumerate(spans)
    ]


def _spoken(row: Span) -> Recognised:
    told = json.loads(row.words)
    words = tuple(Word(*word) for word in told["words"])
    text = " ".join(w.text for w in words)
    return Recognised(text, row.start, row.end, row.confidence, "", words, told["digits"])


def said_of(row: Span, filed: Filed | None) -> Said:
    """A row of the database as it is told."""
    again = _spoken(row)
    role, seat = (Role.OTHER, "") if filed is None else (filed.role, filed.seat)
    return Said(
        row.leg, role, seat, row.at, row.start, row.end, row.text, row.confidence, again.words, again.digits
    )
