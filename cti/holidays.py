"""China's public holidays and the weekends worked for them (调休), as the State Council's notices say.

chinesecalendar knows the years whose notice has been published (2004 to 2026 in version 1.11) and raises for
the others: then a plan's own ``[[days]]`` tells, and what remains is Monday to Friday with a warning.
"""

from __future__ import annotations

from datetime import date

import chinese_calendar

from plan.roster import DayKind


def calendar(day: date) -> DayKind | None:
    """The kind of a day; None when no notice for its year is known here."""
    try:
        off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return None
    if name is not None:
        return "holiday" if off else "workday"
    return "weekend" if day.weekday() >= 5 else "workday"
