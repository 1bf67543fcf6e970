"""A citizen who is called back is transferred as one who dialled in, by real phones: by the desk's wish, by
the phone's keys, by the phone itself. Who heard whom is judged from what they recorded."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from calls.orders import Kind, Pause, Unpause
from lab import baresip, ears
from lab.parties import Call, Phone, Seat
from lab.scenario import Lab, secret_of
from tests.freezing import strike
from tests.house import House, house_with
from tests.live.seat_town import order, plan_at
from tests.live.transfer_case import AGENT, CENTRE, COLLEAGUE, NEXT, Case
from tests.live.transfer_town import AGENT_GONE, Talk, asks, centre, orders, queued_soon, until_gone
from tests.live.waiting_town import GREETED, call_back_is, kept, takes_call_back, truth

RULE = """
[general.call_back]
after_seconds = 60
trunk = "carrier"
tries = 2
again_after_seconds = 60
ring_seconds = 20
"""
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("moved")
    plan = plan_at(folder)
    with (plan / "queues.toml").open("a", encoding="utf-8") as file:
        file.write(RULE)
    with house_with(folder, plan) as up:
        yield up


class Citizen(Call):
    """The phone outside that was called back; the call is the one in which that promise was kept."""

    def __init__(self, lab: Lab, phone: Seat, promised: str) -> None:
        assert phone.heard_file is not None
        super().__init__(lab, phone.leg, phone.heard_file, phone._since, {"caller": phone.name})
        self._promised = promised

    async def id(self, within: float = 5.0) -> str:
        arrived = await self._lab.house.event(
            f"{self.name} is called back",
            lambda e: e.get("What") == "arrived" and e.get("CallBackOf") == self._promised,
            within,
        )
        return arrived["Call"]


class CalledBack(Case):
    """One call back, led through the transfer table."""

    caller_channel = "Local/"
    promised: Call
    phone: Seat

    def __init__(self, house: House, city: Lab, folder: Path, *, handoff: bool, kind: Kind) -> None:
        super().__init__(house, city, folder, handoff=handoff, kind=kind)
        # nobody else's: a phone's lines outlive a test
        self.citizen = f"139000001{next(NUMBERS):02}"

    async def is_promised(self) -> None:
        """A citizen is in line to be called back, and no agent is free yet."""
        await order(self.house.home, Pause(city="demo", seat=AGENT, reason="meeting"))
        call = await self.city.caller(self.citizen).dials("12345")
        await call.waits_in("general", within=GREETED)
        await takes_call_back(call)
        await call_back_is(call, "standing")
        self.promised = call

    async def agent_is_free(self) -> None:
        self.phone = centre(self.city, self.citizen)
        await self.phone.will_ring()
        await order(self.house.home, Unpause(city="demo", seat=AGENT))

    async def agent_comes(self) -> None:
        """The agent has taken the call back, and the citizen's phone rings."""
        await self.agent_is_free()
        seat = self.city.seat(AGENT)
        await seat.answers(within=20)
        self.agent = seat
        await self.phone.rings(within=20, still=True)

    async def citizen_answers(self) -> None:
        await self.phone.answers()
        self.call = Citizen(self.city, self.phone, await self.promised.id())
        id = await self.call.id()
        await self.city.house.event(
            "citizen and agent hear each other",
            lambda e: (
                e["Event"] == "BridgeEnter"
                and e.get("AccountCode") == id
                # the half that leads to the agent comes to the citizen
                and e.get("Channel", "").endswith(";1")
            ),
            20,
        )

    async def begins(self) -> None:
        self.target = centre(self.city, CENTRE) if self.handoff else self.city.seat(COLLEAGUE)
        await self.is_promised()
        await self.agent_comes()
        await self.citizen_answers()
        self.talk = Talk(self.folder)
        self.talk.joins("caller", self.call)
        self.talk.joins("agent", self.agent)

    async def all_are_gone(self) -> None:
        await until_gone(self.call, self.agent, self.target)


Cases = Callable[..., Awaitable[CalledBack]]


@pytest_asyncio.fixture
async def case(house: House, city: Lab, tmp_path: Path) -> AsyncIterator[Cases]:
    made: list[CalledBack] = []

    async def make(*, handoff: bool = False, kind: Kind = "handoff") -> CalledBack:
        await city.staffed(AGENT, COLLEAGUE, NEXT)
        for number in (CENTRE, "1100"):
            await centre(city, number).will_ring()
        for seat in (AGENT, COLLEAGUE, NEXT):
            await city.seat(seat).will_ring()
        # the queue rings only who is to answer first; a paused seat is still called by its number
        await order(house.home, *(Pause(city="demo", seat=s, reason="meeting") for s in (COLLEAGUE, NEXT)))
        one = CalledBack(house, city, tmp_path, handoff=handoff, kind=kind)
        made.append(one)
        return one

    yield make
    there: list[Phone] = []
    for one in made:
        there += [getattr(one, name) for name in ("phone", "agent", "target") if hasattr(one, name)]
    await until_gone(*there)


async def is_one_kept_promise(house: House, one: CalledBack, began: float) -> None:
    """One promise, kept in one call, whoever took part in it; Asterisk's files tell the same."""
    told = await kept(house, await one.promised.id())
    assert (told["id"], told["first_seat"]) == (await one.call.id(), AGENT)
    assert truth(house, began)["differences"] == []


# --- rows of the transfer table -------------------------------------------------------------------------

FULL = os.environ.get("CTI_PROVE") == "1"
"""Each begins with a call back, which takes half a minute."""
ROWS = [
    ("sent", "refused", "talking", False),
    ("sent", "agent-left", "alone", False),
    ("asking", "agent-left", "queued", False),
    ("consulting", "takeback", "talking", False),
    ("consulting", "together", "together", False),
    ("ringing", "agent-left", "queued", False),
    ("together", "caller-left", "over", False),
    ("handed", "target-left", "over", False),
    ("handed", "target-left", "queued", True),
]
"""The keys below lead through most of the others."""
if not FULL:
    ROWS = [row for row in ROWS if row[:2] in (("sent", "agent-left"), ("consulting", "takeback"))]


@pytest.mark.parametrize(("state", "fact", "then", "handoff"), ROWS, ids=lambda x: str(x))
async def test_a_row_of_the_table_with_a_citizen_who_was_called_back(
    house: House, case: Cases, state: str, fact: str, then: str, handoff: bool
) -> None:
    began = time.time()
    one = await case(handoff=handoff)
    await one.reaches(state)
    await one.speaks("before", state)
    await one.hears_meanwhile(state)
    since = len(one.city.house.events)
    await one.happens(state, fact)
    if then in ("queued", "alone"):
        if then == "alone":
            # nobody lifts it
            await queued_soon(one.call, one.agent, since)
        else:
            await one.call.waits_in("general", AGENT_GONE)
            await one.hears_meanwhile(then)
        # the head of the queue is a promise that somebody answers
        await one.next_seat()
        then = "talking"
    elif then == "over" and fact != "caller-left":
        await one.call.ends()
    await one.speaks("after", then)
    await one.all_are_gone()
    assert await one.talk.heard() == one.expected({"before": state, "after": then})
    await is_one_kept_promise(house, one, began)


# --- keys, the phone itself ------------------------------------------------------------------------------

KEYED: dict[Kind, tuple[str, str]] = {
    "blind": (f"*81{COLLEAGUE}#", "handed"),
    "consult": (f"*82{COLLEAGUE}#", "consulting"),
    "three": (f"*83{COLLEAGUE}#", "together"),
    "handoff": (f"*{CENTRE}", "together"),
}


@pytest.mark.parametrize("kind", KEYED if FULL else ("blind", "handoff"))
async def test_keys_transfer_a_citizen_who_was_called_back_while_the_service_is_frozen(
    house: House, case: Cases, kind: Kind
) -> None:
    began = time.time()
    keys, then = KEYED[kind]
    one = await case(handoff=kind == "handoff")
    await one.begins()
    service = house.parts()["service"]
    strike(service.pid, signal.SIGSTOP)
    try:
        await one.agent.presses(keys)
        ring = await one.target.rings(within=10)
        # the plan hides the numbers of calls back from agents; a centre has to see who needs help
        assert ring["caller"] == (one.citizen if one.handoff else "12345")
        await one.answered()
        if kind == "blind":
            await one.agent.ends()
        elif kind != "consult":
            await one.told("joined")
        await one.speaks("answered", then)
        if kind != "blind":
            await one.agent.hangs_up()
            await one.told("handed")
            await one.told("joined")
            await one.speaks("left", "handed")
        await one.all_are_gone()
    finally:
        service.signal(signal.SIGCONT)
    marks = {"answered": then} | ({} if kind == "blind" else {"left": "handed"})
    assert await one.talk.heard() == one.expected(marks)
    await is_one_kept_promise(house, one, began)


async def test_a_phone_that_transfers_by_itself_brings_a_citizen_who_was_called_back_to_a_colleague(
    house: House, city: Lab, case: Cases, tmp_path: Path, voices: list[Path]
) -> None:
    """REFER by a stranger's phone (baresip): colleague and citizen hear each other, the agent is out."""
    one = await case()
    async with (
        city.away(AGENT),
        baresip.seat(
            tmp_path / "phone", city.seat(AGENT).name, secret_of(house.home, f"demo-{AGENT}"),
            house=house.base, port=house.base + 64, say=voices[1],
        ) as stranger,
    ):  # fmt: skip
        await city.staffed(COLLEAGUE, keep=AGENT)
        await order(house.home, Pause(city="demo", seat=COLLEAGUE, reason="meeting"))
        await one.is_promised()
        await one.agent_is_free()
        await stranger.talks(within=20)
        await one.phone.rings(within=20, still=True)
        await one.citizen_answers()
        await stranger.transfers(COLLEAGUE, house=house.base)
        one.target = city.seat(COLLEAGUE)
        await one.target.rings(within=10)
        await one.target.answers()
        await one.told("answered")
        await one.target.says(voices[2])
        await one.call.says(voices[3])
        await one.call.hears(voices[2])
        await one.target.hears(voices[3])
        await one.call.hangs_up()
        assert not ears.contains(await stranger.heard(), ears.load(voices[2])), "the agent is out"
        await one.target.ends()


# --- what cannot be ----------------------------------------------------------------------------------------


async def test_nobody_is_transferred_before_the_citizen_has_answered_and_the_agent_is_told_why(
    house: House, city: Lab, case: Cases
) -> None:
    one = await case()
    await one.is_promised()
    await one.agent_comes()
    since = city.client.count
    status, told = await orders(house.home, f"/api/seats/demo/{AGENT}/transfer", kind="blind", to=COLLEAGUE)
    assert (status, "the citizen has not answered yet" in told["detail"]) == (409, True), told
    assert AGENT not in [row["seat"] for row in await asks(house.home, "/api/transfers")]
    await one.agent.presses(f"*83{COLLEAGUE}#")
    await one.citizen_answers()
    assert [
        x for x in city.client.lines(since) if x["phone"].endswith(COLLEAGUE) and x["what"] == "rings"
    ] == []
    async with asyncio.timeout(10):
        # told by Asterisk to others a moment before
        while not (  # noqa: ASYNC110  # no event tells that the service knows
            rows := [
                row
                for row in await asks(house.home, "/api/transfers")
                if (row["seat"], row["state"]) == (AGENT, "talking")
            ]
        ):
            await asyncio.sleep(0.1)
    (row,) = rows
    assert row["call"] == await one.call.id()
    assert "consult" in row["buttons"]
    await one.agent.hangs_up()
    await one.call.ends()
    await call_back_is(one.promised, "done")
