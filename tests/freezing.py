"""Stopping a process so that it has stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

WITHIN = 5.0


def strike(pid: int, blow: int) -> None:
    """Send a signal; one that stops has stopped every thread when this returns.

    Linux stops a process when one of its threads next runs: on a busy machine the others go on for some
    milliseconds, and answer. A process that is gone is fine. Raises TimeoutError.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, blow)
    end = time.monotonic() + WITHIN
    while blow == signal.SIGSTOP and not _stopped(pid):
        if time.monotonic() > end:
            raise TimeoutError(f"{pid} runs {WITHIN:g} s after it was stopped")
        time.sleep(0.001)


def _stopped(pid: int) -> bool:
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        # a thread, or the process, may end while we look
        with contextlib.suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[0] not in "TtZX":
                return False
    return True
