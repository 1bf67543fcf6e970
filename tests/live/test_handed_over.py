"""A centre hands a caller over: known by trunk or number, first in the queue, with case and story. And what a
merged number leaves behind on the call, the recording, the history and the ledger."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from cti.home import Home
from lab import sipp
from lab.clock import today_is
from lab.scenario import Lab
from lab.wire import Event
from tests.house import House
from tests.live.cities import city, house
from tests.live.test_recordings import filed
from tests.live.transfer_town import orders

__all__ = ["city", "house"]

CASE, STORY = "JJ-20261121-0042", "六安路与淮河路口，两车追尾，无人受伤，当事人要求协调。"
POLICE = "127.0.0.3"
"""The lab's address for 六安's second trunk, the police's."""
CARRIER = "127.0.0.2"
GREETED = 30.0


async def asked(home: Home, path: str) -> Any:
    """The service's answer to the operator."""
    headers = {"Authorization": f"Bearer {home.tokens['operator']}"}
    url = f"http://127.0.0.1:{home.ports.api}/api/{path}"
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
        session.get(url, headers=headers) as answer,
    ):
        return await answer.json()


async def arrived(lab: Lab, since: int) -> Event:
    return await lab.house.event("a call arrives", lambda e: e.get("What") == "arrived", 10, since)


@pytest.mark.parametrize("source", [POLICE, CARRIER], ids=["the centre's trunk", "a carrier's trunk"])
async def test_case_and_story_come_to_the_screen_from_a_centre_and_from_nobody_else(
    house: House, city: Lab, tmp_path: Path, source: str
) -> None:
    since = len(city.house.events)
    scenario = sipp.caller(
        headers=[f"X-Hotline-Case: {CASE}", f"X-Hotline-Story: {quote(STORY)}"], talk_ms=12_000
    )
    calling = asyncio.create_task(
        sipp.call(scenario, tmp_path, number="12345", house=house.base, source=source, port=house.base + 60)
    )
    event = await arrived(city, since)
    await city.house.event(
        "it waits",
        lambda e: e["Event"] == "QueueCallerJoin" and e["AccountCode"] == event["Call"],
        GREETED,
        since,
    )
    call = await asked(house.home, f"calls/{event['Call']}")
    believed = source == POLICE
    assert (call["centre"], call["case"], call["story"]) == (
        ("110", CASE, STORY) if believed else ("", "", "")
    )
    assert (call["line"], call["original"]) == (("emergency", "110") if believed else ("main", "12345"))
    assert (await calling).well == 1


async def test_a_centre_is_known_by_its_calling_number_too(city: Lab) -> None:
    since = len(city.house.events)
    call = await city.caller("119", "luan").dials("12345", hear=False)
    event = await arrived(city, since)
    await call.hangs_up()
    assert (event["Line"], event["Centre"], event["Original"]) == ("emergency", "119", "119")


async def test_a_handed_over_caller_is_answered_before_those_who_wait_for_the_same_seat(city: Lab) -> None:
    await city.staffed("1001", city="luan")
    seat = city.seat("1001", city="luan")
    talking = await city.caller("13900000001", "luan").dials("12345", hear=False)
    await seat.rings(within=GREETED, call=talking)
    seat_answers = asyncio.create_task(seat.answers(talking))
    waiting = await city.caller("13900000002", "luan").dials("12345", hear=False)
    await seat_answers
    await waiting.waits_in("general", within=GREETED)
    handed = await city.caller("110", "luan").dials("12345", hear=False, trunk="police")
    await handed.waits_in("emergency", within=GREETED)
    await seat.hangs_up()
    line = await seat.rings(within=15, call=None)
    assert line["caller_sip_call"] == handed.sip_call
    await handed.hangs_up()
    await waiting.hangs_up()


async def test_the_number_a_citizen_dialled_stays_on_call_recording_history_and_ledger(
    house: House, city: Lab
) -> None:
    await city.staffed("1001", city="luan")
    seat = city.seat("1001", city="luan")
    async with today_is(house.home, date(2021, 12, 5)):
        call = await city.caller("13900000012", "luan").dials("12345", diversion="12336", hear=False)
        ring = await seat.rings(within=GREETED, call=call)
        await seat.answers(call)
        await call.talks()
        assert ring["original"] == "12336"
        name = await call.id()
        now = await asked(house.home, f"calls/{name}")
        await call.hangs_up()
    assert (now["line"], now["called"], now["original"]) == ("main", "12345", "12336")
    past: dict[str, Any] = {}
    async with asyncio.timeout(15):
        # the journal drains when it has time, and more than once in a call; nobody is told
        while not past.get(name, {}).get("ended"):
            await asyncio.sleep(0.2)
            past = {row["call"]: row for row in await asked(house.home, "history/calls?limit=50")}
    assert past[name]["original"] == "12336"
    assert past[name]["recorded"]
    assert list(house.home.recordings.rglob(f"{name}/*.wav"))
    kept = await filed(house, name, legs=2)
    assert {(row["role"], row["line"], row["original"]) for row in kept} == {
        ("caller", "main", "12336"), ("seat", "main", "12336"),
    }  # fmt: skip
    for number, legs in (("12336", {row["leg"] for row in kept}), ("12312", set())):
        found = house.cti("recordings", "list", name, "--original", number, "--json")
        assert {row["leg"] for row in json.loads(found.stdout)} == legs
    status, ticket = await orders(house.home, "/api/tickets", call=name, fields={"title": "占地"})
    assert (status, ticket["original"], ticket["line"]) == (201, "12336", "main"), ticket
    rows = (await asked(house.home, "ledger?by=original&city=luan"))["rows"]
    assert [row["answered"] for row in rows if row["key"] == "luan/12336"] == [1]
    recounted = (house.home.asterisk / "log/cdr-csv/Master.csv").read_text()
    assert "luan/main/12336/carrier/12345/" in recounted
