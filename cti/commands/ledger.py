"""`cti ledger` and `cti refill`: the office's figures, and putting right what nobody heard."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from cti.commands import asking_figures as asking
from cti.commands.moment import DAY, From, To
from cti.commands.options import HomeOption, home_of
from cti.errors import Broken, NotNow, Refused
from queues.ledger import By

HEADS: dict[By, str] = {
    By.TOTAL: "合计 total",
    By.INTERVAL: "时段 interval",
    By.CITY: "城市 city",
    By.LINE: "线路 line",
    By.ORIGINAL: "原被叫 original",
    By.QUEUE: "队列 queue",
    By.SEAT: "座席 seat",
}


def ledger(
    since: From = None,
    until: To = None,
    by: Annotated[By, typer.Option(help="one row for each 分组")] = By.TOTAL,
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="length of an interval 时段分钟")] = 60,
    city: Annotated[str | None, typer.Option("--city", help="only this city 只看一个城市")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, as /api/ledger")] = False,
    home: HomeOption = None,
) -> None:
    """Connect rate, share answered within 15 s, and what became of the others. 台账

    Calls that arrived in [--from, --to), by default the last 24 hours. Rows by queue count visits, rows by
    seat count rings. Over a longer time the worst continuous 24 hours are named too.

    Examples:

      cti ledger                                cti ledger --by queue

      cti ledger --from -7d --by interval --minutes 60

      cti ledger --from 2026-11-20 --to 2026-11-21 --by line --json
    """
    now = time.time()
    until = now if until is None else until
    since = until - DAY if since is None else since
    try:
        told = asking.ledger(home_of(home), since, until, by.value, minutes, city)
    except (Refused, ValidationError) as why:
        _fail(str(why), 2)
    except (NotNow, Broken) as why:
        _fail(str(why), 3)
    if as_json:
        json.dump(told, sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
        return
    out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=190)
    out.print(_table(told, by))
    for name, zh in (("worst_24h_within_15s", "15秒"), ("worst_24h_connect_rate", "接通")):
        if (worst := told[name]) is not None:
            out.print(
                f"最差连续24小时 worst 24 h ({zh} {name.removeprefix('worst_24h_')}): "
                f"{_share(worst[name.removeprefix('worst_24h_')])}，{_clock(worst['since'])} 起 from, "
                f"呼入 offered {worst['offered']}"
            )
    out.print(f"[dim]{told['definition']}[/]")


def _table(told: dict[str, Any], by: By) -> Table:
    table = Table(
        title=f"台账 ledger: {_clock(told['since'])} – {_clock(told['until'])}", header_style="bold"
    )
    table.add_column(HEADS[by].replace(" ", "\n"), no_wrap=True)
    heads = (
        "呼入 offered, 接通 answered, 接通率 connect, 15秒率 in_15s, 放弃 abandoned, 其中短 short,"
        "超时 timeout, 溢出 overflow, 漏接 missed, 等待均值 wait, 通话均值 talk, 保持 hold, 整理 wrap-up,"
        "外呼 called_out, 其中接通 reached, 补录 refilled"
    )
    for head in heads.split(","):
        zh, _, en = head.strip().partition(" ")
        table.add_column(f"{zh}\n{en}", justify="right", no_wrap=True)
    for row in told["rows"]:
        name = _clock(row["since"])[5:16] if by is By.INTERVAL else row["key"] or "全部 all"
        table.add_row(
            name,
            str(row["offered"]),
            str(row["answered"]),
            _share(row["connect_rate"]),
            _share(row["within_15s"]),
            str(row["abandoned"]),
            str(row["short_abandoned"]),
            str(row["timed_out"]),
            str(row["overflowed"]),
            str(row["missed"]),
            *(_seconds(row[name]["mean"]) for name in ("wait", "talk", "hold", "wrap_up")),
            str(row["called_out"]),
            str(row["reached_out"]),
            str(row["refilled"]),
        )
    return table


def refill(since: From, until: To = None, home: HomeOption = None) -> None:
    """Put right, from Asterisk's own files, calls that nobody heard. 补录

    The service does this by itself when it starts. Rows made so are labelled: source = refilled.

    Examples:

      cti refill --from -2h

      cti refill --from 2026-11-20T08:00 --to 2026-11-20T09:00
    """
    until = time.time() if until is None else until
    if since is None or since >= until:
        _fail("--from is not before --to", 2)
    try:
        count = asking.refill(home_of(home), since, until)
    except Refused as why:
        _fail(str(why), 1)
    except (NotNow, Broken) as why:
        _fail(str(why), 3)
    Console(highlight=False).print(f"补录通话 calls refilled: {count}")


def _fail(why: str, code: int) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(why, markup=False)
    raise typer.Exit(code)


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"


def _seconds(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f} s"


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S}"
