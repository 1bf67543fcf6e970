"""A city with a number for every phase of a call, where the phases last long enough to hang up in them."""

from __future__ import annotations

import array
import asyncio
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from cti.speech import shelf
from lab.babble import babble
from lab.client import Unheard
from lab.parties import Call
from lab.scenario import Lab
from lab.wav import RATE, Sound, write
from lab.wire import Event
from tests.house import House

CITY = "leave"
LOOK = 0.1
SEATS = ("1001", "1002", "1003", "1004", "1005", "1006", "1007")
"""At work: a seat for each phase that needs one. 1008 is not, and nobody else is in its queues."""
RINGS, ANNOUNCES, TALKS, HOLDS, BACK, BACK_TOO, AT_HOME = SEATS
NOBODY = "1008"
WIDEN_AFTER = 2
"""Seconds waited before the seat at home rings."""
DUTY, NIGHT = "05558888001", "05558888002"
LONG = 30
"""Seconds of a voice that is still speaking whenever a test gets to it."""

NUMBERS = {
    "greeting": ("12301", "queue:say"),
    "menu": ("12302", "menu:keys"),
    "say": ("12303", "queue:say"),
    "calm": ("12304", "queue:calm"),
    "rings": ("12305", "queue:rings"),
    "announces": ("12306", "queue:announces"),
    "talks": ("12307", "queue:talks"),
    "holds": ("12308", "queue:holds"),
    "back": ("12309", "queue:back"),
    "sorry": ("12310", "message:sorry"),
    "chain": ("12311", "queue:first"),
    "night": ("12312", "queue:empty"),
}
"""Line to number and first place."""
ASKED = {"chain", "night"}
"""Lines on which the service is asked: an overflow is its advice."""


def _lines() -> str:
    return "\n".join(
        f'[{line}]\ntitle = "热线"\nnumbers = ["{number}"]\nnotice = ""\nfirst = "{first}"\n'
        f'greeting = "{"long" if line == "greeting" else "short"}"\nask = {str(line in ASKED).lower()}\n'
        for line, (number, first) in NUMBERS.items()
    )


def _queue(name: str, members: str, *more: str, wait: int = 300, then: str = "message:sorry") -> str:
    return "\n".join(
        (
            f'[{name}]\ntitle = "队列"\nmembers = {{ {members} }}\nring_seconds = 60\nwait_seconds = {wait}',
            f'wrap_up_seconds = 0\nnext = "{then}"',
            *more,
            "",
        )
    )


FILES = {
    "city.toml": f'id = "{CITY}"\ntitle = "中途挂机测试"\nlast = "message:sorry"\n',
    "trunks.toml": '[carrier]\nhosts = ["192.0.2.10"]\nout = "192.0.2.10"\nlab = true\n',
    "lines.toml": _lines(),
    "menus.toml": '[keys]\ntitle = "菜单"\nprompt = "long"\notherwise = "queue:say"\n'
    'keys = { 1 = "queue:say" }\n',
    "messages.toml": '[leave]\ntitle = "留言"\nprompt = "short"\nrecord = true\nrecord_seconds = 60\n'
    '[sorry]\ntitle = "致歉"\nprompt = "long"\n',
    "phones.toml": "".join(
        f'[{name}]\ntitle = "值班"\nnumber = "{number}"\ntrunk = "carrier"\nring_seconds = 60\n'
        'next = "message:leave"\n'
        for name, number in (("duty", DUTY), ("night", NIGHT))
    ),
    "queues.toml": "\n".join(
        (
            _queue("say", f"{NOBODY} = 0", "position_every_seconds = 60", "pace_seconds = 50"),
            _queue("calm", f"{NOBODY} = 0", 'reassure = "long"', "reassure_every_seconds = 2"),
            _queue("rings", f"{RINGS} = 0"),
            _queue("announces", f"{ANNOUNCES} = 0", "announce_agent = true"),
            _queue("talks", f"{TALKS} = 0"),
            _queue("holds", f"{HOLDS} = 0"),
            _queue("back", f"{BACK} = 0, {BACK_TOO} = 0")
            + '[back.call_back]\nafter_seconds = 5\ntrunk = "carrier"\ntries = 1\nring_seconds = 20\n',
            # the chain: nobody at the first two, then a seat at home, then a phone outside, then a message
            _queue("first", f"{NOBODY} = 0"),
            _queue("second", f"{NOBODY} = 0"),
            _queue(
                "home", f"{AT_HOME} = 20", f"widen = {{ 0 = 10, {WIDEN_AFTER} = 20 }}",
                wait=6, then="phone:duty",
            ),
            _queue("empty", f"{NOBODY} = 0"),
        )
    ),
    "advice.toml": "".join(
        f'[[overflow]]\nqueue = "{queue}"\nto = "{to}"\n'
        for queue, to in (("first", "queue:second"), ("second", "queue:home"), ("empty", "phone:night"))
    ),
    "seats.toml": "\n".join(f"[{seat}]" for seat in (*SEATS, NOBODY)),
    "prompts.toml": '[short]\nwav = "short.wav"\n[long]\nwav = "long.wav"\n',
}  # fmt: skip


def leaving_plan(folder: Path) -> Path:
    """The plan's folder, written below ``folder``."""
    plan = folder / CITY
    plan.mkdir()
    for name, text in FILES.items():
        (plan / name).write_text(text, encoding="utf-8")
    write(plan / "short.wav", babble(2, 0.5))
    write(plan / "long.wav", long_voice())
    return plan


SENTENCES = {
    "hotline/seat-serves": LONG,
    "hotline/callback-confirmed": LONG,
    # in the one number that is read out to somebody who goes meanwhile
    "digits/7": LONG,
    # who waits for its end is there, too
    "hotline/callback-call": 10,
}
"""Shipped sentences in which somebody hangs up, and the seconds they last in this city: on a busy machine
a look at Asterisk may come some seconds late."""


def sentences_last(house: House) -> None:
    """This house's own copies of them are replaced."""
    voice = long_voice().samples.tobytes()
    for name, seconds in SENTENCES.items():
        target = (house.home.asterisk / "data/sounds/zh" / name).with_suffix(shelf.PLAYED)
        assert target.is_file(), target
        shelf.keep_played(target, voice[: 2 * RATE * seconds])


def long_voice() -> Sound:
    return Sound(RATE, array.array("h", babble(1, 2.0).samples) * (LONG // 2))


async def is_in(city: Lab, call: Call, context: str, app: str = "", *data: str, within: float = 20.0) -> None:
    """The caller's channel is there in the dialplan, as Asterisk says; ``data``: in one of these steps."""
    leg, rows = (await call.id()).partition("-")[2], list[Event]()
    try:
        async with asyncio.timeout(within):
            while True:
                rows = await city.house.ask_list("CoreShowChannels")
                for row in rows:
                    if (
                        row.get("Uniqueid") == leg
                        and row.get("Context") == context
                        and app in ("", row.get("Application"))
                        and (not data or any(d in row.get("ApplicationData", "") for d in data))
                    ):
                        return
                await asyncio.sleep(LOOK)
    except TimeoutError:
        at = [
            " ".join(row.get(x, "") for x in ("Context", "Application", "ApplicationData"))
            for row in rows
            if row.get("Uniqueid") == leg
        ]
        raise Unheard(f"{call.name} not in {context} {app} {data} within {within:g} s, but in {at}") from None


async def music(city: Lab, call: Call, what: str, since: int = 0, within: float = 20.0) -> int:
    """The music of this caller starts or stops (a voice speaks); the number of what comes after."""
    leg = (await call.id()).partition("-")[2]
    named = f"MusicOnHold{what}"
    found = await city.house.event(
        f"{call.name}: music {what}", lambda e: (e["Event"], e.get("Uniqueid")) == (named, leg), within, since
    )
    return next(n for n, event in enumerate(city.house.events, 1) if event is found)


async def message_grows(house: House, call: str, within: float = 15.0) -> None:
    """Something of what the caller leaves as a message is on disk."""
    try:
        async with asyncio.timeout(within):
            while not any(  # noqa: ASYNC110  # Asterisk writes the file; nothing tells that it grew
                file.stat().st_size > RATE for file in house.home.recordings.rglob(f"{call}/*-message.wav")
            ):
                await asyncio.sleep(LOOK)
    except TimeoutError:
        raise Unheard(f"{call}: no message within {within:g} s") from None


def tables(house: House, ask: str, *told: Any) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(house.home.database)) as base:
        base.row_factory = sqlite3.Row
        return [dict(row) for row in base.execute(ask, told)]


def over(house: House, call: str, within: float = 15.0) -> dict[str, Any]:
    """The call's row with its visits and stints, once all of them are over. Raises Unheard."""
    end = time.monotonic() + within
    while True:
        for row in tables(house, "SELECT * FROM calls WHERE id = ? AND ended IS NOT NULL", call):
            visits = tables(house, "SELECT * FROM visits WHERE call = ? ORDER BY number", row["id"])
            stints = tables(house, "SELECT * FROM stints WHERE call = ? ORDER BY began", row["id"])
            if all(x["ended"] is not None for x in stints):
                return {**row, "its visits": visits, "its stints": stints}
        if time.monotonic() > end:
            raise Unheard(f"{call}: not over in history after {within:g} s")
        time.sleep(LOOK)


def owed(house: House) -> dict[str, Any]:
    """Calls back that a person owes, by call."""
    found = json.loads(house.cti("duties", "--json", "--from", "-1h").stdout)
    return {duty["call"]: duty for duty in found if duty["kind"] == "call-back"}
