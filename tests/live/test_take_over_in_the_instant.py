"""A supervisor's order in the very instant in which somebody hangs up, or is passed on: no caller is lost.

Each round draws its instant at random, round about the order's own work. Afterwards the caller is with a
person, or in the queue, or has hung up themself; and nobody sits at a phone alone. An agent who was quicker
than the order has ended the talk, and the order is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
import pytest_asyncio

from cti.web.who import Role
from lab.client import NotDone, Unheard
from lab.parties import Call
from lab.scenario import Lab
from tests.house import House, house_with
from tests.live.desk_town import LOOK, Person, account, person
from tests.live.seat_town import GREETED, plan_at, seat_is

AGENT, COLLEAGUE, CHIEF = "1001", "1002", "1003"
FULL = os.environ.get("CTI_PROVE") == "1"
ROUNDS = int(os.environ.get("CTI_INSTANTS", "10" if FULL else "2"))
SEED = int(os.environ.get("CTI_INSTANTS_SEED", str(random.SystemRandom().randrange(10**6))))
"""Which instants: a failure names it, and ``CTI_INSTANTS_SEED`` repeats them."""
SPREAD = 0.12
"""Seconds round about an order: from its way to Asterisk until the caller is where it leads."""
SETTLED = 12.0
PREPARED = 8
"""Seconds, beside some milliseconds without ``slowly_prepared``."""
TAKEN_OR_OVER = [(200, CHIEF), (409, "over"), (404, "over")]
"""The order's answer and where the caller is: refused, the agent was quicker and has ended the talk."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("instant")
    with house_with(folder, plan_at(folder)) as up:
        account(up.home, "chief", Role.SUPERVISOR)
        yield up


@pytest_asyncio.fixture
async def chief(house: House, city: Lab) -> AsyncIterator[Person]:
    """The agent at work; the colleague is asked by number alone, the supervisor by orders."""
    await city.staffed(AGENT, COLLEAGUE, CHIEF)
    one = await person(house.home, "chief")
    for seat in (COLLEAGUE, CHIEF):
        assert (await one.orders(f"seats/{seat}/pause", reason="meeting"))[0] == 200
    yield one


@pytest.fixture
def instants(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(f"{SEED}/{request.node.name}")


async def talk(chief: Person, city: Lab) -> Call:
    """A caller who talks with the agent."""
    assert (await chief.orders(f"seats/{AGENT}/ready"))[0] == 200
    call = await city.caller().dials("12345")
    await city.seat(AGENT).answers(call, within=GREETED + 10)
    await call.talks()
    await chief.shown(f"calls/{await call.id()}", state="talking", seat=AGENT)
    return call


async def listens(chief: Person, city: Lab, call: Call) -> None:
    """The supervisor is in the call by ChanSpy: what follows does not wait for a phone."""
    await seat_is(chief.home, CHIEF, device="not_inuse")
    asked = asyncio.create_task(chief.orders(f"calls/{await call.id()}/watch", seat=CHIEF))
    await city.seat(CHIEF).answers(within=10)
    assert (await asked)[0] == 200
    await seat_is(chief.home, CHIEF, state="busy")


async def later(seconds: float, act: Callable[[], Awaitable[object]]) -> None:
    """At an instant of its own; whoever is gone by then can do nothing more."""
    await asyncio.sleep(seconds)
    with contextlib.suppress(NotDone):
        await act()


async def over(call: Call) -> str:
    """Who ended the caller's leg (``near``: the caller); "" while it is there."""
    try:
        return str((await call.sees("ended", within=0.01))["by"])
    except Unheard:
        return ""


async def with_whom(city: Lab, call: Call) -> set[str]:
    """The seats that hear the caller, by Asterisk's own list."""
    mine = (await call.id()).partition("-")[2]
    rows = await city.house.ask_list("CoreShowChannels")
    bridges = {row["BridgeId"] for row in rows if row.get("Uniqueid") == mine and row.get("BridgeId")}
    # a third comes into a room by a Local channel, whose other half talks with the phone
    halves = {r["Channel"][:-1] for r in rows if r.get("BridgeId") in bridges and r["Channel"][-2:] == ";1"}
    bridges |= {r["BridgeId"] for r in rows if r["Channel"][:-1] in halves and r.get("BridgeId")}
    return {
        row["Channel"].removeprefix("PJSIP/demo-").partition("-")[0]
        for row in rows
        if row.get("BridgeId") in bridges and row["Channel"].startswith("PJSIP/demo-1")
    }


async def waits(city: Lab, call: Call) -> bool:
    mine = (await call.id()).partition("-")[2]
    rows = await city.house.ask_list("QueueStatus", Queue="demo-general")
    return any(row.get("Event") == "QueueEntry" and row.get("Uniqueid") == mine for row in rows)


async def fate(city: Lab, call: Call, *seats: str) -> str:
    """Where the caller is in the end: ``over``, ``queue``, or the seat, one of these, that talks to them."""
    try:
        async with asyncio.timeout(SETTLED):
            while True:
                if await over(call):
                    return "over"
                if await waits(city, call):
                    return "queue"
                if there := await with_whom(city, call) & set(seats):
                    return there.pop()
                await asyncio.sleep(LOOK)
    except TimeoutError:
        rows = await city.house.ask_list("CoreShowChannels")
        raise Unheard(f"seed {SEED}: the caller is nowhere: {rows}") from None


async def done_with(city: Lab, call: Call) -> None:
    """The caller hangs up, if nobody did; nobody stays at a phone."""
    if not await over(call):
        await later(0, call.hangs_up)
    await city.quiet()


async def test_an_agent_who_hangs_up_in_the_instant_of_a_take_over_takes_no_caller_along(
    chief: Person, city: Lab, instants: random.Random
) -> None:
    fates = []
    for _ in range(ROUNDS):
        call = await talk(chief, city)
        await listens(chief, city, call)
        hung = asyncio.create_task(later(instants.uniform(0, SPREAD), city.seat(AGENT).hangs_up))
        await asyncio.sleep(instants.uniform(0, SPREAD / 3))
        status, why = await chief.orders(f"calls/{await call.id()}/take-over", seat=CHIEF)
        await hung
        fates.append((status, await fate(city, call, CHIEF)))
        assert fates[-1] in TAKEN_OR_OVER, (SEED, fates, why)
        await done_with(city, call)


async def test_a_caller_who_hangs_up_in_the_instant_of_a_take_over_leaves_nobody_sitting_there(
    chief: Person, city: Lab, instants: random.Random
) -> None:
    for _ in range(ROUNDS):
        call = await talk(chief, city)
        await listens(chief, city, call)
        hung = asyncio.create_task(later(instants.uniform(0, SPREAD), call.hangs_up))
        status, why = await chief.orders(f"calls/{await call.id()}/take-over", seat=CHIEF)
        await hung
        assert status in (200, 404, 409), (SEED, why)
        await city.quiet()


async def test_an_agent_who_hangs_up_in_the_instant_in_which_they_are_forced_out_takes_no_caller_along(
    chief: Person, city: Lab, instants: random.Random
) -> None:
    fates = []
    for _ in range(ROUNDS):
        call = await talk(chief, city)
        hung = asyncio.create_task(later(instants.uniform(0, SPREAD), city.seat(AGENT).hangs_up))
        status, why = await chief.orders(f"seats/{AGENT}/force-out", caller="queue", sign_out=False)
        await hung
        fates.append((status, await fate(city, call)))
        # the seat is paused in any case: 200 may mean that there was no call any more
        assert fates[-1] in [(200, "queue"), (200, "over"), (409, "over")], (SEED, fates, why)
        await done_with(city, call)


@pytest.mark.parametrize("kind", ["blind", "consult", "three"])
async def test_a_caller_whose_agent_is_forced_out_in_the_instant_in_which_a_colleague_answers_has_somebody(
    chief: Person, city: Lab, instants: random.Random, kind: str
) -> None:
    """Whoever has the caller from the agent keeps them; else they are at the head of the queue."""
    fates = []
    for _ in range(ROUNDS):
        call = await talk(chief, city)
        path = f"seats/demo/{AGENT}/transfer"
        assert (await chief.orders(path, kind=kind, to=COLLEAGUE))[0] == 200
        await city.seat(COLLEAGUE).rings(within=5)
        first, second = instants.choice([(0.0, SPREAD), (SPREAD, 0.0)])
        answered = asyncio.create_task(later(instants.uniform(0, first), city.seat(COLLEAGUE).answers))
        await asyncio.sleep(instants.uniform(0, second))
        status, why = await chief.orders(f"seats/{AGENT}/force-out", caller="queue", sign_out=False)
        with contextlib.suppress(Unheard):
            await answered
        fates.append((status, await fate(city, call, COLLEAGUE)))
        assert fates[-1][1] in (COLLEAGUE, "queue"), (SEED, fates, why)
        await done_with(city, call)


@pytest.fixture
def slowly_prepared(house: House) -> Iterator[None]:
    """The instant drawn out in which a colleague has answered and is not yet with the caller."""
    first = "dialplan add extension s,1,{} into {}{}"
    begins = "Gosub(transfer-reached,s,1)"
    house.asterisk_cli(first.format(f"Wait({PREPARED})", "prepared", ""))
    house.asterisk_cli(f"dialplan add extension s,2,{begins} into prepared")
    house.asterisk_cli("dialplan add extension s,3,Goto(transfer-seat-up,s,2) into prepared")
    house.asterisk_cli(first.format("Goto(prepared,s,1)", "transfer-seat-up", " replace"))
    yield
    house.asterisk_cli(first.format(begins, "transfer-seat-up", " replace"))


@pytest.mark.usefixtures("slowly_prepared")
async def test_a_caller_whom_asterisk_serves_by_itself_just_then_goes_to_the_queue_and_is_not_hung_up(
    chief: Person, city: Lab
) -> None:
    call = await talk(chief, city)
    assert (await chief.orders(f"seats/demo/{AGENT}/transfer", kind="blind", to=COLLEAGUE))[0] == 200
    await city.seat(COLLEAGUE).rings(within=5)
    since = len(city.house.events)
    await city.seat(COLLEAGUE).answers()
    await city.house.event(
        "the colleague's phone is up",
        lambda e: (
            e["Event"] == "Newstate"
            and e["Channel"].startswith(f"PJSIP/demo-{COLLEAGUE}-")
            and e["ChannelStateDesc"] == "Up"
        ),
        5,
        since,
    )
    status, why = await chief.orders(f"seats/{AGENT}/force-out", caller="queue", sign_out=False)
    assert status == 200, why
    await call.waits_in("general", within=PREPARED, since=since)
    await city.seat(AGENT).ends()
    await city.seat(COLLEAGUE).ends()
    await done_with(city, call)
