"""What a call, a leg and a seat are. Plain values: copy, compare, print, store as JSON."""

from __future__ import annotations

from enum import StrEnum

from calls.facts import CallId, LegId
from calls.value import dataclass

NO_LEG = LegId("")
GONE = (18, 20, 27, 38, 41, 44)
"""Q.850 causes of a phone that did not hang up but vanished: no response, absent, out of order, network
out of order, temporary failure, not available (what res_pjsip gives when no sound came)."""


class Direction(StrEnum):
    IN = "in"  # the citizen called
    OUT = "out"  # an agent called the citizen


class CallState(StrEnum):
    DIALLING = "dialling"  # an agent calls a citizen who has not answered yet
    GREETED = "greeted"  # hears the greeting or a menu
    WAITING = "waiting"  # in a queue
    RINGING = "ringing"  # a seat rings for this caller
    TALKING = "talking"  # caller and agent hear each other
    MOVING = "moving"  # left the agent, not yet with anybody else
    ENDED = "ended"


class SeatState(StrEnum):
    AWAY = "away"  # nobody signed in
    UNREACHABLE = "unreachable"  # signed in, phone off the network
    READY = "ready"
    RINGING = "ringing"
    BUSY = "busy"
    WRAP_UP = "wrap-up"
    PAUSED = "paused"


class LeftBy(StrEnum):
    CALLER = "caller"
    AGENT = "agent"
    SYSTEM = "system"
    UNKNOWN = "unknown"  # it ended while nobody of ours was looking


class Stage(StrEnum):
    """How far a caller had come when the call ended."""

    GREETING = "greeting"
    MENU = "menu"  # after the greeting, before any queue
    WAITING = "waiting"
    RINGING = "ringing"  # a seat rang for this caller
    TALKING = "talking"
    MOVING = "moving"  # had talked, was on the way to somebody else
    MESSAGE = "message"  # behind the last queue: an apology, a recorded message
    UNKNOWN = ""


class Source(StrEnum):
    """Where a row of history comes from."""

    HEARD = "heard"  # facts of the moment
    REFILLED = "refilled"  # put right afterwards from Asterisk's own queue_log and CDR files


@dataclass(frozen=True, slots=True)
class Leg:
    """One phone in a call: the caller, a seat, or an outside number."""

    id: LegId
    channel: str
    call: CallId | None
    endpoint: str
    up: bool = False
    on_hold: bool = False
    bridge: str = ""
    linked: LegId = NO_LEG


@dataclass(frozen=True, slots=True)
class Call:
    """A citizen's call from the first second to the last. Times are seconds since the epoch, UTC."""

    id: CallId
    city: str
    line: str
    trunk: str
    caller: str
    called: str
    original: str
    leg: LegId
    state: CallState
    since: float
    arrived: float
    greeted: float | None = None
    queue: str = ""
    joined: float | None = None
    """When the caller joined the queue of the present visit."""
    seat: str = ""
    answered: float | None = None
    """When an agent first answered: stops the 15 s clock (GB/T 33358-2016, decision 10)."""
    first_seat: str = ""
    ended: float | None = None
    left_by: LeftBy | None = None
    cause: int = 0
    visits: int = 0
    advice: str = ""
    advised_by: str = ""
    menu: str = ""
    menu_key: str = ""
    """The last key chosen (or said) in a menu, and in which; empty while none was."""
    recording: str = ""
    owed: bool = False
    consult_of: CallId | None = None
    stage: Stage = Stage.UNKNOWN
    """Where it ended; unknown while it goes on (but for a message, and what a waiting caller keys), and when
    nobody was looking."""
    source: Source = Source.HEARD
    centre: str = ""
    """The centre that handed the call over, by its row of numbers.toml; with it its case and story."""
    case: str = ""
    story: str = ""
    callback_of: str = ""
    """The call whose citizen this one calls back. Such a call is no citizen's: it stands in no figure of
    offered and answered calls, and ``greeted`` is when the citizen answered."""
    direction: Direction = Direction.IN
    """OUT: an agent calls a citizen. Then ``leg`` is the seat's, ``caller`` still the citizen's number, and
    ``called`` the number the citizen sees. It stands in no figure of offered and answered calls."""
    silenced: float | None = None
    """When the last phone fell silent that rang and had not declined: the caller is leaving, or it is about
    to be told that it declined."""

    @property
    def outgoing(self) -> bool:
        return self.direction is Direction.OUT


@dataclass(frozen=True, slots=True)
class Seat:
    """One working place. ``calls`` are the calls it rings for or talks to."""

    city: str
    name: str
    state: SeatState
    since: float
    device: str = "unknown"
    queues: tuple[str, ...] = ()
    paused: str = ""
    """The reason code while paused, empty otherwise."""
    call: CallId | None = None
    contact: str = ""
    agent: str = ""
    """The number (工号) of who sits there; empty: nobody signed in."""
    until: float | None = None
    """When wrap-up, or the rest after a missed ring, ends; while it lasts."""
    missed: int = 0
    """Rings left unanswered in a row."""
