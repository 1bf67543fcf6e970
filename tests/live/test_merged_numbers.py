"""六安's annex, dialled: every number by its own called number, by Diversion and by History-Info, before and
after the dates the notice sets. What is expected is written here from the notice, not from the plan."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date

import pytest
import pytest_asyncio

from lab.clock import today_is
from lab.scenario import Lab
from tests.house import ROOT, House, ports, running
from tests.live.dialled import Dialled, Place, wrong

WAYS = ("own", "diversion", "history")
ANNOUNCED = Place("main", "announced", "general")
SILENT = Place("main", "silent", "general")
CLOSED = Place("", "closed", "left by system")

WHOLE = ("12336", "12312", "12356", "96119", "12349")
"""Annex 1: 整体并入, §二(一)1 until the end of November 2021; cancelled when the transition ends."""
DUAL = {
    "12329": "fund", "12320": "health", "12315": "market", "12350": "safety", "12385": "disabled",
    "12318": "culture", "12369": "environment", "12328": "transport", "12319": "urban",
}  # fmt: skip
"""Annex 2: 双号并行, §二(一)2 until the end of December 2021: own greeting, own seats first."""
CENTRES = ("110", "120", "119", "122")
"""Annex 3: 双向联动, §二(一)3 until the end of December 2021."""

BEFORE, BETWEEN, AFTER = date(2021, 11, 30), date(2021, 12, 1), date(2022, 1, 1)
"""The last day before 1 December, that day, and the first of January: each date at its edge."""


def annex(day: date) -> Iterator[Dialled]:
    """Every number of the annex and what the notice says of it on a day."""
    whole = ANNOUNCED if day < BETWEEN else SILENT if day < AFTER else CLOSED
    places = dict.fromkeys(WHOLE, whole)
    for number, queue in DUAL.items():
        places[number] = Place(number, "own", queue) if day >= AFTER else ANNOUNCED
    places["12333"] = Place("12333", "own", "labour") if day >= AFTER else SILENT
    for centre in CENTRES:
        places[centre] = Place("emergency", "own", "emergency") if day >= AFTER else SILENT
    for number, place in places.items():
        for way in WAYS:
            yield Dialled(number, way, place, number)
    yield Dialled("12345", "own", Place("main", "", "general"), "12345")
    # numbers the annex leaves open: the carrier delivers a distinct called number
    yield Dialled("1234580", "own", whole, "1234580")
    for number in ("1234571", "1234572", "1234573"):
        place = Place("utility", "own", "utility") if day >= AFTER else SILENT
        yield Dialled(number, "own", place, number)
    for centre in CENTRES:
        place = Place("emergency", "own", "emergency") if day >= AFTER else SILENT
        yield Dialled(f"12345{centre}", "own", place, centre)


@pytest.fixture(scope="module")
def luan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """``cti up --lab`` with 六安's plan."""
    folder = tmp_path_factory.mktemp("luan")
    with ports() as base, running(folder, base, (ROOT / "plans/luan",)) as up:
        yield up


@pytest_asyncio.fixture
async def city(luan: House) -> AsyncIterator[Lab]:
    """The city with every phone in the tester's hand: they ring, nobody answers."""
    async with Lab(luan.home) as lab:
        yield lab
    async with Lab(luan.home, by_hand=False) as lab:
        await lab.quiet(within=30)


@pytest.mark.parametrize("day", [BEFORE, BETWEEN, AFTER], ids=str)
async def test_every_number_of_the_annex_reaches_what_the_notice_says_on_that_day(
    luan: House, city: Lab, day: date
) -> None:
    hour = 23 if day == BEFORE else 0
    async with today_is(luan.home, day, hour=hour):
        assert await wrong(city, annex(day)) == []
