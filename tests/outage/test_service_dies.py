"""kill -9 of the service during twenty calls in every phase: nobody is dropped, nothing is forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lab.babble import babble
from lab.parties import Call
from lab.scenario import Lab
from lab.wav import write
from tests.house import House
from tests.live.desk_town import Person
from tests.outage import hands
from tests.outage.measured import note
from tests.outage.truth import agree
from tests.outage.witness import Witness

TALKERS = ("2001", "2002", "2003", "2004", "2005", "2006", "2007", "2008")
BELLS = ("3001", "3002", "3003", "3004")
WORDS = 6.0
"""Seconds in which somebody speaks."""
BACK_WITHIN = 45.0
"""Seconds in which a service is there again and shows the truth. The issue bounds it not; no caller waits."""


@dataclass(slots=True)
class Twenty:
    """Twenty calls, four in each phase."""

    greeting: list[Call] = field(default_factory=list)
    waiting: list[Call] = field(default_factory=list)
    ringing: list[Call] = field(default_factory=list)
    talking: list[Call] = field(default_factory=list)
    ending: list[Call] = field(default_factory=list)

    def staying(self) -> list[Call]:
        return [*self.greeting, *self.waiting, *self.ringing, *self.talking]

    def all(self) -> list[Call]:
        return [*self.staying(), *self.ending]


async def twenty_calls(city: Lab) -> Twenty:
    """Dial them so that each stays in its phase; those in the greeting come last."""
    await city.staffed(*TALKERS, *BELLS)
    for seat in TALKERS:
        await city.seat(seat).will_answer()

    async def four(number: str) -> list[Call]:
        return [await city.caller(f"1391{number}{n:02}").dials(number) for n in range(4)]

    calls = Twenty()
    calls.talking, calls.ending = await four("12301"), await four("12301")
    await asyncio.gather(*(call.reaches() for call in (*calls.talking, *calls.ending)))
    calls.ringing = await four("12302")
    await asyncio.gather(*(call.rings_at() for call in calls.ringing))
    calls.waiting = await four("12303")
    await asyncio.gather(*(call.waits_in("waits") for call in calls.waiting))
    calls.greeting = await four("12304")
    await asyncio.gather(*(call.is_answered() for call in calls.greeting))
    return calls


@pytest.mark.timeout(600)
async def test_a_killed_service_drops_nobody_and_knows_everything_again(
    house: House, city: Lab, witness: Witness, full_size: bool
) -> None:
    chance = random.Random(12345)
    for _ in range(10 if full_size else 1):
        await one_round(house, city, witness, chance)


async def one_round(house: House, city: Lab, witness: Witness, chance: random.Random) -> None:
    before = len(witness.events)
    calls = await twenty_calls(city)
    born_dead: list[Call] = []

    async def kill() -> None:
        await asyncio.to_thread(hands.kill, house.parts()["service"])
        # two more come while there is no service
        for number in ("12301", "12303"):
            born_dead.append(await city.caller("13919999999").dials(number))

    # half of the endings before the kill, half after it, in an order that the seed decides
    endings: list[Callable[[], Awaitable[Any]]] = [call.hangs_up for call in calls.ending]
    chance.shuffle(endings)
    began = time.monotonic()
    await asyncio.gather(endings[0](), endings[1](), kill(), endings[2](), endings[3]())

    await asyncio.to_thread(hands.until_ready, house.home, BACK_WITHIN)
    note("killed service: runs and is well", time.monotonic() - began, BACK_WITHIN)
    truth = await agree(house.home, city.house, "quick")
    note("killed service: the picture is Asterisk's truth again", time.monotonic() - began, BACK_WITHIN)
    staying = [*calls.staying(), *born_dead]
    assert not lost(city, staying), "callers were dropped"
    assert set(truth["calls"]) == {await call.id() for call in staying}
    assert {"talking", "ringing", "waiting"} <= set(truth["calls"].values())

    # life goes on: a phone that rings is answered, a caller who waits is answered
    await city.seat("4001").comes_back()
    await city.seat("4001").answers()
    await city.seat("3001").answers()
    await agree(house.home, city.house, "quick")
    assert not lost(city, staying), "callers were dropped"
    for call in staying:
        await call.hangs_up()
    await city.quiet()
    await agree(house.home, city.house, "quick")

    ids = {await call.id() for call in (*calls.all(), *born_dead)}
    assert len(ids) == 22
    came = {e["Call"] for e in witness.events[before:] if e.get("What") == "arrived"}
    assert ids == came, "Asterisk knows other calls than the lab"
    rows = await asyncio.to_thread(hands.until, "history is complete", lambda: whole(house, ids), 15)
    assert {call: len(rows[call]) for call in ids} == dict.fromkeys(ids, 1)
    met = {e["Uniqueid"] for e in witness.events[before:] if e["Event"] == "AgentConnect"}
    answered = {call for call in ids if rows[call][0]["answered"] is not None}
    assert answered == {call for call in ids if call.partition("-")[2] in met}


def lost(city: Lab, calls: list[Call]) -> list[str]:
    """Whose line was ended, by whomever."""
    legs = {call.leg for call in calls}
    return [x["caller"] for x in city.client.lines() if x["what"] == "ended" and x["leg"] in legs]


def whole(house: House, ids: set[str]) -> dict[str, list[dict[str, Any]]] | None:
    rows = hands.history(house.home, 0)
    return rows if all(rows.get(call) and rows[call][0]["ended"] for call in ids) else None


async def test_what_a_phone_did_with_its_hold_button_while_the_service_was_dead_is_known_when_it_is_back(
    house: House, city: Lab, tmp_path: Path
) -> None:
    """No event and no list of Asterisk tells who holds: each phone that talks is asked."""
    write(tmp_path / "words.wav", babble(1, WORDS))
    await city.staffed("2001")
    call, seat = await city.caller("13911110021").dials("12301"), city.seat("2001")
    await seat.answers(call)
    await call.talks()
    await seat.holds()
    with hands.without_service(house):
        await seat.resumes()
    await call.says(tmp_path / "words.wav")
    with hands.without_service(house):
        await seat.holds()
    await call.says(tmp_path / "words.wav")
    id = await call.id()
    await call.hangs_up()
    stint = await asyncio.to_thread(hands.until, "its stint is over", lambda: stint_of(house, id), 20)
    assert stint["talk"] > WORDS - 0.5, stint
    assert stint["hold"] > WORDS - 0.5, stint


def stint_of(house: House, call: str) -> dict[str, float] | None:
    with contextlib.closing(sqlite3.connect(house.home.database)) as base:
        base.row_factory = sqlite3.Row
        rows = base.execute("SELECT talk, hold FROM stints WHERE call = ? AND ended IS NOT NULL", (call,))
        found = rows.fetchone()
    return None if found is None else dict(found)


async def test_a_service_told_to_end_is_back_by_itself_and_drops_nobody(house: House, city: Lab) -> None:
    await city.staffed("2001")
    call = await city.caller().dials("12301")
    await city.seat("2001").answers(call)
    service = house.parts()["service"]
    service.signal(15)
    await asyncio.to_thread(hands.until, "it has ended", lambda: not service.alive(), 10)
    await asyncio.to_thread(hands.until_ready, house.home, BACK_WITHIN)
    await agree(house.home, city.house, "quick")
    assert not lost(city, [call])
    await call.hangs_up()


async def test_a_service_killed_in_the_middle_of_an_order_leaves_it_begun_and_shows_what_became_of_it(
    house: House, city: Lab
) -> None:
    await city.staffed("2001")
    chief = Person(house.home, house.home.tokens["operator"])
    # Asterisk is asked and cannot answer: the order is in the middle for as long as this lasts
    with hands.frozen([house.parts()["asterisk"]]):
        ordered = asyncio.create_task(chief.orders("seats/2001/pause", city="quick", reason="forced"))
        begun = await chief.audited(did="pause", on="seat 2001")
        assert (begun["outcome"], begun["ended"]) == ("begun", None)
        await asyncio.to_thread(hands.kill, house.parts()["service"])
        with pytest.raises(aiohttp.ClientError):
            await ordered
    await asyncio.to_thread(hands.until_ready, house.home, BACK_WITHIN)
    # it had reached Asterisk before we died
    members = await city.house.ask_list("QueueStatus", Queue="quick-talks", Member="quick-2001")
    assert [(m["Paused"], m["PausedReason"]) for m in members if m["Event"] == "QueueMember"] == [
        ("1", "forced")
    ]
    seats = await asyncio.to_thread(hands.get, house.home, "/api/seats?city=quick")
    assert [(s["state"], s["paused"]) for s in seats if s["seat"] == "2001"] == [("paused", "forced")]
    # nobody who does not know claims to know: not when the next service has read all that was written
    status, answer = await chief.orders("seats/2001/ready", city="quick")
    assert status == 200, answer
    await chief.audited(id=answer["audit"], outcome="done")
    assert await chief.audited(id=begun["id"]) == begun
