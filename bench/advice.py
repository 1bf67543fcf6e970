"""What the question "where next?" costs a caller: greeting-end to ring, with it and without it.

Baseline: the same Asterisk, the same dialplan, a line that differs in ``ask = false`` only. The calls of
both lines alternate, one by one, through the same seats, and the service hears all of them. Times are
Asterisk's own (AMI Timestamp of ``Hotline greeted`` and of AgentCalled), seen by an independent observer.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import statistics
from dataclasses import dataclass

from bench import hotline, sipp, watch
from bench.hotline import Hotline
from bench.watch import Seen

GOAL_MS = 20.0
"""The question adds less than this at p99."""
RATE = 8.0
"""Calls a second: a city's busy hour, far from any limit."""
TALK_MS = 300


@dataclass(frozen=True, slots=True)
class Round:
    """Milliseconds from the greeting's end to the first ring, sorted."""

    asked: list[float]
    unasked: list[float]
    by_service: int


def percentile(ordered: list[float], share: float) -> float:
    """Nearest rank: a value that was really seen."""
    rank = math.ceil(len(ordered) * share)
    return ordered[min(len(ordered), max(1, rank)) - 1]


def added(one: Round, share: float) -> float:
    """What the question adds at this percentile."""
    return percentile(one.asked, share) - percentile(one.unasked, share)


async def _round(house: Hotline, seen: Seen, each: int) -> Round:
    seen.forget()
    await sipp.calls(house, ["90001", "90002"], rate=RATE, count=2 * each)
    if not await watch.quiet(seen, 30) or len(seen.called) < 2 * each:
        raise SystemExit(f"only {len(seen.called)} of {2 * each} calls rang at a seat: nothing to compare")
    waited: dict[str, list[float]] = {"asked": [], "unasked": []}
    for leg, rang in seen.called.items():
        waited[seen.line[leg]].append((rang - seen.greeted[leg]) * 1000)
    by_service = sum(by == "service" for by in seen.asked.values())
    return Round(sorted(waited["asked"]), sorted(waited["unasked"]), by_service)


async def measure(rounds: int, each: int) -> list[Round]:
    """``rounds`` times ``each`` calls to either line."""
    async with hotline.running() as house, sipp.phones(house, TALK_MS), watch.watching(house) as seen:
        # the first calls meet cold files and imports
        await _round(house, seen, 10)
        return [await _round(house, seen, each) for _ in range(rounds)]


def _spread(values: list[float], unit: str = " ms") -> str:
    return f"{statistics.median(values):.1f}{unit} ({min(values):.1f} .. {max(values):.1f})"


def main(full: bool) -> bool:
    """300 calls of either kind, 2,000 in full."""
    rounds, each = (5, 400) if full else (3, 100)
    told = asyncio.run(measure(rounds, each))
    whole = Round(
        sorted(v for r in told for v in r.asked),
        sorted(v for r in told for v in r.unasked),
        sum(r.by_service for r in told),
    )
    print(f"greeting-end to ring, {rounds} rounds of {each} calls with and {each} without, {RATE:g} calls/s")
    print(f"  machine: {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    print(f"  answered by the service: {whole.by_service} of {len(whole.asked)}")
    for share in (0.5, 0.9, 0.99):
        with_, without = percentile(whole.asked, share), percentile(whole.unasked, share)
        print(
            f"  p{share * 100:g}: {with_:6.1f} ms with, {without:6.1f} ms without (baseline),"
            f" ratio {with_ / without:.2f}, added {with_ - without:+.1f} ms;"
            f" per round {_spread([added(r, share) for r in told])}"
        )
    slowest = ", ".join(f"{v:.0f}" for v in whole.asked[-5:])
    print(
        f"  the five longest: {slowest} ms with, {', '.join(f'{v:.0f}' for v in whole.unasked[-5:])} without"
    )
    met = added(whole, 0.99) < GOAL_MS and whole.by_service == len(whole.asked)
    print(f"  goal: the question adds < {GOAL_MS:g} ms at p99: {'met' if met else 'NOT met'}")
    line = {
        "bench": "advice",
        "calls_each": len(whole.asked),
        "by_service": whole.by_service,
        "added_p50_ms": round(added(whole, 0.5), 2),
        "added_p99_ms": round(added(whole, 0.99), 2),
        "added_p99_ms_rounds": [round(added(r, 0.99), 2) for r in told],
        "p99_ms": [round(percentile(whole.asked, 0.99), 2), round(percentile(whole.unasked, 0.99), 2)],
        "goal_ms": GOAL_MS,
        "met": met,
    }
    print(json.dumps(line))
    return met


if __name__ == "__main__":
    main(False)
