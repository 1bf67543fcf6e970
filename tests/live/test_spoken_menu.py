"""A spoken menu: a citizen says what they need and reaches the right queue; keys work all the time."""

from __future__ import annotations

import asyncio
import csv
import json
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from lab.client import Unheard
from lab.scenario import Lab
from tests.house import ROOT, House, ports, running
from tests.live import speaking
from tests.live.leaving_town import is_in
from tests.live.spoken_town import (
    ROUNDS,
    VOICES,
    listened_to,
    nobody_left,
    reaches_by_voice,
    ready,
    says,
    talk_city,
    told,
)
from tests.live.test_first_call import spoken
from tests.live.waiting_town import row, truth

FUND = speaking.AUDIO / "aishell3_SSB00180170.wav"

pytestmark = speaking.needs_model


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city that asks at once, and the demo city; two callers may be listened to at a time."""
    folder = tmp_path_factory.mktemp("talk")
    (folder / "settings.toml").write_text("speech_legs = 2\n")
    plans = [talk_city(folder / "plan"), ROOT / "plans/demo"]
    with ports() as base, running(folder, base, plans, listens=True) as up:
        yield up


@pytest_asyncio.fixture
async def city(house: House) -> AsyncIterator[Lab]:
    await ready(house)
    async with Lab(house.home) as lab:
        await lab.staffed(city="talk")
        yield lab
    async with Lab(house.home, by_hand=False) as lab:
        await lab.quiet()


@pytest.mark.parametrize(
    ("voice", "queue", "key"), [("pension", "expert", "3"), ("fund", "fund", "2"), ("shop", "market", "1")]
)
async def test_who_says_a_subject_waits_in_its_queue_and_the_story_tells_the_words(
    house: House, city: Lab, voice: str, queue: str, key: str
) -> None:
    call = await city.caller(city="talk").dials("12345")
    chose = await reaches_by_voice(city, call, VOICES / f"{voice}.wav", queue)
    await nobody_left(city, call)
    id = await call.id()
    await call.hangs_up()
    if chose is None:
        return
    assert (chose["By"], chose["Key"], chose["Next"]) == ("voice", key, f"queue:{queue}")
    story = json.dumps(json.loads(house.cti("story", id, "--json").stdout), ensure_ascii=False)
    assert "菜单 say 说“" in story
    assert {"pension": "医保", "fund": "公积金", "shop": "食品"}[voice] in story


async def test_in_the_demo_city_who_says_medical_insurance_reaches_an_expert(city: Lab) -> None:
    await city.staffed("1005", city="demo")
    call = await city.caller("13900000007", city="demo").dials("12347")
    await reaches_by_voice(city, call, VOICES / "pension.wav", "expert")
    await call.hangs_up()


async def test_a_person_nobody_here_made_is_understood(city: Lab) -> None:
    """却存在对基金持有人…: a recorded sentence of somebody else's, band-limited and A-law coded."""
    call = await city.caller(city="talk").dials("12345")
    chose = await reaches_by_voice(city, call, FUND, "fund")
    assert chose is None or (chose["By"], chose["Next"]) == ("voice", "queue:fund")
    await call.hangs_up()


async def test_a_key_during_the_question_ends_it(city: Lab) -> None:
    call = await city.caller(city="talk").dials("12345")
    await told(city, call, "asked")
    await call.presses("1")
    await call.waits_in("market")
    listened, chose = await told(city, call, "listened"), await told(city, call, "chose")
    assert (listened["Status"], chose["By"], chose["Key"]) == ("KEYED", "key", "1")
    await call.hangs_up()


@pytest.mark.parametrize("speaks", [False, True])
async def test_a_key_during_the_listening_counts_also_while_the_caller_speaks(
    city: Lab, speaks: bool
) -> None:
    call = await city.caller(city="talk").dials("12345")
    await listened_to(city, call)
    saying = asyncio.ensure_future(call.says(VOICES / "bus.wav")) if speaks else None
    await call.presses("w2" if speaks else "2")
    await call.waits_in("fund")
    listened, chose = await told(city, call, "listened"), await told(city, call, "chose")
    assert (listened["Status"], chose["By"], chose["Key"]) == ("KEYED", "key", "2")
    await nobody_left(city, call)
    if saying is not None:
        await saying
    await call.hangs_up()


async def test_who_says_nothing_gets_the_keys(city: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    call = await city.caller(city="talk").dials("12345")
    listened = await told(city, call, "listened", within=40)
    assert (listened["Status"], listened["Round"], listened["Said"]) == ("NOTHING", "1", "")
    await call.hears(spoken("menu-agent", tmp_path_factory.mktemp("prompt")))
    await call.presses("3")
    await call.waits_in("expert")
    assert (await told(city, call, "chose"))["By"] == "key"
    await call.hangs_up()


async def test_who_is_not_understood_twice_gets_the_keys_and_then_a_person(
    city: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    call = await city.caller(city="talk").dials("12345")
    for round in range(1, ROUNDS + 1):
        await listened_to(city, call, round)
        await call.says(VOICES / "thanks.wav")
        unclear = await city.house.event(
            f"question {round} is over", says(await call.id(), "listened", Round=str(round)), 20
        )
        assert unclear["Status"] == "UNCLEAR"
        assert unclear["Said"]
    await call.hears(spoken("menu-say-again", tmp_path_factory.mktemp("prompt")))
    await call.hears(spoken("menu-agent", tmp_path_factory.mktemp("prompt")))
    await call.waits_in("general", within=20)
    chose = await told(city, call, "chose")
    assert (chose["Key"], chose["Next"]) == ("", "queue:general")
    await call.hangs_up()


async def test_one_caller_more_than_can_be_listened_to_has_the_keys_at_once(city: Lab) -> None:
    calls = [await city.caller(f"1390000000{n}", city="talk").dials("12345") for n in range(2)]
    for call in calls:
        await told(city, call, "asked")
    third = await city.caller("13900000009", city="talk").dials("12345")
    listened = await told(city, third, "listened")
    assert listened["Status"] == "NOBODY"
    await third.presses("1")
    await third.waits_in("market")
    for call in (*calls, third):
        await call.hangs_up()


@pytest.mark.parametrize("during", ["the question", "the listening", "their own words"])
async def test_who_hangs_up_while_asked_or_speaking_leaves_nobody_listening(
    house: House, city: Lab, during: str
) -> None:
    call = await city.caller(city="talk").dials("12345")
    if during == "the question":
        await is_in(city, call, "listen", "Read")
    else:
        await listened_to(city, call)
    saying = asyncio.ensure_future(call.says(VOICES / "bus.wav")) if during == "their own words" else None
    if saying is not None:
        await call.sees("says", within=10)
    await call.hangs_up()
    if saying is not None:
        # not to its end
        with pytest.raises(Unheard):
            await saying
    if during != "the question":
        await nobody_left(city, call)
    ended = await asyncio.to_thread(row, house, await call.id())
    assert (ended["left_by"], ended["stage"], ended["menu_key"]) == ("caller", "menu", "")
    assert (ended["visits"], ended["owed"]) == (0, False)


async def test_afterwards_ledger_queue_log_and_cdr_agree_and_listening_has_no_row(house: House) -> None:
    found = truth(house, time.time() - 3600)
    assert found["differences"] == []
    assert found["calls"] > 0
    with house.home.cdr.open(newline="") as file:
        channels = [row[5] for row in csv.reader(file) if len(row) > 5]
    assert channels
    assert not [name for name in channels if name.startswith("Local/s@ask-apart")]
