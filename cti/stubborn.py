"""Recordings that failed by themselves while others did not, and when each is tried again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from calls.facts import LegId

AGAIN, HOUR = 30.0, 3600.0
"""Seconds: the first pause, which doubles, and the longest."""


@dataclass(slots=True)
class Later:
    """One that failed by itself: how often, and when it is tried again."""

    tries: int
    at: float


class Stubborn:
    """Of one kind of work. A full disk, or another's key, is nobody's own fault; a file that cannot be read
    is."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._later: dict[LegId, Later] = {}
        self._now = now

    def __len__(self) -> int:
        return len(self._later)

    def rests(self, leg: LegId) -> bool:
        """Whether it is too early to try it again."""
        return leg in self._later and self._later[leg].at > self._now()

    def later(self, leg: LegId) -> None:
        """Try it again after the others; it is not its own fault."""
        tries = self._later[leg].tries if leg in self._later else 0
        self._later[leg] = Later(tries, self._now() + AGAIN)

    def failed(self, leg: LegId) -> bool:
        """Try it again later and later. True: it has not failed before."""
        tries = self._later[leg].tries if leg in self._later else 0
        self._later[leg] = Later(tries + 1, self._now() + min(HOUR, AGAIN * 2 ** min(tries, 7)))
        return not tries

    def only(self, there: Collection[LegId]) -> None:
        """All others are done, or gone."""
        self._later = {leg: one for leg, one in self._later.items() if leg in there}
