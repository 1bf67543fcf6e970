"""Many calls of every kind: citizens who leave at any moment, crowd one number, want to be called back;
seats that answer, decline, do nothing, put the caller on hold, or pass them on by keys.

What each citizen and each phone will do is drawn from the seed before it happens; what then happens is the
hotline's and the moment's. Bounded in calls, in calls at once and in seconds of each call.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from lab.client import Client, Line, NotDone, Unheard

AT_ONCE = 40
LONGEST = 60.0
"""Seconds after which any citizen gives up."""
CHANGE = (0.4, 1.6)
"""Seconds between one phone changing its mind and the next."""
RUSH_EVERY, RUSH = 20, 5
"""Of every 20 calls, 5 come at one moment to one number; each rush to another."""
CALL_BACK_KEY = "1"
"""What a waiting caller presses to be called back, and to confirm the number."""
BACK = 0.5
"""Seconds between coming back from hold and the next key."""
PUT_DOWN = 1.0
"""Seconds in which somebody notices that the caller is gone."""
MOVES = 0.85
"""Share of answered callers whom the agent wants to pass on."""
HOLDS = 0.4
"""Share of answered callers whom the agent puts on hold first."""
KEYS = {"blind": "*81{}#", "consult": "*82{}#", "three": "*83{}#"}
TAKE_BACK, TOGETHER = "*80", "*84"


class Leaves(StrEnum):
    """When a citizen hangs up."""

    EARLY = "early"  # in the greeting
    LATER = "later"  # after a few seconds, wherever that is
    RINGING = "ringing"  # as soon as a phone rings
    TALKED = "talked"  # after talking
    NEVER = "never"  # waits for the other side
    CALLED_BACK = "called-back"  # keys until the hotline promises to call back


_MANNERS = {
    Leaves.EARLY: 14,
    Leaves.LATER: 20,
    Leaves.RINGING: 12,
    Leaves.TALKED: 36,
    Leaves.NEVER: 18,
    Leaves.CALLED_BACK: 14,
}
_KEYS = "0123459*"


class Then(StrEnum):
    """What the agent does after asking a colleague, sending the caller on, or calling one in."""

    LEAVES = "leaves"  # hangs up: the caller is the colleague's
    TAKES_BACK = "takes back"  # not who called one in
    TOGETHER = "together"  # after asking only: the three talk
    WAITS = "waits"


THEN: dict[str, tuple[Then, ...]] = {
    "blind": (Then.LEAVES, Then.TAKES_BACK, Then.WAITS),
    "consult": tuple(Then),
    "three": (Then.LEAVES, Then.WAITS),
}
"""What follows each of ``KEYS``."""


@dataclass(frozen=True, slots=True)
class Move:
    """What the agent who answers a citizen does with the call. Seconds."""

    kind: str
    """A key of ``KEYS``; empty: nobody is passed on."""
    to: str
    after: float
    then: Then
    then_after: float
    hold: float
    """Before that the caller is held so long; 0: not at all."""


@dataclass(frozen=True, slots=True)
class Citizen:
    """What one caller is going to do. Seconds."""

    number: str
    city: str
    caller: str
    leaves: Leaves
    patience: float
    key: str
    key_after: float
    again: bool
    """Calls once more when nobody answered."""
    home: dict[str, object] = field(default_factory=dict)
    """What this citizen's phone does when the hotline calls it: an order for ``behave``."""
    move: Move | None = None


def rushes(n: int) -> bool:
    """Whether the n-th caller comes with others, at one moment."""
    return RUSH_EVERY // 2 <= n % RUSH_EVERY < RUSH_EVERY // 2 + RUSH


def citizen(
    seed: int, n: int, numbers: list[tuple[str, str]], colleagues: Sequence[str] = (), number_to: str = ""
) -> Citizen:
    """The n-th caller of this seed. ``colleagues`` and ``number_to``: whom an agent may pass callers to."""
    chance = random.Random(f"{seed}/{n}")
    city, number = numbers[0] if chance.random() < 0.5 else chance.choice(numbers)
    if chance.random() < 0.03:
        number = "99999"
    if rushes(n):
        city, number = numbers[-1 - n // RUSH_EVERY % len(numbers)]
    leaves = chance.choices(list(_MANNERS), list(_MANNERS.values()))[0]
    patience = {
        Leaves.EARLY: chance.uniform(0.0, 1.0),
        Leaves.LATER: chance.uniform(0.5, 9.0),
        Leaves.RINGING: chance.uniform(0.0, 0.8),
        Leaves.TALKED: chance.uniform(0.3, 3.0),
        Leaves.NEVER: LONGEST,
        Leaves.CALLED_BACK: chance.uniform(1.0, 5.0),  # when a seat was quicker
    }[leaves]
    key, key_after, again = chance.choice(_KEYS), chance.uniform(0.3, 2.5), chance.random() < 0.3
    move = _move(chance, colleagues, number_to)
    if move is not None and leaves is Leaves.TALKED:
        patience += move.hold + move.after + 6.0 + chance.uniform(0.0, 8.0)
    caller, home = f"139{n:08d}", manner(chance)
    if home["does"] == "answer" and home["talk"] is None:
        # the agent may well wait for the citizen to hang up; the greeting alone takes five seconds
        home["talk"] = round(chance.uniform(4.0, 12.0), 2)
    return Citizen(number, city, caller, leaves, patience, key, key_after, again, home, move)


def _move(chance: random.Random, colleagues: Sequence[str], number_to: str) -> Move | None:
    hold = chance.uniform(0.5, 4.0) if chance.random() < HOLDS else 0.0
    if not colleagues or chance.random() >= MOVES:
        return Move("", "", 0.0, Then.WAITS, 0.0, hold) if hold else None
    (kind,) = chance.choices(list(KEYS), (3, 3, 4))
    queue = kind == "blind" and number_to and chance.random() < 0.4
    return Move(
        kind,
        number_to if queue else chance.choice(colleagues),
        chance.uniform(0.0, 0.5),
        chance.choice(THEN[kind]),
        chance.uniform(0.0, 5.0),
        hold,
    )


def manner(chance: random.Random, *, asked: bool = False) -> dict[str, object]:
    """What a phone does from now on: an order for ``behave``. ``asked``: a colleague, who answers."""
    kind = chance.random() * (0.8 if asked else 1.0)
    if kind < 0.70:
        talk = chance.uniform(0.4, 8.0) if chance.random() < 0.5 else None
        return {"does": "answer", "after": round(chance.uniform(0.0, 1.5), 2), "talk": talk}
    if kind < 0.82:
        return {"does": "reject", "after": round(chance.uniform(0.0, 0.8), 2)}
    return {"does": "busy", "after": 0.0} if kind < 0.90 else {"does": "ignore"}


@dataclass(slots=True)
class Tally:
    made: int = 0
    over: int = 0
    reached: int = 0
    """Calls that a seat's phone answered."""
    refused: int = 0
    """Calls the lab could not make."""
    left: Counter[str] = field(default_factory=Counter)
    """Calls by how they were meant to end."""
    moved: Counter[str] = field(default_factory=Counter)
    """Transfers that agents keyed, by kind."""
    held: int = 0
    """Callers who were on hold."""
    rushed: int = 0
    """Calls that came at one moment with others, to one number."""


class Mixed:
    """``calls`` calls at ``rate`` a second; ``progress`` is told after each."""

    def __init__(
        self,
        client: Client,
        calls: int,
        rate: float,
        seed: int,
        progress: Callable[[Tally], None],
        *,
        colleagues: Sequence[str] = (),
        number_to: str = "",
        enough: Callable[[Tally], bool] = lambda _: True,
    ) -> None:
        """``colleagues``: seats that agents transfer callers to; ``number_to``: a number of the plan, too.
        ``enough``: while it is not, a quarter more calls are made when all are over, up to three times as
        many: of few calls chance leaves out something."""
        self._client = client
        self._colleagues, self._number_to = tuple(colleagues), number_to
        self._calls, self._rate, self._seed = calls, rate, seed
        self._progress, self._enough = progress, enough
        self.tally = Tally()

    async def run(self) -> Tally:
        """Until the last call is over. Raises LabDown."""
        status = await self._client.ask("status")
        numbers = [(city, number) for city, number in status["numbers"]]
        if not numbers:
            raise NotDone("the plans have no number to call", "Unknown")
        chance = random.Random(f"{self._seed}/gaps")
        phones = sorted(status["phones"])
        for phone in phones:
            await self._client.ask("behave", phone=phone, **self._manner(chance, phone))
        seats = asyncio.create_task(self._moods(phones))
        room = asyncio.Semaphore(AT_ONCE)
        loop = asyncio.get_running_loop()
        citizens, more, most = itertools.count(), max(1, self._calls // 4), 3 * self._calls
        try:
            while True:
                due = loop.time()
                async with asyncio.TaskGroup() as group:
                    while self.tally.made < self._calls:
                        n = next(citizens)
                        gap = chance.expovariate(self._rate)
                        # who comes with others comes at once
                        due += 0.0 if rushes(n) and rushes(n - 1) else gap
                        await asyncio.sleep(max(0.0, due - loop.time()))
                        if self.tally.made >= self._calls:
                            break  # second calls count too
                        await room.acquire()
                        self.tally.made += 1
                        self.tally.rushed += rushes(n)
                        one = citizen(self._seed, n, numbers, self._colleagues, self._number_to)
                        task = group.create_task(self._life(one))
                        task.add_done_callback(lambda _: room.release())
                if self._enough(self.tally) or self._calls >= most:
                    break
                self._calls += more
        finally:
            seats.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await seats
        # whoever is still to be called back is to find somebody who waits until they answer
        for phone in phones:
            await self._client.ask("behave", phone=phone, does="answer", after=0.5)
        return self.tally

    async def _moods(self, phones: list[str]) -> None:
        chance = random.Random(f"{self._seed}/phones")
        while True:
            await asyncio.sleep(chance.uniform(*CHANGE))
            phone = chance.choice(phones)
            with contextlib.suppress(NotDone):
                await self._client.ask("behave", phone=phone, **self._manner(chance, phone))

    def _manner(self, chance: random.Random, phone: str) -> dict[str, object]:
        return manner(chance, asked=phone.partition("-")[2] in self._colleagues)

    async def _life(self, one: Citizen) -> None:
        while True:
            reached = await self._call(one)
            self.tally.over += 1
            self.tally.reached += reached
            self.tally.left[one.leaves] += 1
            self._progress(self.tally)
            if reached or not one.again or self.tally.made >= self._calls:
                return
            self.tally.made += 1
            one = replace(one, leaves=Leaves.TALKED, patience=1.0, again=False, move=None)
            await asyncio.sleep(1.5)  # a person needs that long to dial again

    async def _call(self, one: Citizen) -> bool:
        since = began = self._client.count
        if one.leaves is Leaves.CALLED_BACK:
            await self._client.ask("behave", phone=one.caller, **one.home)
        try:
            leg = (await self._client.ask("dial", number=one.number, city=one.city, caller=one.caller))["leg"]
        except NotDone:
            self.tally.refused += 1
            return False
        seen: dict[str, str] = {"sip": ""}
        reached = False

        def mine(line: Line, *what: str) -> bool:
            if line["leg"] == leg:
                if line["what"] == "sent":
                    seen["sip"] = line["sip_call"]
                return line["what"] in ("ended", *what)
            if not seen["sip"] or line["caller_sip_call"] != seen["sip"]:
                return False
            return f"seat {line['what']}" in what

        async def until(*what: str, within: float) -> Line | None:
            """The next of these, or the end of the call; None when the time is up."""
            nonlocal since
            with contextlib.suppress(Unheard):
                line = await self._client.line("", lambda x: mine(x, *what), within, since)
                since = line["n"] + 1
                return line
            return None

        def over(line: Line | None) -> bool:
            return line is not None and line["what"] == "ended" and line["leg"] == leg

        line = await until("answered", within=20)
        if line is None or over(line):
            await self._hang_up(leg, since, line)
            return False
        back = one.leaves is Leaves.CALLED_BACK
        pressing = asyncio.create_task(self._insist(leg) if back else self._press(leg, one))
        moving: asyncio.Task[None] | None = None
        try:
            if one.leaves in (Leaves.EARLY, Leaves.LATER):
                line = await until(within=one.patience)
            elif one.leaves is Leaves.RINGING:
                line = await until("seat rings", within=LONGEST / 2)
                if line is not None and not over(line):
                    line = await until(within=one.patience)
            else:
                line = await until("seat answered", within=LONGEST / 2)
                if line is not None and not over(line):
                    reached = True
                    if one.move is not None:
                        moving = asyncio.create_task(self._moves(line["leg"], one.move))
                    line = await until(within=one.patience)
        finally:
            for task in (pressing, moving):
                if task is not None:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
        await self._hang_up(leg, since, line if over(line) else None)
        if moving is not None:
            await self._put_down(seen["sip"], began)
        return reached

    async def _press(self, leg: str, one: Citizen) -> None:
        await asyncio.sleep(one.key_after)
        with contextlib.suppress(NotDone):
            await self._client.ask("press", leg=leg, keys=one.key)

    async def _insist(self, leg: str) -> None:
        """Asks to be called back, as somebody does who does not listen to the end."""
        with contextlib.suppress(NotDone):
            while True:
                await asyncio.sleep(1.0)  # as fast as somebody keys
                await self._client.ask("press", leg=leg, keys=CALL_BACK_KEY)

    async def _moves(self, seat: str, move: Move) -> None:
        """The agent holds the caller, and passes them on by keys."""
        await asyncio.sleep(move.after)
        with contextlib.suppress(NotDone):
            if move.hold:
                await self._client.ask("hold", leg=seat)
                self.tally.held += 1
                await asyncio.sleep(move.hold)
                await self._client.ask("resume", leg=seat)
                await asyncio.sleep(BACK)
            if not move.kind:
                return
            await self._client.ask("press", leg=seat, keys=KEYS[move.kind].format(move.to))
            self.tally.moved[move.kind] += 1
            if move.then is Then.WAITS:
                return
            await asyncio.sleep(move.then_after)
            if move.then is Then.LEAVES:
                await self._client.ask("hang_up", leg=seat)
            else:
                await self._client.ask(
                    "press", leg=seat, keys=TOGETHER if move.then is Then.TOGETHER else TAKE_BACK
                )

    async def _put_down(self, sip: str, since: int) -> None:
        """The caller is gone: an agent and a colleague who still talk put their handsets down."""
        up: set[str] = set()
        for line in self._client.lines(since):
            if line["kind"] == "seat" and line["caller_sip_call"] == sip:
                if line["what"] == "answered":
                    up.add(line["leg"])
                elif line["what"] == "ended":
                    up.discard(line["leg"])
        if up:
            await asyncio.sleep(PUT_DOWN)
        for leg in up:
            with contextlib.suppress(NotDone):
                await self._client.ask("hang_up", leg=leg)

    async def _hang_up(self, leg: str, since: int, ended: Line | None) -> None:
        if ended is not None:
            return
        with contextlib.suppress(NotDone):
            await self._client.ask("hang_up", leg=leg)
        with contextlib.suppress(Unheard):
            await self._client.line("the end", lambda x: x["leg"] == leg and x["what"] == "ended", 10, since)
