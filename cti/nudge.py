"""A seat gets free while somebody waits: app_queue is told to look now and not within a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from calls import facts as f
from calls.orders import Nudge, Order
from cti.errors import NotNow, Refused
from cti.switchboard import Board, Heard
from queues.nudge import whom

AFTER = (0.02, 0.15, 1.02, 2.02)
"""Seconds after a seat got free: app_queue learns of it a moment after us, and its own wrapuptime (two
seconds at most, decision 6) ends without a word."""
_FREEING = (f.SeatDevice, f.SeatUnpaused, f.SeatSignedIn, f.PhoneReachable)


class Nudger:
    """``hear`` is a listener of the switchboard; ``run`` carries out, one seat after another."""

    def __init__(self, board: Callable[[], Board], do: Callable[[Order], Awaitable[str]]) -> None:
        self._board, self._do = board, do
        self._seats: set[tuple[str, str]] = set()
        """Seats that got free and are not yet followed."""
        self._news = asyncio.Event()
        self.given = 0

    def hear(self, heard: Heard) -> None:
        fact = heard.fact
        if isinstance(fact, _FREEING):
            self._seats.add((fact.city, fact.seat))
            self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._news.wait()
                self._news.clear()
                for key in self._seats:
                    group.create_task(self._follow(key))
                self._seats.clear()

    async def _follow(self, key: tuple[str, str]) -> None:
        before = 0.0
        for moment in AFTER:
            await asyncio.sleep(moment - before)
            before = moment
            board = self._board()
            seat = board.seats.seats.get(key)
            waiting = [board.visits.last[call] for call in board.visits.waiting]
            calls = [board.picture.calls.get(visit.call) for visit in waiting]
            greeted = {call.id: call.greeted for call in calls if call is not None and call.greeted}
            legs = whom(seat, waiting, board.picture.ringing, greeted)
            if not legs:
                return
            for leg in legs:
                try:
                    await self._do(Nudge(leg=leg))
                except (NotNow, Refused):
                    continue  # gone meanwhile; and app_queue looks by itself
                self.given += 1
