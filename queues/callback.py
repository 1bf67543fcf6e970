"""Calls back promised while waiting: how each stands, and when somebody has to be put in line again.

Asterisk does the first try alone (asterisk_conf.callback); what is here starts the later ones and those that
a restart cut off. A promise is kept, or stands as an open duty for a person: no order of facts loses one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from calls import facts as f
from calls.facts import CallBackMoved, CallId, Fact
from calls.orders import StandIn
from calls.record import call_back_of, record_of

KEPT_OVER = 256
STAND_IN = "@stand-in-"
"""In the channel name of both halves of a stand-in: ``Local/<CALL_ID>@stand-in-00000001;1``."""
PATIENCE = 10.0
"""Seconds a stand-in may take from being ordered, or from its promise, to being in line."""


class State(StrEnum):
    ASKED = "asked"  # promised; nobody stands in line yet
    STANDING = "standing"  # a stand-in waits
    DIALLING = "dialling"  # an agent waits, the citizen's phone rings
    TALKING = "talking"  # the citizen has answered
    RESTING = "resting"  # a try failed, the next has its time
    GIVEN_UP = "given-up"  # tried as often as the plan says: a person's duty now
    DONE = "done"  # they have talked


OVER = frozenset({State.GIVEN_UP, State.DONE})


@dataclass(frozen=True, slots=True)
class CallBack:
    """``told`` is the dialplan's last word. ``due``: from when on a stand-in is missing, None while one is at
    work or none is wanted."""

    call: CallId
    state: State
    since: float
    told: CallBackMoved
    due: float | None = None
    ordered: int = 0
    """Stand-ins ordered by us."""


@dataclass(frozen=True, slots=True)
class CallBacks:
    of: Mapping[CallId, CallBack] = field(default_factory=dict)

    def open(self) -> list[CallBack]:
        return [c for c in self.of.values() if c.state not in OVER]


def _wanted_at(told: CallBackMoved) -> float:
    return told.at + PATIENCE


def _rested(told: CallBackMoved) -> float:
    return max(told.due, told.at)


def _never(told: CallBackMoved) -> None:
    return None


DUE: Mapping[State, Callable[[CallBackMoved], float | None]] = {
    # Asterisk makes the first stand-in itself, at once; it may die in that moment
    State.ASKED: _wanted_at,
    State.STANDING: _never,
    State.DIALLING: _never,
    State.TALKING: _never,
    State.RESTING: _rested,
    State.GIVEN_UP: _never,
    State.DONE: _never,
}
"""The table: what the dialplan said last, and from when on a stand-in is missing."""


def step(backs: CallBacks, fact: Fact) -> CallBacks:
    """The calls back after this fact. Never raises."""
    match fact:
        case CallBackMoved():
            return _moved(backs, fact)
        case f.Snapshot():
            return _true(backs, fact)
        case _:
            return backs


def _moved(backs: CallBacks, told: CallBackMoved) -> CallBacks:
    known = backs.of.get(told.call)
    if known is not None and (told.at < known.since or known.state is State.DONE):
        return backs
    state = State(told.state)
    ordered = 0 if known is None else known.ordered
    made = CallBack(told.call, state, told.at, told, DUE[state](told), ordered)
    return _put(backs, made)


def _put(backs: CallBacks, back: CallBack) -> CallBacks:
    of = {**backs.of, back.call: back}
    over = [c.call for c in of.values() if c.state in OVER]
    for call in over[: max(0, len(over) - KEPT_OVER)]:
        del of[call]
    return CallBacks(of)


def _true(backs: CallBacks, x: f.Snapshot) -> CallBacks:
    """What Asterisk remembers is so; a stand-in that is not there is missing; a citizen whose phone was
    answered has been called back, even if Asterisk died in the middle of the talk."""
    standing = {name for leg in x.legs if (name := _whose(leg.channel))}
    if x.call_backs is not None:
        for call, record in x.call_backs:
            known = backs.of.get(call)
            told = call_back_of(record, call, x.at, x.node)
            if told is None or (known is not None and known.state in OVER):
                continue
            if known is None or known.state != told.state or known.told.tries != told.tries:
                state = State(told.state)
                # since: whenever it was, a word of the dialplan that comes now is newer
                backs = _put(backs, CallBack(call, state, 0.0, told, DUE[state](told)))
    for back in backs.open():
        there = back.call in standing
        if there:
            backs = _put(backs, replace(back, due=None))
        elif back.state is State.TALKING:
            backs = _put(backs, replace(back, state=State.DONE, due=None))
        elif back.state is not State.RESTING or back.due is None:
            backs = _put(backs, replace(back, due=x.at))
    return backs


def _whose(channel: str) -> CallId | None:
    """``Local/demo-n1-1795275800.46@stand-in-00000000;1`` -> the call it stands in for."""
    if channel.startswith("Local/") and STAND_IN in channel:
        return CallId(channel.removeprefix("Local/").partition(STAND_IN)[0])
    return None


def missing(backs: CallBacks, now: float) -> Iterator[StandIn]:
    """A stand-in for each promise that has none and should."""
    for back in backs.open():
        if back.due is not None and back.due <= now:
            yield StandIn(call=back.call, record=record_of(back.told))


def ordered(backs: CallBacks, call: CallId, now: float) -> CallBacks:
    """It was ordered: look again when it has had time to come."""
    back = backs.of.get(call)
    if back is None or back.state in OVER:
        return backs
    return _put(backs, replace(back, due=now + PATIENCE, ordered=back.ordered + 1))
