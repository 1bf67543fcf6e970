"""kill -9 of the service in every state of a transfer: the caller always has somebody."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calls.orders import Kind
from lab.parties import Call
from lab.scenario import Lab
from tests.house import House, house_with
from tests.live.seat_town import plan_at
from tests.live.transfer_case import AGENT, CENTRE, COLLEAGUE, NEXT, Case
from tests.live.transfer_town import centre, has_somebody, in_the_room, step_told, talking, until_gone
from tests.outage import hands
from transfer.table import State

SAFE = 6.0
"""Seconds after the agent is gone (issue: at the latest 6 s)."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("transfers")
    with house_with(folder, plan_at(folder)) as up:
        yield up


STATES: list[tuple[str, Kind | None]] = [(s.value, None) for s in State if s is not State.OVER]
CENTRE_BY: tuple[Kind, ...] = ("handoff", "three")
STATES += [
    (s.value, kind) for kind in CENTRE_BY for s in (State.RINGING, State.TOGETHER, State.HANDED, State.QUEUED)
]


@pytest.mark.parametrize(("state", "centre_by"), STATES)
async def test_a_service_killed_in_any_state_leaves_no_caller_alone(
    house: House, city: Lab, tmp_path: Path, state: str, centre_by: Kind | None
) -> None:
    await city.staffed(AGENT, COLLEAGUE, NEXT)
    for number in (CENTRE, "1100"):
        await centre(city, number).will_ring()
    case = Case(house, city, tmp_path, handoff=centre_by is not None, kind=centre_by or "handoff")
    gone_before = state == State.ALONE
    # killed the moment the agent is gone, if there is one whom the caller waits for
    await case.reaches("sent" if gone_before else state)
    if gone_before:
        await case.agent.hangs_up()
    with hands.without_service(house):
        if state in ("asking", "consulting", "sent"):
            # held by an agent who is there
            assert await has_a_leg(city, case.call, AGENT)
        else:
            assert await has_somebody(city, case.call, SAFE)
        match state:
            case "asking" | "consulting" | "ringing" | "together" | "sent":
                # the colleague's phone rings on, and nobody lifts it
                await case.agent.hangs_up()
                assert await has_somebody(city, case.call, SAFE)
            case "handed" if centre_by:
                await case.target.hangs_up()
                assert await has_somebody(city, case.call, SAFE)
            case "queued":
                await city.seat(NEXT).answers(case.call, within=40)
                await case.call.talks()
        with contextlib.suppress(Exception):
            await until_gone(case.call, case.agent, case.target)


async def has_a_leg(city: Lab, call: Call, seat: str) -> bool:
    """A phone of this seat is in the call, or rings for it: asked of Asterisk."""
    id = await call.id()
    rows = await city.house.ask_list("CoreShowChannels")
    return any(
        r.get("AccountCode") == id and r.get("Channel", "").startswith(f"PJSIP/demo-{seat}-") for r in rows
    )


async def test_keys_on_the_phone_hand_over_and_consult_with_the_service_dead(
    house: House, city: Lab, tmp_path: Path
) -> None:
    await city.staffed(AGENT, COLLEAGUE, NEXT)
    for number in (CENTRE, "1100"):
        await centre(city, number).will_ring()
    with hands.without_service(house):
        talk, call = await talking(city, tmp_path, AGENT)
        agent, colleague = talk.parties["agent"], city.seat(COLLEAGUE)
        # dialled on without waiting for the tone: no digit is lost
        await agent.presses("*82" + COLLEAGUE + "#")
        await colleague.answers(within=10)
        talk.joins("target", colleague)
        # told before the two hear each other: a key pressed in between is one of the dialling
        await step_told(city, call, "answered")
        await talk.speak("asked", "agent", "target")
        await agent.presses("*80")  # taken back
        await colleague.ends()
        await in_the_room(city, call, f"PJSIP/demo-{AGENT}-", "PJSIP/demo-carrier-")
        await talk.speak("back", "caller", "agent")
        police = centre(city, CENTRE)
        await agent.presses(f"*{CENTRE}")
        await police.rings(within=10)
        await police.answers()
        await step_told(city, call, "joined")
        await agent.hangs_up()
        await step_told(city, call, "handed")
        await until_gone(call, agent, colleague, police)
    assert (await talk.heard())["caller"] == {("back", "agent")}
    # and none of it is missing in the records, with Asterisk's own times
    asked, over = await refilled_records(house, await call.id())
    assert (asked["kind"], asked["centre"]) == ("consult", COLLEAGUE)
    assert (over["kind"], over["centre"], over["outcome"]) == ("handoff", CENTRE, "handed")
    assert asked["refilled"] == ["asked", "answered", "ended"]
    assert over["refilled"] == ["asked", "dialled", "answered", "joined", "handed", "ended"]
    assert over["asked"] <= over["dialled"] <= over["answered"] <= over["joined"] <= over["handed"]
    assert (over["seat"], over["by"]) == (AGENT, "phone")


async def refilled_records(house: House, call: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two records of this call in the order in which they began, as soon as both are refilled."""

    def refilled() -> list[dict[str, Any]]:
        rows = hands.get(house.home, "/api/handoffs?city=demo&limit=20", 5.0) or ()
        mine = [row for row in rows if row["call"] == call and row["refilled"]]
        return mine if len(mine) == 2 else []

    found = await asyncio.to_thread(hands.until, "both records are refilled", refilled, 60)
    first, second = sorted(found, key=lambda row: row["asked"])
    return first, second


async def test_a_key_takes_back_a_caller_sent_on_while_it_rings_with_the_service_dead(
    house: House, city: Lab, tmp_path: Path
) -> None:
    await city.staffed(AGENT, COLLEAGUE, NEXT)
    with hands.without_service(house):
        talk, call = await talking(city, tmp_path, AGENT)
        agent, colleague = talk.parties["agent"], city.seat(COLLEAGUE)
        await agent.presses("*81" + COLLEAGUE + "#")
        await colleague.rings(within=10, still=True)
        await agent.presses("*80")
        await colleague.ends(within=3)
        await in_the_room(city, call, f"PJSIP/demo-{AGENT}-", "PJSIP/demo-carrier-")
        await talk.speak("back", "caller", "agent")
        await until_gone(call, agent)
    assert (await talk.heard())["caller"] == {("back", "agent")}
