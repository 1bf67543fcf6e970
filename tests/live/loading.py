"""An Asterisk of its own that loads what was rendered, and what it complains of."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cti import asterisk_process
from cti.asterisk_process import Installed
from cti.home import Home, Ports

COMPLAINT = re.compile(r"\] (?:WARNING|ERROR)\[.*")
CHANCE = re.compile(
    r"\] WARNING\[\d+\] pjproject:\s+sip_endpoint\.c Warning: Module \"[\w ]+\" registered during operation\."
    r" Enable PJSIP_SAFE_MODULE to prevent race condition\."
)
"""pjproject says it of a module of Asterisk's own that joins it when a packet has gone out already. Asterisk
asks each trunk for the first time at a moment that it draws from the first two seconds (res_pjsip's options),
and those modules come some 10 ms after res_pjsip: one start of 40 has it, whatever the configuration says,
more on a busy machine. No setting draws that moment later."""
STARTS = 6


def complaints(home: Home) -> list[str]:
    """Warnings and errors since this start."""
    return COMPLAINT.findall(_log(home).read_text("utf-8", "replace"))


@contextmanager
def loaded(home: Home, asterisk: Installed, console: Path) -> Iterator[None]:
    """Asterisk with the configuration of this home, ready. A start that has ``CHANCE``, and nothing else to
    complain of, is made once more; the last one stands as it is."""
    for start in range(1, STARTS + 1):
        conf = home.asterisk / "etc/asterisk.conf"
        process = asterisk_process.start(asterisk, conf, home.asterisk, console)
        try:
            ami = ("127.0.0.1", Ports(home.state()["base_port"]).ami)
            asyncio.run(asterisk_process.ready(ami, "observer", home.secrets["ami_observer"]))
            told = complaints(home)
            if start == STARTS or not told or not all(map(CHANCE.fullmatch, told)):
                yield
                return
        finally:
            asyncio.run(asterisk_process.stop(process))
        _log(home).unlink()


def _log(home: Home) -> Path:
    return home.asterisk / "log/messages"
