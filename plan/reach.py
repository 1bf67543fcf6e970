"""Whom an agent may bring a caller to beyond the own seats and queues: centres, duty phones, other hotlines,
outside numbers.

``centres.toml`` holds centres that are linked with this hotline (110, 119, 120, 122, 12333, water, power,
gas): calls go both ways, each with a hand-off record. ``contacts.toml`` holds single numbers. What stands
in neither cannot be dialled.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from plan.rule import Rule
from plan.words import Name, PhoneNumber, Title

CentreKind = Literal["emergency", "utility", "hotline"]
ContactKind = Literal["duty", "hotline", "number"]


class Way(Rule):
    """One way to a centre: a number through a trunk."""

    trunk: Name
    number: PhoneNumber


class Centre(Rule):
    """centres.toml: its table's name is the number agents dial (``110``)."""

    title: Title
    kind: CentreKind = "emergency"
    ways: Annotated[tuple[Way, ...], Field(min_length=1, max_length=4)]
    """Tried in this order. One that is busy or dead is skipped at once, one that says nothing gets company
    of the next after ``next_after_seconds``."""
    next_after_seconds: Annotated[int, Field(ge=1, le=4)] = 3
    ring_seconds: Annotated[int, Field(ge=10, le=300)] = 60
    """Longest wait for somebody at the centre."""
    calls_from: tuple[Name, ...] = ()
    """Trunks that only this centre calls through: what comes from there is handed over by it."""
    numbers: tuple[PhoneNumber, ...] = ()
    """Numbers it shows when it calls through another trunk (a carrier's). A linked row of numbers.toml
    tells ``calls_from`` and these with dates instead (``Plan.centre_of``)."""
    queue: str = ""
    """Who answers calls it hands over; empty: the first place of the line it dialled."""
    webhook: bool = False
    """Its hand-offs are also pushed to its computer (``HOME/centres.json``, key ``<city>/<name>``)."""

    @property
    def urgent(self) -> bool:
        """Who is brought there may be in danger: police, fire, ambulance, traffic; water, power, gas (issue:
        transfers). Such a caller is never alone, hears no music and is sent to no machine."""
        return self.kind != "hotline"


class Contact(Rule):
    """contacts.toml: a number agents may transfer to. Its table's name is the number they dial."""

    title: Title
    kind: ContactKind = "number"
    trunk: Name
    number: PhoneNumber
    """As the trunk wants it."""
    ring_seconds: Annotated[int, Field(ge=5, le=120)] = 30
