"""Mixed calls, the service killed twice: ledger, Asterisk's own files and phones agree on all of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.truth.rows import Row, ledger_rows
from lab.client import Client
from lab.mixed import Mixed, Tally
from lab.witness import compare, seen
from tests.house import House, ports, running
from tests.live.mixed_plan import mixed_plan

FEW, MANY = 60, 2000
SEED = int(os.environ.get("CTI_MIXED_SEED", "20261121"))
KILLED_AT = (0.3, 0.65)
"""The service is killed when this share of the calls is over."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A hotline of its own: short voices, short rings."""
    folder, home = tmp_path_factory.mktemp("plan"), tmp_path_factory.mktemp("home")
    plan = mixed_plan(folder)
    with ports() as base, running(home, base, [plan]) as up:
        yield up


class Night:
    """Kills the service at the given shares of all calls."""

    def __init__(self, house: House, calls: int) -> None:
        self._house = house
        self._due = [share * calls for share in KILLED_AT]
        self.kills: list[float] = []

    def __call__(self, tally: Tally) -> None:
        if self._due and tally.over >= self._due[0]:
            self._due.pop(0)
            # the supervisor starts it again by itself
            self._house.parts()["service"].signal(signal.SIGKILL)
            self.kills.append(time.time())


@pytest.fixture(scope="module")
def night(town: House, full_size: bool) -> tuple[Tally, Night, float, float]:
    """The calls are made once; what the tests compare is what they left."""
    calls = MANY if full_size else FEW
    killing = Night(town, calls)

    async def calls_made() -> Tally:
        async with Client(town.home) as client:
            return await Mixed(client, calls, 2.0, SEED, killing).run()

    began = time.time() - 1
    tally = asyncio.run(calls_made())
    return tally, killing, began, time.time() + 1


pytestmark = pytest.mark.timeout(3000)


def test_every_call_was_made_and_the_service_died_twice(night: tuple[Tally, Night, float, float]) -> None:
    tally, killing, _, _ = night
    assert tally.refused == 0
    assert tally.over == tally.made
    assert len(killing.kills) == 2
    assert min(tally.left.values()) > 0, "every kind of caller took part"
    assert 0 < tally.reached < tally.over


def test_the_ledger_says_what_queue_log_and_cdr_prove(
    town: House, night: tuple[Tally, Night, float, float]
) -> None:
    _, _, since, until = night
    done = town.cti("truth", "--from", f"{since}", "--to", f"{until}", "--json", timeout=120)
    told = json.loads(done.stdout)
    assert told["differences"] == []
    assert done.returncode == 0
    assert told["calls"] == night[0].over
    assert told["visits"] > 0
    assert told["refilled"] > 0, "nobody heard the calls while the service was dead"
    assert (told["open"], told["unprovable"]) == (0, [])


def test_the_ledger_says_what_the_phones_saw(town: House, night: tuple[Tally, Night, float, float]) -> None:
    tally, _, since, until = night
    calls, visits = _rows(town, since, until)
    report = compare(seen(town.home.lab / "phones.jsonl", since), calls, visits)
    assert report.differences == []
    assert report.calls == tally.over
    assert report.races <= max(1, tally.over * 0.01)


def test_refilled_rows_are_labelled_and_only_around_the_silences(
    town: House, night: tuple[Tally, Night, float, float]
) -> None:
    _, killing, since, until = night
    calls, _ = _rows(town, since, until)
    with sqlite3.connect(town.home.database) as base:
        silences = base.execute("SELECT since, until FROM refills WHERE since >= ?", (since,)).fetchall()
    assert all(any(a - 5 <= kill <= b for a, b in silences) for kill in killing.kills)
    sources = {row["source"] for row in calls.values()}
    assert sources == {"heard", "refilled"}
    for row in calls.values():
        if row["source"] == "refilled":
            touched = [a for a, b in silences if row["arrived"] <= b + 4 and row["ended"] >= a - 4]
            assert touched, f"{row['id']} is labelled refilled, and the service was alive all the time"


def test_a_row_that_is_changed_afterwards_is_found(
    town: House, night: tuple[Tally, Night, float, float], tmp_path: Path
) -> None:
    """The recount is no mirror of the ledger: one wrong row in the database is one difference."""
    _, _, since, until = night
    with sqlite3.connect(town.home.database) as base:
        (call, seat) = base.execute(
            "SELECT id, first_seat FROM calls WHERE first_seat != '' LIMIT 1"
        ).fetchone()
        base.execute("UPDATE calls SET first_seat = '2999' WHERE id = ?", (call,))
    try:
        done = town.cti("truth", "--from", f"{since}", "--to", f"{until}", "--json", timeout=120)
        told = json.loads(done.stdout)
        assert done.returncode == 1
        assert told["differences"] == [
            {"call": call, "what": "first seat", "ledger": "2999", "asterisk": seat}
        ]
    finally:
        with sqlite3.connect(town.home.database) as base:
            base.execute("UPDATE calls SET first_seat = ? WHERE id = ?", (seat, call))


def _rows(town: House, since: float, until: float) -> tuple[dict[str, Row], dict[str, list[Row]]]:
    return ledger_rows(f"sqlite+aiosqlite:///{town.home.database}", since, until)
