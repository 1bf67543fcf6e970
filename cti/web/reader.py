"""What the web asks of the rest of the house. ``cti.app`` hands in something that can answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from calls.facts import CallId
from calls.model import Call, Seat
from calls.story import Line
from cti.web.health import Part
from queues.duties import Duty
from queues.ledger import Rows
from queues.now import QueueNow
from queues.short import Shortfall


class Reader(Protocol):
    """May raise NotNow (answered as 503) and Refused (409)."""

    def health(self) -> Mapping[str, Part]:
        """Parts by name: asterisk, journal, database, redis."""

    def live_calls(self) -> Sequence[Call]:
        """Calls that have not ended, oldest first."""

    def seats(self) -> Sequence[Seat]: ...

    def queues(self) -> Sequence[QueueNow]: ...

    async def call(self, id: str) -> Call | None:
        """Live, or from history."""

    async def latest(self) -> CallId | None:
        """The call that arrived last."""

    async def beginning(self, prefix: str) -> Sequence[CallId]:
        """Calls whose id begins so, newest first, a few at most."""

    async def story(self, call: CallId, *, full: bool) -> Sequence[Line]: ...

    async def past_calls(
        self, since: float | None, until: float | None, city: str | None, most: int
    ) -> Sequence[Call]:
        """From history, newest first."""

    async def ledger(self, since: float, until: float, city: str | None) -> Rows:
        """Calls that arrived in [since, until), with their visits and stints."""

    async def refill(self, since: float, until: float) -> int:
        """Put right from Asterisk's own files what nobody heard; how many calls."""

    def shortfalls(self) -> Sequence[Shortfall]:
        """Queues for which too few people are signed in now."""

    async def duties(self, since: float, city: str | None, *, older: bool = False) -> Sequence[Duty]:
        """What was promised since then and is open, or settled; the oldest first."""
