"""Every number that a notice names, dialled: by its own called number, by Diversion and by History-Info,
before and after the dates the notice sets. What is expected is written here from
the notices, not from the plans.

Two cities and a county without lines run in one `cti up`; the trunk decides, and nothing leaks between them.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from cti.speech import shelf, sound
from lab import ears
from lab.clock import today_is
from lab.scenario import Lab
from lab.wire import Event
from tests.freezing import strike
from tests.house import House
from tests.live.cities import city, house
from tests.live.dialled import GREETED, Dialled, Place, wrong
from tests.live.transfer_town import orders, talking, until_gone

__all__ = ["city", "house"]

WAYS = ("own", "diversion", "history")
MAIN = Place("main", "", "general")
ANNOUNCED = Place("main", "announced", "general")
SILENT = Place("main", "silent", "general")
CLOSED = Place("", "closed", "left by system")
EMERGENCY = Place("emergency", "own", "emergency")
NOBODYS = Place("", "", "left by system")

WHOLE = ("12336", "12312", "12356", "96119", "12349")
"""六安, annex 1: 整体并入, §二(一)1 until the end of November 2021; cancelled when the transition ends."""
DUAL = {
    "12329": "fund", "12320": "health", "12315": "market", "12350": "safety", "12385": "disabled",
    "12318": "culture", "12369": "environment", "12328": "transport", "12319": "urban",
}  # fmt: skip
"""六安, annex 2: 双号并行, §二(一)2 until the end of December 2021: own greeting, own seats first."""
CENTRES = ("110", "120", "119", "122")
"""六安, annex 3: 双向联动, §二(一)3 until the end of December 2021."""

BEFORE, BETWEEN, AFTER = date(2021, 11, 30), date(2021, 12, 1), date(2022, 1, 1)
"""Each date of 六安's notice at its edge: the last minutes before the first, then the first of each day."""
JOINED = date(2019, 7, 1)
"""资阳 §四(一): by the end of June 2019."""


def annex(day: date) -> Iterator[Dialled]:
    """Every number of 六安's annex and what the notice says of it on a day."""
    whole = ANNOUNCED if day < BETWEEN else SILENT if day < AFTER else CLOSED
    places = dict.fromkeys(WHOLE, whole)
    for number, queue in DUAL.items():
        places[number] = Place(number, "own", queue) if day >= AFTER else ANNOUNCED
    places["12333"] = Place("12333", "own", "labour") if day >= AFTER else SILENT
    places["12345"] = MAIN
    # numbers the annex leaves open: the carrier delivers a distinct called number
    places["1234580"] = whole
    for number in ("1234571", "1234572", "1234573"):
        places[number] = Place("utility", "own", "utility") if day >= AFTER else SILENT
    for centre in CENTRES:
        places[centre] = places[f"12345{centre}"] = EMERGENCY if day >= AFTER else SILENT
    for number, place in places.items():
        original = number.removeprefix("12345") if number.endswith(CENTRES) else number
        for way in WAYS:
            yield Dialled(number, way, place, original)


@pytest.mark.parametrize("day", [BEFORE, BETWEEN, AFTER], ids=str)
async def test_every_number_of_luans_annex_reaches_what_the_notice_says_on_that_day(
    house: House, city: Lab, day: date
) -> None:
    async with today_is(house.home, day, hour=23 if day == BEFORE else 0):
        assert await wrong(city, annex(day)) == []


@pytest.mark.parametrize("joined", [False, True], ids=["before", "after"])
async def test_ziyangs_three_ways_of_joining_begin_on_their_day(
    house: House, city: Lab, joined: bool
) -> None:
    places = {
        "1234501": Place("beside", "own", "beside") if joined else ANNOUNCED,
        "1234502": Place("forwarded", "own", "forwarded") if joined else ANNOUNCED,
        # a reminder goes on being said; then 12345 answers
        "1234503": ANNOUNCED,
        **dict.fromkeys(("110", "120", "119"), EMERGENCY),
        "12345": MAIN,
    }
    calls = [
        Dialled(number, way, place, number, "ziyang") for number, place in places.items() for way in WAYS
    ]
    async with today_is(house.home, JOINED if joined else date(2019, 6, 30), hour=0 if joined else 23):
        assert await wrong(city, calls) == []


async def test_guangdes_one_number_reaches_a_person(city: Lab) -> None:
    calls = [Dialled("12345", way, MAIN, "12345", "guangde") for way in WAYS]
    assert await wrong(city, calls) == []


async def test_cities_share_numbers_and_the_trunk_alone_decides_whose_call_it_is(
    house: House, city: Lab
) -> None:
    since = len(city.house.events)
    calls = [
        Dialled(number, "own", place, number, name)
        for name, rows in {
            "luan": {"12345": MAIN, "110": EMERGENCY, "12315": Place("12315", "own", "market"),
                     "1234501": NOBODYS},
            "ziyang": {"12345": MAIN, "110": EMERGENCY, "12315": NOBODYS, "1234580": NOBODYS,
                       "1234501": Place("beside", "own", "beside")},
            "guangde": {"12345": MAIN, "110": NOBODYS, "12315": NOBODYS},
        }.items()
        for number, place in rows.items()
    ]  # fmt: skip
    assert await wrong(city, calls * 3) == []
    events = city.house.events[since:]
    assert {event["City"] for event in events if event.get("What") == "arrived"} == {
        "luan",
        "ziyang",
        "guangde",
    }
    rang = [event for event in events if event["Event"] == "AgentCalled"]
    assert rang
    assert [event for event in rang if not _of_one_city(event)] == []


def _dials(phone: str, event: Event) -> bool:
    return event["Event"] == "DialBegin" and event["DestChannel"].startswith(phone)


def _of_one_city(event: Event) -> bool:
    """Whether queue, seat and the caller's account are of the same city."""
    queue, seat = event["Queue"], event["Interface"].removeprefix("PJSIP/")
    return queue.partition("-")[0] == seat.partition("-")[0] == event["AccountCode"].partition("-")[0]


HEARD = {
    "12336 in transition": ("12336", BEFORE, "merged-12336", "greeting"),
    "12315 before its day": ("12315", BEFORE, "merged", "greeting"),
    "12315 on its day": ("12315", AFTER, "greeting-12315", "recording"),
    "12336 when it is cancelled": ("12336", AFTER, "merged-closed", ""),
}


def spoken(folder: Path, name: str) -> Path:
    """A shipped prompt as a wav."""
    path = folder / f"{name}.wav"
    sound.write_wav(path, sound.from_alaw(shelf.sound_of(shelf.catalogue()[name])))
    return path


@pytest.mark.parametrize("name", HEARD)
async def test_the_caller_hears_what_the_row_says(house: House, city: Lab, name: str, tmp_path: Path) -> None:
    number, day, first, then = HEARD[name]
    async with today_is(house.home, day, hour=23 if day == BEFORE else 0):
        call = await city.caller().dials(number)
        await call.hears(spoken(tmp_path, first), within=20)
        if then:
            await call.hears(spoken(tmp_path, then), within=20)
            await call.hangs_up()
        else:
            assert (await call.ends(within=15))["by"] == "far"
    if "greeting" not in (first, then):
        greeting = ears.load(spoken(tmp_path, "greeting"))
        assert not ears.contains(await call.recorded(), greeting)


async def test_a_distinct_called_number_counts_before_a_diversion(house: House, city: Lab) -> None:
    since = len(city.house.events)
    dialled = {
        # called, forwarded from: line, original
        ("12315", "12369"): ("12315", "12369"),
        ("12315", "13900000077"): ("12315", "12315"),
        ("12345110", "12315"): ("emergency", "110"),
        ("12345", "13900000077"): ("main", "13900000077"),
        ("12345", "12345110"): ("emergency", "110"),
        ("99999", "12315"): ("12315", "12315"),
        ("99999", "13900000077"): ("", "13900000077"),
    }
    async with today_is(house.home, AFTER):
        for number, diversion in dialled:
            call = await city.caller().dials(number, diversion=diversion, hear=False)
            await call.id()
            await call.hangs_up()
    arrived = [event for event in city.house.events[since:] if event.get("What") == "arrived"]
    assert [(event["Line"], event["Original"]) for event in arrived] == list(dialled.values())


SEATS = ("1001", "1002", "1003", "1004", "1005", "1006")
"""六安's own, of whom any may answer for a dual number."""
OWN = {
    "12315": "1201", "12369": "1202", "12318": "1203", "12320": "1204", "12350": "1205", "12329": "1206",
    "12319": "1207", "12328": "1208", "12385": "1209",
}  # fmt: skip
"""The seat in which the one of each dual line sits, who was sent to 12345 (六安 §二(一)2)."""


async def rung(city: Lab, numbers: Iterable[str]) -> dict[str, str]:
    """Each number dialled, side by side, and the seat that rings first for it."""

    async def one(at: int, number: str) -> str:
        call = await city.caller(f"1390001{at:04}", "luan").dials(number, hear=False)
        try:
            return str((await call.rings_at(within=GREETED))["phone"])
        finally:
            await call.hangs_up()

    numbers = list(numbers)
    found = await asyncio.gather(*(one(at, number) for at, number in enumerate(numbers)))
    return dict(zip(numbers, found, strict=True))


async def test_a_dual_numbers_own_seat_rings_first_and_12345s_when_it_is_away(
    house: House, city: Lab
) -> None:
    async with today_is(house.home, AFTER):
        await city.staffed(*OWN.values(), *SEATS, city="luan")
        assert await rung(city, OWN) == {number: f"luan-{seat}" for number, seat in OWN.items()}
        await city.staffed(*SEATS, city="luan")
        elsewhere = await rung(city, OWN)
        assert set(elsewhere.values()) <= {f"luan-{seat}" for seat in SEATS}, elsewhere


async def test_numberless_lines_have_seats_of_their_own_that_an_agent_reaches_by_their_queue(
    house: House, city: Lab, tmp_path: Path
) -> None:
    """六安, annex 2, 11 and 12: 设专席."""
    await city.staffed("1001", city="luan")
    talk, call = await talking(city, tmp_path, plan="luan")
    before = "1001"
    for queue, number in (("medical", "1211"), ("business", "1212")):
        own = city.seat(number, city="luan")
        await own.comes_back()
        status, told = await orders(
            house.home, f"/api/seats/luan/{before}/transfer", kind="blind", to=f"queue-{queue}"
        )
        assert status == 200, told
        await call.waits_in(queue)
        await own.rings(within=20, call=call)
        await own.answers(call)
        talk.joins(queue, own)
        await talk.speak(f"at {number}", "caller", queue)
        before = number
    await call.hangs_up()
    assert (await talk.heard())["caller"] == {("at 1211", "medical"), ("at 1212", "business")}


async def test_a_seat_number_that_two_cities_have_is_the_colleague_of_the_agents_own(
    city: Lab, tmp_path: Path
) -> None:
    cities = ("luan", "ziyang")
    for name in (*cities, "guangde"):
        await city.staffed("1001", city=name)
    talks = await asyncio.gather(
        *(talking(city, tmp_path, caller=f"1390000006{at}", plan=name) for at, name in enumerate(cities))
    )
    for name in (*cities, "guangde"):
        await city.seat("1002", name).comes_back()
    since = len(city.house.events)
    for name, (talk, _) in zip(cities, talks, strict=True):
        await talk.parties["agent"].presses("*821002#")
        await city.seat("1002", name).rings(within=10, still=True)
        # a phone rings before Asterisk's word of it is here
        theirs = f"PJSIP/{name}-1002-"
        await city.house.event(f"{theirs} is dialled", partial(_dials, theirs), 10, since)
    dialled = [e["DestChannel"] for e in city.house.events[since:] if e["Event"] == "DialBegin"]
    phones = [channel.rpartition("-")[0] for channel in dialled if channel.startswith("PJSIP/")]
    assert phones == ["PJSIP/luan-1002", "PJSIP/ziyang-1002"]
    for name, (talk, call) in zip(cities, talks, strict=True):
        await until_gone(call, talk.parties["agent"], city.seat("1002", name))


@pytest.mark.parametrize(("day", "queue"), [(BEFORE, "general"), (AFTER, "market")], ids=str)
async def test_an_agent_sends_a_caller_to_another_hotline_by_its_merged_number(
    house: House, city: Lab, tmp_path: Path, day: date, queue: str
) -> None:
    await city.staffed("1001", city="luan")
    async with today_is(house.home, day):
        talk, call = await talking(city, tmp_path, plan="luan")
        await city.seat("1201", city="luan").comes_back()
        await talk.parties["agent"].presses("*8112315#")
        await talk.parties["agent"].ends()
        await call.waits_in(queue)
        if queue == "market":
            own = city.seat("1201", city="luan")
            ring = await own.rings(within=20, call=call)
            assert ring["original"] == "12345", "what the citizen dialled stays on the call"
            await own.answers(call)
            talk.joins("target", own)
            await talk.speak("after", "caller", "target")
        await call.hangs_up()
    if queue == "market":
        assert (await talk.heard())["caller"] == {("after", "target")}


async def test_nobody_is_sent_to_a_merged_number_that_is_cancelled(
    house: House, city: Lab, tmp_path: Path
) -> None:
    await city.staffed("1001", city="luan")
    async with today_is(house.home, AFTER):
        talk, call = await talking(city, tmp_path, plan="luan")
        status, told = await orders(house.home, "/api/seats/luan/1001/transfer", kind="blind", to="12336")
        assert status == 409, told
        await talk.speak("after", "caller", "agent")
        await call.hangs_up()
    assert (await talk.heard())["caller"] == {("after", "agent")}


async def test_a_day_begins_while_the_service_is_frozen(house: House, city: Lab) -> None:
    service = house.parts()["service"]
    before = [Dialled("12315", way, ANNOUNCED, "12315") for way in WAYS]
    after = [Dialled("12315", way, Place("12315", "own", "market"), "12315") for way in WAYS]
    # stopped and not killed: the supervisor would start another one within the second
    strike(service.pid, signal.SIGSTOP)
    try:
        async with today_is(house.home, date(2021, 12, 31), hour=23):
            assert await wrong(city, before) == []
        async with today_is(house.home, AFTER, hour=0):
            assert await wrong(city, after) == []
    finally:
        service.signal(signal.SIGCONT)
