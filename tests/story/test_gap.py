"""What happened while nobody of ours listened is heard from Asterisk's own files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from calls import facts as f
from calls.facts import CallId, Fact
from calls.model import Call, CallState, LeftBy
from cti.gap import Gap, queue_facts
from cti.switchboard import Switchboard, replay
from queues.visit import Outcome
from tests.story.a_call import CALL, CALLER, answered, leg_now, member_now, said

# as Asterisk 22 wrote them
QUEUE_LOG = """\
103|n1-100.1|demo-general|NONE|ENTERQUEUE||13800138000|1
105|n1-100.1|demo-general|demo-1001|CONNECT|2|n1-100.2|2
125|n1-100.1|demo-general|demo-1001|COMPLETECALLER|2|20|1
"""
CDR = (
    '"demo-n1-100.1","13800138000","s","demo-queue-general",""""" <13800138000>","PJSIP/demo-carrier-0c",'
    '"PJSIP/demo-1001-0000000f","Queue","demo-general,cib","1970-01-01 00:01:40","1970-01-01 00:01:40",'
    '"1970-01-01 00:02:05",25,25,"ANSWERED","DOCUMENTATION","n1-100.1","demo/main/12345"\n'
)


class Town:
    """A service that heard ``before``, died, and comes back to Asterisk's files."""

    def __init__(self, folder: Path, before: list[Fact], queue_log: str = QUEUE_LOG, cdr: str = CDR) -> None:
        (folder / "queue_log").write_text(queue_log)
        (folder / "Master.csv").write_text(cdr)
        self.cdr = folder / "Master.csv"
        board = replay(before)
        # as the journal gives it back
        board = replace(board, picture=replace(board.picture, stale_since=before[-1].at))
        self.switchboard = Switchboard(board)
        self.gap = Gap(
            self.switchboard.hear, lambda: self.switchboard.board, folder / "queue_log", folder / "Master.csv"
        )

    def call(self) -> Call:
        return self.switchboard.board.picture.calls[CALL]


AWHILE_AGO = [said(f.SeatSignedIn, 50.0)]


def test_a_call_that_began_and_ended_in_the_gap_stands_as_any_other(tmp_path: Path) -> None:
    town = Town(tmp_path, AWHILE_AGO)
    town.gap.hear(said(f.Snapshot, 200.0))
    call = town.call()
    assert (call.state, call.left_by, call.ended) == (CallState.ENDED, LeftBy.CALLER, 125.0)
    assert (call.line, call.trunk, call.caller, call.original) == ("main", "carrier", "13800138000", "12345")
    assert (call.arrived, call.answered, call.seat, call.queue, call.visits) == (
        100.0,
        105.0,
        "1001",
        "general",
        1,
    )
    visit = town.switchboard.board.visits.last[CALL]
    assert (visit.outcome, visit.seat, visit.talked) == (Outcome.ANSWERED, "1001", 20.0)


@pytest.mark.parametrize("heard", range(2, 12))
def test_a_call_that_was_open_when_we_died_is_told_to_its_end_wherever_we_died(
    tmp_path: Path, heard: int
) -> None:
    town = Town(tmp_path, answered(at=105.2)[:heard], QUEUE_LOG.replace("103|", "98|"))
    town.gap.hear(said(f.Snapshot, 200.0))
    call = town.call()
    assert (call.state, call.left_by, call.ended, call.seat) == (
        CallState.ENDED,
        LeftBy.CALLER,
        125.0,
        "1001",
    )
    assert call.visits == 1
    assert call.answered == pytest.approx(105.0, abs=0.3)


def test_a_caller_who_came_in_the_gap_and_talks_now_has_the_true_times(tmp_path: Path) -> None:
    town = Town(tmp_path, AWHILE_AGO, QUEUE_LOG[: QUEUE_LOG.index("125|")], cdr="")
    seat = leg_now(said(f.LegEnded, leg="n1-100.2").leg, endpoint="demo-1001", bridge="b1")
    here = leg_now(bridge="b1", seconds=20.0, context="demo-queue-general", called="s")
    town.gap.hear(said(f.Snapshot, 120.0, legs=(here, seat), members=(member_now(),)))
    call = town.call()
    assert (call.state, call.seat, call.answered, call.joined) == (CallState.TALKING, "1001", 105.0, 103.0)
    assert call.visits == 1
    # its line is learnt when its CDR is written
    town.gap.hear(said(f.CallLeft, 125.0, by="agent"))
    town.gap.hear(said(f.LegEnded, 125.0, leg=CALLER))
    assert town.call().line == ""
    town.cdr.write_text(CDR)
    town.gap.hear(said(f.SeatDevice, 130.0))
    assert (town.call().line, town.call().original) == ("main", "12345")
    assert (town.call().left_by, town.call().ended) == (LeftBy.AGENT, 125.0)


def test_a_caller_who_gave_up_in_the_gap_abandoned(tmp_path: Path) -> None:
    queue_log = QUEUE_LOG.splitlines(keepends=True)[0] + "110|n1-100.1|demo-general|NONE|ABANDON|1|1|7\n"
    town = Town(tmp_path, AWHILE_AGO, queue_log, CDR.replace("00:02:05", "00:01:50"))
    town.gap.hear(said(f.Snapshot, 200.0))
    assert (town.call().left_by, town.call().answered) == (LeftBy.CALLER, None)
    assert town.switchboard.board.visits.last[CALL].outcome is Outcome.ABANDONED


def test_a_long_file_is_read_back_to_the_gap(tmp_path: Path) -> None:
    older = "".join(
        f"{n // 2000}|n1-9.{n}|demo-general|NONE|ENTERQUEUE||1|1\n" for n in range(40_000, 90_000)
    )
    town = Town(tmp_path, AWHILE_AGO, older + QUEUE_LOG + "150|NONE|NONE|NONE|QUEUESTART|\n" * 30_000)
    town.gap.hear(said(f.Snapshot, 200.0))
    assert town.call().seat == "1001"


def test_the_second_snapshot_changes_nothing_more(tmp_path: Path) -> None:
    town = Town(tmp_path, AWHILE_AGO)
    town.gap.hear(said(f.Snapshot, 200.0))
    before, filled = town.call(), town.gap.filled
    town.gap.hear(said(f.Snapshot, 210.0))
    assert (town.call(), town.gap.filled) == (before, filled)


def test_a_new_home_hears_nothing_from_old_files(tmp_path: Path) -> None:
    town = Town(tmp_path, [said(f.LinkUp, 0.0)])
    town.gap.hear(said(f.Snapshot, 200.0))
    assert town.switchboard.board.picture.calls == {}


def test_missing_and_broken_files_leave_the_snapshot_the_last_word(tmp_path: Path) -> None:
    broken = "x|y\n105|n1-100.1|demo-general|demo-1001|CONNECT\n999999\n" + "\0|" * 9 + "\n"
    town = Town(tmp_path, answered(), broken, cdr='"demo-n1-100.1","half a li')
    town.gap.hear(said(f.Snapshot, 200.0))
    assert (town.call().state, town.call().left_by) == (CallState.ENDED, LeftBy.UNKNOWN)
    assert list(queue_facts(["", "|||||", "1|NONE|demo-q|NONE|QUEUESTART|\n"], 0.0, "n1")) == []


def test_another_citys_calls_keep_their_city(tmp_path: Path) -> None:
    text = QUEUE_LOG.replace("demo-", "luan-")
    town = Town(tmp_path, AWHILE_AGO, text, CDR.replace("demo", "luan"))
    town.gap.hear(said(f.Snapshot, 200.0))
    assert town.switchboard.board.picture.calls[CallId("luan-n1-100.1")].city == "luan"
