"""The shelf's contract, kept by a folder and by a bucket of a real S3 server alike."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.errors import Refused
from cti.home import Home
from cti.settings import Settings
from cti.shelf.chosen import Chosen
from cti.shelf.port import Absent, Away, Shelf
from cti.shelf.trial import tried
from tests.house import ports
from tests.live import servers

LONG = 11 << 20
"""Bytes of a file that goes in three parts."""


@pytest.fixture(scope="module")
def s3() -> Iterator[servers.S3]:
    with ports() as base, servers.s3(base) as server:
        yield server


def bucket(s3: servers.S3, home: Path, **changes: object) -> Chosen:
    told = s3.settings(prefix=home.name) | changes
    return Chosen(Home(home), Settings(**told))


@pytest.fixture(params=["folder", "bucket"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "bucket":
        return bucket(request.getfixturevalue("s3"), tmp_path)()
    (tmp_path / "far").mkdir()
    return Chosen(Home(tmp_path), Settings(recording_shelf=f"file://{tmp_path}/far"))()


def file(folder: Path, data: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(data)
    return path


async def all_names(shelf: Shelf) -> dict[str, int]:
    return {one.name: one.size async for one in shelf.every()}


async def test_what_is_put_is_read_back_at_any_place(shelf: Shelf, tmp_path: Path) -> None:
    data = bytes(range(256)) * 40
    await shelf.put("20260101/demo-n1-1.1/n1-1.1.wav.sealed", file(tmp_path, data))
    name = "20260101/demo-n1-1.1/n1-1.1.wav.sealed"
    assert await shelf.size(name) == len(data)
    for offset, length in ((0, len(data)), (0, 1), (5000, 700), (len(data) - 3, 3), (7, 0)):
        assert await shelf.read(name, offset, length) == data[offset : offset + length]


async def test_a_long_file_comes_back_whole(shelf: Shelf, tmp_path: Path) -> None:
    data = bytes(range(251)) * (LONG // 251)
    await shelf.put("long", file(tmp_path, data))
    assert await shelf.size("long") == len(data)
    assert await shelf.read("long", LONG // 2, 4096) == data[LONG // 2 : LONG // 2 + 4096]


async def test_a_name_put_again_holds_the_new_file(shelf: Shelf, tmp_path: Path) -> None:
    await shelf.put("a/b", file(tmp_path, b"the first, longer"))
    await shelf.put("a/b", file(tmp_path, b"the second"))
    assert await shelf.read("a/b", 0, 10) == b"the second"
    assert await all_names(shelf) == {"a/b": 10}


async def test_what_is_not_there_is_absent_and_not_a_failure_of_the_shelf(shelf: Shelf) -> None:
    await shelf.look()
    with pytest.raises(Absent):
        await shelf.size("nobody")
    with pytest.raises(Absent):
        await shelf.read("nobody", 0, 1)


async def test_a_removed_name_is_gone_and_removing_it_again_is_no_error(shelf: Shelf, tmp_path: Path) -> None:
    await shelf.put("d/a", file(tmp_path, b"1"))
    await shelf.put("d/b", file(tmp_path, b"2"))
    await shelf.remove("d/a")
    await shelf.remove("d/a")
    assert await all_names(shelf) == {"d/b": 1}


async def test_a_stretch_beyond_the_end_is_never_a_short_answer(shelf: Shelf, tmp_path: Path) -> None:
    await shelf.put("short", file(tmp_path, b"12345"))
    with pytest.raises(Away):
        await shelf.read("short", 3, 10)


async def test_the_doctors_trial_leaves_nothing_behind(shelf: Shelf) -> None:
    assert shelf.where in await tried(shelf)
    assert await all_names(shelf) == {}


async def test_a_folder_that_is_not_mounted_is_refused_and_never_made(tmp_path: Path) -> None:
    shelf = Chosen(Home(tmp_path), Settings(recording_shelf=f"file://{tmp_path}/nowhere"))()
    with pytest.raises(Refused, match="mount it"):
        await shelf.put("a", file(tmp_path, b"1"))
    assert not (tmp_path / "nowhere").exists()


async def test_a_bucket_that_is_not_there_is_told_as_such(s3: servers.S3, tmp_path: Path) -> None:
    shelf = bucket(s3, tmp_path, recording_shelf="s3://nobodys/x")()
    for asked in (shelf.look(), shelf.put("a", file(tmp_path, b"1")), shelf.remove("a")):
        with pytest.raises(Refused, match="NoSuchBucket"):
            await asked


async def test_wrong_keys_are_refused_with_the_servers_reason(s3: servers.S3, tmp_path: Path) -> None:
    keys = tmp_path / "wrong.json"
    keys.write_text('{"access_key": "nobody", "secret_key": "nothing"}')
    keys.chmod(0o600)
    shelf = bucket(s3, tmp_path, recording_shelf_keys=str(keys))()
    for asked in (shelf.look(), shelf.put("a", file(tmp_path, b"1")), shelf.remove("a")):
        with pytest.raises(Refused, match="InvalidAccessKeyId"):
            await asked


async def test_a_frozen_or_absent_server_is_away_in_time_and_takes_the_same_file_afterwards(
    s3: servers.S3, tmp_path: Path
) -> None:
    told = bucket(s3, tmp_path, recording_shelf_seconds=1.0)
    data = file(tmp_path, b"x" * 300_000)
    s3.tell(signal.SIGSTOP)
    try:
        for asked in (told().put("a", data), told().size("a"), told().look()):
            with pytest.raises(Away):
                await asked
    finally:
        s3.kill()
    with pytest.raises(Away):
        await told().put("a", data)
    s3.start()
    # a server that comes back has given us new keys
    told.again()
    await told().put("a", data)
    assert await told().size("a") == 300_000
