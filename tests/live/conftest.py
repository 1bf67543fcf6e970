"""What live tests share: one running hotline for the session, and the city around it for each test."""

from __future__ import annotations

import array
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from lab.babble import babble_file
from lab.scenario import Lab
from lab.wav import RATE, Sound, read, write
from tests.house import ROOT, House, ports, running

AUDIO = Path(os.environ.get("CTI_AUDIO") or ROOT / ".." / "shared" / "audio")
"""Recorded speech for tests, when this machine has some; else voices are made."""


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """``cti up --lab`` with the demo plan."""
    folder = tmp_path_factory.mktemp("home")
    with ports() as base, running(folder, base) as up:
        yield up


@pytest_asyncio.fixture
async def city(house: House) -> AsyncIterator[Lab]:
    """The city, with every phone in the tester's hand. Afterwards the house is empty again."""
    async with Lab(house.home) as lab:
        yield lab
    async with Lab(house.home, by_hand=False) as lab:
        for name, there in (await lab.phones()).items():
            if not there:
                await lab.client.ask("register", phone=name)
        await lab.quiet()


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Six different voices of 4 to 6 s: recorded Mandarin when there is some, else nobody's words."""
    if clips := sorted((AUDIO / "alaw8k").glob("*.wav")):
        return [clip for clip in clips if 3.5 < read(clip).seconds < 6.5][:6]
    folder = tmp_path_factory.mktemp("voices")
    return [babble_file(folder, seed, 4.0 + seed % 3) for seed in range(6)]


@pytest.fixture(scope="session")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wav in which nothing is said."""
    path = tmp_path_factory.mktemp("silence") / "silence.wav"
    write(path, Sound(RATE, array.array("h", bytes(2 * 2 * RATE))))
    return path
