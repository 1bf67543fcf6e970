"""The ledger's figures: what counts, what does not, and the worst of all continuous 24 hours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from calls.facts import CallId, LegId
from calls.model import Call, CallState, LeftBy, Stage
from queues.any_day import DAY, worst_window
from queues.counted import offered
from queues.ledger import By, Figures, Rows, figures, intervals, spread
from queues.stint import Part, Stint
from queues.visit import Outcome, Visit

T0 = 1_790_000_000.0


def a_call(n: int, at: float = T0, answer: float | None = 8.0, talk: float = 60.0, **more: Any) -> Call:
    """A call answered ``answer`` seconds after it entered the line; None: the caller gives up at 20 s."""
    over = at + (20.0 if answer is None else answer + talk)
    call = Call(
        id=CallId(f"demo-n1-{n}.{n}"),
        city="demo",
        line="main",
        trunk="carrier",
        caller="13900000001",
        called="12345",
        original="12345",
        leg=LegId(f"n1-{n}.{n}"),
        state=CallState.ENDED,
        since=over,
        arrived=at,
        greeted=at + 5,
        answered=None if answer is None else at + answer,
        first_seat="" if answer is None else "1001",
        ended=over,
        left_by=LeftBy.CALLER,
        cause=16,
        visits=1,
        stage=Stage.WAITING if answer is None else Stage.TALKING,
    )
    return replace(call, **more)


def a_visit(call: Call, number: int = 1, queue: str = "general", **more: Any) -> Visit:
    outcome = Outcome.ABANDONED if call.answered is None else Outcome.ANSWERED
    left = call.ended if call.answered is None else call.answered
    joined = call.arrived + 6
    visit = Visit(
        call.id, number, "demo", queue, call.leg, joined, outcome, left, waited=(left or joined) - joined
    )
    return replace(visit, **more)


def a_stint(call: Call, seat: str = "1001", n: int = 0, part: Part = Part.ANSWERED, **more: Any) -> Stint:
    began = call.arrived + 6
    stint = Stint(LegId(f"{call.leg}-{seat}-{n}"), call.id, "demo", seat, "general", began, part, ring=2.0)
    if part is Part.ANSWERED:
        stint = replace(stint, answered=began + 2, ended=call.ended, talk=30.0)
    return replace(stint, **more)


def only(rows: Rows, by: By = By.TOTAL) -> Figures:
    (row,) = figures(rows, T0, T0 + DAY, by)
    return row


def test_a_figure_over_zero_rows_is_none() -> None:
    row = only(Rows())
    assert (row.offered, row.connect_rate, row.within_15s) == (0, None, None)
    assert (row.wait.mean, row.talk.p95, row.to_answer.longest) == (None, None, None)


def test_the_clock_runs_from_the_line_to_the_first_agent_and_15_seconds_are_within() -> None:
    row = only(Rows([a_call(1, answer=15.0), a_call(2, answer=15.001), a_call(3, answer=None)]))
    assert (row.offered, row.answered, row.within) == (3, 2, 1)
    assert (row.connect_rate, row.within_15s) == (2 / 3, 1 / 3)


def test_short_abandons_stay_offered_and_are_shown_beside() -> None:
    short = a_call(1, answer=None, ended=T0 + 2, stage=Stage.GREETING, greeted=None)
    row = only(Rows([short, a_call(2)]))
    assert (row.offered, row.abandoned, row.short_abandoned, row.connect_rate) == (2, 1, 1, 0.5)
    assert row.abandoned_in["greeting"] == 1


def test_a_full_trunk_and_a_wrong_number_are_not_offered_and_are_told() -> None:
    full = a_call(1, answer=None, cause=34, left_by=LeftBy.SYSTEM, greeted=None)
    wrong = a_call(2, answer=None, line="", original="99999", left_by=LeftBy.SYSTEM)
    row = only(Rows([full, wrong, a_call(3)]))
    assert (row.offered, row.refused, row.not_in_service, row.connect_rate) == (1, 1, 1, 1.0)


def test_a_call_whose_beginning_nobody_heard_is_offered() -> None:
    assert offered(a_call(1, answer=None, line="", original="", left_by=LeftBy.UNKNOWN))


def test_a_call_still_waiting_is_in_no_rate_and_one_still_talking_is() -> None:
    waiting = a_call(1, answer=None, ended=None, left_by=None)
    talking = a_call(2, ended=None, left_by=None)
    row = only(Rows([waiting, talking]))
    assert (row.open, row.offered, row.answered) == (1, 1, 1)


def test_a_message_and_a_call_back_duty_are_not_answered() -> None:
    row = only(Rows([a_call(1, answer=None, owed=True, left_by=LeftBy.SYSTEM, stage=Stage.MESSAGE)]))
    assert (row.answered, row.owed, row.ended_by_us, row.connect_rate) == (0, 1, 1, 0.0)


def test_a_consultation_is_no_call_of_a_citizen() -> None:
    consult = a_call(2, consult_of=CallId("demo-n1-1.1"))
    assert only(Rows([a_call(1), consult])).offered == 1


def test_each_requeue_is_a_visit_of_its_queue_and_one_call() -> None:
    call = a_call(1, answer=40.0)
    first = a_visit(call, 1, "expert", outcome=Outcome.TIMEOUT, left=T0 + 30, waited=24.0)
    second = a_visit(call, 2, "general", joined=T0 + 30, waited=10.0)
    rows = Rows([call], [first, second])
    total = only(rows)
    assert (total.offered, total.timed_out, total.overflowed) == (1, 1, 1)
    by_queue = {row.key: row for row in figures(rows, T0, T0 + DAY, By.QUEUE)}
    assert by_queue["demo/expert"].connect_rate == 0.0
    assert (by_queue["demo/general"].connect_rate, by_queue["demo/general"].within_15s) == (1.0, 0.0)
    assert by_queue["demo/general"].to_answer.longest == 40.0


def test_a_timeout_after_which_nothing_follows_is_not_an_overflow() -> None:
    call = a_call(1, answer=None, left_by=LeftBy.SYSTEM, stage=Stage.MESSAGE)
    row = only(Rows([call], [a_visit(call, outcome=Outcome.TIMEOUT)]))
    assert (row.timed_out, row.overflowed) == (1, 0)


def test_a_caller_whom_somebody_moved_is_redirected_and_did_not_overflow() -> None:
    """app_queue calls a supervisor's move a withdrawal."""
    call = a_call(1, answer=40.0)
    moved = a_visit(call, 1, outcome=Outcome.WITHDRAWN, left=T0 + 30)
    row = only(Rows([call], [moved, a_visit(call, 2, "market", joined=T0 + 30)]))
    assert (row.redirected, row.withdrawn, row.overflowed) == (1, 0, 0)
    taken = only(Rows([call], [moved]))
    assert (taken.redirected, taken.withdrawn, taken.overflowed) == (0, 1, 0)


def test_a_caller_who_keyed_and_waits_on_in_the_same_queue_did_not_overflow() -> None:
    call = a_call(1, answer=40.0)
    keyed = a_visit(call, 1, outcome=Outcome.KEY, left=T0 + 30)
    stays = only(Rows([call], [keyed, a_visit(call, 2, joined=T0 + 31)]))
    assert (stays.key_exit, stays.overflowed) == (1, 0)
    goes = only(Rows([call], [keyed, a_visit(call, 2, "market", joined=T0 + 31)]))
    assert (goes.key_exit, goes.overflowed) == (1, 1)


def test_every_seat_of_a_transferred_call_has_its_own_talk() -> None:
    call = a_call(1, talk=100.0)
    first = a_stint(call, "1001", talk=40.0, hold=10.0)
    second = a_stint(call, "1002", 1, Part.JOINED, answered=T0 + 60, ended=call.ended, talk=50.0)
    rows = {r.key: r for r in figures(Rows([call], [], [first, second]), T0, T0 + DAY, By.SEAT)}
    assert (rows["demo/1001"].talk.total, rows["demo/1001"].hold.total) == (40.0, 10.0)
    assert (rows["demo/1002"].talk.total, rows["demo/1002"].offered) == (50.0, 0)
    assert rows["demo/1002"].connect_rate is None


def test_missed_rings_are_the_seats_own() -> None:
    call = a_call(1)
    stints = [
        a_stint(call, "1002", 1, Part.MISSED, ended=T0 + 8),
        a_stint(call, "1001", 2),
        a_stint(call, "1003", 3, Part.STOPPED, ended=T0 + 8),
    ]
    rows = {r.key: r for r in figures(Rows([call], [], stints), T0, T0 + DAY, By.SEAT)}
    assert (rows["demo/1002"].missed, rows["demo/1002"].connect_rate) == (1, 0.0)
    assert (rows["demo/1003"].missed, rows["demo/1003"].offered) == (0, 1)


def test_lines_and_original_numbers_have_rows_of_their_own() -> None:
    rows = Rows([a_call(1), a_call(2, answer=None, original="12315", line="12315")])
    assert {r.key: r.connect_rate for r in figures(rows, T0, T0 + DAY, By.LINE)} == {
        "demo/main": 1.0,
        "demo/12315": 0.0,
    }
    assert [r.key for r in figures(rows, T0, T0 + DAY, By.ORIGINAL)] == ["demo/12315", "demo/12345"]


def test_intervals_cut_at_whole_quarters_and_lose_no_call() -> None:
    calls = [a_call(n, T0 + 37.5 * n) for n in range(200)]
    rows = figures(Rows(calls), T0, T0 + 7200, By.INTERVAL, 15)
    assert sum(r.offered for r in rows) == sum(c.arrived < T0 + 7200 for c in calls)
    assert [r.since for r in rows] == [a for a, _ in intervals(T0, T0 + 7200, 15)]
    assert all(r.since % 900 == 0 for r in rows[1:])


def test_a_time_without_calls_has_an_interval_without_a_figure() -> None:
    assert [r.connect_rate for r in figures(Rows(), 0.0, 7200.0, By.INTERVAL)] == [None, None]


@given(st.lists(st.floats(0, 1000)))
def test_a_spread_lies_between_its_ends(values: list[float]) -> None:
    got = spread(values)
    assert got.count == len(values)
    if got.p50 is not None and got.p95 is not None:
        assert min(values) <= got.p50 <= got.p95 <= max(values)


SPAN = 100.0


def naive(calls: list[Call], since: float, until: float) -> float | None:
    """Every window that can hold other calls than its neighbours, one by one."""
    edges = [since, until - SPAN]
    for call in calls:
        for edge in (call.arrived, call.arrived - SPAN):
            edges += [edge, edge + 0.25, edge - 0.25]
    lowest = None
    for begin in edges:
        if not since <= begin <= until - SPAN:
            continue
        inside = [c for c in calls if begin <= c.arrived < begin + SPAN]
        if inside:
            share = sum(c.answered is not None and c.answered - c.arrived <= 15 for c in inside) / len(inside)
            lowest = share if lowest is None else min(lowest, share)
    return lowest


@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from([None, 5.0, 30.0])), max_size=14))
def test_the_worst_window_is_the_worst_of_all(told: list[tuple[int, float | None]]) -> None:
    calls = [a_call(n, T0 + at, answer) for n, (at, answer) in enumerate(told)]
    worst = worst_window(calls, T0, T0 + 300, span=SPAN)
    lowest = naive(calls, T0, T0 + 300)
    assert (None if worst is None else worst.within_15s) == lowest
    if worst is not None:
        inside = [c for c in calls if worst.since <= c.arrived < worst.until]
        assert len(inside) == worst.offered
        assert T0 <= worst.since <= T0 + 200


def test_a_night_between_two_good_days_is_found() -> None:
    good = [a_call(n, T0 + 60.0 * n) for n in range(1440 * 3) if not 2000 <= n < 2400]
    bad = [a_call(n, T0 + 60.0 * n, None) for n in range(2000, 2400)]
    worst = worst_window([*good, *bad], T0, T0 + 3 * DAY)
    assert worst is not None
    assert worst.connect_rate == (1440 - 400) / 1440
    assert worst.since <= T0 + 2000 * 60
    assert worst.until >= T0 + 2399 * 60


def test_a_time_shorter_than_24_hours_has_no_window() -> None:
    assert worst_window([a_call(1)], T0, T0 + DAY - 1) is None
