"""Two computers agree on records over a line that loses, repeats, delays and re-orders.

Each side has records of its own, each with a version. It *offers* a version until the other has *received*
it; whoever received says so until it is *confirmed*. Every message is whole and names its version, so one
that comes twice or late changes nothing, and an older one never undoes a newer. A side that was started anew
recalls what it had (``recalled``, ``heard_before``), and what it has forgotten all the same it says once more
as the newest. (The receive/confirm handshake of emergency centres, without a clause of any one of them.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Says = Literal["offer", "received", "confirm"]
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds until something unanswered is said again; the last one for ever."""


@dataclass(frozen=True, slots=True)
class Message:
    """``record`` with ``version``; ``body`` is told with an offer only."""

    says: Says
    record: str
    version: int
    body: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mine:
    """A record of this side. ``next`` is when it is offered again."""

    version: int
    body: Mapping[str, str]
    received: bool = False
    tried: int = 0
    next: float = 0.0


@dataclass(frozen=True, slots=True)
class Theirs:
    """A record of the other side, as far as it came."""

    version: int
    body: Mapping[str, str]
    confirmed: bool = False
    tried: int = 0
    next: float = 0.0


@dataclass(frozen=True, slots=True)
class Side:
    """What one computer knows. Values: the same messages in the same order give the same side."""

    mine: Mapping[str, Mine] = field(default_factory=dict)
    theirs: Mapping[str, Theirs] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Nothing waits for an answer."""
        return all(m.received for m in self.mine.values()) and all(t.confirmed for t in self.theirs.values())


def change(side: Side, record: str, version: int, body: Mapping[str, str]) -> Side:
    """A record of our own is new, or has changed; a version that is not newer changes nothing."""
    known = side.mine.get(record)
    if known is not None and known.version >= version:
        return side
    return replace(side, mine={**side.mine, record: Mine(version, dict(body))})


def recalled(side: Side, record: str, version: int, body: Mapping[str, str], *, received: bool) -> Side:
    """A record of our own as it stood before a restart; one that is known stays as it is."""
    if record in side.mine:
        return side
    return replace(side, mine={**side.mine, record: Mine(version, dict(body), received)})


def heard_before(side: Side, record: str, version: int) -> Side:
    """The same for one of theirs, whose words have been noted; only its version is needed any more."""
    if record in side.theirs:
        return side
    return replace(side, theirs={**side.theirs, record: Theirs(version, {})})


def take(side: Side, message: Message) -> tuple[Side, tuple[Message, ...], bool]:
    """What a message changes, what is answered at once, and whether it told something new."""
    record, version = message.record, message.version
    match message.says:
        case "offer":
            known = side.theirs.get(record)
            new = known is None or version > known.version
            if new:
                side = replace(side, theirs={**side.theirs, record: Theirs(version, dict(message.body))})
            now = side.theirs[record]
            # an offer of an older version is answered with what we have: the newer one
            return side, (Message("received", record, now.version),), new
        case "received":
            mine = side.mine.get(record)
            if mine is None:
                return side, (), False
            if version > mine.version:
                # we told more before a restart than we recall: both are to have what we know
                again = Mine(version + 1, mine.body)
                return replace(side, mine={**side.mine, record: again}), (), False
            if version == mine.version and not mine.received:
                side = replace(side, mine={**side.mine, record: replace(mine, received=True)})
                return side, (Message("confirm", record, version),), True
            return side, (Message("confirm", record, version),), False
        case "confirm":
            theirs = side.theirs.get(record)
            if theirs is None or version != theirs.version or theirs.confirmed:
                return side, (), False
            return replace(side, theirs={**side.theirs, record: replace(theirs, confirmed=True)}), (), True


def due(side: Side, now: float) -> tuple[Side, tuple[Message, ...]]:
    """What is to be said (again) now."""
    said: list[Message] = []
    mine, theirs = dict(side.mine), dict(side.theirs)
    for record, one in mine.items():
        if not one.received and one.next <= now:
            said.append(Message("offer", record, one.version, one.body))
            mine[record] = replace(one, tried=one.tried + 1, next=now + _pause(one.tried))
    for record, other in theirs.items():
        if not other.confirmed and other.next <= now:
            # the first "received" went out as the answer
            if other.tried:
                said.append(Message("received", record, other.version))
            theirs[record] = replace(other, tried=other.tried + 1, next=now + _pause(other.tried))
    return Side(mine, theirs), tuple(said)


def _pause(tried: int) -> float:
    return PAUSES[min(tried, len(PAUSES) - 1)]
