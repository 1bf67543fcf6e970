"""Many callers at once, each brought to somebody by an agent at random: every kind of transfer, by key and by
order, every answer and refusal, hang-ups at any moment, a first trunk that is dead, a service that is killed.

What each caller's agent does is drawn from the seed and the caller's number before it happens; what then
happens is the hotline's and the moment's.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from lab.client import Client, Line, NotDone
from lab.wire import Wire
from tests.house import House
from tests.live.moves_plan import AGENTS, CENTRES, COLLEAGUES, CONTACT, LINE, URGENT
from tests.live.moves_watch import Trace, Watch

CITY = "moves"
SEAT = re.compile(rf"{CITY}-\d+")
AT_ONCE = 20
ALONE = 6.0
"""Seconds a caller may be with nobody (issue 4)."""
HELD = 35.0
"""Seconds a caller may wait while an agent holds them: 25 s of ringing and the rest."""
REACHED = 40.0
INSTANT = 0.12
"""Seconds in which an order does its work."""
KILLED_EVERY = (15.0, 30.0)
KEYS = {"blind": "*81{}#", "consult": "*82{}#", "three": "*83{}#", "handoff": "*{}"}
ANSWERS = {"answer": 50, "reject": 15, "busy": 12, "silence": 23}
ACTS = {"agent-hangs-up": 30, "target-hangs-up": 22, "takeback": 16, "together": 14, "leave": 10, "again": 8}


@dataclass(frozen=True, slots=True)
class Wish:
    """What an agent does with a caller. Seconds."""

    kind: str
    to: str
    keyed: bool
    answer: str
    answer_after: float
    acts: tuple[tuple[float, str], ...]
    instant: float | None = None
    """The agent hangs up so long after beginning to key or to order."""


@dataclass(frozen=True, slots=True)
class Plot:
    """What is going to be done in one run."""

    number: int
    before: float
    wishes: tuple[Wish, ...]
    stays: float
    """So long the caller stays after the last act, to see whether somebody is there."""


PLAIN = (
    Plot(0, 0.5, (Wish("handoff", CENTRES[0], False, "answer", 0.5, ((2.0, "agent-hangs-up"),)),), 3.0),
    Plot(1, 0.5, (Wish("three", "colleague", False, "answer", 0.5, ((2.0, "agent-hangs-up"),)),), 3.0),
    Plot(2, 0.5, (Wish("consult", "colleague", False, "reject", 0.5, ()),), 3.0),
    Plot(3, 0.5, (Wish("blind", "colleague", False, "reject", 0.5, ()),), 3.0),
    Plot(4, 0.5, (Wish("blind", "colleague", False, "silence", 0.5, ((1.0, "agent-hangs-up"),)),), 8.0),
    Plot(5, 0.5, (Wish("blind", "colleague", False, "answer", 0.5, ()),), 3.0),
    Plot(
        6,
        0.5,
        (Wish("three", "110", False, "answer", 0.5, ((2.0, "agent-hangs-up"), (1.0, "target-hangs-up"))),),
        3.0,
    ),
    Plot(7, 0.5, (Wish("consult", "110", True, "silence", 0.5, ((2.0, "agent-hangs-up"),)),), 5.0),
    Plot(8, 0.5, (Wish("blind", "119", False, "reject", 0.5, ((3.0, "agent-hangs-up"),)),), 5.0),
)
"""What the first runs are, whatever the seed: few runs at random may leave out an ordinary ending."""


def plot(seed: int, number: int) -> Plot:
    """The run of that number."""
    if number < len(PLAIN):
        return PLAIN[number]
    chance = random.Random(f"{seed}/{number}")
    return Plot(
        number,
        chance.uniform(0.2, 1.5),
        tuple(_wish(chance) for _ in range(chance.choices((1, 2), (7, 3))[0])),
        chance.uniform(1.0, 7.0),
    )


def _wish(chance: random.Random) -> Wish:
    kind = chance.choices(("blind", "consult", "three", "handoff"), (22, 24, 20, 34))[0]
    if kind == "handoff":
        to = chance.choice(CENTRES)
    else:
        to = chance.choices(
            ("colleague", CONTACT, LINE if kind == "blind" else "colleague", "110"), (60, 15, 15, 10)
        )[0]
    acts = tuple(
        (round(chance.choice((0.0, chance.uniform(0.0, 0.4), chance.uniform(0.3, 2.5))), 2), act)
        for act in chance.choices(
            list(ACTS), list(ACTS.values()), k=chance.choices((0, 1, 2, 3), (15, 40, 30, 15))[0]
        )
    )
    answer = chance.choices(list(ANSWERS), list(ANSWERS.values()))[0]
    return Wish(
        kind,
        to,
        chance.random() < 0.4,
        answer,
        round(chance.choice((0.0, chance.uniform(0.0, 1.5))), 2),
        acts,
        round(chance.uniform(0.0, INSTANT), 3) if chance.random() < 0.1 else None,
    )


@dataclass(slots=True)
class Told:
    """What became of one run."""

    plot: Plot
    wrong: str = ""
    done: list[str] = field(default_factory=list)
    trace: Trace | None = None

    def story(self) -> str:
        lines = self.trace.story if self.trace is not None else []
        return "\n".join([f"run {self.plot.number}: {self.wrong}", f"  {self.plot}",
                          *(f"  did {x}" for x in self.done), *(f"    {x}" for x in lines)])  # fmt: skip


class Night:
    """``runs`` callers of this seed. ``told``: what became of each that is over.

    ``kill``: the service is killed now and then; ``first_kill``: for the first time when so many callers are
    over, however short the night is (None: whenever it falls).
    """

    def __init__(
        self, house: House, seed: int, runs: int, *, kill: bool, first_kill: int | None = None,
        at_once: int = AT_ONCE, only: int | None = None,
        said: Callable[[Told], None] = lambda told: None,
    ) -> None:  # fmt: skip
        self._house, self._seed, self._runs, self._kill = house, seed, runs, kill
        self._first_kill, self._due = first_kill, asyncio.Event()
        self._at_once, self._only, self._said = at_once, only, said
        self.watch = Watch(CITY, URGENT)
        self.told: list[Told] = []
        self.killed = 0
        self.counted: dict[str, int] = {}
        """Steps of transfers, as the dialplan told them."""
        self._free: list[str] = []
        self._news: dict[str, asyncio.Queue[Line]] = {}
        self.client: Client

    async def run(self) -> list[Told]:
        """Until the last caller is gone."""
        wire = Wire(self._take)
        home = self._house.home
        await wire.connect("127.0.0.1", home.ports.ami, "observer", home.secrets["ami_observer"])
        try:
            async with Client(home) as self.client, aiohttp.ClientSession() as self._http:
                for phone in (await self.client.ask("status"))["phones"]:
                    await self.client.ask("behave", phone=phone, does="ignore", hear=False)
                for outside in (*CENTRES, "1100", "05557001"):
                    await self.client.ask("behave", phone=outside, does="ignore", hear=False)
                self._free = list(COLLEAGUES)
                beside = [asyncio.create_task(self._sort())]
                if self._kill:
                    beside.append(asyncio.create_task(self._kills()))
                room = asyncio.Semaphore(self._at_once)
                try:
                    async with asyncio.TaskGroup() as group:
                        for number in range(self._runs) if self._only is None else [self._only]:
                            await room.acquire()
                            task = group.create_task(self._life(plot(self._seed, number)))
                            task.add_done_callback(lambda _: room.release())
                            await asyncio.sleep(0.2)
                finally:
                    for task in beside:
                        task.cancel()
        finally:
            await wire.close()
        return self.told

    def _take(self, event: dict[str, str]) -> None:
        self.watch.take(event)
        if event.get("What") == "transfer":
            name = f"{event.get('Step')}"
            self.counted[name] = self.counted.get(name, 0) + 1

    async def _sort(self) -> None:
        """Each line of the phones' log to the run it concerns."""
        at = self.client.count
        while True:
            await self.client.line("the next", lambda _: True, 3600, at)
            for line in self.client.lines(at):
                at = line["n"] + 1
                call = line["call"] or self.watch.by_sip.get(line["sip_call"], "")
                for key in {call, line["leg"]} - {""}:
                    if key in self._news:
                        self._news[key].put_nowait(line)

    async def _kills(self) -> None:
        chance = random.Random(f"{self._seed}/kills")
        if self._first_kill is not None:
            await self._due.wait()
            self._kills_it()
        while True:
            await asyncio.sleep(chance.uniform(*KILLED_EVERY))
            self._kills_it()

    def _kills_it(self) -> None:
        service = self._house.parts().get("service")
        if service is not None:
            service.signal(signal.SIGKILL)
            self.killed += 1

    # --- one caller ----------------------------------------------------------------------------------

    async def _life(self, plot: Plot) -> None:
        told = Told(plot)
        one = One(self, plot, told)
        try:
            await one.lives()
        except (NotDone, TimeoutError) as why:
            told.wrong = told.wrong or f"the run broke off: {why!r}"
        finally:
            await one.over()
        told.trace = self.watch.calls.get(one.call)
        told.wrong = told.wrong or one.verdict()
        if not told.wrong and told.trace is not None:
            told.trace.story.clear()
        self.told.append(told)
        if self._first_kill is not None and len(self.told) >= self._first_kill:
            self._due.set()
        self._said(told)

    async def wish(self, seat: str, kind: str, to: str) -> bool:
        """By the API; False: nobody answers there."""
        home = self._house.home
        try:
            async with self._http.post(
                f"http://127.0.0.1:{home.ports.api}/api/seats/{CITY}/{seat}/transfer",
                json={"kind": kind, "to": to} if to else {"kind": kind},
                headers={"Authorization": f"Bearer {home.tokens['operator']}"},
                timeout=aiohttp.ClientTimeout(total=8),
            ) as answer:
                await answer.read()
                return answer.status in (200, 409)
        except (aiohttp.ClientError, TimeoutError):
            return False

    def colleague(self) -> str:
        return self._free.pop() if self._free else ""

    def free(self, seat: str) -> None:
        self._free.append(seat)

    def news(self, key: str) -> asyncio.Queue[Line]:
        return self._news.setdefault(key, asyncio.Queue())

    def forget(self, *keys: str) -> None:
        for key in keys:
            self._news.pop(key, None)


class One:
    """One caller, the agents who take the call, and whoever is asked."""

    def __init__(self, night: Night, plot: Plot, told: Told) -> None:
        self._night, self._plot, self._told = night, plot, told
        self._chance = random.Random(f"{plot.number}/moment")
        self.call = ""
        self._leg = ""
        self._gone = False
        """The caller hung up."""
        self._up: dict[str, str] = {}
        """Phones that are in the call: lab leg -> phone."""
        self._down: set[str] = set()
        """Phones that hung up by themselves."""
        self._agent = ""
        self._target = ""
        self._answer: Wish | None = None
        self._borrowed: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    def _did(self, what: str) -> None:
        self._told.done.append(f"{time.time() % 10000:9.3f} {what}")

    @property
    def trace(self) -> Trace:
        return self._night.watch.calls[self.call]

    async def lives(self) -> None:
        watch, client = self._night.watch, self._night.client
        caller = f"139{self._plot.number:08d}"
        since, sip = client.count, ""
        self._leg = (await client.ask("dial", number="12345", city=CITY, caller=caller, hear=False))["leg"]
        news = self._night.news(self._leg)
        # what was told before anybody knew the leg's name
        for line in client.lines(since):
            if line["leg"] == self._leg:
                news.put_nowait(line)
        async with asyncio.timeout(REACHED):
            while not sip:
                line = await news.get()
                sip = line["sip_call"] if line["what"] == "sent" else ""
                if line["what"] == "ended":
                    raise TimeoutError("the call was not taken")
            await watch.until(lambda: sip in watch.by_sip, REACHED)
        self.call = watch.by_sip[sip]
        self._tasks.append(asyncio.create_task(self._phones(self._night.news(self.call))))
        if not await watch.until(lambda: self.trace.talked or self.trace.ended is not None, REACHED):
            raise TimeoutError("no agent in time")
        await asyncio.sleep(self._plot.before)
        for wish in self._plot.wishes:
            # the next wish is that of whoever has the caller now
            if not self.trace.with_ and not await watch.until(
                lambda: bool(self.trace.with_) or self.trace.ended is not None, 10
            ):
                break
            if self.trace.ended is not None:
                break
            await self._wishes(wish)
        end = time.monotonic() + self._plot.stays
        while time.monotonic() < end and self.trace.ended is None:
            await watch.until(lambda: self.trace.ended is not None, max(0.01, end - time.monotonic()))
        # whoever is alone now must not be for long
        if self.trace.alone_since is not None:
            await watch.until(
                lambda: self.trace.alone_since is None or self.trace.ended is not None, ALONE + 3
            )

    async def _wishes(self, wish: Wish) -> None:
        to = wish.to
        if to == "colleague":
            to = self._night.colleague()
            if not to:
                return
            self._borrowed.append(to)
        self._answer, self._target = wish, to
        agent = self._speaker()
        if not agent:
            return
        seat = self._up[agent].partition("-")[2]
        self._did(f"{wish.kind} {seat} -> {to} {'keyed' if wish.keyed else 'ordered'}, {wish.answer}")
        if wish.instant is not None:
            self._tasks.append(asyncio.create_task(self._hangs_up_in(wish.instant, agent)))
        # a phone in a room has the keys of a talk
        if wish.keyed or not await self._night.wish(seat, wish.kind, to):
            await self._keys(agent, KEYS[wish.kind].format(to))
        for after, act in wish.acts:
            await asyncio.sleep(after)
            if self.trace.ended is not None:
                return
            await self._acts(act, agent, seat)

    def _speaker(self) -> str:
        """The lab leg of a seat who talks to the caller now."""
        there = [
            leg for leg, phone in self._up.items() if phone in self.trace.with_ and phone.startswith(CITY)
        ]
        return there[-1] if there else ""

    async def _keys(self, leg: str, keys: str) -> None:
        try:
            await self._night.client.ask("press", leg=leg, keys=keys)
        except NotDone as why:
            self._did(f"cannot key: {why}")

    async def _hangs_up_in(self, seconds: float, agent: str) -> None:
        await asyncio.sleep(seconds)
        self._did("agent-hangs-up meanwhile")
        await self._hang_up(agent)

    async def _acts(self, act: str, agent: str, seat: str) -> None:
        self._did(act)
        match act:
            case "agent-hangs-up":
                await self._hang_up(agent)
            case "target-hangs-up":
                for leg in [x for x, phone in self._up.items() if x != agent and phone != "caller"]:
                    await self._hang_up(leg)
            case "takeback":
                if self._by_key() or not await self._night.wish(seat, "takeback", ""):
                    await self._keys(agent, "*80")
            case "together":
                if self._by_key() or not await self._night.wish(seat, "together", ""):
                    await self._keys(agent, "*84")
            case "leave":
                await self._night.wish(seat, "leave", "")
            case "again" if self._answer is not None:
                await self._night.wish(seat, self._answer.kind, self._target)

    def _by_key(self) -> bool:
        """Keyed where somebody hears it: while two consult, or while it rings for a caller sent on."""
        hears = self._answer is not None and self._answer.kind in ("consult", "blind")
        return hears and self._chance.random() < 0.5

    async def _hang_up(self, leg: str) -> None:
        if leg in self._up:
            self._down.add(self._phone(leg))
            with contextlib.suppress(NotDone):
                await self._night.client.ask("hang_up", leg=leg)

    def _phone(self, leg: str) -> str:
        """As the house names who is behind it: a seat, or somebody outside."""
        phone = self._up.get(leg, "")
        return phone if SEAT.fullmatch(phone) else "outside"

    # --- phones that ring for this caller ----------------------------------------------------------------

    async def _phones(self, news: asyncio.Queue[Line]) -> None:
        while True:
            line = await news.get()
            if line["kind"] == "citizen":
                continue
            if line["what"] == "ended":
                self._up.pop(line["leg"], None)
            elif line["what"] == "answered":
                self._up[line["leg"]] = line["phone"]
            elif line["what"] == "rings":
                self._tasks.append(asyncio.create_task(self._rings(line)))

    async def _rings(self, line: Line) -> None:
        leg, phone = line["leg"], line["phone"]
        asked = self._answer is not None and (phone == f"{CITY}-{self._target}" or not phone.startswith(CITY))
        if asked and self._answer is not None:
            does, after = self._answer.answer, self._answer.answer_after
        else:
            # an agent whose phone the queue rings
            does = self._chance.choices(("answer", "reject", "silence"), (88, 8, 4))[0]
            after = self._chance.choice((0.0, self._chance.uniform(0.0, 0.8)))
        await asyncio.sleep(after)
        with contextlib.suppress(NotDone):
            if does == "answer":
                await self._night.client.ask("pick_up", leg=leg)
            elif does in ("reject", "busy"):
                await self._night.client.ask("reject", leg=leg, busy=does == "busy")

    # --- the end -------------------------------------------------------------------------------------------

    async def over(self) -> None:
        """Everybody goes, the caller first."""
        watch, client = self._night.watch, self._night.client
        self._gone = self.call in watch.calls and self.trace.ended is None
        with contextlib.suppress(NotDone):
            if self._leg:
                await client.ask("hang_up", leg=self._leg)
        if self.call:
            await watch.until(lambda: self.trace.ended is not None, 10)
            await asyncio.sleep(0.5)
            for leg in list(self._up):
                with contextlib.suppress(NotDone):
                    await client.ask("hang_up", leg=leg)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for seat in self._borrowed:
            self._night.free(seat)
        self._night.forget(self._leg, self.call)

    def verdict(self) -> str:
        """Empty: nobody was lost."""
        trace = self.trace
        if trace.alone > ALONE:
            return f"alone for {trace.alone:.1f} s"
        if trace.held > HELD:
            return f"nobody came for {trace.held:.1f} s"
        if trace.music:
            return f"music for a caller in danger, {trace.music} times"
        if self._gone or trace.ended is None:
            return ""
        if not trace.talked:
            return "ended before an agent talked"
        # whoever talked last with the caller put the handset down, and that was the end of the talk
        last = {p if SEAT.fullmatch(p) else "outside" for p in trace.ended_with}
        if not last or last - self._down:
            return f"dropped: {sorted(last)} talked last, and {sorted(self._down)} hung up"
        if trace.ended_asked:
            return f"dropped while a transfer ({trace.ended_asked}) was under way"
        if trace.ended_handed and last == {"outside"}:
            return "dropped after a centre hung up"
        return ""


def seats() -> tuple[str, ...]:
    """Whoever must be signed in: agents; colleagues only have a phone."""
    return AGENTS


def shown(told: list[Told]) -> str:
    """The stories of what went wrong."""
    return "\n".join(one.story() for one in told if one.wrong)


def tally(told: list[Told]) -> dict[str, Any]:
    return {"runs": len(told), "wrong": sum(bool(one.wrong) for one in told)}
