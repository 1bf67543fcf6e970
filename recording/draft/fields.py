"""What a draft is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

Sounds = Callable[[str], Sequence[str]]
"""A text to its syllables, one a character, without tones. Without a dictionary: ``list``."""


@dataclass(frozen=True, slots=True)
class Option:
    """Another value that could be meant."""

    value: Any
    confidence: float


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
    """What an earlier ticket of the same caller's number says."""

    name: str = ""
    phone: str = ""
    address: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Occasion:
    """The call around the words. ``at`` is aware: the moment the call began, in the city's time zone."""

    at: datetime
    caller: str = ""
    line: str = ""
    """The number that was called."""
    menu_key: str = ""
    earlier: tuple[Earlier, ...] = ()
    units: Mapping[str, Unit] = field(default_factory=dict)
    areas: tuple[Area, ...] = ()
    sounds: Sounds = list


Draft = Mapping[Name, Field]
