"""AgentComplete of a caller whose leg is already gone has no word of the caller (Asterisk 22.10.1)."""

from __future__ import annotations

from calls.facts import Fact, SeatFinished
from cti.asterisk.ear import Ear
from cti.asterisk.hear import hear

CONNECT = (
    "Event: AgentConnect\r\nTimestamp: 10.5\r\nUniqueid: n1-10.1\r\nAccountCode: demo-n1-10.1\r\n"
    "DestUniqueid: n1-10.2\r\nQueue: demo-general\r\nMemberName: demo-1001\r\nHoldTime: 3\r\nRingTime: 1\r\n"
)
COMPLETE = (
    "Event: AgentComplete\r\nTimestamp: 12.5\r\nQueue: demo-general\r\nMemberName: demo-1001\r\n"
    "HoldTime: 3\r\nTalkTime: 2\r\nReason: caller\r\n"
)


def finished(*events: tuple[bytes, str]) -> list[tuple[str, float]]:
    told: list[Fact] = []
    ear = Ear("n1", told.append, lambda: 0.0)
    for name, text in events:
        hear(ear, name, text)
    return [(x.call, x.talked) for x in told if isinstance(x, SeatFinished)]


def test_it_is_the_call_the_seat_was_given_last() -> None:
    assert finished((b"AgentConnect", CONNECT), (b"AgentComplete", COMPLETE)) == [("demo-n1-10.1", 2.0)]


def test_without_having_heard_the_answer_no_call_is_invented() -> None:
    assert finished((b"AgentComplete", COMPLETE)) == []
