"""`cti up`: the supervisor of one instance.

Asterisk, the service and the lab are processes of their own, in sessions of their own: when this one
is killed they go on, and the next `cti up` of the same home adopts them.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console

from cti import asterisk_process, plan_folder, registrations
from cti.asterisk_process import Installed, Missing, Process
from cti.home import Home, Ports, write_atomic
from cti.parts import Part, PartState
from cti.settings import Settings
from cti.site import lay_out, site_of


class AlreadyUp(Exception):
    """Another `cti up` holds this home."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asked for."""

    plans: tuple[Path, ...]
    base: int
    lab: bool
    city_rate: str


@dataclass(slots=True)
class Up:
    """One running instance. ``run`` ends on SIGINT or SIGTERM."""

    home: Home
    wanted: Wanted
    settings: Settings
    asterisk: Installed
    console: Console
    parts: dict[str, Part] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    greeted: bool = False
    cities: tuple[str, ...] = ()
    """In the order in which they were first named: the lab's carriers have their addresses by it."""
    state_unwritten: bool = False
    """The disk took no state file: it is tried again each second, as is one that somebody deleted."""

    @property
    def ports(self) -> Ports:
        return Ports(self.wanted.base)

    async def run(self) -> None:
        """Start everything, keep it alive, stop it in order when asked to."""
        before = self.home.state()
        await self._make_room(before)
        self._write_configuration(before)
        self._make_parts(before)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part.run(), name=name) for name, part in self.parts.items()]
            tasks.append(group.create_task(self._status_line()))
            await stop.wait()
            # The next signal is for a person who does not want to wait.
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
            for task in tasks:
                task.cancel()
        self._print("\n停止 stopping …")
        for name in ("lab", "service", "asterisk"):
            if name in self.parts:
                await self.parts[name].end(patience=10.0)
        registrations.put_away(self.home.asterisk / "db")
        self._write_state()

    async def _make_room(self, before: dict[str, Any]) -> None:
        """An Asterisk of this home on other ports cannot be adopted: it has to go first."""
        if before.get("base_port", self.wanted.base) == self.wanted.base:
            return
        for name, found in _living(before):
            self.console.print(f"{name}: runs on other ports (base {before['base_port']}): stopping it")
            await asterisk_process.stop(found)

    def _write_configuration(self, before: dict[str, Any]) -> None:
        for folder in self.wanted.plans:
            plan_folder.keep(self.home, folder)
        known = self.home.cities()
        in_order = [city for city in before.get("cities") or () if city in known]
        self.cities = tuple(p.name for p in self.wanted.plans) or tuple(dict.fromkeys([*in_order, *known]))
        plans = [plan_folder.load(self.home.plan(city)) for city in self.cities]
        lay_out(self.home, self.asterisk)
        site = site_of(self.home, self.ports, self.settings, self.asterisk, plans, lab=self.wanted.lab)
        plan_folder.install(self.home, plans, site, lambda text: self.console.print(f"[yellow]{text}[/]"))

    def _make_parts(self, before: dict[str, Any]) -> None:
        known = dict(_living(before))
        conf = self.home.asterisk / "etc/asterisk.conf"
        who = asterisk_process.run_as(self.home.root)
        for folder in (self.home.recordings, self.home.taps):
            folder.mkdir(parents=True, exist_ok=True)
            if who.owner is not None:
                os.chown(folder, who.owner, who.owner)
        if who.note:
            self.console.print(f"Asterisk {'.'.join(map(str, self.asterisk.version))} runs {who.note}")

        def launch_asterisk() -> Process:
            with contextlib.suppress(OSError):
                # Asterisk makes it with its first call; who was told the path looks before
                self.home.cdr.touch()
            return asterisk_process.start(
                self.asterisk, conf, self.home.asterisk, self.home.logs / "asterisk-console.log", who
            )

        def launch_service() -> Process:
            return _spawn("service", self.home, ["-m", "cti", "serve", "--home", str(self.home.root)])

        def launch_lab() -> Process:
            rate = ["--city-rate", self.wanted.city_rate] if self.wanted.city_rate else []
            return _spawn("lab", self.home, ["-m", "lab", "up", "--home", str(self.home.root), *rate])

        self.parts["asterisk"] = Part("asterisk", launch_asterisk, self._asterisk_answers, self._told, 8)
        self.parts["service"] = Part("service", launch_service, self._service_answers, self._told, 6)
        if self.wanted.lab:
            self.parts["lab"] = Part("lab", launch_lab, self._lab_answers, self._told, 20)
        for name, part in self.parts.items():
            part.running = known.get(name)
        self._write_state()

    async def _asterisk_answers(self) -> bool:
        user, secret = "observer", self.home.secrets["ami_observer"]
        await asterisk_process.ready(("127.0.0.1", self.ports.ami), user, secret, within=2.5)
        return True

    async def _service_answers(self) -> bool:
        health = await _get(f"http://127.0.0.1:{self.ports.api}/healthz", token="")
        return health is not None

    async def _lab_answers(self) -> bool:
        _, writer = await asyncio.open_connection("127.0.0.1", self.ports.lab_door)
        writer.close()
        return True

    def _told(self, part: Part, text: str) -> None:
        colour = {PartState.READY: "green", PartState.DOWN: "red", PartState.SILENT: "yellow"}.get(
            part.state, "dim"
        )
        self._print(f"[{colour}]● {part.name}[/] {text}")
        self._write_state()
        if not self.greeted and all(p.state is PartState.READY for p in self.parts.values()):
            self.greeted = True
            self._write_state()
            self._greet()

    def _print(self, text: str) -> None:
        """For a person. The terminal may be gone, or be a file on a full disk: that stops nothing."""
        with contextlib.suppress(OSError):
            self.console.print(text)

    def _greet(self) -> None:
        low, high = self.settings.rtp_range(self.ports.rtp)
        p = self.ports
        self._print(
            f"[bold green]12345 热线已就绪 ready[/] in {time.monotonic() - self.began:.1f} s\n"
            f"  home {self.home.root}\n"
            f"  ports {p.base}..{p.base + 99}: SIP {p.sip}, AMI {p.ami}, API http://127.0.0.1:{p.api}/, "
            f"FastAGI {p.agi}; RTP {low}..{high}"
            + (f", lab RTP {p.lab_rtp[0]}..{p.lab_rtp[1]}" if self.wanted.lab else "")
            + "\n  试一试 try, from another shell: cti lab call 12345 --for 15s\n"
            "  看 look: cti calls · cti story last · cti doctor      Ctrl-C 停止 stops"
        )

    def _write_state(self) -> None:
        rtp = self.settings.rtp_range(self.ports.rtp)
        state = {
            "base_port": self.wanted.base,
            "lab": self.wanted.lab,
            "cities": list(self.cities),
            "rtp": list(rtp),
            "supervisor": {"pid": os.getpid(), "started": _started(os.getpid())},
            "asterisk_version": ".".join(map(str, self.asterisk.version)),
            "ready": self.greeted,
            "parts": {
                name: {
                    "pid": part.running.pid,
                    "started": part.running.started,
                    "state": str(part.state),
                    "restarts": part.restarts,
                }
                for name, part in self.parts.items()
                if part.running is not None
            },
        }
        try:
            write_atomic(self.home.state_file, json.dumps(state, indent=1) + "\n")
            self.state_unwritten = False
        except OSError:
            # a full disk: the parts are watched and started all the same
            self.state_unwritten = True

    async def _status_line(self) -> None:
        """One line that a person can read, rewritten each second; nothing when output is a file."""
        token = self.home.tokens["observer"]
        while True:
            await asyncio.sleep(1.0)
            if self.state_unwritten or not self.home.state_file.exists():
                self._write_state()
            if not self.console.is_terminal or not self.greeted:
                continue
            calls = await _get(f"http://127.0.0.1:{self.ports.api}/api/calls", token)
            seats = await _get(f"http://127.0.0.1:{self.ports.api}/api/seats", token)
            lamps = " ".join(
                f"{name} {'●' if p.state is PartState.READY else '○'}" for name, p in self.parts.items()
            )
            text = f"{time.strftime('%H:%M:%S')}  {lamps}  " + _counts(calls, seats)
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write("\r\x1b[K" + text[:width])
            sys.stdout.flush()


def _counts(calls: Any, seats: Any) -> str:
    if not isinstance(calls, list) or not isinstance(seats, list):
        return "服务未应答 the service does not answer (calls are still served by Asterisk)"
    waiting = sum(c.get("state") == "waiting" for c in calls)
    talking = sum(c.get("state") == "talking" for c in calls)
    ready = sum(s.get("state") == "ready" for s in seats)
    return (
        f"通话 calls {len(calls)} (等待 waiting {waiting}, 通话中 talking {talking})  "
        f"座席 seats ready {ready}/{len(seats)}"
    )


async def _get(url: str, token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
            session.get(url, headers=headers) as answer,
        ):
            return await answer.json()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None


def _started(pid: int) -> int:
    found = asterisk_process.process(pid)
    return found.started if found else 0


def _living(state: dict[str, Any]) -> Iterator[tuple[str, Process]]:
    parts = state.get("parts")
    if not isinstance(parts, dict):
        return
    for name, told in parts.items():
        found = Process(int(told["pid"]), int(told["started"]))
        if found.alive():
            yield name, found


def _spawn(name: str, home: Home, words: Sequence[str]) -> Process:
    home.logs.mkdir(parents=True, exist_ok=True)
    with (home.logs / f"{name}.log").open("ab") as out:
        child = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    found = asterisk_process.process(child.pid)
    if found is None:
        raise Missing(f"{name} ended at once", f"look at {home.logs / (name + '.log')}")
    return found


@contextlib.contextmanager
def sole(home: Home) -> Iterator[None]:
    """Hold the home: a second `cti up` of it is refused (flock(2), gone with the process)."""
    home.root.mkdir(parents=True, exist_ok=True)
    with home.lock_file.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUp(str(home.root)) from None
        yield
