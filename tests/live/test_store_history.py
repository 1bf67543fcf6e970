"""One contract for history, held against SQLite and a real PostgreSQL alike."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import column, insert, inspect, table
from sqlalchemy.ext.asyncio import create_async_engine

from calls import facts as f
from calls.audit import Audited
from calls.audit import Outcome as AuditOutcome
from calls.facts import CallId, LegId
from calls.model import Call, CallState
from calls.note import ShiftNote
from cti.errors import NotNow
from cti.store import migrations
from cti.store.drain import Drain, rows_of
from cti.store.duties import DutyStore
from cti.store.history import History, Past, sqlite_url
from cti.store.journal import Journal, Limits, segments
from cti.store.keeping import call_record, flag_record, visit_record
from cti.store.models import Base
from cti.store.recordings import RecordingStore, Wanted
from cti.store.records import Position, Record
from cti.store.tickets import TicketStore
from cti.switchboard import replay
from cti.truth.compare import Truth
from cti.truth.rows import wrap_up_rows
from cti.truth.wrapped import Wrapped, compare_wrap_ups
from queues.stint import Stint
from queues.visit import Outcome, Visit
from recording.filed import Filed
from tests.live import servers
from tests.story.a_call import CALL, answered, said
from transfer.handoff import Handoff

BOARD = replay([*answered(), said(f.SeatFinished, 140.0), said(f.CallLeft, 150.0)])
ENDED = replace(BOARD.picture.calls[CALL], menu="service", menu_key="1")
VISIT = BOARD.visits.last[CALL]
OPEN = replay(answered()).picture.calls[CALL]


@pytest.fixture(scope="module")
def postgres() -> Iterator[servers.Server]:
    with servers.postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "history.sqlite")
        return
    server: servers.Server = request.getfixturevalue("postgres")
    yield server.url
    engine = create_async_engine(server.url)
    async with engine.begin() as conn:
        for table in (*Base.metadata.tables, "alembic_version"):
            await conn.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
    await engine.dispose()


@pytest.fixture
async def history(url: str) -> AsyncIterator[History]:
    made = History(url, seconds=10.0)
    await made.start()
    yield made
    await made.close()


def numbered(n: int) -> Call:
    return replace(ENDED, id=CallId(f"demo-n1-{n}.1"), leg=LegId(f"n1-{n}.1"), arrived=float(n))


async def test_a_call_is_read_as_it_was_saved(history: History) -> None:
    await history.save([ENDED], [VISIT], "j", Position(1, 10))
    assert await history.call(CALL) == ENDED
    assert await history.visits(CALL) == [VISIT]
    assert await history.call("demo-nobody") is None


async def test_a_call_saved_again_stands_there_once(history: History) -> None:
    for _ in range(3):
        await history.save([OPEN, ENDED, ENDED], [VISIT, VISIT], "j", Position(1, 10))
    assert await history.calls(Past()) == [ENDED]
    assert await history.visits(CALL) == [VISIT]


async def test_an_ended_call_is_not_opened_by_a_journal_read_again(history: History) -> None:
    await history.save([ENDED], [], "j", Position(1, 10))
    await history.save([OPEN], [], "j", Position(1, 5))
    assert await history.call(CALL) == ENDED


async def test_a_flag_stands_once_for_its_call_and_kind_however_often_the_journal_tells_it(
    history: History,
) -> None:
    gas = replay([said(f.FlagRaised, 120.0), said(f.FlagRaised, 125.0, flag="fire", words="着火\0了")])
    flags = list(gas.flags.of(CALL))
    for _ in range(2):
        await history.save([], [], "j", Position(1, 10), flags=flags)
    found = await history.flags(CALL)
    assert [(x.flag, x.words) for x in found] == [("gas", "家里有煤气味"), ("fire", "着火了")]
    assert found[0] == flags[0]
    assert await history.flags("demo-nobody") == []


async def test_a_shifts_note_stands_once_however_often_the_journal_tells_it_and_is_open_until_it_is_settled(
    history: History,
) -> None:
    note = ShiftNote(
        id="demo-note-1", at=100.0, city="demo", who="zhang", role="agent", text="勿调\0队列" + "字" * 2000
    )
    for _ in range(2):
        await history.save([], [], "j", Position(1, 10), notes=[note])
    store = DutyStore(history)
    kept = replace(note, text=note.text.replace("\0", ""))
    assert await store.note(note.id) == kept
    assert await store.notes(200.0, "demo", older=True) == [kept]
    done = Audited(
        id="a", at=150.0, city="demo", who="chief", role="supervisor", did="settle-note", on=note.id,
        outcome=AuditOutcome.DONE,
    )  # fmt: skip
    await history.save([], [], "j", Position(1, 20), audits=[done])
    assert await store.notes(200.0, older=True) == []
    assert await store.notes(50.0, "luan") == []


async def test_a_flag_goes_through_the_journal_into_the_history(history: History, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    [flag] = replay([said(f.FlagRaised, 120.0)]).flags.of(CALL)
    journal.append(flag_record(flag))
    assert journal.flush()
    await Drain(journal, history).once()
    journal.close()
    assert await history.flags(CALL) == [flag]


async def test_the_cursor_is_saved_with_what_was_read_and_each_journal_has_its_own(history: History) -> None:
    assert await history.cursor("a") == Position()
    await history.save([], [], "a", Position(3, 77))
    await history.save([], [], "b", Position(1, 5))
    assert (await history.cursor("a"), await history.cursor("b")) == (Position(3, 77), Position(1, 5))


async def test_calls_are_found_by_time_and_city_newest_first(history: History) -> None:
    calls = [numbered(n) for n in range(100, 110)]
    elsewhere = replace(numbered(105), id=CallId("other-n1-5.1"), city="other")
    await history.save([*calls, elsewhere], [], "j", Position(1, 10))
    found = await history.calls(Past(since=103.0, until=107.0, city="demo"))
    assert [c.arrived for c in found] == [106.0, 105.0, 104.0, 103.0]
    assert [c.city for c in await history.calls(Past(city="other"))] == ["other"]
    assert len(await history.calls(Past(most=3))) == 3


async def test_hand_offs_are_found_by_id_city_and_a_centres_own_case_number(history: History) -> None:
    def record(id: str, city: str, centre: str, case: str, asked: float) -> Handoff:
        call = CallId(f"{city}-n1-{id}")
        return Handoff(
            id, call, city, "in", "handoff", centre, asked=asked, case=case, summary='"case":"JQ_2"'
        )

    rows = [
        record("h1", "demo", "110", "JQ_1", 1.0),
        record("h2", "demo", "110", "JQ_1", 2.0),
        record("h3", "demo", "110", "jq_1", 3.0),
        record("h4", "demo", "110", "JQx1", 4.0),
        record("h5", "demo", "119", "JQ_1", 5.0),
        record("h6", "other", "110", "JQ_1", 6.0),
    ]
    await history.save([], [], "j", Position(1, 1), handoffs=rows)
    found = await history.handoffs(Past(city="demo"), centre="110", case="JQ_1")
    assert [r.id for r in found] == ["h2", "h1"]
    assert await history.handoffs(Past(city="demo"), centre="110", case="JQ_2") == []
    assert await history.handoffs(Past(city="demo"), id="h6") == []
    assert await history.handoffs(Past(), id="h1") == rows[:1]


async def test_more_rows_than_one_statement_takes_are_saved_together(history: History) -> None:
    calls = [numbered(n) for n in range(1000, 4000)]
    await history.save(calls, [], "j", Position(1, 10))
    assert len(await history.calls(Past(most=5000))) == 3000


async def test_a_number_too_long_for_its_column_is_cut_not_refused(history: History) -> None:
    await history.save([replace(ENDED, caller="9" * 1000 + "\0")], [], "j", Position(1, 10))
    found = await history.call(CALL)
    assert found is not None
    assert found.caller == "9" * 128


async def test_a_transaction_survives_the_end_of_the_task_that_asked_for_it(history: History) -> None:
    saving = asyncio.create_task(history.save([numbered(n) for n in range(500)], [], "j", Position(9, 9)))
    await asyncio.sleep(0)
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    assert await history.cursor("j") == Position(9, 9)
    assert len(await history.calls(Past(most=1000))) == 500


async def test_the_migrations_make_the_tables_the_models_say(url: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as conn:
        await conn.run_sync(migrations.upgrade)
        await conn.run_sync(migrations.upgrade)  # a second start finds them made
        found = await conn.run_sync(
            lambda c: {
                t: {(x["name"], x["nullable"]) for x in inspect(c).get_columns(t)}
                for t in inspect(c).get_table_names()
            }
        )
    await engine.dispose()
    wanted = {t.name: {(c.name, bool(c.nullable)) for c in t.columns} for t in Base.metadata.tables.values()}
    assert {k: v for k, v in found.items() if k != "alembic_version"} == wanted


async def test_words_and_tickets_from_before_search_and_completion_are_brought_along(url: str) -> None:
    engine = create_async_engine(url)
    span = {"leg": "n1-1.1", "call": "c", "city": "demo", "at": 1.0, "start": 1.0, "end": 2.0}
    words = {"confidence": 1.0, "words": ""}
    spans: list[dict[str, Any]] = [
        {**span, **words, "number": 1, "text": "十八号", "sound": " shi ba hao "},
        {**span, **words, "number": 0, "text": "解放 路上", "sound": " jie fang lu shang "},
    ]
    ticket = dict.fromkeys(("original", "caller", "line", "by", "fields", "draft"), "")
    tickets: list[dict[str, Any]] = [
        {**ticket, "number": number, "city": "demo", "call": "c", "made": 1.0, "transcript": transcript}
        for number, transcript in (("t1", '{"complete": true, "said": []}'), ("t2", '{"complete": false, …'))
    ]
    async with engine.begin() as conn:
        await conn.run_sync(migrations.upgrade, "0008")
        for name, rows in (("spans", spans), ("tickets", tickets)):
            await conn.execute(insert(table(name, *map(column, rows[0]))), rows)
    await engine.dispose()
    history = History(url, seconds=10.0)
    await history.start()
    filed = Filed(leg=LegId("n1-1.1"), call=CallId("c"), city="demo", began=1.0, ended=2.0)
    store = RecordingStore(history)
    await store.put(filed)
    for wanted in (Wanted(said="解放路上十八"), Wanted(sound="shangshiba")):
        assert [row.leg for row, _ in await store.find(wanted)] == [filed.leg]
    told = {t.number: t.complete for t in await TicketStore(history).of_call("c")}
    assert told == {"t1": True, "t2": False}
    await history.close()


async def test_recordings_from_before_get_the_number_their_citizen_dialled(url: str) -> None:
    history = History(url, seconds=10.0)
    await history.start()
    call = replace(ENDED, original="12336")
    await history.save([call], [], "j", Position(1, 10))
    store, of_no_call = RecordingStore(history), CallId("demo-gone")
    for leg, of in (("n1-1.1", call.id), ("n1-2.1", of_no_call)):
        await store.put(Filed(leg=LegId(leg), call=of, city="demo", line="main", began=1.0, ended=2.0))
    await history.close()
    engine = create_async_engine(url)
    async with engine.begin() as conn:
        # as the version before left it
        for index in ("calls_owed", "calls_by_callback_of"):
            await conn.exec_driver_sql(f"DROP INDEX {index}")
        await conn.exec_driver_sql("DROP TABLE notes")
        for name in ("original", "apart"):
            await conn.exec_driver_sql(f"ALTER TABLE recordings DROP COLUMN {name}")
        await conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0011'")
    await engine.dispose()
    history = History(url, seconds=10.0)
    await history.start()
    found = {row.call: row.original for row, _ in await RecordingStore(history).find(Wanted())}
    assert found == {call.id: "12336", of_no_call: ""}
    await history.close()


# --- the drain ------------------------------------------------------------------------------------


async def drained(drain: Drain) -> None:
    while await drain.once():
        pass


async def test_the_drain_carries_every_row_from_journal_to_history_once(
    history: History, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "journal")
    for n in range(300):
        journal.append(call_record(replace(numbered(n), state=CallState.GREETED, ended=None, left_by=None)))
        journal.append(call_record(numbered(n)))
        journal.append(visit_record(replace(VISIT, call=numbered(n).id)))
    assert journal.flush()
    await drained(Drain(journal, history, batch=70))
    assert await history.calls(Past(most=1000)) == [numbered(n) for n in reversed(range(300))]
    assert await history.visits(numbered(7).id) == [replace(VISIT, call=numbered(7).id)]
    # a cursor that was lost costs work, not truth
    await history.save([], [], journal.ident, Position())
    await drained(Drain(journal, history, batch=40))
    assert len(await history.calls(Past(most=1000))) == 300
    journal.close()


def test_of_a_call_that_changed_several_times_only_its_last_row_is_read() -> None:
    told = [call_record(OPEN), visit_record(VISIT), call_record(replace(ENDED, id=CallId("demo-n1-9.9")))]
    told += [call_record(ENDED), call_record(ENDED)]
    broken = {**call_record(ENDED), "row": {"id": CALL, "cause": "sixteen"}}
    rows = rows_of(Record(Position(), Position(), one) for one in (*told, broken))
    assert [row.id for row in rows.calls] == ["demo-n1-9.9", CALL]
    assert (rows.calls[1], rows.visits) == (ENDED, [VISIT])


async def test_a_drain_started_anew_goes_on_where_the_last_commit_was(
    history: History, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "journal")
    for n in range(10):
        journal.append(call_record(numbered(n)))
    assert journal.flush()
    await drained(Drain(journal, history))
    journal.append(call_record(numbered(10)))
    assert journal.flush()
    again = Drain(journal, history)
    again.position = await history.cursor(journal.ident)
    assert await again.once()
    assert again.position == journal.end
    journal.close()


@pytest.mark.parametrize("lost", ["the end of the segment", "a segment"])
async def test_what_is_written_after_the_journal_lost_its_end_reaches_history(
    history: History, tmp_path: Path, lost: str
) -> None:
    journal = Journal(tmp_path / "journal", Limits(segment_bytes=4000))
    for n in range(10):
        journal.append(call_record(numbered(n)))
    assert journal.flush()
    await drained(Drain(journal, history))
    journal.close()
    *_, (number, path) = segments(journal.folder)
    assert number > 1
    if lost == "a segment":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size // 2)
    # the same history, as a database elsewhere remembers it
    journal = Journal(journal.folder)
    drain = Drain(journal, history, look_seconds=0.01)
    running = asyncio.create_task(drain.run())
    await until(lambda: drain.ok)
    assert await history.cursor(journal.ident) <= journal.end
    for n in range(10, 20):
        journal.append(call_record(numbered(n)))
    assert journal.flush()
    await until(lambda: drain.position == journal.end)
    assert [c.id for c in await history.calls(Past(most=1000))] == [
        numbered(n).id for n in reversed(range(20))
    ]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    journal.close()


async def test_a_row_the_database_refuses_does_not_stop_the_others(history: History, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    bad = replace(numbered(5), cause=2**63)
    for call in [numbered(4), bad, numbered(6)]:
        journal.append(call_record(call))
    assert journal.flush()
    drain = Drain(journal, history)
    await drained(drain)
    assert [c.arrived for c in await history.calls(Past())] == [6.0, 4.0]
    assert (drain.refused, drain.position) == (1, journal.end)
    journal.close()


@pytest.mark.timeout(120)
class Slow(History):
    """Takes no more than three calls within its deadline."""

    async def save(self, calls: Sequence[Call], *more: Any, **named: Any) -> None:
        if len(calls) > 3:
            raise NotNow("the database did not answer in time")
        await super().save(calls, *more, **named)


async def test_a_database_too_slow_for_a_whole_batch_gets_smaller_ones(tmp_path: Path) -> None:
    history = Slow(sqlite_url(tmp_path / "history.sqlite"))
    journal = Journal(tmp_path / "journal")
    for n in range(40):
        journal.append(call_record(numbered(n)))
    assert journal.flush()
    drain = Drain(journal, history, batch=40, look_seconds=0.01, most_seconds=0.02)
    running = asyncio.create_task(drain.run())
    await until(lambda: drain.position == journal.end)
    assert len(await history.calls(Past())) == 40
    running.cancel()
    journal.close()
    await history.close()


@pytest.mark.parametrize("trouble", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_database_that_dies_or_freezes_delays_history_and_loses_nothing(
    tmp_path: Path, trouble: signal.Signals
) -> None:
    with servers.postgres() as server:
        history = History(server.url, seconds=2.0)
        journal = Journal(tmp_path / "journal")
        drain = Drain(journal, history, batch=10, look_seconds=0.02, most_seconds=0.2)
        running = asyncio.create_task(drain.run())
        for n in range(100):
            journal.append(call_record(numbered(n)))
        assert journal.flush()
        await until(lambda: drain.position == journal.end)
        server.tell(trouble)
        for n in range(100, 200):
            journal.append(call_record(numbered(n)))
        assert journal.flush()
        await until(lambda: not drain.ok)
        with pytest.raises(NotNow):
            await history.calls(Past())
        if trouble is signal.SIGKILL:
            server.kill()
            (server.folder / "data/postmaster.pid").unlink(missing_ok=True)
            server.start()
        else:
            server.tell(signal.SIGCONT)
        await until(lambda: drain.ok and drain.position == journal.end)
        assert [c.id for c in await history.calls(Past(most=1000))] == [
            numbered(n).id for n in reversed(range(200))
        ]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await history.close()
        journal.close()


async def test_the_second_truth_reads_the_talks_a_seat_wrapped_up_after_and_the_silences_around_them(
    url: str, history: History
) -> None:
    def talk(n: int, **other: Any) -> Stint:
        leg = LegId(f"n1-{n}.2")
        told = {"answered": n + 1.0, "ended": n + 20.0, "wrap_up": 7.5} | other
        return Stint(leg, numbered(n).id, "demo", "1001", "general", float(n), **told)

    last = talk(300, wrap_up=None)
    mine = [talk(100), last, talk(200, ended=210.0)]
    others = [talk(10), talk(150, answered=None), talk(160, ended=None), talk(400)]
    await history.save([], [], "j", Position(1, 10), [*mine, *others])
    for since, until in ((10.0, 90.0), (50.0, 120.0), (200.0, 230.0), (390.0, 500.0), (400.0, 510.0)):
        await history.put_refill("n1", since, until, 1, until)
    stints, silences = await asyncio.to_thread(wrap_up_rows, url, 100.0, 400.0)
    assert stints == [
        {name: getattr(one, name) for name in ("leg", "call", "city", "seat", "ended", "wrap_up")}
        for one in sorted(mine, key=lambda one: one.began)
    ]
    assert sorted(silences) == [(50.0, 120.0), (200.0, 230.0), (390.0, 500.0)]
    truth = Truth()
    counted = [Wrapped("demo", "1001", 120.0, 127.0), Wrapped("demo", "1001", 210.0, 218.0)]
    compare_wrap_ups(truth, [*counted, Wrapped("demo", "1001", 320.0, 330.0)], stints, silences, 100.0, 400.0)
    assert (truth.wrap_ups, truth.unheard) == (3, [])
    assert [(d.call, d.ledger, d.asterisk) for d in truth.differences] == [(last.call, None, 10.0)]


async def test_no_database_at_all_is_not_now(tmp_path: Path) -> None:
    history = History(f"postgresql+asyncpg://cti@/x?host={tmp_path}", seconds=2.0)
    with pytest.raises(NotNow):
        await history.start()
    await history.close()


async def until(holds: object) -> None:
    """Wait for the event that makes ``holds`` true; the test's own timeout ends a wait in vain."""
    assert callable(holds)
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  # looked at from outside, as /healthz does
            await asyncio.sleep(0.01)


def test_a_visit_has_a_place_for_every_outcome() -> None:
    assert max(len(o) for o in Outcome) <= 128
    assert Visit.__dataclass_fields__.keys() == {c.name for c in Base.metadata.tables["visits"].columns}
