"""One recogniser process seen from the service: orders to it, what it says, and whether it still lives."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

BACKOFF = (0.1, 0.5, 1.0, 2.0, 5.0)
STEADY = 30.0
PING_EVERY = 2.0
SILENT = 10.0
"""Seconds without a sign of life after which a process is taken for frozen and killed."""
STARTING = 60.0
"""The same before it is ready: loading and the first decoding take 2 s, on a machine full of calls ten times
that, and one that is killed meanwhile only begins again."""
LIMIT = 1 << 22


class Hand:
    """``heard`` is called with every line; ``began`` when a process is ready, ``lost`` when one is gone."""

    def __init__(
        self,
        number: int,
        model: Callable[[], Path | None],
        heard: Callable[[Hand, dict[str, Any]], None],
        began: Callable[[Hand], None],
        lost: Callable[[Hand], None],
        of: str = "",
    ) -> None:
        """``of``: what it is for, seen in the process list."""
        self.number = number
        self._of = of
        self.ready = False
        self.why = "starting"
        """Why it is not ready."""
        self.restarts = 0
        self.live: set[str] = set()
        self.late: set[str] = set()
        self._model, self._heard, self._began, self._lost = model, heard, began, lost
        self._process: asyncio.subprocess.Process | None = None
        self._sign = 0.0

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def behind(self) -> int:
        """Bytes of orders that the process has not taken: one that is frozen or overloaded takes none."""
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return 0
        return process.stdin.transport.get_write_buffer_size()

    def say(self, **told: Any) -> None:
        """An order; lost when there is no process (``began`` tells when there is one again)."""
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return
        process.stdin.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")

    async def run(self) -> None:
        """Keep a process alive until cancelled."""
        failures = 0
        while True:
            folder = self._model()
            if folder is None:
                self.why = "没有识别模型 no recogniser's model; get it: cti speech fetch"
                await asyncio.sleep(5.0)
                continue
            began = time.monotonic()
            await self._live_through(folder)
            failures = 0 if time.monotonic() - began > STEADY else failures + 1
            await asyncio.sleep(BACKOFF[min(failures, len(BACKOFF) - 1)])

    async def _live_through(self, folder: Path) -> None:
        words = ("-m", "cti.speech.worker", str(folder), *([self._of] if self._of else []))
        pipe = asyncio.subprocess.PIPE
        try:
            # what it dies of goes to the service's own log
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *words,
                stdin=pipe,
                stdout=pipe,
                limit=LIMIT,
            )
        except OSError as why:
            self.why = str(why)
            return
        self._sign = time.monotonic()
        pinging = asyncio.ensure_future(self._ping(self._process))
        try:
            await self._listen(self._process)
        finally:
            pinging.cancel()
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            code = await self._process.wait()
            log.warning("recogniser ended", worker=self.number, code=code)
            was_ready, self.ready = self.ready, False
            self._process = None
            if was_ready:
                self.why = "ended, starts again"
                self.restarts += 1
                self._lost(self)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self._sign = time.monotonic()
            told = json.loads(line)
            match told["what"]:
                case "ready":
                    self.ready, self.why = True, ""
                    log.info("recogniser ready", worker=self.number, pid=process.pid, model=told["name"])
                    self._began(self)
                case "unable":
                    self.why = told["why"]
                case "pong":
                    continue
                case _:
                    self._heard(self, told)

    async def _ping(self, process: asyncio.subprocess.Process) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(PING_EVERY)
            # while we slept ourselves (SIGSTOP, a suspended machine) we heard nobody
            self._sign += max(0.0, time.monotonic() - began - PING_EVERY)
            self.say(do="ping")
            if time.monotonic() - self._sign > (SILENT if self.ready else STARTING):
                log.error("recogniser frozen, killed", worker=self.number, pid=process.pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
                return
