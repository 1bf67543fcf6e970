"""Where an instance lives: its folder, its ports, its secrets.

One home is one instance. Everything it writes lies under ``root``; everything it listens on lies
in ``base .. base + 99`` and in one RTP block.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

DEFAULT_BASE = 12340
NODE = "n1"
"""Name of the one Asterisk node of an embedded instance; prefix of its Uniqueids."""


def default_home() -> Path:
    """CTI_HOME, else /var/lib/hotline12345 for root, else the user's data folder (XDG base directories)."""
    if told := os.environ.get("CTI_HOME"):
        return Path(told)
    if os.geteuid() == 0:
        return Path("/var/lib/hotline12345")
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(data) / "hotline12345"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of an instance, all on loopback unless settings say otherwise."""

    base: int

    @property
    def sip(self) -> int:
        return self.base

    @property
    def ami(self) -> int:
        return self.base + 2

    @property
    def asterisk_http(self) -> int:
        return self.base + 3

    @property
    def asterisk_https(self) -> int:
        return self.base + 4

    @property
    def api(self) -> int:
        return self.base + 5

    @property
    def agi(self) -> int:
        return self.base + 6

    @property
    def agi_more(self) -> tuple[int, ...]:
        """Further addresses the dialplan asks when the first does not answer."""
        return (self.base + 7,)

    @property
    def audio(self) -> int:
        """AudioSocket: callers' voices in spoken menus."""
        return self.base + 8

    @property
    def lab_sip(self) -> int:
        return self.base + 40

    @property
    def lab_ami(self) -> int:
        return self.base + 42

    @property
    def lab_http(self) -> int:
        return self.base + 43

    @property
    def lab_door(self) -> int:
        """Where the lab takes orders; opened when its phones are there."""
        return self.base + 44

    @property
    def rtp(self) -> tuple[int, int]:
        block = self.base // 100 % 20
        first = 20000 + 2000 * block
        if first - 100 < self.base < first + 2000:
            # it would take our own ports
            first = 20000 + 2000 * ((block + 1) % 20)
        return first, first + 999

    @property
    def lab_rtp(self) -> tuple[int, int]:
        first, _ = self.rtp
        return first + 1000, first + 1999


@dataclass(frozen=True)
class Home:
    """The folder of one instance."""

    root: Path

    @property
    def settings_file(self) -> Path:
        return self.root / "settings.toml"

    @property
    def secrets_file(self) -> Path:
        return self.root / "secrets.json"

    @property
    def tokens_file(self) -> Path:
        return self.root / "tokens.json"

    @property
    def state_file(self) -> Path:
        return self.root / "state.json"

    @property
    def lock_file(self) -> Path:
        return self.root / "up.lock"

    @property
    def service_lock_file(self) -> Path:
        return self.root / "service.lock"

    @property
    def asterisk(self) -> Path:
        return self.root / "asterisk"

    @property
    def queue_log(self) -> Path:
        return self.asterisk / "log" / "queue_log"

    @property
    def cdr(self) -> Path:
        return self.asterisk / "log" / "cdr-csv" / "Master.csv"

    @property
    def recordings(self) -> Path:
        return self.root / "recordings"

    @property
    def taps(self) -> Path:
        """What is said now, for the recogniser; nothing here outlives its call."""
        return self.root / "taps"

    @property
    def recording_keys(self) -> Path:
        return self.root / "keys" / "recordings.json"

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def database(self) -> Path:
        return self.root / "history.sqlite"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def lab(self) -> Path:
        return self.root / "lab"

    def plan(self, city: str) -> Path:
        """The link to the version of this city's plan that is in force."""
        return self.root / "plan" / city / "current"

    def cities(self) -> tuple[str, ...]:
        """The cities with a plan in force, in the order of their names."""
        folder = self.root / "plan"
        if not folder.is_dir():
            return ()
        return tuple(sorted(p.name for p in folder.iterdir() if (p / "current").exists()))

    def state(self) -> dict[str, Any]:
        """What the last ``cti up`` wrote of itself; empty when there was none."""
        try:
            raw = json.loads(self.state_file.read_text())
        except (OSError, ValueError):
            return {}
        return raw if isinstance(raw, dict) else {}

    @property
    def ports(self) -> Ports:
        base = self.state().get("base_port", DEFAULT_BASE)
        return Ports(base if isinstance(base, int) else DEFAULT_BASE)

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Secrets made on first use, readable by the owner only."""
        return _kept(
            self.secrets_file,
            {
                name: secrets.token_urlsafe(18)
                for name in ("ami_service", "ami_observer", "seat_seed", "lab_ami", "web_key")
            },
        )

    @cached_property
    def tokens(self) -> dict[str, str]:
        """API tokens by role: operator (may do everything), observer (may read)."""
        return _kept(self.tokens_file, {role: secrets.token_urlsafe(24) for role in ("operator", "observer")})


def _kept(path: Path, fresh: dict[str, str]) -> dict[str, str]:
    try:
        known = json.loads(path.read_text())
    except FileNotFoundError:
        known = {}
    missing = {k: v for k, v in fresh.items() if k not in known}
    if missing:
        known |= missing
        write_atomic(path, json.dumps(known, indent=1) + "\n", mode=0o600)
    return {str(k): str(v) for k, v in known.items()}


def sync(path: Path) -> None:
    """What was written into a file, or the names in a folder, outlives a power cut. Raises OSError."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_atomic(path: Path, text: str, mode: int = 0o644, owner: int | None = None) -> None:
    """A reader sees the old text or the new one, never half of it (rename(2)). ``owner``: uid and gid."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
            if owner is not None:
                os.fchown(file.fileno(), owner, owner)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
