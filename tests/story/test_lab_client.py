"""Who waits for a line of the phones' log is told by its stamp whether it came in time."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from cti.home import Home
from lab.client import Client, Unheard


class Door(ThreadingTCPServer):
    """A lab that does what it is told, and when ``go`` is set tells of a phone that rang at ``rang``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.rang = 0.0
        self.go, self.told = threading.Event(), threading.Event()


class Visit(StreamRequestHandler):
    server: Door

    def handle(self) -> None:
        self.rfile.readline()
        ringing = threading.Thread(target=self.rings, daemon=True)
        ringing.start()
        for line in self.rfile:
            self.says({"id": json.loads(line)["id"], "ok": None})

    def rings(self) -> None:
        self.server.go.wait(20)
        self.says({"line": {"what": "rings", "phone": "demo-1001", "at": self.server.rang}})
        self.server.told.set()

    def says(self, message: dict[str, object]) -> None:
        self.wfile.write(json.dumps(message).encode() + b"\n")


@pytest.fixture
def door() -> Iterator[Door]:
    with Door() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


async def rings_while_nobody_reads(door: Door, folder: Path) -> str:
    """Waits a tenth of a second for the ring, and has no processor until that is over."""
    home = Home(folder)
    home.state_file.write_text(
        json.dumps({"base_port": door.server_address[1] - home.ports.lab_door + home.ports.base})
    )
    async with Client(home) as client:
        waiting = asyncio.create_task(client.line("1001 rings", lambda x: x["what"] == "rings", 0.1))
        await asyncio.sleep(0)
        door.go.set()
        assert door.told.wait(20)
        threading.Event().wait(0.2)
        return str((await waiting)["phone"])


async def test_a_line_that_came_in_time_is_heard_by_who_had_no_processor_meanwhile(
    door: Door, tmp_path: Path
) -> None:
    door.rang = time.time()
    assert await rings_while_nobody_reads(door, tmp_path) == "demo-1001"


async def test_a_line_that_came_too_late_is_none(door: Door, tmp_path: Path) -> None:
    door.rang = time.time() + 60
    with pytest.raises(Unheard, match=r"1001 rings: not within 0.1 s; instead demo-1001 rings"):
        await rings_while_nobody_reads(door, tmp_path)
