"""A whole hotline for tests: ``cti up --lab`` as a person starts it, on ports of its own.

Used by the fixtures of tests/live and tests/outage. The processes are real, so whatever is done to them
(kill -9, SIGSTOP) is done by pid; ``House.parts`` reads the pids from the instance's own state file.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cti import asterisk_process
from cti.asterisk_process import Process
from cti.home import Home

ROOT = Path(__file__).parents[1]
READY_WITHIN = 60.0
FIRST, LAST = 13000, 19900
"""Base ports for tests: below every RTP block (20000 and up) and below the kernel's ephemeral ports."""


class NotReady(Exception):
    """The hotline did not come up; the text is the end of what it printed."""


@contextlib.contextmanager
def ports() -> Iterator[int]:
    """A hundred free ports, held against other runs on this machine; CTI_TEST_BASE names them instead."""
    if told := os.environ.get("CTI_TEST_BASE"):
        yield int(told)
        return
    for base in range(FIRST, LAST + 1, 100):
        # a name in the network's own space: a run in another root on the same network is held off too
        with socket.socket(socket.AF_UNIX) as lock:
            try:
                lock.bind(f"\0hotline12345-test-{base}")
            except OSError:
                continue
            if all(_free(base + offset) for offset in (0, 2, 3, 5, 6, 7, 8, 40, 42, 44)):
                yield base
                return
    raise NotReady(f"no hundred free ports between {FIRST} and {LAST}")


def _free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


@dataclass(slots=True)
class House:
    """One running instance."""

    home: Home
    base: int
    supervisor: subprocess.Popen[bytes]

    def parts(self) -> dict[str, Process]:
        """The living processes by name: asterisk, service, lab."""
        told = self.home.state().get("parts", {})
        found = {name: Process(int(p["pid"]), int(p["started"])) for name, p in told.items()}
        return {name: process for name, process in found.items() if process.alive()}

    def cti(self, *words: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a `cti` command on this home."""
        return subprocess.run(
            [sys.executable, "-m", "cti", *words, "--home", str(self.home.root)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    async def answers_again(self, within: float = 20.0) -> None:
        """Wait until the house's Asterisk is up (again). Raises Missing."""
        address = ("127.0.0.1", self.home.ports.ami)
        await asterisk_process.ready(address, "observer", self.home.secrets["ami_observer"], within)

    def asterisk_cli(self, command: str) -> str:
        """A command on the house's Asterisk console, past everything of ours."""
        conf = self.home.asterisk / "etc/asterisk.conf"
        binary = asterisk_process.installed().binary
        answer = subprocess.run(
            [binary, "-C", conf, "-rx", command], capture_output=True, text=True, timeout=20
        )
        return answer.stdout


@contextlib.contextmanager
def running(
    folder: Path, base: int, plans: Sequence[Path] = (ROOT / "plans/demo",), *, listens: bool = False
) -> Iterator[House]:
    """``cti up --lab`` until the block is left. Raises NotReady.

    ``listens``: with recognisers, where there is a model. The others leave the processors to calls.
    """
    log = folder / "up.log"
    hearing = {} if listens else {"CTI_SPEECH": "false"}
    words = [word for plan in plans for word in ("--plan", str(plan))]
    with log.open("ab") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "cti",
                "up",
                "--home",
                str(folder),
                "--base-port",
                str(base),
                "--lab",
                *words,
            ],
            cwd=ROOT,
            env={**os.environ, **hearing},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    house = House(Home(folder), base, process)
    try:
        _wait_until_ready(house, log)
        yield house
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for left in house.parts().values():
            left.signal(signal.SIGCONT)
            left.signal(signal.SIGKILL)


@contextlib.contextmanager
def house_with(folder: Path, *plans: Path) -> Iterator[House]:
    """One with these plans, at home below ``folder``, on ports of its own."""
    home = folder / "home"
    home.mkdir()
    with ports() as base, running(home, base, plans) as up:
        yield up


@contextlib.asynccontextmanager
async def stopped_service(house: House) -> AsyncIterator[None]:
    """The service is there and does nothing: the worst kind of dead. One that the supervisor starts instead
    is stopped before it has linked to Asterisk. Afterwards they go on."""
    held: list[Process] = []

    async def hold() -> None:
        while True:
            service = house.parts().get("service")
            if service is not None and service not in held:
                service.signal(signal.SIGSTOP)
                held.append(service)
            # no event tells a test of a new process
            await asyncio.sleep(0.05)

    holding = asyncio.create_task(hold())
    try:
        yield
    finally:
        holding.cancel()
        for service in held:
            if service.alive():
                service.signal(signal.SIGCONT)


def _wait_until_ready(house: House, log: Path) -> None:
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end:
        if house.supervisor.poll() is not None:
            raise NotReady(f"`cti up` ended with {house.supervisor.returncode}:\n{_end_of(log)}")
        if house.home.state().get("ready"):
            return
        # the state file tells nobody that it changed
        time.sleep(0.1)
    raise NotReady(f"not ready within {READY_WITHIN:g} s:\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    with contextlib.suppress(OSError):
        return log.read_text(errors="replace")[-3000:]
    return ""
