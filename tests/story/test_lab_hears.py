"""Who waits to hear something is told of what was written in time, however long it takes to find it there."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lab import ears
from lab.babble import babble
from lab.client import Unheard
from lab.ears import Match, Samples
from lab.parties import Phone
from lab.wav import write


class OnThePhone(Phone):
    """Somebody who heard this; no lab is asked."""

    def __init__(self, heard: Path) -> None:
        self.name, self.heard_file = "1001", heard


@pytest.fixture
def heard(tmp_path: Path) -> Path:
    write(tmp_path / "heard.wav", babble(1, 1.0))
    return tmp_path / "heard.wav"


def slow_ears(patch: pytest.MonkeyPatch, *, find: bool) -> None:
    def contains(recording: Samples, needle: Samples) -> Match:
        threading.Event().wait(0.6)
        return Match(find, 0.0, 0.0, 0.0)

    patch.setattr(ears, "contains", contains)


async def test_a_look_that_takes_longer_than_there_is_time_finds_what_was_written_in_time(
    heard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_ears(monkeypatch, find=True)
    assert await OnThePhone(heard).hears(heard, within=0.3)


async def test_what_was_not_written_in_time_is_not_heard(
    heard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_ears(monkeypatch, find=False)
    with pytest.raises(Unheard, match=r"1001 does not hear heard\.wav within 0\.3 s"):
        await OnThePhone(heard).hears(heard, within=0.3)
