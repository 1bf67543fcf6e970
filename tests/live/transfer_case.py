"""One call, led through the transfer table by real phones."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from calls.orders import Kind, Transfer, Unpause
from lab import ears
from lab.parties import LOOK, Call, Phone, Seat
from lab.scenario import Lab
from lab.wav import RATE
from tests.house import House
from tests.live.seat_town import order
from tests.live.transfer_town import Talk, centre, in_the_room, step_told, talking
from transfer.table import STATES, State, else_hears

AGENT, COLLEAGUE, NEXT = "1001", "1003", "1002"
CENTRE = "110"
CALLER = "PJSIP/demo-carrier-"
RINGING = 450
"""Hertz (indications.conf, cn)."""
ELSE_HEARS = 12.0
"""Seconds in which music or ringing is to be heard: a sentence may come before it."""


async def rings_on(call: Call) -> None:
    """A caller in danger hears ringing in the queue, and no music."""
    begin = len(call.recording())
    async with asyncio.timeout(12):
        while ears.tone_seconds(call.recording()[begin:], RINGING) < 1.5:  # noqa: ASYNC110  # a file grows unheard
            await asyncio.sleep(LOOK)
    sound, step = call.recording()[begin:], RATE // 10
    # the file lags behind: what somebody said before the ringing may still come
    rang = (
        at for at in range(0, len(sound), step) if ears.tone_seconds(sound[at : at + 4 * step], RINGING) > 0.2
    )
    sound = sound[next(rang) :]
    assert ears.tone_seconds(sound, RINGING) > 0.7 * ears.sound_seconds(sound), "something beside the ringing"


class Case:
    """One call, led through the table."""

    caller_channel = CALLER
    """How the channel begins that is the caller's in a room."""

    def __init__(
        self, house: House, city: Lab, folder: Path, *, handoff: bool, kind: Kind = "handoff"
    ) -> None:
        """``handoff``: an emergency centre is asked, by a wish of this ``kind``."""
        self.house, self.city, self.handoff, self.kind = house, city, handoff, kind
        self.folder = folder
        self.rang = 0
        """Samples of the caller's recording when somebody began to ring for them alone."""
        self.target: Seat
        self.call: Call
        self.talk: Talk
        self.agent: Phone

    @property
    def to(self) -> str:
        return CENTRE if self.handoff else COLLEAGUE

    async def begins(self) -> None:
        self.talk, self.call = await talking(self.city, self.folder, AGENT)
        self.agent = self.talk.parties["agent"]
        self.target = centre(self.city, CENTRE) if self.handoff else self.city.seat(COLLEAGUE)

    async def wishes(self, kind: Kind, to: str = "") -> None:
        await order(self.house.home, Transfer(city="demo", seat=AGENT, kind=kind, to=to))

    async def told(self, step: str, within: float = 10.0) -> None:
        await step_told(self.city, self.call, step, within)

    async def together_again(self) -> None:
        """Agent and caller hear each other."""
        await in_the_room(self.city, self.call, f"PJSIP/demo-{AGENT}-", self.caller_channel)

    # --- the ways to a state ---------------------------------------------------------------------

    async def reaches(self, state: str) -> None:
        await self.begins()
        match state:
            case "asking" | "consulting":
                await self.wishes("consult", self.to)
                await self.target.rings(within=5, still=True)
            case "ringing" | "together":
                await self.wishes(self.kind if self.handoff else "three", self.to)
                await self.target.rings(within=5, still=True)
            case "handed" | "sent" | "alone" | "queued":
                await self.wishes(self.kind if self.handoff else "blind", self.to)
                await self.target.rings(within=5, still=True)
                # the first of two tones four seconds apart: from here on it is ringing that is heard
                self.rang = len(self.call.recording())
        match state:
            case "consulting" | "together":
                await self.answered()
            case "handed":
                await self.answered()
                if self.handoff:
                    await self.agent.hangs_up()
                    await self.told("handed")
                else:
                    await self.agent.ends()
            case "alone":
                # a phone that rings for a caller who is alone has stopped before a file tells of it
                await self.hears_meanwhile("sent")
                await self.agent.hangs_up()
                await self.told("agent-left")
            case "queued":
                since = len(self.city.house.events)
                await self.agent.hangs_up()
                await self.told("agent-left")
                # a centre rings no more when the caller goes back
                if not self.handoff:
                    await self.target.rejects()
                await self.told("back")
                await self.call.waits_in("general", since=since)

    async def answered(self) -> None:
        await self.target.answers()
        self.talk.joins("target", self.target)
        await self.told("answered")

    # --- facts ------------------------------------------------------------------------------------

    async def happens(self, state: str, fact: str) -> None:
        match fact:
            case "blind" | "consult" | "three" | "handoff":
                await self.wishes(fact, self.to)
                await self.target.rings(within=5, still=True)
            case "takeback":
                await self.wishes("takeback")
                await self.told("taken-back")
                await self.target.ends()
                await self.together_again()
            case "together":
                await self.wishes("together")
                await self.told("joined")
                await self.together_again()
            case "leave":
                await self.wishes("leave")
                await self.agent.ends()
                await self.told("handed")
            case "answered":
                await self.answered()
                if state == "ringing":
                    await self.told("joined")
                elif state == "sent":
                    await self.agent.ends()
            case "refused":
                await self.target.rejects()
                await self.told("back" if state == "alone" else "refused")
                if state != "alone":
                    await self.together_again()
            case "target-left":
                await self.target.hangs_up()
                await self.told("target-left")
                if state in ("consulting", "together"):
                    await self.together_again()
            case "agent-left":
                await self.agent.hangs_up()
                if state in ("asking", "ringing"):
                    await self.told("back")
                elif state == "sent":
                    await self.told("agent-left")
                elif state != "talking":
                    await self.told("handed")
                if state == "consulting":
                    await in_the_room(self.city, self.call, self.caller_channel)
            case "caller-left":
                await self.call.hangs_up()
            case "seat-answered":
                await self.next_seat()
            case _:
                raise AssertionError(f"nobody knows how to bring about {fact!r}")

    async def next_seat(self) -> None:
        seat = self.city.seat(NEXT)
        await order(self.house.home, Unpause(city="demo", seat=NEXT))
        await seat.answers(self.call, within=25)
        self.talk.joins("agent", seat)
        self.agent = seat

    # --- what the caller hears of nobody ---

    def heard_until_now(self) -> int:
        """Samples of the caller's recording, with those that are still to be written."""
        first = next(line for line in self.city.client.lines() if line["leg"] == self.call.leg)
        return int((time.time() - first["at"] + 0.3) * RATE)

    async def hears_meanwhile(self, state: str) -> None:
        """Music or ringing, as the state says; from now on. An emergency hears ringing in the queue. Whoever
        is ``alone`` heard it before."""
        what = else_hears(State(state), urgent=self.handoff)
        if not what or state == "alone":
            return
        begin = self.rang if state == "sent" else self.heard_until_now()
        try:
            async with asyncio.timeout(ELSE_HEARS):
                while True:
                    sound = self.call.recording()[begin:]
                    ringing = ears.tone_seconds(sound, RINGING)
                    # an agent who waits for the answer hears what the caller hears
                    if state == "sent" and ears.tone_seconds(self.agent.recording(), RINGING) < 0.5:
                        ringing = 0.0
                    if what == "ringing" and ringing > 0.5:
                        return
                    if what == "music" and ears.musical(sound) and ringing < 0.2:
                        return
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            raise AssertionError(f"in {state} the caller hears no {what}") from None

    # --- what must be true ------------------------------------------------------------------------

    def present(self, state: str) -> tuple[str, ...]:
        """Who has a phone at the ear in this state."""
        with_agent = state in ("talking", "asking", "consulting", "ringing", "together", "sent")
        with_target = state in ("consulting", "together", "handed")
        return ("caller", *(["agent"] if with_agent else []), *(["target"] if with_target else []))

    async def speaks(self, mark: str, state: str) -> None:
        if state not in ("over", "queued", "alone"):
            # of pairs, who are together: in a consultation the caller is apart
            pairs = [frozenset(pair) for pair in STATES[State(state)].hear]
            groups = {frozenset().union(*(p for p in pairs if p & pair)) for pair in pairs}
            await self.talk.speak(mark, *self.present(state), hear=groups)

    def expected(self, marks: dict[str, str]) -> dict[str, set[tuple[str, str]]]:
        found: dict[str, set[tuple[str, str]]] = {name: set() for name in self.talk.files}
        for mark, state in marks.items():
            for pair in STATES[State(state)].hear:
                one, two = sorted(pair)
                found[one].add((mark, two))
                found[two].add((mark, one))
        return found
