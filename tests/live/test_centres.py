"""Callers who go to a centre and who come from one, in a city whose notice dates them (六安: linked rows of
numbers.toml) and in one that has centres.toml alone (demo). A centre that calls is a stranger's peer (SIPp);
what the seat's screen and the record say is asked of the API."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from cti import plan_folder
from cti.site import lab_hosts
from lab import sipp
from lab.scenario import Lab
from lab.wire import Event
from tests.house import ROOT, House, ports, running
from tests.live.desk_town import Person
from tests.live.transfer_town import asks, centre, orders, step_told, talking, until_gone

CITIES = ("demo", "luan")
POLICE = {"luan": "police", "demo": "centres"}
"""The trunk that only 110 calls through."""
CASE, STORY = "JJ-20261121-0042", "六安路与淮河路口，两车追尾，无人受伤，当事人要求协调。"
SEAT, CALLER = "1001", "13900000077"
GREETED = 30.0
FULL = 2
"""Channels of the carrier's trunk that callers may have."""


def plan_at(folder: Path, city: str) -> Path:
    """The city's plan with small trunks: the carrier's for two callers, the police's for one call."""
    plan = folder / city
    shutil.copytree(ROOT / "plans" / city, plan)
    trunks = re.sub(r"(?m)^(channels|reserved) = .*\n", "", (plan / "trunks.toml").read_text("utf-8"))
    for name, size in (("carrier", f"channels = {FULL + 1}\nreserved = 1"), (POLICE[city], "channels = 1")):
        trunks = trunks.replace(f"[{name}]\n", f"[{name}]\n{size}\n")
    (plan / "trunks.toml").write_text(trunks, "utf-8")
    # who waits for a seat need not hear everything first
    lines = re.sub(r"(?m)^notice = .*\n", "", (plan / "lines.toml").read_text("utf-8"))
    lines = re.sub(r"(?m)^greeting = .*", 'greeting = "please-wait"\nnotice = ""', lines)
    (plan / "lines.toml").write_text(lines, "utf-8")
    return plan


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("centres")
    home = folder / "home"
    home.mkdir()
    with ports() as base, running(home, base, [plan_at(folder, city) for city in CITIES]) as up:
        yield up


@pytest_asyncio.fixture
async def city(house: House) -> AsyncIterator[Lab]:
    async with Lab(house.home) as lab:
        yield lab
    async with Lab(house.home, by_hand=False) as lab:
        await lab.quiet(within=30)


class HandedOver:
    """Calls a centre hands over: until the block is left."""

    def __init__(self, house: House, city: Lab, folder: Path) -> None:
        self._house, self._city, self._folder = house, city, folder
        self._source = lab_hosts(plan_folder.load(house.home.root.parent / name) for name in CITIES)
        self._calls: list[asyncio.Task[sipp.Outcome]] = []
        self._channels: list[str] = []

    async def call(
        self, to: str, trunk: str = "", headers: Sequence[str] = (), caller: str = CALLER
    ) -> Event:
        """The dialplan's word that it has arrived."""
        since, number = len(self._city.house.events), len(self._calls)
        self._calls.append(
            asyncio.create_task(
                sipp.call(
                    sipp.caller(headers=headers, talk_ms=60_000), self._folder / str(number), number="12345",
                    house=self._house.base, source=self._source[f"{to}-{trunk or POLICE[to]}"],
                    port=self._house.base + 60 + 10 * number, caller_number=caller, within=90,
                )
            )
        )  # fmt: skip
        event = await self._city.house.event(
            "it arrives", lambda e: e.get("What") == "arrived" and e.get("Caller") == caller, 10, since
        )
        self._channels.append(event["Channel"])
        return event

    async def end(self) -> None:
        for channel in self._channels:
            # SIPp says BYE when its time is over, and not when it is ended
            await asyncio.to_thread(self._house.asterisk_cli, f"channel request hangup {channel}")
        for call in self._calls:
            call.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await call


@pytest_asyncio.fixture
async def handed(house: House, city: Lab, tmp_path: Path) -> AsyncIterator[HandedOver]:
    handed = HandedOver(house, city, tmp_path)
    yield handed
    await handed.end()


async def waits(city: Lab, call: str) -> Event:
    return await city.house.event(
        "it waits", lambda e: e["Event"] == "QueueCallerJoin" and e["AccountCode"] == call, GREETED
    )


@pytest.mark.parametrize("header", ["X-Hotline-Case", "X-Case-Number"])
@pytest.mark.parametrize("to", CITIES)
async def test_screen_and_record_have_centre_case_and_story_when_a_seat_answers(
    house: House, city: Lab, handed: HandedOver, to: str, header: str
) -> None:
    await city.staffed(SEAT, city=to)
    event = await handed.call(to, headers=[f"{header}: {CASE}", f"X-Hotline-Story: {quote(STORY)}"])
    assert (event["Centre"], event["Case"]) == ("110", CASE), "known before anybody is told of the call"
    seat = city.seat(SEAT, city=to)
    ring = await seat.rings(within=GREETED)
    assert ring["call"] == event["Call"]
    screen = await asks(house.home, f"/api/calls/{event['Call']}")
    assert (screen["centre"], screen["case"], screen["story"]) == ("110", CASE, STORY)
    await seat.answers()
    await city.house.event(
        "they talk", lambda e: e["Event"] == "AgentConnect" and e["AccountCode"] == event["Call"], 10
    )
    desk = Person(house.home, house.home.tokens["operator"])
    record = await desk.shown(f"handoffs/in-{event['Call']}", outcome="accepted")
    assert (record["direction"], record["centre"], record["caller"]) == ("in", "110", CALLER)
    assert (record["case"], record["story"], record["of"]) == (CASE, STORY, "")
    assert (record["seat"], record["outcome"], record["by"]) == (SEAT, "accepted", POLICE[to])
    sits = await asks(house.home, f"/api/seats?city={to}")
    assert record["agent"] == next(seat["agent"] for seat in sits if seat["seat"] == SEAT) != ""
    await seat.hangs_up()


@pytest.mark.parametrize("to", CITIES)
async def test_a_full_trunk_refuses_callers_and_no_call_of_a_centre(
    house: House, city: Lab, handed: HandedOver, to: str
) -> None:
    await city.staffed(SEAT, city=to)
    callers = [await city.caller(f"1390000001{n}", to).dials("12345", hear=False) for n in range(FULL)]
    for caller in callers:
        await caller.is_answered()
    refused = await city.caller("13900000019", to).dials("12345", hear=False)
    assert (await refused.ends(5))["cause"] == 34  # Q.850: no circuit available
    by_number = await handed.call(to, "carrier", caller="110")
    assert by_number["Centre"] == "110"
    # their own trunk has one channel, and both calls of the night get through
    on_their_trunk = [await handed.call(to, caller=f"1390000002{n}") for n in range(2)]
    for event in (by_number, *on_their_trunk):
        await waits(city, event["Call"])
    await until_gone(*callers)


async def test_a_caller_who_comes_back_from_a_centre_is_linked_to_how_they_went(
    house: House, city: Lab, handed: HandedOver, tmp_path: Path
) -> None:
    await city.staffed(SEAT, city="demo")
    for number in ("110", "1100"):
        await centre(city, number).will_ring()
    talk, call = await talking(city, tmp_path, SEAT, CALLER)
    status, told = await orders(house.home, f"/api/seats/demo/{SEAT}/transfer", kind="handoff", to="110")
    assert status == 200, told
    police = centre(city, "110")
    ring = await police.rings(within=5)
    assert ring["handoff"] == told["handoff"], "the centre is told the record's name"
    await police.answers()
    await step_told(city, call, "joined")
    await talk.parties["agent"].hangs_up()
    await step_told(city, call, "handed")
    await until_gone(call, police)

    back = await handed.call("demo", headers=[f"X-Hotline-Handoff: {ring['handoff']}"])
    await waits(city, back["Call"])
    record = await asks(house.home, f"/api/handoffs/in-{back['Call']}")
    assert (record["of"], record["centre"]) == (told["handoff"], "110")
    gone = await asks(house.home, f"/api/handoffs/{record['of']}")
    assert (gone["direction"], gone["call"], gone["caller"]) == ("out", await call.id(), CALLER)
    # another centre, or another city's, cannot say that it was theirs
    for to, trunk in (("demo", "centres-b"), ("luan", "police")):
        other = await handed.call(to, trunk, [f"X-Hotline-Handoff: {ring['handoff']}"])
        await waits(city, other["Call"])
        assert (await asks(house.home, f"/api/handoffs/in-{other['Call']}"))["of"] == ""


@pytest.mark.parametrize(
    ("number", "dialled"),
    [
        *((number, number) for number in ("110", "120", "119", "122")),
        ("12333", "12345333"),
        *((number, number) for number in ("1234571", "1234572", "1234573")),
    ],
)
async def test_each_of_luans_centres_rings_when_an_agent_keys_its_number(
    house: House, city: Lab, number: str, dialled: str
) -> None:
    """Annex 3, 12333 and water, power, gas; what is dialled is written here from the plan's assumptions."""
    await city.staffed(SEAT, city="luan")
    agent, there = city.seat(SEAT, city="luan"), centre(city, dialled)
    await there.will_ring()
    call = await city.caller(CALLER, "luan").dials("12345", hear=False)
    await agent.answers(call, within=GREETED)
    id = await call.id()
    await city.house.event("they talk", lambda e: e["Event"] == "AgentConnect" and e["AccountCode"] == id, 10)
    await agent.presses(f"*{number}")
    ring = await there.rings(within=8)
    assert (ring["caller"], ring["called"]) == (CALLER, dialled)
    async with asyncio.timeout(10):
        # the phone rings a moment before the service is told
        while not (mine := [r for r in await asks(house.home, "/api/handoffs?city=luan") if r["call"] == id]):  # noqa: ASYNC110  # no event tells that the service knows
            await asyncio.sleep(0.1)
    (record,) = mine
    assert (record["id"], record["centre"], record["direction"]) == (ring["handoff"], number, "out")
    await until_gone(call, agent, there)
