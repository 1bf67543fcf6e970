"""Who is listened to live, and what becomes of the others, with a fake recogniser and a fake Asterisk."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from calls import facts as f
from calls.facts import CallId, LegId
from calls.orders import MaskRecording, Order, TapLeg
from cti import listening
from cti.home import Home
from cti.listening import BEHIND, TRIES, Listening
from cti.recording_parts import RecordingParts
from cti.settings import Settings
from cti.speech import crew
from cti.speech.crew import Hand
from cti.store.history import History, sqlite_url
from cti.store.recordings import Span
from cti.switchboard import Switchboard
from cti.web.metrics import Metrics
from recording.filed import Filed, Heard
from recording.recognised import Recognised, Word
from tests.story.a_call import CALL, CALLER, SEAT_LEG, answered, said, seat_starts

COLLEAGUE = LegId("n1-100.3")


class Store:
    """What the database would hold."""

    def __init__(self) -> None:
        self.rows: dict[str, Filed] = {}
        self.words: dict[str, list[Span]] = {}
        self.heard: dict[str, Heard] = {}

    async def of_call(self, call: str) -> list[Filed]:
        return [r for r in self.rows.values() if r.call == call]

    async def spans(self, call: str) -> list[Span]:
        return [s for words in self.words.values() for s in words if s.call == call]

    async def spans_of(self, leg: str) -> list[Span]:
        return self.words.get(leg, [])

    async def unheard(self) -> list[Filed]:
        over = (Heard.DONE, Heard.NOTHING)
        return [r for r in self.rows.values() if self.heard.get(r.leg) not in over]

    async def put_spans(self, leg: str, spans: list[Span], heard: Heard) -> bool:
        if leg not in self.rows:
            return False
        self.words[leg], self.heard[leg] = list(spans), heard
        return True

    async def mark(self, leg: str, **changes: Any) -> None:
        self.heard[leg] = changes["heard"]


class Room:
    """A listening service whose processes say what the test says."""

    def __init__(self, folder: Path, legs: int) -> None:
        self.clock = 200.0
        self.board = Switchboard()
        self.store = Store()
        self.orders: list[Order] = []
        self.asterisk = asyncio.Event()
        """Set while Asterisk does what it is ordered."""
        self.asterisk.set()
        self.said: list[dict[str, Any]] = []
        self.listening = Listening(
            folder, folder, lambda: None, lambda: folder / "ring", self.store,  # type: ignore[arg-type]  # a store of this test
            lambda: self.board.board, self._do, workers=1, legs=legs, back=self._back, now=lambda: self.clock,
        )  # fmt: skip
        self.board.listen(self.listening.hear)
        [self.hand] = self.listening.hands
        self.hand.ready = True
        self.hand.say = lambda **told: self.said.append(told)  # type: ignore[method-assign]  # nobody is told, it is only noted

    async def _back(self, row: Filed) -> None:
        """All files are on disk here."""

    async def _do(self, order: Order) -> str:
        self.orders.append(order)
        await self.asterisk.wait()
        return "0x1"

    def tells(self, what: str, leg: LegId = CALLER, **told: Any) -> None:
        self.listening._told(self.hand, {"what": what, "leg": leg, **told})

    async def begun(self, *legs: LegId) -> None:
        """Wait until these legs are followed."""
        async with asyncio.timeout(5):
            while {s["leg"] for s in self.said if s["do"] == "follow"} != set(legs):  # noqa: ASYNC110  # a list grows and tells nobody
                await asyncio.sleep(0)

    async def asked_to_transcribe(self, leg: LegId) -> None:
        """Wait until the recording of this leg is to be read."""
        async with asyncio.timeout(5):
            while not [s for s in self.said if s["do"] == "transcribe" and s["leg"] == leg]:  # noqa: ASYNC110  # a list grows and tells nobody
                await asyncio.sleep(0.01)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    made = Room(tmp_path, legs=2)
    running = asyncio.create_task(made.listening.run())
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def talk(room: Room) -> None:
    for fact in answered():
        room.board.hear(fact)
    for leg in (CALLER, SEAT_LEG):
        room.board.hear(said(f.RecordingStarted, 130.0, leg=leg, file=f"d/{leg}.wav"))


def words(text: str, start: float) -> dict[str, Any]:
    return asdict(Recognised(text, start, start + 1, 0.9, "", (Word(text, start, start + 1, 0.9),)))


def moves(room: Room, at: float, bridge: str, *legs: LegId, out_of: str) -> None:
    """These legs leave one bridge for another; whoever else was in it leaves it too."""
    for leg in (CALLER, SEAT_LEG, COLLEAGUE):
        room.board.hear(said(f.LegLeft, at, leg=leg, bridge=out_of))
    for leg in legs:
        room.board.hear(said(f.LegJoined, at, leg=leg, bridge=bridge))


def consults(room: Room, at: float) -> None:
    """The agent goes to a colleague, and the citizen hears nobody."""
    room.board.hear(seat_starts(COLLEAGUE, "1003", at))
    moves(room, at, "aside", SEAT_LEG, COLLEAGUE, out_of="b1")
    room.clock = max(room.clock, at + 60)


async def test_both_sides_of_a_talk_are_tapped_and_followed(room: Room) -> None:
    talk(room)
    await room.begun(CALLER, SEAT_LEG)
    assert {o.leg for o in room.orders if isinstance(o, TapLeg)} == {CALLER, SEAT_LEG}


async def test_a_tap_that_begins_in_a_pause_is_masked_too(room: Room) -> None:
    for fact in answered():
        room.board.hear(fact)
    room.board.hear(said(f.RecordingStarted, 130.0, leg=CALLER, file="d/c.wav"))
    room.board.hear(said(f.RecordingPaused, 131.0, leg=CALLER))
    await room.begun(CALLER)
    async with asyncio.timeout(5):
        while MaskRecording(leg=CALLER, on=True) not in room.orders:  # noqa: ASYNC110  # a list grows and tells nobody
            await asyncio.sleep(0)


async def test_a_leg_whose_pause_was_missed_is_read_from_its_filed_recording_only(room: Room) -> None:
    talk(room)
    await room.begun(CALLER, SEAT_LEG)
    room.tells("span", at=2.0, live=True, span=words("六二二二", 71.0))
    room.board.hear(said(f.MaskMissed, 205.0, since=200.0, leg=CALLER))
    assert {"do": "drop", "leg": CALLER} in room.said
    assert (await room.listening.transcript(CALL)).said == ()
    room.said.clear()
    room.board.hear(said(f.RecordingPaused, 206.0, leg=CALLER))
    room.board.hear(said(f.RecordingResumed, 207.0, leg=CALLER))
    await asyncio.sleep(0)
    assert not [s for s in room.said if s["leg"] == CALLER]


async def test_text_shows_while_it_is_said_and_stays_in_its_place(room: Room) -> None:
    talk(room)
    await room.begun(CALLER, SEAT_LEG)
    room.tells("partial", text="我 想", at=1.0, behind=0.0)
    told = await room.listening.transcript(CALL)
    assert [n.text for n in told.now] == ["我想"]
    room.tells("span", at=2.0, live=True, span=words("我想反映", 71.0))
    told = await room.listening.transcript(CALL)
    assert ([s.text for s in told.said], told.now, told.complete) == (["我想反映"], (), False)
    assert told.said[0].at == 130.0 + 71.0


async def test_unfinished_words_that_reach_into_a_consultation_are_of_it_also_when_it_is_over(
    room: Room,
) -> None:
    talk(room)
    await room.begun(CALLER, SEAT_LEG)

    async def apart(at: float, text: str) -> bool:
        room.tells("partial", SEAT_LEG, text=text, at=at - 200.0, behind=0.0)
        [now] = room.listening.heard_now(CALL).now
        assert (await room.listening.transcript(CALL)).now == (now,)
        return now.apart

    assert not await apart(205.0, "请稍等")
    room.tells("span", SEAT_LEG, at=6.0, live=True, span=words("请稍等", 75.0))
    consults(room, 210.0)
    room.tells("partial", SEAT_LEG, text="", at=11.0, behind=0.0)
    assert await apart(212.0, "老王")
    moves(room, 213.0, "b1", CALLER, SEAT_LEG, out_of="aside")
    assert await apart(214.0, "老王你在吗")
    room.tells("span", SEAT_LEG, at=15.0, live=True, span=words("老王你在吗", 82.0))
    told = room.listening.heard_now(CALL)
    assert [(one.text, one.apart) for one in told.said] == [("请稍等", False), ("老王你在吗", True)]
    assert told.said == (await room.listening.transcript(CALL)).said
    assert not await apart(216.0, "让您久等了")


async def test_a_process_that_died_is_taken_up_after_the_last_span(room: Room) -> None:
    talk(room)
    await room.begun(CALLER, SEAT_LEG)
    room.tells("span", at=9.0, live=True, span=words("我想反映", 77.0))
    room.said.clear()
    room.listening._began(room.hand)
    [again] = [s for s in room.said if s["do"] == "follow" and s["leg"] == CALLER]
    # listening began at 200: second 70 of a recording that began at 130
    assert (again["offset"], again["begin"]) == (70.0, 8.0)


async def test_a_voice_too_far_behind_is_left_to_after_call_work(room: Room) -> None:
    talk(room)
    await room.begun(CALLER, SEAT_LEG)
    room.tells("partial", text="", at=1.0, behind=BEHIND + 1)
    assert room.listening.dropped == 1
    assert {"do": "drop", "leg": CALLER} in room.said
    assert CALLER not in room.hand.live


@pytest.mark.parametrize("behind", [0.0, BEHIND + 1])
async def test_a_call_is_not_complete_while_the_words_of_a_leg_that_was_given_up_are_to_come(
    room: Room, behind: float
) -> None:
    talk(room)
    await room.begun(CALLER, SEAT_LEG)
    room.tells("partial", text="", at=1.0, behind=behind)
    for leg in (CALLER, SEAT_LEG):
        room.board.hear(said(f.LegEnded, 210.0, leg=leg))
        room.tells("over", leg=leg, seconds=100.0, live=True)
    # filed later: what the taps held is all there is until then
    assert (await room.listening.transcript(CALL)).complete is (behind == 0.0)


async def test_a_tap_that_stopped_early_is_not_taken_for_the_whole_talk(room: Room) -> None:
    talk(room)
    await room.begun(CALLER, SEAT_LEG)
    room.board.hear(said(f.LegEnded, 230.0, leg=CALLER))
    assert {"do": "end", "leg": CALLER} in room.said
    room.tells("over", seconds=4.0, live=True)
    assert room.listening.dropped == 1
    assert room.store.words == {}


async def test_a_third_voice_waits_for_nobody_and_is_transcribed_afterwards(room: Room) -> None:
    talk(room)
    await room.begun(CALLER, SEAT_LEG)
    third = LegId("n1-9.9")
    room.board.hear(said(f.LegStarted, 140.0, leg=third, channel="PJSIP/demo-1002-9", endpoint="demo-1002"))
    room.board.hear(said(f.RecordingStarted, 140.0, leg=third, file="d/third.wav"))
    async with asyncio.timeout(5):
        while not room.listening.dropped:  # noqa: ASYNC110  # a list grows and tells nobody
            await asyncio.sleep(0)
    room.store.rows[third] = Filed(
        leg=third, call=CallId(CALL), city="demo", began=140.0, ended=150.0, file="d/third.wav"
    )
    for leg in (CALLER, SEAT_LEG):
        room.board.hear(said(f.LegEnded, 210.0, leg=leg))
        room.tells("over", leg=leg, seconds=100.0, live=True)
    await room.asked_to_transcribe(third)


async def test_no_more_legs_wait_to_be_tapped_than_can_be_followed_and_the_others_are_read_afterwards(
    room: Room,
) -> None:
    room.asterisk.clear()
    for fact in answered():
        room.board.hear(fact)
    room.board.hear(said(f.RecordingStarted, 130.0, leg=CALLER, file="d/caller.wav"))
    async with asyncio.timeout(5):
        while not room.orders:  # noqa: ASYNC110  # a list grows and tells nobody
            await asyncio.sleep(0)
    # Asterisk does not answer: two wait behind the first, which is as many as are followed, and no third
    legs = [LegId(f"n1-9.{n}") for n in range(3)]
    for leg, waits in zip(legs, (0, 0, 1), strict=True):
        room.board.hear(said(f.LegStarted, 140.0, leg=leg, channel=f"PJSIP/x-{leg}", endpoint="demo-1002"))
        room.board.hear(said(f.RecordingStarted, 140.0, leg=leg, file=f"d/{leg}.wav"))
        assert room.listening.dropped == waits
    room.asterisk.set()
    await room.begun(CALLER, legs[0])
    late = legs[2]
    room.store.rows[late] = Filed(
        leg=late, call=CallId(CALL), city="demo", began=140.0, ended=150.0, file="d/late.wav"
    )
    for leg in (CALLER, legs[0]):
        room.board.hear(said(f.LegEnded, 210.0, leg=leg))
        room.tells("over", leg=leg, seconds=100.0, live=True)
    await room.asked_to_transcribe(late)


async def test_a_recording_of_before_a_restart_has_its_consultations_where_its_row_tells(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "LATE_EVERY", 0.01)
    room.store.rows[SEAT_LEG] = Filed(
        leg=SEAT_LEG,
        call=CallId(CALL),
        city="demo",
        began=130.0,
        ended=150.0,
        file="d/s.wav",
        apart="[[5, 9]]",
    )
    await room.asked_to_transcribe(SEAT_LEG)
    for second in (1.0, 6.0):
        room.tells("span", SEAT_LEG, at=second, live=False, span=words("老王你在吗", second))
    assert [one.apart for one in room.listening.heard_now(CALL).said] == [False, True]


async def test_a_recording_that_fails_three_times_is_given_up_and_counted(
    room: Room, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(listening, "LATE_EVERY", 0.01)
    room.store.rows[CALLER] = Filed(
        leg=CALLER, call=CallId(CALL), city="demo", began=130.0, ended=150.0, file="d/caller.wav"
    )
    for _ in range(TRIES):
        await room.asked_to_transcribe(CALLER)
        assert (room.listening.unreadable, room.store.heard) == (0, {})
        room.said.clear()
        room.tells("failed", why="no wav as Asterisk writes it")
    async with asyncio.timeout(5):
        while not room.listening.unreadable:  # noqa: ASYNC110  # a figure grows and tells nobody
            await asyncio.sleep(0.01)
    assert (room.listening.unreadable, room.store.heard) == (1, {CALLER: Heard.NOTHING})
    assert room.said == [], "nobody is asked a fourth time"
    history = History(sqlite_url(tmp_path / "history.sqlite"))
    parts = RecordingParts(
        Home(tmp_path), Settings(), history, Switchboard(), dict, room._do, lambda row: None
    )  # fmt: skip
    parts.listening = room.listening
    assert b"\nhotline_speech_unreadable 1.0\n" in Metrics(parts.gauges()).text()


async def test_a_process_that_says_nothing_is_killed_and_not_for_a_time_in_which_nobody_listened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silent = 0.4
    monkeypatch.setattr(crew, "PING_EVERY", silent / 8)
    monkeypatch.setattr(crew, "SILENT", silent)
    monkeypatch.setattr(crew, "STARTING", silent)
    process = await asyncio.create_subprocess_exec("sleep", "60", stdin=asyncio.subprocess.PIPE)
    hand = Hand(0, lambda: None, lambda h, t: None, lambda h: None, lambda h: None)
    hand._process, hand._sign = process, time.monotonic()
    pinging = asyncio.create_task(hand._ping(process))
    await asyncio.sleep(0)
    # as a stopped process sleeps
    time.sleep(2 * silent)  # noqa: ASYNC251
    await asyncio.sleep(silent / 8)
    assert not pinging.done()
    async with asyncio.timeout(20):
        await pinging
        assert await process.wait() == -signal.SIGKILL


def test_a_hand_without_a_process_takes_orders_and_does_nothing() -> None:
    hand = Hand(0, lambda: None, lambda h, t: None, lambda h: None, lambda h: None)
    hand.say(do="ping")
    assert hand.pid is None
