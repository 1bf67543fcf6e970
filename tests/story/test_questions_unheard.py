"""The channel that asks the service for a caller is nobody's call: no fact, no leg of a snapshot."""

from __future__ import annotations

from calls.facts import Fact, LegId
from cti.asterisk.ear import Ear
from cti.asterisk.hear import hear
from cti.asterisk.resync import Lists, picture

HALF = "Local/s@ask-apart-0000002a;2"
SAID = (
    ("Newchannel", f"Channel: {HALF}\r\nContext: ask-apart\r\nUniqueid: n1-100.7\r\nLinkedid: n1-100.6"),
    ("LocalBridge", f"LocalOneChannel: {HALF}\r\nLocalOneUniqueid: n1-100.6\r\nLocalTwoUniqueid: n1-100.7"),
    ("DialBegin", f"DestChannel: {HALF}\r\nDestUniqueid: n1-100.6"),
    ("SoftHangupRequest", f"Channel: {HALF}\r\nUniqueid: n1-100.7\r\nCause: 16"),
    ("DeviceStateChange", "Device: Local/s@ask-apart\r\nState: NOT_INUSE"),
    ("Hangup", f"Channel: {HALF}\r\nUniqueid: n1-100.7\r\nCause: 16"),
)


def told(*events: tuple[str, str]) -> list[Fact]:
    facts: list[Fact] = []
    ear = Ear("n1", facts.append, lambda: 0.0)
    for event, headers in events:
        hear(ear, event.encode(), f"Event: {event}\r\n{headers}")
    return facts


def test_what_asterisk_says_of_a_question_is_no_fact() -> None:
    assert told(*SAID) == []


def test_a_caller_who_calls_himself_a_question_is_heard() -> None:
    headers = f"Channel: PJSIP/demo-carrier-1\r\nCallerIDName: x Channel: {HALF}\r\nUniqueid: n1-100.1"
    assert len(told(("Newchannel", headers))) == 1


def test_any_other_local_channel_is_heard() -> None:
    assert len(told(("Newchannel", SAID[0][1].replace("ask-apart", "seats-ask-apart")))) == 1


def test_a_question_left_behind_is_no_leg_of_a_snapshot() -> None:
    caller = {"Channel": "PJSIP/demo-carrier-1", "Uniqueid": "n1-100.1", "Linkedid": "n1-100.1"}
    asking = {"Channel": HALF, "Uniqueid": "n1-100.7", "Linkedid": "n1-100.6"}
    lists = Lists(version="22.10.1", boot="1", channels=(caller, asking), bridges=(), queues=())
    assert [leg.leg for leg in picture(lists, "n1", 1.0, {}).legs] == [LegId("n1-100.1")]
