"""The live board over a real switchboard: what is over stands there no more, whatever is told late."""

from __future__ import annotations

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.picture import KEPT_ENDED, KEPT_ENDED_SECONDS
from cti.live_board import LiveBoard
from cti.store.history import History
from cti.switchboard import Switchboard
from tests.story.a_call import said

NOW = 200.0


class Hall:
    """A switchboard and its live board."""

    def __init__(self) -> None:
        self.board = Switchboard()
        history = History("sqlite+aiosqlite://")
        self.live = LiveBoard(lambda: self.board.board, tuple, history, now=lambda: NOW)
        self.board.listen(self.live.hear)

    def hear(self, *facts: Fact) -> None:
        for fact in facts:
            self.board.hear(fact)

    def comes(self, number: int, at: float) -> CallId:
        """A call, as far as its talk with seat 1001."""
        leg, call, seat = LegId(f"n1-{number}.1"), CallId(f"demo-n1-{number}.1"), LegId(f"n1-{number}.2")
        self.hear(
            said(f.LegStarted, at, leg=leg, call=None, linked=leg),
            said(f.CallArrived, at, leg=leg, call=call),
            said(f.QueueJoined, at, leg=leg, call=call),
            said(f.LegStarted, at, leg=seat, call=call, channel=f"PJSIP/demo-1001-{number}",
                 endpoint="demo-1001", linked=leg),
            said(f.SeatAnswered, at, leg=seat, call=call),
        )  # fmt: skip
        return call

    def goes(self, call: CallId, at: float) -> None:
        self.hear(said(f.CallLeft, at, call=call), said(f.LegEnded, at, leg=LegId(call.partition("-")[2])))

    def stand(self) -> list[CallId]:
        return [now.call for now in self.live.transfers()]


def asked(call: CallId, at: float) -> Fact:
    fact: Fact = said(f.TransferStepped, at, call=call, id=f"h-{call}", step="asked", kind="three")
    return fact


def test_a_wish_that_is_told_after_its_call_was_over_stands_nowhere_also_when_the_call_is_forgotten() -> None:
    hall = Hall()
    call = hall.comes(1, 100.0)
    assert hall.stand() == [call]
    hall.goes(call, 110.0)
    hall.hear(asked(call, 110.0))
    assert hall.stand() == []
    later = hall.comes(2, 120.0)
    hall.goes(later, 111.0 + KEPT_ENDED_SECONDS)
    assert call not in hall.board.board.picture.calls
    assert hall.stand() == []
    # its centre's computer has a last word
    hall.hear(said(f.HandoffNoted, 500.0, call=call, id=f"h-{call}"))
    assert hall.stand() == []


def test_a_wish_that_is_told_after_its_call_was_over_is_a_record_that_is_over() -> None:
    hall = Hall()
    call = hall.comes(1, 100.0)
    hall.goes(call, 110.0)
    hall.hear(asked(call, 110.0))
    (record,) = hall.live.handoffs()
    assert (record.asked, record.ended) == (110.0, 110.0)
    assert not hall.board.board.moves.live


def test_the_board_keeps_no_more_calls_than_there_are_however_many_are_forgotten() -> None:
    hall = Hall()
    for number in range(2 * KEPT_ENDED + 100):
        call = hall.comes(number, 100.0 + number)
        assert hall.stand() == [call]
        hall.goes(call, 100.5 + number)
        hall.hear(asked(call, 100.5 + number))
    assert len(hall.board.board.picture.calls) < 2 * KEPT_ENDED
    assert hall.stand() == []
