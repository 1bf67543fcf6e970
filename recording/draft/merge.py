"""An agent's word stands: a typed field is never overwritten, the draft's value becomes an alternative."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recording.draft.fields import Draft, Field, Name, Option


def merged(draft: Draft, typed: Mapping[Name, Any]) -> dict[Name, Field]:
    """The draft under what an agent typed so far. An emptied field counts as typed when its key is there."""
    result: dict[Name, Field] = dict(draft)
    for name, value in typed.items():
        drafted = draft.get(name, Field())
        options = drafted.alternatives
        if drafted.value not in (None, [], value):
            options = (Option(drafted.value, drafted.confidence), *options)
        kept = tuple(option for option in options if option.value != value)
        result[name] = Field(value, 1.0, (), kept, typed=True)
    return result
