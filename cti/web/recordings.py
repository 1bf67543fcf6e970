"""Recordings and what was said in them, over HTTP: found, listened to by right and with a purpose, exported.

Listening, looking at a waveform, exporting, reading a transcript and every order leaves a row in the audit
trail before the first byte leaves the house.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from calls.audit import Audited, Outcome
from calls.facts import LegId
from cti.errors import NotNow, Refused
from cti.web.answers import Answer, Answered, asked, json_of, told
from cti.web.api import CallsQuestion, Moment
from cti.web.sound import Sound, ranged
from cti.web.who import WHO, Role, Who
from recording.table import is_message

AGAIN = 300.0
"""Seconds in which further ranges, or pictures, of one recording, for one person and purpose, are one row."""
PURPOSE = Field(min_length=2, max_length=128, description="why you listen 用途; kept in the audit trail")


class RecordingsQuestion(CallsQuestion):
    """Recordings that began in [from, to), the newest first."""

    model_config = ConfigDict(extra="forbid", validate_by_alias=True, validate_by_name=False)

    call: Annotated[str, Field(max_length=128)] = ""
    line: Annotated[str, Field(max_length=32)] = ""
    original: Annotated[str, Field(max_length=32, description="the number the citizen dialled")] = ""
    seat: Annotated[str, Field(pattern=r"^([0-9]{3,6})?$")] = ""
    state: Annotated[str, Field(pattern=r"^(filed|missing|expired)?$")] = ""
    since: Moment | None = Field(default=None, alias="from")
    until: Moment | None = Field(default=None, alias="to")
    said: Annotated[str, Field(max_length=64, description="a word or phrase, also across a pause")] = ""
    sound: Annotated[
        str,
        Field(
            max_length=128,
            description="by sound: pinyin without tones (jie fang lu, jiefanglu), or characters",
        ),
    ] = ""
    most: Annotated[int, Field(ge=1, le=1000)] = Field(default=100, alias="limit")


class HitAnswer(Answer):
    """Where the words stand. ``text``: the spans that hold them."""

    at: float = Field(description="when they were said")
    second: float = Field(description="second of the recording at which the words begin")
    text: str
    confidence: float


class RecordingAnswer(Answer):
    """One leg's recording, or the fact that it is missing."""

    leg: str
    call: str
    city: str
    line: str
    original: str = Field("", description="the number the citizen dialled, whichever line it led to")
    seat: str
    role: str = Field(
        description="whose voice: caller, seat, other; message: what the caller left behind the last queue"
    )
    state: str = Field(description="wanted, rolling, paused, filed, missing, expired")
    why: str
    began: float | None
    ended: float | None
    seconds: float
    short: float = Field(description="seconds of the leg that are not in the file")
    pauses: list[tuple[float, float]]
    apart: list[tuple[float, float]] = Field(
        default_factory=list,
        description="from and to, seconds of it: consultations, of which the citizen heard nothing",
    )
    sha256: str
    sealed: bool
    kept: str = Field("disk", description="where its file is: disk, carrying, both, shelf")
    heard: str = Field(description="whether its words are written down: waiting, talk, done, nothing")
    held: bool = Field(description="held for the law: not deleted")
    hits: list[HitAnswer] = Field(default_factory=list, description="where the words asked for stand")


class AlarmsQuestion(CallsQuestion):
    """Alarms of [from, to), the newest last; of all time when nothing is asked."""

    model_config = ConfigDict(extra="forbid", validate_by_alias=True, validate_by_name=False)

    since: Moment | None = Field(default=None, alias="from")
    until: Moment | None = Field(default=None, alias="to")
    most: Annotated[int, Field(ge=1, le=1000, description="the newest so many")] = Field(
        default=100, alias="limit"
    )


class AlarmAnswer(Answer):
    """A recording that should be there and is not, or not whole."""

    at: float = Field(description="when its leg was over, or when it was found out")
    call: str
    city: str
    leg: str
    why: str


class WordAnswer(Answer):
    text: str
    start: float
    end: float
    confidence: float


class SaidAnswer(Answer):
    """One stretch of speech. ``start`` and ``end``: seconds of that leg's recording."""

    leg: str
    role: str
    seat: str
    at: float
    start: float
    end: float
    text: str
    confidence: float
    words: list[WordAnswer]
    consultation: bool = Field(False, description="the citizen heard nothing of it")


class NowAnswer(Answer):
    leg: str
    role: str
    seat: str
    text: str


class TranscriptAnswer(Answer):
    call: str
    complete: bool = Field(description="all that was said while people talked is in it")
    said: list[SaidAnswer]
    now: list[NowAnswer] = Field(description="what is being said, as far as it is understood")


class PurposeQuestion(BaseModel):
    model_config = ConfigDict(extra="forbid")

    purpose: Annotated[str, PURPOSE]


WITH = "with what was said in consultations, of which the citizen heard nothing, by whom may hear them"


class MixQuestion(PurposeQuestion):
    channels: Annotated[int, Field(ge=1, le=2, description="2: the caller left, the others right")] = 1
    consultations: Annotated[bool, Field(description=WITH)] = False


class PurposeBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    purpose: Annotated[str, PURPOSE]


class ExportBody(PurposeBody):
    consultations: Annotated[bool, Field(description=WITH)] = False


class MaskBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    on: Annotated[bool, Field(description="true: what is said now stays out of the recordings")] = True


class PointsQuestion(BaseModel):
    model_config = ConfigDict(extra="forbid")

    points: Annotated[int, Field(ge=10, le=4000)] = 600


class WaveformAnswer(Answer):
    """The loudest sample of each stretch, 0..1."""

    leg: str
    seconds: float
    peaks: list[float]


class RecordingDone(Answer):
    done: bool = True
    audit: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Least:
    """The least role that may hear and read a call, and the classes of the call (recordings.toml) that ask
    for it."""

    role: Role
    classes: tuple[str, ...]

    def bars(self, who: Who) -> str:
        """Why this person may not; empty when they may."""
        if who.may(self.role):
            return ""
        which = f"class{'' if len(self.classes) == 1 else 'es'} {', '.join(self.classes)}"
        return f"this call is of the {which}: hearing it needs the role {self.role}, you are {who.role}"


class Archive(Protocol):
    """What the door asks for. Raises NotNow, Refused, NoSuch (as Answered 404)."""

    async def find(
        self, question: RecordingsQuestion, city: str | None, who: Who
    ) -> Sequence[RecordingAnswer]:
        """Words are found only in calls that ``who`` may read."""

    async def least(self, calls: Collection[str]) -> Mapping[str, Least]:
        """The calls among these that a supervisor's role is not enough for."""

    async def city_and_call(self, leg: str) -> tuple[str, str]: ...

    async def consults(self, who: Who, call: str) -> str:
        """Why this person may hear no consultation of this call; empty when they may."""

    async def wholly(self, who: Who, leg: str) -> str:
        """Why this person may hear nothing of this leg, which is all consultation; else empty."""

    async def sound(self, leg: str, who: Who) -> Sound:
        """Silence where ``who`` may not hear it; so are ``waveform`` and ``picture``."""

    async def waveform(self, leg: str, points: int, who: Who) -> tuple[float, Sequence[float]]: ...

    async def picture(self, leg: str, who: Who) -> str: ...

    async def mix(self, call: str, channels: int, *, announced: bool, consultations: bool) -> Sound: ...

    async def transcript(self, call: str, who: Who) -> TranscriptAnswer:
        """Without the consultations that ``who`` may not hear."""

    async def mask(self, call: str, on: bool) -> int: ...

    async def hold(self, call: str, who: str, why: str) -> None: ...

    async def release(self, call: str) -> None: ...

    async def alarms(self, question: AlarmsQuestion, city: str | None) -> Sequence[AlarmAnswer]: ...

    def sits_in(self, who: Who, call: str) -> bool:
        """Whether this agent is in the call, or was the last one in it."""


class Recordings:
    """The routes."""

    def __init__(self, archive: Archive, note: Callable[[Audited], None]) -> None:
        """``note`` writes a row of the audit trail; it must not wait."""
        self._archive, self._note = archive, note
        self._listened: dict[tuple[str, str, str], float] = {}

    def add(self, app: web.Application) -> None:
        app.router.add_get("/api/recordings", self._find)
        app.router.add_get("/api/recordings/alarms", self._alarms)
        app.router.add_get("/api/recordings/{leg}/audio", self._audio)
        app.router.add_get("/api/recordings/{leg}/waveform", self._waveform)
        app.router.add_get("/api/recordings/{leg}/waveform.svg", self._picture)
        app.router.add_get("/api/calls/{call}/transcript", self._transcript)
        app.router.add_get("/api/calls/{call}/mix", self._mix)
        app.router.add_post("/api/calls/{call}/export", self._export)
        app.router.add_post("/api/calls/{call}/mask", self._mask)
        app.router.add_post("/api/calls/{call}/hold", self._hold)
        app.router.add_post("/api/calls/{call}/release", self._release)

    # --- looking --------------------------------------------------------------------------------------

    async def _find(self, request: web.Request) -> web.Response:
        who = _least(request, Role.SUPERVISOR)
        question = asked(request, RecordingsQuestion)
        if question.city is not None and not who.sees(question.city):
            raise Answered(403, f"you are signed in for {who.city} only", "city")
        found = await self._archive.find(question, question.city or who.city or None, who)
        if question.said or question.sound:
            words = {"said": question.said, "sound": question.sound}
            self._audit(who, question.city or who.city, "search", "recordings", words)
        return json_of(list(found))

    async def _alarms(self, request: web.Request) -> web.Response:
        who = _least(request, Role.SUPERVISOR)
        question = asked(request, AlarmsQuestion)
        if question.city is not None and not who.sees(question.city):
            raise Answered(403, f"you are signed in for {who.city} only", "city")
        return json_of(list(await self._archive.alarms(question, question.city or who.city or None)))

    async def _waveform(self, request: web.Request) -> web.Response:
        leg, call = await self._leg(request, Role.SUPERVISOR)
        seconds, peaks = await self._archive.waveform(
            leg, asked(request, PointsQuestion).points, request[WHO]
        )
        self._once(request[WHO], call, "waveform", "", leg)
        return json_of(WaveformAnswer(leg=leg, seconds=seconds, peaks=list(peaks)))

    async def _picture(self, request: web.Request) -> web.Response:
        leg, call = await self._leg(request, Role.SUPERVISOR)
        picture = await self._archive.picture(leg, request[WHO])
        self._once(request[WHO], call, "waveform", "", leg)
        return web.Response(text=picture, content_type="image/svg+xml")

    async def _transcript(self, request: web.Request) -> web.Response:
        who, call = self._call(request, Role.AGENT)
        # whoever is in the call writes its ticket from what is said
        if not self._archive.sits_in(who, call):
            await self._may_hear(request, call)
        found = await self._archive.transcript(call, who)
        if who.role is not Role.AGENT:
            self._once(who, call, "transcript", "")
        return json_of(found)

    # --- listening ------------------------------------------------------------------------------------

    async def _audio(self, request: web.Request) -> web.StreamResponse:
        leg, call = await self._leg(request, Role.SUPERVISOR)
        purpose = asked(request, PurposeQuestion).purpose
        sound = await self._archive.sound(leg, request[WHO])
        self._once(request[WHO], call, "listen", purpose, leg, consultations=sound.consultations)
        return await ranged(request, sound)

    async def _mix(self, request: web.Request) -> web.StreamResponse:
        who, call = self._call(request, Role.SUPERVISOR)
        await self._may_hear(request, call)
        question = asked(request, MixQuestion)
        apart = question.consultations
        if apart:
            await self._may_consult(request, call)
        sound = await self._archive.mix(call, question.channels, announced=False, consultations=apart)
        self._once(who, call, "listen", question.purpose, consultations=apart)
        return await ranged(request, sound)

    async def _export(self, request: web.Request) -> web.StreamResponse:
        who, call = self._call(request, Role.SUPERVISOR)
        await self._may_hear(request, call)
        body = await told(request, ExportBody)
        if body.consultations:
            await self._may_consult(request, call)
        sound = await self._archive.mix(call, 1, announced=True, consultations=body.consultations)
        about = {"purpose": body.purpose, "consultations": body.consultations}
        self._audit(who, call.partition("-")[0], "export", call, about)
        answer = await ranged(request, sound, attachment=True)
        return answer

    # --- orders ---------------------------------------------------------------------------------------

    async def _mask(self, request: web.Request) -> web.Response:
        who, call = self._call(request, Role.AGENT)
        body = await told(request, MaskBody)
        did = "mask" if body.on else "unmask"
        try:
            count = await self._archive.mask(call, body.on)
        except NotNow as why:
            # owed: it is done as soon as Asterisk does it
            self._audit(who, call.partition("-")[0], did, call, {}, Outcome.UNKNOWN, str(why))
            raise
        except Refused as why:
            self._audit(who, call.partition("-")[0], did, call, {}, Outcome.REFUSED, str(why))
            raise
        return json_of(
            RecordingDone(audit=self._audit(who, call.partition("-")[0], did, call, {}), count=count)
        )

    async def _hold(self, request: web.Request) -> web.Response:
        who, call = self._call(request, Role.SUPERVISOR)
        body = await told(request, PurposeBody)
        await self._archive.hold(call, who.name, body.purpose)
        row = self._audit(who, call.partition("-")[0], "hold", call, {"purpose": body.purpose})
        return json_of(RecordingDone(audit=row))

    async def _release(self, request: web.Request) -> web.Response:
        who, call = self._call(request, Role.SUPERVISOR)
        body = await told(request, PurposeBody)
        await self._archive.release(call)
        row = self._audit(who, call.partition("-")[0], "release", call, {"purpose": body.purpose})
        return json_of(RecordingDone(audit=row))

    # --- rights ---------------------------------------------------------------------------------------

    def _call(self, request: web.Request, least: Role) -> tuple[Who, str]:
        """Who asks, and for which call. Raises Answered."""
        call = _named(request, "call")
        who = request[WHO]
        city = call.partition("-")[0]
        why = ""
        if not who.sees(city):
            why = f"you are signed in for {who.city}, this is {city}"
        elif not who.may(least):
            why = f"this needs the role {least}, you are {who.role}"
        elif who.role is Role.AGENT and not self._archive.sits_in(who, call):
            why = "agents reach the call they are in; others are for supervisors"
        if why:
            raise self._denied(request, call, why)
        return who, call

    async def _may_hear(self, request: web.Request, call: str) -> None:
        """Whether this person may hear a call of its classes. Raises Answered."""
        who = request[WHO]
        least = (await self._archive.least([call])).get(call)
        if least is not None and (why := least.bars(who)):
            raise self._denied(request, call, why)

    async def _may_consult(self, request: web.Request, call: str) -> None:
        """Whether this person may hear the consultations of a call. Raises Answered."""
        if why := await self._archive.consults(request[WHO], call):
            raise self._denied(request, call, why)

    def _denied(self, request: web.Request, call: str, why: str) -> Answered:
        did, city = request.path.rpartition("/")[2], call.partition("-")[0]
        about = {"leg": request.match_info.get("leg", "")}
        self._audit(request[WHO], city, did, call, about, Outcome.DENIED, why)
        return Answered(403, why)

    async def _leg(self, request: web.Request, least: Role) -> tuple[str, str]:
        """A leg that this person may hear, and its call. Raises Answered."""
        leg = _named(request, "leg")
        # whoever calls back has to hear what the citizen asked for
        who = _least(request, Role.AGENT if is_message(LegId(leg)) else least)
        city, call = await self._archive.city_and_call(leg)
        if not who.sees(city):
            raise Answered(404, f"no recording {leg!r}", "leg")
        await self._may_hear(request, call)
        if why := await self._archive.wholly(who, leg):
            raise self._denied(request, call, why)
        return leg, call

    def _once(
        self, who: Who, call: str, did: str, purpose: str, leg: str = "", *, consultations: bool = False
    ) -> None:
        """A player asks for many ranges, a screen draws a waveform at each size: they are one row."""
        now = time.monotonic()
        key = (who.name, f"{did} {leg or call}{' and consultations' if consultations else ''}", purpose)
        if now - self._listened.get(key, -AGAIN) >= AGAIN:
            about = {"purpose": purpose, "leg": leg, "consultations": consultations}
            self._audit(who, call.partition("-")[0], did, call, about)
            self._listened[key] = now
        while len(self._listened) > 10_000:
            del self._listened[next(iter(self._listened))]

    def _audit(
        self,
        who: Who,
        city: str,
        did: str,
        on: str,
        about: dict[str, Any],
        outcome: Outcome = Outcome.DONE,
        why: str = "",
    ) -> str:
        row = Audited(
            id=uuid.uuid4().hex,
            at=time.time(),
            city=city,
            who=who.name,
            role=who.role.value,
            did=did,
            on=on,
            told=json.dumps({k: v for k, v in about.items() if v}, ensure_ascii=False),
            outcome=outcome,
            why=why[:500],
            ended=time.time(),
        )
        self._note(row)
        return row.id


def _least(request: web.Request, least: Role) -> Who:
    who = request[WHO]
    if not who.may(least):
        raise Answered(403, f"this needs the role {least}, you are {who.role}")
    return who


def _named(request: web.Request, what: str) -> str:
    name = request.match_info[what]
    if len(name) > 128 or not name.isprintable():
        raise Answered(400, f"not a {what}", what)
    return name
