"""A file keeps step with its leg: what is said after keys, after a talk, in a room stands at its second."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from calls.orders import Transfer
from lab import ears
from lab.parties import Call, Phone
from lab.scenario import Lab
from tests.house import House
from tests.live.seat_town import order
from tests.live.test_recordings import filed, http, samples
from tests.live.transfer_town import talking

KEYS = "12345678"
"""Each sounds 0.12 s: together more than a second of which no voice comes."""
OUT_OF_STEP = 0.4
"""Seconds by which a word may stand elsewhere: what the lab takes to begin to speak, and Asterisk to write.
Keys that nothing fills make it 0.9."""
TALKS = {"1001": "1003", "1002": "1004"}
"""Agent, and whom they call to the room. Two talks at once: whether a leg can fall out of step hangs on where
its phones' RTP numbers began, for each leg one chance in two."""


async def test_keys_in_a_room_shift_nothing_that_is_said_after_them(
    house: House, city: Lab, voices: list[Path], tmp_path: Path
) -> None:
    await city.staffed(*TALKS)
    began = time.time() - 1
    rooms = [await _room(house, city, tmp_path, seat, f"1390000000{seat}") for seat in TALKS]
    everybody = [phone for room in rooms for phone in room]
    await asyncio.gather(*(phone.presses(KEYS) for phone in everybody))
    said: dict[Phone, tuple[float, Path]] = {}

    async def says(phone: Phone, wav: Path) -> None:
        since = city.client.count
        await phone.says(wav)
        said[phone] = ((await phone.sees("says", within=5, after=since))["at"], wav)

    await asyncio.gather(*(says(p, w) for p, w in zip(everybody, voices[:4], strict=True)))
    calls = [await call.id() for call, _ in rooms]
    for call, _ in rooms:
        await call.hangs_up()
    wrong = []
    for (caller, agent), id in zip(rooms, calls, strict=True):
        for row in await filed(house, id, 2):
            at, wav = said[agent if row["role"] == "seat" else caller]
            sound = samples(http(house, f"/api/recordings/{row['leg']}/audio?purpose=step")[1]) / 32768
            word = ears.contains(sound, ears.load(wav))
            assert word, f"{wav.name} is not in the file of {row['leg']}"
            moved = word.at - (at - row["began"]) - ears.contains(ears.load(wav), ears.load(wav)).at
            lacks = row["ended"] - row["began"] - row["seconds"]
            print(
                f"{row['role']:6} words {moved:+.3f} s from where they were said, file {lacks:.3f} s shorter"
            )
            if abs(moved) > OUT_OF_STEP or lacks > OUT_OF_STEP:
                wrong.append((row["leg"], moved, lacks))
    assert not wrong
    done = await asyncio.to_thread(house.cti, "recordings", "check", "--from", str(began), "--json")
    told = json.loads(done.stdout)
    assert [g for g in told["gaps"] if any(id.partition("-")[2] in json.dumps(g) for id in calls)] == []


async def _room(house: House, city: Lab, folder: Path, seat: str, caller: str) -> tuple[Call, Phone]:
    """A caller and an agent in a room; a colleague's phone rings, and nobody comes."""
    talk, call = await talking(city, folder, seat, caller)
    await order(house.home, Transfer(city="demo", seat=seat, kind="three", to=TALKS[seat]))
    id = await call.id()
    await city.house.event(
        "both are in the room",
        lambda e: (
            e["Event"] == "ConfbridgeJoin"
            and e.get("AccountCode") == id
            and "carrier" in e.get("Channel", "")
        ),
        10,
    )
    return call, talk.parties["agent"]
