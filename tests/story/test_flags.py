"""Red flags: raised while the words are said, once a call and kind, told to the right people and kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.story import tell
from cti import kept
from cti.flags import SETTLE, RedFlags
from cti.live_board import LiveBoard
from cti.store.history import History
from cti.store.journal import Journal, Limits, Reader
from cti.store.keeping import fact_of
from cti.switchboard import Switchboard
from cti.web.hub import Client
from cti.web.who import Role, Who
from recording.draft.dangers import FLAGS
from recording.filed import Role as Voice
from recording.flagged import KEPT, SHOWN, Flag, Flags, advice, known, signs, step
from recording.transcript import Now, Said
from tests.story.a_call import CALL, CALLER, SEAT_LEG, answered, said, seat_starts
from tests.story.test_hub import Line
from tests.story.test_listening import Room, talk, words

GAS = "我 家 煤气 味 很 重"


# --- in the words -----------------------------------------------------------------------------------------


def turn(text: str, at: float = 10.0, role: Voice = Voice.CALLER) -> Said:
    leg = CALLER if role is Voice.CALLER else SEAT_LEG
    return Said(leg, role, "", 100.0 + at, at, at + 2.0, text, 0.9)


def test_a_flag_is_where_it_was_said_first_with_the_words_around_it() -> None:
    [sign] = signs([turn("喂你好", 5.0), turn("我家煤气味很重", 10.0), turn("煤气味越来越重", 20.0)])
    assert (sign.flag, sign.words, sign.leg, sign.second) == ("gas", "我家煤气味很重", CALLER, 10.0)


def test_a_flag_in_unfinished_words_counts() -> None:
    [sign] = signs([turn("喂你好")], [Now(CALLER, Voice.CALLER, "", "我不想活了", 14.0, 114.0)])
    assert (sign.flag, sign.second) == ("suicide", 14.0)


def test_what_the_agent_asks_is_no_flag_and_what_the_caller_answers_is() -> None:
    asked = turn("有没有人受伤", 10.0, Voice.SEAT)
    assert signs([asked]) == ()
    assert [(s.flag, s.leg) for s in signs([asked, turn("有两个", 13.0)])] == [("injured", CALLER)]


def test_two_kinds_in_one_sentence_are_two_flags() -> None:
    assert [s.flag for s in signs([turn("楼下着火了有人跳楼")])] == ["fire", "suicide"]


def test_the_words_told_are_a_clause_and_not_the_whole_complaint() -> None:
    [sign] = signs([turn("我跟你说啊" * 40 + "煤气味" + "就是这样的" * 40)])
    assert "煤气味" in sign.words
    assert len(sign.words) <= 60


def test_every_kind_has_its_advice_in_two_languages() -> None:
    for flag in FLAGS:
        told = advice(flag)
        assert told is not None
        assert told.zh
        assert told.en.isascii()
    assert advice("of-tomorrow") is None


# --- what stands ------------------------------------------------------------------------------------------


def test_a_flag_told_twice_stands_as_it_was_raised_first() -> None:
    once = step(Flags(), said(f.FlagRaised, 120.0))
    again = step(once, said(f.FlagRaised, 130.0, words="别的话"))
    [flag] = again.of(CALL)
    assert (flag.at, flag.words, flag.city, again.touched) == (120.0, "家里有煤气味", "demo", ())
    assert len(once.touched) == 1


def test_flags_of_the_oldest_calls_make_room() -> None:
    flags = Flags()
    for n in range(KEPT + 5):
        flags = known(flags, [Flag(CallId(f"demo-n1-{n}.1"), "gas", "demo", "", CALLER, 0.0, float(n))])
    assert len(flags.by_call) == KEPT
    assert CallId("demo-n1-0.1") not in flags.by_call


def test_the_story_names_a_flag_to_whoever_may_see_a_whole_number_only() -> None:
    facts = [*answered(), said(f.FlagRaised, 120.0)]
    assert [line for line in tell(facts, CALL, full=True) if "煤气味" in line.zh and "gas" in line.en]
    assert not [line for line in tell(facts, CALL) if "gas" in line.en or "煤气" in line.zh]


# --- while people talk ------------------------------------------------------------------------------------


class Watched:
    """A talk that is listened to by a fake recogniser, and watched for flags; people with sockets."""

    def __init__(self, folder: Path) -> None:
        self.room = Room(folder, legs=2)
        self.board = self.room.board
        self.heard: list[f.FlagRaised] = []
        self.flags = RedFlags(
            self.room.listening.heard_now,
            lambda: self.board.board,
            self._tell,
            node="n1",
            now=lambda: self.clock,
        )
        self.room.listening.changed = self.flags.changed
        history = History("sqlite+aiosqlite://")
        self.clock = 210.0
        self.live = LiveBoard(lambda: self.board.board, tuple, history, now=lambda: self.clock)
        self.board.listen(self.live.hear)
        for seat, agent in (("1001", "8001"), ("1002", "8002")):
            self.board.hear(said(f.AgentBound, seat=seat, agent=agent))

    def _tell(self, fact: Fact) -> None:
        assert isinstance(fact, f.FlagRaised)
        self.heard.append(fact)
        self.board.hear(fact)

    def joins(self, role: Role, city: str = "demo", agent: str = "", *, hides: bool = False) -> Line:
        line = Line()
        self.live.hub.join(Client(Who("x", role, city, agent, hides), line))
        return line

    async def says(self, what: str, leg: LegId = CALLER, *, stands: float = SETTLE, **told: Any) -> list[str]:
        """The recogniser says so, and nothing else for a moment. The kinds raised until now."""
        self.room.tells(what, leg, **told)
        for _ in range(2):
            for call in list(self.flags._news):
                await self.flags.look(call)
            self.clock += stands / 2 + 0.01
        for call in list(self.flags._news):
            await self.flags.look(call)
        await self.live.hub.flush()
        return [x.flag for x in self.heard]


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    made = Watched(tmp_path)
    running = asyncio.create_task(made.room.listening.run())
    talk(made.room)
    await made.room.begun(CALLER, SEAT_LEG)
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def rows(line: Line, kind: str) -> list[dict[str, Any]]:
    """What a socket was told of this kind, in changes or to it alone."""
    found = [row for m in line.said() if m["kind"] == "changes" for row in m["changes"]]
    return [r for r in (*found, *(m["row"] | {"kind": m["kind"]} for m in line.said() if "row" in m))
            if r["kind"] == kind]  # fmt: skip


async def test_a_flag_is_raised_before_the_span_ends_and_the_final_text_does_not_raise_it_again(
    watched: Watched,
) -> None:
    assert await watched.says("partial", text=GAS, at=3.0, behind=0.0) == ["gas"]
    [raised] = watched.heard
    # listening began at second 70 of the recording
    assert (raised.call, raised.leg, raised.second, raised.words) == (CALL, CALLER, 73.0, "我家煤气味很重")
    assert await watched.says("partial", text=f"{GAS} 啊", at=3.2, behind=0.0) == ["gas"]
    assert await watched.says("span", at=5.0, live=True, span=words(GAS, 71.0)) == ["gas"]
    assert await watched.says("span", at=9.0, live=True, span=words("煤气 味 还有", 76.0)) == ["gas"]


async def test_a_word_that_the_next_one_makes_another_thing_is_no_flag(watched: Watched) -> None:
    soon: dict[str, Any] = {"at": 3.0, "behind": 0.0, "stands": SETTLE / 2}
    assert await watched.says("partial", text="小区 有 火灾", **soon) == []
    assert await watched.says("partial", text="小区 有 火灾 隐患", **soon) == []
    assert await watched.says("span", at=5.0, live=True, span=words("小区 有 火灾 隐患", 71.0)) == []


async def test_a_sign_with_words_after_it_waits_for_nothing(watched: Watched) -> None:
    text = "我 家 着火 了 快点 派人 过来"
    assert await watched.says("partial", text=text, at=3.0, behind=0.0, stands=0.0) == ["fire"]


async def test_a_partial_that_is_taken_back_stays_raised(watched: Watched) -> None:
    await watched.says("partial", text=GAS, at=3.0, behind=0.0)
    assert await watched.says("span", at=5.0, live=True, span=words("我 家 没 气 了", 71.0)) == ["gas"]
    assert [x.flag for x in watched.board.board.flags.of(CALL)] == ["gas"]


async def test_another_kind_in_the_same_call_is_another_flag(watched: Watched) -> None:
    await watched.says("span", at=5.0, live=True, span=words(GAS, 71.0))
    assert await watched.says("partial", text="着火 了", at=8.0, behind=0.0) == ["gas", "fire"]


async def test_the_answer_to_a_question_is_seen_over_two_legs(watched: Watched) -> None:
    asked = words("有没有 人 受伤", 71.0)
    assert await watched.says("span", SEAT_LEG, at=5.0, live=True, span=asked) == []
    assert await watched.says("partial", text="有 两个", at=8.0, behind=0.0) == ["injured"]


async def test_a_sentence_that_a_pause_cuts_in_two_raises_its_flag_over_an_agents_nod(
    watched: Watched,
) -> None:
    first = words("我 家 的 燃气 管道 好像", 71.0)
    assert await watched.says("span", at=5.0, live=True, span=first) == []
    assert await watched.says("span", SEAT_LEG, at=5.5, live=True, span=words("嗯", 74.0)) == []
    assert await watched.says("partial", text="漏 了 味道 很 大", at=6.5, behind=0.0) == ["gas"]
    [raised] = watched.heard
    assert (raised.leg, raised.second, raised.words) == (CALLER, 71.0, "我家的燃气管道好像漏了味道很大")


async def test_last_words_that_become_text_after_the_call_raise_a_flag_and_its_agent_is_told(
    watched: Watched,
) -> None:
    for fact in (said(f.SeatFinished, 209.0), said(f.CallLeft, 209.5), said(f.LegEnded, 209.5)):
        watched.board.hear(fact)
    chief, mine = watched.joins(Role.SUPERVISOR), watched.joins(Role.AGENT, agent="8001")
    assert await watched.says("span", at=5.0, live=True, span=words(GAS, 71.0)) == ["gas"]
    assert [r["flag"] for r in rows(chief, "flag")] == ["gas"]
    assert [r["flag"] for r in rows(mine, "prompt")] == ["gas"]


async def test_a_flag_stands_on_the_board_while_the_call_goes_on_and_for_an_hour(watched: Watched) -> None:
    await watched.says("partial", text=GAS, at=3.0, behind=0.0)
    watched.clock = 210.0 + SHOWN + 1
    assert [x.flag for x in watched.live.flags()] == ["gas"]
    for fact in (said(f.CallLeft, 220.0), said(f.LegEnded, 220.0)):
        watched.board.hear(fact)
    assert watched.live.flags() == []
    watched.clock = 210.0 + SHOWN - 1
    assert [x.flag for x in watched.live.flags()] == ["gas"]
    assert watched.live.flagged_agent(CALL) == ""


async def test_a_recording_of_a_call_nobody_knows_any_more_raises_nothing(watched: Watched) -> None:
    watched.room.listening._known[CALLER].call = CallId("demo-n1-1.1")
    assert await watched.says("span", at=5.0, live=True, span=words(GAS, 71.0)) == []


async def test_what_an_officer_says_to_whom_the_caller_was_brought_is_no_flag(watched: Watched) -> None:
    watched.room.listening._known[CALLER].role = Voice.OTHER
    assert await watched.says("span", at=5.0, live=True, span=words("是 着火 了 吗", 71.0)) == []


async def test_many_partials_in_one_moment_are_looked_at_once(watched: Watched) -> None:
    looks = 0
    words_of = watched.flags._words

    def counted(call: CallId) -> Any:
        nonlocal looks
        looks += 1
        return words_of(call)

    watched.flags._words = counted
    running = asyncio.create_task(watched.flags.run())
    for n in range(50):
        watched.room.tells("partial", text=f"{GAS} 快点 派人 过来 {n}", at=3.0, behind=0.0)
    async with asyncio.timeout(5):
        while not watched.heard:  # noqa: ASYNC110  # a list grows and tells nobody
            await asyncio.sleep(0)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert looks == 1


# --- who is told ------------------------------------------------------------------------------------------


async def test_supervisors_of_the_city_get_a_silent_flag_and_the_agent_in_the_call_a_prompt(
    watched: Watched,
) -> None:
    chief, everywhere = watched.joins(Role.SUPERVISOR), watched.joins(Role.OPERATOR, city="")
    hidden = watched.joins(Role.SUPERVISOR, hides=True)
    mine, other = watched.joins(Role.AGENT, agent="8001"), watched.joins(Role.AGENT, agent="8002")
    observer, elsewhere = watched.joins(Role.OBSERVER), watched.joins(Role.SUPERVISOR, city="luan")
    namesake = watched.joins(Role.AGENT, city="luan", agent="8001")
    await watched.says("partial", text=GAS, at=3.0, behind=0.0)
    await watched.says("span", at=5.0, live=True, span=words(GAS, 71.0))
    for line in (chief, everywhere, hidden):
        [row] = rows(line, "flag")
        assert (row["call"], row["flag"], row["city"], row["words"]) == (
            CALL,
            "gas",
            "demo",
            "我家煤气味很重",
        )
    [prompt] = rows(mine, "prompt")
    assert prompt["flag"] == "gas"
    assert "燃气泄漏" in prompt["title"]
    assert "119" in prompt["advice"]
    assert "119" in prompt["advice_en"]
    for line in (mine, other, observer, elsewhere, namesake):
        assert rows(line, "flag") == []
    for line in (chief, other, observer, elsewhere, namesake):
        assert rows(line, "prompt") == []
    for line in (other, observer, elsewhere, namesake):
        assert "煤气" not in json.dumps(line.said(), ensure_ascii=False)


async def test_who_comes_later_sees_it_and_nobody_else_does(watched: Watched) -> None:
    await watched.says("partial", text=GAS, at=3.0, behind=0.0)
    [snapshot] = watched.joins(Role.SUPERVISOR).said()
    assert [x["flag"] for x in snapshot["flags"]] == ["gas"]
    assert [r["flag"] for r in rows(watched.joins(Role.AGENT, agent="8001"), "prompt")] == ["gas"]
    assert rows(watched.joins(Role.AGENT, agent="8002"), "prompt") == []
    for line in (watched.joins(Role.OBSERVER), watched.joins(Role.AGENT, agent="8001")):
        assert "flags" not in line.said()[0]
    [elsewhere] = watched.joins(Role.SUPERVISOR, city="luan").said()
    assert elsewhere["flags"] == []


async def test_the_agent_who_takes_the_call_over_is_told_too(watched: Watched) -> None:
    await watched.says("partial", text=GAS, at=3.0, behind=0.0)
    second = watched.joins(Role.AGENT, agent="8002")
    other = LegId("n1-100.3")
    watched.board.hear(seat_starts(other, "1002", 120.0))
    watched.board.hear(said(f.SeatRang, 120.0, seat="1002", leg=other))
    watched.board.hear(said(f.SeatAnswered, 121.0, seat="1002", leg=other))
    await watched.live.hub.flush()
    assert [r["flag"] for r in rows(second, "prompt")] == ["gas"]


async def test_an_agent_is_prompted_once_however_often_the_call_changes(watched: Watched) -> None:
    mine = watched.joins(Role.AGENT, agent="8001")
    await watched.says("partial", text=GAS, at=3.0, behind=0.0)
    for _ in range(3):
        watched.live.hub.changed(watched.board.board.picture.live())
        await watched.live.hub.flush()
    assert len(rows(mine, "mine")) == 3
    assert len(rows(mine, "prompt")) == 1


# --- what outlives the service ----------------------------------------------------------------------------


def journalled(folder: Path, facts: list[Fact], limits: Limits | None = None) -> Reader:
    """These facts through a switchboard into a journal that is then left as a killed service leaves it."""
    board = Switchboard()
    journal = Journal(folder, limits, checkpoint=kept.checkpoint(lambda: board.board))
    board.listen(kept.journal_ear(journal))
    for fact in facts:
        board.hear(fact)
    assert journal.flush()
    journal.close()
    return Reader(folder)


async def test_after_a_restart_a_flag_stands_and_is_not_raised_again(tmp_path: Path) -> None:
    reader = journalled(tmp_path / "journal", [*answered(), said(f.FlagRaised, 120.0)])
    watched = Watched(tmp_path)
    watched.board.board = replace(kept.last_board(reader), recordings=watched.board.board.recordings)
    [flag] = watched.board.board.flags.of(CALL)
    assert (flag.flag, flag.at, flag.words) == ("gas", 120.0, "家里有煤气味")
    heard = [turn("我家煤气味很重"), turn("着火了", 20.0)]
    watched.flags._words = lambda call: replace(watched.room.listening.heard_now(call), said=tuple(heard))
    await watched.flags.look(CALL)
    assert [x.flag for x in watched.heard] == ["fire"]


def test_a_flag_of_a_call_that_goes_on_stands_in_every_later_segment_of_the_journal(tmp_path: Path) -> None:
    later: list[Fact] = [said(f.LegHeld, 130.0 + n) for n in range(60)]
    tiny = Limits(segment_bytes=4096)
    reader = journalled(tmp_path, [*answered(), said(f.FlagRaised, 120.0), *later], tiny)
    facts = [fact for record in reader.recent(2) if (fact := fact_of(record)) is not None]
    assert not [x for x in facts if isinstance(x, f.FlagRaised)]
    assert [x.flag for x in kept.last_board(reader).flags.of(CALL)] == ["gas"]
