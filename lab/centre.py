"""The computer of another centre: takes our records over HTTP, tells its own, over a line that loses,
repeats, delays and re-orders. Written from the description of the handshake, without the house's code."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web


@dataclass
class Faults:
    """Shares of messages, and the longest delay in seconds."""

    lost: float = 0.0
    repeated: float = 0.0
    delay: float = 0.0


@dataclass
class LabCentre:
    """``received``: newest version and body of each of our records; ``settled``: when each version of
    them was confirmed; ``told``: its own, by record."""

    port: int
    house: str
    secret: str
    faults: Faults = field(default_factory=Faults)
    chance: random.Random = field(default_factory=random.Random)
    received: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    settled: dict[tuple[str, int], float] = field(default_factory=dict)
    told: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    taken: set[tuple[str, int]] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def tells(self, record: str, **body: str) -> None:
        """A record of its own is new or has changed."""
        version = self.told.get(record, (0, {}))[0] + 1
        self.told[record] = (version, body)

    async def repeats(self, record: str, version: int, **body: str) -> None:
        """A late copy of an offer that was made long ago arrives."""
        await self._send({"says": "offer", "record": record, "version": version, "body": body})

    async def run(self) -> None:
        """Until cancelled: listens, and repeats what is not settled."""
        app = web.Application()
        app.router.add_post("/", self._hook)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        try:
            while True:
                for record, (version, body) in self.told.items():
                    if (record, version) not in self.taken:
                        self._say({"says": "offer", "record": record, "version": version, "body": body})
                for record, (version, _) in self.received.items():
                    if (record, version) not in self.settled:
                        self._say({"says": "received", "record": record, "version": version})
                await asyncio.sleep(0.3)
        finally:
            for task in list(self._tasks):
                task.cancel()
            await runner.cleanup()

    async def _hook(self, request: web.Request) -> web.Response:
        body = await request.read()
        stamp = request.headers.get("X-Hotline-Timestamp", "")
        wanted = hmac.new(self.secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(request.headers.get("X-Hotline-Signature", ""), f"sha256={wanted}"):
            return web.Response(status=401)
        if self.chance.random() < self.faults.lost:
            return web.Response(status=503)
        self._take(json.loads(body))
        return web.json_response([])

    def _take(self, message: dict[str, Any]) -> None:
        record, version = message["record"], message["version"]
        match message["says"]:
            case "offer":
                if version > self.received.get(record, (0, {}))[0]:
                    self.received[record] = (version, message["body"])
            case "received":
                self.taken.add((record, version))
                self._say({"says": "confirm", "record": record, "version": version})
            case "confirm":
                self.settled.setdefault((record, version), time.time())

    def _say(self, message: dict[str, Any]) -> None:
        copies = 0 if self.chance.random() < self.faults.lost else 1
        copies += self.chance.random() < self.faults.repeated
        for _ in range(copies):
            task = asyncio.get_running_loop().create_task(self._send(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, message: dict[str, Any]) -> None:
        # each copy its own delay: what was said first may come last
        await asyncio.sleep(self.chance.random() * self.faults.delay)
        body, stamp = json.dumps(message).encode(), f"{time.time():.3f}"
        signed = hmac.new(self.secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {"X-Hotline-Timestamp": stamp, "X-Hotline-Signature": f"sha256={signed}"}
        try:
            async with aiohttp.ClientSession() as session:
                await session.post(self.house, data=body, headers=headers)
        except aiohttp.ClientError:
            return
