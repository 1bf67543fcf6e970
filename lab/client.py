"""Talking to a running lab from another process: orders, and a log that can be waited on."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from cti.home import Home

Line = dict[str, Any]
KEPT = 20_000
"""Lines a connection remembers."""


class LabDown(Exception):
    """No lab listens; the text says how to start one."""


class NotDone(Exception):
    """The lab refused an order; ``kind`` is the lab's word for why."""

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(text)
        self.kind = kind


class Unheard(AssertionError):
    """What was waited for did not happen in time. The text names it and what happened instead."""


class Client:
    """One connection to the lab. What it began ends with it (see ``lab.control``)."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._reading: asyncio.Task[None] | None = None
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._count = 0
        self._news = asyncio.Event()
        self._down = False
        self._lines: deque[Line] = deque(maxlen=KEPT)
        self.count = 0
        """Lines of the phones' log since this connection began; a line's ``n`` is its number here."""

    async def __aenter__(self) -> Self:
        port = self._home.ports.lab_door
        try:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        except OSError:
            raise LabDown(
                f"实验城市没有运行 no lab on port {port} of {self._home.root}; start it: cti up --lab"
            ) from None
        self._writer.write(json.dumps({"secret": self._home.secrets["lab_ami"]}).encode() + b"\n")
        self._reading = asyncio.create_task(self._read(), name="lab client")
        await self.ask("watch")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading

    async def ask(self, do: str, **told: Any) -> Any:
        """One order. Raises NotDone when the lab refuses it, LabDown when it is gone."""
        if self._down:
            raise LabDown("the lab went away; start it again: cti up --lab")
        self._count += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[self._count] = answer
        request = {"id": self._count, "do": do} | {k: v for k, v in told.items() if v is not None}
        self._writer.write(json.dumps(request, default=str).encode() + b"\n")
        try:
            async with asyncio.timeout(30):
                return await answer
        except TimeoutError:
            raise LabDown(f"the lab does not answer ({do})") from None

    async def line(self, named: str, fits: Callable[[Line], bool], within: float, since: int = 0) -> Line:
        """The first line of the log from number ``since`` on that fits. Raises Unheard after ``within`` s.

        Whether it came in time says its own stamp: who waits may have been without a processor meanwhile.
        """
        until = time.time() + within
        try:
            async with asyncio.timeout(within):
                return await self._line(fits, since)
        except TimeoutError:
            with contextlib.suppress(LabDown, NotDone):
                await self.ask("catch_up")
            for line in self.lines(since):
                if line["at"] <= until and fits(line):
                    return line
            raise Unheard(f"{named}: not within {within:g} s; instead {told(self.lines(since))}") from None

    def lines(self, since: int = 0) -> list[Line]:
        """The lines from number ``since`` on, as far as they are kept."""
        first = self.count - len(self._lines)
        return list(itertools.islice(self._lines, max(0, since - first), None))

    async def _line(self, fits: Callable[[Line], bool], since: int) -> Line:
        at = since
        while True:
            new = self.lines(at)
            at = self.count
            for line in new:
                if fits(line):
                    return line
            if self._down:
                raise LabDown("the lab went away")
            self._news.clear()
            await self._news.wait()

    async def _read(self) -> None:
        try:
            while raw := await self._reader.readline():
                message = json.loads(raw)
                if "line" in message:
                    self._lines.append(message["line"] | {"n": self.count})
                    self.count += 1
                    self._news.set()
                    continue
                answer = self._answers.pop(message.get("id", 0), None)
                if answer is None or answer.done():
                    continue
                if "error" in message:
                    answer.set_exception(NotDone(message["error"], message.get("kind", "")))
                else:
                    answer.set_result(message["ok"])
        except (ConnectionError, ValueError):
            pass
        finally:
            self._down = True
            self._news.set()
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(LabDown("the lab went away"))


def told(lines: list[Line]) -> str:
    """The last lines in a few words, for a message to a person."""
    unsaid = ("pause", "key", "pressed")
    words = [f"{line['phone']} {line['what']}" for line in lines if line["what"] not in unsaid]
    return ", ".join(words[-12:]) or "nothing"
