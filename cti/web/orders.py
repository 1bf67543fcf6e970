"""Every order of the desk as ``POST /api/…``: who may give it, what it needs, and its row in the audit trail.

An answer 200 says that Asterisk did it; the *fact* that follows on the socket moves the screen. A refusal is
409 and says why; 503 says that nobody knows: look at the board before you order again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from calls.audit import Audited
from calls.orders import How
from cti.errors import Refused
from cti.web.answers import Answer, Answered, json_of, told
from cti.web.trail import Trail, row_of
from cti.web.who import WHO, Role, Who
from queues.duties import DutyKind

log = structlog.get_logger(__name__)

City = Annotated[
    str, Field(pattern=r"^([a-z][a-z0-9]{0,15})?$", description="empty: your own, or the only one")
]
SeatName = Annotated[str, Field(pattern=r"^[0-9]{3,6}$")]
OwnSeat = Annotated[
    str, Field(pattern=r"^([0-9]{3,6})?$", description="your own phone; empty: where you sit")
]
PlanName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,23}$")]
Level = Annotated[int, Field(ge=0, le=100)]


class NoSuch(Refused):
    """What the order names is not there (404)."""

    def __init__(self, detail: str, field: str) -> None:
        super().__init__(detail)
        self.field = field


@dataclass(frozen=True, slots=True)
class By:
    """Who orders: a name for the dialplan's word, and the role."""

    who: Who

    @property
    def word(self) -> Literal["api", "supervisor"]:
        return "supervisor" if self.who.may(Role.SUPERVISOR) else "api"


class Desk(Protocol):
    """Carries orders out. Raises NoSuch, Refused, or NotNow (the outcome is unknown)."""

    def city(self, told: str, who: Who) -> str:
        """The city meant. Raises NoSuch when it must be told."""

    def seat_of(self, city: str, agent: str) -> str:
        """Where this agent sits; empty: nowhere."""

    def city_of_call(self, call: str) -> str:
        """Raises NoSuch."""

    async def sign_in(self, city: str, seat: str, agent: str, by: By) -> None: ...

    async def sign_out(self, city: str, seat: str, by: By) -> None: ...

    async def pause(self, city: str, seat: str, reason: str, by: By) -> None: ...

    async def ready(self, city: str, seat: str, by: By) -> None: ...

    async def end_wrap_up(self, city: str, seat: str, by: By) -> None: ...

    async def set_queues(self, city: str, seat: str, queues: Mapping[str, int], by: By) -> None: ...

    async def force_out(
        self, city: str, seat: str, caller: Literal["queue", "end"], sign_out: bool, by: By
    ) -> None:
        """The seat's caller leaves it; then the person is signed out, or paused as forced."""

    async def watch(self, call: str, seat: str, how: How, by: By) -> None: ...

    async def take_over(self, call: str, seat: str, by: By) -> None: ...

    async def move(self, call: str, queue: str, first: bool, by: By) -> None:
        """``queue`` empty: stays in its own, at the head."""

    async def announce(self, city: str, line: str, prompt: str, by: By) -> None:
        """``prompt`` empty: lowered."""

    async def call_back(self, call: str, seat: str, by: By) -> str:
        """The seat's phone rings, then the citizen of that call is called; the new call's id."""

    async def call_out(self, city: str, seat: str, number: str, by: By) -> str:
        """The same to a number that the plan allows."""

    async def settle(self, call: str, kind: DutyKind, by: By) -> None:
        """Whether this call has such a duty; that it is settled the audit trail says."""

    async def reveal(self, call: str, by: By) -> str:
        """The citizen's whole number. Raises Answered (403) for who has not the right."""


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SeatBody(Body):
    """Whoever sits there."""

    city: City = ""


class SignInBody(SeatBody):
    agent: Annotated[str, Field(pattern=r"^([0-9]{3,6})?$", description="工号; empty: yourself")] = ""


class PauseBody(SeatBody):
    reason: Annotated[
        PlanName, Field(description="of pauses.toml (busy, break, lunch …); supervisors: forced")
    ]


class QueuesBody(SeatBody):
    queues: Annotated[
        dict[PlanName, Level],
        Field(min_length=1, max_length=100, description="queue to level, lower rings first"),
    ]


class ForceOutBody(SeatBody):
    caller: Annotated[
        Literal["queue", "end"],
        Field(description="the caller goes to the head of the queue, or the call ends"),
    ] = "queue"
    sign_out: Annotated[bool, Field(description="sign the person out; else they are paused as 'forced'")] = (
        True
    )


class WatchBody(Body):
    how: Annotated[How, Field(description="listen: nobody hears you; whisper: the agent; barge: both")] = (
        "listen"
    )
    seat: OwnSeat = ""


class TakeOverBody(Body):
    seat: OwnSeat = ""


class MoveBody(Body):
    queue: Annotated[
        str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,23})?$", description="empty: stays in its queue")
    ] = ""
    first: Annotated[bool, Field(description="to the head of that queue")] = True


class CallBackBody(Body):
    seat: OwnSeat = ""


class CallOutBody(SeatBody):
    number: Annotated[
        str, Field(pattern=r"^\+?[0-9 ()-]{3,24}$", description="one that outgoing.toml allows")
    ]


class RevealBody(Body):
    purpose: Annotated[
        str, Field(min_length=4, max_length=200, description="what for; it stands in the audit trail")
    ]


class SettleBody(Body):
    reason: Annotated[
        str,
        Field(min_length=4, max_length=200, description="how it was done; it stands in the audit trail"),
    ]


class RaiseBody(SeatBody):
    prompt: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][a-z0-9-]{0,47}$", description="of the plan's prompts.toml, or a shipped one"
        ),
    ] = "mass-event"


class DoneAnswer(Answer):
    """Asterisk did it. ``audit``: the row in the audit trail."""

    done: bool = True
    audit: str


class CalledAnswer(DoneAnswer):
    """The seat's phone was answered, the citizen is being called."""

    call: str = Field(description="the new call's id")


class RevealedAnswer(DoneAnswer):
    """The citizen's whole number."""

    number: str


class Given:
    """One order on its way: who, on what, with which body."""

    def __init__(self, desk: Desk, who: Who, name: str, body: Any) -> None:
        self.desk, self.who, self.name, self.body = desk, who, name, body
        self.by = By(who)

    @property
    def city(self) -> str:
        return self.desk.city(getattr(self.body, "city", ""), self.who)

    @property
    def own_seat(self) -> str:
        """The phone a supervisor uses. Raises NoSuch."""
        seat: str = self.body.seat
        if not seat and self.who.agent:
            seat = self.desk.seat_of(self.who.city, self.who.agent)
        if not seat:
            raise NoSuch("tell 'seat': the number of the phone you sit at", "seat")
        return seat


Do = Callable[[Given], Awaitable[dict[str, str] | None]]
"""What it has to answer besides that it was done."""


async def _sign_in(g: Given) -> None:
    agent = g.body.agent or g.who.agent
    if not agent:
        raise NoSuch("tell 'agent': whose 工号", "agent")
    if g.who.role is Role.AGENT and agent != g.who.agent:
        raise Answered(403, f"you are {g.who.agent}: agents sign in as themselves", "agent")
    await g.desk.sign_in(g.city, g.name, agent, g.by)


async def _pause(g: Given) -> None:
    if g.body.reason == "forced" and not g.who.may(Role.SUPERVISOR):
        raise Answered(403, "only supervisors force a pause; give a reason of your own", "reason")
    await g.desk.pause(g.city, g.name, g.body.reason, g.by)


async def _force_out(g: Given) -> None:
    await g.desk.force_out(g.city, g.name, g.body.caller, g.body.sign_out, g.by)


async def _call_back(g: Given) -> dict[str, str]:
    return {"call": await g.desk.call_back(g.name, g.own_seat, g.by)}


async def _call_out(g: Given) -> dict[str, str]:
    return {"call": await g.desk.call_out(g.city, g.name, g.body.number, g.by)}


def _settle(kind: DutyKind) -> Do:
    async def settle(g: Given) -> None:
        await g.desk.settle(g.name, kind, g.by)

    return settle


async def _reveal(g: Given) -> dict[str, str]:
    return {"number": await g.desk.reveal(g.name, g.by)}


@dataclass(frozen=True, slots=True)
class Rule:
    """One order: its path, who may give it, what it needs."""

    path: str
    did: str
    summary: str
    least: Role
    body: type[Body]
    do: Do
    answer: type[DoneAnswer] = DoneAnswer
    past: bool = False
    """Of a call: it may be over, and an agent need not sit in it."""

    @property
    def kind(self) -> str:
        """seat, call or line."""
        return self.path.split("{")[1].split("}")[0]


A, S = Role.AGENT, Role.SUPERVISOR
ORDERS: tuple[Rule, ...] = (
    Rule("/api/seats/{seat}/sign-in", "sign-in", "Sign in 签入", A, SignInBody, _sign_in),
    Rule("/api/seats/{seat}/sign-out", "sign-out", "Sign out 签出", A, SeatBody,
         lambda g: g.desk.sign_out(g.city, g.name, g.by)),
    Rule("/api/seats/{seat}/pause", "pause", "Pause with a reason 示忙", A, PauseBody, _pause),
    Rule("/api/seats/{seat}/ready", "ready", "Ready; ends pause and wrap-up 示闲", A, SeatBody,
         lambda g: g.desk.ready(g.city, g.name, g.by)),
    Rule("/api/seats/{seat}/end-wrap-up", "end-wrap-up", "End wrap-up early 结束整理", A, SeatBody,
         lambda g: g.desk.end_wrap_up(g.city, g.name, g.by)),
    Rule("/api/seats/{seat}/queues", "queues", "Change a seat's queues at once 调整技能队列", S, QueuesBody,
         lambda g: g.desk.set_queues(g.city, g.name, g.body.queues, g.by)),
    Rule("/api/seats/{seat}/force-out", "force-out", "Force out 强制签出", S, ForceOutBody, _force_out),
    Rule("/api/calls/{call}/watch", "watch", "Listen, whisper, barge 监听 密语 强插", S, WatchBody,
         lambda g: g.desk.watch(g.name, g.own_seat, g.body.how, g.by)),
    Rule("/api/calls/{call}/take-over", "take-over", "Take the caller over 接管", S, TakeOverBody,
         lambda g: g.desk.take_over(g.name, g.own_seat, g.by)),
    Rule("/api/calls/{call}/move", "move", "Move a waiting caller 调整排队", S, MoveBody,
         lambda g: g.desk.move(g.name, g.body.queue, g.body.first, g.by)),
    Rule("/api/calls/{call}/call-back", "call-back", "Call the citizen of a call back 回拨", A, CallBackBody,
         _call_back, CalledAnswer, past=True),
    Rule("/api/seats/{seat}/call", "call-out", "Call a number the plan allows 外呼", A, CallOutBody,
         _call_out, CalledAnswer),
    Rule("/api/calls/{call}/reveal", "reveal", "A citizen's whole number, with a purpose 查看号码", A,
         RevealBody, _reveal, RevealedAnswer, past=True),
    Rule("/api/duties/call-back/{call}/settle", "settle-call-back", "A call back is done 手工了结回电", S,
         SettleBody, _settle(DutyKind.CALL_BACK), past=True),
    Rule("/api/duties/draft/{call}/settle", "settle-draft", "A draft that becomes no ticket 手工了结草稿", S,
         SettleBody, _settle(DutyKind.DRAFT), past=True),
    Rule("/api/lines/{line}/raise", "raise", "Raise an urgent announcement 发布紧急公告", S, RaiseBody,
         lambda g: g.desk.announce(g.city, g.name, g.body.prompt, g.by)),
    Rule("/api/lines/{line}/lower", "lower", "Lower the announcement 撤下公告", S, SeatBody,
         lambda g: g.desk.announce(g.city, g.name, "", g.by)),
)  # fmt: skip


class Orders:
    """The doors of every order."""

    def __init__(self, desk: Desk, note: Callable[[Audited], None]) -> None:
        """``note`` writes a row of the audit trail; it must not wait."""
        self._desk, self._trail = desk, Trail(note)

    def add(self, app: web.Application) -> None:
        for rule in ORDERS:
            app.router.add_post(rule.path, self._door(rule))

    def _door(self, rule: Rule) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def door(request: web.Request) -> web.StreamResponse:
            return await self._give(rule, request)

        return door

    async def _give(self, rule: Rule, request: web.Request) -> web.Response:
        who, name = request[WHO], request.match_info[rule.kind]
        if len(name) > 128 or not name.isprintable():
            raise Answered(400, f"not a {rule.kind}", rule.kind)
        body = await told(request, rule.body)
        on = name if rule.kind == "call" else f"{rule.kind} {name}"
        city = self._city(rule, name, body, who)
        row = row_of(who, city, rule.did, on, body.model_dump(exclude_defaults=True))
        if forbidden := self._forbidden(rule, name, city, who, body):
            self._trail.denied(row, forbidden)
            raise Answered(403, forbidden)
        try:
            with self._trail.order(row):
                more = await rule.do(Given(self._desk, who, name, body))
        except NoSuch as why:
            raise Answered(404, str(why), why.field) from None
        return json_of(rule.answer(audit=row.id, **(more or {})))

    def _city(self, rule: Rule, name: str, body: Body, who: Who) -> str:
        """The city of the order, as far as it can be known before it is allowed. Raises Answered."""
        try:
            if rule.past:
                return self._desk.city(name.partition("-")[0], who)
            if rule.kind == "call":
                return self._desk.city_of_call(name)
            return self._desk.city(getattr(body, "city", ""), who)
        except NoSuch as why:
            raise Answered(404, str(why), why.field) from None

    def _forbidden(self, rule: Rule, name: str, city: str, who: Who, body: Body) -> str:
        """Why this person may not; empty: they may."""
        if not who.sees(city):
            return f"you are signed in for {who.city}, this is {city}"
        if not who.may(rule.least):
            return f"this needs the role {rule.least}, you are {who.role}"
        if who.role is Role.AGENT and rule.did != "sign-in":
            mine = self._desk.seat_of(city, who.agent)
            seat = getattr(body, "seat", "") or mine if rule.past else name
            if seat != mine:
                return f"you do not sit at {seat}: agents order at their own seat; sign in there first"
        return ""
