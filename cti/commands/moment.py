"""Times as people type them."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Annotated

import typer

UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def moment(text: str) -> float:
    """Seconds since the epoch of ``now``, ``-2h``, ``1795267219.5``, or ISO 8601 (local time)."""
    told = text.strip()
    if told == "now":
        return time.time()
    if ago := re.fullmatch(r"-(\d+(?:\.\d+)?)(s|m|min|h|d)", told):
        return time.time() - float(ago[1]) * UNITS[ago[2]]
    if re.fullmatch(r"\d{1,12}(\.\d+)?", told):
        return float(told)
    try:
        when = datetime.fromisoformat(told)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time (like 2026-11-21T08:00:00+08:00, 2026-11-21, 1795267219, -24h or now)"
        ) from None
    return when.astimezone().timestamp()


From = Annotated[
    float | None,
    typer.Option("--from", parser=moment, metavar="T", help="ISO 8601, seconds since 1970, or -24h"),
]
To = Annotated[float | None, typer.Option("--to", parser=moment, metavar="T", help="as --from; default now")]
DAY = 86_400.0
