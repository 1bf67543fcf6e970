"""`cti truth` for the API: the very command, in a process of its own beside the service."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence

import structlog

from cti.errors import NotNow
from cti.home import Home

log = structlog.get_logger(__name__)

SECONDS = 300.0
"""A day of ten thousand calls takes seconds; the whole of Asterisk's files is read whatever is asked."""
NICE = 10
"""Behind the service and Asterisk, which have callers."""
WHOLE = (0, 1)
"""Exit codes with an answer: nothing differs, something does."""


class Recounting:
    """Asked one at a time (``cti.web.truth``): each reads all of queue_log and CDR."""

    def __init__(
        self,
        home: Home,
        words: Sequence[str] = (sys.executable, "-m", "cti", "truth"),
        seconds: float = SECONDS,
    ) -> None:
        """``seconds``: how long one may take."""
        self._home, self._words, self._seconds = home, tuple(words), seconds

    async def __call__(self, since: float, until: float, city: str | None) -> bytes:
        """What ``cti truth --json`` prints. Raises NotNow."""
        # with "=", so that no value is taken for an option
        asked = [f"--from={since:.6f}", f"--to={until:.6f}", "--json", f"--home={self._home.root}"]
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words, *asked, *([f"--city={city}"] if city else []),
                stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe,
            )  # fmt: skip
        except OSError as why:
            raise NotNow(f"the recount does not start: {why}") from None
        try:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
            async with asyncio.timeout(self._seconds):
                out, err = await process.communicate()
        except TimeoutError:
            raise NotNow(
                f"the recount took more than {self._seconds:g} s and was stopped; `cti truth` on the machine "
                "has no such bound"
            ) from None
        finally:
            # also when the service ends meanwhile
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if process.returncode in WHOLE and out:
            return out
        lines = err.decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"]
        log.error("recount failed", code=process.returncode, why=lines[-1][:300])
        raise NotNow(lines[-1][:300])
