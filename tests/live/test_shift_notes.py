"""A shift's note over HTTP, with a real journal and a real SQLite file; no Asterisk."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from typer.testing import CliRunner

from calls.orders import Order
from cti import desk_doors
from cti.__main__ import command_tree
from cti.desk_doors import DeskDoors
from cti.home import Home
from cti.kept import Kept
from cti.store.drain import Drain
from cti.store.history import History, sqlite_url
from cti.store.journal import Journal, Limits, Reader
from cti.switchboard import Switchboard
from cti.web.metrics import Metrics
from cti.web.server import Web
from cti.web.who import Role, Who
from tests.story.plan_files import demo

PEOPLE = {
    "zhang": Who("zhang", Role.AGENT, "demo", "8001"),
    "chief": Who("chief", Role.SUPERVISOR, "demo"),
    "looker": Who("looker", Role.OBSERVER, "demo"),
    "elsewhere": Who("elsewhere", Role.SUPERVISOR, "other"),
}
"""By their tokens."""
TOKENS = {"operator": "o-secret", "observer": "s-secret"}
TEXT = "三号线路九点扩容，勿调队列；回电 13800138000"


@dataclass
class Shift:
    """The service as far as notes need it."""

    home: Home
    client: TestClient[web.Request, web.Application]

    async def asks(self, who: str, path: str, **body: Any) -> tuple[int, Any]:
        method = "POST" if body else "GET"
        headers = {"Authorization": f"Bearer {who}"}
        async with self.client.request(method, f"/api/{path}", json=body or None, headers=headers) as answer:
            return answer.status, json.loads(await answer.text())

    async def writes(self, who: str = "zhang") -> str:
        """The new note's id; it is on disk."""
        status, told = await self.asks(who, "duties/note", text=TEXT)
        assert status == 200, told
        found = list(Reader(self.home.journal).mentioning(f'"of":"{told["note"]}"'))
        assert "note" in [record.told["what"] for record in found]
        return str(told["note"])

    async def shown(self, path: str, count: int) -> list[dict[str, Any]]:
        """Wait until the database tells so many rows, those of the audit trail with what became of them."""
        async with asyncio.timeout(20):
            while True:
                status, told = await self.asks("chief", path)
                rows = [row for row in told if row.get("outcome") != "begun"] if status == 200 else []
                if status == 200 and len(rows) == count:
                    return rows
                await asyncio.sleep(0.01)


async def nobody(order: Order) -> str:
    raise AssertionError(f"no order is given here: {order}")


@contextlib.asynccontextmanager
async def service(
    home: Home, write: Callable[[int, bytes], int] = os.write, waiting: int = 1000
) -> AsyncIterator[Shift]:
    """``waiting``: so many records may wait for the disk."""
    journal = Journal(home.journal, Limits(retry_seconds=0.05, waiting_records=waiting), write=write)
    history, switchboard = History(sqlite_url(home.database)), Switchboard()
    drain = Drain(journal, history, look_seconds=0.01, most_seconds=0.1)
    kept = Kept(switchboard, Reader(home.journal), history=history, journal=journal, drain=drain)
    plans = {"demo": demo()}
    desk = DeskDoors(home, lambda: switchboard.board, lambda: plans, nobody, journal, kept.call)
    door = Web("127.0.0.1", 0, kept, TOKENS, Metrics(), desk.doors(history), PEOPLE.get)
    running = asyncio.create_task(drain.run())
    async with TestClient(TestServer(door.app())) as client:
        home.tokens_file.write_text(json.dumps(TOKENS))
        assert client.port is not None
        home.state_file.write_text(
            json.dumps({"base_port": client.port - (home.ports.api - home.ports.base)})
        )
        yield Shift(home, client)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await history.close()
    journal.close()


@pytest.fixture
async def shift(tmp_path: Path) -> AsyncIterator[Shift]:
    async with service(Home(tmp_path)) as one:
        yield one


async def test_the_next_shift_reads_the_note_with_who_wrote_it_until_a_supervisor_settles_it(
    shift: Shift,
) -> None:
    note = await shift.writes()
    (duty,) = await shift.shown("duties", 1)
    assert (duty["kind"], duty["note"], duty["text"], duty["by"]) == ("note", note, TEXT, "zhang")
    assert duty["since"] > 0
    (seen,) = (await shift.asks("looker", "duties?kind=note"))[1]
    assert seen["text"] == TEXT.replace("13800138000", "138****8000")
    settle = f"duties/note/{note}/settle"
    assert (await shift.asks("zhang", settle, reason="早班已阅知"))[0] == 403
    assert (await shift.asks("chief", settle, reason="早班已阅知"))[0] == 200
    assert await shift.shown("duties", 0) == []
    (done,) = await shift.shown("duties?all=true", 1)
    assert (done["settled_by"], done["reason"]) == ("chief", "早班已阅知")


async def test_every_note_and_every_refusal_stands_in_the_audit_trail_without_the_text(shift: Shift) -> None:
    note = await shift.writes()
    assert (await shift.asks("looker", "duties/note", text=TEXT))[0] == 403
    assert (await shift.asks("elsewhere", "duties/note", text=TEXT, city="demo"))[0] == 403
    status, told = await shift.asks("chief", "duties/note/demo-note-none/settle", reason="没有此条")
    assert (status, told["field"]) == (404, "note")
    rows = await shift.shown("audit", 4)
    assert {(row["who"], row["did"], row["on"], row["outcome"]) for row in rows} >= {
        ("zhang", "note", note, "done"),
        ("chief", "settle-note", "demo-note-none", "refused"),
    }
    denied = [row["who"] for row in rows if row["outcome"] == "denied"]
    assert sorted(denied) == ["elsewhere", "looker"]
    assert all(row["told"].count("13800138000") == 0 for row in rows)


async def test_a_note_too_long_names_its_field_and_the_remedy(shift: Shift) -> None:
    status, told = await shift.asks("chief", "duties/note", text="字" * 2001)
    assert (status, told["field"]) == (400, "text")
    assert "at most 2000 characters, this has 2001: shorten it" in told["detail"]


async def test_a_note_is_written_read_and_settled_at_the_command_line_as_typed(shift: Shift) -> None:
    async def cti(*words: str) -> str:
        told = [*words, "--home", str(shift.home.root)]
        done = await asyncio.to_thread(CliRunner().invoke, command_tree(words[:1]), told)
        assert done.exit_code == 0, done.output
        return done.output

    typed = "[red]勿调队列[/red]"
    note = (await cti("duties", "--write", typed)).split()[-1]
    await shift.shown("duties", 1)
    assert f"{note} token-operator: {typed}" in await cti("duties")
    assert note in await cti("duties", "--settle", note, "--why", "早班已阅知")
    assert await shift.shown("duties", 0) == []


async def test_a_note_written_while_the_database_is_away_outlives_the_service_and_is_read_when_it_is_back(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    home.database.mkdir()  # nothing that opens as a database
    async with service(home) as leaving:
        note = await leaving.writes()
        assert (await leaving.asks("chief", "duties"))[0] == 503
    async with service(home) as coming:
        assert (await coming.asks("chief", "duties"))[0] == 503
        home.database.rmdir()
        (duty,) = await coming.shown("duties", 1)
        assert (duty["note"], duty["text"], duty["by"]) == (note, TEXT, "zhang")


async def test_a_note_that_the_full_disk_does_not_take_is_told_as_unsure_and_written_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_doors, "DISK_SECONDS", 0.2)
    full = [True]

    def write(fd: int, data: bytes) -> int:
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(fd, data)

    async with service(Home(tmp_path), write) as one:
        status, problem = await one.asks("zhang", "duties/note", text=TEXT)
        assert (status, "before you write it again" in problem["detail"]) == (503, True)
        full.clear()
        (duty,) = await one.shown("duties", 1)
        assert duty["text"] == TEXT


async def test_a_note_for_which_no_room_is_left_while_the_disk_stands_still_is_told_as_lost(
    tmp_path: Path,
) -> None:
    async with service(Home(tmp_path), waiting=0) as one:
        status, problem = await one.asks("zhang", "duties/note", text=TEXT)
        assert status == 503, problem
        assert "请重写 not kept, write it again" in problem["detail"]
