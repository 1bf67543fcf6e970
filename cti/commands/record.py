"""`cti record`: an AMI tape of a running instance, for tests and for whoever asks what Asterisk said."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from cti.asterisk.record import record as record_tape
from cti.commands.options import HomeOption, home_of
from cti.errors import NotNow, Refused


def record(
    tape: Annotated[Path, typer.Argument(help="file to write; refused when it exists")],
    home: HomeOption = None,
    seconds: Annotated[float, typer.Option("--for", min=0, help="stop after this long; 0: at Ctrl-C")] = 0,
    mask: Annotated[bool, typer.Option(help="invent telephone numbers, blot out secrets")] = True,
) -> None:
    """Record what Asterisk says (AMI) to a file. 录制 AMI 事件

    Examples:

      cti record calls.ami --for 60          one minute, numbers invented

      cti record calls.ami --no-mask         until Ctrl-C, as it is: not for keeping

    Tapes replay in tests: tests/tapes/, tests/replay/.
    """
    where = home_of(home)
    address = ("127.0.0.1", where.ports.ami)
    try:
        # numbers of citizens: the owner's eyes only
        number = os.open(tape, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as why:
        typer.echo(f"{tape}: {why.strerror}", err=True)
        raise typer.Exit(2) from why
    try:
        with os.fdopen(number, "wb", buffering=0) as file:
            count = asyncio.run(
                record_tape(
                    address,
                    "observer",
                    where.secrets["ami_observer"],
                    file.write,
                    mask=mask,
                    seconds=seconds or None,
                )
            )
    except KeyboardInterrupt:
        return
    except (NotNow, Refused) as why:
        tape.unlink(missing_ok=True)
        typer.echo(f"{why}. Is the hotline up? `cti up`, `cti doctor`", err=True)
        raise typer.Exit(3) from why
    typer.echo(f"{tape}: {count} frames")
