"""A hotline to measure: a real Asterisk and the real service, whose processes the bench holds itself.

``cti up`` brings both up as for anybody; then its supervisor is killed, so that a stopped service stays
stopped. Both are sessions of their own and go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cti import asterisk_process
from cti.asterisk_process import Process
from cti.home import Home, Ports
from lab.wire import Wire

ROOT = Path(__file__).parents[1]
PLAN = ROOT / "bench" / "plan" / "load"
CITY = "load"
QUEUE = f"{CITY}-many"
READY_WITHIN = 60.0
TICK = os.sysconf("SC_CLK_TCK")
REST = 5
"""Seconds for which the dialplan believes an ASK_AGAIN_AT (asterisk_conf.site, ``skip_seconds``)."""


class NotReady(Exception):
    """The hotline did not come up; the text is the end of its log."""


@dataclass(slots=True)
class Hotline:
    """One running instance without a supervisor."""

    home: Home
    asterisk: Process
    service: Process | None
    _rest: asyncio.Task[None] | None = None

    @property
    def ports(self) -> Ports:
        return self.home.ports

    async def start_service(self) -> None:
        """Start it and wait until it is linked and answers questions."""
        child = _cti(self.home.logs / "service.log", "serve", "--home", str(self.home.root))
        self.service = asterisk_process.process(child.pid)
        async with asyncio.timeout(READY_WITHIN):
            while not await asyncio.to_thread(self._healthy):  # noqa: ASYNC110  # the service is another process: it can only be asked, over HTTP
                await asyncio.sleep(0.1)

    async def stop_service(self) -> None:
        """End it. Callers go on without advice."""
        if self.service is not None:
            await asterisk_process.stop(self.service)
            self.service = None

    async def asks(self, yes: bool) -> None:
        """The dialplan asks as it always does, or (no) nobody until it is told otherwise."""
        if self._rest is not None:
            self._rest.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._rest
            self._rest = None
        wire = Wire(lambda event: None)
        address = ("127.0.0.1", self.ports.ami)
        await asterisk_process.ready(address, "service", self.home.secrets["ami_service"])
        await wire.connect(*address, "service", self.home.secrets["ami_service"], "off")
        await wire.ask("Setvar", Variable="ASK_AGAIN_AT", Value=0 if yes else int(time.time()) + REST)
        if yes:
            await wire.close()
        else:
            self._rest = asyncio.create_task(_rest_on(wire), name="nobody asks")

    async def sign_in(self, seats: Sequence[str]) -> None:
        """Somebody sits at each of these seats, and stays when the service ends: Asterisk keeps its members.
        The service must be running. Raises urllib.error.URLError."""
        token = json.loads(self.home.tokens_file.read_text())["operator"]
        for seat in seats:
            asked = urllib.request.Request(
                f"http://127.0.0.1:{self.ports.api}/api/seats/{seat}/sign-in",
                data=json.dumps({"city": CITY, "agent": seat}).encode(),
                headers={"Authorization": f"Bearer {token}"},
            )
            answer = await asyncio.to_thread(urllib.request.urlopen, asked, timeout=10)
            answer.close()

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports.api}/healthz", timeout=2) as answer:
                return json.load(answer).get("ok") is not False
        except (OSError, urllib.error.URLError, ValueError):
            return False


async def _rest_on(wire: Wire) -> None:
    """Until cancelled."""
    try:
        while True:
            await asyncio.sleep(1.0)
            await wire.ask("Setvar", Variable="ASK_AGAIN_AT", Value=int(time.time()) + REST)
    finally:
        await wire.close()


def cpu_seconds(process: Process) -> float:
    """User and system time so far (proc(5), stat fields 14 and 15)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def busy_seconds() -> float:
    """CPU seconds of everybody on this machine so far (proc(5), stat): user, nice, system, interrupts."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return sum(int(fields[i]) for i in (1, 2, 3, 6, 7)) / TICK


def memory_mib(process: Process) -> tuple[float, float]:
    """Resident now and at most so far (proc(5), status)."""
    told = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    return int(told["VmRSS"].split()[0]) / 1024, int(told["VmHWM"].split()[0]) / 1024


@contextlib.asynccontextmanager
async def running(plan: Path = PLAN) -> AsyncIterator[Hotline]:
    """A fresh hotline until the block is left; its folder goes with it unless ``CTI_BENCH_HOME`` names one.

    On the first free ports from 17000 on, or on those of ``CTI_BENCH_BASE``."""
    base = int(os.environ.get("CTI_BENCH_BASE", "0")) or _free_base()
    told = os.environ.get("CTI_BENCH_HOME")
    folder = Path(told or tempfile.mkdtemp(prefix="hotline12345-bench-"))
    _furnish(folder, base)
    this = asyncio.current_task()
    if this is not None:
        # nothing that was started here may outlive a bench that is told to end
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    hotline = await _up(folder, base, plan)
    try:
        yield hotline
    finally:
        await hotline.stop_service()
        await asterisk_process.stop(hotline.asterisk)
        if told is None:
            shutil.rmtree(folder, ignore_errors=True)


def _free_base() -> int:
    for base in range(17000, 17901, 100):
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            sip = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sip.bind(("127.0.0.1", base))
            ami = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            ami.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            ami.bind(("127.0.0.1", Ports(base).ami))
            return base
    raise NotReady("no free ports from 17000 on")


def _furnish(folder: Path, base: int) -> None:
    # nobody (Asterisk) must get through mkdtemp's 0700
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    # no lab here: its half of the RTP block is ours too
    low, high = Ports(base).rtp[0], Ports(base).lab_rtp[1]
    # nobody speaks here: recognisers that follow silence would only be measured as ours
    (folder / "settings.toml").write_text(f'rtp = "{low}-{high}"\nspeech = false\n')
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _cti(log: Path, *words: str) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "cti", *words],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


async def _up(folder: Path, base: int, plan: Path) -> Hotline:
    log = folder / "up.log"
    words = ("up", "--home", str(folder), "--base-port", str(base), "--plan", str(plan))
    supervisor = _cti(log, *words)
    home = Home(folder)
    try:
        async with asyncio.timeout(READY_WITHIN):
            # the state file tells nobody that it changed
            while not home.state().get("ready"):
                if supervisor.poll() is not None:
                    raise NotReady(log.read_text(errors="replace")[-2000:])
                await asyncio.sleep(0.1)
    except TimeoutError:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(timeout=40)
        raise NotReady(log.read_text(errors="replace")[-2000:]) from None
    supervisor.kill()
    supervisor.wait()
    parts = home.state()["parts"]
    asterisk, service = (
        Process(int(parts[name]["pid"]), int(parts[name]["started"])) for name in ("asterisk", "service")
    )
    return Hotline(home, asterisk, service)
