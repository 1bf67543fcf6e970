"""Whose business what is, and what the places are called: units.toml and places.toml.

Both are data of the city: ``recording.draft`` proposes from them, a person decides. A plan without them
works; its drafts then name no unit, and only those places that say what they are (…路, …小区).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from plan.rule import Rule
from plan.words import OptionalTitle, PhoneNumber, Title

Titles = Annotated[tuple[Title, ...], Field(max_length=2000)]


UnitKind = Literal[
    "town", "township", "street", "county", "zone", "department", "branch", "enterprise", "office"
]
"""镇, 乡, 街道, 县区, 开发区, 部门, 分局/分中心, 企业, 热线管理机构."""


class Unit(Rule):
    """units.toml: an office or company that handles tickets (承办单位). Its table's name is used in each."""

    title: Title
    title_en: OptionalTitle = ""
    kind: UnitKind = "department"
    duty: bool = False
    """24 小时值班: somebody is there day and night."""
    aliases: Titles = ()
    """What callers call it: 城管, 环卫."""
    subjects: Titles = ()
    """Subjects it handles as the main unit (主办)."""
    joins: Titles = ()
    """Subjects it has a part in (会办)."""
    keywords: Titles = ()
    """Words of this place that point to it: the name of a bus company, of a scheme."""
    lines: tuple[PhoneNumber, ...] = ()
    """Numbers that were this unit's own: a caller who dialled one most likely wants it."""


class Area(Rule):
    """places.toml ``[[areas]]``: a district or county and the names in it, as people say them."""

    name: Title
    note: OptionalTitle = ""
    towns: Titles = ()
    """乡镇、街道."""
    streets: Titles = ()
    compounds: Titles = ()
    """小区, schools, markets, stations: what a caller names instead of a house number."""
    villages: Titles = ()
