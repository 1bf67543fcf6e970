"""The hand-off record against what the other side saw: the packets at the centre's phones, and what its
computer was told. A real hotline, HOME/centres.json, a lab centre with phones and a computer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cti.kept import last_board
from cti.store.journal import Reader
from lab.centre import Faults, LabCentre
from lab.scenario import Lab
from tests.house import House, house_with
from tests.live.packets import Packet, seen_outside
from tests.live.seat_town import plan_at, seat_is
from tests.live.test_desk_socket import killed
from tests.live.test_recordings import until
from tests.live.transfer_town import asks, centre, orders, step_told, talking, until_gone

SEAT, CALLER = "1001", "13900000097"
SECRET = "a shared one"
NEAR = 0.3
"""Seconds between a packet and the moment in the record."""
AGREED = 20.0
"""Seconds by stamps from the end of a hand-off until both sides have the same, where nothing is lost."""
AT_LAST = 60.0
"""Seconds in which a test sees it. On a line that loses a third, an offer may be lost six times in a row; the
house says it again after 0.5, 1, 2, 4, 8 and 15 s (``transfer.agree.PAUSES``)."""
COMPUTER = 90
"""The port of the centre's computer, from this hotline's first: nobody else's."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("record")
    with house_with(folder, plan_at(folder)) as up:
        yield up


@pytest_asyncio.fixture
async def computer(house: House) -> AsyncIterator[LabCentre]:
    """110's computer, at the address that HOME/centres.json names."""
    port = house.base + COMPUTER
    told = {"demo/110": {"url": f"http://127.0.0.1:{port}/", "secret": SECRET}}
    (house.home.root / "centres.json").write_text(json.dumps(told))
    hook = f"http://127.0.0.1:{house.home.ports.api}/hooks/centres/demo/110"
    centre = LabCentre(port, hook, SECRET)
    running = asyncio.create_task(centre.run())
    yield centre
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def agreed(house: House, computer: LabCentre, id: str, **wanted: str) -> dict[str, Any]:
    """Wait until the record says so, and the centre's computer has its newest; the record."""
    record: dict[str, Any] = {}
    try:
        async with asyncio.timeout(AT_LAST):
            while True:
                record = await asks(house.home, f"/api/handoffs/{id}")
                version, body = computer.received.get(id, (0, {}))
                newest = body.get("ended") == str(record["ended"]) and (id, version) in computer.settled
                if newest and all(record[name] == text for name, text in wanted.items()):
                    return record
                # two computers talk to each other; neither tells a test
                await asyncio.sleep(0.1)
    except TimeoutError:
        heard = computer.received.get(id)
        pytest.fail(f"not agreed: {record}, the centre has {heard}, settled {computer.settled}")


def _ended(packets: list[Packet]) -> bool:
    taken = {p.dialog for p in packets if p.method == "INVITE" and p.to == "1100"}
    return any(p.method == "BYE" and p.dialog in taken for p in packets)


async def test_the_record_matches_the_packets_the_centre_saw_and_what_its_computer_was_told(
    house: House, city: Lab, computer: LabCentre, tmp_path: Path
) -> None:
    await city.staffed(SEAT)
    first, police = centre(city, "110"), centre(city, "1100")
    await first.will_be_busy()
    await police.will_ring()
    talk, call = await talking(city, tmp_path, SEAT, CALLER)
    with seen_outside(house, "centre") as seen:
        path = f"/api/seats/demo/{SEAT}/transfer"
        status, told = await orders(house.home, path, kind="handoff", to="110", location="人民路1号")
        assert status == 200, told
        id = told["handoff"]
        await police.rings(within=5)
        await police.answers()
        await step_told(city, call, "joined")
        assert (await orders(house.home, path, kind="leave"))[0] == 200
        await step_told(city, call, "handed")
        await talk.parties["agent"].ends()
        computer.tells("f-1", handoff=id, officer="0231", case="JQ-2026-0815", result="已到场")
        await call.hangs_up()
        await police.ends()
        record = await agreed(house, computer, id, officer="0231", case="JQ-2026-0815", result="已到场")
        assert computer.settled[id, computer.received[id][0]] - record["ended"] <= AGREED
        packets = await until("the file has the end of the talk", seen, _ended)
    tried = [p for p in packets if p.method == "INVITE" and p.to in ("110", "1100")]
    dialogs = {p.dialog: p for p in reversed(tried)}  # the first INVITE of each
    refused, taken = sorted(dialogs.values(), key=lambda p: p.at)
    # who was tried, in which order, who took it, whose number they saw
    assert [(refused.to, answer_to(refused, packets).status)] == [("110", 486)]
    assert [(taken.to, answer_to(taken, packets).status)] == [("1100", 200)]
    assert [way.split(" ")[2:4] for way in record["tried"]] == [
        ["110", "dialled"], ["110", "skipped"], ["1100", "dialled"], ["1100", "accepted"],
    ]  # fmt: skip
    assert record["number"] == taken.to
    assert {CALLER} == {p.header("From").partition("sip:")[2].partition("@")[0] for p in dialogs.values()}
    # each stage when its packet was seen
    answer = answer_to(taken, packets)
    (bye,) = [p for p in packets if p.method == "BYE" and p.dialog == taken.dialog]
    moments = {"dialled": refused.at, "answered": answer.at, "ended": bye.at}
    assert {name: record[name] for name in moments} == pytest.approx(moments, abs=NEAR)
    stages = [record[name] for name in ("answered", "joined", "handed", "ended")]
    assert stages == sorted(stages)
    # and their computer was told of the same
    _, body = computer.received[id]
    told = ("call", "number", "caller", "seat", "asked", "answered", "joined", "handed", "ended", "location")
    assert {name: body[name] for name in told} == {name: str(record[name]) for name in told}
    assert body["outcome"] == record["outcome"] == "handed"
    assert ("f-1", 1) in computer.taken
    await until_gone(*talk.parties.values())


async def test_both_sides_agree_though_the_service_is_killed_between_what_was_confirmed_and_what_came_after(
    house: House, city: Lab, computer: LabCentre, tmp_path: Path
) -> None:
    await city.staffed(SEAT)
    police = centre(city, "110")
    for line in (police, centre(city, "1100")):
        await line.will_ring()
    talk, call = await talking(city, tmp_path, SEAT, CALLER)
    path = f"/api/seats/demo/{SEAT}/transfer"
    status, told = await orders(house.home, path, kind="handoff", to="110", location="人民路1号")
    assert status == 200, told
    id = told["handoff"]
    await police.rings(within=5)
    for result in ("正在处置", "已到场"):
        computer.tells("f-2", handoff=id, result=result)
        said = {("f-2", computer.told["f-2"][0])}
        await until("it is received", lambda: computer.taken, said.issubset)
    asked = await until(
        "asked is confirmed",
        lambda: computer.received.get(id, (0, {})),
        lambda got: (id, got[0]) in computer.settled,
    )
    assert asked[1]["outcome"] == "asked"
    # nothing passes any more: what happens now the centre's computer does not hear of
    computer.faults = Faults(lost=1.0)
    await police.answers()
    await step_told(city, call, "joined")
    assert (await orders(house.home, path, kind="leave"))[0] == 200
    await step_told(city, call, "handed")
    await talk.parties["agent"].ends()
    await call.hangs_up()
    await police.ends()
    await end_is_on_disk(house, id)
    await killed(house)
    assert computer.received[id][1]["outcome"] == "asked"
    computer.faults = Faults(lost=0.3, repeated=0.4, delay=1.0)
    await seat_is(house.home, SEAT, state="ready", within=60)
    await computer.repeats("f-2", 1, handoff=id, result="正在处置")
    record = await agreed(house, computer, id, outcome="handed", result="已到场")
    assert computer.received[id][1]["outcome"] == "handed"
    assert (record["agreed"], record["agreed"]) == (record["version"], computer.received[id][0])
    await until_gone(*talk.parties.values())


async def end_is_on_disk(house: House, id: str) -> None:
    """Wait until the journal has the record's end: the phones end before Asterisk has told of it, and a kill
    takes what has not reached the disk."""
    reader = Reader(house.home.journal)
    async with asyncio.timeout(AT_LAST):
        while (record := last_board(reader).moves.records.get(id)) is None or record.ended is None:  # noqa: ASYNC110  # a file tells nobody
            await asyncio.sleep(0.1)


def answer_to(invite: Packet, packets: list[Packet]) -> Packet:
    """The first final answer of this dialog's INVITE."""
    return next(
        p
        for p in packets
        if p.dialog == invite.dialog and p.status >= 200 and p.header("CSeq").endswith("INVITE")
    )
