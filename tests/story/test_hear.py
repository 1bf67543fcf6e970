"""AMI events -> facts: the odd ones. The ordinary ones are told by the tapes (tests/replay)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_conf.machine import _NOISE
from calls import facts as f
from calls.facts import CallId, Fact, LegId
from cti.asterisk.ear import Ear
from cti.asterisk.hear import HANDLERS, hear
from cti.asterisk.resync import Lists, picture
from cti.asterisk.wire.frames import Headers, event_name, headers_of, late, value

CALL = CallId("demo-n1-100.1")
CALLER, SEAT = LegId("n1-100.1"), LegId("n1-100.2")


class Heard:
    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.ear = Ear("n1", self.facts.append, lambda: 9.0)

    def __call__(self, event: str, /, **headers: str) -> list[Fact]:
        """Hear one event; the facts it told. ``_`` in a header's name stands for ``-``."""
        lines = [f"Event: {event}", "Privilege: call,all"]
        lines += [f"{key.replace('_', '-')}: {text}" for key, text in headers.items()]
        before = len(self.facts)
        hear(self.ear, event.encode(), "\r\n".join(lines))
        return self.facts[before:]

    def starts(
        self, leg: str, *, account: str = "", linked: str = "", channel: str = "PJSIP/demo-x-1"
    ) -> Fact:
        (fact,) = self(
            "Newchannel", Channel=channel, AccountCode=account, Uniqueid=leg, Linkedid=linked or leg
        )
        return fact


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_the_time_is_asterisks_own_and_else_the_clocks(heard: Heard) -> None:
    (with_stamp,) = heard("Hold", Timestamp="1732190695.250000", Uniqueid=CALLER)
    (without,) = heard("Hold", Uniqueid=CALLER)
    (broken,) = heard("Hold", Timestamp="soon", Uniqueid=CALLER)
    assert (with_stamp.at, without.at, broken.at) == (1732190695.25, 9.0, 9.0)


def test_an_event_nobody_asked_for_is_no_fact(heard: Heard) -> None:
    assert heard("VarSet", Variable="X", Value="1", Uniqueid=CALLER) == []


def test_a_leg_dialled_for_a_call_belongs_to_it_from_its_first_second(heard: Heard) -> None:
    heard.starts(CALLER, account=CALL)
    seat = heard.starts(SEAT, linked=CALLER, channel="PJSIP/demo-1001-0000001a")
    assert isinstance(seat, f.LegStarted)
    assert (seat.call, seat.endpoint) == (CALL, "demo-1001")


def test_a_foreign_account_code_is_no_call(heard: Heard) -> None:
    leg = heard.starts(CALLER, account="department-7")
    assert isinstance(leg, f.LegStarted)
    assert leg.call is None


def test_a_call_id_told_twice_is_one_fact(heard: Heard) -> None:
    heard.starts(CALLER)
    assert heard("NewAccountCode", Uniqueid=CALLER, AccountCode=CALL) == [
        f.LegBelongs(at=9.0, node="n1", leg=CALLER, call=CALL, endpoint="demo-x")
    ]
    assert heard("NewAccountCode", Uniqueid=CALLER, AccountCode=CALL) == []


def test_a_leg_that_is_gone_does_not_come_back(heard: Heard) -> None:
    heard.starts(CALLER, account=CALL)
    heard("Hangup", Uniqueid=CALLER, Cause="16")
    assert heard("NewAccountCode", Uniqueid=CALLER, AccountCode=CALL) == []
    assert heard("SoftHangupRequest", Uniqueid=CALLER) == []
    assert (heard.ear.calls, heard.ear.hanging) == ({}, set())


def test_a_masquerade_hands_the_call_to_the_leg_that_takes_the_name(heard: Heard) -> None:
    heard.starts(SEAT, account=CALL, channel="PJSIP/demo-1001-1")
    heard.starts("n1-100.3", channel="AsyncGoto/PJSIP/demo-1001-1")
    heard("Rename", Uniqueid=SEAT, Channel="PJSIP/demo-1001-1", Newname="PJSIP/demo-1001-1<MASQ>")
    told = heard(
        "Rename", Uniqueid="n1-100.3", Channel="AsyncGoto/PJSIP/demo-1001-1", Newname="PJSIP/demo-1001-1"
    )
    assert told == [
        f.LegRenamed(at=9.0, node="n1", leg=LegId("n1-100.3"), channel="PJSIP/demo-1001-1"),
        f.LegBelongs(at=9.0, node="n1", leg=LegId("n1-100.3"), call=CALL, endpoint="demo-1001"),
    ]


def test_both_halves_of_a_local_channel_are_the_same_call(heard: Heard) -> None:
    heard.starts("n1-100.5", account=CALL, channel="Local/1002@demo-seats-1;1")
    heard.starts("n1-100.6", channel="Local/1002@demo-seats-1;2")
    told = heard("LocalBridge", LocalOneUniqueid="n1-100.5", LocalTwoUniqueid="n1-100.6")
    assert told == [f.LegBelongs(at=9.0, node="n1", leg=LegId("n1-100.6"), call=CALL)]


def test_two_calls_joined_by_a_transfer_become_the_older_one_after_it(heard: Heard) -> None:
    consult = CallId("demo-n1-100.8")
    heard.starts(CALLER, account=CALL)
    heard.starts("n1-100.9", account=consult)
    told = heard(
        "AttendedTransfer",
        Result="Success",
        OrigTransfererUniqueid="n1-100.2",
        SecondTransfererUniqueid="n1-100.8",
        TransfereeUniqueid=CALLER,
        TransferTargetUniqueid="n1-100.9",
    )
    assert [type(fact) for fact in told] == [f.AttendedTransferred, f.LegBelongs]
    assert told[1] == f.LegBelongs(at=9.0, node="n1", leg=LegId("n1-100.9"), call=CALL, endpoint="demo-x")


def test_a_failed_transfer_moves_nobody(heard: Heard) -> None:
    heard.starts(CALLER, account=CALL)
    heard.starts("n1-100.9", account="demo-n1-100.8")
    (told,) = heard(
        "AttendedTransfer", Result="Fail", TransfereeUniqueid=CALLER, TransferTargetUniqueid="n1-100.9"
    )
    assert isinstance(told, f.AttendedTransferred)
    assert not told.ok


def test_only_a_caller_who_hangs_up_abandons(heard: Heard) -> None:
    """Asterisk says QueueCallerAbandon also when Queue()'s own time is over."""
    heard.starts(CALLER, account=CALL)
    abandon = {"Uniqueid": CALLER, "Queue": "demo-general", "Position": "2", "HoldTime": "12"}
    assert heard("QueueCallerAbandon", **abandon) == []
    heard("HangupRequest", Uniqueid=CALLER)
    assert heard("QueueCallerAbandon", **abandon) == [
        f.QueueAbandoned(
            at=9.0, node="n1", call=CALL, leg=CALLER, city="demo", queue="general", position=2, waited=12.0
        )
    ]


def test_a_caller_unknown_to_our_dialplan_is_named_after_the_leg(heard: Heard) -> None:
    (joined,) = heard("QueueCallerJoin", Uniqueid="n1-5.5", Queue="demo-general", Position="1", Count="1")
    assert isinstance(joined, f.QueueJoined)
    assert joined.call == "demo-n1-5.5"


def test_a_queue_without_a_city_is_not_ours(heard: Heard) -> None:
    assert heard("QueueCallerJoin", Uniqueid="n1-5.5", Queue="support", Position="1") == []
    assert heard("QueueMemberPause", Queue="support", MemberName="x", Paused="1") == []


def test_a_ring_without_answer_counts_milliseconds_and_an_answer_seconds(heard: Heard) -> None:
    place = {"Uniqueid": CALLER, "DestUniqueid": SEAT, "Queue": "demo-general", "MemberName": "demo-1001"}
    (declined,) = heard("AgentRingNoAnswer", **place, RingTime="6000")
    (answered,) = heard("AgentConnect", **place, RingTime="6", HoldTime="9")
    assert isinstance(declined, f.SeatDeclined)
    assert isinstance(answered, f.SeatAnswered)
    assert (declined.rang, answered.rang, answered.waited) == (6.0, 6.0, 9.0)


def test_the_end_of_a_talk_is_told_though_the_seats_leg_is_gone(heard: Heard) -> None:
    (told,) = heard(
        "AgentComplete",
        Uniqueid=CALLER,
        Queue="demo-general",
        MemberName="demo-1001",
        Reason="caller",
        TalkTime="4",
    )
    assert isinstance(told, f.SeatFinished)
    assert (told.seat, told.talked) == ("1001", 4.0)


@pytest.mark.parametrize(
    "device", ["Queue:demo-general_avail", "Local/1001@demo-seats", "PJSIP/demo-carrier"]
)
def test_only_seats_have_device_states(heard: Heard, device: str) -> None:
    assert heard("DeviceStateChange", Device=device, State="INUSE") == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("Reachable", f.PhoneReachable),
        ("NonQualified", f.PhoneReachable),
        ("Unreachable", f.PhoneGone),
        ("Removed", f.PhoneGone),
    ],
)
def test_a_phone_is_there_or_gone(heard: Heard, status: str, kind: type[Fact]) -> None:
    (told,) = heard(
        "ContactStatus", URI="sip:x", ContactStatus=status, AOR="demo-1001", EndpointName="demo-1001"
    )
    assert type(told) is kind


@pytest.mark.parametrize(
    ("kind", "bridge_type", "technology"),
    [
        ("basic", "basic", "simple_bridge"),
        ("basic", "basic", "softmix"),
        ("conference", "base", "softmix"),
        ("holding", "base", "holding_bridge"),
        ("other", "stasis", "simple_bridge"),
    ],
)
def test_a_bridge_has_a_kind(heard: Heard, kind: str, bridge_type: str, technology: str) -> None:
    (joined,) = heard(
        "BridgeEnter",
        BridgeUniqueid="b",
        BridgeType=bridge_type,
        BridgeTechnology=technology,
        Uniqueid=CALLER,
    )
    assert isinstance(joined, f.LegJoined)
    assert joined.kind == kind


def test_another_programs_user_event_is_not_ours(heard: Heard) -> None:
    assert heard("UserEvent", Uniqueid=CALLER, UserEvent="Other", What="left", Call=CALL) == []
    assert heard("UserEvent", Uniqueid=CALLER, UserEvent="Hotline", What="danced", Call=CALL) == []
    assert heard("UserEvent", Uniqueid=CALLER, UserEvent="Hotline", What="left", Call="x") == []


def test_headers_a_caller_smuggled_behind_ours_count_for_nothing(heard: Heard) -> None:
    """UserEvent splits at commas after substitution: a number like ``1,What: left,Uniqueid: x``."""
    heard.starts(CALLER)
    text = (
        f"Event: UserEvent\r\nUniqueid: {CALLER}\r\nUserEvent: Hotline\r\nWhat: arrived\r\nCall: {CALL}\r\n"
        "City: demo\r\nLine: main\r\nCaller: 1\r\nWhat: left\r\nCall: demo-n1-6.6\r\nUniqueid: n1-6.6"
    )
    hear(heard.ear, b"UserEvent", text)
    arrived = heard.facts[-1]
    assert isinstance(arrived, f.CallArrived)
    assert (arrived.call, arrived.leg, arrived.caller) == (CALL, CALLER, "1")


HEADERS = [
    "Channel",
    "ChannelState",
    "CallerIDNum",
    "AccountCode",
    "Context",
    "Exten",
    "Uniqueid",
    "Linkedid",
    "DestUniqueid",
    "Queue",
    "MemberName",
    "Position",
    "Count",
    "RingTime",
    "HoldTime",
    "TalkTime",
    "Cause",
    "Device",
    "State",
    "UserEvent",
    "What",
    "Call",
    "Newname",
    "BridgeUniqueid",
    "Timestamp",
    "Paused",
    "Penalty",
    "Result",
    "Direction",
    "Digit",
    "EndpointName",
    "ContactStatus",
    "LocalOneUniqueid",
]


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(HANDLERS)),
    st.lists(st.tuples(st.sampled_from(HEADERS), st.text(max_size=12)), max_size=20),
    st.booleans(),
)
def test_no_event_however_odd_raises(name: bytes, headers: list[tuple[str, str]], ours: bool) -> None:
    heard = Heard()
    lines = [f"Event: {name.decode()}", *(f"{key}: {text}" for key, text in headers)]
    if ours:
        lines.append("UserEvent: Hotline")
    hear(heard.ear, name, "\r\n".join(lines))


def test_what_is_filtered_at_the_source_is_nothing_we_listen_for() -> None:
    assert not set(HANDLERS) & {name.encode() for name in _NOISE}


# --- frames ---------------------------------------------------------------------------------


def test_a_header_is_found_by_its_whole_name() -> None:
    text = "Event: X\r\nDestUniqueid: a\r\nUniqueid: b\r\nEmpty: \r\nLast: c"
    found = [value(text, f"\r\n{key}: ") for key in ("Uniqueid", "DestUniqueid", "Empty", "Last", "None")]
    assert found == ["b", "a", "", "c", ""]
    assert [late(text, f"\r\n{key}: ") for key in ("Uniqueid", "Last", "None")] == ["b", "c", ""]


def test_repeated_headers_are_kept() -> None:
    assert headers_of("Response: Success\r\nOutput: a\r\nOutput:b: c\r\nnoise") == {
        "Response": "Success",
        "Output": "a\nb: c",
    }


def test_a_response_has_no_event_name() -> None:
    assert event_name(b"Response: Success\r\nMessage: x") == b""
    assert event_name(b"\r\nEvent: Hangup\r\nCause: 1") == b"Hangup"
    assert event_name(b"Event: Reload") == b"Reload"


# --- the snapshot ---------------------------------------------------------------------------


def _row(leg: str, account: str = "", linked: str = "", bridge: str = "") -> Headers:
    return {
        "Event": "CoreShowChannel",
        "Channel": f"PJSIP/demo-1001-{leg}",
        "Uniqueid": leg,
        "Linkedid": linked or leg,
        "AccountCode": account,
        "BridgeId": bridge,
        "ChannelState": "6",
        "Duration": "01:02:03",
        "CallerIDNum": "<unknown>",
    }


def _lists(*channels: Headers, queues: tuple[Headers, ...] = ()) -> Lists:
    return Lists(version="22", boot="b", channels=channels, bridges=(), queues=queues)


def test_a_snapshot_follows_a_transferred_leg_to_the_callers_call() -> None:
    """After an attended transfer the colleague's leg keeps the consultation's account code."""
    rows = _row("n1-100.1", CALL), _row("n1-100.9", "demo-n1-100.8", linked="n1-100.1")
    snapshot = picture(_lists(*rows), "n1", 1.0, {})
    assert [leg.call for leg in snapshot.legs] == [CALL, CALL]
    assert snapshot.legs[0].seconds == 3723.0
    assert snapshot.legs[0].caller == ""


def test_a_consultation_still_going_on_is_a_call_of_its_own() -> None:
    rows = _row("n1-100.1", CALL), _row("n1-100.8", "demo-n1-100.8", linked="n1-100.1")
    assert picture(_lists(*rows), "n1", 1.0, {}).legs[1].call == "demo-n1-100.8"


def test_what_was_known_of_a_leg_outlives_a_reconnect() -> None:
    assert picture(_lists(_row("n1-100.7")), "n1", 1.0, {LegId("n1-100.7"): CALL}).legs[0].call == CALL


def test_whoever_talks_to_one_call_without_an_id_belongs_to_it() -> None:
    rows = _row("n1-100.1", CALL, bridge="b"), _row("n1-100.7", bridge="b"), _row("n1-100.6")
    assert [leg.call for leg in picture(_lists(*rows), "n1", 1.0, {}).legs] == [CALL, CALL, None]


def test_members_and_waiters_carry_their_city() -> None:
    queues: tuple[Headers, ...] = (
        {"Event": "QueueParams", "Queue": "demo-general"},
        {"Event": "QueueParams", "Queue": "default"},
        {
            "Event": "QueueMember",
            "Queue": "demo-general",
            "Name": "demo-1001",
            "Penalty": "10",
            "Status": "6",
            "Paused": "1",
            "PausedReason": "lunch",
            "CallsTaken": "3",
            "InCall": "0",
        },
        {"Event": "QueueEntry", "Queue": "demo-general", "Position": "1", "Uniqueid": "n1-1.1", "Wait": "7"},
        {"Event": "QueueMember", "Queue": "default", "Name": "x", "Status": "99"},
    )
    snapshot = picture(_lists(queues=queues), "n1", 1.0, {})
    assert snapshot.queues == (("demo", "general"),)
    assert snapshot.waiters == (
        f.WaiterNow(city="demo", queue="general", leg=LegId("n1-1.1"), position=1, waited=7.0),
    )
    (member,) = snapshot.members
    assert (member.seat, member.penalty, member.paused, member.reason) == ("1001", 10, True, "lunch")
    assert (member.device, member.calls_taken, member.in_call) == ("ringing", 3, False)


def test_a_transfer_tells_what_was_wished_what_became_of_it_and_whether_the_caller_may_be_in_danger(
    heard: Heard,
) -> None:
    told = {
        "UserEvent": "Hotline",
        "What": "transfer",
        "Call": CALL,
        "Id": "h1",
        "Step": "asked",
        "To": "110",
    }
    (asked,) = heard("UserEvent", Uniqueid=CALLER, **told, Kind="handoff", Wished="blind", Urgent="1")
    assert isinstance(asked, f.TransferStepped)
    assert (asked.wished, asked.kind, asked.urgent) == ("blind", "handoff", True)
    (step,) = heard("UserEvent", Uniqueid=CALLER, **told | {"Step": "joined"})
    assert isinstance(step, f.TransferStepped)
    assert (step.wished, step.urgent) == ("", False)
