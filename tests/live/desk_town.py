"""A desk in a test: people signed in over HTTP, their orders, and what their socket says."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from cti.accounts import Accounts
from cti.board_client import Shown
from cti.home import Home
from cti.web.who import Role, Who
from lab.client import Unheard

PASSWORD = "lao-shi-ren-1"
LOOK = 0.1


@dataclass
class Person:
    """Somebody with a token."""

    home: Home
    token: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.home.ports.api}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def orders(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """``POST /api/<path>``: status and answer."""
        return await self._ask("POST", path, body)

    async def gets(self, path: str) -> tuple[int, Any]:
        return await self._ask("GET", path, None)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=40)) as session,
            session.request(method, f"{self.url}/api/{path}", json=body, headers=self.headers) as answer,
        ):
            return answer.status, json.loads(await answer.text())

    async def shown(self, path: str, within: float = 10.0, **wanted: Any) -> dict[str, Any]:
        """Wait until ``GET /api/<path>`` says so. Raises Unheard with what it said instead."""
        row: dict[str, Any] = {}
        try:
            async with asyncio.timeout(within):
                while True:
                    _, row = await self.gets(path)
                    if all(row.get(name) == value for name, value in wanted.items()):
                        return row
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            raise Unheard(f"{path}: {wanted} not within {within:g} s; instead {row}") from None

    async def audited(self, within: float = 10.0, **wanted: Any) -> dict[str, Any]:
        """Wait for a row of the audit trail. Raises Unheard."""
        rows: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(within):
                while True:
                    _, rows = await self.gets("audit?limit=50")
                    for row in rows:
                        if all(row[name] == value for name, value in wanted.items()):
                            return row
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            raise Unheard(f"no audit row {wanted}; the last ones: {rows[:5]}") from None


def account(home: Home, name: str, role: Role, city: str = "demo", agent: str = "") -> None:
    """An account with the password of this module."""
    Accounts(home, dict).put(Who(name, role, city, agent), PASSWORD)


async def signs_in(home: Home, **told: str) -> tuple[int, dict[str, Any]]:
    """``POST /api/sessions``."""
    status, answer = await Person(home, "").orders("sessions", **told)
    return status, answer


async def person(home: Home, name: str) -> Person:
    """Somebody with an account, signed in."""
    status, answer = await signs_in(home, name=name, password=PASSWORD)
    assert status == 201, answer
    return Person(home, answer["token"])


Wanted = tuple[Callable[[Shown], Any], "asyncio.Future[Any]"]


@dataclass
class Screen:
    """What one socket has said, and the board it makes.

    It is read all the while (``follow``): the service asks every 20 s whether somebody is there, and a socket
    that nobody reads does not answer.
    """

    ws: aiohttp.ClientWebSocketResponse
    shown: Shown = field(default_factory=Shown)
    said: list[dict[str, Any]] = field(default_factory=list)
    _waiting: list[Wanted] = field(default_factory=list)
    _over: Exception | None = None

    async def until(self, what: str, true: Callable[[Shown], Any], within: float = 10.0) -> Any:
        """Wait until the board is so, looked at after each message. Raises Unheard; ConnectionError when the
        socket is closed; fails when a change is missing."""
        if found := true(self.shown):
            return found
        if self._over is not None:
            raise self._over
        wanted: Wanted = (true, asyncio.get_running_loop().create_future())
        self._waiting.append(wanted)
        try:
            async with asyncio.timeout(within):
                return await wanted[1]
        except TimeoutError:
            last = [{k: v for k, v in m.items() if k != "seats"} for m in self.said[-3:]]
            raise Unheard(
                f"the socket does not show {what} within {within:g} s; it said last {last}"
            ) from None
        finally:
            self._waiting.remove(wanted)

    async def follow(self) -> None:
        """Read until the socket is closed, or a change is missing."""
        try:
            while True:
                await self._read()
                for true, found in self._waiting:
                    _look(true, self.shown, found)
        except (OSError, AssertionError, aiohttp.ClientError) as why:
            self._over = why
            for _, found in self._waiting:
                if not found.done():
                    found.set_exception(why)

    async def _read(self) -> None:
        message = await self.ws.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(f"closed: {self.ws.close_code}")
        told: dict[str, Any] = json.loads(message.data)
        self.said.append(told)
        assert self.shown.take(told), f"a change is missing before {told['seq']}, had {self.shown.seq}"


def _look(true: Callable[[Shown], Any], shown: Shown, found: asyncio.Future[Any]) -> None:
    """Tell who waits that it is so, or what went wrong in their question."""
    if found.done():
        return
    try:
        if there := true(shown):
            found.set_result(there)
    except Exception as why:  # noqa: BLE001  # a fault in one waiter's question fails that wait; the reader goes on for the others
        found.set_exception(why)


@contextlib.asynccontextmanager
async def screen(who: Person, **more: Any) -> AsyncIterator[Screen]:
    """A socket with its snapshot read."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{who.url}/api/socket", headers=who.headers, max_msg_size=0, **more) as ws,
    ):
        one = Screen(ws)
        following = asyncio.create_task(one.follow())
        try:
            await one.until("a snapshot", lambda shown: shown.seq >= 0)
            yield one
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
