"""A promised call back: no order of facts loses it, and nobody stands in line twice for one promise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from calls.facts import CallBackMoved, CallId, LegId, LegNow, Snapshot
from calls.model import Call, CallState
from calls.record import STATES, call_back_of, record_of
from queues.callback import DUE, OVER, PATIENCE, CallBacks, State, missing, ordered, step
from queues.counted import offered
from queues.duties import Known, duties
from queues.ledger import By, Rows, figures

OF = CallId("demo-n1-1.1")
RECORD = "demo/general/main/13900000001/904724199/0/{}/0"


def moved(state: str, at: float, tries: int = 0, due: float = 0.0) -> CallBackMoved:
    told = call_back_of(RECORD.format(state), OF, at, "n1")
    assert told is not None
    return replace(told, tries=tries, due=due)


def snapshot(at: float, *records: str, standing: bool = False) -> Snapshot:
    leg = LegNow(
        leg=LegId("1.2"), channel=f"Local/{OF}@stand-in-00000000;2", call=None, endpoint="", linked=LegId(""),
        caller="", called="", context="", up=False, bridge="", seconds=1.0,
    )  # fmt: skip
    return Snapshot(
        at=at,
        node="n1",
        legs=(leg,) if standing else (),
        members=(),
        waiters=(),
        queues=(),
        call_backs=tuple((OF, record) for record in records),
    )


def after(*facts: CallBackMoved | Snapshot) -> CallBacks:
    backs = CallBacks()
    for fact in facts:
        backs = step(backs, fact)
    return backs


def wanted(backs: CallBacks, now: float) -> int:
    return len(list(missing(backs, now)))


def test_a_record_is_read_as_it_was_written() -> None:
    told = moved("resting", 5.0, tries=2, due=99.0)
    assert call_back_of(record_of(told), OF, 5.0, "n1") == told
    for broken in ("", "a/b", RECORD.format("lost"), RECORD.format("asked").replace("904724199", "x")):
        assert call_back_of(broken, OF, 0.0, "n1") is None


def test_every_state_of_the_dialplan_has_its_row() -> None:
    assert set(DUE) == set(State) == {State(name) for name in STATES}


def test_asterisk_makes_the_first_stand_in_alone() -> None:
    backs = after(moved("asked", 10.0), moved("standing", 10.1))
    assert wanted(backs, 1e9) == 0


def test_a_promise_without_a_stand_in_gets_one_after_a_while() -> None:
    backs = after(moved("asked", 10.0))
    assert wanted(backs, 11.0) == 0
    assert wanted(backs, 10.0 + PATIENCE) == 1


def test_a_try_that_failed_is_repeated_when_it_is_due_and_not_before() -> None:
    backs = after(moved("dialling", 10.0), moved("resting", 20.0, tries=1, due=620.0))
    assert wanted(backs, 619.0) == 0
    assert wanted(backs, 620.0) == 1
    assert wanted(ordered(backs, OF, 620.0), 621.0) == 0
    assert wanted(ordered(backs, OF, 620.0), 620.0 + PATIENCE) == 1


def test_after_the_last_try_nobody_is_rung_again() -> None:
    assert wanted(after(moved("resting", 20.0, 2, 30.0), moved("given-up", 40.0, 3)), 1e9) == 0


def test_a_stand_in_that_died_with_asterisk_is_made_again() -> None:
    backs = after(moved("standing", 10.0), snapshot(50.0, RECORD.format("standing")))
    assert wanted(backs, 50.0) == 1


def test_a_promise_asterisk_forgot_is_still_a_promise() -> None:
    backs = after(moved("asked", 10.0), snapshot(12.0))
    (order,) = missing(backs, 12.0)
    assert order.record == RECORD.format("asked")


def test_a_promise_made_while_the_service_was_dead_is_found_in_asterisk() -> None:
    backs = after(snapshot(50.0, RECORD.format("standing"), standing=True))
    assert [c.call for c in backs.open()] == [OF]
    assert wanted(backs, 1e9) == 0


def test_a_citizen_who_was_talked_to_is_not_called_again_after_a_crash() -> None:
    backs = after(moved("talking", 10.0), snapshot(50.0, RECORD.format("talking")))
    assert backs.of[OF].state is State.DONE
    assert wanted(backs, 1e9) == 0


FACTS = st.one_of(
    st.builds(moved, st.sampled_from(STATES), st.floats(0, 1000), st.integers(0, 3), st.floats(0, 2000)),
    st.builds(
        lambda at, state, there: snapshot(at, *([RECORD.format(state)] if state else []), standing=there),
        st.floats(0, 1000),
        st.sampled_from(("", *STATES)),
        st.booleans(),
    ),
)


@given(st.lists(FACTS, max_size=12))
def test_no_order_of_facts_leaves_a_promise_with_nobody_coming(facts: list[CallBackMoved | Snapshot]) -> None:
    """After a snapshot every open promise has a stand-in in line or gets one."""
    backs = after(*facts, snapshot(2000.0))
    for back in backs.open():
        assert back.state not in OVER
        assert back.due is not None
    assert wanted(backs, 1e9) == len(backs.open())


# --- counted ----------------------------------------------------------------------------------------------


def call(id: str, **more: Any) -> Call:
    base = Call(
        id=CallId(id), city="demo", line="main", trunk="carrier", caller="13900000001", called="12345",
        original="12345", leg=LegId(id[5:]), state=CallState.ENDED, since=0.0, arrived=100.0, ended=130.0,
    )  # fmt: skip
    return replace(base, **more)


PROMISED = call("demo-n1-1.1", owed=True, left_by="system")


def test_a_call_back_is_no_offered_call_and_no_answer_but_counted_as_called_back() -> None:
    back = call("demo-n1-1.9", callback_of=PROMISED.id, answered=140.0, greeted=150.0)
    assert not offered(back)
    (row,) = figures(Rows(calls=[PROMISED, back]), 0.0, 1e9, By.TOTAL)
    assert (row.offered, row.answered, row.owed, row.called_back) == (1, 0, 1, 1)


def test_an_agent_who_answered_for_a_citizen_who_did_not_has_called_nobody_back() -> None:
    back = call("demo-n1-1.9", callback_of=PROMISED.id, answered=140.0)
    (row,) = figures(Rows(calls=[PROMISED, back]), 0.0, 1e9, By.TOTAL)
    assert row.called_back == 0
    (duty,) = duties(Known([PROMISED, back]))
    assert duty.settled is None


def test_a_call_back_settles_its_duty_also_on_another_number() -> None:
    back = call("demo-n1-1.9", callback_of=PROMISED.id, answered=140.0, greeted=150.0, caller="05551234567")
    (duty,) = duties(Known([PROMISED, back]))
    assert (duty.settled, duty.settled_by) == (150.0, back.id)
