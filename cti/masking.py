"""Pausing the recordings of a call while sensitive data are said: by order, by key, by the plan's rule.

The files go on in silence, so they stay in step. A pause that is forgotten ends by itself. What Asterisk does
not do at once when it is asked is owed: asked again every second, and what was recorded meanwhile is told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.model import CallState
from calls.orders import MaskRecording, Order
from cti.errors import NotNow, Refused
from cti.switchboard import Board, Heard
from plan.model import Plan
from recording.masked import Key, still_on
from recording.table import Recording, State

log = structlog.get_logger(__name__)

LOOK = 1.0
AT_ONCE = 0.5
"""Seconds after the moment of a wish in which Asterisk is to have carried it out; what it does later was
missed from that moment on. An ordinary answer takes milliseconds, so that no ordinary pause silences more
than was asked for (a stretch that was missed is silenced with ``recording.masked.MARGIN`` on either side, and
ends the leg's live text); and nobody says a number that gives them away in half a second."""
BACKLOG = 10.0
"""Seconds of sound, at most, that wait for an Asterisk that stood still: by then its link is given up."""
_WISHED = {True: State.PAUSED, False: State.ROLLING}
TALK = (CallState.TALKING, CallState.MOVING)


@dataclass(frozen=True, slots=True)
class _Wish:
    """A leg is to be paused (``on``), or to go on, ``since`` a moment (seconds since the epoch)."""

    on: bool
    since: float
    ends: bool = False
    """It was to be paused until then."""
    late: bool = False
    """Asterisk had not answered to the pause by then, for longer than ``AT_ONCE``."""

    def heard_out(self, done: float) -> float:
        """Until when the file may have what was said before ``since``, if it goes on from ``done`` on. Sound
        for an Asterisk that stands still waits in its sockets, and is written when it moves again: where
        the file stood still, or as much later as its threads take to read on (seen: 4 s)."""
        return done + BACKLOG if self.ends else done


class Masker:
    """``hear`` is a listener of the switchboard; ``run`` carries out what keys and rules ask for."""

    def __init__(
        self,
        board: Callable[[], Board],
        plans: Callable[[], Mapping[str, Plan]],
        do: Callable[[Order], Awaitable[str]],
        tell: Callable[[Fact], None],
        *,
        node: str,
        longest: float,
        keys: Callable[[CallId, float], Sequence[Key]] = lambda call, since: (),
        now: Callable[[], float] = time.time,
    ) -> None:
        """``keys``: what agents keyed in a call from a moment on, as Asterisk wrote it down."""
        self._board, self._plans, self._do = board, plans, do
        self._tell, self._node = tell, node
        self._longest, self._keys, self._now = longest, keys, now
        self._masked: dict[CallId, float] = {}
        """Since when; by a rule of the plan it has no end of its own."""
        self._by_rule: set[CallId] = set()
        self._owed: dict[LegId, _Wish] = {}
        self._asking: dict[LegId, list[_Wish]] = {}
        """What Asterisk has not answered yet."""
        self._asked: asyncio.Queue[tuple[CallId, bool, float]] = asyncio.Queue()
        """What is to be carried out, and since when it is wished: each waits for the one before."""
        self._blind = False
        """Nobody has looked yet what was keyed while we did not listen."""

    def hear(self, heard: Heard) -> None:
        fact = heard.fact
        if isinstance(fact, f.MaskAsked):
            self._wish(heard.call or fact.call, fact.on)
        elif isinstance(fact, f.SeatAnswered):
            plan = self._plans().get(fact.city)
            queue = None if plan is None else plan.queues.get(fact.queue)
            if queue is not None:
                self._rule(fact.call, queue.masked)
        elif isinstance(fact, f.RecordingStarted) and (heard.call or fact.call) in self._masked:
            # a colleague who comes in hears the same data
            self._wish(heard.call or fact.call, True)
        elif isinstance(fact, f.Snapshot):
            self._found_again(heard.board)
        self._by_rule.difference_update(heard.forgotten)
        for one in heard.recordings:
            if one.ended is not None and (one.leg in self._asking or one.leg in self._owed):
                # its file is looked at in a moment, long before an answer that does not come (and no listener
                # tells anything itself)
                asyncio.get_running_loop().call_soon(self._cut_off, one.leg, one.ended)
            if one.ended is not None and not heard.board.recordings.of_call(one.call):
                self._masked.pop(one.call, None)
                self._by_rule.discard(one.call)

    def _wish(self, call: CallId, on: bool) -> None:
        self._asked.put_nowait((call, on, self._now()))

    def _cut_off(self, leg: LegId, ended: float) -> None:
        """The leg ended before Asterisk answered whether it is paused, or goes on."""
        if leg in self._owed:
            self._paid(leg, ended)
        for wish in self._asking.get(leg, ()):
            self._missed_to(leg, wish, ended)

    def _rule(self, call: CallId, masked: bool) -> None:
        if masked != (call in self._by_rule):
            (self._by_rule.add if masked else self._by_rule.discard)(call)
            self._wish(call, masked)

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
            missed = next((since for since, until in one.missed if until is None), None)
            if one.ended is not None or (one.state is not State.PAUSED and missed is None):
                continue
            if missed is not None:
                self._owed.setdefault(one.leg, _Wish(True, missed))
            if one.call not in self._masked and ((owed := self._owed.get(one.leg)) is None or owed.on):
                self._masked[one.call] = one.since if missed is None else missed
        for masked in self._masked:
            # whoever came in meanwhile hears the same data
            self._wish(masked, True)
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
                self._wish(call, True)
            elif keys and not keys[-1].on and self._masked.get(call, keys[-1].at) < keys[-1].at:
                self._wish(call, False)

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
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pay_for_ever())
            group.create_task(self._carry_out())

    async def _carry_out(self) -> None:
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
                    call, on, since = await self._asked.get()
            except TimeoutError:
                forgotten = [
                    c
                    for c, since in self._masked.items()
                    if c not in self._by_rule and self._now() - since > self._longest
                ]
                for call in forgotten:
                    log.warning("a pause of the recording was forgotten", call=call)
                    self._wish(call, False)
                continue
            try:
                await self.mask(call, on, since)
            except (NotNow, Refused) as why:
                log.info("recording not masked", call=call, on=on, why=str(why))

    async def mask(self, call: CallId, on: bool, since: float | None = None) -> int:
        """Pause or resume every recording of a call; how many. ``since``: wished since then (None: now).
        Raises Refused when none goes on, and NotNow when it does not hold for all of them yet: it is owed."""
        legs = self._board().recordings.of_call(call)
        if not legs:
            self._masked.pop(call, None)
            raise Refused(f"通话无录音 no recording of {call} goes on")
        now = self._now()
        if on:
            begun = self._masked.setdefault(call, now if since is None else since)
        else:
            begun = self._masked.pop(call, now)
        wish = _Wish(on, begun if on else now, ends=not on and begun < now)
        troubles = [why for why in await asyncio.gather(*(self._put(one, wish) for one in legs)) if why]
        if troubles:
            zh, en = ("暂停", "not paused") if on else ("恢复", "still paused")
            raise NotNow(f"录音尚未{zh}，每秒重试 {en} yet, asked again every second: {troubles[0]}")
        return len(legs)

    async def _put(self, one: Recording, wish: _Wish) -> Exception | None:
        """This leg as it is wished; what hindered it."""
        owed = self._owed.get(one.leg)
        late = any(w.on and self._now() - w.since > AT_ONCE for w in self._asking.get(one.leg, ()))
        if owed is not None and owed.on is not wish.on:
            self._paid(one.leg, self._now())
        elif owed is None and one.leg not in self._asking and one.state is _WISHED[wish.on]:
            return None
        # one that Asterisk has not answered may still be carried out, so it is asked for the other then
        if wish.on:
            since = wish.since if one.began is None else max(wish.since, one.began)
            return await self._ask(one.leg, replace(wish, since=since))
        # of a leg that is not recorded yet nothing waits to be written
        wish = replace(wish, ends=wish.ends and one.began is not None, late=late)
        if wish.ends and late:
            self._owed[one.leg] = wish
        return await self._ask(one.leg, wish)

    async def _ask(self, leg: LegId, wish: _Wish) -> Exception | None:
        """What Asterisk refuses or does not answer is owed, and told; what it does is not any more."""
        self._asking.setdefault(leg, []).append(wish)
        left = wish.since + AT_ONCE - self._now()
        late = asyncio.get_running_loop().call_later(left, self._not_done, leg, wish, "no answer yet")
        try:
            if left <= 0:
                self._not_done(leg, wish, "asked late")
            await self._do(MaskRecording(leg=leg, on=wish.on))
        except (NotNow, Refused) as why:
            self._not_done(leg, wish, str(why))
            return why
        finally:
            late.cancel()
            self._asking[leg].remove(wish)
            if not self._asking[leg]:
                del self._asking[leg]
        if (owed := self._owed.get(leg)) is not None and owed.on is wish.on:
            one = self._board().recordings.of(leg)
            if (
                not owed.on and not owed.late
                and one is not None and one.state is State.ROLLING
                and 0 <= one.since - owed.since <= AT_ONCE
            ):  # fmt: skip
                # done at once: it was we who were late to hear of it
                del self._owed[leg]
            else:
                self._paid(leg, self._now())
        return None

    def _not_done(self, leg: LegId, wish: _Wish, why: str) -> None:
        """Asterisk has not done it at once."""
        one, owed = self._board().recordings.of(leg), self._owed.get(leg)
        if one is None or one.ended is not None:
            return
        if (one.call in self._masked) is not wish.on:
            # withdrawn before it was owed; what was said until then was to be kept out all the same
            self._missed_to(leg, wish, self._now())
        elif owed is None or owed.on is not wish.on:
            log.warning("recording not masked", leg=leg, on=wish.on, why=why)
            self._owed[leg] = wish
            if wish.on:
                self._missed(leg, wish, None)

    async def _pay_for_ever(self) -> None:
        """What is owed is asked for again until it holds, or the leg is over."""
        while True:
            await asyncio.sleep(LOOK)
            for leg, owed in list(self._owed.items()):
                one = self._board().recordings.of(leg)
                if one is None or one.ended is not None:
                    self._paid(leg, self._now() if one is None or one.ended is None else one.ended)
                elif one.state is _WISHED[owed.on] and (owed.on or one.since > owed.since):
                    # done though no answer came; one that goes on may yet be paused by what was asked before
                    self._paid(leg, one.since)
            # one that waits for an answer is not asked twice
            again = [(leg, owed) for leg, owed in self._owed.items() if leg not in self._asking]
            await asyncio.gather(*(self._ask(leg, owed) for leg, owed in again))

    def _paid(self, leg: LegId, until: float) -> None:
        owed = self._owed.pop(leg)
        self._missed(leg, owed, until if owed.on else owed.heard_out(until))

    def _missed_to(self, leg: LegId, wish: _Wish, until: float) -> None:
        """Unless it was told already."""
        one = self._board().recordings.of(leg)
        if one is not None and all(since != wish.since for since, _ in one.missed):
            self._missed(leg, wish, until)

    def _missed(self, leg: LegId, owed: _Wish, until: float | None) -> None:
        one = self._board().recordings.of(leg)
        if one is None or not (owed.on or owed.ends):
            return
        until = None if until is None else max(until, owed.since)
        said = f.MaskMissed(
            at=self._now(), node=self._node, leg=leg, call=one.call, since=owed.since, until=until
        )
        self._tell(said)

    def masked(self, call: CallId) -> bool:
        return call in self._masked
