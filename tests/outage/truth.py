"""Two pictures of the same moment: what Asterisk answers, what the service shows."""

from __future__ import annotations

import asyncio
from typing import Any

from cti.home import Home
from lab.observer import Observer
from tests.outage.hands import NotSo, get

DEVICE = {
    "1": "ready",
    "2": "busy",
    "3": "busy",
    "5": "unreachable",
    "6": "ringing",
    "7": "busy",
    "8": "busy",
}
"""AST_DEVICE_… (devicestate.h) as QueueMember gives it -> our word for a seat nobody paused."""

Picture = dict[str, dict[str, Any]]


async def asterisk_says(house: Observer, city: str) -> Picture:
    """From CoreShowChannels and QueueStatus alone."""
    channels = [row for row in await house.ask_list("CoreShowChannels") if "Channel" in row]
    queues = await house.ask_list("QueueStatus")
    waiting = {row["Uniqueid"] for row in queues if row["Event"] == "QueueEntry"}
    calls: dict[str, str] = {}
    for row in channels:
        call = row.get("AccountCode", "")
        if not call.startswith(f"{city}-") or call.removeprefix(f"{city}-") != row["Uniqueid"]:
            continue
        phones = [x for x in channels if x.get("AccountCode") == call and x is not row]
        if row["BridgeId"] and any(x["BridgeId"] == row["BridgeId"] for x in phones):
            calls[call] = "talking"
        elif row["Uniqueid"] in waiting:
            calls[call] = "ringing" if any(x["ChannelStateDesc"] == "Ringing" for x in phones) else "waiting"
        else:
            calls[call] = "greeted"
    members = [row for row in queues if row["Event"] == "QueueMember" and row["Name"].startswith(f"{city}-")]
    seats = {row["Name"].removeprefix(f"{city}-"): DEVICE[row["Status"]] for row in members}
    return {"calls": calls, "seats": seats}


async def service_says(home: Home, city: str) -> Picture:
    calls = await asyncio.to_thread(get, home, f"/api/calls?city={city}") or ()
    seats = await asyncio.to_thread(get, home, f"/api/seats?city={city}") or ()
    return {
        "calls": {row["call"]: row["state"] for row in calls},
        "seats": {row["seat"]: row["state"] for row in seats},
    }


async def agree(home: Home, house: Observer, city: str, within: float = 10.0) -> Picture:
    """Wait until the service shows what Asterisk answers, and return it. Raises NotSo with the difference."""
    theirs: Picture = {}
    mine: Picture = {}
    try:
        async with asyncio.timeout(within):
            while True:
                theirs = await asterisk_says(house, city)
                mine = await service_says(home, city)
                # Asterisk did not change while we asked: the two are of one moment
                if mine == theirs == await asterisk_says(house, city):
                    return theirs
                await asyncio.sleep(0.1)
    except TimeoutError:
        apart = {
            kind: {
                k: (theirs[kind].get(k), mine[kind].get(k)) for k in theirs[kind].keys() | mine[kind].keys()
            }
            for kind in theirs
        }
        odd = {kind: {k: v for k, v in rows.items() if v[0] != v[1]} for kind, rows in apart.items()}
        raise NotSo(f"Asterisk and the service differ for {within:g} s: {odd}") from None
