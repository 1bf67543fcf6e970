"""`cti duties`: what a shift hands over to the next. 交接班"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from cti.commands import asking_figures as asking
from cti.commands.moment import moment
from cti.commands.options import HomeOption, home_of
from cti.errors import Broken, NotNow, Refused
from cti.home import Home

KINDS = {
    "call-back": "待回电 call back",
    "draft": "待转工单 draft",
    "announcement": "紧急公告 announcement",
    "note": "交班留言 note",
}
NOTE = "-note-"
"""In the id of a note, and of no call."""


def duties(
    since: Annotated[
        float | None,
        typer.Option("--from", parser=moment, metavar="T", help="ISO 8601 or -24h; default 30 days"),
    ] = None,
    settled: Annotated[bool, typer.Option("--all", help="those settled too 含已了结")] = False,
    city: Annotated[str | None, typer.Option("--city", help="only this city 只看一个城市")] = None,
    full: Annotated[bool, typer.Option("--full", help="whole numbers of citizens 显示完整号码")] = False,
    settle: Annotated[
        str | None,
        typer.Option("--settle", metavar="CALL", help="this call's duty, or this note, is done 手工了结"),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="with --settle: how it was done 了结说明")] = "",
    draft: Annotated[bool, typer.Option("--draft", help="with --settle: its draft 了结草稿")] = False,
    write: Annotated[
        str | None, typer.Option("--write", metavar="TEXT", help="leave a note for the next shift 写交班留言")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON array, as /api/duties")] = False,
    home: HomeOption = None,
) -> None:  # fmt: skip
    """Open duties for the next shift: calls back owed, drafts unsent, announcements, notes. 交接班事项

    A call back is settled when an agent has talked with that number since, a draft by a ticket of its call,
    an announcement when it is lowered, a note when a supervisor says so. A message that was left is a
    recording: `message` in --json.

    Examples:

      cti duties                cti duties --from -24h --full

      cti duties --all --json

      cti duties --settle demo-n1-1.1 --why "办公室手机已回电"   what no call of ours shows; it is audited

      cti duties --write "三号线路扩容，九点前勿调队列"      a note, there until it is settled

    Exit 0 also when there are some: a duty is no fault.
    """
    if settle is not None:
        kind = "note" if NOTE in settle else "draft" if draft else "call-back"
        _settle(home_of(home), settle, kind, why)
        return
    if write is not None:
        _write(home_of(home), write, city)
        return
    try:
        told = asking.duties(home_of(home), since, city, settled=settled, full=full)
    except Refused as why:
        _fail(str(why), 2)
    except (NotNow, Broken) as why:
        _fail(str(why), 3)
    if as_json:
        json.dump(told.rows, sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
        return
    table = Table(
        title=f"交接班事项 open duties: {sum(r['settled'] is None for r in told.rows)}", header_style="bold"
    )
    heads = (
        "事项 kind",
        "自 since",
        "已过 for",
        "城市 city",
        "线路 line",
        "号码/留言人 number/writer",
        "通话 call",
        "留言 message",
        "了结 settled",
    )
    for head in heads:
        table.add_column(head.replace(" ", "\n"), no_wrap=True)
    for row in told.rows:
        table.add_row(
            KINDS.get(row["kind"], row["kind"]),
            f"{datetime.fromtimestamp(row['since']).astimezone():%m-%d %H:%M}",
            _age(row["since"]),
            row["city"],
            row["line"],
            row["by"] or row["number"] or "未显示 withheld",
            row["call"] or row["note"],
            "有 left" if row["message"] else "",
            ""
            if row["settled"] is None
            else f"{datetime.fromtimestamp(row['settled']).astimezone():%m-%d %H:%M}",
        )
    out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=160)
    out.print(table)
    for row in told.rows:
        if row["note"]:
            # as typed: what stands in brackets is no colour of ours
            out.print(f"{row['note']} {row['by']}: {row['text']}", markup=False, soft_wrap=True)
    if told.source != "service":
        out.print("[yellow]服务未运行，读自磁盘 the service is not running: from disk[/]")


def _settle(home: Home, call: str, kind: str, why: str) -> None:
    if not why.strip():
        _fail("--why: say how it was done 请说明如何了结", 2)
    try:
        row = asking.settle(home, call, kind, why)
    except Refused as no:
        _fail(str(no), 1)
    except NotNow as no:
        _fail(str(no), 3)
    Console(highlight=False).print(f"已了结 settled: {call} (audit {row})")


def _write(home: Home, text: str, city: str | None) -> None:
    try:
        note = asking.leave(home, text, city)
    except Refused as no:
        _fail(str(no), 1)
    except NotNow as no:
        _fail(str(no), 3)
    Console(highlight=False).print(f"已留言 noted: {note}")


def _age(since: float) -> str:
    minutes = max(0, int(time.time() - since)) // 60
    days, rest = divmod(minutes, 1440)
    return f"{days} d {rest // 60} h" if days else f"{rest // 60}:{rest % 60:02d} h"


def _fail(why: str, code: int) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(why, markup=False)
    raise typer.Exit(code)
