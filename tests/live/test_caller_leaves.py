"""A caller hangs up in each phase of a call: what the ledger says, what is owed, and that nothing is left.

All of them call at once, each at a number of their own; the tests look at what they left behind.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from calls.orders import Pause, Unpause
from cti.refill import MARGIN
from lab.client import Unheard
from lab.parties import Call, Seat
from lab.scenario import Lab
from lab.wav import write
from tests.house import House, house_with
from tests.live import leaving_town as town
from tests.live.leaving_town import is_in, leaving_plan, long_voice, message_grows, music, over, owed
from tests.live.seat_town import order, seat_is, told
from tests.live.test_recordings import http, until
from tests.live.transfer_town import centre
from tests.live.waiting_town import call_back_is, outside_behaves, outside_rings, truth


@dataclass
class Evening:
    """What the callers of all phases leave."""

    house: House
    city: Lab
    folder: Path
    calls: dict[str, str] = field(default_factory=dict)
    """CALL_ID by phase."""
    faults: dict[str, BaseException] = field(default_factory=dict)
    """Why a phase was not reached."""
    began: float = field(default_factory=time.time)

    async def dials(self, line: str, caller: str = "13900000001") -> Call:
        return await self.city.caller(caller, town.CITY).dials(town.NUMBERS[line][0])

    async def waits(self, line: str, queue: str, caller: str = "13900000001") -> Call:
        call = await self.dials(line, caller)
        await call.waits_in(queue, within=20)
        return call

    async def leaves(self, phase: str, call: Call) -> None:
        self.calls[phase] = await call.id()
        await call.hangs_up()


Phase = Callable[[Evening], Coroutine[None, None, None]]
PHASES: dict[str, Phase] = {}
"""How each caller comes to where they hang up."""
AFTERWARDS: dict[str, Phase] = {}
"""Those who are called back: once all the others have left that queue."""


def phase(named: str, among: dict[str, Phase] = PHASES) -> Callable[[Phase], Phase]:
    def add(reached: Phase) -> Phase:
        among[named] = reached
        return reached

    return add


# --- before a queue, and without one ------------------------------------------------------------------------


@phase("greeting")
async def _greeting(e: Evening) -> None:
    call = await e.dials("greeting")
    await is_in(e.city, call, "leave-line-greeting", "Playback")
    await e.leaves("greeting", call)


@phase("key menu")
async def _menu(e: Evening) -> None:
    call = await e.dials("menu")
    await is_in(e.city, call, "leave-menu-keys", "Read")
    await e.leaves("key menu", call)


@phase("apology")
async def _apology(e: Evening) -> None:
    call = await e.dials("sorry")
    await is_in(e.city, call, "leave-message-sorry", "Playback")
    await e.leaves("apology", call)


@phase("duty phone rings")
async def _night(e: Evening) -> None:
    phone = centre(e.city, town.NIGHT)
    await phone.will_ring()
    call = await e.dials("night")
    await phone.rings(within=20)
    await is_in(e.city, call, "leave-phone-night", "Dial")
    await e.leaves("duty phone rings", call)
    await phone.ends()


# --- waiting --------------------------------------------------------------------------------------------


@phase("music")
async def _music(e: Evening) -> None:
    """And a second one in the same queue, who goes while they are told their place."""
    first = await e.waits("say", "say")
    await music(e.city, first, "Start")
    second = await e.waits("say", "say", "13900000002")
    begun = await music(e.city, second, "Start")
    # what follows is spoken for four seconds
    await music(e.city, second, "Stop", begun)
    await e.leaves("place", second)
    await e.leaves("music", first)


@phase("reassured")
async def _reassured(e: Evening) -> None:
    call = await e.waits("calm", "calm")
    begun = await music(e.city, call, "Start")
    # the voice that follows is long
    await music(e.city, call, "Stop", begun)
    await e.leaves("reassured", call)


@phase("call-back offer")
async def _offer(e: Evening) -> None:
    call = await e.waits("back", "back")
    begun = await music(e.city, call, "Start")
    await music(e.city, call, "Stop", begun)
    await e.leaves("call-back offer", call)


async def keys(e: Evening, caller: str) -> Call:
    call = await e.waits("back", "back", caller)
    await call.presses("1")
    return call


@phase("number read out")
async def _read_out(e: Evening) -> None:
    call = await keys(e, "13900000007")
    await is_in(e.city, call, "read-out", "Playback")
    await e.leaves("number read out", call)


@phase("confirming")
async def _confirming(e: Evening) -> None:
    call = await keys(e, "13900000004")
    await is_in(e.city, call, "call-back", "Read", "callback-confirm")
    await e.leaves("confirming", call)


@phase("keying a number")
async def _keying(e: Evening) -> None:
    call = await keys(e, "")
    await is_in(e.city, call, "call-back", "Read", "callback-enter")
    await call.presses("555")
    await e.leaves("keying a number", call)


# --- a seat ---------------------------------------------------------------------------------------------


@phase("ringing")
async def _ringing(e: Evening) -> None:
    call = await e.dials("rings")
    await seat_is(e.house.home, town.RINGS, state="ringing", call=await call.id())
    await e.leaves("ringing", call)


@phase("agent's number")
async def _announced(e: Evening) -> None:
    await e.city.seat(town.ANNOUNCES).will_answer()
    call = await e.dials("announces")
    await is_in(e.city, call, "seat-announce")
    await e.leaves("agent's number", call)


@phase("talking")
async def _talking(e: Evening) -> None:
    await e.city.seat(town.TALKS).will_answer()
    call = await e.dials("talks")
    await call.talks(within=20)
    await e.leaves("talking", call)


@phase("held")
async def _held(e: Evening) -> None:
    call, seat = await e.dials("holds"), e.city.seat(town.HOLDS)
    await seat.answers(call)
    await call.talks()
    since = len(e.city.house.events)
    await seat.holds()
    # Asterisk knows it, too
    await music(e.city, call, "Start", since)
    await e.leaves("held", call)


# --- the end of the road --------------------------------------------------------------------------------


@phase("message at the end of the chain")
async def _chain(e: Evening) -> None:
    """Two queues that nobody staffs, a seat at home, a duty phone that declines, a recorded message."""
    await outside_behaves(e.city, town.DUTY, "reject")
    call, home = await e.dials("chain"), e.city.seat(town.AT_HOME)
    joined = float((await call.waits_in("home", within=20))["Timestamp"])
    rang = await home.rings(within=20, call=call)
    assert rang["at"] - joined > town.WIDEN_AFTER - 1.0
    await outside_rings(e.city, town.DUTY)
    # speaks all the time: silence would end the message
    saying = asyncio.create_task(call.says(e.folder / "words.wav"))
    await is_in(e.city, call, "leave-message-leave", "Record")
    await message_grows(e.house, await call.id())
    await e.leaves("message at the end of the chain", call)
    with pytest.raises(Unheard):
        await saying


# --- called back ----------------------------------------------------------------------------------------


async def promised(e: Evening, named: str, citizen: str) -> None:
    """Who hangs up once it is promised, before all is said."""
    call = await keys(e, citizen)
    await is_in(e.city, call, "call-back", "Read", "callback-confirm")
    await call.presses("1")
    await call_back_is(call, "standing")
    await is_in(e.city, call, "call-back", "Playback", "callback-kept", "callback-confirmed")
    await e.leaves(named, call)


EARLY, LATE = "13900000005", "13900000006"


@phase("promised")
async def _promised(e: Evening) -> None:
    await promised(e, "promised", EARLY)


@phase("promised too")
async def _promised_too(e: Evening) -> None:
    await promised(e, "promised too", LATE)


async def rung(e: Evening, citizen: str, of: str) -> tuple[Seat, str]:
    """The citizen's phone rings; and the call in which the promise is kept."""
    phone = centre(e.city, citizen)
    await phone.rings(within=30, still=True)
    arrived = await told(e.city, "arrived", CallBackOf=e.calls[of])
    return phone, arrived["Call"]


async def back_is(e: Evening, of: str, state: str) -> None:
    """The dialplan says so of the call back promised in this phase."""
    await e.city.house.event(
        f"{of}: {state}",
        lambda x: (
            (x.get("What"), x.get("Call")) == ("call-back", e.calls[of])
            and x.get("Record", "").split("/")[-2:-1] == [state]
        ),
        20,
    )


@phase("called back, greeting", AFTERWARDS)
async def _early(e: Evening) -> None:
    phone, back = await rung(e, EARLY, "promised")
    since = len(e.city.house.events)
    await phone.answers()
    # it begins with the sentence that greets
    await told(e.city, "recording", since=since, Call=back)
    e.calls["called back, greeting"] = back
    await phone.hangs_up()
    await back_is(e, "promised", "given-up")


@phase("called back, talking", AFTERWARDS)
async def _late(e: Evening) -> None:
    phone, back = await rung(e, LATE, "promised too")
    await phone.answers()
    await told(e.city, "greeted", within=30, Call=back)
    e.calls["called back, talking"] = back
    await phone.hangs_up()
    await back_is(e, "promised too", "done")


# --- all of them ----------------------------------------------------------------------------------------

OFFERED = ("call-back offer", "number read out", "confirming", "keying a number", "promised", "promised too")
"""Phases in the queue whose callers may be called back."""


async def an_evening(house: House, folder: Path) -> Evening:
    async with Lab(house.home) as city:
        e = Evening(house, city, folder)
        await city.staffed(*town.SEATS)
        for seat in town.SEATS:
            await seat_is(house.home, seat, state="ready")
        await seat_is(house.home, town.NOBODY, state="unreachable")
        # nobody is called back while others wait there to be heard
        backs = (town.BACK, town.BACK_TOO)
        await order(house.home, *(Pause(city=town.CITY, seat=seat, reason="meeting") for seat in backs))

        # what began so soon after the service's first look may be put right from Asterisk's files
        await asyncio.sleep(max(0.0, e.began + MARGIN - time.time()))
        callers = {named: asyncio.create_task(reached(e)) for named, reached in PHASES.items()}
        await asyncio.wait([callers[named] for named in OFFERED])
        for citizen in (EARLY, LATE):
            await outside_behaves(city, citizen, "ignore")
        for seat in backs:
            await city.seat(seat).will_answer()
        await order(house.home, *(Unpause(city=town.CITY, seat=seat) for seat in backs))
        callers |= {named: asyncio.create_task(reached(e)) for named, reached in AFTERWARDS.items()}
        await asyncio.wait(callers.values())
        e.faults = {named: why for named, task in callers.items() if (why := task.exception()) is not None}
        return e


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("leaving")
    with house_with(folder, leaving_plan(folder)) as up:
        town.sentences_last(up)
        yield up


@pytest.fixture(scope="module")
def evening(house: House, tmp_path_factory: pytest.TempPathFactory) -> Evening:
    """The calls are made once; what the tests look at is what they left."""
    folder = tmp_path_factory.mktemp("words")
    write(folder / "words.wav", long_voice())
    return asyncio.run(an_evening(house, folder))


@dataclass(frozen=True)
class Told:
    """What the ledger is to say."""

    by: str
    stage: str
    """Of whom nobody answered."""
    visits: tuple[tuple[str, str], ...] = ()
    """Queue and outcome."""
    seats: tuple[tuple[str, str], ...] = ()
    """Seat and part; any of those that call back is ``back``."""
    owed: bool = False


def waited(queue: str, outcome: str = "abandoned") -> Told:
    return Told("caller", "waiting", ((queue, outcome),))


def spoke(queue: str, seat: str) -> Told:
    return Told("caller", "", ((queue, "answered"),), ((seat, "answered"),))


LEDGER = {
    "greeting": Told("caller", "greeting"),
    "key menu": Told("caller", "menu"),
    "apology": Told("caller", "message"),
    # the overflow leads there before any queue
    "duty phone rings": Told("caller", "menu"),
    "music": waited("say"),
    "place": waited("say"),
    "reassured": waited("calm"),
    "call-back offer": waited("back"),
    "number read out": waited("back", "key"),
    "confirming": waited("back", "key"),
    "keying a number": waited("back", "key"),
    "promised": Told("system", "message", (("back", "key"),), owed=True),
    "promised too": Told("system", "message", (("back", "key"),), owed=True),
    "ringing": Told("caller", "ringing", (("rings", "abandoned"),), ((town.RINGS, "stopped"),)),
    "agent's number": spoke("announces", town.ANNOUNCES),
    "talking": spoke("talks", town.TALKS),
    "held": spoke("holds", town.HOLDS),
    "message at the end of the chain": Told(
        "caller", "message", (("home", "timeout"),), ((town.AT_HOME, "missed"),), owed=True
    ),
    "called back, greeting": Told("system", "", (("back", "answered"),), (("back", "answered"),)),
    "called back, talking": Told("system", "", (("back", "answered"),), (("back", "answered"),)),
}


@pytest.mark.parametrize("named", LEDGER)
def test_the_ledger_says_where_a_caller_hung_up(house: House, evening: Evening, named: str) -> None:
    if (fault := evening.faults.get("music" if named == "place" else named)) is not None:
        raise fault
    row = over(house, evening.calls[named])
    back = (town.BACK, town.BACK_TOO)
    found = Told(
        row["left_by"],
        # the talk is over a moment before the call is: in no figure
        row["stage"] if row["answered"] is None else "",
        tuple((visit["queue"], visit["outcome"]) for visit in row["its visits"]),
        tuple(("back" if x["seat"] in back else x["seat"], x["part"]) for x in row["its stints"]),
        bool(row["owed"]),
    )
    assert found == LEDGER[named]
    assert row["source"] == "heard", "put right from Asterisk's files"
    status, raw, _ = http(house, f"/api/calls/{evening.calls[named]}/story")
    assert status == 200
    assert ("来电人挂机" in raw.decode()) == (found.by == "caller")


def test_a_caller_who_hangs_up_held_was_held(house: House, evening: Evening) -> None:
    (stint,) = over(house, evening.calls["held"])["its stints"]
    assert stint["hold"] > 0


def test_a_chain_of_overflows_is_the_services_advice_and_each_link_was_there(
    house: House, evening: Evening
) -> None:
    chain, night = (
        over(house, evening.calls[named]) for named in ("message at the end of the chain", "duty phone rings")
    )
    assert (chain["advice"], chain["advised_by"]) == ("queue:home", "service")
    assert (night["advice"], night["advised_by"]) == ("phone:night", "service")


async def test_only_who_was_promised_a_call_or_left_words_is_owed_one(house: House, evening: Evening) -> None:
    left = evening.calls["message at the end of the chain"]
    for named in LEDGER:
        over(house, evening.calls[named])
    # the file of the message is filed after the call's end
    open_now = await until(
        "the message is filed", lambda: owed(house), lambda now: left in now and now[left]["message"]
    )
    # one citizen was gone before the sentence that greets was over, and the plan allows one try
    assert open_now.keys() == {left, evening.calls["promised"]}
    assert over(house, evening.calls["called back, greeting"])["greeted"] is None
    for family in ("hotline-callback", "hotline-stand-in"):
        assert "0 results" in house.asterisk_cli(f"database show {family}")


async def test_no_channel_is_left_and_every_seat_is_ready(house: House, evening: Evening) -> None:
    async with Lab(house.home, by_hand=False) as lab:
        await lab.quiet()
    for seat in town.SEATS:
        await seat_is(house.home, seat, state="ready", device="not_inuse", call=None, missed=0)


def test_asterisks_own_files_tell_the_same(house: House, evening: Evening) -> None:
    found = truth(house, evening.began)
    assert found["differences"] == []
    assert found["calls"] == len(LEDGER)
