"""Seats outlive their supporting cast: a service that is stopped or killed, an Asterisk that restarts."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest

from calls.orders import Pause
from cti import asterisk_process
from lab.scenario import Lab
from tests.house import House, house_with, stopped_service
from tests.live.seat_town import GREETED, WRAP_UP, codes, member, order, plan_at, seat_is, told
from tests.live.test_recordings import until
from tests.outage.test_asterisk_dies import kept

BACK = 30.0
"""Seconds a killed part has to be back and linked."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("restarts")
    with house_with(folder, plan_at(folder)) as up:
        yield up


async def asterisk_restarts(house: House, how: signal.Signals) -> None:
    """Send the signal and wait until another Asterisk of this home is ready."""
    before = house.parts()["asterisk"]
    before.signal(how)
    async with asyncio.timeout(BACK):
        while house.parts().get("asterisk", before) == before:  # noqa: ASYNC110  # another process: that there is a new one shows only in its pid file
            await asyncio.sleep(0.05)
    ami = ("127.0.0.1", house.home.ports.ami)
    await asterisk_process.ready(ami, "observer", house.home.secrets["ami_observer"])


async def paused_in(city: Lab, seat: str, value: str, within: float = 10.0, since: int = 0) -> None:
    """app_queue's own word on this seat in queue general."""
    await city.house.event(
        f"{seat} paused={value}",
        lambda e: (
            e["Event"] == "QueueMemberPause"
            and e.get("MemberName") == f"demo-{seat}"
            and e.get("Queue") == "demo-general"
            and e.get("Paused") == value
        ),
        within,
        since,
    )


async def test_every_code_works_while_the_service_is_stopped(house: House, city: Lab) -> None:
    await city.staffed("1001", "1002")
    async with stopped_service(house):
        await codes(city, "1001", "*12")
        await told(city, "seat", Seat="1001", Did="out", Ok="yes")
        assert await member(city, "1001") is None
        await codes(city, "1001", "*118001")
        await told(city, "seat", Seat="1001", Agent="8001", Did="in", Ok="yes")
        assert (await member(city, "1001") or {})["Paused"] == "0"
        await codes(city, "1001", "*144")
        assert (await member(city, "1001") or {})["PausedReason"] == "training"
        await codes(city, "1001", "*13")
        assert (await member(city, "1001") or {})["Paused"] == "0"
        await codes(city, "1001", "*15")
        await codes(city, "1002", "*12")
    # what it slept through it knows when it wakes
    await seat_is(house.home, "1001", within=BACK, state="ready", agent="8001")
    await seat_is(house.home, "1002", within=BACK, state="away", agent="")


async def test_wrap_up_begins_and_ends_while_the_service_is_stopped(house: House, city: Lab) -> None:
    await city.staffed("1001")
    async with stopped_service(house):
        call = await city.caller().dials("12345")
        await city.seat("1001").answers(call, within=GREETED + 5)
        await call.talks()
        since = len(city.house.events)
        await call.hangs_up()
        await paused_in(city, "1001", "1", since=since)
        assert (await member(city, "1001") or {})["PausedReason"].startswith("wrapup:")
        await paused_in(city, "1001", "0", within=WRAP_UP + 4, since=since)
    await seat_is(house.home, "1001", within=BACK, state="ready")


async def test_a_killed_service_comes_back_to_the_same_seats(house: House, city: Lab) -> None:
    await city.staffed("1001", "1002")
    await order(house.home, Pause(city="demo", seat="1001", reason="meeting"))
    await seat_is(house.home, "1001", state="paused", paused="meeting", agent="8001")
    house.parts()["service"].signal(signal.SIGKILL)
    # while it is gone somebody else sits down at 1002
    await codes(city, "1002", "*118003")
    await seat_is(house.home, "1002", within=BACK, state="ready", agent="8003")
    await seat_is(house.home, "1001", state="paused", paused="meeting", agent="8001")
    await codes(city, "1002", "*118002")


async def test_a_killed_asterisk_comes_back_with_its_seats_and_a_stale_wrap_up_ends(house: House) -> None:
    home = house.home
    async with Lab(home) as city:
        await city.staffed("1001", "1002")
        await order(home, Pause(city="demo", seat="1002", reason="lunch"))
        call = await city.caller().dials("12345")
        await city.seat("1001").answers(call, within=GREETED + 5)
        await call.talks()
        await call.hangs_up()
        await seat_is(home, "1001", state="wrap-up")
        later = await city.caller().dials("12345")
        await later.waits_in("general", within=GREETED)
        # AstDB is written once a second, and later on a busy machine
        await until(
            "both are on disk", lambda: on_disk(house), lambda told: "lunch" in told and "wrapup:" in told
        )
        await asterisk_restarts(house, signal.SIGKILL)
    await seat_is(home, "1002", within=BACK, state="paused", paused="lunch", agent="8002")
    await seat_is(home, "1001", within=BACK, state="ready", agent="8001", paused="")
    async with Lab(home) as city:
        await _takes_a_call(city)


async def test_a_seat_paused_for_a_wrap_up_that_asterisk_forgot_is_made_ready(house: House) -> None:
    """What a kill in the moment of its end left on disk: the key gone, the member still paused."""
    async with Lab(house.home) as city:
        await city.staffed("1001")
        await _takes_a_call(city)
        await seat_is(house.home, "1001", state="wrap-up")
        assert "removed" in house.asterisk_cli("database del hotline-wrapup demo-1001")
        assert (await member(city, "1001") or {})["PausedReason"].startswith("wrapup:")
        await seat_is(house.home, "1001", within=BACK, state="ready", agent="8001", paused="")


async def test_with_asterisk_restarted_and_no_service_the_next_caller_ends_a_stale_wrap_up(
    house: House,
) -> None:
    home = house.home
    async with Lab(home) as city:
        await city.staffed("1001")
        call = await city.caller().dials("12345")
        await city.seat("1001").answers(call, within=GREETED + 5)
        await call.talks()
        await call.hangs_up()
        await seat_is(home, "1001", state="wrap-up")
    async with stopped_service(house):
        # a proper end writes AstDB
        await asterisk_restarts(house, signal.SIGTERM)
        async with Lab(home) as city:
            assert (await member(city, "1001") or {})["PausedReason"].startswith("wrapup:")
            await _takes_a_call(city)
    await seat_is(home, "1001", within=BACK + WRAP_UP, state="ready", agent="8001")


def on_disk(house: House) -> str:
    """What app_queue would know of queue general's members after a kill."""
    return "".join(kept(house, "/Queue/PersistentMembers/demo-general").values())


async def _takes_a_call(city: Lab) -> None:
    """Seat 1001 is rung for a caller and answers; its phone may have to register again first."""
    call = await city.caller().dials("12345")
    await city.seat("1001").answers(call, within=GREETED + WRAP_UP + 10)
    await call.talks()
    await call.hangs_up()
