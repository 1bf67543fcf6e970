"""Every row of the transfer table, by real phones; who heard whom is judged from what they recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from asterisk_conf.transfer_reach import SEAT_SECONDS
from calls.orders import Kind, Pause
from lab.scenario import Lab
from tests.house import House, house_with
from tests.live.seat_town import order, plan_at
from tests.live.transfer_case import AGENT, CENTRE, COLLEAGUE, NEXT, Case
from tests.live.transfer_town import centre, queued_soon, until_gone
from transfer.table import VANISHED, Fact, State, rows

# phones that die: test_seats.py while they talk, test_transfer_rescue.py in a transfer
ROWS = [
    (s.value, f.value, r.then.value, "handoff" if urgent else "")
    for s, f, r, urgent in rows()
    if f not in VANISHED
]
# the unclear case differs only in who leaves when
ROWS += [
    (s.value, f.value, r.then.value, "three")
    for s, f, r, urgent in rows()
    if r.then is State.QUEUED and (urgent or s is State.RINGING)
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("table")
    with house_with(folder, plan_at(folder)) as up:
        yield up


@pytest_asyncio.fixture
async def case(house: House, city: Lab, tmp_path: Path) -> AsyncIterator[Callable[[str], Awaitable[Case]]]:
    cases: list[Case] = []

    async def make(kind: str) -> Case:
        """``kind``: a centre is asked by this wish; empty: a colleague."""
        await city.staffed(AGENT, COLLEAGUE, NEXT)
        for number in (CENTRE, "1100"):
            await centre(city, number).will_ring()
        # the queue rings only who is to answer first; a paused seat is still called by its number
        await order(house.home, *(Pause(city="demo", seat=s, reason="meeting") for s in (COLLEAGUE, NEXT)))
        asks: Kind = "three" if kind == "three" else "handoff"
        made = Case(house, city, tmp_path, handoff=bool(kind), kind=asks)
        cases.append(made)
        return made

    yield make
    for made in cases:
        await until_gone(made.call, made.agent, made.target)


@pytest.mark.parametrize(("state", "fact", "then", "centre_by"), ROWS, ids=lambda x: str(x))
async def test_a_row_of_the_table_on_real_phones(
    case: Callable[[str], Awaitable[Case]], state: str, fact: str, then: str, centre_by: str
) -> None:
    one = await case(centre_by or ("handoff" if fact == Fact.HANDOFF else ""))
    await one.reaches(state)
    await one.speaks("before", state)
    await one.hears_meanwhile(state)
    since = len(one.city.house.events)
    await one.happens(state, fact)
    if then == "queued":
        await one.call.waits_in("general", since=since)
        await one.hears_meanwhile(then)
        # the head of the queue is a promise that somebody answers
        await one.next_seat()
        then = "talking"
    elif then == "sent":
        await one.happens(then, "answered")
        then = "handed"
    elif then == "alone":
        # nobody lifts it
        await queued_soon(one.call, one.agent, since)
        await one.next_seat()
        then = "talking"
    elif then == "over" and fact != "caller-left":
        await one.call.ends()
    await one.speaks("after", then)
    await until_gone(one.call, one.agent, one.target)
    assert await one.talk.heard() == one.expected({"before": state, "after": then})


KINDS: tuple[Kind, ...] = ("blind", "consult", "three")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["busy", "off-the-network", "unanswered"])
async def test_whoever_cannot_be_had_leaves_the_caller_with_the_agent(
    case: Callable[[str], Awaitable[Case]], kind: Kind, how: str
) -> None:
    one = await case("")
    await one.begins()
    if how == "off-the-network":
        since = one.city.client.count
        await one.target.leaves_the_network()
        await one.city.client.line(
            "the house has let it go",
            lambda x: x["phone"] == one.target.name and x["what"] == "unregistered",
            5,
            since,
        )
    await one.wishes(kind, COLLEAGUE)
    if how != "off-the-network":
        await one.target.rings(within=5)
    if how == "busy":
        await one.target.rejects(busy=True)
    await one.told("refused", SEAT_SECONDS + 5)
    await one.together_again()
    await one.speaks("after", "talking")
    await until_gone(one.call, one.agent)
    assert (await one.talk.heard())["caller"] == {("after", "agent")}
