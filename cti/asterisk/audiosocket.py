"""AudioSocket: a caller's voice over TCP, as Asterisk's application of that name sends it.

A message is a kind (one byte), a length (two, big endian) and so many bytes. The first names the listening
(0x01, a UUID), then 8 kHz samples come (0x10, 16 bit, little endian), every 20 ms. We send nothing but the
end (0x00). Asterisk documentation, "AudioSocket"; kinds of Asterisk 22.10: res_audiosocket.h.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol
from uuid import UUID

import structlog

from cti.errors import NotNow, Refused

log = structlog.get_logger(__name__)


class Kind(IntEnum):
    """What a message is."""

    HANG_UP = 0x00
    NAME = 0x01
    KEY = 0x03
    SOUND = 0x10
    ERROR = 0xFF


OTHER_RATES = range(0x11, 0x19)
"""Samples at 12 to 192 kHz: only the channel driver sends them."""
END = bytes(3)
NAME_SECONDS = 2.0
FRAME_SECONDS = 2.5
"""Asterisk itself gives up after 2 s without a frame."""
LONGEST_SECONDS = 30.0
"""No menu listens for longer (plan.spoken); a peer that streams on is nobody's call."""
OPEN_CONNECTIONS = 256
LIMIT = 1 << 17


class Taker(Protocol):
    """Who takes one caller's voice. Both are called in the event loop and must not block."""

    def sound(self, pcm: bytes) -> None:
        """Some 20 ms, 8 kHz, 16 bit."""
        ...

    def over(self) -> None:
        """No more comes, whoever ended it. Called once."""
        ...


Begins = Callable[[str, Callable[[], None]], Taker | None]
"""Gets the listening's UUID and how to end it; None: nobody waits for this voice."""


class AudioSocket:
    """The server: bounded connections, each with its deadlines; a stranger costs nothing but a socket."""

    def __init__(self, address: tuple[str, int], begins: Begins) -> None:
        self.address = address
        self.listening = asyncio.Event()
        self._begins = begins
        self._open: set[asyncio.StreamWriter] = set()

    async def run(self) -> None:
        """Serve until cancelled. Raises Refused when the address cannot be bound."""
        host, port = self.address
        try:
            server = await asyncio.start_server(self._serve, host, port, limit=LIMIT, reuse_address=True)
        except OSError as why:
            raise Refused(f"AudioSocket cannot listen on {host}:{port}: {why}") from why
        self.address = (host, server.sockets[0].getsockname()[1])
        self.listening.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.listening.clear()
            server.close()
            for writer in tuple(self._open):
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= OPEN_CONNECTIONS:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._session(reader, writer)
        except (OSError, EOFError, TimeoutError, NotNow) as why:
            log.info("an AudioSocket ended early", why=str(why) or type(why).__name__)
        except Exception:
            log.exception("an AudioSocket failed")
        finally:
            self._open.discard(writer)
            writer.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(NAME_SECONDS):
            kind, payload = await _message(reader)
        if kind != Kind.NAME or len(payload) != 16:
            raise NotNow("it does not begin with a name")

        def end() -> None:
            # Asterisk leaves AudioSocket() at once, with success
            if not writer.is_closing():
                writer.write(END)
                writer.close()

        taker = self._begins(str(UUID(bytes=payload)), end)
        if taker is None:
            end()
            return
        try:
            while True:
                async with asyncio.timeout(FRAME_SECONDS):
                    kind, payload = await _message(reader)
                match kind:
                    case Kind.SOUND:
                        taker.sound(payload)
                    case Kind.HANG_UP | Kind.ERROR:
                        return
                    case Kind.KEY:
                        # the caller's own channel takes the keys; a key never comes this way
                        continue
                    case other if other in OTHER_RATES:
                        continue
                    case _:
                        raise NotNow(f"a message of kind {kind:#04x}")
        finally:
            taker.over()


async def _message(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readexactly(3)
    return head[0], await reader.readexactly(int.from_bytes(head[1:], "big"))
