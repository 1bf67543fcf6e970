"""A hotline that calls its citizens: a trunk with one channel for that, and what left on the wire."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from lab.parties import Call, Seat
from lab.scenario import Lab
from lab.wire import Event
from tests.house import House
from tests.live.seat_town import plan_at, told
from tests.live.transfer_town import centre

CITIZEN = "13900000061"
_TRUNK = ("channels = 240\nreserved = 10 ", "channels = 3\nreserved = 2 ")


def outgoing_plan(folder: Path, **changes: str) -> Path:
    """The demo plan with quick seats, one free channel to the outside, and these lines of outgoing.toml."""
    plan = plan_at(folder)
    _replace(plan / "trunks.toml", *_TRUNK)
    for name, text in changes.items():
        lines = (plan / "outgoing.toml").read_text("utf-8").splitlines()
        old = next(line for line in lines if line.startswith(f"{name} ="))
        _replace(plan / "outgoing.toml", old, f"{name} = {text}")
    return plan


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{file}: {old!r}"
    file.write_text(text.replace(old, new), "utf-8")


async def citizen_at(city: Lab, number: str = CITIZEN) -> Seat:
    """A citizen's phone outside, which rings until told otherwise."""
    phone = centre(city, number)
    phone._since = city.client.count
    await phone.will_ring()
    return phone


async def talked(city: Lab, number: str = CITIZEN, seat: str = "1001") -> str:
    """A citizen calls, talks with this seat, and is gone; the CALL_ID."""
    call: Call = await city.caller(number).dials("12345")
    await city.seat(seat).answers(call, within=20)
    await call.talks()
    id = await call.id()
    await call.hangs_up()
    await city.seat(seat).ends()
    return id


async def out_told(city: Lab, what: str, since: int, within: float = 10.0, **wanted: str) -> Event:
    """The dialplan's own word, of what happened after ``since`` (``len(city.house.events)``)."""
    return await told(city, what, within, since, **wanted)


@contextlib.asynccontextmanager
async def wire_of(house: House, name: str) -> AsyncIterator[Callable[[], list[bytes]]]:
    """Every SIP packet of the house's Asterisk while the block runs, as its own logger wrote them."""
    # Asterisk runs as nobody: where it writes already
    file = house.home.asterisk / f"log/{name}.pcap"
    for words in ("on", "verbose off", f"pcap {file}"):
        house.asterisk_cli(f"pjsip set logger {words}")
    try:
        yield lambda: packets(file.read_bytes())
    finally:
        house.asterisk_cli("pjsip set logger off")


def packets(pcap: bytes) -> list[bytes]:
    """The records of a libpcap file (24 bytes of header; each record 16, its length in the third word)."""
    found, at = [], 24
    while at + 16 <= len(pcap):
        length = struct.unpack_from("=I", pcap, at + 8)[0]
        found.append(pcap[at + 16 : at + 16 + length])
        at += 16 + length
    return found


def by_call(rows: list[dict[str, Any]], call: str) -> dict[str, Any]:
    """The row of this call."""
    return next(row for row in rows if row["call"] == call)
