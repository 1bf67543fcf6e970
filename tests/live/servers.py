"""Private database and Redis servers for tests: in a folder of their own, reached by a unix socket only."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534


@dataclass
class Server:
    """A server process of ours, and how to reach it."""

    url: str
    argv: list[str]
    folder: Path
    ready: list[str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = (self.folder / "server.log").open("ab")
        self.process = subprocess.Popen(self.argv, stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + 30
        while subprocess.run(self.ready, capture_output=True, check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.folder / "server.log").read_text()[-2000:])
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)

    def family(self) -> list[int]:
        """The process and its children: PostgreSQL's backends each lead a session of their own."""
        assert self.process is not None
        found = [self.process.pid]
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                pid, rest = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
                if int(rest[1]) in found:
                    found.append(pid)
        return found

    def tell(self, what: signal.Signals) -> None:
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, what)

    def kill(self) -> None:
        if self.process is not None:
            self.tell(signal.SIGKILL)
            self.process.wait()
            self.process = None


def _unprivileged(argv: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return argv
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *argv]


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    # short: a unix socket's path has less than 108 bytes
    folder = Path(tempfile.mkdtemp(prefix="cti-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgres() -> Iterator[Server]:
    """A PostgreSQL of the newest installed version."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))[-1]
    with _folder() as folder:
        data = str(folder / "data")
        made = [str(programs / "initdb"), "-D", data, "-U", "cti", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(_unprivileged(made), check=True, capture_output=True, cwd=folder)
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
        server = Server(
            url=f"postgresql+asyncpg://cti@/postgres?host={folder}",
            argv=_unprivileged([str(programs / "postgres"), "-D", data, *options]),
            folder=folder,
            ready=[str(programs / "pg_isready"), "-h", str(folder), "-q"],
        )
        server.start()
        try:
            yield server
        finally:
            server.kill()


@contextlib.contextmanager
def redis() -> Iterator[Server]:
    """Debian's redis-server without persistence."""
    with _folder() as folder:
        socket = str(folder / "redis.sock")
        program = shutil.which("redis-server") or "/usr/bin/redis-server"
        options = [
            "--port",
            "0",
            "--unixsocket",
            socket,
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            str(folder),
        ]
        server = Server(
            url=f"unix://{socket}",
            argv=_unprivileged([program, *options]),
            folder=folder,
            ready=["redis-cli", "-s", socket, "ping"],
        )
        server.start()
        try:
            yield server
        finally:
            server.kill()
