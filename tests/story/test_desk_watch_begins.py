"""Whom a supervisor may listen to: the agent who talks to this caller, or has answered and is about to."""

from __future__ import annotations

import pytest

from calls import facts as f
from calls.orders import Order, Watch
from cti.desk import Desk
from cti.errors import Refused
from cti.switchboard import Switchboard
from cti.web.orders import By
from cti.web.who import Role, Who
from tests.story.a_call import CALL, SEAT_LEG, answered, said
from tests.story.plan_files import demo

CHIEF = By(Who("chief", Role.SUPERVISOR))


class House:
    """A desk whose orders are noted."""

    def __init__(self, *told: f.Fact) -> None:
        self.board = Switchboard()
        self.orders: list[Order] = []
        plan = demo()
        self.board.hear(said(f.SeatSignedIn, 90.0, seat="1003"))
        for fact in told:
            self.board.hear(fact)
        self.desk = Desk(
            lambda: self.board.board, lambda: {"demo": plan}, self._do, lambda plan, prompt: None, self._past
        )

    async def _do(self, order: Order) -> str:
        self.orders.append(order)
        return ""

    async def _past(self, call: str) -> None:
        return None

    async def watched(self) -> Watch:
        await self.desk.watch(CALL, "1003", "listen", CHIEF)
        (order,) = self.orders
        assert isinstance(order, Watch)
        return order


async def test_an_agent_who_has_answered_is_listened_to_before_the_two_are_in_one_bridge() -> None:
    """That they talk is told some milliseconds earlier, and a quick hand orders then."""
    assert (await House(*answered()).watched()).leg == SEAT_LEG
    on_the_way = [fact for fact in answered() if not isinstance(fact, f.LegJoined)]
    assert (await House(*on_the_way).watched()).leg == SEAT_LEG


async def test_nobody_is_listened_to_whose_agent_has_gone() -> None:
    gone = [said(f.LegLeft, 120.0, leg=SEAT_LEG), said(f.LegEnded, 120.0, leg=SEAT_LEG)]
    house = House(*answered(), *gone)
    with pytest.raises(Refused, match="no seat talks"):
        await house.watched()
