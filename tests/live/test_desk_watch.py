"""Listening in, whispering, barging, taking over: who hears whom is judged from what the phones recorded."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from cti.web.who import Role
from lab import ears
from lab.client import Unheard
from lab.parties import Call, Phone
from lab.scenario import Lab
from lab.wire import Wire
from tests.house import House, house_with
from tests.live.desk_town import Person, account, person, screen
from tests.live.seat_town import GREETED, plan_at, seat_is
from tests.live.waiting_town import truth
from tests.outage.hands import frozen


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("watch")
    with house_with(folder, plan_at(folder)) as up:
        account(up.home, "chief", Role.SUPERVISOR)
        yield up


@pytest_asyncio.fixture
async def chief(house: House, city: Lab) -> AsyncIterator[Person]:
    """Seat 1001 at work, 1003 the supervisor's own phone, paused."""
    await city.staffed("1001", "1003")
    one = await person(house.home, "chief")
    assert (await one.orders("seats/1003/pause", reason="meeting"))[0] == 200
    yield one


@pytest_asyncio.fixture
async def home_wire(house: House) -> AsyncIterator[Wire]:
    """What the service says to Asterisk, said by a test."""
    wire = Wire(lambda event: None)
    secret = house.home.secrets["ami_service"]
    await wire.connect("127.0.0.1", house.home.ports.ami, "service", secret, events="off")
    yield wire
    await wire.close()


@pytest_asyncio.fixture
async def talk(chief: Person, city: Lab) -> AsyncIterator[Call]:
    """A caller who talks with seat 1001."""
    call = await city.caller().dials("12345")
    await city.seat("1001").answers(call, within=GREETED)
    await call.talks()
    await chief.shown(f"calls/{await call.id()}", state="talking")
    # the code by which it was made ready may still have its line
    await seat_is(chief.home, "1003", device="not_inuse")
    yield call


async def hears(phone: Phone, wav: Path, since: int) -> bool:
    """Whether the wav is in what this phone recorded from sample ``since`` on (a recording lags by 2 s)."""
    try:
        await phone.hears(wav, within=8.0, since=since)
    except Unheard:
        return False
    return True


async def who_hears(city: Lab, call: Call, said: list[Path]) -> dict[str, str]:
    """Caller, agent and supervisor speak one after the other; whom each of them hears, as initials."""
    phones: dict[str, Phone] = {"caller": call, "agent": city.seat("1001"), "supervisor": city.seat("1003")}
    since = {name: len(phone.recording()) for name, phone in phones.items()}
    spoken = list(zip(phones, said, strict=True))
    for speaker, wav in spoken:
        await phones[speaker].says(wav)
    heard = {name: "" for name in phones}
    for name, phone in phones.items():
        for speaker, wav in spoken:
            if speaker != name and await hears(phone, wav, since[name]):
                heard[name] += speaker[0]
    return heard


async def test_nobody_hears_who_listens_the_agent_alone_who_whispers_and_both_who_barges(
    chief: Person, city: Lab, talk: Call, voices: list[Path]
) -> None:
    id = await talk.id()
    path = f"calls/{id}/watch"
    asked = asyncio.create_task(chief.orders(path, seat="1003", how="listen"))
    await city.seat("1003").answers(within=10)
    assert (await asked)[0] == 200
    await seat_is(chief.home, "1003", state="busy")
    async with screen(chief) as board:
        await board.until("the watch", lambda b: [w for w in b.watches.values() if w["how"] == "listen"])
        listening = await who_hears(city, talk, voices[:3])
        # who speaks does not hear themselves
        assert listening == {"caller": "a", "agent": "c", "supervisor": "ca"}
        assert (await chief.orders(path, seat="1003", how="whisper"))[0] == 200
        await board.until("a whisper", lambda b: [w for w in b.watches.values() if w["how"] == "whisper"])
        whispering = await who_hears(city, talk, voices[:3])
        assert whispering == {"caller": "a", "agent": "cs", "supervisor": "ca"}
        assert (await chief.orders(path, seat="1003", how="barge"))[0] == 200
        await board.until("a barge", lambda b: [w for w in b.watches.values() if w["how"] == "barge"])
        barging = await who_hears(city, talk, voices[:3])
        assert barging == {"caller": "as", "agent": "cs", "supervisor": "ca"}
        # and back, by a key on the phone: nobody ordered it, and the trail has it too
        await city.seat("1003").press("4")
        await board.until("a listener", lambda b: [w for w in b.watches.values() if w["how"] == "listen"])
        await talk.hangs_up()
        # the watch ends with the call
        await city.seat("1003").ends(within=5)
        await board.until("no watch", lambda b: not b.watches)
    await chief.audited(did="watch-end", on=id, told='{"seat": "1003"}')
    by_key, *rows = (await chief.gets(f"audit?did=watch&on={id}"))[1]
    assert json.loads(by_key["told"]) == {"seat": "1003", "how": "listen", "by": "key"}
    assert [(r["who"], r["outcome"]) for r in rows] == [("chief", "done")] * 3


async def test_a_supervisor_who_listens_takes_the_caller_over(
    chief: Person, city: Lab, talk: Call, voices: list[Path]
) -> None:
    id = await talk.id()
    asked = asyncio.create_task(chief.orders(f"calls/{id}/watch", seat="1003"))
    await city.seat("1003").answers(within=10)
    assert (await asked)[0] == 200
    async with screen(chief) as board:
        await board.until("the watch", lambda b: b.watches)
    assert (await chief.orders(f"calls/{id}/take-over", seat="1003"))[0] == 200
    await city.seat("1001").ends(within=5)
    await asyncio.gather(talk.says(voices[0]), city.seat("1003").says(voices[1]))
    await talk.hears(voices[1])
    await city.seat("1003").hears(voices[0])
    await seat_is(chief.home, "1003", state="busy", call=id)
    await chief.shown(f"calls/{id}", state="talking", seat="1003", first_seat="1001")
    await city.seat("1003").hangs_up()
    await talk.ends(within=5)
    row = await chief.audited(did="take-over", on=id, outcome="done")
    assert row["told"] == '{"seat": "1003"}'


async def test_a_caller_is_taken_over_by_a_phone_that_rings_first_and_nobody_who_does_not_lift_it_loses_them(
    chief: Person, city: Lab, talk: Call, voices: list[Path]
) -> None:
    id = await talk.id()
    asked = asyncio.create_task(chief.orders(f"calls/{id}/take-over", seat="1003"))
    await city.seat("1003").rejects(within=10)
    status, why = await asked
    assert (status, "did not answer" in why["detail"]) == (409, True)
    await asyncio.gather(talk.says(voices[0]), city.seat("1001").says(voices[1]))
    await talk.hears(voices[1])
    asked = asyncio.create_task(chief.orders(f"calls/{id}/take-over", seat="1003"))
    await city.seat("1003").answers(within=10)
    assert (await asked)[0] == 200
    await asyncio.gather(talk.says(voices[2]), city.seat("1003").says(voices[3]))
    await talk.hears(voices[3])
    heard = ears.contains(city.seat("1001").recording(), ears.load(voices[3]))
    assert not heard
    await talk.hangs_up()


async def test_a_supervisors_phone_that_dies_before_the_caller_is_fetched_takes_nobody_away(
    chief: Person, house: House, city: Lab, talk: Call
) -> None:
    path = f"calls/{await talk.id()}/take-over"
    asked = asyncio.create_task(chief.orders(path, seat="1003"))
    await city.seat("1003").rings(within=10)
    before = len(city.house.events)
    with frozen([house.parts()["service"]]):
        await city.seat("1003").answers()
        await city.seat("1003").hangs_up()
        await city.house.event(
            "Asterisk knows that the phone is gone",
            lambda e: e["Event"] == "Hangup" and e["Channel"].startswith("PJSIP/demo-1003-"),
            within=5,
            since=before,
        )
    status, why = await asked
    assert (status, "phone is gone" in str(why)) == (409, True), why
    await chief.shown(f"calls/{await talk.id()}", state="talking", seat="1001")
    await talk.talks()
    await talk.hangs_up()


async def test_a_caller_fetched_for_a_phone_that_has_died_goes_to_the_head_of_the_queue(
    chief: Person, home_wire: Wire, city: Lab, talk: Call
) -> None:
    waiting = await city.caller("13900000002").dials("12345")
    await waiting.waits_in("general", within=GREETED)
    before = len(city.house.events)
    # the service's last steps of a take-over, with a phone that was there when it looked
    mine = (await talk.id()).partition("-")[2]
    rows = await home_wire.ask_list("CoreShowChannels")
    [channel] = [row["Channel"] for row in rows if row.get("Uniqueid") == mine]
    told = {"CALLER_CHANNEL": channel, "HOW": "taken", "ORDER": "o1", "BY": "1003"}
    told["TAKER"] = "PJSIP/demo-1003-0000dead"
    await home_wire.ask(
        "Originate",
        told,
        Channel="Local/s@desk-leads/n",
        Context="desk-leads",
        Exten="1",
        Priority=1,
        Async="true",
    )
    await talk.waits_in("general", within=10, since=before)
    [place] = [
        row["Position"]
        for row in await city.house.ask_list("QueueStatus", Queue="demo-general")
        if row.get("Uniqueid") == mine
    ]
    assert place == "1"
    await talk.hangs_up()
    await waiting.hangs_up()


async def test_only_a_call_that_talks_is_listened_to_and_not_from_its_own_seat(
    chief: Person, city: Lab, talk: Call
) -> None:
    status, why = await chief.orders(f"calls/{await talk.id()}/watch", seat="1001")
    assert (status, "your own phone" in why["detail"]) == (409, True)
    waiting = await city.caller("13900000002").dials("12345")
    await waiting.waits_in("general", within=GREETED)
    status, why = await chief.orders(f"calls/{await waiting.id()}/watch", seat="1003")
    assert (status, "no seat talks" in why["detail"]) == (409, True)
    await waiting.hangs_up()
    await talk.hangs_up()


async def test_asterisks_own_files_recount_all_of_this_to_the_same_figures(
    chief: Person, house: House
) -> None:
    assert truth(house, time.time() - 3600)["differences"] == []
    counted = house.cti("truth", "--from", "-1h", "--to", "now")
    assert "无差异" in counted.stdout, counted.stdout
    assert counted.returncode == 0
