"""A promised call back outlives its supporting cast: service dead or killed, Asterisk killed."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator

import pytest

from lab.parties import Call
from lab.scenario import Lab
from lab.wire import Event
from tests.house import House, house_with, stopped_service
from tests.live.waiting_town import (
    GREETED,
    busy_with,
    call_back_is,
    kept,
    outside_behaves,
    outside_rings,
    takes_call_back,
    truth,
    waiting_plan,
)
from tests.outage.hands import until
from tests.outage.test_asterisk_dies import kept as on_disk

BACK = 40.0
"""Seconds a killed part has to be back and linked, and the caller to be rung."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("survives")
    with house_with(folder, waiting_plan(folder)) as up:
        yield up


async def promised(city: Lab, citizen: str) -> tuple[Call, Call]:
    """A caller who was promised a call back, and the one who keeps seat 1001 busy."""
    await outside_behaves(city, citizen, "answer")
    await city.staffed("1001")
    talking = await busy_with(city)
    call = await city.caller(citizen).dials("12345")
    await call.waits_in("general", within=GREETED)
    await takes_call_back(call)
    return call, talking


async def talks(city: Lab, citizen: str, since: int, call: Call) -> None:
    """Seat 1001 answers what rings, the citizen is rung and answers, the agent ends it."""
    seat = city.seat("1001")
    await seat.answers(within=BACK)
    await outside_rings(city, citizen, within=BACK, since=since)
    await call_back_is(call, "talking")
    await seat.hangs_up()
    await call_back_is(call, "done")


async def test_with_the_service_dead_from_the_promise_to_the_call_back_it_is_kept_and_counted(
    house: House, city: Lab
) -> None:
    began = time.time()
    citizen = "13900000051"
    await outside_behaves(city, citizen, "answer")
    await city.staffed("1001")
    async with stopped_service(house):
        call, talking = await promised(city, citizen)
        since = city.client.count
        await city.seat("1001").will_ring()
        await talking.hangs_up()
        await talks(city, citizen, since, call)
    await kept(house, await call.id(), within=BACK)
    await settled(house, began)


async def test_a_service_killed_between_promise_and_call_back_loses_nothing(house: House, city: Lab) -> None:
    began = time.time()
    citizen = "13900000052"
    call, talking = await promised(city, citizen)
    house.parts()["service"].signal(signal.SIGKILL)
    since = city.client.count
    await city.seat("1001").will_ring()
    await talking.hangs_up()
    await talks(city, citizen, since, call)
    await kept(house, await call.id(), within=BACK)
    await settled(house, began)


async def test_an_asterisk_killed_between_promise_and_call_back_loses_nothing(
    house: House, city: Lab
) -> None:
    citizen = "13900000053"
    call, _ = await promised(city, citizen)
    id = await call.id()
    # else it answers before there is a test that could see it
    await city.seat("1001").will_ring()
    # what Asterisk tells in the last milliseconds of its life nobody hears, and its memory is a second behind
    await asyncio.to_thread(until, "the promise is on disk", lambda: on_disk(house, f"%/{id}"), 10)
    house.parts()["asterisk"].signal(signal.SIGKILL)
    await gone(house)
    await house.answers_again(BACK)
    # the observer's link died with it
    async with Lab(house.home) as again:
        await outside_behaves(again, citizen, "answer")
        await again.staffed("1001", within=BACK)
        seat = again.seat("1001")
        await seat.answers(within=BACK)
        await outside_rings(again, citizen, within=BACK)
        await again.house.event("the citizen is talked to", lambda e: _record(e, id) == "talking", BACK)
        await seat.hangs_up()
    back = await kept(house, id, within=BACK)
    assert back["caller"] == citizen


def _record(event: Event, id: str) -> str:
    """The state in a word of the dialplan on this call back."""
    return event.get("Record", "").split("/")[-2:][0] if event.get("Call") == id else ""


async def gone(house: House) -> None:
    """The Asterisk that was killed is no more."""
    async with asyncio.timeout(BACK):
        while "asterisk" in house.parts():  # noqa: ASYNC110  # another process: that it is gone shows only in its pid file
            await asyncio.sleep(0.02)


async def settled(house: House, since: float) -> None:
    """`cti truth` finds no difference, once what Asterisk wrote meanwhile has been put right."""
    differences = []
    for _ in range(4):
        differences = truth(house, since)["differences"]
        if not differences:
            return
        await asyncio.sleep(0.5)
    raise AssertionError(differences)
