"""The bytes of one AMI connection: frames in bounded slices, answers to their actions."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Container
from time import perf_counter

import structlog
from panoramisk.ami_protocol import AMIProtocol

from cti.asterisk.wire.action import Action
from cti.asterisk.wire.frames import END, MAX_FRAME, event_name, headers_of, text_of
from cti.errors import NotNow

log = structlog.get_logger(__name__)

SLICE_FRAMES = 200
SLICE_SECONDS = 0.002
"""After so much of a burst the loop gets its turn: FastAGI lives in the same one and has 0.8 s."""
BANNER = b"Asterisk Call Manager/"


class Protocol(AMIProtocol):  # type: ignore[misc]  # the base comes from panoramisk, which has no type information, so mypy sees Any; extending it is the point
    """panoramisk's AMIProtocol with its reading, sending and closing replaced.

    ``on_event(name, text)`` is called synchronously, in order, for every event whose name is in
    ``wanted`` and that is no part of an answer. What it raises is logged: one bad event must not
    close the link.
    """

    version: str | None
    closed: bool
    responses: dict[str, Action]
    """Actions waiting for (the rest of) their answer, by ActionID."""

    def __init__(self, wanted: Container[bytes], on_event: Callable[[bytes, str], None]) -> None:
        self.wanted, self.on_event = wanted, on_event
        self.greeted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.silent = 0
        """Ticks of the watchdog since the last byte came."""
        self._tail = b""
        self._frames: deque[bytes] = deque()
        self._busy = False

    # --- bytes in ---------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self.silent = 0
        if self._tail:
            data = self._tail + data
        if self.version is None:
            first, found, data_after = data.partition(b"\r\n")
            if not (first + b"\r\n").startswith(BANNER[: len(first)]) or len(first) > 200:
                return self.abort("this port does not speak AMI")
            if not found:
                self._tail = data
                return None
            self.version = version = first.removeprefix(BANNER).decode("ascii", "replace")
            if not self.greeted.done():
                self.greeted.set_result(version)
            data = data_after
        # a frame is decoded whole or not at all: a character cut by a TCP segment stays in the tail
        end = data.rfind(END)
        if end < 0:
            if len(data) > MAX_FRAME:
                return self.abort("an AMI frame without end")
            self._tail = data
            return None
        self._tail = data[end + 4 :]
        self._frames.extend(data[:end].split(END))
        if not self._busy:
            self._work()
        return None

    def _work(self) -> None:
        """Hear frames until none is left or the slice is used up."""
        if self.closed:
            self._frames.clear()
            return
        frames, wanted, on_event = self._frames, self.wanted, self.on_event
        stop = perf_counter() + SLICE_SECONDS
        done = 0
        while frames:
            frame = frames.popleft()
            # event_name, without the call: this line runs for every event of a busy Asterisk
            name = frame[7 : frame.find(b"\r")] if frame.startswith(b"Event: ") else event_name(frame)
            try:
                if (not name or (self.responses and b"\r\nActionID: " in frame)) and self._answer(frame):
                    pass
                elif name in wanted:
                    on_event(name, text_of(frame))
            except Exception:
                log.exception("an AMI event was not understood", event_name=name.decode("ascii", "replace"))
            done += 1
            if not done & 7 and (done >= SLICE_FRAMES or perf_counter() > stop):
                break
        busy, self._busy = self._busy, bool(frames)
        if self._busy:
            if not busy:
                # a bounded backlog: TCP makes Asterisk keep the rest (writetimeout 5 s)
                self.transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._work)
        elif busy and not self.transport.is_closing():
            self.transport.resume_reading()

    def _answer(self, frame: bytes) -> bool:
        """Give a frame to the action it answers. False: nobody waits (any more) for it."""
        headers = headers_of(text_of(frame))
        action = self.responses.get(headers.get("ActionID", ""))
        if action is None:
            return False
        if action.take(headers):
            self.responses.pop(action.id, None)
        return True

    # --- bytes out --------------------------------------------------------------------------

    def send(self, data: Action, as_list: bool | None = None) -> asyncio.Future[object]:
        """Write an action. Nothing is ever sent twice: an unanswered action ends with the link."""
        raw = str(data).encode()
        if self.closed or self.transport.is_closing():
            raise NotNow("no link to Asterisk")
        self.responses[data.id] = data
        self.transport.write(raw)
        future: asyncio.Future[object] = data.future
        return future

    # --- the end ----------------------------------------------------------------------------

    def abort(self, why: str) -> None:
        """Drop the connection now, without waiting for a peer that does not read."""
        self._end(why)
        self.transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._end(f"connection lost: {exc}" if exc else "Asterisk closed the connection")

    def close(self) -> None:
        self._end("closed by us")
        self.transport.close()

    def _end(self, why: str) -> None:
        if self.closed:
            return
        self.closed = True
        for future in (self.greeted, self.lost):
            if not future.done():
                future.set_result("" if future is self.greeted else why)
        for action in list(self.responses.values()):
            if not action.future.done():
                action.future.set_exception(NotNow(f"{action.name}: {why}, outcome unknown"))
                # whoever waits gets it; a ping's answer nobody awaits must not cry at collection
                action.future.exception()
        self.responses.clear()
