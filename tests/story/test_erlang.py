"""Erlang B, C and A: against published figures, an exact simulation, and what must hold for any load."""

from __future__ import annotations

import heapq
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queues.erlang import blocked, impatient, patient, waiting

LOADS = st.floats(0.01, 400)
AGENTS = st.integers(1, 420)
HANDLE = st.floats(5, 900)
PATIENCE = st.floats(5, 3600)


@pytest.mark.parametrize(
    ("load", "agents", "share"),
    [(1, 2, 1 / 3), (3, 5, 0.2362), (2, 3, 0.4444), (10, 14, 0.1741), (5, 6, 0.5875), (0.5, 1, 0.5)],
)
def test_share_that_waits_is_that_of_the_textbook_tables(load: float, agents: int, share: float) -> None:
    assert waiting(load, agents) == pytest.approx(share, abs=5e-5)


@pytest.mark.parametrize(("load", "agents", "share"), [(10, 10, 0.2146), (3, 5, 0.1101), (20, 30, 0.0085)])
def test_share_refused_is_that_of_the_erlang_b_tables(load: float, agents: int, share: float) -> None:
    assert blocked(load, agents) == pytest.approx(share, abs=5e-5)


def test_the_well_known_call_centre_example_comes_out() -> None:
    """100 calls in half an hour of 3 minutes each, 14 agents: 88.8 % in 20 s, mean wait 7.8 s, 71.4 %."""
    found = patient(100 / 1800, 180, 14, 20)
    assert found.answered == pytest.approx(0.888, abs=5e-4)
    assert found.mean_wait == pytest.approx(7.8, abs=0.05)
    assert found.occupancy == pytest.approx(0.714, abs=5e-4)


def test_the_published_comparison_of_erlang_c_and_a_comes_out() -> None:
    """Mandelbaum and Zeltyn: 48 calls a minute of 1 minute, patience 2 minutes, 50 agents."""
    without, with_ = patient(0.8, 60, 50, 15), impatient(0.8, 60, 50, 15, 120)
    assert without.mean_wait == pytest.approx(20.8, abs=0.05)
    assert with_.mean_wait == pytest.approx(3.7, abs=0.05)
    assert 1 - with_.connected == pytest.approx(0.031, abs=5e-4)
    assert (without.occupancy, with_.occupancy) == pytest.approx((0.96, 0.93), abs=5e-4)


def simulated(
    rate: float, handle: float, agents: int, within: float, patience: float | None
) -> tuple[float, float]:
    """First come, first served, 150,000 callers: share answered in time and share answered at all."""
    chance = random.Random(12345)
    free_at = [0.0] * agents
    now, in_time, answered, callers = 0.0, 0, 0, 150_000
    for _ in range(callers):
        now += chance.expovariate(rate)
        patient_for = math.inf if patience is None else chance.expovariate(1 / patience)
        talk = chance.expovariate(1 / handle)
        begins = max(now, free_at[0])
        if begins - now > patient_for:
            continue  # hung up: the agent who would have come is free for the next
        heapq.heapreplace(free_at, begins + talk)
        answered += 1
        in_time += begins - now <= within
    return in_time / callers, answered / callers


@pytest.mark.parametrize("patience", [None, 60.0])
@pytest.mark.parametrize(("rate", "agents"), [(0.05, 10), (0.02, 4), (0.004, 1)])
def test_a_simulation_call_by_call_meets_the_same_shares(
    rate: float, agents: int, patience: float | None
) -> None:
    found = patient(rate, 150, agents, 15) if patience is None else impatient(rate, 150, agents, 15, patience)
    in_time, answered = simulated(rate, 150, agents, 15, patience)
    assert found.answered == pytest.approx(in_time, abs=0.012)
    assert found.connected == pytest.approx(answered, abs=0.012)


@given(LOADS, AGENTS, HANDLE, st.floats(0, 120))
@settings(max_examples=150, deadline=None)
def test_one_agent_more_never_answers_fewer(load: float, agents: int, handle: float, within: float) -> None:
    rate = load / handle
    less, more = patient(rate, handle, agents, within), patient(rate, handle, agents + 1, within)
    assert more.answered >= less.answered - 1e-12
    assert more.mean_wait <= less.mean_wait + 1e-9


@given(LOADS, AGENTS, HANDLE, st.floats(0, 120), PATIENCE)
@settings(max_examples=150, deadline=None)
def test_one_agent_more_never_answers_fewer_impatient_callers(
    load: float, agents: int, handle: float, within: float, patience: float
) -> None:
    rate = load / handle
    less = impatient(rate, handle, agents, within, patience)
    more = impatient(rate, handle, agents + 1, within, patience)
    assert 0 <= less.answered <= less.connected <= 1 + 1e-9
    assert more.answered >= less.answered - 1e-9
    assert more.connected >= less.connected - 1e-9


@given(LOADS, AGENTS, HANDLE, st.floats(0, 120), PATIENCE, st.floats(1.001, 2))
@settings(max_examples=150, deadline=None)
def test_more_calls_are_never_answered_better(
    load: float, agents: int, handle: float, within: float, patience: float, factor: float
) -> None:
    rate = load / handle
    for less, more in (
        (patient(rate, handle, agents, within), patient(rate * factor, handle, agents, within)),
        (
            impatient(rate, handle, agents, within, patience),
            impatient(rate * factor, handle, agents, within, patience),
        ),
    ):
        assert more.answered <= less.answered + 1e-9
        assert more.connected <= less.connected + 1e-9


@given(st.floats(0.1, 100), HANDLE, st.floats(1, 60))
@settings(max_examples=60, deadline=None)
def test_callers_who_hardly_ever_hang_up_are_patient_ones(load: float, handle: float, within: float) -> None:
    agents = math.ceil(load * 1.2) + 1
    rate = load / handle
    found, limit = (
        impatient(rate, handle, agents, within, handle * 1e6),
        patient(rate, handle, agents, within),
    )
    assert found.answered == pytest.approx(limit.answered, abs=1e-4)
    assert found.connected == pytest.approx(1, abs=1e-4)


def test_five_thousand_agents_and_threefold_overload_are_still_numbers() -> None:
    whole = patient(16, 300, 4900, 15)
    assert 0.9 < whole.answered < 1
    flooded = impatient(48, 300, 4900, 15, 60)
    assert flooded.connected == pytest.approx(4900 / (48 * 300), rel=1e-6)  # everybody busy all the time
    assert flooded.mean_wait == pytest.approx((1 - flooded.connected) * 60, rel=1e-9)
    idle = impatient(1e-9, 1, 5000, 15, 60)
    assert (idle.answered, idle.waits) == (1, 0)
