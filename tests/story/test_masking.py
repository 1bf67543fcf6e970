"""A recording pauses by order, by key and by the plan's rule, and no pause is forgotten."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from calls import facts as f
from calls.facts import Fact, LegId
from calls.orders import MaskRecording, Order
from cti.asterisk.files import mask_keys
from cti.errors import NotNow, Refused
from cti.masking import Masker
from cti.switchboard import Switchboard
from plan.model import Plan
from recording.masked import Key, unkept, unpaused
from tests.story.a_call import CALL, CALLER, SEAT_LEG, answered, said
from tests.story.plan_files import demo


class Room:
    """A masker with an Asterisk that does what it is told."""

    def __init__(self, plan: Plan, board: Switchboard | None = None, keys: Sequence[Key] = ()) -> None:
        self.clock = 1000.0
        self.board = board or Switchboard()
        self.orders: list[MaskRecording] = []
        """What Asterisk did, and ``asked``: what it was to do."""
        self.asked: list[MaskRecording] = []
        self.answers: Callable[[MaskRecording], Awaitable[None]] | None = None
        """Asterisk before it does it; what it raises is its answer."""
        self.told: list[f.MaskMissed] = []
        self.masker = Masker(
            lambda: self.board.board, lambda: {"demo": plan}, self._do, self._told,
            node="n1", longest=60.0, now=lambda: self.clock,
            keys=lambda call, since: [k for k in keys if call == CALL and k.at >= since],
        )  # fmt: skip
        self.board.listen(self.masker.hear)

    async def _do(self, order: Order) -> str:
        assert isinstance(order, MaskRecording)
        self.asked.append(order)
        if self.answers is not None:
            await self.answers(order)
        self.orders.append(order)
        kind = f.RecordingPaused if order.on else f.RecordingResumed
        self.board.hear(said(kind, self.clock, leg=order.leg, call=None))
        return ""

    def _told(self, fact: Fact) -> None:
        assert isinstance(fact, f.MaskMissed)
        self.told.append(fact)
        self.board.hear(fact)

    async def masked(self, *legs: LegId, on: bool = True) -> None:
        """Wait until exactly these were ordered."""
        async with asyncio.timeout(10):
            while {o.leg for o in self.orders if o.on is on} != set(legs):  # noqa: ASYNC110  # a list grows and tells nobody
                await asyncio.sleep(0.01)


def talk(room: Room) -> None:
    for fact in answered():
        room.board.hear(fact)
    for leg in (CALLER, SEAT_LEG):
        room.board.hear(said(f.RecordingStarted, 130.0, leg=leg, file=f"d/{leg}.wav"))


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room(demo())
    running = asyncio.create_task(made.masker.run())
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_an_order_pauses_every_leg_once(room: Room) -> None:
    talk(room)
    assert await room.masker.mask(CALL, True) == 2
    assert await room.masker.mask(CALL, True) == 2
    assert len(room.orders) == 2
    assert await room.masker.mask(CALL, False) == 2
    assert room.told == []


async def test_a_key_of_the_agent_pauses_and_a_colleague_who_comes_in_is_paused_too(room: Room) -> None:
    talk(room)
    room.board.hear(said(f.MaskAsked, 140.0, leg=SEAT_LEG, on=True))
    await room.masked(CALLER, SEAT_LEG)
    third = LegId("n1-9.9")
    room.board.hear(said(f.RecordingStarted, 141.0, leg=third, file="d/9.wav"))
    await room.masked(CALLER, SEAT_LEG, third)


async def test_a_forgotten_pause_ends_by_itself(room: Room) -> None:
    talk(room)
    await room.masker.mask(CALL, True)
    room.clock += 61
    await room.masked(CALLER, SEAT_LEG, on=False)


async def test_what_is_not_recorded_cannot_be_paused(room: Room) -> None:
    with pytest.raises(Refused, match="no recording"):
        await room.masker.mask(CALL, True)


async def test_callers_of_a_masked_queue_are_paused_by_rule() -> None:
    plan = demo()
    queues = {n: q.model_copy(update={"masked": n == "general"}) for n, q in plan.queues.items()}
    room = Room(plan.model_copy(update={"queues": queues}))
    running = asyncio.create_task(room.masker.run())
    for leg in (CALLER, SEAT_LEG):
        room.board.hear(said(f.RecordingStarted, 90.0, leg=leg, file=f"d/{leg}.wav"))
    for fact in answered():
        room.board.hear(fact)
    await room.masked(CALLER, SEAT_LEG)
    room.clock += 1000
    assert room.masker.masked(CALL)
    running.cancel()


def died(*more: f.Fact) -> Switchboard:
    """What a service finds when it starts: the journal's board, and Asterisk with both legs in talk."""
    board = Switchboard()
    for fact in (*answered(), *recorded(), *more):
        board.hear(fact)
    return board


def recorded() -> list[f.Fact]:
    return [said(f.RecordingStarted, 130.0, leg=leg, file=f"d/{leg}.wav") for leg in (CALLER, SEAT_LEG)]


def looked(room: Room) -> None:
    """The snapshot: both are there."""
    legs = tuple(
        f.LegNow(
            leg=leg, channel=f"PJSIP/{leg}", endpoint=endpoint, call=CALL, up=True, linked=CALLER,
            bridge="b1", caller="", called="", context="", seconds=900.0,
        )
        for leg, endpoint in ((CALLER, "demo-carrier"), (SEAT_LEG, "demo-1001"))
    )  # fmt: skip
    room.board.hear(said(f.Snapshot, room.clock, legs=legs))


@contextlib.asynccontextmanager
async def started(room: Room) -> AsyncIterator[None]:
    running = asyncio.create_task(room.masker.run())
    looked(room)
    yield
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


PAUSED = tuple(said(f.RecordingPaused, 980.0, leg=leg) for leg in (CALLER, SEAT_LEG))


async def test_a_pause_a_dead_service_left_behind_ends_by_itself() -> None:
    room = Room(demo(), died(*PAUSED))
    async with started(room):
        assert room.masker.masked(CALL)
        room.clock = 1041.0
        await room.masked(CALLER, SEAT_LEG, on=False)


async def test_a_pause_of_which_a_dead_service_wrote_nothing_down_is_ended_and_no_other_one() -> None:
    """Killed between the order and the journal: Asterisk writes silence, and we know of none."""
    room = Room(demo(), died())
    async with started(room):
        await room.masked(CALLER, SEAT_LEG, on=False)
    room = Room(demo(), died(*PAUSED))
    async with started(room):
        room.clock = 1041.0
        await room.masked(CALLER, SEAT_LEG, on=False)
    # its time was over, not before
    assert len([o for o in room.orders if not o.on]) == 2
    room = Room(demo(), died(), [Key(990.0, True)])
    async with started(room):
        await room.masked(CALLER, SEAT_LEG)
    assert not [o for o in room.orders if not o.on]


async def test_a_colleague_who_joined_while_nobody_listened_is_paused_too() -> None:
    room = Room(demo(), died(PAUSED[0]))
    async with started(room):
        await room.masked(SEAT_LEG)
        # and what they said since the pause began is told
        assert missed(room, SEAT_LEG) == ((980.0, 1000.0),)
        assert missed(room, CALLER) == ()


async def test_a_masked_queues_callers_are_paused_though_nobody_heard_them_answered() -> None:
    plan = demo()
    queues = {n: q.model_copy(update={"masked": n == "general"}) for n, q in plan.queues.items()}
    room = Room(plan.model_copy(update={"queues": queues}), died())
    async with started(room):
        await room.masked(CALLER, SEAT_LEG)
        room.clock += 1000
        assert room.masker.masked(CALL)


async def test_a_key_that_nobody_heard_pauses_as_soon_as_somebody_is_there_and_for_its_time() -> None:
    room = Room(demo(), died(), [Key(990.0, True)])
    async with started(room):
        await room.masked(CALLER, SEAT_LEG)
        room.clock = 1051.0
        await room.masked(CALLER, SEAT_LEG, on=False)


async def test_the_key_of_a_pauses_end_that_nobody_heard_ends_it() -> None:
    room = Room(demo(), died(*PAUSED), [Key(979.9, True), Key(995.0, False)])
    async with started(room):
        await room.masked(CALLER, SEAT_LEG, on=False)


@pytest.mark.parametrize(
    ("keys", "pauses", "silent"),
    [
        ([(110, True), (120, False)], [], [(9, 21)]),
        ([(110, True)], [], [(9, 71)]),  # forgotten
        ([(190, True)], [], [(89, 100)]),  # to the end of the leg
        ([(110, True), (140, False)], [(25, 40)], [(9, 26)]),  # the service took over after 15 s
        ([(110, True)], [(5, 20)], []),  # it was paused already
        ([(100.2, True), (103, False), (104.5, True), (106, False)], [], [(0, 7)]),
        ([(110, False)], [], []),
        ([(300, True)], [], []),  # after the leg
    ],
)
def test_what_was_keyed_and_not_paused_is_silence_afterwards(
    keys: list[tuple[float, bool]], pauses: list[tuple[float, float]], silent: list[tuple[float, float]]
) -> None:
    told = unkept([Key(*key) for key in keys], 100.0, 200.0, pauses, 60.0)
    assert told == tuple(pytest.approx(one) for one in silent)


def test_asterisk_writes_the_keys_down_and_they_are_read_from_there(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_text(
        "100|n1-100.1|demo-general|demo-1001|CONNECT|1|n1-100.2|1\n"
        "140|n1-100.1|NONE|demo-1001|HOTLINEMASK|140.250/on\n"
        "141|n1-9.9|NONE|demo-1002|HOTLINEMASK|141.000/on\n"
        "150|n1-100.1|NONE|demo-1001|HOTLINEMASK|150.500/off\n"
    )
    assert mask_keys(log, CALL, 100.0) == (Key(140.25, True), Key(150.5, False))
    assert mask_keys(log, CALL, 145.0) == (Key(150.5, False),)
    assert mask_keys(tmp_path / "none", CALL, 0.0) == ()


# --- what Asterisk does not do ------------------------------------------------------------------------


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cti.masking.LOOK", 0.02)


async def in_vain(order: MaskRecording) -> None:
    raise NotNow("no link to Asterisk")


def missed(room: Room, leg: LegId) -> tuple[tuple[float, float | None], ...]:
    one = room.board.board.recordings.of(leg)
    assert one is not None
    return one.missed


async def test_a_pause_that_asterisk_does_not_do_is_asked_for_again_until_it_holds(
    soon: None, room: Room
) -> None:
    talk(room)

    async def refuses(order: MaskRecording) -> None:
        raise Refused("MixMonitorMute: Failed to set mute flag.")

    for refusal in (in_vain, refuses):
        room.answers, room.orders, room.told = refusal, [], []
        with pytest.raises(NotNow, match="not paused yet, asked again every second"):
            await room.masker.mask(CALL, True)
        assert {(x.leg, x.since, x.until) for x in room.told} == {
            (leg, room.clock, None) for leg in (CALLER, SEAT_LEG)
        }
        since, room.clock = room.clock, room.clock + 7
        room.answers = None
        await room.masked(CALLER, SEAT_LEG)
        assert missed(room, CALLER)[-1] == missed(room, SEAT_LEG)[-1] == (since, room.clock)
        assert {(x.leg, x.until) for x in room.told[2:]} == {(leg, room.clock) for leg in (CALLER, SEAT_LEG)}
        room.clock += 5
        await room.masker.mask(CALL, False)
        room.clock += 5


async def test_a_pause_that_is_not_wished_any_more_is_not_owed_and_what_was_said_meanwhile_is_told(
    soon: None, room: Room
) -> None:
    talk(room)
    room.answers = in_vain
    with pytest.raises(NotNow):
        await room.masker.mask(CALL, True)
    room.clock += 3
    with pytest.raises(NotNow, match="still paused yet"):
        await room.masker.mask(CALL, False)
    assert missed(room, CALLER) == ((1000.0, 1003.0),)
    # Asterisk may yet do what it did not answer to, so it is told to go on
    room.answers = None
    await room.masked(CALLER, SEAT_LEG, on=False)
    assert not [o for o in room.orders if o.on]


async def test_a_pause_whose_leg_ends_first_is_missed_to_its_end(soon: None, room: Room) -> None:
    talk(room)
    room.answers = in_vain
    with pytest.raises(NotNow):
        await room.masker.mask(CALL, True)
    asked, third = asyncio.Event(), LegId("n1-9.9")

    async def never(order: MaskRecording) -> None:
        if order.leg == third:
            asked.set()
        await asyncio.Event().wait()

    room.clock += 4
    room.board.hear(said(f.LegEnded, room.clock, leg=CALLER))
    assert missed(room, CALLER) == ((1000.0, 1004.0),)
    # also one that nobody knows yet whether it was missed
    room.answers = never
    room.board.hear(said(f.LegStarted, 1004.0, leg=third, endpoint="demo-1002", channel="PJSIP/demo-1002-9"))
    room.board.hear(said(f.RecordingStarted, 1004.0, leg=third, file="d/9.wav"))
    async with asyncio.timeout(5):
        await asked.wait()
    room.board.hear(said(f.LegEnded, 1009.0, leg=third))
    await asyncio.sleep(0)
    assert missed(room, third) == ((1004.0, 1009.0),)


def slow(room: Room, *, fails: bool = False) -> asyncio.Event:
    """Asterisk does no pause until this is set, and then (``fails``) has not done it."""
    waits = asyncio.Event()

    async def answers(order: MaskRecording) -> None:
        if order.on:
            await waits.wait()
            if fails:
                raise NotNow("no answer from Asterisk")

    room.answers = answers
    return waits


async def told_of(room: Room, *legs: LegId) -> None:
    """Wait until exactly these were told as missed."""
    async with asyncio.timeout(10):
        while {x.leg for x in room.told} != set(legs):  # noqa: ASYNC110  # a list grows and tells nobody
            await asyncio.sleep(0.01)


async def told_owed(room: Room, *legs: LegId) -> None:
    """Wait until these are owed."""
    async with asyncio.timeout(10):
        while not room.masker._owed.keys() >= set(legs):  # noqa: ASYNC110  # a table grows and tells nobody
            await asyncio.sleep(0.01)


async def test_a_pause_that_asterisk_does_late_is_missed_until_it_does_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti.masking.AT_ONCE", 0.02)
    talk(room)
    waits = slow(room)
    asked = asyncio.create_task(room.masker.mask(CALL, True))
    await told_of(room, CALLER, SEAT_LEG)
    # known before it is answered: the live text stops, and a service killed now leaves it to the next one
    assert missed(room, CALLER) == ((1000.0, None),)
    room.clock += 4
    waits.set()
    assert await asked == 2
    assert missed(room, CALLER) == missed(room, SEAT_LEG) == ((1000.0, 1004.0),)


async def test_a_pause_withdrawn_while_nobody_answers_is_missed_until_it_was_withdrawn(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti.masking.AT_ONCE", 0.02)
    talk(room)
    waits = slow(room, fails=True)
    asked = asyncio.create_task(room.masker.mask(CALL, True))
    await told_of(room, CALLER, SEAT_LEG)
    room.clock += 3
    await room.masker.mask(CALL, False)
    room.clock += 2
    waits.set()
    with pytest.raises(NotNow):
        await asked
    # and, answered to at once as the end was, Asterisk may have stood still a moment before
    assert missed(room, CALLER) == missed(room, SEAT_LEG) == ((1000.0, 1003.0), (1003.0, 1013.0))


async def test_the_end_of_a_pause_that_was_done_at_once_silences_nothing_though_we_heard_of_it_late(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti.masking.AT_ONCE", 0.02)
    talk(room)
    await room.masker.mask(CALL, True)
    room.clock = 1008.0

    async def heard_late(order: MaskRecording) -> None:
        await told_owed(room, order.leg)

    room.answers = heard_late
    assert await room.masker.mask(CALL, False) == 2
    assert room.told == []
    # a debt that is gone is not asked for again
    assert len([order for order in room.asked if not order.on]) == 2


async def test_nothing_waits_to_be_written_of_a_leg_whose_recording_begins_after_the_pause(
    soon: None, room: Room
) -> None:
    talk(room)
    third = LegId("n1-9.9")
    room.board.hear(said(f.LegStarted, 140.0, leg=third, endpoint="demo-1002", channel="PJSIP/demo-1002-9"))
    room.board.hear(said(f.LegJoined, 140.0, leg=third, bridge="b1", kind="simple"))
    await room.masker.mask(CALL, True)
    room.clock, room.answers = 1030.0, in_vain
    with pytest.raises(NotNow):
        await room.masker.mask(CALL, False)
    room.clock = 1036.0
    room.board.hear(said(f.RecordingStarted, 1036.0, leg=third, file="d/9.wav"))
    room.answers = None
    async with asyncio.timeout(10):
        while room.masker._owed:  # noqa: ASYNC110  # a table shrinks and tells nobody
            await asyncio.sleep(0.01)
    assert missed(room, third) == ()
    assert missed(room, CALLER) == ((1030.0, 1046.0),)


async def test_what_was_said_to_a_frozen_asterisk_before_the_pauses_end_is_looked_for_as_long_after_it_woke(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sound waited in Asterisk's sockets, and is written where its threads have come to by then."""
    monkeypatch.setattr("cti.masking.AT_ONCE", 0.02)
    talk(room)
    await room.masker.mask(CALL, True)
    wakes, waits = asyncio.Event(), asyncio.Event()

    async def frozen(order: MaskRecording) -> None:
        waits.set()
        await wakes.wait()

    room.clock, room.answers = 1008.0, frozen
    withdrawn = asyncio.create_task(room.masker.mask(CALL, False))
    async with asyncio.timeout(10):
        await waits.wait()
    await told_owed(room, CALLER, SEAT_LEG)
    # not a pause that is owed: a service that starts now pauses nobody
    assert room.told == []
    room.clock = 1011.0
    wakes.set()
    assert await withdrawn == 2
    assert missed(room, CALLER) == missed(room, SEAT_LEG) == ((1008.0, 1021.0),)


async def test_a_pause_whose_end_a_frozen_asterisk_never_answered_is_silent_to_the_end_of_the_leg(
    soon: None, room: Room
) -> None:
    talk(room)
    await room.masker.mask(CALL, True)
    room.clock, room.answers = 1030.0, in_vain
    with pytest.raises(NotNow, match="still paused yet"):
        await room.masker.mask(CALL, False)
    room.clock = 1034.0
    room.board.hear(said(f.LegEnded, room.clock, leg=CALLER))
    await told_of(room, CALLER)
    assert missed(room, CALLER) == ((1030.0, 1034.0),)
    # and what comes after a longer pause is not kept out longer than sound can wait
    room.clock, room.answers = 1036.0, None
    await room.masked(SEAT_LEG, on=False)
    await told_of(room, CALLER, SEAT_LEG)
    assert missed(room, SEAT_LEG) == ((1030.0, 1046.0),)


async def test_a_pause_withdrawn_at_once_and_never_answered_is_missed(room: Room) -> None:
    talk(room)
    waits = slow(room, fails=True)
    asked = asyncio.create_task(room.masker.mask(CALL, True))
    async with asyncio.timeout(10):
        while len(room.asked) < 2:  # noqa: ASYNC110  # a list grows and tells nobody
            await asyncio.sleep(0)
    room.clock += 0.25
    await room.masker.mask(CALL, False)
    assert room.told == []
    waits.set()
    with pytest.raises(NotNow):
        await asked
    assert missed(room, CALLER) == missed(room, SEAT_LEG) == ((1000.0, 1000.25),)


async def test_a_key_that_waits_for_the_one_before_counts_from_its_own_moment(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti.masking.AT_ONCE", 0.02)
    talk(room)
    waits = slow(room)
    room.board.hear(said(f.MaskAsked, 1000.0, leg=SEAT_LEG, on=True))
    await told_of(room, CALLER, SEAT_LEG)
    for room.clock, on in ((1002.0, False), (1003.0, True)):
        room.board.hear(said(f.MaskAsked, room.clock, leg=SEAT_LEG, on=on))
    room.clock = 1010.0
    waits.set()
    async with asyncio.timeout(10):
        while [o.on for o in room.orders].count(True) < 4:  # noqa: ASYNC110  # a list grows and tells nobody
            await asyncio.sleep(0.01)
    await room.masker.mask(CALL, True)
    assert missed(room, CALLER) == missed(room, SEAT_LEG) == ((1000.0, 1010.0), (1003.0, 1010.0))


async def test_a_pause_asked_for_while_another_wish_waits_for_its_answer_is_not_taken_for_done(
    soon: None, room: Room
) -> None:
    talk(room)
    await room.masker.mask(CALL, True)
    room.orders.clear()
    waits, asked = asyncio.Event(), asyncio.Event()
    wishes: list[bool] = []

    async def slow(order: MaskRecording) -> None:
        wishes.append(order.on)
        asked.set()
        await waits.wait()

    room.answers = slow
    off = asyncio.create_task(room.masker.mask(CALL, False))
    await asked.wait()
    asked.clear()
    on = asyncio.create_task(room.masker.mask(CALL, True))
    await asked.wait()
    waits.set()
    assert await off == await on == 2
    assert wishes == [False, False, True, True]


async def test_a_pause_that_a_dead_service_owed_is_owed_by_the_next_one(soon: None) -> None:
    owed = [said(f.MaskMissed, 980.0, leg=leg, since=979.0) for leg in (CALLER, SEAT_LEG)]
    room = Room(demo(), died(*owed))
    async with started(room):
        await room.masked(CALLER, SEAT_LEG)
        assert missed(room, CALLER) == ((979.0, 1000.0),)


@pytest.mark.parametrize(
    ("missed", "silent"),
    [
        ([(110, 120)], [(9, 21)]),
        ([(110, None)], [(9, 100)]),
        ([(100.4, 110), (110.5, 111)], [(0, 12)]),
        ([(150, 230)], [(49, 100)]),
        ([(300, None)], []),
        ([], []),
    ],
)
def test_what_was_not_paused_is_silence_afterwards(
    missed: list[tuple[float, float | None]], silent: list[tuple[float, float]]
) -> None:
    assert unpaused(missed, 100.0, 200.0) == tuple(pytest.approx(one) for one in silent)
