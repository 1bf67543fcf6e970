"""What is there, what is missing, what to do about it: `cti doctor`.

Doctor looks from outside (pids, ports, HTTP, AMI, files), so that it is right when the service is
dead or lies.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from cti import asterisk_process, plan_folder, within_reach
from cti.asterisk.wire.connection import Connection
from cti.asterisk_process import Missing
from cti.errors import Broken, NotNow, Refused
from cti.home import Home
from cti.settings import BadSettings, Settings, read
from cti.shelf import trial
from cti.shelf.chosen import Chosen
from cti.speech import where

LAB_CARRIER = "127.0.0.2"
"""Where the lab's first carrier sends from; a test peer that wants to be that carrier binds it too."""
LOW_DISK = 512 << 20
LACKS_SHOWN = 4
AMI_SECONDS = 5.0
LAB_SECONDS = 5.0
LAB_ANSWER = 1 << 20
"""Bytes at most: a line for each phone and number."""
REMEDIES = {
    "asterisk": "look at asterisk/log/messages in the home; cti up restarts a dead one",
    "journal": "make room on the disk of the home; calls go on meanwhile",
    "database": "start the database, or mend `database` in settings.toml; the journal keeps everything",
    "shelf": "cti doctor tries it; recordings wait on disk meanwhile",
    "redis": "start Redis, or mend `redis` in settings.toml; calls do not need it",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. ``need``: without it the system is not ready."""

    name: str
    ok: bool
    remedy: str = ""
    detail: str = ""
    need: bool = True
    outside: bool = False
    """It is the machine that lacks something, not the instance."""


def machine_checks(home: Home) -> list[Check]:
    """What set-up should have brought; nothing of the instance needs to run for these."""
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    found = [
        Check("python", good, "use Python 3.11, 3.12 or 3.13", sys.version.split()[0], outside=True),
        _asterisk_check(),
        _failsafe_check(),
        _disk_check(home),
        _settings_check(home),
        _speech_check(home),
        _voice_check(home),
        *_reach_checks(home),
    ]
    if os.geteuid() == 0:
        has = shutil.which("setpriv") is not None
        found.append(
            Check("setpriv", has, "apt-get install util-linux", "Asterisk runs without rights", need=False)
        )
    return found


def _asterisk_check() -> Check:
    try:
        found = asterisk_process.installed()
    except Missing as why:
        return Check("asterisk installed", False, why.remedy, str(why), outside=True)
    version = ".".join(map(str, found.version))
    return Check("asterisk installed", found.version >= (18,), "sh setup/asterisk.sh", version, outside=True)


def _failsafe_check() -> Check:
    """Asterisk starts an interpreter itself when FastAGI fails; it must be able to (decision 3)."""
    env = asterisk_process.prefix() / "agi.env"
    told = _env(env)
    interpreter, library = told.get("AGI_PYTHON", ""), told.get("AGI_LIB", "")
    if not interpreter:
        return Check(
            "failsafe interpreter", False, "sh setup/asterisk.sh", f"nothing said in {env}", need=False
        )
    command = [interpreter, "-c", "import asterisk.agi"]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        nobody = str(asterisk_process.NOBODY)
        command = ["setpriv", f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups", *command]
    try:
        ran = subprocess.run(command, env={"PYTHONPATH": library}, capture_output=True, timeout=20, cwd="/")
    except (OSError, subprocess.TimeoutExpired) as why:
        return Check("failsafe interpreter", False, "sh setup/asterisk.sh", str(why), need=False)
    said = "".join(ran.stderr.decode(errors="replace").strip().splitlines()[-1:]) or interpreter
    return Check("failsafe interpreter", ran.returncode == 0, "sh setup/agi.sh", said, need=False)


def _reach_checks(home: Home) -> list[Check]:
    """What Asterisk plays and starts, looked at as the user it runs as (decision 3).

    A hotline whose callers do not hear what they should is not ready, though it answers.
    """
    if not within_reach.configured(home):
        return []
    found = []
    looks = {"sounds within reach": within_reach.sounds, "programs within reach": within_reach.programs}
    for name, look in looks.items():
        try:
            lacks = look(home)
        except NotNow as why:
            found.append(Check(name, False, "apt-get install util-linux", str(why), need=False))
            continue
        more = [f"and {len(lacks) - LACKS_SHOWN} more"] if len(lacks) > LACKS_SHOWN else []
        detail = ", ".join([lack.what for lack in lacks[:LACKS_SHOWN]] + more)
        remedy = "; ".join(dict.fromkeys(lack.remedy for lack in lacks))
        found.append(Check(name, not lacks, remedy, detail, need=any(lack.heard for lack in lacks)))
    return found


def _env(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key.strip(): value.strip().strip("'\"") for key, _, value in pairs}


def _disk_check(home: Home) -> Check:
    home.root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home.root).free
    return Check("disk", free > LOW_DISK, f"free some room under {home.root}", f"{free >> 20} MiB free")


def _settings_check(home: Home) -> Check:
    try:
        read(home)
    except BadSettings as why:
        return Check("settings", False, f"mend {home.settings_file}", str(why))
    return Check("settings", True)


def _speech_check(home: Home) -> Check:
    try:
        told = read(home).speech_model
    except BadSettings:
        told = ""  # said by its own check
    there = where.model(told, home.models)
    detail = (
        str(there) if there else "没有识别模型 no recogniser's model: no live text; everything else works"
    )
    return Check("speech model (vosk zh)", there is not None, "cti speech fetch", detail, need=False)


def _voice_check(home: Home) -> Check:
    there = where.voice(home.models).is_dir()
    detail = "there" if there else "not there: everything else works"
    return Check("voice model (kokoro)", there, "cti prompts fetch", detail, need=False)


async def _looked(home: Home, settings: Settings) -> list[Check]:
    return [*(await shelf_checks(home, settings)), *(await instance_checks(home, settings))]


async def shelf_checks(home: Home, settings: Settings) -> list[Check]:
    """A file is put on the shelf, read back and removed; nothing where none is configured."""
    if not settings.recording_shelf:
        return []
    remedy = "mend `recording_shelf…` in settings.toml or its keys' file; recordings wait on disk meanwhile"
    try:
        detail = await trial.tried(Chosen(home, settings)())
    except (NotNow, Refused, Broken, OSError) as why:
        return [Check("recording shelf", False, remedy, str(why), need=False, outside=True)]
    return [Check("recording shelf", True, detail=detail, need=False)]


async def instance_checks(home: Home, settings: Settings) -> list[Check]:
    """What runs and answers now."""
    state = home.state()
    if not state:
        return [Check("running", False, "cti up --lab", "nothing was ever started in this home")]
    found = [Check("supervisor", "supervisor" in pids(home), "cti up")]
    wanted = ["asterisk", "service", *(["lab"] if state.get("lab") else [])]
    living = pids(home)
    for name in wanted:
        remedy = f"cti up; its log: {home.logs / (name + '.log')}"
        found.append(Check(f"{name} process", name in living, remedy))
    if state.get("lab"):
        found.append(await _lab_check(home))
    found += [await _ami_check(home, settings), *(await _health_checks(home)), *(await _trunk_checks(home))]
    return found


async def _ami_check(home: Home, settings: Settings) -> Check:
    address = ("127.0.0.1", home.ports.ami)
    try:
        await asterisk_process.ready(address, "observer", home.secrets["ami_observer"], within=AMI_SECONDS)
    except Missing as why:
        return Check("AMI answers", False, why.remedy, str(why))
    return Check("AMI answers", True, detail=f"{address[0]}:{address[1]}")


async def _lab_check(home: Home) -> Check:
    """Its door opens later than it starts, when its phones are there; a frozen one lets in and is silent."""
    remedy = f"wait while it starts, else cti up --lab; its log: {home.logs / 'lab.log'}"
    try:
        async with asyncio.timeout(LAB_SECONDS):
            phones = await _lab_phones(home)
    except (OSError, TimeoutError, ValueError, LookupError) as why:
        return Check("lab answers", False, remedy, str(why) or type(why).__name__)
    return Check("lab answers", True, detail=f"{sum(phones.values())} of {len(phones)} phones registered")


async def _lab_phones(home: Home) -> dict[str, bool]:
    reader, writer = await asyncio.open_connection("127.0.0.1", home.ports.lab_door, limit=LAB_ANSWER)
    try:
        for told in ({"secret": home.secrets["lab_ami"]}, {"id": 1, "do": "status"}):
            writer.write(json.dumps(told).encode() + b"\n")
        phones: dict[str, bool] = json.loads(await reader.readline())["ok"]["phones"]
        return phones
    finally:
        writer.close()


async def _trunk_checks(home: Home) -> list[Check]:
    """Whether the other end of each trunk with ``out`` answers OPTIONS (Asterisk asks every 2 s). Of a trunk
    that only brings calls nobody can tell."""
    trunks: list[tuple[str, str]] = []
    for city in home.cities():
        with contextlib.suppress(plan_folder.BadPlan, OSError):
            trunks += [(city, trunk) for trunk in plan_folder.load(home.plan(city)).trunks]
    connection = Connection(
        ("127.0.0.1", home.ports.ami), "service", home.secrets["ami_service"], frozenset(), _unheard
    )
    found = []
    try:
        await connection.open()
        for city, trunk in trunks:
            asked = {"Action": "PJSIPShowEndpoint", "Endpoint": f"{city}-{trunk}"}
            told = await connection.ask(asked, AMI_SECONDS)
            found += [_trunk_check(f"trunk {city} {trunk}", row) for row in told.items if "URI" in row]
    except (NotNow, Refused):
        return found  # said by the check of AMI
    finally:
        connection.close()
    return found


def _trunk_check(name: str, contact: Mapping[str, str]) -> Check:
    status = contact.get("Status", "")
    remedy = "ask the carrier; look at the network between, and at `out` in trunks.toml"
    return Check(name, status == "Reachable", remedy, f"{contact['URI']} {status}", need=False)


def _unheard(_name: bytes, _text: str) -> None:
    """Doctor asks and does not listen."""


async def _health_checks(home: Home) -> list[Check]:
    url = f"http://127.0.0.1:{home.ports.api}/healthz"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.get(url) as answer,
        ):
            told = await answer.json()
    except (aiohttp.ClientError, TimeoutError, ValueError) as why:
        return [Check("service answers", False, "cti up", str(why) or type(why).__name__)]
    parts = told.get("parts", {}) if isinstance(told, dict) else {}
    found = [Check("service answers", True, detail=url)]
    for name, part in parts.items():
        ok, need = bool(part.get("ok")), bool(part.get("needed"))
        found.append(Check(f"service: {name}", ok, REMEDIES.get(name, ""), str(part.get("text", "")), need))
    return found


def pids(home: Home) -> dict[str, int]:
    """The living processes of the instance by name."""
    state = home.state()
    told = dict(state.get("parts") or {})
    if "supervisor" in state:
        told["supervisor"] = state["supervisor"]
    found = {}
    for name, part in told.items():
        if asterisk_process.Process(int(part["pid"]), int(part["started"])).alive():
            found[name] = int(part["pid"])
    if (lab := _lab_asterisk(home)) is not None:
        found["lab_asterisk"] = lab
    return found


def _lab_asterisk(home: Home) -> int | None:
    """The lab's Asterisk is its own child's child: the lab keeps the pid."""
    try:
        pid = int((home.lab / "pid").read_text())
    except (OSError, ValueError):
        return None
    running = asterisk_process.runs(home.lab / "etc/asterisk.conf", pid)
    return None if running is None else running.pid


def report(home: Home) -> tuple[dict[str, Any], list[Check]]:
    """The whole answer as one object, and the checks behind it."""
    checks = machine_checks(home)
    try:
        settings = read(home)
    except BadSettings:
        settings = Settings()
    checks += asyncio.run(_looked(home, settings))
    ports = home.ports
    low, high = settings.rtp_range(ports.rtp)
    answer = {
        "ok": all(c.ok for c in checks if c.need),
        "home": str(home.root),
        "pids": pids(home),
        "urls": {
            "desk": f"http://127.0.0.1:{ports.api}/",
            "api": f"http://127.0.0.1:{ports.api}/api",
            "sip": f"{settings.host}:{ports.sip}",
            "ami": f"127.0.0.1:{ports.ami}",
            "agi": f"127.0.0.1:{ports.agi}",
        },
        "rtp": f"{low}-{high}",
        "cities": home.state().get("cities", []),
        "paths": {
            "queue_log": str(home.queue_log),
            "cdr": str(home.cdr),
            "journal": str(home.journal),
            "recordings": str(home.recordings),
            "tokens": str(home.tokens_file),
        },
        "ami_observer": {"user": "observer", "secret": home.secrets["ami_observer"]},
        "carrier_source_ip": LAB_CARRIER,
        "checks": [
            {
                "name": c.name,
                "ok": c.ok,
                "remedy": "" if c.ok else c.remedy,
                "detail": c.detail,
                "needed": c.need,
            }
            for c in checks
        ],
    }
    return answer, checks
