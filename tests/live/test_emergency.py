"""Hand-overs to emergency centres, and from them, on the real Asterisk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from cti.web.who import Role
from lab import ears
from lab.scenario import Lab
from lab.wav import RATE
from tests.house import House, ports, running
from tests.live.dead_trunk import DeadTrunk
from tests.live.desk_town import Person, account, person
from tests.live.seat_town import RING, plan_at
from tests.live.transfer_town import asks, centre, in_the_room, orders, step_told, talking, until_gone
from tests.live.waiting_town import DUTY_PHONE, outside_behaves, outside_rings

OFFICE, COLLEAGUE = "1001", "1002"
SKIPPED = 4.0
"""Seconds in which a dead or busy trunk is skipped."""
QUEUED = 6.0
DUTY = """
[duty]
title = "值班电话"
number = "05558888001"
trunk = "carrier"
next = "message:busy"
"""
DUTY_LINE = """
[duty]
title = "值班"
numbers = ["12398"]
greeting = "please-wait"
notice = ""
first = "phone:duty"
"""


@pytest.fixture(scope="module")
def dead() -> Iterator[DeadTrunk]:
    with DeadTrunk() as trunk:
        yield trunk


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, dead: DeadTrunk) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("emergency")
    home = folder / "home"
    home.mkdir()
    plan = plan_at(folder)
    trunks = (plan / "trunks.toml").read_text("utf-8")
    trunks = trunks.replace("channels = 240\nreserved = 10 ", "channels = 5\nreserved = 2 ")
    trunks += f'\n[dead]\nhosts = ["192.0.2.99"]\nout = "127.0.0.1:{dead.port}"\n'
    (plan / "trunks.toml").write_text(trunks, "utf-8")
    (plan / "phones.toml").write_text(DUTY, "utf-8")
    with (plan / "lines.toml").open("a", encoding="utf-8") as lines:
        lines.write(DUTY_LINE)
    centres = (plan / "centres.toml").read_text("utf-8")
    old = 'ways = [{ trunk = "centres", number = "122" }'
    assert old in centres
    centres = centres.replace(old, old.replace('"centres"', '"dead"'))
    old = '{ trunk = "centres", number = "120" }, { trunk = "carrier", number = "120" }'
    assert old in centres
    third = '{ trunk = "centres-b", number = "1100" }'
    centres = centres.replace(old, old.replace('"carrier"', '"dead"') + f", {third}")
    (plan / "centres.toml").write_text(centres, "utf-8")
    with ports() as base, running(home, base, [plan]) as up:
        account(up.home, "chief", Role.SUPERVISOR)
        account(up.home, "zhang", Role.AGENT, agent="8001")
        account(up.home, "wang", Role.AGENT, agent="8002")
        yield up


@pytest_asyncio.fixture
async def town(house: House, city: Lab) -> AsyncIterator[Lab]:
    await city.staffed(OFFICE, COLLEAGUE)
    for number in ("110", "1100", "119", "120", "122"):
        await centre(city, number).will_ring()
    yield city


async def hand_over(house: House, to: str, **words: str) -> str:
    status, told = await orders(
        house.home, f"/api/seats/demo/{OFFICE}/transfer", kind="handoff", to=to, **words
    )
    assert status == 200, told
    return str(told["handoff"])


async def test_one_order_hands_over_with_number_place_and_story_and_every_stage_is_recorded(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call = await talking(town, tmp_path, OFFICE, "13900000099")
    id = await hand_over(house, "110", location="人民路1号", summary="有人落水")
    police = centre(town, "110")
    invite = await police.rings(within=5)
    assert invite["caller"] == "13900000099", "the centre sees who needs help, not our building"
    async with asyncio.timeout(10):
        while not (moves := await asks(house.home, "/api/transfers")):  # noqa: ASYNC110  # told by Asterisk a moment later
            await asyncio.sleep(0.1)
    stands = moves[0]
    assert (stands["state"], stands["hear"]) == ("ringing", ["agent-caller"])
    assert "leave" not in stands["buttons"]
    status, problem = await orders(house.home, f"/api/seats/demo/{OFFICE}/transfer", kind="leave")
    assert (status, problem["title"]) == (409, "refused"), "the agent stays until the centre has accepted"
    answered = await police.answers()
    await step_told(town, call, "joined")
    status, told = await orders(house.home, f"/api/seats/demo/{OFFICE}/transfer", kind="leave")
    assert status == 200, told
    await step_told(town, call, "handed")
    await orders(house.home, f"/api/handoffs/{id}", officer="0231", case="A-77")
    await call.hangs_up()
    await police.ends()
    async with asyncio.timeout(10):
        # the phones end before Asterisk has told of it
        while (record := await asks(house.home, f"/api/handoffs/{id}"))["ended"] is None:  # noqa: ASYNC110  # no event tells it
            await asyncio.sleep(0.1)
    assert record["call"] == await call.id()
    assert (record["seat"], record["agent"], record["by"]) == (OFFICE, "8001", "api")
    assert (record["number"], record["trunk"], record["outcome"]) == ("110", "demo-centres", "handed")
    assert (record["officer"], record["location"], record["summary"]) == ("0231", "人民路1号", "有人落水")
    assert record["asked_by"] == "token-operator"
    stages = [record[name] for name in ("asked", "answered", "joined", "handed", "ended")]
    assert None not in stages
    assert stages == sorted(stages)
    # the leg to the centre tells of itself beside the caller's own dialplan: it may be heard first
    assert record["asked"] - 0.5 <= record["dialled"] < record["answered"]
    # the times are those of the packets the centre saw
    assert record["dialled"] == pytest.approx(invite["at"], abs=0.3)
    assert record["answered"] == pytest.approx(answered["at"], abs=0.3)
    masked = await asks(house.home, f"/api/handoffs/{id}", role="observer")
    assert "00099" not in masked["caller"]
    await until_gone(*talk.parties.values())


@pytest.mark.parametrize(("keys", "wished", "meant"), [("*81110#", "blind", "handoff"),
                                                        ("*82110#", "consult", "three")])  # fmt: skip
async def test_a_key_that_would_leave_a_caller_in_danger_alone_keeps_the_agent_until_the_centre_answers(
    house: House, town: Lab, tmp_path: Path, keys: str, wished: str, meant: str
) -> None:
    talk, call = await talking(town, tmp_path, OFFICE)
    agent, police = talk.parties["agent"], centre(town, "110")
    await agent.presses(keys)
    asked = await step_told(town, call, "asked")
    assert (asked["Wished"], asked["Kind"]) == (wished, meant)
    await police.rings(within=5)
    await talk.speak("ringing", "caller", "agent")
    await police.answers()
    talk.joins("target", police)
    await step_told(town, call, "joined")
    await talk.speak("together", "caller", "agent", "target")
    await until_gone(call, agent, police)
    heard = await talk.heard()
    assert heard["caller"] == {("ringing", "agent"), ("together", "agent"), ("together", "target")}


async def test_an_undecided_caller_is_kept_by_who_answered_first_and_the_agent_records_it(
    house: House, town: Lab, tmp_path: Path
) -> None:
    zhang, wang = await person(house.home, "zhang"), await person(house.home, "wang")
    chief = await person(house.home, "chief")
    talk, call = await talking(town, tmp_path, OFFICE, "13900000098")
    status, told = await zhang.orders(
        f"seats/demo/{OFFICE}/transfer", kind="three", to="110", summary="邻里纠纷，归属未定"
    )
    assert status == 200, told
    id, police = told["handoff"], centre(town, "110")
    await police.rings(within=5)
    await police.answers()
    talk.joins("centre", police)
    await step_told(town, call, "joined")
    await talk.speak("together", "caller", "agent", "centre")
    # what is typed into the ticket's draft meanwhile goes with the caller by itself, below what is noted
    status, problem = await zhang.orders(f"calls/{await call.id()}/draft", fields={"address": "人民路"})
    assert status == 200, problem
    await zhang.shown(f"handoffs/{id}", location="人民路", location_from="ticket")
    kept = {"outcome": "kept", "officer": "0231", "case": "JJ-7", "location": "人民路1号"}
    status, record = await zhang.orders(f"handoffs/{id}", **kept)
    assert (status, {name: record[name] for name in kept}) == (200, kept)
    assert (record["location_from"], record["decided_by"]) == ("agent", "zhang")
    status, problem = await wang.orders(f"handoffs/{id}", outcome="refused")
    assert (status, "their own calls" in problem["detail"]) == (403, True)
    await police.hangs_up()
    await step_told(town, call, "target-left")
    await talk.speak("kept", "caller", "agent")
    await call.hangs_up()
    await talk.parties["agent"].ends()
    record = await chief.shown(f"handoffs/{id}", outcome="kept", agent="8001", centre="110")
    assert (record["kind"], record["summary"], record["asked_by"]) == ("three", "邻里纠纷，归属未定", "zhang")
    assert None not in (record["joined"], record["ended"])
    assert record["handed"] is None, "the agent has not left the caller to the centre"
    heard = await talk.heard()
    everybody = {(said, name) for said, name in talk.said if said == "together"}
    assert heard["centre"] == everybody - {("together", "centre")}
    assert heard["caller"] == everybody - {("together", "caller")} | {("kept", "agent")}
    on = record["call"]
    row = await chief.audited(did="transfer", on=f"seat {OFFICE}", who="zhang", outcome="done")
    assert id in row["told"]
    row = await chief.audited(did="hand-off", on=on, who="zhang", outcome="done")
    assert '"outcome": "kept"' in row["told"]
    await chief.audited(did="hand-off", on=on, who="wang", outcome="denied")
    await until_gone(*talk.parties.values())


async def test_a_busy_first_line_is_skipped_at_once(house: House, town: Lab, tmp_path: Path) -> None:
    talk, call = await talking(town, tmp_path, OFFICE)
    first, second = centre(town, "110"), centre(town, "1100")
    await first.will_be_busy()
    began = time.time()
    id = await hand_over(house, "110")
    ring = await second.rings(within=SKIPPED)
    assert ring["at"] - began <= SKIPPED
    await second.answers()
    await step_told(town, call, "joined")
    record = await Person(house.home, house.home.tokens["operator"]).shown(f"handoffs/{id}", number="1100")
    assert any("skipped" in tried for tried in record["tried"])
    await until_gone(call, *talk.parties.values(), second)


async def test_a_first_trunk_that_swallows_the_invite_is_joined_by_the_second_within_four_seconds(
    house: House, town: Lab, tmp_path: Path, dead: DeadTrunk
) -> None:
    talk, call = await talking(town, tmp_path, OFFICE)
    before = len(dead.invites)
    began = time.time()
    await hand_over(house, "122")
    police = centre(town, "122")
    ring = await police.rings(within=SKIPPED + 5)
    assert len(dead.invites) > before, "the first trunk was to be tried"
    assert ring["at"] - began <= SKIPPED
    await police.answers()
    await step_told(town, call, "joined")
    await until_gone(call, *talk.parties.values(), police)


async def test_a_dead_trunk_behind_a_busy_line_is_joined_by_the_third_within_four_seconds(
    house: House, town: Lab, tmp_path: Path, dead: DeadTrunk
) -> None:
    talk, call = await talking(town, tmp_path, OFFICE)
    first, third = centre(town, "120"), centre(town, "1100")
    await first.will_be_busy()
    before = len(dead.invites)
    await hand_over(house, "120")
    ring = await third.rings(within=2 * SKIPPED + 5)
    assert len(dead.invites) > before, "the second trunk was to be tried"
    assert ring["at"] - dead.invites[before] <= SKIPPED
    await third.answers()
    await step_told(town, call, "joined")
    await until_gone(call, *talk.parties.values(), third)


async def test_a_centre_that_rings_slowly_is_not_cut_when_the_next_line_is_tried(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call = await talking(town, tmp_path, OFFICE)
    await hand_over(house, "110")
    first, second = centre(town, "110"), centre(town, "1100")
    await first.rings(within=3)
    await second.rings(within=SKIPPED)
    await first.answers()
    await second.ends()
    await step_told(town, call, "joined")
    await until_gone(call, *talk.parties.values(), first)


async def test_a_centre_that_refuses_on_every_line_leaves_the_caller_with_the_agent(
    house: House, town: Lab, tmp_path: Path
) -> None:
    for number in ("110", "1100"):
        await centre(town, number).will_reject()
    talk, call = await talking(town, tmp_path, OFFICE)
    id = await hand_over(house, "110")
    await step_told(town, call, "refused")
    await in_the_room(town, call, f"PJSIP/demo-{OFFICE}-", "PJSIP/demo-carrier-")
    await talk.speak("refused", "caller", "agent")
    await until_gone(call, *talk.parties.values())
    heard = await talk.heard()
    assert heard["caller"] == {("refused", "agent")}
    assert heard["agent"] == {("refused", "caller")}
    assert (await asks(house.home, f"/api/handoffs/{id}"))["outcome"] == "refused"


async def test_an_emergency_gets_a_channel_of_a_full_trunk(house: House, town: Lab, tmp_path: Path) -> None:
    """The carrier's trunk has 5 channels, 2 of them kept: three callers fill it for everybody else."""
    talk, call = await talking(town, tmp_path, OFFICE)
    other = await town.caller("13900000002").dials("12345")
    await other.is_answered()
    another = await town.caller("13900000008").dials("12345")
    await another.is_answered()
    fourth = await town.caller("13900000003").dials("12345")
    end = await fourth.ends(5)
    assert end["cause"] == 34
    status, problem = await orders(house.home, f"/api/seats/demo/{OFFICE}/transfer", kind="three", to="7001")
    assert status == 200, problem
    await step_told(town, call, "refused")  # an ordinary call gets none
    await centre(town, "119").will_reject()
    await hand_over(house, "119")  # its own line refuses, the carrier's is kept free for it
    dialled = await town.house.event(
        "119 through the carrier",
        lambda e: e.get("Step") == "dialled" and e.get("Trunk") == "demo-carrier",
        SKIPPED + 2,
    )
    assert dialled["Number"] == "119"
    await until_gone(call, other, another, *talk.parties.values())


async def test_a_duty_phone_is_rung_on_no_channel_that_is_kept_for_emergencies(
    house: House, town: Lab
) -> None:
    await outside_behaves(town, DUTY_PHONE, "ignore")
    alone = await town.caller("13900000021").dials("12398")
    await outside_rings(town, DUTY_PHONE, within=QUEUED)
    await alone.hangs_up()
    await until_gone(alone)
    # the phone's end is not yet that of its channels
    await town.quiet()
    callers = [await town.caller(f"1390000003{n}").dials("12345") for n in range(2)]
    for caller in callers:
        await caller.is_answered()
    since = town.client.count
    third = await town.caller("13900000022").dials("12398")
    assert (await third.ends(20))["by"] == "far", "it heard the message of the duty phone's next place"
    rung = [line for line in town.client.lines(since) if line["phone"] == DUTY_PHONE]
    assert rung == [], "three callers fill all channels but those kept"
    await until_gone(*callers)


async def test_a_caller_handed_over_by_110_jumps_the_queue_with_their_case(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, busy = await talking(town, tmp_path, OFFICE)
    two, busy_too = await talking(town, tmp_path, COLLEAGUE, "13900000004")
    waiting = await town.caller("13900000005").dials("12345")
    await waiting.waits_in("general", within=10)
    handed = await town.caller("13900000006").dials("12345", trunk="centres", case="JQ-2026-0815")
    await handed.waits_in("general", within=10)
    await busy.hangs_up()
    ring = await town.seat(OFFICE).rings(within=15, call=handed)
    assert ring["caller"] == "13900000006"
    answered = await town.seat(OFFICE).answers(handed)
    records = await asks(house.home, "/api/handoffs?city=demo")
    (mine,) = [r for r in records if r["call"] == ring["call"]]
    assert (mine["direction"], mine["centre"], mine["case"]) == ("in", "110", "JQ-2026-0815")
    await until_gone(handed, waiting, busy_too, *talk.parties.values(), *two.parties.values())
    over, heard = await handed.sees("ended", within=1, after=0), await handed.recorded()
    heard = heard[: len(heard) - int((over["at"] - answered["at"]) * RATE)]
    ringing = ears.tone_seconds(heard, 450)
    assert ringing > 0.5, "somebody who may be in danger waits with ringing"
    assert ringing > 0.7 * ears.sound_seconds(heard), "and without music"


@pytest.mark.parametrize(("wish", "meant"), [("handoff", "handoff"), ("three", "three"), ("blind", "handoff"),
                                              ("consult", "three")])  # fmt: skip
async def test_while_a_centre_is_rung_the_caller_hears_no_music_even_when_the_agent_leaves(
    house: House, town: Lab, tmp_path: Path, wish: str, meant: str
) -> None:
    talk, call = await talking(town, tmp_path, OFFICE)
    status, told = await orders(house.home, f"/api/seats/demo/{OFFICE}/transfer", kind=wish, to="110")
    assert (status, told["kind"]) == (200, meant)
    asked = await step_told(town, call, "asked")
    assert (asked["Kind"], asked["Urgent"]) == (meant, "1")
    await centre(town, "110").rings(within=5)
    agent, colleague = talk.parties["agent"], town.seat(COLLEAGUE)
    # who picks up at once lets nobody hear a ring
    await colleague.will_answer(after=RING - 2)
    await agent.hangs_up()
    left = await agent.sees("ended", within=1, after=0)
    await call.waits_in("general", within=QUEUED)
    # the phone has rung for this caller before
    await colleague.rings(within=20, call=call, still=True)
    answered = await colleague.sees("answered", within=15, after=0)
    await until_gone(call, colleague)
    over, heard = await call.sees("ended", within=1, after=0), await call.recorded()
    # what is written of a call that goes on lags; its end is the line's
    first, last = (len(heard) - int((over["at"] - line["at"]) * RATE) for line in (left, answered))
    heard = heard[first:last]
    ringing = ears.tone_seconds(heard, 450)
    assert ringing > 0.5, "ringing, until somebody answers"
    # music would never pause, and the edges of a tone are none
    sound = ears.sound_seconds(heard)
    assert ringing > 0.7 * sound
    assert sound < 0.6 * len(heard) / RATE
