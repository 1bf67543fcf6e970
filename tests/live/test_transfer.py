"""Transfers on the real Asterisk: by keys on a phone, so that nothing of ours is needed."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from cti.asterisk.files import written
from cti.refill import Proof, prove
from lab.babble import babble
from lab.scenario import Lab
from lab.talk import with_caller
from lab.wav import write
from lab.witness import seen
from tests.house import House, house_with
from tests.live.seat_town import plan_at
from tests.live.transfer_town import centre, step_told, talking, until_gone
from tests.outage.hands import until


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("transfers")
    with house_with(folder, plan_at(folder)) as up:
        yield up


@pytest_asyncio.fixture
async def town(house: House, city: Lab) -> AsyncIterator[Lab]:
    await city.staffed("1001", "1002")
    for number in ("110", "1100", "119", "120", "05557001"):
        await centre(city, number).will_ring()
    yield city


async def test_one_key_hands_a_caller_to_110_and_all_three_hear_each_other(town: Lab, tmp_path: Path) -> None:
    talk, call = await talking(town, tmp_path)
    police = centre(town, "110")
    await talk.parties["agent"].presses("*110")
    await police.rings(within=5)
    await talk.speak("ringing", "caller", "agent")
    await police.answers()
    talk.joins("target", police)
    await step_told(town, call, "joined")
    await talk.speak("together", "caller", "agent", "target")
    await talk.parties["agent"].hangs_up()
    await step_told(town, call, "handed")
    await talk.speak("handed", "caller", "target")
    await until_gone(call, police)
    heard = await talk.heard()
    assert heard["caller"] == {
        ("ringing", "agent"),
        ("together", "agent"),
        ("together", "target"),
        ("handed", "target"),
    }
    assert heard["agent"] == {("ringing", "caller"), ("together", "caller"), ("together", "target")}
    assert heard["target"] == {("together", "caller"), ("together", "agent"), ("handed", "caller")}


async def test_a_colleague_who_is_called_in_has_a_talk_of_their_own_in_the_ledger_and_in_asterisks_files(
    house: House, town: Lab, tmp_path: Path
) -> None:
    since = time.time() - 1
    write(tmp_path / "words.wav", babble(1, 2.5))
    talk, call = await talking(town, tmp_path)
    agent, colleague = talk.parties["agent"], town.seat("1002")
    await agent.presses("*831002#")
    await colleague.answers(within=10)
    talk.joins("target", colleague)
    await step_told(town, call, "joined")
    await talk.speak("together", "caller", "agent", "target")
    await colleague.holds()
    await call.says(tmp_path / "words.wav")
    await colleague.resumes()
    await agent.hangs_up()
    await step_told(town, call, "handed")
    await talk.speak("alone", "caller", "target")
    id = await call.id()
    await until_gone(call, colleague)
    await colleague.ends()
    (one,) = (c for c in seen(house.home.lab / "phones.jsonl", since).citizens if c.call == id)
    phones = {ring.seat: with_caller(ring, one.rings, one.ended) for ring in one.rings}
    assert phones.keys() == {"1001", "1002"}
    assert phones["1002"].hold > 2.0

    heard = await asyncio.to_thread(until, "both stints are over", lambda: stints_of(house, id), 20)
    assert heard.keys() == phones.keys()
    assert heard["1002"][0] == "joined"
    for seat, theirs in phones.items():
        assert heard[seat][1:] == pytest.approx((theirs.talk, theirs.hold), abs=0.5)
    proof = await asyncio.to_thread(until, "the files tell of it", lambda: proof_of(house, id, since), 20)
    proved = {stint.seat: stint.talk for stint in proof.stints if stint.answered is not None}
    assert proved == pytest.approx({seat: theirs.total for seat, theirs in phones.items()}, abs=1.25)


def stints_of(house: House, call: str) -> dict[str, tuple[str, float, float]] | None:
    """Part, talk and hold of each seat, once all of them are over."""
    with contextlib.closing(sqlite3.connect(house.home.database)) as base:
        rows = base.execute(
            "SELECT seat, part, talk, hold, ended FROM stints WHERE call = ? AND answered IS NOT NULL",
            (call,),
        ).fetchall()
    over = {seat: (part, talk, hold) for seat, part, talk, hold, ended in rows if ended is not None}
    return over if len(over) == len(rows) == 2 else None


def proof_of(house: House, call: str, since: float) -> Proof | None:
    log = house.home.root / "asterisk/log"
    found = written(log / "queue_log", log / "cdr-csv/Master.csv", "n1", since, time.time() + 1)
    return next((prove(told) for told in found if told.call == call), None)
