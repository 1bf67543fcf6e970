"""GET /api/socket: the door through which clients come to the hub."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from cti.web.answers import Answered
from cti.web.hub import Client, Hub
from cti.web.who import Who

HELLO = 5.0
"""Seconds in which a browser, which cannot set a header, tells its token."""
CHECK = 30.0
"""How often a token is looked at again: it ends, and an account may be gone."""
HEARTBEAT = 20.0
KERNEL = 128 * 1024
"""Bytes the kernel keeps for a client; the hub keeps ``FULL`` more."""
LONGEST = 16 * 1024
NO_TOKEN, ENDED = 4401, 4408


class Socket:
    """``who`` reads ``Bearer <token>`` and raises Answered."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.who: Callable[[str], Who] | None = None
        """Set by the server that has the tokens."""

    def add(self, app: web.Application) -> None:
        app.router.add_get("/api/socket", self._open)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(heartbeat=HEARTBEAT, compress=False, max_msg_size=LONGEST)
        if not ws.can_prepare(request):
            raise Answered(400, "this is a WebSocket; docs/socket.md has its contract")
        told = request.headers.get("Authorization", "")
        who = self._known(told) if told else None
        if told and who is None:
            raise Answered(401, "no valid token: POST /api/sessions gives one")
        await ws.prepare(request)
        if who is None:
            told = await self._hello(ws)
            who = self._known(told)
        if who is None or request.transport is None:
            await ws.close(code=NO_TOKEN, message=b'first message: {"token": "..."}')
            return ws
        # the kernel would keep megabytes for a client that does not read
        if (line := request.transport.get_extra_info("socket")) is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL)
        client = Client(who, request.transport)
        self._hub.join(client)
        try:
            await self._listen(ws, client, told)
        finally:
            self._hub.leave(client)
        return ws

    async def _hello(self, ws: web.WebSocketResponse) -> str:
        try:
            message = await ws.receive(timeout=HELLO)
        except TimeoutError:
            return ""
        return f"Bearer {_read(message).get('token', '')}"

    async def _listen(self, ws: web.WebSocketResponse, client: Client, told: str) -> None:
        """Until it goes, or its token does. What it says: a fresh token, or a wish for a snapshot."""
        loop = asyncio.get_running_loop()
        check = loop.time() + CHECK
        while True:
            try:
                message = await ws.receive(timeout=max(0.01, check - loop.time()))
            except TimeoutError:
                message = None
            if message is not None and message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                return
            if message is not None and message.type is WSMsgType.ERROR:
                return
            said = _read(message) if message is not None else {}
            if "token" in said:
                told, check = f"Bearer {said['token']}", 0.0
            elif said.get("ask") == "snapshot":
                self._hub.ask(client)
            if loop.time() >= check:
                check = loop.time() + CHECK
                if self._known(told) != client.who:
                    await ws.close(code=ENDED, message=b"the token ended: sign in again")
                    return

    def _known(self, told: str) -> Who | None:
        if self.who is None:
            return None
        try:
            return self.who(told)
        except Answered:
            return None


def _read(message: Any) -> dict[str, Any]:
    if message.type is not WSMsgType.TEXT:
        return {}
    try:
        told = orjson.loads(message.data)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
