"""`cti lab`: wrong use is exit code 2 in words; a lab that is not there is 3, and how to start it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab import ears, voices
from lab.account import CallAccount
from lab.command import app
from lab.wav import read


def plain(text: str) -> str:
    return re.sub(r"(?:\x1b\[[0-9;]*m|[│╭╮╰╯─\s])+", " ", text)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["call", "abc"], "no telephone number"),
        (["call", "12345", "--from", "x y"], "no telephone number"),
        (["call", "12345", "--for", "soon"], "no time"),
        (["call", "12345", "--press", "1;2"], "keys are"),
        (["call", "12345", "--say", "/nonexistent.wav"], "does not exist"),
        (["phone", "1001", "--answer", "--busy"], "choose one"),
        (["city", "--rate", "often"], "no rate"),
    ],
)
def test_wrong_use_is_exit_code_two_and_names_the_fault(words: list[str], says: str) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert says in plain(result.output)


@pytest.mark.parametrize("words", [["call", "12345"], ["phone", "1001"], ["city"]])
def test_without_a_lab_the_exit_code_is_three_and_the_remedy_is_told(
    words: list[str], tmp_path: Path
) -> None:
    (tmp_path / "state.json").write_text('{"base_port": 19900}')
    result = CliRunner().invoke(app, [*words, "--home", str(tmp_path)])
    assert result.exit_code == 3
    assert "cti up --lab" in plain(result.output)


@pytest.mark.parametrize("command", ["call", "phone", "city"])
def test_help_gives_examples_in_both_languages(command: str) -> None:
    text = plain(CliRunner().invoke(app, [command, "--help"]).output)
    assert f"cti lab {command}" in text
    assert re.search(r"[\u4e00-\u9fff]", text)


def test_the_published_account_has_exactly_the_fields_of_the_contract() -> None:
    account = CallAccount(
        call="demo-n1-1.1", answered=True, seat="1001", seconds_to_seat=9.5, left_by="agent", heard=None,
        seconds_to_ring=8.0, sip_call="x",
    )  # fmt: skip
    assert list(account.told()) == ["call", "answered", "seat", "seconds_to_seat", "left_by", "heard"]
    assert account.told(more=True)["seconds_to_ring"] == 8.0


def test_the_shipped_voices_are_there_and_told_apart() -> None:
    files = voices.citizens()
    assert len(files) >= 8
    assert voices.agent() is not None
    sounds = {p.stem: ears.load(p) for p in files}
    for name, sound in sounds.items():
        assert read(voices.FOLDER / f"{name}.wav").seconds > 2
        assert [other for other in sounds if ears.contains(sound, sounds[other])] == [name]


def test_making_calls_needs_no_numpy() -> None:
    code = "import sys; sys.modules['numpy'] = None; import lab.command"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
