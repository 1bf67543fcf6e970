"""The house's date as its dialplan sees it, moved for a test: only merged numbers look at it.

The dialplan of a house with a lab adds the global CLOCK_AHEAD (seconds) to its clock where it asks for
today's date; without a lab it has no such line.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

from cti.home import Home
from lab.wire import Wire

NOON = 12


@asynccontextmanager
async def today_is(
    home: Home, day: date, zone: str = "Asia/Shanghai", hour: int = NOON
) -> AsyncIterator[None]:
    """Until the block is left it is ``hour`` o'clock of that day (and time goes on)."""
    then = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)).timestamp()
    await _ahead(home, f"{int(then - time.time())}")
    try:
        yield
    finally:
        await _ahead(home, "0")


async def _ahead(home: Home, seconds: str) -> None:
    wire = Wire(lambda event: None)
    await wire.connect("127.0.0.1", home.ports.ami, "service", home.secrets["ami_service"], events="off")
    try:
        await wire.ask("Setvar", Variable="CLOCK_AHEAD", Value=seconds)
    finally:
        await wire.close()
