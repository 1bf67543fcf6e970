"""What the picture says of calls after which facts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import facts as f
from calls.codec import from_dict, to_dict
from calls.facts import CallId, Fact, LegId
from calls.model import Call, CallState, LeftBy, Stage
from calls.picture import KEPT_ENDED_SECONDS, LIFE
from cti.switchboard import Board, Heard, Switchboard, fold, replay
from tests.story.a_call import (
    CALL,
    CALLER,
    CALLS,
    LEGS,
    SEAT_LEG,
    answered,
    any_fact,
    arrives,
    leg_now,
    nothing_left,
    said,
    seat_starts,
)

OTHER_LEG = LegId("n1-100.3")
CONSULT = LegId("n1-100.4")
CONSULT_CALL = CallId("demo-n1-100.4")


def call_after(*facts: Fact) -> Call:
    return replay(facts).picture.calls[CALL]


def test_a_call_is_greeted_waits_rings_talks_moves_and_ends() -> None:
    facts = [*answered(), said(f.SeatFinished, 140.0, reason="agent"), said(f.CallLeft, 150.0, by="agent")]
    seen: list[CallState] = []
    board = Board()
    for fact in facts:
        board = fold(board, fact)
        call = board.picture.calls.get(CALL)
        if call is not None and call.state not in seen[-1:]:
            seen.append(call.state)
    assert seen == [
        CallState.GREETED,
        CallState.WAITING,
        CallState.RINGING,
        CallState.TALKING,
        CallState.MOVING,
        CallState.ENDED,
    ]


def test_a_call_keeps_the_last_key_its_caller_chose_also_when_it_is_over() -> None:
    chose = [
        said(f.MenuChosen, 101.0, menu="top", key="3", by="key"),
        said(f.MenuChosen, 102.0, menu="service", key="1", by="voice"),
        said(f.MenuChosen, 103.0, menu="last", key="", by=""),
    ]
    facts = answered()
    call = call_after(*facts[:-1], *chose, facts[-1], said(f.CallLeft, 150.0))
    assert (call.menu, call.menu_key) == ("service", "1")
    assert call.state is CallState.ENDED
    assert from_dict(Call, to_dict(call)) == call


def test_whoever_goes_while_keying_for_a_call_back_went_while_waiting() -> None:
    waits = answered()[:5]
    keyed = said(f.QueueGaveUp, 110.0, status="KEY", key="1")
    gone = said(f.CallLeft, 150.0, by="caller")
    again = said(f.QueueJoined, 120.0)
    full = said(f.QueueGaveUp, 120.0, status="FULL", key="")
    over = said(f.QueueGaveUp, 130.0, status="TIMEOUT", key="")
    promised = said(f.CallBackOwed, 149.0)
    assert call_after(*waits, keyed, gone).stage is Stage.WAITING
    assert call_after(*waits, keyed, again, gone).stage is Stage.WAITING
    # behind the queue there is the last message
    assert call_after(*waits, keyed, again, over, gone).stage is Stage.MESSAGE
    assert call_after(*waits, keyed, full, gone).stage is Stage.MESSAGE
    assert call_after(*waits, keyed, promised, gone).stage is Stage.MESSAGE


def test_whoever_goes_from_a_message_was_there_by_whatever_way_they_came() -> None:
    gone = said(f.CallLeft, 150.0, by="caller")
    message = said(f.MessageReached, 149.0, message="sorry")
    greeted = said(f.GreetingEnded, 101.0)
    # a duty phone that did not answer is no queue
    advised = said(f.AdviceAsked, 102.0, next="phone:duty", by="service")
    assert call_after(*arrives(), greeted, advised, gone).stage is Stage.MENU
    assert call_after(*arrives(), greeted, advised, message, gone).stage is Stage.MESSAGE
    assert call_after(*arrives(), message, gone).stage is Stage.MESSAGE


def test_an_answered_call_knows_its_seat_and_when_it_was_answered() -> None:
    call = call_after(*answered(at=110.0))
    assert (call.seat, call.first_seat, call.answered, call.queue, call.visits) == (
        "1001",
        "1001",
        110.0,
        "general",
        1,
    )


def test_the_clock_of_the_first_answer_does_not_start_again_at_the_second_seat() -> None:
    call = call_after(
        *answered(at=110.0),
        said(f.SeatFinished, 130.0, reason="transfer"),
        said(f.QueueJoined, 131.0, queue="market"),
        said(f.SeatAnswered, 140.0, queue="market", seat="1002", leg=OTHER_LEG),
    )
    assert (call.answered, call.first_seat, call.seat, call.visits) == (110.0, "1001", "1002", 2)


def test_a_phone_that_declines_sends_the_caller_back_to_waiting() -> None:
    call = call_after(*answered()[:7], said(f.SeatDeclined))
    assert (call.state, call.seat) == (CallState.WAITING, "")


def test_a_caller_rings_on_while_another_phone_still_rings() -> None:
    call = call_after(*answered()[:7], said(f.SeatRang, seat="1002", leg=OTHER_LEG), said(f.SeatDeclined))
    assert (call.state, call.seat) == (CallState.RINGING, "1002")


def test_a_caller_who_hangs_up_while_waiting_has_an_ended_call() -> None:
    call = call_after(*answered()[:5], said(f.QueueAbandoned, 120.0), said(f.CallLeft, 120.0, by="caller"))
    assert (call.state, call.left_by, call.answered, call.ended) == (
        CallState.ENDED,
        LeftBy.CALLER,
        None,
        120.0,
    )


def test_the_end_of_the_callers_leg_ends_the_call_even_if_the_dialplan_said_nothing() -> None:
    call = call_after(*answered(), said(f.LegEnded, 130.0, leg=CALLER, cause=16))
    assert (call.state, call.left_by, call.cause) == (CallState.ENDED, LeftBy.UNKNOWN, 16)


def test_late_facts_of_an_ended_call_change_nothing() -> None:
    facts = [*answered(), said(f.CallLeft, 150.0)]
    ended = call_after(*facts)
    assert (
        call_after(*facts, *answered(), said(f.QueueJoined, 160.0), said(f.CallLeft, 170.0, by="agent"))
        == ended
    )


def test_every_fact_heard_twice_gives_the_same_call() -> None:
    once = answered()
    assert call_after(*[x for fact in once for x in (fact, fact)]) == call_after(*once)


def test_an_agent_alone_in_the_bridge_is_a_caller_on_the_move() -> None:
    call = call_after(*answered(), said(f.LegLeft, 130.0, leg=SEAT_LEG))
    assert call.state is CallState.MOVING


def test_a_blind_transfer_to_a_seat_is_a_talk_with_that_seat() -> None:
    call = call_after(
        *answered(),
        said(f.BlindTransferred, 130.0, by=SEAT_LEG, leg=CALLER),
        said(f.LegLeft, 130.0, leg=CALLER),
        said(f.LegLeft, 130.0, leg=SEAT_LEG),
        said(f.SeatFinished, 130.0, reason="transfer"),
        said(f.LegEnded, 130.0, leg=SEAT_LEG),
        seat_starts(OTHER_LEG, "1002", 131.0),
        said(f.LegJoined, 135.0, leg=OTHER_LEG, bridge="b2"),
        said(f.LegJoined, 135.0, leg=CALLER, bridge="b2"),
    )
    assert (call.state, call.seat, call.first_seat) == (CallState.TALKING, "1002", "1001")


def test_a_transfer_that_failed_moves_nobody() -> None:
    before = call_after(*answered())
    assert call_after(*answered(), said(f.BlindTransferred, 130.0, leg=CALLER, ok=False)) == before


def consulted() -> list[Fact]:
    """Seat 1001 asks seat 1002 in a call of its own, then steps out."""
    return [
        *answered(),
        said(f.LegStarted, 120.0, leg=CONSULT, endpoint="demo-1001", called="1002", call=CONSULT_CALL),
        said(f.CallArrived, 120.0, call=CONSULT_CALL, leg=CONSULT, trunk="", line="inside", caller="1001"),
        said(f.LegStarted, 121.0, leg=OTHER_LEG, endpoint="demo-1002", called="", call=CONSULT_CALL),
        said(f.LegJoined, 122.0, leg=CONSULT, bridge="b2"),
        said(f.LegJoined, 122.0, leg=OTHER_LEG, bridge="b2"),
        said(f.LegLeft, 130.0, leg=OTHER_LEG, bridge="b2"),
        said(f.LegJoined, 130.0, leg=OTHER_LEG, bridge="b1"),
        said(f.AttendedTransferred, 130.0, original=SEAT_LEG, consult=CONSULT, joined=(CALLER, OTHER_LEG)),
    ]


def test_two_calls_that_merge_keep_the_callers_id_and_the_other_becomes_its_consultation() -> None:
    calls = replay(consulted()).picture.calls
    assert (calls[CALL].state, calls[CALL].seat) == (CallState.TALKING, "1002")
    assert (calls[CONSULT_CALL].consult_of, calls[CONSULT_CALL].state) == (CALL, CallState.ENDED)


def test_the_end_of_a_merged_consultation_does_not_end_the_citizens_call() -> None:
    after = [
        said(f.CallLeft, 131.0, call=CONSULT_CALL, by="agent"),
        said(f.LegEnded, 131.0, leg=CONSULT),
        said(f.LegEnded, 131.0, leg=SEAT_LEG),
        said(f.SeatFinished, 131.0, seat="1001", reason="transfer"),
    ]
    call = call_after(*consulted(), *after)
    assert (call.state, call.seat) == (CallState.TALKING, "1002")


def test_a_leg_of_a_merged_consultation_belongs_to_the_citizens_call() -> None:
    board = replay([*consulted(), said(f.LegBelongs, 132.0, leg=OTHER_LEG, call=CONSULT_CALL)])
    assert board.picture.legs[OTHER_LEG].call == CALL


def test_a_link_that_is_down_keeps_the_picture_and_marks_it_stale() -> None:
    before = replay([*answered(), said(f.Snapshot, 111.0, legs=(leg_now(), leg_now(SEAT_LEG)))])
    after = fold(before, said(f.LinkDown, 120.0))
    assert before.picture.stale_since is None
    assert after.picture.calls == before.picture.calls
    assert (after.picture.stale_since, after.picture.linked) == (120.0, False)


def test_a_snapshot_ends_the_calls_asterisk_does_not_know() -> None:
    call = call_after(*answered(), nothing_left(at=200.0))
    assert (call.state, call.left_by, call.ended) == (CallState.ENDED, LeftBy.UNKNOWN, 200.0)


def test_a_snapshot_that_agrees_changes_no_call() -> None:
    seat = leg_now(SEAT_LEG, endpoint="demo-1001", bridge="b1")
    assert call_after(*answered(), said(f.Snapshot, 200.0, legs=(leg_now(bridge="b1"), seat))) == call_after(
        *answered()
    )


def test_a_snapshot_shows_a_call_that_began_while_nobody_looked() -> None:
    call = call_after(
        said(
            f.Snapshot,
            200.0,
            legs=(leg_now(seconds=30.0, bridge="b9"), leg_now(SEAT_LEG, endpoint="demo-1002", bridge="b9")),
        )
    )
    assert (call.state, call.seat, call.arrived, call.city) == (CallState.TALKING, "1002", 170.0, "demo")


def test_a_snapshot_knows_who_waits_and_for_whom_a_phone_rings() -> None:
    waiter = f.WaiterNow(city="demo", queue="general", leg=CALLER, position=1, waited=4.0)
    waits = call_after(said(f.Snapshot, 200.0, legs=(leg_now(),), waiters=(waiter,)))
    ringing = leg_now(SEAT_LEG, endpoint="demo-1001", up=False)
    rings = call_after(said(f.Snapshot, 200.0, legs=(leg_now(), ringing), waiters=(waiter,)))
    assert (waits.state, waits.queue, waits.joined) == (CallState.WAITING, "general", 196.0)
    assert (rings.state, rings.seat) == (CallState.RINGING, "1001")


def test_buffered_facts_older_than_the_snapshot_come_to_the_same_end() -> None:
    seat = leg_now(SEAT_LEG, endpoint="demo-1001", bridge="b1")
    snapshot = said(f.Snapshot, 111.0, legs=(leg_now(bridge="b1", seconds=11.0), seat))
    call = call_after(snapshot, *answered(at=110.0))
    assert (call.state, call.seat, call.line, call.visits) == (CallState.TALKING, "1001", "main", 1)


def test_an_ended_call_is_forgotten_after_a_while() -> None:
    facts = [*answered(), said(f.CallLeft, 150.0)]
    other = CallId("demo-n1-900.1")
    later = 150.0 + KEPT_ENDED_SECONDS + 1
    more = [
        said(f.CallArrived, later, call=other, leg=LegId("n1-900.1")),
        said(f.CallLeft, later, call=other),
    ]
    told: list[Heard] = []
    board = Switchboard()
    board.listen(told.append)
    for fact in [*facts, *more]:
        board.hear(fact)
    assert set(board.board.picture.calls) == {other}
    assert told[-1].forgotten == (CALL,)


def test_a_listener_that_fails_does_not_deafen_the_next() -> None:
    heard: list[Heard] = []

    def broken(_: Heard) -> None:
        raise RuntimeError("mine")

    board = Switchboard()
    board.listen(broken)
    board.listen(heard.append)
    board.hear(said(f.CallArrived))
    assert [x.call for x in heard] == [CALL]
    assert board.listeners_failed == 1


@pytest.mark.parametrize("state", [s for s in CallState if s is not CallState.ENDED])
def test_every_state_has_a_way_out_other_than_the_end(state: CallState) -> None:
    assert {to for (of, _), to in LIFE.items() if of is state} - {state}


def test_no_row_leads_out_of_the_end() -> None:
    assert not [of for of, _ in LIFE if of is CallState.ENDED]


@given(st.lists(any_fact(), max_size=40))
def test_no_order_of_facts_leaves_a_call_open_once_its_callers_leg_ended(facts: list[Fact]) -> None:
    board = Board()
    for fact in facts:
        board = fold(board, fact)
    for n, leg in enumerate(LEGS):
        board = fold(board, said(f.LegEnded, 1100.0 + n, leg=leg))
    assert board.picture.live() == []
    assert not board.picture.ringing


@given(st.lists(any_fact(), max_size=40))
def test_no_order_of_facts_leaves_a_call_open_that_a_snapshot_does_not_have(facts: list[Fact]) -> None:
    board = fold(replay(facts), nothing_left())
    assert board.picture.live() == []
    assert board.picture.legs == {}
    assert all(v.outcome != "waiting" for v in board.visits.last.values())


@given(st.lists(any_fact(), max_size=40))
def test_no_order_of_facts_leaves_a_visit_or_a_seats_part_unfinished_once_every_leg_ended(
    facts: list[Fact],
) -> None:
    board = replay(facts)
    for n, leg in enumerate(LEGS):
        board = fold(board, said(f.LegEnded, 1100.0 + n, leg=leg))
    assert all(v.outcome != "waiting" for v in board.visits.last.values() if v.leg)
    assert not board.stints.open


@given(st.lists(any_fact(), max_size=40))
def test_no_order_of_facts_leaves_a_visit_unfinished_once_its_caller_left(facts: list[Fact]) -> None:
    board = replay(facts)
    for n, call in enumerate(CALLS):
        board = fold(board, said(f.CallLeft, 1100.0 + n, call=call))
    assert all(v.outcome != "waiting" for v in board.visits.last.values())


@given(st.lists(any_fact(), max_size=40))
def test_no_order_of_facts_wakes_an_ended_call(facts: list[Fact]) -> None:
    board = Board()
    boards = [board := fold(board, fact) for fact in facts]
    for before, after in pairwise(boards):
        for call in before.picture.calls.values():
            later = after.picture.calls.get(call.id)
            if call.state is CallState.ENDED and later is not None:
                assert later.state is CallState.ENDED
                assert (later.ended, later.left_by) == (call.ended, call.left_by)


@given(st.lists(any_fact(), max_size=40))
def test_no_order_of_facts_loses_whose_leg_a_callers_is_or_who_waits(facts: list[Fact]) -> None:
    board = replay(facts)
    assert board.picture.callers == {call.leg: call.id for call in board.picture.live()}
    waiting = {v.call: v.leg for v in board.visits.last.values() if v.outcome == "waiting"}
    assert board.visits.waiting == waiting


@given(st.lists(any_fact(), max_size=30), any_fact())
def test_a_fact_heard_twice_in_a_row_changes_no_call_the_second_time(facts: list[Fact], last: Fact) -> None:
    once = fold(replay(facts), last)
    twice = fold(once, last)
    assert twice.picture.calls == once.picture.calls
    assert {k: (s.state, s.call) for k, s in twice.seats.seats.items()} == {
        k: (s.state, s.call) for k, s in once.seats.seats.items()
    }
