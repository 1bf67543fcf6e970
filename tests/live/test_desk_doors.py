"""The desk's doors over a real socket, without Asterisk: sessions, audit rows, slow readers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from calls.audit import Audited, Outcome
from calls.model import Seat, SeatState
from cti.accounts import Accounts
from cti.app import Service
from cti.board_client import Shown
from cti.errors import NotNow, Refused
from cti.home import Home
from cti.settings import Settings
from cti.web.answers import Answered
from cti.web.audit import AuditDoor, AuditQuestion
from cti.web.hub import FULL, Hub
from cti.web.metrics import Metrics
from cti.web.openapi import document
from cti.web.orders import ORDERS, By, NoSuch, Orders
from cti.web.server import Web
from cti.web.sessions import SECONDS, SHIFT, TRIES, WITHIN, Sessions
from cti.web.socket import KERNEL, Socket
from cti.web.who import Role, Who
from tests.house import API, api_port
from tests.live.desk_town import PASSWORD, Person, screen, signs_in
from tests.story.plan_files import demo
from tests.story.test_hub import Here


@dataclass
class Fakes:
    """A desk that does what a test says, and a clock."""

    outcome: Exception | None = None
    done: list[str] = field(default_factory=list)
    now: float = 1_000_000.0

    def city(self, told: str, who: Who) -> str:
        if told not in ("", "demo"):
            raise NoSuch("no such city", "city")
        return "demo"

    def seat_of(self, city: str, agent: str) -> str:
        return "1001" if agent == "8001" else ""

    def city_of_call(self, call: str) -> str:
        return "demo"

    async def call_back(self, call: str, seat: str, by: By) -> str:
        self.done.append("call_back")
        return "demo-n1-1.2"

    async def call_out(self, city: str, seat: str, number: str, by: By) -> str:
        self.done.append("call_out")
        return "demo-n1-1.2"

    async def reveal(self, call: str, by: By) -> str:
        if not by.who.may(Role.SUPERVISOR):
            raise Answered(403, "the plan gives this right to supervisors")
        self.done.append("reveal")
        return "13900000001"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def do(*told: Any) -> None:
            if self.outcome is not None:
                raise self.outcome
            self.done.append(name)

        return do


@dataclass
class Door:
    home: Home
    fakes: Fakes
    rows: list[Audited]
    hub: Hub
    accounts: Accounts
    here: Here
    web: Web

    async def person(self, name: str) -> Person:
        status, told = await signs_in(self.home, name=name, password=PASSWORD)
        assert status == 201, told
        return Person(self.home, told["token"])


@pytest.fixture
def port() -> Iterator[int]:
    with api_port() as port:
        yield port


@pytest_asyncio.fixture
async def door(tmp_path: Path, port: int) -> AsyncIterator[Door]:
    home = Home(tmp_path)
    home.state_file.write_text(f'{{"base_port": {port - API}}}')
    fakes, rows, here = Fakes(), list[Audited](), Here()
    plan = demo()
    pin = plan.agents["8002"].model_copy(update={"pin": "2468"})
    plan = plan.model_copy(update={"agents": {**plan.agents, "8002": pin}})
    accounts = Accounts(home, lambda: {"demo": plan})
    for name, role, agent in (("chief", Role.SUPERVISOR, ""), ("zhang", Role.AGENT, "8001")):
        accounts.put(Who(name, role, "demo", agent), PASSWORD)
    sessions = Sessions("k" * 64, accounts, now=lambda: fakes.now)
    hub = Hub(here)
    opened = Socket(hub)

    async def no_rows(asked: AuditQuestion, city: str | None) -> list[Audited]:
        return []

    doors = (sessions, Orders(fakes, rows.append), AuditDoor(no_rows), opened)
    web = Web("127.0.0.1", port, here, {"operator": "op"}, Metrics(), doors, sessions.who)  # type: ignore[arg-type]  # the desk asks Here of little
    opened.who = web.who
    parts = [asyncio.create_task(part) for part in (web.run(), hub.run())]
    async with asyncio.timeout(10):
        while True:
            try:
                await Person(home, "op").gets("session")
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.01)
    yield Door(home, fakes, rows, hub, accounts, here, web)
    for part in parts:
        part.cancel()
    await asyncio.gather(*parts, return_exceptions=True)


# --- sessions -------------------------------------------------------------------------------------


async def test_a_session_ends_by_itself_and_is_renewed_for_a_shift_at_most(door: Door) -> None:
    chief = await door.person("chief")
    assert (await chief.gets("session"))[1]["role"] == "supervisor"
    began = door.fakes.now
    while door.fakes.now + SECONDS < began + SHIFT:
        door.fakes.now += SECONDS - 60
        status, told = await chief.orders("sessions/renew")
        assert status == 201
        chief.token = told["token"]
    door.fakes.now = began + SHIFT - 30
    assert (await chief.orders("sessions/renew"))[0] == 401
    door.fakes.now = began + SHIFT + 1
    assert (await chief.gets("session"))[0] == 401


async def test_a_changed_password_ends_the_sessions_before_it_and_a_removed_account_all(door: Door) -> None:
    chief = await door.person("chief")
    door.accounts.put(Who("chief", Role.SUPERVISOR, "demo", ""), PASSWORD + "x")
    assert (await chief.gets("session"))[0] == 401
    zhang = await door.person("zhang")
    door.accounts.remove("zhang")
    assert (await zhang.gets("session"))[0] == 401


async def test_a_token_signed_with_another_key_or_with_none_is_refused(door: Door) -> None:
    import jwt

    claims = {"sub": "chief", "role": "operator", "city": "", "agent": "", "stamp": "", "exp": 9e9}
    for token in (jwt.encode(claims, "q" * 64, "HS256"), jwt.encode(claims, "", "none"), "x.y.z", ""):
        assert (await Person(door.home, token).gets("session"))[0] == 401


async def test_guessing_is_slowed_down_and_the_right_password_waits_too(door: Door) -> None:
    for _ in range(TRIES):
        assert (await signs_in(door.home, name="chief", password="guess-guess"))[0] == 401
    status, why = await signs_in(door.home, name="chief", password=PASSWORD)
    assert (status, why["field"]) == (429, "password")
    assert (await signs_in(door.home, name="zhang", password=PASSWORD))[0] == 201
    door.fakes.now += WITHIN + 1
    assert (await signs_in(door.home, name="chief", password=PASSWORD))[0] == 201


async def test_what_is_missing_to_sign_in_is_said(door: Door) -> None:
    status, why = await signs_in(door.home)
    assert (status, "'name' and 'password'" in why["detail"]) == (400, True)
    status, why = await signs_in(door.home, agent="8002", pin="2468")
    assert (status, "'city' is missing" in why["detail"]) == (400, True)


# --- orders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "status", "noted"),
    [
        (None, 200, Outcome.DONE),
        (Refused("the phone did not answer"), 409, Outcome.REFUSED),
        (NoSuch("no such reason", "reason"), 404, Outcome.REFUSED),
        (NotNow("no link to Asterisk"), 503, Outcome.UNKNOWN),
        (ZeroDivisionError("a bug"), 500, Outcome.UNKNOWN),
    ],
)
async def test_every_outcome_of_an_order_is_one_row_written_when_it_begins_and_when_it_ends(
    door: Door, outcome: Exception | None, status: int, noted: Outcome
) -> None:
    chief = await door.person("chief")
    door.fakes.outcome = outcome
    told, _ = await chief.orders("seats/1001/pause", reason="lunch")
    assert told == status
    begun, ended = door.rows
    assert (begun.id, begun.outcome, begun.who, begun.did, begun.on) == (
        ended.id, Outcome.BEGUN, "chief", "pause", "seat 1001",
    )  # fmt: skip
    assert ended.outcome is noted
    assert ended.ended is not None


@pytest.mark.parametrize("rule", ORDERS, ids=lambda rule: rule.did)
async def test_no_order_is_done_without_the_role_it_needs_and_each_is_described(
    door: Door, rule: Any
) -> None:
    path = (
        rule.path.removeprefix("/api/")
        .replace("{seat}", "1002")
        .replace("{call}", "demo-c")
        .replace("{line}", "main")
    )
    needs: dict[str, dict[str, Any]] = {
        "pause": {"reason": "lunch"},
        "queues": {"queues": {"general": 0}},
        "sign-in": {"agent": "8002"},
        "watch": {"seat": "1003"},
        "take-over": {"seat": "1003"},
        "call-back": {"seat": "1003"},
        "call-out": {"number": "13900000001"},
        "reveal": {"purpose": "核对号码"},
        "settle-call-back": {"reason": "手机已回电"},
        "settle-draft": {"reason": "并入上一工单"},
    }
    body_of = needs.get(rule.did, {})
    assert (await Person(door.home, "").orders(path, **body_of))[0] == 401
    assert (await (await door.person("zhang")).orders(path, **body_of))[0] == 403
    assert not door.fakes.done
    assert (await (await door.person("chief")).orders(path, **body_of))[0] == 200
    assert len(door.fakes.done) == 1
    assert rule.path in document("0")["paths"]


async def test_every_path_that_answers_is_described_and_no_other(tmp_path: Path) -> None:
    told = document("0")
    service = Service(Home(tmp_path), Settings())
    routes = service.web.app().router.routes()
    answers = {
        (route.method.lower(), route.resource.canonical)
        for route in routes
        if route.resource is not None and route.method != "HEAD"
    }
    described = {(method, path) for path, methods in told["paths"].items() for method in methods}
    assert described == answers - {("get", "/"), ("get", "/api/openapi.json")}
    used = {part.split('"')[0] for part in json.dumps(told).split("#/components/schemas/")[1:]}
    assert used <= set(told["components"]["schemas"])
    service.journal.close()
    await service.history.close()


# --- the socket -----------------------------------------------------------------------------------


async def test_a_browser_tells_its_token_in_the_first_message_and_without_one_is_shown_the_door(
    door: Door,
) -> None:
    chief = await door.person("chief")
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{chief.url}/api/socket") as ws:
            await ws.send_json({"token": chief.token})
            assert (await ws.receive_json())["kind"] == "snapshot"
        async with session.ws_connect(f"{chief.url}/api/socket") as ws:
            await ws.send_json({"token": "nonsense"})
            await ws.receive()
            assert ws.close_code == 4401
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{chief.url}/api/socket", headers={"Authorization": "Bearer nonsense"})


def later(seq: int, board: Shown) -> bool:
    return board.seq > seq


async def test_a_client_that_does_not_read_costs_bounded_memory_and_reads_a_fresh_snapshot_later(
    door: Door,
) -> None:
    chief = await door.person("chief")
    door.here.all_seats = [
        Seat(city="demo", name=f"{n}", state=SeatState.READY, since=1.0) for n in range(1000, 1300)
    ]
    async with screen(chief) as quick, screen(chief) as slow:
        clients = [c for a in door.hub._audiences.values() for c in a.clients]
        most = 0
        # the test's own loop reads both sockets; the slow one's window closes while it reads nothing
        transport = slow.ws._response.connection.transport  # type: ignore[union-attr]  # it is open
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        for _ in range(300):
            door.hub.changed(seats=door.here.all_seats)
            seq = quick.shown.seq
            await quick.until("a frame", partial(later, seq))
            most = max(most, *(c.wire.get_write_buffer_size() for c in clients))
        assert door.hub.gaps == 1
        assert most < FULL + KERNEL + 128 * 1024
        transport.resume_reading()
        await slow.until("a fresh snapshot", lambda _: slow.said[-1].get("why") == "gap", within=20)
        assert slow.shown.seq == quick.shown.seq
        door.hub.changed(seats=door.here.all_seats[:1])
        await slow.until("the next change", lambda b: b.seq == slow.said[-2].get("seq", 0) + 1)
