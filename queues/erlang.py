"""Erlang's formulas, exact: how many of the callers are answered in time by n agents.

Calls come at random (Poisson), last exponentially, and are answered first come, first served by agents
who can all take every call. Erlang C: callers wait for ever. Erlang A (C. Palm; Baccelli and Hebuterne 1981;
Mandelbaum and Zeltyn): each hangs up after an exponential patience. Sums of positive terms only, and
logarithms where a sum may leave the range of a float: good for thousands of agents and for overload.

``load`` is in erlang (calls per second times seconds per call); times are seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

TINY = 1e-16
BIG = 1e200


@dataclass(frozen=True, slots=True)
class Quality:
    """What callers meet. ``answered`` (within the time asked for) and ``connected`` are shares of all."""

    answered: float
    connected: float
    waits: float
    """Share that does not reach an agent at once."""
    mean_wait: float
    """Seconds over all callers, those who hang up included; infinite where the queue only grows."""
    occupancy: float
    """Share of the agents' time spent on calls."""


def blocked(load: float, agents: int) -> float:
    """Erlang B: share refused where nobody may wait. Recursion B(n) = aB(n-1) / (n + aB(n-1)), B(0) = 1."""
    if load <= 0:
        return 0.0 if agents else 1.0
    share = 1.0
    for n in range(1, agents + 1):
        share = load * share / (n + load * share)
    return share


def waiting(load: float, agents: int) -> float:
    """Erlang C: share of the callers that have to wait; 1 where the agents cannot keep up."""
    if load <= 0:
        return 0.0 if agents else 1.0
    if agents <= load:
        return 1.0
    refused = blocked(load, agents)
    return refused / (1 - load / agents * (1 - refused))


def patient(calls_per_second: float, handle: float, agents: int, within: float) -> Quality:
    """Erlang C. ``handle``: seconds of one call; ``within``: seconds in which a call should be answered."""
    load = calls_per_second * handle
    if load <= 0:
        return Quality(*((1.0, 1.0) if agents else (0.0, 0.0)), 0.0 if agents else 1.0, 0.0, 0.0)
    if agents <= load:
        return Quality(0.0, agents / load, 1.0, math.inf, 1.0 if agents else 0.0)
    waits = waiting(load, agents)
    spare = (agents - load) / handle  # callers served per second beyond those who come
    return Quality(1 - waits * math.exp(-spare * within), 1.0, waits, waits / spare, load / agents)


def impatient(calls_per_second: float, handle: float, agents: int, within: float, patience: float) -> Quality:
    """Erlang A; ``patience`` is the mean time after which a waiting caller hangs up.

    The wait offered to a caller has the density  l p exp(l H(x) - n m x)  with
    H(x) = (1 - exp(-x/patience)) patience  and p the share of time in which exactly n-1 agents talk.
    Its integrals are sums over the callers ahead.
    """
    if calls_per_second <= 0:
        return patient(0.0, handle, agents, within)
    if not agents:
        return Quality(0.0, 0.0, 1.0, patience, 0.0)
    load = calls_per_second * handle
    served, gives_up = agents / handle, 1 / patience
    # in units of "exactly n-1 agents talk": some agent free, everybody busy; as logarithms
    free = -_log_blocked(load, agents - 1)
    behind = _log_behind(calls_per_second, served, gives_up)
    busy = math.log(load / agents) + _log_sum(0.0, behind)
    whole = _log_sum(free, busy)
    late = math.exp(-gives_up * within)
    # the density's exponent after `within`; the sum from there on is who is answered, but later
    passed = calls_per_second * (1 - late) / gives_up - served * within
    missed = passed + _log_behind(calls_per_second * late, served, gives_up)
    connected = math.exp(_log_sum(free, behind) - whole)
    hung_up = max(0.0, 1 - connected)
    return Quality(
        answered=min(connected, max(0.0, connected - math.exp(missed - whole))),
        connected=connected,
        waits=math.exp(busy - whole),
        mean_wait=hung_up * patience,  # who hangs up does so at rate 1/patience while waiting
        occupancy=min(1.0, load * connected / agents),
    )


def _log_blocked(load: float, agents: int) -> float:
    """Logarithm of Erlang B, also where B itself is too small for a float."""
    share = 1.0
    for n in range(1, agents + 1):
        share = load * share / (n + load * share)
        if share < 1 / BIG:
            # B(n) falls with n: from here on a B(n-1) is nothing beside n
            return math.log(share) + sum(math.log(load / k) for k in range(n + 1, agents + 1))
    return math.log(share)


def _log_behind(comes: float, served: float, gives_up: float) -> float:
    """Logarithm of the sum over k >= 1 of the product over i = 1..k of comes / (served + i gives_up)."""
    term, total, scale, k = 1.0, 0.0, 0.0, 0
    while True:
        k += 1
        ratio = comes / (served + k * gives_up)
        term *= ratio
        total += term
        if total > BIG:
            term, total, scale = term / BIG, total / BIG, scale + math.log(BIG)
        if ratio < 1 and term * ratio <= TINY * total * (1 - ratio):
            return math.log(total) + scale if total > 0 else -math.inf


def _log_sum(one: float, other: float) -> float:
    """log(exp(one) + exp(other))"""
    high, low = max(one, other), min(one, other)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
