"""One Asterisk as a process: where it is installed, as whom it runs, starting, adopting, stopping.

Used for the house's Asterisk and for the lab's. Debian's package runs under its own loader, so the
process name is the loader's: a process is recognised by pid, start time and configuration path,
never by name.
"""

from __future__ import annotations

import asyncio
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from cti import registrations

NOBODY = 65534
"""uid and gid without rights, on Debian and Ubuntu."""
FILES = 65536


class Missing(Exception):
    """Something outside is not there; the text says what, ``remedy`` what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} ({remedy})")
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Installed:
    """An Asterisk that can be started. ``root`` is ``/`` for one that the distribution installed."""

    prefix: Path
    binary: Path
    root: Path
    modules: Path
    share: Path
    version: tuple[int, ...]


def prefix() -> Path:
    """Where set-up unpacks the private Asterisk: CTI_ASTERISK_PREFIX, else beside the default home."""
    if told := os.environ.get("CTI_ASTERISK_PREFIX"):
        return Path(told)
    if os.geteuid() == 0:
        return Path("/var/lib/hotline12345/asterisk-private")
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(data) / "hotline12345" / "asterisk-private"


def installed() -> Installed:
    """The Asterisk that set-up prepared. Raises Missing when there is none or it does not start."""
    where = prefix()
    binary = where / "bin/asterisk"
    if not binary.exists():
        raise Missing(f"no Asterisk in {where}", "run: make run, or sh setup/all.sh")
    answer = subprocess.run([binary, "-V"], capture_output=True, text=True, timeout=20)
    found = re.match(r"Asterisk (?:certified/)?(\d+(?:\.\d+)*)", answer.stdout)
    if not found:
        raise Missing(f"{binary} does not start: {answer.stderr.strip()[:200]}", "run: sh setup/asterisk.sh")
    root = (where / "root").resolve()
    modules = next(iter(sorted(root.glob("usr/lib/*/asterisk/modules"))), root / "usr/lib/asterisk/modules")
    if not modules.is_dir():
        raise Missing(f"no Asterisk modules under {root}/usr/lib", "run: sh setup/asterisk.sh")
    version = tuple(int(n) for n in found[1].split("."))
    return Installed(where, binary, root, modules, root / "usr/share/asterisk", version)


@dataclass(frozen=True, slots=True)
class RunAs:
    """Command prefix and owner for a process without rights; ``note`` tells a person."""

    command: tuple[str, ...]
    owner: int | None
    note: str


def run_as(folder: Path) -> RunAs:
    """Who Asterisk is to be: ourselves, or for root nobody, or root without any capability.

    The last is for a folder that nobody cannot reach (a parent with mode 0700): its owner, uid 0, still
    can, and without capabilities it is an ordinary user that owns root's files.
    """
    if os.geteuid() != 0:
        return RunAs((), None, "as the user who started it")
    if shutil.which("setpriv") is None:
        return RunAs((), None, "as root: setpriv is missing")
    bare = ("setpriv", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs")
    nobody = (*bare, f"--reuid={NOBODY}", f"--regid={NOBODY}")
    folder.mkdir(parents=True, exist_ok=True)
    reach = subprocess.run([*nobody, "test", "-x", str(folder)], capture_output=True)
    if reach.returncode == 0:
        return RunAs(nobody, NOBODY, "as nobody")
    return RunAs(bare, None, f"as root without capabilities: nobody cannot reach {folder}")


def own(folder: Path, who: RunAs) -> None:
    """Give a tree to the process that writes it (only root can and needs to)."""
    if who.owner is None:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, who.owner, who.owner, follow_symlinks=False)
    registrations.own(folder / "db", who.owner)


@dataclass(frozen=True, slots=True)
class Process:
    """A process named so that a re-used pid is not mistaken for it (proc(5), stat field 22)."""

    pid: int
    started: int

    def alive(self) -> bool:
        return _start_time(self.pid) == self.started

    def signal(self, number: int) -> None:
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    async def ended(self, within: float) -> bool:
        """True when it is gone within so many seconds."""
        end = time.monotonic() + within
        while self.alive():
            if time.monotonic() >= end:
                return False
            await asyncio.sleep(0.02)
        return True


def process(pid: int) -> Process | None:
    """The living process of that pid; None when there is none (a zombie counts as gone)."""
    started = _start_time(pid)
    return None if started is None else Process(pid, started)


def _start_time(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def runs(conf: Path, pid: int) -> Process | None:
    """The process ``pid`` if it is an Asterisk with this asterisk.conf."""
    found = process(pid)
    if found is None:
        return None
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    return found if str(conf).encode() in words else None


def _more_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (want, hard))


def start(asterisk: Installed, conf: Path, folder: Path, console: Path, who: RunAs | None = None) -> Process:
    """Start Asterisk in the background, in a session of its own: our death is not its death.

    ``folder`` is what it may write (given to it); ``console`` takes what it prints before its logger runs.
    Start only after an earlier one is gone (``Process.ended``).
    """
    who = who or run_as(folder)
    own(folder, who)
    console.parent.mkdir(parents=True, exist_ok=True)
    with console.open("ab") as out:
        child = subprocess.Popen(
            [*who.command, str(asterisk.binary), "-f", "-C", str(conf)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=folder,
            start_new_session=True,
            preexec_fn=_more_files,
        )
    found = process(child.pid)
    if found is None:
        raise Missing("Asterisk ended at once", f"look at {console}")
    return found


async def ready(ami: tuple[str, int], user: str, secret: str, within: float = 30.0) -> None:
    """Wait until AMI says FullyBooted. Raises Missing after ``within`` seconds or on a refused login."""
    try:
        async with asyncio.timeout(within):
            while not await _fully_booted(ami, user, secret):  # noqa: ASYNC110  # while Asterisk starts nothing listens that could send an event: AMI is tried until it answers
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise Missing(f"Asterisk on port {ami[1]} not ready after {within:g} s", "look at its log") from None


async def _fully_booted(ami: tuple[str, int], user: str, secret: str) -> bool:
    try:
        reader, writer = await asyncio.open_connection(*ami)
    except OSError:
        return False
    try:
        login = f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: system\r\n\r\n"
        writer.write(login.encode())
        while line := await reader.readline():
            if line.startswith(b"Event: FullyBooted"):
                return True
            if b"Authentication failed" in line:
                raise Missing(
                    f"AMI refuses user {user!r}", "another Asterisk listens there, or secrets differ"
                )
        return False
    except ConnectionError:
        return False
    finally:
        writer.close()


async def stop(running: Process, patience: float = 10.0) -> None:
    """SIGTERM (Asterisk: stop now, calls end), SIGKILL after ``patience`` seconds."""
    running.signal(signal.SIGTERM)
    running.signal(signal.SIGCONT)
    if not await running.ended(patience):
        running.signal(signal.SIGKILL)
        await running.ended(5.0)
    reap(running.pid)


def reap(pid: int) -> None:
    """Forget a dead child; somebody else's child is not ours to forget."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
