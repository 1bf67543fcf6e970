"""From places.toml to areas, each fault with its place."""

from __future__ import annotations

from typing import Any

from plan.faults import Fault
from plan.land import Area
from plan.tables import rule_of
from plan.words import did_you_mean, shown

PLACES = "places.toml"


def areas_of(raw: dict[str, Any] | None, found: list[Fault]) -> tuple[Area, ...]:
    """The areas of places.toml as far as they are sound."""
    areas = []
    for key, entries in (raw or {}).items():
        if key != "areas":
            found.append(Fault(PLACES, shown(key)[1:-1], "unknown table", did_you_mean(key, ("areas",))))
        elif not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            found.append(Fault(PLACES, key, "is not a list of tables", "start each with [[areas]]"))
        else:
            made = (
                rule_of(PLACES, (f"areas {number}",), entry, Area, found)
                for number, entry in enumerate(entries, 1)
            )
            areas += [area for area in made if area is not None]
    return tuple(areas)
