"""What a test finds wrong counts when it was there in the tenths of a second in which it had to answer."""

from __future__ import annotations

import threading

import pytest

from tests.outage.awake import SLEPT, Pulse, Slept


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
