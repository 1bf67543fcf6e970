"""kill -9 of the service while an agent writes a ticket: what was typed stands, nothing is laid over it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from lab.scenario import Lab
from tests.house import House
from tests.live.test_recordings import http, until
from tests.outage import hands

CITIZEN, OTHER = "13919990001", "13800001111"
BACK_WITHIN = 45.0


def fields(house: House, call: str) -> dict[str, Any]:
    status, data, _ = http(house, f"/api/calls/{call}/draft")
    return dict(json.loads(data)["fields"]) if status == 200 else {}


async def test_what_an_agent_typed_outlives_a_killed_service_and_is_not_overwritten(
    house: House, city: Lab
) -> None:
    await city.staffed("2001")
    call = await city.caller(CITIZEN).dials("12301")
    await city.seat("2001").answers(call)
    id = await call.id()
    # without a word the draft offers the number that the call came with: what would lie over the typed one
    assert fields(house, id)["phone"]["value"] == CITIZEN
    typed = {"name": "王芳", "phone": OTHER, "address": None}
    status, data, _ = http(house, f"/api/calls/{id}/draft", body={"fields": typed})
    assert status == 200, data
    await asyncio.to_thread(hands.kill, house.parts()["service"])
    await asyncio.to_thread(hands.until_ready, house.home, BACK_WITHIN)
    told = await until("the draft is there again", lambda: fields(house, id), bool, within=20)
    assert {n: (told[n]["value"], told[n].get("typed")) for n in typed} == {
        n: (value, True) for n, value in typed.items()
    }
    assert CITIZEN in [o["value"] for o in told["phone"]["alternatives"]]
    status, data, _ = http(house, "/api/tickets", body={"call": id, "fields": {"kind": "咨询"}})
    assert status == 201, data
    ticket = json.loads(data)
    assert {n: ticket["fields"][n] for n in typed} == typed
    assert ticket["fields"]["kind"] == "咨询"
    # they talked all the time
    assert not [x for x in city.client.lines() if x["what"] == "ended" and x["leg"] == call.leg]
    await call.hangs_up()
    await city.quiet()
