"""The door of the draft: spans and occasion in, fields out. Called anew with every span while people talk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from recording.draft.address import address_of
from recording.draft.department import subject_of, unit_of
from recording.draft.fields import NAMES, Draft, Field, Name, Occasion
from recording.draft.flags import flags_of
from recording.draft.gazetteer import Gazetteer
from recording.draft.kind import kind_of
from recording.draft.merge import merged
from recording.draft.name import name_of
from recording.draft.phone import phone_of
from recording.draft.said import Talk
from recording.draft.story import story_of
from recording.draft.title import title_of
from recording.draft.when import when_of
from recording.recognised import Recognised

PAST = {"injured", "crash", "violence"}
"""Dangers of which people often tell afterwards: they do not make it now."""


class Drafter:
    """Drafts for one plan: its gazetteer is built once. Holds no state of a call."""

    def __init__(self, occasion: Occasion) -> None:
        """``occasion`` gives the plan's units, areas and sounds; a call's own is passed with each draft."""
        self._gazetteer = Gazetteer(occasion.areas, occasion.sounds)

    def draft(
        self, spans: Sequence[Recognised], occasion: Occasion, typed: Mapping[Name, Any] | None = None
    ) -> Draft:
        """All fields from what was said so far, under what the agent ``typed``."""
        talk = Talk(spans)
        flags = flags_of(talk)
        subject = subject_of(talk)
        kind = kind_of(talk, tuple(flags.value), subject.value, occasion.key_kind)
        name = name_of(talk, occasion)
        address = address_of(talk, occasion, self._gazetteer)
        fields: dict[Name, Field] = {
            "name": name,
            "phone": phone_of(talk, occasion),
            "address": address,
            "time": when_of(talk, occasion, kind.value, bool(set(flags.value) - PAST)),
            "kind": kind,
            "subject": subject,
            "unit": unit_of(talk, occasion),
            "flags": flags,
            "title": title_of(address, subject, kind, flags),
            "story": story_of(talk, name.value, kind.value),
        }
        return merged(fields, typed or {})


def as_json(draft: Draft, occasion: Occasion) -> dict[str, Any]:
    """Plain values for ``cti draft --json`` and the API; a unit carries its title beside its key."""
    return {name: _field(name, draft[name], occasion) for name in NAMES if name in draft}


def _field(name: Name, field: Field, occasion: Occasion) -> dict[str, Any]:
    result: dict[str, Any] = {
        "value": field.value,
        "confidence": field.confidence,
        "source": [asdict(source) for source in field.source],
        "alternatives": [asdict(option) for option in field.alternatives],
    }
    if field.typed:
        result["typed"] = True
    if name == "unit":
        for part in (result, *result["alternatives"]):
            unit = occasion.units.get(part["value"] or "")
            part["title"] = unit.title if unit else None
    return result
