"""What a draft is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from plan.land import Area, Unit
from recording.draft.said import Source

Name = Literal["name", "phone", "address", "time", "kind", "subject", "unit", "flags", "title", "story"]
NAMES: tuple[Name, ...] = (
    "name",
    "phone",
    "address",
    "time",
    "kind",
    "subject",
    "unit",
    "flags",
    "title",
    "story",
)
KINDS = ("咨询", "求助", "投诉", "举报", "建议")
"""Inquiry, help, complaint, report of an offence, suggestion."""
KIND_OF = dict(zip(("inquiry", "help", "complaint", "report", "suggestion"), KINDS, strict=True))
"""As a plan names them."""

Sounds = Callable[[str], Sequence[str]]
"""A text to its syllables, one a character, without tones. Without a dictionary: ``list``."""


@dataclass(frozen=True, slots=True)
class Option:
    """Another value that could be meant. ``source``: the call itself, or what stands in an earlier ticket."""

    value: Any
    confidence: float
    source: Literal["call", "history"] = "call"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the draft. ``value`` None: nothing was found, or nothing is to be filed."""

    value: Any = None
    confidence: float = 0.0
    source: tuple[Source, ...] = ()
    alternatives: tuple[Option, ...] = ()
    typed: bool = False
    """An agent wrote it: the draft keeps its hands off."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier ticket of the same caller's number says. ``address`` has the parts a draft gives it."""

    name: str = ""
    phone: str = ""
    address: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Occasion:
    """The call around the words. ``at`` is aware: the moment the call began, in the city's time zone."""

    at: datetime
    caller: str = ""
    line: str = ""
    """The number that was called."""
    key_unit: str = ""
    """The unit that the key chosen in a menu speaks for, by its key in the plan."""
    key_kind: str = ""
    """The kind that it speaks for, one of ``KINDS``."""
    earlier: tuple[Earlier, ...] = ()
    """The newest first."""
    units: Mapping[str, Unit] = field(default_factory=dict)
    areas: tuple[Area, ...] = ()
    sounds: Sounds = list


HISTORY = 0.15
"""How sure a value of an earlier ticket is: below whatever was said, and never a field's own value. One
number may be a family's, a shop's, an office's."""


def from_history(values: Iterable[Any], told: Iterable[Any]) -> tuple[Option, ...]:
    """Values of earlier tickets as candidates, each once, without those that were ``told`` already."""
    options: list[Option] = []
    known = list(told)
    for value in values:
        if value and value not in known:
            known.append(value)
            options.append(Option(value, HISTORY, "history"))
    return tuple(options)


Draft = Mapping[Name, Field]
