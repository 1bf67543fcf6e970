"""Orders: what we want Asterisk to do, in the imperative.

Rooms give orders; only ``cti.asterisk.do`` carries them out. An order is no promise: the *fact*
that comes back (or does not) says what really happened.
"""

from __future__ import annotations

from dataclasses import dataclass

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


Order = HangUp | Redirect | Reload | ReadVariable | Originate
