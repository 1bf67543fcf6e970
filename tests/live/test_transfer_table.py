"""Every row of the transfer table, by real phones; who heard whom is judged from what they recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from calls.orders import Kind, Transfer
from lab.parties import Call, Phone, Seat
from lab.scenario import Lab
from tests.house import House, ports, running
from tests.live.seat_town import order, plan_at
from tests.live.transfer_town import Talk, centre, step_told, talking, until_gone
from transfer.table import STATES, Fact, State, rows

ROWS = [(s.value, f.value, r.then.value, centre) for s, f, r, centre in rows()]
AGENT, COLLEAGUE, NEXT = "1001", "1003", "1002"
CENTRE = "110"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("table")
    home = folder / "home"
    home.mkdir()
    with ports() as base, running(home, base, [plan_at(folder)]) as up:
        yield up


class Case:
    """One call, led through the table."""

    def __init__(self, house: House, city: Lab, folder: Path, *, handoff: bool) -> None:
        self.house, self.city, self.handoff = house, city, handoff
        self.folder = folder
        self.since = 0
        self.target: Seat
        self.call: Call
        self.talk: Talk
        self.agent: Phone

    @property
    def to(self) -> str:
        return CENTRE if self.handoff else COLLEAGUE

    async def begins(self) -> None:
        self.talk, self.call = await talking(self.city, self.folder, AGENT)
        self.agent = self.talk.parties["agent"]
        self.target = centre(self.city, CENTRE) if self.handoff else self.city.seat(COLLEAGUE)

    async def wishes(self, kind: Kind, to: str = "") -> None:
        await order(self.house.home, Transfer(city="demo", seat=AGENT, kind=kind, to=to))

    async def told(self, step: str, within: float = 10.0) -> None:
        await step_told(self.city, self.call, step, within)

    # --- the ways to a state ---------------------------------------------------------------------

    async def reaches(self, state: str) -> None:
        await self.begins()
        match state:
            case "asking" | "consulting":
                await self.wishes("consult", self.to)
                await self.target.rings(within=5)
            case "ringing" | "together":
                await self.wishes("handoff" if self.handoff else "three", self.to)
                await self.target.rings(within=5)
            case "handed" | "sent" | "queued":
                await self.wishes("handoff" if self.handoff else "blind", self.to)
                await self.target.rings(within=5)
        match state:
            case "consulting" | "together":
                await self.answered()
            case "handed":
                await self.answered()
                if self.handoff:
                    await self.agent.hangs_up()
                    await self.told("handed")
            case "queued":
                await self.target.rejects()
                await self.told("back")
                await self.call.waits_in("general")

    async def answered(self) -> None:
        await self.target.answers()
        self.talk.joins("target", self.target)
        await self.told("answered")

    # --- facts ------------------------------------------------------------------------------------

    async def happens(self, state: str, fact: str) -> None:
        match fact:
            case "blind" | "consult" | "three" | "handoff":
                await self.wishes(fact, self.to)
                await self.target.rings(within=5)
                if fact == "blind":
                    await self.agent.ends()
            case "takeback":
                await self.wishes("takeback")
                await self.target.ends()
            case "together":
                await self.wishes("together")
                await self.told("joined")
            case "leave":
                await self.wishes("leave")
                await self.agent.ends()
                await self.told("handed")
            case "answered":
                await self.answered()
                if state == "ringing":
                    await self.told("joined")
            case "refused":
                await self.target.rejects()
                await self.told("back" if state == "sent" else "refused")
            case "target-left":
                await self.target.hangs_up()
                await self.told("target-left")
            case "agent-left":
                await self.agent.hangs_up()
                if state in ("asking", "ringing"):
                    await self.told("back")
                elif state != "talking":
                    await self.told("handed")
            case "caller-left":
                await self.call.hangs_up()
            case "seat-answered":
                await self.next_seat()
            case _:
                raise AssertionError(f"nobody knows how to bring about {fact!r}")

    async def next_seat(self) -> None:
        seat = self.city.seat(NEXT)
        await seat.answers(self.call, within=25)
        self.talk.joins("agent", seat)
        self.agent = seat

    # --- what must be true ------------------------------------------------------------------------

    def present(self, state: str) -> tuple[str, ...]:
        """Who has a phone at the ear in this state."""
        with_agent = state in ("talking", "asking", "consulting", "ringing", "together")
        with_target = state in ("consulting", "together", "handed")
        return ("caller", *(["agent"] if with_agent else []), *(["target"] if with_target else []))

    async def speaks(self, mark: str, state: str) -> None:
        if state not in ("over", "queued", "sent"):
            await self.talk.speak(mark, *self.present(state))

    def expected(self, marks: dict[str, str]) -> dict[str, set[tuple[str, str]]]:
        found: dict[str, set[tuple[str, str]]] = {name: set() for name in self.talk.files}
        for mark, state in marks.items():
            for pair in STATES[State(state)].hear if state not in ("over", "queued", "sent") else ():
                one, two = sorted(pair)
                found[one].add((mark, two))
                found[two].add((mark, one))
        return found


@pytest_asyncio.fixture
async def case(house: House, city: Lab, tmp_path: Path) -> AsyncIterator[Callable[[bool], Awaitable[Case]]]:
    cases: list[Case] = []

    async def make(handoff: bool) -> Case:
        await city.staffed(AGENT, COLLEAGUE, NEXT)
        for number in (CENTRE, "1100"):
            await centre(city, number).will_ring()
        # the queue knows only who is to answer first, and who comes after
        made = Case(house, city, tmp_path, handoff=handoff)
        cases.append(made)
        return made

    yield make
    for made in cases:
        await until_gone(made.call, made.agent, made.target)


@pytest.mark.parametrize(("state", "fact", "then", "only_centre"), ROWS, ids=lambda x: str(x))
async def test_a_row_of_the_table_on_real_phones(
    case: Callable[[bool], Awaitable[Case]], state: str, fact: str, then: str, only_centre: bool
) -> None:
    one = await case(only_centre or fact == Fact.HANDOFF)
    await one.reaches(state)
    await one.speaks("before", state)
    await one.happens(state, fact)
    if then == "queued":
        await one.call.waits_in("general")
        # the head of the queue is a promise that somebody answers
        await one.next_seat()
        then = "talking"
    elif then == "sent":
        await one.answered()
        then = "handed"
    elif then == "over" and fact != "caller-left":
        await one.call.ends()
    await one.speaks("after", then)
    await until_gone(one.call, one.agent, one.target)
    assert await one.talk.heard() == one.expected({"before": state, "after": then})
