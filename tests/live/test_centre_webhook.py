"""The signed handshake with a centre's computer, over real sockets and a bad line."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from calls import facts as f
from calls.audit import Audited
from calls.facts import CallId
from cti.centres import Centres, signature
from cti.errors import Refused
from cti.handoffs import Handoffs
from cti.store.history import Past
from cti.switchboard import Switchboard
from cti.web.answers import in_problem_words
from cti.web.transfer import Rights, TransferDoor
from lab.centre import Faults, LabCentre
from tests.house import api_port
from tests.story.plan_files import demo
from tests.story.test_centres import NoDisk

SECRET = "a shared one"
CALL = CallId("demo-n1-1.1")
SETTLED = 120.0


class Town:
    """Our side without Asterisk: facts are said by the test."""

    def __init__(self, folder: Path, port: int, centre: int) -> None:
        self.board = Switchboard()
        plans = {"demo": demo()}
        self.trail: list[Audited] = []
        self.handoffs = Handoffs(
            lambda: self.board.board, lambda: plans, _nobody, self.board.hear, self.board.recall
        )
        file = folder / "centres.json"
        file.write_text(json.dumps({"demo/110": {"url": f"http://127.0.0.1:{centre}/", "secret": SECRET}}))
        self.centres = Centres(
            file, lambda: plans, lambda: self.board.board, self.handoffs, self.trail.append, NoDisk()
        )
        self.board.listen(self.centres.hear)
        self.url = f"http://127.0.0.1:{port}/hooks/centres/demo/110"

    def step(self, id: str, step: str) -> None:
        fact = f.TransferStepped(at=time.time(), node="n1", call=CALL, id=id, step=step)
        if step == "asked":
            fact = replace(fact, kind="handoff", to="110", seat="1001", caller="13900000001", urgent=True)
        self.board.hear(fact)


async def _nobody(order: object) -> str:
    raise Refused("no Asterisk here")


@pytest.fixture
def ours() -> Iterator[int]:
    """Our port; the next one is theirs."""
    with api_port() as port:
        yield port


@pytest_asyncio.fixture
async def line(tmp_path: Path, ours: int) -> AsyncIterator[tuple[Town, LabCentre]]:
    theirs = ours + 1
    town = Town(tmp_path, ours, theirs)
    nobody = Rights(lambda city, seat: "", lambda who, call: False)
    door = TransferDoor(
        town.handoffs, town.centres.take, nobody, lambda asked, city: Past(), town.trail.append
    )
    app = web.Application(middlewares=[in_problem_words])
    door.add(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", ours).start()
    centre = LabCentre(theirs, town.url, SECRET, chance=random.Random(12345))
    running = [asyncio.create_task(centre.run()), asyncio.create_task(town.centres.run())]
    yield town, centre
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await runner.cleanup()


async def agreed(town: Town, centre: LabCentre) -> None:
    """Wait until each side has the other's newest, and both know it."""
    async with asyncio.timeout(SETTLED):
        while True:
            records = town.board.board.moves.records
            newest = all(
                id in centre.received
                and centre.received[id][1].get("outcome") == r.outcome
                and (id, centre.received[id][0]) in centre.settled
                and r.received is not None
                for id, r in records.items()
            )
            if newest and all((id, v) in centre.taken for id, (v, _) in centre.told.items()):
                return
            await asyncio.sleep(0.05)


async def test_both_sides_agree_over_a_line_that_loses_repeats_delays_and_reorders(
    line: tuple[Town, LabCentre],
) -> None:
    town, centre = line
    centre.faults = Faults(lost=0.4, repeated=0.4, delay=1.0)
    ids = [f"h{n}" for n in range(8)]
    for id in ids:
        town.step(id, "asked")
    for id in ids:
        town.handoffs.note(id, {"location": f"{id}号楼", "summary": "有人落水"})
        town.step(id, "answered")
    for id in ids[:4]:
        centre.tells(f"f-{id}", handoff=id, officer="0231", case=f"JQ-{id}")
    await asyncio.sleep(1.0)  # the line's own delay: news overtake what was said before
    for id in ids[:4]:
        centre.tells(f"f-{id}", handoff=id, officer="0231", case=f"JQ-{id}", result="已处置")
    for id in ids[4:6]:
        centre.tells(f"f-{id}", handoff=id, outcome="refused", reason="不属于警情")
    for id in ids:
        town.step(id, "handed" if id not in ids[4:6] else "target-left")
    await agreed(town, centre)
    records = town.board.board.moves.records
    for id in ids[:4]:
        assert (records[id].officer, records[id].case) == ("0231", f"JQ-{id}")
        assert records[id].result == "已处置"
        assert centre.received[id][1]["location"] == f"{id}号楼"
    for id in ids[4:6]:
        assert records[id].reason == "不属于警情"
    assert all(record.sent and record.received for record in records.values())
    noted = {(row.who, row.did, json.loads(row.told)["handoff"]) for row in town.trail}
    assert noted == {("centre-110", "hand-off", id) for id in ids[:6]}


async def test_a_message_with_a_wrong_signature_or_an_old_one_is_refused(
    line: tuple[Town, LabCentre],
) -> None:
    town, _ = line
    town.step("h1", "asked")
    body = b'{"says":"offer","record":"x","version":1,"body":{"handoff":"h1","officer":"9"}}'
    async with aiohttp.ClientSession() as session:
        for secret, stamp in (
            ("another", f"{time.time()}"),
            (SECRET, f"{time.time() - 3600}"),
            (SECRET, "x"),
        ):
            headers = {"X-Hotline-Timestamp": stamp, "X-Hotline-Signature": signature(secret, stamp, body)}
            async with session.post(town.url, data=body, headers=headers) as answer:
                assert answer.status == 409
    assert town.board.board.moves.records["h1"].officer == ""
    assert town.centres.refused == 3
