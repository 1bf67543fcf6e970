"""Asterisk does not pause a recording when it is asked to: it is asked again, and no file has the words."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from calls.facts import Fact, MaskMissed, RecordingPaused
from cti.store.keeping import fact_of
from cti.store.reading import Reader
from lab import ears
from lab.babble import babble_file
from lab.parties import Call, Seat
from lab.scenario import Lab
from tests.house import House, ports, running
from tests.live.test_recordings import filed, http, rows, samples, until
from tests.outage import hands
from tests.outage.conftest import tidy

RATE = 8000
FROZEN = 7.0
"""Seconds: longer than an order waits for its answer, shorter than a link that is given up."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, plans: list[Path]) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("cut")
    (folder / "settings.toml").write_text("speech = false\n")
    with ports() as base, running(folder, base + 100 * ("CTI_TEST_BASE" in os.environ), plans) as up:
        hands.until_ready(up.home)
        yield up


@pytest_asyncio.fixture
async def city(house: House) -> Any:
    async with Lab(house.home) as lab:
        yield lab
    await tidy(house)


@pytest.fixture
def voices(tmp_path: Path) -> list[Path]:
    return [babble_file(tmp_path, seed, 3.0) for seed in (11, 12, 13)]


@contextlib.contextmanager
def cut(house: House) -> Iterator[None]:
    """The service's link to Asterisk is gone and cannot be had again; observers keep theirs."""
    conf = house.home.asterisk / "etc/manager.conf"
    was = conf.read_text()
    secret = house.home.secrets["ami_service"]
    assert secret in was
    conf.write_text(was.replace(secret, "another-one"))
    try:
        house.asterisk_cli("manager reload")
        for line in house.asterisk_cli("manager show connected").splitlines():
            words = line.split()
            if words[:1] == ["service"]:
                house.asterisk_cli(f"manager kick session {words[4]}")
        hands.until("the link is gone", lambda: hands.part_ok(house.home, "asterisk") is False, 15)
        yield
    finally:
        conf.write_text(was)
        house.asterisk_cli("manager reload")
        hands.until_ready(house.home)


def told(house: House, call: str) -> list[Fact]:
    """What the journal has of this call's pauses."""
    facts = (fact_of(record) for record in Reader(house.home.journal).mentioning(call))
    return [fact for fact in facts if isinstance(fact, MaskMissed | RecordingPaused)]


async def masked(house: House, call: str, on: bool) -> tuple[int, str]:
    status, data, _ = await asyncio.to_thread(http, house, f"/api/calls/{call}/mask", body={"on": on})
    return status, str(json.loads(data).get("detail", ""))


async def begun(house: House, call: str) -> asyncio.Task[tuple[int, str]]:
    """The pause is asked for, and the service has begun with it; its answer, that comes when it comes."""
    asking = HTTPConnection("127.0.0.1", house.home.ports.api, timeout=20)
    head = {"Authorization": f"Bearer {house.home.tokens['operator']}", "Content-Type": "application/json"}
    await asyncio.to_thread(asking.request, "POST", f"/api/calls/{call}/mask", '{"on": true}', head)
    # it takes up in order what it is asked: on a busy machine that may be a second later
    await asyncio.to_thread(rows, house, call)

    def answer() -> tuple[int, str]:
        with contextlib.closing(asking):
            told = asking.getresponse()
            return told.status, str(json.loads(told.read()).get("detail", ""))

    return asyncio.create_task(asyncio.to_thread(answer))


async def spoken(city: Lab, caller: str, before: Path) -> tuple[Call, Seat, str]:
    """A citizen whose first words the agent has heard, and the call's id."""
    await city.staffed("1001")
    call, seat = await city.caller(caller).dials("12345"), city.seat("1001")
    await seat.answers(call, within=20)
    id = await call.id()
    await call.says(before)
    await seat.hears(before, within=20)
    return call, seat, id


async def citizens(house: House, call: str) -> dict[str, Any]:
    """The citizen's recording, when all of the call are filed."""
    [mine] = [row for row in await filed(house, call, 2) if row["role"] == "caller"]
    return mine


def never_has(
    house: House,
    row: dict[str, Any],
    secret: Path,
    *,
    but: Path,
    seconds: tuple[float, ...] = (0.0, 1.0, 2.0),
) -> None:
    """``seconds``: at which the secret is looked for, one second of it each."""
    heard = samples(http(house, f"/api/recordings/{row['leg']}/audio?purpose=mask")[1])
    # a second more than was missed is silent on either side
    assert ears.contains(heard, ears.load(but)[: int(1.5 * RATE)])
    for begin in seconds:
        part = ears.load(secret)[int(begin * RATE) : int((begin + 1.0) * RATE)]
        assert not ears.contains(heard, part), begin


async def test_a_pause_asked_for_without_a_link_holds_when_it_is_back_and_the_file_never_has_the_words(
    house: House, city: Lab, voices: list[Path]
) -> None:
    before, secret, more = voices
    call, seat, id = await spoken(city, "13900000021", before)
    with cut(house):
        status, why = await masked(house, id, True)
        assert (status, "asked again every second" in why) == (503, True), why
        await call.says(secret)
        await seat.hears(secret, within=20)
    await until("both paused", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["paused"] * 2)
    await call.says(more)
    await seat.hears(more, within=20)
    assert (await masked(house, id, False))[0] == 200
    await until("both go on", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["rolling"] * 2)
    await call.says(before)
    await call.hangs_up()
    mine = await citizens(house, id)
    never_has(house, mine, secret, but=before)
    never_has(house, mine, more, but=before)
    missed = [fact for fact in told(house, id) if isinstance(fact, MaskMissed)]
    # the moments of both legs: first that it was missed, then until when
    assert len({fact.leg for fact in missed}) == 2
    assert sum(fact.until is None for fact in missed) == 2
    assert [fact for fact in missed if fact.until is not None]


async def test_a_pause_that_never_came_to_hold_is_silence_in_the_file(
    house: House, city: Lab, voices: list[Path]
) -> None:
    before, secret, _ = voices
    call, seat, id = await spoken(city, "13900000022", before)
    with cut(house):
        assert (await masked(house, id, True))[0] == 503
        await call.says(secret)
        await seat.hears(secret, within=20)
        await call.hangs_up()
        await call.ends(within=10)
    mine = await citizens(house, id)
    assert not [fact for fact in told(house, id) if isinstance(fact, RecordingPaused)]
    assert len(mine["pauses"]) == 1
    never_has(house, mine, secret, but=before)


async def test_a_pause_that_a_frozen_asterisk_does_not_answer_is_silence_from_the_moment_it_was_asked_for(
    house: House, city: Lab, voices: list[Path]
) -> None:
    before, secret, _ = voices
    call, _, id = await spoken(city, "13900000023", before)
    with hands.frozen([house.parts()["asterisk"]]):
        asked = await begun(house, id)
        # what the citizen says now waits in Asterisk's socket
        speaks = asyncio.create_task(call.says(secret))
        status, why = await asked
        assert (status, "asked again every second" in why) == (503, True), why
        await speaks
    await until("both paused", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["paused"] * 2)
    await call.hangs_up()
    mine = await citizens(house, id)
    never_has(house, mine, secret, but=before)


async def test_what_was_said_before_a_frozen_asterisk_woke_and_paused_is_silence_though_it_never_failed(
    house: House, city: Lab, voices: list[Path], tmp_path: Path
) -> None:
    before, secret = voices[0], babble_file(tmp_path, 14, 2.0)
    call, _, id = await spoken(city, "13900000024", before)
    with hands.frozen([house.parts()["asterisk"]]):
        asked = await begun(house, id)
        await call.says(secret)
    # it woke within the time an order waits for its answer
    assert (await asked)[0] == 200
    await until("both paused", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["paused"] * 2)
    await call.hangs_up()
    mine = await citizens(house, id)
    never_has(house, mine, secret, but=before, seconds=(0.0, 1.0))
    assert [fact for fact in told(house, id) if isinstance(fact, MaskMissed)]


async def test_a_pause_withdrawn_before_a_frozen_asterisk_answered_is_silence_all_the_same(
    house: House, city: Lab, voices: list[Path], tmp_path: Path
) -> None:
    before, secret = voices[0], babble_file(tmp_path, 15, 2.5)
    call, seat, id = await spoken(city, "13900000025", before)
    with hands.frozen([house.parts()["asterisk"]]):
        asked = await begun(house, id)
        await call.says(secret)
        withdrawn = asyncio.create_task(masked(house, id, False))
        assert (await asked)[0] == 503
    await withdrawn
    await until("both go on", lambda: rows(house, id), lambda r: [x["state"] for x in r] == ["rolling"] * 2)
    # what waited in its socket has been written when the agent hears what is said after it
    await call.says(before)
    await seat.hears(before, within=20)
    await call.hangs_up()
    mine = await citizens(house, id)
    never_has(house, mine, secret, but=before, seconds=(0.0, 1.0))
    ends: dict[str, list[float]] = {}
    for fact in told(house, id):
        if isinstance(fact, MaskMissed) and fact.until:
            ends.setdefault(fact.leg, []).append(fact.until - fact.since)
    # until it was withdrawn: hardly shorter than the secret of 2.5 s, and no longer than an order waits for
    # its answer; and from there until Asterisk woke and had read what waited
    assert [(len(of), 2.0 < of[0] < 5.0, of[1] > 2.0) for of in ends.values()] == [(2, True, True)] * 2, ends
