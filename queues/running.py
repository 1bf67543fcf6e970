"""The figure of the 24 hours that end now, kept up to date call by call: what a board shows.

The same counting as the ledger's (``queues.counted``); this one only forgets what is older than a day.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from calls.facts import CallId
from calls.model import Call
from queues.any_day import DAY
from queues.counted import abandoned, in_time, offered


@dataclass(frozen=True, slots=True)
class Figure:
    """Of calls that arrived in the last 24 hours. Rates are fractions 0 to 1, None over zero calls."""

    city: str
    offered: int = 0
    answered: int = 0
    within: int = 0
    abandoned: int = 0

    @property
    def connect_rate(self) -> float | None:
        return self.answered / self.offered if self.offered else None

    @property
    def within_15s(self) -> float | None:
        return self.within / self.offered if self.offered else None


_Counts = tuple[int, int, int, int]
_NONE: _Counts = (0, 0, 0, 0)


class Running:
    """``put`` every call whenever it changed; the last word on a call counts."""

    def __init__(self, span: float = DAY) -> None:
        self._span = span
        self._calls: dict[CallId, tuple[str, _Counts]] = {}
        self._by_age: list[tuple[float, CallId]] = []
        self._sums: dict[str, _Counts] = {}

    def put(self, call: Call) -> None:
        known = self._calls.get(call.id)
        counts = _counts(call)
        if known is None:
            heapq.heappush(self._by_age, (call.arrived, call.id))
        elif known == (call.city, counts):
            return
        else:
            self._add(known[0], known[1], -1)
        self._calls[call.id] = (call.city, counts)
        self._add(call.city, counts, 1)

    def figures(self, now: float) -> list[Figure]:
        """One a city that has had a call, by name."""
        while self._by_age and self._by_age[0][0] < now - self._span:
            _, id = heapq.heappop(self._by_age)
            city, counts = self._calls.pop(id)
            self._add(city, counts, -1)
        return [Figure(city, *counts) for city, counts in sorted(self._sums.items())]

    def _add(self, city: str, counts: _Counts, sign: int) -> None:
        a, b, c, d = self._sums.get(city, _NONE)
        w, x, y, z = counts
        self._sums[city] = (a + sign * w, b + sign * x, c + sign * y, d + sign * z)


def _counts(call: Call) -> _Counts:
    if not offered(call):
        return _NONE
    return 1, int(call.answered is not None), int(in_time(call)), int(abandoned(call))
