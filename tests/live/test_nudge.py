"""A seat gets free while somebody waits: the waiting channel looks at once, and nobody hears of it."""

from __future__ import annotations

import json

from lab.scenario import Lab
from tests.house import House

CHORUS = 1 + 15
"""Seconds in which a call has been greeted and offered to a seat."""


async def test_the_next_caller_is_nudged_and_their_story_knows_of_no_key(house: House, city: Lab) -> None:
    await city.staffed("1001")
    await city.seat("1001").will_answer()
    talking = await city.caller("13900000001").dials("12345")
    await talking.reaches("1001", within=CHORUS)
    waiting = await city.caller("13900000002").dials("12345")
    await waiting.waits_in("general", within=CHORUS)
    call = await waiting.id()
    since = len(city.house.events)
    await talking.hangs_up()
    await city.house.event(
        "the waiting channel is woken",
        lambda e: e["Event"] == "DTMFEnd" and e.get("AccountCode") == call and e.get("Digit") == "D",
        5,
        since,
    )
    await waiting.reaches("1001", within=CHORUS)
    await waiting.hangs_up()
    story = json.loads(house.cti("story", call, "--json").stdout)
    assert not [line for line in story["lines"] if "key" in line["en"].lower()]
