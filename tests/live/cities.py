"""Fixtures: three cities and a county in one `cti up`, as their notices say. Import both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from lab.scenario import Lab
from tests.house import ROOT, House, ports, running

CITIES = ("luan", "ziyang", "guangde", "zezhou")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """``cti up --lab`` with three cities and a county."""
    folder = tmp_path_factory.mktemp("cities")
    with ports() as base, running(folder, base, [ROOT / "plans" / city for city in CITIES]) as up:
        yield up


@pytest_asyncio.fixture
async def city(house: House) -> AsyncIterator[Lab]:
    """The cities with every phone in the tester's hand: they ring, nobody answers."""
    async with Lab(house.home) as lab:
        yield lab
    async with Lab(house.home, by_hand=False) as lab:
        await lab.quiet(within=30)
