"""The demo plan as files in memory, for tests that spoil it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from asterisk_conf.prompts import catalogue
from asterisk_conf.site import AmiUser, Site
from plan.check import Checked, Sound, check
from plan.model import Plan

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "plans" / "demo"
GOOD_SOUND = Sound(8000, 1, 16, 2.5)
DEMO_SOUNDS = {path.name: GOOD_SOUND for path in DEMO.glob("*.wav")}


Files = dict[str, bytes]
Edit = Callable[[Files], None]


def add(file: str, text: str) -> Edit:
    """A mistake at a file's end; the file may be new."""

    def edit(files: Files) -> None:
        files[file] = files.get(file, b"") + ("\n" + text).encode()

    return edit


@cache
def standard_prompts() -> frozenset[str]:
    return frozenset(p.id for p in catalogue((ROOT / "asterisk_conf/prompts.toml").read_text("utf-8")))


def demo_files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in DEMO.glob("*.toml")}


def checked(
    files: Mapping[str, bytes], sounds: Mapping[str, Sound] | None = None, folder: str | None = "demo"
) -> Checked:
    return check(files, {**DEMO_SOUNDS, **(sounds or {})}, standard_prompts(), folder)


def demo() -> Plan:
    plan = checked(demo_files()).plan
    assert plan is not None
    return plan


def site(plan: Plan | None = None, **other: Any) -> Site:
    """A machine in /srv with made-up secrets: nothing of the machine the test runs on."""
    seats = {f"{p.id}-{seat}": f"password-{seat}" for p in [plan or demo()] for seat in p.seats}
    told: dict[str, object] = {
        "version": (22, 10, 1),
        "etc_dir": "/srv/h/asterisk/etc",
        "modules_dir": "/usr/lib/asterisk/modules",
        "data_dir": "/srv/h/asterisk/data",
        "lib_dir": "/srv/h/asterisk/varlib",
        "db_dir": "/srv/h/asterisk/db",
        "key_dir": "/srv/h/asterisk/keys",
        "agi_dir": "/srv/h/asterisk/agi",
        "spool_dir": "/srv/h/asterisk/spool",
        "run_dir": "/srv/h/asterisk/run",
        "log_dir": "/srv/h/asterisk/log",
        "recordings_dir": "/srv/h/recordings",
        "music_dir": "/srv/h/asterisk/data/moh",
        "sip_port": 12340,
        "ami_port": 12342,
        "http_port": 12343,
        "api_port": 12345,
        "rtp": (26000, 26999),
        "trunk_hosts": {"demo-carrier": ("127.0.0.2",)},
        "service": AmiUser("service", "service-secret"),
        "observer": AmiUser("observer", "observer-secret"),
        "seat_passwords": seats,
        "agi": ("127.0.0.1:12346", "127.0.0.1:12347"),
        "audio": ("127.0.0.1:12348", "127.0.0.1:12349"),
        "failsafe": "/srv/h/asterisk/agi/failsafe",
    }
    return Site(**{**told, **other})
