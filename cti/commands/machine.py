"""`cti up`, `cti down`, `cti serve`, `cti doctor`: the person who runs the machine."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cti import asterisk_process, doctor, plan_folder
from cti.asterisk_process import Missing, Process
from cti.commands.options import HomeOption, home_of
from cti.home import DEFAULT_BASE
from cti.settings import BadSettings, read
from cti.up import AlreadyUp, Up, Wanted, sole

DEMO = Path(__file__).parents[2] / "plans" / "demo"


def up(
    home: HomeOption = None,
    base_port: Annotated[
        int | None,
        typer.Option(
            min=1024, max=65000, help=f"first of 100 ports; {DEFAULT_BASE} at first", show_default=False
        ),
    ] = None,
    plan: Annotated[list[Path] | None, typer.Option(help="a city's plan folder; may be given again")] = None,
    lab: Annotated[bool, typer.Option("--lab", help="also start the simulated city 模拟城市")] = False,
    city_rate: Annotated[str, typer.Option(help="calls the city makes by itself, e.g. 2/min")] = "",
    detach: Annotated[
        bool, typer.Option("--detach", help="return when ready, go on in the background")
    ] = False,
) -> None:
    """Bring the whole hotline up and keep it up. 启动热线系统

    Examples:

      cti up --lab                              demo city on the default ports

      cti up --home ~/h2 --base-port 22000 --plan plans/demo --lab

    Ctrl-C stops it cleanly. Killed by force, the calls go on and the next `cti up` takes over.
    """
    where = home_of(home)
    out = Console(highlight=False)
    base = base_port or int(where.state().get("base_port", DEFAULT_BASE))
    if detach:
        raise typer.Exit(_detached(where.root, out))
    try:
        settings = read(where)
        plans = tuple(p.resolve() for p in plan or [])
        if not plans and not where.cities():
            plans = (DEMO,)
        with sole(where):
            wanted = Wanted(plans, base, lab, city_rate)
            asyncio.run(Up(where, wanted, settings, asterisk_process.installed(), out).run())
    except BadSettings as why:
        _fail(out, str(why), 2)
    except plan_folder.BadPlan as why:
        _fail(out, str(why), 1)
    except AlreadyUp as why:
        _fail(out, f"{why}: already up (cti doctor shows it, cti down stops it)", 1)
    except Missing as why:
        _fail(out, f"{why}", 3)


def _fail(out: Console, text: str, code: int) -> None:
    out.print(f"[red]{text}[/]", soft_wrap=True)
    raise typer.Exit(code)


def _detached(root: Path, out: Console) -> int:
    words = [w for w in sys.argv[1:] if w != "--detach"]
    log = root / "log" / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "cti", *words],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    home = home_of(root)
    while child.poll() is None:
        state = home.state()
        # until the child writes its own, the state is its forerunner's: what it adopts, and on which ports
        if state.get("ready") and state["supervisor"]["pid"] == child.pid:
            out.print(f"ready; log {log}; cti down stops it")
            return 0
        time.sleep(0.1)
    out.print(f"[red]did not start[/]: {log.read_text().splitlines()[-1:]}")
    return child.returncode


def down(home: HomeOption = None) -> None:
    """Stop an instance started elsewhere. 停止热线系统

    Example: cti down --home ~/h2
    """
    where, out = home_of(home), Console(highlight=False)
    told = where.state().get("supervisor") or {"pid": 0, "started": 0}
    found = Process(int(told["pid"]), int(told["started"]))
    if found.alive():
        found.signal(signal.SIGTERM)
        if not asyncio.run(found.ended(within=40)):
            _fail(out, f"supervisor {found.pid} does not end", 1)
        out.print("stopped 已停止")
        return
    left = doctor.pids(where)
    if not left:
        _fail(out, f"nothing runs in {where.root}", 1)
    for name, pid in left.items():
        running = asterisk_process.process(pid)
        if running is not None:
            asyncio.run(asterisk_process.stop(running))
        out.print(f"{name} ({pid}) stopped")


def serve(home: HomeOption = None) -> None:
    """The service alone (cti up starts it). 单独运行服务进程"""
    from cti.app import serve as run

    raise typer.Exit(run(home_of(home)))


def doctor_command(
    home: HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object for machines")] = False,
) -> None:
    """Check every dependency and say what to do. 体检

    Example: cti doctor --json

    Exit code 0 only when the hotline is ready; 3 when the machine lacks something; else 1.
    """
    answer, checks = doctor.report(home_of(home))
    if as_json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1) + "\n")
    else:
        _show(answer, checks)
    if answer["ok"]:
        return
    raise typer.Exit(3 if any(c.outside and c.need and not c.ok for c in checks) else 1)


def _show(answer: dict[str, Any], checks: list[doctor.Check]) -> None:
    out = Console(highlight=False)
    table = Table("", "检查 check", "现状 found", "怎么办 remedy", box=None, padding=(0, 1))
    for c in checks:
        lamp = "[green]✔[/]" if c.ok else "[red]✘[/]" if c.need else "[yellow]○[/]"
        table.add_row(lamp, c.name, c.detail, "" if c.ok else c.remedy)
    out.print(table)
    out.print("[green]就绪 ready[/]" if answer["ok"] else "[red]未就绪 not ready[/]")
    for name, value in {**answer["urls"], **answer["paths"]}.items():
        out.print(f"  {name:12} {value}", soft_wrap=True)
    out.print("  pids        ", ", ".join(f"{n} {p}" for n, p in answer["pids"].items()) or "-")
    if os.geteuid() == 0:
        out.print("  carrier     ", answer["carrier_source_ip"])
