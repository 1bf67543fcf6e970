"""What becomes of a caller while an agent brings them to somebody else: one row per (state, fact).

The same rows are the picture in docs (``transfer.drawing``), the buttons of a desk (``buttons``) and what
the live tests drive. A missing pair: that fact changes nothing here. Only an agent's wish gives an order;
what else is to happen the dialplan does by itself (``asterisk_conf.transfer``), so that it happens when the
service is dead. The service watches, records and shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from calls.orders import Kind, Transfer


class State(StrEnum):
    TALKING = "talking"  # caller and agent
    ASKING = "asking"  # the agent rings a colleague; the caller waits, the agent is still there
    CONSULTING = "consulting"  # agent and colleague talk; the caller waits for them
    RINGING = "ringing"  # caller and agent talk while somebody else is rung
    TOGETHER = "together"  # all three
    HANDED = "handed"  # caller and whoever was asked; the agent has left
    SENT = "sent"  # somebody is rung for the caller; the agent waits until they have answered
    ALONE = "alone"  # the same, and the agent has hung up: it rings on for a moment only
    QUEUED = "queued"  # at the head of a queue
    OVER = "over"


class Fact(StrEnum):
    """What happens, or what an agent wishes (``WISHES``)."""

    BLIND = "blind"
    CONSULT = "consult"
    THREE = "three"
    HANDOFF = "handoff"
    TAKE_BACK = "takeback"
    TOGETHER = "together"
    LEAVE = "leave"
    ANSWERED = "answered"  # by whoever was asked
    REFUSED = "refused"  # refused, busy, not there, or nobody answered in time
    TARGET_LEFT = "target-left"
    TARGET_LOST = "target-lost"  # their phone died
    AGENT_LEFT = "agent-left"
    AGENT_LOST = "agent-lost"  # their phone died
    CALLER_LEFT = "caller-left"
    SEAT_ANSWERED = "seat-answered"  # out of the queue


VANISHED = {Fact.TARGET_LOST: Fact.TARGET_LEFT, Fact.AGENT_LOST: Fact.AGENT_LEFT}
"""Whose phone died has left, and where somebody else has the caller that is all. But nobody ended a talk."""
WISHES = (Fact.BLIND, Fact.CONSULT, Fact.THREE, Fact.HANDOFF, Fact.TAKE_BACK, Fact.TOGETHER, Fact.LEAVE)

Pair = frozenset[str]


def _pairs(*names: str) -> frozenset[Pair]:
    return frozenset(frozenset(name.split("-")) for name in names)


@dataclass(frozen=True, slots=True)
class Situation:
    """Who hears whom in a state, and what the caller hears when it is nobody."""

    hear: frozenset[Pair] = frozenset()
    else_hears: str = ""
    """``music``, ``ringing``, or empty: a person."""
    comes: str = ""
    """Who is on the way to a caller who hears nobody: agent, target or queue."""
    title: str = ""


STATES: Mapping[State, Situation] = {
    State.TALKING: Situation(_pairs("caller-agent"), title="通话"),
    State.ASKING: Situation(else_hears="music", comes="agent", title="咨询振铃"),
    State.CONSULTING: Situation(_pairs("agent-target"), "music", "agent", "咨询中"),
    State.RINGING: Situation(_pairs("caller-agent"), title="呼叫第三方"),
    State.TOGETHER: Situation(_pairs("caller-agent", "caller-target", "agent-target"), title="三方通话"),
    State.HANDED: Situation(_pairs("caller-target"), title="已移交"),
    State.SENT: Situation(else_hears="ringing", comes="agent", title="盲转振铃"),
    State.ALONE: Situation(else_hears="ringing", comes="target", title="话务员已挂机"),
    State.QUEUED: Situation(else_hears="music", comes="queue", title="队首"),
    State.OVER: Situation(title="结束"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """``then``: the state after it; ``order``: what the service asks Asterisk for; ``by``: who moves the
    caller when it is no order (a context of the dialplan, or what Asterisk does anyway)."""

    then: State
    order: Kind | None = None
    by: str = ""


_S, _F = State, Fact
_BACK = "transfer-back"
_ROOM = "end_marked"

ROWS: Mapping[tuple[State, Fact], Row] = {
    (_S.TALKING, _F.BLIND): Row(_S.SENT, order="blind"),
    (_S.TALKING, _F.CONSULT): Row(_S.ASKING, order="consult"),
    (_S.TALKING, _F.THREE): Row(_S.RINGING, order="three"),
    (_S.TALKING, _F.HANDOFF): Row(_S.RINGING, order="handoff"),
    (_S.TALKING, _F.AGENT_LEFT): Row(_S.OVER, by="talked"),
    (_S.TALKING, _F.AGENT_LOST): Row(_S.QUEUED, by="talked"),
    (_S.TALKING, _F.CALLER_LEFT): Row(_S.OVER, by="left"),
    (_S.ASKING, _F.ANSWERED): Row(_S.CONSULTING, by="Dial"),
    (_S.ASKING, _F.REFUSED): Row(_S.TALKING, by="Dial g"),
    (_S.ASKING, _F.TAKE_BACK): Row(_S.TALKING, order="takeback"),
    (_S.ASKING, _F.AGENT_LEFT): Row(_S.QUEUED, by=_BACK),
    (_S.ASKING, _F.CALLER_LEFT): Row(_S.OVER, by="left"),
    (_S.CONSULTING, _F.TARGET_LEFT): Row(_S.TALKING, by="Dial g"),
    (_S.CONSULTING, _F.TAKE_BACK): Row(_S.TALKING, order="takeback"),
    (_S.CONSULTING, _F.TOGETHER): Row(_S.TOGETHER, order="together"),
    (_S.CONSULTING, _F.LEAVE): Row(_S.HANDED, order="leave"),
    (_S.CONSULTING, _F.AGENT_LEFT): Row(_S.HANDED, by="Dial F"),
    (_S.CONSULTING, _F.CALLER_LEFT): Row(_S.OVER, by="left"),
    (_S.RINGING, _F.ANSWERED): Row(_S.TOGETHER, by="transfer-joins"),
    (_S.RINGING, _F.REFUSED): Row(_S.TALKING, by="transfer-target"),
    (_S.RINGING, _F.TAKE_BACK): Row(_S.TALKING, order="takeback"),
    (_S.RINGING, _F.AGENT_LEFT): Row(_S.QUEUED, by=_BACK),
    (_S.RINGING, _F.CALLER_LEFT): Row(_S.OVER, by="left"),
    (_S.TOGETHER, _F.LEAVE): Row(_S.HANDED, order="leave"),
    (_S.TOGETHER, _F.AGENT_LEFT): Row(_S.HANDED, by="ConfBridge"),
    (_S.TOGETHER, _F.TARGET_LEFT): Row(_S.TALKING, by="ConfBridge"),
    (_S.TOGETHER, _F.CALLER_LEFT): Row(_S.OVER, by="left"),
    (_S.HANDED, _F.TARGET_LEFT): Row(_S.OVER, by=_ROOM),
    (_S.HANDED, _F.TARGET_LOST): Row(_S.QUEUED, by=_BACK),
    (_S.HANDED, _F.CALLER_LEFT): Row(_S.OVER, by="left"),
    (_S.SENT, _F.ANSWERED): Row(_S.HANDED, by="Dial"),
    (_S.SENT, _F.REFUSED): Row(_S.TALKING, by="transfer-blind"),
    (_S.SENT, _F.TAKE_BACK): Row(_S.TALKING, order="takeback"),
    (_S.SENT, _F.AGENT_LEFT): Row(_S.ALONE, by="transfer-watch"),
    (_S.SENT, _F.CALLER_LEFT): Row(_S.OVER, by="left"),
    (_S.ALONE, _F.ANSWERED): Row(_S.HANDED, by="Dial"),
    (_S.ALONE, _F.REFUSED): Row(_S.QUEUED, by=_BACK),
    (_S.ALONE, _F.CALLER_LEFT): Row(_S.OVER, by="left"),
    (_S.QUEUED, _F.SEAT_ANSWERED): Row(_S.TALKING, by="Queue"),
    (_S.QUEUED, _F.CALLER_LEFT): Row(_S.OVER, by="left"),
}

URGENT_ROWS: Mapping[tuple[State, Fact], Row] = {
    # brought there by whoever has them: nobody in danger is sent off, or held with music
    (_S.TALKING, _F.BLIND): Row(_S.RINGING, order="handoff"),
    (_S.TALKING, _F.CONSULT): Row(_S.RINGING, order="three"),
    # a person in danger is never left to a dead line, whoever put the handset down
    (_S.HANDED, _F.TARGET_LEFT): Row(_S.QUEUED, by=_ROOM),
}
"""Where it differs when the target is an emergency or utility centre, and after every hand-over: who leaves
when is the agent's wish, what protects the caller is the target's (decision 14)."""


def row(state: State, fact: Fact, *, urgent: bool = False) -> Row | None:
    """The row for this; None: the fact changes nothing here."""
    own = URGENT_ROWS.get((state, fact)) if urgent else None
    found = own or ROWS.get((state, fact))
    if found is None and fact in VANISHED:
        return row(state, VANISHED[fact], urgent=urgent)
    return found


def meant(kind: Kind, *, urgent: bool) -> Kind:
    """What an agent's wish orders for this target: one that would leave a caller in danger alone becomes the
    one that does not."""
    found = row(State.TALKING, Fact(kind), urgent=urgent)
    return kind if found is None or found.order is None else found.order


def else_hears(state: State, *, urgent: bool) -> str:
    """What the caller hears of nobody: no music for a person in danger."""
    hears = STATES[state].else_hears
    return "ringing" if urgent and hears else hears


@dataclass(frozen=True, slots=True)
class Step:
    state: State
    orders: tuple[Transfer, ...] = ()


def step(
    state: State, fact: Fact, *, city: str = "", seat: str = "", to: str = "", urgent: bool = False
) -> Step:
    """The state after a fact, and what to order."""
    found = row(state, fact, urgent=urgent)
    if found is None:
        return Step(state)
    if found.order is None:
        return Step(found.then)
    return Step(found.then, (Transfer(city=city, seat=seat, kind=found.order, to=to),))


def buttons(state: State) -> tuple[Fact, ...]:
    """What the agent may wish in this state: a desk's buttons."""
    return tuple(wish for wish in WISHES if (state, wish) in ROWS)


def rows() -> Iterator[tuple[State, Fact, Row, bool]]:
    """Every row; the last says that it holds for urgent targets only."""
    for (state, fact), found in ROWS.items():
        yield state, fact, found, False
    for (state, fact), found in URGENT_ROWS.items():
        yield state, fact, found, True
