"""The lab's own AMI client.

It deliberately shares no code with ``cti.asterisk``: the lab judges the house, and a fault in a common
reader would be invisible to both. It is also simpler: one Asterisk on loopback, a few hundred phones.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Final

Event = dict[str, str]
"""Header to value. A header that comes several times is joined by newlines."""

ANSWER_WITHIN: Final = 5.0
"""Seconds an action may take."""
_LINE_LIMIT: Final = 1 << 20


class WireDown(Exception):
    """No AMI there, or it is gone."""


class WireRefused(Exception):
    """Asterisk answered ``Response: Error``; the text is its Message."""


class Wire:
    """One logged-in AMI connection. ``heard`` gets every event, in order, in the reading task."""

    def __init__(self, heard: Callable[[Event], None]) -> None:
        self._heard = heard
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[Event]] = {}
        self._lists: dict[str, list[Event]] = {}
        self._count = 0
        self.gone = asyncio.Event()

    async def connect(self, host: str, port: int, user: str, secret: str, events: str = "on") -> None:
        """Log in. Raises WireDown when nobody listens, WireRefused for a wrong secret."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                self._reader, self._writer = await asyncio.open_connection(host, port, limit=_LINE_LIMIT)
                await self._reader.readline()  # "Asterisk Call Manager/x.y"
        except (OSError, TimeoutError) as why:
            raise WireDown(f"no AMI on {host}:{port}: {why}") from None
        self.gone.clear()
        self._reading = asyncio.create_task(self._read(self._reader), name=f"ami {port}")
        await self.ask("Login", Username=user, Secret=secret, Events=events)

    async def close(self) -> None:
        """End the connection; what still waits for an answer gets WireDown."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
            self._reading = None

    async def ask(
        self,
        action: str,
        variables: Mapping[str, str] | None = None,
        within: float = ANSWER_WITHIN,
        **headers: str | int | float,
    ) -> Event:
        """Send one action and return its response. Raises WireDown, WireRefused."""
        answer, _ = await self._ask(action, variables, headers, within)
        return answer

    async def ask_list(self, action: str, **headers: str | int | float) -> list[Event]:
        """Send an action whose answer is a list of events (``EventList: start`` … ``Complete``)."""
        answer, rows = await self._ask(action, None, headers, ANSWER_WITHIN)
        if answer.get("EventList") != "start":
            raise WireRefused(f"{action} gave no list")
        return rows

    async def _ask(
        self,
        action: str,
        variables: Mapping[str, str] | None,
        headers: Mapping[str, str | int | float],
        within: float,
    ) -> tuple[Event, list[Event]]:
        writer = self._writer
        if writer is None or self.gone.is_set():
            raise WireDown("AMI is not connected")
        self._count += 1
        number = f"lab{self._count}"
        lines = [("Action", action), ("ActionID", number), *((k, str(v)) for k, v in headers.items())]
        lines += [("Variable", f"{name}={value}") for name, value in (variables or {}).items()]
        if any("\r" in value or "\n" in value for _, value in lines):
            raise ValueError(f"{action}: a header value holds a line break")
        answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        rows: list[Event] = []
        self._waiting[number], self._lists[number] = answer, rows
        try:
            writer.write(("".join(f"{k}: {v}\r\n" for k, v in lines) + "\r\n").encode())
            async with asyncio.timeout(within):
                return await answer, rows
        except TimeoutError:
            raise WireDown(f"{action}: no answer within {within:g} s") from None
        finally:
            self._waiting.pop(number, None)
            self._lists.pop(number, None)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        block: Event = {}
        try:
            while line := await reader.readline():
                text = line.rstrip(b"\r\n").decode("utf-8", "replace")
                if text:
                    name, _, value = text.partition(": ")
                    name = name.rstrip(":")
                    block[name] = f"{block[name]}\n{value}" if name in block else value
                elif block:
                    done, block = block, {}
                    self._take(done)
        except (ConnectionError, asyncio.LimitOverrunError, ValueError):
            pass
        finally:
            self.gone.set()
            if self._writer is not None:
                self._writer.close()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(WireDown("the connection to AMI ended"))

    def _take(self, block: Event) -> None:
        waiting = self._waiting.get(block.get("ActionID", ""))
        if "Response" in block:
            if waiting is None or waiting.done():
                return
            if block["Response"] == "Error":
                waiting.set_exception(WireRefused(block.get("Message", "refused")))
            elif block.get("EventList") == "start":
                self._lists[block["ActionID"]].append(block)
            else:
                waiting.set_result(block)
        elif waiting is not None and not waiting.done() and self._lists.get(block["ActionID"]):
            rows = self._lists[block["ActionID"]]
            if block.get("EventList") == "Complete":
                waiting.set_result(rows.pop(0))
            else:
                rows.append(block)
        else:
            self._heard(block)
