"""The third witness finds what it is asked for: each way in which a ledger may be wrong is one difference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.referee import Referee
from lab.talk import Ring, Span, with_caller
from lab.witness import Log, Race, Report, compare, seen

CALL, BACK = "demo-n1-1.1", "demo-n1-9.9"


def line(what: str, at: float, leg: str, phone: str = "citizen", **more: Any) -> dict[str, Any]:
    kind = "citizen" if phone == "citizen" else "outside" if phone.isdigit() else "seat"
    usual = {"sip_call": "", "call": "", "caller_sip_call": "", "caller": "", "called": ""}
    return {**usual, "what": what, "at": at, "leg": leg, "phone": phone, "kind": kind, **more}


SEAT: dict[str, Any] = {"call": CALL, "caller_sip_call": "sip-1", "caller": "139"}
TALK = [
    line("sent", 10.0, "c", sip_call="sip-1", caller="139", called="12345"),
    line("rings", 12.0, "s", "demo-1001", **SEAT),
    line("answered", 13.0, "s", "demo-1001", **SEAT),
    line("ended", 23.0, "s", "demo-1001", by="far", **SEAT),
    line("held", 14.0, "s", "demo-1001", **SEAT),
    line("resumed", 18.0, "s", "demo-1001", **SEAT),
    line("rings", 23.0, "o", "demo-2101", **SEAT),
    line("answered", 24.0, "o", "demo-2101", **SEAT),
    line("ended", 34.0, "o", "demo-2101", by="self", **SEAT),
    line("ended", 34.1, "c", by="far"),
]
CALLED = [
    line("rings", 50.0, "b", "demo-1001", call=BACK),
    line("answered", 51.0, "b", "demo-1001", call=BACK),
    line("rings", 53.0, "h", "139"),
    line("answered", 55.0, "h", "139"),
    line("ended", 65.0, "h", "139", by="self"),
    line("ended", 65.1, "b", "demo-1001", call=BACK, by="far"),
]
ROW = {
    "id": CALL, "caller": "139", "called": "12345", "arrived": 10.0, "answered": 13.0, "ended": 34.1,
    "first_seat": "1001", "left_by": "agent", "stage": "talking", "callback_of": "",
}  # fmt: skip
ROW_BACK = {
    **ROW, "id": BACK, "called": "139", "arrived": 49.0, "answered": 51.0, "ended": 65.0, "greeted": 57.0,
    "callback_of": CALL,
}  # fmt: skip
VISIT = {"outcome": "answered", "seat": "1001"}
FIRST = {
    "source": "heard",
    "seat": "1001",
    "part": "answered",
    "answered": 13.0,
    "ended": 23.0,
    "talk": 6.0,
    "hold": 4.0,
}
SECOND = {
    "source": "heard",
    "seat": "2101",
    "part": "joined",
    "answered": 24.0,
    "ended": 34.0,
    "talk": 10.0,
    "hold": 0.0,
}
FOR_BACK = {
    "source": "heard",
    "seat": "1001",
    "part": "answered",
    "answered": 51.0,
    "ended": 65.0,
    "talk": 14.0,
    "hold": 0.0,
}


def log_of(folder: Path, lines: list[dict[str, Any]]) -> Log:
    (folder / "phones.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    return seen(folder / "phones.jsonl")


def judged(
    folder: Path, lines: list[dict[str, Any]] | None = None, unheard: Sequence[Span] = (), **other: Any
) -> Report:
    told = {"row": ROW, "back": ROW_BACK, "first": FIRST, "second": SECOND, "visit": VISIT, **other}
    parts = [told[name] for name in ("first", "second") if told[name] is not None]
    return compare(
        log_of(folder, [*TALK, *CALLED] if lines is None else lines),
        {row["id"]: row for row in (told["row"], told["back"])},
        {CALL: [told["visit"]]},
        {CALL: parts, BACK: [FOR_BACK]},
        ("2101",),
        unheard,
    )


def test_a_true_ledger_has_no_difference(tmp_path: Path) -> None:
    report = judged(tmp_path)
    assert (report.differences, report.races, report.calls) == ([], [], 1)


def test_each_wrong_row_is_found(tmp_path: Path) -> None:
    for wrong, told in (
        ({"row": {**ROW, "left_by": "caller"}}, "left by caller, the phones say agent"),
        ({"row": {**ROW, "first_seat": "1002"}}, "first seat 1002, the phones say 1001"),
        ({"visit": {**VISIT, "outcome": "abandoned"}}, "visits answered by []"),
        ({"first": {**FIRST, "part": "missed", "seat": "1002"}}, "rings of 1002x1 in the ledger"),
        ({"first": {**FIRST, "talk": 21.0}}, "1001 talk 21.0 s, the phone says 6.0"),
        ({"first": {**FIRST, "talk": 10.0, "hold": 0.0}}, "1001 hold 0.0 s, the phone says 4.0"),
        ({"second": {**SECOND, "talk": 21.0}}, "2101 talk 21.0 s, the phone says 10.0"),
        ({"second": {**SECOND, "talk": 2.0}}, "2101 talk 2.0 s, the phone says 10.0"),
        ({"second": {**SECOND, "seat": "2102"}}, "2102 talked 10.0 s and held 0.0 s, by no phone"),
        ({"second": None}, "2101 talked 10.0 s, in no stint"),
        ({"back": {**ROW_BACK, "greeted": 90.0}}, "the citizen answered until 90.000"),
        ({"back": {**ROW_BACK, "first_seat": ""}}, "first seat none, the phones say 1001"),
    ):
        differences = judged(tmp_path, **wrong).differences
        assert any(told in d for d in differences), (wrong, differences)


def test_talk_that_the_ledger_lost_is_found_when_nobody_was_passed_on(tmp_path: Path) -> None:
    alone = [x for x in TALK if x["leg"] in ("s", "c")]
    row = {**ROW, "left_by": "system"}
    short = {**FIRST, "talk": 3.0}
    report = judged(tmp_path, [*alone, *CALLED], row=row, first=short, second=None)
    assert [d.partition(": ")[2] for d in report.differences] == ["1001 talk 3.0 s, the phone says 6.0"]


def test_what_a_silence_hid_is_compared_as_one_sum_of_talk_and_hold(tmp_path: Path) -> None:
    hidden = {**FIRST, "talk": 10.0, "hold": 0.0}
    report = judged(tmp_path, first=hidden, unheard=[(15.0, 16.0)])
    assert (report.differences, report.seats["1001"].hold) == ([], 0.0)
    report = judged(tmp_path, first=hidden, unheard=[(40.0, 41.0)])
    assert len(report.differences) == 2


def test_a_seats_figures_stand_beside_those_of_its_phone(tmp_path: Path) -> None:
    sums = judged(tmp_path).seats["1001"]
    assert (sums.stints, sums.talk, sums.hold) == (2, 20.0, 4.0)
    assert (round(sums.phone_talk, 1), round(sums.phone_hold, 1)) == (20.1, 4.0)


def ring(seat: str, *times: float, keyed: str = "", at: float = 0.0) -> Ring:
    rang, answered, ended = times
    return Ring(f"demo-{seat}", rang, "", answered, ended, pressed=[(at, key) for key in keyed])


def test_who_asks_and_who_is_asked_are_with_the_caller_one_after_the_other() -> None:
    agent = ring("1001", 0.0, 1.0, 30.0, keyed="*822101#", at=10.0)
    asked = ring("2101", 11.0, 12.0, 40.0)
    both = [agent, asked]
    assert with_caller(agent, both, 50.0).spans == ((1.0, 11.0),)
    assert with_caller(asked, both, 50.0).spans == ((30.0, 40.0),)
    assert with_caller(asked, both, 35.0).total == 5.0


def test_an_agent_is_with_the_caller_again_when_the_colleague_is_gone() -> None:
    agent = ring("1001", 0.0, 1.0, 30.0, keyed="*822101#*80", at=10.0)
    asked = ring("2101", 11.0, 12.0, 20.0)
    assert with_caller(agent, [agent, asked], None).spans == ((1.0, 11.0), (20.0, 30.0))
    assert with_caller(asked, [agent, asked], None).total == 0.0


def test_who_is_called_in_is_with_the_caller_beside_the_agent() -> None:
    agent = ring("1001", 0.0, 1.0, 30.0, keyed="*832101#", at=10.0)
    called = ring("2101", 11.0, 12.0, 40.0)
    assert with_caller(agent, [agent, called], 50.0).total == 29.0
    assert with_caller(called, [agent, called], 50.0).total == 28.0


def test_who_asks_and_who_is_asked_are_both_with_the_caller_once_they_are_together() -> None:
    agent = ring("1001", 0.0, 1.0, 30.0, keyed="*822101#", at=10.0)
    asked = ring("2101", 11.0, 12.0, 40.0)
    for at, asker, other in ((15.0, 10.0 + 15.0, 25.0), (11.5, 10.0, 10.0)):
        agent.pressed = [*agent.pressed[:8], *((at, key) for key in "*84")]
        assert with_caller(agent, [agent, asked], None).total == asker
        assert with_caller(asked, [agent, asked], None).total == other


def test_a_hold_counts_while_the_phone_is_with_the_caller_and_until_its_end() -> None:
    agent = ring("1001", 0.0, 1.0, 30.0, keyed="*822101#", at=10.0)
    asked = ring("2101", 11.0, 12.0, 20.0)
    agent.held = [5.0, 8.0, 10.0, 21.0, 29.0]
    assert with_caller(agent, [agent, asked], None).hold == 3.0 + 1.0 + 1.0 + 1.0


def test_a_phone_that_we_called_without_a_call_back_in_the_ledger_is_found(tmp_path: Path) -> None:
    stray = line("rings", 300.0, "x", "137")
    assert judged(tmp_path, [*TALK, *CALLED, stray]).differences == [
        "137 at 300.000: rang, and no call back in the ledger"
    ]


# --- races ------------------------------------------------------------------------------------------------

LIFTED = [
    line("sent", 10.0, "c", sip_call="sip-1", caller="139", called="12345"),
    line("rings", 12.0, "s", "demo-2001", **SEAT),
    line("answered", 13.0, "s", "demo-2001", **SEAT),
    line("ended", 13.2, "s", "demo-2001", by="far", **SEAT),
    line("ended", 13.1, "c", by="self"),
]
UNANSWERED = {**ROW, "answered": None, "ended": 13.1, "first_seat": "", "left_by": "caller"}
BOTH_HUNG_UP = [
    *LIFTED[:3],
    line("ended", 20.1, "s", "demo-2001", by="self", **SEAT),
    line("ended", 20.2, "c", by="self"),
]
ENDED = {**ROW, "ended": 20.2, "first_seat": "2001", "left_by": "agent"}
ANSWERED_BY = {"outcome": "answered", "seat": "2001"}
CONNECTED = {"Event": "AgentConnect", "AccountCode": CALL, "MemberName": "demo-2001", "Timestamp": "13.1"}


def bye(who: str, at: float) -> dict[str, str]:
    """``who``: the caller, or a seat."""
    caller = who == "caller"
    return {
        "Event": "HangupRequest", "AccountCode": CALL, "Timestamp": f"{at}",
        "Uniqueid": CALL.partition("-")[2] if caller else "n1-1.7",
        "Channel": "PJSIP/demo-carrier-00000001" if caller else f"PJSIP/demo-{who}-00000002",
    }  # fmt: skip


def race_in(folder: Path, lines: list[dict[str, Any]], row: dict[str, Any], visit: dict[str, Any]) -> Race:
    (race,) = compare(log_of(folder, lines), {CALL: row}, {CALL: [visit]}, {}).races
    return race


@pytest.mark.parametrize(
    ("events", "against"), [([], ""), ([CONNECTED], "app_queue connected ['2001']")], ids=["ledger", "phone"]
)
def test_whether_a_handset_lifted_as_the_caller_hung_up_has_answered_app_queue_says(
    tmp_path: Path, events: list[dict[str, str]], against: str
) -> None:
    race = race_in(tmp_path, LIFTED, UNANSWERED, {"outcome": "abandoned", "seat": ""})
    assert race == Race(CALL, ())
    referee = Referee(("2001",))
    for event in events:
        referee.take(event)
    assert referee.against(race).endswith(against)
    assert bool(referee.against(race)) is bool(against)


@pytest.mark.parametrize(
    ("events", "right"),
    [
        ([bye("2001", 20.0), bye("caller", 20.1)], True),
        # a thread each
        ([bye("caller", 20.1), bye("2001", 20.3)], True),
        ([bye("caller", 20.1), bye("2001", 21.0)], False),
        # whom the agent was to: long before
        ([bye("2001", 14.0), bye("caller", 20.1)], False),
        ([bye("2001", 20.0)], False),
        # no seat of the plan, whatever it is called
        ([bye("2099", 20.0), bye("caller", 20.1)], False),
    ],
)
def test_of_two_who_hang_up_the_one_whose_bye_came_first_has_ended_the_call(
    tmp_path: Path, events: list[dict[str, str]], right: bool
) -> None:
    race = race_in(tmp_path, BOTH_HUNG_UP, ENDED, ANSWERED_BY)
    assert race == Race(CALL, ("2001",), "agent")
    referee = Referee(("2001",))
    for event in (CONNECTED, *events):
        referee.take(event)
    assert (referee.against(race) == "") is right
