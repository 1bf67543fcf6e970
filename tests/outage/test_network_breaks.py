"""Phones and carriers off the network, and numbers nobody owns: no seat rings for nobody."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket

from lab import sipp
from lab.client import Unheard
from lab.scenario import Lab
from tests.house import House
from tests.outage import hands
from tests.outage.calling import served
from tests.outage.conftest import tidy
from tests.outage.measured import note
from tests.outage.truth import agree
from tests.outage.witness import Witness, at

RING = 3.0
DEAD_PHONE = 20.0
"""Seconds until a phone that vanished without a word is known as gone (qualified every few seconds)."""

ONE_RING = 15.0
"""Seconds: this plan's ring time of 5 s, Asterisk's retry, and room for a slow machine."""
GHOSTS_GONE = 30.0
"""Seconds: the queue's wait of 5 s and the message at the end of the road, with room for a slow machine."""


async def test_a_vanished_phone_never_rings_for_nobody(house: House, city: Lab, witness: Witness) -> None:
    async with city.handset("1001") as phone:
        await city.staffed("1002", keep="1001")
        await city.seat("1002").will_answer()
        since = len(witness.events)
        phone.dies()
        gone = await witness.event(
            "the house knows that the phone is gone",
            lambda e: (
                e["Event"] == "DeviceStateChange"
                and e["Device"] == "PJSIP/quick-1001"
                and e["State"] == "UNAVAILABLE"
            ),
            DEAD_PHONE,
            since,
        )
        found = await served(city, witness)
        assert note("first seat's phone vanished", found.seconds, RING) <= RING
        offered = [e["MemberName"] for e in witness.all("AgentCalled") if at(e) > at(gone)]
        assert offered == ["quick-1002"]

        def shown() -> bool:
            seats = hands.get(house.home, "/api/seats?city=quick") or ()
            return [x["state"] for x in seats if x["seat"] == "1001"] == ["unreachable"]

        # Asterisk told the witness and the service at once: who reads it first is chance
        await asyncio.to_thread(hands.until, "the service shows that the phone is gone", shown, 10)


async def test_no_seat_at_all_means_waiting_not_a_dropped_call_and_the_first_phone_back_rings(
    city: Lab, witness: Witness
) -> None:
    await city.staffed()
    call = await city.caller().dials("12345")
    await call.waits_in("general")
    with contextlib.suppress(Unheard):
        await call.ends(within=1)
        raise AssertionError("the caller was dropped")
    assert not witness.all("AgentCalled")
    await city.seat("1002").comes_back()
    await city.seat("1002").answers(call)
    await call.hangs_up()


async def test_a_number_nobody_owns_is_answered_by_a_voice_and_rings_nowhere(
    house: House, city: Lab, witness: Witness
) -> None:
    await city.staffed("1001")
    call = await city.caller().dials("99999")
    await call.is_answered()
    end = await call.ends(within=30)
    assert end["by"] == "far"
    assert not witness.all("AgentCalled")


async def test_a_peer_that_is_no_trunk_gets_nowhere(house: House, city: Lab, witness: Witness) -> None:
    """Known by its address only: a call from another one is refused before any dialplan."""
    scenario = sipp.caller(refused=(401, 403))
    folder = house.home.root / "stranger"
    folder.mkdir(exist_ok=True)
    outcome = await sipp.call(
        scenario, folder, number="12345", house=house.base, source="127.0.0.99",
        port=free_port("127.0.0.99"), within=10,
    )  # fmt: skip
    assert outcome.made == 1
    assert not [e for e in witness.events if e.get("What") == "arrived"]
    assert not witness.all("Newchannel")


def free_port(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


async def test_a_phone_that_vanishes_while_it_rings_costs_one_ring_time_not_the_call(
    city: Lab, witness: Witness
) -> None:
    async with city.handset("1001") as phone:
        await city.staffed("1002", keep="1001")
        await city.seat("1002").will_answer()
        call = await city.caller().dials("12345")
        await phone.rings()
        phone.dies()
        met = await witness.event("the other seat answers", lambda e: e["Event"] == "AgentConnect", ONE_RING)
        assert met["MemberName"] == "quick-1002"
        greeted = await witness.event("greeted", witness.told("greeted", await call.id()), 1)
        note("first seat's phone vanished while ringing", at(met) - at(greeted), ONE_RING)
        await call.hangs_up()


async def test_callers_whose_carrier_vanished_are_gone_after_the_plans_wait_and_new_ones_are_served(
    house: House,
) -> None:
    """Nobody says BYE. Until the wait of the queue is over they look like callers."""
    async with Lab(house.home) as before:
        await before.staffed("1001")
        ghost = await before.caller().dials("12305")
        await ghost.rings_at("1001")
        lab = house.parts()["lab"]
        dead = [lab, *(p for pid in hands.descendants(lab.pid) if (p := hands.living(pid)) is not None)]
        for each in dead:
            each.signal(signal.SIGKILL)

    def back() -> bool:
        state = house.home.state()["parts"].get("lab", {})
        return bool(state.get("state") == "ready" and state.get("pid") != lab.pid)

    await asyncio.to_thread(hands.until, "the city is back", back, 40)
    async with Lab(house.home) as after, Witness(house.home) as witness:
        await after.staffed("1002")
        await after.seat("1002").will_answer()
        await served(after, witness)
        await after.quiet(within=GHOSTS_GONE)
        await agree(house.home, after.house, "quick")
    await tidy(house)
