"""What changes between two plans, value by value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plan.model import Plan


def differences(old: Plan | None, new: Plan) -> Iterator[str]:
    """``~ queues.general.wait_seconds: 90 -> 60``, ``+`` for what is new, ``-`` for what is gone."""
    before = dict(_flat(old.model_dump(), "")) if old else {}
    after = dict(_flat(new.model_dump(), ""))
    for place in sorted(before.keys() | after.keys()):
        if place not in after:
            yield f"- {place}: {before[place]}"
        elif place not in before:
            yield f"+ {place}: {after[place]}"
        elif before[place] != after[place]:
            yield f"~ {place}: {before[place]} -> {after[place]}"


def _flat(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and (value or not place):
        for key, inner in value.items():
            yield from _flat(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, tuple | list) and value and isinstance(value[0], dict):
        for number, inner in enumerate(value, 1):
            yield from _flat(inner, f"{place}[{number}]")
    elif isinstance(value, tuple | list):
        yield place, ", ".join(str(v) for v in value) or "(none)"
    else:
        yield place, str(value) if value != "" else '""'
