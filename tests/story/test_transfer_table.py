"""The transfer table: no order of facts leaves a caller alone with nobody coming."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.orders import Kind
from transfer.drawing import svg
from transfer.table import ROWS, STATES, VANISHED, WISHES, Fact, State, buttons, else_hears, meant, rows, step

ROOT = Path(__file__).parents[2]


@given(st.lists(st.sampled_from(Fact), max_size=30), st.booleans())
def test_no_order_of_facts_leaves_a_caller_alone_with_nobody_coming(told: list[Fact], urgent: bool) -> None:
    state = State.TALKING
    for fact in told:
        state = step(state, fact, urgent=urgent).state
        situation = STATES[state]
        with_somebody = any("caller" in pair for pair in situation.hear)
        assert with_somebody or situation.comes or state is State.OVER


@given(st.lists(st.sampled_from(Fact), max_size=30))
def test_an_emergencys_caller_is_never_with_nobody_but_in_the_queue_and_hears_no_music(
    told: list[Fact],
) -> None:
    state = State.TALKING
    for fact in told:
        before, state = state, step(state, fact, urgent=True).state
        assert else_hears(state, urgent=True) != "music"
        alone = not any("caller" in pair for pair in STATES[state].hear)
        assert not alone or state in (State.QUEUED, State.OVER)
        ended = state is State.OVER and before is not State.OVER
        # the caller hung up, or an agent who had the caller to themselves ended the talk
        assert not ended or fact in (Fact.CALLER_LEFT, Fact.AGENT_LEFT)


@pytest.mark.parametrize(
    ("kind", "ordered"),
    [("blind", "handoff"), ("consult", "three"), ("three", "three"), ("handoff", "handoff")],
)
def test_a_wish_that_would_leave_a_caller_in_danger_alone_orders_the_one_that_does_not(
    kind: Kind, ordered: Kind
) -> None:
    assert meant(kind, urgent=True) == ordered
    assert meant(kind, urgent=False) == kind


@pytest.mark.parametrize("state", [s for s in State if s is not State.OVER])
def test_whoever_leaves_in_any_state_somebody_still_has_the_caller(state: State) -> None:
    situation = STATES[state]
    here = {name for pair in situation.hear for name in pair}
    if "agent" in here or situation.comes == "agent":
        assert (state, Fact.AGENT_LEFT) in ROWS
    if "target" in here:
        assert (state, Fact.TARGET_LEFT) in ROWS
    assert (state, Fact.CALLER_LEFT) in ROWS


@pytest.mark.parametrize("urgent", [False, True])
@pytest.mark.parametrize("lost", VANISHED)
@pytest.mark.parametrize("state", [s for s in State if s is not State.OVER])
def test_whose_phone_died_has_left_but_ended_no_talk(state: State, lost: Fact, urgent: bool) -> None:
    left = step(state, VANISHED[lost], urgent=urgent).state
    assert step(state, lost, urgent=urgent).state is (State.QUEUED if left is State.OVER else left)


def test_only_an_agents_wish_gives_an_order_and_the_dialplan_does_the_rest() -> None:
    for _, fact, row, _ in rows():
        assert (row.order is not None) == (fact in WISHES)
        assert bool(row.by) == (fact not in WISHES)


def test_a_wish_orders_what_its_row_says() -> None:
    (order,) = step(State.TALKING, Fact.HANDOFF, city="demo", seat="1001", to="110").orders
    assert (order.kind, order.seat, order.to) == ("handoff", "1001", "110")


def test_the_buttons_are_the_wishes_a_state_has_rows_for() -> None:
    assert buttons(State.TALKING) == (Fact.BLIND, Fact.CONSULT, Fact.THREE, Fact.HANDOFF)
    assert buttons(State.CONSULTING) == (Fact.TAKE_BACK, Fact.TOGETHER, Fact.LEAVE)
    assert Fact.LEAVE not in buttons(State.RINGING), "the agent stays until the centre has accepted"
    assert buttons(State.OVER) == ()


def test_every_state_can_be_reached() -> None:
    reached = {State.TALKING} | {row.then for _, _, row, _ in rows()}
    assert reached == set(State)


def test_the_picture_in_the_docs_is_drawn_from_these_rows(update_golden: bool) -> None:
    path = ROOT / "docs" / "transfer.svg"
    if update_golden:
        path.write_text(svg(), "utf-8")
    assert path.read_text("utf-8") == svg(), "pytest tests/story/test_transfer_table.py --update"
