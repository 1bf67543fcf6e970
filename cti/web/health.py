"""What /healthz says: each part by itself, and whether the whole is ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """``needed``: without it the service is not ready. Callers are served by Asterisk all the same."""

    ok: bool
    needed: bool = False
    text: str = ""


def ready(parts: Mapping[str, Part]) -> bool:
    """True when every needed part is well."""
    return all(part.ok for part in parts.values() if part.needed)
