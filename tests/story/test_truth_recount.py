"""The recount from queue_log and CDR lines: what each line proves, and what a difference looks like."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cti.truth.compare import Truth, compare
from cti.truth.files import NoFiles, cdrs, parts, queue_log
from cti.truth.grouped import GROUPS, differences, rows
from cti.truth.recount import Recount, recount
from cti.truth.talked import compare_talks
from cti.truth.wrapped import Wrapped, compare_wrap_ups, wrap_ups

AT = 1795267219
LEG = f"n1-{AT}.0"
CALL = f"demo-{LEG}"


def cdr(
    start: int = AT,
    end: int = AT + 12,
    context: str = "demo-queue-general",
    app: str = "Queue",
    data: str = "",
    told: str = f"demo/main/12345/carrier/12345/{AT}.500",
    peer: str = "",
) -> str:
    """A row as cdr_csv writes it."""

    def clock(at: int) -> str:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"

    words = [CALL, "13900000001", "s", context, '"" <13900000001>', "PJSIP/demo-carrier-0", peer, app, data]
    words += [clock(start), clock(start), clock(end), "12", "12", "ANSWERED", "DOCUMENTATION", LEG, told]
    return ",".join('"' + word.replace('"', '""') + '"' for word in words)


ANSWERED = [
    f"{AT + 3}|{LEG}|demo-general|NONE|ENTERQUEUE||13900000001|1",
    f"{AT + 4}|{LEG}|demo-general|demo-1002|RINGNOANSWER|1000",
    f"{AT + 5}|{LEG}|demo-general|demo-1001|HOTLINEANSWER|{AT + 5}.250",
    f"{AT + 5}|{LEG}|demo-general|demo-1001|CONNECT|2|n1-{AT}.2|1",
    f"{AT + 12}|{LEG}|demo-general|demo-1001|COMPLETECALLER|2|7|1",
]


def counted(tmp_path: Path, log: list[str], rows: list[str]) -> Recount:
    (tmp_path / "queue_log").write_text("\n".join(log) + "\n")
    (tmp_path / "Master.csv").write_text("\n".join(rows) + "\n")
    return recount(queue_log(tmp_path / "queue_log"), cdrs(tmp_path / "Master.csv"))


def ledger(**more: Any) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    row: dict[str, Any] = {
        "id": CALL, "city": "demo", "line": "main", "trunk": "carrier", "caller": "13900000001",
        "called": "12345", "original": "12345", "arrived": AT + 0.51, "answered": AT + 5.26,
        "first_seat": "1001", "ended": AT + 12.4, "left_by": "caller", "cause": 16, "greeted": AT + 2.0,
        "stage": "talking", "source": "heard", "consult_of": None, "owed": 0,
    }  # fmt: skip
    visit = {
        "call": CALL, "number": 1, "queue": "general", "joined": AT + 3.1, "outcome": "answered",
        "left": AT + 5.26, "seat": "1001", "waited": 2.0, "rang": 1.2, "talked": 7.0, "declined": 1,
        "source": "heard",
    }  # fmt: skip
    return {CALL: row | more}, {CALL: [visit]}


def judged(found: Recount, rows: tuple[dict[str, Any], dict[str, list[Any]]]) -> Truth:
    return compare(found, *rows, AT - 100, AT + 100)


@pytest.mark.parametrize("context", ["transfer-blind", "transfer-caller"])
def test_a_colleague_who_hangs_up_after_a_transfer_ends_the_call_as_an_agent(
    tmp_path: Path, context: str
) -> None:
    over = cdr(start=AT + 12, context=context, app="Hangup", data="16")
    assert counted(tmp_path, ANSWERED, [cdr(), over]).calls[CALL].left_by == "agent"


def test_an_answered_call_agrees_to_the_millisecond(tmp_path: Path) -> None:
    truth = judged(counted(tmp_path, ANSWERED, [cdr()]), ledger())
    assert truth.differences == []
    assert (truth.visits, truth.connect_rate, truth.within_15s) == (1, 1.0, 1.0)
    call = counted(tmp_path, ANSWERED, [cdr()]).calls[CALL]
    assert call.seconds == pytest.approx(4.75)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"line": "12315"}, {"line"}),
        ({"original": "12315"}, {"original"}),
        ({"first_seat": "1002"}, {"first seat"}),
        ({"answered": None}, {"answered", "connect_rate", "within_15s"}),
        ({"answered": AT + 8.0}, {"answered"}),
        ({"arrived": AT - 3.0}, {"arrived"}),
        ({"ended": AT + 30.0}, {"ended"}),
        ({"left_by": "agent"}, {"left_by"}),
        ({"owed": 1}, {"owed"}),
    ],
)
def test_a_wrong_row_of_the_ledger_is_named(tmp_path: Path, wrong: dict[str, Any], what: set[str]) -> None:
    truth = judged(counted(tmp_path, ANSWERED, [cdr()]), ledger(**wrong))
    assert what <= {d.what for d in truth.differences}


@pytest.mark.parametrize(
    "wrong",
    [
        {"queue": "fund"},
        {"outcome": "abandoned"},
        {"seat": "1002"},
        {"declined": 0},
        {"talked": 70.0},
        {"waited": 4.0},
        {"rang": 3.0},
    ],
)
def test_a_wrong_visit_is_named(tmp_path: Path, wrong: dict[str, Any]) -> None:
    calls, visits = ledger()
    visits[CALL][0] |= wrong
    assert judged(counted(tmp_path, ANSWERED, [cdr()]), (calls, visits)).differences


def test_a_call_missing_on_either_side_is_a_difference(tmp_path: Path) -> None:
    found = counted(tmp_path, ANSWERED, [cdr()])
    assert [d.what for d in judged(found, ({}, {})).differences] == ["call"]
    calls, visits = ledger()
    other = f"demo-n1-{AT}.9"
    calls[other] = calls[CALL] | {"id": other}
    assert [d.call for d in judged(found, (calls, visits)).differences] == [other]


def test_a_figure_over_no_calls_is_null(tmp_path: Path) -> None:
    truth = judged(counted(tmp_path, [f"{AT}|NONE|NONE|NONE|QUEUESTART|"], []), ({}, {}))
    assert (truth.visits, truth.connect_rate, truth.within_15s, truth.differences) == (0, None, None, [])


def test_a_call_in_progress_is_counted_apart(tmp_path: Path) -> None:
    calls, visits = ledger(ended=None, left_by=None)
    found = counted(tmp_path, ANSWERED[:4], [])
    truth = judged(found, (calls, visits))
    assert (truth.open, truth.offered, truth.differences) == (1, 0, [])


def test_a_call_an_asterisk_died_with_is_told_and_in_no_figure(tmp_path: Path) -> None:
    calls, visits = ledger(left_by="unknown", ended=AT + 9.0)
    found = counted(tmp_path, [*ANSWERED[:4], f"{AT + 8}|NONE|NONE|NONE|QUEUESTART|"], [])
    truth = judged(found, (calls, visits))
    assert (truth.unprovable, truth.differences, truth.connect_rate) == ([CALL], [], None)


def test_a_withheld_number_is_no_difference(tmp_path: Path) -> None:
    row = cdr().replace("13900000001", "anonymous")
    assert judged(counted(tmp_path, ANSWERED, [row]), ledger(caller="")).differences == []


def test_where_an_abandoned_caller_was(tmp_path: Path) -> None:
    enter = ANSWERED[0]
    gone = f"{AT + 9}|{LEG}|demo-general|NONE|ABANDON|1|1|6"
    silenced = f"{AT + 9}|{LEG}|demo-general|demo-1001|RINGCANCELED|2012"
    for log, row, stage in (
        ([], cdr(context="demo-line-main", app="Playback"), "greeting"),
        ([], cdr(context="demo-line-main", app="MixMonitor", data="a.wav,r(b)MASK_IT"), "greeting"),
        # in the milliseconds around the question
        ([], cdr(context="demo-line-main", app="Set", data="SHARED(NEXT)="), "menu"),
        ([], cdr(context="demo-line-main", app="UserEvent", data="Hotline,What: greeted,Call: x"), "menu"),
        ([], cdr(context="demo-line-main", app="GotoIf", data="0?judge"), "menu"),
        ([], cdr(context="demo-menu-service", app="Read"), "menu"),
        ([enter, gone], cdr(), "waiting"),
        ([enter, silenced, gone], cdr(), "ringing"),
        # the second turned between the two
        ([enter, silenced.replace(f"{AT + 9}", f"{AT + 8}"), gone], cdr(), "ringing"),
        ([enter, silenced.replace(f"{AT + 9}", f"{AT + 6}"), gone], cdr(), "waiting"),
        ([enter, f"{AT + 9}|{LEG}|demo-general|NONE|EXITWITHTIMEOUT|1|1|6"],
         cdr(context="demo-message-busy", app="Record"), "message"),
        ([enter, f"{AT + 9}|{LEG}|demo-general|NONE|EXITWITHKEY|1|1|1|6"],
         cdr(context="call-back", app="Read"), "waiting"),
    ):  # fmt: skip
        assert counted(tmp_path, log, [row]).calls[CALL].stage == stage


def test_refused_at_the_door_is_a_visit_by_the_dialplans_own_line(tmp_path: Path) -> None:
    log = [f"{AT + 3}|{LEG}|demo-general|NONE|HOTLINEOUT|FULL"]
    (visit,) = counted(tmp_path, log, [cdr()]).calls[CALL].visits
    assert (visit.outcome, visit.queue) == ("full", "general")


def test_a_full_trunk_is_not_offered(tmp_path: Path) -> None:
    found = counted(tmp_path, [], [cdr(context="arrive", app="Hangup", data="34")])
    assert not found.calls[CALL].offered


def test_each_requeue_is_a_visit(tmp_path: Path) -> None:
    log = [
        ANSWERED[0].replace("demo-general", "demo-expert"),
        f"{AT + 4}|{LEG}|demo-expert|NONE|EXITWITHTIMEOUT|1|1|6",
        *ANSWERED,
    ]
    call = counted(tmp_path, log, [cdr()]).calls[CALL]
    assert [(v.queue, v.outcome) for v in call.visits] == [("expert", "timeout"), ("general", "answered")]


def test_calls_at_15_seconds_within_the_clocks_resolution_are_borderline(tmp_path: Path) -> None:
    late = [line.replace(f"{AT + 5}", f"{AT + 15}") for line in ANSWERED if "HOTLINE" not in line]
    late[-1] = late[-1].replace(f"{AT + 12}", f"{AT + 22}")
    calls, visits = ledger(answered=AT + 15.9, ended=AT + 22.3, arrived=AT + 0.51)
    visits[CALL][0] |= {"left": AT + 15.9}
    truth = judged(counted(tmp_path, late, [cdr(end=AT + 22)]), (calls, visits))
    assert truth.borderline == [CALL]
    assert truth.differences == []


def test_rotated_parts_are_read_oldest_first_and_missing_files_are_named(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    with pytest.raises(NoFiles, match="queue_log"):
        parts(log)
    (tmp_path / "queue_log.0").write_text(f"{ANSWERED[0]}\n")
    log.write_text(f"{ANSWERED[3]}\n")
    assert [line.event for line in queue_log(log)] == ["ENTERQUEUE", "CONNECT"]


def test_a_line_cut_by_a_crash_is_passed_over(tmp_path: Path) -> None:
    found = counted(tmp_path, [*ANSWERED, f"{AT + 13}|{LEG}|dem"], [cdr(), '"demo-n1-17'])
    assert list(found.calls) == [CALL]


def shown(by: str, **counts: int) -> dict[str, Any]:
    """The office's row of that one call."""
    keys = {"line": "demo/main", "original": "demo/12345", "queue": "demo/general", "seat": "demo/1001"}
    key = keys.get(by, "")
    return {"key": key, "since": max(AT - 100.0, AT // 3600 * 3600.0), **counts}


def all_shown(**wrong: dict[str, int]) -> dict[str, list[dict[str, Any]]]:
    one = {"offered": 1, "answered": 1, "within": 1}
    found = {by: [shown(by, **(one | wrong.get(by, {})))] for by in GROUPS}
    found["seat"].append({"key": "demo/1002", "since": AT - 100.0, "offered": 1, "missed": 1})
    return found


def test_every_row_of_the_office_is_counted_again(tmp_path: Path) -> None:
    found = counted(tmp_path, ANSWERED, [cdr()])
    truth = judged(found, ledger())
    assert differences(found, all_shown(), truth, AT - 100, AT + 100) == []


@pytest.mark.parametrize(
    ("by", "wrong"),
    [
        ("line", {"answered": 0}),
        ("original", {"offered": 2}),
        ("interval", {"within": 0}),
        ("queue", {"overflowed": 1}),
        ("queue", {"key_exit": 1}),
        ("seat", {"offered": 2}),
        ("seat", {"answered": 0}),
        ("seat", {"missed": 1}),
    ],
)
def test_a_wrong_count_of_a_row_is_named(tmp_path: Path, by: str, wrong: dict[str, int]) -> None:
    found = counted(tmp_path, ANSWERED, [cdr()])
    (told,) = differences(found, all_shown(**{by: wrong}), judged(found, ledger()), AT - 100, AT + 100)
    (name,) = wrong
    assert told.what.startswith(f"{by} ")
    assert told.what.endswith(f" {name}")


def test_a_caller_moved_and_one_who_waits_on_after_a_key_did_not_overflow(tmp_path: Path) -> None:
    keyed = f"{AT + 3}|{LEG}|demo-general|NONE|EXITWITHKEY|1|1|1|0"
    moved = f"{AT + 4}|{LEG}|demo-general|NONE|WITHDRAW||1|1|0"
    enter = ANSWERED[0]
    other = [line.replace("demo-general", "demo-market") for line in ANSWERED]
    found = counted(tmp_path, [enter, keyed, enter, moved, *other], [cdr()])
    got = rows(found, "queue", AT - 100, AT + 100)
    assert +got["demo/general"] == {"offered": 2, "key_exit": 1, "redirected": 1}
    assert +got["demo/market"] == {"offered": 1, "answered": 1}


def test_a_ring_that_stopped_because_the_caller_left_is_offered_and_not_missed(tmp_path: Path) -> None:
    silenced = f"{AT + 9}|{LEG}|demo-general|demo-1001|RINGCANCELED|2012"
    gone = f"{AT + 9}|{LEG}|demo-general|NONE|ABANDON|1|1|6"
    found = counted(tmp_path, [ANSWERED[0], silenced, gone], [cdr()])
    got = rows(found, "seat", AT - 100, AT + 100)["demo/1001"]
    assert (got["offered"], got["answered"], got["missed"]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("log", "row", "most"),
    [
        # lifted as the caller hung up: app_queue may write nothing of that ring
        ([ANSWERED[0], ANSWERED[2], f"{AT + 5}|{LEG}|demo-general|NONE|ABANDON|1|1|2"], cdr(), 1),
        # the Asterisk died with the call: what rang then stands in no line
        ([*ANSWERED[:4], f"{AT + 8}|NONE|NONE|NONE|QUEUESTART|"], None, 2),
    ],
)
def test_a_ring_of_which_asterisk_may_have_written_nothing_is_no_difference_and_another_is(
    tmp_path: Path, log: list[str], row: str | None, most: int
) -> None:
    found = counted(tmp_path, log, [] if row is None else [row])
    truth = Truth(unprovable=[CALL] if row is None else [])
    for rings, wrong in ((most, 0), (most + 1, 1)):
        told: dict[str, list[dict[str, Any]]] = {by: [] for by in GROUPS}
        told["seat"] = [{"key": "demo/1001", "offered": rings}]
        told_wrong = differences(found, told, truth, AT - 100, AT + 100)
        assert len([d for d in told_wrong if d.what == "seat demo/1001 offered"]) == wrong, rings


# --- talks ------------------------------------------------------------------------------------------------


def stint(**more: Any) -> dict[str, dict[str, Any]]:
    leg = f"n1-{AT}.2"
    row = {"leg": leg, "call": CALL, "seat": "1001", "answered": AT + 5.25, "ended": AT + 12.3}
    return {leg: row | {"talk": 4.8, "hold": 2.2, "source": "heard"} | more}


def talks(found: Recount, rows: dict[str, dict[str, Any]], *silences: tuple[float, float]) -> Truth:
    truth = Truth()
    compare_talks(truth, found, rows, silences, AT - 100, AT + 100)
    return truth


@pytest.mark.parametrize(
    ("rows", "different"),
    [
        (stint(), []),
        (stint(talk=3.4), []),
        (stint(talk=3.2), [(CALL, 5.4, 7)]),
        (stint(hold=0.0), [(CALL, 4.8, 7)]),
        (stint(talk=70.0), [(CALL, 72.2, 7)]),
        ({}, [(CALL, None, 7)]),
    ],
)
def test_a_wrong_talk_of_a_seat_is_named(
    tmp_path: Path, rows: dict[str, dict[str, Any]], different: list[tuple[Any, ...]]
) -> None:
    truth = talks(counted(tmp_path, ANSWERED, [cdr()]), rows)
    assert [(d.call, d.ledger and round(d.ledger, 1), d.asterisk) for d in truth.differences] == different
    assert truth.talks == len(rows)


def test_a_talk_that_the_files_cannot_prove_is_not_compared(tmp_path: Path) -> None:
    wrong = stint(talk=70.0)
    room = f"{AT + 7}|{LEG}|NONE|PJSIP/demo-1003-00000004|HOTLINEROOM|in/n1-{AT}.4/{AT + 7}.100"
    passed_on = f"{AT + 7}|{LEG}|demo-general|demo-1003|HOTLINEANSWER|{AT + 7}.250"
    for line in (room, passed_on):
        assert talks(counted(tmp_path, [*ANSWERED[:4], line, ANSWERED[4]], [cdr()]), wrong).talks == 0
    taken = counted(tmp_path, ANSWERED, [cdr(context="desk-taken", app="Hangup")])
    back = counted(tmp_path, ANSWERED, [cdr(told=f"demo/main/12345/carrier/139/{AT}.500/{CALL}")])
    again = [line.replace(f"{AT + 3}", f"{AT + 20}") for line in ANSWERED[:1]]
    waits_again = counted(tmp_path, [*ANSWERED, *again], [cdr(end=AT + 30)])
    for found in (taken, back, waits_again):
        assert talks(found, wrong).differences == []
    plain = counted(tmp_path, ANSWERED, [cdr()])
    assert talks(plain, stint(talk=70.0, source="refilled")).differences == []
    assert talks(plain, stint(talk=70.0, ended=None)).differences == []
    assert talks(plain, wrong, (AT + 11.0, AT + 20.0)).differences == []
    assert talks(plain, wrong, (AT + 16.0, AT + 20.0)).differences != []


# --- wrap-ups ---------------------------------------------------------------------------------------------


def paused(at: int, event: str, reason: str = "", queue: str = "general") -> str:
    return f"{at}|NONE|demo-{queue}|demo-1001|{event}|{reason}"


def in_all(at: int, event: str, reason: str = "") -> list[str]:
    """As app_queue writes one pause of a seat with two queues."""
    every = f"{at}|NONE|NONE|demo-1001|{event}ALL|{reason}"
    return [every, *(paused(at, event, reason, queue) for queue in ("general", "market"))]


WRAPS = in_all(AT + 12, "PAUSE", f"wrapup:{AT + 18}")


def wrapped(tmp_path: Path, *lines: str) -> list[Wrapped]:
    (tmp_path / "queue_log").write_text("\n".join(lines) + "\n")
    return wrap_ups(queue_log(tmp_path / "queue_log"))


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        (in_all(AT + 18, "UNPAUSE"), 6),
        (in_all(AT + 15, "PAUSE", "lunch"), 3),
        ([paused(AT + 13, "REMOVEMEMBER"), paused(AT + 16, "REMOVEMEMBER", queue="market")], 4),
        ([paused(AT + 13, "REMOVEMEMBER"), paused(AT + 18, "UNPAUSE", queue="market")], 6),
        (in_all(AT + 14, "PAUSE", f"wrapup:{AT + 30}") + in_all(AT + 30, "UNPAUSE"), 18),
        ([], None),
    ],
)
def test_a_wrap_up_lasts_until_the_seat_is_ready_paused_for_something_else_or_out_of_all_queues(
    tmp_path: Path, after: list[str], seconds: float | None
) -> None:
    (one,) = wrapped(tmp_path, *WRAPS, *after)
    assert (one.city, one.seat, one.began) == ("demo", "1001", AT + 12)
    assert (None if one.ended is None else one.ended - one.began) == seconds


def test_a_rest_after_a_missed_ring_is_no_wrap_up(tmp_path: Path) -> None:
    assert wrapped(tmp_path, *in_all(AT, "PAUSE", f"rest:{AT + 10}"), *in_all(AT + 10, "UNPAUSE")) == []


def talk(wrap_up: float | None, **more: Any) -> dict[str, Any]:
    row = {"leg": f"n1-{AT}.2", "call": CALL, "city": "demo", "seat": "1001", "ended": AT + 12.3}
    return row | {"wrap_up": wrap_up} | more


SIX = [*WRAPS, *in_all(AT + 18, "UNPAUSE")]


@pytest.mark.parametrize(
    ("lines", "rows", "different"),
    [
        (SIX, [talk(5.8)], []),
        (SIX, [talk(7.4)], []),
        (SIX, [talk(7.6)], [(CALL, 7.6, 6)]),
        (SIX, [talk(None)], [(CALL, None, 6)]),
        (SIX, [], [("", None, 6)]),
        (SIX, [talk(6.0, seat="1002")], [(CALL, 6.0, None), ("", None, 6)]),
        # of two talks that ended in these seconds the nearest; the other one has none
        (SIX, [talk(6.0), talk(None, leg="n1-1.9", ended=AT + 10.5)], []),
        (WRAPS, [talk(None)], []),
        (WRAPS, [talk(4.0)], [(CALL, 4.0, None)]),
        ([], [talk(4.0)], [(CALL, 4.0, None)]),
        ([], [talk(None)], []),
    ],
)
def test_every_wrap_up_of_either_side_is_compared_with_the_others(
    tmp_path: Path, lines: list[str], rows: list[dict[str, Any]], different: list[tuple[Any, ...]]
) -> None:
    truth = Truth()
    compare_wrap_ups(truth, wrapped(tmp_path, *lines), rows, [], AT - 100, AT + 100)
    assert [(d.call, d.ledger, d.asterisk) for d in truth.differences] == different
    assert truth.unheard == []


def test_a_wrap_up_whose_end_nobody_heard_is_labelled_in_a_silence_only(tmp_path: Path) -> None:
    for silence, unheard, count in (
        ((AT + 15.0, AT + 40.0), [CALL], 0),
        ((AT + 60.0, AT + 90.0), [], 1),
    ):
        truth = Truth()
        compare_wrap_ups(truth, wrapped(tmp_path, *SIX), [talk(None)], [silence], AT - 100, AT + 100)
        assert (truth.unheard, len(truth.differences), truth.wrap_ups) == (unheard, count, 1)
