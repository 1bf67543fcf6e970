"""The first call: a citizen dials 12345, hears Mandarin, a seat answers, and everything of it is told."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import struct
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asterisk.manager import Manager, ManagerException

from lab import ears
from lab.scenario import Lab
from lab.wav import RATE, complete
from tests.house import ROOT, House
from tests.live.seat_town import seat_is

CHORUS = 16
SHIPPED = ROOT / "asterisk_conf" / "sounds" / "zh" / "hotline"


def spoken(prompt: str, folder: Path) -> Path:
    """A shipped prompt (raw A-law) as a wav file."""
    path = folder / f"{prompt}.wav"
    data = (SHIPPED / f"{prompt}.alaw").read_bytes()
    # RIFF header of format 6, A-law: 8,000 one-byte samples a second
    path.write_bytes(
        struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36, b"WAVE", b"fmt ", 16, 6, 1, RATE, RATE, 1, 8)
        + struct.pack("<4sI", b"data", len(data))
        + data
    )
    return path


def cti(house: House, *words: str) -> Any:
    ran = subprocess.run(
        [sys.executable, "-m", "cti", *words, "--home", str(house.home.root), "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture
def observer(house: House) -> Iterator[list[dict[str, str]]]:
    """What pyst2, a client nobody here wrote, hears as the observer user."""
    heard: list[dict[str, str]] = []
    manager = Manager()
    manager.connect("127.0.0.1", house.home.ports.ami)
    manager.login("observer", house.home.secrets["ami_observer"])
    lock = threading.Lock()

    def note(event: Any, _: Any) -> None:
        with lock:
            heard.append(dict(event.headers))

    manager.register_event("*", note)
    yield heard
    try:
        manager.close()
    except (ValueError, ManagerException):
        # pyst2 writes its Logoff and then flushes; Asterisk's answer and end may come between the two, and
        # its own reader has closed the file by then. What is left to do has no more to say
        manager.close()


@pytest.fixture
async def ended_call(city: Lab, voices: list[Path]) -> str:
    """A call that was greeted, answered by 1001, and ended by the agent."""
    await city.staffed("1001")
    call = await city.caller("13900000007").dials("12345").says(voices[0])
    await city.seat("1001").answers(call, say=voices[1], within=CHORUS)
    await call.hears(voices[1])
    await city.seat("1001").hears(voices[0])
    told = await call.id()
    await city.seat("1001").hangs_up()
    await call.ends()
    return told


async def test_the_caller_hears_the_mandarin_greeting_then_the_recording_notice(
    city: Lab, tmp_path: Path
) -> None:
    await city.staffed("1001")
    call = await city.caller().dials("12345")
    await call.rings_at("1001", within=CHORUS)
    await call.hangs_up()
    heard = await call.recorded()
    greeting = ears.contains(heard, ears.load(spoken("greeting", tmp_path)))
    notice = ears.contains(heard, ears.load(spoken("recording", tmp_path)))
    assert greeting
    assert notice
    assert not ears.contains(heard, ears.load(spoken("greeting-12315", tmp_path)))


async def test_a_stranger_to_our_code_sees_the_seat_connected(
    observer: list[dict[str, str]], ended_call: str
) -> None:
    connects = [e for e in observer if e["Event"] == "AgentConnect" and e.get("AccountCode") == ended_call]
    assert [e["MemberName"] for e in connects] == ["demo-1001"]
    assert not [e for e in observer if e["Event"] == "QueueCallerAbandon"]


async def test_the_story_the_journal_and_history_tell_the_same_call(house: House, ended_call: str) -> None:
    row = await history_row(house, ended_call)
    assert (row["line"], row["original"], row["first_seat"], row["left_by"]) == (
        "main",
        "12345",
        "1001",
        "agent",
    )
    assert row["arrived"] < row["greeted"] <= row["joined"] <= row["answered"] < row["ended"]
    story = cti(house, "story", ended_call)
    text = json.dumps(story, ensure_ascii=False)
    assert "座席 1001 接听" in text
    assert "13900000007" not in text
    journal = b"".join(p.read_bytes() for p in house.home.journal.glob("*.jnl"))
    assert ended_call.encode() in journal


async def history_row(house: House, call: str) -> dict[str, Any]:
    """The one history row, through the API; waits until the journal has drained."""
    async with asyncio.timeout(15):
        while True:
            rows = await asyncio.to_thread(past, house)
            found = [row for row in rows if row["call"] == call and row["ended"]]
            if found:
                break
            await asyncio.sleep(0.2)  # history follows the journal; nothing announces it
    database = sqlite3.connect(f"file:{house.home.database}?mode=ro", uri=True)
    with database:
        database.row_factory = sqlite3.Row
        kept = [dict(r) for r in database.execute("select * from calls where id = ?", (call,))]
    database.close()
    assert len(kept) == 1
    return kept[0]


def past(house: House) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{house.home.ports.api}/api/history/calls",
        headers={"Authorization": f"Bearer {house.home.tokens['operator']}"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        rows: list[dict[str, Any]] = json.load(answer)
    return rows


async def test_each_leg_is_recorded_from_its_first_second(
    house: House, ended_call: str, voices: list[Path]
) -> None:
    files = sorted(house.home.recordings.rglob(f"*{ended_call.rpartition('-')[2]}*/*.wav"))
    files = files or sorted(p for p in house.home.recordings.rglob("*.wav") if ended_call in str(p))
    assert len(files) >= 2
    async with asyncio.timeout(15):
        while not all(map(complete, files)):  # noqa: ASYNC110  # Asterisk closes its files when the legs have ended; nothing tells
            await asyncio.sleep(0.05)
    heard = [ears.load(path) for path in files]
    assert any(ears.contains(sound, ears.load(voices[0])) for sound in heard)
    assert any(ears.contains(sound, ears.load(voices[1])) for sound in heard)


async def test_the_live_picture_shows_the_call_while_it_talks(house: House, city: Lab) -> None:
    await city.staffed("1002")
    call = await city.caller("13900000008").dials("12345")
    await city.seat("1002").answers(call, within=CHORUS)
    told = await call.id()
    # the phone is up a moment before Asterisk tells the service whose talk it is in
    await seat_is(house.home, "1002", state="busy", call=told)
    calls = {c["call"]: c for c in cti(house, "calls")}
    assert (calls[told]["state"], calls[told]["seat"]) == ("talking", "1002")
    seats = {s["seat"]: s for s in cti(house, "seats")}
    assert (seats["1002"]["state"], seats["1002"]["call"]) == ("busy", told)
    await call.hangs_up()


async def test_a_number_nobody_owns_says_so_and_ends(city: Lab, tmp_path: Path) -> None:
    call = await city.caller().dials("99999")
    await call.ends(within=20)
    heard = await call.recorded()
    assert ears.contains(heard, ears.load(spoken("sorry-not-in-service", tmp_path)))
