"""`cti plan`: the operator's hotline plan, from a folder to a running Asterisk and back."""

from __future__ import annotations

import asyncio
import difflib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from asterisk_conf.site import Site
from cti import asterisk_process, plan_folder
from cti.asterisk_process import Missing
from cti.commands.options import HomeOption, home_of
from cti.commands.plan_explain import explain
from cti.errors import NotNow, Refused
from cti.home import Home
from cti.plan_folder import BadPlan
from cti.plan_reload import AmiReloader, Reloader, running_hash, take_over
from cti.settings import BadSettings
from cti.settings import read as settings_of
from cti.site import site_of
from cti.speech import shelf
from plan.differ import differences
from plan.model import Plan
from plan.walk import walk

app = typer.Typer(
    help="The hotline plan: check, try, apply, go back. 热线方案\n\n"
    "Examples:\n\n"
    "  cti plan check plans/demo         every fault, one line each\n\n"
    "  cti plan try 12315 --plan plans/demo\n\n"
    "  cti plan explain luan             the plan as a page, with the clause of each rule\n\n"
    "  cti plan diff plans/demo && cti plan apply plans/demo\n\n"
    "  cti plan rollback                 back to the version before",
    no_args_is_help=True,
)
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)
Folder = Annotated[Path, typer.Argument(help="a city's plan folder, like plans/demo", show_default=False)]
CityOption = Annotated[str, typer.Option("--city", help="which city, when the home has several")]
app.command()(explain)


@app.command()
def check(folder: Folder) -> None:
    """Check a plan: one line for each fault, `file: place: fault (hint)`. 检查方案

    Example: cti plan check plans/demo

    Exit 1 when there is a fault; warnings alone are no fault.
    """
    try:
        checked = plan_folder.read(folder)
    except BadPlan as why:
        _say_faults(why)
        raise typer.Exit(2) from None
    for fault in checked.faults:
        typer.echo(str(fault))
    if checked.plan is None:
        raise typer.Exit(1)
    plan = checked.plan
    typer.echo(
        f"{plan.id}: 方案可用 the plan is sound: {len(plan.lines)} lines, {len(plan.queues)} queues, "
        f"{len(plan.seats)} seats",
        err=True,
    )


@app.command("try")
def try_(
    number: Annotated[str, typer.Argument(help="a number a citizen dials")],
    home: HomeOption = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="a plan folder instead of the plan in force")
    ] = None,
    city: CityOption = "",
    press: Annotated[str, typer.Option("--press", help="keys the caller presses in menus")] = "",
    diversion: Annotated[str, typer.Option("--diversion", help="the number that forwards the call")] = "",
    at: Annotated[
        datetime | None,
        typer.Option(
            "--at", formats=["%Y-%m-%d"], help="the date of the call, for merged numbers; default: today"
        ),
    ] = None,
) -> None:
    """Walk a call through the plan, as if nobody answered. 纸上走一遍

    Examples:

      cti plan try 12315 --plan plans/demo

      cti plan try 12346 --press 9

      cti plan try 12336 --plan plans/luan --at 2021-11-15

    Exit 1 when no line owns the number.
    """
    try:
        found = (
            plan_folder.load(plan)
            if plan
            else plan_folder.load(home_of(home).plan(_city(home_of(home), city)))
        )
    except BadPlan as why:
        _say_faults(why)
        raise typer.Exit(1) from None
    texts = {prompt.id: prompt.zh for prompt in shelf.catalogue()}
    day = at.date() if at else datetime.now(ZoneInfo(found.city.timezone)).date()
    steps = walk(found, number, texts, keys=press, forwarded_from=diversion, day=day)
    if steps is None:
        said = texts.get(found.city.not_in_service, found.city.not_in_service)
        _out.print(
            f"{number}：没有线路拥有这个号码 no line owns this number; the caller hears:「{said}」",
            markup=False,
        )
        raise typer.Exit(1)
    for count, step in enumerate(steps, 1):
        _out.print(f"{count:2}. {step.what}", markup=False)
        if step.decided:
            _out.print(f"      → {step.decided}", markup=False)


@app.command()
def diff(
    folder: Annotated[Path | None, typer.Argument(help="default: where the plan in force came from")] = None,
    home: HomeOption = None,
    city: CityOption = "",
    files: Annotated[bool, typer.Option("--files", help="also Asterisk's files, line by line")] = False,
) -> None:
    """What a folder would change in the plan in force. 比较

    Example: cti plan diff plans/demo --files

    Exit 0 when nothing would change, 1 when something would.
    """
    where = home_of(home)
    source = folder or plan_folder.source_of(plan_folder.in_force(where, _city(where, city)))
    try:
        if source is None:
            raise BadPlan([])
        new = plan_folder.load(source)
        now = plan_folder.in_force(where, new.id)
        old = plan_folder.load(now) if now else None
        changed = list(differences(old, new))
        for line in changed:
            _out.print(line, markup=False)
        if files:
            changed += _file_diff(where, _with(where, new))
    except BadPlan as why:
        _say_faults(why)
        raise typer.Exit(2) from None
    except (Missing, BadSettings) as why:
        _stop(str(why), 3)
    if not changed:
        _err.print("没有变化 nothing would change")
    raise typer.Exit(1 if changed else 0)


_SECRET = re.compile(r"^([ +-]?(?:password|secret) = ).*$", re.MULTILINE)


def _file_diff(home: Home, plans: Sequence[Plan]) -> list[str]:
    new = plan_folder.rendered(home, plans, _site(home, plans))
    old = plan_folder.installed_files(home, tuple(new))
    lines: list[str] = []
    for name in sorted(new):
        lines += difflib.unified_diff(
            old.get(name, "").splitlines(),
            new[name].splitlines(),
            f"now/{name}",
            f"new/{name}",
            lineterm="",
            n=2,
        )
    for line in lines:
        _out.print(_SECRET.sub(r"\1***", line), markup=False)
    return lines


@app.command()
def apply(folder: Folder, home: HomeOption = None) -> None:
    """Check a plan and put it in force; a running Asterisk takes it over, calls go on. 启用方案

    Example: cti plan apply plans/demo

    A bad plan is refused (exit 1) and the running one stays. When Asterisk does not take the new one,
    the one before comes back by itself.
    """
    where = home_of(home)
    try:
        plan = plan_folder.load(folder)
        before = plan_folder.in_force(where, plan.id)
        version = plan_folder.keep(where, folder)
    except BadPlan as why:
        _refused(why)
    _put_in_force(where, plan.id, version, before)


@app.command()
def rollback(home: HomeOption = None, city: CityOption = "") -> None:
    """Go back to the version before the one in force. 回退

    Example: cti plan rollback --city demo
    """
    where = home_of(home)
    name = _city(where, city)
    now = plan_folder.in_force(where, name)
    older = [v for v in plan_folder.versions(where, name) if now is None or v.name < now.name]
    if not older:
        _stop(f"{name}: 没有更早的版本 there is no version before {now.name if now else 'none'}", 1)
    plan_folder.point(where, name, older[-1])
    _put_in_force(where, name, older[-1], now)


@app.command()
def show(
    home: HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="an array for machines")] = False,
) -> None:
    """The versions kept, the one in force, and whether Asterisk runs it. 查看版本

    Example: cti plan show --json
    """
    where = home_of(home)
    files = plan_folder.installed_files(where, ("extensions.conf",))
    written = plan_folder.hash_of(files) if files else ""
    runs = asyncio.run(running_hash(AmiReloader(where)))
    rows = [
        {
            "city": city,
            "version": version.name,
            "in_force": version == plan_folder.in_force(where, city),
            "source": str(plan_folder.source_of(version) or ""),
        }
        for city in where.cities()
        for version in plan_folder.versions(where, city)
    ]
    if as_json:
        typer.echo(
            json.dumps({"plan_hash": written, "asterisk_runs": runs, "versions": rows}, ensure_ascii=False)
        )
        return
    for row in rows:
        _out.print(f"{'●' if row['in_force'] else ' '} {row['city']} {row['version']}", markup=False)
    if runs is None:
        _out.print("Asterisk 未运行 does not run")
    else:
        _out.print(
            f"PLAN_HASH {written[:12]}；Asterisk "
            + ("一致 runs it" if runs == written else "不一致 runs another")
        )


def _put_in_force(home: Home, city: str, version: Path, before: Path | None) -> None:
    try:
        wanted = _install(home, city)
    except BadPlan as why:
        _restore(home, city, before)
        _refused(why)
    except (Missing, BadSettings) as why:
        _restore(home, city, before)
        _stop(str(why), 3)
    try:
        taken = asyncio.run(_take_over(AmiReloader(home), wanted))
    except Refused as why:
        _err.print(f"[red]Asterisk: {why}[/]")
        taken = False
    if taken is None:
        _out.print(
            f"{city} {version.name}：已启用，Asterisk 未运行，启动时生效 "
            "in force; Asterisk does not run, it starts with it"
        )
        return
    if taken:
        _out.print(
            f"{city} {version.name}：已启用，Asterisk 正在运行它 "
            f"in force, Asterisk runs it (PLAN_HASH {wanted[:12]})"
        )
        return
    _err.print(f"[red]{city} {version.name}：Asterisk 没有接受 Asterisk did not take it over[/]")
    _restore(home, city, before)
    if before is not None:
        back = asyncio.run(_take_over(AmiReloader(home), _install(home, city)))
        _err.print(
            f"{city}：回到 {before.name} back to it{'' if back else ', but Asterisk does not confirm'}"
        )
    raise typer.Exit(1)


def _restore(home: Home, city: str, before: Path | None) -> None:
    if before is not None:
        plan_folder.point(home, city, before)
    else:
        home.plan(city).unlink(missing_ok=True)


async def _take_over(asterisk: Reloader, wanted: str) -> bool | None:
    """None: there is no Asterisk to take it over."""
    if await running_hash(asterisk) is None:
        return None
    try:
        return await take_over(asterisk, wanted)
    except NotNow:
        return False


def _install(home: Home, city: str) -> str:
    plans = _with(home, plan_folder.load(home.plan(city)))
    told: list[str] = []
    digest = plan_folder.install(home, plans, _site(home, plans), told.append)
    for text in told:
        _err.print(f"[yellow]{text}[/]")
    return digest


def _with(home: Home, plan: Plan) -> list[Plan]:
    """The plans of all cities that this instance runs, in its own order: the lab's carriers have their
    addresses by it."""
    told = home.state().get("cities")
    names: Iterable[str] = told if isinstance(told, list) else home.cities()
    return [
        plan if name == plan.id else plan_folder.load(home.plan(name))
        for name in dict.fromkeys((*names, plan.id))
        if name == plan.id or home.plan(name).exists()
    ]


def _site(home: Home, plans: Sequence[Plan]) -> Site:
    lab = bool(home.state().get("lab", False))
    return site_of(home, home.ports, settings_of(home), asterisk_process.installed(), list(plans), lab=lab)


def _city(home: Home, told: str) -> str:
    cities = home.cities()
    if told:
        if told not in cities:
            _stop(f"no plan of '{told}' in {home.root}; there are: {', '.join(cities) or 'none'}", 2)
        return told
    if len(cities) != 1:
        remedy = "say which: --city" if cities else "apply one: cti plan apply plans/demo"
        _stop(f"{home.root} has plans of {', '.join(cities) or 'no city'}; {remedy}", 2)
    return cities[0]


def _say_faults(why: BadPlan) -> None:
    for fault in why.faults:
        typer.echo(str(fault))
    if not why.faults:
        typer.echo("which folder? give one, like plans/demo", err=True)


def _refused(why: BadPlan) -> NoReturn:
    _say_faults(why)
    _stop("方案被拒绝，现行方案不变 refused: the plan in force stays", 1)


def _stop(text: str, code: int) -> NoReturn:
    _err.print(text, markup=False)
    raise typer.Exit(code)
