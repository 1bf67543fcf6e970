"""Call-back in queue on the real Asterisk: offered, confirmed, the place kept, agent first, counted once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from lab.client import Unheard
from lab.parties import Call
from lab.scenario import Lab
from tests.house import House, house_with, stopped_service
from tests.live.leaving_town import owed
from tests.live.test_recordings import until
from tests.live.waiting_town import (
    AGAIN_AFTER,
    GREETED,
    busy_with,
    call_back_is,
    hears_prompt,
    in_line,
    kept,
    outside_behaves,
    outside_rings,
    row,
    takes_call_back,
    takes_confirmed,
    truth,
    waiting_plan,
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("back")
    with house_with(folder, waiting_plan(folder)) as up:
        yield up


async def test_a_caller_is_called_back_in_the_place_they_had_agent_first(house: House, city: Lab) -> None:
    began = time.time()
    citizen = "13900000041"
    await outside_behaves(city, citizen, "answer")
    await city.staffed("1001")
    talking = await busy_with(city)
    call = await city.caller(citizen).dials("12345")
    await call.waits_in("general", within=GREETED)
    behind = await city.caller("13900000042").dials("12345")
    await behind.waits_in("general", within=GREETED)
    await hears_prompt(call, "callback-offer", within=20)
    await takes_call_back(call)
    await call_back_is(call, "standing")
    await hears_prompt(call, "callback-confirmed", within=20)
    assert (await call.ends())["by"] == "far"
    # whoever came later still stands behind
    line = in_line(house)
    assert len(line) == 2
    assert line[0].startswith("Local/")

    since = city.client.count
    seat = city.seat("1001")
    await seat.will_ring()
    await talking.hangs_up()
    # the plan hides the numbers of calls back from agents
    assert (await seat.rings(within=10, still=True))["caller"] == "12345"
    # nobody calls the citizen before an agent is there
    with pytest.raises(Unheard):
        await outside_rings(city, citizen, within=2, since=since)
    await seat.answers()
    rang = await outside_rings(city, citizen, since=since)
    assert rang["caller"] == "12345"
    await call_back_is(call, "talking")
    await seat.hangs_up()
    await call_back_is(call, "done")
    await seat.answers(behind, within=10)
    await behind.talks()
    await behind.hangs_up()

    promised = await call.id()
    back = await kept(house, promised)
    first = await asyncio.to_thread(row, house, promised)
    assert (first["answered"], first["left_by"], first["owed"]) == (None, "system", True)
    assert (back["caller"], back["first_seat"]) == (citizen, "1001")
    told = truth(house, began)
    assert told["differences"] == []
    # three citizens called; two were answered, the third was called back, which is no answer
    assert told["connect_rate"] == pytest.approx(2 / 3)
    assert promised not in owed(house)


async def test_a_caller_who_does_not_confirm_waits_on_in_the_same_place(house: House, city: Lab) -> None:
    await city.staffed("1001")
    talking = await busy_with(city)
    call = await city.caller("13900000043").dials("12345")
    await call.waits_in("general", within=GREETED)
    behind = await city.caller("13900000044").dials("12345")
    await behind.waits_in("general", within=GREETED)
    mine = in_line(house)[0]
    since = len(city.house.events)
    await call.presses("1")
    await hears_prompt(call, "callback-failed", within=60)
    await call.waits_in("general", since=since)
    assert in_line(house)[0] == mine
    for one in (call, behind, talking):
        await one.hangs_up()


async def is_called_back(city: Lab, call: Call, citizen: str, since: int, *, once_over: Call) -> None:
    """The agent's talk is over: their phone rings, then the citizen's, and the call back is made."""
    seat = city.seat("1001")
    await seat.will_ring()
    await once_over.hangs_up()
    await seat.answers(within=15)
    await outside_rings(city, citizen, within=25, since=since)
    await call_back_is(call, "talking")
    await seat.hangs_up()
    await call_back_is(call, "done")


async def test_a_withheld_number_is_keyed_read_out_and_called(house: House, city: Lab) -> None:
    citizen = "05552234567"
    await outside_behaves(city, citizen, "answer")
    await city.staffed("1001")
    talking = await busy_with(city)
    call = await city.caller("").dials("12345")
    await call.waits_in("general", within=GREETED)
    await call.presses("1")
    await hears_prompt(call, "callback-enter", within=20)
    since = city.client.count
    await call.presses(citizen + "#")
    await hears_prompt(call, "callback-confirm", within=25)
    await call.presses("1")
    await call_back_is(call, "standing")
    await is_called_back(city, call, citizen, since, once_over=talking)


async def test_a_number_no_agent_may_call_is_refused_and_the_caller_keeps_the_own_one(
    house: House, city: Lab
) -> None:
    premium, citizen = "16812345", "13900000045"
    await outside_behaves(city, citizen, "answer")
    await outside_behaves(city, premium, "answer")
    await city.staffed("1001")
    talking = await busy_with(city)
    call = await city.caller(citizen).dials("12345")
    await call.waits_in("general", within=GREETED)
    since = city.client.count
    # the service is no part of it
    async with stopped_service(house):
        await call.presses("1")
        await hears_prompt(call, "callback-confirm")
        await call.presses("2")
        await hears_prompt(call, "callback-enter")
        await call.presses(premium + "#")
        await hears_prompt(call, "seat-out-refused")
        await hears_prompt(call, "callback-number")
        so_far = len(call.recording())
        await call.presses("1")
        await hears_prompt(call, "callback-confirm", since=so_far)
        await takes_confirmed(call)
        await is_called_back(city, call, citizen, since, once_over=talking)
    with pytest.raises(Unheard):
        await outside_rings(city, premium, within=1, since=since)


async def test_a_citizen_who_does_not_answer_is_tried_again_and_then_left_to_a_person(
    house: House, city: Lab
) -> None:
    began = time.time()
    citizen = "13900000046"
    await outside_behaves(city, citizen, "busy")
    await city.staffed("1001")
    talking = await busy_with(city)
    call = await city.caller(citizen).dials("12345")
    await call.waits_in("general", within=GREETED)
    await takes_call_back(call)
    await call.ends(within=20)
    await talking.hangs_up()
    await call_back_is(call, "resting", within=30)
    await call_back_is(call, "given-up", within=AGAIN_AFTER + 40)
    id = await call.id()
    # Asterisk gave it up; the service hears of it, and history of the service
    await until("it is owed", lambda: owed(house), lambda told: id in told)
    told = truth(house, began)
    assert told["differences"] == []
