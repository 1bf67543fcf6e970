"""Keys of an agent's phone in a room pass on, take back and leave as in a talk, and shift no recording."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from calls.orders import Pause, Transfer
from lab import ears
from lab.client import Unheard
from lab.parties import Call, Phone
from lab.scenario import Lab
from lab.wire import Event
from tests.house import House, house_with
from tests.live.seat_town import order, plan_at, told
from tests.live.test_recordings import filed, http, samples
from tests.live.test_recordings_in_step import OUT_OF_STEP
from tests.live.transfer_town import Talk, centre, orders, step_told, talking, until_gone

AGENT, COLLEAGUE, NEXT = "1001", "1003", "1002"
CENTRE = "110"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("keys")
    with house_with(folder, plan_at(folder)) as up:
        yield up


@pytest_asyncio.fixture
async def town(house: House, city: Lab) -> AsyncIterator[Lab]:
    """The agent at work; the others are asked by number alone."""
    await city.staffed(AGENT, COLLEAGUE, NEXT)
    for number in (CENTRE, "1100"):
        await centre(city, number).will_ring()
    await order(house.home, *(Pause(city="demo", seat=s, reason="meeting") for s in (COLLEAGUE, NEXT)))
    yield city


def _joined(call: str, channel: str, event: Event) -> bool:
    return (
        event["Event"] == "ConfbridgeJoin"
        and event["Conference"] == call
        and event["Channel"].startswith(channel)
    )


async def ringing(house: House, town: Lab, folder: Path) -> tuple[Talk, Call, Phone]:
    """Caller and agent in a room, and a colleague's phone rings for them."""
    talk, call = await talking(town, folder, AGENT)
    await order(house.home, Transfer(city="demo", seat=AGENT, kind="three", to=COLLEAGUE))
    await town.seat(COLLEAGUE).rings(within=5)
    id = await call.id()
    for who in (f"PJSIP/demo-{AGENT}-", "PJSIP/demo-carrier-"):
        await town.house.event(f"{who} is in the room", partial(_joined, id, who), 5)
    return talk, call, talk.parties["agent"]


async def together(house: House, town: Lab, folder: Path) -> tuple[Talk, Call, Phone]:
    """All three in a room."""
    talk, call, agent = await ringing(house, town, folder)
    await town.seat(COLLEAGUE).answers()
    talk.joins("target", town.seat(COLLEAGUE))
    await step_told(town, call, "joined")
    return talk, call, agent


async def test_a_key_takes_back_whom_a_room_rings_for_and_the_two_talk_on(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call, agent = await ringing(house, town, tmp_path)
    await agent.presses("*80")
    await step_told(town, call, "taken-back")
    await town.seat(COLLEAGUE).ends(within=3)
    await talk.speak("back", "caller", "agent")
    await until_gone(call, agent)
    assert (await talk.heard())["caller"] == {("back", "agent")}
    assert (await talk.heard())["agent"] == {("back", "caller")}


async def test_a_key_leaves_caller_and_colleague_to_each_other(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call, agent = await together(house, town, tmp_path)
    await talk.speak("three", "caller", "agent", "target")
    await agent.presses("*85")
    await agent.ends(within=5)
    await step_told(town, call, "handed")
    await talk.speak("handed", "caller", "target")
    await until_gone(call, town.seat(COLLEAGUE))
    assert (await talk.heard())["caller"] == {("three", "agent"), ("three", "target"), ("handed", "target")}


@pytest.mark.parametrize("keys", ["*81", "*82", "*83"])
async def test_from_a_room_an_agent_passes_the_caller_on_by_the_keys_of_a_talk(
    house: House, town: Lab, tmp_path: Path, keys: str
) -> None:
    talk, call, agent = await ringing(house, town, tmp_path)
    await town.seat(COLLEAGUE).rejects()
    await step_told(town, call, "refused")
    since = len(town.house.events)
    # dialled on without waiting for the tone
    await agent.presses(keys + NEXT + "#")
    target = town.seat(NEXT)
    await target.answers(within=10)
    talk.joins("target", target)
    await step_told(town, call, "answered", since=since)
    if keys == "*83":
        await step_told(town, call, "joined", since=since)
    if keys != "*81":
        await agent.hangs_up()
        await step_told(town, call, "handed", since=since)
    else:
        await agent.ends()
    await talk.speak("handed", "caller", "target")
    await until_gone(call, target)
    assert (await talk.heard())["caller"] == {("handed", "target")}


async def test_who_is_keying_a_number_in_a_room_is_not_led_away_by_a_click(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call, agent = await ringing(house, town, tmp_path)
    await town.seat(COLLEAGUE).rejects()
    await step_told(town, call, "refused")
    await agent.presses("*82" + NEXT[:2])
    path = f"/api/seats/demo/{AGENT}/transfer"
    status, why = await orders(house.home, path, kind="blind", to=COLLEAGUE)
    assert (status, "under way" in why["detail"]) == (409, True), why
    await agent.presses(NEXT[2:] + "#")
    target = town.seat(NEXT)
    await target.answers(within=10)
    talk.joins("target", target)
    await talk.speak("asked", "agent", "target")
    await until_gone(call, agent, target)
    assert (await talk.heard())["target"] == {("asked", "agent")}


async def test_one_key_in_a_room_hands_over_to_a_centre(house: House, town: Lab, tmp_path: Path) -> None:
    talk, call, agent = await ringing(house, town, tmp_path)
    await town.seat(COLLEAGUE).rejects()
    await step_told(town, call, "refused")
    await agent.presses("*" + CENTRE)
    target = centre(town, CENTRE)
    await target.answers(within=10)
    talk.joins("target", target)
    await step_told(town, call, "joined")
    await talk.speak("three", "caller", "agent", "target")
    await until_gone(target, agent, call)
    assert (await talk.heard())["caller"] == {("three", "agent"), ("three", "target")}


async def test_a_key_for_which_there_is_nothing_to_do_leaves_everybody_where_they_are(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call, agent = await together(house, town, tmp_path)
    since = len(town.house.events)
    await agent.presses("*84")  # they are together
    await agent.presses("*80")  # nobody is asked any more
    await town.seat(COLLEAGUE).presses("*85")  # the caller is not theirs
    await agent.presses("*99")  # nobody's key
    await agent.presses("*91")
    await told(town, "mask", since=since, State="on")
    await agent.presses("*90")
    await told(town, "mask", since=since, State="off")
    await talk.speak("three", "caller", "agent", "target")
    with pytest.raises(Unheard):
        await step_told(town, call, "handed", within=0.5, since=since)
    await until_gone(call, agent, town.seat(COLLEAGUE))
    assert (await talk.heard())["caller"] == {("three", "agent"), ("three", "target")}
    assert (await talk.heard())["target"] == {("three", "agent"), ("three", "caller")}


async def test_keys_that_do_something_in_a_room_shift_nothing_that_is_said_after_them(
    house: House, town: Lab, voices: list[Path], tmp_path: Path
) -> None:
    _, call, agent = await ringing(house, town, tmp_path)
    await agent.presses("*80")
    await step_told(town, call, "taken-back")
    since = len(town.house.events)
    await agent.presses("*83" + NEXT + "#")
    await town.seat(NEXT).rings(within=10)
    await agent.presses("*80")
    await step_told(town, call, "taken-back", since=since)
    said: dict[str, tuple[float, Path]] = {}

    async def says(role: str, phone: Phone, wav: Path) -> None:
        since = town.client.count
        await phone.says(wav)
        said[role] = ((await phone.sees("says", within=5, after=since))["at"], wav)

    await asyncio.gather(says("caller", call, voices[0]), says("seat", agent, voices[1]))
    id = await call.id()
    await call.hangs_up()
    wrong = []
    for row in await filed(house, id, 2):
        at, wav = said[row["role"]]
        sound = samples(http(house, f"/api/recordings/{row['leg']}/audio?purpose=step")[1]) / 32768
        word = ears.contains(sound, ears.load(wav))
        assert word, f"{wav.name} is not in the file of {row['leg']}"
        moved = word.at - (at - row["began"]) - ears.contains(ears.load(wav), ears.load(wav)).at
        lacks = row["ended"] - row["began"] - row["seconds"]
        if abs(moved) > OUT_OF_STEP or lacks > OUT_OF_STEP:
            wrong.append((row["role"], moved, lacks))
    assert not wrong
