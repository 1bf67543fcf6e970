"""Classic AGI program that Asterisk itself runs when no service answered "where next?".

Needs nothing of ours: no service, no database, no network. It reads the plan's defaults from a small
file that ``cti plan apply`` wrote, tells Asterisk the caller's first place (the same queue as ever), and
leaves a note for the service that comes back. It cannot hang: the kernel ends it after one second.

Copied to where an unprivileged Asterisk may run it, with an interpreter that may be older than ours.
Arguments: call id, city, line, the file of defaults, the folder for notes.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time

SECONDS = 1.0
"""Its whole life. The dialplan's own guard (``failsafe_seconds``) is only a little longer."""


def end_after(seconds: float) -> None:
    """SIGALRM with its default action: no code of ours has to run for the end to come."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    # a child inherits the signal mask of the thread that spawned it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    signal.setitimer(signal.ITIMER_REAL, seconds)


def place(defaults: str, city: str, line: str) -> str:
    """The line's first place, or nothing: then the dialplan takes its own default, the same place."""
    try:
        with open(defaults, encoding="utf-8") as file:
            found = json.load(file)[city][line]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return found if isinstance(found, str) else ""


def note(folder: str, call: str, city: str, line: str) -> None:
    """One file per call. A full disk or a missing folder changes nothing for the caller."""
    name = re.sub(r"[^A-Za-z0-9.-]", "_", call)[:80] or "unknown"
    told = {"call": call, "city": city, "line": line, "at": time.time(), "fault": "no service answered"}
    try:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
            json.dump(told, file)
    except OSError:
        return


class _Quiet:
    """pyst2 tells its whole conversation to stderr; Asterisk's console is no place for it."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return


def main(words: list[str]) -> int:
    end_after(SECONDS)
    sys.path.append("@LIBRARY@")
    from asterisk.agi import AGI, AGIException

    call, city, line, defaults, folder = (words + [""] * 5)[:5]
    try:
        agi = AGI(stderr=_Quiet())
        if answer := place(defaults, city, line):
            agi.set_variable("NEXT", answer)
    except (AGIException, ValueError, OSError):
        return 1
    note(folder, call, city, line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
