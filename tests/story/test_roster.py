"""Rosters laid out over dates, the holes in them, and the need of this minute."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.model import Seat, SeatState
from cti.holidays import calendar
from plan.model import Plan
from plan.roster import DayKind, Forecast, Roster, Target
from plan.words import TIMEZONES
from queues.cover import holes
from queues.hole import Hole, HoleKind
from queues.need import agents_for, needs, rostered_for, share
from queues.roster import Laid, lay, slots
from queues.shift import HOURS_FROM_UTC, zone
from queues.short import short_now, wanted_at
from tests.story.plan_files import checked, demo_files

MONDAY = date(2026, 11, 2)
WEEK = MONDAY + timedelta(days=6)


def city(*changes: tuple[str, str], more: str = "", forecast: bytes | None = None) -> tuple[Plan, Roster]:
    """The demo city with some of its roster replaced, and ``more`` at its end."""
    files = demo_files()
    text = files["roster.toml"].decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    files["roster.toml"] = f"{text}\n{more}".encode()
    if forecast is not None:
        files["forecast.toml"] = forecast
    found = checked(files)
    assert found.plan is not None, [str(fault) for fault in found.faults]
    assert found.plan.roster is not None
    return found.plan, found.plan.roster


def laid(*changes: tuple[str, str], more: str = "", first: date = MONDAY, last: date = WEEK) -> Laid:
    plan, roster = city(*changes, more=more)
    return lay(plan, roster, first, last, calendar)


def real(found: list[Hole]) -> list[Hole]:
    return [hole for hole in found if not hole.warning]


def of_kind(found: list[Hole], kind: HoleKind) -> list[Hole]:
    return [hole for hole in found if hole.kind is kind]


# --- days and shifts ----------------------------------------------------------------------------------


def test_the_zones_a_plan_may_name_keep_their_distance_from_utc_all_year() -> None:
    assert set(HOURS_FROM_UTC) == set(TIMEZONES)
    for name in TIMEZONES:
        for month in (1, 7):
            there = datetime(2026, month, 1, 12, tzinfo=ZoneInfo(name))
            assert there.utcoffset() == datetime(2026, month, 1, tzinfo=zone(name)).utcoffset()


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 10, 1), "holiday"),
        (date(2026, 10, 10), "workday"),  # a Saturday worked for the National Day week
        (date(2026, 10, 11), "weekend"),
        (date(2026, 10, 8), "workday"),
        (date(2028, 1, 3), None),  # that year's notice is not out
    ],
)
def test_the_calendar_knows_holidays_and_the_saturdays_worked_for_them(
    day: date, kind: DayKind | None
) -> None:
    assert calendar(day) == kind


def test_a_night_belongs_to_the_day_it_begins_and_reaches_into_the_first_day_looked_at() -> None:
    there = laid(first=MONDAY, last=MONDAY)
    nights = [t for t in there.turns if t.shift == "night"]
    assert [(t.day, t.begins.hour, t.ends.hour) for t in nights] == [
        (MONDAY - timedelta(days=1), 23, 7),
        (MONDAY, 23, 7),
    ]
    assert all(t.begins.utcoffset() == timedelta(hours=8) for t in nights)


def test_four_teams_work_two_days_of_each_shift_and_rest_two() -> None:
    there = laid(last=MONDAY + timedelta(days=7))
    mine = [t.shift for t in there.turns if t.who == "8001" and t.day >= MONDAY]
    assert sorted(mine) == ["early", "early", "late", "late", "night", "night"]


def test_office_people_work_on_a_saturday_worked_for_a_holiday_and_rest_on_the_holiday() -> None:
    there = laid(first=date(2026, 9, 30), last=date(2026, 10, 12))
    days = [t.day for t in there.turns if t.who == "8007"]
    assert date(2026, 10, 10) in days
    assert not any(date(2026, 10, 1) <= day <= date(2026, 10, 7) for day in days)


def test_a_day_in_the_plan_wins_over_the_calendar() -> None:
    more = '[[days]]\ndate = 2026-11-04\nkind = "holiday"\n[[days]]\ndate = 2026-11-07\nkind = "workday"\n'
    there = laid(more=more)
    assert [t.day.day for t in there.turns if t.who == "8007"] == [2, 3, 5, 6, 7]


def test_a_swap_moves_two_shifts_with_their_seats() -> None:
    before = laid()
    one = next(t for t in before.turns if t.who == "8001" and t.day >= MONDAY)
    other = next(t for t in before.turns if t.who == "8002" and t.day > one.day)
    after = laid(more=f'[[swaps]]\nwho = ["8001", "8002"]\ndates = [{one.day}, {other.day}]\n')
    assert (other.day, other.shift, other.seat, "8002") in [
        (t.day, t.shift, t.seat, t.instead_of) for t in after.turns if t.who == "8001"
    ]
    assert (one.day, one.shift, one.seat, "8001") in [
        (t.day, t.shift, t.seat, t.instead_of) for t in after.turns if t.who == "8002"
    ]


def test_swapping_a_day_off_is_told_and_moves_the_other_shift_only() -> None:
    rest = next(
        day
        for day in (MONDAY + timedelta(days=n) for n in range(7))
        if not any(t.day == day and t.who == "8001" for t in laid().turns)
    )
    plan, roster = city(more=f'[[swaps]]\nwho = ["8001", "8007"]\ndates = [{rest}, {MONDAY}]\n')
    (odd,) = of_kind(holes(plan, roster, MONDAY, WEEK, calendar), HoleKind.ODD)
    assert (odd.who, odd.begins.date()) == ("8001", rest)


# --- holes --------------------------------------------------------------------------------------------


def test_the_demo_city_is_covered_day_and_night_for_a_year() -> None:
    plan, roster = city()
    assert real(holes(plan, roster, date(2026, 1, 5), date(2026, 12, 31), calendar)) == []


def test_an_absence_leaves_a_hole_from_the_first_minute_to_the_last() -> None:
    night = next(t for t in laid().turns if t.shift == "night" and t.day > MONDAY)
    more = f'[[absences]]\nwho = "{night.who}"\nfirst = {night.day}\nlast = {night.day}\nreason = "病假"\n'
    plan, roster = city(more=more)
    (hole,) = real(holes(plan, roster, MONDAY, WEEK, calendar))
    assert (hole.kind, hole.queue, hole.begins, hole.ends) == (
        HoleKind.UNCOVERED,
        "general",
        night.begins,
        night.ends,
    )
    extra = f'[[extra]]\nwho = "8005"\ndate = {night.day}\nshift = "night"\nseat = "{night.seat}"\n'
    plan, roster = city(more=more + extra)
    assert of_kind(holes(plan, roster, MONDAY, WEEK, calendar), HoleKind.UNCOVERED) == []


def test_a_break_that_leaves_nobody_is_a_hole_as_long_as_the_break() -> None:
    plan, roster = city(('breaks = { day = ["11:30-12:00"] }', 'breaks = { day = ["12:10-12:20"] }'))
    found = [h for h in real(holes(plan, roster, MONDAY, MONDAY, calendar)) if h.queue == "expert"]
    assert [(f"{h.begins:%H:%M}", f"{h.ends:%H:%M}", h.have, h.need) for h in found] == [
        ("12:00", "12:30", 0, 1)  # the interval it lies in
    ]


def test_fewer_than_the_need_is_told_with_both_figures() -> None:
    plan, roster = city(("answered = 0.8", "answered = 0.95\nminimum = 2"))
    short = of_kind(holes(plan, roster, MONDAY, MONDAY, calendar), HoleKind.SHORT)
    assert {(h.queue, h.have, h.need) for h in short} >= {("general", 1, 2)}


def test_a_person_who_speaks_for_two_queues_counts_for_one() -> None:
    assert dict(share({"a": 1, "b": 1}, [("a", "b")]).given) == {"a": 1, "b": 0}
    assert dict(share({"a": 1, "b": 1}, [("a", "b"), ("a",)]).given) == {"a": 1, "b": 1}


@given(
    st.lists(st.integers(0, 3), min_size=3, max_size=3),
    st.lists(st.sets(st.sampled_from("abc")), max_size=6),
)
@settings(max_examples=200, deadline=None)
def test_no_sharing_out_serves_more_people_than_the_one_found(
    numbers: list[int], people: list[set[str]]
) -> None:
    """Hall: what is missing is the worst surplus of a group of queues over all who can answer any of it."""
    wanted = dict(zip("abc", numbers, strict=True))
    given_ = share(wanted, people).given
    groups = [set(group) for size in range(4) for group in combinations("abc", size)]
    missing = max(
        sum(wanted[q] for q in group) - sum(bool(group & mine) for mine in people) for group in groups
    )
    assert sum(wanted.values()) - sum(given_.values()) == max(0, missing)


def test_one_person_in_two_shifts_and_two_at_one_seat_are_told() -> None:
    day = MONDAY + timedelta(days=1)
    early = next(t for t in laid().turns if t.day == day and t.shift == "early")
    more = f'[[extra]]\nwho = "8007"\ndate = {day}\nshift = "early"\nseat = "{early.seat}"\n'
    plan, roster = city(more=more)
    twice = of_kind(holes(plan, roster, MONDAY, WEEK, calendar), HoleKind.TWICE)
    assert {h.en for h in twice} == {
        "8007 has two shifts at once",
        f"{min(early.who, '8007')} and {max(early.who, '8007')} both sit at {early.seat}",
    }


def test_too_little_rest_between_shifts_too_many_days_and_too_long_weeks_are_told() -> None:
    plan, roster = city(('"rest", "rest"]', '"early", "early"]'))
    found = of_kind(holes(plan, roster, MONDAY, WEEK, calendar), HoleKind.REST)
    words = " ".join(h.en for h in found)
    assert "8001 rests 0 h between two shifts, at least 11" in words
    assert "days in a row, at most 6" in words
    assert "h a week on average, at most 44" in words


def test_every_day_of_a_year_without_a_notice_is_told_but_is_no_hole() -> None:
    plan, roster = city()
    found = holes(plan, roster, date(2027, 12, 30), date(2028, 1, 2), calendar)
    assert real(found) == []
    assert [h.begins.date().isoformat() for h in of_kind(found, HoleKind.UNKNOWN_DAY)] == [
        "2027-12-30", "2027-12-31", "2028-01-01", "2028-01-02",
    ]  # fmt: skip


# --- need ---------------------------------------------------------------------------------------------


def test_a_closed_queue_hands_its_calls_to_the_queue_behind_it() -> None:
    plan, roster = city()
    there = lay(plan, roster, MONDAY, MONDAY, calendar)
    every = {f"{s.begins:%H:%M}": needs(plan, roster, there, s) for s in slots(there, 30)}
    assert set(every["10:00"]) == {"general", "market", "fund", "expert"}
    assert set(every["18:00"]) == {"general"}
    foreseen = sum(f.calls("workday", 18 * 60, 30) for f in roster.forecast.values())
    assert every["18:00"]["general"].calls == pytest.approx(foreseen)


def test_shrinkage_is_rostered_on_top_and_no_calls_need_the_minimum() -> None:
    assert rostered_for(9, Target(shrinkage=0.1)) == 10
    assert rostered_for(10, Target(shrinkage=0.1)) == 12
    assert agents_for(0, 1800, 0, Target(minimum=0))[0] == 0
    assert agents_for(0, 1800, 0, Target(minimum=2))[0] == 2


@given(
    st.floats(0, 3000), st.floats(10, 600), st.sampled_from([0, 30, 120]), st.sampled_from([0.8, 0.9, 0.95])
)
@settings(max_examples=150, deadline=None)
def test_the_need_is_the_fewest_that_reach_the_target_and_rises_with_the_load(
    calls: float, handle: float, patience: int, share_: float
) -> None:
    target = Target(answered=share_, patience_seconds=patience, minimum=0)
    agents, quality = agents_for(calls, 1800, handle, target)
    if calls > 1e-3:
        assert quality.answered >= share_
        assert quality.connected >= target.connect
        fewer = agents_for(calls, 1800, handle, target.model_copy(update={"minimum": max(0, agents - 1)}))
        assert fewer[0] == agents
    assert agents_for(calls * 1.5, 1800, handle, target)[0] >= agents


def test_the_greeting_is_part_of_the_fifteen_seconds() -> None:
    without, with_ = Target(answered=0.9), Target(answered=0.9, greeting_seconds=15)
    assert agents_for(100, 1800, 180, with_)[0] > agents_for(100, 1800, 180, without)[0]


def test_a_forecast_by_the_hour_or_the_half_hour_counts_the_same_calls() -> None:
    by_hour = Forecast(handle_seconds=60, workday=tuple(float(n) for n in range(24)))
    by_half = Forecast(handle_seconds=60, workday=tuple(n / 2 for n in range(24) for _ in (0, 1)))
    for begins in range(0, 1440, 15):
        assert by_hour.calls("holiday", begins, 15) == pytest.approx(by_half.calls("weekend", begins, 15))


# --- now ----------------------------------------------------------------------------------------------


def at_work(name: str, *queues: str, state: SeatState = SeatState.READY, agent: str = "") -> Seat:
    return Seat("demo", name, state, 0.0, queues=queues, agent=agent)


def test_signed_in_seats_below_the_need_of_now_are_told_with_who_is_missing_and_who_paused() -> None:
    plan, roster = city()
    when = datetime(2026, 11, 2, 10, 10, tzinfo=zone("Asia/Shanghai"))
    there = lay(plan, roster, MONDAY, MONDAY, calendar)
    rostered, wanted = wanted_at(plan, roster, there, when)
    seats = [
        at_work("1005", "market", "general", agent="8005"),
        at_work("1006", "fund", "general", agent="8006", state=SeatState.WRAP_UP),
        at_work("1007", "expert", agent="8007", state=SeatState.PAUSED),
        at_work("1008", "expert", agent="8008", state=SeatState.UNREACHABLE),
        Seat("luan", "1001", SeatState.READY, 0.0, queues=("general",)),
    ]
    found = {s.queue: s for s in short_now("demo", seats, rostered, wanted)}
    early = next(t.who for t in rostered if t.shift == "early")
    assert found["expert"].paused == ("1007",)
    assert found["expert"].missing == ("8008",)
    assert sum(s.short for s in found.values()) == 2
    assert any(early in s.missing for s in found.values())
    seats += [at_work("1001", "general", "market", agent=early), at_work("1009", "expert", agent="8008")]
    assert short_now("demo", seats, rostered, wanted) == []
