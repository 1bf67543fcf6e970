"""An Asterisk of its own that loads what was rendered, and what it complains of."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cti import asterisk_process
from cti.asterisk_process import Installed
from cti.home import Home, Ports

COMPLAINT = re.compile(r"\] (?:WARNING|ERROR)\[.*")
CHANCE = "registered during operation"
"""pjproject says so once when the first packet goes out before its last module is there. res_pjsip asks each
trunk for the first time at a random moment of its first two seconds, and the modules behind it need some
10 ms more: 1 start of 40 with three trunks, whatever the configuration says."""
STARTS = 3


def complaints(home: Home) -> list[str]:
    """Warnings and errors since this start."""
    return COMPLAINT.findall(_log(home).read_text("utf-8", "replace"))


@asynccontextmanager
async def loaded(home: Home, asterisk: Installed, console: Path) -> AsyncIterator[None]:
    """Asterisk with the configuration of this home, ready. A start that met ``CHANCE`` is made again; what
    complains in ``STARTS`` of them is no chance, and stays."""
    for start in range(1, STARTS + 1):
        conf = home.asterisk / "etc/asterisk.conf"
        process = asterisk_process.start(asterisk, conf, home.asterisk, console)
        try:
            ami = ("127.0.0.1", Ports(home.state()["base_port"]).ami)
            await asterisk_process.ready(ami, "observer", home.secrets["ami_observer"])
            if start == STARTS or not any(CHANCE in told for told in complaints(home)):
                yield
                return
        finally:
            await asterisk_process.stop(process)
        _log(home).unlink()


def _log(home: Home) -> Path:
    return home.asterisk / "log/messages"
