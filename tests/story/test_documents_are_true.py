"""What the documents name is there: commands with their options, paths of the API, decisions; both READMEs
say the same. Tests and files they name: ``test_table_is_true.py``, ``test_map_is_true.py``."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from cti.__main__ import HIDDEN, command_tree
from cti.web import openapi

HOUSE = Path(__file__).parents[2]
READMES = HOUSE / "README.md", HOUSE / "README.zh-CN.md"
DOCUMENTS = (*READMES, HOUSE / "CHANGELOG.md", *sorted(HOUSE.glob("docs/**/*.md")))
CODE = (
    "asterisk_conf",
    "bench",
    "calls",
    "cti",
    "ivr",
    "lab",
    "plan",
    "queues",
    "recording",
    "tests",
    "transfer",
)
NOT_IN_ITSELF = "/api/openapi.json"


def blocks(text: str) -> list[str]:
    """Lines of its shell blocks, without their comments."""
    found = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line.split("#")[0].strip() for block in found for line in block.splitlines()]


def quoted(text: str) -> set[str]:
    """What stands between backticks in its lines."""
    bare = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return {" ".join(words.split()) for words in re.findall(r"`([^`]+)`", bare)}


def commands(text: str) -> Iterator[str]:
    for told in (*blocks(text), *quoted(text)):
        for one in told.split(";"):
            if one.strip().startswith("cti "):
                yield one.strip().replace(" | ", "|")


@functools.cache
def program() -> Any:
    return typer.main.get_command(command_tree(()))


def wrong_with(command: str) -> str:
    """The first word of a command line that there is not; empty: all are there. ``a|b``: either."""
    here = program()
    for word in shlex.split(command)[1:]:
        if word.startswith("--"):
            if not any(word in option.opts for option in here.params):
                return word
        elif hasattr(here, "commands"):
            if not here.commands.keys() >= set(word.split("|")):
                return word
            here = here.commands[word.split("|")[0]]
    return ""


def leaves(here: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not hasattr(here, "commands"):
        yield name, here
        return
    for word, below in here.commands.items():
        if word not in HIDDEN:
            yield from leaves(below, f"{name} {word}")


def test_every_command_the_documents_name_is_there_with_its_options() -> None:
    named = {(path.name, one) for path in DOCUMENTS for one in commands(path.read_text("utf-8"))}
    assert len(named) > 50
    assert [(name, one, bad) for name, one in sorted(named) if (bad := wrong_with(one))] == []


def test_a_command_or_an_option_that_is_not_there_is_seen() -> None:
    assert wrong_with("cti plan check plans/demo") == ""
    assert wrong_with("cti plan chekc plans/demo") == "chekc"
    assert wrong_with("cti plan check|tyr") == "check|tyr"
    assert wrong_with("cti board --whole") == "--whole"


def test_every_command_shows_an_example() -> None:
    assert [name for name, one in leaves(program(), "cti") if "Example" not in (one.help or "")] == []


def test_both_readmes_say_the_same() -> None:
    english, chinese = (path.read_text("utf-8") for path in READMES)
    assert blocks(english) == blocks(chinese)
    assert quoted(english) == quoted(chinese)
    for mark in ("\n- ", "\n## ", "](docs/"):
        assert english.count(mark) == chinese.count(mark), mark


def test_every_path_of_the_api_the_documents_name_is_there() -> None:
    def alike(path: str) -> str:
        return re.sub(r"{[^}]*}", "{}", path)

    there = {alike(path) for path in openapi.document("")["paths"]} | {NOT_IN_ITSELF}
    named = {
        (path.name, one)
        for path in DOCUMENTS
        for words in quoted(path.read_text("utf-8"))
        for one in re.findall(r"/api/[\w/{}.-]+", words)
    }
    assert len(named) > 20
    assert [(name, one) for name, one in sorted(named) if alike(one) not in there] == []


def test_every_decision_that_is_referred_to_is_there() -> None:
    there = {int(path.name[:4]) for path in HOUSE.glob("docs/decisions/[0-9]*.md")}
    read = (*DOCUMENTS, *(path for room in CODE for path in (HOUSE / room).glob("**/*.py")))
    named = {
        (str(path.relative_to(HOUSE)), int(number))
        for path in read
        for number in re.findall(r"\bdecisions? (\d+)\b", path.read_text("utf-8"))
    }
    assert len(named) > 10
    assert [one for one in sorted(named) if one[1] not in there] == []


def test_each_word_stands_once_and_in_its_place() -> None:
    text = (HOUSE / "docs/words.md").read_text("utf-8")
    words = [line.split("|")[1].strip().casefold() for line in text.splitlines() if line.startswith("| ")][1:]
    assert words == sorted(set(words))
