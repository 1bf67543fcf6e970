"""What a test finds wrong counts when it was there in the tenths of a second in which it had to answer."""

from __future__ import annotations

import contextlib
import threading

import pytest

from lab.scenario import Lab
from tests.outage import measured
from tests.outage.awake import AROUND, BEAT, SLEPT, TRIES, Pulse, Slept, awake


def sleeps() -> None:
    """Nothing of this loop runs meanwhile."""
    threading.Event().wait(2 * SLEPT)


async def finds(wrong: Exception, pulse: Pulse, *, before: bool = False, meanwhile: bool = False) -> None:
    async with pulse:
        if before:
            sleeps()
        with pulse.answering():
            if meanwhile:
                sleeps()
        raise wrong


async def test_what_is_found_wrong_by_who_had_no_processor_while_it_was_to_answer_is_told_as_that() -> None:
    with pytest.raises(Slept, match=r"without a processor for \d.*: late"):
        await finds(AssertionError("late"), Pulse(), meanwhile=True)


async def test_a_question_that_is_seen_late_was_asked_of_one_who_slept() -> None:
    with pytest.raises(Slept):
        await finds(AssertionError("late"), Pulse(), before=True)


async def test_what_is_found_wrong_by_who_was_there_stands() -> None:
    pulse = Pulse()
    with pytest.raises(AssertionError) as found:
        await finds(AssertionError("wrong"), pulse)
    # this very test may have been without one
    assert isinstance(found.value, Slept) is (pulse.slept > SLEPT)


async def test_who_slept_before_it_was_asked_or_after_it_had_answered_was_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pulse = Pulse()
    monkeypatch.setattr(pulse, "_windows", [(20.0, 20.4), (30.0, 30.4)])
    for begin, end, counts in [
        (10.0, 20.0 - 2 * AROUND, False), (20.4 + 2 * AROUND, 30.0 - 2 * AROUND, False), (31.0, 40.0, False),
        (19.0, 20.0, True), (20.1, 20.3, True), (20.4 + BEAT, 21.0, True), (1.0, 99.0, True),
    ]:  # fmt: skip
        monkeypatch.setattr(pulse, "_stalls", [(begin, end)])
        assert pulse.slept == (pytest.approx(end - begin) if counts else 0.0), (begin, end)


async def test_a_fault_that_is_no_finding_is_told_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        await finds(ZeroDivisionError(), Pulse(), meanwhile=True)


class Nobody(Lab):
    """A city without a call."""

    def __init__(self) -> None:
        self.calls = []

    async def quiet(self, within: float = 10.0) -> None:
        """It is."""


@pytest.mark.parametrize(
    ("findings", "made", "told"),
    [
        ([Slept(0.3, "late")] * 2, 3, None),
        ([Slept(0.3, "late")] * 99, TRIES, Slept),
        ([AssertionError("wrong")], 1, AssertionError),
        ([], 1, None),
    ],
)
async def test_a_test_that_slept_is_made_once_more_and_no_other_and_the_summary_tells_of_it(
    findings: list[Exception], made: int, told: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = 0
    rows: list[tuple[str, float, float, str]] = []
    monkeypatch.setattr(measured, "ROWS", rows)

    @awake
    async def test(*, city: Lab) -> None:
        nonlocal times
        times += 1
        if times <= len(findings):
            raise findings[times - 1]

    with contextlib.nullcontext() if told is None else pytest.raises(told):
        await test(city=Nobody())
    assert times == made
    assert [(what, seconds) for what, seconds, *_ in rows] == [("made once more: test", 0.3)] * (made - 1)
