"""Transfers and hand-off records over HTTP, for people of two cities: who sees what, who may write, and the
row each order leaves. Real sockets, no Asterisk: facts are said by the test."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from calls import facts as f
from calls.audit import Audited
from calls.facts import CallId, LegId
from calls.orders import Order
from cti.errors import NotNow, Refused
from cti.handoffs import Handoffs
from cti.kept import Kept
from cti.store.history import Past
from cti.store.journal import Reader
from cti.switchboard import Switchboard
from cti.web.metrics import Metrics
from cti.web.server import Web
from cti.web.transfer import Rights, TransferDoor
from cti.web.who import Role, Who
from tests.house import api_port
from tests.story.plan_files import demo

CALLER = "13900000099"
PEOPLE = {
    "chief": Who("chief", Role.SUPERVISOR, "demo"),
    "zhang": Who("zhang", Role.AGENT, "demo", "8001"),
    "wang": Who("wang", Role.AGENT, "demo", "8002"),
    "looker": Who("looker", Role.OBSERVER, "demo"),
    "neighbour": Who("neighbour", Role.SUPERVISOR, "other"),
    "li": Who("li", Role.AGENT, "other", "8001"),
}
SEATS = {("demo", "1001"): "8001", ("demo", "1002"): "8002", ("other", "1001"): "8001"}


@dataclass
class Town:
    """Everything of the service but Asterisk."""

    url: str = ""
    board: Switchboard = field(default_factory=Switchboard)
    ordered: list[Order] = field(default_factory=list)
    trail: dict[str, list[Audited]] = field(default_factory=dict)
    """Each row as it was written, by its id."""
    hides: bool = False
    trouble: Exception | None = None

    async def do(self, order: Order) -> str:
        if self.trouble is not None:
            raise self.trouble
        self.ordered.append(order)
        return ""

    def note(self, row: Audited) -> None:
        self.trail.setdefault(row.id, []).append(row)

    @property
    def last(self) -> Audited:
        """The last row, as it was written last."""
        return list(self.trail.values())[-1][-1]

    def hands_over(self, city: str, *steps: str) -> str:
        """A caller of that city's seat 1001, brought to 110; the record's id."""
        call = CallId(f"{city}-n1-1.1")
        number = {"called": "12345", "original": "12345", "caller": CALLER, "sip_call": ""}
        place = {"city": city, "trunk": "carrier", "line": "main"}
        leg = LegId(f"{call}-leg")
        self.board.hear(f.CallArrived(at=time.time(), node="n1", call=call, leg=leg, **place, **number))
        for step in ("asked", *steps):
            fact = f.TransferStepped(at=time.time(), node="n1", call=call, id=f"h-{city}", step=step)
            if step == "asked":
                fact = replace(fact, kind="handoff", to="110", seat="1001", agent="8001", caller=CALLER)
            self.board.hear(fact)
        return f"h-{city}"

    async def asks(self, who: str, path: str, **body: str) -> tuple[int, Any]:
        """GET, or with a body POST; status and answer."""
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {who}"}) as session,
            session.request("POST" if body else "GET", self.url + path, json=body or None) as answer,
        ):
            text = await answer.text()
            return answer.status, json.loads(text) if answer.content_type.endswith("json") else text


@pytest.fixture
def port() -> Iterator[int]:
    with api_port() as port:
        yield port


@pytest_asyncio.fixture
async def town(tmp_path: Path, port: int) -> AsyncIterator[Town]:
    town = Town(f"http://127.0.0.1:{port}")
    plans = {"demo": demo(), "other": demo()}
    rooms = Handoffs(lambda: town.board.board, lambda: plans, town.do, town.board.hear, town.board.recall)
    rights = Rights(
        lambda city, seat: SEATS.get((city, seat), ""),
        lambda who, call: who.agent == "8001" and who.sees(call.partition("-")[0]),
    )
    door = TransferDoor(
        rooms, _no_hook, rights, lambda q, city: Past(q.since, q.until, city, q.most), town.note
    )
    reader = Kept(town.board, Reader(tmp_path))
    metrics = Metrics([], lambda: ())
    web = Web(
        "127.0.0.1", port, reader, {"operator": "operator"}, metrics, (door,), PEOPLE.get,
        lambda city: town.hides,
    )  # fmt: skip
    serving = asyncio.create_task(web.run())
    async with asyncio.timeout(20):
        while True:
            try:
                await town.asks("chief", "/healthz")
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.01)
    yield town
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def _no_hook(city: str, centre: str, headers: Mapping[str, str], body: bytes) -> None:
    raise Refused("no centre here")


async def test_a_city_sees_its_own_transfers_and_records_only(town: Town) -> None:
    mine, theirs = town.hands_over("demo"), town.hands_over("other")
    for who, city, id, other in (("chief", "demo", mine, theirs), ("neighbour", "other", theirs, mine)):
        status, standing = await town.asks(who, "/api/transfers")
        assert (status, [row["city"] for row in standing]) == (200, [city])
        status, records = await town.asks(who, "/api/handoffs")
        assert (status, [row["id"] for row in records]) == (200, [id])
        for path in (f"/api/handoffs/{id}", f"/api/handoffs/{id}/sheet"):
            assert (await town.asks(who, path))[0] == 200
        for path in (f"/api/handoffs/{other}", f"/api/handoffs/{other}/sheet"):
            assert (await town.asks(who, path))[0] == 404
    for path in ("/api/transfers?city=other", "/api/handoffs?city=other"):
        assert (await town.asks("chief", path))[0] == 403
    _, records = await town.asks("operator", "/api/handoffs")
    assert {row["city"] for row in records} == {"demo", "other"}
    _, standing = await town.asks("operator", "/api/transfers?city=other")
    assert [row["city"] for row in standing] == ["other"]


@pytest.mark.parametrize("who", ["neighbour", "li"])
async def test_nobody_writes_into_another_citys_record_or_orders_at_its_seats(town: Town, who: str) -> None:
    id = town.hands_over("demo")
    assert (await town.asks(who, f"/api/handoffs/{id}", officer="0001"))[0] == 404
    row = town.last
    assert (row.outcome, row.did, row.who, row.city) == ("denied", "hand-off", who, "demo")
    status, _ = await town.asks(who, "/api/seats/demo/1001/transfer", kind="handoff", to="110")
    assert status == 403
    row = town.last
    assert (row.outcome, row.did, row.on, row.city) == ("denied", "transfer", "seat 1001", "demo")
    assert town.board.board.moves.records[id].officer == ""
    assert town.ordered == []


async def test_whole_numbers_are_for_who_may_see_them_not_for_who_may_act(town: Town) -> None:
    id = town.hands_over("demo")
    paths = ("/api/handoffs", f"/api/handoffs/{id}", f"/api/handoffs/{id}/sheet")
    await town.asks("chief", f"/api/handoffs/{id}", summary=f"回拨{CALLER}")
    for hides, full in ((False, {"operator", "chief"}), (True, {"operator"})):
        town.hides = hides
        for who in ("operator", "chief", "zhang", "looker"):
            shown = [json.dumps((await town.asks(who, path))[1]) for path in paths]
            if who in ("operator", "chief", "zhang"):
                shown.append(json.dumps((await town.asks(who, f"/api/handoffs/{id}", officer="0231"))[1]))
            assert [CALLER in text for text in shown] == [who in full] * len(shown), (hides, who)


async def test_the_agent_of_a_record_writes_into_it_and_another_agent_may_not(town: Town) -> None:
    id = town.hands_over("demo", "answered", "joined")
    words = {"location": "人民路1号", "summary": f"有人落水，电话{CALLER}", "case": "JQ-2026-0815"}
    status, told = await town.asks("zhang", f"/api/handoffs/{id}", officer="0231", outcome="kept", **words)
    assert (status, told["outcome"], told["officer"], told["case"]) == (200, "kept", "0231", words["case"])
    assert (told["location"], told["asked_by"], told["decided_by"]) == ("人民路1号", "zhang", "zhang")
    begun, done = list(town.trail.values())[-1]
    assert (begun.outcome, done.outcome, done.who, done.role) == ("begun", "done", "zhang", "agent")
    assert (done.did, done.on, done.city) == ("hand-off", "demo-n1-1.1", "demo")
    noted = json.loads(done.told)
    assert (noted["handoff"], noted["outcome"], noted["case"]) == (id, "kept", words["case"])
    assert noted["summary"] == "有人落水，电话139****0099"
    for who in ("wang", "looker"):
        assert (await town.asks(who, f"/api/handoffs/{id}", officer="9999"))[0] == 403
        assert (town.last.outcome, town.last.who) == ("denied", who)
    assert town.board.board.moves.records[id].officer == "0231"


async def test_the_agent_who_took_a_caller_from_a_centre_writes_into_that_record(town: Town) -> None:
    call = CallId("demo-n1-1.1")
    town.board.hear(
        f.HandedToUs(at=time.time(), node="n1", call=call, centre="110", case="", trunk="centres", caller="1")
    )
    assert (await town.asks("zhang", f"/api/handoffs/in-{call}", summary="邻里纠纷"))[0] == 200
    assert (await town.asks("wang", f"/api/handoffs/in-{call}", summary="x"))[0] == 403
    # 8002 answered and passed the caller on to 8001: both have something to say
    now: dict[str, Any] = {"at": time.time(), "node": "n1", "city": "demo", "seat": "1002"}
    town.board.hear(f.AgentBound(agent="8002", **now))
    town.board.hear(
        f.SeatAnswered(call=call, queue="general", leg=LegId("n1-2"), waited=1.0, rang=1.0, **now)
    )
    for who in ("zhang", "wang"):
        assert (await town.asks(who, f"/api/handoffs/in-{call}", summary=who))[0] == 200


async def test_every_wish_leaves_a_row_also_one_that_is_refused_or_may_have_been_done(town: Town) -> None:
    path = "/api/seats/demo/1001/transfer"
    assert (await town.asks("zhang", path, kind="three", to="110"))[0] == 200
    told = json.loads(town.last.told)
    assert (town.last.outcome, town.last.who, town.last.on) == ("done", "zhang", "seat 1001")
    assert (told["kind"], told["to"], told["handoff"]) == ("three", "110", town.ordered[-1].id)  # type: ignore[union-attr]  # a Transfer
    assert (await town.asks("wang", path, kind="leave"))[0] == 403
    assert (town.last.outcome, town.last.who) == ("denied", "wang")
    assert (await town.asks("chief", path, kind="handoff", to="nobody"))[0] == 409
    assert (town.last.outcome, "nobody" in town.last.why) == ("refused", True)
    town.trouble = Refused("the agent stays until the centre has accepted")
    assert (await town.asks("zhang", path, kind="leave"))[0] == 409
    assert (town.last.outcome, town.last.why) == ("refused", "the agent stays until the centre has accepted")
    town.trouble = NotNow("no link")
    assert (await town.asks("zhang", path, kind="leave"))[0] == 503
    assert town.last.outcome == "unknown"
    assert (await town.asks("chief", "/api/handoffs/nothing", officer="1"))[0] == 404
    assert (town.last.outcome, town.last.on) == ("refused", "hand-off nothing")
