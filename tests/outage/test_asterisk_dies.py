"""Asterisk killed or frozen: noticed, started again, resynced, seats back."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator

from cti import asterisk_process
from cti.asterisk_process import Missing, Process
from cti.parts import Part, PartState
from lab.scenario import Lab
from tests.house import House
from tests.outage import hands
from tests.outage.measured import note
from tests.outage.test_service_dies import lost
from tests.outage.truth import agree
from tests.outage.witness import Witness

NOTICED = 10.0
"""Seconds in which a link that says nothing is known as dead (issue)."""
SEATS_BACK = 30.0
"""Seconds, by our own measure: the issue only says that they come back."""
FOR_GOOD = 60.0
"""Seconds until a frozen one is given up: 8 questions, each given 3 s, 0.2 or 2 s apart."""
ON_DISK = 20.0
"""Seconds until what Asterisk knows is in its database, on a disk that others write to as well."""
CUT_OFF = "13900000061"
SEATS = ("1001", "1002", "2001", "2002")


async def test_a_frozen_asterisk_is_noticed_within_ten_seconds_and_its_calls_go_on(
    house: House, city: Lab
) -> None:
    await city.staffed(*SEATS)
    await city.seat("2001").will_answer()
    await city.seat("2002").will_answer()
    call = await city.caller().dials("12301")
    await call.reaches()
    asterisk = house.parts()["asterisk"]
    began = time.monotonic()
    with hands.frozen([asterisk]):
        await asyncio.to_thread(
            hands.until, "noticed", lambda: hands.part_ok(house.home, "asterisk") is False, NOTICED
        )
        assert note("frozen Asterisk: noticed", time.monotonic() - began, NOTICED) <= NOTICED
    await asyncio.to_thread(hands.until_ready, house.home)
    assert house.parts()["asterisk"] == asterisk, "a short sleep is no death"
    await agree(house.home, city.house, "quick")
    assert not lost(city, [call])
    await call.hangs_up()


async def test_a_killed_asterisk_is_started_again_resynced_and_has_its_seats_back(house: House) -> None:
    async with Lab(house.home) as before, Witness(house.home):
        await before.staffed(*SEATS)
        await before.seat("2001").will_answer()
        talking = await before.caller().dials("12301")
        await talking.reaches()
        waiting = await before.caller(CUT_OFF).dials("12303")
        await waiting.waits_in("waits")
        ids = {await talking.id(), await waiting.id()}
        # Asterisk's own database is behind by a second: a phone that registered just now would be forgotten
        await asyncio.to_thread(
            hands.until, "registrations are on disk", lambda: registered(house) >= set(SEATS), ON_DISK
        )
        await asyncio.to_thread(hands.until, "who waits is on disk", lambda: waits_on_disk(house), ON_DISK)
        dead, service = house.parts()["asterisk"], house.parts()["service"]
        began = time.monotonic()
        await asyncio.to_thread(hands.kill, dead)
        await asyncio.to_thread(
            hands.until, "noticed", lambda: hands.part_ok(house.home, "asterisk") is False, NOTICED
        )
        note("killed Asterisk: noticed", time.monotonic() - began, NOTICED)
        await asyncio.to_thread(hands.until_ready, house.home)
        note("killed Asterisk: runs and is resynced", time.monotonic() - began, SEATS_BACK)
        # the phones see for themselves that their registrations are gone
        await asyncio.to_thread(
            hands.until, "the seats are back", lambda: ready(house) >= set(SEATS), SEATS_BACK
        )
        note("killed Asterisk: seats are back", time.monotonic() - began, SEATS_BACK)
    assert house.parts()["asterisk"] != dead
    assert house.parts()["service"] == service
    rows = await asyncio.to_thread(hands.until, "history", lambda: ended(house, ids), 15)
    assert all(len(rows[call]) == 1 for call in ids)
    async with Lab(house.home) as after:
        await agree(house.home, after.house, "quick")
        call = await after.caller().dials("12345")
        await after.seat("1001").answers(call)
        await call.hangs_up()
        # whom it died with calls again, after somebody else, and stands first
        other = await after.caller("13900000062").dials("12303")
        await other.waits_in("waits")
        cut_off = await after.caller(CUT_OFF).dials("12303")
        assert (await cut_off.waits_in("waits"))["Position"] == "1"
        for call in (cut_off, other):
            await call.hangs_up()


async def test_an_asterisk_frozen_for_good_is_killed_and_another_one_serves(
    house: House, full_size: bool
) -> None:
    """In full the supervisor's 8 questions, 30 s and more; else 2, by a watch of ours over the same one."""
    async with Lab(house.home) as before:
        await before.staffed(*SEATS)
        # and so would be an agent who got ready just now
        await asyncio.to_thread(
            hands.until, "registrations are on disk", lambda: registered(house) >= set(SEATS), ON_DISK
        )
        await asyncio.to_thread(
            hands.until, "who is ready is on disk", lambda: unpaused(house) >= set(SEATS), ON_DISK
        )
        stuck = house.parts()["asterisk"]
        async with contextlib.nullcontext() if full_size else watched(house, stuck, unanswered=2):
            began = time.monotonic()
            with hands.frozen([stuck]):
                await asyncio.to_thread(hands.until, "it is killed", lambda: not stuck.alive(), FOR_GOOD)
            note("frozen Asterisk: killed", time.monotonic() - began, FOR_GOOD)
        await asyncio.to_thread(hands.until_ready, house.home)
        await asyncio.to_thread(
            hands.until, "the seats are back", lambda: ready(house) >= set(SEATS), SEATS_BACK
        )
    assert house.parts()["asterisk"] != stuck
    async with Lab(house.home) as after:
        await agree(house.home, after.house, "quick")
        call = await after.caller().dials("12345")
        await after.seat("1001").answers(call)
        await call.hangs_up()


@contextlib.asynccontextmanager
async def watched(house: House, asterisk: Process, unanswered: int) -> AsyncIterator[None]:
    """The supervisor sleeps, and what it watches Asterisk with does so for us, with less patience. Afterwards
    it wakes and finds what became of it."""
    heard: asyncio.Queue[PartState] = asyncio.Queue()
    address, secret = ("127.0.0.1", house.home.ports.ami), house.home.secrets["ami_observer"]

    async def answers() -> bool:
        await asterisk_process.ready(address, "observer", secret, within=2.5)
        return True

    def nobody() -> Process:
        raise Missing("the supervisor starts another one", "")

    def told(part: Part, _: str) -> None:
        heard.put_nowait(part.state)

    part = Part("asterisk", nobody, answers, told, unanswered, asterisk)
    with hands.frozen([hands.supervisor(house.home)]):
        async with asyncio.timeout(FOR_GOOD), asyncio.TaskGroup() as group:
            watching = group.create_task(part.run())
            while await heard.get() is not PartState.READY:
                pass
            yield
            watching.cancel()


def registered(house: House) -> set[str]:
    """The seats whose registration would survive a kill."""
    contacts = kept(house, "/registrar/contact/quick-%")
    return {key.rpartition("/")[2].partition(";")[0].removeprefix("quick-") for key in contacts}


def unpaused(house: House) -> set[str]:
    """The seats of which it would survive a kill that they are in a queue and paused in none."""
    # app_queue's own form: interface;penalty;paused;name;…, members apart by |
    members = "|".join(kept(house, "/Queue/PersistentMembers/quick-%").values()).split("|")
    rows = [row for one in members if (row := one.split(";"))[2:]]
    there, paused = (
        {row[0].removeprefix("PJSIP/quick-") for row in rows if row[2] in how} for how in ("01", "1")
    )
    return there - paused


def waits_on_disk(house: House) -> bool:
    """Whether it would survive a kill that this citizen waits."""
    return bool(kept(house, f"/hotline-waits/quick/{CUT_OFF}"))


def kept(house: House, like: str) -> dict[str, str]:
    """Rows of Asterisk's own database whose keys are like that."""
    path = house.home.asterisk / "db/astdb.sqlite3"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return dict(db.execute("select key, value from astdb where key like ?", (like,)))


def ready(house: House) -> set[str]:
    rows = hands.get(house.home, "/api/seats?city=quick") or ()
    return {row["seat"] for row in rows if row["state"] == "ready"}


def ended(house: House, ids: set[str]) -> dict[str, list[dict[str, object]]] | None:
    rows = hands.history(house.home, 0)
    return rows if all(rows.get(call) and rows[call][0]["ended"] for call in ids) else None
