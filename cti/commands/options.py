"""Options that every command shares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cti.home import Home, default_home

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", help="folder of the instance; default: the one `make run` uses", show_default=False
    ),
]


def home_of(told: Path | None) -> Home:
    """The home of an option's value, absolute."""
    return Home((told or default_home()).expanduser().resolve())
