"""A roster as a person reads it: a week of names, a heat map of half hours, the need of a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from plan.model import Plan
from plan.roster import Roster
from queues.cover import Covered, covered
from queues.need import Need, needs, pooled
from queues.roster import Laid, slots
from queues.shift import Day

WEEKDAYS = ("周一 Mon", "周二 Tue", "周三 Wed", "周四 Thu", "周五 Fri", "周六 Sat", "周日 Sun")
KINDS = {"workday": "", "weekend": "休 off", "holiday": "节假 holiday"}
LEGEND = (
    "数字：能接的人数 figure: people who could answer; [green]绿 enough[/] [yellow]黄! too few[/] "
    "[red]红× nobody[/] · 不开放 closed。每人只计入一个队列 a person counts for one queue"
)


def people_picture(plan: Plan, roster: Roster, laid: Laid) -> Table:
    """Rows are persons, columns the days; a shift is told by its title."""
    title = f"{plan.city.title} 排班 roster {laid.first} - {laid.last}"
    table = Table(title=title, header_style="bold")
    table.add_column("工号\nwho", no_wrap=True)
    table.add_column("姓名\nname", no_wrap=True)
    days = [laid.first + timedelta(days=n) for n in range((laid.last - laid.first).days + 1)]
    for day in days:
        known = laid.days[day]
        note = KINDS[known.kind] + ("" if known.known else " ?")
        if known.kind == "workday" and day.weekday() >= 5:
            note = "调休上班 worked"
        table.add_column(f"{WEEKDAYS[day.weekday()]} {day:%m-%d}\n{note}", no_wrap=True)
    for who in sorted({turn.who for turn in laid.turns} | set(roster.people)):
        cells = []
        for day in days:
            mine = [t for t in laid.turns if t.who == who and t.day == day]
            texts = [
                f"{roster.shifts[t.shift].title} {t.seat}" + (f" 替{t.instead_of}" if t.instead_of else "")
                for t in mine
            ]
            cells.append("\n".join(texts) or "[dim]—[/]")
        known_as = plan.staff.get(who)
        table.add_row(who, known_as.name if known_as else "", *cells)
    return table


def cover_picture(plan: Plan, roster: Roster, laid: Laid) -> Iterator[RenderableType]:
    """For each queue one line a day, one character an interval."""
    cells: dict[str, dict[str, Text]] = {queue: {} for queue in plan.queues}
    every = slots(laid, roster.interval_minutes)
    for slot in every:
        day = f"{WEEKDAYS[slot.begins.weekday()]} {slot.begins:%m-%d}"
        here = covered(slot, needs(plan, roster, laid, slot))
        for queue in plan.queues:
            line = cells[queue].setdefault(day, Text())
            line.append(*_cell(here.get(queue)))
    per_hour = 60 // roster.interval_minutes
    hours = "".join(f"{hour:<{3 * per_hour}}" for hour in range(0, 24, 3))
    for queue, lines in cells.items():
        table = Table(title=f"{plan.queues[queue].title} {queue}", header_style="bold", title_justify="left")
        table.add_column("日期 day", no_wrap=True)
        table.add_column(hours, no_wrap=True)
        for day, line in lines.items():
            table.add_row(day, line)
        yield table
    yield Text.from_markup(LEGEND)


def _cell(there: Covered | None) -> tuple[str, str]:
    if there is None:
        return "·", "dim"
    if there.have >= there.need.rostered:
        return str(there.able) if there.able < 10 else "+", "green"
    return ("!", "yellow") if there.able else ("×", "red")


def need_picture(
    plan: Plan, roster: Roster, day: Day, rows: Sequence[tuple[datetime, dict[str, Need]]]
) -> RenderableType:
    """Rows are intervals: for each queue calls, and people to roster; a run of equal rows is one."""
    kind = {"workday": "工作日 workday", "weekend": "周末 weekend", "holiday": "节假日 holiday"}[day.kind]
    table = Table(title=f"{plan.city.title} 所需人数 need {day.date} {kind}", header_style="bold")
    table.add_column("时段\nfrom", no_wrap=True)
    for name, queue in plan.queues.items():
        table.add_column(f"{queue.title}\n{name}", justify="right", no_wrap=True)
    table.add_column("合计\nin all", justify="right")
    table.add_column("合并下限\npooled", justify="right")
    seconds = 60.0 * roster.interval_minutes
    for begins, wanted in rows:
        cells = [_need_cell(wanted.get(name)) for name in plan.queues]
        in_all = str(sum(n.rostered for n in wanted.values()))
        table.add_row(f"{begins:%H:%M}", *cells, in_all, str(pooled(roster, wanted.values(), seconds)))
    told = Text.from_markup(
        "每格：应排人数（来电数，及时接听率） people to roster (calls, answered in time)；· 不开放 closed\n"
        "[dim]合计按各队列互不相助（从严），合并下限按人人可接；实际介于两者之间 "
        "in all: as if no queue helped another; pooled: as if everybody answered everything[/]"
    )
    return Group(table, told)


def _need_cell(need: Need | None) -> str:
    if need is None:
        return "[dim]·[/]"
    if not need.calls:
        return f"[bold]{need.rostered}[/] [dim](0)[/]"
    return f"[bold]{need.rostered}[/] [dim]({need.calls:.1f}, {100 * need.quality.answered:.0f}%)[/]"
