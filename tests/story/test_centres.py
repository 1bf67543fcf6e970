"""What a centre's computer tells of a record that the board has forgotten, or never knew."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from calls import facts as f
from calls.audit import Audited
from calls.facts import CallId
from cti import kept
from cti.centres import Centres, pack, signature
from cti.errors import NotNow, Refused
from cti.handoffs import Handoffs
from cti.store.history import Past
from cti.store.journal import Journal, Limits, Reader
from cti.store.records import Position, Record
from cti.switchboard import Heard, Switchboard
from tests.story.a_call import said
from tests.story.plan_files import demo
from transfer.agree import Message
from transfer.handoff import KEPT, Handoff

SECRET = "a shared one"
CALL = CallId("demo-n1-1.1")
BEGAN = 1_732_190_700.0
OLD = Handoff("h-old", CALL, "demo", "out", "handoff", "110", caller="139", asked=BEGAN, ended=BEGAN + 60)
TO_US = Handoff("in-x", CALL, "demo", "in", "handoff", "110", asked=BEGAN, ended=BEGAN + 60, case="JQ-1")


class Database:
    """A database of these records, which may be away."""

    def __init__(self, *records: Handoff) -> None:
        self.records = list(records)
        self.away = False

    async def handoffs(
        self, past: Past, *, id: str = "", centre: str = "", case: str = ""
    ) -> Sequence[Handoff]:
        if self.away:
            raise NotNow("database: away")
        return [
            r
            for r in self.records
            if past.city in (None, r.city)
            and id in ("", r.id)
            and centre in ("", r.centre)
            and case in ("", r.case)
        ]


class NoDisk:
    """A journal whose records are durable when the test says so."""

    appended = durable = 0


class Town:
    """A service that has just started: an empty board beside a database."""

    def __init__(self, folder: Path, *past: Handoff) -> None:
        self.past, self.trail, self.written = Database(*past), list[Audited](), list[Handoff]()
        told = {"url": "http://127.0.0.1:9/", "secret": SECRET}
        self.file = folder / "centres.json"
        self.file.write_text(json.dumps({"demo/110": told, "demo/119": told}))
        self.starts()

    def starts(self) -> None:
        """Anew: what was written is in the database, and nothing else is known."""
        for row in self.written:
            self.past.records = [r for r in self.past.records if r.id != row.id] + [row]
        board, plans = Switchboard(), {"demo": demo()}
        self.handoffs = handoffs = Handoffs(
            lambda: board.board, lambda: plans, _nobody, board.hear, board.recall, self.past
        )
        self.disk = NoDisk()
        self.centres = Centres(
            self.file, lambda: plans, lambda: board.board, handoffs, self.trail.append, self.disk
        )
        board.listen(self._keep)
        self.board = board

    def reaches_110_at(self, url: str) -> None:
        self.file.write_text(json.dumps({"demo/110": {"url": url, "secret": SECRET}}))

    def hands_over_to_110(self, url: str) -> None:
        """An agent begins record ``h1``, of which that address is told."""
        self.reaches_110_at(url)
        self.board.hear(begun(1))

    def _keep(self, heard: Heard) -> None:
        self.written += heard.handoffs

    async def hears(self, record: str, version: int, centre: str = "110", **body: str) -> None:
        """An offer of that centre's computer."""
        await self.hears_said(Message("offer", record, version, body), centre)

    async def hears_said(self, message: Message, centre: str = "110") -> None:
        said, stamp = pack(message), f"{time.time()}"
        headers = {"X-Hotline-Timestamp": stamp, "X-Hotline-Signature": signature(SECRET, stamp, said)}
        await self.centres.take("demo", centre, headers, said)


async def _nobody(order: object) -> str:
    raise Refused("no Asterisk here")


@pytest.mark.parametrize(
    ("record", "body"),
    [
        ("f-1", {"handoff": "h-old", "result": "已处置"}),
        ("h-old", {"result": "已处置", "case": "JQ-9"}),
        ("f-2", {"case": "JQ-1", "result": "已处置"}),
    ],
    ids=["it names our record", "it is our record, with a case number of theirs", "it names their case"],
)
async def test_late_feedback_is_found_in_history_and_written_there(
    tmp_path: Path, record: str, body: dict[str, str]
) -> None:
    town = Town(tmp_path, OLD, TO_US)
    await town.hears(record, 1, **body)
    (row,) = town.written
    assert (row.id, row.result) == ("in-x" if record == "f-2" else "h-old", "已处置")
    assert (row.asked, row.ended) == (BEGAN, BEGAN + 60), "what history had stays"
    (noted,) = town.trail
    assert (noted.who, noted.on, noted.outcome) == ("centre-110", CALL, "done")


@pytest.mark.parametrize(
    ("centre", "body"),
    [
        ("110", {"handoff": "h-none", "case": "JQ-1"}),
        ("110", {"case": "JQ-none"}),
        ("110", {}),
        ("119", {"handoff": "h-old"}),
    ],
    ids=["no such record", "no such case", "nothing named", "another centre's record"],
)
async def test_what_belongs_to_no_record_is_not_received_so_that_the_centre_repeats_it(
    tmp_path: Path, centre: str, body: dict[str, str]
) -> None:
    town = Town(tmp_path, OLD, TO_US)
    for _ in range(2):
        with pytest.raises(NotNow, match="say it again"):
            await town.hears("f-1", 1, centre, officer="0231", **body)
    assert town.written == []
    assert town.trail == []


async def test_what_was_withheld_is_taken_as_soon_as_the_record_is_known(tmp_path: Path) -> None:
    town = Town(tmp_path, OLD)
    town.past.away = True
    with pytest.raises(NotNow, match="away"):
        await town.hears("f-1", 1, handoff="h-old", officer="0231")
    town.past.away = False
    await town.hears("f-1", 1, handoff="h-old", officer="0231")
    assert [row.officer for row in town.written] == ["0231"]


async def test_repeated_feedback_is_written_once_and_needs_no_database(tmp_path: Path) -> None:
    town = Town(tmp_path, OLD)
    await town.hears("f-1", 2, handoff="h-old", officer="0231")
    town.past.away = True
    await town.hears("f-1", 2, handoff="h-old", officer="0231")
    await town.hears("f-1", 1, handoff="h-old", officer="0001")
    await town.hears("f-1", 3, handoff="h-old", result="已处置")
    assert [(row.officer, row.result) for row in town.written] == [("0231", ""), ("0231", "已处置")]


async def test_a_service_started_anew_takes_again_what_it_had_received_and_what_is_new(
    tmp_path: Path,
) -> None:
    town = Town(tmp_path, OLD)
    await town.hears("f-1", 1, handoff="h-old", officer="0231")
    town.starts()
    await town.hears("f-1", 1, handoff="h-old", officer="0231")
    await town.hears("f-1", 2, handoff="h-old", result="已处置")
    last = town.written[-1]
    assert (last.officer, last.result, last.asked, last.ended) == ("0231", "已处置", BEGAN, BEGAN + 60)


def stepped(number: int, step: str, **told: Any) -> f.TransferStepped:
    return f.TransferStepped(
        at=BEGAN, node="n1", call=CallId(f"demo-n1-{number}"), id=f"h{number}", step=step, **told
    )


def begun(number: int) -> f.TransferStepped:
    """An agent hands a caller over to 110: record ``h<number>`` begins."""
    return stepped(number, "asked", kind="handoff", to="110", seat="1001", caller="139")


async def test_a_board_that_is_full_forgets_what_is_over_and_never_what_goes_on(tmp_path: Path) -> None:
    town = Town(tmp_path, OLD)
    for number in range(KEPT):
        town.board.hear(begun(number))
        if number:
            town.board.hear(stepped(number, "over"))
    await town.hears("f-1", 1, handoff="h-old", officer="0231")
    known = town.board.board.moves.records
    assert len(known) == KEPT
    assert {"h0", "h-old"} <= known.keys()
    assert "h1" not in known


async def test_a_record_no_centre_confirmed_is_offered_again_however_much_was_written_since(
    tmp_path: Path,
) -> None:
    town = Town(tmp_path)
    journal = Journal(
        tmp_path / "journal", Limits(segment_bytes=4096), checkpoint=kept.checkpoint(lambda: town.board.board)
    )
    town.board.listen(kept.journal_ear(journal))
    async with refusing() as (url, offered):
        town.hands_over_to_110(url)
        town.board.hear(stepped(1, "over"))
        assert await next_offered(town, offered) == "h1"
        for second in range(60):
            town.board.hear(said(f.SeatDevice, BEGAN + second))
        assert journal.flush()
        journal.close()
        reader = Reader(journal.folder)
        assert "h1" not in {r.told.get("id") for r in reader.recent(2)}, "no fact tells of it any more"
        town.starts()
        town.board.board = kept.last_board(reader)
        assert await next_offered(town, offered) == "h1"


async def test_what_changed_after_the_centre_had_confirmed_is_offered_by_the_next_service(
    tmp_path: Path,
) -> None:
    town = Town(tmp_path)
    async with refusing() as (url, offered):
        town.hands_over_to_110(url)
        asked = town.board.board.moves.records["h1"].version
        await town.hears_said(Message("received", "h1", asked))
        for step in ("answered", "handed", "over"):
            town.board.hear(stepped(1, step))
        last = town.board.board
        assert (last.moves.records["h1"].agreed, last.moves.records["h1"].settled) == (asked, False)
        (checkpoint,) = kept.checkpoint(lambda: last)()
        town.starts()
        town.board.board = kept.board_from([Record(Position(1, 0), Position(1, 1), checkpoint)])
        assert await next_offered(town, offered) == "h1"
        newest = town.board.board.moves.records["h1"]
        assert newest.version > asked
        await town.hears_said(Message("received", "h1", newest.version))
        assert town.board.board.moves.records["h1"].settled
        # and what both know is not said once more
        (checkpoint,) = kept.checkpoint(lambda: town.board.board)()
        assert checkpoint["handoffs"] == []


async def test_a_centre_is_told_that_an_agent_keeps_an_undecided_caller(tmp_path: Path) -> None:
    town = Town(tmp_path)
    told: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def take(asked: web.Request) -> web.Response:
        told.put_nowait((await asked.json())["body"])
        return web.Response(status=500)

    app = web.Application()
    app.router.add_post("/", take)
    async with TestServer(app) as server:
        town.hands_over_to_110(str(server.make_url("/")))
        town.board.listen(town.centres.hear)
        talking = asyncio.create_task(town.centres.run())
        async with asyncio.timeout(30):
            assert (await told.get())["outcome"] == "asked"
            town.handoffs.note("h1", {"outcome": "kept", "decided_by": "zhang"})
            while (body := await told.get()).get("outcome") != "kept":
                pass
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
    assert "zhang" not in body.values(), "who sits here is nobody else's"


async def test_what_a_centre_decides_is_recorded_as_its_own(tmp_path: Path) -> None:
    town = Town(tmp_path, OLD)
    await town.hears("f-1", 1, handoff="h-old", outcome="kept", decided_by="zhang")
    assert [(row.outcome, row.decided_by) for row in town.written] == [("kept", "centre-110")]


async def test_a_late_copy_of_an_old_offer_undoes_nothing_after_a_restart(tmp_path: Path) -> None:
    town = Town(tmp_path, OLD)
    await town.hears("f-1", 1, handoff="h-old", result="正在处置")
    await town.hears("f-1", 2, handoff="h-old", result="已处置")
    town.starts()
    before = len(town.written)
    await town.hears("f-1", 1, handoff="h-old", result="正在处置")
    assert town.written[before:] == []
    assert town.written[-1].result == "已处置"
    await town.hears("f-1", 3, handoff="h-old", result="已移送")
    assert town.written[-1].result == "已移送"


async def test_a_receipt_that_comes_after_a_restart_is_confirmed_so_that_the_centre_ends_it_too(
    tmp_path: Path,
) -> None:
    known = replace(OLD, version=7, agreed=7)
    town = Town(tmp_path, known)
    async with refusing() as (url, offered):
        town.reaches_110_at(url)
        await town.hears_said(Message("received", "h-old", 7))
        assert await next_offered(town, offered) == "h-old confirm 7"


async def test_a_centre_that_knows_more_than_a_killed_service_had_written_is_told_it_anew(
    tmp_path: Path,
) -> None:
    town = Town(tmp_path)
    async with refusing() as (url, offered):
        town.hands_over_to_110(url)
        assert await next_offered(town, offered) == "h1"
        lost = town.board.board.moves.records["h1"].version + 5
        await town.hears_said(Message("received", "h1", lost))
        assert await next_offered(town, offered) == "h1"
        assert town.board.board.moves.records["h1"].version == lost + 1
        # what happens next is newer still
        town.board.hear(stepped(1, "answered"))
        assert town.board.board.moves.records["h1"].version > lost + 1


@pytest.mark.parametrize("version", [2**64 - 1, 2**53, 0, True])
async def test_a_version_that_not_every_computer_can_read_is_refused_and_ends_nothing(
    tmp_path: Path, version: int
) -> None:
    town = Town(tmp_path)
    async with refusing() as (url, offered):
        town.file.write_text(json.dumps({"demo/110": {"url": url, "secret": SECRET}}))
        for number in (1, 2):
            town.board.hear(stepped(number, "asked", kind="handoff", to="110", seat="1001", caller="139"))
        with pytest.raises(Refused, match="whole number from 1 to"):
            await town.hears_said(Message("received", "h1", version))
        with pytest.raises(Refused, match="whole number from 1 to"):
            await town.hears_said(Message("offer", "f-1", version, {"handoff": "h1"}))
        talking = asyncio.create_task(town.centres.run())
        assert {await asyncio.wait_for(offered.get(), 10) for _ in range(2)} == {"h1", "h2"}
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


async def test_the_largest_version_that_every_computer_can_read_is_taken(tmp_path: Path) -> None:
    town = Town(tmp_path, OLD)
    await town.hears("f-1", 2**53 - 1, handoff="h-old", result="已处置")
    assert [row.result for row in town.written] == ["已处置"]


async def test_nothing_is_received_before_it_is_on_disk(tmp_path: Path) -> None:
    town = Town(tmp_path, replace(OLD, version=7, agreed=7))
    async with refusing() as (url, offered):
        town.reaches_110_at(url)
        town.disk.appended = 3
        await town.hears("f-1", 1, handoff="h-old", result="已处置")
        town.board.hear(begun(1))
        talking = asyncio.create_task(town.centres.run())
        # what can be said is said, and again half a second later
        assert [await asyncio.wait_for(offered.get(), 10) for _ in range(2)] == ["h1", "h1"]
        town.disk.durable = 3
        assert await asyncio.wait_for(offered.get(), 10) == "f-1 received 1"
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


async def test_a_centre_whose_address_is_taken_away_ends_nothing_and_is_answered_when_it_is_back(
    tmp_path: Path,
) -> None:
    town = Town(tmp_path, OLD, replace(OLD, id="h-119", centre="119"))
    async with refusing() as (url, offered):
        told = {"url": url, "secret": SECRET}
        addressed(town, {"demo/110": told, "demo/119": told}, BEGAN)
        town.disk.appended = 1
        await town.hears("f-1", 1, handoff="h-old", result="已处置")
        await town.hears("x-1", 1, "119", handoff="h-119", result="已处置")
        addressed(town, {"demo/119": told}, BEGAN + 1)
        town.disk.durable = 1
        talking = asyncio.create_task(town.centres.run())
        assert await asyncio.wait_for(offered.get(), 10) == "x-1 received 1"
        addressed(town, {"demo/110": told}, BEGAN + 2)
        await town.hears("f-1", 1, handoff="h-old", result="已处置")
        while await asyncio.wait_for(offered.get(), 10) != "f-1 received 1":
            pass
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


async def test_an_address_put_back_as_it_was_is_known_again(tmp_path: Path) -> None:
    town = Town(tmp_path, OLD)
    told = json.loads(town.file.read_text())
    addressed(town, told, BEGAN)
    await town.hears("f-1", 1, handoff="h-old")
    town.file.unlink()
    with pytest.raises(NotNow, match="has no address"):
        await town.hears("f-1", 2, handoff="h-old")
    addressed(town, told, BEGAN)
    await town.hears("f-1", 2, handoff="h-old")


def addressed(town: Town, told: dict[str, Any], changed: float) -> None:
    """The addresses of the centres' computers, as they were written at that moment."""
    town.file.write_text(json.dumps(told))
    os.utime(town.file, (changed, changed))


@contextlib.asynccontextmanager
async def refusing() -> AsyncIterator[tuple[str, asyncio.Queue[str]]]:
    """A centre's computer that answers 500: its address, and the records it was offered; of other messages
    what they say and of which version."""
    offered: asyncio.Queue[str] = asyncio.Queue()

    async def refuse(asked: web.Request) -> web.Response:
        told = await asked.json()
        more = "" if told["says"] == "offer" else f" {told['says']} {told['version']}"
        offered.put_nowait(told["record"] + more)
        return web.Response(status=500)

    app = web.Application()
    app.router.add_post("/", refuse)
    async with TestServer(app) as server:
        yield str(server.make_url("/")), offered


async def next_offered(town: Town, offered: asyncio.Queue[str]) -> str:
    talking = asyncio.create_task(town.centres.run())
    try:
        return await asyncio.wait_for(offered.get(), 10)
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
