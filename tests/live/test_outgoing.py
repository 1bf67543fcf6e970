"""Calls to citizens on the real Asterisk: as 12345, heard both ways, hidden, refused, told, recorded, counted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.scenario import Lab
from tests.house import House, ports, running
from tests.live.seat_town import plan_at, seat_is, told
from tests.live.transfer_town import centre

CITIZEN = "13900000061"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("out")
    home = folder / "home"
    home.mkdir()
    with ports() as base, running(home, base, [plan_at(folder)]) as up:
        yield up


async def test_an_agent_dials_and_the_citizen_sees_12345(house: House, city: Lab, voices: list[Path]) -> None:
    await city.staffed("1001")
    citizen = centre(city, CITIZEN)
    await citizen.will_ring()
    seat = city.seat("1001")
    dialling = asyncio.create_task(seat.dials("9" + CITIZEN, within=20))
    rang = await citizen.rings(within=10)
    assert rang["caller"] == "12345"
    await citizen.answers()
    await dialling
    await told(city, "greeted")
    await seat_is(house.home, "1001", state="busy")
    await asyncio.gather(seat.says(voices[0]), citizen.says(voices[1]))
    await seat.hears(voices[1])
    await citizen.hears(voices[0])
    await citizen.hangs_up()
    await seat.ends()
    print(house.cti("calls", "--past", "3", "--json").stdout)
    print(house.cti("story", "last").stdout)
    print(house.cti("truth", "--from", "-1h", "--to", "now").stdout)
    print((house.home.cdr).read_text())
    assert 0
