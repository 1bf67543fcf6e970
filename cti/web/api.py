"""What the API says, as types: the answers, the questions, and how a call becomes an answer.

Numbers of citizens are masked as ``cti.web.who`` says. Times are seconds since the epoch, UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from calls.mask import masked
from calls.model import Call, CallState, Direction, LeftBy, Seat, SeatState
from calls.story import Line
from cti.web.answers import Answer as Answer
from cti.web.answers import Problem as Problem
from cti.web.who import MASKED
from queues.now import QueueNow


class CallAnswer(Answer):
    """A citizen's call."""

    call: str = Field(description="CALL_ID, the same to the end, also through transfers")
    city: str
    state: CallState
    line: str
    trunk: str
    caller: str = Field(description=MASKED)
    called: str = Field(description="for a call to a citizen: the number the citizen sees")
    original: str = Field(description="the number the citizen dialled first")
    queue: str
    seat: str = Field(description="the seat that rings or talks now, or did last")
    first_seat: str
    since: float = Field(description="when the present state began")
    arrived: float
    greeted: float | None = Field(description="when the greeting ended")
    joined: float | None = Field(description="when the caller joined the present queue")
    answered: float | None = Field(description="when an agent first answered")
    ended: float | None
    left_by: LeftBy | None
    cause: int = Field(description="Q.850")
    visits: int = Field(description="how many queues the caller has been in")
    advice: str
    advised_by: str
    menu: str = Field("", description="the menu in which the caller chose last")
    menu_key: str = Field("", description="the key chosen there, by finger or voice")
    recorded: bool
    owed: bool = Field(description="a call back is owed")
    consult_of: str | None
    callback_of: str = Field("", description="a call back of ours: the call whose citizen is called back")
    direction: Direction = Field(Direction.IN, description="out: an agent calls the citizen, `caller`")
    seconds_to_answer: float | None
    centre: str = Field("", description="the centre (110, 120 …) that handed the caller over")
    case: str = Field("", description="that centre's case number")
    story: str = Field("", description="what the centre says of the matter")


class SeatAnswer(Answer):
    """A working place."""

    city: str
    seat: str
    state: SeatState
    since: float
    queues: list[str]
    agent: str = Field(description="工号 of who is signed in, empty: nobody")
    paused: str = Field(description="the reason while paused")
    until: float | None = Field(description="when wrap-up ends, while it lasts")
    missed: int = Field(description="rings left unanswered in a row")
    call: str | None
    device: str = Field(description="Asterisk's device state")
    contact: str


class QueueAnswer(Answer):
    """A queue now. Callers for whom a seat rings are waiting."""

    city: str
    queue: str
    waiting: int
    ringing: int
    talking: int
    oldest: float | None = Field(description="when the longest-waiting caller joined")
    seats: int
    ready: int
    busy: int
    paused: int


class StoryLine(Answer):
    at: float
    zh: str
    en: str


class StoryAnswer(Answer):
    call: str
    lines: list[StoryLine]


class PartAnswer(Answer):
    ok: bool
    needed: bool
    text: str


class HealthAnswer(Answer):
    ready: bool
    version: str
    parts: dict[str, PartAnswer]


def _moment(told: Any) -> Any:
    """Seconds since the epoch, or ISO 8601; without a zone it is UTC."""
    if not isinstance(told, str):
        return told
    try:
        return float(told)
    except ValueError:
        pass
    try:
        # a plus in a query string arrives as a blank
        when = datetime.fromisoformat(told.strip().replace(" ", "+") if "T" in told else told)
    except ValueError:
        raise ValueError("neither seconds since 1970 nor a time like 2026-11-21T12:00:00Z") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


Moment = Annotated[float, BeforeValidator(_moment), Field(ge=0, le=253402300799, allow_inf_nan=False)]


class CallsQuestion(BaseModel):
    """Which live calls."""

    model_config = ConfigDict(extra="forbid")

    city: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,15}$")] | None = None


class HistoryQuestion(CallsQuestion):
    """Which past calls: those that arrived in [from, to)."""

    model_config = ConfigDict(extra="forbid", validate_by_alias=True, validate_by_name=False)

    since: Moment | None = Field(default=None, alias="from")
    until: Moment | None = Field(default=None, alias="to")
    most: Annotated[int, Field(ge=1, le=1000)] = Field(default=100, alias="limit")

    @model_validator(mode="after")
    def _in_order(self) -> HistoryQuestion:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ValueError("'from' is later than 'to'")
        return self


class StoryQuestion(BaseModel):
    model_config = ConfigDict(extra="forbid")

    full: bool = False


def call_answer(call: Call, *, full: bool) -> CallAnswer:
    """``full`` shows the caller's number."""
    return CallAnswer(
        call=call.id,
        city=call.city,
        state=call.state,
        line=call.line,
        trunk=call.trunk,
        caller=call.caller if full else masked(call.caller),
        # a stand-in's call is to the citizen's own number
        called=call.called if full or call.called != call.caller else masked(call.called),
        original=call.original,
        queue=call.queue,
        seat=call.seat,
        first_seat=call.first_seat,
        since=call.since,
        arrived=call.arrived,
        greeted=call.greeted,
        joined=call.joined,
        answered=call.answered,
        ended=call.ended,
        left_by=call.left_by,
        cause=call.cause,
        visits=call.visits,
        advice=call.advice,
        advised_by=call.advised_by,
        menu=call.menu,
        menu_key=call.menu_key,
        recorded=bool(call.recording),
        owed=call.owed,
        consult_of=call.consult_of,
        callback_of=call.callback_of,
        direction=call.direction,
        seconds_to_answer=None if call.answered is None else round(call.answered - call.arrived, 3),
        centre=call.centre,
        case=call.case,
        story=call.story if full else "",
    )


def seat_answer(seat: Seat) -> SeatAnswer:
    return SeatAnswer(
        city=seat.city,
        seat=seat.name,
        state=seat.state,
        since=seat.since,
        queues=list(seat.queues),
        agent=seat.agent,
        paused=seat.paused,
        until=seat.until,
        missed=seat.missed,
        call=seat.call,
        device=seat.device,
        contact=seat.contact,
    )


def queue_answer(queue: QueueNow) -> QueueAnswer:
    return QueueAnswer(
        city=queue.city,
        queue=queue.name,
        waiting=queue.waiting,
        ringing=queue.ringing,
        talking=queue.talking,
        oldest=queue.oldest,
        seats=queue.seats,
        ready=queue.ready,
        busy=queue.busy,
        paused=queue.paused,
    )


def story_answer(call: str, lines: list[Line]) -> StoryAnswer:
    return StoryAnswer(call=call, lines=[StoryLine(at=x.at, zh=x.zh, en=x.en) for x in lines])
