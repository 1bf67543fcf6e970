"""Drafts, tickets and search over HTTP: a real database, a listening that hears what a test tells it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp.test_utils import TestClient, TestServer

from calls.audit import Audited
from calls.facts import CallId, LegId
from calls.model import Call
from cti.archive import Archive
from cti.call_classes import CallClasses
from cti.drafting import Drafting
from cti.listening import said_of
from cti.speech.pinyin import sounds
from cti.store.history import History, sqlite_url
from cti.store.recordings import RecordingStore, Span
from cti.store.tickets import TicketStore
from cti.switchboard import replay
from cti.web.recordings import Recordings
from cti.web.server import Web
from cti.web.tickets import Tickets
from cti.web.who import Role, Who
from recording.filed import Filed, Heard
from recording.filed import Role as Voice
from recording.transcript import Transcript, in_order, plain, sounded
from tests.live.test_store_web import LINKED
from tests.story.a_call import CALL, CALLER, SEAT_LEG, answered
from tests.story.plan_files import demo

NUMBER, HIDDEN = "13800138000", "138****8000"
PEOPLE = {
    "8001": Who("8001", Role.AGENT, "demo", "8001"),
    "8002": Who("8002", Role.AGENT, "demo", "8002"),
    "lead": Who("lead", Role.SUPERVISOR, "demo"),
    "luan": Who("luan", Role.SUPERVISOR, "luan"),
    "looker": Who("looker", Role.OBSERVER, "demo"),
    "operator": Who("operator", Role.OPERATOR),
}
COMPLAINT = "我 要 投诉 解放路 的 工地 半夜 还 在 施工"
ROW = Filed(
    leg=CALLER, call=CALL, city="demo", line="main", role=Voice.CALLER, began=100.0, ended=150.0,
    seconds=50.0, file="x.wav", sha256="ab",
)  # fmt: skip
SEAT_ROW = replace(ROW, leg=SEAT_LEG, line="12315", seat="1001", role=Voice.SEAT, began=110.0)


def span(row: Filed, number: int, text: str, start: float) -> Span:
    """Words of half a second each."""
    words = [[w, start + n / 2, start + n / 2 + 0.4, 0.9] for n, w in enumerate(text.split())]
    return Span(
        leg=row.leg, number=number, call=row.call, city=row.city, at=(row.began or 0.0) + start, start=start,
        end=start + len(words) / 2, text=plain(text), sound=sounded(text, sounds), confidence=0.9,
        words=json.dumps({"digits": "", "words": words}),
    )  # fmt: skip


@dataclass
class Told:
    """In the place of the recognisers: what was said so far."""

    spans: list[Span] = field(default_factory=list)
    complete: bool = False

    async def transcript(self, call: CallId) -> Transcript:
        return self.heard_now(call)

    def heard_now(self, call: CallId) -> Transcript:
        return Transcript(call, in_order(said_of(s, ROW) for s in self.spans), (), self.complete)


@dataclass
class Desk:
    client: TestClient[Any, Any]
    told: Told
    store: RecordingStore
    drafting: Drafting
    calls: dict[str, Call]
    audit: list[Audited]
    hides: bool = False

    async def ask(self, path: str, who: str = "8001", body: Any = None) -> tuple[int, Any]:
        """Status and answer; with a body it is a POST."""
        headers = {"Authorization": f"Bearer {who}"}
        asked = self.client.get if body is None else self.client.post
        async with asked(path, headers=headers, **({} if body is None else {"json": body})) as answer:
            return answer.status, await answer.json()

    async def found(self, **query: str) -> list[tuple[str, list[float]]]:
        """Legs, and the seconds of their hits."""
        async with self.client.get(
            "/api/recordings", params=query, headers={"Authorization": "Bearer lead"}
        ) as answer:
            assert answer.status == 200, await answer.text()
            return [(row["leg"], [h["second"] for h in row["hits"]]) for row in await answer.json()]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    history = History(sqlite_url(tmp_path / "history.sqlite"))
    await history.start()
    board = replay([*LINKED, *answered()])
    seat = replace(board.seats.seats["demo", "1001"], agent="8001")
    board = replace(board, seats=replace(board.seats, seats={("demo", "1001"): seat}))
    told, store, audit = Told(), RecordingStore(history), list[Audited]()
    calls: dict[str, Call] = {CALL: board.picture.calls[CALL]}
    plan = demo()

    async def call(id: str) -> Call | None:
        return calls.get(id)

    nobody = cast(Any, None)  # no sound is asked for here
    classes = CallClasses(store, lambda: {"demo": plan}, lambda: board)
    archive = Archive(nobody, store, lambda: board, nobody, nobody, cast(Any, told), classes)
    drafting = Drafting(told, TicketStore(history), call, lambda: {"demo": plan}, lambda: 1_700_000_000.0)

    def hidden(who: Who, call: str) -> bool:
        return made.hides and not who.full

    tickets = Tickets(drafting, archive.sits_in, archive.bars, audit.append, hidden)
    doors = (Recordings(archive, audit.append), tickets)
    web = Web("127.0.0.1", 0, nobody, {}, nobody, doors, PEOPLE.get, lambda city: made.hides)
    async with TestClient(TestServer(web.app())) as client:
        made = Desk(client, told, store, drafting, calls, audit)
        yield made
    await history.close()


DRAFT = f"/api/calls/{CALL}/draft"


async def test_a_draft_grows_with_what_is_said_and_keeps_off_what_was_typed(desk: Desk) -> None:
    status, draft = await desk.ask(DRAFT)
    assert (status, draft["complete"], draft["fields"]["phone"]["value"]) == (200, False, NUMBER)
    desk.told.spans = [span(ROW, 0, COMPLAINT, 12.0)]
    _, draft = await desk.ask(DRAFT)
    assert draft["fields"]["kind"]["value"] == "投诉"
    assert draft["fields"]["address"]["value"]["street"] == "解放路"
    status, draft = await desk.ask(DRAFT, body={"fields": {"kind": "建议", "name": "王芳"}})
    assert status == 200
    desk.told.spans.append(span(ROW, 1, "我 姓 李 叫 李秀英", 30.0))
    _, draft = await desk.ask(DRAFT)
    for name, typed, heard in (("kind", "建议", "投诉"), ("name", "王芳", "李秀英")):
        told = draft["fields"][name]
        assert (told["value"], told["typed"]) == (typed, True)
        assert heard in [o["value"] for o in told["alternatives"]]


async def test_the_key_of_the_menu_speaks_for_its_unit(desk: Desk) -> None:
    assert (await desk.ask(DRAFT))[1]["fields"]["unit"]["value"] is None
    desk.calls[CALL] = replace(desk.calls[CALL], menu="service", menu_key="1")
    assert (await desk.ask(DRAFT))[1]["fields"]["unit"]["value"] == "market"
    desk.calls[CALL] = replace(desk.calls[CALL], menu="gone", menu_key="1")
    assert (await desk.ask(DRAFT))[1]["fields"]["unit"]["value"] is None


async def test_an_earlier_ticket_of_the_same_number_offers_its_name_and_address(desk: Desk) -> None:
    earlier = replace(desk.calls[CALL], id=CallId("demo-n1-9.9"))
    desk.calls[earlier.id] = earlier
    fields = {"name": "陶国庆", "address": "来村"}
    assert (await desk.ask("/api/tickets", "lead", {"call": earlier.id, "fields": fields}))[0] == 201
    # of the call itself nothing is history
    own = {"call": CALL, "fields": {"name": "李四", "address": "别处"}}
    assert (await desk.ask("/api/tickets", "lead", own))[0] == 201
    draft = (await desk.ask(DRAFT))[1]["fields"]
    assert draft["name"]["value"] is None
    assert [(o["value"], o["source"]) for o in draft["name"]["alternatives"]] == [("陶国庆", "history")]
    assert [(o["value"], o["source"]) for o in draft["address"]["alternatives"]] == [
        ({"text": "来村"}, "history")
    ]
    other = replace(earlier, id=CallId("demo-n1-8.8"), caller="13900000000")
    desk.calls[other.id] = other
    assert (await desk.ask(f"/api/calls/{other.id}/draft", "lead"))[1]["fields"]["name"]["alternatives"] == []


async def test_a_ticket_made_while_they_talk_gets_the_rest_of_the_talk_and_nothing_else_changes(
    desk: Desk,
) -> None:
    desk.told.spans = [span(ROW, 0, COMPLAINT, 12.0)]
    status, made = await desk.ask("/api/tickets", body={"call": CALL, "fields": {"name": "王芳"}})
    assert status == 201
    assert (made["transcript"]["complete"], len(made["transcript"]["said"])) == (False, 1)
    desk.told.spans.append(span(ROW, 1, "我 叫 李秀英", 30.0))
    assert await desk.drafting.finish() == 0
    desk.told.complete = True
    await desk.store.put(ROW)
    assert await desk.drafting.finish() == 0  # its words are not written down yet
    await desk.store.put_spans(CALLER, desk.told.spans, Heard.DONE)
    assert await desk.drafting.finish() == 1
    assert await desk.drafting.finish() == 0
    _, now = await desk.ask(f"/api/tickets/{made['number']}")
    assert now["transcript"]["complete"] is True
    assert [s["text"] for s in now["transcript"]["said"]] == [plain(COMPLAINT), "我叫李秀英"]
    assert {k: v for k, v in now.items() if k != "transcript"} == {
        k: v for k, v in made.items() if k != "transcript"
    }


# --- rights -------------------------------------------------------------------------------------------


async def every_answer(desk: Desk, who: str) -> list[dict[str, Any]]:
    """The ticket as making it, its call's list and its number tell it."""
    _, made = await desk.ask("/api/tickets", who, {"call": CALL, "again": True})
    _, rows = await desk.ask(f"/api/tickets?call={CALL}", who)
    _, one = await desk.ask(f"/api/tickets/{made['number']}", who)
    return [made, *rows, one]


@pytest.mark.parametrize(
    ("who", "hides", "shown"),
    [
        ("8001", True, HIDDEN),
        ("8001", False, NUMBER),
        ("lead", True, HIDDEN),
        ("lead", False, NUMBER),
        ("operator", True, NUMBER),
    ],
)
async def test_a_hidden_number_is_in_no_answer_about_a_draft_or_a_ticket(
    desk: Desk, who: str, hides: bool, shown: str
) -> None:
    desk.hides = hides
    answers = await every_answer(desk, who)
    assert len(answers) == 3
    for told in answers:
        assert (told["caller"], told["fields"]["phone"], told["draft"]["phone"]["value"]) == (shown,) * 3
    assert (await desk.ask(DRAFT, who))[1]["fields"]["phone"]["value"] == shown
    if shown == HIDDEN:
        assert NUMBER not in json.dumps(answers)


async def test_an_agent_who_is_not_in_the_call_sees_its_ticket_without_the_number(desk: Desk) -> None:
    _, made = await desk.ask("/api/tickets", body={"call": CALL})
    status, told = await desk.ask(f"/api/tickets/{made['number']}", "8002")
    assert (status, told["caller"], told["fields"]["phone"]) == (200, HIDDEN, HIDDEN)
    assert NUMBER not in json.dumps(told)


@pytest.mark.parametrize(
    ("who", "allowed"), [("8001", True), ("8002", False), ("lead", True), ("luan", False), ("looker", False)]
)
async def test_drafts_are_for_whoever_is_in_the_call_and_supervisors_of_its_city(
    desk: Desk, who: str, allowed: bool
) -> None:
    _, made = await desk.ask("/api/tickets", "operator", {"call": CALL})
    asked = [
        await desk.ask(DRAFT, who),
        await desk.ask(DRAFT, who, {"fields": {"name": "x"}}),
        await desk.ask(f"/api/tickets?call={CALL}", who),
        await desk.ask("/api/tickets", who, {"call": CALL, "again": True}),
    ]
    assert [status for status, _ in asked] == ([200, 200, 200, 201] if allowed else [403] * 4)
    by_number = (await desk.ask(f"/api/tickets/{made['number']}", who))[0]
    assert by_number == (403 if who in ("luan", "looker") else 200)
    if not allowed:
        assert (await desk.ask(DRAFT, "operator"))[1]["fields"]["name"].get("typed") is None


async def test_a_second_ticket_of_a_call_is_made_only_when_asked_for_and_each_is_in_the_audit_trail(
    desk: Desk,
) -> None:
    assert (await desk.ask("/api/tickets", body={"call": CALL}))[0] == 201
    assert (await desk.ask("/api/tickets", body={"call": CALL}))[0] == 409
    assert (await desk.ask("/api/tickets", body={"call": CALL, "again": True}))[0] == 201
    assert [(row.did, row.who, row.on) for row in desk.audit] == [("ticket", "8001", CALL)] * 2
    assert (await desk.ask("/api/tickets", body={"call": CALL, "fields": {"wish": 1}, "again": True}))[
        0
    ] == 400
    assert (await desk.ask("/api/calls/demo-no/draft", "lead"))[0] == 404
    assert (await desk.ask("/api/tickets/demo-20260101-00001", "lead"))[0] == 404


# --- search -------------------------------------------------------------------------------------------


async def spoken(desk: Desk) -> None:
    for row in (ROW, SEAT_ROW):
        await desk.store.put(row)
    talk = [span(ROW, 0, "我 在 解放路 十八", 5.0), span(ROW, 1, "号 楼 下", 9.0)]
    await desk.store.put_spans(CALLER, talk, Heard.DONE)
    await desk.store.put_spans(SEAT_LEG, [span(SEAT_ROW, 0, "您 在 解方路 吗", 20.0)], Heard.DONE)


async def test_words_are_found_with_the_second_of_the_word_by_character_and_by_sound(desk: Desk) -> None:
    await spoken(desk)
    assert await desk.found(said="解放路") == [(CALLER, [6.0])]
    for typed in ("jie fang lu", "jiefanglu", "街放路"):
        assert await desk.found(sound=typed) == [(SEAT_LEG, [21.0]), (CALLER, [6.0])]
    assert await desk.found(said="十八号楼") == [(CALLER, [6.5])]
    assert await desk.found(sound="shibahaolou") == [(CALLER, [6.5])]
    assert await desk.found(sound="jiefan") == []
    assert await desk.found(said="没有人说过") == []
    assert await desk.found(said="解方", sound="jiefanglu") == [(SEAT_LEG, [21.0])]
    assert [row.did for row in desk.audit] == ["search"] * 9


async def test_words_are_found_by_line_time_and_seat(desk: Desk) -> None:
    await spoken(desk)
    both = [(SEAT_LEG, [21.0]), (CALLER, [6.0])]
    assert await desk.found(sound="jiefanglu") == both
    assert await desk.found(sound="jiefanglu", line="12315") == both[:1]
    assert await desk.found(sound="jiefanglu", line="main") == both[1:]
    assert await desk.found(sound="jiefanglu", seat="1001") == both[:1]
    assert await desk.found(sound="jiefanglu", seat="1002") == []
    assert await desk.found(sound="jiefanglu", **{"from": "105"}) == both[:1]
    assert await desk.found(sound="jiefanglu", to="105") == both[1:]
    assert await desk.found(sound="jiefanglu", **{"from": "105", "to": "108"}) == []
    assert await desk.found(sound="jiefanglu", limit="1") == both[:1]


async def test_syllables_that_only_look_alike_do_not_use_up_what_was_asked_for(desk: Desk) -> None:
    """Of three recordings whose letters match, the oldest alone has the syllables."""
    for n, text in enumerate(("方案", "反感", "反感")):
        row = replace(ROW, leg=LegId(f"n1-5.{n}"), began=100.0 + n)
        await desk.store.put(row)
        await desk.store.put_spans(row.leg, [span(row, 0, text, 1.0)], Heard.DONE)
    assert await desk.found(sound="fang an", limit="1") == [("n1-5.0", [1.0])]


async def test_the_search_is_for_supervisors_of_the_city(desk: Desk) -> None:
    await spoken(desk)
    assert (await desk.ask("/api/recordings?said=解放路", "8001"))[0] == 403
    assert await desk.ask("/api/recordings?said=解放路", "luan") == (200, [])
    assert (await desk.ask("/api/recordings?said=解放路&city=demo", "luan"))[0] == 403
