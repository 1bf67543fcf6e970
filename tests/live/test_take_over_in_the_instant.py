"""An order of a supervisor or an agent in the very instant in which somebody hangs up, or is passed on: no
caller is lost.

Each round draws its instant at random, round about the order's own work. Afterwards the caller is with a
person, or in the queue, or has hung up themself; and nobody sits at a phone alone. An agent who was quicker
than the order has ended the talk, and the order is refused. Instants that are hit once in a thousand times
are drawn out (``drawn_out``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial

import pytest
import pytest_asyncio

from calls.orders import Originate
from cti.web.who import Role
from lab.client import NotDone, Unheard
from lab.parties import Call
from lab.scenario import Lab
from lab.wire import Event
from tests.house import House, house_with
from tests.live.desk_town import LOOK, Person, account, person
from tests.live.seat_town import GREETED, order, plan_at, seat_is
from tests.live.transfer_case import rings_on
from tests.live.transfer_town import centre, step_told

AGENT, COLLEAGUE, CHIEF = "1001", "1002", "1003"
CENTRE = "110"
WISHES = {"blind": COLLEAGUE, "consult": COLLEAGUE, "three": COLLEAGUE, "handoff": CENTRE}
TRANSFER = f"seats/demo/{AGENT}/transfer"
FULL = os.environ.get("CTI_PROVE") == "1"
ROUNDS = int(os.environ.get("CTI_INSTANTS", "10" if FULL else "2"))
SEED = int(os.environ.get("CTI_INSTANTS_SEED", str(random.SystemRandom().randrange(10**6))))
"""Which instants: a failure names it, and ``CTI_INSTANTS_SEED`` repeats them."""
SPREAD = 0.12
"""Seconds round about an order: from its way to Asterisk until the caller is where it leads."""
SETTLED = 12.0
PREPARED = 8
"""Seconds, beside some milliseconds without ``slowly_prepared``."""
LONG = 1.5
"""Seconds of an instant that is drawn out."""
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


@contextlib.contextmanager
def drawn_out(house: House, context: str, step: str, seconds: float) -> Iterator[None]:
    """The instant before this step of the dialplan, made long. ``begun`` waits for it."""
    add = "dialplan add extension s,{},{} into {}{}"
    shown = house.asterisk_cli(f"dialplan show s@{context}")
    [at] = [int(found) for found in re.findall(rf"(\d+)\. {re.escape(step)} +\[", shown)]
    long = ("UserEvent(Instant)", f"Wait({seconds})", step, f"Goto({context},s,{at + 1})")
    for number, words in enumerate(long, 1):
        house.asterisk_cli(add.format(number, words, "instant", " replace"))
    house.asterisk_cli(add.format(at, "Goto(instant,s,1)", context, " replace"))
    try:
        yield
    finally:
        house.asterisk_cli(add.format(at, step, context, " replace"))


async def begun(city: Lab, since: int) -> None:
    await city.house.event("the instant", lambda e: e.get("UserEvent") == "Instant", 10, since)


@pytest.fixture
def slowly_prepared(house: House) -> Iterator[None]:
    """The instant drawn out in which a colleague has answered and is not yet with the caller."""
    with drawn_out(house, "transfer-seat-up", "Gosub(transfer-reached,s,1)", PREPARED):
        yield


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


# --- an agent's own wish ------------------------------------------------------------------------------------


async def test_an_agent_who_hangs_up_in_the_instant_of_their_own_wish_takes_no_caller_along(
    chief: Person, city: Lab, instants: random.Random
) -> None:
    """Begun, it leads to the head of the queue, for nobody answers; too late, it is refused."""
    await rings_at_the_centre(city)
    fates = []
    for kind in instants.choices(list(WISHES), k=ROUNDS):
        call = await talk(chief, city)
        hung = asyncio.create_task(later(instants.uniform(0, SPREAD), city.seat(AGENT).hangs_up))
        await asyncio.sleep(instants.uniform(0, SPREAD / 3))
        status, why = await chief.orders(TRANSFER, kind=kind, to=WISHES[kind])
        await hung
        fates.append((kind, status, await fate(city, call)))
        assert fates[-1][1:] in [(200, "queue"), (409, "over")], (SEED, fates, why)
        await done_with(city, call)


def _joined(call: str, channel: str, event: Event) -> bool:
    return (
        event["Event"] == "ConfbridgeJoin"
        and event["Conference"] == call
        and event["Channel"].startswith(channel)
    )


async def rings_at_the_centre(city: Lab) -> None:
    for number in (CENTRE, "1100"):
        await centre(city, number).will_ring()


async def test_a_wish_that_comes_when_the_caller_goes_because_of_the_agents_hang_up_is_refused(
    house: House, chief: Person, city: Lab
) -> None:
    """The agent's leg is there until what its end brings about is done: here it waits for a lock."""
    add = "dialplan add extension {} into holds replace"
    for step in ("s,1,Set(HELD=${LOCK(seats-demo)})", "s,2,Answer()", f"s,3,Wait({2 * LONG})"):
        house.asterisk_cli(add.format(step))
    house.asterisk_cli(add.format(f"1,1,Wait({2 * LONG})"))
    call = await talk(chief, city)
    since = len(city.house.events)
    with drawn_out(house, "talked", "Set(LEFT_BY=agent)", LONG):
        await order(house.home, Originate(endpoint="Local/s@holds/n", context="holds", exten="1"))
        await city.seat(AGENT).hangs_up()
        await begun(city, since)
        status, why = await chief.orders(TRANSFER, kind="consult", to=COLLEAGUE)
        assert (status, await fate(city, call, COLLEAGUE)) == (409, "over"), why
    await done_with(city, call)


async def test_a_caller_in_danger_whose_agent_hangs_up_in_the_instant_of_a_second_wish_hears_no_music(
    house: House, chief: Person, city: Lab
) -> None:
    """A colleague refused, so the caller of an agent who hangs up goes to the queue by themselves."""
    await rings_at_the_centre(city)
    call = await talk(chief, city)
    assert (await chief.orders(TRANSFER, kind="blind", to=COLLEAGUE))[0] == 200
    await city.seat(COLLEAGUE).rings(within=5)
    since = len(city.house.events)
    await city.seat(COLLEAGUE).rejects()
    await step_told(city, call, "refused", since=since)
    id = await call.id()
    for who in (f"PJSIP/demo-{AGENT}-", "PJSIP/demo-carrier-"):
        await city.house.event(f"{who} is in the room", partial(_joined, id, who), 5, since)
    since = len(city.house.events)
    with drawn_out(house, "transfer-go", "Set(GOSUB_RETVAL=)", LONG):
        ordered = asyncio.create_task(chief.orders(TRANSFER, kind="handoff", to=CENTRE))
        await begun(city, since)
        await city.seat(AGENT).hangs_up()
        assert (await ordered)[0] == 200
    await call.waits_in("general", since=since)
    await rings_on(call)
    await done_with(city, call)


async def test_a_caller_in_danger_whose_agent_hangs_up_when_the_key_is_done_is_at_the_head_of_the_queue(
    house: House, chief: Person, city: Lab
) -> None:
    """What a key begins finds the agent gone: the caller knows that it was keyed."""
    await rings_at_the_centre(city)
    call = await talk(chief, city)
    since = len(city.house.events)
    with drawn_out(house, "transfer-go", "Set(WHY=not-yet)", LONG):
        await city.seat(AGENT).presses(f"*{CENTRE}")
        await begun(city, since)
        await city.seat(AGENT).hangs_up()
        await call.waits_in("general", since=since)
    await rings_on(call)
    await done_with(city, call)


async def test_an_agent_who_hangs_up_in_the_instant_in_which_the_colleague_they_ask_answers_loses_no_caller(
    house: House, chief: Person, city: Lab
) -> None:
    call = await talk(chief, city)
    assert (await chief.orders(TRANSFER, kind="consult", to=COLLEAGUE))[0] == 200
    await city.seat(COLLEAGUE).rings(within=5)
    since = len(city.house.events)
    with drawn_out(house, "transfer-seat-up", "Gosub(transfer-reached,s,1)", LONG):
        await city.seat(COLLEAGUE).answers()
        await begun(city, since)
        await city.seat(AGENT).hangs_up()
        assert await fate(city, call, COLLEAGUE) in (COLLEAGUE, "queue")
    await done_with(city, call)


async def test_an_agent_who_takes_back_in_the_instant_in_which_the_colleague_answers_is_let_go(
    house: House, chief: Person, city: Lab
) -> None:
    """Too late: the caller is the colleague's, and the agent's phone does not ring on for the whole talk."""
    call = await talk(chief, city)
    assert (await chief.orders(TRANSFER, kind="blind", to=COLLEAGUE))[0] == 200
    await city.seat(COLLEAGUE).rings(within=5)
    since = len(city.house.events)
    with drawn_out(house, "transfer-sent", "Gosub(transfer-stops,s,1(back))", LONG):
        await city.seat(AGENT).presses("*80")
        await begun(city, since)
        await city.seat(COLLEAGUE).answers()
        await step_told(city, call, "answered", since=since)
        await city.seat(AGENT).ends(within=5)
    assert await fate(city, call, COLLEAGUE) == COLLEAGUE
    await done_with(city, call)
