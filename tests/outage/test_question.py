"""Greeting-end to ring with the first seat busy, whatever the service does.

Frozen: 6 s for the first caller, 1 s for the next ones. Everything else: 3 s. Nobody is lost, and an
independent observer sees AgentConnect each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from lab.scenario import Lab
from tests.house import House
from tests.outage import hands, impostor, stepped
from tests.outage.awake import awake
from tests.outage.calling import Served, ask_again, first_seat_talks, is_served, served, the_rest_is_over
from tests.outage.conftest import OTHER_SERVICE
from tests.outage.impostor import Impostor, Manner
from tests.outage.measured import note
from tests.outage.witness import Fits, Witness, at

FROZEN_FIRST, FROZEN_NEXT, OTHERWISE = 6.0, 1.0, 3.0


async def test_a_healthy_service_advises_and_the_next_seat_rings(
    house: House, city: Lab, witness: Witness
) -> None:
    await first_seat_talks(city)
    found = await served(city, witness)
    assert (found.status, found.by, found.place) == ("SUCCESS", "service", "queue:general")
    assert note("healthy", found.seconds, OTHERWISE, said(found)) <= OTHERWISE


async def test_a_first_seat_that_says_busy_costs_less_than_three_seconds(
    house: House, city: Lab, witness: Witness
) -> None:
    await city.staffed("1001", "1002")
    await city.seat("1001").will_be_busy()
    await city.seat("1002").will_answer()
    found = await served(city, witness)
    assert note("healthy, the first phone says 486", found.seconds, OTHERWISE) <= OTHERWISE


async def test_a_frozen_service_costs_the_first_caller_its_budget_and_the_next_ones_nothing(
    house: House, city: Lab, witness: Witness
) -> None:
    await first_seat_talks(city, others=4)
    before = {name: each.pid for name, each in house.parts().items()}
    with hands.frozen(hands.ours(house)):
        first = await served(city, witness)
        calls = [await city.caller(f"1390000001{n}").dials("12345") for n in range(3)]
        next_ones = await asyncio.gather(*(is_served(call, witness) for call in calls))
    assert (first.status, first.place) == ("SILENT", "queue:general")
    assert first.by != "service"
    assert note("frozen, first caller", first.seconds, FROZEN_FIRST, said(first)) <= FROZEN_FIRST
    assert [found.status for found in next_ones] == ["SKIPPED"] * 3
    slowest = max(found.seconds for found in next_ones)
    assert note("frozen, slowest of the next three", slowest, FROZEN_NEXT) <= FROZEN_NEXT
    await asyncio.to_thread(hands.until_ready, house.home)
    # a supervisor that slept too does not kill the healthy on waking
    assert {name: each.pid for name, each in house.parts().items()} == before
    called = {first.call, *(found.call for found in next_ones)}
    rows = await asyncio.to_thread(hands.until, "history has them", lambda: kept(house, called), 10)
    assert all(len(rows[call]) == 1 and rows[call][0]["answered"] for call in called)


async def test_a_clock_set_back_after_an_unanswered_question_silences_nobody(
    house: House, city: Lab, witness: Witness
) -> None:
    await first_seat_talks(city, others=2)
    await ask_again(city)
    with hands.frozen(hands.ours(house)):
        assert (await served(city, witness)).status == "SILENT"
        assert (await served(city, witness)).status == "SKIPPED"
    # by a clock that was set back an hour, the seconds of rest end in an hour
    await ask_again(city, at=int(time.time()) + 3600)
    assert (await served(city, witness)).status == "SUCCESS"


def kept(house: House, calls: set[str]) -> dict[str, list[dict[str, object]]] | None:
    rows = hands.history(house.home, 0)
    return rows if all(rows.get(c) and rows[c][0]["ended"] for c in calls) else None


async def test_callers_who_meet_a_freezing_service_at_the_same_moment_are_all_served(
    house: House, city: Lab, witness: Witness, full_size: bool
) -> None:
    several = 5 if full_size else 4
    await first_seat_talks(city, others=several)
    await ask_again(city)
    with hands.frozen(hands.ours(house)):
        calls = await asyncio.gather(*(city.caller(f"1390000002{n}").dials("12345") for n in range(several)))
        found = await asyncio.gather(*(is_served(call, witness) for call in calls))
    slowest = max(each.seconds for each in found)
    assert note(f"frozen, slowest of {several} at once", slowest, FROZEN_FIRST) <= FROZEN_FIRST


@awake
async def test_a_frozen_service_leaves_the_next_one_that_the_settings_name_its_time_to_answer(
    house: House, city: Lab, witness: Witness
) -> None:
    await ask_again(city)
    # stopping them is no time in which the other one slept
    with hands.frozen(hands.ours(house)):
        async with Impostor(house.base + OTHER_SERVICE, impostor.says("queue:waits")) as other:
            await is_led_to_the_hint(city, witness, "the service frozen, the second asked")
    assert len(other.asked) == 1
    await asyncio.to_thread(hands.until_ready, house.home)


async def is_led_to_the_hint(city: Lab, witness: Witness, what: str) -> str:
    """A citizen calls and waits where a service says, not where the plan leads. Returns the call."""
    call = await city.caller("13900000004").dials("12345")
    id = await call.id()
    asked = await witness.event("the question is over", witness.told("asked", id), 15)
    greeted = await witness.event("the greeting ended", witness.told("greeted", id), 15)
    await call.waits_in("waits")
    await call.hangs_up()
    assert (asked["Status"], asked["By"], asked["Next"]) == ("SUCCESS", "service", "queue:waits")
    assert note(what, at(asked) - at(greeted), OTHERWISE) <= OTHERWISE
    return id


async def test_a_service_killed_when_it_has_begun_to_read_a_question_is_not_missed(
    house: House, city: Lab, witness: Witness
) -> None:
    await first_seat_talks(city)
    await ask_again(city)
    service, seized = house.parts()["service"], asyncio.Event()
    loop = asyncio.get_running_loop()
    killing = asyncio.create_task(
        asyncio.to_thread(
            stepped.killed_once_it_has_read,
            service.pid,
            house.home.ports.agi,
            lambda: loop.call_soon_threadsafe(seized.set),
        )
    )
    waiting = asyncio.create_task(seized.wait())
    await asyncio.wait({waiting, killing}, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        waiting.cancel()
        if isinstance(why := killing.exception(), PermissionError):
            pytest.skip(f"by design: this machine lets nobody step through a process ({why})")
        raise AssertionError("never seized") from why
    try:
        found = await served(city, witness)
    finally:
        # whoever waits for a question that never comes, waits no longer
        service.signal(signal.SIGKILL)
    assert await killing > 0, "it had read nothing"
    assert (found.by, found.place) == ("failsafe", "queue:general")
    assert note("killed when it has begun to read", found.seconds, OTHERWISE, said(found)) <= OTHERWISE
    await asyncio.to_thread(hands.until_ready, house.home)
    assert house.parts()["service"] != service
    rows = await asyncio.to_thread(hands.until, "history has it", lambda: kept(house, {found.call}), 15)
    assert len(rows[found.call]) == 1


# --- the service is dead, and somebody else may sit at its port -------------------------------------------


@pytest.fixture(scope="module")
def dead(house: House) -> Iterator[None]:
    """The service was killed and its supervisor cannot start it again."""
    with hands.without_service(house):
        yield


@pytest.mark.usefixtures("dead")
async def test_an_absent_service_is_not_missed(house: House, city: Lab, witness: Witness) -> None:
    await first_seat_talks(city)
    await ask_again(city)
    first, second = await served(city, witness), await served(city, witness)
    assert (first.status, first.by, first.place) == ("FAILURE", "failsafe", "queue:general")
    assert note("absent, first caller", first.seconds, OTHERWISE, said(first)) <= OTHERWISE
    assert second.status == "SKIPPED"
    assert note("absent, next caller", second.seconds, FROZEN_NEXT, said(second)) <= FROZEN_NEXT


@pytest.mark.usefixtures("dead")
async def test_a_caller_who_hangs_up_leaves_no_phone_ringing(
    house: House, city: Lab, witness: Witness
) -> None:
    await city.staffed("1001")
    call = await city.caller().dials("12345")
    await city.seat("1001").rings(within=15, call=call, still=True)
    leg = (await call.id()).partition("-")[2]
    await call.hangs_up()
    await city.seat("1001").ends()
    # by the clock of the Asterisk that is judged: how late the lab's and a busy test hear of it is no matter
    said = await witness.event(
        "the caller said BYE", lambda e: e["Event"] == "HangupRequest" and e["Uniqueid"] == leg, 10
    )
    # what rang 1001 last for this caller, and nothing that ended there for another one
    *_, rang = (
        e["DestChannel"]
        for e in witness.all("DialBegin")
        if e["DestLinkedid"] == leg and e["DestChannel"].startswith("PJSIP/quick-1001-")
    )
    stopped = await witness.event(
        "nobody rings 1001 any more", lambda e: e["Event"] == "Hangup" and e["Channel"] == rang, 10
    )
    assert at(stopped) - at(said) <= 1


CRASHES: dict[str, Manner] = {
    "at once": impostor.dies,
    "in the middle of its answer": impostor.says_half('SET VARIABLE NEXT "queue:wai', and_holds=0),
    "never speaks": impostor.is_silent,
}
LIES: dict[str, Manner] = {
    "unknown place": impostor.says("queue:nowhere"),
    "another city's place": impostor.says("queue:abroad"),
    "another city's place by its full name": impostor.says("other-queue-abroad"),
    "loop": impostor.says("line:main"),
    "oversized answer": impostor.says("queue:" + "a" * 60_000),
    "answer without end": impostor.says_without_end("queue:general "),
    "late answer": impostor.says_late("queue:waits", 2.0),
    "partial line": impostor.says_half('SET VARIABLE NEXT "queue:wai', and_holds=1.5),
    "partial word": impostor.says_half("SET VARIA", and_holds=1.5),
    "dialplan for an answer": impostor.says("queue:waits,1)${SHELL(id)}&System(id"),
}


@pytest.mark.usefixtures("dead")
@pytest.mark.parametrize("how", [*CRASHES, *LIES])
async def test_a_service_that_crashes_or_lies_changes_nothing(
    house: House, city: Lab, witness: Witness, how: str
) -> None:
    await first_seat_talks(city)
    await ask_again(city)
    async with Impostor(house.home.ports.agi, (CRASHES | LIES)[how]) as service:
        found = await served(city, witness)
    assert found.call in service.asked, "the lie was never told"
    assert found.place == "queue:general"
    assert found.by != "service"
    kind = "crashed" if how in CRASHES else "lying"
    assert note(f"{kind}: {how}", found.seconds, OTHERWISE, said(found)) <= OTHERWISE


@pytest.mark.usefixtures("dead")
@pytest.mark.parametrize("first", [None, impostor.dies], ids=["absent", "crashes"])
@awake
async def test_the_next_service_that_the_settings_name_answers_when_the_first_one_is_dead(
    house: House, city: Lab, witness: Witness, first: Manner | None
) -> None:
    await first_seat_talks(city)
    await ask_again(city)
    async with contextlib.AsyncExitStack() as stack:
        if first is not None:
            before = await stack.enter_async_context(Impostor(house.home.ports.agi, first))
        other = await stack.enter_async_context(
            Impostor(house.base + OTHER_SERVICE, impostor.says("queue:general"))
        )
        found = await served(city, witness)
        assert (found.status, found.by, found.place) == ("SUCCESS", "service", "queue:general")
        assert other.asked == [found.call]
        assert first is None or before.asked == [found.call]
        # nobody rests after a question that was answered: the next caller is asked for as well
        again = await city.caller("13900000003").dials("12345")
        id = await again.id()
        told = await witness.event("the question is over", witness.told("asked", id), 15)
        assert (told["Status"], other.asked) == ("SUCCESS", [found.call, id])
        await again.hangs_up()
    assert note("the first service dead, the second asked", found.seconds, OTHERWISE) <= OTHERWISE


@pytest.mark.usefixtures("dead")
@awake
async def test_a_service_that_was_silent_is_asked_last_for_a_while(
    house: House, city: Lab, witness: Witness
) -> None:
    await ask_again(city)
    async with (
        Impostor(house.home.ports.agi, impostor.is_silent) as silent,
        Impostor(house.base + OTHER_SERVICE, impostor.says("queue:waits")) as other,
    ):
        calls = [await is_led_to_the_hint(city, witness, f"the first silent, caller {n}") for n in (1, 2)]
    assert other.asked == calls
    assert silent.asked == calls[:1]


@pytest.mark.usefixtures("dead")
async def test_two_silent_services_cost_no_more_than_one(house: House, city: Lab, witness: Witness) -> None:
    await first_seat_talks(city)
    await ask_again(city)
    async with (
        Impostor(house.home.ports.agi, impostor.is_silent) as first,
        Impostor(house.base + OTHER_SERVICE, impostor.is_silent) as second,
    ):
        found = await served(city, witness)
    assert (found.status, found.by, found.place) == ("SILENT", "failsafe", "queue:general")
    assert first.asked == second.asked == [found.call]
    assert note("both services silent", found.seconds, OTHERWISE, said(found)) <= OTHERWISE


@pytest.mark.usefixtures("dead")
@awake
async def test_a_service_that_was_busy_in_its_share_is_asked_again_in_the_time_that_nobody_else_needs(
    house: House, city: Lab, witness: Witness
) -> None:
    await ask_again(city)
    async with Impostor(house.home.ports.agi, impostor.is_busy_once("queue:waits")) as busy:
        id = await is_led_to_the_hint(city, witness, "the first busy, nobody at the second")
    assert busy.asked == [id, id]


@pytest.mark.usefixtures("dead")
@awake
async def test_a_host_that_swallows_the_connection_costs_one_caller_the_hint_and_the_next_ones_nothing(
    house: House, city: Lab, witness: Witness
) -> None:
    await first_seat_talks(city)
    await ask_again(city)
    async with Impostor(house.base + OTHER_SERVICE, impostor.says("queue:waits")) as other:
        with black_hole(house.home.ports.agi):
            first = await served(city, witness)
            for left in await left_behind(city):
                await witness.event("the one left behind ended", ended(left), 15)
            await the_rest_is_over(city)
            second = await is_led_to_the_hint(city, witness, "the first swallows it, the next caller")
    assert (first.status, first.by, first.place) == ("SILENT", "failsafe", "queue:general")
    assert note("the first swallows it", first.seconds, OTHERWISE, said(first)) <= OTHERWISE
    assert other.asked == [second]


@contextlib.contextmanager
def black_hole(port: int) -> Iterator[None]:
    """Connections to this port are neither made nor refused: the one place in its queue is taken."""
    with socket.create_server(("127.0.0.1", port), backlog=0), contextlib.ExitStack() as stack:
        # one is taken at once, the next ones are given up when the kernel answers nothing
        for _ in range(8):
            taker = stack.enter_context(socket.socket())
            taker.settimeout(0.2)
            try:
                taker.connect(("127.0.0.1", port))
            except TimeoutError:
                break
        yield


def ended(channel: str) -> Fits:
    return lambda e: e["Event"] == "Hangup" and e["Channel"] == channel


@pytest.mark.usefixtures("dead")
@awake
async def test_half_a_line_held_for_ever_does_not_hold_the_caller(
    house: House, city: Lab, witness: Witness
) -> None:
    await first_seat_talks(city, others=2)
    await ask_again(city)
    async with Impostor(house.home.ports.agi, impostor.says_half("SET VARIA", and_holds=60)) as service:
        first = await served(city, witness)
        [left] = await left_behind(city)
        assert left.endswith(";2"), "the half that still reads"
        # its time is over, but what it holds is not: nobody is lost to it a second time
        await ask_again(city)
        second = await served(city, witness)
        assert service.asked == [first.call]
    assert (first.status, first.place, first.by) == ("SILENT", "queue:general", "failsafe")
    assert note("lying: half a line held for ever", first.seconds, OTHERWISE, said(first)) <= OTHERWISE
    assert second.status == "SKIPPED"
    assert note("the next caller meanwhile", second.seconds, FROZEN_NEXT, said(second)) <= FROZEN_NEXT
    # the liar has gone, and what it held has gone with it: the next one is asked again
    await witness.event("the one left behind ended", ended(left), 15)
    await ask_again(city)
    async with Impostor(house.home.ports.agi, impostor.says("queue:waits")) as service:
        third = await city.caller("13900000003").dials("12345")
        id = await third.id()
        asked = await witness.event("the question is over", witness.told("asked", id), 15)
        assert (asked["Status"], asked["By"], asked["Next"]) == ("SUCCESS", "service", "queue:waits")
    await third.hangs_up()


async def left_behind(city: Lab) -> list[str]:
    """Channels that asked for a caller who is not waiting for them any more."""
    rows = await city.house.ask_list("CoreShowChannels")
    return [row["Channel"] for row in rows if "@ask-apart-" in row.get("Channel", "")]


def said(found: Served) -> str:
    return f"{found.status} by {found.by}"
