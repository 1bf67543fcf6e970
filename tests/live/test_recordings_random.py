"""Random calls, random transfers and hang-ups, a service that dies: every second of talk recorded once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Iterator

import pytest

from lab.client import Client
from lab.mixed import Mixed, Tally
from tests.house import House, ports, running
from tests.live.mixed_plan import mixed_plan

FEW, MANY = 16, 500
SEED = int(os.environ.get("CTI_MIXED_SEED", "20261121"))
MOVE_EVERY = (0.8, 2.5)
"""Seconds between one caller being sent to another seat and the next."""

pytestmark = pytest.mark.timeout(3000)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A hotline of its own: short voices, short rings; recordings are sealed at once."""
    folder, home = tmp_path_factory.mktemp("plan"), tmp_path_factory.mktemp("home")
    (home / "settings.toml").write_text("recording_seal_after_seconds = 0\nspeech = false\n")
    plan = mixed_plan(folder)
    with ports() as base, running(home, base, [plan]) as up:
        yield up


async def _moves(house: House, client: Client) -> int:
    """Blind transfers: callers who talk are sent to another seat, as a phone's REFER does it. How many."""
    chance = random.Random(f"{SEED}/moves")
    city = str(house.home.cities()[0])
    seats = sorted(p.removeprefix(f"{city}-") for p in (await client.ask("status"))["phones"])
    moved = 0
    try:
        while True:
            await asyncio.sleep(chance.uniform(*MOVE_EVERY))
            shown = await asyncio.to_thread(house.asterisk_cli, "core show channels concise")
            talking = [
                line.split("!")[0]
                for line in shown.splitlines()
                if "!Up!Queue!" in line and line.split("!")[-2:] and "-queue-" in line.split("!")[1]
            ]
            if talking:
                to = f"{chance.choice(talking)} {city}-seats,{chance.choice(seats)},1"
                await asyncio.to_thread(house.asterisk_cli, f"channel redirect {to}")
                moved += 1
    except asyncio.CancelledError:
        return moved


@pytest.fixture(scope="module")
def night(town: House, full_size: bool) -> tuple[Tally, int, float]:
    """The calls; how many were moved; when they began."""
    calls = MANY if full_size else FEW
    killed: list[float] = []

    def progress(tally: Tally) -> None:
        if tally.over >= calls // 2 and not killed:
            # what ends while nobody listens is found on disk
            town.parts()["service"].signal(signal.SIGKILL)
            killed.append(time.time())

    async def made() -> tuple[Tally, int]:
        async with Client(town.home) as client:
            moving = asyncio.create_task(_moves(town, client))
            tally = await Mixed(client, calls, 1.0, SEED, progress).run()
            moving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                return tally, await moving
            return tally, 0

    began = time.time() - 1
    tally, moved = asyncio.run(made())
    return tally, moved, began


def _checked(town: House, began: float) -> dict[str, object]:
    done = town.cti("recordings", "check", "--from", str(began), "--deep", "--json", timeout=120)
    assert done.stdout, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_every_second_of_talk_is_in_exactly_one_filed_recording(
    town: House, night: tuple[Tally, int, float]
) -> None:
    tally, moved, began = night
    assert tally.reached > 2
    assert moved > 0
    end = time.monotonic() + 90
    told = _checked(town, began)
    # the last files are put away, and what the dead service missed is found
    while not told["whole"] and time.monotonic() < end:
        time.sleep(2.0)
        told = _checked(town, began)
    print(json.dumps({**told, "made": tally.made, "reached": tally.reached, "moved": moved}))
    assert told["whole"], json.dumps(told, indent=1)
    assert float(str(told["talk"])) > 5


def test_nothing_of_it_lies_open_on_the_disk(town: House, night: tuple[Tally, int, float]) -> None:
    end = time.monotonic() + 30
    while (left := list(town.home.recordings.rglob("*.wav"))) and time.monotonic() < end:
        time.sleep(0.5)
    assert [p.name for p in left if p.name != "message.wav"] == []
    assert list(town.home.recordings.rglob("*.wav.sealed"))
