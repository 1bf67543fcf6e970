"""A small hotline whose seats are quick to miss, to wrap up and to be taken for dead; and looks at them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import aiohttp

from calls.facts import Fact
from calls.orders import Order
from cti.asterisk.link import Link
from cti.home import NODE, Home
from lab.client import Unheard
from lab.scenario import Lab
from lab.wire import Event
from tests.house import ROOT

WRAP_UP = 6
"""Seconds of wrap-up in queue general; the agent at 1002 has 3."""
DEAD_AFTER = 5
RING = 5
MISSED = 2
GREETED = 1 + 8
"""Seconds in which a call has been greeted and offered to a seat."""
LOOK = 0.1

_CHANGES = {
    "city.toml": [('last = "message:sorry"', f'last = "message:sorry"\nmissed_rings = {MISSED}\n'
                   f"dead_after_seconds = {DEAD_AFTER}")],
    "lines.toml": [('greeting = "greeting"\n', 'greeting = "please-wait"\nnotice = ""\n'),
                   ('greeting = "greeting-12315"', 'greeting = "please-wait"\nnotice = ""')],
    "queues.toml": [("ring_seconds = 15\n", f"ring_seconds = {RING}\nwrap_up_seconds = {WRAP_UP}\n"),
                    ('regulation"\n', 'regulation"\nannounce_agent = true\n')],
    "agents.toml": [('seat = "1002"', 'seat = "1002"\nwrap_up_seconds = 3'),
                    ("[8008]", '[8009]\nname = "九号"\npin = "2468"\nskills = { general = 0 }\n\n[8008]')],
}  # fmt: skip


def plan_at(folder: Path) -> Path:
    """The demo plan with these changes, as a folder."""
    plan = folder / "demo"
    shutil.copytree(ROOT / "plans/demo", plan)
    for name, changes in _CHANGES.items():
        text = (plan / name).read_text("utf-8")
        for old, new in changes:
            assert old in text, f"{name}: {old!r}"
            text = text.replace(old, new, 1)
        (plan / name).write_text(text, "utf-8")
    return plan


async def seats(home: Home) -> dict[str, dict[str, Any]]:
    """What the service says of every seat, by number. Raises aiohttp.ClientError."""
    headers = {"Authorization": f"Bearer {home.tokens['observer']}"}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
        session.get(f"http://127.0.0.1:{home.ports.api}/api/seats", headers=headers) as answer,
    ):
        return {row["seat"]: row for row in await answer.json()}


async def seat_is(home: Home, number: str, within: float = 15.0, **wanted: Any) -> dict[str, Any]:
    """Wait until the service says so of this seat. Raises Unheard with what it said instead."""
    seat: dict[str, Any] = {}
    try:
        async with asyncio.timeout(within):
            while True:
                try:
                    seat = (await seats(home))[number]
                except (aiohttp.ClientError, TimeoutError, KeyError) as why:
                    seat = {"service": repr(why)}
                if all(seat.get(name) == value for name, value in wanted.items()):
                    return seat
                await asyncio.sleep(LOOK)
    except TimeoutError:
        raise Unheard(f"seat {number}: {wanted} not within {within:g} s; instead {seat}") from None


async def member(lab: Lab, number: str, queue: str = "general") -> Event | None:
    """Asterisk's own row of this seat in a queue; None when it is no member. The service is not asked."""
    rows = await lab.house.ask_list("QueueStatus", Queue=f"demo-{queue}", Member=f"PJSIP/demo-{number}")
    return next((row for row in rows if row.get("Event") == "QueueMember"), None)


async def told(lab: Lab, what: str, within: float = 10.0, since: int = 0, **wanted: str) -> Event:
    """The dialplan's own word: ``told(lab, "seat", Did="out", Why="elsewhere")``."""
    return await lab.house.event(
        f"Hotline {what} {wanted}",
        lambda e: (
            e.get("UserEvent") == "Hotline"
            and e.get("What") == what
            and all(e.get(name) == value for name, value in wanted.items())
        ),
        within,
        since,
    )


async def codes(lab: Lab, number: str, code: str) -> None:
    """A feature code from this seat's phone: dialled, done, put down."""
    phone = lab.seat(number)
    await phone.dials(code)
    await phone.hangs_up()


async def order(home: Home, *orders: Order) -> list[Fact]:
    """Carry out orders over a link of our own; what it heard. Raises Refused."""
    facts: list[Fact] = []
    address = ("127.0.0.1", home.ports.ami)
    link = Link(address, "service", home.secrets["ami_service"], NODE, facts.append)
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(20):
            while not link.up:  # noqa: ASYNC110  # Link.up is a value that only this test waits for; the product never does
                await asyncio.sleep(LOOK)
            for one in orders:
                await link.do(one)
    finally:
        running.cancel()
    return facts
