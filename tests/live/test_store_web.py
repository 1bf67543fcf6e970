"""The HTTP door over what is kept: a real socket, a real journal, a real SQLite file."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

from calls import facts as f
from calls.facts import Fact
from cti.__main__ import command_tree
from cti.commands import asking
from cti.errors import NotNow, Refused
from cti.home import Home
from cti.kept import Kept, checkpoint, everything, gauges, journal_ear, last_board, picture_ear
from cti.store.drain import Drain
from cti.store.history import History, sqlite_url
from cti.store.journal import Journal, Limits, Reader
from cti.store.picture import LivePicture, connect
from cti.switchboard import Switchboard
from cti.web.metrics import Metrics
from cti.web.server import Web
from tests.house import API, api_port
from tests.story.a_call import CALL, CALLER, SEAT_LEG, answered, leg_now, member_now, said

TOKENS = {"operator": "o-secret", "observer": "s-secret"}
LINKED = [
    said(f.LinkUp, 50.0),
    said(f.Snapshot, 51.0, members=(member_now(),)),
]
ENDING = [said(f.SeatFinished, 140.0), said(f.CallLeft, 150.0), said(f.LegEnded, 150.0, leg=CALLER)]


@dataclass
class Town:
    """Everything of the service but Asterisk."""

    url: str
    home: Home
    switchboard: Switchboard
    journal: Journal
    drain: Drain
    history: History

    def hear(self, *facts: Fact) -> None:
        for fact in facts:
            self.switchboard.hear(fact)

    async def get(self, path: str, role: str = "operator", **headers: str) -> tuple[int, Any]:
        given = {"Authorization": f"Bearer {TOKENS[role]}"} if role else {}
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.url + path, headers=given | headers) as answer,
        ):
            text = await answer.text()
            is_json = answer.content_type.endswith("json")
            return answer.status, json.loads(text) if is_json else text


@pytest.fixture
def port() -> Iterator[int]:
    with api_port() as port:
        yield port


@pytest.fixture
async def town(tmp_path: Path, port: int) -> AsyncIterator[Town]:
    home = Home(tmp_path)
    home.tokens_file.write_text(json.dumps(TOKENS))
    home.state_file.write_text(json.dumps({"base_port": port - API}))
    switchboard = Switchboard()
    journal = Journal(home.journal, checkpoint=checkpoint(lambda: switchboard.board))
    history = History(sqlite_url(home.database))
    drain = Drain(journal, history, look_seconds=0.01)
    live = LivePicture(
        connect(None), everything(lambda: switchboard.board), lambda: switchboard.board.queues_now()
    )
    metrics = Metrics(
        gauges(journal, drain, lambda: switchboard.board), lambda: switchboard.board.picture.live()
    )
    switchboard.listen(journal_ear(journal))
    switchboard.listen(picture_ear(live))
    switchboard.listen(lambda heard: metrics.heard(heard.fact, heard.calls))
    kept = Kept(switchboard, Reader(home.journal), history=history, journal=journal, drain=drain, live=live)
    web = Web("127.0.0.1", port, kept, TOKENS, metrics)
    parts = [asyncio.create_task(part) for part in (drain.run(), live.run(), web.run())]
    await live.settled()
    town = Town(f"http://127.0.0.1:{port}", home, switchboard, journal, drain, history)
    async with asyncio.timeout(20):
        while True:
            try:
                await town.get("/healthz")
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.01)
    yield town
    for part in parts:
        part.cancel()
    await asyncio.gather(*parts, return_exceptions=True)
    await history.close()
    journal.close()


async def drained(town: Town) -> None:
    assert await asyncio.to_thread(town.journal.flush)
    async with asyncio.timeout(20):
        while town.drain.position != town.journal.end:  # noqa: ASYNC110  # looked at from outside
            await asyncio.sleep(0.01)


async def test_health_names_every_part_and_is_ready_only_with_asterisk(town: Town) -> None:
    status, told = await town.get("/healthz", role="")
    assert (status, told["ready"], told["parts"]["asterisk"]["ok"]) == (503, False, False)
    town.hear(*LINKED)
    await drained(town)
    status, told = await town.get("/healthz", role="")
    assert (status, told["ready"]) == (200, True)
    assert {name: part["ok"] for name, part in told["parts"].items()} == {
        "asterisk": True,
        "journal": True,
        "database": True,
        "redis": True,
    }
    town.hear(said(f.LinkDown, 60.0))
    assert (await town.get("/healthz", role=""))[0] == 503


async def test_calls_seats_and_queues_are_told_with_plain_names(town: Town) -> None:
    town.hear(*LINKED, *answered())
    _, calls = await town.get("/api/calls")
    _, seats = await town.get("/api/seats")
    _, queues = await town.get("/api/queues")
    assert [(c["call"], c["state"], c["seat"], c["caller"]) for c in calls] == [
        (CALL, "talking", "1001", "13800138000")
    ]
    assert [(s["seat"], s["state"], s["call"]) for s in seats] == [("1001", "busy", CALL)]
    assert [(q["queue"], q["talking"], q["seats"]) for q in queues] == [("general", 1, 1)]
    assert (await town.get("/api/calls?city=other"))[1] == []


async def test_an_observer_sees_masked_numbers_and_may_not_ask_for_whole_ones(town: Town) -> None:
    town.hear(*LINKED, *answered())
    _, calls = await town.get("/api/calls", role="observer")
    assert calls[0]["caller"] == "138****8000"
    assert await asyncio.to_thread(town.journal.flush)
    status, problem = await town.get(f"/api/calls/{CALL}/story?full=true", role="observer")
    assert (status, problem["field"]) == (403, "full")
    _, story = await town.get(f"/api/calls/{CALL}/story", role="observer")
    assert "13800138000" not in json.dumps(story)
    _, story = await town.get(f"/api/calls/{CALL}/story?full=true")
    assert "13800138000" in story["lines"][0]["en"]


@pytest.mark.parametrize(
    "header", ["", "Bearer ", "Bearer wrong", "Basic o-secret", "o-secret", "Bearer o-secre"]
)
async def test_without_a_valid_token_nothing_is_told(town: Town, header: str) -> None:
    town.hear(*LINKED, *answered())
    for path in ("/api/calls", f"/api/calls/{CALL}", "/api/seats", "/api/queues", "/api/history/calls"):
        status, problem = await town.get(path, role="", Authorization=header)
        assert (status, problem["status"]) == (401, 401)
        assert CALL not in json.dumps(problem)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/history/calls?from=yesterday", "from"),
        ("/api/history/calls?from=nan", "from"),
        ("/api/history/calls?to=1e99", "to"),
        ("/api/history/calls?limit=0", "limit"),
        ("/api/history/calls?limit=100000", "limit"),
        ("/api/history/calls?city=../etc", "city"),
        ("/api/history/calls?colour=red", "colour"),
        ("/api/history/calls?limit=1&limit=2", "limit"),
        ("/api/history/calls?since=5", "since"),
        ("/api/calls?town=demo", "town"),
        (f"/api/calls/{'x' * 500}", "call"),
        ("/api/calls/%00", "call"),
    ],
)
async def test_a_wrong_field_is_named(town: Town, path: str, field: str) -> None:
    status, problem = await town.get(path)
    assert (status, problem["field"]) == (400, field)
    assert field in problem["detail"] or field == "call"


async def test_an_unknown_call_and_an_unknown_path_are_not_found(town: Town) -> None:
    for path in (
        "/api/calls/demo-nobody",
        "/api/calls/demo-nobody/story",
        "/api/calls/last",
        "/api/nothing",
        "/no",
    ):
        status, problem = await town.get(path)
        assert (status, problem["status"]) == (404, 404)


async def test_an_ended_call_is_in_history_once_and_found_by_time(town: Town) -> None:
    town.hear(*LINKED, *answered(), *ENDING, *ENDING)
    await drained(town)
    _, found = await town.get("/api/history/calls?from=1970-01-01T00:01:00Z&to=101&city=demo")
    assert [(c["call"], c["left_by"], c["seconds_to_answer"]) for c in found] == [(CALL, "caller", 10.0)]
    assert (await town.get("/api/history/calls?from=200"))[1] == []
    status, call = await town.get(f"/api/calls/{CALL}")
    assert (status, call["state"]) == (200, "ended")


async def test_a_story_is_found_by_a_beginning_and_by_last(town: Town) -> None:
    town.hear(*LINKED, *answered(), *ENDING)
    assert await asyncio.to_thread(town.journal.flush)
    for name in (CALL, CALL[:-1], "last"):
        _, story = await town.get(f"/api/calls/{name}/story")
        assert story["call"] == CALL
        assert [line["en"] for line in story["lines"]][-1] == "the caller hung up; the call ended (cause 16)"


async def test_figures_count_each_call_once(town: Town) -> None:
    town.hear(*LINKED, *answered(), *answered(), *ENDING)
    _, text = await town.get("/metrics", role="")
    assert 'hotline_calls_offered_total{city="demo"} 1.0' in text
    assert 'hotline_calls_answered_total{city="demo"} 1.0' in text
    assert "hotline_calls_abandoned_total{" not in text
    assert 'hotline_advice_total{by="service",status="SUCCESS"} 2.0' in text
    assert "hotline_link_up 1.0" in text
    assert 'hotline_seconds_to_answer_bucket{city="demo",le="15.0"} 1.0' in text


async def test_the_description_names_every_path_that_answers_and_its_types_exist(town: Town) -> None:
    status, told = await town.get("/api/openapi.json", role="")
    assert (status, told["openapi"]) == (200, "3.1.0")
    served = {
        "/api/calls",
        "/api/calls/{call}",
        "/api/calls/{call}/story",
        "/api/seats",
        "/api/queues",
        "/api/history/calls",
        "/api/duties",
        "/api/roster",
        "/api/shortfalls",
        "/api/truth",
        "/api/ledger",
        "/api/ledger/refill",
        "/healthz",
        "/metrics",
    }
    # the desk's doors have a test of their own (test_desk_doors)
    assert set(told["paths"]) >= served
    names = set(told["components"]["schemas"])
    used = {part.split('"')[0] for part in json.dumps(told).split("#/components/schemas/")[1:]}
    assert used <= names


async def test_the_first_page_says_what_runs_here_in_both_languages(town: Town) -> None:
    status, text = await town.get("/", role="")
    assert status == 200
    assert "12345 政务热线话务系统" in text
    assert "/api/openapi.json" in text


# --- commands --------------------------------------------------------------------------------------


async def test_the_commands_ask_the_service_while_it_lives(town: Town) -> None:
    town.hear(*LINKED, *answered())
    assert await asyncio.to_thread(town.journal.flush)
    calls = await asyncio.to_thread(lambda: asking.calls(town.home, full=False))
    story = await asyncio.to_thread(lambda: asking.story(town.home, "last", full=True))
    assert (calls.source, calls.rows[0]["caller"]) == ("service", "138****8000")
    assert (story.source, story.rows["call"]) == ("service", CALL)


def test_the_commands_read_the_journal_when_no_service_lives(tmp_path: Path) -> None:
    home = written(tmp_path, [*LINKED, *answered()])
    calls = asking.calls(home, full=True)
    assert (calls.source, calls.until) == ("journal", 110.0)
    assert [(c["call"], c["state"], c["caller"]) for c in calls.rows] == [(CALL, "talking", "13800138000")]
    assert [(s["seat"], s["state"]) for s in asking.seats(home).rows] == [("1001", "busy")]
    assert [q["queue"] for q in asking.queues(home).rows] == ["general"]
    assert asking.story(home, CALL[:-2], full=False).rows["call"] == CALL


def test_no_service_and_no_journal_is_something_missing_and_no_such_call_is_a_no(tmp_path: Path) -> None:
    with pytest.raises(NotNow, match="cti up"):
        asking.seats(free_home(tmp_path / "empty"))
    with pytest.raises(Refused, match="no story"):
        asking.story(written(tmp_path / "full", LINKED), "demo-n1-9.9", full=False)


def test_the_commands_exit_codes_and_json_are_for_programs(tmp_path: Path) -> None:
    app = command_tree(())
    home = written(tmp_path, [*LINKED, *answered(), *ENDING])
    run = CliRunner()
    told = run.invoke(app, ["seats", "--home", str(home.root), "--json"])
    assert told.exit_code == 0
    assert [s["seat"] for s in json.loads(told.stdout)] == ["1001"]
    told = run.invoke(app, ["story", "last", "--home", str(home.root)])
    assert told.exit_code == 0
    assert "座席 1001 接听" in told.stdout
    assert "13800138000" not in told.stdout
    assert run.invoke(app, ["story", "demo-x", "--home", str(home.root)]).exit_code == 1
    assert run.invoke(app, ["calls", "--home", str(tmp_path / "nowhere")]).exit_code == 3
    assert run.invoke(app, ["calls", "--past", "-1"]).exit_code == 2


# --- a new life --------------------------------------------------------------------------------------


def test_a_service_killed_and_started_again_knows_the_open_calls(tmp_path: Path) -> None:
    home = written(tmp_path, [*LINKED, *answered()])
    board = last_board(Reader(home.journal))
    assert [(c.id, c.state) for c in board.picture.live()] == [(CALL, "talking")]
    assert board.picture.stale_since == 110.0
    again = Switchboard(board)
    seat = leg_now(SEAT_LEG, endpoint="demo-1001", bridge="b1")
    again.hear(said(f.Snapshot, 200.0, legs=(leg_now(bridge="b1"), seat), members=(member_now(),)))
    assert again.board.picture.live() == board.picture.live()
    again.hear(said(f.Snapshot, 210.0))
    assert again.board.picture.live() == []


def test_open_calls_are_known_although_their_segment_is_long_closed(tmp_path: Path) -> None:
    other = [said(f.SeatDevice, 120.0 + n, seat="1002") for n in range(200)]
    home = written(tmp_path, [*LINKED, *answered(), *other], Limits(segment_bytes=3000))
    assert [(c.id, c.state, c.caller) for c in last_board(Reader(home.journal)).picture.live()] == [
        (CALL, "talking", "13800138000")
    ]


def free_home(root: Path) -> Home:
    """A home on whose port nobody answers."""
    root.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        (root / "state.json").write_text(json.dumps({"base_port": probe.getsockname()[1] - 5}))
    return Home(root)


def written(root: Path, facts: list[Fact], limits: Limits | None = None) -> Home:
    """A home whose service heard these facts and is no more."""
    home = free_home(root)
    switchboard = Switchboard()
    journal = Journal(home.journal, limits, checkpoint=checkpoint(lambda: switchboard.board))
    switchboard.listen(journal_ear(journal))
    for fact in facts:
        switchboard.hear(fact)
    journal.close()
    return home
