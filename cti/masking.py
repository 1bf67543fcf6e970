"""Pausing the recordings of a call while sensitive data are said: by order, by key, by the plan's rule.

The files go on in silence, so they stay in step. A pause that is forgotten ends by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog

from calls import facts as f
from calls.facts import CallId
from calls.orders import MaskRecording, Order
from cti.errors import NotNow, Refused
from cti.switchboard import Board, Heard
from plan.model import Plan
from recording.table import State

log = structlog.get_logger(__name__)

LOOK = 1.0


class Masker:
    """``hear`` is a listener of the switchboard; ``run`` carries out what keys and rules ask for."""

    def __init__(
        self,
        board: Callable[[], Board],
        plans: Callable[[], Mapping[str, Plan]],
        do: Callable[[Order], Awaitable[str]],
        *,
        longest: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._board, self._plans, self._do = board, plans, do
        self._longest, self._now = longest, now
        self._masked: dict[CallId, float] = {}
        """Since when; by a rule of the plan it has no end of its own."""
        self._by_rule: set[CallId] = set()
        self._asked: asyncio.Queue[tuple[CallId, bool]] = asyncio.Queue()

    def hear(self, heard: Heard) -> None:
        fact = heard.fact
        if isinstance(fact, f.MaskAsked):
            self._asked.put_nowait((heard.call or fact.call, fact.on))
        elif isinstance(fact, f.SeatAnswered):
            plan = self._plans().get(fact.city)
            queue = None if plan is None else plan.queues.get(fact.queue)
            if queue is not None and queue.masked != (fact.call in self._by_rule):
                (self._by_rule.add if queue.masked else self._by_rule.discard)(fact.call)
                self._asked.put_nowait((fact.call, queue.masked))
        elif isinstance(fact, f.RecordingStarted) and (heard.call or fact.call) in self._masked:
            # a colleague who comes in hears the same data
            self._asked.put_nowait((heard.call or fact.call, True))
        elif isinstance(fact, f.CallLeft):
            self._masked.pop(fact.call, None)
            self._by_rule.discard(fact.call)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOK):
                    call, on = await self._asked.get()
            except TimeoutError:
                forgotten = [
                    c
                    for c, since in self._masked.items()
                    if c not in self._by_rule and self._now() - since > self._longest
                ]
                for call in forgotten:
                    log.warning("a pause of the recording was forgotten", call=call)
                    self._asked.put_nowait((call, False))
                continue
            try:
                await self.mask(call, on)
            except (NotNow, Refused) as why:
                log.warning("recording not masked", call=call, on=on, why=str(why))

    async def mask(self, call: CallId, on: bool) -> int:
        """Pause or resume every recording of a call; how many. Raises Refused when none goes on, NotNow."""
        legs = self._board().recordings.of_call(call)
        if not legs:
            self._masked.pop(call, None)
            raise Refused(f"通话无录音 no recording of {call} goes on")
        if on:
            self._masked.setdefault(call, self._now())
        else:
            self._masked.pop(call, None)
        done = 0
        trouble: Exception | None = None
        for one in legs:
            if one.state is (State.PAUSED if on else State.ROLLING):
                done += 1
                continue
            try:
                await self._do(MaskRecording(leg=one.leg, on=on))
                done += 1
            except (NotNow, Refused) as why:
                trouble = why
        if not done and trouble is not None:
            raise trouble
        return done

    def masked(self, call: CallId) -> bool:
        return call in self._masked
