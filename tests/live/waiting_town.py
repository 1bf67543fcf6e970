"""A hotline whose waits are short: who waits where, what they are told, who is called back."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from lab.client import Line, Unheard
from lab.parties import Call, Phone
from lab.scenario import Lab
from tests.house import ROOT, House
from tests.live.leaving_town import is_in

GREETED = 1 + 8
"""Seconds in which a call has been greeted and offered to a seat."""
HEAD_START = 6
LISTED = "13900000041"
"""A number that the plan's list has."""
WIDEN_AFTER = 5
WAIT = 5
"""Seconds a caller waits in queue expert, and again in queue last."""
AGAIN_AFTER = 5
DUTY_PHONE = "05558888001"

_LINES = """
[12391]
title = "老人专线"
numbers = ["12391"]
greeting = "please-wait"
notice = ""
first = "queue:general"

[12392]
title = "先按键再排队"
numbers = ["12392"]
greeting = "please-wait"
notice = ""
first = "menu:who"
"""
_MENUS = """
[who]
title = "自报"
prompt = "please-wait"
tries = 2
wait_seconds = 4
otherwise = "message:busy"

[who.keys]
3 = "queue:general"
"""
_QUEUES = """
[general.call_back]
after_seconds = 10
trunk = "carrier"
tries = 2
again_after_seconds = 5
ring_seconds = 10

[last]
title = "末队"
members = { 1008 = 0, 1003 = 10 }
wait_seconds = 5
reassure_every_seconds = 3
# later than anybody waits here: reached only by those who waited at the experts' before
widen = { 0 = 0, 7 = 10 }
next = "message:busy"
"""
_PHONES = """
[duty]
title = "值班电话"
number = "05558888001"
trunk = "carrier"
ring_seconds = 8
next = "queue:last"
"""
_PRIORITIES = """
[elderly]
title = "老人"
head_start_seconds = 6
lines = ["12391"]

[listed]
title = "名单"
head_start_seconds = 600
callers = ["13900000041"]

[young]
title = "未成年人按键"
head_start_seconds = 300
keys = ["who:3"]

[dropped]
title = "掉线重拨"
head_start_seconds = 120
dropped_within_minutes = 10
"""
DEAD_AFTER = 10
"""Seconds without sound until a seat's leg ends; that its phone is gone, Asterisk knows after 5."""
_CHANGES = {
    "city.toml": [('timezone = "Asia/Shanghai"\n',
                   f'timezone = "Asia/Shanghai"\ndead_after_seconds = {DEAD_AFTER}\n')],
    "lines.toml": [
        ('greeting = "greeting"\n', 'greeting = "please-wait"\nnotice = ""\n'),
        ('greeting = "greeting-12315"', 'greeting = "please-wait"\nnotice = ""'),
        ('greeting = "greeting-12329"', 'greeting = "please-wait"\nnotice = ""'),
        ('greeting = "greeting-12333"', 'greeting = "please-wait"\nnotice = ""'),
    ],
    "queues.toml": [
        ("wait_seconds = 90\n", "wait_seconds = 300\nposition_every_seconds = 15\npace_seconds = 50\n"),
        # fund: 1006 at once, the general seats later
        ("{ 1006 = 0, 1003 = 10, 1004 = 10 }\n",
         "{ 1006 = 0, 1003 = 10, 1004 = 10 }\nwiden = { 0 = 0, 5 = 10 }\n"),
        ('1008 = 0 }\nwait_seconds = 60\nnext = "queue:general"',
         '1008 = 0 }\nwait_seconds = 5\nnext = "phone:duty"'),
    ],
    "advice.toml": [('[[overflow]]\nqueue = "expert"\nto = "queue:general"', "")],
}  # fmt: skip
_MORE = {
    "lines.toml": _LINES, "menus.toml": _MENUS, "queues.toml": _QUEUES, "phones.toml": _PHONES,
    "priorities.toml": _PRIORITIES,
}  # fmt: skip


def waiting_plan(folder: Path) -> Path:
    """The demo plan with these changes, as a folder."""
    plan = folder / "demo"
    shutil.copytree(ROOT / "plans/demo", plan)
    for name, changes in _CHANGES.items():
        text = (plan / name).read_text("utf-8")
        for old, new in changes:
            assert old in text, f"{name}: {old!r}"
            text = text.replace(old, new, 1)
        (plan / name).write_text(text, "utf-8")
    for name, more in _MORE.items():
        with (plan / name).open("a", encoding="utf-8") as file:
            file.write(more)
    return plan


async def busy_with(city: Lab, seat: str = "1001", line: str = "12345", number: str = "13900000001") -> Call:
    """Somebody who keeps this seat talking."""
    await city.seat(seat).will_answer()
    call = await city.caller(number).dials(line)
    await call.reaches(seat, within=GREETED)
    return call


async def hears_prompt(call: Call, name: str, within: float = 20.0, since: int = 0) -> None:
    """The shipped prompt has been played to this caller to its end; ``since``: samples heard before it."""
    await call.hears(prompt_wav(call, name), within, since)


def prompt_wav(call: Phone, name: str) -> Path:
    """A shipped prompt as a wav beside the recording."""
    from cti.speech.sound import from_alaw, write_wav  # numpy

    assert call.heard_file is not None
    wav = call.heard_file.with_name(f"prompt-{name}.wav")
    if not wav.exists():
        sound = (ROOT / f"asterisk_conf/sounds/zh/hotline/{name}.alaw").read_bytes()
        write_wav(wav, from_alaw(sound), 8000)
    return wav


async def takes_call_back(call: Call) -> None:
    """Press the key, and confirm the number when it was read out. The promise stands when this returns."""
    await call.presses("1")
    # asked as Asterisk says: a recording tells up to 2 s later, of the 6 in which the key may come
    await is_in(call._lab, call, "call-back", "Read", "callback-confirm")
    await takes_confirmed(call)


async def takes_confirmed(call: Call) -> None:
    """Confirm the number that has been read out. The promise stands when this returns."""
    since = len(call._lab.house.events)
    await call.presses("1")
    await call_back_is(call, "asked", since=since)


async def call_back_is(call: Call, state: str, within: float = 30.0, since: int = 0) -> None:
    """The dialplan says so of the call back promised in this call."""
    id = await call.id()
    await call._lab.house.event(
        f"call back of {id} is {state}",
        lambda e: (
            e.get("What") == "call-back"
            and e.get("Call") == id
            and e.get("Record", "").split("/")[-2:-1] == [state]
        ),
        within,
        since,
    )


async def outside_rings(city: Lab, number: str, within: float = 20.0, since: int = 0) -> Line:
    """A phone outside the house rings."""
    return await city.client.line(
        f"{number} rings", lambda x: x["phone"] == number and x["what"] == "rings", within, since
    )


async def outside_behaves(city: Lab, number: str, does: str, **more: Any) -> None:
    """From now on this phone outside does so."""
    await city.client.ask("behave", phone=number, does=does, hear=True, **more)


def in_line(house: House, queue: str = "general", city: str = "demo") -> list[str]:
    """Channels that wait there, the first first, as Asterisk's console shows them."""
    text = house.asterisk_cli(f"queue show {city}-{queue}").partition("Callers:")[2]
    return [words[1] for line in text.splitlines() if len(words := line.split()) > 1 and "." in words[0]]


def row(house: House, call: str, within: float = 15.0) -> dict[str, Any]:
    """The call's row of history, once it has ended. Raises Unheard."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        for found in rows(house, "id = ? AND ended IS NOT NULL", call):
            return found
        time.sleep(0.1)
    raise Unheard(f"{call}: not in history after {within:g} s")


def rows(house: House, where: str, *told: Any) -> list[dict[str, Any]]:
    """Rows of history; none while a service that was killed at once has not made its tables."""
    with closing(sqlite3.connect(house.home.root / "history.sqlite")) as base:
        base.row_factory = sqlite3.Row
        if not base.execute("SELECT 1 FROM sqlite_master WHERE name = 'calls'").fetchone():
            return []
        return [dict(r) for r in base.execute(f"SELECT * FROM calls WHERE {where}", told)]


async def kept(house: House, promised: str, within: float = 20.0) -> dict[str, Any]:
    """The call in which this promise was kept, once it is over. Raises Unheard."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        for found in rows(house, "callback_of = ? AND greeted IS NOT NULL AND ended IS NOT NULL", promised):
            return found
        await asyncio.sleep(0.2)
    raise Unheard(f"nobody was called back for {promised}: {rows(house, 'callback_of = ?', promised)}")


SETTLED = 20.0


def truth(house: House, since: float) -> dict[str, Any]:
    """What `cti truth` says of the time since then, once the ledger has what happened last: it is written in
    batches, behind what phones and dialplan tell. A difference that stays is returned."""
    end = time.monotonic() + SETTLED
    while True:
        said = house.cti("truth", "--from", str(since), "--to", str(time.time() + 1), "--json")
        told: dict[str, Any] = json.loads(said.stdout)
        if not told["differences"] or time.monotonic() > end:
            return told
        time.sleep(0.2)
