"""What a seat is doing, and what a visit came to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from calls import facts as f
from calls.facts import Fact
from calls.model import Seat, SeatState
from calls.orders import EndWrapUp
from cti.switchboard import replay
from queues.visit import Outcome, Visit
from queues.wrap_up import overdue
from tests.story.a_call import CALL, LEGS, SEAT_LEG, answered, any_fact, arrives, leg_now, member_now, said

SIGNED_IN = said(f.SeatSignedIn, 50.0)


def seat_after(*facts: Fact) -> Seat:
    return replay(facts).seats.seats[("demo", "1001")]


def visit_after(*facts: Fact) -> Visit:
    return replay(facts).visits.last[CALL]


def test_a_seat_nobody_signed_in_to_is_away() -> None:
    assert seat_after(SIGNED_IN, said(f.SeatSignedOut, 60.0)).state is SeatState.AWAY


def test_a_signed_in_seat_is_ready_rings_is_busy_and_ready_again() -> None:
    states: list[SeatState] = []
    facts: list[Fact] = [SIGNED_IN]
    for fact in (SIGNED_IN, *answered(), said(f.LegEnded, 140.0, leg=SEAT_LEG)):
        facts.append(fact)
        state = seat_after(*facts).state
        if state not in states[-1:]:
            states.append(state)
    assert states == [SeatState.READY, SeatState.RINGING, SeatState.BUSY, SeatState.READY]


def test_a_busy_seat_names_its_call() -> None:
    assert seat_after(SIGNED_IN, *answered()).call == CALL


def test_a_seat_whose_phone_is_off_the_network_is_unreachable_until_it_registers() -> None:
    gone = said(f.PhoneGone, 60.0)
    assert seat_after(SIGNED_IN, gone).state is SeatState.UNREACHABLE
    assert seat_after(SIGNED_IN, gone, said(f.PhoneReachable, 61.0)).state is SeatState.READY


def test_a_trunk_whose_device_changes_is_no_seat() -> None:
    facts = [said(f.SeatDevice, seat="carrier"), said(f.PhoneReachable, seat="carrier")]
    assert replay([SIGNED_IN, *facts]).seats.seats.keys() == {("demo", "1001")}


def test_an_old_contact_that_expires_does_not_take_the_new_one_with_it() -> None:
    seat = seat_after(SIGNED_IN, said(f.PhoneReachable, contact="new"), said(f.PhoneGone, contact="old"))
    assert (seat.state, seat.contact) == (SeatState.READY, "new")


def test_a_pause_has_its_reason_and_wrap_up_is_a_pause_of_its_own() -> None:
    lunch = seat_after(SIGNED_IN, said(f.SeatPaused, reason="lunch"))
    wraps = seat_after(SIGNED_IN, said(f.SeatPaused, reason="wrapup:160"))
    again = seat_after(SIGNED_IN, said(f.SeatPaused, reason="lunch"), said(f.SeatUnpaused, queue=""))
    assert (lunch.state, lunch.paused) == (SeatState.PAUSED, "lunch")
    assert wraps.state is SeatState.WRAP_UP
    assert (again.state, again.paused) == (SeatState.READY, "")


def test_a_paused_seat_that_talks_is_busy() -> None:
    assert seat_after(SIGNED_IN, said(f.SeatPaused), *answered()).state is SeatState.BUSY


def test_a_snapshot_signs_out_whom_asterisk_does_not_know() -> None:
    assert seat_after(SIGNED_IN, said(f.Snapshot, 200.0)).state is SeatState.AWAY


def test_a_snapshot_knows_a_seat_in_a_call() -> None:
    legs = (leg_now(bridge="b1"), leg_now(SEAT_LEG, endpoint="demo-1001", bridge="b1"))
    seat = seat_after(said(f.Snapshot, 200.0, legs=legs, members=(member_now(),)))
    assert (seat.state, seat.call, seat.queues) == (SeatState.BUSY, CALL, ("general",))


@given(st.lists(any_fact(), max_size=40))
def test_no_order_of_facts_leaves_a_seat_busy_once_its_legs_are_gone(facts: list[Fact]) -> None:
    ends = [said(f.LegEnded, 1100.0, leg=leg) for leg in LEGS]
    board = replay([*facts, *ends])
    assert all(s.state not in (SeatState.BUSY, SeatState.RINGING) for s in board.seats.seats.values())
    assert all(s.call is None for s in board.seats.seats.values())


@given(st.lists(any_fact(), max_size=40))
def test_no_order_of_facts_leaves_a_seat_busy_that_a_snapshot_shows_without_legs(facts: list[Fact]) -> None:
    board = replay([*facts, said(f.Snapshot, 1200.0, members=(member_now(),))])
    assert board.seats.seats[("demo", "1001")].state is SeatState.READY


@given(st.lists(any_fact(), max_size=40), st.floats(1000.0, 9000.0))
def test_no_order_of_facts_leaves_a_seat_in_wrap_up_for_ever(facts: list[Fact], now: float) -> None:
    board = replay(facts)
    told = {(order.city, order.seat) for order in overdue(board.seats.seats.values(), now)}
    for key, seat in board.seats.seats.items():
        if seat.state is SeatState.WRAP_UP or seat.until is not None:
            assert key in told
    ended = [said(f.SeatUnpaused, now, seat=seat, queue="") for _, seat in told]
    after = replay(ended, board).seats.seats.values()
    assert all(seat.state is not SeatState.WRAP_UP and seat.until is None for seat in after)


@given(st.lists(any_fact(), max_size=40))
def test_in_no_order_of_facts_one_person_sits_at_two_seats(facts: list[Fact]) -> None:
    agents = [seat.agent for seat in replay(facts).seats.seats.values() if seat.agent]
    assert len(agents) == len(set(agents))


def test_wrap_up_tells_its_end_and_is_overdue_only_some_seconds_after_it() -> None:
    board = replay([SIGNED_IN, said(f.SeatPaused, reason="wrapup:160")])
    seat = board.seats.seats[("demo", "1001")]
    assert (seat.state, seat.until) == (SeatState.WRAP_UP, 160.0)
    assert overdue([seat], 160.0) == ()
    assert overdue([seat], 163.0) == (EndWrapUp(city="demo", seat="1001", by="system"),)
    ready = seat_after(SIGNED_IN, said(f.SeatPaused, reason="wrapup:160"), said(f.SeatUnpaused))
    assert (ready.state, ready.until) == (SeatState.READY, None)


def test_the_agent_at_a_seat_is_known_until_they_sign_out_or_sit_elsewhere() -> None:
    bound = said(f.AgentBound)
    assert seat_after(SIGNED_IN, bound).agent == "8001"
    assert seat_after(SIGNED_IN, bound, said(f.AgentUnbound)).agent == ""
    assert seat_after(SIGNED_IN, bound, said(f.AgentUnbound, agent="8002")).agent == "8001"
    assert seat_after(SIGNED_IN, bound, said(f.AgentBound, seat="1002")).agent == ""


def test_a_snapshot_knows_who_sits_where_and_one_that_could_not_ask_changes_nothing() -> None:
    bound = [SIGNED_IN, said(f.AgentBound)]
    asked = said(f.Snapshot, 200.0, members=(member_now(),), agents=(("demo", "1001", "8002"),))
    silent = said(f.Snapshot, 200.0, members=(member_now(),), agents=None)
    assert seat_after(*bound, asked).agent == "8002"
    assert seat_after(*bound, silent).agent == "8001"


def test_missed_rings_are_counted_until_the_seat_answers_or_is_ready_again() -> None:
    missed = [SIGNED_IN, said(f.SeatMissed, count=2)]
    assert seat_after(*missed).missed == 2
    assert seat_after(*missed, said(f.SeatActed, did="ready", ok=True)).missed == 0
    assert seat_after(*missed, said(f.SeatActed, did="ready", ok=False)).missed == 2
    assert seat_after(*missed, *answered()).missed == 0


def test_a_queue_is_counted_from_calls_and_seats() -> None:
    waiter = f.WaiterNow(city="demo", queue="general", leg=leg_now().leg, position=1, waited=1.0)
    snapshot = said(f.Snapshot, 104.0, legs=(leg_now(),), members=(member_now(),), waiters=(waiter,))
    board = replay([SIGNED_IN, *answered()[:5], snapshot])
    (queue,) = board.queues_now()
    assert (queue.name, queue.waiting, queue.talking, queue.seats, queue.ready) == ("general", 1, 0, 1, 1)


def test_an_answered_visit_has_its_wait_its_ring_its_seat_and_its_talk() -> None:
    visit = visit_after(*answered(), said(f.SeatFinished, 140.0, talked=30.0))
    assert (visit.outcome, visit.seat, visit.waited, visit.rang, visit.talked) == (
        Outcome.ANSWERED,
        "1001",
        5.0,
        2.0,
        30.0,
    )


def test_a_caller_who_hangs_up_waiting_abandoned_the_visit() -> None:
    visit = visit_after(*answered()[:5], said(f.QueueAbandoned, 120.0, waited=17.0))
    assert (visit.outcome, visit.waited, visit.left) == (Outcome.ABANDONED, 17.0, 120.0)


def test_a_queue_that_gives_up_says_why() -> None:
    timeout = visit_after(*answered()[:5], said(f.QueueGaveUp, 130.0, status="TIMEOUT", key=""))
    key = visit_after(*answered()[:5], said(f.QueueGaveUp, 130.0, status="CONTINUE", key="9"))
    assert (timeout.outcome, timeout.left) == (Outcome.TIMEOUT, 130.0)
    assert (key.outcome, key.key) == (Outcome.KEY, "9")


def test_a_caller_refused_at_the_door_of_a_queue_made_a_visit_too() -> None:
    visit = visit_after(*arrives(), said(f.QueueGaveUp, 110.0, status="JOINEMPTY", key=""))
    assert (visit.outcome, visit.number, visit.waited) == (Outcome.NO_SEATS, 1, 0.0)


def test_the_second_queue_is_a_second_visit() -> None:
    visit = visit_after(
        *answered()[:5],
        said(f.QueueGaveUp, 130.0, status="TIMEOUT", key=""),
        said(f.QueueJoined, 131.0, queue="market"),
    )
    assert (visit.number, visit.queue, visit.outcome) == (2, "market", Outcome.WAITING)


def test_a_phone_that_does_not_answer_is_counted_on_the_visit() -> None:
    assert visit_after(*answered()[:7], said(f.SeatDeclined)).declined == 1
