"""The bucket is absent, frozen, refuses us: callers notice nothing, recordings wait on disk and go later."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from lab.babble import babble_file
from lab.scenario import Lab
from tests.live.bucket_town import BucketTown, bucket_town
from tests.live.test_recordings import http, until
from tests.outage import hands
from tests.outage.conftest import tidy
from tests.outage.test_recording_disk import talk

NOTICED, BACK = 40.0, 90.0
"""Seconds. With nothing to carry the shelf is asked every 15 s, after failures at least every 30 s."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, plans: list[Path]) -> Iterator[BucketTown]:
    with bucket_town(tmp_path_factory.mktemp("bucket"), plans) as up:
        hands.until_ready(up.home)
        yield up


@pytest_asyncio.fixture
async def place(town: BucketTown) -> AsyncIterator[Lab]:
    async with Lab(town.home) as lab:
        yield lab
    await tidy(town.house)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [babble_file(tmp_path_factory.mktemp("voices"), seed, 4.0) for seed in (1, 2)]


@contextlib.contextmanager
def away(town: BucketTown, how: str) -> Iterator[None]:
    if how == "frozen":
        town.s3.tell(signal.SIGSTOP)
        try:
            yield
        finally:
            town.s3.tell(signal.SIGCONT)
    elif how == "absent":
        town.s3.kill()
        try:
            yield
        finally:
            town.s3.start()
    else:
        # other keys are asked for than the hotline was given; it reads the file again when it is refused
        town.s3.kill()
        town.s3.gives = False
        town.s3.start()
        try:
            yield
        finally:
            town.s3.give(town.s3.made)
            town.s3.gives = True


@pytest.mark.parametrize("how", ["absent", "frozen", "refusing"])
async def test_a_bucket_that_is_gone_costs_callers_nothing_and_gets_every_recording_later(
    town: BucketTown, place: Lab, spoken: list[Path], how: str
) -> None:
    await place.staffed("1001")
    with away(town, how):
        call = await talk(place, spoken, "13900000001")
        await town.kept(call, "carrying", 2)
        await asyncio.to_thread(
            hands.until, "the lack is told", lambda: hands.part_ok(town.home, "shelf") is False, NOTICED
        )
        health = await hands.answer(town.home, "/healthz")
        assert health["ready"], "a shelf is not needed for calls"
        assert (town.metric("hotline_shelf_up"), town.metric("hotline_recordings_uncarried")) == (0.0, 2.0)
        alarms = json.loads(http(town.house, "/api/recordings/alarms")[1])
        assert alarms[-1]["why"] == "not-carried"
        # they wait on disk, sealed, and are heard from there
        assert [path.suffix for path in town.local(call)] == [".sealed"] * 2
        for row in await town.kept(call, "carrying", 2):
            status, raw = town.audio(row["leg"])
            assert (status, hashlib.sha256(raw).hexdigest()) == (200, row["sha256"])
    found = await town.kept(call, "shelf", 2, within=BACK)
    assert town.local(call) == []
    for row in found:
        status, raw = town.audio(row["leg"])
        assert (status, hashlib.sha256(raw).hexdigest()) == (200, row["sha256"])
    await until(
        "the shelf is well",
        lambda: (hands.part_ok(town.home, "shelf"), town.metric("hotline_recordings_uncarried")),
        lambda told: told == (True, 0.0),
    )


async def test_a_listener_of_a_recording_in_a_frozen_bucket_is_told_in_time_and_others_are_served(
    town: BucketTown, place: Lab, spoken: list[Path]
) -> None:
    await place.staffed("1001")
    before = await talk(place, spoken, "13900000002")
    far = await town.kept(before, "shelf", 2)
    with away(town, "frozen"):
        asked = [asyncio.to_thread(town.audio, row["leg"]) for row in far * 4]
        listening = asyncio.gather(*asked)
        call = await talk(place, spoken, "13900000003")
        assert {status for status, _ in await listening} == {503}
        for row in await town.kept(call, "carrying", 2):
            assert town.audio(row["leg"])[0] == 200
    await town.kept(call, "shelf", 2, within=BACK)
    assert {town.audio(row["leg"])[0] for row in far} == {200}
