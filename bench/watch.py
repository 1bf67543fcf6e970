"""An independent observer: Asterisk's own time stamps of a few events, read from AMI.

It asks for the classes ``agent`` and ``user`` only and looks at few headers, so that the watching costs
little on the machine that is measured. It shares no code with the service's ear.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from bench.hotline import Hotline

END = b"\r\n\r\n"


@dataclass(slots=True)
class Seen:
    """Times of Asterisk's clock, by the Uniqueid of the caller's leg."""

    line: dict[str, str] = field(default_factory=dict)
    arrived: dict[str, float] = field(default_factory=dict)
    greeted: dict[str, float] = field(default_factory=dict)
    joined: dict[str, float] = field(default_factory=dict)
    called: dict[str, float] = field(default_factory=dict)
    connected: dict[str, float] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    """Who said where next: service, failsafe, dialplan."""
    open: set[str] = field(default_factory=set)
    """Calls that have arrived and not left."""

    def forget(self) -> None:
        """Begin anew."""
        times = (self.arrived, self.greeted, self.joined, self.called, self.connected)
        for known in (*times, self.line, self.asked):
            known.clear()

    def take(self, frame: bytes) -> None:
        """One AMI frame."""
        name = frame[7 : frame.find(b"\r")]
        if name == b"UserEvent":
            self._hotline(frame)
        elif name == b"QueueCallerJoin":
            self.joined[_text(frame, b"Uniqueid")] = _at(frame)
        elif name == b"AgentCalled":
            # a second ring of the same call is not the first
            self.called.setdefault(_text(frame, b"Uniqueid"), _at(frame))
        elif name == b"AgentConnect":
            self.connected[_text(frame, b"Uniqueid")] = _at(frame)

    def _hotline(self, frame: bytes) -> None:
        leg, what = _text(frame, b"Uniqueid"), _text(frame, b"What")
        if what == "arrived":
            self.line[leg] = _text(frame, b"Line")
            self.arrived[leg] = _at(frame)
            self.open.add(leg)
        elif what == "greeted":
            self.greeted[leg] = _at(frame)
        elif what == "asked":
            self.asked[leg] = _text(frame, b"By")
        elif what == "left":
            self.open.discard(leg)


def _text(frame: bytes, header: bytes) -> str:
    start = frame.find(b"\r\n" + header + b": ")
    if start < 0:
        return ""
    start += len(header) + 4
    end = frame.find(b"\r", start)
    return frame[start:].decode() if end < 0 else frame[start:end].decode()


def _at(frame: bytes) -> float:
    return float(_text(frame, b"Timestamp"))


@contextlib.asynccontextmanager
async def watching(hotline: Hotline) -> AsyncIterator[Seen]:
    """Everything from now on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hotline.ports.ami)
    secret = hotline.home.secrets["ami_observer"]
    writer.write(
        f"Action: Login\r\nUsername: observer\r\nSecret: {secret}\r\nEvents: agent,user\r\n\r\n".encode()
    )
    while not (line := await reader.readline()).startswith(b"Response: "):
        if not line:
            raise ConnectionError("AMI closed")
    if b"Success" not in line:
        raise PermissionError("AMI refuses the observer")
    seen = Seen()
    reading = asyncio.create_task(_read(reader, seen))
    try:
        yield seen
    finally:
        reading.cancel()
        writer.close()
        with contextlib.suppress(asyncio.CancelledError):
            await reading


async def _read(reader: asyncio.StreamReader, seen: Seen) -> None:
    tail = b""
    while data := await reader.read(1 << 16):
        *frames, tail = (tail + data).split(END)
        for frame in frames:
            if frame.startswith(b"Event: "):
                seen.take(frame)
    raise ConnectionError("Asterisk closed the observer's connection: the figures are not whole")


async def quiet(seen: Seen, seconds: float) -> bool:
    """True when every call that arrived has left within so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while seen.open:  # noqa: ASYNC110  # waking this task at each call's end would cost the CPU that is being measured
                await asyncio.sleep(0.05)
    return not seen.open
