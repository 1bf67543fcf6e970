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

from lab import sipp
from lab.babble import babble, babble_file
from lab.client import NotDone
from lab.parties import Call
from lab.scenario import Lab
from lab.wav import write
from tests.house import House
from tests.live.desk_town import Person
from tests.live.seat_town import told
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
    """Twenty calls of ours, two in each phase and four that end, and two of a peer that holds them."""

    greeting: list[Call] = field(default_factory=list)
    choosing: list[Call] = field(default_factory=list)
    waiting: list[Call] = field(default_factory=list)
    offered: list[Call] = field(default_factory=list)
    """They pressed the key and are asked to confirm their number."""
    ringing: list[Call] = field(default_factory=list)
    talking: list[Call] = field(default_factory=list)
    leaving: list[Call] = field(default_factory=list)
    """They speak into the last message."""
    ending: list[Call] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    """Ids of the peer's calls."""

    def staying(self) -> list[Call]:
        phases = (self.choosing, self.waiting, self.offered, self.ringing, self.talking, self.leaving)
        return [*self.greeting, *(call for phase in phases for call in phase)]

    def all(self) -> list[Call]:
        return [*self.staying(), *self.ending]


HOLDER = "13918888888"
"""Who is held: SIPp, which puts a call on hold as a phone does."""
HELD = 2


async def twenty_calls(city: Lab, mumbling: Path, speaking: list[asyncio.Task[None]]) -> Twenty:
    """Dial them so that each stays in its phase; those in the greeting come last. ``speaking``: who goes on
    saying something."""

    async def some(number: str, many: int = 2) -> list[Call]:
        # no two calls have one number: it is what the lab's list and history are compared by
        return [await city.caller(f"1391{number}{n:02}").dials(number) for n in range(many)]

    calls = Twenty()
    calls.ending = await some("12301", 4)
    calls.talking = [await city.caller(f"139112301{n}").dials("12301") for n in (10, 11)]
    await asyncio.gather(*(call.reaches() for call in (*calls.talking, *calls.ending)))
    calls.ringing = await some("12302", 4)
    await asyncio.gather(*(call.rings_at() for call in calls.ringing))
    calls.waiting, calls.offered = await some("12303"), await some("12308")
    await asyncio.gather(*(call.waits_in("waits") for call in calls.waiting))
    calls.leaving, calls.choosing = await some("12307"), await some("12306")
    await asyncio.gather(*(call.is_answered() for call in (*calls.leaving, *calls.choosing)))
    # three seconds of silence would end a message
    speaking += [asyncio.create_task(call.says(mumbling, within=200)) for call in calls.leaving]
    for call in calls.offered:
        await call.waits_in("offers")
        await call.presses("1")
        await told(city, "queued-out", Call=await call.id(), Status="KEY")
    calls.greeting = await some("12304")
    await asyncio.gather(*(call.is_answered() for call in calls.greeting))
    return calls


@pytest.fixture(scope="module")
def mumbling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice that goes on for as long as a service needs to come back."""
    return babble_file(tmp_path_factory.mktemp("mumbling"), 7, 150.0)


@pytest.mark.timeout(600)
async def test_a_killed_service_drops_nobody_and_knows_everything_again(
    house: House, city: Lab, witness: Witness, full_size: bool, mumbling: Path, tmp_path: Path
) -> None:
    chance = random.Random(12345)
    for number in range(10 if full_size else 1):
        speaking: list[asyncio.Task[None]] = []
        try:
            await one_round(house, city, witness, chance, mumbling, tmp_path / str(number), speaking)
        finally:
            for one in speaking:
                one.cancel()
            await asyncio.gather(*speaking, return_exceptions=True)


async def one_round(
    house: House,
    city: Lab,
    witness: Witness,
    chance: random.Random,
    mumbling: Path,
    folder: Path,
    speaking: list[asyncio.Task[Any]],
) -> None:
    before, began_at, dialled_since = len(witness.events), time.time(), city.client.count
    await city.staffed(*TALKERS, *BELLS)
    for seat in TALKERS:
        await city.seat(seat).will_answer()
    peer = sipp.call(
        sipp.caller(hold_ms=500, held_ms=300_000, talk_ms=200),
        folder,
        number="12301",
        house=house.base,
        port=house.base + 60,
        calls=HELD,
        caller_number=HOLDER,
        within=400,
    )
    holding = asyncio.create_task(peer)
    speaking.append(holding)
    calls = await twenty_calls(city, mumbling, speaking)
    await asyncio.to_thread(hands.until, "the peer holds its calls", lambda: held(witness, before), 20)
    calls.held = held(witness, before)
    born_dead: list[Call] = []

    async def kill() -> None:
        await asyncio.to_thread(hands.kill, house.parts()["service"])
        # two more come while there is no service
        for number in ("12301", "12303"):
            born_dead.append(await city.caller(f"1391{number}99").dials(number))

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
    assert set(truth["calls"]) == {await call.id() for call in staying} | calls.held
    assert {"talking", "ringing", "waiting", "greeted"} <= set(truth["calls"].values())

    # life goes on: a phone that rings is answered, a caller who waits is answered
    await city.seat("4001").comes_back()
    await city.seat("4001").answers()
    await city.seat("3001").answers()
    await agree(house.home, city.house, "quick")
    assert not lost(city, staying), "callers were dropped"
    for call in staying:
        await call.hangs_up()
    assert not holding.done(), "the peer's calls ended before anybody hung up"
    # the peer is still held: the seats that talked with it hang up
    for leg in talking_seats(city):
        with contextlib.suppress(NotDone):  # its caller's hang-up has just reached it
            await city.client.ask("hang_up", leg=leg)
    await city.quiet()
    await agree(house.home, city.house, "quick")

    ids = {await call.id() for call in (*calls.all(), *born_dead)} | calls.held
    came = {e["Call"] for e in witness.events[before:] if e.get("What") == "arrived"}
    assert ids == came, "Asterisk knows other calls than the lab"
    lines = city.client.lines(dialled_since)
    mine = [x["caller"] for x in lines if x["what"] == "sent" and x["kind"] == "citizen"] + [HOLDER] * HELD
    assert len(mine) == len(ids) == 24
    rows = await asyncio.to_thread(
        hands.until, "history is complete", lambda: whole(house, ids, began_at), 15
    )
    # as the list tells them: nothing here makes two rows of one call into one
    assert sorted(row["caller"] for row in rows) == sorted(mine)
    assert sorted(row["call"] for row in rows) == sorted(ids)
    met = {e["Uniqueid"] for e in witness.events[before:] if e["Event"] == "AgentConnect"}
    answered = {row["call"] for row in rows if row["answered"] is not None}
    assert answered == {call for call in ids if call.partition("-")[2] in met}


def held(witness: Witness, since: int) -> set[str]:
    """Ids of the calls that the peer holds, when it holds all of them."""
    events = witness.events[since:]
    mine = {e["Call"] for e in events if e.get("What") == "arrived" and e.get("Caller") == HOLDER}
    on_hold = {e.get("AccountCode") for e in events if e["Event"] == "Hold"}
    return mine if len(mine) == HELD and mine <= on_hold else set()


def talking_seats(city: Lab) -> list[str]:
    """Legs of seats that have answered and not ended."""
    seats = [x for x in city.client.lines() if x["kind"] == "seat"]
    over = {x["leg"] for x in seats if x["what"] == "ended"}
    return [x["leg"] for x in seats if x["what"] == "answered" and x["leg"] not in over]


def lost(city: Lab, calls: list[Call]) -> list[str]:
    """Whose line was ended, by whomever."""
    legs = {call.leg for call in calls}
    return [x["caller"] for x in city.client.lines() if x["what"] == "ended" and x["leg"] in legs]


def whole(house: House, ids: set[str], since: float) -> list[dict[str, Any]] | None:
    """Every row of the time since then, once all of these calls are among them and over."""
    rows = hands.get(house.home, f"/api/history/calls?from={since:.3f}&city=quick&limit=1000", 5.0)
    over = {row["call"] for row in rows or () if row["ended"]}
    return list(rows) if ids <= over else None


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
    seats = await hands.answer(house.home, "/api/seats?city=quick")
    assert [(s["state"], s["paused"]) for s in seats if s["seat"] == "2001"] == [("paused", "forced")]
    # nobody who does not know claims to know: not when the next service has read all that was written
    status, answer = await chief.orders("seats/2001/ready", city="quick")
    assert status == 200, answer
    await chief.audited(id=answer["audit"], outcome="done")
    assert await chief.audited(id=begun["id"]) == begun
