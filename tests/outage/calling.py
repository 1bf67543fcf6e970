"""A caller on the way from the greeting to a seat, measured by Asterisk's own time stamps."""

from __future__ import annotations

from dataclasses import dataclass

from lab.parties import Call
from lab.scenario import Lab
from lab.wire import Wire
from tests.outage.witness import Witness, at

FIRST = "quick-1001"
"""The seat that always rings first, and is busy here."""
OTHERS = ("1002", "1003", "1004", "1005", "1006")


@dataclass(frozen=True, slots=True)
class Served:
    """Seconds from the end of the greeting: ``seconds`` to the first ring of a free seat, ``asked`` to the
    end of the question."""

    call: str
    seconds: float
    asked: float
    status: str
    by: str
    place: str
    seat: str


async def first_seat_talks(city: Lab, *, others: int = 1) -> Call:
    """The first seat talks to somebody; ``others`` further seats are free and answer by themselves."""
    await city.staffed("1001", *OTHERS[:others])
    for seat in OTHERS[:others]:
        await city.seat(seat).will_answer()
    call = await city.caller("13900000001").dials("12345")
    await city.seat("1001").answers(call)
    return call


async def served(city: Lab, witness: Witness, caller: str = "13900000002", within: float = 15.0) -> Served:
    """A citizen calls, a free seat answers, both are connected, the citizen hangs up."""
    call = await city.caller(caller).dials("12345")
    return await is_served(call, witness, within)


async def is_served(call: Call, witness: Witness, within: float = 15.0) -> Served:
    """See this call connected to a seat and ended by the citizen. Raises Unheard."""
    id = await call.id()
    leg = id.partition("-")[2]
    asked = await witness.event("the question is over", witness.told("asked", id), within)
    greeted = await witness.event("the greeting ended", witness.told("greeted", id), within)
    ring = await witness.event(
        f"a free seat rings for {id}",
        lambda e: e["Event"] == "AgentCalled" and e["Uniqueid"] == leg and e["MemberName"] != FIRST,
        within,
    )
    met = await witness.event(
        f"AgentConnect of {id}", lambda e: e["Event"] == "AgentConnect" and e["Uniqueid"] == leg, within
    )
    assert met["MemberName"] == ring["MemberName"]
    await call.hangs_up()
    assert (await call.ends())["by"] == "self", "the caller was dropped"
    return Served(
        call=id,
        seconds=at(ring) - at(greeted),
        asked=at(asked) - at(greeted),
        status=asked["Status"],
        by=asked["By"],
        place=asked["Next"],
        seat=ring["MemberName"],
    )


async def ask_again(city: Lab, at: int = 0) -> None:
    """Asterisk forgets that the service failed just now: the next caller asks it, and no other one before it.
    Or it believes that the rest lasts until this second (since the epoch)."""
    await _believes(city, ASK_AGAIN_AT=at, ASK_FIRST_UNTIL=0)


async def the_rest_is_over(city: Lab) -> None:
    """The next caller asks, and Asterisk still knows who was silent."""
    await _believes(city, ASK_AGAIN_AT=0)


async def _believes(city: Lab, **known: int) -> None:
    home = city.home
    wire = Wire(lambda _: None)
    await wire.connect("127.0.0.1", home.ports.ami, "service", home.secrets["ami_service"], events="off")
    try:
        for name, value in known.items():
            await wire.ask("Setvar", Variable=name, Value=value)
    finally:
        await wire.close()
