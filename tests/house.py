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
from cti.asterisk_process import Process, process
from cti.home import Home, Ports
from tests.freezing import strike

ROOT = Path(__file__).parents[1]
READY_WITHIN = 60.0
STOPS_WITHIN = 40.0
GONE_WITHIN = 5.0
OF_HOME = "HOTLINE_TEST_HOME"
"""In the environment of everything that a test's ``cti up`` starts: whose it is."""
FIRST, LAST = 13000, 19900
"""Base ports for tests: below every RTP block (20000 and up) and below the kernel's ephemeral ports."""


class NotReady(Exception):
    """The hotline did not come up; the text is the end of what it printed."""


class LeftBehind(Exception):
    """The hotline did not end as it should; the text says what was left, and the end of what it printed."""


@contextlib.contextmanager
def ports() -> Iterator[int]:
    """A hundred free ports, held against other runs on this machine; CTI_TEST_BASE names them instead."""
    if told := os.environ.get("CTI_TEST_BASE"):
        yield int(told)
        return
    with _hundred(range(FIRST, LAST + 1, 100)) as base:
        yield base


@contextlib.contextmanager
def api_port() -> Iterator[int]:
    """A free port that nobody gets in between, where a home has its API. One that the kernel gives
    away is gone with the next connection that anybody on this machine makes before we listen there."""
    if told := os.environ.get("CTI_TEST_BASE"):
        # beside the hotlines of who told the ports by hand
        held = _hundred(range(int(told) + 500, int(told) + 1000, 100))
    else:
        held = ports()
    with held as base:
        yield base + API


@contextlib.contextmanager
def _hundred(bases: Sequence[int]) -> Iterator[int]:
    """The first of these hundreds that nobody holds and nobody listens in."""
    for base in bases:
        # a name in the network's own space: a run in another root on the same network is held off too
        with socket.socket(socket.AF_UNIX) as lock:
            try:
                lock.bind(f"\0hotline12345-test-{base}")
            except OSError:
                continue
            if all(_free(base + offset) for offset in (0, 2, 3, 5, 6, 7, 8, 40, 42, 44)):
                yield base
                return
    raise NotReady(f"no hundred free ports between {bases[0]} and {bases[-1]}")


API = Ports(0).api


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
    listens: bool = False

    @property
    def log(self) -> Path:
        """What `cti up` printed."""
        return self.home.root / "up.log"

    def until_ready(self) -> None:
        """Wait until our supervisor says so. Raises NotReady."""
        end = time.monotonic() + READY_WITHIN
        while time.monotonic() < end:
            if self.supervisor.poll() is not None:
                raise NotReady(f"`cti up` ended with {self.supervisor.returncode}:\n{_end_of(self.log)}")
            state = self.home.state()
            # until it writes its own, the state is its forerunner's
            if state.get("ready") and state["supervisor"]["pid"] == self.supervisor.pid:
                return
            # the state file tells nobody that it changed
            time.sleep(0.1)
        raise NotReady(f"not ready within {READY_WITHIN:g} s:\n{_end_of(self.log)}")

    def up_again(self) -> None:
        """``cti up`` once more on the same home, as a person would."""
        self.supervisor = _cti_up(self.home.root, listens=self.listens)
        self.until_ready()

    def everything(self) -> list[Process]:
        """Every living process of this home, also one whose parent is gone: it inherited the home's name."""
        mark = OF_HOME.encode() + b"=" + os.fsencode(self.home.root)
        confs = [folder / "etc/asterisk.conf" for folder in (self.home.asterisk, self.home.lab)]
        found = []
        for pid in (int(folder.name) for folder in Path("/proc").glob("[0-9]*")):
            around = b""
            # gone; or nobody's (Asterisk's), which not every root may read
            with contextlib.suppress(OSError):
                around = Path(f"/proc/{pid}/environ").read_bytes()
            if mark in around.split(b"\0"):
                found.append(process(pid))
            else:
                found += [asterisk_process.runs(conf, pid) for conf in confs]
        return [each for each in found if each is not None]

    def parts(self) -> dict[str, Process]:
        """The living processes by name: asterisk, service, lab."""
        told = self.home.state().get("parts", {})
        found = {name: Process(int(p["pid"]), int(p["started"])) for name, p in told.items()}
        return {name: process for name, process in found.items() if process.alive()}

    def stop(self) -> None:
        """Tell it to end and see that it did. Raises LeftBehind, when what was left has been killed."""
        faults = []
        if self.supervisor.poll() is None:
            self.supervisor.send_signal(signal.SIGTERM)
            try:
                if code := self.supervisor.wait(timeout=STOPS_WITHIN):
                    faults.append(f"`cti up` ended with {code}")
            except subprocess.TimeoutExpired:
                faults.append(f"`cti up` had not ended after {STOPS_WITHIN:g} s")
        end = time.monotonic() + GONE_WITHIN
        # what nobody waits for (a recogniser whose service has gone) ends by itself, and tells nobody
        while (left := self.everything()) and not faults and time.monotonic() < end:
            time.sleep(0.05)
        for each in left:
            faults.append(f"left behind: {each.pid} {_command_line(each.pid)}")
            each.signal(signal.SIGCONT)
            each.signal(signal.SIGKILL)
        if faults:
            raise LeftBehind("\n".join((*faults, _end_of(self.log))))

    def cti(self, *words: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a `cti` command on this home."""
        return subprocess.run(
            [sys.executable, "-m", "cti", *words, "--home", str(self.home.root)],
            cwd=ROOT,
            env={**os.environ, OF_HOME: str(self.home.root)},
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
    """``cti up --lab`` until the block is left. Raises NotReady, LeftBehind.

    ``listens``: with recognisers, where there is a model. The others leave the processors to calls.
    """
    words = [word for plan in plans for word in ("--plan", str(plan))]
    house = House(
        Home(folder), base, _cti_up(folder, "--base-port", str(base), *words, listens=listens), listens
    )
    try:
        house.until_ready()
        yield house
    finally:
        house.stop()


def _cti_up(folder: Path, *words: str, listens: bool) -> subprocess.Popen[bytes]:
    """``cti up --lab`` of this home; what it prints is in ``up.log``."""
    hearing = {} if listens else {"CTI_SPEECH": "false"}
    with (folder / "up.log").open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "cti", "up", "--home", str(folder), "--lab", *words],
            cwd=ROOT,
            env={**os.environ, **hearing, OF_HOME: str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def _command_line(pid: int) -> str:
    """What a process was started with; empty when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


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

    def stop() -> None:
        service = house.parts().get("service")
        if service is not None and service not in held:
            strike(service.pid, signal.SIGSTOP)
            held.append(service)

    async def hold() -> None:
        while True:
            # no event tells a test of a new process
            await asyncio.sleep(0.05)
            stop()

    # whoever enters the block finds it stopped
    stop()
    holding = asyncio.create_task(hold())
    try:
        yield
    finally:
        holding.cancel()
        for service in held:
            if service.alive():
                service.signal(signal.SIGCONT)


def _end_of(log: Path) -> str:
    with contextlib.suppress(OSError):
        return log.read_text(errors="replace")[-3000:]
    return ""
