"""`cti calls`, `cti seats`, `cti queues`, `cti story`: what is going on, and what went on."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table

from cti.commands import asking
from cti.commands.asking import Told
from cti.commands.options import HomeOption, home_of
from cti.errors import Broken, NotNow, Refused

Json = Annotated[bool, typer.Option("--json", help="one JSON array of objects, for programs")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="show anew every second until Ctrl-C 持续刷新")]
Full = Annotated[bool, typer.Option("--full", help="whole numbers of citizens, not masked 显示完整号码")]

CALL_STATES = {
    "dialling": "外呼中 dialling",
    "greeted": "问候中 greeted",
    "waiting": "排队中 waiting",
    "ringing": "振铃中 ringing",
    "talking": "通话中 talking",
    "moving": "转接中 moving",
    "ended": "已结束 ended",
}
SEAT_STATES = {
    "away": "[dim]离席 away[/]",
    "unreachable": "[red]失联 unreachable[/]",
    "ready": "[green]空闲 ready[/]",
    "ringing": "[yellow]振铃 ringing[/]",
    "busy": "[cyan]通话 busy[/]",
    "wrap-up": "话后处理 wrap-up",
    "paused": "小休 paused",
}


def calls(
    home: HomeOption = None,
    as_json: Json = False,
    watch: Watch = False,
    full: Full = False,
    past: Annotated[int, typer.Option(min=0, max=1000, help="the last N calls of history 历史通话")] = 0,
) -> None:
    """The calls in progress. 进行中的通话

    Examples:

      cti calls                 cti calls --watch

      cti calls --past 20       cti calls --json
    """
    where = home_of(home)
    _show(lambda: asking.calls(where, full=full, past=past), _calls_table, as_json, watch)


def seats(home: HomeOption = None, as_json: Json = False, watch: Watch = False) -> None:
    """Every seat and what it is doing. 座席状态

    Examples:

      cti seats                 cti seats --json
    """
    where = home_of(home)
    _show(lambda: asking.seats(where), _seats_table, as_json, watch)


def queues(home: HomeOption = None, as_json: Json = False, watch: Watch = False) -> None:
    """Every queue: who waits, who talks, how many seats. 队列状态

    Examples:

      cti queues                cti queues --watch
    """
    where = home_of(home)
    _show(lambda: asking.queues(where), _queues_table, as_json, watch)


def story(
    call: Annotated[str, typer.Argument(help="CALL_ID, its beginning, or: last")],
    home: HomeOption = None,
    as_json: Json = False,
    full: Full = False,
) -> None:
    """One call as prose. 一次通话的经过

    With --full its red flags stand in it too: what only supervisors may know.

    Examples:

      cti story last            cti story demo-n1-1732190695.12 --full
    """
    where = home_of(home)
    told = _asked(lambda: asking.story(where, call, full=full))
    if as_json:
        _print_json(told.rows)
        return
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"通话 call [bold]{told.rows['call']}[/]")
    first = told.rows["lines"][0]["at"]
    day = ""
    for line in told.rows["lines"]:
        when = datetime.fromtimestamp(line["at"]).astimezone()
        if (today := f"{when:%Y-%m-%d %Z}") != day:
            day = today
            out.print(f"[dim]{day}[/]")
        out.print(
            f"{when:%H:%M:%S}.{when.microsecond // 100000} [dim]{line['at'] - first:+8.1f} s[/]  {line['zh']}"
        )
        out.print(f"[dim]{'':23}{line['en']}[/]")
    _print_source(told)


# --- showing ------------------------------------------------------------------------------------------


def _show(
    ask: Callable[[], Told], table: Callable[[list[dict[str, Any]]], Table], as_json: bool, watch: bool
) -> None:
    told = _asked(ask)
    if as_json:
        _print_json(told.rows)
        while watch:
            time.sleep(1)
            _print_json(_asked(ask).rows)
        return
    if watch:
        with Live(table(told.rows), console=_console(), auto_refresh=False) as live:
            try:
                while True:
                    live.update(_drawn(ask, table), refresh=True)
                    time.sleep(1)
            except KeyboardInterrupt:
                return
    _console().print(table(told.rows))
    _print_source(told)


def _console() -> Console:
    """A pipe has no width of its own: nothing is folded there."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=160)


def _drawn(ask: Callable[[], Told], table: Callable[[list[dict[str, Any]]], Table]) -> RenderableType:
    try:
        return table(ask().rows)
    except (NotNow, Refused) as why:
        return f"[red]{why}[/]"


def _asked(ask: Callable[[], Told]) -> Told:
    try:
        return ask()
    except Refused as why:
        _fail(str(why), 1)
    except (NotNow, Broken) as why:
        _fail(str(why), 3)


def _fail(why: str, code: int) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(why, markup=False)
    raise typer.Exit(code)


def _print_json(rows: Any) -> None:
    json.dump(rows, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
    sys.stdout.flush()


def _print_source(told: Told) -> None:
    if told.source == "service":
        return
    when = (
        ""
        if not told.until
        else f"，截至 as of {datetime.fromtimestamp(told.until).astimezone():%Y-%m-%d %H:%M:%S}"
    )
    Console(highlight=False, soft_wrap=True).print(
        f"[yellow]服务未运行，读自磁盘日志 the service is not running: from the journal{when}[/]"
    )


def _clock(at: float | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at).astimezone():%H:%M:%S}"


def _age(at: float | None) -> str:
    if at is None:
        return ""
    seconds = max(0, int(time.time() - at))
    return f"{seconds // 60}:{seconds % 60:02d}" if seconds < 3600 else f"{seconds // 3600} h"


def _table(title: str, columns: str) -> Table:
    """``columns``: ``中文 english`` each, separated by commas; a ``>`` in front aligns to the right."""
    table = Table(title=title, header_style="bold")
    for head in columns.split(","):
        zh, _, en = head.strip().lstrip(">").partition(" ")
        right = head.strip().startswith(">")
        table.add_column(f"{zh}\n{en}", no_wrap=True, justify="right" if right else "left")
    return table


def _calls_table(rows: list[dict[str, Any]]) -> Table:
    heads = "来电 arrived, 状态 state, >时长 for, 线路 line, 号码 caller, 队列 queue, 座席 seat, 通话号 call"
    table = _table(f"通话 calls: {len(rows)}", heads)
    for row in rows:
        line = f"{row['city']}/{row['line']}"
        state = CALL_STATES.get(row["state"], row["state"])
        span = _age(row["since"]) if row["ended"] is None else f"{row['ended'] - row['arrived']:.0f} s"
        when = _clock(row["arrived"])
        # whom a seat called
        number = f"→ {row['caller']}" if row.get("direction") == "out" else row["caller"]
        table.add_row(when, state, span, line, number, row["queue"], row["seat"], row["call"])
    return table


def _seats_table(rows: list[dict[str, Any]]) -> Table:
    heads = "城市 city, 座席 seat, 工号 agent, 状态 state, >时长 for, 原因 reason, 队列 queues, 通话号 call"
    table = _table(f"座席 seats: {len(rows)}", heads)
    for row in rows:
        state = SEAT_STATES.get(row["state"], row["state"])
        queues_ = ", ".join(row["queues"])
        call = row["call"] or ""
        who = (row["city"], row["seat"], row["agent"])
        table.add_row(*who, state, _age(row["since"]), row["paused"], queues_, call)
    return table


def _queues_table(rows: list[dict[str, Any]]) -> Table:
    heads = "城市 city, 队列 queue, >等待 waiting, >振铃 ringing, >通话 talking, >最长 longest,"
    heads += ">座席 seats, >空闲 ready, >忙 busy, >小休 paused"
    table = _table(f"队列 queues: {len(rows)}", heads)
    for row in rows:
        counts = [str(row[name]) for name in ("seats", "ready", "busy", "paused")]
        now = [str(row[name]) for name in ("waiting", "ringing", "talking")]
        table.add_row(row["city"], row["queue"], *now, _age(row["oldest"]), *counts)
    return table
