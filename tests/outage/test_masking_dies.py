"""The service dies or sleeps while sensitive data are said: no pause is forgotten, no key is in vain."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from calls.facts import RecordingPaused
from cti.store.keeping import fact_of
from cti.store.reading import Reader
from lab import ears
from lab.babble import babble_file
from lab.scenario import Lab
from tests.house import House, ports, running
from tests.live.test_recordings import filed, http, rows, samples, until
from tests.outage import hands
from tests.outage.conftest import tidy

LONGEST = 45
"""Seconds until a forgotten pause ends: longer than a service needs to be back, with a colleague joined."""
RATE = 8000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, plans: list[Path]) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("masked")
    (folder / "settings.toml").write_text(f"speech = false\nrecording_mask_seconds = {LONGEST}\n")
    with ports() as base, running(folder, base + 100 * ("CTI_TEST_BASE" in os.environ), plans) as up:
        hands.until_ready(up.home)
        yield up


@pytest_asyncio.fixture
async def city(house: House) -> AsyncIterator[Lab]:
    async with Lab(house.home) as lab:
        yield lab
    await tidy(house)


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("voices")
    return [babble_file(folder, seed, 4.0) for seed in (1, 2, 3)]


def paused_on_disk(house: House, call: str) -> int:
    """How many of the call's recordings the next service will know as paused."""
    facts = (fact_of(record) for record in Reader(house.home.journal).mentioning(call))
    return sum(isinstance(fact, RecordingPaused) for fact in facts)


async def test_a_pause_outlives_a_killed_service_for_its_time_and_for_who_joins(
    house: House, city: Lab, voices: list[Path]
) -> None:
    await city.staffed("1001")
    call = await city.caller("13900000011").dials("12345")
    await city.seat("1001").answers(call, within=20)
    id = await call.id()
    assert (await asyncio.to_thread(http, house, f"/api/calls/{id}/mask", body={"on": True}))[0] == 200
    await until("both paused", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["paused"] * 2)
    # what was heard in the last milliseconds of a life is not on disk yet
    await asyncio.to_thread(hands.until, "both pauses are on disk", lambda: paused_on_disk(house, id) == 2, 5)
    await asyncio.to_thread(hands.kill, house.parts()["service"])
    await asyncio.to_thread(hands.until_ready, house.home)
    await city.seat("1002").comes_back()
    wish = {"kind": "three", "to": "1002"}
    told = await asyncio.to_thread(http, house, "/api/seats/quick/1001/transfer", body=wish)
    assert told[0] == 200, told
    await city.seat("1002").answers(within=15)
    await until("three paused", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["paused"] * 3)
    await city.seat("1002").says(voices[2])
    await call.hears(voices[2], within=20)
    await until(
        "the pause ends by itself",
        lambda: rows(house, id),
        lambda r: [x["state"] for x in r] == ["rolling"] * 3,
        within=LONGEST + 20,
    )
    await call.hangs_up()
    await city.seat("1002").hangs_up()
    found = await filed(house, id, 3)
    joined = next(row for row in found if row["seat"] == "1002")
    raw = http(house, f"/api/recordings/{joined['leg']}/audio?purpose=mask")[1]
    assert not ears.contains(samples(raw), ears.load(voices[2]))


async def test_what_is_said_after_a_key_that_a_frozen_service_hears_late_is_kept_out_of_the_recording(
    house: House, city: Lab, tmp_path: Path
) -> None:
    secret, after, between = (babble_file(tmp_path, seed, 2.0) for seed in (4, 5, 6))
    await city.staffed("1001")
    call = await city.caller("13900000013").dials("12345")
    seat = city.seat("1001")
    await seat.answers(call, within=20)
    await call.talks()
    id = await call.id()
    with hands.frozen(hands.ours(house)):
        await seat.presses("*91")
        await call.says(secret)
    await until("both paused", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["paused"] * 2)
    await seat.presses("*90")
    await until("both go on", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["rolling"] * 2)
    # a second more than from the key until the pause is silent
    await call.says(between)
    await call.says(after)
    await call.hangs_up()
    found = await filed(house, id, 2)
    [mine] = [row for row in found if row["role"] == "caller"]
    heard = samples(http(house, f"/api/recordings/{mine['leg']}/audio?purpose=mask")[1])
    assert ears.contains(heard, ears.load(after)[: int(1.0 * RATE)])
    for begin in (0.0, 1.0):
        part = ears.load(secret)[int(begin * RATE) : int((begin + 1.0) * RATE)]
        assert not ears.contains(heard, part)


async def test_what_the_agent_keys_with_the_service_dead_is_kept_out_of_the_recording(
    house: House, city: Lab, voices: list[Path]
) -> None:
    before, secret, after = voices
    await city.staffed("1001")
    call = await city.caller("13900000012").dials("12345")
    seat = city.seat("1001")
    await seat.answers(call, within=20)
    id = await call.id()

    def keyed(state: str) -> bool:
        lines = house.home.queue_log.read_text().splitlines()
        mine = [line for line in lines if id.partition("-")[2] in line]
        return any("HOTLINEMASK" in line and line.endswith(f"/{state}") for line in mine)

    with hands.without_service(house):
        await call.says(before)
        await seat.hears(before, within=20)
        await seat.presses("*91")
        await asyncio.to_thread(hands.until, "the key is written down", lambda: keyed("on"), 5)
        await call.says(secret)
        await seat.hears(secret, within=20)
        await seat.presses("*90")
        await asyncio.to_thread(hands.until, "its end is written down", lambda: keyed("off"), 5)
        await call.says(after)
        await seat.hears(after, within=20)
        await call.hangs_up()
    found = await filed(house, id, 2)
    for row in found:
        assert len(row["pauses"]) == 1
        assert row["short"] == 0.0
    [mine] = [row for row in found if row["role"] == "caller"]
    heard = samples(http(house, f"/api/recordings/{mine['leg']}/audio?purpose=mask")[1])
    # a second more than was keyed is silent on either side
    assert ears.contains(heard, ears.load(before)[: int(2.5 * RATE)])
    assert ears.contains(heard, ears.load(after)[int(1.5 * RATE) :])
    for begin in (0.0, 1.5):
        part = ears.load(secret)[int(begin * RATE) : int((begin + 2.5) * RATE)]
        assert not ears.contains(heard, part)
