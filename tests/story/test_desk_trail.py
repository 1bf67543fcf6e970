"""What the audit trail says of a supervisor's phone: nobody ordered it, and it stands there all the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Never

import pytest

from calls import facts as f
from calls.audit import Audited, Outcome
from calls.facts import Fact, LegId
from cti.desk_doors import DeskDoors
from cti.errors import Refused
from cti.home import Home
from cti.store.journal import Journal
from cti.switchboard import Switchboard
from tests.story.a_call import CALL, answered, said

LEG = LegId("n1-9.9")
BEGAN = said(f.WatchBegan, 120.0, leg=LEG, by="1003", seat="1001", how="listen")


class Desk(DeskDoors):
    """The desk's doors with a trail that the test reads."""

    def __init__(self, folder: Path) -> None:
        home = Home(folder)
        home.secrets_file.write_text('{"web_key": "a key of a test"}')
        self.board, self.trail = Switchboard(), list[Audited]()
        super().__init__(home, lambda: self.board.board, dict, _nobody, Journal(folder), _nobody)
        self.board.listen(self.hear)
        for fact in answered():
            self.board.hear(fact)

    def note(self, row: Audited) -> None:
        self.trail.append(row)

    def after(self, *facts: Fact) -> list[tuple[str, str]]:
        """What was done, and what was told with it."""
        for fact in facts:
            self.board.hear(fact)
        return [(row.did, row.told) for row in self.trail]


async def _nobody(asked: object) -> Never:
    raise Refused("nobody is here")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def key(at: float, key: str, leg: LegId = LEG) -> Fact:
    pressed: Fact = said(f.KeyPressed, at, leg=leg, key=key)
    return pressed


def test_a_key_that_makes_a_listener_heard_stands_in_the_audit_trail_as_an_order_does(desk: Desk) -> None:
    desk.after(said(f.AgentBound, 110.0, seat="1003", agent="8003"), BEGAN, key(121.0, "6"))
    (row,) = desk.trail
    assert (row.did, row.on, row.outcome) == ("watch", CALL, Outcome.DONE)
    assert (row.who, row.role, row.at, row.ended) == ("agent-8003", "supervisor", 121.0, 121.0)
    assert json.loads(row.told) == {"seat": "1003", "how": "barge", "by": "key"}


def test_each_change_by_key_is_a_row_and_a_key_that_changes_nothing_is_none(desk: Desk) -> None:
    keys = [key(121.0, "4"), key(122.0, "5"), key(123.0, "5"), key(124.0, "9"), key(125.0, "4")]
    found = desk.after(BEGAN, *keys, key(126.0, "6", leg=LegId("n1-1.1")))
    assert [json.loads(told)["how"] for _, told in found] == ["whisper", "listen"]
    assert {row.who for row in desk.trail} == {"seat-1003"}, "nobody signed in there"


def test_the_end_of_a_watch_stands_in_the_audit_trail_once(desk: Desk) -> None:
    over = said(f.WatchEnded, 130.0, leg=LEG, by="1003", seat="1001")
    found = desk.after(BEGAN, over, over, said(f.LegEnded, 130.1, leg=LEG))
    assert found == [("watch-end", '{"seat": "1003"}')]
    assert (desk.trail[0].on, desk.trail[0].at) == (CALL, 130.0)


def test_a_watch_that_became_a_take_over_has_no_end_of_its_own(desk: Desk) -> None:
    """The dialplan tells of it once more as that leg hangs up, long after."""
    over = said(f.WatchEnded, 190.0, leg=LEG, by="1003", seat="1001")
    assert desk.after(BEGAN, said(f.LegBelongs, 125.0, leg=LEG), key(126.0, "6"), over) == []
