"""Every state of a seat on the real Asterisk, reached the way people reach it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from asterisk_conf.held import KNOWN_AFTER, LEAST, LOOK
from asterisk_conf.seat_leg import REST
from calls.orders import EndWrapUp, Pause, Reload, SignIn, SignOut, Unpause
from cti.errors import Refused
from cti.home import Home
from cti.speech import shelf
from cti.speech.sound import from_alaw, write_wav
from cti.staffing import LOOK_SECONDS
from lab import sipp
from lab.parties import Call
from lab.scenario import Lab
from lab.wire import Event
from tests.house import House, house_with
from tests.live.desk_town import Person, screen
from tests.live.leaving_town import music
from tests.live.seat_town import (
    DEAD_AFTER,
    GREETED,
    MISSED,
    RING,
    WRAP_UP,
    codes,
    member,
    order,
    plan_at,
    seat_is,
    told,
)
from tests.live.transfer_town import Talk

SILENT_AFTER = 10
"""Seconds after which a carrier's leg is dead that sends nothing."""
HELD_LOST = KNOWN_AFTER + max(LEAST, DEAD_AFTER - KNOWN_AFTER) + LOOK + 5
"""Seconds after which a caller whom a dead phone holds is on the way back; a slow machine's among them."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("seats")
    plan = plan_at(folder)
    trunks = (plan / "trunks.toml").read_text("utf-8")
    more = f"[carrier]\nsilent_after_seconds = {SILENT_AFTER}\n"
    (plan / "trunks.toml").write_text(trunks.replace("[carrier]\n", more, 1), "utf-8")
    with house_with(folder, plan) as up:
        yield up


@pytest_asyncio.fixture
async def home(house: House, city: Lab) -> AsyncIterator[Home]:
    """The hotline with two seats at work: 1001 (agent 8001) and 1002 (agent 8002)."""
    await city.staffed("1001", "1002")
    yield house.home


# --- signing in and out ---------------------------------------------------------------------------


async def test_a_code_signs_the_usual_agent_in_and_another_signs_out(home: Home, city: Lab) -> None:
    await codes(city, "1001", "*12")
    away = await seat_is(home, "1001", state="away", agent="")
    assert away["queues"] == []
    assert await member(city, "1001") is None
    await codes(city, "1001", "*11")
    here = await seat_is(home, "1001", state="ready", agent="8001")
    assert here["queues"] == ["general", "market"]


async def test_one_person_has_one_seat(home: Home, city: Lab) -> None:
    await codes(city, "1002", "*118001")
    await told(city, "seat", Seat="1001", Agent="8001", Did="out", By="system", Why="elsewhere")
    await told(city, "seat", Seat="1002", Agent="8002", Did="out", By="system", Why="replaced")
    await seat_is(home, "1002", state="ready", agent="8001")
    await seat_is(home, "1001", state="away", agent="")
    await codes(city, "1001", "*118001")
    await codes(city, "1002", "*118002")


async def test_two_phones_that_sign_in_one_person_at_once_do_not_both_succeed(home: Home, city: Lab) -> None:
    await asyncio.gather(codes(city, "1001", "*118003"), codes(city, "1002", "*118003"))
    members = [number for number in ("1001", "1002") if await member(city, number)]
    assert len(members) == 1
    await seat_is(home, members[0], agent="8003")
    await asyncio.gather(codes(city, "1001", "*118001"), codes(city, "1002", "*118002"))


async def test_an_unknown_agent_is_refused(home: Home, city: Lab) -> None:
    await codes(city, "1001", "*119999")
    await told(city, "seat", Seat="1001", Did="in", Ok="no", Why="unknown-agent")
    assert (await seat_is(home, "1001", state="ready"))["agent"] == "8001"


async def test_a_pin_is_asked_for_and_a_wrong_one_refused(home: Home, city: Lab) -> None:
    phone = city.seat("1001")
    await phone.dials("*118009")
    await phone.presses("1111#")
    await told(city, "seat", Seat="1001", Agent="8009", Ok="no", Why="wrong-pin")
    await phone.hangs_up()
    await phone.dials("*118009")
    await phone.presses("2468#")
    await told(city, "seat", Seat="1001", Agent="8009", Did="in", Ok="yes")
    await phone.hangs_up()
    here = await seat_is(home, "1001", agent="8009")
    assert here["queues"] == ["general"]
    await codes(city, "1001", "*118001")


# --- pauses ---------------------------------------------------------------------------------------


async def test_a_paused_seat_has_its_reason_and_rings_for_nobody_until_it_is_ready(
    home: Home, city: Lab
) -> None:
    await codes(city, "1001", "*143")
    await seat_is(home, "1001", state="paused", paused="lunch")
    call = await city.caller().dials("12345")
    await call.rings_at("1002", within=GREETED)
    await city.seat("1002").rejects()
    await codes(city, "1001", "*13")
    await seat_is(home, "1001", state="ringing", within=3 * RING)
    await call.hangs_up()


async def test_a_pause_while_talking_stays_after_the_call(home: Home, city: Lab) -> None:
    await order(home, Pause(city="demo", seat="1002", reason="meeting"))
    call = await city.caller().dials("12345")
    await city.seat("1001").answers(call, within=GREETED)
    await seat_is(home, "1001", state="busy")
    await order(home, Pause(city="demo", seat="1001", reason="break", by="supervisor"))
    await city.seat("1001").hangs_up()
    await seat_is(home, "1001", state="paused", paused="break", until=None)


# --- rings ----------------------------------------------------------------------------------------


async def test_a_seat_that_declines_as_often_as_the_plan_says_is_paused_and_the_supervisor_told(
    house: House, home: Home, city: Lab
) -> None:
    await city.seat("1001").will_reject()
    await city.seat("1002").will_be_busy()
    since = len(city.house.events)
    call = await city.caller().dials("12345")
    first = await told(city, "missed", within=GREETED + RING, Seat="1001", Count="1")
    assert first["Of"] == str(MISSED)
    await told(
        city, "seat", within=3 * RING, Seat="1001", Did="pause", Reason="missed", By="system", Ok="yes"
    )
    await told(
        city, "seat", within=3 * RING, Seat="1002", Did="pause", Reason="missed", By="system", Ok="yes"
    )
    await seat_is(home, "1001", state="paused", paused="missed")
    mine = [e for e in city.house.events[since:] if e.get("Seat") == "1001"]
    paused = next(n for n, e in enumerate(mine) if e.get("Did") == "pause")
    counts = [e["Count"] for e in mine[:paused] if e.get("What") == "missed"]
    assert counts == [str(n + 1) for n in range(MISSED)]
    operator, agent = Person(home, home.tokens["operator"]), Person(home, home.tokens["observer"])
    async with screen(operator) as board, screen(agent) as other:
        # a supervisor who comes later is told as well
        assert {(a["seat"], a["why"]) for a in board.shown.alarms.values()} >= {("1001", "missed")}
        assert "1001" in house.cti("board", "--once").stdout.partition("paused: rings were missed")[2]
        await order(home, Unpause(city="demo", seat="1001"))
        await board.until("the end of it", lambda b: "1001" not in [a["seat"] for a in b.alarms.values()])
        # and one who looks on, in the moment in which it happens
        said = len(board.said)
        await board.until(
            "the seat paused again", lambda b: "1001" in [a["seat"] for a in b.alarms.values()], 6 * RING
        )
        told_now = [m["kind"] for m in board.said[said:]]
        assert "snapshot" not in told_now
        assert other.shown.alarms == {}
    await call.hangs_up()


async def test_seats_that_pause_below_the_need_are_a_shortfall_on_socket_and_board_until_they_are_back(
    house: House, home: Home
) -> None:
    async with screen(Person(home, home.tokens["operator"])) as board:
        for seat in ("1001", "1002"):
            await order(home, Pause(city="demo", seat=seat, reason="lunch"))
        short = await board.until(
            "two paused and too few",
            lambda b: (row := b.shortfalls.get("demo-general")) and row["paused"] == ["1001", "1002"] and row,
            LOOK_SECONDS + 5,
        )
        assert (short["present"], short["able"], short["short"]) == (0, 0, short["need"])
        told_now = json.loads(house.cti("board", "--once", "--json").stdout)["shortfalls"]
        assert [row for row in told_now if row["queue"] == "general"] == [
            {name: value for name, value in short.items() if name != "kind"}
        ]
        assert "too few: demo/general" in house.cti("board", "--once").stdout
        for seat in ("1001", "1002"):
            await order(home, Unpause(city="demo", seat=seat))
        await board.until("enough again", lambda b: "demo-general" not in b.shortfalls, LOOK_SECONDS + 5)


async def test_a_ring_of_full_length_is_missed_and_one_that_the_caller_ended_is_not(
    home: Home, city: Lab
) -> None:
    await order(home, Pause(city="demo", seat="1002", reason="meeting"))
    early = await city.caller().dials("12345")
    await city.seat("1001").rings(within=GREETED, call=early)
    await early.hangs_up()
    await seat_is(home, "1001", state="ready", missed=0)
    late = await city.caller().dials("12345")
    await city.seat("1001").rings(within=GREETED, call=late)
    await told(city, "missed", within=RING + 5, Seat="1001", Count="1")
    await seat_is(home, "1001", missed=1)
    await city.seat("1001").rings(within=REST + RING + 5, call=late)
    await city.seat("1001").answers(late)
    await seat_is(home, "1001", state="busy", missed=0)
    await late.hangs_up()


async def test_a_caller_whom_a_seat_let_ring_goes_to_another_seat_next(home: Home, city: Lab) -> None:
    call = await city.caller().dials("12345")
    first = (await call.rings_at(within=GREETED))["phone"].removeprefix("demo-")
    other = "1002" if first == "1001" else "1001"
    await city.seat(other).rings(within=RING + 10, call=call)
    rests = await seat_is(home, first, state="paused", missed=1)
    assert rests["paused"].startswith("rest:")
    await call.hangs_up()
    await seat_is(home, first, state="ready", within=REST + 3)


async def test_a_seat_that_declines_leaves_the_caller_to_the_next(home: Home, city: Lab) -> None:
    call = await city.caller().dials("12345")
    ring = await call.rings_at(within=GREETED)
    first = ring["phone"].removeprefix("demo-")
    other = "1002" if first == "1001" else "1001"
    await city.seat(first).rejects()
    await city.seat(other).answers(call)
    await seat_is(home, other, state="busy")
    await call.hangs_up()


async def test_two_calls_at_one_instant_do_not_both_ring_at_one_seat(home: Home, city: Lab) -> None:
    await order(home, Pause(city="demo", seat="1002", reason="meeting"))
    one, two = await asyncio.gather(_dial(city, "13900000001"), _dial(city, "13900000002"))
    await city.seat("1001").rings(within=GREETED)
    await one.waits_in("general")
    await two.waits_in("general")
    await city.seat("1001").answers()
    calls = {one.sip_call: one, two.sip_call: two}
    answered = [
        line for line in city.client.lines() if line["phone"] == "demo-1001" and line["what"] == "rings"
    ]
    assert len(answered) == 1
    talking = calls.pop(answered[0]["caller_sip_call"])
    (waiting,) = calls.values()
    # who goes before that has talked to nobody
    await talking.talks()
    await talking.hangs_up()
    # app_queue must not offer the second before wrap-up is over
    over = (await talking.ends())["at"]
    ring = await city.seat("1001").rings(within=WRAP_UP + 5, call=waiting)
    assert ring["at"] - over > WRAP_UP - 1
    await waiting.hangs_up()


async def _dial(city: Lab, number: str) -> Call:
    return await city.caller(number).dials("12345")


# --- wrap-up --------------------------------------------------------------------------------------


async def test_after_a_call_the_seat_wraps_up_and_is_ready_when_its_time_is_over(
    home: Home, city: Lab
) -> None:
    await order(home, Pause(city="demo", seat="1002", reason="meeting"))
    call = await city.caller().dials("12345")
    await city.seat("1001").answers(call, within=GREETED)
    await call.talks()
    await call.hangs_up()
    wraps = await seat_is(home, "1001", state="wrap-up")
    assert wraps["until"] == pytest.approx(wraps["since"] + WRAP_UP, abs=1.5)
    ready = await seat_is(home, "1001", state="ready", within=WRAP_UP + 3)
    # the clock looks once a second
    assert -0.1 <= ready["since"] - wraps["until"] <= 2.5


async def test_an_agents_own_wrap_up_goes_before_the_queues(home: Home, city: Lab) -> None:
    await order(home, Pause(city="demo", seat="1001", reason="meeting"))
    call = await city.caller().dials("12345")
    await city.seat("1002").answers(call, within=GREETED)
    await call.talks()
    await city.seat("1002").hangs_up()
    wraps = await seat_is(home, "1002", state="wrap-up")
    assert wraps["until"] == pytest.approx(wraps["since"] + 3, abs=1.5)


async def test_an_agent_ends_wrap_up_early_by_code_and_the_service_by_order(home: Home, city: Lab) -> None:
    await order(home, Pause(city="demo", seat="1002", reason="meeting"))
    for end in ("code", "order"):
        call = await city.caller().dials("12345")
        await city.seat("1001").answers(call, within=GREETED)
        await call.talks()
        await call.hangs_up()
        wraps = await seat_is(home, "1001", state="wrap-up")
        if end == "code":
            await codes(city, "1001", "*13")
        else:
            await order(home, EndWrapUp(city="demo", seat="1001"))
        ready = await seat_is(home, "1001", state="ready")
        assert ready["since"] < wraps["until"]


# --- orders ---------------------------------------------------------------------------------------


async def test_an_order_has_the_outcome_of_the_code(home: Home, city: Lab) -> None:
    await order(home, Pause(city="demo", seat="1001", reason="lunch"))
    by_order = await seat_is(home, "1001", state="paused", device="not_inuse")
    await codes(city, "1001", "*13")
    await codes(city, "1001", "*143")
    # the phone that dialled the code is in a call until its BYE is through
    by_code = await seat_is(home, "1001", state="paused", device="not_inuse")
    assert {**by_order, "since": 0} == {**by_code, "since": 0}
    await order(home, Unpause(city="demo", seat="1001", by="supervisor"))
    await seat_is(home, "1001", state="ready", paused="")
    await order(home, SignOut(city="demo", seat="1001", by="supervisor"))
    await seat_is(home, "1001", state="away", agent="")
    await order(home, SignIn(city="demo", seat="1001", agent="8001"))
    await seat_is(home, "1001", state="ready", agent="8001")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (SignIn(city="demo", seat="1001", agent="9999"), "no such agent"),
        (SignIn(city="demo", seat="7777", agent="8001"), "no such seat"),
        (SignIn(city="nowhere", seat="1001", agent="8001"), "no such seat"),
        (Pause(city="demo", seat="1001", reason="sleep"), "no such reason"),
        (Pause(city="demo", seat="1001", reason="missed"), "no such reason"),
        (Pause(city="demo", seat="1001", reason="x) | (1"), "small letters"),
        (EndWrapUp(city="demo", seat="1001"), "in no wrap-up"),
        (Pause(city="demo", seat="1003", reason="lunch"), "nobody is signed in"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
async def test_an_order_that_cannot_be_done_says_why(home: Home, city: Lab, wrong: Pause, why: str) -> None:
    if wrong.seat == "1003":
        with_nobody = await member(city, "1003")
        if with_nobody:
            await order(home, SignOut(city="demo", seat="1003"))
    with pytest.raises(Refused, match=why):
        await order(home, wrong)


# --- the caller's side ----------------------------------------------------------------------------


async def test_the_caller_hears_the_agents_number_where_the_plan_says_so(
    home: Home, city: Lab, tmp_path: Path
) -> None:
    await city.staffed("1005")
    call = await city.caller().dials("12315")
    await city.seat("1005").answers(call, within=GREETED)
    prompts = {prompt.id: prompt for prompt in shelf.catalogue()}
    for id in ("seat-number", "seat-serves"):
        wav = tmp_path / f"{id}.wav"
        write_wav(wav, from_alaw(shelf.sound_of(prompts[id])))
        await call.hears(wav)
    await call.hangs_up()


async def test_a_caller_who_leaves_in_any_phase_leaves_no_seat_behind(home: Home, city: Lab) -> None:
    await order(home, Pause(city="demo", seat="1002", reason="meeting"))
    greeted = await city.caller().dials("12345")
    await greeted.is_answered()
    await greeted.hangs_up()
    await order(home, Pause(city="demo", seat="1001", reason="meeting"))
    waiting = await city.caller().dials("12345")
    await waiting.waits_in("general", within=GREETED)
    await waiting.hangs_up()
    await order(home, Unpause(city="demo", seat="1001"))
    ringing = await city.caller().dials("12345")
    await city.seat("1001").rings(within=GREETED, call=ringing)
    await seat_is(home, "1001", state="ringing")
    await ringing.hangs_up()
    await seat_is(home, "1001", state="ready", call=None)
    talking = await city.caller().dials("12345")
    await city.seat("1001").answers(talking, within=GREETED)
    await seat_is(home, "1001", state="busy")
    await talking.talks()
    await talking.hangs_up()
    await seat_is(home, "1001", state="wrap-up", call=None)
    await seat_is(home, "1001", state="ready", within=WRAP_UP + 3)


# --- phones that die ------------------------------------------------------------------------------


async def test_a_phone_off_the_network_never_rings_for_nobody(home: Home, city: Lab) -> None:
    await city.staffed("1002")
    await seat_is(home, "1001", state="unreachable")
    call = await city.caller().dials("12345")
    await city.seat("1002").answers(call, within=GREETED)
    assert not [
        line for line in city.client.lines() if line["phone"] == "demo-1001" and line["what"] == "rings"
    ]
    await call.hangs_up()


async def test_a_phone_that_dies_ringing_leaves_the_caller_to_the_next_seat(home: Home, city: Lab) -> None:
    await order(home, Pause(city="demo", seat="1002", reason="meeting"))
    async with city.handset("1001") as phone:
        call = await city.caller().dials("12345")
        await phone.rings(within=GREETED)
        phone.dies()
        await order(home, Unpause(city="demo", seat="1002"))
        await city.seat("1002").answers(call, within=RING + 5)
        await seat_is(home, "1002", state="busy")
        # asked every 10 s, given up after 3
        await seat_is(home, "1001", state="unreachable", within=20)
        await call.hangs_up()
    await city.seat("1001").comes_back()


async def test_a_phone_that_dies_talking_sends_its_caller_to_the_head_of_the_queue(
    home: Home, city: Lab, tmp_path: Path
) -> None:
    await order(home, Pause(city="demo", seat="1002", reason="meeting"))
    async with city.handset("1001") as phone:
        lost = await city.caller("13900000001").dials("12345")
        await phone.answers(within=GREETED)
        await lost.reaches("1001")
        waiting = await city.caller("13900000002").dials("12345")
        await waiting.waits_in("general", within=GREETED)
        since = len(city.house.events)
        phone.dies()
        await told(
            city, "returned", within=DEAD_AFTER + 5, since=since, Call=await lost.id(), Queue="general"
        )
        await seat_is(home, "1001", paused="lost")
        await lost.waits_in("general", since=since)
        assert (await member(city, "1001") or {})["Paused"] == "1"
        await order(home, Unpause(city="demo", seat="1002"))
        # he came after the other one, and is before him
        await city.seat("1002").rings(within=RING, call=lost)
        await city.seat("1002").answers(lost)
        talk = Talk(tmp_path, lost)
        talk.joins("caller", lost)
        talk.joins("agent", city.seat("1002"))
        await talk.speak("again", "caller", "agent")
        await lost.hangs_up()
        assert (await talk.heard())["caller"] == {("again", "agent")}
        await waiting.hangs_up()
    await city.seat("1001").comes_back()


async def test_a_carrier_that_dies_without_a_word_keeps_no_seat(
    home: Home, house: House, city: Lab, tmp_path: Path
) -> None:
    """Its caller neither hangs up nor speaks; the seat is free for the next one."""
    await order(home, Pause(city="demo", seat="1002", reason="meeting"))
    await city.seat("1001").will_answer()
    since = len(city.house.events)
    peer = asyncio.create_task(
        sipp.call(
            sipp.caller(talk_ms=300_000),
            tmp_path,
            number="12345",
            house=house.base,
            port=house.base + 60,
            within=400,
        )
    )
    arrived = await told(city, "arrived", since=since, Caller="13900000009")
    await city.house.event("they talk", partial(_talk_of_two, arrived["Call"]), GREETED + RING, since)
    peer.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await peer
    left = await told(city, "left", within=SILENT_AFTER + 10, since=since, Call=arrived["Call"])
    assert left["Cause"] == "44"
    await seat_is(home, "1001", state="wrap-up")


def _talk_of_two(call: str, event: Event) -> bool:
    return (event["Event"], event.get("AccountCode"), event.get("BridgeNumChannels")) == (
        "BridgeEnter",
        call,
        "2",
    )


async def test_a_phone_that_dies_while_it_holds_sends_its_caller_to_the_head_and_one_that_lives_holds_on(
    home: Home, city: Lab
) -> None:
    """A phone on hold sends nothing, and the caller who hears music waits for somebody."""
    await order(home, Pause(city="demo", seat="1001", reason="meeting"))
    held = await city.caller("13900000003").dials("12345")
    await city.seat("1002").answers(held, within=GREETED)
    await city.seat("1002").holds()
    async with city.handset("1001") as phone:
        await order(home, Unpause(city="demo", seat="1001"))
        lost = await city.caller("13900000001").dials("12345")
        await phone.answers(within=GREETED)
        id = await lost.id()
        # a phone that held before the two are in their bridge would hold nobody
        await city.house.event("they talk", partial(_talk_of_two, id), 10)
        since = len(city.house.events)
        await phone.holds()
        await music(city, lost, "Start", since)
        phone.dies()
        await told(city, "returned", within=HELD_LOST, since=since, Call=id, Queue="general")
        await seat_is(home, "1001", paused="lost")
        await lost.waits_in("general", since=since)
        await city.seat("1002").resumes()
        await held.talks()
        await city.seat("1002").hangs_up()
        await city.seat("1002").answers(lost, within=WRAP_UP + RING)
        await lost.hangs_up()
    await city.seat("1001").comes_back()


# --- reload ---------------------------------------------------------------------------------------


async def test_a_reload_during_calls_changes_neither_the_calls_nor_the_seats(home: Home, city: Lab) -> None:
    call = await city.caller().dials("12345")
    ring = await call.rings_at(within=GREETED)
    one = ring["phone"].removeprefix("demo-")
    other = "1002" if one == "1001" else "1001"
    await order(home, Pause(city="demo", seat=other, reason="training"))
    await city.seat(one).answers(call)
    waiting = await city.caller("13900000002").dials("12345")
    await waiting.waits_in("general", within=GREETED)
    since = len(city.house.events)
    await order(home, Reload(parts=("queues", "pjsip", "dialplan")))
    busy = await seat_is(home, one, state="busy")
    paused = await seat_is(home, other, state="paused", paused="training")
    assert busy["queues"] == paused["queues"] == ["general", "market"]
    await call.hangs_up()
    # the rest of the call goes by the reloaded dialplan: wrap-up, then the one who waited
    await seat_is(home, one, state="wrap-up")
    await city.seat(one).rings(within=WRAP_UP + 5, call=waiting)
    assert not [e for e in city.house.events[since:] if e["Event"] == "QueueCallerAbandon"]
    await waiting.hangs_up()
