"""The supervisor killed, started again, started twice; and everything of ours dead at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.app import alone
from cti.home import Home
from cti.store.journal import Journal, segments
from lab.scenario import Lab
from tests.house import ROOT, House, ports
from tests.outage import hands
from tests.outage.test_service_dies import lost
from tests.outage.truth import agree


def kill_supervisor(house: House) -> None:
    hands.supervisor(house.home).signal(9)
    house.supervisor.wait(5)


def pids(house: House) -> dict[str, int]:
    return {name: each.pid for name, each in house.parts().items()}


async def test_a_killed_supervisor_stops_nothing_and_the_next_one_adopts(house: House, city: Lab) -> None:
    await city.staffed("2001", "2002")
    await city.seat("2001").will_answer()
    await city.seat("2002").will_answer()
    call = await city.caller().dials("12301")
    await call.reaches()
    before = pids(house)
    await asyncio.to_thread(kill_supervisor, house)
    # nobody watches, and a call comes and is served
    second = await city.caller("13900000005").dials("12301")
    await second.reaches()
    await asyncio.to_thread(house.up_again)
    assert pids(house) == before
    assert not lost(city, [call, second])
    await agree(house.home, city.house, "quick")
    await call.hangs_up()
    await second.hangs_up()


async def test_supervisor_and_service_killed_together_the_next_supervisor_starts_what_is_missing(
    house: House, city: Lab
) -> None:
    await city.staffed("2001", "2002")
    await city.seat("2001").will_answer()
    await city.seat("2002").will_answer()
    call = await city.caller().dials("12301")
    await call.reaches()
    before = pids(house)
    service = house.parts()["service"]
    await asyncio.to_thread(kill_supervisor, house)
    await asyncio.to_thread(hands.kill, service)
    # nothing of ours lives, and a call comes and is served
    second = await city.caller("13900000005").dials("12301")
    await second.reaches()
    await asyncio.to_thread(house.up_again)
    after = pids(house)
    assert after["service"] != before["service"]
    assert (after["asterisk"], after["lab"]) == (before["asterisk"], before["lab"])
    await asyncio.to_thread(hands.until_ready, house.home)
    assert not lost(city, [call, second])
    await agree(house.home, city.house, "quick")
    await call.hangs_up()
    await second.hangs_up()


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of ours."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as other:
        yield other
        other.kill()


async def test_a_pid_in_a_stale_state_file_that_is_somebody_elses_by_now_is_left_alone(
    house: House, stranger: subprocess.Popen[bytes]
) -> None:
    before, service = pids(house), house.parts()["service"]
    await asyncio.to_thread(kill_supervisor, house)
    await asyncio.to_thread(hands.kill, service)
    # the kernel gave the dead one's number to somebody else
    state = house.home.state()
    state["parts"]["service"]["pid"] = stranger.pid
    house.home.state_file.write_text(json.dumps(state))
    await asyncio.to_thread(house.up_again)
    after = pids(house)
    assert stranger.poll() is None
    assert after["service"] not in (stranger.pid, service.pid)
    assert (after["asterisk"], after["lab"]) == (before["asterisk"], before["lab"])
    await asyncio.to_thread(hands.until_ready, house.home)


async def test_in_the_background_too_the_next_supervisor_adopts_on_the_ports_there_were(
    house: House,
) -> None:
    before, base = pids(house), house.home.state()["base_port"]
    await asyncio.to_thread(kill_supervisor, house)
    dead = hands.supervisor(house.home).pid
    answer = await asyncio.to_thread(house.cti, "up", "--lab", "--detach")
    assert answer.returncode == 0, answer.stdout
    detached = hands.supervisor(house.home)
    assert detached.alive()
    assert detached.pid != dead
    assert (pids(house), house.home.state()["base_port"]) == (before, base)
    # the next test wants one whose end it can wait for
    await asyncio.to_thread(hands.kill, detached)
    await asyncio.to_thread(house.up_again)


def test_a_second_service_of_a_home_touches_nothing_until_the_first_is_gone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    journal = Journal(home.journal)
    journal.append({"what": "of the first one"})
    journal.close()
    (_, segment), *_ = segments(home.journal)
    with ports() as base, contextlib.ExitStack() as held:
        home.state_file.write_text(json.dumps({"base_port": base}))
        first = held.enter_context(contextlib.ExitStack())
        first.enter_context(alone(home))
        second = subprocess.Popen(
            [sys.executable, "-m", "cti", "serve", "--home", str(home.root)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "CTI_SPEECH": "false"},
        )  # fmt: skip
        held.callback(second.kill)
        said = told_until(second, "another service has this home")
        assert segment not in hands.opened(second.pid)
        assert not home.database.exists()
        first.close()
        said += told_until(second, "history is written")
        assert segment in hands.opened(second.pid)
        second.terminate()
        assert second.wait(20) == 0
    assert sum("another service" in line for line in said) == 1, "it says so once"


def told_until(service: subprocess.Popen[str], word: str) -> list[str]:
    """What a service logs, up to the line with this word."""
    lines = []
    assert service.stdout is not None
    for line in service.stdout:
        lines.append(line)
        if word in line:
            return lines
    raise hands.NotSo(f"it ended without {word!r}: {lines[-3:]}")


@pytest.mark.parametrize("words", [("up",), ("up", "--detach")])
async def test_a_second_cti_up_on_the_same_home_is_refused_and_says_why(
    house: House, words: tuple[str, ...]
) -> None:
    before, state = pids(house), house.home.state_file.read_text()
    answer = await asyncio.to_thread(house.cti, *words)
    assert answer.returncode == 1
    assert "already up" in answer.stdout + answer.stderr
    assert pids(house) == before
    assert house.home.state_file.read_text() == state
