"""docs/failures.md: every test it names is there, every row names one or says that there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[2]
THINGS = 13
"""Asterisk, service, supervisor, Redis, database, disk, shelf, models, phone, carrier, network, plan, and
clock."""
WAYS = ("absent", "slow", "frozen", "lying")
OTHER_WORDS = {"lying": ("wrong", "hostile"), "absent": ("full",)}


def sections() -> dict[str, list[list[str]]]:
    """Title -> rows of its table."""
    text = (HOUSE / "docs/failures.md").read_text(encoding="utf-8")
    found: dict[str, list[list[str]]] = {}
    for part in text.split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        lines = [line for line in body.splitlines() if line.startswith("| ")]
        found[title] = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    return found


def named() -> Iterator[tuple[Path, str]]:
    for rows in sections().values():
        for row in rows:
            for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row[-1]):
                yield HOUSE / path, name


def test_every_test_the_table_names_is_there() -> None:
    missing = [
        f"{path.name}::{name}"
        for path, name in named()
        if not path.exists() or f"def {name}(" not in path.read_text(encoding="utf-8")
    ]
    assert not missing


def test_every_row_names_a_test_or_says_that_there_is_none() -> None:
    silent = [
        f"{title}: {row[0]}"
        for title, rows in sections().items()
        for row in rows
        if ("::" in row[-1]) == ("**No test**" in row[-1])
    ]
    assert not silent


def test_every_thing_is_looked_at_in_every_way() -> None:
    assert len(sections()) == THINGS
    for title, rows in sections().items():
        ways = " ".join(row[0] for row in rows)
        lacking = [way for way in WAYS if not any(word in ways for word in (way, *OTHER_WORDS.get(way, ())))]
        assert not lacking, title
