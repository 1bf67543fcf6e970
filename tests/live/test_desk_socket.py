"""The socket of a running hotline: what a call looks like on it, and what a dead service leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from cti.home import Home
from cti.web.who import Role
from lab.scenario import Lab
from tests.house import House, house_with, stopped_service
from tests.live.desk_town import account, person, screen
from tests.live.seat_town import GREETED, plan_at, seat_is, told
from tests.live.transfer_town import centre
from tests.outage.hands import until_ready

NUMBER = "13900001234"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("socket")
    with house_with(folder, plan_at(folder)) as up:
        account(up.home, "chief", Role.SUPERVISOR)
        account(up.home, "looker", Role.OBSERVER)
        account(up.home, "zhang", Role.AGENT, agent="8001")
        yield up


async def killed(house: House) -> None:
    """kill -9 for the service, and wait until it is gone."""
    service = house.parts()["service"]
    service.signal(9)
    async with asyncio.timeout(5):
        while service.alive():  # noqa: ASYNC110  # another's child: its end is told to its parent
            await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def home(house: House, city: Lab) -> AsyncIterator[Home]:
    await city.staffed("1001")
    yield house.home


async def test_a_call_is_seen_from_its_first_second_to_its_last(home: Home, city: Lab) -> None:
    chief, looker, zhang = [await person(home, name) for name in ("chief", "looker", "zhang")]
    async with screen(chief) as whole, screen(looker) as masked, screen(zhang) as own:
        before = next(iter(whole.shown.figures.values()), {}).get("answered", 0)
        call = await city.caller(NUMBER).dials("12345")
        id = await call.id()
        await whole.until("the call", lambda b: b.calls.get(id))
        await city.seat("1001").answers(call, within=GREETED)
        for one in (whole, masked, own):
            await one.until("a talk", lambda b: b.calls.get(id, {}).get("state") == "talking")
            await one.until("a busy seat", lambda b: b.seats["demo-1001"]["state"] == "busy")
            await one.until("a queue with a talk", lambda b: b.queues["demo-general"]["talking"] == 1)
        await whole.until("the day's figure", lambda b: b.figures["demo"]["answered"] == before + 1)
        await call.hangs_up()
        for one in (whole, masked, own):
            await one.until("no call", lambda b: id not in b.calls)
        assert whole.shown.figures["demo"]["connect_rate"] > 0
    assert NUMBER in json.dumps(whole.said)
    assert NUMBER not in json.dumps(masked.said)
    mine = [m["row"] for m in own.said if m["kind"] == "mine"]
    assert {(m["call"], m["caller"], m["seat"]) for m in mine} == {(id, NUMBER, "1001")}
    assert NUMBER not in json.dumps([m for m in own.said if m["kind"] != "mine"])


async def test_a_talk_has_its_buttons_on_the_socket_and_they_follow_the_transfer(
    home: Home, city: Lab
) -> None:
    chief, looker = await person(home, "chief"), await person(home, "looker")
    police = centre(city, "110")
    for line in (police, centre(city, "1100")):
        await line.will_ring()
    async with screen(chief) as whole, screen(looker) as masked:
        call = await city.caller(NUMBER).dials("12345")
        id = await call.id()
        await city.seat("1001").answers(call, within=GREETED)
        talk = await whole.until("the buttons of a talk", lambda b: b.transfers.get(id))
        assert (talk["state"], talk["seat"], talk["handoff"]) == ("talking", "1001", "")
        assert talk["buttons"] == ["blind", "consult", "three", "handoff"]
        _, asked = await chief.gets("transfers")
        assert [{"kind": "transfer", **row} for row in asked] == [talk]
        path = "seats/demo/1001/transfer"
        status, told = await chief.orders(path, kind="handoff", to="110", summary=f"回拨{NUMBER}")
        assert status == 200, told
        await police.rings(within=5)
        row = await whole.until("a ring", lambda b: b.transfers[id]["state"] == "ringing" and b.transfers[id])
        assert (row["buttons"], row["handoff"], row["to"]) == (["takeback"], told["handoff"], "110")
        await police.answers()
        joined = await whole.until("all three", lambda b: b.transfers[id]["buttons"] == ["leave"])
        assert joined
        assert (await chief.orders(path, kind="leave"))[0] == 200
        await whole.until("the agent has left", lambda b: b.transfers[id]["state"] == "handed")
        assert whole.shown.transfers[id]["buttons"] == []
        await whole.until("the record", lambda b: b.handoffs[told["handoff"]]["handed"])
        # a desk that comes now has the same in its snapshot
        async with screen(chief) as late:
            assert late.shown.transfers == whole.shown.transfers
            assert late.shown.handoffs == whole.shown.handoffs
        await call.hangs_up()
        await whole.until("its end", lambda b: id not in b.transfers)
        await masked.until("the record's end", lambda b: b.handoffs.get(told["handoff"], {}).get("ended"))
    assert NUMBER in json.dumps(whole.said)
    assert NUMBER not in json.dumps(masked.said)


async def test_a_killed_service_closes_its_sockets_and_the_next_one_shows_the_call_that_went_on(
    home: Home, house: House, city: Lab
) -> None:
    chief = await person(home, "chief")
    call = await city.caller(NUMBER).dials("12345")
    await city.seat("1001").answers(call, within=GREETED)
    id = await call.id()
    async with screen(chief) as board:
        await board.until("a talk", lambda b: b.calls.get(id, {}).get("state") == "talking")
        await killed(house)
        with pytest.raises(ConnectionError):
            await board.until("its own end", lambda _: False, within=15)
    away = house.cti("board", "--once", "--json")
    last = json.loads(away.stdout)
    # still away when the command looked, or back already: the talk stands on the board either way
    assert last["source"] == {3: "journal", 0: "service"}[away.returncode]
    assert [c["call"] for c in last["calls"]] == [id]
    await seat_is(home, "1001", state="busy", within=20)
    # the same token: a session outlives the service
    async with screen(chief) as board:
        await board.until("the call again", lambda b: b.calls.get(id, {}).get("state") == "talking")
        await call.hangs_up()
        await board.until("its end", lambda b: id not in b.calls)


async def test_the_board_says_that_the_service_is_away_and_shows_the_last_picture(
    home: Home, house: House, city: Lab
) -> None:
    here = house.cti("board", "--once", "--json")
    assert here.returncode == 0
    shown = json.loads(here.stdout)
    assert (shown["source"], shown["waiting"], shown["linked"]) == ("service", 0, True)
    assert shown["seats_by_state"]["ready"] == 1
    call = await city.caller(NUMBER).dials("12345")
    await city.seat("1001").answers(call, within=GREETED)
    await seat_is(home, "1001", state="busy", within=20)
    async with stopped_service(house):
        away = await asyncio.to_thread(house.cti, "board", "--once")
        assert away.returncode == 3
        assert "服务不在" in away.stdout
        assert "general" in away.stdout
        last = json.loads((await asyncio.to_thread(house.cti, "board", "--once", "--json")).stdout)
        assert last["source"] == "journal"
        assert [c["call"] for c in last["calls"]] == [await call.id()]
    await call.hangs_up()
    await seat_is(home, "1001", state="ready", within=20)


async def test_an_announcement_stands_on_the_board_also_after_a_restart_of_the_service(
    home: Home, house: House, city: Lab
) -> None:
    chief = await person(home, "chief")
    assert (await chief.orders("lines/12315/raise", prompt="mass-event"))[0] == 200
    await told(city, "announced", Line="12315", By="chief")
    await killed(house)
    # the seats are known from the journal before there is a link
    await asyncio.to_thread(until_ready, home)
    await seat_is(home, "1001", state="ready", within=20)
    async with screen(chief) as board:
        up = await board.until("the announcement", lambda b: b.announcements.get("demo-12315"))
        assert up["sound"] == "hotline/mass-event"
        duty = (await chief.gets("duties?kind=announcement"))[1]
        assert [(d["line"], d["settled"]) for d in duty] == [("12315", None)]
        assert (await chief.orders("lines/12315/lower"))[0] == 200
        await board.until("none", lambda b: not b.announcements)


async def test_a_plan_that_gives_a_person_other_queues_gives_them_at_once(
    home: Home, house: House, city: Lab, tmp_path: Path
) -> None:
    plan = plan_at(tmp_path)
    agents = (plan / "agents.toml").read_text("utf-8")
    usual = 'name = "一号话务员"\n'
    assert usual in agents
    with_skill = agents.replace(usual, usual + "skills = { fund = 2, general = 1 }\n")
    (plan / "agents.toml").write_text(with_skill, "utf-8")
    assert house.cti("plan", "apply", str(plan)).returncode == 0
    await seat_is(home, "1001", queues=["fund", "general"], state="ready", within=15)
    assert house.cti("plan", "apply", str(plan_at(tmp_path / "again"))).returncode == 0
    await seat_is(home, "1001", queues=["general", "market"], state="ready", within=15)
