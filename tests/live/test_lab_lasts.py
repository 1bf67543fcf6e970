"""The lab outlives what happens to its Asterisk and to the house's, and a city can call all day."""

from __future__ import annotations

import signal

import pytest

from cti.asterisk_process import Process, process
from lab.city import Traffic
from lab.client import NotDone
from lab.scenario import Lab
from tests.house import House
from tests.live.test_recordings import until
from tests.outage.test_asterisk_dies import kept


def lab_asterisk(house: House) -> Process:
    found = process(int((house.home.lab / "pid").read_text()))
    assert found is not None
    return found


async def test_the_labs_asterisk_comes_back_with_its_phones_and_tells_whom_it_lost(
    house: House, city: Lab
) -> None:
    await city.staffed("1001")
    call = await city.caller().dials("12345")
    await call.is_answered()
    since = city.client.count
    lab_asterisk(house).signal(signal.SIGKILL)
    end = await call.ends(within=10)
    assert end["by"] == "lost"
    # the dead carrier said no BYE: the house still holds the call
    house.asterisk_cli("channel request hangup all")
    await city.client.line(
        "1001 registers again", lambda x: x["phone"] == "demo-1001" and x["what"] == "registered", 15, since
    )
    assert not (await city.phones())["demo-1002"], "a phone that was taken off the network stays off it"
    again = await city.caller().dials("12345")
    await again.is_answered()
    await again.hangs_up()


async def test_the_phones_are_back_seconds_after_the_house_was_restarted(house: House, city: Lab) -> None:
    asterisk = house.parts()["asterisk"]
    # Asterisk's own database is behind by a second: a phone that registered just now would be forgotten
    phones = set(await city.phones())
    await until("registrations are on disk", lambda: registered(house), phones.issubset)
    asterisk.signal(signal.SIGKILL)
    assert await asterisk.ended(within=5)
    await house.answers_again()
    async with Lab(house.home) as again_city:
        await again_city.staffed("1001", "1002", within=40, patient=True)
        call = await again_city.caller().dials("12345")
        await call.rings_at(within=16)
        await call.hangs_up()


def registered(house: House) -> set[str]:
    """Phones whose registration would survive a kill."""
    contacts = kept(house, "/registrar/contact/%")
    return {key.rpartition("/")[2].partition(";")[0] for key in contacts}


async def test_a_city_keeps_calling_and_its_people_reach_seats(city: Lab) -> None:
    seats = ("1001", "1002", "1003", "1004", "1005", "1006", "1007", "1008")
    for seat in seats:
        await city.seat(seat).will_answer(after=0.2, talk=2.0)
    await city.staffed(*seats)
    traffic = Traffic(city.client, rate=1.0, seed=5)
    await traffic.run(seconds=15)
    assert traffic.made >= 5
    assert traffic.reached >= 1
    lines = city.client.lines()
    sent = [x for x in lines if x["what"] == "sent" and x["kind"] == "citizen"]
    assert len({x["caller"] for x in sent}) > 3
    assert {x["leg"] for x in sent} == {
        x["leg"] for x in lines if x["what"] == "ended" and x["kind"] == "citizen"
    }


async def test_orders_that_cannot_be_obeyed_say_why(city: Lab) -> None:
    with pytest.raises(NotDone, match=r"no phone 'demo-9999' \(phones: demo-1001, "):
        await city.client.ask("behave", phone="demo-9999", does="answer")
    with pytest.raises(NotDone, match=r"no trunk into city 'nowhere' \(cities: demo\)"):
        await city.client.ask("dial", number="12345", city="nowhere")
    with pytest.raises(NotDone, match=r"number .* digits"):
        await city.client.ask("dial", number="12345,s,1)\r\nAction: Logoff")
    with pytest.raises(NotDone, match="not a WAV file"):
        await city.client.ask("dial", number="12345", say="/etc/hostname")
    with pytest.raises(NotDone, match="no such order"):
        await city.client.ask("self_destruct")
