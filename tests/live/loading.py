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


def complaints(home: Home) -> list[str]:
    """Warnings and errors since this start."""
    return COMPLAINT.findall((home.asterisk / "log/messages").read_text("utf-8", "replace"))


@contextmanager
def loaded(home: Home, asterisk: Installed, console: Path) -> Iterator[None]:
    """Asterisk with the configuration of this home, ready."""
    process = asterisk_process.start(asterisk, home.asterisk / "etc/asterisk.conf", home.asterisk, console)
    try:
        ami = ("127.0.0.1", Ports(home.state()["base_port"]).ami)
        asyncio.run(asterisk_process.ready(ami, "observer", home.secrets["ami_observer"]))
        yield
    finally:
        asyncio.run(asterisk_process.stop(process))
