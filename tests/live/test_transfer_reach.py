"""Whom an agent may bring a caller to, by real phones: a queue, a line's number, a duty phone; whom not; and
what a phone does by itself (REFER). Who heard whom is judged from what they recorded."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from calls.orders import Pause
from lab import baresip, ears
from lab.parties import Call
from lab.scenario import Lab, secret_of
from tests.house import House, ports, running
from tests.live.desk_town import Person
from tests.live.seat_town import order, plan_at, seat_is
from tests.live.transfer_case import rings_on
from tests.live.transfer_town import (
    AGENT_GONE,
    asks,
    centre,
    orders,
    queued_soon,
    step_told,
    talking,
    until_gone,
)

DUTY = "05557001"
AGENT, FUND, MARKET, COLLEAGUE = "1001", "1006", "1005", "1003"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("reach")
    home = folder / "home"
    home.mkdir()
    with ports() as base, running(home, base, [plan_at(folder)]) as up:
        yield up


@pytest_asyncio.fixture
async def town(city: Lab) -> AsyncIterator[Lab]:
    await city.staffed(AGENT)
    for number in ("110", "1100", "12333", DUTY):
        await centre(city, number).will_ring()
    yield city


async def wish(house: House, kind: str, to: str) -> tuple[int, str]:
    status, told = await orders(house.home, f"/api/seats/demo/{AGENT}/transfer", kind=kind, to=to)
    return status, str(told.get("detail") or told.get("handoff"))


@contextlib.asynccontextmanager
async def strangers_phone(
    house: House, town: Lab, folder: Path, voices: list[Path]
) -> AsyncIterator[tuple[baresip.Baresip, Call]]:
    """The agent sits at a phone nobody here wrote (baresip), and talks with a caller."""
    async with (
        town.away(AGENT),
        baresip.seat(
            folder / "phone", town.seat(AGENT).name, secret_of(house.home, f"demo-{AGENT}"),
            house=house.base, port=house.base + 64, say=voices[1],
        ) as phone,
    ):  # fmt: skip
        await town.staffed(keep=AGENT)
        call = await town.caller().dials("12345")
        await phone.talks(within=20)
        await call.talks()
        yield phone, call


async def test_a_caller_sent_to_a_queue_talks_to_a_seat_of_that_queue(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call = await talking(town, tmp_path, AGENT)
    # one who is in the fund's queue only as an expert: the general queue would ring 1001 first
    await town.seat(FUND).comes_back()
    await talk.speak("before", "caller", "agent")
    assert (await wish(house, "blind", "queue-fund"))[0] == 200
    await talk.parties["agent"].ends()
    await call.waits_in("fund")
    expert = town.seat(FUND)
    await expert.answers(call)
    talk.joins("target", expert)
    await step_told(town, call, "queued")
    await town.house.event(
        "the expert talks",
        lambda e: e["Event"] == "AgentConnect" and e.get("Interface") == f"PJSIP/demo-{FUND}",
        10,
    )
    await talk.speak("after", "caller", "target")
    await until_gone(call, expert)
    heard = await talk.heard()
    assert heard["caller"] == {("before", "agent"), ("after", "target")}
    assert heard["agent"] == {("before", "caller")}
    assert heard["target"] == {("after", "caller")}


async def test_a_caller_sent_to_a_lines_number_talks_to_a_seat_of_that_line(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call = await talking(town, tmp_path, AGENT)
    await town.seat(MARKET).comes_back()
    await talk.parties["agent"].presses("*8112315#")
    await talk.parties["agent"].ends()
    await call.waits_in("market")
    market = town.seat(MARKET)
    await market.answers(call)
    talk.joins("target", market)
    await town.house.event(
        "market talks",
        lambda e: e["Event"] == "AgentConnect" and e.get("Interface") == f"PJSIP/demo-{MARKET}",
        10,
    )
    await talk.speak("after", "caller", "target")
    await until_gone(call, market)
    heard = await talk.heard()
    assert heard["caller"] == {("after", "target")}
    assert heard["target"] == {("after", "caller")}
    assert heard["agent"] == set()


@pytest.mark.parametrize("kind", ["blind", "three", "consult"])
async def test_a_units_duty_phone_outside_takes_a_caller(
    house: House, town: Lab, tmp_path: Path, kind: str
) -> None:
    talk, call = await talking(town, tmp_path, AGENT)
    agent, duty = talk.parties["agent"], centre(town, DUTY)
    assert (await wish(house, kind, "7001"))[0] == 200
    ring = await duty.rings(within=5)
    assert ring["called"] == DUTY
    await seat_is(house.home, AGENT, state="busy")
    await duty.answers()
    talk.joins("target", duty)
    await step_told(town, call, "answered")
    if kind == "blind":
        # the agent waited until then
        await agent.ends()
        await seat_is(house.home, AGENT, state="wrap-up")
    if kind == "three":
        await step_told(town, call, "joined")
        await talk.speak("asked", "caller", "agent", "target")
    elif kind == "consult":
        two = frozenset(("agent", "target"))
        await talk.speak("asked", "caller", "agent", "target", hear=[two])
    if kind != "blind":
        await agent.hangs_up()
        await step_told(town, call, "handed")
    if kind == "consult":
        await step_told(town, call, "joined")
    await talk.speak("after", "caller", "target")
    await until_gone(call, duty, agent)
    heard = await talk.heard()
    all_three = {"caller", "agent", "target"}
    together = {"blind": set(), "three": all_three, "consult": {"agent", "target"}}[kind]
    for name in all_three:
        asked = {("asked", other) for other in together - {name} if name in together}
        after = {("after", other) for other in {"caller", "target"} - {name} if name != "agent"}
        assert heard[name] == asked | after, name


@pytest.mark.parametrize(
    ("kind", "to"),
    [
        ("blind", "13800000000"),  # a number outside that the plan does not name
        ("three", "056612345"),  # named, but dialled by its own number, not by the plan's
        ("consult", "queue-fund"),  # a queue is nobody one can ask first
        ("consult", "12315"),
        ("handoff", "7001"),  # no centre
        ("blind", "9999"),
        ("blind", AGENT),  # oneself
    ],
)
async def test_whom_the_plan_does_not_name_is_refused_and_the_talk_goes_on(
    house: House, town: Lab, tmp_path: Path, kind: str, to: str
) -> None:
    talk, call = await talking(town, tmp_path, AGENT)
    since = town.client.count
    status, why = await wish(house, kind, to)
    assert status == 409, why
    if to.isdigit():
        keys = {"blind": "*81", "three": "*83", "consult": "*82", "handoff": "*84"}[kind]
        await talk.parties["agent"].presses(f"{keys}{to}#" if kind != "handoff" else f"*{to}")
    await talk.speak("after", "caller", "agent")
    rang = [line for line in town.client.lines(since) if line["what"] == "rings"]
    await until_gone(call, talk.parties["agent"])
    assert rang == []
    heard = await talk.heard()
    assert heard["caller"] == {("after", "agent")}
    assert heard["agent"] == {("after", "caller")}


async def test_a_phone_that_transfers_by_itself_brings_the_caller_to_a_colleague(
    house: House, town: Lab, tmp_path: Path, voices: list[Path]
) -> None:
    """REFER by a stranger's phone (baresip): colleague and caller hear each other, the agent is out."""
    async with strangers_phone(house, town, tmp_path, voices) as (phone, call):
        await town.seat(COLLEAGUE).comes_back()
        await phone.transfers(COLLEAGUE, house=house.base)
        colleague = town.seat(COLLEAGUE)
        await colleague.rings(within=10)
        asked = await step_told(town, call, "asked")
        assert (asked["Kind"], asked["To"], asked["Seat"], asked["By"]) == (
            "blind",
            COLLEAGUE,
            AGENT,
            "phone",
        )
        await colleague.answers()
        await step_told(town, call, "answered")
        await colleague.says(voices[2])
        await call.says(voices[3])
        await call.hears(voices[2])
        await colleague.hears(voices[3])
        await call.hangs_up()
        assert not ears.contains(await phone.heard(), ears.load(voices[2])), "the agent is out"
        await colleague.ends()


async def test_a_phone_that_transfers_to_nobody_leaves_the_caller_with_the_next_agent(
    house: House, town: Lab, tmp_path: Path, voices: list[Path]
) -> None:
    async with strangers_phone(house, town, tmp_path, voices) as (phone, call):
        await town.seat("1002").comes_back()
        await phone.transfers("13800000000", house=house.base)
        await step_told(town, call, "back")
        await call.waits_in("general")
        await call.hangs_up()


async def test_a_phone_that_transfers_by_itself_leaves_a_caller_nobody_answers_at_the_head_of_the_queue(
    house: House, town: Lab, tmp_path: Path, voices: list[Path]
) -> None:
    """Such a phone has hung up by itself: whoever it named rings for a moment only."""
    async with strangers_phone(house, town, tmp_path, voices) as (phone, call):
        colleague = town.seat(COLLEAGUE)
        await colleague.comes_back()
        await phone.transfers(COLLEAGUE, house=house.base)
        await colleague.rings(within=10)
        since = len(town.house.events)
        await step_told(town, call, "agent-left")
        await colleague.ends(AGENT_GONE)
        await call.waits_in("general", AGENT_GONE, since)
        await call.hangs_up()


async def test_a_duty_phone_nobody_lifts_falls_silent_soon_after_the_agent_has_left(
    house: House, town: Lab, tmp_path: Path
) -> None:
    talk, call = await talking(town, tmp_path, AGENT)
    agent, duty = talk.parties["agent"], centre(town, DUTY)
    assert (await wish(house, "blind", "7001"))[0] == 200
    await duty.rings(within=5)
    since = len(town.house.events)
    await agent.hangs_up()
    await queued_soon(call, agent, since)
    back = await call.waits_in("general", since=since)
    await duty.ends()
    # by the clock of the Asterisk that is judged
    rung = next(
        e["DestChannel"] for e in town.house.events if e["Event"] == "DialBegin" and DUTY in e["DialString"]
    )
    silent = await town.house.event(
        "the duty phone's channel is gone", lambda e: e["Event"] == "Hangup" and e["Channel"] == rung, 10
    )
    assert float(silent["Timestamp"]) - float(back["Timestamp"]) <= 1
    await until_gone(call)


@pytest.mark.parametrize("how", ["refuses", "answers and hangs up"])
async def test_a_phone_that_sends_a_caller_to_110_by_itself_leaves_them_to_110_or_to_the_head_of_the_queue(
    house: House, town: Lab, tmp_path: Path, voices: list[Path], how: str
) -> None:
    """REFER: the agent's phone is gone at once, so nobody stays; but no music, and no machine."""
    for number in ("110", "1100"):
        phone_there = centre(town, number)
        await (phone_there.will_reject(after=4.0) if how == "refuses" else phone_there.will_ring())
    async with strangers_phone(house, town, tmp_path, voices) as (phone, call):
        # it answers by itself: the caller is not to come back to it
        await order(house.home, Pause(city="demo", seat=AGENT, reason="meeting"))
        await phone.transfers("110", house=house.base)
        asked = await step_told(town, call, "asked")
        assert (asked["Kind"], asked["By"], asked["Urgent"]) == ("blind", "phone", "1")
        police = centre(town, "110")
        await police.rings(within=5)
        await rings_on(call)
        if how != "refuses":
            await police.answers()
            await step_told(town, call, "answered")
            await police.says(voices[2])
            await call.hears(voices[2])
            await police.hangs_up()
        await step_told(town, call, "back", within=15)
        await call.waits_in("general")
        await rings_on(call)
        await call.hangs_up()


async def test_12333_takes_a_caller_and_hands_them_back_with_a_case(
    house: House, town: Lab, tmp_path: Path
) -> None:
    """Both ways: each has a record of the same centre and caller, the second with the centre's case and the
    first one's name."""
    caller = "13900000033"
    talk, call = await talking(town, tmp_path, AGENT, caller)
    agent, labour = talk.parties["agent"], centre(town, "12333")
    await agent.presses("*12333")
    ring = await labour.rings(within=5)
    assert ring["caller"] == caller
    await labour.answers()
    talk.joins("target", labour)
    await step_told(town, call, "joined")
    await talk.speak("together", "caller", "agent", "target")
    await agent.hangs_up()
    await step_told(town, call, "handed")
    await talk.speak("handed", "caller", "target")
    await until_gone(call, labour)
    heard = await talk.heard()
    assert heard["caller"] == {("together", "agent"), ("together", "target"), ("handed", "target")}
    assert heard["target"] == {("together", "caller"), ("together", "agent"), ("handed", "caller")}

    # and back: 12333's own expert seats answer for them here
    await town.seat("1007").comes_back()
    back = await town.caller(caller).dials(
        "12345", trunk="centres-b", case="RS-2026-77", handoff=ring["handoff"]
    )
    expert = town.seat("1007")
    await expert.answers(back, within=20)
    await back.talks()
    second = type(talk)(tmp_path / "back")
    second.folder.mkdir()
    second.joins("caller", back)
    second.joins("agent", expert)
    await second.speak("back", "caller", "agent")
    await until_gone(back, expert)
    assert await second.heard() == {"caller": {("back", "agent")}, "agent": {("back", "caller")}}

    records = await asks(house.home, "/api/handoffs?city=demo")
    (out,) = [r for r in records if r["call"] == await call.id()]
    (came,) = [r for r in records if r["call"] == await back.id()]
    assert (out["direction"], out["centre"], out["caller"], out["outcome"]) == (
        "out",
        "12333",
        caller,
        "handed",
    )
    assert (came["direction"], came["centre"], came["caller"]) == ("in", "12333", caller)
    assert (came["case"], came["seat"], came["outcome"]) == ("RS-2026-77", "1007", "accepted")
    assert out["asked_by"] == f"agent-{out['agent']}"
    # one audit trail: the centre was given the first record's name, and by it the second leads there
    assert (ring["handoff"], came["of"], out["of"]) == (out["id"], out["id"], "")
    assert out["ended"] <= came["asked"]
    desk = Person(house.home, house.home.tokens["operator"])
    keyed = json.dumps({"kind": "handoff", "to": "12333", "by": "phone", "handoff": out["id"]})
    await desk.audited(did="transfer", on=f"seat {AGENT}", who=out["asked_by"], told=keyed)
    returned = await desk.audited(did="hand-off", on=came["call"], who="centre-12333")
    assert json.loads(returned["told"])["of"] == out["id"]
