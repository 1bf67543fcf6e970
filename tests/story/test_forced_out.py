"""Whose caller it is when a supervisor forces a seat out, and what is ordered or refused then."""

from __future__ import annotations

from typing import Any, Literal

import pytest

import cti.desk
from calls import facts as f
from calls.facts import Fact, LegId
from calls.model import Call
from calls.orders import Free, HangUp, Order
from cti.desk import ASKED, PASSED_ON, VANISHED, Desk
from cti.errors import Refused
from cti.switchboard import replay
from cti.web.orders import By
from cti.web.who import Role, Who
from tests.story.a_call import CALLER, SEAT_LEG, answered, said, seat_starts
from tests.story.plan_files import demo

COLLEAGUE = LegId("n1-100.3")
LOCAL = LegId("n1-100.5")
"""By which a third comes into a room: no seat's phone."""
CHIEF = By(Who("chief", Role.SUPERVISOR))
Caller = Literal["queue", "end"]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cti.desk, "LOOK", 0.0)


def signed_in() -> list[Fact]:
    return [said(f.SeatSignedIn, 50.0, seat=seat) for seat in ("1001", "1002")]


def moved(*steps: str, kind: str = "three") -> list[Fact]:
    """Seat 1001 talks, and these steps of a transfer to 1002 were told; the phone of 1002 is up by then."""
    facts = [*signed_in(), *answered(), seat_starts(COLLEAGUE, "1002", 120.0)]
    facts.append(said(f.LegAnswered, 121.0, leg=COLLEAGUE))
    told: dict[str, Any] = {"kind": kind, "to": "1002"}
    return facts + [
        said(f.TransferStepped, 122.0 + n, step=step, **told) for n, step in enumerate(("asked", *steps))
    ]


def without_agent() -> list[Fact]:
    return [said(f.LegEnded, 130.0, leg=SEAT_LEG)]


def held() -> list[Fact]:
    """The caller waits for those who consult."""
    return [said(f.LegLeft, 123.0, leg=CALLER), said(f.LegLeft, 123.0, leg=SEAT_LEG)]


def in_a_room(*legs: LegId) -> list[Fact]:
    return [said(f.LegJoined, 129.0, leg=leg, bridge="room") for leg in legs]


def desk(facts: list[Fact], refused: str = "") -> tuple[Desk, list[Order]]:
    """Orders are noted; ``refused``: why Asterisk leads nobody away."""
    board, orders = replay(facts), list[Order]()

    async def do(order: Order) -> str:
        orders.append(order)
        if refused and isinstance(order, Free):
            raise Refused(refused)
        return ""

    async def past(id: str) -> Call | None:
        raise AssertionError(id)

    return Desk(lambda: board, lambda: {"demo": demo()}, do, lambda plan, prompt: None, past), orders


async def forced(facts: list[Fact], seat: str, caller: Caller = "queue") -> list[Order]:
    """What is ordered beside the sign-out."""
    there, orders = desk(facts)
    await there.force_out("demo", seat, caller, True, CHIEF)
    return orders[1:]


@pytest.mark.parametrize(
    "facts",
    [
        [*moved("answered", "joined", "handed"), *in_a_room(SEAT_LEG, CALLER, LOCAL), *without_agent()],
        [
            *moved("answered", "together", "joined", "handed", kind="consult"),
            *held(),
            *in_a_room(SEAT_LEG, CALLER, COLLEAGUE),
            *without_agent(),
        ],
    ],
    ids=["three", "consulted, then together"],
)
@pytest.mark.parametrize("caller", ["queue", "end"])
async def test_a_colleague_to_whom_a_caller_was_left_is_freed_of_them_and_nobody_is_hung_up(
    facts: list[Fact], caller: Caller
) -> None:
    assert await forced(facts, "1002", caller) == [Free(city="demo", seat="1002", leg=CALLER, to=caller)]


@pytest.mark.parametrize(
    "facts",
    [
        [*moved("answered", kind="consult"), *held()],
        moved("answered", "joined"),
        # the colleague came into the room before the agent did
        [
            *moved("answered", "together", "joined", kind="consult"),
            *held(),
            *in_a_room(CALLER, COLLEAGUE, SEAT_LEG),
        ],
    ],
    ids=["consulting", "three", "consulted, then together"],
)
async def test_a_colleague_who_is_only_asked_can_end_no_caller_and_stays_then(facts: list[Fact]) -> None:
    there, orders = desk(facts)
    with pytest.raises(Refused) as why:
        await there.force_out("demo", "1002", "end", True, CHIEF)
    assert (str(why.value), orders) == (ASKED, [])
    assert await forced(facts, "1002") == [HangUp(leg=COLLEAGUE)]
    assert await forced(facts, "1001", "end") == [Free(city="demo", seat="1001", leg=CALLER, to="end")]


async def test_a_caller_who_cannot_be_ended_any_more_is_told_of_and_the_seat_is_out() -> None:
    there, orders = desk([*signed_in(), *answered()], refused="somebody else has the caller by now")
    with pytest.raises(Refused, match="seat 1001 is out; somebody else has"):
        await there.force_out("demo", "1001", "end", True, CHIEF)
    assert orders[2:] == [HangUp(leg=SEAT_LEG)]


def announced() -> list[Fact]:
    """Seat 1001 has answered and its agent is being told to the caller: app_queue says nothing yet."""
    facts = answered()
    end = next(n for n, fact in enumerate(facts) if isinstance(fact, f.QueueLeft))
    return [*signed_in(), *facts[:end]]


async def test_a_queue_taken_away_cuts_no_phone_that_has_answered() -> None:
    there, orders = desk(announced())
    await there.set_queues("demo", "1001", {"market": 0}, CHIEF)
    assert orders[1:] == []
    ringing = announced()[:-1]
    there, orders = desk(ringing)
    await there.set_queues("demo", "1001", {"market": 0}, CHIEF)
    assert orders[1:] == [HangUp(leg=SEAT_LEG, cause=VANISHED)]


async def test_who_is_forced_out_as_they_are_announced_leaves_the_caller_and_cannot_end_them() -> None:
    orders = await forced(announced(), "1001")
    assert orders
    assert {order for order in orders} == {HangUp(leg=SEAT_LEG, cause=VANISHED)}
    there, orders = desk(announced())
    with pytest.raises(Refused) as why:
        await there.force_out("demo", "1001", "end", True, CHIEF)
    assert (str(why.value), orders) == (PASSED_ON, [])


async def test_a_supervisor_who_took_a_caller_over_out_of_a_room_is_freed_of_them() -> None:
    taken = [*moved("answered", "joined"), said(f.CallTakenOver, 125.0, by="1003")]
    taken += [said(f.LegEnded, 126.0, leg=SEAT_LEG), said(f.LegEnded, 126.0, leg=COLLEAGUE)]
    taken += [
        seat_starts(LegId("n1-100.4"), "1003", 124.0),
        said(f.LegAnswered, 124.5, leg=LegId("n1-100.4")),
    ]
    taken += in_a_room(CALLER, LegId("n1-100.4"))
    there, orders = desk([said(f.SeatSignedIn, 50.0, seat="1003"), *taken])
    await there.force_out("demo", "1003", "queue", True, CHIEF)
    assert orders[1:] == [Free(city="demo", seat="1003", leg=CALLER)]
