"""What the tests of spoken menus share: a city that asks at once, and what its dialplan says of a caller."""

from __future__ import annotations

import array
import asyncio
import math
import shutil
from collections.abc import Callable
from pathlib import Path

from asterisk_conf.spoken import PATIENCE
from lab.parties import Call
from lab.scenario import Lab
from lab.wav import RATE, Sound, write
from lab.wire import Event, Wire
from tests.house import ROOT, House
from tests.live import speaking
from tests.live.test_recordings import http, until

VOICES = ROOT / "lab" / "voices"
SECONDS = 6
"""So long this city's menu listens."""
ROUNDS = 2
CITY = {
    "city.toml": 'id = "talk"\ntitle = "说话市12345热线"\nlast = "message:sorry"\n',
    "trunks.toml": '[carrier]\ntitle = "运营商"\nhosts = ["192.0.2.30"]\nlab = true\n',
    "lines.toml": '[main]\ntitle = "综合"\nnumbers = ["12345"]\ngreeting = "short"\nnotice = ""\n'
    'first = "menu:say"\n',
    "menus.toml": '[say]\ntitle = "说出需求"\nprompt = "menu-agent"\ntries = 1\nwait_seconds = 4\n'
    f'otherwise = "queue:general"\nspoken = {{ seconds = {SECONDS}, tries = {ROUNDS} }}\n'
    'keys = { 0 = "queue:general", 1 = "queue:market", 2 = "queue:fund", 3 = "queue:expert" }\n'
    'words = { 0 = ["人工"], 1 = ["食品", "过期"], 2 = ["公积金", "基金"], 3 = ["医保", "退休"] }\n',
    "queues.toml": "".join(
        f'[{name}]\ntitle = "{title}"\nmembers = {{ 1001 = 0 }}\nwrap_up_seconds = 0\n'
        'next = "message:sorry"\n'
        for name, title in (("general", "综合"), ("market", "市场"), ("fund", "公积金"), ("expert", "专家"))
    ),
    "messages.toml": '[sorry]\ntitle = "致歉"\nprompt = "sorry-busy"\n',
    "seats.toml": "[1001]\n",
    "prompts.toml": '[short]\nwav = "short.wav"\n',
}


def talk_city(folder: Path) -> Path:
    """The city's plan, in a folder of its name."""
    city = folder / "talk"
    shutil.rmtree(city, ignore_errors=True)
    city.mkdir(parents=True)
    for name, text in CITY.items():
        (city / name).write_text(text, "utf-8")
    beep = (int(6000 * math.sin(2 * math.pi * 450 * n / RATE)) for n in range(int(RATE * 0.2)))
    write(city / "short.wav", Sound(RATE, array.array("h", beep)))
    return city


async def ready(house: House) -> None:
    """Somebody would listen."""
    await until(
        "somebody would listen to a menu",
        lambda: http(house, "/metrics")[1],
        lambda told: b"hotline_spoken_up 1.0" in told,
        within=90,
    )


async def listened_to(city: Lab, call: Call, round: int = 1, within: float = 30.0) -> Event:
    """The question is over and somebody listens (ChanSpy on the caller's own leg, seen as observer)."""
    leg = (await call.id()).partition("-")[2]
    seen: set[str] = set()

    def listens(event: Event) -> bool:
        if event["Event"] == "ChanSpyStart" and event["SpyeeUniqueid"] == leg:
            seen.add(event["SpyerUniqueid"])
        return len(seen) == round

    return await city.house.event(f"{call.name} is listened to", listens, within)


async def told(city: Lab, call: Call, what: str, within: float = 20.0, since: int = 0) -> Event:
    """What the dialplan says of this call."""
    id = await call.id()
    return await city.house.event(f"{what} of {id}", says(id, what), within, since)


def says(id: str, what: str, **more: str) -> Callable[[Event], bool]:
    """Whether an event is this word of the dialplan about this call."""
    return lambda e: (
        e["Event"] == "UserEvent"
        and e.get("What") == what
        and e.get("Call") == id
        and all(e.get(name) == value for name, value in more.items())
    )


async def reaches_by_voice(city: Lab, call: Call, voice: Path, queue: str) -> Event | None:
    """Says it when asked, and again when asked again: the choice; the caller waits in that queue.

    None, with the keys instead, only where vosk alone is too slow for it in this minute (``speaking.LIVE``).
    """
    for round in range(1, ROUNDS + 1):
        await listened_to(city, call, round)
        saying = asyncio.ensure_future(call.says(voice))
        id = await call.id()
        listened = await city.house.event(
            f"question {round} is over", says(id, "listened", Round=str(round)), SECONDS + PATIENCE + 10
        )
        await saying
        if listened["Status"] == "HEARD":
            await call.waits_in(queue)
            return await told(city, call, "chose")
    # not before: a caller who waits for us says nothing
    _, pace = await asyncio.to_thread(speaking.raw, voice)
    assert pace >= speaking.LIVE, f"never understood, and vosk alone takes {pace:.2f} s a second"
    return None


async def nobody_left(city: Lab, call: Call, within: float = 10.0) -> None:
    """The channel that listened to this caller is gone (Hangup of its spying half, seen as observer)."""
    spyer = (await listened_to(city, call))["SpyerUniqueid"]
    await city.house.event(
        "the listening channel is gone",
        lambda e: e["Event"] == "Hangup" and e["Uniqueid"] == spyer,
        within,
    )


async def ask_again(house: House) -> None:
    """Asterisk forgets that listening failed just now."""
    home = house.home
    wire = Wire(lambda _: None)
    await wire.connect("127.0.0.1", home.ports.ami, "service", home.secrets["ami_service"], events="off")
    try:
        for name in ("ASK_AGAIN_AT", "LISTEN_AGAIN_AT", "ASK_FIRST_UNTIL"):
            await wire.ask("Setvar", Variable=name, Value="0")
    finally:
        await wire.close()
