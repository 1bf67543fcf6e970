"""A FastAGI server in the service's place: it crashes, lies, or says nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Self

from tests.outage.awake import Pulse

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Manner = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Impostor:
    """Use as ``async with Impostor(port, manner) as impostor``; ``asked`` are the call ids it was asked."""

    def __init__(self, port: int, manner: Manner) -> None:
        self._port = port
        self._manner = manner
        self._pulse = Pulse()
        self._open: set[asyncio.Task[None]] = set()
        self.asked: list[str] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        await self._pulse.__aenter__()
        return self

    async def __aexit__(self, kind: object, why: BaseException | None, trace: object) -> None:
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await self._pulse.__aexit__(kind, why, trace)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with self._pulse.answering():
                head = (await reader.readuntil(b"\n\n")).decode()
                self.asked.append(dict(x.split(": ", 1) for x in head.splitlines() if ": " in x)["agi_arg_1"])
                await self._manner(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()


async def _set(writer: asyncio.StreamWriter, place: str) -> None:
    writer.write(f'SET VARIABLE NEXT "{place}"\n'.encode())
    await writer.drain()


def says(place: str) -> Manner:
    """This answer, in time and well formed."""

    async def manner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _set(writer, place)
        await reader.readline()

    return manner


def says_late(place: str, after: float) -> Manner:
    """A good answer when nobody waits for it any more."""

    async def manner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(after)
        await _set(writer, place)
        await reader.readline()

    return manner


def says_half(text: str, *, and_holds: float) -> Manner:
    """A line without its end, and after ``and_holds`` seconds the end of the connection."""

    async def manner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text.encode())
        await writer.drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(and_holds):
                await reader.read()

    return manner


def says_without_end(text: str) -> Manner:
    """A line that grows as long as somebody reads it."""

    async def manner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'SET VARIABLE NEXT "')
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(text.encode() * 1000)
                await writer.drain()

    return manner


def is_busy_once(place: str) -> Manner:
    """Nothing for whom it is asked first, an answer in time for the next question."""
    asked = 0

    async def manner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await (is_silent if asked == 1 else says(place))(reader, writer)

    return manner


async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Crashes in the middle of the question: Asterisk sees a reset."""
    writer.transport.abort()


async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts and never says a word."""
    await reader.read()
