"""Where in a recording somebody talked to others while the citizen heard nobody; what is cut out of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from plan.recordings import RecordingClass
from recording.consulted import in_file, is_whole, of_row, parted, quiet
from recording.filed import Filed, Role
from recording.recognised import Word
from recording.retention import DAY, Term, terms
from recording.table import Recording, Recordings, step
from recording.transcript import Now, Said, Transcript
from tests.replay.telling import heard, tape
from tests.story.plan_files import demo
from tests.story.test_recording_table import BEGUN, CALL, CALLER, COLLEAGUE, SEAT, at, plays, started

LOCAL = LegId("n1-9.1")
HOUR = 3600.0


def joined(t: float, bridge: str, *legs: LegId, kind: str = "basic") -> tuple[Fact, ...]:
    return tuple(at(t, f.LegJoined, leg=leg, bridge=bridge, kind=kind) for leg in legs)


def left(t: float, bridge: str, *legs: LegId) -> tuple[Fact, ...]:
    return tuple(at(t, f.LegLeft, leg=leg, bridge=bridge) for leg in legs)


def recorded(t: float, leg: LegId, call: CallId = CALL) -> Fact:
    return at(t, f.RecordingStarted, call=call, leg=leg, file=f"d/c/{leg}.wav")


TALK = (
    *BEGUN,
    started(SEAT, CALL, "PJSIP/demo-1001-2", 5.0),
    recorded(10.0, SEAT),
    *joined(10.1, "talk", SEAT, CALLER),
)
"""Citizen and agent hear each other from 10.1 on."""
ASKED = (
    *TALK,
    *left(20.0, "talk", SEAT, CALLER),
    started(COLLEAGUE, CALL, "PJSIP/demo-1003-3", 21.0),
    recorded(24.0, COLLEAGUE),
    *joined(24.1, "aside", COLLEAGUE, SEAT),
)
"""From 20 on the agent asks a colleague, who answers at 24."""


def apart(told: Recordings, leg: LegId) -> list[tuple[float, float]]:
    one = told.of(leg)
    assert one is not None
    return list(one.apart)


def test_an_agent_who_asks_a_colleague_is_apart_until_both_hear_the_citizen_again() -> None:
    told = plays(*ASKED, *left(40.0, "aside", SEAT, COLLEAGUE), *joined(40.1, "room", SEAT, COLLEAGUE))
    assert apart(told, SEAT) == []  # it goes on: the citizen is not there yet
    for fact in joined(40.5, "room", CALLER, kind="conference"):
        told = step(told, fact)
    assert apart(told, SEAT) == [(20.0, 40.5)]
    assert apart(told, COLLEAGUE) == [(24.0, 40.5)]
    assert apart(told, CALLER) == []


def test_a_colleague_who_never_hears_the_citizen_says_nothing_but_consultation() -> None:
    told = plays(
        *ASKED,
        *left(40.0, "aside", SEAT, COLLEAGUE),
        *joined(40.2, "room", SEAT, CALLER),
        # Asterisk may be slow to tell that they are gone
        at(42.0, f.LegEnded, leg=COLLEAGUE, cause=16),
        *left(50.0, "room", CALLER, SEAT),
        at(50.1, f.LegEnded, leg=CALLER, cause=16),
        at(50.4, f.LegEnded, leg=SEAT, cause=16),
    )
    assert apart(told, SEAT) == [(20.0, 40.2)]
    assert apart(told, COLLEAGUE) == [(24.0, 42.0)]


def test_an_agent_whom_nobody_answers_has_consulted_nobody() -> None:
    told = plays(
        *TALK, *left(20.0, "talk", SEAT, CALLER), *joined(30.0, "room", SEAT), *joined(30.1, "room", CALLER)
    )
    assert apart(told, SEAT) == []


def test_who_is_called_into_the_talk_is_heard_by_the_citizen_from_the_first_word() -> None:
    told = plays(
        *TALK,
        *left(20.0, "talk", SEAT, CALLER),
        *joined(20.1, "room", SEAT, CALLER, kind="conference"),
        started(COLLEAGUE, CALL, "PJSIP/demo-1003-3", 20.2),
        recorded(24.0, COLLEAGUE),
        *joined(24.3, "room", COLLEAGUE, kind="conference"),
        *left(30.0, "room", SEAT),
        at(30.1, f.LegEnded, leg=SEAT, cause=16),
        *left(40.0, "room", CALLER, COLLEAGUE),
        at(40.1, f.LegEnded, leg=COLLEAGUE, cause=16),
    )
    assert apart(told, SEAT) == apart(told, COLLEAGUE) == []


def test_a_consultation_that_outlasts_the_citizen_lasts_until_it_is_over() -> None:
    told = plays(*ASKED, at(30.0, f.LegEnded, leg=CALLER, cause=16), at(60.0, f.LegEnded, leg=SEAT, cause=16))
    assert apart(told, SEAT) == [(20.0, 60.0)]


def test_two_consultations_of_one_call_are_two_stretches() -> None:
    told = plays(
        *ASKED,
        *left(40.0, "aside", SEAT, COLLEAGUE),
        *joined(41.0, "room", SEAT, CALLER),
        *left(50.0, "room", SEAT, CALLER),
        *joined(52.0, "again", SEAT, COLLEAGUE),
        at(60.0, f.LegEnded, leg=SEAT, cause=16),
    )
    assert apart(told, SEAT) == [(20.0, 41.0), (50.0, 60.0)]


SECOND = LegId("n1-2.9")
INNER = CallId("demo-n1-2.9")


OWN_CALL = (
    *TALK,
    started(SECOND, INNER, "PJSIP/demo-1001-9", 20.0),
    started(COLLEAGUE, INNER, "PJSIP/demo-1003-3", 20.1),
    recorded(24.0, SECOND, INNER),
    recorded(24.0, COLLEAGUE, INNER),
    *joined(24.1, "aside", SECOND, COLLEAGUE),
)
HANDED = (
    *left(40.0, "aside", COLLEAGUE),
    at(40.0, f.LegBelongs, leg=COLLEAGUE, call=CALL),
    *left(40.0, "talk", SEAT),
    *joined(40.0, "talk", COLLEAGUE),
    at(40.1, f.LegEnded, leg=SECOND, cause=16),
    at(60.0, f.LegEnded, leg=COLLEAGUE, cause=16),
)


def looked_again(t: float, *there: tuple[LegId, CallId, str, str]) -> Fact:
    """We were away for a moment: leg, call, endpoint and bridge of each."""
    legs = tuple(
        f.LegNow(leg, f"PJSIP/{endpoint}-1", call, endpoint, CALLER, "", "", "", True, bridge, 9.0)
        for leg, call, endpoint, bridge in there
    )
    return at(t, f.Snapshot, legs=legs, members=(), waiters=(), queues=())


@pytest.mark.parametrize("away", [False, True], ids=["heard", "looked_again"])
def test_a_phones_own_second_call_to_a_colleague_is_apart_until_the_citizen_is_handed_over(
    away: bool,
) -> None:
    again = looked_again(
        30.0,
        (CALLER, CALL, "demo-carrier", "talk"),
        (SEAT, CALL, "demo-1001", "talk"),
        (SECOND, INNER, "demo-1001", "aside"),
        (COLLEAGUE, INNER, "demo-1003", "aside"),
    )
    told = plays(*OWN_CALL, *((again,) if away else ()), *HANDED)
    assert apart(told, SECOND) == [(24.0, 40.1)]
    assert apart(told, COLLEAGUE) == [(24.0, 40.0)]
    assert apart(told, SEAT) == []


def test_a_citizen_whom_a_seat_calls_is_in_a_talk_like_any() -> None:
    out = CallId("demo-n1-2.2")
    told = plays(
        started(SEAT, None, "PJSIP/demo-1001-2"),
        at(0.1, f.CallArrived, call=out, leg=SEAT, city="demo", trunk="", line="", called="12345",
           original="", caller="139", sip_call="", direction="out", seat="1001"),
        started(CALLER, out, "PJSIP/demo-carrier-1", 0.2),
        recorded(5.0, SEAT, out),
        recorded(5.0, CALLER, out),
        *joined(5.1, "talk", CALLER, SEAT),
        at(9.0, f.LegEnded, leg=SEAT, cause=16),
        at(9.4, f.LegEnded, leg=CALLER, cause=16),
    )  # fmt: skip
    assert apart(told, SEAT) == apart(told, CALLER) == []


def test_a_citizen_who_is_called_back_is_not_taken_for_a_colleague() -> None:
    """Half of a stand-in waited in the queue and is what a transfer moves; they talk to the other half."""
    citizen = LegId("n1-9.3")
    back = (
        started(LOCAL, None, "Local/x@stand-in-00000001;1"),
        started(CALLER, None, "Local/x@stand-in-00000001;2"),
        at(0.1, f.CallArrived, call=CALL, leg=CALLER, city="demo", trunk="", line="main", called="12345",
           original="12345", caller="139", sip_call="", callback_of="demo-n1-0.1"),
        started(SEAT, CALL, "PJSIP/demo-1001-2", 5.0),
        recorded(10.0, SEAT),
        *joined(10.1, "talk", SEAT, CALLER),
        started(citizen, CALL, "PJSIP/demo-carrier-7", 10.5),
        recorded(12.0, citizen),
        *joined(12.1, "theirs", citizen, LOCAL),
        *ASKED[len(TALK):],
        *left(40.0, "aside", SEAT, COLLEAGUE),
        *joined(40.1, "room", SEAT, CALLER),
    )  # fmt: skip
    told = plays(*back)
    assert apart(told, SEAT) == [(20.0, 40.1)]
    assert apart(told, citizen) == []


def test_a_consultation_found_when_we_look_again_begins_there() -> None:
    seen = looked_again(
        30.0,
        (CALLER, CALL, "demo-carrier", ""),
        (SEAT, CALL, "demo-1001", "aside"),
        (COLLEAGUE, CALL, "demo-1003", "aside"),
    )
    told = plays(*TALK, seen, *joined(40.0, "room", SEAT), *joined(40.1, "room", CALLER))
    assert apart(told, SEAT) == [(30.0, 40.1)]
    # one that went on all the time keeps its beginning
    assert apart(plays(*ASKED, seen, at(50.0, f.LegEnded, leg=SEAT, cause=16)), SEAT) == [(20.0, 50.0)]


def test_who_of_a_call_is_apart_is_told_without_looking_at_the_other_calls() -> None:
    class Unread(dict[LegId, Any]):
        def values(self) -> Any:
            raise AssertionError("all of them were looked at")

        items = values

    told = plays(*ASKED)
    closed = replace(told, going=Unread(told.going), rooms=Unread(told.rooms))
    belongs = at(25.0, f.LegBelongs, leg=COLLEAGUE, call=CALL)
    assert step(closed, belongs).going == step(told, belongs).going


@pytest.mark.parametrize(
    ("name", "whose", "begin", "end"),
    [("attended_by_order", "demo-1001", 0.948, 3.020), ("attended_by_order", "demo-1002", 1.149, 3.019)],
)
def test_a_tape_of_asterisk_tells_when_the_citizen_heard_nobody(
    name: str, whose: str, begin: float, end: float
) -> None:
    told, first = Recordings(), None
    stretches: dict[str, Recording] = {}
    for fact in heard(tape(name)):
        first = fact.at if first is None and isinstance(fact, f.LegStarted) else first
        told = step(told, fact)
        stretches |= {one.endpoint: one for one in (*told.going.values(), *told.over.values())}
    assert first is not None
    [(since, until)] = stretches[whose].apart
    assert (since - first, until - first) == pytest.approx((begin, end), abs=0.002)


LEGS = st.sampled_from([CALLER, SEAT, COLLEAGUE])


def _moves(moves: list[tuple[LegId, str]]) -> list[Fact]:
    facts: list[Fact] = []
    where: dict[LegId, str] = {}
    for n, (leg, room) in enumerate(moves):
        t = 30.0 + n
        if leg in where:
            facts += left(t, where.pop(leg), leg)
        if room:
            facts += joined(t, room, leg)
            where[leg] = room
    return facts


@given(st.lists(st.tuples(LEGS, st.sampled_from(["", "talk", "aside"])), max_size=30))
def test_nobody_is_apart_while_they_and_the_citizen_are_in_one_bridge(moves: list[tuple[LegId, str]]) -> None:
    told = plays(*ASKED, *left(29.0, "aside", SEAT, COLLEAGUE))
    together: list[tuple[LegId, float]] = []
    for fact in _moves(moves):
        told = step(told, fact)
        theirs = told.rooms.get(CALLER)
        in_each = {room: {leg for leg, other in told.rooms.items() if other == room} for room in told.inside}
        assert dict(told.inside) == in_each
        assert set(told.rooms.values()) == set(told.inside)
        together += [(leg, fact.at) for leg in (SEAT, COLLEAGUE) if theirs and told.rooms.get(leg) == theirs]
    for leg, t in together:
        # until the next thing happens
        assert not any(a < t + 0.5 < b for a, b in apart(told, leg)), (leg, t)


# --- what is cut -----------------------------------------------------------------------------------


def test_stretches_stand_at_their_seconds_in_the_file_and_never_beyond_it() -> None:
    one = replace(plays(*TALK).going[SEAT], apart=((95.0, 103.0), (110.0, 110.2)))
    assert in_file(one, 100.0, 20.0) == ((0.0, 3.0),)
    going = replace(one, away=115.0, consults=True)
    assert in_file(going, 100.0, 20.0) == ((0.0, 3.0), (15.0, 20.0))
    assert in_file(replace(going, consults=False), 100.0, 20.0) == ((0.0, 3.0),)


@pytest.mark.parametrize(("first", "length"), [(0, 200), (3, 50), (59, 3), (61, 2), (100, 100)])
def test_a_stretch_is_silence_from_whichever_byte_on_one_reads(first: int, length: int) -> None:
    pcm = bytes(range(1, 201))
    wanted = pcm[:60] + bytes(40) + pcm[100:]
    assert quiet(pcm[first : first + length], 10, [(3.0, 5.0)], first) == wanted[first : first + length]


def test_sound_without_a_stretch_is_not_copied() -> None:
    pcm = bytes(range(200))
    assert quiet(pcm, 10, ()) is pcm


def _said(*words: tuple[str, float]) -> Said:
    told = tuple(Word(text, start, start + 0.4, 0.9) for text, start in words)
    return Said(SEAT, Role.SEAT, "1001", 1000.0 + words[0][1], words[0][1], words[-1][1] + 0.4,
                "".join(w for w, _ in words), 0.9, told, "139")  # fmt: skip


def test_a_span_is_cut_between_the_words_of_which_the_citizen_heard_some() -> None:
    one = _said(("请", 1.0), ("稍等", 2.0), ("老王", 3.0), ("这", 4.0))
    before, during = parted([one], [(2.9, 10.0)])
    assert (before.text, before.apart, before.start, before.end, before.at) == (
        "请稍等",
        False,
        1.0,
        2.4,
        1001.0,
    )
    assert (during.text, during.apart, during.at, during.digits) == ("老王这", True, 1003.0, "")
    assert list(parted([one], [(5.0, 9.0)])) == [one]
    assert list(parted([one], [(0.0, 9.0)])) == [replace(one, apart=True)]
    bare = replace(one, words=())
    assert list(parted([bare], [(4.2, 9.0)])) == [replace(bare, apart=True)]


def test_what_a_ticket_is_made_of_holds_no_consultation() -> None:
    one = _said(("请", 1.0))
    now = Now(SEAT, Role.SEAT, "1001", "嗯")
    told = Transcript(CALL, (one, replace(one, apart=True)), (now, replace(now, apart=True)), complete=True)
    assert told.with_citizen() == Transcript(CALL, (one,), (), complete=True)


# --- how long --------------------------------------------------------------------------------------


def row(apart: str, ended: float = 0.0) -> Filed:
    return Filed(SEAT, CALL, "demo", "main", seconds=60.0, ended=ended, apart=apart)


ALL, PART, NONE = row("[[0.0, 60.0]]"), row("[[10.0, 20.0]]"), row("[]")


def test_a_recording_is_all_consultation_when_nothing_else_is_in_it() -> None:
    assert [is_whole(one) for one in (ALL, PART, NONE, row("[[0.1, 59.9]]"))] == [True, False, False, True]
    assert of_row(PART) == ((10.0, 20.0),)


@pytest.mark.parametrize(
    ("days", "whole", "part"), [(180, 180, 730), (2000, 2000, 2000), (None, 730, 730)]
)  # fmt: skip
def test_a_consultation_has_its_own_term_and_a_mixed_file_the_longer_of_both(
    days: int | None, whole: int, part: int
) -> None:
    rules: dict[str, Any] = {} if days is None else {"consultation": RecordingClass(keep_days=days)}
    plan = demo().model_copy(update={"recordings": rules})
    now = 10_000 * DAY

    def kept(one: Filed) -> int:
        def goes(term: Term, age: int) -> bool:
            old = replace(one, ended=now - age * DAY - HOUR)
            due = term.line in (None, "main") and term.holds(frozenset()) and term.takes(old)
            return due and (old.ended or 0.0) < term.before

        return next(age for age in range(5000) if any(goes(term, age) for term in terms(plan, now)))

    assert (kept(ALL), kept(PART), kept(NONE)) == (whole, part, 730)


def test_what_no_index_finds_is_looked_for_when_all_else_is_done() -> None:
    rules: dict[str, Any] = {"consultation": RecordingClass(keep_days=180)}
    plan = demo().model_copy(update={"recordings": rules})
    *others, last = terms(plan, 10_000 * DAY)
    assert last.alone
    assert not any(term.alone for term in others)
