"""From an agent's action to the INVITE at the centre: HTTP POST sent, or last key (``*110``) let go -> the
centre's phone sees the call.

In talks in which the agent asks for 110 and takes it back, again and again: the first time out of the talk
itself, from then on in the room. Talks on a quiet hotline, in which orders (the baseline) and keys take
turns, and talks while other citizens call and give up in the greeting or the queue, follow each other, so
that what else the machine does falls on all of them. The first moment is taken by the client before the
POST, or is the length of a tone after the lab's phone was told to begin the last key's: never later than
the tone's end. The second is told by the lab's own Asterisk when the INVITE is in its dialplan.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp

from cti.home import Home
from lab.client import NotDone
from lab.exchange import BETWEEN_KEYS, TONE_MS
from lab.parties import Seat
from lab.scenario import Lab

GOAL_MS = 60.0
"""p99 (issue 4)."""
ROOT = Path(__file__).parents[1]
READY_WITHIN = 90.0
OTHERS, THEY_STAY = 4.0, 4.0
"""Calls a second of other citizens, and the seconds each stays."""
BASE = int(os.environ.get("CTI_BENCH_BASE", "19700"))
SEAT = "1001"
KEYS = "*110"
TALKS = 10
"""Quiet ones, and as many among other calls."""
KEYED = 100
"""Times by keys. Each takes the seconds of four tones; of fewer, the 99th in a hundred is the longest."""
QUIET, BUSY, BY_KEYS = "quiet", f"{OTHERS:g} other calls a second", "by keys, quiet"


def main(full: bool) -> bool:
    """Prints p50, p99 and the longest, quiet and among other calls."""
    rounds = 1000 if full else 100
    with tempfile.TemporaryDirectory(prefix="handoff-", dir="/tmp") as folder:
        home = Home(Path(folder))
        os.chmod(folder, 0o755)
        words = [
            "up",
            "--home",
            folder,
            "--base-port",
            str(BASE),
            "--lab",
            "--plan",
            str(ROOT / "plans/demo"),
        ]
        log = (Path(folder) / "up.log").open("wb")
        process = subprocess.Popen([sys.executable, "-m", "cti", *words], cwd=ROOT, stdout=log, stderr=log)
        try:
            end = time.monotonic() + READY_WITHIN
            while not home.state().get("ready"):
                if time.monotonic() > end or process.poll() is not None:
                    raise SystemExit((Path(folder) / "up.log").read_text()[-2000:])
                time.sleep(0.1)
            found = asyncio.run(_measure(home, rounds))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)
    return all([_told(how, sorted(times)) for how, times in found.items()])


def _told(how: str, times: list[float]) -> bool:
    p50, p99 = (times[min(len(times), math.ceil(len(times) * share)) - 1] for share in (0.5, 0.99))
    met = "met" if p99 < GOAL_MS else "MISSED"
    print(f"agent's action -> INVITE at the centre, {how}, {len(times)} times: p50 {p50:.1f} ms, "
          f"p99 {p99:.1f} ms, longest {times[-1]:.1f} ms; goal p99 < {GOAL_MS:g} ms: {met}")  # fmt: skip
    return p99 < GOAL_MS


async def _others(city: Lab, rate: float, enough: asyncio.Event) -> None:
    """Citizens who call one after the other until it is enough; each gives up soon."""
    client = city.client

    async def one(number: int) -> None:
        with contextlib.suppress(NotDone):
            leg = (await client.ask("dial", number="12345", city="demo", caller=f"138{number:08d}"))["leg"]
            await asyncio.sleep(THEY_STAY)
            await client.ask("hang_up", leg=leg)

    async with asyncio.TaskGroup() as calls:
        for number in itertools.count():
            if enough.is_set():
                break
            calls.create_task(one(number))
            await asyncio.sleep(1 / rate)


class _Agent:
    """Who asks for the centre, and takes it back, in one talk."""

    def __init__(self, city: Lab, session: aiohttp.ClientSession, call: str) -> None:
        self._city, self._session, self._call = city, session, call
        self._since = len(city.house.events)
        self._url = f"http://127.0.0.1:{city.home.ports.api}/api/seats/demo/{SEAT}/transfer"

    async def takes(self, action: Callable[[], Awaitable[float]]) -> float:
        """Milliseconds from the action to the INVITE; then all is as before."""
        since, heard = self._city.client.count, len(self._city.house.events)
        began = await action()
        line = await self._city.client.line(
            "the centre is called", lambda e: e["what"] == "rings" and e["phone"] == "110", 5, since
        )
        await self._order(kind="takeback")
        await self._city.house.event(
            "taken back",
            lambda e: e.get("Step") == "taken-back" and e.get("Call") == self._call,
            5,
            heard,
        )
        # out of the talk by the first time; asked again on the way there, the leg would have to be awaited
        await self._city.house.event(
            "the agent is in the room",
            lambda e: (
                e["Event"] == "ConfbridgeJoin"
                and e["Conference"] == self._call
                and e["Channel"].startswith(f"PJSIP/demo-{SEAT}-")
            ),
            5,
            self._since,
        )
        return float(line["at"] - began) * 1000

    async def orders(self) -> float:
        began = time.time()
        await self._order(kind="handoff", to="110")
        return began

    async def keys(self) -> float:
        # No finger is quicker: a key that begins within 45 ms after the last one's end is noise to Asterisk,
        # which plays it again when it is over (AST_MIN_DTMF_GAP, AST_FLAG_EMULATE_DTMF), and all that follow.
        await asyncio.sleep(BETWEEN_KEYS)
        since, seat = self._city.client.count, self._city.seat(SEAT)
        await seat.press(KEYS)
        pressed = [
            line for line in self._city.client.lines(since)
            if line["what"] == "pressed" and line["leg"] == seat.leg
        ]  # fmt: skip
        assert [line["key"] for line in pressed] == list(KEYS)
        return float(pressed[-1]["at"]) + TONE_MS / 1000

    async def _order(self, **order: str) -> None:
        async with self._session.post(self._url, json=order) as answer:
            assert answer.status == 200, await answer.text()


async def _measure(home: Home, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {QUIET: [], BUSY: [], BY_KEYS: []}
    headers = {"Authorization": f"Bearer {home.tokens['operator']}"}
    async with Lab(home) as city, aiohttp.ClientSession(headers=headers) as session:
        for number in ("110", "1100"):
            await Seat(city, number).will_ring()
        for _ in range(TALKS):
            turns = _turns(rounds // TALKS, KEYED // TALKS)
            async with _talking(city, session) as agent:
                for how in turns:
                    found[how].append(await agent.takes(agent.keys if how == BY_KEYS else agent.orders))
            enough = asyncio.Event()
            async with _talking(city, session) as agent, asyncio.TaskGroup() as group:
                group.create_task(_others(city, OTHERS, enough))
                await asyncio.sleep(THEY_STAY)  # from now on as many leave as come
                for _ in range(rounds // TALKS):
                    found[BUSY].append(await agent.takes(agent.orders))
                enough.set()
    return found


def _turns(orders: int, keys: int) -> list[str]:
    """Spread evenly among each other, keys first: the first time, out of the talk itself, is the slowest."""
    places = [(n / keys, 0, BY_KEYS) for n in range(keys)] + [(n / orders, 1, QUIET) for n in range(orders)]
    return [how for _, _, how in sorted(places)]


@contextlib.asynccontextmanager
async def _talking(city: Lab, session: aiohttp.ClientSession) -> AsyncIterator[_Agent]:
    await city.staffed(SEAT)
    heard = len(city.house.events)
    call = await city.caller("13900000001").dials("12345")
    await city.seat(SEAT).answers(call, within=40)
    id = await call.id()
    await city.house.event("they talk", lambda e: e["Event"] == "AgentConnect", 5, heard)
    yield _Agent(city, session, id)
    await call.hangs_up()
    await city.quiet()


if __name__ == "__main__":
    main(full=os.environ.get("CTI_PROVE") == "1")
