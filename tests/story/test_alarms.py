"""Recordings that are missing or short: told to supervisors at once, and still there after a restart."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from calls.facts import CallId, LegId
from cti.errors import NotNow
from cti.filing import Alarm, Filer
from cti.live_board import LiveBoard
from cti.store.history import History
from cti.switchboard import Switchboard
from cti.web.hub import Client
from cti.web.who import Role, Who
from recording.filed import Filed
from recording.table import State
from tests.story.test_hub import Line

NOW = 100_000.0


def lost(n: int, ended: float = NOW - 60, why: str = "no-file", city: str = "demo") -> Filed:
    leg = f"n1-{n}.1"
    return Filed(
        leg=LegId(leg), call=CallId(f"{city}-{leg}"), city=city, state=State.MISSING if why else State.FILED,
        why=why, began=ended - 10, ended=ended, short=0.0 if why else 4.0,
    )  # fmt: skip


class Store:
    """A database with these rows, away as long as it is told so."""

    def __init__(self, *rows: Filed) -> None:
        self.rows, self.away = list(rows), 0

    async def lacking(
        self, since: float | None, until: float | None, city: str | None, most: int
    ) -> list[Filed]:
        if self.away:
            self.away -= 1
            raise NotNow("away")
        return [r for r in self.rows if city in (None, r.city)][:most]

    async def legs(self) -> dict[str, str]:
        return {r.leg: r.why for r in self.rows}


class Desk:
    def __init__(self, folder: Path, *rows: Filed) -> None:
        self.store = Store(*rows)
        board = Switchboard()
        told: Any = self.store
        self.filer = Filer(
            folder, told, lambda: told, lambda: board.board, board.hear, node="n1", now=lambda: NOW,
        )  # fmt: skip
        self.live = LiveBoard(
            lambda: board.board, tuple, History("sqlite+aiosqlite://"), dict, lambda: self.filer.alarms,
            now=lambda: NOW,
        )  # fmt: skip
        self.filer.alarmed = self.live.alarmed

    def joins(self, role: Role, city: str = "demo") -> Line:
        line = Line()
        self.live.hub.join(Client(Who("x", role, city), line))
        return line

    async def remembers(self) -> None:
        """Run until what was missing before is known."""
        running = asyncio.create_task(self.filer.run())
        async with asyncio.timeout(10):
            while not self.filer.alarms:  # noqa: ASYNC110  # a list grows and tells nobody
                await asyncio.sleep(0)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def told_of(line: Line) -> list[tuple[str, str]]:
    rows = [row for m in line.said() if m["kind"] == "changes" for row in m["changes"]]
    return [(r["leg"], r["why"]) for r in rows if r["kind"] == "alarm"]


async def test_an_alarm_is_a_row_for_supervisors_of_its_city_and_for_nobody_else(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    chief, elsewhere = desk.joins(Role.SUPERVISOR), desk.joins(Role.SUPERVISOR, "luan")
    observer, agent = desk.joins(Role.OBSERVER), desk.joins(Role.AGENT)
    desk.filer.alarm(CallId("demo-n1-1.1"), LegId("n1-1.1"), "short")
    await desk.live.hub.flush()
    assert told_of(chief) == [("n1-1.1", "short")]
    assert [told_of(line) for line in (elsewhere, observer, agent)] == [[], [], []]
    assert [a["leg"] for a in desk.joins(Role.SUPERVISOR).said()[0]["alarms"]] == ["n1-1.1"]
    assert "alarms" not in desk.joins(Role.OBSERVER).said()[0]


async def test_a_service_that_starts_knows_what_was_missing_before_and_shows_the_last_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti.filing.LOOK", 0.0)
    desk = Desk(tmp_path, lost(1), lost(2, ended=NOW - 90_000), lost(3, why=""))
    desk.store.away = 1
    chief = desk.joins(Role.SUPERVISOR)
    await desk.remembers()
    assert [(a.leg, a.why) for a in desk.filer.alarms] == [
        ("n1-2.1", "no-file"),
        ("n1-1.1", "no-file"),
        ("n1-3.1", "short"),
    ]
    await desk.live.hub.flush()
    shown = [("n1-1.1", "no-file"), ("n1-3.1", "short")]
    assert told_of(chief) == shown
    assert [(a["leg"], a["why"]) for a in desk.live.alarms()] == shown


async def test_what_only_this_process_knows_stands_beside_what_the_database_says(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lost(1), lost(9, city="luan"))
    desk.filer.alarm(CallId("demo-n1-1.1"), LegId("n1-1.1"), "no-file")
    desk.filer.alarm(CallId("demo-n1-4.1"), LegId("n1-4.1"), "not-carried")
    found = await desk.filer.lacking(None, None, "demo")
    assert found == [
        Alarm(NOW - 60, CallId("demo-n1-1.1"), LegId("n1-1.1"), "no-file"),
        Alarm(NOW, CallId("demo-n1-4.1"), LegId("n1-4.1"), "not-carried"),
    ]
    assert await desk.filer.lacking(NOW + 1, None, "zezhou") == []
