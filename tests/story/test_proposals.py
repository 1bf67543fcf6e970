"""Place and story go with a caller to a centre out of the draft: proposals, below whatever people wrote."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from calls import facts as f
from calls.facts import LegId
from calls.model import Call
from cti.centres import Centres
from cti.drafting import Drafting
from cti.errors import NotNow, Refused
from cti.handoffs import Handoffs
from cti.proposals import UNTITLED, Proposals, proposed
from cti.web.transfer import Rights, handoff_answer, sheet
from cti.web.who import Role as Who
from cti.web.who import Who as Person
from recording.filed import Role
from tests.story.a_call import CALL, CALLER, SEAT_LEG, said
from tests.story.plan_files import demo
from tests.story.test_centres import SECRET, NoDisk
from tests.story.test_listening import Room, consults, talk, words
from transfer.handoff import Handoff, recalled

FIRE = "我 在 梅山路 12 号 我 家 着火 了"


class Typed:
    """Tickets, as far as a draft asks for them."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.away = False

    async def typed(self, call: str) -> dict[str, Any]:
        if self.away:
            raise NotNow("database: away")
        return self.fields


class Town:
    """A talk that is listened to by a fake recogniser, whose agent hands the caller over to 110."""

    def __init__(self, folder: Path) -> None:
        self.room, self.tickets, self.plans = Room(folder, legs=2), Typed(), {"demo": demo()}
        self.board = self.room.board
        self.handoffs = Handoffs(
            lambda: self.board.board, lambda: self.plans, _nobody, self.board.hear, self.board.recall
        )
        drafting = Drafting(self.room.listening, cast(Any, self.tickets), self._call, lambda: self.plans)
        self.proposals = Proposals(
            lambda: self.board.board, lambda: self.plans, drafting.fields, self.handoffs.note
        )
        self.board.listen(self.proposals.hear)
        self.room.listening.changed = self.proposals.changed

    async def _call(self, id: str) -> Call | None:
        return next((c for c in self.board.board.picture.calls.values() if c.id == id), None)

    @property
    def record(self) -> Handoff:
        return self.board.board.moves.records["h1"]

    def steps(self, step: str, **told: Any) -> None:
        self.board.hear(said(f.TransferStepped, 205.0, step=step, **told))

    def asked(self, to: str = "110") -> None:
        self.steps("asked", kind="handoff", to=to, seat="1001")

    async def looks(self) -> None:
        """What came to be looked at is looked at."""
        calls, self.proposals._news = list(self.proposals._news), {}
        for call in calls:
            await self.proposals.look(call)

    async def says(self, text: str, second: float = 71.0, leg: LegId = CALLER) -> Handoff:
        self.room.tells("span", leg, at=second, live=True, span=words(text, second))
        await self.looks()
        return self.record


async def _nobody(order: object) -> str:
    raise Refused("no Asterisk here")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    made = Town(tmp_path)
    running = asyncio.create_task(made.room.listening.run())
    talk(made.room)
    await made.room.begun(CALLER, SEAT_LEG)
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_what_was_said_before_the_hand_over_goes_with_it_from_its_beginning(town: Town) -> None:
    town.room.tells("span", at=5.0, live=True, span=words(FIRE, 71.0))
    assert not town.proposals._news, "nobody is on the way to a centre"
    town.asked()
    asked = town.record.version
    await town.looks()
    assert (town.record.location, town.record.location_from) == ("梅山路12号", "draft")
    title, story = town.record.summary.split("\n")
    assert ("火灾" in title, "我家着火了" in story, town.record.summary_from) == (True, True, "draft")
    assert town.record.version > asked, "its centre is told"


async def test_a_record_grows_with_the_draft_until_it_is_over(town: Town) -> None:
    town.asked()
    assert (await town.says("我 家 着火 了")).location == ""
    assert (await town.says("我 在 梅山路 12 号", 75.0)).location == "梅山路12号"
    town.steps("answered")
    assert "困" in (await town.says("楼上 有 人 被 困 了", 80.0)).summary
    town.steps("over")
    over = town.record
    assert await town.says("已经 来 人 了", 90.0) == over


@pytest.mark.parametrize("typed", ["人民路1号", ""], ids=["wrote", "emptied"])
async def test_what_an_agent_wrote_or_emptied_stays_whatever_the_draft_says(town: Town, typed: str) -> None:
    town.asked()
    await town.says(FIRE)
    town.handoffs.note("h1", {"location": typed})
    record = await town.says("对 就是 梅山路 12 号 楼上 有 人 被 困", 80.0)
    assert (record.location, record.location_from) == (typed, "agent")
    assert ("困" in record.summary, record.summary_from) == (True, "draft"), "of that nobody wrote anything"


async def test_what_people_wrote_before_records_had_sources_is_theirs(town: Town) -> None:
    old = Handoff("h1", CALL, "demo", "out", "handoff", "110", asked=200.0, location="人民路1号", version=1)
    town.board.recall(old)
    assert recalled(town.board.board.moves, old).records["h1"].location_from == ""
    town.proposals.changed(CALL)
    record = await town.says(FIRE)
    assert (record.location, record.location_from, record.summary_from) == ("人民路1号", "", "draft")


async def test_what_an_agent_typed_into_the_draft_is_above_what_was_heard_and_below_a_note(
    town: Town,
) -> None:
    town.asked()
    await town.says(FIRE)
    town.tickets.fields = {"address": {"street": "梅山路", "number": "", "place": "市一小"}}
    record = await town.says("快点 派人 过来", 75.0)
    assert (record.location, record.location_from) == ("梅山路市一小", "ticket")
    town.tickets.fields = {}
    assert (await town.says("梅山路 12 号", 80.0)).location == "梅山路市一小"
    town.handoffs.note("h1", {"location": "人民路1号"})
    town.tickets.fields = {"address": "梅山路12号"}
    assert (await town.says("快点", 85.0)).location == "人民路1号"


async def test_a_database_that_is_away_keeps_nothing_back_of_what_is_being_said(town: Town) -> None:
    town.asked()
    town.tickets.away = True
    assert (await town.says(FIRE)).location == "梅山路12号"


async def test_nothing_said_leaves_a_record_as_it_is_without_speech(town: Town) -> None:
    town.asked()
    before = town.record
    await town.looks()
    assert town.record == before


async def test_a_caller_sent_to_a_colleague_takes_nothing_of_the_draft_along(town: Town) -> None:
    town.asked(to="1002")
    assert (await town.says(FIRE)).location == ""


async def test_what_the_officer_says_is_none_of_the_callers_account(town: Town) -> None:
    town.asked()
    town.room.listening._known[SEAT_LEG].role = Role.OTHER
    record = await town.says("我们 在 解放路 有 车 马上 来", leg=SEAT_LEG)
    assert (record.location, record.summary) == ("", "")


@pytest.mark.parametrize("away", [False, True], ids=["database", "memory"])
async def test_what_an_agent_tells_a_colleague_is_none_of_the_callers_account(town: Town, away: bool) -> None:
    town.tickets.away = away
    town.asked()
    before = await town.says("你好 我想 反映 一件 事")
    assert before.summary
    consults(town.room, 210.0)
    for second in (82.0, 85.0):
        await town.says("她 说 她 家里 着火 了", second, SEAT_LEG)
    assert [one.apart for one in town.room.listening.heard_now(CALL).said] == [False, True, True]
    assert (town.record.location, town.record.summary) == (before.location, before.summary)


async def test_of_a_drafted_summary_supervisors_see_the_title_and_who_may_read_the_call_its_words(
    town: Town,
) -> None:
    town.asked()
    record = await town.says(FIRE)
    title, story = record.summary.split("\n")
    assert handoff_answer(record, full=True, words=True)["summary"] == record.summary
    assert handoff_answer(record, full=True)["summary"] == title
    assert "着火" in title, "a red flag: supervisors are told, and the agent in the call"
    assert handoff_answer(record, full=False)["summary"] == ""
    page = sheet(record, full=True)
    assert (story in page, title in page, "<td>draft</td>" in page) == (False, True, True)
    assert story in sheet(record, full=True, words=True)
    town.handoffs.note("h1", {"summary": "第一行\n第二行"})
    assert handoff_answer(town.record, full=False)["summary"] == "第一行\n第二行", "an agent wrote it"


def test_who_may_read_the_words_of_a_record_is_who_may_read_those_of_all_calls_of_its_city() -> None:
    record = Handoff("h1", CALL, "demo", "out", "handoff", "110")
    usual = Rights(lambda city, seat: "", lambda who, call: True, lambda city: Who.SUPERVISOR)
    strict = replace(usual, reads=lambda city: Who.OPERATOR)
    people = {role: Person("x", role) for role in Who}
    assert [role for role in Who if usual.words(people[role], record)] == [Who.SUPERVISOR, Who.OPERATOR]
    assert [role for role in Who if strict.words(people[role], record)] == [Who.OPERATOR]
    hidden = Person("x", Who.SUPERVISOR, hides=True)
    assert not usual.words(hidden, record)


async def test_the_centres_computer_is_told_as_soon_as_it_is_known(town: Town, tmp_path: Path) -> None:
    told: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def take(asked: web.Request) -> web.Response:
        told.put_nowait((await asked.json())["body"])
        return web.Response(status=500)

    app = web.Application()
    app.router.add_post("/", take)
    async with TestServer(app) as server:
        file = tmp_path / "centres.json"
        file.write_text(json.dumps({"demo/110": {"url": str(server.make_url("/")), "secret": SECRET}}))
        centres = Centres(
            file, lambda: town.plans, lambda: town.board.board, town.handoffs, lambda row: None, NoDisk()
        )
        town.board.listen(centres.hear)
        town.asked()
        parts = [asyncio.create_task(run()) for run in (centres.run, town.proposals.run)]
        try:
            async with asyncio.timeout(30):
                assert "location" not in await told.get()
                town.room.tells("span", at=5.0, live=True, span=words(FIRE, 71.0))
                while "location" not in (body := await told.get()):
                    pass
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
    assert (body["location"], body["location_from"], body["summary_from"]) == ("梅山路12号", "draft", "draft")


@pytest.mark.parametrize(
    ("title", "story", "told"),
    [
        ({}, {}, {"draft_summary": "【自杀】求助\n想不开"}),
        ({}, {"typed": True}, {"ticket_summary": "想不开"}),
        ({"typed": True}, {}, {"draft_summary": "【自杀】求助\n想不开"}),
        ({"typed": True}, {"typed": True}, {"ticket_summary": "【自杀】求助\n想不开"}),
        ({}, {"typed": True, "value": ""}, {"ticket_summary": ""}),
    ],
)
def test_a_drafted_title_never_goes_as_what_an_agent_typed(
    title: dict[str, Any], story: dict[str, Any], told: dict[str, str]
) -> None:
    """It may name a red flag, and what was typed is shown to every agent."""
    fields = {"title": {"value": "【自杀】求助"} | title, "story": {"value": "想不开"} | story}
    assert proposed(fields) == {"draft_location": ""} | told


def test_a_story_without_a_title_has_a_first_line_all_the_same() -> None:
    fields = {"story": {"value": "来电人反映：救命。"}, "title": {"value": None}}
    assert proposed(fields)["draft_summary"] == f"{UNTITLED}\n来电人反映：救命。"
