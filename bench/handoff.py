"""From an agent's action to the INVITE at the centre: HTTP POST sent -> the centre's phone sees the call.

One talk, in which the agent asks for 110 and takes it back, again and again. The first moment is taken by
the client before the POST, the second by the lab's own Asterisk when the INVITE is in its dialplan. Baseline:
the same with a key of the phone in place of the POST is not measurable (a key lasts 100 ms and more).
"""

from __future__ import annotations

import asyncio
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
from lab.parties import Seat
from lab.scenario import Lab

GOAL_MS = 60.0
"""p99 (issue 4)."""
ROOT = Path(__file__).parents[1]
READY_WITHIN = 90.0
BASE = int(os.environ.get("CTI_BENCH_BASE", "19700"))
SEAT = "1001"


def main(full: bool) -> bool:
    """Prints p50, p99 and the longest."""
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
            times = sorted(asyncio.run(_measure(home, rounds)))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)
    p50, p99 = (times[min(len(times), math.ceil(len(times) * share)) - 1] for share in (0.5, 0.99))
    met = "met" if p99 < GOAL_MS else "MISSED"
    print(f"agent's action -> INVITE at the centre, {len(times)} times: p50 {p50:.1f} ms, p99 {p99:.1f} ms, "
          f"longest {times[-1]:.1f} ms; goal p99 < {GOAL_MS:g} ms: {met}")  # fmt: skip
    return p99 < GOAL_MS


async def _measure(home: Home, rounds: int) -> list[float]:
    found: list[float] = []
    headers = {"Authorization": f"Bearer {home.tokens['operator']}"}
    url = f"http://127.0.0.1:{home.ports.api}/api/seats/demo/{SEAT}/transfer"
    async with Lab(home) as city, aiohttp.ClientSession(headers=headers) as session:
        await city.staffed(SEAT)
        for number in ("110", "1100"):
            await Seat(city, number).will_ring()
        call = await city.caller("13900000001").dials("12345")
        await city.seat(SEAT).answers(call, within=40)
        id = await call.id()
        await city.house.event("they talk", lambda e: e["Event"] == "AgentConnect", 5)
        for _ in range(rounds):
            since, heard = city.client.count, len(city.house.events)
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
        await call.hangs_up()
    return found


if __name__ == "__main__":
    main(full=os.environ.get("CTI_PROVE") == "1")
