"""`cti audit`: who ordered what, when, on whom, and what became of it. 操作日志"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from typing import Annotated, Any, NoReturn
from urllib.parse import urlencode

import typer
from rich.console import Console
from rich.table import Table

from calls.audit import Audited
from cti.commands.asking import served
from cti.commands.moment import moment
from cti.commands.options import HomeOption, home_of
from cti.errors import Broken, NotNow, Refused
from cti.home import Home

OUTCOMES = {
    "begun": "[yellow]未知结果 begun[/]",
    "done": "完成 done",
    "refused": "[red]被拒 refused[/]",
    "denied": "[red]无权 denied[/]",
    "unknown": "[yellow]结果不明 unknown[/]",
}


def audit(
    since: Annotated[
        float | None, typer.Option("--from", parser=moment, metavar="T", help="ISO 8601 or -24h")
    ] = None,
    until: Annotated[
        float | None, typer.Option("--to", parser=moment, metavar="T", help="ISO 8601 or -24h")
    ] = None,
    who: Annotated[str | None, typer.Option("--who", help="only this person 操作人")] = None,
    did: Annotated[str | None, typer.Option("--did", help="only this order: watch, take-over … 操作")] = None,
    on: Annotated[str | None, typer.Option("--on", help="'seat 1001', 'line main', a call's id 对象")] = None,
    city: Annotated[str | None, typer.Option("--city", help="only this city 只看一个城市")] = None,
    most: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON array, as /api/audit")] = False,
    home: HomeOption = None,
) -> None:
    """Who ordered what, when, on whom, and what became of it; the newest first. 操作日志

    Examples:

      cti audit --from -24h                 cti audit --did watch --who wang

      cti audit --on "seat 1001" --json

    Without the service it reads the database and what the journal has beyond it.
    """
    told = {"from": since, "to": until, "who": who, "did": did, "on": on, "city": city, "limit": most}
    asked = {key: value for key, value in told.items() if value is not None}
    where = home_of(home)
    try:
        rows = served(where, f"/api/audit?{urlencode(asked)}", full=True)
        source = "service"
        if rows is None:
            rows, source = _from_disk(where, asked), "disk"
    except Refused as why:
        _fail(str(why), 2)
    except (NotNow, Broken) as why:
        _fail(str(why), 3)
    if as_json:
        json.dump(rows, sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
        return
    table = Table(title=f"操作日志 audit: {len(rows)}", header_style="bold")
    for head in (
        "时间 when",
        "操作人 who",
        "角色 role",
        "操作 did",
        "对象 on",
        "内容 with",
        "结果 outcome",
        "原因 why",
    ):
        table.add_column(head.replace(" ", "\n"), no_wrap=head != "原因 why")
    for row in rows:
        when = f"{datetime.fromtimestamp(row['at']).astimezone():%m-%d %H:%M:%S}"
        on_what = f"{row['city']} {row['on']}".strip()
        what = row["told"] if row["told"] != "{}" else ""
        outcome = OUTCOMES.get(row["outcome"], row["outcome"])
        table.add_row(when, row["who"], row["role"], row["did"], on_what, what, outcome, row["why"])
    out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=200)
    out.print(table)
    if source != "service":
        out.print("[yellow]服务未运行，读自磁盘 the service is not running: from disk[/]")


def _from_disk(home: Home, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """The database's rows, and those of the journal's last segments that have not reached it."""
    # a living service answers without these, and they take longer than the answer
    from cti.settings import database_url
    from cti.settings import read as read_settings
    from cti.store.drain import rows_of
    from cti.store.history import History, Past
    from cti.store.journal import Reader, segments
    from cti.web.audit import audit_answer

    equal = {name: asked[name] for name in ("who", "did", "on") if name in asked}
    past = Past(asked.get("from"), asked.get("to"), asked.get("city"), asked["limit"])

    async def from_database() -> list[Audited]:
        history = History(database_url(read_settings(home), home))
        try:
            return await history.audits(past, **equal)
        finally:
            await history.close()

    if not segments(home.journal):
        raise NotNow(f"no service answers on port {home.ports.api} and {home.journal} holds no journal")
    found = {row.id: row for row in asyncio.run(from_database())}
    for row in rows_of(Reader(home.journal).recent(2)).audits:
        inside = (past.since or 0.0) <= row.at < (past.until or float("inf"))
        if inside and past.city in (None, row.city) and all(getattr(row, n) == v for n, v in equal.items()):
            found[row.id] = row
    newest = sorted(found.values(), key=lambda row: -row.at)[: past.most]
    return [audit_answer(row).model_dump(mode="json") for row in newest]


def _fail(why: str, code: int) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(why, markup=False)
    raise typer.Exit(code)
