"""What a shift hands over: calls back owed, until an agent has talked with that number; drafts unsent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from calls.facts import CallId, LegId
from calls.model import Call, CallState, Direction
from calls.note import ShiftNote
from cti.commands.duties import KINDS as NAMES
from queues.duties import ByHand, Drafted, Duty, DutyKind, Known, duties


def a_call(name: str, arrived: float, **told: Any) -> Call:
    usual: dict[str, Any] = {
        "id": CallId(f"demo-{name}"), "city": "demo", "line": "main", "trunk": "carrier",
        "caller": "13800138000", "called": "12345", "original": "12345", "leg": LegId(name),
        "state": CallState.ENDED, "since": arrived + 60, "arrived": arrived, "ended": arrived + 60,
    }  # fmt: skip
    return Call(**{**usual, **told})


OWED = a_call("1", 100, owed=True, queue="general")


def found(*calls: Call) -> list[Duty]:
    return duties(Known(calls))


def test_a_promise_is_a_duty_until_somebody_talked_with_that_number() -> None:
    (duty,) = found(OWED)
    assert (duty.kind, duty.call, duty.since, duty.settled) == (DutyKind.CALL_BACK, OWED.id, 160, None)
    (duty,) = found(OWED, a_call("2", 500, answered=505.0))
    assert (duty.settled, duty.settled_by) == (505.0, "demo-2")


def test_a_talk_before_the_promise_or_one_that_nobody_answered_settles_nothing() -> None:
    (duty,) = found(OWED, a_call("0", 10, answered=15.0), a_call("2", 500))
    assert duty.settled is None


def test_an_agent_who_sent_the_caller_to_the_message_still_owes_the_call() -> None:
    (duty,) = found(replace(OWED, answered=110.0))
    assert duty.settled is None


def test_another_city_or_another_number_settles_nothing() -> None:
    others = a_call("2", 500, answered=505.0, city="luan"), a_call("3", 500, answered=505.0, caller="138")
    (duty,) = found(OWED, *others)
    assert duty.settled is None


def test_a_duty_names_the_message_that_was_left() -> None:
    (duty,) = duties(Known([OWED], messages={OWED.id: "1-message"}))
    assert duty.message == "1-message"
    assert found(OWED)[0].message == ""


def test_somebody_settles_by_hand_what_no_call_shows_and_a_talk_stays_the_better_proof() -> None:
    hand = ByHand(900.0, "chief", "手机已回电")
    by_hand = {(DutyKind.CALL_BACK, OWED.id): hand}
    (duty,) = duties(Known([replace(OWED, caller="")], by_hand=by_hand))
    assert (duty.settled, duty.settled_by, duty.reason) == (900.0, "chief", "手机已回电")
    (duty,) = duties(Known([OWED, a_call("2", 500, answered=505.0)], by_hand=by_hand))
    assert (duty.settled, duty.settled_by, duty.reason) == (505.0, "demo-2", "")
    (duty,) = duties(Known([OWED], by_hand={(DutyKind.DRAFT, OWED.id): hand}))
    assert duty.settled is None


def test_withheld_numbers_are_not_one_person() -> None:
    hidden = replace(OWED, caller="anonymous")
    (duty,) = found(hidden, a_call("2", 500, answered=505.0, caller="anonymous"))
    assert (duty.number, duty.settled) == ("", None)


def test_the_oldest_promise_stands_first_and_consultations_promise_nothing() -> None:
    later = a_call("5", 900, owed=True, caller="13900139000")
    consult = a_call("6", 910, owed=True, consult_of=OWED.id)
    assert [d.call for d in found(later, consult, OWED)] == [OWED.id, later.id]


ANSWERED = a_call("7", 700, answered=710.0, queue="general")


def unsent(*drafted: Drafted) -> list[Duty]:
    return duties(Known((), drafted=drafted))


def test_a_draft_that_became_no_ticket_is_handed_over_from_the_end_of_the_call() -> None:
    (duty,) = unsent(Drafted(ANSWERED))
    assert (duty.kind, duty.call, duty.since) == (DutyKind.DRAFT, ANSWERED.id, ANSWERED.ended)
    assert (duty.line, duty.queue, duty.number) == ("main", "general", "13800138000")
    assert (duty.settled, duty.settled_by) == (None, None)


def test_the_ticket_settles_the_draft() -> None:
    (duty,) = unsent(Drafted(ANSWERED, "demo-20261121-00001", 900.0))
    assert (duty.settled, duty.settled_by) == (900.0, "demo-20261121-00001")


def test_a_call_that_goes_on_or_was_never_answered_or_went_out_leaves_no_draft_to_send() -> None:
    talking = replace(ANSWERED, ended=None, state=CallState.TALKING)
    out = replace(ANSWERED, direction=Direction.OUT)
    consult = replace(ANSWERED, consult_of=OWED.id)
    unanswered = replace(ANSWERED, answered=None)
    assert unsent(*(Drafted(c) for c in (talking, out, consult, unanswered))) == []


def test_a_draft_of_somebody_who_hid_the_number_has_nobody_to_call() -> None:
    assert unsent(Drafted(replace(ANSWERED, caller="anonymous")))[0].number == ""


def test_a_note_of_the_leaving_shift_stands_until_somebody_says_that_it_is_done() -> None:
    note = ShiftNote(id="demo-note-1", at=50.0, city="demo", who="zhang", role="agent", text="勿调队列")
    duty, _ = duties(Known([OWED], notes=[note]))
    assert (duty.kind, duty.note, duty.text, duty.by) == (DutyKind.NOTE, note.id, "勿调队列", "zhang")
    assert (duty.since, duty.settled, duty.call) == (50.0, None, "")
    done = {(DutyKind.NOTE, CallId(note.id)): ByHand(900.0, "chief", "已阅")}
    duty, call = duties(Known([OWED], notes=[note], by_hand=done))
    assert (duty.settled, duty.settled_by, duty.reason) == (900.0, "chief", "已阅")
    assert call.settled is None


def test_every_kind_has_a_name_a_person_reads() -> None:
    assert set(NAMES) == set(DutyKind)
