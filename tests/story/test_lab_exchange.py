"""What the lab knows of its phones when it has just logged in: an event is newer than a row of a list."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from lab.control import Door
from lab.exchange import Exchange
from lab.site import LabSite, SeatPhone

GONE = (
    "Event: Registry\r\nUsername: sip:demo-1001@127.0.0.1:5060\r\nStatus: Unregistered\r\n\r\n"
    "Event: ContactStatus\r\nAOR: house\r\nContactStatus: Reachable\r\n\r\n"
)
ROWS = {
    "PJSIPShowRegistrationsOutbound": [
        f"Event: OutboundRegistrationDetail\r\nObjectName: demo-{seat}\r\nStatus: Registered\r\n"
        for seat in ("1001", "1002")
    ],
    "PJSIPShowContacts": ["Event: ContactList\r\nAor: house\r\nStatus: Unreachable\r\n"],
}


async def _asterisk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says that a phone is gone, and the house there, after it made the lists and before it sends them."""
    writer.write(b"Asterisk Call Manager/9.0\r\n")
    while head := (await reader.read(4096)).decode():
        told = dict(line.split(": ", 1) for line in head.split("\r\n") if line)
        id, rows = told["ActionID"], ROWS.get(told["Action"])
        text = f"Response: Success\r\nActionID: {id}\r\n"
        if rows is not None:
            mine = [f"{row}ActionID: {id}\r\n\r\n" for row in rows]
            end = f"Event: ListEnd\r\nEventList: Complete\r\nActionID: {id}\r\n\r\n"
            text = f"{GONE}{text}EventList: start\r\n\r\n" + "".join(mine) + end
        else:
            text += "\r\n"
        writer.write(text.encode())
    # from Python 3.12 on a server waits for its connections when it is closed
    writer.close()


async def test_a_phone_that_left_while_the_lists_were_made_is_gone(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    site = LabSite(
        folder=tmp_path, version=(22,), modules=tmp_path, house=1, sip=2, ami=unused_tcp_port, http=3,
        rtp=(4, 5), ami_secret="", carriers=(), seats=(SeatPhone("demo", "1001", ""),),
    )  # fmt: skip
    async with await asyncio.start_server(_asterisk, "127.0.0.1", unused_tcp_port):
        exchange = Exchange(site)
        await exchange.connect()
        try:
            assert exchange.registered == {"demo-1001": False, "demo-1002": True}
            assert exchange.house_there is True
        finally:
            await exchange.close()


async def test_a_city_that_ends_waits_for_no_visitor(unused_tcp_port: int) -> None:
    """Whoever looks on would else keep it, and its Asterisk, until it is killed (Python 3.12 and newer)."""
    nobody = cast(Exchange, SimpleNamespace(watchers=[]))
    door = asyncio.create_task(Door(nobody, "s").run(unused_tcp_port))
    while True:
        await asyncio.sleep(0)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        except ConnectionRefusedError:
            continue
        break
    writer.write(b'{"secret": "s"}\n')
    await writer.drain()
    door.cancel()
    await asyncio.wait({door}, timeout=30)
    assert door.cancelled()
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
