"""What a shift hands over: calls back that are owed, until an agent has talked with that number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from calls.facts import CallId, LegId
from calls.model import Call, CallState
from queues.duties import Duty, DutyKind, Known, duties


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


def test_withheld_numbers_are_not_one_person() -> None:
    hidden = replace(OWED, caller="anonymous")
    (duty,) = found(hidden, a_call("2", 500, answered=505.0, caller="anonymous"))
    assert (duty.number, duty.settled) == ("", None)


def test_the_oldest_promise_stands_first_and_consultations_promise_nothing() -> None:
    later = a_call("5", 900, owed=True, caller="13900139000")
    consult = a_call("6", 910, owed=True, consult_of=OWED.id)
    assert [d.call for d in found(later, consult, OWED)] == [OWED.id, later.id]
