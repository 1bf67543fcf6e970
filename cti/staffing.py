"""Looks every few seconds whether enough people are signed in for this minute, and says when not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

import structlog

from cti.errors import NotNow, Refused
from cti.holidays import calendar
from cti.switchboard import Board
from plan.model import Plan
from queues.cover import Outlook, outlook
from queues.roster import Laid, lay
from queues.shift import zone
from queues.short import Shortfall, short_now, signed_in, wanted_at

log = structlog.get_logger("staffing")

LOOK_SECONDS = 15.0
UNKNOWN_SECONDS = 1.0
"""While the picture is not proved: at the start, and while the link is down."""


class Staffing:
    """``run`` looks until it is cancelled; ``shortfalls`` tells what the last look saw."""

    def __init__(self, plans: Callable[[], Mapping[str, Plan]], board: Callable[[], Board]) -> None:
        self._plans = plans
        self._board = board
        self._laid: dict[str, tuple[Plan, date, Laid]] = {}
        self._seen: tuple[Shortfall, ...] | None = None

    async def run(self) -> None:
        while True:
            # the first look at a day lays its roster out: not in the loop that advises
            await asyncio.to_thread(self.look, time.time())
            await asyncio.sleep(LOOK_SECONDS if self._seen is not None else UNKNOWN_SECONDS)

    def look(self, now: float) -> None:
        """Compare once. While the picture is stale nothing is known, and nothing is told as short."""
        board = self._board()
        if board.picture.stale_since is not None:
            self._seen = None
            return
        found: list[Shortfall] = []
        for city, plan in self._plans().items():
            if plan.roster is not None:
                laid = self._day(plan, now)
                when = datetime.fromtimestamp(now, laid.tz)
                turns, wanted = wanted_at(plan, plan.roster, laid, when)
                found += short_now(city, board.seats.seats.values(), turns, wanted)
        before = {(s.city, s.queue): s.short for s in self._seen or ()}
        for short in found:
            if before.pop((short.city, short.queue), None) != short.short:
                log.warning(
                    "too few signed in",
                    city=short.city,
                    queue=short.queue,
                    need=short.need,
                    present=short.present,
                    missing=short.missing,
                )
        for city, queue in before:
            log.info("enough signed in again", city=city, queue=queue)
        self._seen = tuple(found)

    def shortfalls(self) -> Sequence[Shortfall]:
        """What the last look saw. Raises NotNow while nothing is known of the seats."""
        if self._seen is None:
            raise NotNow("the picture of the seats is not proved yet; ask again in a moment")
        return self._seen

    def short(self) -> float:
        """Seats missing in all, for the figures; NaN while nothing is known."""
        return float("nan") if self._seen is None else float(sum(s.short for s in self._seen))

    def today(self, city: str) -> date:
        """In the city's own time. Raises Refused."""
        return datetime.now(zone(self._rostered(city).city.timezone)).date()

    def outlook(self, city: str, first: date, last: date, now: float) -> Outlook:
        """What ``cti roster check`` finds in these days, and who is signed in now. For a thread: a month
        takes a second. Raises Refused."""
        plan = self._rostered(city)
        assert plan.roster is not None
        found = outlook(plan, plan.roster, first, last, calendar)
        board = self._board()
        if board.picture.stale_since is not None:
            return replace(found, at=now)
        laid = self._day(plan, now)
        _, wanted = wanted_at(plan, plan.roster, laid, datetime.fromtimestamp(now, laid.tz))
        return replace(found, at=now, signed_in=signed_in(city, board.seats.seats.values(), wanted))

    def _rostered(self, city: str) -> Plan:
        plan = self._plans().get(city)
        if plan is None or plan.roster is None:
            raise Refused(f"{city}：没有排班 no roster: add roster.toml to its plan (an example: plans/demo)")
        return plan

    def _day(self, plan: Plan, now: float) -> Laid:
        today = datetime.fromtimestamp(now, zone(plan.city.timezone)).date()
        known = self._laid.get(plan.id)
        if known is not None and known[0] is plan and known[1] == today:
            return known[2]
        assert plan.roster is not None
        laid = lay(plan, plan.roster, today, today, calendar)
        self._laid[plan.id] = (plan, today, laid)
        return laid
