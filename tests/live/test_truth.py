"""Mixed calls, callers held and passed on, the service killed twice: ledger, Asterisk's own files and phones
agree."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import pytest

from calls.model import Source
from cti.asterisk.files import written
from cti.refill import prove
from cti.truth.rows import Row, ledger_rows
from lab.client import Client
from lab.mixed import Leaves, Mixed, Tally
from lab.referee import Referee
from lab.talk import asked_how, with_caller
from lab.wire import Event, Wire
from lab.witness import Log, Report, compare, seen
from tests.house import House, ports, running
from tests.live.mixed_plan import COLLEAGUES, LINE, SEATS, mixed_plan
from tests.outage.hands import until

FEW, MANY = 60, 2000
SEED = int(os.environ.get("CTI_MIXED_SEED", "20261121"))
CALLS = int(os.environ.get("CTI_MIXED_CALLS", "0"))
"""For a run of another length than 60 or 2,000."""
SEVERAL = 300
"""Calls among which every rare thing has happened."""
KILLED_AT = (0.3, 0.65)
"""The service is killed when this share of the calls is over."""
A_STINT, A_SECOND = 0.5, 1.25
"""Seconds a stint by which a seat's talk and hold, added up, may differ from its phone's: one that was heard,
and one refilled from files that write ends in whole seconds."""
SETTLED_WITHIN = 90.0
"""Seconds after the last call in which every promised call back has been made, or given up."""


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


class Promises:
    """Calls back that the dialplan promised, and the calls that keep them."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self._standing: set[str] = set()
        self._news = asyncio.Event()

    def take(self, event: Event) -> None:
        call = event.get("Call", "")
        match event.get("What"):
            case "call-back":
                self.states[call] = event["Record"].split("/")[-2]
            case "arrived" if event.get("CallBackOf"):
                self._standing.add(call)
            case "left":
                self._standing.discard(call)
        self._news.set()

    @property
    def open(self) -> list[str]:
        made = [f"{of}: {state}" for of, state in self.states.items() if state not in ("done", "given-up")]
        return [*made, *(f"{call}: goes on" for call in sorted(self._standing))]

    async def settled(self) -> None:
        """Raises TimeoutError when a promise is still open after ``SETTLED_WITHIN``."""
        try:
            async with asyncio.timeout(SETTLED_WITHIN):
                while self.open:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"call backs still open: {self.open}") from None


@dataclass(frozen=True, slots=True)
class Done:
    """What the night was."""

    tally: Tally
    kills: list[float]
    promises: dict[str, str]
    """How each call back that was promised stood at the end, by its call."""
    referee: Referee
    since: float
    until: float


def everything(tally: Tally) -> bool:
    """Agents have held callers, and passed them on in every way there is."""
    return set(tally.moved) == {"blind", "consult", "three"} and tally.held > 0


@pytest.fixture(scope="module")
def night(town: House, full_size: bool) -> Done:
    """The calls are made once; what the tests compare is what they left."""
    calls = CALLS or (MANY if full_size else FEW)
    killing, promises, referee = Night(town, calls), Promises(), Referee((*SEATS, *COLLEAGUES))

    def heard(event: Event) -> None:
        promises.take(event)
        referee.take(event)

    wire = Wire(heard)

    async def calls_made() -> Tally:
        await wire.connect("127.0.0.1", town.home.ports.ami, "observer", town.home.secrets["ami_observer"])
        try:
            async with Client(town.home) as client:
                tally = await Mixed(
                    client, calls, 2.0, SEED, killing, colleagues=COLLEAGUES, number_to=LINE,
                    enough=lambda tally: bool(everything(tally) and promises.states),
                ).run()  # fmt: skip
                await promises.settled()
                return tally
        finally:
            await wire.close()

    began = time.time() - 1
    tally = asyncio.run(calls_made())
    until(
        "both silences are put right",
        lambda: all(any(a - 5 <= kill <= b for a, b in refills(town, began)) for kill in killing.kills),
        SETTLED_WITHIN,
    )
    return Done(tally, killing.kills, promises.states, referee, began, time.time() + 1)


pytestmark = pytest.mark.timeout(3000)


def test_every_kind_of_call_was_made_callers_were_passed_on_and_the_service_died_twice(
    town: House, night: Done
) -> None:
    tally = night.tally
    assert tally.refused == 0
    assert tally.over == tally.made
    assert len(night.kills) == 2
    assert set(tally.left) == set(Leaves), "every kind of caller took part"
    assert 0 < tally.reached < tally.over
    assert everything(tally), (tally.moved, tally.held)
    assert tally.rushed > 0
    with_callers = Counter(
        asked_how(ring, one.rings)
        for one in _log(town, night).citizens
        for ring in one.rings
        if with_caller(ring, one.rings, one.ended).total > 1.0
    )
    colleagues = {"blind", "consult", "three"} & with_callers.keys()
    assert colleagues, "a colleague talked to a caller"
    assert tally.over < SEVERAL or len(colleagues) == 3, with_callers
    assert night.promises, "somebody asked to be called back"
    # of the two or three promises of a short run all may be given up: citizens who do not answer again
    assert tally.over < SEVERAL or "done" in night.promises.values(), "somebody was called back"


def test_callers_left_the_queues_by_every_exit(town: House, night: Done) -> None:
    _, visits = _rows(town, night)
    outcomes = Counter(visit["outcome"] for mine in visits.values() for visit in mine)
    assert set(outcomes) >= {"answered", "abandoned", "timeout", "key", "full"}, outcomes
    assert "waiting" not in outcomes


def test_the_ledger_says_what_queue_log_and_cdr_prove(town: House, night: Done) -> None:
    done = town.cti("truth", "--from", f"{night.since}", "--to", f"{night.until}", "--json", timeout=120)
    told = json.loads(done.stdout)
    assert told["differences"] == []
    assert done.returncode == 0
    calls, _ = _rows(town, night)
    assert told["calls"] == night.tally.over + len(_backs(calls))
    assert told["visits"] > 0
    assert told["wrap_ups"] > 0
    assert told["talks"] > 0
    assert told["refilled"] > 0, "nobody heard the calls while it was dead"
    assert (told["open"], told["unprovable"]) == (0, [])


def test_the_ledger_says_what_the_phones_saw(town: House, night: Done) -> None:
    calls, visits = _rows(town, night)
    report = compare(
        _log(town, night), calls, visits, _stints(town, night), COLLEAGUES, _silences(town, night)
    )
    assert report.differences == [], _files_of(town, night, report.differences)
    assert report.calls == night.tally.over
    # a handset lifted as the caller hung up, or as the queue's time ran out: Asterisk has decided it
    assert [told for race in report.races if (told := night.referee.against(race))] == []
    _figures_are_the_phones(report)
    assert any(sums.hold > 0 for sums in report.seats.values())


def _figures_are_the_phones(report: Report) -> None:
    """Of each seat, colleagues whom agents called in too."""
    assert set(report.seats) & set(COLLEAGUES)
    for seat, sums in report.seats.items():
        within = A_STINT * (sums.stints - sums.refilled) + A_SECOND * sums.refilled
        assert abs(sums.talk - sums.phone_talk) <= within, (seat, sums)
        assert abs(sums.hold - sums.phone_hold) <= within, (seat, sums)


def test_a_service_dead_all_night_would_refill_what_the_phones_saw(town: House, night: Done) -> None:
    """The rows of every call made from Asterisk's files alone."""
    log = town.home.root / "asterisk/log"
    found = written(log / "queue_log", log / "cdr-csv/Master.csv", "n1", night.since, night.until)
    proofs = [proof for told in found if (proof := prove(told)) is not None]
    report = compare(
        _log(town, night),
        {proof.call.id: asdict(proof.call) for proof in proofs},
        {proof.call.id: [asdict(visit) for visit in proof.visits] for proof in proofs},
        {
            proof.call.id: [asdict(replace(s, source=Source.REFILLED)) for s in proof.stints]
            for proof in proofs
        },
        COLLEAGUES,
        # hold stands in no file
        [(night.since, night.until)],
    )
    assert report.differences == [], _files_of(town, night, report.differences)
    assert [told for race in report.races if (told := night.referee.against(race))] == []
    assert report.calls == night.tally.over
    _figures_are_the_phones(report)


def test_refilled_rows_are_labelled_and_only_around_the_silences(town: House, night: Done) -> None:
    calls, _ = _rows(town, night)
    silences = _silences(town, night)
    assert all(any(a - 5 <= kill <= b for a, b in silences) for kill in night.kills)
    sources = {row["source"] for row in calls.values()}
    assert sources == {"heard", "refilled"}
    for row in calls.values():
        if row["source"] == "refilled":
            touched = [a for a, b in silences if row["arrived"] <= b + 4 and row["ended"] >= a - 4]
            assert touched, f"{row['id']} is labelled refilled, and the service was alive all the time"


def test_a_row_that_is_changed_afterwards_is_found(town: House, night: Done) -> None:
    """The recount is no mirror of the ledger: one wrong row in the database is one difference."""
    with sqlite3.connect(town.home.database) as base:
        (call, seat) = base.execute(
            "SELECT id, first_seat FROM calls WHERE first_seat != '' AND arrived >= ? LIMIT 1",
            (night.since,),
        ).fetchone()
        base.execute("UPDATE calls SET first_seat = '2999' WHERE id = ?", (call,))
    try:
        done = town.cti("truth", "--from", f"{night.since}", "--to", f"{night.until}", "--json", timeout=120)
        told = json.loads(done.stdout)
        assert done.returncode == 1
        assert told["differences"] == [
            {"call": call, "what": "first seat", "ledger": "2999", "asterisk": seat}
        ]
    finally:
        with sqlite3.connect(town.home.database) as base:
            base.execute("UPDATE calls SET first_seat = ? WHERE id = ?", (seat, call))


def _rows(town: House, night: Done) -> tuple[dict[str, Row], dict[str, list[Row]]]:
    return ledger_rows(f"sqlite+aiosqlite:///{town.home.database}", night.since, night.until)


def _silences(town: House, night: Done) -> list[tuple[float, float]]:
    return refills(town, night.since)


def refills(town: House, since: float) -> list[tuple[float, float]]:
    with sqlite3.connect(town.home.database) as base:
        return base.execute("SELECT since, until FROM refills WHERE until >= ?", (since,)).fetchall()


def _log(town: House, night: Done) -> Log:
    return seen(town.home.lab / "phones.jsonl", night.since)


def _stints(town: House, night: Done) -> dict[str, list[Row]]:
    of: dict[str, list[Row]] = {}
    with sqlite3.connect(town.home.database) as base:
        base.row_factory = sqlite3.Row
        for row in base.execute("SELECT * FROM stints WHERE began >= ? ORDER BY began", (night.since,)):
            of.setdefault(row["call"], []).append(dict(row))
    return of


def _files_of(town: House, night: Done, differences: list[str]) -> str:
    """What queue_log and the ledger say of the calls that differ."""
    log = (town.home.root / "asterisk/log/queue_log").read_text().splitlines()
    legs = {d.split()[0].partition("-")[2] for d in differences}
    lines = [line for line in log if line.split("|")[1] in legs]
    stints = [
        row for call, rows in _stints(town, night).items() if call.partition("-")[2] in legs for row in rows
    ]
    return "\n".join([*differences, *lines, *map(str, stints)])


def _backs(calls: dict[str, Row]) -> list[Row]:
    """Our own calls back."""
    return [row for row in calls.values() if row["callback_of"]]
