"""What live tests share: one running hotline for the session, and the city around it for each test."""

from __future__ import annotations

import array
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from lab.scenario import Lab
from lab.wav import RATE, Sound, read, write
from tests.house import House, ports, running
from tests.live.speaking import AUDIO


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
def voices() -> list[Path]:
    """Six different voices of 4 to 6 s: recorded Mandarin."""
    return [clip for clip in sorted(AUDIO.glob("aishell*.wav")) if 3.5 < read(clip).seconds < 6.5]


@pytest.fixture(scope="session")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wav in which nothing is said."""
    path = tmp_path_factory.mktemp("silence") / "silence.wav"
    write(path, Sound(RATE, array.array("h", bytes(2 * 2 * RATE))))
    return path
