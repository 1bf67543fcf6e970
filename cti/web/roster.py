"""The roster asked over HTTP: holes before they happen, what each interval needs and has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import BeforeValidator, ConfigDict, Field

from cti.errors import Refused
from cti.web.answers import Answer, Answered, asked
from cti.web.api import CallsQuestion
from cti.web.orders import NoSuch
from cti.web.who import WHO, Who
from queues.cover import Covered, Interval, Outlook
from queues.hole import Hole, HoleKind

DAYS = 14
"""As many as `cti roster check` looks at by default."""
MOST_DAYS = 31
"""A month of half hours is some 1,500 intervals, each with every queue."""


def _day(told: Any) -> Any:
    """``2026-11-20``."""
    try:
        return date.fromisoformat(told) if isinstance(told, str) else told
    except ValueError:
        raise ValueError("no day: write it like 2026-11-20") from None


Day = Annotated[date, BeforeValidator(_day)]


class RosterQuestion(CallsQuestion):
    """Days of the city's calendar, both included; without ``from`` today, without ``to`` two weeks."""

    model_config = ConfigDict(extra="forbid", validate_by_alias=True, validate_by_name=False)

    first: Day | None = Field(default=None, alias="from", description="first day, like 2026-11-20")
    last: Day | None = Field(default=None, alias="to", description="last day, included")

    def days(self, today: date) -> tuple[date, date]:
        """First and last. Raises Answered."""
        first = self.first or today
        try:
            # one day more is read on each side, and four weeks back for the rest rules
            first - timedelta(days=MOST_DAYS)
            last = self.last or first + timedelta(days=DAYS - 1)
            last + timedelta(days=MOST_DAYS)
        except OverflowError:
            raise Answered(400, "from: no day that a roster has; write one like 2026-11-20", "from") from None
        if last < first:
            raise Answered(400, f"to: {last} is before 'from', {first}", "to")
        if (last - first).days >= MOST_DAYS:
            most = first + timedelta(days=MOST_DAYS - 1)
            detail = (
                f"to: at most {MOST_DAYS} days at a time: from {first} to {most}, then from the day after"
            )
            raise Answered(400, detail, "to")
        return first, last


class HoleAnswer(Answer):
    """What is wrong, from when to when: as `cti roster check` tells it."""

    kind: HoleKind
    warning: bool
    since: float
    until: float
    queue: str
    who: str
    seat: str
    have: int
    need: int = Field(description="people to roster")
    zh: str
    en: str


class CoverAnswer(Answer):
    """A queue in an interval. A person counts for one queue at a time; figures at the worst instant."""

    calls: float = Field(description="foreseen")
    handle_seconds: float = Field(description="foreseen for one call")
    need: int = Field(description="people at their seats that reach the target")
    to_roster: int = Field(description="the need with shrinkage")
    rostered: int = Field(description="people whom the roster gives this queue, at most `to_roster`")
    able: int = Field(description="people rostered who could answer it, counted for other queues too")
    signed_in: int | None = Field(
        description="at their seats now and counted for this queue, at most `need`; null: not the interval "
        "of now, or not known"
    )
    signed_in_able: int | None = Field(description="at their seats now who could answer it; null as above")


class IntervalAnswer(Answer):
    since: float
    until: float
    people: int = Field(description="rostered for their seats, at the instant with the fewest")
    queues: dict[str, CoverAnswer] = Field(description="those that are open")


class RosterAnswer(Answer):
    """Days of the city's own calendar, both included."""

    city: str
    first: str
    last: str
    whole: bool = Field(description="there is no hole but warnings")
    holes: list[HoleAnswer]
    intervals: list[IntervalAnswer]


Ask = Callable[[str, date, date, float], Outlook]
"""City, first and last day, and now. Takes a second. Raises Refused where there is no roster."""


Days = tuple[str, date, date]
"""City, first and last day."""


class RosterDoor:
    """GET /api/roster."""

    def __init__(self, city: Callable[[str, Who], str], today: Callable[[str], date], ask: Ask) -> None:
        """``city``: the one that is meant (raises NoSuch); ``today``: its date (raises Refused)."""
        self._city, self._today, self._ask = city, today, ask
        self._runs: tuple[Days, asyncio.Task[bytes]] | None = None
        """What is looked at now, and its answer to come."""

    def add(self, app: web.Application) -> None:
        app.router.add_get("/api/roster", self._roster)

    async def _roster(self, request: web.Request) -> web.Response:
        who, question = request[WHO], asked(request, RosterQuestion)
        try:
            city = self._city(question.city or "", who)
        except NoSuch as why:
            raise Answered(404, str(why), why.field) from None
        if not who.sees(city):
            raise Answered(403, f"you are signed in for {who.city} only", "city")
        try:
            first, last = question.days(self._today(city))
        except Refused as why:
            raise Answered(404, str(why), "city") from None
        body = await self._one_at_a_time((city, first, last))
        return web.Response(body=body, content_type="application/json")

    async def _one_at_a_time(self, days: Days) -> bytes:
        """Each takes the interpreter from callers' questions while it computes. Raises Answered."""
        if self._runs is None:
            answer = asyncio.create_task(asyncio.to_thread(self._told, *days))
            answer.add_done_callback(self._ended)
            self._runs = days, answer
        running, answer = self._runs
        if running != days:
            detail = (
                "another roster is looked at, and one at a time: ask again in a second, when it has ended"
            )
            raise Answered(429, detail)
        # whoever asks the same has the same answer; one who goes away takes it from nobody
        return await asyncio.shield(answer)

    def _ended(self, answer: asyncio.Task[bytes]) -> None:
        self._runs = None
        if not answer.cancelled():
            answer.exception()  # told to those who wait, and nobody may

    def _told(self, city: str, first: date, last: date) -> bytes:
        # a month is a megabyte: not in the loop that advises
        return orjson.dumps(roster_answer(self._ask(city, first, last, time.time())).model_dump())


def roster_answer(found: Outlook) -> RosterAnswer:
    return RosterAnswer(
        city=found.city,
        first=f"{found.first}",
        last=f"{found.last}",
        whole=all(hole.warning for hole in found.holes),
        holes=[_hole(hole) for hole in found.holes],
        intervals=[_interval(found, one) for one in found.intervals],
    )


def _hole(hole: Hole) -> HoleAnswer:
    told = {n: getattr(hole, n) for n in HoleAnswer.model_fields if n not in ("since", "until")}
    return HoleAnswer(since=hole.begins.timestamp(), until=hole.ends.timestamp(), **told)


def _interval(found: Outlook, one: Interval) -> IntervalAnswer:
    since, until = one.begins.timestamp(), one.ends.timestamp()
    now = found.signed_in if since <= found.at < until else None

    def queue(name: str, there: Covered) -> CoverAnswer:
        return CoverAnswer(
            calls=round(there.need.calls, 3),
            handle_seconds=round(there.need.handle, 1),
            need=there.need.agents,
            to_roster=there.need.rostered,
            rostered=there.have,
            able=there.able,
            signed_in=None if now is None else now.given[name],
            signed_in_able=None if now is None else now.able[name],
        )

    queues = {name: queue(name, there) for name, there in one.queues.items()}
    return IntervalAnswer(since=since, until=until, people=one.fewest, queues=queues)
