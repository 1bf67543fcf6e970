"""A full disk while people talk: nobody notices, and no recording is silently absent."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.babble import babble_file
from lab.scenario import Lab
from tests.house import House, ports, running
from tests.live.test_recordings import filed, http, rows, until
from tests.outage import hands

DISK_MB = 64


@pytest.fixture
def house_on_a_small_disk(tmp_path_factory: pytest.TempPathFactory, plans: list[Path]) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("small")
    with hands.small_disk(folder, DISK_MB) as small, ports() as base:
        if not small:
            pytest.skip("by design: only root can mount a small disk")
        # the city outside does not live on our disk
        (folder / "lab").symlink_to(tmp_path_factory.mktemp("lab"))
        (folder / "settings.toml").write_text("speech = false\nrecording_seal_after_seconds = 0\n")
        with running(folder, base + 100 * ("CTI_TEST_BASE" in os.environ), plans) as up:
            hands.until_ready(up.home)
            yield up


async def talk(place: Lab, voices: list[Path], number: str) -> str:
    """Citizen and 1001 hear each other; the call's id."""
    call = await place.caller(number).dials("12345").says(voices[0])
    await place.seat("1001").answers(call, say=voices[1], within=20)
    await call.hears(voices[1], within=30)
    await place.seat("1001").hears(voices[0], within=30)
    id = await call.id()
    await call.hangs_up()
    return id


async def test_on_a_full_disk_people_talk_on_and_the_lack_is_told_with_its_reason(
    house_on_a_small_disk: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = house_on_a_small_disk
    voices = [babble_file(tmp_path_factory.mktemp("voices"), seed, 4.0) for seed in (1, 2)]
    async with Lab(house.home) as place:
        await place.staffed("1001")
        before = await talk(place, voices, "13900000001")
        kept = await filed(house, before, 2)
        with hands.full_disk(house, True):
            during = await talk(place, voices, "13900000002")
        after = await talk(place, voices, "13900000003")
    told = await until(
        "each leg has its row",
        lambda: rows(house, during),
        lambda r: len(r) == 2 and {x["state"] for x in r} <= {"missing", "filed"},
        within=60,
    )
    lost = [row for row in told if row["state"] == "missing" or row["short"]]
    assert lost, "a full disk keeps nothing"
    assert all(row["why"] for row in lost if row["state"] == "missing")
    alarms = json.loads(http(house, "/api/recordings/alarms")[1])
    assert {a["leg"] for a in alarms} >= {row["leg"] for row in lost}
    for call in (before, after):
        for row in await filed(house, call, 2):
            status, raw, _ = http(house, f"/api/recordings/{row['leg']}/audio?purpose=after")
            assert (status, hashlib.sha256(raw).hexdigest()) == (200, row["sha256"])
    assert len(kept) == 2
