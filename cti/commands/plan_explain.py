"""`cti plan explain`: a plan as a readable page, and a picture of where each number leads."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from cti import plan_folder
from cti.commands.options import HomeOption, home_of
from cti.home import Home
from cti.plan_folder import BadPlan
from plan.explain import pages
from plan.model import Plan
from plan.routes import Branch, routes, svg

SHIPPED = Path(__file__).parents[2] / "plans"
_out = Console(highlight=False)


def explain(
    what: Annotated[str, typer.Argument(help="a plan folder, a shipped city (luan), or a city in force")],
    home: HomeOption = None,
    at: Annotated[
        datetime | None,
        typer.Option("--at", formats=["%Y-%m-%d"], help="the numbers as on this day; default: today"),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--svg", help="write a picture of the number routes", show_default=False)
    ] = None,
    tree: Annotated[bool, typer.Option("--tree", help="only the routes, as a tree 只看去向")] = False,
) -> None:
    """A plan as a page: numbers, lines, units, deadlines, each with its clause. 说明方案

    Examples:

      cti plan explain luan

      cti plan explain luan --at 2021-11-15 --tree

      cti plan explain plans/ziyang --svg ziyang.svg
    """
    try:
        plan = plan_folder.load(_folder(what, home_of(home)))
    except BadPlan as why:
        for fault in why.faults:
            typer.echo(str(fault))
        raise typer.Exit(2 if len(why.faults) == 1 and "no such folder" in str(why) else 1) from None
    day = at.date() if at else datetime.now(ZoneInfo(plan.city.timezone)).date()
    if picture is not None:
        try:
            picture.write_text(svg(plan, day), encoding="utf-8")
        except OSError as why:
            typer.echo(f"{picture}: {why.strerror}", err=True)
            raise typer.Exit(3) from None
    _head(plan, day)
    if plan.lines:
        _out.print(_grown(plan, day))
    if not tree:
        for section in pages(plan, day):
            table = Table(title=section.title, title_justify="left", show_lines=True, expand=True)
            for head in section.heads:
                table.add_column(head.replace(" ", "\n", 1), overflow="fold")
            for row in section.rows:
                table.add_row(*(cell.replace("[", r"\[") for cell in row))
            _out.print(table)
    if picture is not None:
        _out.print(f"图 picture: {picture}", markup=False)


def _folder(what: str, home: Home) -> Path:
    """A folder as told, else a shipped plan of that name, else the plan in force of that city."""
    told = Path(what)
    if told.is_dir():
        return told
    if (SHIPPED / what).is_dir() and "/" not in what:
        return SHIPPED / what
    if what in home.cities():
        return home.plan(what)
    return told


def _head(plan: Plan, day: date) -> None:
    _out.print(f"[bold]{plan.city.title}[/] {plan.city.title_en}")
    if plan.city.notice:
        _out.print(f"通知 notice: {plan.city.notice}", markup=False)
    for word, text in (("依据 basis", plan.city.basis), ("假设 assumed", plan.city.assumption)):
        if text:
            _out.print(f"{word}: {text}", markup=False)
    if not plan.lines:
        _out.print("本方案没有接听号码：承接上级转来的工单 no number of its own: tickets come from above")


def _grown(plan: Plan, day: date) -> Tree:
    root = Tree(f"号码去向 number routes ─ {day}", guide_style="dim")

    def grow(tree: Tree, branches: tuple[Branch, ...]) -> None:
        for branch in branches:
            grow(tree.add(branch.text.replace("[", r"\[")), branch.below)

    grow(root, routes(plan, day))
    return root
