"""docs/map.md says what import-linter enforces and what lies in the repository."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).parents[2]


def doors(line: str) -> list[set[str]]:
    """``cti -> ivr | queues -> calls`` as layers from the top, whatever their order within one."""
    return [set(re.findall(r"[a-z_]+", layer)) for layer in line.split("->")]


def map_text() -> str:
    return (HOUSE / "docs" / "map.md").read_text(encoding="utf-8")


def rows(text: str) -> dict[str, str]:
    """The table of rooms: name of the room -> its last column (what it may import)."""
    table = text[text.index("| room |") :].split("\n\n", 1)[0]
    found = re.findall(r"^\| `([a-z_]+)/` \|.*\| *([^|]*?) *\|$", table, re.MULTILINE)
    return dict(found)


def contracts() -> dict[str, dict[str, Any]]:
    config = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["id"]: contract for contract in config["tool"]["importlinter"]["contracts"]}


def layers() -> list[set[str]]:
    """The layers of the contract without the lab, which stands outside the house."""
    return [set(re.findall(r"[a-z_]+", layer)) - {"lab"} for layer in contracts()["doors"]["layers"]]


def test_the_doors_of_the_map_are_the_doors_of_the_contract() -> None:
    (line,) = re.findall(r"^Doors: (.*)$", map_text(), re.MULTILINE)
    assert doors(line) == layers()


def test_the_map_lists_every_room_and_no_other() -> None:
    assert set(rows(map_text())) == set().union(*layers())


def test_what_a_room_may_import_is_what_lies_below_it() -> None:
    below: set[str] = set()
    expected: dict[str, set[str]] = {}
    for layer in reversed(layers()):
        expected |= {room: set(below) for room in layer}
        below |= layer
    said = rows(map_text())
    assert said.pop("cti") == "all of the above"
    expected.pop("cti")
    assert {room: set(re.findall(r"`([a-z_]+)`", column)) for room, column in said.items()} == expected


def test_every_room_is_forbidden_the_outside() -> None:
    assert set(contracts()["outside"]["source_modules"]) == set().union(*layers()) - {"cti"}


def test_every_package_at_the_top_is_named_in_the_map() -> None:
    packages = {path.parent.name for path in HOUSE.glob("*/__init__.py")}
    assert packages >= set().union(*layers())
    assert [name for name in sorted(packages) if f"`{name}/`" not in map_text()] == []


def test_every_file_and_folder_the_map_names_is_there() -> None:
    named = set(re.findall(r"`((?:[a-z_.]+/)+(?:[a-z_]+\.[a-z]+)?)`", map_text()))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (HOUSE / name).exists()] == []


def test_every_file_of_the_switch_room_is_named_in_the_map() -> None:
    there = {path.name + ("/" if path.is_dir() else "") for path in (HOUSE / "cti").iterdir()}
    there -= {name for name in there if name.startswith("__")}
    text = map_text()
    assert len(there) > 40
    assert [name for name in sorted(there | {"__main__.py"}) if f"`cti/{name}`" not in text] == []
