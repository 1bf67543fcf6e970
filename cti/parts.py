"""One supervised process: started or adopted, watched, restarted with back-off.

A part is dead when its pid is gone (pidfd_open(2), also for processes that are not our children) and
frozen when it answers no probe for a while. The count is of consecutive failed probes, not of time, so
that a supervisor that was itself stopped does not kill the healthy on waking.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from cti.asterisk_process import Missing, Process, reap, stop

BACKOFF = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before each restart in a row; the row ends after STEADY seconds of life."""
STEADY = 60.0
PROBE_EVERY = 2.0
PROBE_WITHIN = 3.0


class PartState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    SILENT = "silent"  # alive, does not answer
    DOWN = "down"
    STOPPED = "stopped"


@dataclass(slots=True)
class Part:
    """``launch`` starts the process, ``probe`` asks whether it answers, ``told`` hears each change of state.

    ``frozen_after`` is how many probes in a row may stay unanswered before the process is killed.
    """

    name: str
    launch: Callable[[], Process]
    probe: Callable[[], Awaitable[bool]]
    told: Callable[[Part, str], None]
    frozen_after: int
    running: Process | None = None
    state: PartState = PartState.STOPPED
    adopted: bool = False
    restarts: int = 0

    async def run(self) -> None:
        """Keep it alive until cancelled; leaves the process running (``end`` stops it)."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                self._adopt_or_start()
            except (Missing, OSError) as why:
                self._say(PartState.DOWN, f"does not start: {why}")
            if self.running is not None:
                await self._watch(self.running)
                self.running = None
                self.restarts += 1
            failures = 0 if time.monotonic() - began > STEADY else failures + 1
            await asyncio.sleep(BACKOFF[min(failures, len(BACKOFF)) - 1] if failures else BACKOFF[0])

    async def end(self, patience: float) -> None:
        """Stop the process cleanly, by force after ``patience`` seconds."""
        if self.running is not None:
            await stop(self.running, patience)
            self.running = None
        self._say(PartState.STOPPED, "stopped")

    def _adopt_or_start(self) -> None:
        if self.running is not None and self.running.alive():
            self.adopted = True
            self._say(PartState.STARTING, f"found running (pid {self.running.pid})")
            return
        self.adopted = False
        self.running = self.launch()
        self._say(PartState.STARTING, f"started (pid {self.running.pid})")

    async def _watch(self, process: Process) -> None:
        gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        try:
            fd = os.pidfd_open(process.pid)
        except ProcessLookupError:
            self._say(PartState.DOWN, "died")
            return
        loop.add_reader(fd, gone.set)
        try:
            async with asyncio.TaskGroup() as group:
                probing = group.create_task(self._probe_for_ever(process))
                await gone.wait()
                probing.cancel()
        finally:
            loop.remove_reader(fd)
            os.close(fd)
        reap(process.pid)
        self._say(PartState.DOWN, f"died (pid {process.pid})")

    async def _probe_for_ever(self, process: Process) -> None:
        silent = 0
        while True:
            if await self._answers():
                silent = 0
                if self.state is not PartState.READY:
                    self._say(PartState.READY, "ready")
            elif self.state in (PartState.READY, PartState.SILENT):
                silent += 1
                if silent == 2:
                    self._say(PartState.SILENT, "does not answer")
                if silent >= self.frozen_after:
                    self._say(PartState.SILENT, f"frozen: killed after {silent} unanswered questions")
                    process.signal(signal.SIGKILL)
                    return
            await asyncio.sleep(PROBE_EVERY if self.state is PartState.READY else 0.2)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(PROBE_WITHIN):
                return await self.probe()
        except (TimeoutError, OSError, Missing):
            return False

    def _say(self, state: PartState, text: str) -> None:
        self.state = state
        self.told(self, text)
