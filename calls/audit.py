"""The audit trail: who ordered what, when, on whom, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    BEGUN = "begun"  # ordered; nothing is known yet. A row that stays so: the service died meanwhile
    DONE = "done"
    REFUSED = "refused"  # Asterisk or the house said no; ``why`` has the reason
    DENIED = "denied"  # not for this role, or a wrong password
    UNKNOWN = "unknown"  # no answer came: it may have been done


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One order. Written when it begins and again with its outcome; the id makes it one row."""

    id: str
    at: float
    city: str
    who: str
    role: str
    did: str
    """``pause``, ``take-over``, ``raise``, …, ``sign-in`` to the desk is ``session``."""
    on: str
    """``seat 1001``, ``line main``, a call's id, or a note's."""
    told: str = ""
    """What was ordered with it, as JSON. No numbers of citizens, no passwords."""
    outcome: Outcome = Outcome.BEGUN
    why: str = ""
    ended: float | None = None
