"""The service under 300 sockets: everything of it but Asterisk, which is played by facts made here.

    python -m bench.sockets_service HOME RATE SECONDS ours|naive

``naive`` is the baseline: each change is written as JSON for each client by itself, and the rows of
its queues with it. It ends by itself and prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from calls import facts as f
from calls.facts import CallId, Fact, LegId, MemberNow
from calls.model import Call, Seat
from cti.app import Service, log_as_json
from cti.home import Home
from cti.settings import read
from cti.web import api
from cti.web.hub import Hub, Row, text_frame
from cti.web.who import Role, Who

CITY = "load"
SEATS = [f"{n}" for n in range(3001, 3301)]
QUEUES = [f"q{n}" for n in range(30)]
A_SEAT_HAS = 3
SUPERVISORS = 10
"""The other sockets are agents', each at a seat."""
PEOPLE = "people"
"""The file of their tokens in HOME."""
TALK = 4.0
"""Seconds: with 20 calls a second some 80 talk at once."""
NODE = "n1"


def queues_of(number: int) -> list[str]:
    """The queues of the seat at this place in the list."""
    return [QUEUES[(number * A_SEAT_HAS + n) % len(QUEUES)] for n in range(A_SEAT_HAS)]


def signed_in(at: float) -> f.Snapshot:
    """All seats at work."""
    members = [
        MemberNow(city=CITY, seat=seat, queue=queue, penalty=0, paused=False, reason="", device="not_inuse",
                  calls_taken=0, in_call=False)
        for n, seat in enumerate(SEATS) for queue in queues_of(n)
    ]  # fmt: skip
    return f.Snapshot(
        at=at,
        node=NODE,
        legs=(),
        members=tuple(members),
        waiters=(),
        queues=tuple((CITY, queue) for queue in QUEUES),
        agents=tuple((CITY, seat, seat) for seat in SEATS),
    )


def a_call(number: int) -> Iterator[tuple[float, Fact]]:
    """(seconds after its arrival, what happens): arrives, waits, rings, talks, ends; sixteen facts."""
    place = number % len(SEATS)
    seat, queue = SEATS[place], queues_of(place)[0]
    leg, other = LegId(f"{NODE}-{number}.1"), LegId(f"{NODE}-{number}.2")
    call = CallId(f"{CITY}-{leg}")
    channel, there = f"PJSIP/{CITY}-carrier-{number:08x}", f"PJSIP/{CITY}-{seat}-{number:08x}"

    def said(which: Any, **told: Any) -> Fact:
        fact: Fact = which(at=time.time(), node=NODE, **told)
        return fact

    here: dict[str, Any] = {"call": call, "city": CITY, "queue": queue}
    yield 0.0, said(f.LegStarted, leg=leg, channel=channel, call=None, endpoint=f"{CITY}-carrier",
                    caller="13800138000", called="12345", context="x", linked=leg)  # fmt: skip
    yield 0.0, said(f.CallArrived, call=call, leg=leg, city=CITY, trunk="carrier", line="main",
                    called="12345", original="12345", caller="13800138000", sip_call="x")  # fmt: skip
    yield 0.2, said(f.GreetingEnded, call=call)
    yield 0.0, said(f.AdviceAsked, call=call, status="SUCCESS", next=f"queue:{queue}", by="service")
    yield 0.0, said(f.QueueJoined, **here, leg=leg, position=1, waiting=1)
    yield 0.0, said(f.LegStarted, leg=other, channel=there, call=call, endpoint=f"{CITY}-{seat}", caller="",
                    called="", context="x", linked=leg)  # fmt: skip
    yield 0.0, said(f.SeatRang, **here, seat=seat, leg=other)
    yield 0.0, said(f.LegRang, leg=other)
    yield 0.5, said(f.LegAnswered, leg=other)
    yield 0.0, said(f.QueueLeft, **here, leg=leg, waiting=0)
    yield 0.0, said(f.SeatAnswered, **here, seat=seat, leg=other, waited=0.5, rang=0.5)
    yield 0.0, said(f.LegJoined, leg=leg, bridge=f"b{number}", kind="basic")
    yield 0.0, said(f.LegJoined, leg=other, bridge=f"b{number}", kind="basic")
    yield TALK, said(f.SeatFinished, call=call, city=CITY, queue=queue, seat=seat, reason="caller",
                     waited=0.5, talked=TALK)  # fmt: skip
    yield 0.0, said(f.CallLeft, call=call, by="caller", cause=16)
    yield 0.0, said(f.LegEnded, leg=other, cause=16)
    yield 0.0, said(f.LegEnded, leg=leg, cause=16)


class Naive(Hub):
    """What one writes first: JSON for each client, each change by itself, its queues with it."""

    def changed(
        self,
        calls: Iterable[Call] = (),
        seats: Iterable[Seat] = (),
        gone: Iterable[CallId] = (),
        watches: Iterable[tuple[str, str, Row]] = (),
        link: bool = False,
    ) -> None:
        calls, seats = list(calls), list(seats)
        rows = [api.call_answer(c, full=False).model_dump() for c in calls]
        rows += [api.seat_answer(s).model_dump() for s in seats]
        mine = {(c.city, c.queue) for c in calls} | {(s.city, q) for s in seats for q in s.queues}
        boards = self._look.boards().values()
        rows += [row for row in boards if (row["city"], row.get("queue")) in mine]
        now = time.time()
        for audience in self._audiences.values():
            for client in audience.clients:
                told = {"kind": "changes", "from": now, "changes": rows}
                client.wire.write(text_frame(json.dumps(told, default=str).encode()))

    async def flush(self) -> None:
        """Nothing waits."""


def people() -> list[Who]:
    """Whose sockets these are."""
    agents = [Who(f"a{seat}", Role.AGENT, CITY, seat) for seat in SEATS[SUPERVISORS:]]
    return [*agents, *(Who(f"s{n}", Role.SUPERVISOR, CITY) for n in range(SUPERVISORS))]


def let_in(home: Home, service: Service) -> None:
    """An account and a session for each; nobody signs in by password, so no hash is computed."""
    rows = {w.name: {"role": w.role.value, "city": w.city, "agent": w.agent, "hash": "-"} for w in people()}
    (home.root / "accounts.json").write_text(json.dumps(rows))
    tokens = [service.desk.sessions.issue(who).token for who in people()]
    (home.root / PEOPLE).write_text("\n".join(tokens))


async def main(home: Home, rate: float, seconds: float, arm: str) -> None:
    service = Service(home, read(home))
    let_in(home, service)
    board = service.live_board
    if arm == "naive":
        board.hub.__class__ = Naive
    service.switchboard.hear(f.LinkUp(at=time.time(), node=NODE, version="fake", boot="1"))
    service.switchboard.hear(signed_in(time.time()))
    running = asyncio.create_task(service.run())
    while board.hub.clients < len(SEATS):  # noqa: ASYNC110  # waits once before measuring; an event in the hub would be product code for a bench alone
        await asyncio.sleep(0.05)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    lives: list[asyncio.Task[None]] = []
    cpu, began, heard = time.process_time(), loop.time(), service.switchboard.facts_heard

    async def live(number: int) -> None:
        for pause, fact in a_call(number):
            if pause:
                await asyncio.sleep(pause)
            service.switchboard.hear(fact)

    for number in itertools.count(1):
        due = began + number / rate
        # a service that cannot keep up ends in time too
        if max(due, loop.time()) > began + seconds:
            break
        await asyncio.sleep(max(0.0, due - loop.time()))
        lives.append(asyncio.create_task(live(number)))
    spent, lasted = time.process_time() - cpu, loop.time() - began
    facts = service.switchboard.facts_heard - heard
    memory = Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]
    told = {
        "calls": len(lives), "facts": facts, "seconds": lasted, "cpu": spent, "rss_mib": int(memory) / 1024,
        "frames": board.hub.frames, "encodings": board.hub.encodings, "gaps": board.hub.gaps,
    }  # fmt: skip
    print(json.dumps(told), flush=True)
    # nobody asks this service for a tidy end, and closing 300 sockets is not measured
    os._exit(0 if not running.done() else 1)


if __name__ == "__main__":
    log_as_json("error")
    _, folder, rate, seconds, arm = sys.argv
    asyncio.run(main(Home(Path(folder)), float(rate), float(seconds), arm))
