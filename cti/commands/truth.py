"""`cti truth`: the office's figures recounted from Asterisk's own files, and every difference."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cti.commands import asking_figures as asking
from cti.commands.moment import DAY, From, To
from cti.commands.options import HomeOption, home_of
from cti.errors import NotNow
from cti.home import Home
from cti.settings import BadSettings, database_url, read
from cti.truth.compare import ONLY_LEDGER, Truth, compare
from cti.truth.files import NoFiles, cdrs, queue_log
from cti.truth.grouped import GROUPS, differences
from cti.truth.recount import recount
from cti.truth.rows import ledger_rows, talk_rows, wrap_up_rows
from cti.truth.talked import compare_talks
from cti.truth.wrapped import compare_wrap_ups, wrap_ups

SHOWN = 40
"""Differences printed for a person; --json has them all."""
SETTLE = 15.0
"""Seconds the service has to bring what it heard into the database."""
EDGE = 5.0


def truth(
    since: From = None,
    until: To = None,
    city: Annotated[str | None, typer.Option("--city", help="only this city 只看一个城市")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    home: HomeOption = None,
) -> None:
    """Recount the figures from queue_log and CDR files, and compare. 用 Asterisk 自身的记录复核

    Calls that arrived in [--from, --to), by default the last 24 hours. Shares no code with the ledger.
    Exit code 0 when everything agrees, 1 when something differs, 3 when files or database are missing.

    Examples:

      cti truth

      cti truth --from -1h --to now

      cti truth --from 2026-11-20T00:00+08:00 --to 2026-11-21T00:00+08:00 --json
    """
    where = home_of(home)
    until = time.time() if until is None else until
    since = until - DAY if since is None else since
    err = Console(stderr=True, highlight=False, soft_wrap=True)
    if since >= until:
        err.print("[red]--from 须早于 --to: --from is not before --to[/]")
        raise typer.Exit(2)
    try:
        found = _judged(where, since, until, city)
    except (NotNow, NoFiles) as why:
        err.print(str(why), markup=False)
        raise typer.Exit(3) from None
    except BadSettings as why:
        err.print(str(why), markup=False)
        raise typer.Exit(2) from None
    if as_json:
        json.dump(told(found), sys.stdout, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        _show(found, since, until, city)
    raise typer.Exit(1 if found.differences else 0)


def _judged(home: Home, since: float, until: float, city: str | None) -> Truth:
    asking.settled(home, SETTLE)
    url = database_url(read(home), home)
    counted = recount(queue_log(home.queue_log), cdrs(home.cdr) if home.cdr.exists() else ())
    calls, visits = ledger_rows(url, since - EDGE, until + EDGE)
    found = compare(counted, calls, visits, since, until, city)
    stints, silences = wrap_up_rows(url, since - EDGE, until + EDGE)
    compare_wrap_ups(found, wrap_ups(queue_log(home.queue_log)), stints, silences, since, until, city)
    compare_talks(found, counted, talk_rows(url, since - EDGE, until + EDGE), silences, since, until, city)
    told = {by: asking.ledger(home, since, until, by, 60, city)["rows"] for by in GROUPS}
    found.differences += differences(counted, told, found, since, until, city)
    return found


def told(found: Truth) -> dict[str, Any]:
    """The published object; the recount's own figures."""
    return {
        "visits": found.visits,
        "differences": [d.told() for d in found.differences],
        "connect_rate": found.connect_rate,
        "within_15s": found.within_15s,
        "calls": found.calls,
        "offered": found.offered,
        "answered": found.answered,
        "within": found.within,
        "ledger": {"connect_rate": found.ledger_connect_rate, "within_15s": found.ledger_within_15s},
        "refilled": found.refilled,
        "open": found.open,
        "unprovable": found.unprovable,
        "borderline": found.borderline,
        "wrap_ups": found.wrap_ups,
        "talks": found.talks,
        "unheard": found.unheard,
        "not_compared": list(ONLY_LEDGER),
    }


def _show(found: Truth, since: float, until: float, city: str | None) -> None:
    out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=140)
    span = f"{_clock(since)} – {_clock(until)}" + (f" · {city}" if city else "")
    table = Table(title=f"复核 truth: {span}", header_style="bold")
    table.add_column("指标\nfigure")
    table.add_column("台账\nledger", justify="right")
    table.add_column("queue_log + CDR\nAsterisk", justify="right")
    table.add_row("接通率 connect rate", _share(found.ledger_connect_rate), _share(found.connect_rate))
    table.add_row("15秒接通率 within 15 s", _share(found.ledger_within_15s), _share(found.within_15s))
    table.add_row("呼入 offered", "", str(found.offered))
    table.add_row("接通 answered", "", str(found.answered))
    table.add_row("排队次数 visits", "", str(found.visits))
    table.add_row("整理次数 wrap-ups", "", str(found.wrap_ups))
    table.add_row("通话 talks", "", str(found.talks))
    out.print(table)
    notes = {
        "补录 rows refilled from these files": found.refilled,
        "进行中 calls still open, not compared": found.open,
        "无话单 calls an Asterisk died with, only the ledger knows them": len(found.unprovable),
        "未闻 calls after which nobody heard how long a seat wrapped up": len(found.unheard),
        "临界 calls at 15 s within the clocks' own resolution": len(found.borderline),
    }
    for name, count in notes.items():
        if count:
            out.print(f"{name}: {count}")
    out.print(f"[dim]仅台账可知，未比对 only the ledger knows, not compared: {', '.join(ONLY_LEDGER)}[/]")
    if not found.differences:
        out.print("[green]无差异 no difference[/]")
        return
    out.print(f"[red]差异 differences: {len(found.differences)}[/]")
    for one in found.differences[:SHOWN]:
        name = one.call or "figure"
        out.print(f"  {name} {one.what}: 台账 ledger {one.ledger!r}, Asterisk {one.asterisk!r}", markup=False)
    if len(found.differences) > SHOWN:
        out.print(f"  … 其余见 the rest with --json ({len(found.differences) - SHOWN})")


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value:.2%}"


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S}"
