"""In the service's place: a FastAGI server that promises to listen, an AudioSocket that does as it likes."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import Self

from tests.outage.awake import Pulse

UUID = "0f0e0d0c-0b0a-4908-8706-050403020100"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Manner = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class LyingEar:
    """``audio`` is what it does with a voice (None: nobody at that port), ``heard`` what it says it heard
    (None: it never answers)."""

    def __init__(self, agi: int, audio_port: int, audio: Manner | None, heard: str | None) -> None:
        self._ports, self._audio, self._heard = (agi, audio_port), audio, heard
        self._open: set[asyncio.Task[None]] = set()
        self._pulse = Pulse()
        self.asked: list[str] = []
        """Scripts asked for, and ``voice`` for each voice that came."""

    async def __aenter__(self) -> Self:
        agi, audio = self._ports
        self._servers = [await asyncio.start_server(self._agi, "127.0.0.1", agi)]
        if self._audio is not None:
            self._servers.append(await asyncio.start_server(self._voice, "127.0.0.1", audio))
        await self._pulse.__aenter__()
        return self

    async def __aexit__(self, kind: object, why: BaseException | None, trace: object) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._open):
            task.cancel()
        await self._pulse.__aexit__(kind, why, trace)

    async def _agi(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def answer() -> None:
            head = (await reader.readuntil(b"\n\n")).decode()
            script = dict(x.split(": ", 1) for x in head.splitlines() if ": " in x)["agi_network_script"]
            self.asked.append(script)
            told = {"where-next": ("NEXT", "default"), "listen": ("LISTEN", UUID)}
            variable, value = told.get(script, ("HEARD", self._heard))
            if value is None:
                await reader.read()
                return
            writer.write(f'SET VARIABLE {variable} "{value}"\n'.encode())
            await writer.drain()
            await reader.readline()

        await self._keep(answer(), writer)

    async def _voice(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append("voice")
        assert self._audio is not None
        await self._keep(self._audio(reader, writer), writer)

    async def _keep(self, doing: Awaitable[None], writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with self._pulse.answering():
                await doing
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()


async def ends_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hangs up as if all had been said."""
    writer.write(bytes(3))
    await writer.drain()


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Crashes: Asterisk sees a reset."""
    writer.transport.abort()


async def reads_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything and never closes."""
    while await reader.read(1 << 16):
        pass


async def never_reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Its window closes; it never closes the connection."""
    reader._transport.pause_reading()  # type: ignore[attr-defined]  # StreamReader has no door to this
    await asyncio.sleep(60)


def sends(data: bytes, *, then: Manner = reads_for_ever) -> Manner:
    """These bytes first."""

    async def manner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await then(reader, writer)

    return manner


async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Noise for the caller's ear, as fast as it is taken."""
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b"\x10\x01\x40" + os.urandom(320))
            await writer.drain()
