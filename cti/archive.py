"""Recordings for those who may have them: found, read, mixed, held (``cti.web.recordings.Archive``)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from calls.facts import CallId
from calls.model import Call
from cti.call_classes import CallClasses
from cti.errors import NotNow
from cti.filing import Filer
from cti.listening import Listening, said_of
from cti.masking import Masker
from cti.sounds import Sounds
from cti.speech import shelf
from cti.speech.mixing import Part, mixed, peaks
from cti.speech.pinyin import sounds
from cti.store.recordings import Hold, RecordingStore, Wanted
from cti.store.recordings import Span as SpanRow
from cti.switchboard import Board
from cti.web.answers import Answered
from cti.web.recordings import (
    AlarmAnswer,
    AlarmsQuestion,
    HitAnswer,
    Least,
    NowAnswer,
    RecordingAnswer,
    RecordingsQuestion,
    SaidAnswer,
    TranscriptAnswer,
    WordAnswer,
)
from cti.web.sound import Sound
from cti.web.who import Role as WebRole
from cti.web.who import Who
from recording.check import HEADER, header_of
from recording.consulted import Stretches, is_whole, of_row, parted, quiet
from recording.filed import Filed, Role
from recording.search import bare, by_characters, by_sound, syllables
from recording.table import Recording, State
from recording.waveform import svg

ANNOUNCED = "recording-secret"
OPERATOR = Who("", WebRole.OPERATOR)
"""Who may hear every class: only its term keeps a consultation from them."""
POINTS = 400


class Archive:
    def __init__(
        self,
        sounds: Sounds,
        store: RecordingStore,
        board: Callable[[], Board],
        filer: Filer,
        masker: Masker,
        listening: Listening,
        classes: CallClasses,
    ) -> None:
        self._sounds, self._store, self._board = sounds, store, board
        self._filer, self._masker, self._listening, self._classes = filer, masker, listening, classes

    async def find(
        self, question: RecordingsQuestion, city: str | None, who: Who
    ) -> Sequence[RecordingAnswer]:
        sound = await asyncio.to_thread(syllables, question.sound, sounds)
        wanted = Wanted(
            call=question.call,
            city=city,
            line=question.line,
            original=question.original,
            seat=question.seat,
            state=question.state,
            since=question.since,
            until=question.until,
            said=bare(question.said),
            sound=bare(sound),
            most=question.most,
        )
        held = await self._store.holds()
        asked = bool(wanted.said or wanted.sound)
        answers: list[RecordingAnswer] = []
        while True:
            found = await self._store.find(wanted)
            least = await self.least({row.call for row, _ in found}) if asked else {}
            for row, spans in found:
                if row.call in least and not who.may(least[row.call].role):
                    continue
                kept_from = self._kept_from(who, row, held=row.call in held) if asked else ()
                hits = await asyncio.to_thread(_hits, row, spans, kept_from, wanted.said, sound)
                if hits or not asked:
                    answers.append(_answer(row, row.call in held, hits))
            # syllables are looked at again here, so that fewer may be left than were asked for
            if len(found) < wanted.most or len(answers) >= wanted.most:
                break
            wanted = replace(wanted, skip=wanted.skip + len(found))
        answers = answers[: wanted.most]
        if question.call and not question.state and not asked:
            known = {a.leg for a in answers}
            now = self._board().recordings.going.values()
            answers += [
                _rolling(one, self._board().picture.calls.get(one.call))
                for one in now
                if one.call == question.call and one.leg not in known and city in (None, _city(one.call))
            ]
        return answers

    async def city_and_call(self, leg: str) -> tuple[str, str]:
        row = await self._row(leg)
        return row.city, row.call

    async def least(self, calls: Collection[str]) -> Mapping[str, Least]:
        return await self._classes.least(calls)

    async def bars(self, who: Who, call: str) -> str:
        """Why this person may not read what was said, empty when they may: whoever is in the call, and who
        may hear it."""
        if self.sits_in(who, call):
            return ""  # also while the database is away
        least = (await self.least([call])).get(call)
        return "" if least is None else least.bars(who)

    async def consults(self, who: Who, call: str) -> str:
        ends = [row.ended for row in await self._store.of_call(call) if row.apart != "[]"]
        held = call in await self._store.holds([call])
        # each by itself: what one of them may still be heard of, is asked for with reason
        whys = [self._why_not(who, _city(call), ended, held=held) for ended in ends or [None]]
        return "" if "" in whys else whys[0]

    async def wholly(self, who: Who, leg: str) -> str:
        row = await self._row(leg)
        if not is_whole(row):
            return ""
        return self._why_not(who, row.city, row.ended, held=row.call in await self._store.holds([row.call]))

    async def sound(self, leg: str, who: Who) -> Sound:
        row = await self._row(leg)
        if row.state is not State.FILED:
            raise Answered(404, f"recording {leg!r} is {row.state}: {row.why}", "leg")
        opened = await self._sounds.open(row)
        kept_from = await self._kept_from_now(who, row)
        if not kept_from:
            return Sound(opened.size, opened.read, f"{leg}.wav", consultations=row.apart != "[]")
        rate = _rate(row, await opened.read(0, HEADER))

        async def read(offset: int, length: int) -> bytes:
            raw = await opened.read(offset, length)
            head = raw[: max(0, HEADER - offset)]
            return head + quiet(raw[len(head) :], rate, kept_from, max(0, offset - HEADER))

        return Sound(opened.size, read, f"{leg}.wav")

    async def waveform(self, leg: str, points: int, who: Who) -> tuple[float, Sequence[float]]:
        row = await self._row(leg)
        pcm, rate = await self._pcm(row)
        kept_from = await self._kept_from_now(who, row)
        return row.seconds, await asyncio.to_thread(lambda: peaks(quiet(pcm, rate, kept_from), points))

    async def picture(self, leg: str, who: Who) -> str:
        row = await self._row(leg)
        _, found = await self.waveform(leg, POINTS, who)
        return svg(found, [(a, b) for a, b in json.loads(row.pauses)], row.seconds)

    async def mix(self, call: str, channels: int, *, announced: bool, consultations: bool) -> Sound:
        rows = [r for r in await self._store.of_call(call) if r.state is State.FILED and r.began is not None]
        # the caller's own file has the message too
        rows = [r for r in rows if r.role is not Role.MESSAGE]
        if not rows:
            raise Answered(404, f"no recording of {call!r} is filed", "call")
        held = call in await self._store.holds([call])
        parts = []
        for row in rows:
            # asked for, those whose term is over stay out all the same
            kept_from = self._kept_from(OPERATOR, row, held=held) if consultations else of_row(row)
            if kept_from and is_whole(row):
                continue
            pcm, rate = await self._pcm(row)
            pcm = await asyncio.to_thread(quiet, pcm, rate, kept_from)
            parts.append(Part(row.began or 0.0, pcm, row.role is Role.CALLER, rate))
        if not parts:
            raise Answered(404, f"all of {call!r} is consultation: to be asked for", "consultations")
        before = b""
        if announced:
            before = await asyncio.to_thread(lambda: shelf.sound_of(shelf.catalogue()[ANNOUNCED]))
        data = await asyncio.to_thread(mixed, parts, channels, before)

        async def read(offset: int, length: int) -> bytes:
            return data[offset : offset + length]

        return Sound(len(data), read, f"{call}.wav")

    async def transcript(self, call: str, who: Who) -> TranscriptAnswer:
        found = await self._listening.transcript(CallId(call))
        if any(s.apart for s in found.said) or any(n.apart for n in found.now):
            city, held = _city(call), call in await self._store.holds([call])
            said = tuple(s for s in found.said if not (s.apart and self._why_not(who, city, s.at, held=held)))
            apart = not self._why_not(who, city, None, held=held)
            found = replace(found, said=said, now=tuple(n for n in found.now if apart or not n.apart))
        if not found.said and not found.now and not await self._known(call):
            raise Answered(404, f"no recording of a call {call!r}", "call")
        return TranscriptAnswer(
            call=call,
            complete=found.complete,
            said=[
                SaidAnswer(
                    leg=s.leg,
                    role=s.role,
                    seat=s.seat,
                    at=s.at,
                    start=s.start,
                    end=s.end,
                    text=s.text,
                    confidence=s.confidence,
                    words=[
                        WordAnswer(text=w.text, start=w.start, end=w.end, confidence=w.confidence)
                        for w in s.words
                    ],
                    consultation=s.apart,
                )
                for s in found.said
            ],
            now=[NowAnswer(leg=n.leg, role=n.role, seat=n.seat, text=n.text) for n in found.now],
        )

    async def _known(self, call: str) -> bool:
        if self._board().recordings.of_call(CallId(call)) or CallId(call) in self._board().picture.calls:
            return True
        return bool(await self._store.of_call(call))

    async def mask(self, call: str, on: bool) -> int:
        return await self._masker.mask(CallId(call), on)

    async def hold(self, call: str, who: str, why: str) -> None:
        if not await self._known(call):
            raise Answered(404, f"no recording of a call {call!r}", "call")
        await self._store.hold(Hold(CallId(call), who, why, time.time()))

    async def release(self, call: str) -> None:
        if call not in await self._store.holds([call]):
            raise Answered(404, f"{call!r} is not held", "call")
        await self._store.release(call)

    async def alarms(self, question: AlarmsQuestion, city: str | None) -> Sequence[AlarmAnswer]:
        found = await self._filer.lacking(question.since, question.until, city)
        return [
            AlarmAnswer(at=a.at, call=a.call, city=_city(a.call), leg=a.leg, why=a.why)
            for a in found[-question.most :]
        ]

    def sits_in(self, who: Who, call: str) -> bool:
        board = self._board()
        known = board.picture.calls.get(CallId(call))
        if known is None or not who.agent:
            return False
        seat = board.seats.seats.get((known.city, known.seat))
        return seat is not None and seat.agent == who.agent

    # --- inside ---------------------------------------------------------------------------------------

    async def _row(self, leg: str) -> Filed:
        row = await self._store.one(leg)
        if row is None:
            raise Answered(404, f"no recording {leg!r}", "leg")
        return row

    def _why_not(self, who: Who, city: str, ended: float | None, *, held: bool) -> str:
        return self._classes.may_consult(who, city, ended, time.time(), held=held)

    def _kept_from(self, who: Who, row: Filed, *, held: bool) -> Stretches:
        """The consultations of a recording that this person may not hear."""
        stretches = of_row(row)
        return stretches if stretches and self._why_not(who, row.city, row.ended, held=held) else ()

    async def _kept_from_now(self, who: Who, row: Filed) -> Stretches:
        if row.apart == "[]":
            return ()
        return self._kept_from(who, row, held=row.call in await self._store.holds([row.call]))

    async def _pcm(self, row: Filed) -> tuple[bytes, int]:
        if row.state is not State.FILED:
            raise Answered(404, f"recording {row.leg!r} is {row.state}: {row.why}", "leg")
        opened = await self._sounds.open(row)
        raw = await opened.read(0, opened.size)
        return raw[HEADER:], _rate(row, raw)


def _rate(row: Filed, raw: bytes) -> int:
    """Of the wav that begins so. Raises NotNow."""
    header = header_of(raw)
    if header is None:
        raise NotNow(f"recording {row.leg}: no wav")
    return header.rate


def _answer(row: Filed, held: bool, hits: Sequence[HitAnswer]) -> RecordingAnswer:
    told = {name: getattr(row, name) for name in RecordingAnswer.model_fields if hasattr(row, name)}
    told |= {"pauses": json.loads(row.pauses), "apart": json.loads(row.apart)}
    return RecordingAnswer(**told, held=held, hits=list(hits))


def _hits(
    row: Filed, rows: Sequence[SpanRow], kept_from: Stretches, said: str, sound: str
) -> list[HitAnswer]:
    """Where the words stand in this leg, outside of what is kept from who asks; nowhere unless both the
    characters and the sound asked for do."""
    spans = [x for x in parted((said_of(x, row) for x in rows), kept_from) if not x.apart]
    found = [by_characters(spans, said)] if said else []
    found += [by_sound(spans, sound, sounds)] if sound else []
    if not all(found):
        return []
    return [
        HitAnswer(
            at=round(spans[p.first].at + p.second - spans[p.first].start, 3),
            second=p.second,
            text=" ".join(s.text for s in spans[p.first : p.last + 1]),
            confidence=min(s.confidence for s in spans[p.first : p.last + 1]),
        )
        for p in sorted({p for places in found for p in places}, key=lambda p: p.second)
    ]


def _rolling(one: Recording, call: Call | None) -> RecordingAnswer:
    """A leg that goes on, or that nobody has looked at yet."""
    return RecordingAnswer(
        leg=one.leg,
        call=one.call,
        city=_city(one.call),
        line="" if call is None else call.line,
        original="" if call is None else call.original,
        seat="",
        role="",
        state=one.state,
        why=one.why,
        began=one.began,
        ended=one.ended,
        seconds=0.0,
        short=0.0,
        pauses=list(one.pauses),
        sha256="",
        sealed=False,
        heard="waiting",
        held=False,
    )


def _city(call: str) -> str:
    return call.partition("-")[0]
