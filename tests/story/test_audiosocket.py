"""The server that takes callers' voices: what Asterisk sends, and whatever else knocks at its port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from uuid import UUID

import pytest

from cti.asterisk import audiosocket
from cti.asterisk.audiosocket import END, AudioSocket, Taker

ID = UUID("0f0e0d0c-0b0a-4908-8706-050403020100")
NAME = b"\x01\x00\x10" + ID.bytes
FRAME = b"\x10\x01\x40" + b"\x01\x02" * 160


class Taken:
    """A voice that was taken."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.end = end
        self.pcm = b""
        self.came = asyncio.Event()
        self.gone = asyncio.Event()

    def sound(self, pcm: bytes) -> None:
        self.pcm += pcm
        self.came.set()

    def over(self) -> None:
        assert not self.gone.is_set(), "told once"
        self.gone.set()


class Ears:
    def __init__(self) -> None:
        self.known: dict[str, Taken] = {}

    def begins(self, id: str, end: Callable[[], None]) -> Taker | None:
        if id != str(ID):
            return None
        self.known[id] = Taken(end)
        return self.known[id]

    @property
    def one(self) -> Taken:
        return self.known[str(ID)]


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
async def server(ears: Ears) -> AsyncIterator[AudioSocket]:
    made = AudioSocket(("127.0.0.1", 0), ears.begins)
    task = asyncio.create_task(made.run())
    await made.listening.wait()
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def rest(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def test_a_voice_is_taken_until_it_ends(server: AudioSocket, ears: Ears) -> None:
    reader, writer = await asyncio.open_connection(*server.address)
    # in pieces, as TCP may bring it
    for byte in NAME + FRAME + b"\x03\x00\x015" + FRAME:
        writer.write(bytes([byte]))
        await writer.drain()
    writer.write(bytes(3))
    assert await rest(reader) == b""
    await asyncio.wait_for(ears.one.gone.wait(), 5)
    assert ears.one.pcm == FRAME[3:] * 2
    writer.close()


async def test_who_has_heard_enough_ends_it_as_asterisk_wants_it(server: AudioSocket, ears: Ears) -> None:
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(NAME + FRAME)
    async with asyncio.timeout(5):
        while str(ID) not in ears.known:  # noqa: ASYNC110  # made by the server's own task
            await asyncio.sleep(0)
        await ears.one.came.wait()
    ears.one.end()
    assert await rest(reader) == END
    writer.close()
    await asyncio.wait_for(ears.one.gone.wait(), 5)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x10\x01\x40" + bytes(320),
        b"\x01\x00\x04abcd",
        b"\x01\x00\x10" + bytes(16),
        b"\x01\xff\xff" + bytes(100),
        bytes(range(256)) * 500,
    ],
    ids=["nothing", "http", "sound without a name", "a short name", "an unknown name", "half", "garbage"],
)
async def test_a_stranger_is_cut_off(
    server: AudioSocket, ears: Ears, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiosocket, "NAME_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection(*server.address)
    with suppress(ConnectionError):
        writer.write(sent)
        await writer.drain()
    assert await rest(reader) in (b"", END)
    assert not ears.known
    writer.close()


@pytest.mark.parametrize("then", [b"\x10\x01", FRAME[:50], b"", b"\x77\x00\x01x"])
async def test_a_voice_that_stops_in_the_middle_or_turns_to_garbage_is_over(
    server: AudioSocket, ears: Ears, then: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiosocket, "FRAME_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(NAME + FRAME + then)
    assert await rest(reader) == b""
    await asyncio.wait_for(ears.one.gone.wait(), 5)
    assert ears.one.pcm == FRAME[3:]
    writer.close()


async def test_more_strangers_than_it_has_room_for_are_refused_and_a_caller_comes_when_they_are_gone(
    server: AudioSocket, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiosocket, "OPEN_CONNECTIONS", 3)
    idle = [await asyncio.open_connection(*server.address) for _ in range(3)]
    late, late_writer = await asyncio.open_connection(*server.address)
    assert await rest(late) == b""
    late_writer.close()
    # their time without a name is short
    assert [await rest(reader) for reader, _ in idle] == [b""] * 3
    for _, writer in idle:
        writer.close()
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(NAME + FRAME + bytes(3))
    assert await rest(reader) == b""
    assert ears.one.pcm == FRAME[3:]
    writer.close()
