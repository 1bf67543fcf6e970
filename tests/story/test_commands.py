"""The command line itself: what a person types without knowing more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cti import asterisk_process
from cti import up as supervisor
from cti.__main__ import COMMANDS, GROUPS, command_tree
from cti.home import DEFAULT_BASE, Home


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[supervisor.Up]:
    """Every instance that would have been started."""
    found: list[supervisor.Up] = []

    async def run(self: supervisor.Up) -> None:
        found.append(self)

    monkeypatch.setattr(supervisor.Up, "run", run)
    monkeypatch.setattr(asterisk_process, "installed", lambda: None)
    return found


def test_up_without_a_word_takes_the_default_ports_and_the_demo_city(
    started: list[supervisor.Up], tmp_path: Path
) -> None:
    ran = CliRunner().invoke(command_tree(()), ["up", "--home", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    assert [up.wanted.base for up in started] == [DEFAULT_BASE]
    assert [plan.name for plan in started[0].wanted.plans] == ["demo"]


def test_a_home_is_held_by_one_supervisor(started: list[supervisor.Up], tmp_path: Path) -> None:
    with supervisor.sole(Home(tmp_path)):
        ran = CliRunner().invoke(command_tree(()), ["up", "--home", str(tmp_path)])
    assert ran.exit_code == 1
    assert "already up" in " ".join(ran.output.split()), "whatever the length of its path, the line is folded"
    assert not started


def test_detach_leaves_the_last_supervisors_state_to_the_next_one_and_waits_for_that_ones_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = Home(tmp_path)

    def state(ready: bool, pid: int) -> str:
        return json.dumps({"base_port": 22000, "ready": ready, "supervisor": {"pid": pid, "started": 1}})

    home.state_file.write_text(state(True, 4710))
    own = iter([None, state(False, 4711), state(True, 4711)])
    found: list[int] = []

    class Child:
        pid = 4711

        def poll(self) -> None:
            found.append(home.state()["base_port"])
            if (text := next(own)) is not None:
                home.state_file.write_text(text)

    monkeypatch.setattr(subprocess, "Popen", lambda *words, **more: Child())
    ran = CliRunner().invoke(command_tree(()), ["up", "--detach", "--home", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    assert found == [22000, 22000, 22000]


@pytest.mark.parametrize("words", [["up", "--base-port", "80"], ["nonsense"], ["calls", "--nothing"]])
def test_wrong_use_is_exit_code_2(words: list[str]) -> None:
    assert CliRunner().invoke(command_tree(()), words).exit_code == 2


@pytest.mark.parametrize(
    "words",
    [["up"], ["doctor"], ["plan"], ["lab"], ["lab", "call"], ["lab", "phone"], ["lab", "city"], ["prompts"]],
)
def test_every_command_helps(words: list[str]) -> None:
    ran = CliRunner().invoke(command_tree(()), [*words, "--help"])
    assert ran.exit_code == 0
    assert "cti" in ran.output


@pytest.mark.parametrize("word", [*COMMANDS, *GROUPS])
def test_a_command_loaded_alone_is_the_one_of_the_whole_tree(word: str) -> None:
    alone = CliRunner().invoke(command_tree([word]), [word, "--help"])
    whole = CliRunner().invoke(command_tree(()), [word, "--help"])
    assert (alone.exit_code, alone.output) == (0, whole.output)


def test_asking_what_goes_on_loads_no_database_library() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "import sys, cti.commands.show; print('sqlalchemy' in sys.modules)"],
        capture_output=True,
        text=True,
    )
    assert ran.stdout == "False\n", ran.stderr


def test_a_leg_is_played_as_it_is_heard_by_who_asks_and_an_option_for_calls_is_not_swallowed() -> None:
    asked = ["recordings", "play", "n1-1.1", "--purpose", "review", "--consultations"]
    ran = CliRunner().invoke(command_tree(asked), asked)
    assert (ran.exit_code, "--consultations" in ran.output) == (2, True), ran.output
    assert "is for a call" in ran.output
