"""Recordings, words, holds and tickets: one contract, against SQLite and a real PostgreSQL alike."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from calls.audit import Audited, Outcome
from calls.facts import CallId, LegId
from calls.model import Call, Direction
from cti import vault
from cti.errors import NotNow
from cti.home import Home
from cti.retention import Retention
from cti.settings import Settings
from cti.shelf.chosen import Chosen
from cti.store.duties import DutyStore
from cti.store.history import History, Past, sqlite_url
from cti.store.models import Base
from cti.store.recordings import BEGIN, Hold, Mark, RecordingStore, Span, Wanted
from cti.store.records import Position
from cti.store.tickets import TYPED_KEPT, TicketStore
from plan.recordings import CLASSES, RecordingClass, own_places
from queues.duties import DutyKind
from recording.filed import Filed, Heard, Role
from recording.flagged import Flag
from recording.retention import DAY, Term, terms
from recording.table import State
from recording.ticket import Ticket
from tests.live import servers
from tests.story.plan_files import demo
from tests.story.test_duties import ANSWERED, a_call
from transfer.handoff import Handoff

CALL = CallId("demo-n1-1.1")
ROW = Filed(
    leg=LegId("n1-1.1"), call=CALL, city="demo", line="main", role=Role.CALLER, began=1000.0, ended=1060.0,
    seconds=60.0, file="20260101/demo-n1-1.1/n1-1.1.wav", bytes=960044, sha256="ab",
)  # fmt: skip
SEAT = replace(ROW, leg=LegId("n1-2.2"), role=Role.SEAT, seat="1001", began=1020.0)


@pytest.fixture(scope="module")
def postgres() -> Iterator[servers.Server]:
    with servers.postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
async def history(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[History]:
    if request.param == "sqlite":
        url = sqlite_url(tmp_path / "history.sqlite")
    else:
        url = request.getfixturevalue("postgres").url
    made = History(url, seconds=10.0)
    await made.start()
    yield made
    await made.close()
    if request.param == "postgresql":
        engine = create_async_engine(url)
        async with engine.begin() as conn:
            for table in (*Base.metadata.tables, "alembic_version"):
                await conn.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
        await engine.dispose()


@pytest.fixture
def store(history: History) -> RecordingStore:
    return RecordingStore(history)


def span(leg: str, number: int, text: str, sound: str, start: float) -> Span:
    return Span(LegId(leg), number, CALL, "demo", 1000.0 + start, start, start + 1, text, sound, 0.9,
                '{"digits":"","words":[]}')  # fmt: skip


def no_shelf(folder: Path) -> Chosen:
    return Chosen(Home(folder), Settings())


def sealed(folder: Path) -> list[str]:
    return [p.name for p in folder.rglob("*.sealed")]


async def test_a_row_told_again_keeps_what_became_of_it(store: RecordingStore) -> None:
    await store.put(ROW)
    await store.mark(ROW.leg, sealed=True)
    await store.put_spans(ROW.leg, [], Heard.DONE)
    await store.put(ROW)
    found = await store.one(ROW.leg)
    assert found == replace(ROW, sealed=True, heard=Heard.DONE)


async def test_a_dialled_number_too_long_for_its_column_is_cut_not_refused(store: RecordingStore) -> None:
    """It is what a carrier sends, and its row is saved together with others."""
    await store.put(replace(ROW, original="9" * 1000 + "\0"), replace(SEAT, original="12\x00345"))
    assert [row.original for row in await store.of_call(CALL)] == ["9" * 128, "12345"]
    assert [row.leg for row, _ in await store.find(Wanted(original="12345"))] == [SEAT.leg]
    assert await store.find(Wanted(original="9" * 1000)) == []


async def test_words_wait_until_their_recording_is_filed(store: RecordingStore) -> None:
    words = [span(ROW.leg, 0, "解放路", " jie fang lu ", 5.0)]
    assert not await store.put_spans(ROW.leg, words, Heard.DONE)
    assert await store.spans(CALL) == []
    await store.put(ROW)
    assert await store.put_spans(ROW.leg, words, Heard.DONE)
    assert await store.put_spans(ROW.leg, words, Heard.DONE)
    assert await store.spans(CALL) == words


async def test_recordings_are_found_by_words_sound_seat_line_and_time(store: RecordingStore) -> None:
    for row in (ROW, SEAT):
        await store.put(row)
    road = span(ROW.leg, 0, "我在解方路上", " wo zai jie fang lu shang ", 5.0)
    after = span(ROW.leg, 1, "十 八号", " shi ba hao ", 9.0)
    await store.put_spans(ROW.leg, [road, after], Heard.DONE)
    await store.put_spans(SEAT.leg, [span(SEAT.leg, 0, "请讲100%", " qing jiang ", 1.0)], Heard.DONE)

    async def legs(wanted: Wanted) -> list[str]:
        return [row.leg for row, _ in await store.find(wanted)]

    assert await legs(Wanted()) == [SEAT.leg, ROW.leg]
    assert await legs(Wanted(said="解方路")) == [ROW.leg]
    assert await legs(Wanted(said="解放路")) == []
    assert await legs(Wanted(said="路上十八号")) == [ROW.leg]
    assert await legs(Wanted(sound="jiefanglu")) == [ROW.leg]
    assert await legs(Wanted(sound="lushangshiba")) == [ROW.leg]
    assert await legs(Wanted(sound="jiefanlu")) == []
    assert await legs(Wanted(most=1, skip=1)) == [ROW.leg]
    assert await legs(Wanted(said="%")) == [SEAT.leg]
    assert await legs(Wanted(seat="1001")) == [SEAT.leg]
    assert await legs(Wanted(line="main", since=1010.0)) == [SEAT.leg]
    assert await legs(Wanted(city="luan")) == []
    await store.put(replace(SEAT, original="12336"))
    assert await legs(Wanted(original="12336")) == [SEAT.leg]
    assert await legs(Wanted(original="12312")) == []
    [(_, told)] = await store.find(Wanted(said="解方"))
    assert told == [road, after]
    await store.put_spans(ROW.leg, [after], Heard.DONE)
    assert await legs(Wanted(said="解方路")) == []
    await store.forget(ROW.leg, State.EXPIRED)
    assert await legs(Wanted(said="十八号")) == []


async def test_what_was_kept_long_enough_goes_unless_its_call_is_held(
    store: RecordingStore, tmp_path: Path
) -> None:
    told: list[str] = []
    held = replace(ROW, leg=LegId("n1-9.9"), call=CallId("demo-n1-9.9"), file="d/demo-n1-9.9/n1-9.9.wav")
    for row in (ROW, held):
        await store.put(row)
        file = tmp_path / f"{row.file}{vault.SUFFIX}"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x")
    await store.put_spans(ROW.leg, [span(ROW.leg, 0, "字", " zi ", 1.0)], Heard.DONE)
    await store.hold(Hold(held.call, "8001", "court", 2000.0))
    plan = demo()
    days = plan.lines["main"].recordings_keep_days or plan.city.recordings_keep_days
    clock = [1060.0 + days * DAY - 5]
    retention = Retention(
        tmp_path, store, lambda: {"demo": plan}, lambda row: told.append(row.on), no_shelf(tmp_path),
        lambda: clock[0],
    )  # fmt: skip
    assert await retention.sweep() == 0
    clock[0] += 10
    assert await retention.sweep() == 1
    gone = await store.one(ROW.leg)
    assert gone is not None
    assert (gone.state, told) == (State.EXPIRED, [CALL])
    assert await store.spans(CALL) == []
    assert sealed(tmp_path) == ["n1-9.9.wav.sealed"]
    await store.release(held.call)
    assert await retention.sweep() == 1
    assert sealed(tmp_path) == []


@pytest.mark.parametrize("saved", [False, True])
async def test_a_deletion_stands_in_the_audit_trail_once_though_the_service_dies_in_it(
    history: History, tmp_path: Path, saved: bool
) -> None:
    class Dying(RecordingStore):
        async def forget(self, leg: str, state: str) -> None:
            if saved:
                await super().forget(leg, state)
            raise NotNow("died")

    told: list[Audited] = []
    await RecordingStore(history).put(ROW)
    for store in (Dying(history), RecordingStore(history)):
        retention = Retention(
            tmp_path, store, lambda: {"demo": demo()}, told.append, no_shelf(tmp_path), lambda: 1e10
        )
        with contextlib.suppress(NotNow):
            await retention.sweep()
    await history.save([], [], "j", Position(), audits=told)
    assert [(row.did, row.on) for row in await history.audits(Past())] == [("expire", CALL)]
    assert [row.state for row in await RecordingStore(history).of_call(CALL)] == [State.EXPIRED]


async def test_one_asking_for_consultations_looks_at_no_more_recordings_than_any(
    store: RecordingStore,
) -> None:
    """Most calls hold none: the database would read all of them to find one."""
    alone = Term("demo", None, 2000.0, consultation=2000.0, alone=True)
    told = replace(ROW, leg=LegId("n1-4.4"), apart="[[0.0, 60.0]]", ended=1070.0)
    await store.put(ROW, SEAT, told)
    nothing, after = await store.expired(alone, most=2)
    assert (nothing, after) == ([], (SEAT.ended, SEAT.leg))
    assert after is not None
    rows, end = await store.expired(alone, after, most=2)
    assert ([row.leg for row in rows], end) == ([told.leg], None)


async def test_a_term_that_cannot_be_asked_for_keeps_nothing_from_going_by_another(
    history: History, tmp_path: Path
) -> None:
    plan = demo()
    asked: list[Term] = []

    class Slow(RecordingStore):
        async def expired(
            self, term: Term, after: Mark = BEGIN, most: int = 1000
        ) -> tuple[list[Filed], Mark | None]:
            asked.append(term)
            if term.line != "main":
                raise NotNow(f"database: no answer about {len(asked)}")
            return await super().expired(term, after, most)

    store = Slow(history)
    await store.put(ROW)
    retention = Retention(
        tmp_path, store, lambda: {"demo": plan}, lambda row: None, no_shelf(tmp_path), lambda: 1e10
    )
    with pytest.raises(NotNow, match=r"about 1$"):
        await retention.sweep()
    assert asked == list(terms(plan, 1e10))
    assert [row.state for row in await store.of_call(CALL)] == [State.EXPIRED]


# --- classes of calls -------------------------------------------------------------------------


def flag(call: Call) -> Flag:
    return Flag(call.id, "gas", call.city, "煤气泄漏", call.leg, 1.0, 1010.0)


def record(call: Call, centre: str, *, kind: str = "handoff", direction: str = "out") -> Handoff:
    return Handoff(f"r-{call.id}", call.id, call.city, direction, kind, centre, asked=1010.0)


OWN = own_places(demo())
PLAIN, OUT, FLAGGED, TICKETED, BOTH, HELD, TO_110, FROM_110, TO_SEAT = (
    a_call(name, 1000, direction=Direction.OUT if name in ("out", "both", "held") else Direction.IN)
    for name in ("plain", "out", "flagged", "ticketed", "both", "held", "to-110", "from-110", "to-seat")
)
CONSULT = a_call("consult", 1000, consult_of=TO_110.id)
CONSULTED = a_call("consulted", 1000, consult_of=CONSULT.id)
BACK = a_call("back", 1000, callback_of=FLAGGED.id)
PROMISED = a_call("promised", 1000)
FLAGGED_BACK = a_call("flagged-back", 1000, callback_of=PROMISED.id)
WHOLE = a_call("whole", 1000)
FLAGGED_CONSULT = a_call("flagged-consult", 1000, consult_of=WHOLE.id)
TOLD = {
    PLAIN: set(), OUT: {"outgoing"}, FLAGGED: {"flagged"}, TICKETED: {"ticketed"},
    BOTH: {"outgoing", "flagged"}, HELD: {"outgoing"}, TO_110: {"handed"}, FROM_110: {"handed"},
    TO_SEAT: set(), CONSULT: {"handed"}, CONSULTED: {"handed"}, BACK: {"flagged"}, PROMISED: set(),
    FLAGGED_BACK: {"flagged"}, WHOLE: {"flagged"}, FLAGGED_CONSULT: {"flagged"},
}  # fmt: skip
"""What is told of each call makes it of these classes."""


def leg_of(call: Call) -> Filed:
    return replace(ROW, leg=call.leg, call=call.id, file=f"d/{call.id}/{call.leg}.wav")


@pytest.fixture
async def told(history: History) -> None:
    """A recording of each of these calls, and what was noted of them afterwards."""
    for call in TOLD:
        await RecordingStore(history).put(leg_of(call))
    records = [
        record(TO_110, "110", kind="consult"), record(FROM_110, "12333", direction="in"),
        record(TO_SEAT, "1003", kind="consult"),
    ]  # fmt: skip
    flags = [flag(call) for call in (FLAGGED, BOTH, FLAGGED_BACK, FLAGGED_CONSULT)]
    await history.save(list(TOLD), [], "j", Position(), handoffs=records, flags=flags)
    await TicketStore(history).make("demo", "20261121", lambda n: ticket(n, call=TICKETED.id))
    await RecordingStore(history).hold(Hold(HELD.id, "8001", "court", 2000.0))


@pytest.mark.usefixtures("told")
async def test_a_call_is_of_the_classes_that_its_history_and_that_of_its_kin_tell(
    store: RecordingStore,
) -> None:
    found = await store.classes([call.id for call in TOLD], CLASSES, OWN)
    assert found == {call.id: classes for call, classes in TOLD.items() if classes}
    assert await store.classes([BOTH.id, "demo-nobody"], ["flagged"], OWN) == {BOTH.id: {"flagged"}}
    assert await store.classes([], CLASSES, OWN) == await store.classes([PLAIN.id], [], OWN) == {}


async def test_a_centre_that_the_plan_has_no_more_still_makes_a_call_handed(
    history: History, store: RecordingStore
) -> None:
    gone = [
        record(TO_110, "96110", kind="blind"),
        replace(record(TO_SEAT, "1003", kind="blind"), summary='"kind":"handoff"'),
    ]
    await history.save([TO_110, TO_SEAT], [], "j", Position(), handoffs=gone)
    assert await store.classes([TO_110.id, TO_SEAT.id], ["handed"], OWN) == {TO_110.id: {"handed"}}


@pytest.mark.usefixtures("told")
async def test_a_recording_goes_with_the_longest_term_of_its_calls_classes_and_never_while_held(
    store: RecordingStore, tmp_path: Path
) -> None:
    days = {"ticketed": 10, "outgoing": 100, "flagged": 1000, "handed": 2000}
    plan = demo()
    usual = plan.city.recordings_keep_days
    rules = {name: RecordingClass(keep_days=n) for name, n in days.items()}
    plan = plan.model_copy(update={"recordings": rules})
    clock = [0.0]
    retention = Retention(
        tmp_path, store, lambda: {"demo": plan}, lambda row: None, no_shelf(tmp_path), lambda: clock[0]
    )
    last = {call: max((days[name] for name in classes), default=usual) for call, classes in TOLD.items()}
    del last[HELD]
    for day in sorted({*days.values(), usual}):
        clock[0] = 1060.0 + day * DAY - 5
        assert await retention.sweep() == 0, day
        clock[0] += 10
        assert await retention.sweep() == list(last.values()).count(day), day
        gone = [call for call in TOLD if (await store.of_call(call.id))[0].state == State.EXPIRED]
        assert gone == [call for call in TOLD if last.get(call, day + 1) <= day]
    await store.release(HELD.id)
    assert await retention.sweep() == 1


async def test_a_consultation_goes_by_its_own_term_and_takes_no_other_talk_with_it(
    store: RecordingStore, tmp_path: Path
) -> None:
    plan = demo()
    rules = {"consultation": RecordingClass(keep_days=100)}
    plan = plan.model_copy(update={"recordings": rules})
    usual, clock = plan.city.recordings_keep_days, [0.0]
    retention = Retention(
        tmp_path, store, lambda: {"demo": plan}, lambda row: None, no_shelf(tmp_path), lambda: clock[0]
    )
    mixed = replace(SEAT, apart="[[10.0, 20.0]]")
    alone = replace(SEAT, leg=LegId("n1-3.3"), seat="1003", apart="[[0.0, 60.0]]")
    await store.put(ROW, mixed, alone)

    async def gone(days: float) -> list[str]:
        clock[0] = 1060.0 + days * DAY
        await retention.sweep()
        return sorted(row.leg for row in await store.of_call(CALL) if row.state is State.EXPIRED)

    assert await gone(99.9) == []
    await store.hold(Hold(CALL, "8001", "court", 2000.0))
    assert await gone(100.1) == []
    await store.release(CALL)
    assert await gone(100.1) == [alone.leg]
    # kept longer than the rest of its call: the file that holds both stays for it
    rules["consultation"] = RecordingClass(keep_days=usual + 10)
    assert await gone(usual + 9.9) == sorted([alone.leg, ROW.leg])
    assert await gone(usual + 10.1) == sorted([alone.leg, ROW.leg, mixed.leg])


@pytest.mark.usefixtures("told")
async def test_recordings_that_stay_do_not_hide_those_that_may_go(store: RecordingStore) -> None:
    term = Term("demo", None, 2000.0, "flagged", frozenset({"outgoing"}))
    due, looks = list[str](), 0
    after: Mark | None = BEGIN
    while after is not None:
        rows, after = await store.expired(term, after, most=3)
        due += [row.call for row in rows]
        looks += 1
    assert sorted(due) == sorted(c.id for c, told in TOLD.items() if told == {"flagged"})
    assert looks == len(TOLD) // 3 + 1
    assert await store.expired(replace(term, line="12315")) == ([], None)
    assert await store.expired(replace(term, city="luan")) == ([], None)
    assert await store.expired(replace(term, before=1060.0)) == ([], None)


def ticket(number: str, **other: Any) -> Ticket:
    usual = Ticket(number, "demo", CALL, "12345", "139", "main", 1.0, "8001", "{}", "{}", "{}")
    return replace(usual, **other)


async def test_tickets_made_at_the_same_moment_have_numbers_of_their_own(history: History) -> None:
    store = TicketStore(history)
    made = await asyncio.gather(*(store.make("demo", "20261121", ticket) for _ in range(5)))
    assert sorted(t.number for t in made) == [f"demo-20261121-0000{n}" for n in range(1, 6)]
    assert len(await store.of_call(CALL)) == 5


async def test_a_call_whose_caller_was_written_down_is_drafted_until_its_first_ticket(
    history: History,
) -> None:
    said, silent, other, lost = (
        ANSWERED,
        a_call("silent", 800, answered=805.0),
        a_call("other", 600, answered=605.0, city="luan"),
        a_call("lost", 750),
    )
    agent_only = a_call("mute", 810, answered=815.0)
    await history.save([said, silent, other, lost, agent_only], [], "j", Position())
    words = RecordingStore(history)
    for call, leg in (
        (said, said.leg), (other, other.leg), (lost, lost.leg), (agent_only, LegId("seat-of-mute")),
    ):  # fmt: skip
        await words.put(replace(ROW, leg=leg, call=call.id, city=call.city))
        span = Span(leg, 0, call.id, call.city, 712.0, 2.0, 3.0, "你好", " ni hao ", 0.9, "[]")
        assert await words.put_spans(leg, [span], Heard.DONE)
    store, found = TicketStore(history), DutyStore(history)

    async def drafted(
        since: float = 0.0, city: str | None = None, *, older: bool = False
    ) -> list[tuple[str, str | None]]:
        return [(d.call.id, d.ticket) for d in await found.drafted(since, city, older=older)]

    assert await drafted() == [(said.id, None), (other.id, None)]
    assert await drafted(city="demo") == [(said.id, None)]
    assert await drafted(since=701.0) == []
    assert await drafted(since=701.0, older=True) == [(said.id, None), (other.id, None)]

    def ticket(number: str) -> Ticket:
        return Ticket(
            number, "demo", said.id, "12345", "13800138000", "main", 900.0, "8001", "{}", "{}", "{}"
        )

    first = await store.make("demo", "20261121", ticket)
    await store.make("demo", "20261121", ticket)
    assert await drafted() == [(other.id, None), (said.id, first.number)], "the open ones first"
    assert (await found.drafted(0.0, "demo"))[0].made == 900.0
    assert await drafted(since=701.0, older=True) == [(other.id, None)]


async def test_of_more_duties_than_are_asked_for_those_that_are_open_are_told_first(
    history: History, store: RecordingStore
) -> None:
    promised = [a_call(f"p{n}", 100 + n, owed=True, caller=f"139{n:08}") for n in range(3)]
    answered = [a_call(f"d{n}", 100 + n, answered=105.0 + n) for n in range(3)]
    by_hand = [
        Audited(id=call.id, at=900.0, city="demo", who="chief", role="supervisor", did=did, on=call.id,
                told='{"reason":"手机"}', outcome=Outcome.DONE)
        for did, calls in (("settle-call-back", promised), ("settle-draft", answered))
        for call in calls[1:]
    ]  # fmt: skip
    await history.save([*promised, *answered], [], "j", Position(), audits=by_hand)
    for call in answered:
        await store.put(leg_of(call))
        said = replace(span(call.leg, 0, "你好", " ni hao ", 2.0), call=call.id)
        assert await store.put_spans(call.leg, [said], Heard.DONE)
    found = DutyStore(history)
    for older in (False, True):
        assert [c.id for c in await found.owed(0.0, most=1, older=older)] == [promised[0].id]
        assert [d.call.id for d in await found.drafted(0.0, most=1, older=older)] == [answered[0].id]
    settled = await found.by_hand([c.id for c in (*promised, *answered)])
    assert {(kind, call): row.reason for (kind, call), row in settled.items()} == {
        (kind, call.id): "手机"
        for kind, calls in ((DutyKind.CALL_BACK, promised), (DutyKind.DRAFT, answered))
        for call in calls[1:]
    }


async def test_the_last_tickets_of_a_callers_number_are_found_in_its_city_only(history: History) -> None:
    store = TicketStore(history)
    for day in range(1, 6):
        await store.make("demo", f"2026110{day}", partial(ticket, made=float(day)))
    await store.make("demo", "20261109", lambda n: ticket(n, caller="138"))
    await store.make("demo", "20261110", lambda n: ticket(n, caller=""))
    await store.make("luan", "20261109", lambda n: ticket(n, city="luan", made=9.0))
    assert [t.made for t in await store.of_caller("demo", "139")] == [5.0, 4.0, 3.0]
    assert [t.made for t in await store.of_caller("demo", "139", 1)] == [5.0]
    assert await store.of_caller("luan", "138") == []
    assert await store.of_caller("demo", "") == []


async def test_what_was_typed_stands_until_its_ticket_is_made(history: History) -> None:
    store = TicketStore(history)
    await store.type(CALL, {"name": "王芳", "phone": None}, 10.0)
    await store.type(CALL, {"name": "汪芳", "address": {"text": "来村"}}, 20.0)
    await store.type("demo-n1-2.2", {"name": "别人"}, 20.0)
    assert await store.typed(CALL) == {"name": "汪芳", "phone": None, "address": {"text": "来村"}}
    await store.make("demo", "20261121", ticket)
    assert await store.typed(CALL) == {}
    assert await store.typed("demo-n1-2.2") == {"name": "别人"}
    await store.type(CALL, {"name": "x"}, 20.0 + TYPED_KEPT + 1)
    assert await store.typed("demo-n1-2.2") == {}


async def test_a_ticket_is_unfinished_until_its_whole_talk_is_written_down(
    history: History, store: RecordingStore
) -> None:
    tickets = TicketStore(history)
    await tickets.make("demo", "20261121", lambda n: ticket(n, complete=False))
    whole = await tickets.make("demo", "20261121", ticket)
    assert await tickets.unfinished() == []  # nothing of its call is filed yet
    for row in (ROW, SEAT):
        await store.put(row)
    await store.put_spans(ROW.leg, [], Heard.DONE)
    assert await tickets.unfinished() == []  # one leg waits
    await store.put_spans(SEAT.leg, [], Heard.DONE)
    [open_one] = await tickets.unfinished()
    await tickets.finish(open_one.number, '{"complete": true}')
    await tickets.finish(whole.number, "never")
    assert await tickets.unfinished() == []
    done, other = await tickets.of_call(CALL)
    assert done == replace(open_one, complete=True, transcript='{"complete": true}')
    assert other == whole


async def test_what_is_missing_or_short_is_found_by_time_and_city_the_newest_first(history: History) -> None:
    store = RecordingStore(history)
    missing = replace(ROW, leg=LegId("n1-3.3"), state=State.MISSING, why="no-file", began=None, ended=1050.0)
    short = replace(ROW, leg=LegId("n1-4.4"), short=7.5, ended=1055.0)
    elsewhere = replace(missing, leg=LegId("n1-5.5"), call=CallId("luan-n1-5.5"), city="luan", ended=1070.0)
    for row in (ROW, missing, short, elsewhere):
        await store.put(row)

    async def found(
        since: float | None = None, until: float | None = None, city: str | None = None, most: int = 10
    ) -> list[str]:
        return [x.leg for x in await store.lacking(since, until, city, most)]

    assert await found() == ["n1-5.5", "n1-4.4", "n1-3.3"]
    assert await found(city="demo") == ["n1-4.4", "n1-3.3"]
    assert await found(since=1055.0, until=1070.0) == ["n1-4.4"]
    assert await found(most=1) == ["n1-5.5"]
