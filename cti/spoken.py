"""Spoken menus: the dialplan asks who would listen, a voice comes over AudioSocket, a key goes back.

The recogniser is a process of its own, started when a plan has a spoken menu. Nothing here can hold a caller:
the dialplan waits for so long and no longer, and every failure (no model, too many voices, a process that
died, fell behind or froze) is an answer like any other: the menu goes on with its keys.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import structlog

from calls.facts import CallLeft, MenuListened
from cti.asterisk.agi import Script
from cti.asterisk.audiosocket import AudioSocket, Taker
from cti.speech.crew import Hand
from cti.speech.pinyin import sounds
from cti.speech.tap import RATE
from cti.switchboard import Heard
from ivr.spoken import Understood, Words
from plan.model import Plan
from plan.spoken import Spoken

log = structlog.get_logger(__name__)

PIECE = RATE // 10 * 2
"""Bytes handed to the recogniser at once: 0.1 s."""
CONNECTS_WITHIN = 15.0
"""Seconds from "I would listen" to the voice: the question is played in between."""
ASKED_WITHIN = 2.0
"""Seconds from the voice's end to the question what was heard."""
PAUSE = 1.2
"""Seconds of sound after words that were not understood, until the caller is asked again."""
ANSWER_WITHIN = 1.5
"""Seconds for the last words to be recognised when the voice is over; the dialplan waits a little longer
(``asterisk_conf.spoken.ANSWER_SECONDS``). Only a machine that is busy needs them."""
BEHIND = 1 << 18
"""Bytes the recogniser may leave lying: some 6 s of a voice."""
MOST_MENUS = 200
"""Menus whose words are kept ready; plans come and go."""
LONGEST_TEXT = 40
"""Characters of what was heard that go into the story."""


@dataclass(slots=True)
class Listening:
    """One caller being listened to, from "would you listen?" to the answer."""

    id: str
    call: str
    menu: str
    asked: Spoken
    words: Words
    answered: asyncio.Future[str]
    begun: bool = False
    """Its voice has come."""
    hang_up: Callable[[], None] = lambda: None
    piece: bytearray = field(default_factory=bytearray)
    seconds: float = 0.0
    """Of sound that came."""
    text: str = ""
    confidence: float = 1.0
    partial: str = ""
    spoke: float = 0.0
    """Second at which the last words ended."""
    ending: bool = False


class SpokenMenus:
    """``scripts`` for the FastAGI server, ``server`` for the voices, ``run`` keeps the recogniser."""

    def __init__(
        self,
        address: tuple[str, int],
        plans: Callable[[], Mapping[str, Plan]],
        model: Callable[[], Path | None],
        *,
        most: int,
    ) -> None:
        """``most`` callers are listened to at once; more have their keys. 0: nobody is."""
        self.scripts = {
            "listen": Script("LISTEN", self._would_listen),
            "heard": Script("HEARD", self._was_heard),
        }
        self.server = AudioSocket(address, self._begins)
        self.counts: dict[str, int] = {"key": 0, "unclear": 0, "nothing": 0, "refused": 0}
        """How listenings ended, since the start."""
        self._plans, self._model, self._most = plans, model, most
        self._hand = Hand(0, self._wanted_model, self._told, self._began, self._lost, of="menu")
        self._open: dict[str, Listening] = {}
        self._words: dict[int, tuple[object, Words]] = {}

    def gauges(self) -> list[tuple[str, str, Callable[[], float]]]:
        """For ``/metrics``."""
        counts = self.counts
        return [
            ("hotline_spoken_up", "1 while spoken menus are listened to", lambda: float(self._hand.ready)),
            ("hotline_spoken_callers", "Callers asked to speak now", lambda: float(len(self._open))),
            ("hotline_spoken_understood", "Answers that chose a key", lambda: float(counts["key"])),
            ("hotline_spoken_unclear", "Answers not understood", lambda: float(counts["unclear"])),
            ("hotline_spoken_nothing", "Callers who said nothing", lambda: float(counts["nothing"])),
            ("hotline_spoken_refused", "Callers with keys: too many", lambda: float(counts["refused"])),
        ]

    async def run(self) -> None:
        """Until cancelled."""
        await self._hand.run()

    def hear(self, heard: Heard) -> None:
        """A listener of the switchboard: whoever keyed or left needs no ear any more."""
        match heard.fact:
            case MenuListened(call=call, status="KEYED" | "SILENT" | "LIE") | CallLeft(call=call):
                for one in [one for one in self._open.values() if one.call == call]:
                    self._forget(one)

    # --- the dialplan's questions -----------------------------------------------------------------------

    async def _would_listen(self, told: list[str]) -> str | None:
        call, city, name = told[:3]
        plan = self._plans().get(city)
        menu = None if plan is None else plan.menus.get(name)
        if menu is None or menu.spoken is None or not self._hand.ready:
            return None
        if len(self._open) >= self._most or self._hand.behind > BEHIND:
            self.counts["refused"] += 1
            return None
        loop = asyncio.get_running_loop()
        one = Listening(
            str(uuid4()), call, name, menu.spoken, self._ready_words(menu.words), loop.create_future()
        )
        self._open[one.id] = one
        loop.call_later(CONNECTS_WITHIN + one.asked.seconds, self._forget, one)
        return one.id

    async def _was_heard(self, told: list[str]) -> str | None:
        one = self._open.get(told[0])
        if one is None:
            return "nothing"
        self._ends(one)
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                answer = await asyncio.shield(one.answered)
        except TimeoutError:
            # the recogniser is late: what it understood until now counts
            answer = self._answer(one)
        self._forget(one)
        word = answer.partition(":")[0]
        self.counts[word] += 1
        log.info("a menu was answered in words", call=one.call, menu=one.menu, status=word)
        return answer

    def _ready_words(self, words: Mapping[str, tuple[str, ...]]) -> Words:
        known = self._words.get(id(words))
        if known is None or known[0] is not words:
            if len(self._words) > MOST_MENUS:
                self._words.clear()
            # a plan is replaced as a whole, never changed
            known = self._words[id(words)] = (words, Words(words, sounds))
        return known[1]

    # --- the voice --------------------------------------------------------------------------------------

    def _begins(self, id: str, hang_up: Callable[[], None]) -> Taker | None:
        one = self._open.get(id)
        if one is None or one.begun:
            return None
        one.begun, one.hang_up = True, hang_up
        self._hand.say(do="open", leg=id)
        return Voice(self, one)

    def sound(self, one: Listening, pcm: bytes) -> None:
        """Some 20 ms of a caller's voice."""
        if one.ending:
            return
        one.piece += pcm
        one.seconds += len(pcm) / (2 * RATE)
        if len(one.piece) >= PIECE:
            self._pass_on(one)
        if one.seconds >= one.asked.seconds or self._hand.behind > BEHIND:
            self._ends(one)

    def over(self, one: Listening) -> None:
        """The voice's connection is gone; the dialplan asks at once what was heard, or never."""
        self._ends(one)
        asyncio.get_running_loop().call_later(ASKED_WITHIN, self._forget, one)

    def _pass_on(self, one: Listening) -> None:
        self._hand.say(do="sound", leg=one.id, pcm=base64.b64encode(one.piece).decode())
        one.piece.clear()

    def _ends(self, one: Listening) -> None:
        """No more sound is wanted: the recogniser says its last word, then there is an answer."""
        if one.ending:
            return
        one.ending = True
        self._pass_on(one)
        self._hand.say(do="end", leg=one.id)
        if not self._hand.ready or one.answered.done():
            self._settle(one)
            return
        asyncio.get_running_loop().call_later(ANSWER_WITHIN, self._settle, one)

    # --- the recogniser -----------------------------------------------------------------------------------

    def _told(self, hand: Hand, told: dict[str, Any]) -> None:
        one = self._open.get(str(told["leg"]))
        if one is None:
            return
        match told["what"]:
            case "partial":
                one.partial, at = str(told["text"]), float(told["at"])
                if one.partial:
                    one.spoke = at
                elif one.text and at - one.spoke > PAUSE:
                    self._ends(one)
            case "span":
                span = told["span"]
                one.text, one.partial = one.text + str(span["text"]), ""
                one.confidence, one.spoke = float(span["confidence"]), float(told["at"])
                if self._understood(one).key:
                    self._settle(one)
            case "over" | "failed":
                self._settle(one)

    def _understood(self, one: Listening) -> Understood:
        # words that have not ended are less sure than any that have
        confidence = one.confidence if not one.partial else min(one.confidence, 0.8)
        return one.words.understood(one.text + one.partial, confidence)

    def _answer(self, one: Listening) -> str:
        said = "".join(char for char in one.text + one.partial if char.isalnum())
        if not said:
            return "nothing"
        found = self._understood(one)
        sure = round(100 * (found.sure if found.key else one.confidence))
        status = "key" if found.key else "unclear"
        return f"{status}:{found.key}:{sure}:{quote(said[:LONGEST_TEXT])}"

    def _settle(self, one: Listening) -> None:
        if not one.answered.done():
            one.answered.set_result(self._answer(one))
        if not one.ending:
            one.ending = True
            self._hand.say(do="drop", leg=one.id)
        one.hang_up()

    def _forget(self, one: Listening) -> None:
        if self._open.pop(one.id, None) is not None:
            self._hand.say(do="drop", leg=one.id)
            one.hang_up()

    def _began(self, hand: Hand) -> None:
        """Whoever was listened to by the process before has been answered."""

    def _lost(self, hand: Hand) -> None:
        for one in list(self._open.values()):
            self._settle(one)

    def _wanted_model(self) -> Path | None:
        spoken = any(menu.spoken for plan in self._plans().values() for menu in plan.menus.values())
        return self._model() if spoken and self._most else None


class Voice:
    """One caller's voice on its way to the recogniser."""

    def __init__(self, menus: SpokenMenus, one: Listening) -> None:
        self._menus, self._one = menus, one

    def sound(self, pcm: bytes) -> None:
        self._menus.sound(self._one, pcm)

    def over(self) -> None:
        self._menus.over(self._one)
