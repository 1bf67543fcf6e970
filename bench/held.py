"""Calls a second that one Asterisk holds, with the service and without it.

Baseline: the same running Asterisk with the service stopped and the question skipped by the dialplan; so
nothing of ours runs but the configuration. A rate is held when the calls of a trial arrived at that rate
(by Asterisk's clock: a SIPp or an Asterisk without CPU falls behind), every one was answered by a seat
(AgentConnect, seen from outside; what SIPp thinks of it does not count), and nine in ten waited less than
a second from joining the queue.

A round looks for the highest step of a ladder (5 % apart) that either arm holds. Both searches go on side
by side, trial by trial, in alternating order, so that a noisy hour of the machine meets both. A trial that
fails is done once more, and does not count at all while other processes of the machine take a good part
of a core (up to some times): a neighbour's work is not a limit of ours.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from dataclasses import dataclass, field

from bench import hotline, sipp, watch
from bench.hotline import Hotline, busy_seconds, cpu_seconds
from bench.watch import Seen
from cti.asterisk_process import process

GOAL = 0.95
STEP = 1.05
LOWEST = 15.0
"""Calls a second; every rate is this times a power of ``STEP``."""
HIGHEST = 48
SECONDS = 8.0
"""Of arriving calls, in one trial."""
WAIT_SECONDS = 1.0
NEIGHBOURS = 0.3
"""Cores that others may use in a trial that failed and still counts."""
VOID_TRIES = 3
ARRIVED = 0.97
"""Of the rate: what a trial of some seconds must reach."""
STILL, STILL_SECONDS, MOST_SECONDS = 0.1, 4, 20
"""A service that takes less of a core, for so many seconds, has caught up."""
TALK_MS = 400
"""Short, so that 120 seats are never what limits (see README)."""


@dataclass(slots=True)
class Search:
    """Bisection of one arm on the ladder: ``low`` is held, ``high`` is not."""

    with_service: bool
    low: int
    high: int
    tried: dict[int, bool] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        return self.high - self.low <= 1

    @property
    def next(self) -> int:
        return (self.low + self.high) // 2

    def learn(self, step: int, held: bool) -> None:
        self.tried[step] = held
        if held:
            self.low = step
        else:
            self.high = step


@dataclass(slots=True)
class Costs:
    """CPU seconds and calls of the trials that held."""

    calls: int = 0
    asterisk: float = 0.0
    service: float = 0.0

    def text(self) -> str:
        if not self.calls:
            return "-"
        ours = f", service {self.service / self.calls * 1000:.1f}" if self.service else ""
        return f"Asterisk {self.asterisk / self.calls * 1000:.1f}{ours} CPU ms a call"


def rate_of(step: int) -> float:
    """Calls a second."""
    return LOWEST * STEP**step


async def _switch(house: Hotline, with_service: bool) -> None:
    if with_service and house.service is None:
        await house.start_service()
        # it puts right what it did not hear of the other arm's calls: their work, not the next trial's
        await _rests(house)
    if not with_service:
        await house.stop_service()
    await house.asks(with_service)


async def _rests(house: Hotline) -> None:
    """Wait until the service takes next to nothing for some seconds in a row, ``MOST_SECONDS`` at most."""
    still = 0
    for _ in range(MOST_SECONDS):
        before = cpu_seconds(house.service) if house.service else 0.0
        await asyncio.sleep(1.0)
        used = (cpu_seconds(house.service) if house.service else 0.0) - before
        still = still + 1 if used < STILL else 0
        if still >= STILL_SECONDS:
            return


@dataclass(slots=True)
class Bench:
    """What all trials of a round share."""

    house: Hotline
    seen: Seen
    phones: int
    costs: dict[bool, Costs]

    def used(self) -> tuple[float, float, float]:
        """CPU seconds so far of Asterisk, of the service, of everybody else on this machine."""
        asterisk = cpu_seconds(self.house.asterisk)
        service = cpu_seconds(self.house.service) if self.house.service else 0.0
        load = process(self.phones)
        own = os.times()
        ours = own.user + own.system + own.children_user + own.children_system
        ours += cpu_seconds(load) if load else 0.0
        return asterisk, service, busy_seconds() - asterisk - service - ours

    async def held(self, rate: float) -> bool:
        """Whether the rate is held in one of two trials that count."""
        counted = 0
        for number in range(2 + VOID_TRIES):
            held, neighbours = await self.trial(rate)
            if held:
                return True
            counted += neighbours <= NEIGHBOURS or number >= VOID_TRIES
            if counted >= 2:
                break
        return False

    async def trial(self, rate: float) -> tuple[bool, float]:
        """Whether it was held, and how many cores others used meanwhile."""
        house, seen = self.house, self.seen
        seen.forget()
        count = round(rate * SECONDS)
        before, began = self.used(), time.monotonic()
        await sipp.calls(house, ["90001"], rate=rate, count=count)
        asterisk, service, others = (b - a for a, b in zip(before, self.used(), strict=True))
        neighbours = others / (time.monotonic() - began)
        ended = await watch.quiet(seen, 30)
        waits = sorted(at - seen.joined[leg] for leg, at in seen.connected.items() if leg in seen.joined)
        p90 = waits[int(0.9 * len(waits))] if waits else WAIT_SECONDS
        came = sorted(seen.arrived.values())
        arrived = (len(came) - 1) / (came[-1] - came[0]) if len(came) > 1 else 0.0
        held = ended and len(waits) == count and p90 < WAIT_SECONDS and arrived >= ARRIVED * rate
        if held:
            cost = self.costs[house.service is not None]
            cost.calls += count
            cost.asterisk += asterisk
            cost.service += service
        advised = sum(by == "service" for by in seen.asked.values())
        told = "held" if held else "NOT held" if neighbours <= NEIGHBOURS else "not held (neighbours)"
        print(
            f"    {'with   ' if house.service else 'without'} {rate:5.1f}/s: {told}; arrived {arrived:.1f}/s,"
            f" {len(waits)} of {count} answered, wait p90 {p90 * 1000:.0f} ms, {advised} advised;"
            f" others used {neighbours:.1f} cores",
            flush=True,
        )
        return held, neighbours


async def _round(house: Hotline, number: int, about: int, costs: dict[bool, Costs]) -> tuple[float, float]:
    """The rates held with and without. ``about`` is where to look first."""
    arms = [Search(with_service, -1, HIGHEST) for with_service in (True, False)]
    if number % 2:
        arms.reverse()
    await _switch(house, True)
    # phones sign on anew: a registration is good for ten minutes
    async with sipp.phones(house, TALK_MS) as pid, watch.watching(house) as seen:
        bench = Bench(house, seen, pid, costs)
        first = True
        while not all(arm.done for arm in arms):
            for arm in arms:
                if arm.done:
                    continue
                step = min(max(about, arm.low + 1), arm.high - 1) if first else _near(arm)
                await _switch(house, arm.with_service)
                arm.learn(step, await bench.held(rate_of(step)))
            first = False
            arms.reverse()
    by_arm = {arm.with_service: rate_of(arm.low) if arm.low >= 0 else 0.0 for arm in arms}
    return by_arm[True], by_arm[False]


def _near(arm: Search) -> int:
    """Steps of 4 until the limit lies between two tried ones, then the middle."""
    if arm.high not in arm.tried:
        return min(arm.low + 4, arm.high - 1)
    if arm.low not in arm.tried:
        return max(arm.high - 4, arm.low + 1)
    return arm.next


@dataclass(frozen=True, slots=True)
class Told:
    """Everything the report says."""

    found: list[tuple[float, float]]
    """Calls a second held with and without, by round."""
    costs: dict[bool, Costs]
    memory: tuple[float, float, float]
    """Of the service, MiB: at first, after the load, at most."""


async def measure(rounds: int) -> Told:
    """Run all rounds."""
    found: list[tuple[float, float]] = []
    costs = {True: Costs(), False: Costs()}
    async with hotline.running() as house:
        at_first = hotline.memory_mib(house.service)[0] if house.service else 0.0
        about = 24
        for number in range(rounds):
            print(f"  round {number + 1}", flush=True)
            found.append(await _round(house, number, about, costs))
            held = statistics.median([r for both in found for r in both])
            about = _step_of(held)
        await _switch(house, True)
        # what the last trials left behind, and one more load on a service that lives through it
        async with sipp.phones(house, TALK_MS) as pid, watch.watching(house) as seen:
            bench = Bench(house, seen, pid, {True: Costs(), False: Costs()})
            for _ in range(2):
                await bench.trial(max(LOWEST, 0.6 * min(both[0] for both in found)))
        now, most = hotline.memory_mib(house.service) if house.service else (0.0, 0.0)
    return Told(found, costs, (at_first, now, most))


def _step_of(rate: float) -> int:
    step = 0
    while rate_of(step + 1) <= rate + 0.01 and step < HIGHEST:
        step += 1
    return step


def main(full: bool) -> bool:
    """3 rounds, 7 in full."""
    rounds = 7 if full else 3
    load = os.getloadavg()[0]
    print(
        f"calls/s held by one Asterisk, {len(sipp.SEATS)} SIPp seats, {rounds} rounds,"
        f" {os.cpu_count()} cores, load average before {load:.1f}"
    )
    told = asyncio.run(measure(rounds))
    found, costs = told.found, told.costs
    before, now, most = told.memory
    ratios = [with_ / without for with_, without in found if without]
    print("  held with / without (baseline): " + ", ".join(f"{a:.1f} / {b:.1f}" for a, b in found))
    ratio = statistics.median(ratios) if ratios else 0.0
    print(f"  ratio: median {ratio:.2f} ({min(ratios, default=0):.2f} .. {max(ratios, default=0):.2f})")
    print(f"  with:    {costs[True].text()}")
    print(f"  without: {costs[False].text()}")
    print(f"  memory of the service: {before:.0f} MiB at first, {now:.0f} after the load, {most:.0f} at most")
    print(f"  goal: ratio >= {GOAL}: {'met' if ratio >= GOAL else 'NOT met'}")
    line = {
        "bench": "held",
        "held_with_without": [[round(a, 1), round(b, 1)] for a, b in found],
        "ratio": round(ratio, 3),
        "ratios": [round(r, 3) for r in ratios],
        "service_memory_mib": [round(before), round(now), round(most)],
        "goal": GOAL,
        "met": ratio >= GOAL,
    }
    print(json.dumps(line))
    return ratio >= GOAL


if __name__ == "__main__":
    main(False)
