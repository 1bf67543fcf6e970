"""The hand-off record, made from facts; where calls stand in the transfer table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calls import facts as f
from calls.codec import fact_from_dict, fact_to_dict, from_dict, to_dict
from calls.facts import CallId, LegId
from calls.model import Call, CallState, Direction
from cti.switchboard import replay
from cti.web.transfer import handoff_answer, sheet, transfer_answer
from tests.story.a_call import leg_now, said
from transfer.handoff import KEPT, Handoff, Moves, stands, step
from transfer.table import State

CALL = CallId("demo-n1-1732190695.1")
BEGAN = 1_732_190_700.0


def told(steps: str, **asked: Any) -> Moves:
    """The steps one second after the other."""
    moves = Moves()
    for second, name in enumerate(steps.split()):
        more: dict[str, Any] = {"kind": "handoff", "to": "110", "seat": "1001", "caller": "13900000001"}
        more = more | asked if name == "asked" else {}
        if name in ("dialled", "skipped", "accepted"):
            more = {"way": "1", "trunk": "demo-centres", "number": "110"}
        moves = step(
            moves, f.TransferStepped(at=BEGAN + second, node="n1", call=CALL, id="h1", step=name, **more)
        )
    return moves


def test_a_hand_over_leaves_every_stage_with_its_time() -> None:
    record = told("asked dialled accepted answered joined handed target-left over").records["h1"]
    assert (record.asked, record.dialled, record.answered) == (BEGAN, BEGAN + 1, BEGAN + 3)
    assert (record.joined, record.handed, record.ended) == (BEGAN + 4, BEGAN + 5, BEGAN + 7)
    assert (record.number, record.trunk, record.seat) == ("110", "demo-centres", "1001")
    assert record.tried == ("1 demo-centres 110 dialled", "1 demo-centres 110 accepted")


def test_a_hand_over_whose_end_nobody_heard_ends_with_the_snapshot_that_does_not_have_its_call() -> None:
    moves = told("asked dialled accepted answered joined handed")
    alive = step(moves, said(f.Snapshot, 0.0, legs=(leg_now(call=CALL),)))
    assert alive.records == moves.records
    found = said(f.Snapshot, 60.0)
    record = step(moves, found).records["h1"]
    assert (record.ended, record.outcome, record.cause) == (found.at, "handed", "unheard")
    assert record.version > moves.records["h1"].version, "its centre is told"
    assert step(step(moves, found), said(f.Snapshot, 90.0)).records["h1"] == record
    over = told("asked answered handed over")
    assert step(over, found).records == over.records


def test_the_desk_follows_the_table() -> None:
    assert told("asked dialled").live[CALL].state is State.RINGING
    assert told("asked dialled answered joined").live[CALL].state is State.TOGETHER
    assert told("asked answered handed").live[CALL].state is State.HANDED
    assert told("asked refused").live[CALL].state is State.TALKING
    assert told("asked agent-left back").live[CALL].state is State.QUEUED
    assert told("asked answered", kind="consult").live[CALL].state is State.CONSULTING
    assert told("asked answered", kind="blind").live[CALL].state is State.HANDED
    assert told("asked agent-left", kind="blind").live[CALL].state is State.ALONE
    assert told("asked agent-left answered", kind="blind").live[CALL].state is State.HANDED
    assert told("asked agent-left back", kind="blind").live[CALL].state is State.QUEUED
    assert told("asked refused", kind="blind").live[CALL].state is State.TALKING
    sent = transfer_answer(told("asked", kind="blind").live[CALL])
    assert (sent.hear, sent.caller_hears, sent.buttons) == ([], "ringing", ["takeback"])
    buttons = transfer_answer(told("asked answered", kind="consult").live[CALL]).buttons
    assert buttons == ["takeback", "together", "leave"]


def a_talk(**more: Any) -> Call:
    usual: dict[str, Any] = {
        "id": CALL, "city": "demo", "line": "main", "trunk": "carrier", "caller": "139", "called": "12345",
        "original": "", "leg": LegId("n1-1"), "state": CallState.TALKING, "since": BEGAN, "arrived": BEGAN,
        "seat": "1001",
    }  # fmt: skip
    return Call(**usual | more)


def test_a_call_that_talks_has_the_buttons_of_a_talk_before_anybody_was_asked() -> None:
    stand = stands(Moves(), CALL, a_talk())
    assert stand is not None
    shown = transfer_answer(stand)
    assert (shown.state, shown.seat, shown.handoff, shown.hear) == ("talking", "1001", "", ["agent-caller"])
    assert shown.buttons == ["blind", "consult", "three", "handoff"]


@pytest.mark.parametrize(
    "call",
    [
        None,
        a_talk(state=CallState.WAITING),
        a_talk(state=CallState.RINGING),
        a_talk(state=CallState.ENDED),
        a_talk(seat=""),
        a_talk(direction=Direction.OUT),
        a_talk(consult_of=CallId("demo-1")),
    ],
    ids=["gone", "waits", "rings", "over", "nobody's", "an agent called them", "a consultation"],
)
def test_where_no_agent_may_move_a_caller_there_is_no_button(call: Call | None) -> None:
    assert stands(Moves(), CALL, call) is None


def test_a_citizen_who_is_called_back_out_of_the_queue_may_be_moved_once_they_have_answered() -> None:
    assert stands(Moves(), CALL, a_talk(callback_of="demo-1")) is None
    there = a_talk(callback_of="demo-1", greeted=BEGAN + 9)
    assert stands(Moves(), CALL, there) == stands(Moves(), CALL, a_talk())
    assert stands(Moves(), CALL, replace(there, direction=Direction.OUT)) is None


def test_a_call_that_is_being_moved_stands_where_the_table_says() -> None:
    moves = told("asked dialled")
    assert stands(moves, CALL, a_talk()) == moves.live[CALL]
    assert stands(moves, CALL, a_talk(state=CallState.ENDED)) is None


@pytest.mark.parametrize(
    "then", [said(f.SeatAnswered, seat="1003"), said(f.CallTakenOver, by="1003")], ids=["queue", "taken over"]
)
def test_whoever_has_a_caller_out_of_the_queue_or_by_taking_over_stands_at_the_beginning(
    then: f.SeatAnswered | f.CallTakenOver,
) -> None:
    handed = step(told("asked answered joined handed", kind="three", to="1002"), replace(then, call=CALL))
    assert stands(handed, CALL, a_talk(seat="1003")) == stands(Moves(), CALL, a_talk(seat="1003"))


@pytest.mark.parametrize("kind", ["three", "handoff"])
def test_a_caller_in_danger_is_shown_as_safe_whatever_the_wish_was(kind: str) -> None:
    handed = told("asked answered joined handed target-left", kind=kind, urgent=True)
    assert handed.live[CALL].state is State.QUEUED
    back = told("asked agent-left back", kind=kind, urgent=True)
    assert transfer_answer(back.live[CALL]).caller_hears == "ringing"
    sent = told("asked", kind="blind", to="110", urgent=True)
    assert sent.live[CALL].state is State.SENT, "a phone's own REFER is what it is"


def test_a_caller_brought_to_a_colleague_waits_with_music() -> None:
    back = told("asked agent-left back", kind="three", to="1003")
    assert transfer_answer(back.live[CALL]).caller_hears == "music"
    handed = told("asked answered joined handed target-left", kind="three", to="1003")
    assert handed.live[CALL].state is State.OVER


@pytest.mark.parametrize("kind", ["three", "blind"])
def test_a_caller_whose_colleagues_phone_died_is_shown_in_the_queue_and_not_as_over(kind: str) -> None:
    moves = told("asked answered handed", kind=kind, to="1003")
    left = f.TransferStepped(at=BEGAN + 3, node="n1", call=CALL, id="h1", step="target-left", why="44")
    assert step(moves, left).live[CALL].state is State.QUEUED
    assert step(moves, replace(left, why="16")).live[CALL].state is State.OVER


def test_a_record_and_its_facts_survive_the_journal() -> None:
    record = told("asked dialled skipped refused").records["h1"]
    assert from_dict(Handoff, to_dict(record)) == record
    noted = f.HandoffNoted(at=BEGAN, node="n1", id="h1", call=CALL, words=(("officer", "0231"),))
    assert fact_from_dict(fact_to_dict(noted)) == noted


def test_words_come_into_the_record_and_a_message_said_again_keeps_its_first_moment() -> None:
    moves = told("asked")
    for second in (1.0, 2.0):
        moves = noted(moves, second, ("officer", "0231"), ("sent", ""), ("seat", "9999"))
    record = moves.records["h1"]
    assert (record.officer, record.sent, record.seat) == ("0231", BEGAN + 1, "1001")


def noted(moves: Moves, second: float, *words: tuple[str, str]) -> Moves:
    return step(moves, f.HandoffNoted(at=BEGAN + second, node="n1", id="h1", call=CALL, words=words))


def test_a_version_grows_with_what_the_centre_is_told_and_with_nothing_else() -> None:
    moves = told("asked")
    first = moves.records["h1"].version
    moves = noted(moves, 1, ("sent", ""), ("officer", "0231"), ("result", "到场"), ("theirs", "f-1 2"))
    assert moves.records["h1"].version == first
    # at the very same moment, and with a clock that went back
    moves = noted(moves, 0, ("location", "人民路"))
    assert moves.records["h1"].version == first + 1
    moves = noted(moves, -60, ("location", "人民路1号"))
    assert moves.records["h1"].version == first + 2


def test_a_record_is_settled_when_it_is_over_and_its_newest_version_is_agreed() -> None:
    moves = told("asked")
    agreed = noted(moves, 1, ("received", ""), ("confirmed", ""), ("agreed", f"{int(BEGAN * 1000)}"))
    assert not agreed.records["h1"].settled, "it goes on"
    over = step(agreed, f.TransferStepped(at=BEGAN + 9, node="n1", call=CALL, id="h1", step="over"))
    assert not over.records["h1"].settled, "its end is not told"
    last = noted(over, 10, ("confirmed", ""), ("agreed", f"{over.records['h1'].version}"))
    assert last.records["h1"].settled
    assert last.records["h1"].confirmed == BEGAN + 10, "of the version that is agreed"


def test_a_full_board_forgets_last_what_a_centre_is_still_owed() -> None:
    moves = noted(told("asked over"), 2, ("sent", ""))
    for number in range(KEPT + 10):
        id = f"h-{number}"
        for name in ("asked", "over"):
            fact = f.TransferStepped(
                at=BEGAN, node="n1", call=CALL, id=id, step=name, kind="blind", to="1002"
            )
            moves = step(moves, fact)
    assert len(moves.records) == KEPT
    assert "h1" in moves.records
    assert "h-0" not in moves.records


def test_of_the_centres_own_records_the_newest_version_is_remembered() -> None:
    moves = told("asked")
    for one in ("f 1 2", "f 1 1", "f-2 1"):
        moves = noted(moves, 1, ("theirs", one))
    assert moves.records["h1"].theirs == (("f 1", 2), ("f-2", 1))
    assert from_dict(Handoff, to_dict(moves.records["h1"])) == moves.records["h1"]


def handed_to_us(**more: str) -> f.HandedToUs:
    told = {"centre": "110", "case": "JQ-1", "trunk": "centres", "caller": "139", **more}
    return f.HandedToUs(at=BEGAN + 60, node="n1", call=CallId(f"{CALL}9"), **told)


def test_a_call_a_centre_hands_to_us_has_a_record_with_its_case_and_story() -> None:
    moves = step(Moves(), handed_to_us(story="两车追尾"))
    moves = step(
        moves,
        f.SeatAnswered(
            at=BEGAN + 63, node="n1", call=CallId(f"{CALL}9"), city="demo", queue="general", seat="1002",
            leg=LegId("n1-2"), waited=2.0, rang=1.0,
        ),
    )  # fmt: skip
    (record,) = moves.records.values()
    assert (record.direction, record.centre, record.case, record.story) == ("in", "110", "JQ-1", "两车追尾")
    assert (record.seat, record.answered, record.outcome) == ("1002", BEGAN + 63, "accepted")


def to_us_and(*facts: f.Fact) -> Handoff:
    """The record of a caller whom 110 handed to us, after these facts, with person 8002 at seat 1002."""
    call, leg = CallId(f"{CALL}9"), LegId(f"{CALL}9".removeprefix("demo-"))
    sits = f.AgentBound(at=BEGAN, node="n1", city="demo", seat="1002", agent="8002")
    arrived = f.CallArrived(
        at=BEGAN + 60, node="n1", call=call, leg=leg, city="demo", trunk="centres", line="main",
        called="12345", original="", caller="139", sip_call="",
    )  # fmt: skip
    return replay([sits, arrived, handed_to_us(), *facts]).moves.records[f"in-{call}"]


def answers(seat: str) -> f.Fact:
    return f.SeatAnswered(
        at=BEGAN + 63, node="n1", call=CallId(f"{CALL}9"), city="demo", queue="general", seat=seat,
        leg=LegId("n1-2"), waited=2.0, rang=1.0,
    )  # fmt: skip


def leaves(by: str) -> f.Fact:
    return f.CallLeft(at=BEGAN + 90, node="n1", call=CallId(f"{CALL}9"), by=by, cause=16)


def test_the_record_of_a_caller_handed_to_us_names_the_agent_who_answered_them() -> None:
    record = to_us_and(answers("1002"), leaves("caller"))
    assert (record.seat, record.agent, record.outcome) == ("1002", "8002", "accepted")
    assert "<tr><th>工号 agent</th><td>8002</td></tr>" in sheet(record, full=True)
    assert to_us_and(answers("1003")).agent == "", "nobody is known to sit there"


def test_a_caller_handed_to_us_who_gives_up_before_anybody_answers_is_recorded_so() -> None:
    record = to_us_and(leaves("caller"))
    assert (record.outcome, record.answered, record.ended) == ("abandoned", None, BEGAN + 90)
    assert "<td>abandoned</td>" in sheet(record, full=True)
    assert record.version > to_us_and().version, "the centre is told"


def test_whoever_was_answered_while_nobody_listened_has_not_given_up() -> None:
    call = CallId(f"{CALL}9")
    legs = (
        leg_now(LegId(call.removeprefix("demo-")), call=call, bridge="b1"),
        leg_now(LegId("n1-2"), call=call, channel="PJSIP/demo-1002-2", endpoint="demo-1002", bridge="b1"),
    )
    talks = said(f.Snapshot, BEGAN + 70, legs=legs)
    assert to_us_and(talks, leaves("caller")).outcome == "asked"
    assert to_us_and(leaves("system")).outcome == "asked", "a duty phone may have had them"


def test_a_caller_who_comes_back_is_linked_to_the_record_by_which_they_had_gone() -> None:
    record = step(told("asked dialled answered handed"), handed_to_us(of="h1")).touched[0]
    assert (record.direction, record.of) == ("in", "h1")
    assert "<tr><th>原移交 returned from</th><td>h1</td></tr>" in sheet(record, full=True)


@pytest.mark.parametrize("said", [{"of": "h2"}, {"of": ""}, {"of": "h1", "centre": "119"}], ids=str)
def test_a_record_of_nobody_or_of_another_centre_is_not_linked(said: dict[str, str]) -> None:
    assert step(told("asked handed"), handed_to_us(**said)).touched[0].of == ""


def test_a_record_of_another_city_is_not_linked() -> None:
    there = replace(handed_to_us(of="h1"), call=CallId("luan-1.1"))
    assert step(told("asked handed"), there).touched[0].of == ""


def test_a_caller_whom_the_centre_handed_to_us_is_no_record_to_come_back_from() -> None:
    moves = step(Moves(), handed_to_us())
    assert step(moves, handed_to_us(of=f"in-{CALL}9")).touched[0].of == ""


def test_what_people_typed_stays_text_on_the_sheet_and_numbers_are_masked() -> None:
    record = Handoff("h1", CALL, "demo", "out", "handoff", "110", caller="13900000001", summary="<b>x</b>")
    text = sheet(record, full=False)
    assert "<b>x" not in text
    assert "13900000001" not in text
    assert handoff_answer(record, full=True)["caller"] == "13900000001"


def test_whoever_keeps_an_undecided_caller_is_not_unsaid_by_the_end_of_the_call() -> None:
    kept = f.HandoffNoted(at=BEGAN + 5, node="n1", id="h1", call=CALL, words=(("outcome", "kept"),))
    moves = step(told("asked dialled answered joined", kind="three"), kept)
    over = f.TransferStepped(at=BEGAN + 9, node="n1", call=CALL, id="h1", step="over")
    record = step(moves, over).records["h1"]
    assert (record.outcome, record.ended) == ("kept", BEGAN + 9)
    # but an agent who leaves the caller to the centre after all has handed them over
    handed = f.TransferStepped(at=BEGAN + 9, node="n1", call=CALL, id="h1", step="handed")
    handed_over = step(moves, handed).records["h1"]
    assert (handed_over.outcome, handed_over.decided, handed_over.keeper) == ("handed", None, "")


def test_a_record_says_who_kept_an_undecided_caller_first_and_the_platform_that_answered_first() -> None:
    moves = told("asked dialled answered joined", kind="three")
    moves = noted(moves, 5, ("outcome", "kept"), ("decided_by", "zhang"))
    # the centre agrees, and says so again with each newer version of its own record
    moves = noted(moves, 7, ("outcome", "kept"), ("decided_by", "centre-110"))
    record = moves.records["h1"]
    assert (record.decided, record.decided_by, record.keeper) == (BEGAN + 5, "zhang", "12345")
    page = sheet(record, full=True)
    for cell in ("<td>kept</td>", "<th>首接受理平台 kept by</th><td>12345</td>", "<td>zhang</td>"):
        assert cell in page
    # whoever came from a centre had been answered there first
    to_us = replace(record, direction="in")
    assert to_us.keeper == "110"
    refused = noted(moves, 9, ("outcome", "refused"), ("decided_by", "centre-110")).records["h1"]
    assert (refused.decided, refused.decided_by, refused.keeper) == (BEGAN + 9, "centre-110", "")


def test_a_number_that_somebody_wrote_into_a_text_is_masked_with_the_callers() -> None:
    caller = "13900000001"
    record = Handoff("h1", CALL, "demo", "out", "handoff", "110", caller=caller, summary=f"回拨{caller}")
    assert caller not in sheet(record, full=False)
    assert handoff_answer(record, full=False)["summary"] == "回拨139****0001"
    assert handoff_answer(record, full=True)["summary"] == f"回拨{caller}"
    # a neighbour's, with dashes, of a caller who withheld theirs
    other = replace(record, caller="", summary="邻居138-0013-8000，2026-11-20 10:30")
    assert handoff_answer(other, full=False)["summary"] == "邻居138-****-8000，2026-11-20 10:30"
