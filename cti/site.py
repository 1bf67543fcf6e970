"""The machine as the rendered configuration needs to know it, and the folders Asterisk works in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable
from pathlib import Path

from asterisk_conf.in_step import SILENCES
from asterisk_conf.site import AmiUser, Site
from cti import registrations
from cti.asterisk_process import Installed, prefix
from cti.home import NODE, Home, Ports
from cti.settings import AUDIO, Settings
from cti.speech import shelf
from plan.model import Plan

FAILSAFE = Path(__file__).with_name("failsafe.py")
ANNOUNCE = Path(__file__).with_name("announce.sh")
FOLDERS = "etc spool/tmp spool/monitor log/cdr-csv run data/sounds varlib keys/keys agi"
LAB_NET = "127.0.0."
LAB_FIRST = 2


def lab_hosts(plans: Iterable[Plan]) -> dict[str, str]:
    """The loopback address from which the lab plays each carrier, by ``<city>-<trunk>``.

    One address a trunk, so that the trunk, and with it the city, is known by the sender's address.
    """
    trunks = [f"{p.id}-{name}" for p in plans for name, trunk in p.trunks.items() if trunk.lab]
    return {trunk: f"{LAB_NET}{LAB_FIRST + i}" for i, trunk in enumerate(trunks)}


def seat_password(home: Home, endpoint: str) -> str:
    """The SIP password of ``demo-1001``: derived, so that no list of them needs to be kept."""
    digest = hmac.digest(home.secrets["seat_seed"].encode(), endpoint.encode(), hashlib.sha256)
    return base64.b32encode(digest)[:20].decode().lower()


def site_of(
    home: Home, ports: Ports, settings: Settings, asterisk: Installed, plans: list[Plan], *, lab: bool
) -> Site:
    """Everything of this machine that Asterisk's files name. Pure but for a look at the modules there are."""
    at = home.asterisk
    low, high = settings.rtp_range(ports.rtp)
    version = (*asterisk.version, 0, 0)[:3]
    seats = [f"{p.id}-{seat}" for p in plans for seat in p.seats]
    others = settings.others or [("127.0.0.1", port) for port in ports.agi_more]
    asked = [("127.0.0.1", ports.agi), *others]
    return Site(
        node=NODE,
        version=(version[0], version[1], version[2]),
        modules=frozenset(p.stem for p in asterisk.modules.glob("*.so")),
        etc_dir=str(at / "etc"),
        modules_dir=str(asterisk.modules),
        data_dir=str(at / "data"),
        lib_dir=str(at / "varlib"),
        db_dir=str(at / "db"),
        key_dir=str(at / "keys"),
        agi_dir=str(at / "agi"),
        spool_dir=str(at / "spool"),
        run_dir=str(at / "run"),
        log_dir=str(at / "log"),
        recordings_dir=str(home.recordings),
        music_dir=str(at / "data/moh"),
        bind=settings.host,
        media_address=settings.host if settings.host != "0.0.0.0" else "",
        outside_address=settings.outside_address,
        local_networks=tuple(settings.local_networks),
        sip_port=ports.sip,
        ami_port=ports.ami,
        http_port=ports.asterisk_http,
        api_port=ports.api,
        rtp=(low, high),
        trunk_hosts={trunk: (host,) for trunk, host in lab_hosts(plans).items()} if lab else {},
        trunk_out={t: f"{host}:{ports.lab_sip}" for t, host in lab_hosts(plans).items()} if lab else {},
        service=AmiUser("service", home.secrets["ami_service"]),
        observer=AmiUser("observer", home.secrets["ami_observer"]),
        seat_passwords={seat: seat_password(home, seat) for seat in seats},
        agi=tuple(f"{host}:{port}" for host, port in asked),
        audio=tuple(f"{host}:{port + AUDIO}" for host, port in asked),
        failsafe=str(at / "agi/failsafe"),
        announce=str(at / "agi/announce"),
        budget_seconds=settings.advice_seconds,
        skip_seconds=settings.advice_skip_seconds,
    )


def lay_out(home: Home, asterisk: Installed) -> None:
    """Make the folders Asterisk works in and put there what it plays and runs (decision 3).

    Copies, not links: a checkout under a private home is out of reach of an unprivileged Asterisk.
    """
    at = home.asterisk
    for name in FOLDERS.split():
        (at / name).mkdir(parents=True, exist_ok=True)
    registrations.lay_out(at / "db")
    for name in ("documentation", "rest-api", "static-http", "phoneprov"):
        _link(at / "data" / name, asterisk.share / name)
    for name in ("en_US_f_Allison", "en"):
        if (asterisk.share / "sounds" / name).exists():
            _link(at / "data/sounds/en", asterisk.share / "sounds" / name)
            break
    shelf.lay_out(at / "data")
    for sound, silence in SILENCES.items():
        shelf.keep_played(at / "data/sounds/zh" / sound, silence)
    _failsafe(at / "agi/failsafe")
    (at / "agi/announce").write_text(ANNOUNCE.read_text())
    os.chmod(at / "agi/announce", 0o755)


def _link(link: Path, to: Path) -> None:
    if not link.is_symlink():
        link.symlink_to(to)


def _failsafe(program: Path) -> None:
    """The classic AGI program with the interpreter and library that set-up found readable for anybody."""
    told = prefix() / "agi.env"
    known = (
        dict(line.split("=", 1) for line in told.read_text().splitlines() if "=" in line)
        if told.exists()
        else {}
    )
    interpreter = known.get("AGI_PYTHON", "/usr/bin/python3").strip("'\"")
    library = known.get("AGI_LIB", str(prefix() / "agi-lib")).strip("'\"")
    text = FAILSAFE.read_text().replace("@LIBRARY@", library)
    program.write_text(f"#!{interpreter} -E\n{text}")
    os.chmod(program, 0o755)
