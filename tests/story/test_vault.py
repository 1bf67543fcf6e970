"""Encryption at rest: what is sealed opens whole or in part with its ring, and in no other way."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cti.errors import Broken, NotNow, Refused
from cti.retiring import retired
from cti.ring import Ring
from cti.shelf.folder import FolderShelf
from cti.shelf.rewrapping import rewrapped
from cti.vault import CHUNK, HEAD, TAG, Sealed, opened, rewrap, seal


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    return Ring(tmp_path / "keys" / "ring.json")


def sound(path: Path, size: int) -> bytes:
    data = hashlib.shake_256(b"seed").digest(size)
    path.write_bytes(data)
    return data


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 200_001])
def test_what_was_sealed_opens_whole_and_in_any_part(ring: Ring, tmp_path: Path, size: int) -> None:
    data = sound(tmp_path / "a.wav", size)
    digest = seal(ring, tmp_path / "a.wav", tmp_path / "a.wav.sealed", {"leg": "1"})
    told = Sealed(ring, tmp_path / "a.wav.sealed")
    assert digest == hashlib.sha256(data).hexdigest()
    assert b"".join(told.blocks()) == data
    for offset in (0, 1, CHUNK - 1, CHUNK, size - 1):
        assert told.read(max(0, offset), 1000) == data[max(0, offset) : max(0, offset) + 1000]
    assert told.meta == {"leg": "1"}


def test_the_ring_is_its_owners_alone_and_the_sealed_file_says_nothing(ring: Ring, tmp_path: Path) -> None:
    data = sound(tmp_path / "a.wav", 5000)
    seal(ring, tmp_path / "a.wav", tmp_path / "b.sealed", {})
    assert ring.path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "b.sealed").stat().st_mode & 0o077 == 0
    assert data[:64] not in (tmp_path / "b.sealed").read_bytes()


@pytest.mark.parametrize("at", [HEAD + 10, HEAD + CHUNK + TAG + 5, 30])
def test_one_changed_byte_is_seen(ring: Ring, tmp_path: Path, at: int) -> None:
    sound(tmp_path / "a.wav", 2 * CHUNK)
    path = tmp_path / "b.sealed"
    seal(ring, tmp_path / "a.wav", path, {})
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)
    with pytest.raises((Broken, NotNow)):
        b"".join(Sealed(ring, path).blocks())


def test_a_cut_file_is_seen(ring: Ring, tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", 2 * CHUNK)
    path = tmp_path / "b.sealed"
    seal(ring, tmp_path / "a.wav", path, {})
    path.write_bytes(path.read_bytes()[: HEAD + CHUNK + TAG])
    with pytest.raises(Broken):
        b"".join(Sealed(ring, path).blocks())


def test_a_process_that_runs_on_seals_with_the_key_another_one_made(ring: Ring, tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", 5000)
    made = Ring(ring.path).rotate()
    seal(ring, tmp_path / "a.wav", tmp_path / "b.sealed", {})
    assert Sealed(ring, tmp_path / "b.sealed").ring_key == made


def test_a_ring_that_was_damaged_seals_nothing_and_says_so(ring: Ring, tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", 5000)
    ring.path.write_text("{}")
    with pytest.raises(NotNow, match="cannot be read"):
        seal(ring, tmp_path / "a.wav", tmp_path / "b.sealed", {})
    assert not [p for p in tmp_path.iterdir() if "sealed" in p.name]


class Vault:
    """A recording on disk and the same on a shelf, both under the ring's first key."""

    def __init__(self, ring: Ring, folder: Path) -> None:
        self.ring, self.near, self.first = ring, folder / "near", ring.newest
        self.file = self.near / "20260101" / "demo-n1-1.1" / "n1-1.1.wav.sealed"
        self.file.parent.mkdir(parents=True)
        (folder / "far").mkdir()
        self.shelf = FolderShelf(folder / "far", 5.0)
        self.data = sound(folder / "a.wav", 70_000)
        seal(ring, folder / "a.wav", self.file, {})

    async def carried(self) -> None:
        await self.shelf.put("d/c/n1-1.1.wav.sealed", self.file)

    async def retired(self) -> tuple[str, ...]:
        return await retired(self.ring, self.near, self.shelf)


@pytest.fixture
def vault(ring: Ring, tmp_path: Path) -> Vault:
    return Vault(ring, tmp_path)


async def test_a_rotation_wraps_old_recordings_anew_and_the_old_key_may_go(vault: Vault) -> None:
    await vault.carried()
    assert vault.ring.rotate() != vault.first
    assert b"".join(Sealed(vault.ring, vault.file).blocks()) == vault.data
    assert (rewrap(vault.ring, vault.file), rewrap(vault.ring, vault.file)) == (True, False)
    assert await rewrapped(vault.ring, vault.shelf) == 1
    assert await vault.retired() == (vault.first,)
    left = Ring(vault.ring.path)
    assert (left.older, vault.first in vault.ring.path.read_text()) == ((), False)
    assert b"".join(Sealed(left, vault.file).blocks()) == vault.data
    assert await vault.retired() == ()


async def test_an_old_key_that_a_file_on_disk_or_shelf_needs_does_not_go(vault: Vault) -> None:
    await vault.carried()
    vault.ring.rotate()
    with pytest.raises(Refused, match=r"1 个 on disk, 存储 1 个 on the shelf.*rotate --resume"):
        await vault.retired()
    rewrap(vault.ring, vault.file)
    with pytest.raises(Refused, match="0 个 on disk, 存储 1 个 on the shelf"):
        await vault.retired()
    assert Ring(vault.ring.path).older == (vault.first,)


async def test_a_file_that_does_not_say_its_key_keeps_the_old_ones(vault: Vault) -> None:
    vault.ring.rotate()
    vault.file.write_bytes(b"torn")
    with pytest.raises(Refused, match=r"do not say which key they need.*n1-1\.1\.wav"):
        await vault.retired()
    assert Ring(vault.ring.path).older == (vault.first,)


async def test_with_the_shelf_away_no_key_goes(vault: Vault, tmp_path: Path) -> None:
    vault.ring.rotate()
    rewrap(vault.ring, vault.file)
    (tmp_path / "far").rmdir()
    with pytest.raises(Refused, match="no folder"):
        await vault.retired()
    assert Ring(vault.ring.path).older == (vault.first,)


def test_no_key_goes_under_a_file_that_is_being_written(ring: Ring) -> None:
    other = Ring(ring.path)
    with other.in_use(), pytest.raises(NotNow, match="without a pause"):
        ring.drained(0.0)
    ring.drained(0.0)


def test_another_ring_opens_nothing(ring: Ring, tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", 5000)
    seal(ring, tmp_path / "a.wav", tmp_path / "b.sealed", {})
    with pytest.raises(NotNow, match="put the ring back"):
        Sealed(Ring(tmp_path / "other.json"), tmp_path / "b.sealed")


def test_a_recording_is_read_the_same_way_before_and_after_it_is_sealed(ring: Ring, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    data = sound(path, 5000)
    before = opened(ring, path)
    assert (before.size, before.read(100, 50)) == (5000, data[100:150])
    seal(ring, path, tmp_path / "a.wav.sealed", {})
    path.unlink()
    after = opened(ring, path)
    assert (after.size, after.read(100, 50)) == (5000, data[100:150])
