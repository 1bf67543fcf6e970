"""What the live board shows, read off the switchboard; and the switchboard's ear that tells the hub."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from calls import facts as f
from calls.facts import CallId, LegId
from calls.model import Call, CallState, Seat
from calls.picture import city_of
from calls.standing import Announcement, Watching
from cti.errors import Broken, NotNow
from cti.filing import Alarm
from cti.store.history import History
from cti.switchboard import Board, Heard
from cti.web import api
from cti.web.hub import Hub, Row, plain
from cti.web.staffing import shortfall_answer
from plan.model import Plan
from plan.outgoing import hides
from queues.any_day import DAY
from queues.running import Running
from queues.short import Shortfall
from recording.flagged import SHOWN, Flag
from transfer.handoff import Handoff, Now, all_stand, stands

log = structlog.get_logger("board")

STOPPED = ("missed", "lost")
"""Reasons for which the dialplan pauses a seat by itself (asterisk_conf.seat_leg)."""
LAST_WORDS = 30.0
"""Seconds after a call's end in which its agent is still told: the last words become text after them."""
RECORDS_SHOWN = 3600.0
"""Seconds after its last change that a hand-off record which is over stands in snapshots."""
SEED_AGAIN = (20.0, 900.0)
"""Seconds: soon after the start the database has the journal's last rows; later what was refilled."""


def alarm_row(alarm: Alarm) -> Row:
    return {
        "at": alarm.at,
        "call": alarm.call,
        "city": city_of(alarm.call),
        "leg": alarm.leg,
        "seat": "",
        "why": alarm.why,
    }


def stopped_row(seat: Seat, why: str) -> Row:
    """Nobody there chose this pause: the seat answered no call, or its phone died in one."""
    return {
        "at": seat.since,
        "call": "",
        "city": seat.city,
        "leg": "",
        "seat": seat.name,
        "why": why,
    }


def _goes_on(call: Call | None) -> bool:
    return call is not None and call.state is not CallState.ENDED


class LiveBoard:
    """Implements ``cti.web.hub.Look``. ``hear`` is a listener of the switchboard."""

    def __init__(
        self,
        board: Callable[[], Board],
        shortfalls: Callable[[], Sequence[Shortfall]],
        history: History,
        plans: Callable[[], Mapping[str, Plan]] = dict,
        alarms: Callable[[], Sequence[Alarm]] = tuple,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``alarms``: the last recordings that are missing or short."""
        self._board, self._shortfalls, self._history = board, shortfalls, history
        self._plans, self._alarms, self._now = plans, alarms, now
        self._stopped: dict[tuple[str, str], str] = {}
        """Seats that supervisors were told of, and why."""
        self.running = Running()
        known = board()
        self._stood = {now.call: now for now in all_stand(known.moves, known.picture.calls)}
        self.hub = Hub(self)

    # --- what is there --------------------------------------------------------------------------------

    def calls(self) -> Sequence[Call]:
        return self._board().picture.live()

    def seats(self) -> Sequence[Seat]:
        seats = self._board().seats.seats
        return [seats[key] for key in sorted(seats)]

    def agent_at(self, city: str, seat: str) -> str:
        found = self._board().seats.seats.get((city, seat))
        return found.agent if found is not None else ""

    def hides(self, call: Call) -> bool:
        plan = self._plans().get(call.city)
        return hides(plan, ours=call.outgoing or bool(call.callback_of))

    def boards(self) -> Mapping[str, Row]:
        rows: dict[str, Row] = {}
        for queue in self._board().queues_now():
            rows[f"queue {queue.city} {queue.name}"] = {
                "kind": "queue",
                **api.queue_answer(queue).model_dump(),
            }
        for figure in self.running.figures(time.time()):
            rows[f"figure {figure.city}"] = {
                "kind": "figure",
                "city": figure.city,
                "hours": 24,
                "offered": figure.offered,
                "answered": figure.answered,
                "within": figure.within,
                "abandoned": figure.abandoned,
                "connect_rate": figure.connect_rate,
                "within_15s": figure.within_15s,
            }
        try:
            found = self._shortfalls()
        except NotNow:
            found = ()
        for short in found:
            told = shortfall_answer(short).model_dump()
            rows[f"short {short.city} {short.queue}"] = {"kind": "shortfall", **told}
        return rows

    def watches(self) -> Sequence[Watching]:
        return list(self._board().standing.watches.values())

    def announcements(self) -> Sequence[Announcement]:
        return list(self._board().standing.announcements.values())

    def transfers(self) -> Sequence[Now]:
        return list(self._stood.values())

    def handoffs(self) -> Sequence[Handoff]:
        """Of calls that go on, and of the last hour."""
        since = self._now() - RECORDS_SHOWN
        return [h for h in self._board().moves.records.values() if h.ended is None or h.changed >= since]

    def flags(self) -> Sequence[Flag]:
        """Of calls that go on, and of the last hour."""
        board, now = self._board(), self._now()
        return [
            flag
            for call, flags in board.flags.by_call.items()
            for flag in flags
            if now - flag.at < SHOWN or _goes_on(board.picture.calls.get(call))
        ]

    def flagged_agent(self, call: CallId) -> str:
        known = self._board().picture.calls.get(call)
        if known is None:
            return ""
        after = known.ended is not None and self._now() - known.ended < LAST_WORDS
        return self.agent_at(known.city, known.seat) if known.state is CallState.TALKING or after else ""

    def alarms(self) -> Sequence[Row]:
        """Of recordings those of the last day; of seats those that are paused so now."""
        now = self._now()
        stopped = [x for x in self.seats() if x.paused in STOPPED]
        # whoever reads this is to be told of its end too
        self._stopped |= {(x.city, x.name): x.paused for x in stopped}
        rows = [alarm_row(x) for x in self._alarms() if now - x.at < DAY]
        return rows + [stopped_row(x, x.paused) for x in stopped]

    def link(self) -> dict[str, Any]:
        picture = self._board().picture
        return {
            "linked": picture.linked and picture.stale_since is None,
            "stale_since": picture.stale_since,
            "version": picture.version,
        }

    # --- what happens ---------------------------------------------------------------------------------

    def alarmed(self, alarm: Alarm) -> None:
        """A recording is missing or short: the supervisors' boards show it."""
        if self._now() - alarm.at < DAY:
            self.hub.warned(alarms=[alarm_row(alarm)])

    def hear(self, heard: Heard) -> None:
        """A listener of the switchboard."""
        for call in heard.calls:
            self.running.put(call)
        standing = heard.board.standing
        link = isinstance(heard.fact, f.LinkUp | f.LinkDown | f.Snapshot)
        stopped = [row for seat in heard.seats for row in self._seat_stopped(seat)]
        if heard.flags or stopped:
            self.hub.warned(heard.flags, stopped)
        self._moved(heard)
        if not (heard.calls or heard.seats or heard.forgotten or standing.touched or link):
            return
        self.hub.changed(
            heard.calls, heard.seats, heard.forgotten, [self._standing(k) for k in standing.touched], link
        )

    def _moved(self, heard: Heard) -> None:
        board = heard.board
        calls = {c.id for c in heard.calls} | {*heard.forgotten} | {h.call for h in heard.handoffs}
        if isinstance(heard.fact, f.Snapshot):
            calls |= self._stood.keys()
        if heard.call is not None:
            calls.add(heard.call)
        moved, over = [], []
        for call in calls:
            now, before = stands(board.moves, call, board.picture.calls.get(call)), self._stood.get(call)
            if now is not None and now != before:
                self._stood[call] = now
                moved.append(now)
            elif now is None and before is not None:
                del self._stood[call]
                over.append(call)
        if moved or over or heard.handoffs:
            self.hub.moved(moved, over, heard.handoffs)

    def _seat_stopped(self, seat: Seat) -> list[Row]:
        """What supervisors have to be told of this seat; an end is a row with ``over``."""
        key, rows = (seat.city, seat.name), []
        told, why = self._stopped.pop(key, ""), seat.paused if seat.paused in STOPPED else ""
        if told and told != why:
            rows.append({**stopped_row(seat, told), "over": True})
        if why:
            self._stopped[key] = why
            rows += [stopped_row(seat, why)] if why != told else []
        return rows

    def _standing(self, key: LegId | tuple[str, str]) -> tuple[str, str, Row]:
        """(kind, city, row) of what changed; an end is a row with ``over``."""
        standing = self._board().standing
        if isinstance(key, tuple):
            up = standing.announcements.get(key)
            city, line = key
            return "announcement", city, plain(up) if up else {"city": city, "line": line, "over": True}
        watch = standing.watches.get(key)
        return "watch", watch.city if watch else "", plain(watch) if watch else {"leg": key, "over": True}

    async def run(self) -> None:
        """The figures of the last day, from the database; until cancelled."""
        soon, later = SEED_AGAIN
        pause = soon
        while True:
            try:
                now = time.time()
                span = await self._history.span(now - DAY, now)
                for number, call in enumerate(span.calls):
                    self.running.put(call)
                    if number % 500 == 499:
                        await asyncio.sleep(0)
                self.hub.changed()
            except (NotNow, Broken) as why:
                log.warning("the day's figures wait for the database", why=str(why))
            await asyncio.sleep(pause)
            pause = later
