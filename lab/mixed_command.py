"""`cti lab mixed`: many calls of every kind against a running hotline."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cti.commands.options import HomeOption, home_of
from lab.city import per_second
from lab.client import Client, LabDown, NotDone
from lab.mixed import Mixed, Tally


def _rate(text: str) -> float:
    try:
        return per_second(text)
    except ValueError as why:
        raise typer.BadParameter(str(why)) from None


def mixed(
    calls: Annotated[int, typer.Option(min=1, max=100_000, help="how many 通话数")] = 100,
    seed: Annotated[int, typer.Option(help="the same citizens and moods again")] = 1,
    rate: Annotated[float, typer.Option(parser=_rate, metavar="RATE", help="like 2/s or 60/min")] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object at the end")] = False,
    home: HomeOption = None,
) -> None:
    """Many calls of every kind: hung up anywhere, declined, ignored, answered, called back. 混合来电

    All seats' phones are taken over and given back at the end. Prints the times for `cti truth`.

    Examples:

      cti lab mixed --calls 100 --seed 7

      cti lab mixed --calls 2000 --seed 7 --rate 3/s --json
    """
    out = Console(highlight=False, stderr=as_json)
    began = time.time()
    try:
        tally = asyncio.run(_run(home, calls, rate, seed, out))
    except LabDown as why:
        out.print(f"[red]{why}[/]")
        raise typer.Exit(3) from None
    except NotDone as why:
        out.print(f"[red]{why}[/]")
        raise typer.Exit(2) from None
    until = time.time() + 1
    if as_json:
        told = {"calls": tally.over, "reached": tally.reached, "left": dict(tally.left)}
        print(json.dumps(told | {"from": began, "to": until, "seed": seed}))
    else:
        out.print(f"来电 calls {tally.over}, 接通座席 reached a seat {tally.reached}")
        out.print(f"复核 check: cti truth --from {began:.0f} --to {until:.0f}")
    raise typer.Exit(0 if tally.over >= calls else 1)


async def _run(home: HomeOption, calls: int, rate: float, seed: int, out: Console) -> Tally:
    columns = (TextColumn("来电 calls"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, disable=not out.is_terminal) as bar:
        task = bar.add_task("", total=calls)
        async with Client(home_of(home)) as client:
            running = Mixed(client, calls, rate, seed, lambda t: bar.update(task, completed=t.over))
            calling = asyncio.create_task(running.run())
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, calling.cancel)
            try:
                return await calling
            except asyncio.CancelledError:
                return running.tally
