"""A real call's recording in a bucket only: heard by range, checked, rotated, missed when it is gone."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from cti import vault
from cti.ring import Ring
from lab import ears
from lab.scenario import Lab
from tests.live.bucket_town import BucketTown, bucket_town
from tests.live.test_recordings import CHORUS, http, samples
from tests.outage.conftest import tidy


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketTown]:
    with bucket_town(tmp_path_factory.mktemp("bucket")) as up:
        yield up


@pytest_asyncio.fixture
async def city(town: BucketTown) -> AsyncIterator[Lab]:
    async with Lab(town.home) as lab:
        yield lab
    # phones that are back tell that the lab has undone what this connection began
    await tidy(town.house)


async def call_in_the_bucket(town: BucketTown, city: Lab, voices: list[Path]) -> str:
    """Citizen and 1001 spoke; both recordings are in the bucket and nowhere else."""
    await city.staffed("1001")
    call = await city.caller("13900000007").dials("12345").says(voices[0])
    await city.seat("1001").answers(call, say=voices[1], within=CHORUS)
    await call.hears(voices[1])
    await city.seat("1001").hears(voices[0])
    told = await call.id()
    await call.hangs_up()
    await town.kept(told, "shelf", 2)
    assert town.local(told) == []
    return told


async def test_a_recording_that_is_only_in_the_bucket_is_heard_by_range_as_it_was_said(
    town: BucketTown, city: Lab, voices: list[Path]
) -> None:
    call = await call_in_the_bucket(town, city, voices)
    shelf = town.shelf()
    for row in await town.kept(call, "shelf", 2):
        status, whole = town.audio(row["leg"])
        assert (status, hashlib.sha256(whole).hexdigest()) == (200, row["sha256"])
        mine, other = (voices[0], voices[1]) if row["role"] == "caller" else (voices[1], voices[0])
        assert ears.contains(samples(whole), ears.load(mine))
        assert not ears.contains(samples(whole), ears.load(other))
        for told, part in (
            ("bytes=1000-2999", whole[1000:3000]),
            # over the end of the first chunk
            ("bytes=65000-70000", whole[65000:70001]),
            ("bytes=-500", whole[-500:]),
        ):
            assert town.audio(row["leg"], Range=told) == (206, part)
        peaks = json.loads(http(town.house, f"/api/recordings/{row['leg']}/waveform?points=100")[1])["peaks"]
        assert max(peaks) > 0.05
        # the store itself has never seen a sample
        [name] = [one.name async for one in shelf.every() if f"/{row['leg']}.wav" in one.name]
        raw = await shelf.read(name, 0, await shelf.size(name))
        assert raw.startswith(vault.MAGIC)
        assert whole[1000:1064] not in raw
    mix = http(town.house, f"/api/calls/{call}/mix?purpose=shelf")[1]
    assert len(mix) > 8000
    # nothing was brought back to the disk for that
    assert town.local(call) == []


async def test_check_sees_what_is_in_the_bucket_and_what_is_missing_there(
    town: BucketTown, city: Lab, voices: list[Path], tmp_path: Path
) -> None:
    call = await call_in_the_bucket(town, city, voices)
    found = await town.kept(call, "shelf", 2)
    since = str(min(row["began"] for row in found) - 2)

    async def check(*words: str) -> tuple[int, dict[str, object]]:
        ran = await asyncio.to_thread(
            town.house.cti, "recordings", "check", "--from", since, "--json", *words
        )
        return ran.returncode, json.loads(ran.stdout)

    code, told = await check("--deep")
    assert (code, told["whole"], told["lost"]) == (0, True, [])
    # a call just before ours may be among them
    assert told["carried"] == told["legs"]
    shelf = town.shelf()
    standing = [one.name async for one in shelf.every()]
    names = {row["leg"]: next(n for n in standing if f"/{row['leg']}.wav" in n) for row in found}
    gone, cut = (row["leg"] for row in found)
    await shelf.remove(names[gone])
    short = tmp_path / "short"
    short.write_bytes(await shelf.read(names[cut], 0, 5000))
    await shelf.put(names[cut], short)
    await shelf.put("20200101/demo-n1-1.5/n1-1.5.wav.sealed", short)
    code, told = await check()
    assert code == 1
    lost = told["shelf_lost"]
    assert isinstance(lost, list)
    assert {(x["leg"], x["why"].split()[0]) for x in lost} == {(gone, "no-file"), (cut, "5000")}
    assert told["shelf_orphans"] == ["20200101/demo-n1-1.5/n1-1.5.wav.sealed"]
    # the listener is told, and gets no silence instead
    status, data = town.audio(gone)
    assert (status, b"recordings check" in data) == (503, True)
    await shelf.remove("20200101/demo-n1-1.5/n1-1.5.wav.sealed")


async def test_keys_are_rotated_in_the_bucket_and_the_recording_is_heard_as_before(
    town: BucketTown, city: Lab, voices: list[Path]
) -> None:
    call = await call_in_the_bucket(town, city, voices)
    row = (await town.kept(call, "shelf", 2))[0]
    ran = await asyncio.to_thread(town.house.cti, "recordings", "rotate")
    assert ran.returncode == 0, ran.stderr
    assert "on the shelf" in ran.stdout
    shelf = town.shelf()
    ring = Ring(town.home.recording_keys)
    for name in [one.name async for one in shelf.every() if call in one.name]:
        assert vault.wrapped_with(await shelf.read(name, 0, vault.HEAD), name) == ring.newest
    status, whole = town.audio(row["leg"])
    assert (status, hashlib.sha256(whole).hexdigest()) == (200, row["sha256"])


async def test_an_old_key_goes_only_when_nothing_needs_it_and_every_recording_is_heard_without_it(
    town: BucketTown, city: Lab, voices: list[Path]
) -> None:
    before = await call_in_the_bucket(town, city, voices)
    # a rotation that was stopped: the service knows nothing of it and runs on
    old = Ring(town.home.recording_keys).newest
    new = Ring(town.home.recording_keys).rotate()
    ran = await asyncio.to_thread(town.house.cti, "recordings", "rotate", "--retire")
    assert (ran.returncode, "rotate --resume" in ran.stderr) == (2, True), ran.stderr
    assert f"存储 {len(await named(town))} 个" in ran.stderr
    after = await call_in_the_bucket(town, city, voices)
    assert {key for name, key in (await named(town)).items() if after in name} == {new}
    ran = await asyncio.to_thread(town.house.cti, "recordings", "rotate", "--resume")
    assert ran.returncode == 0, ran.stderr
    ran = await asyncio.to_thread(town.house.cti, "recordings", "rotate", "--retire")
    assert (ran.returncode, old in ran.stdout) == (0, True), ran.stderr
    assert list(json.loads(town.home.recording_keys.read_text())["keys"]) == [new]
    last = await call_in_the_bucket(town, city, voices)
    heard = [row for call in (before, after, last) for row in await town.kept(call, "shelf", 2)]
    assert len(heard) == 6
    for row in heard:
        status, whole = town.audio(row["leg"])
        assert (status, hashlib.sha256(whole).hexdigest()) == (200, row["sha256"])


async def named(town: BucketTown) -> dict[str, str]:
    """Each recording in the bucket, and the key it needs."""
    shelf = town.shelf()
    names = [one.name async for one in shelf.every() if one.name.endswith(vault.SUFFIX)]
    return {name: vault.wrapped_with(await shelf.read(name, 0, vault.HEAD), name) for name in names}


async def test_doctor_tries_the_bucket(town: BucketTown) -> None:
    def checked() -> dict[str, object]:
        told = json.loads(town.house.cti("doctor", "--json").stdout)["checks"]
        return next(dict(c) for c in told if c["name"] == "recording shelf")

    found = await asyncio.to_thread(checked)
    assert found["ok"], found
    keys = town.s3.keys.read_text()
    town.s3.keys.write_text(json.dumps({"access_key": "nobody", "secret_key": "x"}))
    found = await asyncio.to_thread(checked)
    town.s3.keys.write_text(keys)
    assert (found["ok"], "InvalidAccessKeyId" in str(found["detail"])) == (False, True)
    assert "settings.toml" in str(found["remedy"])
