"""Private servers for tests, in folders of their own: databases by a unix socket only, S3 by loopback."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.freezing import strike

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
            strike(pid, what)

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


@dataclass
class S3(Server):
    """An S3 that keeps all in memory and believes only signed requests; ``keys`` holds those of our user."""

    port: int = 0
    bucket: str = "hotline"
    made: dict[str, str] = field(default_factory=dict)
    """The keys of our user."""
    gives: bool = True
    """A fresh server's keys are written to the file at once."""

    @property
    def keys(self) -> Path:
        return self.folder / "keys.json"

    def start(self) -> None:
        super().start()
        _iam(self.port, Action="CreateUser", UserName="hotline")
        told = _iam(self.port, Action="CreateAccessKey", UserName="hotline")
        may = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
        _iam(self.port, Action="PutUserPolicy", UserName="hotline", PolicyName="s3", PolicyDocument=policy)
        _unsigned(self.port, f"/{self.bucket}", "s3", method="PUT")
        self.made = {
            name: re.findall(rf"<{tag}>(.*?)<", told)[0]
            for name, tag in (("access_key", "AccessKeyId"), ("secret_key", "SecretAccessKey"))
        }
        if self.gives:
            self.give(self.made)
        # from now on every request must be signed
        _unsigned(self.port, "/moto-api/reset-auth", "moto", "POST", b"0")

    def give(self, keys: dict[str, str]) -> None:
        """Write the file that the hotline reads."""
        self.keys.write_text(json.dumps(keys))
        self.keys.chmod(0o600)

    def settings(self, *, seconds: float = 2.0, prefix: str = "recordings") -> dict[str, Any]:
        """What settings.toml says to use this bucket."""
        return {
            "recording_shelf": f"s3://{self.bucket}/{prefix}",
            "recording_shelf_endpoint": self.url,
            "recording_shelf_keys": str(self.keys),
            "recording_shelf_seconds": seconds,
        }


def _unsigned(port: int, path: str, service: str, method: str, data: bytes | None = None) -> str:
    scope = f"x/20260101/us-east-1/{service}/aws4_request"
    named = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    if service != "iam":
        named["Content-Type"] = "text/plain"
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=data, method=method, headers=named)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return str(answer.read().decode())


def _iam(port: int, **query: str) -> str:
    told = urllib.parse.urlencode({"Version": "2010-05-08", **query}).encode()
    return _unsigned(port, "/", "iam", "POST", told)


@contextlib.contextmanager
def s3(port: int) -> Iterator[S3]:
    """moto's server on loopback. What it kept is gone when it is killed; its keys are new ones then."""
    with _folder() as folder:
        asks = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2).close()"
        program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = S3(
            url=f"http://127.0.0.1:{port}",
            argv=program,
            folder=folder,
            ready=[sys.executable, "-c", asks],
            port=port,
        )
        try:
            server.start()
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
