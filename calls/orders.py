"""Orders: what we want Asterisk to do, in the imperative.

Rooms give orders; only ``cti.asterisk.do`` carries them out. An order is no promise: the *fact*
that comes back (or does not) says what really happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from calls.facts import CallId, LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """End this leg. ``cause`` is a Q.850 number; 16 = normal clearing."""

    leg: LegId
    cause: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Send a leg to a place of the dialplan; its bridge partner, if any, falls out of the bridge."""

    leg: LegId
    context: str
    exten: str
    priority: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload:
    """Read configuration anew without dropping calls. Parts: ``pjsip``, ``queues``, ``dialplan``."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadVariable:
    """The value of a dialplan global (``leg`` None) or of a leg's variable; the outcome is its text."""

    name: str
    leg: LegId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Originate:
    """Ring ``endpoint`` and, once it answers, send it to ``context``/``exten``.

    ``seconds`` is how long it may ring. The outcome is the leg that answered.
    """

    endpoint: str
    context: str
    exten: str
    caller: str = ""
    call: CallId | None = None
    variables: tuple[tuple[str, str], ...] = ()
    seconds: float = 30.0


By = Literal["api", "supervisor", "system"]
"""Who orders something at a seat; a phone's feature code is ``phone``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Bind an agent to a seat and join the queues of their skills. Ends the agent's binding elsewhere."""

    city: str
    seat: str
    agent: str
    by: By = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOut:
    """Whoever sits there leaves all queues; a call under way goes on."""

    city: str
    seat: str
    by: By = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """No more calls to the seat. ``reason``: of the plan (``lunch``), or ``forced``."""

    city: str
    seat: str
    reason: str
    by: By = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpause:
    """The seat is ready: any pause and any wrap-up ends, missed rings are forgotten."""

    city: str
    seat: str
    by: By = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndWrapUp:
    """Wrap-up ends early; a pause of another reason stays. Refused when the seat is in no wrap-up."""

    city: str
    seat: str
    by: By = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """Have app_queue look at once whether it is this waiting caller's turn. The caller hears nothing."""

    leg: LegId


How = Literal["listen", "whisper", "barge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetQueues:
    """Whoever sits there answers these queues at these levels (penalties) from now on, until they sign in
    anew. A call under way goes on."""

    city: str
    seat: str
    queues: tuple[tuple[str, int], ...]
    by: By = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Ring the phone of seat ``by``; once it answers, it is in the call on the agent's leg ``leg``.

    ``watching``: the leg of a watch of the same call by the same seat, which only changes how.
    """

    call: CallId
    city: str
    seat: str
    leg: LegId
    by: str
    how: How
    watching: LegId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """The caller's leg ``leg`` leaves the agent for the phone of seat ``by``, which rings first (or is
    watching already). A phone that is not answered changes nothing."""

    call: CallId
    city: str
    seat: str
    leg: LegId
    by: str
    watching: LegId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """The caller's leg leaves its agent at ``seat``: to the head of the queue, or out (``end``). Whoever has
    the caller from the agent by then keeps them."""

    city: str
    seat: str
    leg: LegId
    to: Literal["queue", "end"] = "queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveToFront:
    """This waiting caller is next in this queue."""

    city: str
    queue: str
    leg: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveToQueue:
    """This waiting caller goes on waiting in queue ``to``; ``first``: at its head."""

    city: str
    queue: str
    leg: LegId
    to: str
    first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Callers of this line hear ``sound`` after the greeting, from the next call on; empty: nothing more."""

    city: str
    line: str
    sound: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """Have a stand-in wait in the queue for a citizen who is to be called back. ``record`` is what Asterisk
    shall remember of it, should it have forgotten. One that stands already is left alone."""

    call: CallId
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOut:
    """Ring the phone of this seat; once it answers, ``number`` is called as the hotline. The phone shows
    ``shown``. ``of``: the call whose citizen is called back; empty: none. The outcome is the seat's leg,
    which names the call."""

    city: str
    seat: str
    number: str
    shown: str
    of: str = ""


Kind = Literal["blind", "consult", "three", "handoff", "takeback", "together", "leave"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What the agent at this seat wishes for the caller they talk to.

    ``to``: what an agent dials (a seat, a centre, a contact, a line's number) or ``queue-<name>``; empty
    where nobody new is asked.
    """

    city: str
    seat: str
    kind: Kind
    to: str = ""
    by: By = "api"
    id: str = ""
    """Becomes the id of the hand-off record; empty: Asterisk gives one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskRecording:
    """What this leg says is kept out of its recording and of its tap (``on``), or goes in again."""

    leg: LegId
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TapLeg:
    """Write what this leg says into a second file too, for whoever listens while it is said. The outcome is
    the tap's own name in Asterisk."""

    leg: LegId
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UntapLeg:
    """End a tap (``TapLeg``'s outcome); the recording goes on."""

    leg: LegId
    tap: str


SeatOrder = SignIn | SignOut | Pause | Unpause | EndWrapUp
DeskOrder = SetQueues | Watch | TakeOver | Free | MoveToFront | MoveToQueue | Announce
CallOrder = HangUp | Redirect | Originate | Nudge | StandIn | Transfer | CallOut
RecordingOrder = MaskRecording | TapLeg | UntapLeg
Order = CallOrder | Reload | ReadVariable | SeatOrder | DeskOrder | RecordingOrder
