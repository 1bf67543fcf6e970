"""Who was with the caller when, and kept them on hold, as the phones' own log tells it.

A phone knows when its handset was lifted and put down, when it held, and what was keyed on it. Who is asked
(``*82``) is with the agent only, and the agent with them, until one of the two is gone or the agent keys
``*84``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

Span = tuple[float, float]
"""From and until, seconds since the epoch."""
_WISH = re.compile(r"\*8([123])(\d+)#")
_TOGETHER = "*84"
_KINDS = {"1": "blind", "2": "consult", "3": "three"}
SOON = 0.2
"""Seconds by which a phone may ring before the last key of its number is off the finger."""


@dataclass(slots=True)
class Ring:
    """A phone that rang: a seat's, or a citizen's whom the house called."""

    phone: str
    rang: float
    caller: str = ""
    answered: float | None = None
    ended: float | None = None
    by: str = ""
    pressed: list[tuple[float, str]] = field(default_factory=list)
    """Keys of its own, and when."""
    held: list[float] = field(default_factory=list)
    """When it put the other side on hold, when it came back, in turn."""

    @property
    def seat(self) -> str:
        return self.phone.partition("-")[2]

    @property
    def talked(self) -> float:
        """Seconds from lifting the handset to the end; 0 while nobody knows the end."""
        if self.answered is None or self.ended is None:
            return 0.0
        return max(0.0, self.ended - self.answered)


@dataclass(frozen=True, slots=True)
class Talk:
    """A phone's time with the caller. Seconds."""

    spans: tuple[Span, ...]
    hold: float
    """Of that, on hold."""

    @property
    def total(self) -> float:
        return _seconds(self.spans)

    @property
    def talk(self) -> float:
        return self.total - self.hold

    @property
    def began(self) -> float:
        """Only where there is any."""
        return self.spans[0][0]


def asked_how(ring: Ring, rings: Sequence[Ring]) -> str:
    """``blind``, ``consult`` or ``three``: how this phone was asked for; empty: nobody keyed its number."""
    wish = _wished(ring, rings)
    return "" if wish is None else wish.kind


@dataclass(frozen=True, slots=True)
class _Wish:
    asker: Ring
    at: float
    kind: str


def with_caller(ring: Ring, rings: Sequence[Ring], left: float | None) -> Talk:
    """``rings``: all of this call; ``left``: when the caller left, whom an agent who keys a number just then
    may outlast by some seconds. A phone for which nobody keyed was passed the caller by other means."""
    if ring.answered is None or ring.ended is None:
        return Talk((), 0.0)
    until = ring.ended if left is None else min(ring.ended, left)
    since = ring.answered
    wish = _wished(ring, rings)
    if wish is not None and wish.kind == "consult":
        since = max(since, _asked_until(ring, wish.asker, until))
    asking = [
        (other.rang, _asked_until(other, ring, until))
        for other in rings
        if (theirs := _wished(other, rings)) is not None and theirs.kind == "consult" and theirs.asker is ring
    ]
    spans = tuple(_without((since, until), asking))
    held = [*ring.held, until] if len(ring.held) % 2 else ring.held
    pairs = zip(held[::2], held[1::2], strict=True)
    return Talk(spans, sum(_seconds(_both(span, pair) for span in spans) for pair in pairs))


def _asked_until(ring: Ring, asker: Ring, until: float) -> float:
    """When the consultation of these two was over."""
    ends = [until, *(end for end in (ring.ended, asker.ended) if end is not None)]
    keys = "".join(key for _, key in asker.pressed)
    at = keys.find(_TOGETHER)
    if at >= 0 and ring.answered is not None:
        together = asker.pressed[at + len(_TOGETHER) - 1][0]
        # before the other has answered the key does nothing
        ends += [together] if together > ring.answered else []
    return min(ends)


def _wished(ring: Ring, rings: Sequence[Ring]) -> _Wish | None:
    """By whom and how this phone was asked for: the last who keyed its number before it rang."""
    found = [
        _Wish(asker, at, kind)
        for asker in rings
        for at, kind, to in _wishes(asker)
        if asker is not ring and to == ring.seat and at <= ring.rang + SOON
    ]
    return max(found, key=lambda wish: wish.at, default=None)


def _wishes(ring: Ring) -> Iterator[tuple[float, str, str]]:
    for found in _WISH.finditer("".join(key for _, key in ring.pressed)):
        yield ring.pressed[found.end() - 1][0], _KINDS[found[1]], found[2]


def _without(whole: Span, holes: Iterable[Span]) -> Iterator[Span]:
    at, until = whole
    for begin, end in sorted(holes):
        if at < min(begin, until):
            yield at, min(begin, until)
        at = max(at, end)
    if at < until:
        yield at, until


def _both(one: Span, other: Span) -> Span:
    begin = max(one[0], other[0])
    return begin, max(begin, min(one[1], other[1]))


def _seconds(spans: Iterable[Span]) -> float:
    return sum(until - since for since, until in spans)
