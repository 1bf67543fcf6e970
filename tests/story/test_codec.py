"""Facts and values as plain dicts and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from calls import facts as f
from calls.codec import FACTS, Unknown, fact_from_dict, fact_to_dict, from_dict, to_dict
from calls.facts import Fact
from calls.model import Call
from cti.switchboard import replay
from queues.visit import Visit
from tests.story.a_call import CALL, answered, any_fact, leg_now, member_now, said


@pytest.mark.parametrize("kind", FACTS.values(), ids=FACTS.keys())
def test_every_fact_survives_being_written_as_json(kind: type[Fact]) -> None:
    fact = said(kind)
    assert fact_from_dict(json.loads(json.dumps(fact_to_dict(fact)))) == fact


@given(any_fact())
def test_any_fact_survives_being_written_as_json(fact: Fact) -> None:
    assert fact_from_dict(json.loads(json.dumps(fact_to_dict(fact)))) == fact


def test_a_call_and_a_visit_survive_being_written_as_json() -> None:
    board = replay(answered())
    call, visit = board.picture.calls[CALL], board.visits.last[CALL]
    assert from_dict(Call, json.loads(json.dumps(to_dict(call)))) == call
    assert from_dict(Visit, json.loads(json.dumps(to_dict(visit)))) == visit


def test_a_snapshot_keeps_its_legs_members_and_waiters() -> None:
    snapshot = said(f.Snapshot, legs=(leg_now(call=None),), members=(member_now(),))
    assert fact_from_dict(json.loads(json.dumps(fact_to_dict(snapshot)))) == snapshot


def test_a_field_of_tomorrow_is_dropped_and_a_field_yesterday_lacked_is_empty() -> None:
    told = fact_to_dict(said(f.CallArrived)) | {"colour": "red"}
    del told["sip_call"]
    assert fact_from_dict(told) == said(f.CallArrived, sip_call="")


def test_a_fact_nobody_knows_and_a_later_version_are_unknown() -> None:
    with pytest.raises(Unknown, match="'Danced'"):
        fact_from_dict({"v": 1, "fact": "Danced", "at": 1.0, "node": "n1"})
    with pytest.raises(Unknown, match="version 99"):
        fact_from_dict({"v": 99, "fact": "LinkUp"})


def test_a_field_of_the_wrong_type_is_unknown_and_names_the_field() -> None:
    with pytest.raises(Unknown, match=r"CallLeft\.cause"):
        fact_from_dict(fact_to_dict(said(f.CallLeft)) | {"cause": "sixteen"})
