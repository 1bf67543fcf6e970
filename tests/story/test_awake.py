"""What a test finds wrong counts when it was there in the tenths of a second in which it had to answer."""

from __future__ import annotations

import contextlib
import threading

import pytest

from lab.scenario import Lab
from tests.outage.awake import SLEPT, TRIES, Pulse, Slept, awake


async def finds(wrong: Exception, pulse: Pulse, *, sleeps: bool = False) -> None:
    async with pulse:
        if sleeps:
            threading.Event().wait(2 * SLEPT)
        raise wrong


async def test_what_is_found_wrong_by_who_had_no_processor_meanwhile_is_told_as_that() -> None:
    with pytest.raises(Slept, match=r"without a processor for \d.*: late"):
        await finds(AssertionError("late"), Pulse(), sleeps=True)


async def test_what_is_found_wrong_by_who_was_there_stands() -> None:
    pulse = Pulse()
    with pytest.raises(AssertionError) as found:
        await finds(AssertionError("wrong"), pulse)
    # this very test may have been without one
    assert isinstance(found.value, Slept) is (pulse.slept > SLEPT)


async def test_a_fault_that_is_no_finding_is_told_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        await finds(ZeroDivisionError(), Pulse(), sleeps=True)


class Nobody(Lab):
    """A city without a call."""

    def __init__(self) -> None:
        self.calls = []

    async def quiet(self, within: float = 10.0) -> None:
        """It is."""


@pytest.mark.parametrize(
    ("findings", "made", "told"),
    [
        ([Slept("late")] * 2, 3, None),
        ([Slept("late")] * 99, TRIES, Slept),
        ([AssertionError("wrong")], 1, AssertionError),
        ([], 1, None),
    ],
)
async def test_a_test_that_slept_is_made_once_more_and_no_other(
    findings: list[Exception], made: int, told: type[Exception] | None
) -> None:
    times = 0

    @awake
    async def test(*, city: Lab) -> None:
        nonlocal times
        times += 1
        if times <= len(findings):
            raise findings[times - 1]

    with contextlib.nullcontext() if told is None else pytest.raises(told):
        await test(city=Nobody())
    assert times == made
