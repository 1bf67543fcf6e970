"""One call as prose."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import facts as f
from calls.facts import Fact, LegId
from calls.mask import masked, masked_in
from calls.story import tell
from tests.story.a_call import CALL, CALLER, SEAT_LEG, answered, arrives, said, seat_starts


def english(*facts: Fact, full: bool = False) -> list[str]:
    return [line.en for line in tell(facts, CALL, full=full)]


def test_an_answered_call_is_told_from_the_first_ring_to_the_last_word() -> None:
    facts = [
        *answered(),
        said(f.LegHeld, 115.0, leg=SEAT_LEG),
        said(f.LegUnheld, 118.0, leg=SEAT_LEG),
        said(f.SeatFinished, 140.0, talked=30.0, reason="caller"),
        said(f.CallLeft, 140.0),
        said(f.LegEnded, 140.0, leg=CALLER),
    ]
    assert english(*facts) == [
        "138****8000 called 12345, line main, trunk carrier",
        "the greeting ended",
        "the service said: queue:general",
        "joined queue general at position 1",
        "seat 1001 rings",
        "seat 1001 answered (waited 5 s, rang 2 s)",
        "seat 1001 put the other on hold",
        "seat 1001 took the other back from hold",
        "talked to seat 1001 for 30 s",
        "the caller hung up; the call ended (cause 16)",
    ]


def test_every_line_is_told_in_chinese_too() -> None:
    lines = tell([*answered(), said(f.CallLeft, 140.0)], CALL)
    assert lines[0].zh == "138****8000 拨入 12345，线路 main，中继 carrier"
    assert all(line.zh and line.zh != line.en for line in lines)


def test_a_seat_reached_by_a_transfer_is_told_when_it_talks() -> None:
    facts = [
        *answered(),
        said(f.BlindTransferred, 130.0, by=SEAT_LEG, leg=CALLER, to="1002"),
        said(f.SeatFinished, 130.0, reason="transfer", talked=20.0),
        seat_starts(LegId("n1-100.3"), "1002", 131.0),
        said(f.LegJoined, 133.0, leg=LegId("n1-100.3"), bridge="b2"),
        said(f.LegJoined, 133.0, leg=CALLER, bridge="b2"),
    ]
    assert english(*facts)[-3:] == [
        "seat 1001 transferred the call to 1002",
        "talked to seat 1001 for 20 s; the agent transferred the call",
        "connected to seat 1002",
    ]


def test_a_queue_that_only_goes_on_after_a_talk_is_no_giving_up() -> None:
    assert english(said(f.QueueGaveUp, status="CONTINUE", key="")) == []


def test_whoever_comes_to_a_message_is_told_to_have_come_there() -> None:
    assert english(said(f.MessageReached, message="sorry")) == ["came to message sorry"]


def test_the_whole_number_is_shown_only_when_asked_for() -> None:
    assert english(*arrives(), full=True)[0].startswith("13800138000 called")
    assert not any("13800138000" in text for text in english(*arrives()))


def test_the_number_first_dialled_is_told_when_it_is_another() -> None:
    assert "first dialled 12315" in english(said(f.CallArrived, original="12315"))[0]


def test_a_fact_heard_twice_is_told_once() -> None:
    assert english(said(f.SeatRang), said(f.SeatRang)) == ["seat 1001 rings"]


def test_a_call_whose_dialplan_said_no_goodbye_still_ends() -> None:
    assert english(*arrives(), said(f.LegEnded, 120.0, leg=CALLER))[-1] == "the caller's leg ended (cause 16)"


def test_the_end_of_another_leg_is_no_end_of_the_call() -> None:
    assert english(*arrives(), said(f.LegEnded, 120.0, leg=LegId("n1-100.9"))) == english(*arrives())


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("SKIPPED", "not asked"),
        ("SILENT", "stayed silent"),
        ("FAILURE", "not reached"),
        ("SUCCESS", "no advice"),
    ],
)
def test_a_question_without_an_answer_says_why_the_default_held(status: str, told: str) -> None:
    (line,) = english(said(f.AdviceAsked, status=status, next="", by="dialplan"))
    assert told in line
    assert "default" in line


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13800138000", "138****8000"),
        ("05641234567", "056****4567"),
        ("12345", "12345"),
        ("1234567", "1****67"),
        ("+8613800138000", "+86138****8000"),
        ("", ""),
    ],
)
def test_a_citizens_number_is_masked(number: str, shown: str) -> None:
    assert masked(number) == shown


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("回电 13800138000", "回电 138****8000"),
        ("138-0013-8000", "138-****-8000"),
        ("138 0013 8000。", "138 **** 8000。"),
        ("138.0013\u30008000", "138.****\u30008000"),
        ("138\u200b0013\u200b8000", "138\u200b****\u200b8000"),
        ("+86 138－0013－8000", "+86 1**－****－8000"),
        ("0551-6351-2345", "055*-****-2345"),
        ("（0551） 6351-2345 转 801", "（055*） ****-2345 转 801"),
        ("6351-2345", "****-2345"),
        ("635 1234", "6** **34"),
        ("１３８ ００１３ ８０００", "１３８ **** ８０００"),
        ("13800138000 13900139000", "138******** *******9000"),
        ("340104199003071234", "340***********1234"),
        ("138-2026-11-20", "138-****-11-20"),
        ("2026-11-20-13800138000", "202*-**-**-*******8000"),
        ("2026-11-20 09:30 13800138000", "2026-11-20 09:30 138****8000"),
        ("9:00-18:00，2026-11-20 2026-11-27", "9:00-18:00，2026-11-20 2026-11-27"),
        ("12345 转 8001，301 室，三号线", "12345 转 8001，301 室，三号线"),
        ("1\n2\n3\n4\n5\n6\n7", "1\n2\n3\n4\n5\n6\n7"),
    ],
)
def test_a_number_in_a_text_is_masked_however_it_is_written_and_a_day_or_time_is_readable(
    typed: str, shown: str
) -> None:
    assert masked_in(typed) == shown


@given(st.text("0123456789０１ -.()－:\n话", max_size=40))
def test_of_a_number_in_a_text_at_most_three_digits_and_four_are_shown_and_never_more_than_of_it_alone(
    typed: str,
) -> None:
    shown = masked_in(typed)
    assert len(shown) == len(typed)
    assert all(new in (old, "*") for old, new in zip(typed, shown, strict=True))
    for bare in re.findall(r"\d{7,}", typed):
        assert bare not in shown
    if typed.isdecimal() and len(typed) >= 7:
        assert (len(typed) - shown.count("*")) <= min(7, len(masked(typed).replace("*", "")))
