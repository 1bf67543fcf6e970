"""What stands in the audit trail though nobody ordered it over the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calls import facts as f
from calls.audit import Audited
from calls.facts import CallId
from cti.desk_doors import unordered
from cti.switchboard import Heard, Switchboard

CALL = CallId("demo-n1-1732190695.1")
BEGAN = 1_732_190_700.0
CITIZEN = "13900000001"


def rows_of(*facts: f.Fact) -> list[Audited]:
    board, rows = Switchboard(), list[Audited]()

    def hears(heard: Heard) -> None:
        if (row := unordered(heard)) is not None:
            rows.append(row)

    board.listen(hears)
    for fact in facts:
        board.hear(fact)
    assert not board.listeners_failed
    return rows


def stepped(step: str, **more: Any) -> f.TransferStepped:
    return f.TransferStepped(at=BEGAN, node="n1", call=CALL, id="h1", step=step, caller=CITIZEN, **more)


def asked(by: str = "phone", agent: str = "8001", **more: Any) -> f.TransferStepped:
    usual = {"kind": "handoff", "to": "110", "seat": "1001", "by": by, "agent": agent}
    return stepped("asked", **usual | more)


def test_a_hand_over_keyed_on_the_phone_leaves_one_row_with_the_agent_and_its_record() -> None:
    (row,) = rows_of(asked(), stepped("dialled"), stepped("answered"), stepped("handed"))
    assert (row.city, row.who, row.role, row.did, row.on) == (
        "demo", "agent-8001", "agent", "transfer", "seat 1001"
    )  # fmt: skip
    assert (row.at, row.ended, row.outcome) == (BEGAN, BEGAN, "done")
    assert json.loads(row.told) == {"kind": "handoff", "to": "110", "by": "phone", "handoff": "h1"}


def test_a_wish_that_the_dialplan_made_another_of_says_both_as_one_of_the_api_does() -> None:
    (row,) = rows_of(asked(wished="blind"))
    told = json.loads(row.told)
    assert (told["kind"], told["meant"]) == ("blind", "handoff")


def test_a_citizens_number_is_masked_and_a_seat_nobody_sits_at_is_named() -> None:
    (row,) = rows_of(asked(agent="", kind="blind", to=CITIZEN))
    assert row.who == "seat-1001"
    assert CITIZEN not in row.told


@pytest.mark.parametrize("by", ["api", "supervisor"])
def test_a_wish_of_the_desk_has_its_row_already(by: str) -> None:
    assert rows_of(asked(by)) == []


def handed_to_us(of: str = "") -> f.HandedToUs:
    return f.HandedToUs(
        at=BEGAN + 60, node="n1", call=CallId(f"{CALL}9"), centre="110", case="JQ-1", trunk="centres",
        caller=CITIZEN, story="两车追尾", of=of,
    )  # fmt: skip


def test_a_caller_whom_a_centre_hands_over_leaves_a_row_beside_that_by_which_they_had_gone() -> None:
    went, came = rows_of(asked(), handed_to_us(of="h1"))
    assert (came.city, came.who, came.role, came.did, came.on) == (
        "demo", "centre-110", "centre", "hand-off", f"{CALL}9"
    )  # fmt: skip
    assert (came.at, came.outcome) == (BEGAN + 60, "done")
    told = json.loads(came.told)
    assert told == {"handoff": f"in-{CALL}9", "case": "JQ-1", "of": "h1", "by": "centres"}
    assert told["of"] == json.loads(went.told)["handoff"]


def test_a_record_that_the_centre_only_says_it_has_is_not_named() -> None:
    (row,) = rows_of(handed_to_us(of=CITIZEN))
    assert CITIZEN not in row.told
