"""Red flags while people talk: each change of a call's words is looked at, and a new flag is a fact at once.

Unfinished text counts too: a span ends only with a pause, and somebody who cries for help makes none. A flag
is raised once a call and kind, and the board (after a restart: the journal) knows which were.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from calls.facts import CallId, Fact, FlagRaised, LegId
from calls.picture import true_call
from cti.switchboard import Board
from recording.filed import Role
from recording.flagged import Sign, signs
from recording.transcript import Said, Transcript

log = structlog.get_logger(__name__)

GAP = 0.25
"""Seconds between two looks at the same words: a recogniser tells several times a second."""
SETTLE = 0.8
"""Seconds for which a sign at the end of unfinished words must stand: the next word has come by then."""
BEFORE = 4
"""Spans before the first new one that are looked at again with it."""
KEPT = 500
"""Calls of which it is known how far they were looked at."""


class RedFlags:
    """``changed`` is told which call's words changed, ``run`` looks at them."""

    def __init__(
        self,
        words: Callable[[CallId], Transcript],
        board: Callable[[], Board],
        tell: Callable[[Fact], None],
        *,
        node: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``words``: what of a call is known without waiting; ``tell``: the switchboard's ear."""
        self.raised = 0
        """Since the start."""
        self._words, self._board, self._tell = words, board, tell
        self._node, self._now = node, now
        self._news: dict[CallId, None] = {}
        self._wake = asyncio.Event()
        self._read: dict[CallId, frozenset[tuple[LegId, float]]] = {}
        """Finished spans that were looked at, by leg and first second."""
        self._unsettled: dict[tuple[CallId, str], float] = {}
        """Since when a sign stands at the end of unfinished words."""

    def changed(self, call: CallId) -> None:
        self._news[call] = None
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            calls, self._news = list(self._news), {}
            for call in calls:
                await self.look(call)
            await asyncio.sleep(GAP)
            for call, _ in self._unsettled:
                self.changed(call)

    async def look(self, call: CallId) -> None:
        """Raise what is new in this call's words."""
        before = {key: since for key, since in self._unsettled.items() if key[0] == call}
        for key in before:
            del self._unsettled[key]
        picture = self._board().picture
        whole = true_call(picture, call)
        if whole is None or whole not in picture.calls:
            # a recording of long ago, written down now: its draft and the search have it
            return
        told = self._words(call)
        # what people outside say, whom the caller was brought to, is theirs to judge
        said = [x for x in told.said if x.role is not Role.OTHER]
        saying = [x for x in told.now if x.role is not Role.OTHER]
        found = await asyncio.to_thread(signs, self._unread(call, said), saying)
        for sign in found:
            since = before.get((call, sign.flag), self._now())
            if sign.settled or self._now() - since >= SETTLE:
                self._raise(whole, sign)
            else:
                self._unsettled[call, sign.flag] = since

    def _unread(self, call: CallId, said: Sequence[Said]) -> Sequence[Said]:
        """From a few turns before the first that was not looked at: a flag may be the answer to a question,
        or end a sentence that a pause cut in two."""
        read = self._read.pop(call, frozenset())
        fresh = next((n for n, x in enumerate(said) if (x.leg, x.start) not in read), len(said))
        self._read[call] = frozenset((x.leg, x.start) for x in said)
        while len(self._read) > KEPT:
            del self._read[next(iter(self._read))]
        return said[max(0, fresh - BEFORE) :]

    def _raise(self, call: CallId, sign: Sign) -> None:
        if any(sign.flag == x.flag for x in self._board().flags.of(call)):
            return
        self.raised += 1
        log.warning("red flag", call=call, flag=sign.flag)
        self._tell(
            FlagRaised(
                at=self._now(),
                node=self._node,
                call=call,
                flag=sign.flag,
                words=sign.words,
                leg=sign.leg,
                second=sign.second,
            )
        )
