"""Waiting on the real Asterisk: what callers hear, whose turn it is, who rings, how a wait ends."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.speech.sound import alaw, read_wav, to_line_rate
from lab import ears
from lab.client import NotDone
from lab.parties import Call
from lab.scenario import Lab
from tests.house import House, house_with
from tests.live import speaking
from tests.live.leaving_town import is_in
from tests.live.seat_town import told
from tests.live.test_recordings import filed, http, samples, until
from tests.live.waiting_town import (
    DEAD_AFTER,
    DUTY_PHONE,
    GREETED,
    HEAD_START,
    LISTED,
    WAIT,
    WIDEN_AFTER,
    busy_with,
    hears_prompt,
    in_line,
    outside_behaves,
    outside_rings,
    row,
    truth,
    waiting_plan,
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("waiting")
    with house_with(folder, waiting_plan(folder)) as up:
        yield up


async def test_waiting_callers_hear_their_place_in_whole_sentences(house: House, city: Lab) -> None:
    await city.staffed("1001")
    talking = await busy_with(city)
    waiting = []
    for number in ("13900000002", "13900000003", "13900000004"):
        call = await city.caller(number).dials("12345")
        await call.waits_in("general", within=GREETED)
        waiting.append(call)
    first, second, third = waiting
    await hears_prompt(first, "queue-next", within=20)
    for call, place, wait in ((second, 1, 2), (third, 2, 3)):
        await hears_prompt(call, f"queue-position-{place}", within=20)
        # 50 s from answer to answer: the second waits about two minutes, the third about three
        await hears_prompt(call, f"queue-wait-{wait}", within=20)
    await hears_prompt(first, "callback-offer", within=20)
    for call in (*waiting, talking):
        await call.hangs_up()


@speaking.needs_model
async def test_a_recogniser_understands_place_and_wait_as_said_by_asterisk(house: House, city: Lab) -> None:
    await city.staffed("1001")
    talking = await busy_with(city)
    before = await city.caller("13900000002").dials("12345")
    await before.waits_in("general", within=GREETED)
    call = await city.caller("13900000003").dials("12345")
    await call.waits_in("general", within=GREETED)
    await hears_prompt(call, "queue-wait-2", within=20)
    for one in (call, before, talking):
        await one.hangs_up()
    sound, rate = read_wav(await call.kept())
    heard = speaking.reader().read(alaw(to_line_rate(sound, rate)))
    assert "前面还有一位" in heard
    assert "两分钟" in heard


async def test_a_caller_without_a_class_is_served_under_a_stream_of_callers_with_one(
    house: House, city: Lab
) -> None:
    await city.staffed("1001")
    talking = await busy_with(city)
    low = await city.caller("13900000002").dials("12345")
    joined = float((await low.waits_in("general", within=GREETED))["Timestamp"])
    stream = []
    # each of the stream comes with a head start; the last ones come too late to overtake
    for n in range(5):
        high = await city.caller(f"1390000001{n}").dials("12391")
        came = float((await high.waits_in("general", within=GREETED))["Timestamp"])
        stream.append((came - joined, high))
        await asyncio.sleep(2)
    line = in_line(house)
    place = line.index(await channel_of(house, await low.id()))
    overtook = [high for after, high in stream if after < HEAD_START]
    assert overtook
    assert len(overtook) < len(stream)
    assert abs(place - len(overtook)) <= 1, f"place {place} in {line}, {len(overtook)} within the head start"
    seat = city.seat("1001")
    await seat.will_ring()
    await talking.hangs_up()
    for _ in range(place):
        await seat.answers(within=15)
        await seat.hangs_up()
    await seat.answers(low, within=15)
    for _, high in stream:
        with contextlib.suppress(NotDone):  # served before, and over
            await city.client.ask("hang_up", leg=high.leg)
    await low.hangs_up()


async def channel_of(house: House, call: str) -> str:
    leg = call.partition("-")[2]
    for line in house.asterisk_cli("core show channels concise").splitlines():
        parts = line.split("!")
        if parts[-1] == leg:
            return parts[0]
    raise AssertionError(f"{call} has no channel")


async def test_whom_we_lost_stands_before_others_and_who_redials_does_not(house: House, city: Lab) -> None:
    await city.staffed("1001")
    # nobody answers at the experts', the duty phone is busy, queue last has nobody: we end that call
    await outside_behaves(city, DUTY_PHONE, "busy")
    lost = await city.caller("13900000021").dials("12333")
    gave_up = await city.caller("13900000022").dials("12333")
    await gave_up.waits_in("expert", within=GREETED)
    await gave_up.hangs_up()
    await lost.ends(within=60)
    talking = await busy_with(city)
    calls = {}
    for name, number in (("other", "13900000023"), ("redials", "13900000022"), ("lost", "13900000021")):
        calls[name] = await city.caller(number).dials("12345")
        await calls[name].waits_in("general", within=GREETED)
        await asyncio.sleep(1)
    channels = {name: await channel_of(house, await call.id()) for name, call in calls.items()}
    line = in_line(house)
    assert line == [channels["lost"], channels["other"], channels["redials"]]
    for call in (*calls.values(), talking):
        await call.hangs_up()


async def test_whoever_hung_up_on_an_agents_dead_phone_or_on_the_way_back_stands_before_others(
    house: House, city: Lab
) -> None:
    await city.staffed()
    numbers = {"on silence": "13900000025", "on the way back": "13900000026", "served": "13900000027"}
    calls = {}
    async with contextlib.AsyncExitStack() as phones:
        # one after the other: with both on the network either might ring
        taken = []
        for name, seat in (("on silence", "1001"), ("on the way back", "1002")):
            taken.append(await phones.enter_async_context(city.handset(seat)))
            calls[name] = await city.caller(numbers[name]).dials("12345")
            await taken[-1].answers(within=2 * GREETED)
            await calls[name].reaches(seat)
        since = len(city.house.events)
        for phone in taken:
            phone.dies()
        await until(
            "Asterisk knows that the phone is gone",
            lambda: house.asterisk_cli("pjsip show aor demo-1001"),
            lambda said: "Unavail" in said,
        )
        await calls["on silence"].hangs_up()
        back = await calls["on the way back"].id()
        await told(city, "returned", within=DEAD_AFTER + 10, since=since, Call=back)
        await calls["on the way back"].waits_in("general", since=since)
        await calls["on the way back"].hangs_up()
    await city.staffed("1001")
    served = await busy_with(city, number=numbers["served"])
    await served.hangs_up()
    talking = await busy_with(city)
    again = []
    for name in ("served", "on silence", "on the way back"):
        again.append(await city.caller(numbers[name]).dials("12345"))
        await again[-1].waits_in("general", within=GREETED)
    redialled, *lost = [await channel_of(house, await call.id()) for call in again]
    assert in_line(house) == [*lost, redialled]
    for call in (*again, talking):
        await call.hangs_up()


async def test_a_number_on_the_list_and_a_key_of_a_menu_stand_before_who_came_earlier(
    house: House, city: Lab
) -> None:
    await city.staffed("1001")
    talking = await busy_with(city)
    came: list[Call] = []
    for dialling in (
        city.caller("13900000042").dials("12345"),
        city.caller("13900000043").dials("12392").presses("3"),
        city.caller(LISTED).dials("12345"),
    ):
        came.append(await dialling)
        await came[-1].waits_in("general", within=2 * GREETED)
    other, keyed, listed = [await channel_of(house, await call.id()) for call in came]
    assert in_line(house) == [listed, keyed, other]
    for call in (*came, talking):
        await call.hangs_up()


async def test_a_higher_level_rings_only_after_its_seconds(house: House, city: Lab) -> None:
    await city.staffed("1003")
    await city.seat("1003").will_answer()
    call = await city.caller("13900000002").dials("12329")
    joined = float((await call.waits_in("fund", within=GREETED))["Timestamp"])
    rang = await call.rings_at("1003", within=WIDEN_AFTER + 6)
    assert rang["at"] - joined >= WIDEN_AFTER - 1.0
    await call.hangs_up()


async def test_levels_widen_with_what_was_waited_in_the_queue_before(house: House, city: Lab) -> None:
    await city.staffed("1003")
    await city.seat("1003").will_answer()
    await outside_behaves(city, DUTY_PHONE, "busy")
    call = await city.caller("13900000004").dials("12333")
    await call.waits_in("expert", within=GREETED)
    # counted from here on, nobody would ever ring: the wait is over before
    await call.waits_in("last", within=WAIT + 15)
    await call.reaches("1003", within=WAIT + 10)
    await call.hangs_up()


async def test_an_unanswered_caller_is_reassured_goes_by_the_duty_phone_to_a_message_and_is_owed_a_call(
    house: House, city: Lab
) -> None:
    began = time.time()
    await city.staffed("1001")
    await outside_behaves(city, DUTY_PHONE, "ignore")
    call = await city.caller("13900000031").dials("12333")
    await call.waits_in("expert", within=GREETED)
    await outside_rings(city, DUTY_PHONE, within=WAIT + 6)
    await call.waits_in("last", within=15)
    # says nothing into the message: silence ends it, and then we hang up
    assert (await call.ends(within=WAIT + 40))["by"] == "far"
    await hears_prompt(call, "queue-still")
    await hears_prompt(call, "message-saved")
    await told(city, "owed", Call=await call.id())
    ended = await asyncio.to_thread(row, house, await call.id())
    assert ended["owed"]
    assert ended["answered"] is None
    # nothing was lost of a message in which nothing was said
    assert {one["role"] for one in await filed(house, await call.id(), 2)} == {"caller", "message"}
    alarms = json.loads(http(house, "/api/recordings/alarms")[1])
    assert [a for a in alarms if a["call"] == await call.id()] == []
    assert truth(house, began)["differences"] == []


async def test_what_a_caller_says_to_the_last_message_is_a_recording_that_the_duty_names(
    house: House, city: Lab, voices: list[Path]
) -> None:
    await city.staffed("1001")
    await outside_behaves(city, DUTY_PHONE, "ignore")
    call = await city.caller("13900000034").dials("12333")
    await call.waits_in("last", within=GREETED + 2 * WAIT + 15)
    # somebody who speaks on while the message is asked for: three seconds of silence would end it
    recorded = asyncio.create_task(is_in(city, call, "demo-message-busy", "Record", within=WAIT + 40))
    while not recorded.done():
        await call.says(voices[0])
    await recorded
    for voice in voices[1:3]:
        await call.says(voice)
    await hears_prompt(call, "sorry-message")
    await hears_prompt(call, "message-saved")
    await call.ends(within=20)
    id = await call.id()
    found = {one["role"]: one for one in await filed(house, id, 2)}
    message = found["message"]
    status, raw, _ = http(house, f"/api/recordings/{message['leg']}/audio?purpose=duty")
    assert (status, hashlib.sha256(raw).hexdigest()) == (200, message["sha256"])
    heard = samples(raw)
    # the first one may have begun before the beep
    for voice in voices[1:3]:
        assert ears.contains(heard, ears.load(voice))
    assert message["ended"] <= found["caller"]["ended"]
    duties = json.loads(house.cti("duties", "--json", "--from", "-1h").stdout)
    assert [d["message"] for d in duties if d["call"] == id] == [message["leg"]]
    # another ear than ours is not given it
    assert http(house, f"/api/recordings/{message['leg']}/audio?purpose=x", role="observer")[0] == 403
    # called back from a phone that is none of ours
    assert house.cti("duties", "--settle", id).returncode == 2
    assert house.cti("duties", "--settle", id, "--draft", "--why", "没有草稿").returncode == 1
    settled = house.cti("duties", "--settle", id, "--why", "手机已回电")
    assert settled.returncode == 0, settled.stderr
    (duty,) = await until(
        "the duty is settled",
        lambda: [d for d in json.loads(house.cti("duties", "--all", "--json").stdout) if d["call"] == id],
        lambda found: bool(found and found[0]["settled"]),
    )
    assert (duty["settled_by"], duty["reason"]) == ("token-operator", "手机已回电")
    assert id not in house.cti("duties", "--json").stdout


async def test_a_duty_phone_that_answers_ends_the_wait_and_is_no_abandon(house: House, city: Lab) -> None:
    began = time.time()
    await city.staffed("1001")
    await outside_behaves(city, DUTY_PHONE, "answer")
    call = await city.caller("13900000032").dials("12333")
    await outside_rings(city, DUTY_PHONE, within=GREETED + WAIT + 6)
    await told(city, "duty", Call=await call.id(), Phone="duty")
    await call.hangs_up()
    ended = await asyncio.to_thread(row, house, await call.id())
    # who spoke with somebody did not give up; and no agent answered
    assert (ended["left_by"], ended["answered"]) == ("system", None)
    assert truth(house, began)["differences"] == []
