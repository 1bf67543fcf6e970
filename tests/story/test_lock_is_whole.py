"""requirements/*.txt: all packages pinned and hashed, no address, nothing of pyproject.toml left out."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
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


OURS = ("plan", "calls", "ivr", "queues", "transfer", "recording", "asterisk_conf", "cti", "lab")
NEVER_IMPORTED = {"aiosqlite"}
"""A database driver, found by SQLAlchemy through the address."""


def imported(*folders: str) -> set[str]:
    """Names of modules from outside that the code in these folders imports, wherever the import stands."""
    found: set[str] = set()
    for path in (path for folder in folders for path in (HOUSE / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - set(OURS)


@cache
def installed() -> Mapping[str, list[str]]:
    """Module -> the packages that bring it."""
    return packages_distributions()


def distributions(modules: set[str]) -> set[str]:
    """The installed packages these modules come from; a module not installed here stands for itself."""
    known = installed()
    return {re.sub(r"[-_.]+", "-", known.get(module, [module])[0]).lower() for module in modules}


def test_what_the_house_imports_is_asked_for_or_comes_with_it() -> None:
    locked = {name for use in ("run", "voice") for name in pinned(HOUSE / "requirements" / f"{use}.txt")}
    assert distributions(imported(*OURS)) - locked == set()


def test_the_command_and_the_service_start_without_the_packages_of_speech() -> None:
    """A machine without the extras runs the hotline: what they need is imported where it is used."""
    absent = ("vosk", "onnxruntime", "misaki", "jieba", "pypinyin")
    code = f"import sys; sys.modules.update(dict.fromkeys({absent})); import cti.app; "
    code += "import cti.__main__ as c; c.command_tree(())"
    done = subprocess.run([sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_nothing_is_asked_for_that_nobody_imports() -> None:
    assert asked() - distributions(imported(*OURS)) == NEVER_IMPORTED


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
