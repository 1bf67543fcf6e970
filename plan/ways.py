"""Ways a wait can go other than in line: called back, answered outside, preferred."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from plan.rule import Rule
from plan.words import Callers, MenuPress, Name, OptionalTitle, PhoneNumber, Place, Title


class CallBack(Rule):
    """queues.toml ``[general.call_back]``: waiting callers may be called back and keep the place. They are
    called at the number they call from, or at one they key, which outgoing.toml must allow."""

    after_seconds: Annotated[int, Field(ge=5, le=3600)] = 60
    """Waited so long, the caller is offered it; key 1 takes it."""
    trunk: Name
    """The trunk the citizen is called through; it must have ``out``."""
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    """Calls to a citizen who does not answer; then it stays an open duty for a person."""
    again_after_seconds: Annotated[int, Field(ge=5, le=86_400)] = 600
    """From a call that failed to the next try."""
    ring_seconds: Annotated[int, Field(ge=5, le=120)] = 40


class Phone(Rule):
    """phones.toml: somebody outside who answers for the hotline, like a unit's 24-hour duty phone."""

    title: Title
    number: PhoneNumber
    trunk: Name
    """The trunk it is called through; it must have ``out``."""
    ring_seconds: Annotated[int, Field(ge=5, le=120)] = 30
    next: Place
    """Where the caller goes when it does not answer."""


class Priority(Rule):
    """priorities.toml: callers who are served as if they had come earlier.

    A caller's rank is the moment of joining minus the head start, so whoever waits rises against everybody
    who comes later, and a caller can only be overtaken by those who come within ``head_start_seconds``.
    """

    title: Title
    title_en: OptionalTitle = ""
    head_start_seconds: Annotated[int, Field(ge=1, le=86_400)]
    lines: tuple[Name, ...] = ()
    """Callers of these lines: a hand-over from an emergency centre has a line of its own."""
    callers: Annotated[tuple[Callers, ...], Field(max_length=2000)] = ()
    """Numbers (beginnings with ``*``): a list kept of the elderly, minors, centres."""
    keys: tuple[MenuPress, ...] = ()
    """Menu and key, ``service:3``: who says so by a key."""
    dropped_within_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    """Callers whom we lost so recently and who call again: a phone or a machine of ours died, also when they
    hung up on its silence or on the way back to somebody else, or nobody answered until the last message.
    Hanging up and redialling is not being dropped. 0: nobody."""
