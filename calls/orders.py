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


SeatOrder = SignIn | SignOut | Pause | Unpause | EndWrapUp
Order = HangUp | Redirect | Reload | ReadVariable | Originate | Nudge | SeatOrder | Transfer
