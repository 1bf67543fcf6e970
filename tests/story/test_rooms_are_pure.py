"""Rooms know no clock, no disk, no chance and no network (docs/decisions: purity).

import-linter forbids the doors to the outside. What slips through an allowed door (``datetime.now``,
``open``, a library that reads files) is caught here: every import of a room comes from a short list, and no
room calls what reaches outside.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOMS = ("plan", "calls", "ivr", "queues", "transfer", "recording", "asterisk_conf")
HOUSE = Path(__file__).parents[2]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STANDARD = _words(
    """__future__ abc bisect collections dataclasses datetime decimal difflib enum fractions functools hashlib
    heapq ipaddress itertools json math operator re string struct textwrap tomllib types typing unicodedata"""
)
"""Standard library that computes and does nothing else."""

OTHERS = frozenset({"annotated_types", "phonenumbers", "pydantic", "typing_extensions"})

BARE = frozenset({"open", "input", "print", "exec", "eval", "compile", "breakpoint", "__import__", "globals"})
"""Built-ins that reach outside; naming one is enough, it may be called later."""

PER_PROCESS = frozenset({"hash", "id"})
"""Built-ins that answer differently in another process; only a call counts (``id`` is a common name)."""

METHODS = _words(
    "now utcnow today read_text read_bytes write_text write_bytes FileSystemLoader PackageLoader"
)
"""Called on anything, these ask the clock or the disk."""


def sins(source: str) -> list[str]:
    """What in a room's source is not pure, as ``line: what``."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [(node.lineno, f"import {n.name}") for n in names if not _allowed(n.name)]
            case ast.ImportFrom(module=str(module), level=0) if not _allowed(module):
                found.append((node.lineno, f"from {module} import"))
            case ast.Name(id=name, ctx=ast.Load()) if name in BARE:
                found.append((node.lineno, name))
            case ast.Call(func=ast.Name(id=name)) if name in PER_PROCESS:
                found.append((node.lineno, name))
            case ast.Attribute(attr=name, ctx=ast.Load()) if name in METHODS:
                found.append((node.lineno, f".{name}"))
            case ast.Global():
                found.append((node.lineno, "global " + ", ".join(node.names)))
            case ast.AsyncFunctionDef(name=name):
                found.append((node.lineno, f"async def {name}"))
    return [f"{line}: {what}" for line, what in sorted(found)]


def _allowed(module: str) -> bool:
    top = module.partition(".")[0]
    return top in STANDARD or top in OTHERS or top in ROOMS


def files() -> list[Path]:
    return [path for room in ROOMS for path in sorted((HOUSE / room).rglob("*.py"))]


@pytest.mark.parametrize(
    ("source", "sin"),
    [
        ("import asyncio", "1: import asyncio"),
        ("import os.path", "1: import os.path"),
        ("from pathlib import Path", "1: from pathlib import"),
        ("from importlib import resources", "1: from importlib import"),
        ("from cti.home import Home", "1: from cti.home import"),
        ("def late():\n    import random", "2: import random"),
        ("from datetime import datetime\nx = datetime.now()", "2: .now"),
        ("from datetime import date\nf = date.today", "2: .today"),
        ("text = open('plan.toml').read()", "1: open"),
        ("read = open", "1: open"),
        ("key = hash('12345')", "1: hash"),
        ("def f(p): return p.read_text()", "1: .read_text"),
        ("def f():\n    global seen", "2: global seen"),
        ("async def f(): ...", "1: async def f"),
        ("print('x')", "1: print"),
    ],
)
def test_what_reaches_outside_is_seen(source: str, sin: str) -> None:
    assert sins(source) == [sin]


def test_what_only_computes_passes() -> None:
    assert (
        sins(
            "from __future__ import annotations\nfrom datetime import datetime, time\nimport re\n"
            "from pydantic import BaseModel\nfrom calls.model import Call\nfrom . import words\n"
            "def due(now: datetime, id: str) -> time: return now.time()\nr = re.compile('x')\n"
        )
        == []
    )


def test_every_room_is_looked_at() -> None:
    assert {path.relative_to(HOUSE).parts[0] for path in files()} == set(ROOMS)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_room_is_pure(path: Path) -> None:
    assert sins(path.read_text(encoding="utf-8")) == []
