"""Transfers on the real Asterisk: by keys on a phone, so that nothing of ours is needed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from calls.orders import Transfer
from cti.asterisk.files import written
from cti.refill import Proof, prove
from lab.babble import babble
from lab.scenario import Lab
from lab.talk import with_caller
from lab.wav import write
from lab.witness import seen
from tests.house import House, house_with
from tests.live.seat_town import order, plan_at
from tests.live.test_recordings import filed, http, samples
from tests.live.transfer_town import (
    HEARD,
    centre,
    in_the_room,
    step_told,
    talking,
    tones_in,
    until_gone,
)
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


async def test_what_agent_and_colleague_say_apart_is_in_their_files_and_in_no_mix(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call = await talking(town, tmp_path)
    agent, colleague = talk.parties["agent"], town.seat("1002")
    await talk.speak("before", "caller", "agent")
    await order(house.home, Transfer(city="demo", seat="1001", kind="consult", to="1002"))
    await colleague.answers(within=10)
    talk.joins("target", colleague)
    await step_told(town, call, "answered")
    await talk.speak("aside", "agent", "target")
    await order(house.home, Transfer(city="demo", seat="1001", kind="together"))
    await in_the_room(town, call, "PJSIP/demo-1001-", "PJSIP/demo-1002-", "PJSIP/demo-carrier-")
    await talk.speak("after", "caller", "agent", "target")
    id = await call.id()
    # agent and colleague could talk on without the citizen
    await until_gone(call, agent, colleague)
    rows = {row["seat"] or row["role"]: row for row in await filed(house, id, 3)}
    path = f"/api/calls/{id}/mix?purpose=review"

    def said(raw: bytes) -> set[tuple[str, str]]:
        sound = samples(raw) / 32768
        return {key for key, hertz in talk.said.items() if tones_in(sound, hertz) >= HEARD}

    def of_leg(name: str) -> set[tuple[str, str]]:
        raw = http(house, f"/api/recordings/{rows[name]['leg']}/audio?purpose=review")[1]
        # cut nowhere: every second of talk is in its leg's one file
        assert hashlib.sha256(raw).hexdigest() == rows[name]["sha256"]
        return said(raw)

    everything = set(talk.said)
    apart = {("aside", "agent"), ("aside", "target")}
    assert of_leg("1001") == {key for key in everything if key[1] == "agent"}
    assert of_leg("1002") == {key for key in everything if key[1] == "target"}
    assert said(http(house, path)[1]) == everything - apart
    assert said(http(house, f"{path}&consultations=true")[1]) == everything
    export = f"/api/calls/{id}/export"
    assert said(http(house, export, body={"purpose": "court"})[1]) == everything - apart
    whole = {"purpose": "court", "consultations": True}
    assert said(http(house, export, body=whole)[1]) == everything
    assert rows["caller"]["apart"] == []
    assert rows["1002"]["apart"][0][0] == 0.0, "the colleague began with it"


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
