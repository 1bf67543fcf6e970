"""Times that tests measured, shown at the end of a run."""

from __future__ import annotations

ROWS: list[tuple[str, float, float, str]] = []
"""(what, seconds, bound, remark)."""


def note(what: str, seconds: float, bound: float, remark: str = "") -> float:
    """Keep a figure and return it."""
    ROWS.append((what, seconds, bound, remark))
    return seconds


def lines() -> list[str]:
    width = max(len(what) for what, *_ in ROWS)
    return [f"{what:{width}}  {s:7.3f} s  (bound {bound:g} s)  {more}" for what, s, bound, more in ROWS]
