"""Faults of what a menu's keys tell the ticket's draft: keys nobody can press, units nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from plan.faults import Fault
from plan.model import Plan
from plan.words import did_you_mean

FILE = "menus.toml"
Known = Mapping[str, set[str]]


def faults_of_menus(plan: Plan, known: Known) -> Iterator[Fault]:
    """``known``: kind of table to the names its file has, also those with faults."""
    for name, menu in plan.menus.items():
        for table, told in (("units", menu.units), ("kinds", menu.kinds)):
            for key in told:
                if key not in menu.keys:
                    hint = did_you_mean(key, menu.keys)
                    yield Fault(FILE, f"{name}.{table}.{key}", f"the menu has no key '{key}'", hint)
        for key, unit in menu.units.items():
            if unit not in known["units"]:
                hint = did_you_mean(unit, known["units"])
                yield Fault(FILE, f"{name}.units.{key}", f"no such unit '{unit}'", hint)
