"""A recording pauses by order, by key and by the plan's rule, and no pause is forgotten."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from calls import facts as f
from calls.facts import LegId
from calls.orders import MaskRecording, Order
from cti.errors import Refused
from cti.masking import Masker
from cti.switchboard import Switchboard
from plan.model import Plan
from tests.story.a_call import CALL, CALLER, SEAT_LEG, answered, said
from tests.story.plan_files import demo


class Room:
    """A masker with an Asterisk that does what it is told."""

    def __init__(self, plan: Plan) -> None:
        self.clock = 1000.0
        self.board = Switchboard()
        self.orders: list[MaskRecording] = []
        self.masker = Masker(
            lambda: self.board.board, lambda: {"demo": plan}, self._do, longest=60.0, now=lambda: self.clock
        )
        self.board.listen(self.masker.hear)

    async def _do(self, order: Order) -> str:
        assert isinstance(order, MaskRecording)
        self.orders.append(order)
        kind = f.RecordingPaused if order.on else f.RecordingResumed
        self.board.hear(said(kind, self.clock, leg=order.leg, call=None))
        return ""

    async def masked(self, *legs: LegId, on: bool = True) -> None:
        """Wait until exactly these were ordered."""
        async with asyncio.timeout(10):
            while {o.leg for o in self.orders if o.on is on} != set(legs):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


def talk(room: Room) -> None:
    for fact in answered():
        room.board.hear(fact)
    for leg in (CALLER, SEAT_LEG):
        room.board.hear(said(f.RecordingStarted, 130.0, leg=leg, file=f"d/{leg}.wav"))


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room(demo())
    running = asyncio.create_task(made.masker.run())
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_an_order_pauses_every_leg_once(room: Room) -> None:
    talk(room)
    assert await room.masker.mask(CALL, True) == 2
    assert await room.masker.mask(CALL, True) == 2
    assert len(room.orders) == 2
    assert await room.masker.mask(CALL, False) == 2


async def test_a_key_of_the_agent_pauses_and_a_colleague_who_comes_in_is_paused_too(room: Room) -> None:
    talk(room)
    room.board.hear(said(f.MaskAsked, 140.0, leg=SEAT_LEG, on=True))
    await room.masked(CALLER, SEAT_LEG)
    third = LegId("n1-9.9")
    room.board.hear(said(f.RecordingStarted, 141.0, leg=third, file="d/9.wav"))
    await room.masked(CALLER, SEAT_LEG, third)


async def test_a_forgotten_pause_ends_by_itself(room: Room) -> None:
    talk(room)
    await room.masker.mask(CALL, True)
    room.clock += 61
    await room.masked(CALLER, SEAT_LEG, on=False)


async def test_what_is_not_recorded_cannot_be_paused(room: Room) -> None:
    with pytest.raises(Refused, match="no recording"):
        await room.masker.mask(CALL, True)


async def test_callers_of_a_masked_queue_are_paused_by_rule() -> None:
    plan = demo()
    queues = {n: q.model_copy(update={"masked": n == "general"}) for n, q in plan.queues.items()}
    room = Room(plan.model_copy(update={"queues": queues}))
    running = asyncio.create_task(room.masker.run())
    for leg in (CALLER, SEAT_LEG):
        room.board.hear(said(f.RecordingStarted, 90.0, leg=leg, file=f"d/{leg}.wav"))
    for fact in answered():
        room.board.hear(fact)
    await room.masked(CALLER, SEAT_LEG)
    room.clock += 1000
    assert room.masker.masked(CALL)
    running.cancel()
