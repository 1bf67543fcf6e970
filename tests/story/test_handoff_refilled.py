"""Stages of a hand-over that nobody heard: read in Asterisk's own file, put into the record, labelled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asterisk_conf.steps import Context
from asterisk_conf.transfer_state import NOW, tell
from calls import facts as f
from calls.codec import fact_from_dict, fact_to_dict
from cti import kept
from cti.asterisk.files import written
from cti.refill import Refiller, Silence
from cti.store.drain import Drain
from cti.store.history import History, Past
from cti.store.journal import Journal, Limits
from cti.switchboard import Heard, Switchboard
from tests.story.a_call import said
from tests.story.test_truth_recount import ANSWERED, AT, CALL, LEG, cdr, counted
from transfer.handoff import Handoff, Moves, mended, proved, step

ENDED = AT + 12.0
"""When the call's CDR ends."""
ASKED = (
    "City=demo/Seat=1001/Kind=handoff/To=110/By=phone/Wished=handoff/Urgent=1/Caller=13900000001/Agent=8001"
)
WAY = "Way=1/Trunk=demo-centres/Number=110"
STEPS = (
    ("asked", ASKED), ("dialled", WAY), ("accepted", WAY), ("answered", ""), ("joined", ""), ("handed", ""),
    ("target-left", "Cause=16"), ("back", ""),
)  # fmt: skip


def lines(*steps: tuple[str, str], since: float = AT + 6) -> list[str]:
    """As the dialplan writes them, half a second apart."""
    moments = [since + number / 2 for number in range(len(steps))]
    return [
        f"{int(at)}|{LEG}|NONE|NONE|HOTLINETRANSFER|"
        + "/".join(filter(None, (name, "h1", f"{at:.3f}", more)))
        for at, (name, more) in zip(moments, steps, strict=True)
    ]


def stages(tmp_path: Path, *log: str) -> tuple[f.TransferStepped, ...]:
    (tmp_path / "queue_log").write_text("\n".join([*ANSWERED, *log]) + "\n")
    (tmp_path / "Master.csv").write_text(cdr() + "\n")
    (found,) = written(tmp_path / "queue_log", tmp_path / "Master.csv", "n1", 0.0, AT + 1000.0)
    return found.stages


def refilled(steps: tuple[f.TransferStepped, ...], at: float = AT + 60) -> f.HandoffRefilled:
    return f.HandoffRefilled(at=at, node="n1", id="h1", call=steps[0].call, ended=ENDED, steps=steps)


def heard(steps: tuple[f.TransferStepped, ...], *names: str) -> Moves:
    """What a service made of those of these steps that it heard, and of the end of the call."""
    moves = Moves()
    for one in steps:
        if one.step in names:
            moves = step(moves, one)
    return moves


def test_the_dialplan_writes_each_step_as_it_tells_it() -> None:
    context = Context("x")
    tell(context, "dialled", "Way: ${ARG1}", "Number: ${ARG3}")
    told, line = context.text().splitlines()[1:]
    assert "UserEvent(Hotline,What: transfer,Call: ${CALL_ID},Id: ${TRANSFER_ID},Step: dialled" in told
    data = f"dialled/${{TRANSFER_ID}}/{NOW}/Way=${{ARG1}}/Number=${{ARG3}}"
    assert line == f" same => n,QueueLog(NONE,${{CUT(CALL_ID,-,2-)}},NONE,HOTLINETRANSFER,{data})"


def test_what_asterisk_wrote_makes_the_record_that_heard_facts_make(tmp_path: Path) -> None:
    steps = stages(tmp_path, *lines(*STEPS))
    told = proved(refilled(steps))
    assert told == heard(steps, *(name for name, _ in STEPS)).records["h1"]
    assert (told.kind, told.centre, told.seat, told.agent) == ("handoff", "110", "1001", "8001")
    assert (told.asked, told.answered, told.ended) == (AT + 6, AT + 7.5, AT + 9.5)
    assert (told.asked_by, told.caller, told.number) == ("agent-8001", "13900000001", "110")


def test_lines_are_taken_in_the_order_of_their_moments_and_a_torn_one_says_nothing(tmp_path: Path) -> None:
    log = lines(*STEPS)
    torn = [f"{AT}|{LEG}|NONE|NONE|HOTLINETRANSFER", f"{AT}|{LEG}|NONE|NONE|HOTLINETRANSFER|asked/h1"]
    # who writes at one moment may stand in either order
    mixed = stages(tmp_path, log[1], log[0], *torn, *log[2:])
    assert mixed == stages(tmp_path, *log)


def test_the_ledgers_rows_are_the_same_with_these_lines_and_without(tmp_path: Path) -> None:
    def rows(*log: str) -> tuple[f.Fact, ...]:
        (tmp_path / "queue_log").write_text("\n".join([*ANSWERED[:3], *log, *ANSWERED[3:]]) + "\n")
        (tmp_path / "Master.csv").write_text(cdr() + "\n")
        (found,) = written(tmp_path / "queue_log", tmp_path / "Master.csv", "n1", 0.0, AT + 1000.0)
        return found.facts

    assert rows(*lines(*STEPS)) == rows()


def test_the_second_count_is_the_same_with_these_lines_and_without(tmp_path: Path) -> None:
    log = [*ANSWERED[:3], *lines(*STEPS), *ANSWERED[3:]]
    assert counted(tmp_path, log, [cdr()]).calls == counted(tmp_path, ANSWERED, [cdr()]).calls


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        ((), ("asked", "dialled", "answered", "joined", "handed", "ended")),
        (("asked",), ("dialled", "answered", "joined", "handed", "tried", "ended")),
        (("asked", "dialled", "back"), ("answered", "joined", "handed", "tried")),
        (("joined", "handed", "target-left", "back"), ("asked", "dialled", "answered", "tried")),
        (("asked", "dialled", "accepted", "answered", "joined", "handed"), ("ended",)),
    ],
    ids=["all", "all but the wish", "the middle", "the beginning", "the end"],
)
def test_what_nobody_heard_is_put_in_with_asterisks_times_and_named(
    tmp_path: Path, names: tuple[str, ...], labels: tuple[str, ...]
) -> None:
    steps = stages(tmp_path, *lines(*STEPS))
    moves = heard(steps, *names)
    # the next service finds the call gone
    moves = step(moves, said(f.Snapshot, AT + 40))
    moves = step(moves, refilled(steps))
    (record,) = moves.records.values()
    whole = heard(steps, *(name for name, _ in STEPS)).records["h1"]
    assert record.refilled == labels
    same = ("asked", "dialled", "answered", "joined", "handed", "ended", "tried", "number", "kind", "centre",
            "seat", "agent", "by", "caller", "outcome", "asked_by")  # fmt: skip
    assert {n: getattr(record, n) for n in same} == {n: getattr(whole, n) for n in same}
    again = step(moves, refilled(steps, AT + 90))
    assert (again.records, again.touched) == (moves.records, ()), "exactly once"


def test_a_record_that_was_heard_whole_stays_as_it_was_heard(tmp_path: Path) -> None:
    steps = stages(tmp_path, *lines(*STEPS))
    # a fact comes a moment before, or after, the line is written
    late = tuple(replace(one, at=one.at + (0.4 if one.step == "joined" else -0.01)) for one in steps)
    moves = heard(late, *(name for name, _ in STEPS))
    assert step(moves, refilled(steps)).records == moves.records


def test_words_of_people_stand_and_what_they_decided(tmp_path: Path) -> None:
    steps = stages(tmp_path, *lines(*STEPS))
    moves = heard(steps, "asked", "dialled")
    words = (("outcome", "kept"), ("location", "人民路1号"), ("officer", "0231"))
    moves = step(moves, f.HandoffNoted(at=AT + 9, node="n1", id="h1", call=steps[0].call, words=words))
    record = step(moves, refilled(steps)).records["h1"]
    assert (record.outcome, record.location, record.officer) == ("kept", "人民路1号", "0231")
    assert record.answered == AT + 7.5
    assert record.version > moves.records["h1"].version, "its centre is told"


@pytest.mark.parametrize(
    ("said_at", "outcome", "keeper"), [(4.25, "back", ""), (4.75, "kept", "12345")], ids=["before", "after"]
)
def test_what_somebody_decided_stands_unless_the_caller_was_handed_over_after_it(
    tmp_path: Path, said_at: float, outcome: str, keeper: str
) -> None:
    told = stages(tmp_path, *lines(*STEPS, since=AT + 2))
    words = (("outcome", "kept"), ("decided_by", "zhang"))
    noted = f.HandoffNoted(at=AT + said_at, node="n1", id="h1", call=told[0].call, words=words)
    moves = step(
        step(heard(told, "asked", "dialled", "accepted", "answered", "joined"), noted), refilled(told)
    )
    record = moves.records["h1"]
    assert (record.handed, "handed" in record.refilled) == (AT + 4.5, True)
    assert (record.outcome, record.keeper) == (outcome, keeper)
    assert (record.decided_by, record.decided) == (("zhang", noted.at) if keeper else ("", None))


def test_a_hand_over_during_which_the_caller_hung_up_ends_with_its_call(tmp_path: Path) -> None:
    steps = stages(tmp_path, *lines(*STEPS[:5]))
    record = step(Moves(), refilled(steps)).records["h1"]
    assert (record.ended, record.outcome) == (ENDED, "accepted")


def test_what_a_dialplan_of_before_did_not_write_down_is_no_record(tmp_path: Path) -> None:
    steps = stages(tmp_path, *lines(*STEPS[3:]))
    assert proved(refilled(steps)) is None
    assert step(Moves(), refilled(steps)).records == {}


def test_of_two_ways_the_first_one_nobody_heard_is_when_it_was_dialled(tmp_path: Path) -> None:
    second = WAY.replace("Way=1", "Way=2")
    steps = stages(
        tmp_path,
        *lines(("asked", ASKED), ("dialled", WAY)),
        *lines(("dialled", second), ("answered", ""), since=AT + 10),
    )
    moves = Moves()
    for one in (steps[0], *steps[2:]):
        moves = step(moves, one)
    told = proved(refilled(steps))
    assert told is not None
    record = mended(moves.records["h1"], told)
    assert record is not None
    assert (record.dialled, len(record.tried)) == (AT + 6.5, 2)


def test_the_fact_survives_the_journal(tmp_path: Path) -> None:
    fact = refilled(stages(tmp_path, *lines(*STEPS)))
    assert fact_from_dict(fact_to_dict(fact)) == fact


# --- the refill -------------------------------------------------------------------------------------------


class Town:
    """A service that listens again, beside the files that Asterisk wrote meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.history = History(f"sqlite+aiosqlite:///{folder / 'history.sqlite'}")
        self.journal = Journal(folder / "journal", Limits())
        self.drain = Drain(self.journal, self.history)
        self.files = (folder / "queue_log", folder / "Master.csv")
        self.told: list[Handoff] = []
        self.starts()

    def starts(self) -> None:
        """Anew, with an empty board."""
        self.board = Switchboard()
        self.board.listen(kept.journal_ear(self.journal))
        self.board.listen(self._changed)
        self.refiller = Refiller(
            "n1", self.files, self.history, self.journal, self.drain, lambda: self.board.board,
            self.board.hear, self.board.recall, now=lambda: AT + 100.0,
        )  # fmt: skip

    def _changed(self, heard: Heard) -> None:
        self.told += heard.handoffs

    async def puts_right(self) -> list[Handoff]:
        """The records of history when the silence is put right."""
        await self.refiller.put_right(Silence(AT + 6.0, AT + 50.0))
        await self.refiller._drained()
        return list(await self.history.handoffs(Past()))


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    stages(tmp_path, *lines(*STEPS))
    made = Town(tmp_path)
    await made.history.start()
    running = asyncio.create_task(made.drain.run())
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    made.journal.close()
    await made.history.close()


def on_board(town: Town) -> Any:
    return town.board.board.moves.records["h1"]


async def test_a_hand_over_of_a_dead_service_is_in_history_and_on_the_board_once(town: Town) -> None:
    (record,) = await town.puts_right()
    assert (record.call, record.outcome, record.answered) == (CALL, "back", AT + 7.5)
    assert record == on_board(town)
    told = len(town.told)
    assert await town.puts_right() == [record]
    assert len(town.told) == told, "nobody is told again"


async def test_a_record_that_only_history_has_keeps_its_words_when_it_is_refilled(town: Town) -> None:
    asked = said(
        f.TransferStepped, AT + 6, call=CALL, kind="handoff", to="110", seat="1001", caller="13900000001"
    )
    town.board.hear(asked)
    town.board.hear(said(f.HandoffNoted, AT + 6.1, call=CALL, words=(("officer", "0231"),)))
    await town.refiller._drained()
    town.starts()
    (record,) = await town.puts_right()
    assert (record.officer, record.handed) == ("0231", AT + 8.5)
    assert record.refilled == ("dialled", "answered", "joined", "handed", "tried", "ended")
