"""What the machine is, as far as configuration text needs to know it. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AmiUser:
    name: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One Asterisk node. Directories are absolute paths as text, without a trailing slash."""

    node: str = "n1"
    """asterisk.conf systemname, prefix of every Uniqueid: ``n1-1732190695.12``."""
    version: tuple[int, int, int] = (22, 0, 0)
    """Asterisk's version: below 22 AMI event filters are written the old way."""
    modules: frozenset[str] = frozenset()
    """Module names found in ``modules_dir`` (without ``.so``); empty: all are there."""

    # directories
    etc_dir: str
    modules_dir: str
    data_dir: str
    """astdatadir: its ``sounds`` folder has a link per language, its ``documentation`` folder must exist."""
    lib_dir: str
    db_dir: str
    key_dir: str
    agi_dir: str
    spool_dir: str
    run_dir: str
    log_dir: str
    recordings_dir: str
    music_dir: str
    """A folder of music files; empty: waiting callers hear ringing."""
    sounds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """City to prompt to the sound's name as Asterisk plays it (``prompts.resolve`` chose it). A prompt that
    is not there plays as one of the shipped set."""

    # network
    bind: str = "127.0.0.1"
    media_address: str = "127.0.0.1"
    """The address that SDP names; empty: Asterisk chooses."""
    outside_address: str = ""
    """Where a router translates: what SIP and SDP name to those who are in none of ``local_networks``."""
    local_networks: tuple[str, ...] = ()
    sip_port: int
    ami_port: int
    http_port: int
    api_port: int
    rtp: tuple[int, int]
    trunk_hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Further source addresses of trunks marked ``lab``, by ``<city>-<trunk>``."""
    trunk_out: Mapping[str, str] = field(default_factory=dict)
    """Where calls through trunks marked ``lab`` go (``host:port``), by ``<city>-<trunk>``."""

    # who may talk to us
    service: AmiUser
    observer: AmiUser
    seat_passwords: Mapping[str, str]
    """By endpoint, ``demo-1001``. Every seat of every plan must be there."""

    # the advice question
    agi: tuple[str, ...]
    """``host:port`` of the services, asked in this order within one budget (asterisk_conf.addresses)."""
    audio: tuple[str, ...] = ()
    """``host:port`` where the service of the same place in ``agi`` takes a caller's voice (AudioSocket);
    empty: nobody listens, a spoken menu has its keys."""
    failsafe: str
    """Absolute path of the classic AGI program for when no service answers; empty: none."""
    announce: str = ""
    """Absolute path of the AGI program that lets a caller hear the agent's number; empty: none."""
    budget_seconds: float = 0.8
    """For all addresses together (decision 1)."""
    failsafe_seconds: float = 1.2
    skip_seconds: int = 5
    """After a question that failed, this long nobody is asked."""
