"""`cti board`: the live board in a terminal. 实时看板"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cti.board_client import Shown, follow
from cti.commands.asking import from_disk
from cti.commands.options import HomeOption, home_of
from cti.errors import NotNow, Refused
from cti.home import Home
from cti.web import api
from recording.flagged import SHOWN

AGAIN = 1.0
"""Seconds between two tries while the service is away."""
DRAWN = 0.25
FIRST = 5.0
"""Seconds in which a living service has told its board."""
STATES = {
    "ready": "空闲 ready",
    "ringing": "振铃 ringing",
    "busy": "通话 busy",
    "wrap-up": "整理 wrap-up",
    "paused": "暂停 paused",
    "unreachable": "话机离线 unreachable",
    "away": "未签入 away",
}
STOPPED = {
    "missed": "座席多次未接，已置暂停 paused: rings were missed",
    "lost": "座席话机掉线，已置暂停 paused: the phone vanished in a call",
}
HOW = {"listen": "监听 listens to", "whisper": "密语 whispers to", "barge": "强插 is in the call of"}


def board(
    once: Annotated[bool, typer.Option("--once", help="show it once and end 只看一次")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="one JSON object (--once), or one a change")
    ] = False,
    city: Annotated[str | None, typer.Option("--city", help="only this city 只看一个城市")] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="whole numbers, red flags, missing recordings 完整号码、红旗、录音告警"),
    ] = False,
    home: HomeOption = None,
) -> None:
    """Who waits, who works, how well it goes: the live board. 实时看板

    Callers waiting, the longest wait, seats by state, connect rate and share answered within 15 s of the last
    24 hours, queues with too few people; with --full what only supervisors see: whole numbers, red flags of
    the last hour, recordings missing or short. Without the service it shows the journal's last picture and
    says so.

    Examples:

      cti board                 cti board --once          cti board --full

      cti board --once --json   one object for scripts; "source" is service or journal

    Exit 0: the service answered; 3: it is away (with --once the last picture is shown all the same).
    """
    where = home_of(home)
    try:
        if once:
            asyncio.run(_once(where, city, as_json, full))
        else:
            asyncio.run(_live(where, city, as_json, full))
    except Refused as why:
        Console(stderr=True).print(str(why), markup=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        return


async def _once(home: Home, city: str | None, as_json: bool, full: bool) -> None:
    try:
        told = as_told(await _first(home, full), city)
    except NotNow as why:
        try:
            told = from_journal(home, city)
        except NotNow as nothing:
            Console(stderr=True).print(str(nothing), markup=False)
            raise typer.Exit(3) from None
        told["why"] = str(why)
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        _console().print(drawn(told, time.time()))
    if told["source"] != "service":
        raise typer.Exit(3)


async def _first(home: Home, full: bool) -> Shown:
    try:
        async with asyncio.timeout(FIRST):
            return await anext(follow(home, _role(full)))
    except TimeoutError:
        raise NotNow(f"the service says nothing within {FIRST:g} s") from None


def _role(full: bool) -> str:
    return "operator" if full else "observer"


async def _live(home: Home, city: str | None, as_json: bool, full: bool) -> None:
    """Until Ctrl-C; a service that is away is waited for, under its last picture."""
    latest: dict[str, Any] = {}
    changed = asyncio.Event()

    async def listen() -> None:
        while True:
            try:
                async for shown in follow(home, _role(full)):
                    latest.clear()
                    latest.update(as_told(shown, city))
                    changed.set()
            except NotNow as why:
                if latest.get("source") != "journal":
                    try:
                        told = from_journal(home, city)
                    except NotNow:
                        told = {**as_told(Shown(), city), "source": "journal"}
                    latest.clear()
                    latest.update(told)
                latest["why"] = str(why)
                changed.set()
                await asyncio.sleep(AGAIN)

    listening = asyncio.create_task(listen())
    try:
        if as_json:
            while True:
                await changed.wait()
                changed.clear()
                sys.stdout.write(json.dumps(latest, ensure_ascii=False) + "\n")
                sys.stdout.flush()
                await asyncio.sleep(DRAWN)
        await changed.wait()
        with Live(drawn(latest, time.time()), console=_console(), auto_refresh=False) as live:
            while not listening.done():
                live.update(drawn(latest, time.time()), refresh=True)
                # ages grow without any news
                await asyncio.sleep(DRAWN)
        await listening
    finally:
        listening.cancel()


def as_told(shown: Shown, city: str | None) -> dict[str, Any]:
    """The board as plain rows, of one city or all."""

    def rows(found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        mine = [row for _, row in sorted(found.items()) if city in (None, row.get("city"))]
        return [{k: v for k, v in row.items() if k != "kind"} for row in mine]

    told = {
        "source": "service",
        "at": shown.at,
        "linked": bool(shown.link.get("linked")),
        "calls": rows(shown.calls),
        "seats": rows(shown.seats),
        "queues": rows(shown.queues),
        "figures": rows(shown.figures),
        "shortfalls": rows(shown.shortfalls),
        "watches": rows(shown.watches),
        "announcements": rows(shown.announcements),
        "flags": [x for x in rows(shown.flags) if shown.at - x["at"] < SHOWN or x["call"] in shown.calls],
        "alarms": rows(shown.alarms),
    }
    return {**told, **summary(told)}


def from_journal(home: Home, city: str | None) -> dict[str, Any]:
    """The journal's last picture. Raises NotNow when there is no journal."""
    kept, until = from_disk(home)
    shown = Shown(at=until or 0.0)
    shown.calls = {c.id: api.call_answer(c, full=False).model_dump(mode="json") for c in kept.live_calls()}
    shown.seats = {f"{s.city}-{s.name}": api.seat_answer(s).model_dump(mode="json") for s in kept.seats()}
    shown.queues = {f"{q.city}-{q.name}": api.queue_answer(q).model_dump(mode="json") for q in kept.queues()}
    return {**as_told(shown, city), "source": "journal"}


def summary(told: dict[str, Any]) -> dict[str, Any]:
    """What a person looks for first."""
    waiting = [c for c in told["calls"] if c["state"] in ("waiting", "ringing")]
    since = [c["joined"] for c in waiting if c["joined"] is not None]
    return {
        "waiting": len(waiting),
        "talking": sum(c["state"] == "talking" for c in told["calls"]),
        "waiting_since": min(since, default=None),
        "seats_by_state": dict(Counter(s["state"] for s in told["seats"])),
    }


# --- drawing ----------------------------------------------------------------------------------------------


def drawn(told: dict[str, Any], now: float) -> RenderableType:
    """The board as rich draws it."""
    parts: list[RenderableType] = []
    if told["source"] != "service":
        when = f"{datetime.fromtimestamp(told['at']).astimezone():%Y-%m-%d %H:%M:%S}"
        parts.append(
            Panel(
                f"服务不在，以下为日志中 {when} 的画面；电话仍由 Asterisk 接听。\n"
                f"The service is away ({told.get('why', '')}); this is the journal's picture of {when}. "
                "Asterisk goes on answering calls.",
                style="bold red",
            )
        )
    elif not told["linked"]:
        parts.append(
            Panel("与 Asterisk 的连接中断，画面未经证实 no link to Asterisk: unproved", style="yellow")
        )
    longest = _span(now - told["waiting_since"]) if told["waiting_since"] is not None else "-"
    states = told["seats_by_state"]
    head = Table.grid(padding=(0, 3))
    head.add_row(
        f"等待 waiting [bold]{told['waiting']}[/]",
        f"最长 longest [bold]{longest}[/]",
        f"通话 talking [bold]{told['talking']}[/]",
        *(f"{text} [bold]{states[state]}[/]" for state, text in STATES.items() if states.get(state)),
    )
    parts.append(Panel(head, title=f"实时看板 board {datetime.fromtimestamp(now).astimezone():%H:%M:%S}"))
    for row in told["figures"]:
        parts.append(
            f"{row['city']} 近24小时 last 24 h: 呼入 offered {row['offered']} · "
            f"接通率 connect rate {_rate(row['connect_rate'])} · "
            f"15秒内 within 15 s {_rate(row['within_15s'])} · 放弃 abandoned {row['abandoned']}"
        )
    for row in told["shortfalls"]:
        parts.append(
            f"[bold red]在席不足 too few: {row['city']}/{row['queue']} 需 need {row['need']} "
            f"在 present {row['present']}[/]"
        )
    for row in told["seats"]:
        if row["paused"] in STOPPED:
            why = f"{STOPPED[row['paused']]} {row['city']}/{row['seat']} {_clock(row['since'])}"
            parts.append(Text(why, style="bold red"))
    for row in sorted(told["flags"], key=lambda x: x["at"]):
        about = f"{row['city']} {row['title']}：{row['words']} ({row['call']})"
        parts.append(Text(f"红旗 red flag {_clock(row['at'])} {about}", style="bold red"))
    for row in sorted(told["alarms"], key=lambda x: x["at"]):
        if row["seat"]:
            continue
        about = f"{row['why']} {_clock(row['at'])} {row['call']} {row['leg']}"
        parts.append(Text(f"录音告警 recording {about}", style="yellow"))
    for row in told["announcements"]:
        when = f"{datetime.fromtimestamp(row['since']).astimezone():%m-%d %H:%M}"
        parts.append(
            f"[yellow]紧急公告 announcement on {row['city']}/{row['line']}: {row['sound']} {when}[/]"
        )
    for row in told["watches"]:
        parts.append(f"[cyan]{row['city']}: 座席 seat {row['by']} {HOW.get(row['how'], '')} {row['seat']}[/]")
    parts.append(_queues(told["queues"], now))
    return Group(*parts)


HEADS = "城市 city, 队列 queue, 等待 waiting, 最长 longest, 通话 talking,"
HEADS += "空闲 ready, 忙 busy, 暂停 paused, 座席 seats"


def _queues(rows: list[dict[str, Any]], now: float) -> Table:
    table = Table(header_style="bold")
    for head in HEADS.split(","):
        zh, _, en = head.strip().partition(" ")
        table.add_column(f"{zh}\n{en}", justify="left" if en in ("city", "queue") else "right", no_wrap=True)
    for row in rows:
        longest = _span(now - row["oldest"]) if row["oldest"] is not None else ""
        counts = (
            row["waiting"],
            longest,
            row["talking"],
            row["ready"],
            row["busy"],
            row["paused"],
            row["seats"],
        )
        style = "bold yellow" if row["waiting"] and not row["ready"] else ""
        table.add_row(row["city"], row["queue"], *(str(c) for c in counts), style=style)
    return table


def _rate(value: float | None) -> str:
    return "-" if value is None else f"[bold]{value:.1%}[/]"


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%m-%d %H:%M:%S}"


def _span(seconds: float) -> str:
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def _console() -> Console:
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=160)
