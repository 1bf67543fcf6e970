"""Pausing the recordings of a call while sensitive data are said: by order, by key, by the plan's rule.

The files go on in silence, so they stay in step. A pause that is forgotten ends by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from calls import facts as f
from calls.facts import CallId
from calls.model import CallState
from calls.orders import MaskRecording, Order
from cti.errors import NotNow, Refused
from cti.switchboard import Board, Heard
from plan.model import Plan
from recording.masked import Key, still_on
from recording.table import State

log = structlog.get_logger(__name__)

LOOK = 1.0
TALK = (CallState.TALKING, CallState.MOVING)


class Masker:
    """``hear`` is a listener of the switchboard; ``run`` carries out what keys and rules ask for."""

    def __init__(
        self,
        board: Callable[[], Board],
        plans: Callable[[], Mapping[str, Plan]],
        do: Callable[[Order], Awaitable[str]],
        *,
        longest: float,
        keys: Callable[[CallId, float], Sequence[Key]] = lambda call, since: (),
        now: Callable[[], float] = time.time,
    ) -> None:
        """``keys``: what agents keyed in a call from a moment on, as Asterisk wrote it down."""
        self._board, self._plans, self._do = board, plans, do
        self._longest, self._keys, self._now = longest, keys, now
        self._masked: dict[CallId, float] = {}
        """Since when; by a rule of the plan it has no end of its own."""
        self._by_rule: set[CallId] = set()
        self._asked: asyncio.Queue[tuple[CallId, bool]] = asyncio.Queue()
        self._blind = False
        """Nobody has looked yet what was keyed while we did not listen."""

    def hear(self, heard: Heard) -> None:
        fact = heard.fact
        if isinstance(fact, f.MaskAsked):
            self._asked.put_nowait((heard.call or fact.call, fact.on))
        elif isinstance(fact, f.SeatAnswered):
            plan = self._plans().get(fact.city)
            queue = None if plan is None else plan.queues.get(fact.queue)
            if queue is not None:
                self._rule(fact.call, queue.masked)
        elif isinstance(fact, f.RecordingStarted) and (heard.call or fact.call) in self._masked:
            # a colleague who comes in hears the same data
            self._asked.put_nowait((heard.call or fact.call, True))
        elif isinstance(fact, f.CallLeft):
            self._masked.pop(fact.call, None)
            self._by_rule.discard(fact.call)
        elif isinstance(fact, f.Snapshot):
            self._found_again(heard.board)

    def _rule(self, call: CallId, masked: bool) -> None:
        if masked != (call in self._by_rule):
            (self._by_rule.add if masked else self._by_rule.discard)(call)
            self._asked.put_nowait((call, masked))

    def _found_again(self, board: Board) -> None:
        """Asterisk goes on with what we paused, while we knew of it and after: so do its end and its rule."""
        calls = board.picture.calls
        self._masked = {c: since for c, since in self._masked.items() if c in calls}
        self._by_rule &= calls.keys()
        for call in calls.values():
            plan = self._plans().get(call.city)
            queue = None if plan is None else plan.queues.get(call.queue)
            if queue is not None and queue.masked and call.state in TALK:
                self._rule(call.id, True)
        for one in board.recordings.going.values():
            if one.state is State.PAUSED and one.ended is None and one.call not in self._masked:
                self._masked[one.call] = one.since
                # whoever came in meanwhile hears the same data
                self._asked.put_nowait((one.call, True))
        self._blind = True

    async def _keyed(self) -> None:
        """Carry out what was keyed while nobody of ours listened. Raises OSError."""
        began: dict[CallId, float] = {}
        for one in self._board().recordings.going.values():
            if one.ended is None:
                at = one.since if one.began is None else one.began
                began[one.call] = min(at, began.get(one.call, at))
        for call, since in began.items():
            keys = await asyncio.to_thread(self._keys, call, since)
            if (on := still_on(keys, self._now(), self._longest)) is not None and call not in self._masked:
                self._masked[call] = on
                self._asked.put_nowait((call, True))
            elif keys and not keys[-1].on and self._masked.get(call, keys[-1].at) < keys[-1].at:
                self._asked.put_nowait((call, False))

    async def _freed(self) -> None:
        """A service that died in the moment of a pause left Asterisk writing silence that nobody knows of,
        and Asterisk does not tell: what is not paused by what we know is told to go on."""
        for leg in list(self._board().recordings.going):
            # looked at anew each time: somebody may ask for a pause meanwhile
            one = self._board().recordings.going.get(leg)
            if one is None or one.state is not State.ROLLING or one.ended is not None:
                continue
            if one.call in self._masked or one.call in self._by_rule:
                continue
            try:
                await self._do(MaskRecording(leg=leg, on=False))
            except (NotNow, Refused) as why:
                log.info("not told to go on", leg=leg, why=str(why))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if self._blind:
                self._blind = False
                try:
                    await self._keyed()
                except OSError as why:
                    log.error("what was keyed meanwhile is not known", why=str(why))
                else:
                    await self._freed()
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
