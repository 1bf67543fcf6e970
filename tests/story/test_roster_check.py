"""roster.toml and forecast.toml: each mistake in one line with its place and remedy."""

from __future__ import annotations

import pytest

from tests.story.plan_files import checked, demo_files


def faults(file: str, old: str, new: str) -> list[str]:
    files = demo_files()
    text = files[file].decode()
    assert old in text
    files[file] = text.replace(old, new, 1).encode()
    found = checked(files)
    assert found.refused == any(not fault.warning for fault in found.faults)
    return [str(fault) for fault in found.faults]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            'hours = "07:00-15:00"', 'hours = "7-15"',
            "roster.toml: shifts.early.hours: '7-15' is not a span of time"
            " (like 08:00-16:00, or 23:00-07:00)",
        ),
        (
            'hours = "07:00-15:00"', 'hours = "07:00-07:00"',
            "roster.toml: shifts.early.hours: '07:00-07:00' has no length (a whole day is 00:00-24:00)",
        ),
        (
            'workday = "day"', 'workday = "dya"',
            "roster.toml: patterns.office.workday: no such shift 'dya' (did you mean 'day'?)",
        ),
        (
            "starts = 2026-01-05", "",
            "roster.toml: patterns.four.starts: is missing"
            " (a day on which somebody with offset 0 is at the first entry, like 2026-01-05)",
        ),
        (
            'workday = "day"', 'week = ["day", "day"]',
            "roster.toml: patterns.office.week: has 2 entries (seven, Monday first)",
        ),
        (
            "[people.8002]", "[people.8022]",
            "roster.toml: people.8022: no such agent '8022' (did you mean '8002'?)",
        ),
        (
            "[people.8002]", "[people.lee]",
            "roster.toml: people.'lee': is not an agent's or a seat's number (3 to 6 digits)",
        ),
        (
            'pattern = "office"', 'pattern = "ofice"',
            "roster.toml: people.8005.pattern: no such pattern 'ofice' (did you mean 'office'?)",
        ),
        (
            'breaks = { day = ["11:30-12:00"] }', 'breaks = { day = ["18:00-18:30"] }',
            "roster.toml: people.8007.breaks.day: '18:00-18:30' is not inside of 08:30-17:00"
            " (a break lies within its shift)",
        ),
        (
            "answered = 0.8", "answered = 80",
            "roster.toml: target.answered: 80 is too large (at most 0.999)",
        ),
        (
            "[targets.fund]", "[targets.funds]",
            "roster.toml: targets.funds: no such queue 'funds' (did you mean 'fund'?)",
        ),
        (
            'kind = "holiday"', 'kind = "holyday"',
            "roster.toml: days 1.kind: 'holyday' is not known here (did you mean 'holiday'?)",
        ),
        (
            "interval_minutes = 30", "interval_minutes = 20",
            "roster.toml: interval_minutes: '20' is not known here (there are: 15, 30, 60)",
        ),
        ("[target]", "[tagret]", "roster.toml: tagret: unknown table (did you mean 'target'?)"),
        (
            "[[days]]", '[[swaps]]\nwho = ["8001", "9"]\ndates = [2026-11-03]\n[[days]]',
            "roster.toml: swaps 1.who.1: '9' is not a seat's number (3 to 6 digits)",
        ),
        (
            "[[days]]",
            '[[absences]]\nwho = "8003"\nfirst = 2026-11-09\nlast = 2026-11-01\nreason = "年休假"\n[[days]]',
            "roster.toml: absences 1.last: 2026-11-01 is before 2026-11-09 (first, then last)",
        ),
        (
            "[[days]]", '[[days]]\ndate = 2027-01-01\nkind = "workday"\n[[days]]',
            "roster.toml: days 2.date: 2027-01-01 stands in days 1 too (keep one)",
        ),
    ],
)  # fmt: skip
def test_a_mistake_in_the_roster_is_told_with_place_and_remedy(old: str, new: str, line: str) -> None:
    found = faults("roster.toml", old, new)
    assert line in found, found


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("[fund]", "[fnud]", "forecast.toml: fnud: no such queue 'fnud' (did you mean 'fund'?)"),
        (
            "handle_seconds = 150", "handle_seconds = 0",
            "forecast.toml: general.handle_seconds: 0 is not accepted (Input should be greater than 0)",
        ),
        (
            "  0.3, 0.2, 0.2, 0.2, 0.2, 0.3, 0.6, 1.2,\n", "",
            "forecast.toml: general.workday: has 16 entries"
            " (24 for hours, 48 for half hours, 96 for quarters)",
        ),
    ],
)  # fmt: skip
def test_a_mistake_in_the_forecast_is_told_with_place_and_remedy(old: str, new: str, line: str) -> None:
    found = faults("forecast.toml", old, new)
    assert line in found, found


def test_whoever_is_on_no_roster_is_a_warning_and_a_plan_without_a_roster_is_a_plan() -> None:
    files = demo_files()
    files["roster.toml"] = files["roster.toml"].replace(b'[people.8008]\npattern = "office"\n', b"")
    found = checked(files)
    assert [str(f) for f in found.faults] == [
        "roster.toml: people: '8008' is on no roster [warning] (add [people.8008])"
    ]
    del files["roster.toml"], files["forecast.toml"]
    plan = checked(files).plan
    assert plan is not None
    assert plan.roster is None
