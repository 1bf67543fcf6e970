"""requirements/*.txt: all packages pinned and hashed, no address, nothing of pyproject.toml left out."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
LOCKS = sorted((HOUSE / "requirements").glob("*.txt"))


def pinned(lock: Path) -> dict[str, list[str]]:
    """Package -> its hashes."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, exact, rest = line.partition("==")
        assert exact, f"{lock.name}: not pinned: {line}"
        found.setdefault(name.strip(), []).extend(re.findall(r"--hash=sha256:([0-9a-f]{64})\b", rest))
    return found


def asked(*extras: str) -> set[str]:
    """What pyproject.toml asks for, as normalised names (PEP 503)."""
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=; ]", line)[0]).lower() for line in lines}


def test_there_is_a_lock_for_each_use() -> None:
    assert [lock.stem for lock in LOCKS] == ["build", "run", "test", "voice"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_package_has_a_hash_and_none_an_address(lock: Path) -> None:
    assert "://" not in lock.read_text(encoding="utf-8")
    assert [name for name, hashes in pinned(lock).items() if not hashes] == []


@pytest.mark.parametrize(
    ("lock", "extras"), [("run", ()), ("test", ("speech", "test", "dev")), ("voice", ("speech", "voice"))]
)
def test_the_lock_holds_what_the_project_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    assert asked(*extras) - set(pinned(HOUSE / "requirements" / f"{lock}.txt")) == set()


def test_testing_and_running_use_the_same_versions() -> None:
    run, test = (pinned(HOUSE / "requirements" / f"{name}.txt") for name in ("run", "test"))
    assert {name: hashes for name, hashes in test.items() if name in run} == run
