"""A ticket as a call makes it: what the draft offered, what the agent made of it, and what was said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calls.facts import CallId

FIELDS = ("name", "phone", "address", "time", "kind", "subject", "unit", "title", "story")
"""What a ticket has; the draft offers a value for each, the agent's own word wins."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """``number``: city, day and count. Moments: seconds since the epoch, UTC."""

    number: str
    city: str
    call: CallId
    original: str
    """The number the citizen dialled first, kept to the end (12315, 12345 …)."""
    caller: str
    line: str
    made: float
    by: str
    """Who accepted it: the agent's number (工号), or the name of a token."""
    fields: str
    """JSON: the accepted values."""
    draft: str
    """JSON: the draft as it was offered, with confidences and sources."""
    transcript: str
    """JSON: what was said until then; all of it once ``complete``."""
    complete: bool = True
    """All of the talk is in ``transcript``."""


def accepted(draft: Mapping[str, Mapping[str, Any]], typed: Mapping[str, Any]) -> dict[str, Any]:
    """The ticket's fields: what was typed, else what the draft offers."""
    return {name: typed[name] if name in typed else (draft.get(name) or {}).get("value") for name in FIELDS}


def numbered(city: str, day: str, last: str | None) -> str:
    """The number after ``last`` of this city and day (``20261121``): ``demo-20261121-00001``."""
    count = 0 if last is None else int(last.rpartition("-")[2])
    return f"{city}-{day}-{count + 1:05d}"
