"""A recogniser's own process: JSON lines in and out over pipes, ends when its pipe does.

Orders: ``follow`` (a tap that grows), ``open`` (a voice that is handed over in pieces: ``sound``), ``end``
(it is over), ``drop``, ``transcribe`` (a recording that is over), ``ping``. Answers: ``ready``, ``partial``,
``span``, ``over``, ``failed``, ``pong``. Live voices take turns of a fifth of a second; a recording that is
over is read when no live voice says anything.
"""

from __future__ import annotations

import base64
import json
import os
import select
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cti import vault
from cti.errors import Broken, NotNow
from cti.ring import Ring
from cti.speech.ear import Ear, Listener, Vosk
from cti.speech.gate import Gate
from cti.speech.tap import RATE, Fed, Kept, Tap
from recording.recognised import Recognised

TURN = 0.2
"""Seconds of sound a voice gets in one turn."""
NICE = 5
"""Above everything that a call waits for; below what nobody waits for."""
NICE_OF_A_MENU = 1
"""A caller waits for this one."""
STILL = 0.12
"""Seconds without a new byte, after its leg is over, until a tap has ended: Asterisk closes it at once."""
SHOW_EVERY = 0.25
UNHEARD = 5.0
"""Seconds of a tap that are kept though nothing was heard in them: a word may just have begun."""
IDLE = 0.03


@dataclass(slots=True)
class Voice:
    """One voice being listened to."""

    leg: str
    source: Tap | Kept | Fed
    listener: Listener
    live: bool
    offset: float = 0.0
    """Seconds of the recording at which its tap began."""
    ended: bool = False
    grew: float = field(default_factory=time.monotonic)
    shown: float = 0.0
    text: str = ""


class Worker:
    """All voices of one process."""

    def __init__(self, ear: Ear, out: int = 1) -> None:
        self._ear, self._out = ear, out
        self._live: dict[str, Voice] = {}
        self._late: dict[str, Voice] = {}

    def run(self, orders: Orders) -> None:
        """Until the pipe of orders is closed."""
        self._say("ready", name=self._ear.name)
        while True:
            busy = self._turns()
            for order in orders.take(0.0 if busy else IDLE):
                self._obey(order)
            if orders.closed:
                return

    def _obey(self, told: dict[str, Any]) -> None:
        leg = str(told.get("leg", ""))
        match told.get("do"):
            case "ping":
                self._say("pong", live=len(self._live), late=len(self._late))
            case "follow":
                begin, began = float(told.get("begin", 0.0)), float(told.get("offset", 0.0))
                tap = Tap(Path(told["file"]), begin)
                gate = Gate(self._ear.listen(RATE, offset=began + begin), RATE, began + begin)
                self._live[leg] = Voice(leg, tap, gate, True, began)
            case "open":
                self._live[leg] = Voice(leg, Fed(), Gate(self._ear.listen(RATE), RATE), True)
            case "sound":
                if (voice := self._live.get(leg)) is not None and isinstance(voice.source, Fed):
                    voice.source.feed(base64.b64decode(told["pcm"]))
            case "end":
                if leg in self._live:
                    self._live[leg].ended = True
                    self._live[leg].grew = time.monotonic()
            case "drop":
                self._live.pop(leg, None)
                self._late.pop(leg, None)
            case "transcribe":
                try:
                    source = vault.opened(Ring(Path(told["ring"])), Path(told["file"]))
                    kept = Kept(source, float(told.get("begin", 0.0)), told.get("until"))
                except (NotNow, Broken, OSError, ValueError) as why:
                    self._say("failed", leg=leg, why=str(why))
                    return
                listener = self._ear.listen(kept.rate, offset=kept.seconds)
                self._late[leg] = Voice(leg, kept, listener, False, ended=True)

    def _turns(self) -> bool:
        """One turn for each live voice; one for a recording when they are all up to date."""
        busy = False
        for voice in list(self._live.values()):
            busy |= self._turn(voice)
        if not busy and self._late:
            busy = self._turn(next(iter(self._late.values())))
        return busy

    def _turn(self, voice: Voice) -> bool:
        now = time.monotonic()
        try:
            sound = voice.source.read(TURN)
        except (NotNow, Broken, OSError) as why:
            self._forget(voice)
            self._say("failed", leg=voice.leg, why=str(why))
            return True
        if not sound:
            if voice.ended and (not voice.live or now - voice.grew > STILL):
                self._forget(voice)
                for span in voice.listener.finish():
                    self._span(voice, span)
                self._say("over", leg=voice.leg, seconds=voice.source.seconds, live=voice.live)
            return False
        voice.grew = now
        spans = voice.listener.hear(sound)
        for span in spans:
            self._span(voice, span)
        if isinstance(voice.source, Tap):
            # a process that takes up for this one begins where the last span ended
            if spans:
                voice.source.give_back(spans[-1].end - voice.offset)
            elif not voice.text:
                voice.source.give_back(voice.source.seconds - UNHEARD)
        if voice.live and now - voice.shown >= SHOW_EVERY:
            voice.shown = now
            voice.text = voice.listener.partial()
            self._say(
                "partial", leg=voice.leg, text=voice.text, at=voice.source.seconds, behind=voice.source.behind
            )
        return True

    def _span(self, voice: Voice, span: Recognised) -> None:
        voice.text = ""
        self._say("span", leg=voice.leg, at=voice.source.seconds, live=voice.live, span=asdict(span))

    def _forget(self, voice: Voice) -> None:
        (self._live if voice.live else self._late).pop(voice.leg, None)

    def _say(self, what: str, **told: Any) -> None:
        data = json.dumps({"what": what, **told}, ensure_ascii=False).encode() + b"\n"
        while data:
            data = data[os.write(self._out, data) :]


class Orders:
    """Lines of a pipe, as they come."""

    def __init__(self, fd: int = 0) -> None:
        self.closed = False
        self._fd, self._rest = fd, b""

    def take(self, seconds: float) -> Iterator[dict[str, Any]]:
        """What came, after waiting at most so long."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return
        data = os.read(self._fd, 1 << 16)
        self.closed = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield json.loads(line)


def main() -> int:
    """``python -m cti.speech.worker MODEL [menu]``. Exit codes: 0 the pipe closed, 3 no model or no vosk."""
    os.nice(NICE_OF_A_MENU if sys.argv[2:] == ["menu"] else NICE)
    # vosk's own C++ prints to standard output; the pipe is ours alone
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        ear = Vosk(Path(sys.argv[1]))
        # the first decoding allocates as much again as the model: not while somebody speaks
        first = ear.listen(RATE)
        first.hear(os.urandom(RATE))
        first.finish()
    except NotNow as why:
        os.write(out, json.dumps({"what": "unable", "why": str(why)}, ensure_ascii=False).encode() + b"\n")
        return 3
    try:
        Worker(ear, out).run(Orders())
    except BrokenPipeError:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
