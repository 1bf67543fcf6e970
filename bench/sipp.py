"""SIPp as carrier and as the phones of all seats: peers nobody here wrote."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from bench.hotline import CITY, Hotline
from cti.site import seat_password

SCENARIOS = Path(__file__).with_name("scenarios")
SEATS = tuple(str(number) for number in range(2001, 2121))
CARRIER, PHONES = "127.0.0.2", "127.0.0.3"
PHONES_AT, CARRIER_AT = 50, 51
"""Ports above the base: in the lab's part, which is not running."""
SIGNED_ON = 500.0
"""Seconds a registration is good for (REGISTER asks for 600)."""


class SippFailed(Exception):
    """SIPp ended badly; the text says which and how."""


def _command(hotline: Hotline, scenario: Path, host: str, port: int) -> list[str]:
    return [
        # the load goes first, where we may say so (root): a starved SIPp would measure itself
        *("nice", "-n", "-10"),
        *("sipp", f"127.0.0.1:{hotline.ports.sip}", "-sf", str(scenario), "-i", host),
        *("-p", str(hotline.ports.base + port), "-nostdin", "-nd", "-skip_rlimit"),
    ]


@contextlib.asynccontextmanager
async def phones(hotline: Hotline, talk_ms: int) -> AsyncIterator[int]:
    """Every seat of the plan registers with digest and somebody signs in there; then it answers at once and
    hangs up after ``talk_ms``. The service must be running.

    Gives the pid of the SIPp that answers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        who = folder / "seats.csv"
        rows = [f"{CITY}-{seat}" for seat in SEATS]
        lines = [
            f"{row};[authentication username={row} password={seat_password(hotline.home, row)}]"
            for row in rows
        ]
        who.write_text("SEQUENTIAL\n" + "\n".join(lines) + "\n")
        seat = folder / "seat.xml"
        seat.write_text((SCENARIOS / "seat.xml").read_text().replace("TALK", str(talk_ms)))
        signing = _command(hotline, SCENARIOS / "register.xml", PHONES, PHONES_AT)
        signing += ["-inf", str(who), "-r", "200", "-m", str(len(rows)), "-timeout", "20s"]
        signed = await asyncio.create_subprocess_exec(
            *signing, cwd=folder, stdin=DEVNULL, stdout=DEVNULL, stderr=subprocess.PIPE
        )
        _, told = await signed.communicate()
        if signed.returncode:
            raise SippFailed(f"seats did not sign on ({signed.returncode}): {told.decode()[-500:]}")
        answering = await asyncio.create_subprocess_exec(
            *_command(hotline, seat, PHONES, PHONES_AT),
            cwd=folder,
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        try:
            await hotline.sign_in(SEATS)
            yield answering.pid
        finally:
            await _end(answering)


async def calls(hotline: Hotline, numbers: Sequence[str], *, rate: float, count: int) -> None:
    """``count`` calls at ``rate`` a second, to these numbers in turn. Returns when the last is over."""
    with tempfile.TemporaryDirectory() as folder:
        dialled = Path(folder) / "numbers.csv"
        dialled.write_text("SEQUENTIAL\n" + "".join(f"{number};\n" for number in numbers))
        command = _command(hotline, SCENARIOS / "caller.xml", CARRIER, CARRIER_AT)
        # no limit of calls at once: an open system, callers do not wait for each other
        command += ["-inf", str(dialled), "-r", str(round(rate * 10)), "-rp", "10000"]
        command += ["-m", str(count), "-l", "5000"]
        calling = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
        try:
            await calling.wait()
        finally:
            await _end(calling)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
