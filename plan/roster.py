"""roster.toml and forecast.toml as values: who works when, how many are wanted, how many will call.

A roster (排班) is data: shifts (班次), patterns that repeat, the persons who follow them, the days the
State Council moves (调休), and what changes from day to day: swaps, absences, extra shifts.
``plan.roster_check`` makes it from the files; ``queues.roster`` turns it into who sits where, when.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from plan.rule import Rule
from plan.words import Name, OptionalSeat, OptionalTitle, SeatNumber, Title, WrongWord

DayKind = Literal["workday", "weekend", "holiday"]
"""A Saturday worked in exchange for a holiday (调休) is a workday."""
REST = "rest"
DAY_MINUTES = 24 * 60
_CLOCK = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_HOURS = re.compile(rf"{_CLOCK}-(?:{_CLOCK}|24:00)")


class Span(NamedTuple):
    """Minutes after the midnight a day begins with; ``ends`` may lie in the next day."""

    begins: int
    ends: int


def span(hours: str) -> Span:
    """``22:00-06:00`` is (1320, 1800). ``hours`` has been checked."""
    one, _, other = hours.partition("-")
    begins, ends = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (one, other))
    return Span(begins, ends if ends > begins else ends + DAY_MINUTES)


def _hours(text: str) -> str:
    if not _HOURS.fullmatch(text):
        raise WrongWord(f"'{text[:20]}' is not a span of time", "like 08:00-16:00, or 23:00-07:00")
    if text[:5] == text[6:]:
        raise WrongWord(f"'{text}' has no length", "a whole day is 00:00-24:00")
    return text


Hours = Annotated[str, AfterValidator(_hours)]
Share = Annotated[float, Field(ge=0.5, le=0.999)]
Rates = Annotated[tuple[Annotated[float, Field(ge=0, le=100_000)], ...], Field(max_length=96)]


class Shift(Rule):
    """``[shifts.night]``: 班次, 7 x 24 hours are usually three of them."""

    title: Title
    title_en: OptionalTitle = ""
    hours: Hours
    breaks: tuple[Hours, ...] = ()
    """Not at the seat then; a person may have others (``people.8001.breaks``)."""

    def breaks_of(self, own: tuple[Hours, ...] | None) -> tuple[Span, ...]:
        """Breaks in minutes like the shift's own; those of a night shift may lie after midnight."""
        begins = span(self.hours).begins
        spans = (span(text) for text in (self.breaks if own is None else own))
        late = DAY_MINUTES
        return tuple(s if s.begins >= begins else Span(s.begins + late, s.ends + late) for s in spans)


class Pattern(Rule):
    """``[patterns.four]``: either ``cycle`` (倒班), or ``week``, or by kind of day. ``rest`` is no shift."""

    title: OptionalTitle = ""
    cycle: tuple[Name, ...] = ()
    """One shift or ``rest`` a day, again and again, whatever day it is."""
    starts: date | None = None
    """A day on which somebody with offset 0 is at the cycle's first entry."""
    week: tuple[Name, ...] = ()
    """Seven entries, Monday first. On a workday that is a Saturday or Sunday ``workday`` counts."""
    workday: str = ""
    weekend: str = ""
    holiday: str = ""
    """On public holidays; left out, a cycle goes on and the others rest."""

    def shifts(self) -> tuple[tuple[str, str], ...]:
        """Every (key, shift) it names."""
        listed = [("cycle", name) for name in self.cycle] + [("week", name) for name in self.week]
        kinds = (("workday", self.workday), ("weekend", self.weekend), ("holiday", self.holiday))
        return tuple(dict.fromkeys(x for x in (*listed, *kinds) if x[1] not in ("", REST)))


class Person(Rule):
    """``[people.8001]``: an agent, or a seat where the plan has no agents."""

    pattern: Name
    offset: Annotated[int, Field(ge=0, le=365)] = 0
    """Entries ahead in the cycle: four teams are one cycle with four offsets."""
    seat: OptionalSeat = ""
    """Where they sit; empty: their usual seat."""
    first: date | None = None
    last: date | None = None
    """The first and the last day on this roster."""
    breaks: dict[Name, tuple[Hours, ...]] = Field(default_factory=dict)
    """Shift to this person's breaks, so that not everybody eats at once."""


class SpecialDay(Rule):
    """``[[days]]``: this table wins over every calendar (国务院办公厅 holiday notice)."""

    date: date
    kind: Literal["holiday", "workday"]
    title: OptionalTitle = ""


class Swap(Rule):
    """``[[swaps]]``: on ``dates[0]`` the second person works for the first, on ``dates[1]`` the reverse."""

    who: Annotated[tuple[SeatNumber, ...], Field(min_length=2, max_length=2)]
    dates: Annotated[tuple[date, ...], Field(min_length=1, max_length=2)]
    """One date: both on that day."""
    reason: OptionalTitle = ""


class Absence(Rule):
    """``[[absences]]``: does not come, from ``first`` to ``last``, both included."""

    who: SeatNumber
    first: date
    last: date
    reason: Title


class Extra(Rule):
    """``[[extra]]``: a shift beyond the pattern, in place of somebody or in addition."""

    who: SeatNumber
    date: date
    shift: Name
    seat: OptionalSeat = ""
    reason: OptionalTitle = ""


class Target(Rule):
    """``[target]`` for every queue; ``[targets.expert]`` changes single keys for one.

    GB/T 33358-2016: a person within 15 s, connect rate 95 % or more over any continuous 24 h.
    """

    answered: Share = 0.95
    """Share of the offered calls answered within ``within_seconds`` of entering the line."""
    within_seconds: Annotated[int, Field(ge=1, le=600)] = 15
    greeting_seconds: Annotated[int, Field(ge=0, le=120)] = 0
    """What the greeting takes of them: the clock starts when a call enters the line, before any queue."""
    connect: Share = 0.95
    """Share answered at all; matters where ``patience_seconds`` is set."""
    patience_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    """Mean time callers wait before they hang up (Erlang A). 0: they never do (Erlang C, asks for more)."""
    shrinkage: Annotated[float, Field(ge=0, le=0.6)] = 0.1
    """Share of rostered time lost to what the roster does not know: sickness, meetings, a glass of water."""
    minimum: Annotated[int, Field(ge=0, le=1000)] = 1
    """Persons whatever the load."""
    open: dict[DayKind, Hours] = Field(default_factory=dict)
    """When the queue has people of its own; empty: 7x24. Else its calls count for where ``next`` leads."""


class Rest(Rule):
    """``[rest]``: limits for one person. 劳动法 36: 44 hours a week on average; 38: a day off each week."""

    between_hours: Annotated[int, Field(ge=0, le=48)] = 11
    days_in_a_row: Annotated[int, Field(ge=1, le=31)] = 6
    week_hours: Annotated[int, Field(ge=1, le=168)] = 56
    """In any one calendar week; a rotation's weeks differ, its average is what the law limits."""
    average_hours: Annotated[int, Field(ge=1, le=168)] = 44
    """A week on average, over the weeks looked at when they are four or more."""


class Forecast(Rule):
    """``[general]`` in forecast.toml: calls offered to one queue. 24 entries are hours, 48 half hours."""

    handle_seconds: Annotated[float, Field(gt=0, le=7200)]
    """Talk and wrap-up of one call, on average."""
    workday: Rates
    weekend: Rates = ()
    """Empty: like ``workday``."""
    holiday: Rates = ()
    """Empty: like ``weekend``."""

    def calls(self, kind: DayKind, begins: int, minutes: int) -> float:
        """Calls in ``minutes`` from minute ``begins`` of a day of this kind."""
        weekend = self.weekend or self.workday
        rates = {"workday": self.workday, "weekend": weekend, "holiday": self.holiday or weekend}[kind]
        if not rates:
            return 0.0
        step = DAY_MINUTES / len(rates)
        total = 0.0
        for at, calls in enumerate(rates):
            shared = min(begins + minutes, (at + 1) * step) - max(begins, at * step)
            total += calls * max(0.0, shared) / step
        return total


class Roster(BaseModel):
    """A city's roster, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    interval_minutes: Literal[15, 30, 60] = 30
    shifts: dict[Name, Shift] = {}
    patterns: dict[Name, Pattern] = {}
    people: dict[SeatNumber, Person] = {}
    target: Target = Target()
    targets: dict[Name, Target] = {}
    """Queue to its own target, what it leaves out taken from ``target``."""
    rest: Rest = Rest()
    days: tuple[SpecialDay, ...] = ()
    swaps: tuple[Swap, ...] = ()
    absences: tuple[Absence, ...] = ()
    extra: tuple[Extra, ...] = ()
    forecast: dict[Name, Forecast] = {}

    def target_of(self, queue: str) -> Target:
        """The target of a queue, whole."""
        return self.targets.get(queue, self.target)
