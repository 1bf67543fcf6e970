"""A live tap: read as it grows, and given back to the disk when its words are written down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cti.speech.tap import TAP_RATE, Tap

SECONDS = 30


@pytest.fixture
def tap(tmp_path: Path) -> Path:
    """So many seconds of noise, as Asterisk writes them."""
    path = tmp_path / "1.sln48"
    noise = np.random.default_rng(7).integers(-9000, 9000, SECONDS * TAP_RATE, dtype="<i2")
    path.write_bytes(noise.tobytes())
    return path


def read(tap: Tap) -> bytes:
    return b"".join(iter(lambda: tap.read(0.2), b""))


def test_what_was_given_back_takes_no_disk_and_the_rest_reads_as_before(tap: Path) -> None:
    whole = read(Tap(tap))
    later = read(Tap(tap, 20.0))
    size, blocks = tap.stat().st_size, tap.stat().st_blocks
    follower = Tap(tap)
    got = follower.read(25.0)
    follower.give_back(20.0)
    assert tap.stat().st_size == size
    assert tap.stat().st_blocks < blocks / 2
    assert got + read(follower) == whole
    # a process that takes up there hears the same
    assert read(Tap(tap, 20.0)) == later


def test_what_was_not_read_yet_is_never_given_back(tap: Path) -> None:
    whole = read(Tap(tap))
    follower = Tap(tap)
    got = follower.read(5.0)
    follower.give_back(SECONDS)
    assert got + read(follower) == whole


def test_a_tap_that_is_gone_is_no_fault(tap: Path) -> None:
    follower = Tap(tap)
    follower.read(20.0)
    tap.unlink()
    follower.give_back(20.0)
    assert follower.read(1.0) == b""
    assert follower.behind == 0.0
