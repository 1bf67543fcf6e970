"""The desk's orders over HTTP, on real calls: who may, what happens, and the row each leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from calls.orders import Kind, Transfer
from cti.errors import NotNow, Refused
from cti.home import Home
from cti.speech import shelf
from cti.speech.sound import from_alaw, write_wav
from cti.web.who import Role
from lab import ears
from lab.parties import Call, Seat
from lab.scenario import Lab
from tests.house import House, house_with
from tests.live.desk_town import Person, account, person, screen, signs_in
from tests.live.seat_town import GREETED, RING, member, order, plan_at, seat_is, told
from tests.live.waiting_town import truth
from tests.outage.hands import until_ready

FULL = os.environ.get("CTI_PROVE") == "1"
"""All instants of an order, else some of them."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("desk")
    with house_with(folder, plan_at(folder)) as up:
        account(up.home, "chief", Role.SUPERVISOR)
        account(up.home, "looker", Role.OBSERVER)
        account(up.home, "zhang", Role.AGENT, agent="8001")
        account(up.home, "elsewhere", Role.SUPERVISOR, city="other")
        yield up


@pytest_asyncio.fixture
async def home(house: House, city: Lab) -> AsyncIterator[Home]:
    """Seats 1001 (agent 8001) and 1002 (8002) at work; 1003 is the supervisor's phone, paused."""
    await city.staffed("1001", "1002", "1003")
    chief = await person(house.home, "chief")
    assert (await chief.orders("seats/1003/pause", reason="meeting"))[0] == 200
    yield house.home


@pytest_asyncio.fixture
async def chief(home: Home) -> Person:
    return await person(home, "chief")


# --- signing in -----------------------------------------------------------------------------------


async def test_an_agent_signs_in_with_number_and_pin_and_then_at_a_seat(home: Home, city: Lab) -> None:
    status, told_ = await signs_in(home, city="demo", agent="8009", pin="2468")
    assert (status, told_["role"], told_["agent"]) == (201, "agent", "8009")
    nine = Person(home, told_["token"])
    assert (await nine.orders("seats/1002/sign-in"))[0] == 200
    await seat_is(home, "1002", agent="8009", state="ready")
    assert (await nine.orders("seats/1002/pause", reason="lunch"))[0] == 200
    await seat_is(home, "1002", state="paused", paused="lunch")
    assert (await nine.orders("seats/1002/ready"))[0] == 200
    await seat_is(home, "1002", state="ready")
    assert (await nine.orders("seats/1002/sign-out"))[0] == 200
    await seat_is(home, "1002", state="away", agent="")


async def test_a_wrong_pin_and_an_agent_without_one_get_no_token_and_are_noted(
    home: Home, chief: Person
) -> None:
    assert (await signs_in(home, city="demo", agent="8009", pin="1111"))[0] == 401
    status, why = await signs_in(home, city="demo", agent="8002", pin="")
    assert status == 409
    assert "agents.toml" in why["detail"]
    await chief.audited(did="session", outcome="denied", who="demo/8009")


async def test_a_role_may_what_it_may_and_each_refusal_is_noted(home: Home, chief: Person) -> None:
    zhang, looker = await person(home, "zhang"), await person(home, "looker")
    away = await person(home, "elsewhere")
    refused: list[tuple[Person, str, dict[str, Any], str]] = [
        (looker, "seats/1001/pause", {"reason": "lunch"}, "role agent"),
        (zhang, "seats/1002/pause", {"reason": "lunch"}, "do not sit at 1002"),
        (zhang, "seats/1002/sign-in", {"agent": "8002"}, "as themselves"),
        (zhang, "seats/1001/pause", {"reason": "forced"}, "only supervisors"),
        (zhang, "seats/1001/queues", {"queues": {"fund": 0}}, "role supervisor"),
        (zhang, "lines/main/raise", {}, "role supervisor"),
        (away, "seats/1001/pause", {"city": "demo", "reason": "lunch"}, "signed in for other"),
    ]
    for who, path, body, why in refused:
        status, answer = await who.orders(path, **body)
        assert (status, why in answer["detail"]) == (403, True), (path, answer)
    row = await chief.audited(who="zhang", did="queues", outcome="denied")
    assert row["on"] == "seat 1001"
    assert (await zhang.gets("audit"))[0] == 403
    assert (await seat_is(home, "1001", state="ready"))["queues"] == ["general", "market"]


async def test_what_is_wrong_in_an_order_is_named_with_its_remedy(chief: Person) -> None:
    status, told_ = await chief.orders("seats/1001/pause", reason="lunhc")
    assert (status, told_["field"], "did you mean 'lunch'" in told_["detail"]) == (404, "reason", True)
    status, told_ = await chief.orders("seats/1001/queues", queues={"generel": 0})
    assert (status, told_["field"], "'general'" in told_["detail"]) == (404, "queue", True)
    status, told_ = await chief.orders("seats/1001/pause", why="x")
    assert status == 400
    status, told_ = await chief.orders("calls/demo-n1-1.1/watch", seat="1003")
    assert (status, told_["field"]) == (404, "call")


# --- seats ----------------------------------------------------------------------------------------


async def test_a_seats_queues_change_at_once_and_a_pause_goes_with_them(
    home: Home, city: Lab, chief: Person
) -> None:
    assert (await chief.orders("seats/1001/queues", queues={"general": 4, "fund": 1}))[0] == 200
    await seat_is(home, "1001", queues=["fund", "general"], state="ready")
    changed = await member(city, "1001")
    assert changed is not None
    assert changed["Penalty"] == "4"
    assert await member(city, "1001", "market") is None
    assert (await chief.orders("seats/1001/pause", reason="break"))[0] == 200
    assert (await chief.orders("seats/1001/queues", queues={"general": 0, "market": 0}))[0] == 200
    added = await member(city, "1001", "market")
    assert added is not None
    assert (added["Paused"], added["PausedReason"]) == ("1", "break")
    await seat_is(home, "1001", state="paused", paused="break", queues=["general", "market"])
    await chief.orders("seats/1005/sign-out")
    status, why = await chief.orders("seats/1005/queues", queues={"general": 0})
    assert (status, "nobody is signed in" in why["detail"]) == (409, True)


async def test_wrap_up_ends_early_by_order(home: Home, city: Lab) -> None:
    zhang = await person(home, "zhang")
    chief = await person(home, "chief")
    await chief.orders("seats/1002/pause", reason="forced")
    call = await city.caller().dials("12345")
    await city.seat("1001").answers(call, within=GREETED)
    await call.talks()
    await call.hangs_up()
    wraps = await seat_is(home, "1001", state="wrap-up")
    assert (await zhang.orders("seats/1001/end-wrap-up"))[0] == 200
    ready = await seat_is(home, "1001", state="ready")
    assert ready["since"] < wraps["until"]
    status, _ = await zhang.orders("seats/1001/end-wrap-up")
    assert status == 409


async def test_who_is_forced_out_leaves_their_caller_to_the_head_of_the_queue(
    home: Home, city: Lab, chief: Person
) -> None:
    await chief.orders("seats/1002/pause", reason="forced")
    call = await city.caller().dials("12345")
    await city.seat("1001").answers(call, within=GREETED)
    await chief.shown(f"calls/{await call.id()}", state="talking")
    waiting = await city.caller("13900000002").dials("12345")
    await waiting.waits_in("general", within=GREETED)
    before = len(city.house.events)
    assert (await chief.orders("seats/1001/force-out"))[0] == 200
    await seat_is(home, "1001", state="away", agent="")
    await call.waits_in("general", within=10, since=before)
    await chief.orders("seats/1002/ready")
    # before the one who has waited all the time
    await city.seat("1002").rings(within=GREETED + RING, call=call)
    await city.seat("1002").answers(call)
    row = await chief.audited(did="force-out", outcome="done")
    assert (row["who"], row["on"]) == ("chief", "seat 1001")
    await call.hangs_up()
    await waiting.hangs_up()


async def test_who_is_forced_out_may_also_lose_the_call(home: Home, city: Lab, chief: Person) -> None:
    call = await city.caller().dials("12345")
    seat = city.seat((await call.rings_at(within=GREETED))["phone"].removeprefix("demo-"))
    await seat.answers(call)
    await chief.shown(f"calls/{await call.id()}", state="talking")
    status, _ = await chief.orders(f"seats/{seat.number}/force-out", caller="end", sign_out=False)
    assert status == 200
    assert (await call.ends(within=8))["by"] == "far"
    await seat_is(home, seat.number, state="paused", paused="forced")


async def rings(city: Lab, chief: Person) -> tuple[Call, Seat]:
    """A caller for whom seat 1001 rings, and no other may."""
    await chief.orders("seats/1002/pause", reason="meeting")
    call, seat = await city.caller().dials("12345"), city.seat("1001")
    await seat.rings(within=GREETED, call=call, still=True)
    await chief.shown(f"calls/{await call.id()}", state="ringing", seat="1001")
    return call, seat


async def test_who_is_forced_out_while_ringing_rings_no_more_and_the_caller_goes_to_the_next_seat(
    home: Home, city: Lab, chief: Person
) -> None:
    call, seat = await rings(city, chief)
    assert (await chief.orders("seats/1001/force-out"))[0] == 200
    # long before the ring would have ended by itself
    await seat.ends(within=2)
    await seat_is(home, "1001", state="away", agent="")
    await chief.orders("seats/1002/ready")
    await city.seat("1002").answers(call, within=RING)
    assert (await seat_is(home, "1001", missed=0))["state"] == "away"
    await call.hangs_up()


async def talks(home: Home, city: Lab, chief: Person) -> Call:
    """A caller with seat 1001; 1002 is called by its number only."""
    await chief.orders("seats/1002/pause", reason="meeting")
    call = await city.caller().dials("12345")
    await city.seat("1001").answers(call, within=GREETED)
    await chief.shown(f"calls/{await call.id()}", state="talking")
    return call


async def test_who_is_forced_out_while_their_caller_rings_elsewhere_leaves_them_there_and_cannot_end_them(
    home: Home, city: Lab, chief: Person
) -> None:
    call = await talks(home, city, chief)
    agent, colleague = city.seat("1001"), city.seat("1002")
    await order(home, Transfer(city="demo", seat="1001", kind="blind", to="1002"))
    await colleague.rings(within=5)
    await chief.shown(f"calls/{await call.id()}", state="moving")
    status, why = await chief.orders("seats/1001/force-out", caller="end")
    assert (status, "being passed on" in why["detail"]) == (409, True), why
    # refused is not done by half
    assert (await seat_is(home, "1001", state="busy"))["agent"] == "8001"
    assert (await chief.orders("seats/1001/force-out"))[0] == 200
    # with the agent gone it does not ring for long
    await colleague.answers()
    await agent.ends(within=2)
    await seat_is(home, "1001", state="away", agent="")
    await chief.shown(f"calls/{await call.id()}", state="talking", seat="1002")
    await call.hangs_up()


@pytest.mark.parametrize("kind", ["blind", "consult", "three"])
async def test_who_is_forced_out_while_somebody_is_asked_leaves_their_caller_at_the_head_of_the_queue(
    home: Home, city: Lab, chief: Person, kind: Kind
) -> None:
    call = await talks(home, city, chief)
    since = len(city.house.events)
    await order(home, Transfer(city="demo", seat="1001", kind=kind, to="1002"))
    await city.seat("1002").rings(within=5)
    assert (await chief.orders("seats/1001/force-out"))[0] == 200
    await city.seat("1001").ends(within=2)
    await seat_is(home, "1001", state="away", agent="")
    await city.seat("1002").ends(within=8)
    await call.waits_in("general", within=10, since=since)
    await call.hangs_up()


async def test_who_is_forced_out_among_three_leaves_the_other_two_to_each_other(
    home: Home, city: Lab, chief: Person
) -> None:
    call = await talks(home, city, chief)
    await order(home, Transfer(city="demo", seat="1001", kind="three", to="1002"))
    await city.seat("1002").answers(within=5)
    await told(city, "transfer", Step="joined", Call=await call.id())
    assert (await chief.orders("seats/1002/force-out"))[0] == 200
    await city.seat("1002").ends(within=2)
    await seat_is(home, "1001", state="busy")
    await chief.shown(f"calls/{await call.id()}", state="talking", seat="1001")
    await call.hangs_up()


@pytest.mark.parametrize("kind", ["three", "consult"])
async def test_who_is_forced_out_when_a_caller_was_left_to_them_in_a_room_leaves_them_to_the_queue(
    home: Home, city: Lab, chief: Person, kind: Kind
) -> None:
    """Asked as one of three, or consulted and then brought together; the agent has left."""
    call = await talks(home, city, chief)
    since = len(city.house.events)
    await order(home, Transfer(city="demo", seat="1001", kind=kind, to="1002"))
    await city.seat("1002").answers(within=5)
    await told(city, "transfer", Step="answered", Call=await call.id(), since=since)
    if kind == "consult":
        await order(home, Transfer(city="demo", seat="1001", kind="together", to=""))
    await told(city, "transfer", Step="joined", Call=await call.id(), since=since)
    await city.seat("1001").hangs_up()
    await told(city, "transfer", Step="handed", Call=await call.id(), since=since)
    since = len(city.house.events)
    assert (await chief.orders("seats/1002/force-out"))[0] == 200
    await city.seat("1002").ends(within=2)
    await call.waits_in("general", within=10, since=since)
    await seat_is(home, "1002", state="away", agent="")
    await call.hangs_up()


@pytest.mark.parametrize("after", [0.0, 0.02, 0.06, 0.15, 0.4] if FULL else [0.02, 0.15])
async def test_who_is_forced_out_as_their_caller_is_just_being_moved_is_out_and_the_caller_is_somewhere(
    home: Home, city: Lab, chief: Person, after: float
) -> None:
    call = await talks(home, city, chief)
    since = len(city.house.events)
    wish = asyncio.create_task(wished(home, Transfer(city="demo", seat="1001", kind="blind", to="1002")))
    await told(city, "transfer", Step="asked", since=since)
    # the instant is what is varied, nothing is waited for
    await asyncio.sleep(after)
    assert (await chief.orders("seats/1001/force-out"))[0] == 200
    await wish
    await city.seat("1001").ends(within=2)
    await seat_is(home, "1001", state="away", agent="")
    # the colleague lets it ring: a moment more, then nobody is with the caller but the queue
    await call.waits_in("general", within=12, since=since)
    await chief.orders("seats/1002/ready")
    await city.seat("1002").answers(call, within=GREETED + RING)
    await call.hangs_up()


async def wished(home: Home, wish: Transfer) -> None:
    """An agent wishes it; who is forced out meanwhile is refused."""
    with contextlib.suppress(Refused, NotNow):
        await order(home, wish)


async def test_a_queue_that_is_taken_away_from_a_seat_rings_there_no_more(
    home: Home, city: Lab, chief: Person
) -> None:
    call, seat = await rings(city, chief)
    assert (await chief.orders("seats/1001/queues", queues={"market": 0}))[0] == 200
    await seat.ends(within=2)
    await seat_is(home, "1001", state="ready", queues=["market"], missed=0)
    await chief.orders("seats/1002/ready")
    await city.seat("1002").answers(call, within=RING)
    await call.hangs_up()


@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.1] if FULL else [0.0, 0.03])
async def test_a_queue_that_is_taken_away_as_it_is_about_to_ring_does_not_ring_on(
    home: Home, city: Lab, chief: Person, after: float
) -> None:
    await chief.orders("seats/1002/pause", reason="meeting")
    call = await city.caller().dials("12345")
    await call.waits_in("general", within=GREETED)
    # the instant is what is varied, nothing is waited for
    await asyncio.sleep(after)
    assert (await chief.orders("seats/1001/queues", queues={"market": 0}))[0] == 200
    # done is done: whatever app_queue had in hand does not ring by now
    rows = await city.house.ask_list("CoreShowChannels")
    assert not [row for row in rows if row.get("Channel", "").startswith("PJSIP/demo-1001-")]
    since = len(city.house.events)
    await chief.orders("seats/1002/ready")
    await city.seat("1002").answers(call, within=RING + GREETED)
    assert not [
        e for e in city.house.events[since:] if e["Event"] == "AgentCalled" and "1001" in e["Interface"]
    ]
    await call.hangs_up()


# --- waiting callers ------------------------------------------------------------------------------


async def test_a_waiting_caller_is_moved_to_the_front(home: Home, city: Lab, chief: Person) -> None:
    for number in ("1001", "1002"):
        await chief.orders(f"seats/{number}/pause", reason="forced")
    first = await city.caller("13900000001").dials("12345")
    await first.waits_in("general", within=GREETED)
    second = await city.caller("13900000002").dials("12345")
    third = await city.caller("13900000003").dials("12345")
    await second.waits_in("general", within=GREETED)
    await third.waits_in("general", within=GREETED)
    # the last one moved is the first one served
    for call in (second, third):
        # Asterisk knows it a moment before the service does
        await chief.shown(f"calls/{await call.id()}", state="waiting")
        assert (await chief.orders(f"calls/{await call.id()}/move"))[0] == 200
    await chief.orders("seats/1001/ready")
    await city.seat("1001").rings(within=RING + 3, call=third)
    await third.hangs_up()
    await city.seat("1001").rings(within=RING + 3, call=second)
    await chief.audited(did="move", outcome="done", on=await second.id())
    await second.hangs_up()
    await first.hangs_up()


async def test_a_waiting_caller_is_moved_to_another_queue_and_waits_on_there(
    home: Home, city: Lab, chief: Person
) -> None:
    for number in ("1001", "1002"):
        await chief.orders(f"seats/{number}/pause", reason="forced")
    call = await city.caller().dials("12345")
    await call.waits_in("general", within=GREETED)
    id = await call.id()
    # Asterisk knows it a moment before the service does
    await chief.shown(f"calls/{id}", state="waiting")
    status, why = await chief.orders(f"calls/{id}/move", queue="generel")
    assert (status, why["field"]) == (404, "queue")
    assert (await chief.orders("seats/1002/queues", queues={"general": 0, "fund": 0}))[0] == 200
    assert (await chief.orders(f"calls/{id}/move", queue="fund"))[0] == 200
    await call.waits_in("fund", within=5)
    out = await told(city, "queued-out", Queue="general")
    assert out["Status"] == "WITHDRAW"
    await chief.orders("seats/1002/ready")
    await city.seat("1002").answers(call, within=RING + 3)
    async with screen(chief) as board:
        await board.until("a talk", lambda b: b.calls[id]["state"] == "talking")
    status, why = await chief.orders(f"calls/{id}/move", queue="general")
    assert (status, "does not wait" in why["detail"]) == (409, True)
    await call.hangs_up()


# --- announcements --------------------------------------------------------------------------------


async def test_an_urgent_announcement_is_heard_by_the_next_caller_also_with_the_service_dead(
    home: Home, house: House, city: Lab, chief: Person, tmp_path: Path
) -> None:
    spoken = tmp_path / "mass-event.wav"
    write_wav(spoken, from_alaw(shelf.sound_of(shelf.catalogue()["mass-event"])))
    status, why = await chief.orders("lines/main/raise", prompt="no-such-thing")
    assert (status, why["field"]) == (404, "prompt")
    assert (await chief.orders("lines/main/raise", prompt="mass-event"))[0] == 200
    await chief.audited(did="raise", on="line main", outcome="done")
    service = house.parts()["service"]
    service.signal(9)
    call = await city.caller().dials("12345")
    await call.hears(spoken, within=GREETED + 8)
    await call.rings_at(within=15)
    await call.hangs_up()
    # the seats are known from the journal before there is a link
    await asyncio.to_thread(until_ready, home)
    await seat_is(home, "1003", state="paused", within=20)
    back = await person(home, "chief")
    assert (await back.orders("lines/main/lower"))[0] == 200
    quiet = await city.caller().dials("12345")
    await quiet.rings_at(within=15)
    await quiet.hangs_up()
    assert not ears.contains(await quiet.recorded(), ears.load(spoken))


async def test_asterisks_own_files_recount_all_of_this_to_the_same_figures(
    chief: Person, house: House
) -> None:
    assert truth(house, time.time() - 3600)["differences"] == []
    until = time.time()
    since = until - 3600
    asked = f"truth?from={since:.6f}&to={until:.6f}"
    before = await chief.gets(asked)
    counted = house.cti("truth", f"--from={since:.6f}", f"--to={until:.6f}", "--json")
    found = json.loads(counted.stdout)
    assert (found["differences"], counted.returncode) == ([], 0)
    assert found["visits"] > 0
    # the same over HTTP; a wrap-up may end between two countings
    assert (200, found) in (before, await chief.gets(asked))
