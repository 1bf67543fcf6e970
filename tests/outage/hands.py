"""What a test does to the machine: stop, freeze and wake processes, fill the disk, ask the service.

Everything is done by pid, to processes of the instance under test only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from cti.asterisk_process import Process, process
from cti.home import Home
from tests.freezing import strike
from tests.house import House

LOOK = 0.05
"""Seconds between looks at what tells nobody that it changed: /proc, an HTTP answer."""


class NotSo(AssertionError):
    """What had to become true did not; the text says what was seen instead."""


def until(named: str, true: Callable[[], Any], within: float) -> Any:
    """Wait until ``true()`` gives something, and return it. Raises NotSo."""
    end = time.monotonic() + within
    while not (found := true()):
        if time.monotonic() > end:
            raise NotSo(f"{named}: not within {within:g} s")
        time.sleep(LOOK)
    return found


# --- processes -----------------------------------------------------------------------------------------


def living(pid: int) -> Process | None:
    """The process of that pid, if there is one."""
    return process(pid)


def supervisor(home: Home) -> Process:
    told = home.state()["supervisor"]
    return Process(int(told["pid"]), int(told["started"]))


def descendants(pid: int) -> set[int]:
    """Every process below this one."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found: set[int] = set()
    wave = [pid]
    while wave:
        wave = [child for at in wave for child in children.get(at, ())]
        found.update(wave)
    return found


def ours(house: House) -> list[Process]:
    """Everything of ours but Asterisk and the lab: supervisor, service, and any child they have."""
    parts = house.parts()
    spared = {parts[name].pid for name in ("asterisk", "lab")}
    spared |= {below for pid in spared for below in descendants(pid)}
    roots = {supervisor(house.home).pid, parts["service"].pid}
    all_of_us = (roots | {below for pid in roots for below in descendants(pid)}) - spared
    return [found for pid in sorted(all_of_us) if (found := process(pid)) is not None]


@contextlib.contextmanager
def frozen(processes: Iterable[Process]) -> Iterator[None]:
    """SIGSTOP: alive, its sockets open, and it never answers."""
    stopped = list(processes)
    for each in stopped:
        if each.alive():
            strike(each.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in stopped:
            each.signal(signal.SIGCONT)


@contextlib.contextmanager
def without_service(house: House) -> Iterator[None]:
    """The service is dead and stays dead: its supervisor cannot start it again. Afterwards it can."""
    with frozen([supervisor(house.home)]):
        kill(house.parts()["service"])
        yield
    until_ready(house.home)


def opened(pid: int) -> set[Path]:
    """The files this process holds open."""
    found = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(fd.readlink())
    return found


def kill(victim: Process) -> None:
    """kill -9, and wait until it is gone."""
    victim.signal(signal.SIGKILL)
    until(f"process {victim.pid} is gone", lambda: not victim.alive(), 5)


# --- the service, asked over HTTP ------------------------------------------------------------------------


def get(home: Home, path: str, seconds: float = 2.0) -> Any:
    """The service's answer, also when it is not ready; None when it cannot answer now."""
    request = urllib.request.Request(f"http://127.0.0.1:{home.ports.api}{path}")
    request.add_header("Authorization", f"Bearer {home.tokens['operator']}")
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as told:
        if told.code < 500:
            raise NotSo(f"{path}: {told.code} {told.read().decode()}") from None
        return json.loads(told.read()) if path == "/healthz" else None
    except (OSError, ValueError):
        return None


async def answer(home: Home, path: str, within: float = 15.0) -> Any:
    """The service's answer, as soon as it gives one: a busy machine may take longer than ``get`` waits.
    Raises NotSo."""
    return await asyncio.to_thread(until, f"the service answers {path}", lambda: get(home, path), within)


def part_ok(home: Home, name: str) -> bool | None:
    """What /healthz says of one part; None when it does not answer."""
    told = get(home, "/healthz")
    return None if told is None else bool(told["parts"][name]["ok"])


def until_ready(home: Home, within: float = 60.0) -> None:
    """Every part of the service is well."""

    def all_well() -> bool:
        told = get(home, "/healthz")
        return told is not None and all(part["ok"] for part in told["parts"].values())

    until("the service is well", all_well, within)


def history(home: Home, since: float) -> dict[str, list[dict[str, Any]]]:
    """Rows of the calls that arrived since then, by call id."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in get(home, f"/api/history/calls?from={since:.3f}&limit=1000", 5.0) or ():
        rows.setdefault(row["call"], []).append(row)
    return rows


# --- the disk --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def full_disk(house: House, small: bool) -> Iterator[None]:
    """No byte more can be written. ``small``: the home is a small file system of its own, which is filled;
    else the service's own limit (RLIMIT_FSIZE, EFBIG instead of ENOSPC) stands in for it."""
    if small:
        filler = house.home.root / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        try:
            yield
        finally:
            filler.unlink()
        return
    pid = house.parts()["service"].pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[bool]:
    """``folder`` becomes a file system of this size; False where this user may not mount."""
    command = f"mount -t tmpfs -o size={megabytes}m,mode=755 tmpfs {folder}"
    mounted = os.geteuid() == 0 and os.system(f"{command} 2>/dev/null") == 0
    try:
        yield mounted
    finally:
        if mounted:
            os.system(f"umount -l {folder}")
