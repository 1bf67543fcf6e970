"""A caller whom a centre handed over is answered by a seat allowed for it, however long that takes:
no other seat rings, and no machine speaks. 六安's plan with a shorter wait."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from lab.scenario import Lab
from tests.house import ROOT, House, ports, running
from tests.live.test_recordings import until
from tests.live.test_waiting import channel_of
from tests.live.waiting_town import in_line

WAIT = 5
"""Seconds of the plan's 120."""
LONGER = 10
"""Of queue utility: twice as long as it takes to dial and be greeted."""
ALLOWED, STRANGER = "1001", "1011"
"""In queue emergency, and in queue general only."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("handed")
    plan = folder / "luan"
    shutil.copytree(ROOT / "plans/luan", plan)
    queues = (plan / "queues.toml").read_text("utf-8")
    assert queues.count("wait_seconds = 120\n") == 2, "of emergency, then of utility"
    for wait in (WAIT, LONGER):
        queues = queues.replace("wait_seconds = 120\n", f"wait_seconds = {wait}\n", 1)
    (plan / "queues.toml").write_text(queues)
    home = folder / "home"
    home.mkdir()
    with ports() as base, running(home, base, [plan]) as up:
        yield up


@pytest_asyncio.fixture
async def city(house: House) -> AsyncIterator[Lab]:
    async with Lab(house.home) as lab:
        yield lab


async def waits_again(city: Lab, call: str, since: int) -> None:
    """Its wait is over, and it waits again."""
    await city.house.event(
        "it waits",
        lambda e: e["Event"] == "QueueCallerJoin" and e.get("AccountCode") == call,
        WAIT + 20,
        since,
    )


async def test_a_seat_that_is_not_allowed_never_rings_for_a_caller_from_110(city: Lab) -> None:
    await city.staffed(STRANGER, city="luan")
    since, rung = len(city.house.events), city.client.count
    handed = await city.caller("110", "luan").dials("12345", hear=False, trunk="police")
    id = await handed.id()
    for _ in range(3):
        await waits_again(city, id, since)
        since = len(city.house.events)
    joined = [
        e["Queue"]
        for e in city.house.events
        if e["Event"] == "QueueCallerJoin" and e.get("AccountCode") == id
    ]
    assert set(joined) == {"luan-emergency"}
    await city.seat(ALLOWED, city="luan").comes_back()
    await city.seat(ALLOWED, city="luan").rings(within=20, call=handed)
    since = len(city.house.events)
    rings = {line["phone"] for line in city.client.lines(rung) if line["what"] == "rings"}
    assert rings == {f"luan-{ALLOWED}"}
    # the other one would have: it is there, and rings for everybody else
    # the end of its wait ends a ring: who picks up just then has nobody
    await waits_again(city, id, since)
    await city.seat(ALLOWED, city="luan").answers(handed)
    other = await city.caller("13900000081", "luan").dials("12345", hear=False)
    await city.seat(STRANGER, city="luan").rings(within=30, call=other)
    await other.hangs_up()
    await handed.hangs_up()


async def test_a_caller_of_a_centre_who_waits_on_keeps_the_place_before_one_who_came_later(
    house: House, city: Lab
) -> None:
    await city.staffed(STRANGER, city="luan")
    calls = []
    for _ in range(2):
        calls.append(await city.caller("13900000082", "luan").dials("1234571", hear=False))
        await calls[-1].waits_in("utility", within=LONGER)
    both = [await channel_of(house, await call.id()) for call in calls]
    # the first one's wait is over, and it joins again while the second one waits
    await waits_again(city, await calls[0].id(), len(city.house.events))
    line = await until("both wait", lambda: in_line(house, "utility", "luan"), lambda found: len(found) == 2)
    assert line == both
    for call in calls:
        await call.hangs_up()
