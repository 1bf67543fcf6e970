"""Addresses and limits of one machine: typed, read once, passed down.

Order: environment (``CTI_DATABASE``, ``CTI_REDIS``, …), then HOME/settings.toml, then the embedded
defaults. What a city decides is in its plan, never here.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from cti.home import Home

MOST_OTHERS = 4
AUDIO = 2
"""Ports between where a service is asked and where it takes voices (``cti.home.Ports``)."""


def _is_port(text: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,4}", text) is not None and int(text) + AUDIO < 65536


class BadSettings(Exception):
    """settings.toml or the environment holds something unusable; one line for each fault."""


class Settings(BaseSettings):
    """What the person who runs the machine may set."""

    model_config = SettingsConfigDict(env_prefix="CTI_", extra="ignore")

    database: str = ""
    """SQLAlchemy address; empty: SQLite in the home."""
    redis: str = ""
    """redis:// address; empty: in process."""
    host: str = "127.0.0.1"
    """Where SIP, AMI, FastAGI and HTTP listen."""
    outside_address: str = ""
    """The address or name under which phones outside (home seats, carriers) reach this machine, when a router
    translates it; SIP and SDP then name it. Empty: no router between. ``host`` is then ``0.0.0.0``."""
    local_networks: Annotated[
        list[Annotated[str, Field(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")]], Field(min_length=1)
    ] = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
    """Networks whose phones are told the machine's own address instead."""
    advice_seconds: Annotated[float, Field(gt=0, le=3)] = 0.8
    """Budget of the question "where next?" over all addresses (decision 1)."""
    advice_skip_seconds: Annotated[int, Field(ge=0, le=60)] = 5
    """After an unanswered question the next calls do not ask for so long."""
    advice_others: str = ""
    """``HOST:PORT`` of other services that know these plans, blanks between, asked in this order within the
    same budget, a share each, when ours does not answer; who was silent is asked last for a while.
    AudioSocket is two ports above each. Empty: the port beside it."""
    journal_fsync_ms: Annotated[int, Field(ge=0, le=10_000)] = 50
    journal_keep_days: Annotated[int, Field(ge=1)] = 400
    recording_seal_after_seconds: Annotated[int, Field(ge=-1, le=86_400)] = 60
    """A recording is encrypted so long after its leg ended; -1: never (the disk itself is encrypted)."""
    recording_keys: str = ""
    """File of the key ring that opens recordings; empty: keys/recordings.json in the home. Outside the
    database, and to be backed up apart from the recordings."""
    recording_mask_seconds: Annotated[int, Field(ge=5, le=3600)] = 180
    """The longest pause of a recording for sensitive data: one that is forgotten ends by itself."""
    recording_shelf: str = ""
    """Where sealed recordings are kept besides this disk: ``s3://BUCKET/PREFIX`` or ``file:///FOLDER``;
    empty: nowhere else."""
    recording_shelf_endpoint: str = ""
    """Address of an S3-compatible store, ``https://…``; empty: Amazon's own."""
    recording_shelf_region: str = "us-east-1"
    recording_shelf_hosted: bool = False
    """The bucket's name is part of the host's name (Aliyun OSS, Tencent COS), not of the path."""
    recording_shelf_keys: str = ""
    """File with the bucket's keys, mode 0600: ``{"access_key": "…", "secret_key": "…"}``; empty:
    keys/shelf.json in the home."""
    recording_shelf_seconds: Annotated[float, Field(ge=1, le=300)] = 20.0
    """The longest that one request to the shelf may take."""
    recording_local_days: Annotated[float, Field(ge=0, le=36_500)] = 7.0
    """What is on the shelf stays on this disk so long after its leg ended, too."""
    recording_low_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 64
    """With less room on the recordings' disk, local copies that the shelf has go, then the reserve."""
    recording_reserve_mb: Annotated[int, Field(ge=0, le=1_000_000)] = 256
    """A file on the recordings' disk that is given up when it is nearly full: two sides of a call take 2 MB
    a minute. Never more than a tenth of the disk; 0: none, the alarm only."""
    speech: bool = True
    """Whether calls are transcribed while they are spoken, when there is a model."""
    speech_model: str = ""
    """Folder of the recogniser's model; empty: CTI_MODELS, HOME/models, the default home's models,
    then vosk's own cache."""
    speech_workers: Annotated[int, Field(ge=0, le=64)] = 0
    """Recogniser processes, one for each processor they may use; 0: half of the machine's."""
    speech_legs: Annotated[int, Field(ge=1, le=64)] = 3
    """Legs that one process follows live; more wait for after-call work."""
    rtp: str = ""
    """``START-END``; empty: the instance's own block."""
    log_level: str = "info"

    @field_validator("outside_address")
    @classmethod
    def _outside(cls, told: str) -> str:
        if not told or re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}", told):
            return told
        raise ValueError(f"{told!r} is neither an address nor a host's name")

    @field_validator("local_networks")
    @classmethod
    def _networks(cls, told: list[str]) -> list[str]:
        for one in told:
            ip_network(one, strict=False)
        return told

    @field_validator("rtp")
    @classmethod
    def _rtp(cls, told: str) -> str:
        low, dash, high = told.partition("-")
        if not told or (
            dash and low.isdecimal() and high.isdecimal() and 1024 <= int(low) < int(high) < 65536
        ):
            return told
        raise ValueError(f"{told!r} is no START-END of ports from 1024 to 65535, for example 20000-20999")

    def rtp_range(self, own: tuple[int, int]) -> tuple[int, int]:
        """First and last port of sound; ``own``: the instance's block when none is set."""
        low, _, high = self.rtp.partition("-")
        return (int(low), int(high)) if high else own

    @model_validator(mode="after")
    def _others(self) -> Self:
        for told in self.advice_others.split():
            host, _, port = told.rpartition(":")
            # it becomes a word of the dialplan
            if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?", host) or not _is_port(port):
                raise ValueError(f"advice_others: {told!r} is no HOST:PORT of a service (FastAGI)")
        if len(self.advice_others.split()) > MOST_OTHERS:
            raise ValueError(f"advice_others: at most {MOST_OTHERS}, they share one budget")
        return self

    @property
    def others(self) -> list[tuple[str, int]]:
        """Host and FastAGI port of each other service."""
        return [
            (host, int(port)) for host, _, port in (x.rpartition(":") for x in self.advice_others.split())
        ]

    @model_validator(mode="after")
    def _shelf(self) -> Self:
        told = self.recording_shelf
        if not told:
            return self
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,62}(/[\w./-]*)?|file:///.+", told):
            raise ValueError(f"recording_shelf: {told!r} is neither s3://BUCKET/PREFIX nor file:///FOLDER")
        if self.recording_shelf_endpoint and not self.recording_shelf_endpoint.startswith(
            ("http://", "https://")
        ):
            raise ValueError("recording_shelf_endpoint: begins with https:// or http://")
        if self.recording_seal_after_seconds < 0:
            raise ValueError(
                "recording_shelf keeps sealed recordings only: set recording_seal_after_seconds to 0 or more"
            )
        return self


def read(home: Home) -> Settings:
    """The settings of this home. Raises BadSettings naming field and remedy."""

    class Here(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, TomlConfigSettingsSource(settings_cls, toml_file=home.settings_file)

    try:
        return Here()
    except ValidationError as bad:
        lines = [f"{home.settings_file}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in bad.errors()]
        raise BadSettings("\n".join(lines)) from None
    except ValueError as bad:
        raise BadSettings(f"{home.settings_file}: not TOML: {bad}") from None


def database_url(settings: Settings, home: Home) -> str:
    """The address to connect to: the one set, else SQLite in the home."""
    return settings.database or f"sqlite+aiosqlite:///{Path(home.database)}"
