"""What would take a transferred caller away from everybody, and does not, by real phones."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from calls.orders import Kind, Pause, Unpause
from lab.client import Unheard
from lab.handset import Handset
from lab.parties import Call
from lab.scenario import Lab
from lab.wire import Event
from tests.house import House, ports, running
from tests.live.seat_town import DEAD_AFTER, GREETED, order, plan_at
from tests.live.transfer_case import rings_on
from tests.live.transfer_town import (
    AGENT_GONE,
    Talk,
    centre,
    in_the_room,
    orders,
    step_told,
    talking,
    until_gone,
)

AGENT, COLLEAGUE, CHIEF = "1001", "1003", "1002"
CALLER = "PJSIP/demo-carrier-"
DEAD = DEAD_AFTER + AGENT_GONE
"""Seconds from a phone's last sound on, after which the caller has somebody or a place (docs/failures.md)."""
WATCHED = 4.0
"""Seconds after which the watch would have led a caller away whom nobody is with."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One caller may wait in queue general, and no more."""
    folder = tmp_path_factory.mktemp("rescue")
    home = folder / "home"
    home.mkdir()
    plan = plan_at(folder)
    queues = (plan / "queues.toml").read_text("utf-8")
    assert "wait_seconds = 90\n" in queues
    (plan / "queues.toml").write_text(
        queues.replace("wait_seconds = 90\n", "wait_seconds = 90\nmax_waiting = 1\n")
    )
    with ports() as base, running(home, base, [plan]) as up:
        yield up


@pytest_asyncio.fixture
async def town(house: House, city: Lab) -> AsyncIterator[Lab]:
    await city.staffed(AGENT, COLLEAGUE, CHIEF)
    for number in ("110", "1100"):
        await centre(city, number).will_ring()
    # the queue rings the agent alone; a paused seat is still called by its number
    await order(house.home, *(Pause(city="demo", seat=s, reason="meeting") for s in (COLLEAGUE, CHIEF)))
    yield city


async def wishes(house: House, seat: str, kind: str, to: str = "") -> int:
    words = {"kind": kind, "to": to} if to else {"kind": kind}
    return (await orders(house.home, f"/api/seats/demo/{seat}/transfer", **words))[0]


async def refused_in_the_room(house: House, town: Lab, call: Call) -> None:
    """Agent and caller are alone in the room: whoever was to make three of them refuses."""
    assert await wishes(house, AGENT, "three", COLLEAGUE) == 200
    colleague = town.seat(COLLEAGUE)
    await colleague.rings(within=5)
    await colleague.rejects()
    await step_told(town, call, "refused")
    id = await call.id()
    for who in (f"PJSIP/demo-{AGENT}-", "PJSIP/demo-carrier-"):
        await town.house.event(f"{who} is in the room", partial(_joined, id, who), 5)


def _joined(call: str, channel: str, event: Event) -> bool:
    return (
        event["Event"] == "ConfbridgeJoin"
        and event["Conference"] == call
        and event["Channel"].startswith(channel)
    )


async def test_whoever_has_a_caller_cannot_take_them_back_from_themselves(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call = await talking(town, tmp_path, AGENT)
    assert await wishes(house, AGENT, "three", COLLEAGUE) == 200
    colleague = town.seat(COLLEAGUE)
    await colleague.rings(within=5)
    await colleague.answers()
    talk.joins("target", colleague)
    await step_told(town, call, "joined")
    await talk.parties["agent"].hangs_up()
    await step_told(town, call, "handed")
    assert await wishes(house, COLLEAGUE, "takeback") == 409
    assert await wishes(house, COLLEAGUE, "leave") == 409, "there is nobody to leave them to"
    await talk.speak("handed", "caller", "target")
    await until_gone(call, colleague)
    assert (await talk.heard())["caller"] == {("handed", "target")}


@pytest.mark.parametrize("ends", ["the last of them", "the caller"])
async def test_a_talk_in_whose_room_two_were_asked_one_after_the_other_ends_when_it_is_over(
    house: House, town: Lab, tmp_path: Path, ends: str
) -> None:
    """An agent leaves the caller to a colleague, who brings a third one in."""
    talk, call = await talking(town, tmp_path, AGENT)
    colleague, chief = town.seat(COLLEAGUE), town.seat(CHIEF)
    since = 0
    for asks, leaves, asked in ((AGENT, talk.parties["agent"], colleague), (COLLEAGUE, colleague, chief)):
        assert await wishes(house, asks, "three", asked.number) == 200
        await asked.rings(within=5)
        await asked.answers()
        in_room = partial(_joined, await call.id(), "Local/s@transfer-target-")
        await town.house.event(f"{asked.name} is in the room", in_room, 5, since)
        await in_the_room(town, call, CALLER)
        if (asks, ends) != (COLLEAGUE, "the caller"):
            await leaves.hangs_up()
            await step_told(town, call, "handed", since=since)
        since = len(town.house.events)
    if ends == "the caller":
        await call.hangs_up()
        # the two may finish what they say; whoever is left then is alone with nobody
        await colleague.hangs_up()
        await chief.ends(within=AGENT_GONE)
    else:
        await chief.hangs_up()
        assert (await call.ends(within=AGENT_GONE))["by"] == "far"
    steps = [e["Step"] for e in town.house.events[since:] if e.get("What") == "transfer"]
    assert "back" not in steps


async def test_a_supervisor_takes_a_caller_out_of_the_room_and_keeps_them(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call = await talking(town, tmp_path, AGENT)
    await refused_in_the_room(house, town, call)
    asked = asyncio.create_task(orders(house.home, f"/api/calls/{await call.id()}/take-over", seat=CHIEF))
    chief = town.seat(CHIEF)
    await chief.answers(within=10)
    assert (await asked)[0] == 200
    talk.joins("target", chief)
    await talk.parties["agent"].ends(within=5)
    # whatever still looks after the transfer has looked by then
    with pytest.raises(Unheard):
        await step_told(town, call, "back", within=WATCHED)
    await talk.speak("taken", "caller", "target")
    await until_gone(call, chief)
    assert (await talk.heard())["caller"] == {("taken", "target")}


async def test_a_caller_who_comes_back_is_let_into_a_full_queue_and_is_served_first(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call = await talking(town, tmp_path, AGENT)
    second = await town.caller("13900000041").dials("12345")
    await second.waits_in("general", within=20)
    third = await town.caller("13900000042").dials("12345")
    assert (await third.ends(30))["by"] == "far", "the queue is full: it heard the message"
    assert await wishes(house, AGENT, "blind", COLLEAGUE) == 200
    colleague = town.seat(COLLEAGUE)
    await colleague.rings(within=5)
    await talk.parties["agent"].hangs_up()
    await step_told(town, call, "agent-left")
    since = len(town.house.events)
    await colleague.rejects()
    await step_told(town, call, "back")
    await call.waits_in("general", since=since)
    await order(house.home, Unpause(city="demo", seat=CHIEF))
    await town.seat(CHIEF).rings(within=20, call=call)
    await until_gone(call, second)


@pytest.mark.parametrize("kind", ["handoff", "three"])
async def test_an_agent_who_hangs_up_at_once_when_a_centre_refuses_leaves_the_caller_at_the_head_of_the_queue(
    house: House, town: Lab, tmp_path: Path, kind: str
) -> None:
    talk, call = await talking(town, tmp_path, AGENT)
    for number in ("110", "1100"):
        await centre(town, number).will_reject()
    assert await wishes(house, AGENT, kind, "110") == 200
    await step_told(town, call, "refused")
    await talk.parties["agent"].hangs_up()
    await step_told(town, call, "back")
    await call.waits_in("general")
    await rings_on(call)
    await order(house.home, Unpause(city="demo", seat=CHIEF))
    await town.seat(CHIEF).answers(call, within=20)
    talk.joins("target", town.seat(CHIEF))
    await talk.speak("again", "caller", "target")
    await until_gone(call, town.seat(CHIEF))
    assert (await talk.heard())["caller"] == {("again", "target")}


async def test_a_caller_in_danger_who_is_taken_from_an_agent_hears_ringing_and_no_music(
    house: House, town: Lab, tmp_path: Path
) -> None:
    """A centre refused, somebody answered, and was forced out: danger is not over with one answer."""
    _, call = await talking(town, tmp_path, AGENT)
    for number in ("110", "1100"):
        await centre(town, number).will_reject()
    assert await wishes(house, AGENT, "handoff", "110") == 200
    await step_told(town, call, "refused")
    since = len(town.house.events)
    status, _ = await orders(house.home, f"/api/seats/{AGENT}/force-out", city="demo", sign_out=False)
    assert status == 200
    await call.waits_in("general", since=since)
    await rings_on(call)
    await order(house.home, Unpause(city="demo", seat=CHIEF))
    await town.seat(CHIEF).answers(call, within=20)
    await until_gone(call, town.seat(CHIEF))


async def test_an_agent_who_sends_a_caller_on_again_before_being_back_with_them_sends_them_on(
    house: House, town: Lab, tmp_path: Path
) -> None:
    """A busy phone refuses in milliseconds: the next wish comes while agent and caller are on their ways."""
    _, call = await talking(town, tmp_path, AGENT)
    colleague, chief = town.seat(COLLEAGUE), town.seat(CHIEF)
    await colleague.will_be_busy()
    assert await wishes(house, AGENT, "blind", COLLEAGUE) == 200
    await step_told(town, call, "refused")
    assert await wishes(house, AGENT, "blind", CHIEF) == 200
    await chief.rings(within=5)
    await chief.answers()
    await call.talks()
    await until_gone(call, chief)


@pytest.mark.parametrize("agent_stays", [True, False])
async def test_who_answers_when_the_caller_was_just_taken_back_talks_to_nobody(
    house: House, town: Lab, tmp_path: Path, agent_stays: bool
) -> None:
    """The instant in which the ringing is over and a phone does not know it yet, drawn out: who comes too
    late is hung up, and the caller goes to whoever is there."""
    talk, call = await talking(town, tmp_path, AGENT)
    agent, colleague = talk.parties["agent"], town.seat(COLLEAGUE)
    assert await wishes(house, AGENT, "blind", COLLEAGUE) == 200
    await colleague.rings(within=5)
    id = (await step_told(town, call, "asked"))["Id"]
    mine = (await call.id()).partition("-")[2]
    rows = await town.house.ask_list("CoreShowChannels")
    [channel] = [row["Channel"] for row in rows if row.get("Uniqueid") == mine]
    if not agent_stays:
        await agent.hangs_up()
        await step_told(town, call, "agent-left")
    since = len(town.house.events)
    house.asterisk_cli(f"dialplan set chanvar {channel} SHARED(STOPPED) {id}")
    await colleague.answers()
    await colleague.ends(within=3)
    if agent_stays:
        await in_the_room(town, call, f"PJSIP/demo-{AGENT}-", "PJSIP/demo-carrier-")
    else:
        await call.waits_in("general", 5, since)
        await order(house.home, Unpause(city="demo", seat=CHIEF))
        agent = town.seat(CHIEF)
        await agent.answers(call, within=20)
        talk.joins("agent", agent)
    await talk.speak("after", "caller", "agent")
    await until_gone(call, agent)
    assert (await talk.heard())["caller"] == {("after", "agent")}


# --- phones that die while a caller is transferred ------------------------------------------------------

FULL = os.environ.get("CTI_PROVE") == "1"
WISHED: dict[str, Kind] = {
    "ringing": "three", "asking": "consult", "sent": "blind", "consulting": "consult", "together": "three",
}  # fmt: skip
"""State -> the wish that leads there."""


async def answered_by(town: Lab, phone: Handset) -> Call:
    """A caller who talks to whoever has this handset."""
    call = await town.caller("13900000051").dials("12345")
    await phone.answers(within=GREETED)
    id = await call.id()
    await town.house.event(
        "they talk", lambda e: e["Event"] == "AgentConnect" and e.get("AccountCode") == id, 10
    )
    return call


async def another_waits(town: Lab) -> Call:
    """Somebody is in the queue before the caller comes back to it."""
    call = await town.caller("13900000052").dials("12345")
    await call.waits_in("general", within=GREETED)
    return call


async def head_of_the_queue(town: Lab, call: Call, died: float, since: int) -> None:
    """Asterisk's own stamp and place."""
    back = await call.waits_in("general", DEAD + 10, since)
    assert float(back["Timestamp"]) - died <= DEAD
    assert (back["Position"], back["Count"]) == ("1", "2"), "before whoever waited already"


async def the_chief_answers(house: House, town: Lab, talk: Talk, call: Call) -> None:
    chief = town.seat(CHIEF)
    await order(house.home, Unpause(city="demo", seat=CHIEF))
    await chief.answers(call, within=20)
    talk.joins("target", chief)
    await talk.speak("again", "caller", "target")
    await until_gone(call, chief)
    assert (await talk.heard())["caller"] == {("again", "target")}


@pytest.mark.parametrize("state", ["ringing", "asking", "sent"] if FULL else ["ringing"])
async def test_an_agent_whose_phone_dies_while_a_colleagues_rings_leaves_the_caller_at_the_head_of_the_queue(
    house: House, town: Lab, tmp_path: Path, state: str
) -> None:
    async with town.handset(AGENT) as phone:
        call = await answered_by(town, phone)
        talk = Talk(tmp_path, call)
        talk.joins("caller", call)
        waiting = await another_waits(town)
        assert await wishes(house, AGENT, WISHED[state], COLLEAGUE) == 200
        await town.seat(COLLEAGUE).rings(within=5)
        since, died = len(town.house.events), time.time()
        phone.dies()
        await head_of_the_queue(town, call, died, since)
        await the_chief_answers(house, town, talk, call)
        await until_gone(waiting)
    await town.seat(AGENT).comes_back()


@pytest.mark.parametrize("state", ["together", "consulting"] if FULL else ["together"])
async def test_an_agent_whose_phone_dies_after_a_colleague_answered_leaves_caller_and_colleague_talking(
    house: House, town: Lab, tmp_path: Path, state: str
) -> None:
    colleague = town.seat(COLLEAGUE)
    async with town.handset(AGENT) as phone:
        call = await answered_by(town, phone)
        talk = Talk(tmp_path, call)
        talk.joins("caller", call)
        assert await wishes(house, AGENT, WISHED[state], COLLEAGUE) == 200
        await colleague.rings(within=5)
        await colleague.answers()
        talk.joins("target", colleague)
        await step_told(town, call, "answered")
        if state == "together":
            await in_the_room(town, call, f"PJSIP/demo-{AGENT}-", CALLER)
        since, died = len(town.house.events), time.time()
        phone.dies()
        handed = await step_told(town, call, "handed", DEAD + 10, since)
        assert float(handed["Timestamp"]) - died <= DEAD
        await in_the_room(town, call, CALLER)
        await talk.speak("left", "caller", "target")
        moved = [e for e in town.house.events[since:] if e["Event"] == "ConfbridgeLeave"]
        assert not [e for e in moved if e["Channel"].startswith(CALLER)], "out of the room meanwhile"
        await until_gone(call, colleague)
    assert (await talk.heard())["caller"] == {("left", "target")}
    await town.seat(AGENT).comes_back()


@pytest.mark.parametrize("kind", ["three", "blind"])
async def test_a_colleague_whose_phone_dies_with_a_caller_handed_to_them_sends_them_to_the_head_of_the_queue(
    house: House, town: Lab, tmp_path: Path, kind: str
) -> None:
    talk, call = await talking(town, tmp_path, AGENT)
    agent = talk.parties["agent"]
    async with town.handset(COLLEAGUE) as phone:
        assert await wishes(house, AGENT, kind, COLLEAGUE) == 200
        await phone.answers(within=5)
        if kind == "three":
            await step_told(town, call, "joined")
            await agent.hangs_up()
            await step_told(town, call, "handed")
        else:
            await agent.ends()
        # wrapped up, the agent would have whoever comes to the head of the queue
        await order(house.home, Pause(city="demo", seat=AGENT, reason="meeting"))
        waiting = await another_waits(town)
        since, died = len(town.house.events), time.time()
        phone.dies()
        await head_of_the_queue(town, call, died, since)
        await the_chief_answers(house, town, talk, call)
        await until_gone(waiting)
    await town.seat(COLLEAGUE).comes_back()
