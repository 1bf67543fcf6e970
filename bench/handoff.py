"""From an agent's action to the INVITE at the centre: HTTP POST sent, or last key (``*110``) let go -> the
centre's phone sees the call.

One talk, in which the agent asks for 110 and takes it back, again and again. The first moment is taken by
the client before the POST, or when the phone has sent the last key's tone; the second by the lab's own
Asterisk when the INVITE is in its dialplan. Measured on a quiet hotline, the baseline, while other citizens
call and give up in the greeting or the queue, and by keys.
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
from pathlib import Path

import aiohttp

from cti.home import Home
from lab.client import NotDone
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
KEYED = 100
"""Times by keys. Each takes the seconds of four tones; of fewer, the 99th in a hundred is the longest."""


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
            quiet, busy, keyed = (
                sorted(asyncio.run(_measure(home, times, rate, keys)))
                for times, rate, keys in (
                    (rounds, 0.0, False),
                    (rounds, OTHERS, False),
                    (KEYED, 0.0, True),
                )
            )
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)
    met = [
        _told("quiet", quiet), _told(f"{OTHERS:g} other calls a second", busy), _told("by keys, quiet", keyed)
    ]  # fmt: skip
    return all(met)


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


async def _keyed(seat: Seat) -> float:
    """The moment at which the last tone was over."""
    await seat.presses(KEYS[:-1])
    await seat.press(KEYS[-1])
    return time.time()


async def _measure(home: Home, rounds: int, rate: float, keys: bool) -> list[float]:
    found: list[float] = []
    headers = {"Authorization": f"Bearer {home.tokens['operator']}"}
    url = f"http://127.0.0.1:{home.ports.api}/api/seats/demo/{SEAT}/transfer"
    async with Lab(home) as city, aiohttp.ClientSession(headers=headers) as session:
        await city.staffed(SEAT)
        for number in ("110", "1100"):
            await Seat(city, number).will_ring()
        call = await city.caller("13900000001").dials("12345")
        agent = city.seat(SEAT)
        await agent.answers(call, within=40)
        id = await call.id()
        await city.house.event("they talk", lambda e: e["Event"] == "AgentConnect", 5)
        enough = asyncio.Event()
        others = asyncio.create_task(_others(city, rate, enough)) if rate else None
        for _ in range(rounds):
            since, heard = city.client.count, len(city.house.events)
            if keys:
                began = await _keyed(agent)
            else:
                began = time.time()
                async with session.post(url, json={"kind": "handoff", "to": "110"}) as answer:
                    assert answer.status == 200, await answer.text()
            line = await city.client.line(
                "the centre is called", lambda e: e["what"] == "rings" and e["phone"] == "110", 5, since
            )
            found.append((line["at"] - began) * 1000)
            async with session.post(url, json={"kind": "takeback"}) as answer:
                assert answer.status == 200, await answer.text()
            await city.house.event(
                "taken back",
                lambda e: e.get("Step") == "taken-back" and e.get("Call") == id,
                5,
                heard,
            )
        if others is not None:
            enough.set()
            await others
        await call.hangs_up()
        await city.quiet()
    return found


if __name__ == "__main__":
    main(full=os.environ.get("CTI_PROVE") == "1")
