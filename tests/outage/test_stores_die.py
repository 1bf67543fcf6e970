"""Redis, the database and the disk: absent, frozen, full. Callers notice nothing; what is late comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from lab.scenario import Lab
from tests.house import House, ports, running
from tests.live.servers import Server, postgres, redis
from tests.outage import hands
from tests.outage.calling import Served, first_seat_talks, served
from tests.outage.conftest import tidy
from tests.outage.measured import note
from tests.outage.test_service_dies import lost
from tests.outage.truth import agree
from tests.outage.witness import Witness

RING = 3.0
"""Greeting-end to ring, whatever a store does (issue: 3 s when the service is not frozen)."""
NOTICED, BACK = 10.0, 60.0
DISK_MB = 64
SLOW = 0.8
"""Seconds for a row of a slow database."""
REGISTRATION = 90.0
"""Seconds for which the lab's phones register."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A hotline with a Redis and a PostgreSQL of its own; ``small``: its home is a file system of its own."""

    house: House
    redis: Server
    database: Server
    small: bool

    @property
    def home(self) -> Any:
        return self.house.home

    def server(self, part: str) -> Server:
        return {"redis": self.redis, "database": self.database}[part]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, plans: list[Path]) -> Iterator[Stored]:
    folder = tmp_path_factory.mktemp("stored")
    with (
        hands.small_disk(folder, DISK_MB) as small,
        redis() as live,
        postgres() as database,
        ports() as base,
    ):
        # the city outside does not live on our disk
        (folder / "lab").symlink_to(tmp_path_factory.mktemp("lab"))
        # what happens when nothing is left: test_recording_disk.py has the reserve
        settings = f'redis = "{live.url}"\ndatabase = "{database.url}"\nrecording_reserve_mb = 0\n'
        (folder / "settings.toml").write_text(settings)
        # ports that were told by hand are those of the first hotline
        with running(folder, base + 100 * ("CTI_TEST_BASE" in os.environ), plans) as up:
            hands.until_ready(up.home)
            yield Stored(up, live, database, small)


@pytest_asyncio.fixture
async def place(stored: Stored) -> AsyncIterator[Lab]:
    async with Lab(stored.home) as lab:
        yield lab
    await tidy(stored.house)


async def one_call(stored: Stored, place: Lab) -> Served:
    async with Witness(stored.home) as witness:
        await first_seat_talks(place)
        return await served(place, witness)


async def part_is(stored: Stored, part: str, ok: bool, within: float) -> None:
    await asyncio.to_thread(
        hands.until, f"{part} ok={ok}", lambda: hands.part_ok(stored.home, part) is ok, within
    )


async def is_kept(stored: Stored, call: str) -> None:
    """History has this call, once."""

    def row() -> Any:
        rows = hands.history(stored.home, 0).get(call, [])
        return rows if rows and rows[0]["ended"] else None

    assert len(await asyncio.to_thread(hands.until, f"history has {call}", row, BACK)) == 1


@contextlib.contextmanager
def away(server: Server, how: str) -> Iterator[None]:
    if how == "frozen":
        server.tell(signal.SIGSTOP)
        try:
            yield
        finally:
            server.tell(signal.SIGCONT)
    else:
        server.kill()
        yield
        server.start()


@pytest.mark.parametrize("how", ["absent", "frozen"])
@pytest.mark.parametrize("part", ["redis", "database"])
async def test_a_store_that_is_gone_costs_callers_nothing_and_is_caught_up_with(
    stored: Stored, place: Lab, part: str, how: str
) -> None:
    with away(stored.server(part), how):
        found = await one_call(stored, place)
        assert (found.status, found.by) == ("SUCCESS", "service")
        assert note(f"{part} {how}", found.seconds, RING) <= RING
        await agree(stored.home, place.house, "quick")
        await part_is(stored, part, False, NOTICED)
        health = await hands.answer(stored.home, "/healthz")
        assert health["ready"], "a store is not needed for calls"
    await part_is(stored, part, True, BACK)
    await is_kept(stored, found.call)


@contextlib.asynccontextmanager
async def slow(database: Server, seconds: float) -> AsyncIterator[None]:
    """Each row of a call takes PostgreSQL so long to write."""
    link = await asyncpg.connect(host=str(database.folder), user="cti", database="postgres")
    try:
        await link.execute(
            "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$; "
            "CREATE TRIGGER slowly BEFORE INSERT OR UPDATE ON calls FOR EACH ROW EXECUTE FUNCTION slowly()"
        )
        try:
            yield
        finally:
            await link.execute("DROP FUNCTION slowly CASCADE")
    finally:
        await link.close()


def behind(stored: Stored) -> float:
    """Bytes of the journal that history does not have, as a monitor sees it."""
    with urllib.request.urlopen(f"http://127.0.0.1:{stored.home.ports.api}/metrics", timeout=2) as answer:
        [told] = re.findall(r"^hotline_journal_behind_bytes (.*)$", answer.read().decode(), re.MULTILINE)
    return float(told)


async def test_a_slow_database_costs_callers_nothing_and_history_comes_late(
    stored: Stored, place: Lab
) -> None:
    lags: list[float] = []

    async def looks() -> None:
        while True:
            # it may not answer in time on a busy machine: then this look saw nothing
            with contextlib.suppress(OSError):
                lags.append(await asyncio.to_thread(behind, stored))
            await asyncio.sleep(hands.LOOK)

    async with slow(stored.database, SLOW):
        # all the while: for how long its rows are not written yet is a matter of tenths of a second
        looking = asyncio.create_task(looks())
        try:
            found = await one_call(stored, place)
            assert (found.status, found.by) == ("SUCCESS", "service")
            await asyncio.to_thread(
                hands.until, "history is behind", lambda: max(lags, default=0.0) > 0 or looking.done(), BACK
            )
        finally:
            looking.cancel()
            # what it died of, if it did, is told here
            with contextlib.suppress(asyncio.CancelledError):
                await looking
        assert note("database slow", found.seconds, RING) <= RING
        await agree(stored.home, place.house, "quick")
        # it is slow and not away: the call comes while it is
        await is_kept(stored, found.call)
        assert (await hands.answer(stored.home, "/healthz"))["parts"]["database"]["ok"]
    await asyncio.to_thread(hands.until, "history has all", lambda: behind(stored) == 0, BACK)


async def test_a_full_disk_costs_callers_nothing_raises_an_alarm_and_is_written_again(
    stored: Stored, place: Lab, full_size: bool
) -> None:
    await first_seat_talks(place)
    with hands.full_disk(stored.house, stored.small):
        async with Witness(stored.home) as witness:
            found = await served(place, witness)
        assert (found.status, found.by) == ("SUCCESS", "service")
        assert note("disk full", found.seconds, RING) <= RING
        await agree(stored.home, place.house, "quick")
        await part_is(stored, "journal", False, NOTICED)
        health = await hands.answer(stored.home, "/healthz")
        assert health["parts"]["journal"]["text"]
        if full_size:
            # longer than any registration lasts unless the phone can prolong it
            await asyncio.sleep(REGISTRATION + 15)
            async with Witness(stored.home) as witness:
                await served(place, witness)
    pid = stored.house.parts()["service"].pid
    await part_is(stored, "journal", True, BACK)
    # what waited in memory for the disk is written, in order, and nothing is missing
    await is_kept(stored, found.call)
    async with Witness(stored.home) as witness:
        again = await served(place, witness)
    await is_kept(stored, again.call)
    assert stored.house.parts()["service"].pid == pid


async def test_on_a_full_disk_a_killed_service_is_started_again(stored: Stored, place: Lab) -> None:
    if not stored.small:
        pytest.skip("by design: the disk of the whole home cannot be made full by a user who may not mount")
    before = stored.house.parts()["service"]
    with hands.full_disk(stored.house, stored.small):
        hands.kill(before)
        await part_is(stored, "asterisk", True, BACK)
        await first_seat_talks(place)
        async with Witness(stored.home) as witness:
            found = await served(place, witness)
        assert (found.status, found.by) == ("SUCCESS", "service")
        await agree(stored.home, place.house, "quick")
        assert hands.supervisor(stored.home).alive()
    await asyncio.to_thread(hands.until_ready, stored.home)
    await is_kept(stored, found.call)
    # the state file, too, tells the truth again
    await asyncio.to_thread(
        hands.until,
        "a new service is on file",
        lambda: stored.house.parts().get("service", before) != before,
        5,
    )


def delete(home: Path) -> None:
    """All of it but the city outside, which is not ours."""
    for path in home.iterdir():
        if path.name != "lab":
            # Asterisk and service go on writing meanwhile
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


async def test_a_home_deleted_while_it_runs_drops_nobody_and_is_told(stored: Stored, place: Lab) -> None:
    """The last one of this house."""
    talking = await first_seat_talks(place)
    delete(stored.home.root)
    # the supervisor is there, so it says where
    await asyncio.to_thread(hands.until, "it is on file", lambda: stored.house.parts().get("service"), 5)
    async with Witness(stored.home) as witness:
        found = await served(place, witness)
    # with the plan it has: a plan that is gone is not an empty one
    assert (found.status, found.by) == ("SUCCESS", "service")
    assert note("home deleted", found.seconds, RING) <= RING
    assert not lost(place, [talking])
    await agree(stored.home, place.house, "quick")
    health = await hands.answer(stored.home, "/healthz")
    assert (health["ready"], health["parts"]["journal"]["ok"]) == (True, False)
    assert "deleted" in health["parts"]["journal"]["text"]
    # a new journal, and a database that lies elsewhere
    await is_kept(stored, found.call)
