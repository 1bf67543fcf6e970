"""A disk runs full while people talk: nobody notices, a reserve keeps recordings, none is silently absent."""

from __future__ import annotations

import asyncio
import contextlib
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

DISK_MB = 128
"""A tenth of it is the reserve, a twentieth is little."""
MB = 1 << 20


@pytest.fixture(scope="module")
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


@contextlib.contextmanager
def others_take_all_but(house: House, megabytes: int) -> Iterator[None]:
    """Somebody else's file grows until so little is left."""
    other = house.home.root / "others"
    disk = os.statvfs(house.home.root)
    with other.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - megabytes * MB)
    try:
        yield
    finally:
        other.unlink()


async def told(house: House, what: str, within: float = 20.0) -> None:
    """Wait until /healthz says so of the recordings."""

    def text() -> str:
        found = hands.get(house.home, "/healthz")
        return "" if found is None else str(found["parts"]["recordings"]["text"])

    await until(f"/healthz tells: {what}", text, lambda said: what in said, within)


async def whole(house: House, call: str) -> None:
    """Both recordings are there, and as they were written."""
    for row in await filed(house, call, 2):
        status, raw, _ = http(house, f"/api/recordings/{row['leg']}/audio?purpose=whole")
        assert (status, hashlib.sha256(raw).hexdigest()) == (200, row["sha256"])
        assert row["short"] == 0.0


async def test_a_disk_runs_full_and_no_recording_is_lost_until_the_reserve_is_used_up_too(
    house_on_a_small_disk: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = house_on_a_small_disk
    reserve = house.home.recordings / ".reserve"
    voices = [babble_file(tmp_path_factory.mktemp("voices"), seed, 4.0) for seed in (1, 2)]
    async with Lab(house.home) as place:
        await place.staffed("1001")
        before = await talk(place, voices, "13900000001")
        assert reserve.exists()
        call = await place.caller("13900000002").dials("12345").says(voices[0])
        await place.seat("1001").answers(call, say=voices[1], within=20)
        during = await call.id()
        with others_take_all_but(house, 2):
            await told(house, "the reserve is given up")
            assert not reserve.exists()
            await call.hears(voices[1], within=30)
            await place.seat("1001").hears(voices[0], within=30)
            await call.hangs_up()
            on_the_reserve = await talk(place, voices, "13900000003")
            for one in (before, during, on_the_reserve):
                await whole(house, one)
            with hands.full_disk(house, True):
                lost = await talk(place, voices, "13900000004")
                await asyncio.to_thread(
                    hands.until, "it is told", lambda: hands.part_ok(house.home, "recordings") is False, 10
                )
        await until("there is a reserve again", reserve.exists, bool)
        await told(house, "missing since the start")
        after = await talk(place, voices, "13900000005")
    found = await until(
        "each leg has its row",
        lambda: rows(house, lost),
        lambda r: len(r) == 2 and {x["state"] for x in r} <= {"missing", "filed"},
        within=60,
    )
    bad = [row for row in found if row["state"] == "missing" or row["short"]]
    assert bad, "a full disk keeps nothing"
    assert all(row["why"] for row in bad if row["state"] == "missing")
    alarms = json.loads(http(house, "/api/recordings/alarms")[1])
    assert {a["leg"] for a in alarms} == {row["leg"] for row in bad}, "and nobody else's is lost"
    for one in (before, during, on_the_reserve, after):
        await whole(house, one)


async def test_a_dead_services_reserve_is_given_up_by_the_next_one_and_calls_are_served_meanwhile(
    house_on_a_small_disk: House,
) -> None:
    house = house_on_a_small_disk
    reserve = house.home.recordings / ".reserve"
    async with Lab(house.home) as place:
        await place.staffed("1001")
        await place.seat("1001").will_answer()
        await until("there is a reserve", reserve.exists, bool)
        with contextlib.ExitStack() as others:
            with hands.frozen([hands.supervisor(house.home)]):
                hands.kill(house.parts()["service"])
                others.enter_context(others_take_all_but(house, 2))
                call = await place.caller("13900000006").dials("12345")
                await call.reaches()
                await call.hangs_up()
                assert reserve.exists()
            # a whole start of a service, on a disk that is nearly full
            await told(house, "the reserve is given up", within=60)
            assert not reserve.exists()
        await until("there is a reserve again", reserve.exists, bool)
        await asyncio.to_thread(hands.until_ready, house.home)
