"""Who takes part in a call of a scenario: the citizen's call and the seat's phone."""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.client import Line, NotDone, Unheard
from lab.wav import complete

if TYPE_CHECKING:
    from lab import ears  # needs numpy, which a person who only makes calls does not have
    from lab.scenario import Lab
    from lab.wire import Event

LOOK = 0.25
"""Seconds between looks at a recording that grows: a file tells nobody that it grew."""


class Phone:
    """What a citizen's and a seat's phone can both do while in a call."""

    def __init__(self, lab: Lab, name: str, since: int) -> None:
        self._lab = lab
        self._client = lab.client
        self.name = name
        self.leg = ""
        self.heard_file: Path | None = None
        self._since = since

    async def sees(self, *what: str, within: float, after: int | None = None) -> Line:
        """The next thing of this kind that happens to this leg. Raises Unheard."""
        return await self._client.line(
            f"{self.name}: {' or '.join(what)}",
            lambda line: line["leg"] == self.leg and line["what"] in what,
            within,
            self._since if after is None else after,
        )

    async def says(self, wav: Path | str, *, within: float = 60.0) -> None:
        """Play a wav into the call, to its end."""
        since = self._client.count
        await self._client.ask("say", leg=self.leg, audio=str(wav))
        end = await self.sees("said", "ended", within=within, after=since)
        if end["what"] == "ended":
            raise Unheard(f"{self.name}: the call ended before all was said")

    async def presses(self, keys: str, *, patience: float = 20.0) -> None:
        """Digits at once one after the other; ``,`` waits until the voice pauses, ``w`` half a second."""
        for run in re.findall(r"[^,w]+|.", keys):
            if run == ",":
                with contextlib.suppress(Unheard):
                    await self.sees("pause", within=patience, after=self._client.count)
            elif run == "w":
                await asyncio.sleep(0.5)
            else:
                await self.press(run)
                await asyncio.sleep(0.25)  # a gap before the next

    async def press(self, keys: str) -> None:
        """These digits; their tones are over when this returns."""
        await self._client.ask("press", leg=self.leg, keys=keys)

    async def holds(self) -> None:
        """Put the other side on hold."""
        since = self._client.count
        await self._client.ask("hold", leg=self.leg)
        await self.sees("held", within=15, after=since)

    async def resumes(self) -> None:
        """Back from hold."""
        since = self._client.count
        await self._client.ask("resume", leg=self.leg)
        await self.sees("resumed", within=15, after=since)

    async def hangs_up(self, within: float = 15.0) -> None:
        """Put the handset down and see it end."""
        await self._client.ask("hang_up", leg=self.leg)
        await self.ends(within)

    async def ends(self, within: float = 10.0) -> Line:
        """Wait for the end of this leg: ``by`` says who ended it."""
        return await self.sees("ended", within=within)

    def recording(self) -> ears.Samples:
        """What this phone heard until now."""
        from lab import ears

        return ears.listen(self.heard_file or Path("/nonexistent"))

    def _recorded_bytes(self) -> int:
        if self.heard_file is not None:
            with contextlib.suppress(OSError):
                return self.heard_file.stat().st_size
        return 0

    async def hears(self, wav: Path | str, within: float = 15.0, since: int = 0) -> ears.Match:
        """Wait until the whole wav is in what this phone heard after so many samples (a recording lags by up
        to 2 s)."""
        from lab import ears

        needle = ears.load(Path(wav))
        looked, match = -1, ears.Match(False, 0.0, 0.0, 0.0)

        async def look() -> None:
            # Asterisk writes a recording every second or two: between that there is nothing new to be heard
            nonlocal looked, match
            if (size := self._recorded_bytes()) != looked:
                match = await asyncio.to_thread(lambda: ears.contains(self.recording()[since:], needle))
                # not before: time may be up meanwhile, and then nobody has learnt what was found
                looked = size

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not match:
                    await look()
                    await asyncio.sleep(0 if match else LOOK)
        if not match:
            # what was written in time counts, when who waits comes late to look
            await look()
        if not match:
            heard = self.recording()
            raise Unheard(
                f"{self.name} does not hear {Path(wav).name} within {within:g} s: {match.share:.0%} of it, "
                f"in {len(heard) / 8000:.1f} s of recording with {ears.sound_seconds(heard):.1f} s of sound"
            )
        return match

    async def recorded(self, within: float = 15.0) -> ears.Samples:
        """The whole recording, after the call: waits until the file is closed."""
        await self.kept(within)
        return self.recording()

    async def kept(self, within: float = 15.0) -> Path:
        """The file of the recording, once it is closed. Raises TimeoutError when nothing was heard."""
        async with asyncio.timeout(within):
            while not (self.heard_file and complete(self.heard_file)):  # noqa: ASYNC110  # another process (Asterisk) writes the file; its header is what says that it was closed
                await asyncio.sleep(0.05)
        return self.heard_file


class Call(Phone):
    """A citizen's call, from the INVITE on."""

    def __init__(self, lab: Lab, leg: str, heard: Path, since: int, told: dict[str, Any]) -> None:
        super().__init__(lab, f"caller {told['caller']}", since)
        self.leg, self.heard_file = leg, heard
        self.sip_call = ""
        self.sent = 0.0
        self._pressing: asyncio.Task[None] | None = None

    def will_press(self, keys: str) -> None:
        """Press once the line is up and the voice makes its first pause (``!`` in front: at once)."""

        async def press() -> None:
            await self.sees("answered", within=30)
            at_once = keys.startswith("!")
            if not at_once:
                with contextlib.suppress(Unheard):
                    await self.sees("pause", within=30)
            with contextlib.suppress(NotDone):  # the call has ended meanwhile
                await self.presses(keys.removeprefix("!"))

        self._pressing = asyncio.create_task(press())

    async def pressed(self) -> None:
        """Wait until the keys given to ``dials(…).presses`` have been pressed."""
        if self._pressing is not None:
            await self._pressing

    async def is_answered(self, within: float = 15.0) -> Line:
        """The line is up (a machine or a person)."""
        return await self.sees("answered", within=within)

    async def rings_at(self, seat: str | None = None, within: float = 15.0) -> Line:
        """A seat's phone rings for this call."""
        return await self._at_seat("rings", seat, within)

    async def reaches(self, seat: str | None = None, within: float = 20.0) -> Line:
        """A seat has answered this call; ``phone`` in the line says which."""
        return await self._at_seat("answered", seat, within)

    async def _at_seat(self, what: str, seat: str | None, within: float) -> Line:
        name = self._lab.seat(seat).name if seat else None
        return await self._client.line(
            f"{self.name}: {name or 'a seat'} {what}",
            lambda line: (
                line["caller_sip_call"] == self.sip_call
                and line["what"] == what
                and name in (None, line["phone"])
            ),
            within,
            self._since,
        )

    async def id(self, within: float = 15.0) -> str:
        """The house's CALL_ID."""
        return await self._lab.house.call_known(self.sip_call, within)

    async def talks(self, within: float = 10.0) -> None:
        """The caller and somebody of the house are in one bridge (BridgeEnter, seen as observer).

        A phone is heard to pick up some milliseconds earlier: a caller who goes then has talked to nobody.
        """
        call = await self.id()
        await self._lab.house.event(
            f"{self.name} talks",
            lambda e: (
                e["Event"] == "BridgeEnter" and e.get("AccountCode") == call and e["BridgeNumChannels"] != "1"
            ),
            within,
        )

    async def waits_in(self, queue: str, within: float = 10.0, since: int = 0) -> Event:
        """The caller is in this queue of the house (QueueCallerJoin, seen as observer)."""
        call = await self.id()
        return await self._lab.house.event(
            f"{self.name} waits in {queue}",
            lambda e: (
                e["Event"] == "QueueCallerJoin"
                and e.get("AccountCode") == call
                and e.get("Queue", "").partition("-")[2] == queue
            ),
            within,
            since,
        )

    async def _close(self) -> None:
        if self._pressing is not None:
            self._pressing.cancel()
            with contextlib.suppress(asyncio.CancelledError, Unheard):
                await self._pressing


class Seat(Phone):
    """A seat's SIP phone, moved by hand; ``will_*`` leaves it to itself."""

    def __init__(self, lab: Lab, name: str) -> None:
        super().__init__(lab, name, 0)

    async def rings(self, within: float = 5.0, call: Call | None = None, *, still: bool = False) -> Line:
        """Wait for the next call that rings here (of ``call``, when given) and hold on to it.

        ``still``: one that has already stopped ringing does not count.
        """
        line = await self._client.line(
            f"{self.name} rings" + (f" for {call.name}" if call else ""),
            lambda line: (
                line["phone"] == self.name
                and line["what"] == "rings"
                and line["leg"] != self.leg
                and not (still and self._over(line["leg"]))
                and (call is None or line["caller_sip_call"] == call.sip_call)
            ),
            within,
            self._since,
        )
        self.leg = line["leg"]
        self._since = line["n"] + 1
        status = await self._client.ask("status")
        self.heard_file = Path(status["heard"]) / f"{self.leg}.wav"
        return line

    async def answers(self, call: Call | None = None, *, say: Path | str = "", within: float = 20.0) -> Line:
        """Pick up: what rings, else the next call."""
        if not self._ringing_leg():
            await self.rings(within, call, still=True)
        await self._client.ask("pick_up", leg=self.leg, say=str(say) if say else None)
        return await self.sees("answered", within=15, after=0)

    async def rejects(self, within: float = 20.0, *, busy: bool = False) -> None:
        """Decline what rings (403, or 486 when ``busy``), else the next call."""
        if not self._ringing_leg():
            await self.rings(within, still=True)
        await self._client.ask("reject", leg=self.leg, busy=busy)
        await self.sees("ended", within=15, after=0)

    def _ringing_leg(self) -> bool:
        return bool(self.leg) and not self._over(self.leg)

    def _over(self, leg: str) -> bool:
        """It rings no more: picked up or ended."""
        return any(
            line["leg"] == leg and line["what"] in ("answered", "ended") for line in self._client.lines()
        )

    async def will_answer(
        self, after: float = 0.0, *, say: Path | str = "", talk: float | None = None
    ) -> None:
        """From now on it answers by itself, and hangs up after ``talk`` seconds."""
        await self._behave("answer", after=after, say=str(say) if say else None, talk=talk)

    async def will_reject(self, after: float = 0.0) -> None:
        """From now on it declines (403)."""
        await self._behave("reject", after=after)

    async def will_be_busy(self) -> None:
        """From now on it says 486."""
        await self._behave("busy", after=0.0)

    async def will_ring(self) -> None:
        """From now on it rings and nobody comes."""
        await self._behave("ignore")

    async def _behave(self, does: str, **more: Any) -> None:
        await self._client.ask("behave", phone=self.name, does=does, hear=True, **more)

    async def leaves_the_network(self) -> None:
        """Unregister properly."""
        await self._client.ask("unregister", phone=self.name)

    async def comes_back(self, within: float = 10.0) -> None:
        """Register again and have it confirmed."""
        since = self._client.count
        if (await self._lab.phones())[self.name]:
            return
        await self._client.ask("register", phone=self.name)
        await self._client.line(
            f"{self.name} registers",
            lambda line: line["phone"] == self.name and line["what"] == "registered",
            within,
            since,
        )

    async def dials(self, number: str, within: float = 10.0) -> Line:
        """The seat calls somebody (a feature code, a colleague); waits until it is answered or refused."""
        since = self._client.count
        answer = await self._client.ask("dial", number=number, phone=self.name, hear=True, caller=self.number)
        self.leg, self.heard_file = answer["leg"], Path(answer["heard"])
        return await self.sees("answered", "ended", within=within, after=since)

    @property
    def number(self) -> str:
        """Its number inside the house: ``1001``."""
        return self.name.partition("-")[2]
