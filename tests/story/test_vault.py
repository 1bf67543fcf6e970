"""Encryption at rest: what is sealed opens whole or in part with its ring, and in no other way."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cti.errors import Broken, NotNow
from cti.vault import CHUNK, HEAD, TAG, Ring, Sealed, opened, rewrap, seal


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


def test_a_rotation_wraps_old_recordings_anew_and_the_old_key_may_go(ring: Ring, tmp_path: Path) -> None:
    data = sound(tmp_path / "a.wav", 70_000)
    path = tmp_path / "b.sealed"
    seal(ring, tmp_path / "a.wav", path, {})
    old = ring.newest
    assert ring.rotate() != old
    assert b"".join(Sealed(ring, path).blocks()) == data
    assert rewrap(ring, path)
    assert not rewrap(ring, path)
    assert Sealed(ring, path).ring_key == ring.newest
    assert b"".join(Sealed(Ring(ring.path), path).blocks()) == data


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
