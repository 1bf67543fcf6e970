"""The recount over HTTP: in a process of its own, one at a time; a command of the test's in its place."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from cti.commands.truth import told
from cti.home import Home
from cti.kept import Kept
from cti.recounting import Recounting
from cti.store.journal import Reader
from cti.switchboard import Switchboard
from cti.truth.compare import Truth
from cti.web.metrics import Metrics
from cti.web.server import Web
from cti.web.truth import TruthDoor

TOKENS = {"supervisor": "chief", "observer": "looker"}
ANSWER = json.dumps(told(Truth(calls=3, visits=4)))
COUNTS = f"""
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
(folder / "asked").write_text(" ".join(sys.argv[2:]))
(folder / "begun").touch()
end = time.monotonic() + 120  # whatever becomes of the test
while not (folder / "may end").exists() and time.monotonic() < end:
    time.sleep(0.02)
print({ANSWER!r})
sys.exit(1)
"""
FAILS = "import sys; print('there is no queue_log: cti up', file=sys.stderr); sys.exit(3)"


class Town:
    """The HTTP door with a recount that does what a test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recount: Recounting | None = None
        self.client: TestClient[web.Request, web.Application]

    def counts(self, script: str, seconds: float = 60.0) -> None:
        words = (sys.executable, "-c", script, str(self.folder))
        self.recount = Recounting(Home(self.folder), words, seconds)

    async def __call__(self, since: float, until: float, city: str | None) -> bytes:
        assert self.recount is not None
        return await self.recount(since, until, city)

    async def gets(self, path: str, who: str = "chief") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {who}"}
        async with self.client.get(path, headers=headers) as answer:
            return answer.status, json.loads(await answer.text())

    async def begun(self) -> None:
        """Wait until the recount's process runs."""
        async with asyncio.timeout(30):
            while not (self.folder / "begun").exists():  # noqa: ASYNC110  # another process makes it
                await asyncio.sleep(0.01)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    here = Town(tmp_path)
    kept = Kept(Switchboard(), Reader(Home(tmp_path).journal))
    door = Web("127.0.0.1", 0, kept, TOKENS, Metrics(), (TruthDoor(here),))
    async with TestClient(TestServer(door.app())) as client:
        here.client = client
        yield here


async def test_while_one_recount_runs_others_are_answered_and_a_second_recount_is_told_to_wait(
    town: Town,
) -> None:
    town.counts(COUNTS)
    first = asyncio.create_task(town.gets("/api/truth?from=100&to=200.5&city=demo"))
    await town.begun()
    status, problem = await town.gets("/api/truth")
    assert (status, "ask again when it has ended" in problem["detail"]) == (429, True)
    assert await town.gets("/api/calls", "looker") == (200, [])
    assert not first.done()
    (town.folder / "may end").touch()
    status, answer = await first
    assert (status, answer) == (200, json.loads(ANSWER))
    asked = (town.folder / "asked").read_text().split()
    assert asked[:3] == ["--from=100.000000", "--to=200.500000", "--json"]
    assert asked[-1] == "--city=demo"
    assert (await town.gets("/api/truth"))[0] == 200


async def test_a_recount_that_cannot_be_made_or_takes_too_long_says_why_and_the_next_one_may_try(
    town: Town,
) -> None:
    town.counts(FAILS)
    status, problem = await town.gets("/api/truth")
    assert (status, problem["detail"]) == (503, "there is no queue_log: cti up")
    town.counts(COUNTS, seconds=0.2)
    status, problem = await town.gets("/api/truth")
    assert (status, "more than 0.2 s" in problem["detail"]) == (503, True)
    (town.folder / "may end").touch()
    town.counts(COUNTS)
    assert (await town.gets("/api/truth"))[0] == 200


async def test_who_may_not_and_what_is_too_long_are_refused_before_anything_is_counted(town: Town) -> None:
    assert (await town.gets("/api/truth", "looker"))[0] == 403
    status, problem = await town.gets("/api/truth?from=2026-01-01&to=2026-12-01")
    assert (status, problem["field"]) == (400, "from")
    assert not (town.folder / "begun").exists()
