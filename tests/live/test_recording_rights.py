"""Who hears and reads a call of which class, over HTTP: a real database, real files, a call that goes on."""

from __future__ import annotations

import json
import time
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer

from calls import facts as f
from calls.audit import Audited, Outcome
from calls.facts import CallId, LegId
from calls.model import Call, Direction
from cti.archive import Archive
from cti.call_classes import CallClasses
from cti.drafting import Drafting
from cti.home import Home
from cti.listening import said_of
from cti.settings import Settings
from cti.shelf.chosen import Chosen
from cti.sounds import Sounds
from cti.store.history import History, sqlite_url
from cti.store.recordings import RecordingStore
from cti.store.records import Position
from cti.store.tickets import TicketStore
from cti.switchboard import Board, replay
from cti.web.recordings import Recordings
from cti.web.server import Web
from cti.web.tickets import Tickets
from plan.model import Plan
from plan.recordings import CONSULTATION, CallClass, Listener, RecordingClass
from recording.consulted import of_row, parted
from recording.filed import Filed, Heard
from recording.filed import Role as Voice
from recording.flagged import Flag
from recording.table import message_of
from recording.ticket import Ticket
from recording.transcript import Transcript, in_order
from tests.live.test_drafts_web import PEOPLE, ROW, span
from tests.live.test_store_web import LINKED
from tests.story.a_call import CALL, answered, said
from tests.story.plan_files import demo
from tests.story.test_duties import a_call
from transfer.handoff import Handoff

OLD = a_call("n1-7.7", 1000)
"""A call that is over, and in history."""
BACK = a_call("n1-8.8", 2000, callback_of=OLD.id, direction=Direction.OUT)
MIX = f"/api/calls/{OLD.id}/mix?purpose=review"
AUDIO = f"/api/recordings/{OLD.leg}/audio?purpose=review"
DOORS: tuple[tuple[str, dict[str, Any] | None], ...] = (
    (AUDIO, None), (f"/api/recordings/{OLD.leg}/waveform", None),
    (f"/api/recordings/{OLD.leg}/waveform.svg", None), (MIX, None),
    (f"/api/calls/{OLD.id}/transcript", None), (f"/api/calls/{OLD.id}/export", {"purpose": "review"}),
    (f"/api/calls/{OLD.id}/draft", None), (f"/api/calls/{OLD.id}/draft", {"fields": {}}),
)  # fmt: skip
DRAFT = json.dumps({"name": {"value": "王", "source": ["secret"], "alternatives": ["secret"]}})
DENIED = ["audio", "waveform", "waveform.svg", "mix", "transcript", "export", "draft", "draft"]


@dataclass
class Desk:
    client: TestClient[Any, Any]
    history: History
    store: RecordingStore
    board: Board
    plan: Plan
    audit: list[Audited]

    def classes(self, *closed: CallClass, **listen: Listener) -> None:
        """recordings.toml of the city. ``closed``: for operators."""
        told: dict[str, str] = {**dict.fromkeys(closed, "operator"), **listen}
        rules = {name: RecordingClass.model_validate({"listen": role}) for name, role in told.items()}
        self.plan = self.plan.model_copy(update={"recordings": rules})

    async def ask(self, path: str, who: str, body: Any = None) -> tuple[int, Any]:
        """Status and answer (of JSON only); with a body it is a POST."""
        asked = self.client.get if body is None else self.client.post
        headers = {"Authorization": f"Bearer {who}"}
        async with asked(path, headers=headers, **({} if body is None else {"json": body})) as answer:
            return answer.status, await answer.json() if "json" in answer.content_type else None

    async def every(self, who: str) -> list[int]:
        """The status of each door to the old call's sound and words."""
        return [(await self.ask(path, who, body))[0] for path, body in DOORS]

    async def note(self, name: CallClass, call: Call) -> None:
        """What makes a call one of a class, afterwards."""
        flags = [Flag(call.id, "gas", call.city, "煤气", call.leg, 1.0, 1010.0)] if name == "flagged" else []
        out = replace(call, direction=Direction.OUT) if name == "outgoing" else call
        records = [Handoff("h1", call.id, call.city, "out", "handoff", "110", asked=1010.0)]
        await self.history.save(
            [out], [], "j", Position(), handoffs=records if name == "handed" else [], flags=flags
        )
        if name == "ticketed":
            words = json.dumps({"said": ["secret"]})
            await TicketStore(self.history).make(
                "demo", "20261121",
                lambda n: Ticket(n, "demo", call.id, "12345", "", "main", 1.0, "8001", "{}", DRAFT, words),
            )  # fmt: skip


def filed(call: Call) -> Filed:
    return replace(ROW, leg=call.leg, call=call.id, seconds=1.0, file=f"{call.leg}.wav")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    history = History(sqlite_url(tmp_path / "history.sqlite"))
    await history.start()
    store, audit = RecordingStore(history), list[Audited]()
    for call in (OLD, BACK):
        row = filed(call)
        await store.put(row)
        await store.put_spans(row.leg, [span(row, 0, "我 在 解放路", 0.1)], Heard.DONE)
        with wave.open(str(tmp_path / row.file), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(b"\0\1" * 8000)
    await history.save([OLD, BACK], [], "j", Position())
    board = replay([*LINKED, *answered()])
    seat = replace(board.seats.seats["demo", "1001"], agent="8001")
    board = replace(board, seats=replace(board.seats, seats={("demo", "1001"): seat}))

    class Words:
        async def transcript(self, call: CallId) -> Transcript:
            rows = {row.leg: row for row in await store.of_call(call)}
            found = [(said_of(s, rows[s.leg]), of_row(rows[s.leg])) for s in await store.spans(call)]
            return Transcript(call, in_order(part for one, apart in found for part in parted([one], apart)))

    async def call_of(id: str) -> Call | None:
        return {OLD.id: OLD}.get(CallId(id))

    nobody = cast(Any, None)
    words = cast(Any, Words())
    sounds = Sounds(tmp_path, nobody, Chosen(Home(tmp_path), Settings()))
    classes = CallClasses(store, lambda: {"demo": made.plan}, lambda: made.board)
    archive = Archive(sounds, store, lambda: made.board, nobody, nobody, words, classes)
    drafting = Drafting(words, TicketStore(history), call_of, lambda: {"demo": made.plan})
    tickets = Tickets(drafting, archive.sits_in, archive.bars, audit.append)

    web = Web("127.0.0.1", 0, nobody, {}, nobody, (Recordings(archive, audit.append), tickets), PEOPLE.get)
    async with TestClient(TestServer(web.app())) as client:
        made = Desk(client, history, store, board, demo(), audit)
        made.classes()
        yield made
    await history.close()


@pytest.mark.parametrize("name", ["handed", "outgoing", "flagged", "ticketed"])
async def test_a_class_that_asks_for_an_operator_is_heard_and_read_by_operators_only(
    desk: Desk, name: CallClass
) -> None:
    desk.classes(name)
    assert await desk.every("lead") == [200] * len(DOORS)
    await desk.note(name, OLD)
    desk.audit.clear()
    assert await desk.every("lead") == [403] * len(DOORS)
    why = f"this call is of the class {name}: hearing it needs the role operator, you are supervisor"
    rows = [(row.did, row.who, row.on, row.outcome, row.why) for row in desk.audit]
    assert [json.loads(row.told).get("leg") for row in desk.audit] == [OLD.leg] * 3 + [None] * 5
    assert rows == [(did, "lead", OLD.id, Outcome.DENIED, why) for did in DENIED]
    assert (await desk.ask(MIX, "lead"))[1]["detail"] == why
    desk.audit.clear()
    assert await desk.every("operator") == [200] * len(DOORS)
    assert {(row.did, row.outcome) for row in desk.audit} == {
        (did, Outcome.DONE) for did in ("listen", "waveform", "transcript", "export")
    }


async def test_looking_at_a_waveform_leaves_one_row_however_often_it_is_drawn(desk: Desk) -> None:
    path = f"/api/recordings/{OLD.leg}/waveform"
    for drawn in (path, f"{path}?points=100", f"{path}.svg"):
        assert (await desk.ask(drawn, "lead"))[0] == 200
    assert (await desk.ask(f"/api/recordings/{BACK.leg}/waveform.svg", "lead"))[0] == 200
    assert (await desk.ask(path, "operator"))[0] == 200
    rows = [(row.did, row.who, row.on, json.loads(row.told)) for row in desk.audit]
    assert rows == [
        ("waveform", "lead", OLD.id, {"leg": OLD.leg}),
        ("waveform", "lead", BACK.id, {"leg": BACK.leg}),
        ("waveform", "operator", OLD.id, {"leg": OLD.leg}),
    ]


async def test_a_message_that_a_citizen_left_is_heard_by_the_agents_of_their_city_who_owe_them_a_call(
    desk: Desk, tmp_path: Path
) -> None:
    row = replace(filed(OLD), leg=message_of(OLD.leg), role=Voice.MESSAGE)
    await desk.store.put(row)
    left = f"/api/recordings/{row.leg}/audio?purpose=call-back"
    assert [(await desk.ask(left, who))[0] for who in ("8001", "lead", "looker", "luan")] == [
        200,
        200,
        403,
        404,
    ]
    assert (await desk.ask(AUDIO, "8001"))[0] == 403, "the call itself is for supervisors"
    assert [(row.did, row.who) for row in desk.audit][:1] == [("listen", "8001")]
    desk.classes("handed")
    await desk.note("handed", OLD)
    assert (await desk.ask(left, "8001"))[0] == 403


async def test_of_several_classes_the_strictest_right_holds(desk: Desk) -> None:
    desk.classes("flagged", "handed", outgoing="supervisor")
    await desk.note("outgoing", OLD)
    assert await desk.every("lead") == [200] * len(DOORS)
    await desk.note("flagged", OLD)
    await desk.note("handed", OLD)
    status, told = await desk.ask(AUDIO, "lead")
    assert status == 403
    assert told["detail"].startswith("this call is of the classes handed, flagged: hearing it needs")


async def test_a_plan_without_such_a_class_lets_supervisors_hear_as_before(desk: Desk) -> None:
    await desk.note("flagged", OLD)
    assert await desk.every("lead") == [200] * len(DOORS)
    desk.classes("handed", flagged="supervisor")
    assert await desk.every("lead") == [200] * len(DOORS)


async def test_words_of_a_call_are_found_by_those_who_may_read_them(desk: Desk) -> None:
    desk.classes("flagged")
    await desk.note("flagged", OLD)

    async def found(who: str, query: str) -> list[str]:
        status, rows = await desk.ask(f"/api/recordings?{query}", who)
        assert status == 200
        return [row["leg"] for row in rows]

    other = replace(filed(a_call("n1-6.6", 900)), began=50.0)
    await desk.store.put(other)
    await desk.store.put_spans(other.leg, [span(other, 0, "解放路", 0.1)], Heard.DONE)
    both = sorted([OLD.leg, BACK.leg])
    for query in ("said=解放路", "sound=jiefanglu"):
        assert await found("lead", query) == [other.leg]
        # what may not be read does not use up what was asked for
        assert await found("lead", f"{query}&limit=1") == [other.leg]
        assert sorted(await found("operator", query)) == sorted([*both, other.leg])
    # that there is a recording is no secret
    assert sorted(await found("lead", "state=filed")) == sorted([*both, other.leg])


async def test_a_call_back_is_heard_by_those_who_may_hear_the_call_it_belongs_to(desk: Desk) -> None:
    desk.classes("ticketed")
    await desk.note("ticketed", OLD)
    path = f"/api/recordings/{BACK.leg}/audio?purpose=review"
    assert (await desk.ask(path, "lead"))[0] == 403
    assert (await desk.ask(path, "operator"))[0] == 200


async def test_orders_about_a_call_need_no_right_to_hear_it(desk: Desk) -> None:
    desk.classes("flagged")
    await desk.note("flagged", OLD)
    for did in ("hold", "release"):
        assert (await desk.ask(f"/api/calls/{OLD.id}/{did}", "lead", {"purpose": "court"}))[0] == 200


@pytest.mark.parametrize("name", ["handed", "outgoing", "flagged"])
async def test_a_call_that_goes_on_is_of_its_classes_at_once_and_its_agent_reads_on(
    desk: Desk, name: CallClass
) -> None:
    desk.classes(name)
    path = f"/api/calls/{CALL}/transcript"
    assert (await desk.ask(path, "lead"))[0] == 200
    picture = desk.board.picture
    call = picture.calls[CALL]
    told = {
        "handed": said(f.TransferStepped, 115.0, kind="handoff", to="110", call=CALL),
        "flagged": said(f.FlagRaised, 115.0, flag="gas", words="煤气", second=1.0),
    }
    if name == "outgoing":
        calls = {**picture.calls, CALL: replace(call, direction=Direction.OUT)}
        desk.board = replace(desk.board, picture=replace(picture, calls=calls))
    else:
        seats = desk.board.seats
        desk.board = replace(replay([*LINKED, *answered(), told[name]]), seats=seats)
    assert (await desk.ask(path, "lead"))[0] == 403
    assert (await desk.ask(path, "8001"))[0] == 200
    assert (await desk.ask(path, "8002"))[0] == 403
    assert (await desk.ask(path, "operator"))[0] == 200


async def test_a_call_back_that_goes_on_is_of_the_classes_of_the_call_it_belongs_to(desk: Desk) -> None:
    desk.classes("flagged")
    await desk.note("flagged", OLD)
    picture = desk.board.picture
    calls = {**picture.calls, CALL: replace(picture.calls[CALL], callback_of=OLD.id)}
    desk.board = replace(desk.board, picture=replace(picture, calls=calls))
    assert (await desk.ask(f"/api/calls/{CALL}/transcript", "lead"))[0] == 403


async def test_a_ticket_tells_what_was_said_to_those_who_may_read_it(desk: Desk) -> None:
    await desk.note("ticketed", OLD)
    [ticket] = (await desk.ask(f"/api/tickets?call={OLD.id}", "operator"))[1]

    async def told(who: str) -> Any:
        told = (await desk.ask(f"/api/tickets/{ticket['number']}", who))[1]
        assert told["draft"]["name"]["value"] == "王"
        return told["transcript"], told["draft"]["name"]["source"]

    people = ("8001", "lead", "operator")
    whole: tuple[dict[str, Any], list[str]] = ({"said": ["secret"]}, ["secret"])
    bare: tuple[dict[str, Any], list[str]] = ({}, [])
    assert [await told(who) for who in people] == [whole] * 3
    desk.classes("ticketed")
    assert [await told(who) for who in people] == [bare, bare, whole]
    assert [row["transcript"] for row in (await desk.ask(f"/api/tickets?call={OLD.id}", "lead"))[1]] == [{}]


# --- consultations ----------------------------------------------------------------------------

AGENTS, ASKED = LegId("n1-7.8"), LegId("n1-7.9")
"""The agent's leg, who asks a colleague in its second half, and the colleague's."""
LOUD = b"\0\1" * 4000
"""Half a second."""


@pytest.fixture
async def consulted(desk: Desk, tmp_path: Path) -> Desk:
    """The old call's agent asked a colleague; the plan keeps that for operators."""
    desk.classes(consultation="operator")
    base = replace(filed(OLD), role=Voice.SEAT, began=110.0, ended=time.time(), seconds=1.0)
    agents = replace(base, leg=AGENTS, seat="1001", file="agent.wav", apart="[[0.5, 1.0]]")
    asked = replace(base, leg=ASKED, seat="1003", file="asked.wav", apart="[[0.0, 1.0]]")
    for row, words in ((agents, "请稍等 老王"), (asked, "老王 在开会")):
        await desk.store.put(row)
        # each word lasts half a second
        await desk.store.put_spans(row.leg, [span(row, 0, words, 0.0)], Heard.DONE)
        with wave.open(str(tmp_path / row.file), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(LOUD + LOUD)
    return desk


async def pcm(desk: Desk, path: str, who: str, body: Any = None, headers: Any = None) -> bytes:
    asked = desk.client.get if body is None else desk.client.post
    told = {"Authorization": f"Bearer {who}", **(headers or {})}
    async with asked(path, headers=told, **({} if body is None else {"json": body})) as answer:
        assert answer.status in (200, 206), await answer.text()
        return await answer.read()


def audio(leg: str) -> str:
    return f"/api/recordings/{leg}/audio?purpose=review"


async def test_a_consultation_is_silence_in_the_agents_file_for_whom_it_is_not(consulted: Desk) -> None:
    for who, second in (("lead", bytes(len(LOUD))), ("operator", LOUD)):
        whole = await pcm(consulted, audio(AGENTS), who)
        assert whole[44:] == LOUD + second
        # from any byte on
        headers = {"Range": "bytes=8041-8049"}
        assert await pcm(consulted, audio(AGENTS), who, headers=headers) == whole[8041:8050]
        heard = [json.loads(row.told) for row in consulted.audit if (row.did, row.who) == ("listen", who)]
        assert heard == [
            {"purpose": "review", "leg": AGENTS} | ({"consultations": True} if any(second) else {})
        ]
        path = f"/api/recordings/{AGENTS}/waveform?points=10"
        status, told = await consulted.ask(path, who)
        assert (status, [p > 0 for p in told["peaks"]]) == (200, [True] * 5 + [any(second)] * 5)
    rows = (await consulted.ask(f"/api/recordings?call={OLD.id}", "lead"))[1]
    assert {row["leg"]: row["apart"] for row in rows} == {OLD.leg: [], AGENTS: [[0.5, 1]], ASKED: [[0, 1]]}


async def test_a_colleagues_file_of_nothing_else_is_refused_to_whom_it_is_not(consulted: Desk) -> None:
    why = "this call is of the class consultation: hearing it needs the role operator, you are supervisor"
    for what in ("audio?purpose=review", "waveform", "waveform.svg"):
        status, told = await consulted.ask(f"/api/recordings/{ASKED}/{what}", "lead")
        assert (status, told["detail"]) == (403, why)
        assert (await consulted.ask(f"/api/recordings/{ASKED}/{what}", "operator"))[0] == 200
    denied = [row for row in consulted.audit if row.outcome is Outcome.DENIED]
    assert [(row.did, row.why, json.loads(row.told)["leg"]) for row in denied] == [
        (did, why, ASKED) for did in ("audio", "waveform", "waveform.svg")
    ]


async def test_a_mix_and_an_export_hold_a_consultation_only_when_it_is_asked_for_by_right(
    consulted: Desk,
) -> None:
    body = {"purpose": "review"}
    export = f"/api/calls/{OLD.id}/export"
    for who in ("lead", "operator"):
        mix = await pcm(consulted, MIX, who)
        # the caller's file lies elsewhere on the clock
        loud = np.abs(np.frombuffer(mix[44:], "<i2"))
        assert int((loud > 0).sum()) == 8000 + 4000
        assert (await pcm(consulted, export, who, body)).endswith(mix[44:])
    assert not [row for row in consulted.audit if "consultations" in row.told]
    for path, told in ((f"{MIX}&consultations=true", None), (export, {**body, "consultations": True})):
        assert (await consulted.ask(path, "lead", told))[0] == 403
        whole = await pcm(consulted, path, "operator", told)
        # agent and colleague at once, and the colleague alone
        assert int((np.abs(np.frombuffer(whole[-len(mix) + 44 :], "<i2")) > 0).sum()) == 8000 + 8000
        done = [row for row in consulted.audit if "consultations" in row.told]
        assert [row.who for row in done][-1:] == ["operator"]
    assert [row.outcome for row in consulted.audit if row.outcome is Outcome.DENIED] == [Outcome.DENIED] * 2


async def test_words_of_a_consultation_are_read_and_found_by_whom_it_is_for(consulted: Desk) -> None:
    async def read(who: str) -> list[tuple[str, bool]]:
        said = (await consulted.ask(f"/api/calls/{OLD.id}/transcript", who))[1]["said"]
        return [(s["text"], s["consultation"]) for s in said if s["leg"] != OLD.leg]

    assert await read("lead") == [("请稍等", False)]
    assert await read("operator") == [("请稍等", False), ("老王在开会", True), ("老王", True)]
    for query in ("said=老王", "sound=laowang"):
        assert (await consulted.ask(f"/api/recordings?{query}", "lead"))[1] == []
        found = (await consulted.ask(f"/api/recordings?{query}", "operator"))[1]
        assert sorted(row["leg"] for row in found) == [AGENTS, ASKED]
    assert [row["leg"] for row in (await consulted.ask("/api/recordings?said=请稍等", "lead"))[1]] == [AGENTS]
    # a ticket is the citizen's matter, whoever makes it
    status, told = await consulted.ask("/api/tickets", "operator", {"call": OLD.id, "fields": {}})
    assert (status, [one["text"] for one in told["transcript"]["said"]]) == (201, ["我在解放路", "请稍等"])


async def test_a_plan_that_says_nothing_of_consultations_lets_supervisors_hear_them(consulted: Desk) -> None:
    consulted.classes()
    assert (await pcm(consulted, audio(AGENTS), "lead"))[44:] == LOUD + LOUD
    assert (await pcm(consulted, audio(ASKED), "lead"))[44:] == LOUD + LOUD
    loud = np.abs(np.frombuffer((await pcm(consulted, f"{MIX}&consultations=true", "lead"))[44:], "<i2"))
    assert int((loud > 0).sum()) == 8000 + 8000
    # not in the citizen's, all the same
    plain = np.abs(np.frombuffer((await pcm(consulted, MIX, "lead"))[44:], "<i2"))
    assert int((plain > 0).sum()) == 8000 + 4000


async def test_nobody_hears_a_consultation_whose_term_is_over_unless_its_call_is_held(
    consulted: Desk,
) -> None:
    rule = RecordingClass(keep_days=10)
    consulted.plan = consulted.plan.model_copy(update={"recordings": {CONSULTATION: rule}})
    old = time.time() - 11 * 86400.0
    await consulted.store.mark(AGENTS, ASKED, ended=old)
    assert (await pcm(consulted, audio(AGENTS), "operator"))[44:] == LOUD + bytes(len(LOUD))
    status, told = await consulted.ask(audio(ASKED), "operator")
    assert (status, told["detail"]) == (403, "consultations are kept for 10 days: this one is older")
    assert (await consulted.ask(f"{MIX}&consultations=true", "operator"))[0] == 403
    assert (await consulted.ask(f"/api/calls/{OLD.id}/hold", "lead", {"purpose": "court"}))[0] == 200
    assert (await pcm(consulted, audio(AGENTS), "operator"))[44:] == LOUD + LOUD
    assert (await consulted.ask(f"{MIX}&consultations=true", "operator"))[0] == 200
