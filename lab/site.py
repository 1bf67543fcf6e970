"""What the lab's Asterisk has to play: which trunks, which phones, on which addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HOUSE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Carrier:
    """One trunk of one city, told from the others by the address it sends from.

    All of 127/8 is this machine (RFC 6890 2.2.2) and needs no set-up.
    """

    city: str
    trunk: str
    source: str

    @property
    def endpoint(self) -> str:
        return f"carrier-{self.city}-{self.trunk}"


@dataclass(frozen=True, slots=True)
class SeatPhone:
    """The SIP phone of one seat. ``name`` is its user at the house: ``demo-1001``."""

    city: str
    seat: str
    secret: str
    code: str = ""
    """What its person dials to sign in when the phone is on the network (``*11``); empty: nobody does."""

    @property
    def name(self) -> str:
        return f"{self.city}-{self.seat}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabSite:
    """One lab. Ports are on loopback; ``house`` is the SIP port of the hotline under test."""

    folder: Path
    version: tuple[int, ...]
    modules: Path
    house: int
    sip: int
    ami: int
    http: int
    rtp: tuple[int, int]
    ami_secret: str
    carriers: tuple[Carrier, ...]
    seats: tuple[SeatPhone, ...]
    numbers: tuple[tuple[str, str], ...] = ()
    """(city, number) of everything a citizen can dial; the plans' main lines first."""

    @property
    def conf(self) -> Path:
        return self.folder / "etc" / "asterisk.conf"

    @property
    def heard(self) -> Path:
        """Where the phones' recordings lie: one file per leg, what that phone heard."""
        return self.folder / "heard"

    @property
    def audio(self) -> Path:
        """Converted audio the phones play."""
        return self.folder / "audio"

    @property
    def log(self) -> Path:
        """What the phones saw: one JSON object per line."""
        return self.folder / "phones.jsonl"


def carrier_for(carriers: Sequence[Carrier], city: str | None, trunk: str = "") -> Carrier | None:
    """The named or first trunk of a city; of the first city when none is named."""
    return next((c for c in carriers if city in (None, "", c.city) and trunk in ("", c.trunk)), None)
