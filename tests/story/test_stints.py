"""One seat's part in a call: ring, talk and hold are its own, whatever is transferred."""

from __future__ import annotations

from collections import Counter
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from calls import facts as f
from calls.facts import Fact, LegId
from queues.stint import Part, Stint, Stints, step
from tests.story.a_call import CALL, CALLER, SEAT_LEG, any_fact, leg_now, member_now, said

OTHER = LegId("n1-100.3")


def after(*facts: Fact) -> dict[LegId, Stint]:
    done: Stints = reduce(step, facts, Stints())
    return {**done.late, **done.open}


def ringing(leg: LegId = SEAT_LEG, seat: str = "1001", at: float = 10.0) -> list[Fact]:
    return [
        said(f.LegStarted, 0.0, leg=CALLER, call=CALL),
        said(f.LegStarted, at, leg=leg, call=CALL, endpoint=f"demo-{seat}"),
        said(f.SeatRang, at, leg=leg, seat=seat),
    ]


def talking() -> list[Fact]:
    return [
        *ringing(),
        said(f.SeatAnswered, 12.0, leg=SEAT_LEG),
        said(f.LegJoined, 12.0, leg=SEAT_LEG),
        said(f.LegJoined, 12.0, leg=CALLER),
    ]


def test_ring_and_talk_of_a_simple_call() -> None:
    stint = after(*talking(), said(f.LegLeft, 40.0, leg=CALLER), said(f.LegEnded, 40.5, leg=SEAT_LEG))[
        SEAT_LEG
    ]
    assert (stint.part, stint.ring, stint.talk, stint.hold) == (Part.ANSWERED, 2.0, 28.0, 0.0)
    assert stint.ended == 40.5


def test_hold_is_counted_apart_from_talk() -> None:
    held = [said(f.LegHeld, 20.0, leg=SEAT_LEG), said(f.LegUnheld, 25.0, leg=SEAT_LEG)]
    stint = after(*talking(), *held, said(f.LegEnded, 32.0, leg=CALLER))[SEAT_LEG]
    assert (stint.talk, stint.hold) == (15.0, 5.0)


def test_a_transfer_ends_the_first_seats_talk_and_begins_the_seconds() -> None:
    """app_queue counts the first seat's talk on to the end of the call (its AgentComplete)."""
    stints = after(
        *talking(),
        said(f.LegStarted, 30.0, leg=OTHER, call=CALL, endpoint="demo-1002"),
        said(f.LegLeft, 42.0, leg=SEAT_LEG),
        said(f.LegJoined, 42.0, leg=OTHER),
        said(f.LegEnded, 42.1, leg=SEAT_LEG),
        said(f.LegEnded, 100.0, leg=CALLER),
        said(f.SeatFinished, 100.0, talked=88.0),
        said(f.LegEnded, 100.1, leg=OTHER),
    )
    assert (stints[SEAT_LEG].talk, stints[SEAT_LEG].seat) == (30.0, "1001")
    assert (stints[OTHER].talk, stints[OTHER].seat, stints[OTHER].part) == (58.0, "1002", Part.JOINED)


def test_a_consultation_without_the_caller_is_no_talk_with_the_caller() -> None:
    stints = after(
        *talking(),
        said(f.LegHeld, 20.0, leg=SEAT_LEG),
        said(f.LegStarted, 20.0, leg=OTHER, call=CALL, endpoint="demo-1002"),
        said(f.LegJoined, 22.0, leg=OTHER, bridge="consult"),
        said(f.LegEnded, 30.0, leg=OTHER),
        said(f.LegUnheld, 31.0, leg=SEAT_LEG),
        said(f.LegEnded, 40.0, leg=CALLER),
    )
    assert OTHER not in stints
    assert (stints[SEAT_LEG].talk, stints[SEAT_LEG].hold) == (17.0, 11.0)


def test_an_agent_who_waits_for_somebody_to_answer_does_not_talk_meanwhile() -> None:
    sent = [*talking(), said(f.LegLeft, 22.0, leg=SEAT_LEG), said(f.LegLeft, 22.0, leg=CALLER)]
    taken = [
        said(f.LegStarted, 23.0, leg=OTHER, call=CALL, endpoint="demo-1002"),
        said(f.LegJoined, 30.0, leg=OTHER),
        said(f.LegJoined, 30.0, leg=CALLER),
        said(f.LegEnded, 30.3, leg=SEAT_LEG),
        said(f.LegEnded, 50.0, leg=CALLER),
    ]
    stints = after(*sent, *taken)
    assert (stints[SEAT_LEG].talk, stints[SEAT_LEG].ended) == (10.0, 30.3)
    assert (stints[OTHER].part, stints[OTHER].talk) == (Part.JOINED, 20.0)
    refused = [
        said(f.LegJoined, 47.0, leg=CALLER),
        said(f.LegJoined, 47.3, leg=SEAT_LEG),
        said(f.LegEnded, 50.3, leg=SEAT_LEG),
    ]
    assert after(*sent, *refused)[SEAT_LEG].talk == 13.0


def test_a_phone_that_refused_has_missed_whichever_word_comes_first() -> None:
    end, word = said(f.LegEnded, 11.0, leg=SEAT_LEG), said(f.SeatDeclined, 11.0, leg=SEAT_LEG, rang=1.0)
    for order in ([end, word], [word, end]):
        stint = after(*ringing(), *order)[SEAT_LEG]
        assert (stint.part, stint.ring, stint.ended) == (Part.MISSED, 1.0, 11.0)


def test_a_phone_that_stopped_because_the_caller_left_has_not_missed() -> None:
    assert after(*ringing(), said(f.LegEnded, 15.0, leg=SEAT_LEG))[SEAT_LEG].part is Part.STOPPED


def test_wrap_up_runs_from_its_pause_to_its_end_and_is_counted_once_for_all_queues() -> None:
    paused = [said(f.SeatPaused, 41.0 + n, queue=q, reason="wrapup:60") for n, q in enumerate("ab")]
    ready = [said(f.SeatUnpaused, 55.0 + n, queue=q) for n, q in enumerate("ab")]
    stint = after(*talking(), said(f.LegEnded, 40.0, leg=SEAT_LEG), *paused, *ready)[SEAT_LEG]
    assert stint.wrap_up == 14.0


def test_wrap_up_goes_on_when_one_of_its_queues_is_taken_away_and_ends_with_the_last() -> None:
    paused = [said(f.SeatPaused, 41.0, queue=q, reason="wrapup:60") for q in "ab"]
    over = [*talking(), said(f.LegEnded, 40.0, leg=SEAT_LEG), *paused, said(f.SeatSignedOut, 45.0, queue="a")]
    assert after(*over)[SEAT_LEG].wrap_up is None
    assert after(*over, said(f.SeatUnpaused, 55.0, queue="b"))[SEAT_LEG].wrap_up == 14.0
    assert after(*over, said(f.SeatSignedOut, 50.0, queue="b"))[SEAT_LEG].wrap_up == 9.0


def test_wrap_up_ends_when_another_pause_begins() -> None:
    stint = after(
        *talking(),
        said(f.LegEnded, 40.0, leg=SEAT_LEG),
        said(f.SeatPaused, 40.0, reason="wrapup:60"),
        said(f.SeatPaused, 47.0, reason="3"),
    )[SEAT_LEG]
    assert stint.wrap_up == 7.0


def test_a_wrap_up_that_ended_unheard_has_no_length_and_takes_none_of_a_later_pause() -> None:
    paused = [*talking(), said(f.LegEnded, 40.0, leg=SEAT_LEG), said(f.SeatPaused, 41.0, reason="wrapup:60")]
    lunch = [said(f.SeatPaused, 900.0, reason="meal"), said(f.SeatUnpaused, 2700.0)]
    assert after(*paused, said(f.Snapshot, 800.0), *lunch)[SEAT_LEG].wrap_up is None
    still = said(f.Snapshot, 50.0, members=(member_now(paused=True, reason="wrapup:60"),))
    assert after(*paused, still, said(f.SeatUnpaused, 60.0))[SEAT_LEG].wrap_up == 19.0
    another = said(f.Snapshot, 90.0, members=(member_now(paused=True, reason="wrapup:99"),))
    assert after(*paused, another, said(f.SeatUnpaused, 99.0))[SEAT_LEG].wrap_up is None


def test_a_leg_that_ended_while_nobody_looked_ends_with_the_snapshot() -> None:
    stint = after(*talking(), said(f.Snapshot, 90.0))[SEAT_LEG]
    assert stint.ended == 90.0


# --- who is brought in by ``three`` comes through a Local channel --------------------------------------

HALF_ONE, HALF_TWO = LegId("n1-100.4"), LegId("n1-100.5")
LOCAL = "Local/s@transfer-target-0000000a;"


def three() -> list[Fact]:
    """1001 calls 1002 in at 30: the phone and one half talk from 33, the other half is in the room at 34."""
    return [
        *talking(),
        said(f.LegStarted, 30.0, leg=HALF_ONE, call=CALL, channel=f"{LOCAL}1", endpoint=""),
        said(f.LegStarted, 30.0, leg=HALF_TWO, call=CALL, channel=f"{LOCAL}2", endpoint=""),
        said(f.LegStarted, 30.0, leg=OTHER, call=CALL, endpoint="demo-1002"),
        *(said(f.LegLeft, 30.0, leg=leg) for leg in (SEAT_LEG, CALLER)),
        *(said(f.LegJoined, 30.0, leg=leg, bridge="room", kind="conference") for leg in (SEAT_LEG, CALLER)),
        *(said(f.LegJoined, 33.0, leg=leg, bridge="b2") for leg in (OTHER, HALF_TWO)),
        said(f.LegJoined, 34.0, leg=HALF_ONE, bridge="room", kind="conference"),
    ]


def test_a_seat_that_is_called_in_talks_from_when_its_local_channel_is_in_the_room() -> None:
    stints = after(*three(), said(f.LegEnded, 60.0, leg=CALLER))
    assert (stints[OTHER].seat, stints[OTHER].part, stints[OTHER].began) == ("1002", Part.JOINED, 34.0)
    assert (stints[OTHER].talk, stints[SEAT_LEG].talk) == (26.0, 48.0)
    assert set(stints) == {SEAT_LEG, OTHER}, "a Local channel is nobody's seat"


def test_a_seat_that_is_called_in_talks_on_when_the_agent_leaves_the_two_together() -> None:
    stints = after(*three(), said(f.LegEnded, 40.0, leg=SEAT_LEG), said(f.LegEnded, 60.0, leg=CALLER))
    assert (stints[SEAT_LEG].talk, stints[OTHER].talk) == (28.0, 26.0)


def test_a_seat_that_is_called_in_and_holds_is_on_hold_alone() -> None:
    held = [said(f.LegHeld, 40.0, leg=OTHER), said(f.LegUnheld, 45.0, leg=OTHER)]
    stints = after(*three(), *held, said(f.LegEnded, 60.0, leg=CALLER))
    assert (stints[OTHER].talk, stints[OTHER].hold) == (21.0, 5.0)
    assert (stints[SEAT_LEG].talk, stints[SEAT_LEG].hold) == (48.0, 0.0)


def test_talk_ends_whichever_part_of_the_way_into_the_room_ends_first() -> None:
    for leg, bridge in ((OTHER, "b2"), (HALF_TWO, "b2"), (HALF_ONE, "room")):
        for end in (said(f.LegLeft, 50.0, leg=leg, bridge=bridge), said(f.LegEnded, 50.0, leg=leg)):
            assert after(*three(), end, said(f.LegEnded, 60.0, leg=CALLER))[OTHER].talk == 16.0


def test_a_seat_that_comes_back_into_the_room_has_not_talked_meanwhile() -> None:
    stints = after(
        *three(),
        said(f.LegLeft, 40.0, leg=HALF_ONE, bridge="room"),
        said(f.LegJoined, 50.0, leg=HALF_ONE, bridge="room", kind="conference"),
        said(f.LegEnded, 60.0, leg=CALLER),
    )
    assert stints[OTHER].talk == 16.0


def test_a_snapshot_knows_the_local_channel_by_which_a_seat_comes() -> None:
    legs = (
        leg_now(bridge="room"),
        leg_now(HALF_ONE, channel=f"{LOCAL}1", endpoint=""),
        leg_now(HALF_TWO, channel=f"{LOCAL}2", endpoint="", bridge="b2"),
        leg_now(OTHER, endpoint="demo-1002", bridge="b2"),
    )
    joins = said(f.LegJoined, 52.0, leg=HALF_ONE, bridge="room", kind="conference")
    stints = after(said(f.Snapshot, 50.0, legs=legs), joins, said(f.LegEnded, 60.0, leg=CALLER))
    assert (stints[OTHER].part, stints[OTHER].began, stints[OTHER].talk) == (Part.JOINED, 52.0, 8.0)


PEOPLE = (CALLER, SEAT_LEG, OTHER, HALF_ONE, HALF_TWO)
COMES_AND_GOES = (f.LegJoined, f.LegJoined, f.LegLeft, f.LegHeld, f.LegUnheld, f.LegEnded)


class Rooms:
    """The same legs, looked at once a second."""

    def __init__(self) -> None:
        self.where = dict.fromkeys(PEOPLE, "")
        self.held: set[LegId] = set()
        self.gone: set[LegId] = set()
        self.sums: Counter[tuple[LegId, bool]] = Counter()

    def second(self) -> None:
        one, two = self.where[HALF_ONE], self.where[HALF_TWO]
        joined = {one, two} if one and two and not self.gone & {HALF_ONE, HALF_TWO} else set()
        for seat in {SEAT_LEG, OTHER} - self.gone:
            mine, callers = self.where[seat], self.where[CALLER]
            if mine and callers and (mine == callers or {mine, callers} <= joined):
                self.sums[seat, seat in self.held] += 1

    def take(self, kind: type[Fact], leg: LegId, bridge: str) -> None:
        if kind is f.LegJoined:
            self.where[leg] = bridge
        elif kind is f.LegLeft and self.where[leg] == bridge:
            self.where[leg] = ""
        elif kind is f.LegEnded:
            self.where[leg] = ""
            self.gone.add(leg)
        elif kind is f.LegHeld:
            self.held.add(leg)
        elif kind is f.LegUnheld:
            self.held.discard(leg)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(COMES_AND_GOES), st.sampled_from(PEOPLE), st.sampled_from(("b1", "b2", "room"))
        ),
        max_size=60,
    )
)
def test_whoever_comes_and_goes_talk_is_the_seconds_in_which_seat_and_caller_hear_each_other(
    moves: list[tuple[type[Fact], LegId, str]],
) -> None:
    """Each fact comes a second after the one before, whether it makes sense or not."""
    begin = [fact for fact in three() if isinstance(fact, f.LegStarted | f.SeatRang)]
    rooms = Rooms()
    facts: list[Fact] = []
    for n, (kind, leg, bridge) in enumerate(moves):
        rooms.second()
        if leg in rooms.gone:
            continue
        rooms.take(kind, leg, bridge)
        facts.append(said(kind, 100.0 + n, leg=leg, bridge=bridge))
    rooms.second()
    ends = [said(f.LegEnded, 100.0 + len(moves), leg=leg) for leg in PEOPLE]
    stints = after(*begin, *facts, *ends)
    for seat in (SEAT_LEG, OTHER):
        stint = stints.get(seat)
        told = (0.0, 0.0) if stint is None else (stint.talk, stint.hold)
        assert told == (rooms.sums[seat, False], rooms.sums[seat, True])


@given(st.lists(any_fact(), max_size=40))
def test_no_order_of_facts_leaves_a_stint_open_that_a_snapshot_does_not_have(facts: list[Fact]) -> None:
    assert all(stint.ended is not None for stint in after(*facts, said(f.Snapshot, 2000.0)).values())


def test_a_hold_whose_end_nobody_heard_ends_with_the_snapshot_that_does_not_have_it() -> None:
    for held, talk, hold in ((False, 8.0 + 10.0, 10.0), (True, 8.0, 20.0), (None, 8.0, 20.0)):
        legs = (leg_now(bridge="b1"), leg_now(SEAT_LEG, endpoint="demo-1001", bridge="b1", held=held))
        stint = after(
            *talking(),
            said(f.LegHeld, 20.0, leg=SEAT_LEG),
            said(f.Snapshot, 30.0, legs=legs),
            said(f.LegEnded, 40.0, leg=CALLER),
        )[SEAT_LEG]
        assert (stint.talk, stint.hold) == (talk, hold)


def test_a_hold_that_began_unheard_begins_with_the_snapshot_that_has_it() -> None:
    legs = (leg_now(bridge="b1"), leg_now(SEAT_LEG, endpoint="demo-1001", bridge="b1", held=True))
    snapshot, end = said(f.Snapshot, 30.0, legs=legs), said(f.LegEnded, 40.0, leg=CALLER)
    stint = after(*talking(), snapshot, end)[SEAT_LEG]
    assert (stint.talk, stint.hold) == (18.0, 10.0)
    stint = after(*talking(), snapshot, said(f.LegUnheld, 35.0, leg=SEAT_LEG), end)[SEAT_LEG]
    assert (stint.talk, stint.hold) == (23.0, 5.0)


def test_who_was_answered_unheard_holds_from_the_snapshot_that_has_it() -> None:
    legs = (leg_now(bridge="b1"), leg_now(SEAT_LEG, endpoint="demo-1001", bridge="b1", held=True))
    resumed, end = said(f.LegUnheld, 35.0, leg=SEAT_LEG), said(f.LegEnded, 42.0, leg=CALLER)
    stint = after(said(f.Snapshot, 30.0, legs=legs), resumed, end)[SEAT_LEG]
    assert (stint.part, stint.began, stint.talk, stint.hold) == (Part.JOINED, 30.0, 7.0, 5.0)


def test_facts_told_twice_count_once() -> None:
    facts = [*talking(), said(f.LegEnded, 40.0, leg=CALLER), said(f.LegEnded, 40.0, leg=SEAT_LEG)]
    twice = [fact for fact in facts for _ in range(2)]
    assert after(*facts)[SEAT_LEG] == after(*twice)[SEAT_LEG]
