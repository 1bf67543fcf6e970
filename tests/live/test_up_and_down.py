"""`cti up` from outside: what doctor tells of it, which ports it takes, that Ctrl-C leaves nothing of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from asterisk.manager import Manager, ManagerException

from cti import doctor
from cti.asterisk_process import process
from cti.home import Home
from lab.scenario import Lab
from tests.house import GONE_WITHIN, OF_HOME, STOPS_WITHIN, House, LeftBehind, ports, running
from tests.live.test_first_call import CHORUS
from tests.outage import hands

SOON = 15.0
"""Seconds to a ready system from the second start on (issue)."""
LISTENS = "0A"
"""State of such a socket in /proc/net/tcp (proc(5))."""


class Bound(NamedTuple):
    """TCP that is listened at, or UDP (``udp``, ``udp6``)."""

    pid: int
    kind: str
    everywhere: bool
    """At every address of the machine."""
    port: int


ANSWER = {
    "ok": bool,
    "home": str,
    "pids": dict,
    "urls": dict,
    "rtp": str,
    "cities": list,
    "paths": dict,
    "ami_observer": dict,
    "carrier_source_ip": str,
    "checks": list,
}
CHECK = {"name": str, "ok": bool, "remedy": str, "detail": str, "needed": bool}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One of its own: it is stopped in between."""
    home = tmp_path_factory.mktemp("home")
    with ports() as base, running(home, base) as up:
        hands.until_ready(up.home)
        yield up


def kinds(told: dict[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in told.items()}


@pytest.fixture(scope="module")
def ready(house: House) -> subprocess.CompletedProcess[str]:
    """Doctor, asked while all is well."""
    return house.cti("doctor", "--json")


def test_doctor_says_where_everything_is_and_there_it_is(
    house: House, ready: subprocess.CompletedProcess[str]
) -> None:
    told = json.loads(ready.stdout)
    assert (ready.returncode, told["ok"]) == (0, True), told["checks"]
    assert kinds(told) == ANSWER
    assert [kinds(row) for row in told["checks"]] == [CHECK] * len(told["checks"])
    assert all(bool(row["remedy"]) is not row["ok"] for row in told["checks"])
    assert set(told["pids"]) == {"supervisor", "asterisk", "service", "lab", "lab_asterisk"}
    assert all(process(pid) for pid in told["pids"].values())
    assert set(told["paths"]) == {"queue_log", "cdr", "journal", "recordings", "tokens"}
    assert not [path for path in told["paths"].values() if not Path(path).exists()]
    assert set(told["urls"]) == {"desk", "api", "sip", "ami", "agi"}
    assert told["urls"]["sip"] == f"127.0.0.1:{house.base}"
    assert told["carrier_source_ip"] == "127.0.0.2"
    assert isinstance(get(told, "/calls"), list)


def test_the_observer_that_doctor_names_may_log_in_to_ami(ready: subprocess.CompletedProcess[str]) -> None:
    told = json.loads(ready.stdout)
    host, _, port = told["urls"]["ami"].partition(":")
    manager = Manager()
    manager.connect(host, int(port))
    assert manager.login(told["ami_observer"]["user"], told["ami_observer"]["secret"])
    # pyst2 logs off first, and trips over Asterisk's having closed the connection in answer
    with contextlib.suppress(ValueError, ManagerException):
        manager.close()


def get(told: dict[str, Any], path: str) -> Any:
    """The API, asked with nothing but what doctor said."""
    token = json.loads(Path(told["paths"]["tokens"]).read_text())["observer"]
    request = urllib.request.Request(told["urls"]["api"] + path, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_doctor_says_no_and_what_to_do_when_the_service_is_dead_and_the_lab_lets_in_and_is_silent(
    house: House,
) -> None:
    with hands.without_service(house), hands.frozen([house.parts()["lab"]]):
        ran = house.cti("doctor", "--json")
    told = json.loads(ran.stdout)
    assert (ran.returncode, told["ok"]) == (1, False)
    assert "service" not in told["pids"]
    remedies = {row["name"]: row["remedy"] for row in told["checks"] if row["needed"] and not row["ok"]}
    assert set(remedies) == {"service process", "service answers", "lab answers"}
    assert all("cti up" in remedy for remedy in remedies.values())


def test_doctor_says_no_when_asterisk_cannot_read_what_callers_should_hear(house: House) -> None:
    closed = "data/sounds/zh/hotline/greeting.sln"
    path = house.home.asterisk / closed
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        ran = house.cti("doctor", "--json")
    finally:
        path.chmod(mode)
    told = json.loads(ran.stdout)
    assert (ran.returncode, told["ok"]) == (1, False)
    [failed] = [row for row in told["checks"] if row["needed"] and not row["ok"]]
    assert failed["name"] == "sounds within reach"
    assert closed.partition("/")[2] in failed["detail"]
    assert "chmod" in failed["remedy"]


async def test_every_port_in_use_during_a_call_is_of_the_hundred_or_of_a_printed_range(
    house: House, city: Lab
) -> None:
    await city.staffed("1001")
    call = await city.caller().dials("12345")
    await city.seat("1001").answers(call, within=CHORUS)
    await call.talks()
    found = taken(house)
    await call.hangs_up()
    printed = house.log.read_text()
    hundred = printed_range("ports", printed)
    sound = printed_range("; RTP", printed), printed_range("lab RTP", printed)
    assert (hundred[0], len(hundred)) == (house.base, 100)
    # what has to be there is seen: a look that finds nothing would prove nothing
    at = house.home.ports
    seen = {(one.kind, one.port) for one in found}
    assert {("udp", at.sip), ("tcp", at.ami), ("tcp", at.api), ("tcp", at.agi), ("tcp", at.lab_door)} <= seen
    assert all(any(kind == "udp" and port in block for kind, port in seen) for block in sound)
    of_sound = {one for one in found if one.kind == "udp" and any(one.port in block for block in sound)}
    others = {one for one in found - of_sound if one.port not in hundred}
    # pjproject asks name servers from a port that the kernel chooses, of IPv4 and of IPv6; no setting ends it
    told = doctor.pids(house.home)
    asks = {one for one in others if one.pid in (told["asterisk"], told["lab_asterisk"]) and one.everywhere}
    assert others == asks
    assert len(others) == len({(one.pid, one.kind) for one in others if one.kind in ("udp", "udp6")})


def printed_range(named: str, text: str) -> range:
    """``ports 13000..13099`` of what a person reads; lines are broken anywhere."""
    told = re.search(named.replace(" ", r"\s+") + r"\s+(\d+)\.\.(\d+)", text)
    assert told, text
    return range(int(told[1]), int(told[2]) + 1)


def taken(house: House) -> set[Bound]:
    """Every TCP port that a process of this home listens at, and every UDP port it has."""
    known = dict(sockets())
    found = set()
    for each in house.everything():
        try:
            for fd in Path(f"/proc/{each.pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if (bound := known.get(os.readlink(fd))) is not None:
                        found.add(bound._replace(pid=each.pid))
        except FileNotFoundError:
            continue  # has ended
        except PermissionError:
            pytest.skip("by design: here even root may not see which sockets are nobody's (CAP_SYS_PTRACE)")
    return found


def sockets() -> Iterator[tuple[str, Bound]]:
    """All of this machine, by the name that a process's open files have for them."""
    for name in ("tcp", "tcp6", "udp", "udp6"):
        # the second of each is not there without IPv6
        with contextlib.suppress(FileNotFoundError):
            for line in Path("/proc/net", name).read_text().splitlines()[1:]:
                words = line.split()
                address, _, port = words[1].rpartition(":")
                if name.startswith("udp") or words[3] == LISTENS:
                    yield f"socket:[{words[9]}]", Bound(0, name, not address.strip("0"), int(port, 16))


async def test_ctrl_c_during_a_call_leaves_nothing_and_the_same_home_is_soon_ready_again(
    house: House, full_size: bool
) -> None:
    async with Lab(house.home) as place:
        call = await place.caller().dials("12345")
        await call.is_answered()
        there = house.everything()
        assert {each.pid for each in there} >= set(doctor.pids(house.home).values())
        before = {(one.kind, one.port) for one in taken(house) if one.port - house.base in range(100)}
        # a terminal's Ctrl-C goes to the whole group
        os.killpg(house.supervisor.pid, signal.SIGINT)
        assert await asyncio.to_thread(house.supervisor.wait, STOPS_WITHIN) == 0
    await asyncio.to_thread(
        hands.until,
        "nothing of it lives",
        lambda: not house.everything() and not any(each.alive() for each in there),
        GONE_WITHIN,
    )
    assert before
    assert not before & {(one.kind, one.port) for _, one in sockets()}

    began = time.monotonic()
    await asyncio.to_thread(house.up_again)
    await asyncio.to_thread(hands.until_ready, house.home)
    seconds = time.monotonic() - began
    # a figure of an idle machine: `make test` has four hotlines on it
    assert seconds < SOON or not full_size, f"{seconds:.1f} s"


def test_a_hotline_that_leaves_a_process_behind_does_not_go_unnoticed(tmp_path: Path) -> None:
    of_home = os.environ | {OF_HOME: str(tmp_path)}
    with (
        subprocess.Popen(["sleep", "600"]) as supervisor,
        subprocess.Popen(["sleep", "600"], env=of_home) as child,
    ):
        try:
            with pytest.raises(LeftBehind, match=f"left behind: {child.pid} sleep 600"):
                House(Home(tmp_path), 0, supervisor).stop()
            assert child.wait(5) == -signal.SIGKILL
        finally:
            supervisor.kill()
            child.kill()
