"""A stand-in for Asterisk's AMI port: real AMI text over a real socket, misbehaving on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Self

Headers = dict[str, str]
Answer = Callable[[Headers], str | None]

NEVER = "never"
"""As an answer: say nothing."""


def frame(*lines: str) -> str:
    return "\r\n".join(lines) + "\r\n\r\n"


def event(name: str, /, **headers: str) -> str:
    return frame(f"Event: {name}", *(f"{key}: {text}" for key, text in headers.items()))


def listing(
    rows: list[tuple[str, Mapping[str, str]]], complete: str, *, said: int | None = None
) -> Callable[[Headers], str]:
    """A list action's whole answer; ``said`` is the ListItems it claims."""

    def answer(action: Headers) -> str:
        tag = action.get("ActionID", "")
        text = frame("Response: Success", f"ActionID: {tag}", "EventList: start", "Message: will follow")
        for name, row in rows:
            text += event(name, ActionID=tag, **row)
        count = len(rows) if said is None else said
        return text + event(complete, ActionID=tag, EventList="Complete", ListItems=str(count))

    return answer


def error(message: str) -> Answer:
    return lambda action: frame(
        "Response: Error", f"ActionID: {action.get('ActionID', '')}", f"Message: {message}"
    )


def success(message: str = "", **headers: str) -> Callable[[Headers], str]:
    return lambda action: frame(
        "Response: Success",
        f"ActionID: {action.get('ActionID', '')}",
        f"Message: {message}",
        *(f"{key}: {text}" for key, text in headers.items()),
    )


class FakeAmi:
    """``answers`` by action name may be replaced at any time; ``received`` is what clients sent."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[Headers] = []
        self.raw = b""
        self.deaf = False
        """Half-open: bytes are taken, nothing comes back, nothing is closed."""
        self.answers: dict[str, Answer | str] = {
            "Login": lambda a: (
                success("Authentication accepted")(a) + event("FullyBooted", Status="Fully Booted")
            ),
            "Ping": success(Ping="Pong"),
            "CoreSettings": success(AsteriskVersion="22.10.1"),
            "CoreStatus": success(CoreStartupDate="2026-11-21", CoreStartupTime="08:00:00"),
            "CoreShowChannels": listing([], "CoreShowChannelsComplete"),
            "BridgeList": listing([], "BridgeListComplete"),
            "DBGetTree": error("Database entry not found"),
            "QueueStatus": listing([("QueueParams", {"Queue": "demo-general"})], "QueueStatusComplete"),
        }
        self._writers: list[asyncio.StreamWriter] = []
        self._came = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._session, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.drop()

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    def actions(self, name: str) -> list[Headers]:
        return [headers for headers in self.received if headers.get("Action") == name]

    def say(self, text: str) -> None:
        """Send text to every client."""
        for writer in self._writers:
            writer.write(text.encode())

    def drop(self) -> None:
        """Close every connection at once."""
        writers, self._writers = self._writers, []
        for writer in writers:
            writer.transport.abort()

    async def comes(self, name: str, times: int = 1, within: float = 10) -> None:
        """Wait until clients have sent this action so many times."""
        async with asyncio.timeout(within), self._came:
            await self._came.wait_for(lambda: len(self.actions(name)) >= times)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                self.raw += raw
                await self._take(raw, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _take(self, raw: bytes, writer: asyncio.StreamWriter) -> None:
        lines = raw.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        answer = self.answers.get(headers.get("Action", ""), success())
        text = answer if isinstance(answer, str) else answer(headers)
        if text and text != NEVER and not self.deaf:
            writer.write(text.encode())
            await writer.drain()
        self.received.append(headers)
        async with self._came:
            self._came.notify_all()
