"""A note that the leaving shift writes for the next one (交接班留言)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftNote:
    """``id`` begins with the city, as a call's does."""

    id: str
    at: float
    city: str
    who: str
    role: str
    text: str
    """Whatever a person types, numbers of citizens too."""
