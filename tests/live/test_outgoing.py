"""Calls to citizens on the real Asterisk: as 12345, hidden, refused, told, recorded, counted."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from calls.orders import Pause
from cti.web.who import Role
from lab.client import Unheard
from lab.scenario import Lab
from tests.freezing import strike
from tests.house import House, ports, running
from tests.live.desk_town import LOOK, Person, account, person, screen
from tests.live.outgoing_town import CITIZEN, citizen_at, out_told, outgoing_plan, talked, wire_of
from tests.live.seat_town import codes, order, seat_is
from tests.live.transfer_town import centre
from tests.live.waiting_town import prompt_wav, row, truth

HIDDEN = CITIZEN.encode()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("out")
    home = folder / "home"
    home.mkdir()
    with ports() as base, running(home, base, [outgoing_plan(folder)]) as up:
        account(up.home, "chief", Role.SUPERVISOR)
        account(up.home, "zhang", Role.AGENT, agent="8001")
        yield up


@pytest_asyncio.fixture
async def agent(house: House, city: Lab) -> AsyncIterator[Person]:
    """Seat 1001 (agent 8001) at work."""
    await city.staffed("1001")
    await seat_is(house.home, "1001", state="ready", agent="8001", device="not_inuse")
    yield await person(house.home, "zhang")


@pytest_asyncio.fixture
async def chief(house: House) -> Person:
    return await person(house.home, "chief")


async def test_an_agent_dials_the_citizen_sees_12345_and_both_hear_each_other(
    house: House, city: Lab, agent: Person, voices: list[Path]
) -> None:
    since = len(city.house.events)
    citizen, seat = await citizen_at(city), city.seat("1001")
    dialling = asyncio.create_task(seat.dials("9" + CITIZEN, within=20))
    rang = await citizen.rings(within=10)
    assert rang["caller"] == "12345"
    begun = await out_told(city, "arrived", since, Direction="out", Seat="1001")
    id = begun["Call"]
    live = await agent.shown(f"calls/{id}", state="dialling")
    assert (live["direction"], live["seat"], live["caller"]) == ("out", "1001", "139****0061")
    await citizen.answers()
    await dialling
    await out_told(city, "greeted", since, Call=id)
    await seat_is(house.home, "1001", state="busy", call=id)
    await agent.shown(f"calls/{id}", state="talking")
    await asyncio.gather(seat.says(voices[0]), citizen.says(voices[1]))
    await seat.hears(voices[1])
    await citizen.hears(voices[0])
    await citizen.hangs_up()
    await seat.ends()
    await seat_is(house.home, "1001", state="wrap-up")
    kept = await asyncio.to_thread(row, house, id)
    assert (kept["direction"], kept["left_by"], kept["first_seat"]) == ("out", "caller", "1001")
    assert (kept["caller"], kept["called"], kept["line"]) == (CITIZEN, "12345", "main")
    story = house.cti("story", id).stdout
    assert "座席 1001 外呼 139****0061，显示 12345" in story
    assert "市民挂机" in story
    files = await filed(house, id, 2)
    # both legs, each whole
    assert [file["short"] for file in files] == [0.0, 0.0]
    assert {(file["role"], file["seat"]) for file in files} == {("seat", "1001"), ("caller", "")}


async def filed(house: House, call: str, many: int, within: float = 15.0) -> list[dict[str, Any]]:
    """Wait until so many recordings of this call are filed. Raises Unheard."""
    asks = Person(house.home, house.home.tokens["operator"])
    rows: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(within):
            while len(rows) != many:
                await asyncio.sleep(LOOK)
                rows = (await asks.gets(f"recordings?call={call}&state=filed"))[1]
    except TimeoutError:
        raise Unheard(f"{call}: {len(rows)} of {many} recordings filed: {rows}") from None
    return rows


async def test_an_agent_calls_a_citizen_back_whose_number_their_phone_never_saw(
    house: House, city: Lab, agent: Person, voices: list[Path]
) -> None:
    first = await talked(city)
    await agent.shown(f"calls/{first}", state="ended")
    assert (await agent.orders("seats/1001/ready"))[0] == 200
    await seat_is(house.home, "1001", state="ready", device="not_inuse")
    citizen, seat = await citizen_at(city), city.seat("1001")
    async with wire_of(house, "back") as wire, screen(agent) as board:
        asked = asyncio.create_task(agent.orders(f"calls/{first}/call-back"))
        ring = await seat.rings(within=10, still=True)
        assert ring["caller"] == "12345"
        await seat.answers()
        status, answer = await asked
        assert status == 200, answer
        rang = await citizen.rings(within=10)
        assert rang["caller"] == "12345"
        await citizen.answers()
        back = answer["call"]
        await agent.shown(f"calls/{back}", state="talking")
        await asyncio.gather(seat.says(voices[2]), citizen.says(voices[3]))
        await seat.hears(voices[3])
        await citizen.hears(voices[2])
        mine = await board.until("the call", lambda b: [c for c in b.calls.values() if c["call"] == back])
        assert mine[0]["caller"] == "139****0061"
        await seat.hangs_up()
        await citizen.ends()
        to_seat = [packet for packet in wire() if b"demo-1001" in packet or b"1001@" in packet]
        to_citizen = [packet for packet in wire() if HIDDEN in packet]
        said = json.dumps(board.said)
    assert any(b"INVITE" in packet for packet in to_seat)
    assert any(b"INVITE" in packet for packet in to_citizen)
    # neither knows of the other: no packet names both, and the desk's socket names the citizen nowhere
    assert not [packet for packet in to_seat if HIDDEN in packet]
    assert CITIZEN not in said
    kept = await asyncio.to_thread(row, house, back)
    assert (kept["callback_of"], kept["left_by"], kept["caller"]) == (first, "agent", CITIZEN)


@pytest.mark.parametrize(
    ("number", "why", "kind"),
    [
        ("16812345", "refused", "premium"),
        ("0085212345678", "refused", "international"),
        ("4008123456", "refused", "400"),
        ("055596123", "refused", "service-96"),
        ("12333", "unknown", ""),
    ],
)
async def test_what_costs_or_is_not_allowed_is_refused_with_a_sentence_and_told(
    city: Lab, agent: Person, chief: Person, number: str, why: str, kind: str
) -> None:
    since, seat = len(city.house.events), city.seat("1001")
    said = await seat.dials("9" + number)
    assert said["what"] == "answered"
    refused = await out_told(city, "out-refused", since, Number=number)
    assert (refused["Why"], refused["Kind"], refused["Seat"], refused["By"]) == (why, kind, "1001", "phone")
    await seat.hears(prompt_wav(seat, "seat-out-refused"))
    await seat.ends()
    outside = [e for e in city.house.events[since:] if "carrier" in e.get("Channel", "")]
    assert not outside
    await chief.audited(did="dial", on="seat 1001", outcome="refused", why=why)
    status, told = await agent.orders("seats/1001/call", number=number)
    assert (status, "does not allow" in told["detail"]) == (409, True)


async def test_who_is_not_signed_in_calls_nobody_but_the_emergency_numbers(
    house: House, city: Lab, agent: Person
) -> None:
    await codes(city, "1001", "*12")
    await seat_is(house.home, "1001", state="away")
    since, seat = len(city.house.events), city.seat("1001")
    await seat.dials("9" + CITIZEN)
    await out_told(city, "out-refused", since, Why="not-signed-in")
    await seat.hears(prompt_wav(seat, "seat-state-away"))
    await seat.ends()
    for number in ("110", "9110"):
        police, since = await citizen_at(city, "110"), len(city.house.events)
        dialling = asyncio.create_task(seat.dials(number, within=20))
        assert (await police.rings(within=10))["caller"] == "12345"
        await police.answers()
        await dialling
        await out_told(city, "greeted", since)
        await police.hangs_up()
        await seat.ends()


async def test_when_no_trunk_is_free_the_agent_hears_so_and_110_still_goes_out(
    house: House, city: Lab, agent: Person
) -> None:
    # 1002 is nobody's phone but its own agent's: the queue is not to ring it
    await city.staffed("1001", "1002")
    await order(house.home, Pause(city="demo", seat="1002", reason="meeting"))
    await seat_is(house.home, "1002", state="paused", device="not_inuse")
    call = await city.caller("13900000062").dials("12345")
    await city.seat("1001").rings(within=20, call=call)
    since, seat = len(city.house.events), city.seat("1002")
    await seat.dials("9" + CITIZEN)
    await out_told(city, "out-refused", since, Why="no-trunk", Seat="1002")
    await seat.hears(prompt_wav(seat, "seat-out-full"))
    await seat.ends()
    # the centre's own trunk refuses, the carrier's reserved channels are there
    for name in ("110", "1100"):
        await centre(city, name).will_be_busy()
    police = await citizen_at(city, "119")
    dialling = asyncio.create_task(seat.dials("119", within=20))
    await police.rings(within=10)
    await seat.hangs_up()
    await dialling
    await call.hangs_up()


async def test_a_citizen_who_is_busy_is_no_talk_and_no_wrap_up(
    house: House, city: Lab, agent: Person
) -> None:
    citizen, seat, since = await citizen_at(city), city.seat("1001"), len(city.house.events)
    await citizen.will_be_busy()
    await seat.dials("9" + CITIZEN)
    await seat.hears(prompt_wav(seat, "seat-out-failed"))
    await seat.ends()
    begun = await out_told(city, "arrived", since, Direction="out")
    kept = await asyncio.to_thread(row, house, begun["Call"])
    assert (kept["answered"], kept["left_by"], kept["cause"]) == (None, "system", 17)
    await seat_is(house.home, "1001", state="ready")


async def test_with_the_service_dead_the_codes_call_and_refuse_and_history_learns_of_it(
    house: House, city: Lab, agent: Person
) -> None:
    first = await talked(city)
    await agent.shown(f"calls/{first}", state="ended")
    await codes(city, "1001", "*13")
    service = house.parts()["service"]
    strike(service.pid, signal.SIGSTOP)
    try:
        citizen, seat, since = await citizen_at(city), city.seat("1001"), len(city.house.events)
        dialling = asyncio.create_task(seat.dials("*16", within=20))
        assert (await citizen.rings(within=10))["caller"] == "12345"
        await citizen.answers()
        await dialling
        begun = await out_told(city, "greeted", since)
        await citizen.hangs_up()
        await seat.ends()
        await seat.dials("916812345")
        await out_told(city, "out-refused", since, Why="refused")
        await seat.hangs_up()
        service.signal(signal.SIGKILL)
    finally:
        service.signal(signal.SIGCONT)
    back = begun["Call"]
    kept = await asyncio.to_thread(row, house, back, 40.0)
    assert (kept["direction"], kept["seat"], kept["caller"]) == ("out", "1001", CITIZEN)
    assert (kept["callback_of"], kept["left_by"]) == (first, "caller")
    assert kept["answered"] is not None


async def test_a_whole_number_is_a_right_asked_for_with_a_purpose_and_noted(
    city: Lab, agent: Person, chief: Person
) -> None:
    first = await talked(city)
    await agent.shown(f"calls/{first}", state="ended")
    path = f"calls/{first}/reveal"
    status, why = await agent.orders(path, purpose="市民要求更正地址")
    assert (status, "supervisor" in why["detail"], CITIZEN in json.dumps(why)) == (403, True, False)
    row = await chief.audited(did="reveal", on=first, who="zhang", outcome="denied")
    assert "更正地址" in row["told"]
    assert (await chief.orders(path))[0] == 400
    status, told = await chief.orders(path, purpose="市民要求更正地址")
    assert (status, told["number"]) == (200, CITIZEN)
    row = await chief.audited(did="reveal", on=first, who="chief", outcome="done")
    assert CITIZEN not in json.dumps(row)
    assert (await chief.orders("calls/demo-n1-1.1/reveal", purpose="没有这个来电"))[0] == 404


async def test_an_agent_orders_at_their_own_seat_only_and_a_phone_that_is_not_lifted_calls_nobody(
    city: Lab, agent: Person
) -> None:
    status, why = await agent.orders("seats/1002/call", number=CITIZEN)
    assert (status, "do not sit" in why["detail"]) == (403, True)
    since = len(city.house.events)
    asked = asyncio.create_task(agent.orders("seats/1001/call", number=CITIZEN))
    await city.seat("1001").rejects(within=10)
    status, why = await asked
    assert (status, "did not answer" in why["detail"]) == (409, True)
    assert not [e for e in city.house.events[since:] if e.get("What") == "arrived"]


def ledger(house: House) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(house.cti("ledger", "--by", "seat", "--from", "-1h", "--json").stdout)
    return told


async def test_a_supervisor_ends_a_call_to_a_citizen_and_takes_none_over(
    house: House, city: Lab, agent: Person, chief: Person
) -> None:
    citizen, seat, since = await citizen_at(city), city.seat("1001"), len(city.house.events)
    dialling = asyncio.create_task(seat.dials("9" + CITIZEN, within=20))
    await citizen.answers(within=10)
    await dialling
    begun = await out_told(city, "greeted", since)
    await chief.shown(f"calls/{begun['Call']}", state="talking")
    status, why = await chief.orders(f"calls/{begun['Call']}/take-over", seat="1003")
    assert (status, "cannot be taken over" in why["detail"]) == (409, True)
    assert (await chief.orders("seats/1001/force-out", sign_out=False))[0] == 200
    await citizen.ends()
    await seat.ends()
    await seat_is(house.home, "1001", state="paused", paused="forced")


async def test_asterisks_own_files_recount_all_of_this_to_the_same_figures(
    house: House, city: Lab, chief: Person
) -> None:
    await city.quiet()
    told = truth(house, time.time() - 3600)
    assert told["differences"] == []
    # citizens who called, and nobody whom we called
    assert told["offered"] == 4
    assert told["connect_rate"] == pytest.approx(3 / 4)
    (row,) = [r for r in ledger(house)["rows"] if r["key"] == "demo/1001"]
    assert (row["called_out"], row["reached_out"]) == (7, 6)
