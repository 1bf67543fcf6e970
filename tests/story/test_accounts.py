"""Accounts on disk: a file that cannot be read is nobody's licence to write over it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cti.accounts import Accounts
from cti.commands.account import app
from cti.home import Home
from cti.web.who import Role, Who

PASSWORD = "one two three"
run = CliRunner()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.mark.parametrize("torn", [b"", b'{"chief": {"role', b"[]", b"\xff"])
@pytest.mark.parametrize("words", ["set zhang --password-stdin", "remove chief", "list"])
def test_a_file_of_accounts_that_cannot_be_read_stays_as_it_is_and_is_told(
    home: Home, torn: bytes, words: str
) -> None:
    file = home.root / "accounts.json"
    file.write_bytes(torn)
    told = run.invoke(app, [*words.split(), "--home", str(home.root)], input=PASSWORD)
    assert (told.exit_code, file.read_bytes()) == (2, torn)
    assert str(file) in told.output
    assert "cti account set" in told.output


def test_whoever_could_sign_in_still_can_while_the_file_cannot_be_read(home: Home) -> None:
    running = Accounts(home, dict)
    chief = Who("chief", Role.SUPERVISOR, "demo", "")
    running.put(chief, PASSWORD)
    assert running.check("chief", PASSWORD) == chief
    (home.root / "accounts.json").write_bytes(b"")
    assert running.check("chief", PASSWORD) == chief
