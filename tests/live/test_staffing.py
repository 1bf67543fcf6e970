"""Too few signed in, and duties handed over: a real socket, a real SQLite file, the real commands."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import time
import tomllib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from typer.testing import CliRunner

from calls import audit
from calls.facts import LegId
from calls.model import Seat, SeatState
from calls.note import ShiftNote
from calls.picture import Picture
from cti.__main__ import command_tree
from cti.errors import NotNow
from cti.home import Home
from cti.kept import Kept
from cti.retention import OldNotes
from cti.staffing import Staffing
from cti.store.duties import DutyStore
from cti.store.history import History, sqlite_url
from cti.store.journal import Reader
from cti.store.recordings import RecordingStore, Span
from cti.store.records import Position
from cti.store.tickets import TicketStore
from cti.switchboard import Board, Switchboard
from cti.web.metrics import Metrics
from cti.web.roster import RosterDoor
from cti.web.server import Web
from queues.cover import Outlook
from queues.seat import Seats
from queues.shift import zone
from queues.stint import Part, Stint
from queues.visit import Outcome, Visit
from recording.filed import Filed, Heard, Role
from recording.ticket import Ticket
from tests.story.plan_files import DEMO, checked, demo, demo_files
from tests.story.test_duties import ANSWERED, OWED, a_call

TOKENS = {"operator": "o-secret", "observer": "s-secret"}
WORKDAY = datetime(2026, 11, 2, 10, 10, tzinfo=UTC) - timedelta(hours=8)
PROVED = Picture(linked=True, stale_since=None)


def board(*seats: Seat) -> Board:
    return Board(picture=PROVED, seats=Seats(seats={(s.city, s.name): s for s in seats}))


def ready(name: str, *queues: str, agent: str) -> Seat:
    return Seat("demo", name, SeatState.READY, 0.0, queues=queues, agent=agent)


class Town:
    """The HTTP door over a board that the test sets and a database in a file."""

    def __init__(
        self, client: TestClient[web.Request, web.Application], history: History, home: Home
    ) -> None:
        self.client = client
        self.history = history
        self.home = home
        self.board = board()
        self.now: float | None = None
        """What time it is for who looks at the roster; None: the time it is."""

    async def get(self, path: str, role: str = "operator") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {TOKENS[role]}"}
        async with self.client.get(path, headers=headers) as answer:
            return answer.status, json.loads(await answer.text())


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[tuple[Town, Staffing]]:
    home = Home(tmp_path)
    history = History(sqlite_url(home.database))
    plan = demo()
    boards: list[Town] = []
    staffing = Staffing(lambda: {"demo": plan}, lambda: boards[0].board)
    gauge = ("hotline_seats_short", "People missing", staffing.short)
    kept = Kept(Switchboard(), Reader(home.journal), history=history, shortfalls=staffing.shortfalls)

    def look(city: str, first: date, last: date, now: float) -> Outlook:
        return staffing.outlook(city, first, last, now if boards[0].now is None else boards[0].now)

    roster = RosterDoor(lambda told, who: told or "demo", staffing.today, look)
    door = Web("127.0.0.1", 0, kept, TOKENS, Metrics([gauge]), (roster,))
    async with TestClient(TestServer(door.app())) as client:
        boards.append(Town(client, history, home))
        yield boards[0], staffing
    await history.close()


async def test_too_few_signed_in_is_told_over_http_and_as_a_figure_until_enough_are(
    town: tuple[Town, Staffing],
) -> None:
    city, staffing = town
    staffing.look(WORKDAY.timestamp())
    status, told = await city.get("/api/shortfalls", "observer")
    assert status == 200
    assert {row["queue"]: (row["need"], row["present"]) for row in told} == {
        queue: (1, 0) for queue in ("general", "market", "fund", "expert")
    }
    assert next(row["missing"] for row in told if row["queue"] == "expert") == ["8007", "8008"]
    async with city.client.get("/metrics") as figures:
        assert "hotline_seats_short 4.0" in await figures.text()
    city.board = board(
        ready("1001", "general", "market", agent="8001"),
        ready("1005", "market", "general", agent="8005"),
        ready("1006", "fund", "general", agent="8006"),
        ready("1008", "expert", agent="8008"),
    )
    staffing.look(WORKDAY.timestamp())
    assert await city.get("/api/shortfalls?city=demo") == (200, [])
    assert staffing.short() == 0


async def test_nothing_is_told_as_short_while_the_picture_is_not_proved(town: tuple[Town, Staffing]) -> None:
    city, staffing = town
    city.board = replace(city.board, picture=Picture())
    staffing.look(WORKDAY.timestamp())
    with pytest.raises(NotNow):
        staffing.shortfalls()
    status, problem = await city.get("/api/shortfalls")
    assert (status, problem["title"]) == (503, "not now")


async def test_the_roster_over_http_has_the_holes_of_the_command_and_who_is_signed_in_now(
    town: tuple[Town, Staffing],
) -> None:
    city, staffing = town
    city.board = board(ready("1006", "fund", "general", agent="8006"))
    today = staffing.today("demo")
    status, told = await city.get("/api/roster", "observer")
    assert status == 200
    days = ("--from", told["first"], "--to", told["last"])
    checked = json.loads((await asyncio.to_thread(cti, "roster", "check", str(DEMO), *days, "--json"))[1])
    assert [(h["kind"], h["queue"], h["en"]) for h in told["holes"]] == [
        (h["kind"], h["queue"], h["en"]) for h in checked["holes"]
    ]
    assert told["first"] in (f"{today}", f"{today + timedelta(days=1)}"), "a midnight may have passed"
    city.now = WORKDAY.timestamp()
    day = "/api/roster?from=2026-11-02&to=2026-11-02"
    rows = (await city.get(day))[1]["intervals"]
    (row,) = [row for row in rows if any(q["signed_in"] is not None for q in row["queues"].values())]
    assert row["since"] <= city.now < row["until"]
    assert {queue: (q["signed_in"], q["signed_in_able"]) for queue, q in row["queues"].items()} == {
        "general": (1, 1), "market": (0, 0), "fund": (0, 1), "expert": (0, 0),
    }, "a person counts for one queue"  # fmt: skip
    city.board = replace(city.board, picture=Picture())
    rows = (await city.get(day))[1]["intervals"]
    assert {q["signed_in"] for row in rows for q in row["queues"].values()} == {None}
    status, problem = await city.get("/api/roster?city=luan")
    assert (status, problem["field"], "add roster.toml" in problem["detail"]) == (404, "city", True)
    assert (await city.get("/api/roster?from=2026-11-20&to=2027-11-20"))[1]["field"] == "to"


async def test_one_roster_is_looked_at_at_a_time_and_who_asks_for_the_same_days_has_the_same_answer(
    tmp_path: Path,
) -> None:
    arrived, all_here = list[str](), asyncio.Event()
    looked, may_end = list[date](), threading.Event()

    def today(city: str) -> date:
        # nothing is waited for between this and the door's decision
        arrived.append(city)
        if len(arrived) == 3:
            all_here.set()
        return WORKDAY.date()

    def look(city: str, first: date, last: date, now: float) -> Outlook:
        looked.append(first)
        assert may_end.wait(60)
        return Outlook(city, first, last, UTC, (), ())

    kept = Kept(Switchboard(), Reader(Home(tmp_path).journal))
    door = Web("127.0.0.1", 0, kept, TOKENS, Metrics(), (RosterDoor(lambda told, who: told, today, look),))
    async with TestClient(TestServer(door.app())) as client:

        async def get(path: str) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {TOKENS['observer']}"}
            async with client.get(path, headers=headers) as answer:
                return answer.status, json.loads(await answer.text())

        same = [asyncio.create_task(get("/api/roster?city=demo&from=2026-11-02")) for _ in range(3)]
        try:
            await asyncio.wait_for(all_here.wait(), 30)
            for other in ("city=luan&from=2026-11-02", "city=demo&from=2026-11-03"):
                status, problem = await get(f"/api/roster?{other}")
                assert (status, "ask again" in problem["detail"]) == (429, True)
            assert not any(one.done() for one in same)
        finally:
            may_end.set()
        first, *others = await asyncio.gather(*same)
        assert first[0] == 200
        assert others == [first, first]
        assert looked == [date(2026, 11, 2)]
        assert (await get("/api/roster?city=demo&from=2026-11-03"))[0] == 200


async def test_duties_come_from_history_until_settled_and_hide_the_number_from_observers(
    town: tuple[Town, Staffing],
) -> None:
    city, _ = town
    await city.history.save([OWED, a_call("9", 90, caller="13900139000")], [], "j", Position())
    status, told = await city.get("/api/duties?from=0", "observer")
    assert status == 200
    assert [(d["kind"], d["call"], d["number"]) for d in told] == [("call-back", OWED.id, "138****8000")]
    assert (await city.get("/api/duties?from=0"))[1][0]["number"] == OWED.caller
    await city.history.save([a_call("2", 500, answered=505.0)], [], "j", Position())
    assert await city.get("/api/duties?from=0") == (200, [])
    ((row,),) = [(await city.get("/api/duties?from=0&all=true&kind=call-back"))[1]]
    assert (row["settled"], row["settled_by"]) == (505.0, "demo-2")
    assert (await city.get("/api/duties?kind=laundry"))[0] == 400


OLD = time.time() - 45 * 86_400
"""When a promise was made that has left the usual 30 days."""


@pytest.mark.parametrize("caller", ["13800138000", ""])
async def test_a_duty_that_is_open_is_told_however_old_it_is(
    town: tuple[Town, Staffing], caller: str
) -> None:
    city, _ = town
    old = a_call("1", OLD, owed=True, caller=caller)
    talk = {"answered": OLD + 505.0, "ended": OLD + 600.0}
    done = a_call("3", OLD, owed=True, caller="13900139000")
    others = [done, a_call("4", OLD + 500, caller="13900139000", **talk)]
    kept = [
        a_call("5", OLD, owed=True, caller=""),
        a_call("6", OLD + 500, callback_of="demo-5", greeted=OLD + 506.0, **talk),
    ]
    elsewhere = a_call("7", OLD + 500, city="luan", caller=caller, **talk)
    await city.history.save([old, *others, *kept, elsewhere], [], "j", Position())
    assert [d["call"] for d in (await city.get("/api/duties"))[1]] == [old.id]
    assert [d["call"] for d in (await city.get("/api/duties?all=true"))[1]] == [old.id]
    assert (await city.get(f"/api/duties?from={OLD + 86_400}"))[1] == []


async def test_a_duty_that_was_settled_by_hand_is_open_no_more_and_says_who_and_why(
    town: tuple[Town, Staffing],
) -> None:
    city, _ = town
    calls = [a_call("1", OLD, owed=True, caller=""), a_call("2", time.time() - 600, owed=True, caller="")]
    told: dict[str, Any] = {"at": time.time(), "city": "demo", "who": "chief", "role": "supervisor"}
    told["told"] = '{"reason":"手机"}'
    rows = [
        audit.Audited(id=f"{n}-{outcome}", did="settle-call-back", on=call.id, outcome=outcome, **told)
        for n, call in enumerate(calls)
        for outcome in (audit.Outcome.DENIED, audit.Outcome.DONE)
    ]
    await city.history.save(calls, [], "j", Position(), audits=rows[::2])
    assert len((await city.get("/api/duties"))[1]) == 2
    await city.history.save([], [], "j", Position(), audits=rows)
    assert (await city.get("/api/duties"))[1] == []
    (duty,) = (await city.get("/api/duties?all=true"))[1]
    assert (duty["call"], duty["settled_by"], duty["reason"]) == (calls[1].id, "chief", "手机")


async def test_a_note_that_nobody_settled_is_told_however_old_it_is(town: tuple[Town, Staffing]) -> None:
    city, _ = town
    written = {"city": "demo", "who": "zhang", "role": "agent", "text": "勿调队列"}
    notes = [ShiftNote(id=f"demo-note-{n}", at=OLD + n, **written) for n in range(2)]
    done = audit.Audited(
        id="a", at=OLD + 60, city="demo", who="chief", role="supervisor", did="settle-note", on=notes[0].id,
        told='{"reason":"已阅"}', outcome=audit.Outcome.DONE,
    )  # fmt: skip
    await city.history.save([], [], "j", Position(), audits=[done], notes=notes)
    assert [d["note"] for d in (await city.get("/api/duties"))[1]] == [notes[1].id]
    assert (await city.get(f"/api/duties?from={OLD + 86_400}"))[1] == []
    told = (await city.get(f"/api/duties?from={OLD - 1}&all=true"))[1]
    assert [(d["note"], d["settled_by"]) for d in told] == [(notes[0].id, "chief"), (notes[1].id, None)]
    assert (await city.get("/api/duties?city=luan"))[1] == []


async def test_a_settled_note_is_deleted_when_it_was_kept_long_enough_and_one_that_nobody_settled_is_not(
    town: tuple[Town, Staffing],
) -> None:
    city, _ = town
    written = {"city": "demo", "who": "zhang", "role": "agent", "text": "回电 13800138000"}
    old, new, unread = notes = [ShiftNote(id=f"demo-note-{n}", at=OLD, **written) for n in range(3)]
    settled = [
        audit.Audited(
            id=note.id, at=at, city="demo", who="chief", role="supervisor", did="settle-note", on=note.id,
            told='{"reason":"已阅"}', outcome=outcome,
        )
        for note, at, outcome in (
            (old, OLD, audit.Outcome.DONE),
            (new, OLD + 86_400, audit.Outcome.DONE),
            (unread, OLD, audit.Outcome.DENIED),
        )
    ]  # fmt: skip
    await city.history.save([], [], "j", Position(), audits=settled, notes=notes)
    told = list[audit.Audited]()
    sweeper = OldNotes(DutyStore(city.history), 30, told.append, lambda: OLD + 30 * 86_400 + 1)
    assert await sweeper.sweep() == 1
    assert [(row.who, row.did, row.on) for row in told] == [("retention", "expire", old.id)]
    assert "138" not in told[0].told
    left = (await city.get("/api/duties?all=true&from=0"))[1]
    assert {row["note"] for row in left} == {new.id, unread.id}
    assert await sweeper.sweep() == 0


async def test_a_promise_that_is_open_is_told_however_many_were_made_and_settled_since(
    town: tuple[Town, Staffing],
) -> None:
    city, _ = town
    now = time.time()
    open_one = a_call("open", now - 9000, owed=True, caller="13800138000")
    settled = [a_call(f"s{n}", now - 8000 + n, owed=True, caller=f"139{n:08}") for n in range(2002)]
    talks = [
        a_call(f"t{n}", now - 3000, answered=now - 2990, caller=call.caller)
        for n, call in enumerate(settled[:1001])
    ]
    by_hand = [
        audit.Audited(
            id=f"h{n}", at=now, city="demo", who="chief", role="supervisor", did="settle-call-back",
            on=call.id, told='{"reason":"手机"}', outcome=audit.Outcome.DONE,
        )
        for n, call in enumerate(settled[1001:])
    ]  # fmt: skip
    await city.history.save([open_one, *settled, *talks], [], "j", Position(), audits=by_hand)
    for since in ("", "?from=0"):
        assert [d["call"] for d in (await city.get(f"/api/duties{since}"))[1]] == [open_one.id]


async def test_a_draft_is_a_duty_until_it_is_a_ticket(town: tuple[Town, Staffing]) -> None:
    city, _ = town
    await city.history.save([ANSWERED], [], "j", Position())
    words = RecordingStore(city.history)
    leg = Filed(leg=ANSWERED.leg, call=ANSWERED.id, city="demo", line="main", role=Role.CALLER)
    await words.put(leg)
    span = Span(leg.leg, 0, leg.call, "demo", 712.0, 2.0, 3.0, "路灯坏了", " lu deng ", 0.9, "[]")
    await words.put_spans(leg.leg, [span], Heard.DONE)
    (duty,) = (await city.get("/api/duties?from=0"))[1]
    assert (duty["kind"], duty["call"], duty["since"]) == ("draft", ANSWERED.id, ANSWERED.ended)

    def ticket(number: str) -> Ticket:
        told = ("12345", ANSWERED.caller, "main", 900.0, "8001", "{}", "{}", "{}")
        return Ticket(number, "demo", ANSWERED.id, *told)

    made = await TicketStore(city.history).make("demo", "20261121", ticket)
    assert await city.get("/api/duties?from=0") == (200, [])
    (duty,) = (await city.get("/api/duties?from=0&all=true&kind=draft"))[1]
    assert (duty["settled"], duty["settled_by"]) == (900.0, made.number)


# --- commands -----------------------------------------------------------------------------------------


def cti(*told: str) -> tuple[int, str]:
    done = CliRunner().invoke(command_tree(told[:1]), list(told))
    return done.exit_code, done.output


def test_a_roster_without_holes_is_exit_0_and_one_with_a_hole_exit_1(tmp_path: Path) -> None:
    dates = ("--from", "2026-11-02", "--to", "2026-11-08")
    assert cti("roster", "check", str(DEMO), *dates)[0] == 0
    city = tmp_path / "demo"
    shutil.copytree(DEMO, city)
    absent = '\n[[absences]]\nwho = "8001"\nfirst = 2026-11-02\nlast = 2026-11-08\nreason = "病假"\n'
    with (city / "roster.toml").open("a", encoding="utf-8") as roster:
        roster.write(absent)
    code, told = cti("roster", "check", str(city), *dates, "--json")
    assert code == 1
    found = json.loads(told)["holes"]
    assert {(h["kind"], h["queue"]) for h in found} >= {("uncovered", "general")}
    (city / "roster.toml").unlink()
    (city / "forecast.toml").unlink()
    code, told = cti("roster", "check", str(city), *dates)
    assert (code, "add roster.toml" in told) == (2, True)
    assert cti("roster", "check", str(tmp_path / "nowhere"))[0] == 2
    assert cti("roster", "check", "--home", str(tmp_path / "home"))[0] == 3


def test_the_week_and_the_need_are_shown_to_people_and_to_programs() -> None:
    code, told = cti("roster", "show", str(DEMO), "--week", "2026-W41")
    assert code == 0
    assert "调休上班" in told
    assert "夜班 1004" in told
    turns = json.loads(cti("roster", "show", str(DEMO), "--week", "2026-W41", "--json")[1])["turns"]
    assert {turn["who"] for turn in turns} == {f"800{n}" for n in range(1, 9)}
    need = json.loads(cti("roster", "need", str(DEMO), "--date", "2026-11-02", "--json")[1])["intervals"]
    assert len(need) == 48
    assert all(row["pooled"] <= row["rostered"] for row in need if len(row["queues"]) == 1)


async def test_the_forecast_out_of_history_is_a_forecast_file(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    history = History(sqlite_url(home.database))
    noon = datetime.now(zone("Asia/Shanghai")).replace(hour=12, minute=0) - timedelta(days=1)
    calls = [a_call(str(n), noon.timestamp() + n, answered=noon.timestamp() + n + 5) for n in range(3)]
    visits = [Visit(c.id, 1, "demo", "general", c.leg, c.arrived, Outcome.ANSWERED) for c in calls]
    stints = [
        Stint(
            LegId(f"s{n}"), c.id, "demo", "1001", "general", c.arrived, Part.ANSWERED, c.answered, talk=88.0
        )
        for n, c in enumerate(calls)
    ]
    await history.save(calls, visits, "j", Position(), stints)
    await history.close()
    asked = ("roster", "need", str(DEMO), "--from-history", "--home", str(home.root))
    code, told = await asyncio.to_thread(cti, *asked)
    assert code == 0, told
    found = tomllib.loads(told)
    assert set(found) == {"general"}
    assert found["general"]["handle_seconds"] == 90  # 88 s of talk, and the queue's 2 s of wrap-up
    assert {at: calls for at, calls in enumerate(found["general"]["workday"]) if calls} == {24: 3}
    files = {**demo_files(), "forecast.toml": told.encode()}
    assert checked(files).plan is not None
