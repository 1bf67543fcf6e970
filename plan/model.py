"""An operator's hotline plan as values: which number leads where, who sits where, what is heard.

``plan.check`` makes a ``Plan`` from the TOML files of one city folder, and whoever got it from there may
rely on every name in it leading somewhere. The types alone already refuse any text that could mean
something to Asterisk. Names, not numbers, tie the parts together. A rule of a city is data, and may
carry ``basis``: the clause of the notice it follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

from plan.clauses import Rules as Rules
from plan.land import Area
from plan.land import Unit as Unit
from plan.merged import Merged as Merged
from plan.merged import Stage, held, timeline
from plan.outgoing import Outgoing as Outgoing
from plan.reach import Centre as Centre
from plan.reach import Contact as Contact
from plan.recordings import RecordingClass as RecordingClass
from plan.roster import Roster
from plan.rule import Rule as Rule
from plan.spoken import OptionalSpoken, SpokenWords
from plan.spoken import Spoken as Spoken
from plan.ways import CallBack as CallBack
from plan.ways import Phone as Phone
from plan.ways import Priority as Priority
from plan.words import (
    DESTINATION,
    AgentNumber,
    Callers,
    CityName,
    Host,
    MenuKey,
    Name,
    OptionalHost,
    OptionalPlace,
    OptionalPrompt,
    OptionalSeat,
    OptionalTitle,
    PauseKey,
    Penalty,
    PhoneNumber,
    Pin,
    Place,
    PromptName,
    SeatNumber,
    Seconds,
    Text,
    Timezone,
    Title,
    WavFile,
)

DestinationKind = Literal["queue", "menu", "message", "line", "phone"]
CallKind = Literal["inquiry", "suggestion", "help", "complaint", "report"]
"""咨询, 建议, 求助, 投诉, 举报."""
Strategy = Literal["leastrecent", "fewestcalls", "rrmemory", "linear", "random", "ringall"]
LineKind = Literal["main", "dual", "expert", "dedicated", "linked", "other"]
Codec = Literal["alaw", "ulaw", "g722"]

MAX_HOPS = 5
"""Places a call may pass after its greeting; the dialplan ends a longer walk at ``city.last``."""


class Destination(NamedTuple):
    """Where a call goes next: ``queue:general`` in a file, in an AGI answer and in a fact."""

    kind: DestinationKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The destination a text names, or None when it has not that shape."""
        found = DESTINATION.fullmatch(text)
        if found is None:
            return None
        kind: DestinationKind = found[1]  # type: ignore[assignment]  # re gives str; the pattern DESTINATION lists exactly the words of DestinationKind
        return cls(kind, found[2])


class City(Rule):
    """city.toml: whose hotline this is, and what a caller meets when all else fails."""

    id: CityName
    """The folder's name; prefix of everything of this city inside Asterisk."""
    title: Title
    title_en: OptionalTitle = ""
    notice: OptionalTitle = ""
    """The notice this plan follows, by its number (六政办秘〔2021〕125号): then every entry of the plan says
    its clause (``basis``) or what it assumes (``assumption``)."""
    timezone: Timezone = "Asia/Shanghai"
    last: OptionalPlace = ""
    """The message at the end of every road, ``message:sorry``. Only a plan without lines needs none."""
    not_in_service: PromptName = "sorry-not-in-service"
    """The prompt for a dialled number that no line owns."""
    missed_rings: Annotated[int, Field(ge=0, le=20)] = 3
    """Rings in a row a seat may leave unanswered before it is paused; 0: it never is."""
    recordings_keep_days: Annotated[int, Field(ge=1, le=36_500)] = 730
    """How long recordings are kept, unless the line or a class of the call (recordings.toml) says otherwise
    or the call is held for the law."""
    dead_after_seconds: Annotated[int, Field(ge=5, le=300)] = 20
    """A talking seat's phone that sends no sound for so long is dead: its caller goes to the head of the
    queue. A phone that suppresses silence (VAD) would look dead: switch that off."""


class Trunk(Rule):
    """trunks.toml: a carrier's connection. A call's trunk decides the call's city."""

    title: OptionalTitle = ""
    hosts: Annotated[tuple[Host, ...], Field(max_length=32)]
    """Addresses the carrier sends from (``192.0.2.10``, ``sip.carrier.example:5060``)."""
    channels: Annotated[int, Field(ge=1, le=10_000)] = 240
    """Calls at once; one more is refused with cause 34 (no circuit), as carriers expect (Q.850)."""
    codecs: Annotated[tuple[Codec, ...], Field(min_length=1, max_length=3)] = ("alaw", "ulaw")
    lab: bool = False
    """The lab's carrier may stand in for this trunk (``cti up --lab``)."""
    out: OptionalHost = ""
    """Where calls to the outside go (``192.0.2.10:5060``); empty: this trunk only brings calls."""
    reserved: Annotated[int, Field(ge=0, le=1000)] = 0
    """Channels of ``channels`` kept free for emergency lines: neither callers nor other calls get them."""
    silent_after_seconds: Annotated[int, Field(ge=10, le=86_400)] = 60
    """A talking leg of this trunk from which nothing came for so long, neither sound nor RTCP, is dead and
    ends (RFC 3550 6.2 has RTCP every 5 s). Much longer than a phone's: a carrier may leave out silence, and a
    caller who waits says nothing. One whose carrier does so and sends no RTCP needs a longer time here."""

    @property
    def unreserved(self) -> int:
        """Channels that any call may have."""
        return self.channels - self.reserved


class Line(Rule):
    """lines.toml: numbers that are answered the same way."""

    title: Title
    title_en: OptionalTitle = ""
    kind: LineKind = "other"
    numbers: Annotated[tuple[PhoneNumber, ...], Field(min_length=1, max_length=200)] = ()
    """Numbers as the trunk delivers them. A call forwarded from one of them (Diversion, History-Info)
    counts as a call to this line, and keeps it as its original number. None: numbers.toml has them."""
    greeting: PromptName = "greeting"
    notice: OptionalPrompt = "recording"
    """The prompt that says the call is recorded; empty for none."""
    ask: bool = True
    """Whether the service is asked "where next?" after the greeting."""
    first: Place
    """Where the caller goes when nobody has better advice."""
    recordings_keep_days: Annotated[int | None, Field(ge=1, le=36_500)] = None
    """How long recordings of this line's calls are kept, unless a class of the call says otherwise; none: as
    the city says."""


class Menu(Rule):
    """menus.toml: a choice by key. GB/T 33358-2016 discourages menus: keep them short."""

    title: Title
    prompt: PromptName
    keys: Annotated[dict[MenuKey, Place], Field(min_length=1)]
    """Key to place."""
    tries: Annotated[int, Field(ge=1, le=5)] = 2
    wait_seconds: Annotated[int, Field(ge=1, le=30)] = 5
    """Silence after the prompt before it is said again."""
    otherwise: Place
    """Where a caller goes who keys nothing, or nothing that is offered."""
    spoken: OptionalSpoken = None
    """``true``, or a table: the caller is first asked to say it; the keys count meanwhile too."""
    words: dict[MenuKey, SpokenWords] = Field(default_factory=dict)
    """Key to the words that mean it."""
    units: dict[MenuKey, Name] = Field(default_factory=dict)
    """Key to the unit whose business it most likely is: a hint for the ticket's draft, no more."""
    kinds: dict[MenuKey, CallKind] = Field(default_factory=dict)
    """Key to what the caller most likely wants; the same."""


class Queue(Rule):
    """queues.toml: callers of one subject, first come first served within their priority."""

    title: Title
    title_en: OptionalTitle = ""
    strategy: Strategy = "leastrecent"
    members: dict[SeatNumber, Penalty]
    """Seat to penalty: who answers when the person at that seat has no skills of their own."""
    ring_seconds: Annotated[int, Field(ge=3, le=120)] = 15
    wait_seconds: Annotated[int, Field(ge=5, le=7200)] = 90
    """Longest wait in this queue; then ``next``."""
    wrap_up_seconds: Annotated[int, Field(ge=0, le=3600)] = 2
    """After a call nobody rings here for so long (整理). Up to 2 s app_queue counts it; a longer one is a
    pause that the agent may end early."""
    announce_agent: bool = False
    """Whether the caller is told the agent's number (工号播报) before the two talk."""
    max_waiting: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Callers that may wait at once; 0 for no limit."""
    music: Literal["music", "ring"] = "music"
    position_every_seconds: Annotated[int, Field(ge=0, le=600)] = 0
    """How often a waiting caller is told the position; 0 for never."""
    tell_wait: bool = True
    """Whether the estimated wait is told with the position."""
    pace_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    """Seconds from one answer to the next while callers wait: what the estimate begins with after a start or
    a reload; from then on it is measured."""
    reassure_every_seconds: Annotated[int, Field(ge=0, le=600)] = 0
    """How often a waiting caller hears ``reassure``; 0 for never."""
    reassure: PromptName = "queue-still"
    widen: dict[Seconds, Penalty] = Field(default_factory=dict)
    """Seconds waited to the highest level (penalty) that rings from then on: ``{ 0 = 0, 20 = 10 }``. Without
    it every level may ring at once, the lower ones first."""
    call_back: CallBack | None = None
    next: Place
    """The way out: another queue, in the end a message. Itself: callers stay (``plan.handed``)."""
    weight: Annotated[int, Field(ge=0, le=100)] = 0
    """Between queues that share seats the callers of the heavier one come first."""
    masked: bool = False
    """What callers of this queue and their agents say is kept out of the recordings: payment data."""


class Seat(Rule):
    """seats.toml: a working place with a SIP phone. Its table's name is its number."""

    title: OptionalTitle = ""
    group: OptionalTitle = ""


class Agent(Rule):
    """agents.toml: a person who signs in at a seat. The table's name is the number callers hear (工号)."""

    name: Title
    skills: dict[Name, Penalty] = Field(default_factory=dict)
    """Queue to level: a lower one rings first. None: those of the seat the person sits at."""
    seat: OptionalSeat = ""
    """The usual seat: signing in there needs no number."""
    wrap_up_seconds: Annotated[int | None, Field(ge=0, le=3600)] = None
    """This person's own wrap-up, instead of the queue's."""
    pin: Pin = ""
    """Asked for at sign-in by phone; empty: none."""


class Pause(Rule):
    """pauses.toml: a reason not to take calls. Its table's name is the reason that seats and boards show."""

    title: Title
    title_en: OptionalTitle = ""
    key: PauseKey
    """``*14`` and this key pauses for this reason; ``*14`` alone is key 1."""


PAUSES: Mapping[str, Pause] = {
    "busy": Pause(title="示忙", title_en="busy", key="1"),
    "break": Pause(title="小休", title_en="short break", key="2"),
    "lunch": Pause(title="用餐", title_en="lunch", key="3"),
    "training": Pause(title="培训", title_en="training", key="4"),
    "meeting": Pause(title="会议", title_en="meeting", key="5"),
}
"""The reasons of a plan without pauses.toml."""
RESERVED_PAUSES = frozenset({"wrapup", "rest", "missed", "lost", "forced", "paused"})
"""Reasons the house itself gives."""


class Message(Rule):
    """messages.toml: the end of a road. It speaks, may record, and leaves a call-back duty."""

    title: Title
    prompt: PromptName
    record: bool = False
    record_seconds: Annotated[int, Field(ge=5, le=600)] = 120
    call_back: bool = True
    """Whether somebody owes this caller a call."""


class Prompt(Rule):
    """prompts.toml: a text of the plan's own. A recorded wav wins over the synthesised text."""

    text: Text = ""
    wav: WavFile = ""
    """Below the plan's folder: 8 kHz, one channel, 16 bit."""


class Advice(Rule):
    """advice.toml ``[[advice]]``: a hint for callers from certain numbers; the first that fits is given."""

    callers: Annotated[tuple[Callers, ...], Field(min_length=1, max_length=1000)]
    """Numbers, or beginnings of numbers when they end with ``*``."""
    lines: tuple[Name, ...] = ()
    """The lines this holds for; none means all."""
    to: Place


class Overflow(Rule):
    """advice.toml ``[[overflow]]``: where callers go when a queue has no signed-in reachable seat."""

    queue: Name
    to: Place


class Plan(BaseModel):
    """Everything of one city."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    city: City
    trunks: dict[Name, Trunk] = {}
    lines: dict[Name, Line] = {}
    menus: dict[Name, Menu] = {}
    queues: dict[Name, Queue] = {}
    seats: dict[SeatNumber, Seat] = {}
    agents: dict[AgentNumber, Agent] = {}
    pauses: dict[Name, Pause] = {}
    messages: dict[Name, Message] = {}
    phones: dict[Name, Phone] = {}
    priorities: dict[Name, Priority] = {}
    prompts: dict[Name, Prompt] = {}
    advice: tuple[Advice, ...] = ()
    overflow: tuple[Overflow, ...] = ()
    roster: Roster | None = None
    numbers: dict[Name, Merged] = {}
    units: dict[Name, Unit] = {}
    rules: Rules | None = None
    areas: tuple[Area, ...] = ()
    centres: dict[Name, Centre] = {}
    contacts: dict[Name, Contact] = {}
    outgoing: Outgoing | None = None
    recordings: dict[Name, RecordingClass] = {}

    @property
    def id(self) -> str:
        return self.city.id

    @property
    def staff(self) -> Mapping[str, Agent]:
        """Who may sign in. Without agents.toml each seat is its own agent, by its own number."""
        if self.agents:
            return self.agents
        return {number: Agent(name=seat.title or number, seat=number) for number, seat in self.seats.items()}

    @property
    def pause_reasons(self) -> Mapping[str, Pause]:
        """Reason to what it means, those of pauses.toml or the usual five."""
        return self.pauses or PAUSES

    def skills(self, agent: str, seat: str) -> Mapping[str, int]:
        """Queue to penalty for this person at this seat: their own, else the seat's."""
        known = self.staff.get(agent)
        if known is not None and known.skills:
            return known.skills
        return {name: queue.members[seat] for name, queue in self.queues.items() if seat in queue.members}

    @property
    def main(self) -> str:
        """The line 12345 itself is answered by: the first of kind main, else the first; empty: no line."""
        of_kind = (name for name, line in self.lines.items() if line.kind == "main")
        return next(of_kind, next(iter(self.lines), ""))

    def stages(self, number: str) -> tuple[Stage, ...]:
        """What callers to a number of numbers.toml meet, from which day on; empty: it is not in there."""
        return timeline(self.numbers, number, self.main)

    def stage(self, number: str, day: date) -> Stage | None:
        """The stage of a merged number on a day."""
        return held(self.stages(number), day)

    def line_of(self, number: str, day: date | None = None) -> str | None:
        """The line that owns a number, or None. ``day``: also numbers of numbers.toml, as on that day."""
        merged = self.stage(number, day) if day else None
        if merged is not None:
            return merged.line or None
        return next((name for name, line in self.lines.items() if number in line.numbers), None)

    def centre_of(self, row: str) -> str | None:
        """The centre a row of numbers.toml speaks of: it has the row's name or one of its numbers."""
        merged = self.numbers[row]
        return next((n for n in (row, *merged.numbers, *merged.called) if n in self.centres), None)

    def has(self, to: Destination) -> bool:
        """Whether this city has the place."""
        return to.name in self.names(to.kind)

    def names(self, kind: DestinationKind) -> tuple[str, ...]:
        """The names of all places of a kind."""
        match kind:
            case "queue":
                return tuple(self.queues)
            case "menu":
                return tuple(self.menus)
            case "message":
                return tuple(self.messages)
            case "line":
                return tuple(self.lines)
            case "phone":
                return tuple(self.phones)
