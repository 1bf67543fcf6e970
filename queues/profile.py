"""A forecast out of history: how many calls each queue was offered, by half hour and kind of day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone

from plan.model import Plan
from plan.roster import DAY_MINUTES, DayKind, Forecast
from queues.stint import Stint
from queues.visit import Visit

KINDS: tuple[DayKind, ...] = ("workday", "weekend", "holiday")
STEP = 30
"""Minutes of one figure."""


def profile(
    plan: Plan, visits: Iterable[Visit], stints: Iterable[Stint], days: Mapping[date, DayKind], tz: timezone
) -> dict[str, Forecast]:
    """The mean of these days. A call counts for the first queue it was offered to, whatever came of it.

    ``days``: every day that is looked at, also those without a call. A queue nobody answered in has no handle
    time and is left out: nothing can be foreseen from it.
    """
    offered: dict[tuple[str, DayKind], list[int]] = {}
    for visit in visits:
        when = datetime.fromtimestamp(visit.joined, tz)
        if visit.number != 1 or visit.queue not in plan.queues or when.date() not in days:
            continue
        row = offered.setdefault((visit.queue, days[when.date()]), [0] * (DAY_MINUTES // STEP))
        row[(when.hour * 60 + when.minute) // STEP] += 1
    handle = _handle(plan, stints)
    none = (0,) * (DAY_MINUTES // STEP)
    count = {kind: sum(k == kind for k in days.values()) for kind in KINDS}
    found = {}
    for queue in plan.queues:
        if queue not in handle:
            continue
        rates = {
            kind: tuple(round(n / number, 2) for n in offered.get((queue, kind), none))
            for kind, number in count.items()
            if number
        }
        found[queue] = Forecast(
            handle_seconds=round(max(handle[queue], 1.0), 1),
            workday=rates.get("workday") or next(iter(rates.values()), none),
            weekend=rates.get("weekend", ()),
            holiday=rates.get("holiday", ()),
        )
    return found


def _handle(plan: Plan, stints: Iterable[Stint]) -> dict[str, float]:
    """Seconds of one answered call: talk, hold and wrap-up (the plan's, where nobody saw it end)."""
    spent: dict[str, list[float]] = {}
    for stint in stints:
        if stint.answered is None or stint.queue not in plan.queues:
            continue
        usual = float(plan.queues[stint.queue].wrap_up_seconds)
        wrap_up = usual if stint.wrap_up is None else stint.wrap_up
        spent.setdefault(stint.queue, []).append(stint.talk + stint.hold + wrap_up)
    return {queue: sum(all_) / len(all_) for queue, all_ in spent.items()}


def toml(forecast: Mapping[str, Forecast], source: str) -> str:
    """forecast.toml as text. ``source``: one line that says where the figures come from."""
    lines = [f"# {source}"]
    for queue, each in forecast.items():
        lines += ["", f"[{queue}]", f"handle_seconds = {each.handle_seconds:g}"]
        for kind in ("workday", "weekend", "holiday"):
            rates = getattr(each, kind)
            if rates:
                rows = (rates[at : at + 12] for at in range(0, len(rates), 12))
                lines.append(f"{kind} = [")
                lines += [f"  {', '.join(f'{n:g}' for n in row)}," for row in rows]
                lines.append("]")
    return "\n".join(lines) + "\n"
