"""One seat's part in a call: ring, talk and hold are its own, whatever is transferred."""

from __future__ import annotations

from functools import reduce

from calls import facts as f
from calls.facts import Fact, LegId
from queues.stint import Part, Stint, Stints, step
from tests.story.a_call import CALL, CALLER, SEAT_LEG, said

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


def test_wrap_up_ends_when_another_pause_begins() -> None:
    stint = after(
        *talking(),
        said(f.LegEnded, 40.0, leg=SEAT_LEG),
        said(f.SeatPaused, 40.0, reason="wrapup:60"),
        said(f.SeatPaused, 47.0, reason="3"),
    )[SEAT_LEG]
    assert stint.wrap_up == 7.0


def test_a_leg_that_ended_while_nobody_looked_ends_with_the_snapshot() -> None:
    stint = after(*talking(), said(f.Snapshot, 90.0))[SEAT_LEG]
    assert stint.ended == 90.0


def test_facts_told_twice_count_once() -> None:
    facts = [*talking(), said(f.LegEnded, 40.0, leg=CALLER), said(f.LegEnded, 40.0, leg=SEAT_LEG)]
    twice = [fact for fact in facts for _ in range(2)]
    assert after(*facts)[SEAT_LEG] == after(*twice)[SEAT_LEG]
