"""Calls nobody heard: what Asterisk wrote becomes rows, and rows that were heard right stay as they are."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from pathlib import Path

import pytest

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.model import LeftBy, Source, Stage
from cti import kept
from cti.asterisk.files import wrap_ups, written
from cti.refill import (
    Proof,
    Refiller,
    Silence,
    mended_call,
    mended_stints,
    mended_visit,
    mended_wrap_ups,
    prove,
    rows_for,
    unfinished,
)
from cti.store.drain import Drain
from cti.store.history import History, Span
from cti.store.journal import Journal, Limits, Reader
from cti.store.keeping import fact_of
from cti.switchboard import Board, Switchboard, fold
from queues.stint import Part, Stint
from queues.visit import Outcome
from queues.wrap_up import WrapUp
from tests.story import a_call
from tests.story.a_call import SEAT_LEG, said
from tests.story.test_truth_recount import ANSWERED, AT, CALL, LEG, cdr, in_all, paused

LONG_AGO = Silence(1.0, 2.0)
"""In which nothing of a story happens."""


def proof(tmp_path: Path, log: list[str], rows: list[str]) -> Proof:
    (tmp_path / "queue_log").write_text("\n".join(log) + "\n")
    (tmp_path / "Master.csv").write_text("\n".join(rows) + "\n")
    (found,) = written(tmp_path / "queue_log", tmp_path / "Master.csv", "n1", 0.0, AT + 1000.0)
    told = prove(found)
    assert told is not None
    return told


def answered(tmp_path: Path) -> Proof:
    return proof(tmp_path, ANSWERED, [cdr()])


def test_an_answered_call_is_made_whole(tmp_path: Path) -> None:
    told = answered(tmp_path)
    call, (visit,) = told.call, told.visits
    assert (call.id, call.line, call.original, call.trunk) == (CALL, "main", "12345", "carrier")
    assert (call.arrived, call.answered, call.ended) == (AT + 0.5, AT + 5.25, AT + 12.0)
    assert (call.first_seat, call.left_by) == ("1001", LeftBy.CALLER)
    assert (visit.outcome, visit.seat, visit.declined, visit.talked) == (Outcome.ANSWERED, "1001", 1, 7.0)
    parts = sorted((s.seat, s.part, s.ended) for s in told.stints)
    assert parts == [("1001", Part.ANSWERED, AT + 12.0), ("1002", Part.MISSED, AT + 4.0)]


def test_where_an_unheard_caller_left(tmp_path: Path) -> None:
    enter = ANSWERED[0]
    gone = f"{AT + 9}|{LEG}|demo-general|NONE|ABANDON|1|1|6"
    silenced = f"{AT + 9}|{LEG}|demo-general|demo-1001|RINGCANCELED|2012"
    keyed = f"{AT + 9}|{LEG}|demo-general|NONE|EXITWITHKEY|1|1|1|6"
    for log, row, stage in (
        ([], cdr(context="demo-line-main", app="Playback"), Stage.GREETING),
        ([], cdr(context="demo-line-main", app="Set", data="SHARED(NEXT)="), Stage.MENU),
        ([], cdr(context="demo-menu-service", app="Read"), Stage.MENU),
        ([enter, gone], cdr(), Stage.WAITING),
        ([enter, silenced, gone], cdr(), Stage.RINGING),
        ([enter, keyed], cdr(context="call-back", app="Read"), Stage.WAITING),
    ):
        assert proof(tmp_path, log, [row]).call.stage is stage


def test_a_withheld_number_is_none_and_nothing_to_put_right(tmp_path: Path) -> None:
    told = proof(tmp_path, ANSWERED, [cdr().replace("13900000001", "anonymous")])
    assert told.call.caller == ""
    assert mended_call(told.call, told.call, LONG_AGO) is None


def test_a_duty_nobody_heard_of_is_owed(tmp_path: Path) -> None:
    log = [
        ANSWERED[0],
        f"{AT + 9}|{LEG}|demo-general|NONE|EXITWITHTIMEOUT|1|1|6",
        f"{AT + 12}|{LEG}|demo-general|NONE|HOTLINEOWED|20261121/x/message.wav",
    ]
    told = proof(tmp_path, log, [cdr(context="demo-message-busy", app="Record")])
    assert told.call.owed
    assert told.visits[0].outcome is Outcome.TIMEOUT


def test_a_row_that_was_heard_right_stays_heard(tmp_path: Path) -> None:
    told = answered(tmp_path)
    heard = replace(told.call, arrived=AT + 0.51, answered=AT + 5.3, ended=AT + 12.9, recording="a.wav")
    assert mended_call(heard, told.call, LONG_AGO) is None
    visit = replace(told.visits[0], joined=AT + 3.9, left=AT + 5.3)
    assert mended_visit(visit, told.visits[0], LONG_AGO) is None


def test_a_later_talk_taken_for_this_visits_is_put_right(tmp_path: Path) -> None:
    (visit,) = answered(tmp_path).visits
    mended = mended_visit(replace(visit, talked=52.0), visit, LONG_AGO)
    assert mended is not None
    assert (mended.talked, mended.source) == (7.0, Source.REFILLED)


def test_an_unheard_row_is_made_and_labelled(tmp_path: Path) -> None:
    told = answered(tmp_path)
    made = mended_call(None, told.call, LONG_AGO)
    assert made is not None
    assert made.source is Source.REFILLED
    visit = mended_visit(None, told.visits[0], LONG_AGO)
    assert visit is not None
    assert visit.source is Source.REFILLED


def test_what_only_the_listener_knew_is_kept_when_the_end_is_mended(tmp_path: Path) -> None:
    told = answered(tmp_path)
    cut = replace(
        told.call, answered=None, first_seat="", ended=AT + 60.0, left_by=LeftBy.UNKNOWN, stage=Stage.UNKNOWN,
        recording="a.wav", advice="queue:general", greeted=AT + 1.7,
    )  # fmt: skip
    made = mended_call(cut, told.call, LONG_AGO)
    assert made is not None
    assert (made.answered, made.first_seat, made.ended) == (AT + 5.25, "1001", AT + 12.0)
    assert (made.left_by, made.source) == (LeftBy.CALLER, Source.REFILLED)
    assert (made.recording, made.advice, made.greeted) == ("a.wav", "queue:general", AT + 1.7)


def test_an_arrival_guessed_from_a_snapshot_gives_way_to_the_millisecond(tmp_path: Path) -> None:
    told = answered(tmp_path)
    made = mended_call(replace(told.call, arrived=AT + 1.4), told.call, LONG_AGO)
    assert made is not None
    assert made.arrived == AT + 0.5


@pytest.mark.parametrize(("millis", "beside", "mends"), [
    ("000", 0.95, True),  # one arrival in a thousand: a whole second, and not one that was cut
    ("500", 0.2, False),
])  # fmt: skip
def test_an_arrival_nobody_heard_is_when_the_dialplan_says_in_whatever_millisecond(
    tmp_path: Path, millis: str, beside: float, mends: bool
) -> None:
    told = proof(tmp_path, ANSWERED, [cdr().replace(f"{AT + 0.5}", f"{AT}.{millis}")])
    at = told.call.arrived
    assert abs(at - (AT + int(millis) / 1000)) < 0.001
    silence = Silence(at - 9.0, at + beside)
    made = mended_call(replace(told.call, arrived=at + beside), told.call, silence)
    assert (made is not None) is mends
    assert made is None or made.arrived == at


@pytest.mark.parametrize(("beside", "mends"), [(1.3, True), (0.9, False)])
def test_the_end_of_a_wait_nobody_heard_gives_way_beyond_the_second_to_which_the_files_cut(
    tmp_path: Path, beside: float, mends: bool
) -> None:
    told = proof(
        tmp_path, [*ANSWERED[:2], f"{AT + 9}|{LEG}|demo-general|NONE|ABANDON|1|1|6"], [cdr(end=AT + 4)]
    )
    looked = AT + 9 + beside
    silence = Silence(looked - 9.0, looked)
    [visit] = told.visits
    call = mended_call(replace(told.call, ended=looked), told.call, silence)
    waited = mended_visit(replace(visit, left=looked), visit, silence)
    assert (call is not None, waited is not None) == (mends, mends)
    if call is not None and waited is not None:
        assert (call.ended, waited.left) == (AT + 9, AT + 9)
    # heard, it stands
    assert mended_call(replace(told.call, ended=looked), told.call, LONG_AGO) is None
    assert mended_visit(replace(visit, left=looked), visit, LONG_AGO) is None


def test_a_ring_heard_before_the_silence_is_not_told_twice(tmp_path: Path) -> None:
    told = answered(tmp_path)
    silence = Silence(AT + 4.5, AT + 100.0)
    missed = next(s for s in told.stints if s.part is Part.MISSED)
    heard = replace(missed, leg=type(missed.leg)("n1-1.77"), began=missed.began + 0.6)
    todo = mended_stints([heard], told.stints, silence)
    assert [s.seat for s in todo] == ["1001"]


def test_a_talk_whose_end_nobody_heard_is_as_long_as_the_files_say(tmp_path: Path) -> None:
    """The service was back at the very end: it knew when, and not how long they had talked."""
    told = answered(tmp_path)
    [talked] = [s for s in told.stints if s.part is Part.ANSWERED]
    assert talked.talk > 2.0
    assert talked.ended is not None
    silence = Silence(AT + 1.0, talked.ended + 0.5)
    [mended] = mended_stints([replace(talked, talk=0.0)], [talked], silence)
    assert mended.talk == talked.talk
    # what was heard is finer than the files' seconds
    assert mended_stints([replace(talked, talk=talked.talk + 0.9)], [talked], silence) == []
    assert mended_stints([replace(talked, talk=talked.talk - 0.5)], [talked], silence) == []
    assert mended_stints([replace(talked, talk=talked.talk - 1.0)], [talked], silence) != []


@pytest.mark.parametrize(
    ("millis", "looked", "mends"),
    [(0.6, 1.2, True), (0.6, 0.5, True), (0.6, 0.2, False), (0.0, 1.2, True), (0.0, 0.9, False)],
)
def test_an_end_nobody_heard_is_when_the_files_say_and_not_when_we_looked_again(
    tmp_path: Path, millis: float, looked: float, mends: bool
) -> None:
    """1.2 seconds beside it is more than talk may be lost. A file that cuts to the second may mean 0.9
    seconds later."""
    [talked] = [s for s in answered(tmp_path).stints if s.part is Part.ANSWERED]
    assert talked.ended is not None
    proved = replace(talked, ended=talked.ended + millis)
    again = talked.ended + millis + looked
    told = mended_stints([replace(talked, ended=again)], [proved], Silence(again - 9.0, again))
    assert [s.ended for s in told] == ([proved.ended] if mends else [])
    # one that was heard stands beside the files, which may be cut to the second
    assert mended_stints([replace(talked, ended=again)], [proved], Silence(again - 9.0, again + 1.0)) == []


def test_who_answered_and_was_gone_in_one_second_ends_no_sooner_than_they_answered(tmp_path: Path) -> None:
    [talked] = [s for s in answered(tmp_path).stints if s.part is Part.ANSWERED]
    second = float(int(talked.answered or 0.0))
    proved = replace(talked, answered=second + 0.9, ended=second, talk=0.0)
    heard = replace(proved, ended=second + 1.2)
    [mended] = mended_stints([heard], [proved], Silence(second - 9.0, second + 1.2))
    assert mended.ended == mended.answered == second + 0.9
    assert mended_stints([mended], [proved], Silence(second - 9.0, second + 1.2)) == []


def test_a_talk_whose_end_was_heard_loses_nothing_to_the_files_seconds(tmp_path: Path) -> None:
    """Its beginning was guessed, 0.4 seconds late; the files cut its end to the second."""
    [talked] = [s for s in answered(tmp_path).stints if s.part is Part.ANSWERED]
    at = talked.answered or 0.0
    proved = replace(talked, part=Part.JOINED, began=at, ended=at + 45.4, talk=45.4, ring=0.0, queue="")
    heard = replace(proved, began=at + 0.4, answered=at + 0.4, ended=at + 46.3, talk=45.9)
    [mended] = mended_stints([heard], [proved], Silence(at - 9.0, at + 0.4))
    assert (mended.began, mended.ended, mended.talk) == (at, at + 46.3, 45.9)
    soon = replace(heard, began=at + 0.2, answered=at + 0.2, talk=46.1)
    assert mended_stints([soon], [proved], Silence(at - 9.0, at + 0.2)) == []


def test_a_colleague_without_a_leg_in_the_files_is_known_again_however_long_the_silence_was(
    tmp_path: Path,
) -> None:
    [talked] = [s for s in answered(tmp_path).stints if s.part is Part.ANSWERED]
    at = talked.answered or 0.0
    proved = replace(
        talked, part=Part.JOINED, leg=type(talked.leg)("n1-1.1~5~demo-1009"), began=at, ended=at + 50.0,
        talk=50.0, ring=0.0, queue="",
    )  # fmt: skip
    heard = replace(proved, leg=type(talked.leg)("n1-1.77"), began=at + 5.0, answered=at + 5.0, talk=45.0)
    [mended] = mended_stints([heard], [proved], Silence(at - 1.0, at + 5.0))
    assert mended == replace(proved, leg=heard.leg, source=Source.REFILLED)
    # another one of the same seat, who came later
    later = replace(heard, began=at + 51.5, answered=at + 51.5, ended=at + 60.0, talk=8.5)
    [other] = mended_stints([later], [proved], Silence(at - 1.0, at + 51.5))
    assert (other.leg, other.talk) == (proved.leg, proved.talk)


def test_a_beginning_nobody_heard_lies_before_its_answer(tmp_path: Path) -> None:
    """The phone rang when we looked again, or talked: it was taken to begin then."""
    [talked] = [s for s in answered(tmp_path).stints if s.part is Part.ANSWERED]
    looked = (talked.answered or 0.0) + 0.8
    [mended] = mended_stints([replace(talked, began=looked, ring=0.0)], [talked], Silence(looked - 9, looked))
    assert (mended.began, mended.ring) == (talked.began, talked.ring)
    assert mended_stints([mended], [talked], Silence(looked - 9, looked)) == []


def test_who_was_heard_only_when_back_from_asking_a_colleague_rang_and_answered_in_the_silence(
    tmp_path: Path,
) -> None:
    """Began in the silence, and went on after it: the end was heard, the beginning was not."""
    told = answered(tmp_path)
    [talked] = [s for s in told.stints if s.part is Part.ANSWERED]
    assert talked.answered is not None
    assert talked.ended is not None
    back = talked.answered + 4.0
    heard = replace(talked, part=Part.JOINED, began=back, answered=back, ring=0.0, talk=0.3, queue="")
    silence = Silence(talked.began - 20.0, back - 3.5)
    [mended] = mended_stints([replace(heard, ended=back + 9.0)], [talked], silence)
    told_of = (mended.part, mended.began, mended.answered, mended.queue, mended.talk)
    assert told_of == (talked.part, talked.began, talked.answered, talked.queue, talked.talk)
    before = Silence(talked.began - 60.0, talked.began - 40.0)
    assert mended_stints([replace(heard, ended=back + 9.0)], [talked], before) == []


@pytest.mark.parametrize("late", [1.5, 3.1])
def test_who_joined_in_the_silence_and_was_there_when_we_looked_again_has_joined_when_the_files_say(
    tmp_path: Path, late: float
) -> None:
    [talked] = [s for s in answered(tmp_path).stints if s.part is Part.ANSWERED]
    assert talked.answered is not None
    at = talked.answered
    proved = replace(talked, part=Part.JOINED, began=at, ended=at + 60.0, talk=60.0, ring=0.0, queue="")
    heard = replace(proved, began=at + late, answered=at + late, talk=60.0 - late)
    [mended] = mended_stints([heard], [proved], Silence(at - 9.0, at + late))
    assert mended == replace(proved, source=Source.REFILLED)
    assert mended_stints([heard], [proved], Silence(at - 90.0, at - 60.0)) == []


def test_whose_ring_was_heard_and_whose_answer_fell_into_the_silence_has_answered(tmp_path: Path) -> None:
    [talked] = [s for s in answered(tmp_path).stints if s.part is Part.ANSWERED]
    assert talked.answered is not None
    end = talked.answered + 60.0
    proved = replace(talked, ended=end, talk=60.0)
    heard = replace(proved, part=Part.STOPPED, answered=None, ring=61.0, talk=0.0)
    [mended] = mended_stints([heard], [proved], Silence(talked.answered - 0.5, talked.answered + 2.0))
    assert mended == replace(proved, source=Source.REFILLED)
    assert mended_stints([heard], [proved], Silence(end + 60.0, end + 61.0)) == []


def test_a_call_is_put_right_when_its_seats_have_put_down_and_wrapped_up() -> None:
    def after(*facts: Fact) -> dict[CallId, float]:
        return unfinished(reduce(fold, facts, Board()))

    talk = a_call.answered(110.0)
    left = said(f.CallLeft, 120.0), said(f.LegEnded, 120.0)
    down, wraps = said(f.LegEnded, 121.0, leg=SEAT_LEG), said(f.SeatPaused, 121.0, reason="wrapup:60")
    assert after(*talk) == {a_call.CALL: 100.0}
    assert after(*talk, *left).keys() == {a_call.CALL}
    assert after(*talk, *left, down) == {}
    assert after(*talk, *left, down, wraps).keys() == {a_call.CALL}
    assert after(*talk, *left, down, wraps, said(f.SeatUnpaused, 130.0)) == {}


def test_a_wait_behind_the_last_ring_ends_when_the_caller_left(tmp_path: Path) -> None:
    gone = f"{AT + 9}|{LEG}|demo-general|NONE|ABANDON|1|1|6"
    assert proof(tmp_path, [*ANSWERED[:2], gone], [cdr(end=AT + 4)]).call.ended == AT + 9


def test_a_busy_phone_that_rings_twice_in_a_second_rang_twice(tmp_path: Path) -> None:
    busy = [f"{AT + second}|{LEG}|demo-general|demo-1002|RINGNOANSWER|0" for second in (4, 4, 5)]
    told = proof(tmp_path, [ANSWERED[0], *busy, *ANSWERED[2:]], [cdr()])
    missed = [s for s in told.stints if s.part is Part.MISSED]
    assert len(missed) == told.visits[0].declined == 3
    heard = [replace(s, leg=type(s.leg)(f"n1-1.{n}")) for n, s in enumerate(missed[:2])]
    todo = mended_stints(heard, told.stints, Silence(AT + 4.5, AT + 100.0))
    assert sorted(s.seat for s in todo) == ["1001", "1002"]


def test_refilling_twice_changes_nothing_more(tmp_path: Path) -> None:
    told = answered(tmp_path)
    silence = Silence(AT - 1.0, AT + 100.0)
    count, records = rows_for([told], Span([], [], []), silence)
    assert (count, sorted({r["what"] for r in records})) == (1, ["call", "stint", "visit"])
    kept = Span([told.call], list(told.visits), list(told.stints))
    assert rows_for([told], kept, silence) == (0, [])


def test_only_the_files_ends_are_read_and_no_call_is_lost_at_the_cut(tmp_path: Path) -> None:
    """A year of other calls before: the search begins near the silence."""
    old = [f"{AT - 900_000 + n}|n1-1.{n}|demo-general|NONE|ENTERQUEUE||139|1" for n in range(30_000)]
    rows = [cdr(start=AT - 900_000, end=AT - 900_000).replace(LEG, f"n1-{n}.1") for n in range(8_000)]
    (tmp_path / "queue_log").write_text("\n".join([*old, *ANSWERED]) + "\n")
    (tmp_path / "Master.csv").write_text("\n".join([*rows, cdr()]) + "\n")
    found = written(tmp_path / "queue_log", tmp_path / "Master.csv", "n1", AT - 10.0, AT + 10.0)
    assert [w.call for w in found] == [CALL]
    told = prove(found[0])
    assert told is not None
    assert told.call.first_seat == "1001"


def test_a_fresh_instance_without_files_has_nothing_to_refill(tmp_path: Path) -> None:
    assert written(tmp_path / "queue_log", tmp_path / "Master.csv", "n1", 0.0, AT + 10.0) == []


def test_a_message_nobody_heard_of_is_told_by_the_place_where_the_call_ended(tmp_path: Path) -> None:
    told = proof(tmp_path, [], [cdr(context="demo-message-leave", app="Playback")])
    assert told.call.stage is Stage.MESSAGE
    made = mended_call(replace(told.call, stage=Stage.MENU), told.call, LONG_AGO)
    assert made is not None
    assert (made.stage, made.source) == (Stage.MESSAGE, Source.REFILLED)


OTHER = "PJSIP/demo-1009-0000007e"
PASSED_ON = [
    f"{AT + 4}|{LEG}|demo-general|NONE|ENTERQUEUE||13800138000|1",
    f"{AT + 5}|{LEG}|demo-general|demo-1001|HOTLINEANSWER|{AT + 5.25}",
    f"{AT + 5}|{LEG}|demo-general|demo-1001|CONNECT|1|n1-1.2|1",
    f"{AT + 8}|{LEG}|demo-general|demo-1001|COMPLETEAGENT|1|3|1",
    f"{AT + 9}|{LEG}|demo-general|demo-1009|HOTLINEANSWER|{AT + 9.5}",
]


def test_a_colleague_who_was_passed_the_caller_has_a_part_and_ends_the_call(tmp_path: Path) -> None:
    dialled = cdr(
        context="transfer-blind", app="Dial", start=AT + 8, end=AT + 15, peer="PJSIP/demo-1009-0000007e"
    )
    over = cdr(context="transfer-blind", app="Hangup", data="16", start=AT + 15, end=AT + 15)
    told = proof(tmp_path, PASSED_ON, [cdr(end=AT + 8), dialled, over])
    assert told.call.left_by is LeftBy.AGENT
    assert told.call.first_seat == "1001"
    parts = {s.seat: (s.part, s.queue, s.ended, s.talk) for s in told.stints}
    assert parts == {
        "1001": (Part.ANSWERED, "general", AT + 8.0, 2.75),
        "1009": (Part.JOINED, "", AT + 15.0, 5.5),
    }
    heard = next(s for s in told.stints if s.part is Part.JOINED)
    twin = replace(heard, leg=type(heard.leg)("n1-1.77"), began=heard.began + 0.2, ended=AT + 15.2)
    answered_too = next(s for s in told.stints if s.part is Part.ANSWERED)
    assert mended_stints([twin, answered_too], told.stints, Silence(AT, AT + 100.0)) == []


def test_an_agent_who_waited_until_a_colleague_had_the_caller_did_not_talk_meanwhile(tmp_path: Path) -> None:
    agent = f"n1-{AT}.2"
    log = [
        *PASSED_ON[:2],
        f"{AT + 5}|{LEG}|demo-general|demo-1001|CONNECT|1|{agent}|1",
        room_line(AT + 8.0, "demo-1001", "out", agent),
        *PASSED_ON[3:],
        room_line(AT + 9.8, "demo-1001", "gone", agent),
    ]
    dialled = cdr(
        context="transfer-blind", app="Dial", start=AT + 8, end=AT + 15, peer="PJSIP/demo-1009-0000007e"
    )
    told = proof(tmp_path, log, [cdr(end=AT + 8), dialled])
    parts = {s.seat: (s.part, s.ended, round(s.talk, 2)) for s in told.stints}
    assert parts == {
        "1001": (Part.ANSWERED, AT + 9.8, 2.75),
        "1009": (Part.JOINED, AT + 15.0, 5.5),
    }


def room_line(at: float, name: str, step: str, leg: str) -> str:
    return f"{int(at)}|{LEG}|NONE|PJSIP/{name}-0000007e|HOTLINEROOM|{step}/{leg}/{at:.3f}"


def consulted(tmp_path: Path, then: list[str], end: int) -> dict[str, tuple[Part, float, float | None]]:
    """1001 answers at 5.25 and asks 1009 at 8; ``then``: what follows. Part, talk and end by seat."""
    agent = f"n1-{AT}.2"
    log = [
        *ANSWERED[:4],
        f"{AT + 8}|{LEG}|demo-general|demo-1001|COMPLETECALLER|2|3|1",
        room_line(AT + 8.0, "demo-1001", "out", agent),
        f"{AT + 10}|{LEG}|demo-general|demo-1009|HOTLINEANSWER|{AT + 10}.000",
        *then,
    ]
    told = proof(tmp_path, log, [cdr(context="transfer-caller", app="ConfBridge", end=end)])
    there = [s for s in told.stints if s.answered is not None]
    return {s.seat: (s.part, round(s.talk, 2), round(s.ended or 0.0, 2)) for s in there}


def test_a_colleague_who_was_asked_talks_to_the_caller_from_when_the_agent_leaves(tmp_path: Path) -> None:
    agent, other = f"n1-{AT}.2", f"n1-{AT}.9"
    then = [
        room_line(AT + 12.1, "demo-1001", "gone", agent),
        room_line(AT + 12.2, "demo-1009", "in", other),
        room_line(AT + 12.3, "demo-carrier", "in", LEG),
        room_line(AT + 20.3, "demo-1009", "gone", other),
    ]
    assert consulted(tmp_path, then, AT + 20) == {
        "1001": (Part.ANSWERED, 2.75, AT + 12.1),
        # the CDR has the caller's end in whole seconds, and nobody talks beyond it
        "1009": (Part.JOINED, 7.7, AT + 20.3),
    }


def test_a_caller_of_whom_the_dialplan_tells_when_they_were_gone_ends_then_and_not_at_the_cut_second(
    tmp_path: Path,
) -> None:
    agent, other = f"n1-{AT}.2", f"n1-{AT}.9"
    then = [
        room_line(AT + 12.1, "demo-1001", "gone", agent),
        room_line(AT + 12.2, "demo-1009", "in", other),
        room_line(AT + 12.3, "demo-carrier", "in", LEG),
        room_line(AT + 20.8, "demo-carrier", "gone", LEG),
        room_line(AT + 20.9, "demo-1009", "gone", other),
    ]
    assert consulted(tmp_path, then, AT + 20)["1009"] == (Part.JOINED, 8.5, AT + 20.9)


def test_a_seat_that_is_called_in_talks_from_when_it_is_told_to_be_in_the_room(tmp_path: Path) -> None:
    agent, other = f"n1-{AT}.2", f"n1-{AT}.9"
    log = [
        *ANSWERED[:4],
        f"{AT + 8}|{LEG}|demo-general|demo-1001|COMPLETECALLER|2|3|1",
        room_line(AT + 8.0, "demo-1001", "in", agent),
        room_line(AT + 8.1, "demo-carrier", "in", LEG),
        f"{AT + 10}|{LEG}|demo-general|demo-1009|HOTLINEANSWER|{AT + 10}.000",
        room_line(AT + 10.5, "demo-1009", "in", other),
        room_line(AT + 12.0, "demo-1001", "gone", agent),
        room_line(AT + 20.0, "demo-1009", "gone", other),
    ]
    told = proof(tmp_path, log, [cdr(context="transfer-caller", app="ConfBridge", end=AT + 20)])
    there = [s for s in told.stints if s.answered is not None]
    parts = {s.seat: (s.part, round(s.talk, 2), round(s.ended or 0.0, 2)) for s in there}
    assert parts == {
        "1001": (Part.ANSWERED, 2.75 + 3.9, AT + 12.0),
        "1009": (Part.JOINED, 9.5, AT + 20.0),
    }


def test_talk_that_fell_into_a_silence_is_put_right_and_a_hold_that_was_heard_stays(tmp_path: Path) -> None:
    told = proof(tmp_path, ANSWERED, [cdr()])
    (proved,) = (s for s in told.stints if s.answered is not None)
    began, ended, talk = proved.began, proved.ended or 0.0, proved.talk
    assert talk > 2.0
    in_it, long_after = Silence(began + 1.0, began + 2.0), Silence(ended + 60.0, ended + 61.0)
    heard = replace(proved, talk=0.0, hold=1.0)
    assert mended_stints([heard], [proved], long_after) == []
    (mended,) = mended_stints([heard], [proved], in_it)
    assert (mended.talk, mended.hold, mended.source) == (talk - 1.0, 1.0, Source.REFILLED)
    right = replace(proved, talk=talk - 1.0, hold=1.0)
    assert mended_stints([right], [proved], in_it) == []


def test_an_agent_who_takes_the_caller_back_talks_on_and_whoever_was_asked_did_not(tmp_path: Path) -> None:
    agent = f"n1-{AT}.2"
    then = [
        room_line(AT + 12.0, "demo-1001", "in", agent),
        room_line(AT + 12.1, "demo-carrier", "in", LEG),
        room_line(AT + 17.1, "demo-carrier", "out", LEG),
        room_line(AT + 17.2, "demo-1001", "gone", agent),
        "cut off",
        f"{AT + 17}|{LEG}|NONE|PJSIP/demo-1001-0000007e|HOTLINEROOM|in/x",
    ]
    assert consulted(tmp_path, then, AT + 18) == {"1001": (Part.ANSWERED, 7.75, AT + 17.2)}


def test_who_was_not_told_to_be_gone_went_with_the_caller(tmp_path: Path) -> None:
    then = [
        room_line(AT + 12.0, "demo-1001", "in", f"n1-{AT}.2"),
        room_line(AT + 12.0, "demo-carrier", "in", LEG),
    ]
    assert consulted(tmp_path, then, AT + 18) == {"1001": (Part.ANSWERED, 8.75, AT + 18.0)}


def test_a_colleague_who_asks_somebody_else_has_one_part_and_a_row_heard_right_stays(tmp_path: Path) -> None:
    """1001 passes the caller to 1009 blindly, who asks another and takes the caller back."""
    other = f"n1-{AT}.9"
    dialled = cdr(
        context="transfer-blind", app="Dial", start=AT + 8, end=AT + 15, peer="PJSIP/demo-1009-0000007e"
    )
    over = cdr(context="transfer-caller", app="ConfBridge", start=AT + 15, end=AT + 30)
    log = [
        *PASSED_ON,
        room_line(AT + 15.0, "demo-1009", "out", other),
        room_line(AT + 20.0, "demo-1009", "in", other),
        room_line(AT + 20.1, "demo-carrier", "in", LEG),
        room_line(AT + 30.5, "demo-1009", "gone", other),
    ]
    told = proof(tmp_path, log, [cdr(end=AT + 8), dialled, over])
    (part,) = (s for s in told.stints if s.seat == "1009")
    assert (part.leg, part.part, round(part.talk, 2), part.ended) == (
        other, Part.JOINED, 5.5 + 9.9, AT + 30.5,
    )  # fmt: skip
    assert mended_stints(told.stints, told.stints, Silence(AT + 16.0, AT + 17.0)) == []


def test_a_line_cut_off_behind_its_name_stops_nothing(tmp_path: Path) -> None:
    log = [*ANSWERED, f"{AT + 9}|{LEG}|NONE|PJSIP/demo-1001-1|HOTLINEROOM"]
    assert proof(tmp_path, log, [cdr()]).call.first_seat == "1001"


def test_a_silence_not_put_right_outlives_a_restart_however_much_was_written_since(tmp_path: Path) -> None:
    board = Switchboard()
    journal = Journal(
        tmp_path / "journal",
        Limits(segment_bytes=4096),
        checkpoint=kept.checkpoint(lambda: board.board, lambda: refiller.silences),
    )
    refiller = beside(journal, board)
    board.listen(kept.journal_ear(journal))
    board.listen(refiller.hear)
    for fact in (said(f.Snapshot, AT), said(f.SeatDevice, AT + 5), said(f.LinkDown, AT + 6)):
        board.hear(fact)
    board.hear(said(f.Snapshot, AT + 60))
    before = refiller.silences
    assert before[-1] == (AT + 5.0, AT + 60.0)
    for second in range(60):
        board.hear(said(f.SeatDevice, AT + 70 + second))
    assert journal.flush()
    reader = Reader(journal.folder)
    assert "Snapshot" not in {type(fact_of(record)).__name__ for record in reader.recent(2)}
    again = beside(journal, Switchboard(kept.last_board(reader)))
    again.remember(reader)
    assert again.silences == before
    journal.close()


def test_what_a_new_service_says_itself_before_it_listens_ends_no_silence(tmp_path: Path) -> None:
    """It looks again at recordings whose rows were never saved, and is killed before it has refilled."""
    board = Switchboard()
    journal = Journal(tmp_path / "journal", Limits(), checkpoint=list)
    board.listen(kept.journal_ear(journal))
    for fact in (
        said(f.Snapshot, AT),
        said(f.SeatDevice, AT + 5),
        said(f.RecordingMissing, AT + 58, why="no-file"),
        said(f.Snapshot, AT + 60),
    ):
        board.hear(fact)
    assert journal.flush()
    again = beside(journal, Switchboard(kept.last_board(Reader(journal.folder))))
    again.remember(Reader(journal.folder))
    assert again.silences == [(AT + 5.0, AT + 60.0)]
    journal.close()


def beside(journal: Journal, board: Switchboard) -> Refiller:
    history = History("sqlite+aiosqlite://")
    return Refiller(
        "n1", (Path(), Path()), history, journal, Drain(journal, history), lambda: board.board, board.hear,
        board.recall,
    )  # fmt: skip


# --- wrap-ups ---------------------------------------------------------------------------------------------


SILENT = Silence(AT + 5.0, AT + 15.0)


def talk(leg: str, ended: float, wrap_up: float | None) -> Stint:
    return Stint(
        LegId(leg), CallId(CALL), "demo", "1001", "general", ended - 5.0, Part.ANSWERED, answered=ended - 4.0,
        ended=ended, wrap_up=wrap_up,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("talks", "proved", "mended"),
    [
        # its end was not heard; its begin was not; the talk was not
        ([talk("a", AT + 4.2, None)], [(AT + 4.0, AT + 10.0)], {"a": 6.0}),
        ([talk("a", AT + 12.2, None)], [(AT + 12.0, AT + 42.0)], {"a": 30.0}),
        (
            [talk("a", AT + 12.0, None), talk("b", AT - 40.0, 30.0)],
            [(AT + 12.0, AT + 42.0)],
            {"a": 30.0, "b": None},
        ),
        # what was heard right stays as it was heard
        ([talk("a", AT + 4.2, 5.7)], [(AT + 4.0, AT + 10.0)], {}),
        # and what no silence touched is not looked at: refilled, it would hide a fault from the second count
        ([talk("a", AT - 40.0, None)], [(AT - 40.0, AT - 30.0)], {}),
        ([talk("a", AT + 60.0, 9.0)], [(AT + 60.0, AT + 63.0)], {}),
        # one that goes on
        ([talk("a", AT + 4.2, None)], [(AT + 4.0, None)], {}),
    ],
)
def test_a_wrap_up_that_nobody_heard_begin_or_end_is_put_right(
    talks: list[Stint], proved: list[tuple[float, float | None]], mended: dict[str, float | None]
) -> None:
    told = mended_wrap_ups(talks, [WrapUp("demo", "1001", *one) for one in proved], SILENT)
    found = {stint.leg: stint for stint in told}
    assert {leg: stint.wrap_up for leg, stint in found.items()} == mended
    assert {stint.source for stint in found.values()} <= {Source.REFILLED}


def test_wrap_ups_are_read_from_what_asterisk_wrote(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    lines = [
        *in_all(AT, "PAUSE", f"rest:{AT + 10}"),
        *in_all(AT + 10, "UNPAUSE"),
        *in_all(AT + 12, "PAUSE", f"wrapup:{AT + 18}"),
        paused(AT + 14, "REMOVEMEMBER"),
        paused(AT + 18, "UNPAUSE", queue="market"),
        *in_all(AT + 30, "PAUSE", f"wrapup:{AT + 36}"),
        *in_all(AT + 33, "PAUSE", "lunch"),
        *in_all(AT + 50, "PAUSE", f"wrapup:{AT + 56}"),
    ]
    log.write_text("\n".join(lines) + "\n")
    told = [(w.seat, w.began - AT, None if w.ended is None else w.ended - AT) for w in wrap_ups(log, AT)]
    assert told == [("1001", 12, 18), ("1001", 30, 33), ("1001", 50, None)]
    assert [w.began for w in wrap_ups(log, AT + 20)] == [AT + 30, AT + 50]
    assert wrap_ups(tmp_path / "none", AT) == ()
