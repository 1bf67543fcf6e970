"""The running 24 hours count what the ledger counts, and forget in time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from calls.facts import CallId, LegId
from calls.model import Call, CallState, LeftBy
from queues.any_day import DAY
from queues.ledger import Rows, figures
from queues.running import Running


def call(
    number: int, arrived: float, answered: float | None, by: LeftBy | None, *, consult: bool = False
) -> Call:
    ended = None if by is None else (answered or arrived) + 30.0
    return Call(
        id=CallId(f"demo-n1-{number}.1"), city="demo", line="main", trunk="c", caller="1", called="12345",
        original="12345", leg=LegId(f"n1-{number}.1"), state=CallState.ENDED if ended else CallState.WAITING,
        since=arrived, arrived=arrived, greeted=arrived + 1.0, answered=answered, ended=ended, left_by=by,
        consult_of=CallId("demo-n1-0.1") if consult else None,
    )  # fmt: skip


CALLS = st.lists(
    st.builds(
        call,
        st.integers(1, 20),
        st.floats(0.0, 3 * DAY),
        st.none() | st.floats(3 * DAY, 3 * DAY + 10.0),
        st.none() | st.sampled_from(LeftBy),
        consult=st.booleans(),
    ),
    max_size=30,
)


@given(CALLS, st.floats(DAY, 4 * DAY))
def test_the_running_day_is_the_ledgers_day(calls: list[Call], now: float) -> None:
    running = Running()
    last: dict[CallId, Call] = {}
    for one in calls:
        known = last.get(one.id)
        one = one if known is None else replace(one, arrived=known.arrived)
        last[one.id] = one
        running.put(one)
    (day,) = figures(Rows(list(last.values()), [], []), now - DAY, now + 4 * DAY)
    found = running.figures(now)
    counts = [(f.offered, f.answered, f.within, f.abandoned) for f in found] or [(0, 0, 0, 0)]
    assert counts == [(day.offered, day.answered, day.within, day.abandoned)]


def test_a_figure_over_no_calls_is_none_and_not_zero() -> None:
    running = Running()
    running.put(call(1, 0.0, 5.0, LeftBy.CALLER))
    assert running.figures(10.0)[0].connect_rate == 1.0
    assert running.figures(2 * DAY)[0].connect_rate is None
