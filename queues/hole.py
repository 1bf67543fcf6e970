"""A hole: what is wrong with a roster, from when to when. Told once for each stretch of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class HoleKind(StrEnum):
    UNCOVERED = "uncovered"  # nobody there could answer this queue
    SHORT = "short"  # somebody, but fewer than the target needs
    TWICE = "twice"  # one person in two places, or two at one seat
    CROWDED = "crowded"  # more people than seats
    REST = "rest"  # too little of it
    ODD = "odd"  # an entry of the roster that changes nothing
    UNKNOWN_DAY = "unknown-day"  # holidays of that year are not known


WARNINGS = frozenset({HoleKind.ODD, HoleKind.UNKNOWN_DAY})


@dataclass(frozen=True, slots=True)
class Hole:
    """Trouble from ``begins`` to ``ends`` in the city's time. ``have`` of ``need`` people, where counted."""

    kind: HoleKind
    begins: datetime
    ends: datetime
    zh: str
    en: str
    queue: str = ""
    who: str = ""
    seat: str = ""
    have: int = 0
    need: int = 0

    @property
    def warning(self) -> bool:
        return self.kind in WARNINGS


def merged(found: Iterable[Hole]) -> list[Hole]:
    """Holes of one kind and queue that follow each other as one, with the worst of their figures."""
    kept: list[Hole] = []
    last: dict[tuple[HoleKind, str], int] = {}
    for hole in found:
        key = (hole.kind, hole.queue)
        place = last.get(key)
        if place is not None and kept[place].ends == hole.begins:
            bad = max((kept[place], hole), key=badness)
            kept[place] = replace(kept[place], ends=hole.ends, have=bad.have, need=bad.need)
        else:
            last[key] = len(kept)
            kept.append(hole)
    return kept


def badness(hole: Hole) -> tuple[bool, int]:
    """Of two holes of one queue the higher one is worse."""
    return hole.kind is HoleKind.UNCOVERED, hole.need - hole.have
