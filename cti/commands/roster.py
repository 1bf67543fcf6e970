"""`cti roster`: who works when, where there are holes, how many are needed. 排班"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console, Group
from rich.text import Text

from cti import plan_folder
from cti.commands.options import HomeOption, home_of
from cti.commands.roster_picture import cover_picture, need_picture, people_picture
from cti.errors import Broken, NotNow
from cti.holidays import calendar
from cti.home import Home
from cti.plan_folder import BadPlan
from cti.settings import BadSettings, database_url
from cti.settings import read as settings_of
from cti.store.history import History
from plan.model import Plan
from plan.roster import Roster
from queues.cover import holes
from queues.hole import Hole
from queues.need import Need, needs, pooled
from queues.profile import profile, toml
from queues.roster import lay, slots
from queues.shift import dates, day_of, moment, zone

app = typer.Typer(
    help="Who works when: holes before they happen, and how many are needed. 排班\n\n"
    "Examples:\n\n"
    "  cti roster check plans/demo       every hole of the next 14 days\n\n"
    "  cti roster show                   this week, from the plan in force\n\n"
    "  cti roster need --from-history    forecast.toml out of the calls that came",
    no_args_is_help=True,
)
DAYS = 14
MOST_DAYS = 400


def _date(text: str) -> date:
    """``2026-11-20``, ``today``, or a week: ``2026-W47`` is its Monday."""
    try:
        if week := re.fullmatch(r"(\d{4})-?W(\d{2})", text):
            return date.fromisocalendar(int(week[1]), int(week[2]), 1)
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write 2026-11-20 or a week, 2026-W47") from None


Folder = Annotated[
    Path | None, typer.Argument(help="a city's plan folder; default: the plan in force", show_default=False)
]
CityOption = Annotated[str, typer.Option("--city", help="which city, when the home has several 城市")]
From = Annotated[
    date | None, typer.Option("--from", parser=_date, metavar="DAY", help="first day, default today 起")
]
To = Annotated[date | None, typer.Option("--to", parser=_date, metavar="DAY", help="last day, included 止")]
Json = Annotated[bool, typer.Option("--json", help="for programs")]


@app.command()
def check(
    folder: Folder = None, since: From = None, until: To = None, as_json: Json = False,
    home: HomeOption = None, city: CityOption = "",
) -> None:  # fmt: skip
    """Holes before they happen: nobody there, too few, one person twice, too little rest. 排班检查

    Examples:

      cti roster check plans/demo

      cti roster check --from 2026-11-01 --to 2026-11-30 --json

    Exit 1 when there is a hole; warnings (a year whose holidays are not known) alone are none.
    """
    plan, roster = _roster(folder, home, city)
    first, last = _days(plan, since, until, DAYS)
    found = holes(plan, roster, first, last, calendar)
    real = [hole for hole in found if not hole.warning]
    if as_json:
        told = {"city": plan.id, "from": f"{first}", "to": f"{last}", "holes": [_plain(h) for h in found]}
        _json(told)
    else:
        out = _console()
        for hole in found:
            out.print(_line(hole))
        span = f"{first} 至 to {last}"
        out.print(
            f"{plan.id}：{span}，{len(real)} 处空档 holes，{len(found) - len(real)} 条提醒 warnings"
            + ("" if real else "；排班完整 the roster is whole")
        )
        if len(plan.queues) > 1:
            out.print(
                "[dim]每人同一时刻只计入一个队列（从严） a person counts for one queue at a time, "
                "which asks for more people than sharing would[/]"
            )
    raise typer.Exit(1 if real else 0)


@app.command()
def show(
    folder: Folder = None,
    week: Annotated[
        date | None,
        typer.Option("--week", parser=_date, metavar="WEEK", help="2026-W47, or a day in it; default now"),
    ] = None,
    as_json: Json = False, home: HomeOption = None, city: CityOption = "",
) -> None:  # fmt: skip
    """Who works when in one week, and how well every half hour is covered. 排班表

    Examples:

      cti roster show plans/demo

      cti roster show --week 2026-W47 --json
    """
    plan, roster = _roster(folder, home, city)
    day = week or _today(plan)
    first = day - timedelta(days=day.weekday())
    laid = lay(plan, roster, first, first + timedelta(days=6), calendar)
    if as_json:
        turns = [
            {
                "who": t.who, "name": plan.staff[t.who].name, "seat": t.seat, "shift": t.shift,
                "begins": t.begins.isoformat(), "ends": t.ends.isoformat(),
                "breaks": [[a.isoformat(), b.isoformat()] for a, b in t.breaks],
                "queues": list(t.skills), "instead_of": t.instead_of,
            }
            for t in laid.turns
        ]  # fmt: skip
        _json({"city": plan.id, "from": f"{laid.first}", "to": f"{laid.last}", "turns": turns})
        return
    _console().print(Group(people_picture(plan, roster, laid), *cover_picture(plan, roster, laid)))


@app.command()
def need(
    folder: Folder = None,
    day: Annotated[
        date | None, typer.Option("--date", parser=_date, metavar="DAY", help="default today 日期")
    ] = None,
    from_history: Annotated[
        bool, typer.Option("--from-history", help="print forecast.toml out of the calls that came 由历史推算")
    ] = False,
    weeks: Annotated[int, typer.Option(min=1, max=53, help="with --from-history: how far back 周数")] = 4,
    as_json: Json = False, home: HomeOption = None, city: CityOption = "",
) -> None:  # fmt: skip
    """How many people each queue needs, by interval: Erlang C, or A where the plan sets patience. 所需人数

    Examples:

      cti roster need plans/demo --date 2026-11-20

      cti roster need --from-history --weeks 4 > plans/mycity/forecast.toml
    """
    plan, roster = _roster(folder, home, city)
    if from_history:
        sys.stdout.write(_from_history(plan, roster, home_of(home), weeks))
        return
    first = day or _today(plan)
    laid = lay(plan, roster, first, first, calendar)
    rows = [(slot.begins, needs(plan, roster, laid, slot)) for slot in slots(laid, roster.interval_minutes)]
    if as_json:
        seconds = 60.0 * roster.interval_minutes
        told = [
            {
                "from": begins.isoformat(),
                "queues": {queue: _need_plain(n) for queue, n in wanted.items()},
                "rostered": sum(n.rostered for n in wanted.values()),
                "pooled": pooled(roster, wanted.values(), seconds),
            }
            for begins, wanted in rows
        ]
        _json({"city": plan.id, "date": f"{first}", "intervals": told})
        return
    _console().print(need_picture(plan, roster, laid.days[first], rows))


# --- reading ------------------------------------------------------------------------------------------


def _roster(folder: Path | None, home: Path | None, city: str) -> tuple[Plan, Roster]:
    source = folder or _in_force(home_of(home), city)
    try:
        plan = plan_folder.load(source)
    except BadPlan as why:
        for fault in why.faults:
            typer.echo(str(fault))
        _stop("方案有误，无法检查排班 the plan has faults: cti plan check", 2)
    if plan.roster is None:
        _stop(f"{plan.id}：没有排班 no roster: add roster.toml to {source} (an example: plans/demo)", 2)
    return plan, plan.roster


def _in_force(home: Home, city: str) -> Path:
    cities = home.cities()
    if city and city not in cities:
        _stop(f"no plan of '{city}' in {home.root}; there are: {', '.join(cities) or 'none'}", 2)
    if not cities:
        _stop(f"{home.root} has no plan; name a folder, like plans/demo, or: cti plan apply plans/demo", 3)
    if not city and len(cities) > 1:
        _stop(f"{home.root} has plans of {', '.join(cities)}; say which: --city", 2)
    return home.plan(city or cities[0])


def _today(plan: Plan) -> date:
    return datetime.now(UTC).astimezone(zone(plan.city.timezone)).date()


def _days(plan: Plan, since: date | None, until: date | None, days: int) -> tuple[date, date]:
    first = since or _today(plan)
    last = until or first + timedelta(days=days - 1)
    if last < first:
        _stop(f"--to {last} is before --from {first}", 2)
    if (last - first).days >= MOST_DAYS:
        _stop(f"--from {first} --to {last}: at most {MOST_DAYS} days at a time", 2)
    return first, last


def _from_history(plan: Plan, roster: Roster, home: Home, weeks: int) -> str:
    tz = zone(plan.city.timezone)
    today = _today(plan)
    try:
        told = asyncio.run(_span(home, plan, today, weeks))
    except (NotNow, Broken, BadSettings) as why:
        _stop(str(why), 3)
    visits, stints = told
    if not visits:
        _stop(f"{plan.id}：近 {weeks} 周没有来电 no call in {weeks} weeks: nothing to foresee from", 1)
    # days before the first call are days without this system, not days without callers
    began = datetime.fromtimestamp(min(v.joined for v in visits), tz).date()
    days = {d: day_of(d, roster, calendar).kind for d in dates(began, max(began, today - timedelta(days=1)))}
    found = profile(plan, visits, stints, days, tz)
    return toml(found, f"由 {began} 至 {max(days)} 的来电推算 from the calls of these {len(days)} days")


async def _span(home: Home, plan: Plan, today: date, weeks: int) -> tuple[list[Any], list[Any]]:
    url = database_url(settings_of(home), home)
    if url.startswith("sqlite") and not home.database.exists():
        raise NotNow(f"there is no history in {home.database}: cti up")
    history = History(url, seconds=60.0)
    tz = zone(plan.city.timezone)
    visits: list[Any] = []
    stints: list[Any] = []
    try:
        # a day at a time: a busy city has ten thousand calls in each
        for day in dates(today - timedelta(weeks=weeks), today):
            begins = moment(day, 0, tz).timestamp()
            span = await history.span(begins, begins + 86_400, plan.id)
            visits += span.visits
            stints += span.stints
    finally:
        await history.close()
    return visits, stints


# --- telling ------------------------------------------------------------------------------------------


def _console() -> Console:
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=160)


def _line(hole: Hole) -> Text:
    same = hole.begins.date() == hole.ends.date()
    ends = f"{hole.ends:%H:%M}" if same else f"{hole.ends:%m-%d %H:%M}"
    where = f" {hole.queue}" if hole.queue else ""
    style = "yellow" if hole.warning else "red"
    words = f"{hole.zh} / {hole.en}"
    return Text.assemble(
        f"{hole.begins:%Y-%m-%d %a %H:%M}-{ends}", (f" {hole.kind}", style), f"{where}: {words}"
    )


def _plain(hole: Hole) -> dict[str, Any]:
    return {
        "kind": hole.kind.value, "warning": hole.warning,
        "from": hole.begins.isoformat(), "to": hole.ends.isoformat(),
        "queue": hole.queue, "who": hole.who, "seat": hole.seat, "have": hole.have, "need": hole.need,
        "zh": hole.zh, "en": hole.en,
    }  # fmt: skip


def _need_plain(need: Need) -> Mapping[str, Any]:
    return {
        "calls": round(need.calls, 3), "handle_seconds": round(need.handle, 1), "erlang": round(need.load, 3),
        "agents": need.agents, "rostered": need.rostered, "answered": round(need.quality.answered, 4),
        "connected": round(need.quality.connected, 4), "occupancy": round(need.quality.occupancy, 4),
    }  # fmt: skip


def _json(told: Any) -> None:
    json.dump(told, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


def _stop(text: str, code: int) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)
    raise typer.Exit(code)
