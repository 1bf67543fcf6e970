"""The recording of a leg: wanted -> rolling -> paused -> filed | missing, in any order of facts."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from recording.check import HEADER, Found, Header, Stretch, closed, header_of, holes, mended, verdict
from recording.filed import Role, whose
from recording.table import LIFE, Recording, Recordings, State, message_of, speaker, step

CALLER, SEAT, COLLEAGUE = LegId("n1-1.1"), LegId("n1-2.2"), LegId("n1-3.3")
CALL = CallId("demo-n1-1.1")
CONSULT = CallId("demo-n1-2.9")


def at(t: float, fact: type[Fact], /, **told: Any) -> Fact:
    return fact(at=t, node="n1", **told)


def started(leg: LegId, call: CallId | None, channel: str, t: float = 0.0) -> Fact:
    endpoint = channel.removeprefix("PJSIP/").rpartition("-")[0] if channel.startswith("PJSIP/") else ""
    return at(t, f.LegStarted, leg=leg, channel=channel, call=call, endpoint=endpoint, caller="", called="",
              context="", linked=CALLER)  # fmt: skip


def arrived(line: str = "main") -> Fact:
    return at(0.1, f.CallArrived, call=CALL, leg=CALLER, city="demo", trunk="t", line=line, called="12345",
              original="12345", caller="139", sip_call="")  # fmt: skip


def plays(*facts: Fact) -> Recordings:
    told = Recordings()
    for fact in facts:
        told = step(told, fact)
    return told


def state_of(told: Recordings, leg: LegId) -> State | None:
    one = told.of(leg)
    return None if one is None else one.state


BEGUN = (
    started(CALLER, None, "PJSIP/demo-carrier-1"),
    arrived(),
    at(0.2, f.LegAnswered, leg=CALLER),
    at(0.3, f.RecordingStarted, call=CALL, leg=CALLER, file="d/c/1.wav"),
)


def test_a_caller_is_wanted_from_the_answer_and_rolls_when_asterisk_writes() -> None:
    assert state_of(plays(*BEGUN[:3]), CALLER) is State.WANTED
    assert state_of(plays(*BEGUN), CALLER) is State.ROLLING


def test_of_a_stand_in_no_file_is_missing() -> None:
    stand_in = started(CALLER, None, "Local/demo-n1-0.9@stand-in-00000001;2")
    told = plays(stand_in, arrived(), at(0.2, f.LegAnswered, leg=CALLER))
    assert state_of(told, CALLER) is None


MESSAGE = message_of(CALLER)


def owed(file: str) -> Fact:
    return at(9.0, f.CallBackOwed, call=CALL, caller="139", line="main", message=file)


def test_a_message_that_was_left_is_a_recording_to_be_looked_at_beside_the_callers() -> None:
    told = plays(*BEGUN, owed(f"d/{CALL}/{MESSAGE}.wav"))
    (due,) = told.due()
    assert (due.leg, due.call, due.file, due.sure) == (MESSAGE, CALL, f"d/{CALL}/{MESSAGE}.wav", False)
    assert whose(due) == (Role.MESSAGE, "")
    assert speaker(due.leg) == CALLER
    done = {"call": CALL, "leg": MESSAGE, "file": due.file, "seconds": 4.0, "sha256": "", "short": 0.0}
    filed = step(told, at(10.0, f.RecordingFiled, **done))
    assert state_of(filed, MESSAGE) is State.FILED
    assert state_of(step(filed, owed(due.file)), MESSAGE) is State.FILED


@pytest.mark.parametrize("file", ["", "d/c/message.wav", "d/c/1.wav"])
def test_a_promise_without_a_message_is_no_recording(file: str) -> None:
    assert plays(*BEGUN, owed(file)).due() == []


def test_a_message_in_which_nothing_was_said_is_not_missing_and_one_without_a_file_is() -> None:
    left = plays(*BEGUN, owed(f"d/{CALL}/{MESSAGE}.wav")).due()[0]
    assert verdict(left, Found(HEADER, Header(8000, 1, 16, 0))).why == ""
    assert verdict(left, Found(-1)).why == "never-started"


def test_a_number_of_no_line_is_not_recorded() -> None:
    told = plays(
        started(CALLER, None, "PJSIP/demo-carrier-1"), arrived(""), at(0.2, f.LegAnswered, leg=CALLER)
    )
    assert told.of(CALLER) is None


def test_a_phone_that_is_heard_and_of_which_nobody_says_that_it_is_recorded_is_wanted() -> None:
    told = plays(
        *BEGUN,
        started(SEAT, CALL, "PJSIP/demo-1001-2", 1.0),
        at(2.0, f.LegJoined, leg=SEAT, bridge="b", kind="basic"),
    )
    assert state_of(told, SEAT) is State.WANTED
    told = step(told, at(3.0, f.LegEnded, leg=SEAT, cause=16))
    assert [one.leg for one in told.due()] == [SEAT]
    told = step(told, at(3.1, f.RecordingMissing, leg=SEAT, call=CALL, why="never-started"))
    assert (state_of(told, SEAT), told.due()) == (State.MISSING, [])


def test_a_local_channel_and_music_on_hold_are_nobodys_voice() -> None:
    told = plays(
        *BEGUN,
        started(SEAT, CALL, "Local/s@x-1;2", 1.0),
        at(2.0, f.LegJoined, leg=SEAT, bridge="b", kind="basic"),
        started(COLLEAGUE, CALL, "PJSIP/demo-1002-3", 1.0),
        at(2.0, f.LegJoined, leg=COLLEAGUE, bridge="h", kind="holding"),
    )
    assert told.of(SEAT) is None
    assert told.of(COLLEAGUE) is None


def test_a_pause_is_kept_with_its_seconds_and_ends_with_the_leg() -> None:
    told = plays(
        *BEGUN,
        at(5.3, f.RecordingPaused, leg=CALLER),
        at(7.3, f.RecordingResumed, leg=CALLER),
        at(9.3, f.RecordingPaused, leg=CALLER),
    )
    assert state_of(told, CALLER) is State.PAUSED
    told = step(told, at(10.3, f.LegEnded, leg=CALLER, cause=16))
    one = told.of(CALLER)
    assert one is not None
    assert one.pauses == ((5.0, 7.0), (9.0, 10.0))


def test_a_consultations_file_follows_its_leg_into_the_citizens_call() -> None:
    told = plays(
        started(COLLEAGUE, None, "PJSIP/demo-1002-3"),
        at(1.0, f.RecordingStarted, call=CONSULT, leg=COLLEAGUE, file="d/x/3.wav"),
        at(2.0, f.LegBelongs, leg=COLLEAGUE, call=CALL),
    )
    one = told.of(COLLEAGUE)
    assert one is not None
    assert one.call == CALL


def test_a_masqueraded_channel_goes_on_in_the_first_ones_file() -> None:
    """Asterisk: W is renamed X<MASQ>, U takes X, W ends; MixMonitor writes on for U."""
    name = "PJSIP/demo-carrier-1"
    told = plays(
        *BEGUN,
        started(SEAT, None, "AsyncGoto/x"),
        at(4.0, f.LegRenamed, leg=CALLER, channel=name + "<MASQ>"),
        at(4.0, f.LegRenamed, leg=SEAT, channel=name),
        at(4.0, f.LegRenamed, leg=CALLER, channel=name + "<ZOMBIE>"),
        at(4.1, f.LegEnded, leg=CALLER, cause=16),
    )
    assert told.due() == []
    told = step(told, at(9.0, f.LegEnded, leg=SEAT, cause=16))
    assert [(one.leg, one.ended) for one in told.due()] == [(CALLER, 9.0)]


def test_a_leg_that_was_gone_when_we_looked_again_is_due_and_its_end_is_not_sure() -> None:
    told = plays(
        *BEGUN,
        at(60.0, f.Snapshot, legs=(), members=(), waiters=(), queues=()),
    )
    [one] = told.due()
    assert not one.sure


def test_a_leg_that_talks_when_we_begin_to_listen_is_wanted() -> None:
    there = f.LegNow(leg=SEAT, channel="PJSIP/demo-1001-2", call=CALL, endpoint="demo-1001", linked=CALLER,
                     caller="", called="", context="", up=True, bridge="b", seconds=5.0)  # fmt: skip
    told = plays(at(60.0, f.Snapshot, legs=(there,), members=(), waiters=(), queues=()))
    assert state_of(told, SEAT) is State.WANTED
    assert [one.leg for one in step(told, at(70.0, f.LegEnded, leg=SEAT, cause=16)).due()] == [SEAT]


def test_a_file_that_turns_up_after_all_is_filed() -> None:
    assert LIFE[(State.MISSING, f.RecordingFiled)] is State.FILED
    assert (State.FILED, f.RecordingMissing) not in LIFE


FACTS = st.sampled_from(
    [
        *BEGUN,
        started(SEAT, CALL, "PJSIP/demo-1001-2", 1.0),
        at(2.0, f.LegJoined, leg=SEAT, bridge="b", kind="basic"),
        at(2.1, f.RecordingStarted, call=CALL, leg=SEAT, file="d/c/2.wav"),
        at(3.0, f.RecordingPaused, leg=SEAT),
        at(3.5, f.RecordingResumed, leg=SEAT),
        at(4.0, f.LegEnded, leg=SEAT, cause=16),
        at(4.1, f.RecordingFiled, leg=SEAT, call=CALL, file="d/c/2.wav", seconds=2.0, sha256=""),
        at(4.1, f.RecordingMissing, leg=SEAT, call=CALL, why="empty"),
        at(5.0, f.LegEnded, leg=CALLER, cause=16),
        at(6.0, f.Snapshot, legs=(), members=(), waiters=(), queues=()),
    ]
)


@given(st.lists(FACTS, max_size=30))
def test_no_order_of_facts_lets_a_recording_vanish(facts: list[Fact]) -> None:
    """Whatever was once wanted is going on, due, filed or missing."""
    told = Recordings()
    seen: set[LegId] = set()
    for fact in facts:
        told = step(told, fact)
        seen |= {one.leg for one in told.touched}
        for leg in seen:
            one = told.of(leg)
            assert one is not None
            assert one.over or one.due or one.ended is None
        of_calls = {call: {leg for leg, one in told.going.items() if one.call == call} for call in told.calls}
        assert dict(told.calls) == of_calls
        assert sum(len(legs) for legs in told.calls.values()) == len(told.going)
    ended = plays(*facts, at(9.0, f.Snapshot, legs=(), members=(), waiters=(), queues=()))
    assert all(one.due for one in ended.going.values())


# --- the file ---------------------------------------------------------------------------------------


def wav(data: int, told: int | None = None, rate: int = 8000) -> bytes:
    told = data if told is None else told
    head = (
        b"RIFF"
        + struct.pack("<I", 36 + told)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * 2, 2, 16)
    )
    return head + b"data" + struct.pack("<I", told) + bytes(data)


def leg(began: float | None, ended: float) -> Recording:
    return Recording(CALLER, CALL, State.ROLLING, since=0.0, began=began, ended=ended)


@pytest.mark.parametrize(
    ("began", "ended", "size", "seconds", "short", "why"),
    [
        (0.0, 10.0, 44 + 160000, 10.0, 0.0, ""),
        (0.0, 10.0, 44 + 80000, 5.0, 5.0, ""),
        (0.0, 10.0, 44 + 150000, 9.375, 0.0, ""),
        (0.0, 10.0, 44, 0.0, 0.0, "empty"),
        # gone before its first sound: nothing was lost
        (0.0, 0.4, 44, 0.0, 0.0, ""),
        (0.0, 10.0, -1, 0.0, 0.0, "no-file"),
        (None, 10.0, -1, 0.0, 0.0, "never-started"),
    ],
)
def test_a_file_is_judged_by_its_header_and_its_legs_time(
    began: float | None, ended: float, size: int, seconds: float, short: float, why: str
) -> None:
    header = Header(8000, 1, 16, size - HEADER) if size >= HEADER else None
    told = verdict(leg(began, ended), Found(size, header))
    assert (told.seconds, told.short, told.why) == (seconds, short, why)


def test_what_is_no_wav_is_broken() -> None:
    assert verdict(leg(0.0, 1.0), Found(5000, header_of(b"x" * 44))).why == "broken"


def test_asterisks_open_file_is_not_closed_and_a_dead_ones_is_mended() -> None:
    raw = wav(32000, told=0)
    assert not closed(Found(len(raw), header_of(raw)))
    again = header_of(mended(raw[:HEADER], len(raw)))
    assert again == Header(8000, 1, 16, 32000)


def test_talk_in_no_file_is_a_gap_and_talk_in_two_is_told() -> None:
    talk = [Stretch("a", 0.0, 10.0)]
    assert holes(talk, [Stretch("a", -1.0, 11.0)]).gaps == ()
    assert holes(talk, [Stretch("a", 0.0, 4.0)]).gaps == (Stretch("a", 4.0, 10.0),)
    assert holes(talk, []).gaps == (Stretch("a", 0.0, 10.0),)
    both = holes(talk, [Stretch("a", 0.0, 6.0), Stretch("a", 3.0, 10.0)])
    assert (both.gaps, both.twice) == ((), (Stretch("a", 3.0, 6.0),))
