"""The hub: one encoding for all, numbers without a hole, and a slow client that costs nobody anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from calls.facts import CallId
from calls.model import Call, Seat, SeatState
from calls.picture import Picture
from calls.standing import Announcement, Watching
from calls.step import step
from cti.board_client import Shown
from cti.web.hub import BOARD, FULL, PATIENCE, Client, Hub, Row
from cti.web.who import Role, Who
from recording.flagged import Flag
from tests.story.a_call import answered
from transfer.handoff import Handoff, Now
from transfer.table import State

CALLER = "13800138000"


def a_call() -> Call:
    picture = Picture()
    for fact in answered():
        picture = step(picture, fact)
    return next(iter(picture.calls.values()))


def a_seat(name: str = "1001", city: str = "demo", state: SeatState = SeatState.READY) -> Seat:
    return Seat(city=city, name=name, state=state, since=1.0, agent="8001" if name == "1001" else "")


@dataclass
class Here:
    """A board of our own making."""

    all_calls: list[Call] = field(default_factory=list)
    all_seats: list[Seat] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    all_flags: list[Flag] = field(default_factory=list)
    all_alarms: list[Row] = field(default_factory=list)
    all_stands: list[Now] = field(default_factory=list)
    all_handoffs: list[Handoff] = field(default_factory=list)

    def calls(self) -> Sequence[Call]:
        return self.all_calls

    def seats(self) -> Sequence[Seat]:
        return self.all_seats

    def agent_at(self, city: str, seat: str) -> str:
        return next((s.agent for s in self.all_seats if (s.city, s.name) == (city, seat)), "")

    def hides(self, call: Call) -> bool:
        return call.outgoing

    def boards(self) -> Mapping[str, Row]:
        return self.rows

    def watches(self) -> Sequence[Watching]:
        return ()

    def announcements(self) -> Sequence[Announcement]:
        return ()

    def transfers(self) -> Sequence[Now]:
        return self.all_stands

    def handoffs(self) -> Sequence[Handoff]:
        return self.all_handoffs

    def flags(self) -> Sequence[Flag]:
        return self.all_flags

    def flagged_agent(self, call: CallId) -> str:
        return next((self.agent_at(c.city, c.seat) for c in self.all_calls if c.id == call), "")

    def alarms(self) -> Sequence[Row]:
        return self.all_alarms

    def link(self) -> Row:
        return {"linked": True}


@dataclass
class Line:
    """A socket that reads when told to."""

    reads: bool = True
    sent: list[bytes] = field(default_factory=list)
    unread: int = 0
    aborted: bool = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)
        if not self.reads:
            self.unread += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(frame[_head(frame) :]) for frame in self.sent]


def _head(frame: bytes) -> int:
    return {126: 4, 127: 10}.get(frame[1], 2)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def hub_with(*roles: Role, here: Here | None = None, city: str = "") -> tuple[Hub, list[Line], Here, Clock]:
    clock, here = Clock(), here or Here()
    hub = Hub(here, clock)
    lines = []
    for role in roles:
        line = Line()
        hub.join(Client(Who("x", role, city, "8001" if role is Role.AGENT else ""), line))
        lines.append(line)
    return hub, lines, here, clock


async def test_one_encoding_and_one_frame_serve_every_socket() -> None:
    hub, lines, _, _ = hub_with(*[Role.OBSERVER] * 300)
    hub.changed(seats=[a_seat()])
    await hub.flush()
    assert hub.encodings == 1
    assert len({id(line.sent[-1]) for line in lines}) == 1


async def test_numbers_of_citizens_are_masked_for_whoever_may_not_see_them() -> None:
    hub, (observer, chief), _, _ = hub_with(Role.OBSERVER, Role.SUPERVISOR)
    hub.changed(calls=[a_call()])
    await hub.flush()
    assert CALLER not in json.dumps(observer.said())
    assert chief.said()[-1]["changes"][0]["caller"] == CALLER


async def test_an_agent_sees_the_whole_number_of_their_own_caller_only() -> None:
    here = Here(all_seats=[a_seat("1001"), a_seat("1002")])
    hub, (agent, observer), _, _ = hub_with(Role.AGENT, Role.OBSERVER, here=here, city="demo")
    hub.changed(calls=[a_call()])
    await hub.flush()
    mine = [m for m in agent.said() if m["kind"] == "mine"]
    assert [m["row"]["caller"] for m in mine] == [CALLER]
    assert not [m for m in observer.said() if m["kind"] == "mine"]
    here.all_seats = [a_seat("1002")]
    hub.changed(calls=[a_call()])
    await hub.flush()
    assert len([m for m in agent.said() if m["kind"] == "mine"]) == 1


RECORD = Handoff("h1", a_call().id, "demo", "out", "handoff", "110", caller=CALLER, summary=f"回拨{CALLER}")


async def test_a_transfer_that_moves_twice_between_two_frames_is_told_once_as_it_is_now() -> None:
    hub, (desk,), _, _ = hub_with(Role.SUPERVISOR, city="demo")
    there = Now(CallId("other-1"), State.TALKING, "", "other", "2001", "", urgent=False)
    first = Now(RECORD.call, State.TALKING, "", "demo", "1001", "", urgent=False)
    hub.moved([first, there])
    hub.moved([replace(first, state=State.RINGING, id="h1", to="110", urgent=True)], handoffs=[RECORD])
    await hub.flush()
    shown = Shown()
    for message in desk.said():
        assert shown.take(message)
    ((call, row),) = shown.transfers.items()
    assert (call, row["state"], row["buttons"]) == (RECORD.call, "ringing", ["takeback"])
    assert [c["kind"] for c in desk.said()[-1]["changes"]] == ["transfer", "handoff"]
    assert (shown.handoffs["h1"]["wish"], shown.handoffs["h1"]["centre"]) == ("handoff", "110")
    hub.moved(over=[RECORD.call])
    await hub.flush()
    assert shown.take(desk.said()[-1])
    assert shown.transfers == {}


async def test_a_snapshot_has_the_transfers_and_records_of_its_city_with_numbers_for_who_may() -> None:
    stands = Now(RECORD.call, State.TALKING, "", "demo", "1001", "", urgent=False)
    here = Here(all_stands=[stands], all_handoffs=[RECORD])
    hub, (observer,), _, _ = hub_with(Role.OBSERVER, here=here)
    _, (chief,), _, _ = hub_with(Role.SUPERVISOR, here=here, city="demo")
    _, (neighbour,), _, _ = hub_with(Role.SUPERVISOR, here=here, city="other")
    (told,) = chief.said()
    assert [row["buttons"] for row in told["transfers"]] == [["blind", "consult", "three", "handoff"]]
    assert [row["caller"] for row in told["handoffs"]] == [CALLER]
    (told,) = neighbour.said()
    assert (told["transfers"], told["handoffs"]) == ([], [])
    hub.moved(handoffs=[RECORD])
    await hub.flush()
    assert len(observer.said()) == 2
    assert CALLER not in json.dumps(observer.said())


async def test_a_city_sees_nothing_of_another() -> None:
    here = Here(all_seats=[a_seat(), a_seat("2001", "other")])
    hub, (mine,), _, _ = hub_with(Role.SUPERVISOR, here=here, city="demo")
    assert [s["seat"] for s in mine.said()[0]["seats"]] == ["1001"]
    hub.changed(seats=[a_seat("2001", "other", SeatState.PAUSED)])
    await hub.flush()
    assert len(mine.sent) == 1


async def test_changes_of_one_instant_are_one_row_and_frames_are_numbered_without_a_hole() -> None:
    hub, (line,), _, _ = hub_with(Role.OBSERVER)
    shown = Shown()
    for state in (SeatState.RINGING, SeatState.BUSY):
        hub.changed(seats=[a_seat(state=SeatState.READY)])
        hub.changed(seats=[a_seat(state=state)])
        await hub.flush()
    said = line.said()
    assert [m["seq"] for m in said] == [0, 1, 2]
    assert [len(m["changes"]) for m in said[1:]] == [1, 1]
    assert all(shown.take(m) for m in said)
    assert shown.seats["demo-1001"]["state"] == "busy"
    assert not Shown(seq=0).take(said[2])


async def test_boards_are_told_four_times_a_second_at_most_and_only_when_they_differ() -> None:
    hub, (line,), here, clock = hub_with(Role.OBSERVER)
    for waiting in range(10):
        here.rows["queue demo general"] = {
            "kind": "queue", "city": "demo", "queue": "general", "waiting": waiting
        }  # fmt: skip
        hub.changed()
        clock.now += BOARD / 5
        await hub.flush()
    told = [row["waiting"] for m in line.said()[1:] for row in m["changes"]]
    assert 2 <= len(told) <= 3
    clock.now += BOARD
    here.rows.clear()
    hub.changed()
    await hub.flush()
    gone = {"kind": "gone", "board": "queue", "city": "demo", "queue": "general"}
    assert line.said()[-1]["changes"] == [gone]


async def test_a_slow_client_misses_frames_keeps_no_memory_and_gets_a_fresh_snapshot() -> None:
    here = Here(all_seats=[a_seat(f"1{n:03}") for n in range(300)])
    hub, (slow, quick), _, clock = hub_with(Role.OBSERVER, Role.OBSERVER, here=here)
    slow.reads = False
    largest = 0
    for _ in range(200):
        hub.changed(seats=here.all_seats)
        await hub.flush()
        clock.now += 0.05
        largest = max(largest, slow.unread)
    frame = max(len(x) for x in quick.sent)
    assert largest <= FULL + frame
    assert len(quick.sent) == 201
    assert hub.gaps == 1
    slow.reads, slow.unread = True, 0
    hub.changed(seats=here.all_seats[:1])
    await hub.flush()
    last = slow.said()[-1]
    assert (last["kind"], last["why"]) == ("snapshot", "gap")
    assert last["seq"] == quick.said()[-1]["seq"]
    hub.changed(seats=here.all_seats[:1])
    await hub.flush()
    assert slow.said()[-1]["seq"] == last["seq"] + 1


async def test_a_client_that_never_reads_is_cut() -> None:
    hub, (dead,), _, clock = hub_with(Role.OBSERVER)
    dead.unread = FULL + 1
    hub.changed(seats=[a_seat()])
    await hub.flush()
    clock.now += PATIENCE + 1
    hub.changed(seats=[a_seat()])
    await hub.flush()
    assert dead.aborted
    assert hub.cut == 1


async def test_who_comes_between_two_changes_shares_one_snapshot() -> None:
    _, lines, _, _ = hub_with(*[Role.OBSERVER] * 50)
    assert len({id(line.sent[0]) for line in lines}) == 1


async def test_without_a_client_nothing_is_encoded() -> None:
    hub, _, _, _ = hub_with()
    hub.changed(calls=[a_call()], seats=[a_seat()])
    await hub.flush()
    assert hub.encodings == 0
