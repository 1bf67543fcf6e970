"""Where a plan hides numbers always, nobody sees one on phone or screen who did not ask for it; and where its
first trunk is dead, the next one is taken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import aiohttp
import pytest

from cti import doctor
from cti.settings import Settings
from cti.web.who import Role
from lab.scenario import Lab
from tests.house import House, ports, running
from tests.live.desk_town import Person, account, person, screen
from tests.live.outgoing_town import CITIZEN, citizen_at, outgoing_plan, wire_of
from tests.live.seat_town import seat_is
from tests.live.test_recordings import until
from tests.live.transfer_town import centre


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("hidden")
    home = folder / "home"
    home.mkdir()
    plan = outgoing_plan(folder, hide_numbers='"always"', reveal='"agent"', trunks='["dead", "carrier"]')
    with (plan / "trunks.toml").open("a", encoding="utf-8") as file:
        # the discard port: nobody answers there
        file.write('\n[dead]\nhosts = ["192.0.2.99"]\nout = "127.0.0.1:9"\n')
    with ports() as base, running(home, base, [plan]) as up:
        account(up.home, "chief", Role.SUPERVISOR)
        account(up.home, "zhang", Role.AGENT, agent="8001")
        yield up


async def test_a_dead_trunk_is_skipped_at_once_and_doctor_names_it(house: House, city: Lab) -> None:
    await city.staffed("1001")
    await seat_is(house.home, "1001", state="ready", agent="8001", device="not_inuse")
    citizen, seat = await citizen_at(city), city.seat("1001")
    # asked every 2 s, waited for for 1 s: in the first 3 s of an Asterisk nobody knows it yet
    await until(
        "Asterisk knows that nobody is there",
        lambda: house.asterisk_cli("pjsip show contacts"),
        lambda told: any("demo-dead/" in line and "Unavail" in line for line in told.splitlines()),
    )
    trunks = {
        check.name: (check.ok, check.detail)
        for check in await doctor.instance_checks(house.home, Settings())
        if check.name.startswith("trunk ")
    }
    assert trunks["trunk demo dead"] == (False, "sip:127.0.0.1:9 Unreachable")
    assert trunks["trunk demo carrier"][0]
    dialling = asyncio.create_task(seat.dials("9" + CITIZEN, within=20))
    assert (await citizen.rings(within=5))["caller"] == "12345"
    await citizen.answers()
    await dialling
    await citizen.hangs_up()
    await seat.ends()


async def test_nobody_sees_who_calls_until_they_ask_and_that_is_noted(house: House, city: Lab) -> None:
    await city.staffed("1001")
    await seat_is(house.home, "1001", state="ready", agent="8001", device="not_inuse")
    agent, chief = await person(house.home, "zhang"), await person(house.home, "chief")
    seat = city.seat("1001")
    async with wire_of(house, "hidden") as wire, screen(agent) as board, screen(chief) as other:
        call = await city.caller(CITIZEN).dials("12345")
        ring = await seat.rings(within=20, call=call)
        # the line that was called, so that the agent knows how to answer
        assert ring["caller"] == "12345"
        await seat.answers(call)
        await call.talks()
        id = await call.id()
        for screen_, who in ((board, agent), (other, chief)):
            await screen_.until(
                "the talk", lambda b: [c for c in b.calls.values() if c["state"] == "talking"]
            )
            shown = await who.shown(f"calls/{id}", state="talking")
            assert shown["caller"] == "139****0061"
            assert CITIZEN not in json.dumps(screen_.said)
        await call.hangs_up()
        await seat.ends()
        to_seat = [packet for packet in wire() if b"demo-1001" in packet or b"1001@" in packet]
    assert any(b"INVITE" in packet for packet in to_seat)
    assert not [packet for packet in to_seat if CITIZEN.encode() in packet]
    assert (await chief.gets(f"calls/{id}/story?full=true"))[0] == 403
    # here the plan gives the right to agents
    status, told = await agent.orders(f"calls/{id}/reveal", purpose="回访前核对号码")
    assert (status, told["number"]) == (200, CITIZEN)
    await chief.audited(did="reveal", on=id, who="zhang", outcome="done")


async def test_a_hand_off_gives_the_centre_the_number_and_shows_it_to_nobody_here(
    house: House, city: Lab
) -> None:
    await city.staffed("1001")
    await seat_is(house.home, "1001", state="ready", agent="8001", device="not_inuse")
    agent, chief = await person(house.home, "zhang"), await person(house.home, "chief")
    seat, police = city.seat("1001"), centre(city, "110")
    await police.will_ring()
    call = await city.caller(CITIZEN).dials("12345")
    await seat.answers(call, within=20)
    await call.talks()
    status, told = await agent.orders(
        "seats/demo/1001/transfer", kind="handoff", to="110", summary=f"落水，回拨{CITIZEN}"
    )
    assert status == 200, told
    assert (await police.rings(within=5))["caller"] == CITIZEN
    id = told["handoff"]
    for who in (agent, chief):
        for path in ("handoffs", f"handoffs/{id}", f"handoffs/{id}/sheet"):
            text = await read(who, path)
            assert id in text
            assert CITIZEN not in text
        status, record = await who.orders(f"handoffs/{id}", officer="0231")
        assert (status, record["officer"], record["caller"]) == (200, "0231", "139****0061")
    assert CITIZEN in await read(Person(house.home, house.home.tokens["operator"]), f"handoffs/{id}/sheet")
    await call.hangs_up()
    await seat.ends()


async def read(who: Person, path: str) -> str:
    """The body of ``GET /api/<path>``, whatever it is."""
    async with (
        aiohttp.ClientSession(headers=who.headers) as session,
        session.get(f"{who.url}/api/{path}") as answer,
    ):
        assert answer.status == 200
        return await answer.text()
