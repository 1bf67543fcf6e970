"""An operator's hotline plan as values: which number leads where, who sits where, what is heard.

A ``Plan`` is made by ``plan.check`` only, from the TOML files of one city folder; whoever holds one
may rely on every name in it leading somewhere. Names, not numbers, tie the parts together. A rule
of a city is data, and may carry ``basis``: the clause of the notice it follows.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from plan.words import DESTINATION

DestinationKind = Literal["queue", "menu", "message", "line"]
Strategy = Literal["leastrecent", "fewestcalls", "rrmemory", "linear", "random", "ringall"]
LineKind = Literal["main", "dual", "expert", "dedicated", "linked", "other"]
Codec = Literal["alaw", "ulaw", "g722"]


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
        kind: DestinationKind = found[1]  # type: ignore[assignment]  # the pattern allows these four only
        return cls(kind, found[2])


class Rule(BaseModel):
    """One table of a plan file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    basis: str | None = None
    """The clause this rule follows, e.g. ``六安 2021 §二(一)2``; ``假设`` (assumption) where a notice is silent."""


class City(Rule):
    """city.toml: whose hotline this is, and what a caller meets when all else fails."""

    title: str
    title_en: str = ""
    timezone: str = "Asia/Shanghai"
    last: str
    """The message at the end of every road, ``message:sorry``: it must speak."""
    not_in_service: str = "number-not-in-service"
    """The prompt for a dialled number that no line owns."""


class Trunk(Rule):
    """trunks.toml: a carrier's connection. A call's trunk decides the call's city."""

    title: str = ""
    hosts: tuple[str, ...]
    """Addresses the carrier sends from (``192.0.2.10``, ``sip.carrier.example:5060``)."""
    channels: int = 240
    """Calls at once; one more is refused with cause 34 (no circuit), as the carrier expects."""
    codecs: tuple[Codec, ...] = ("alaw", "ulaw")
    lab: bool = False
    """The lab's carrier may stand in for this trunk (``cti up --lab``)."""


class Line(Rule):
    """lines.toml: numbers that are answered the same way."""

    title: str
    title_en: str = ""
    kind: LineKind = "other"
    numbers: tuple[str, ...]
    """Numbers as the trunk delivers them. A call forwarded from one of them (Diversion, History-Info)
    counts as a call to this line, and keeps it as its original number."""
    greeting: str = "greeting"
    notice: str = "recording-notice"
    """The prompt that says the call is recorded; empty for none."""
    ask: bool = True
    """Whether the service is asked "where next?" after the greeting."""
    first: str
    """Where the caller goes when nobody has better advice."""


class Menu(Rule):
    """menus.toml: a choice by key. GB/T 33358-2016 discourages menus: keep them short."""

    title: str
    prompt: str
    keys: dict[str, str]
    """Key to destination."""
    tries: int = 2
    wait_seconds: int = 5
    """Silence after the prompt before it is said again."""
    otherwise: str
    """Where a caller goes who keys nothing, or nothing that is offered."""


class Queue(Rule):
    """queues.toml: callers of one subject, first come first served."""

    title: str
    title_en: str = ""
    strategy: Strategy = "leastrecent"
    members: dict[str, int]
    """Seat to penalty: seats with a higher one ring only when no lower one is free."""
    ring_seconds: int = 15
    wait_seconds: int = 90
    """Longest wait in this queue; then ``next``."""
    wrap_up_seconds: int = 2
    max_waiting: int = 0
    """Callers that may wait at once; 0 for no limit."""
    music: Literal["music", "ring"] = "music"
    position_every_seconds: int = 0
    """How often a waiting caller is told the position; 0 for never."""
    next: str
    """The way out: another queue, in the end a message."""


class Seat(Rule):
    """seats.toml: a working place with a SIP phone. Its table's name is its number."""

    title: str = ""
    group: str = ""


class Message(Rule):
    """messages.toml: the end of a road. It speaks, may record, and leaves a call-back duty."""

    title: str
    prompt: str
    record: bool = False
    record_seconds: int = 120
    call_back: bool = True
    """Whether somebody owes this caller a call."""


class Prompt(Rule):
    """prompts.toml: a text of the plan's own. A recorded wav wins over the synthesised text."""

    text: str = ""
    wav: str = ""
    """Below the plan's folder: 8 kHz, one channel, 16 bit."""


class Advice(Rule):
    """advice.toml: a hint for callers from certain numbers, given by the service after the greeting."""

    callers: tuple[str, ...]
    """Numbers, or beginnings of numbers when they end with ``*``."""
    lines: tuple[str, ...] = ()
    """The lines this holds for; none means all."""
    to: str


class Overflow(Rule):
    """advice.toml ``[[overflow]]``: where callers go when a queue has no signed-in reachable seat."""

    queue: str
    to: str


class Plan(BaseModel):
    """Everything of one city. ``id`` is the folder's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    city: City
    trunks: dict[str, Trunk]
    lines: dict[str, Line]
    menus: dict[str, Menu]
    queues: dict[str, Queue]
    seats: dict[str, Seat]
    messages: dict[str, Message]
    prompts: dict[str, Prompt]
    advice: tuple[Advice, ...] = ()
    overflow: tuple[Overflow, ...] = ()

    def line_of(self, number: str) -> str | None:
        """The line that owns a number, or None."""
        return next((name for name, line in self.lines.items() if number in line.numbers), None)

    def has(self, to: Destination) -> bool:
        """Whether this city has the place."""
        places: dict[DestinationKind, object] = {
            "queue": self.queues, "menu": self.menus, "message": self.messages, "line": self.lines,
        }
        return to.name in places[to.kind]  # type: ignore[operator]
