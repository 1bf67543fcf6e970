"""rules.toml: by which deadlines a city's requests are handled, and how that is judged.

Data only, each entry with its clause (``basis``) or what it assumes. Times are working days (工作日) unless
the field says otherwise. Formulas stand as printed in the notice, also where a notice contradicts itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from plan.rule import Rule
from plan.words import Name, OptionalTitle, Text, Title

RequestType = Literal["inquiry", "suggestion", "help", "complaint", "report", "ordinary", "urgent"]
"""咨询, 建议, 求助, 投诉, 举报; 一般, 紧急 where a notice only tells these apart."""
Days = Annotated[int, Field(ge=1, le=365)]
Share = Annotated[float, Field(ge=0, le=1)]
Points = Annotated[float, Field(ge=0, le=100)]


class Deadline(Rule):
    """``[deadlines.complaint]``: 办结时限. Neither days nor hours: the notice has one, unnamed."""

    workdays: Days | None = None
    hours: Annotated[int, Field(ge=1, le=720)] | None = None
    at_once: bool = False
    """Answered or passed on while the caller is on the line, 即时."""
    note: Text = ""


class Extension(Rule):
    """延期: asked for before the deadline, with reasons."""

    before_deadline: bool = True
    in_writing: bool = False
    reasons: bool = True
    at_most_share: Share | None = None
    """Of the original term; 1.0: as long again."""
    not_for: tuple[Title, ...] = ()
    late_reported: bool = False
    """An unfinished one is reported in writing with reasons and a date."""


class Return(Rule):
    """退回: a unit says that it is not its duty."""

    workdays: Days | None = None
    grounds: bool = True
    decides: Name
    """The unit that decides."""


class Step(Rule):
    """One step of 受理 … 归档, or of 督办, in order."""

    title: Title
    title_en: OptionalTitle = ""
    by: Name | Literal[""] = ""
    """The unit that takes it."""
    when: Text = ""


class Redo(Rule):
    """重办 after a dissatisfied answer."""

    when: Text
    times: Annotated[int, Field(ge=1, le=10)] | None = None
    workdays: Days | None = None
    supervised: bool = False
    cases: tuple[Step, ...] = ()
    """What the unit does the second time, by what was amiss the first."""


class Report(Rule):
    """月报, 快报, 专报, 周通报 …"""

    title: Title
    title_en: OptionalTitle = ""
    every: Literal["week", "month", "year", "event"]
    weekday: Annotated[int, Field(ge=1, le=7)] | None = None
    """1 is Monday."""
    to: tuple[Title, ...]
    holds: Text


class Alarm(Rule):
    """A figure that calls for an interview (约谈)."""

    title: Title
    title_en: OptionalTitle = ""
    figure: Literal["satisfaction", "rank"]
    below: Share | None = None
    below_average: bool = False
    bottom: Annotated[int, Field(ge=1, le=100)] | None = None
    """The last so many of the ranking."""
    every: Literal["week", "month"]
    by: Title
    """Who holds the interview."""


class Score(Rule):
    """考核: one item. A share of ``times`` points, or points taken off per case; ``points`` is the most."""

    title: Title
    points: Points
    numerator: Text = ""
    denominator: Text = ""
    times: Points | None = None
    """The factor as printed."""
    decimals: Annotated[int, Field(ge=0, le=6)] | None = None
    off: Points | None = None
    """Points taken off for each case (bonus: given)."""
    oddity: Text = ""
    """Where the formula as printed contradicts itself."""


class Most(Rule):
    """``[bonus_most]``: so many points at most for all items of the bonus together."""

    points: Points


class Assessment(Rule):
    """考核形式: how it is found out."""

    form: Text


class Liability(Rule):
    """问责: what brings a unit before those who hold it to account."""

    when: Title
    then: Text
    to: tuple[Title, ...] = ()
    """To whom the matter is handed over."""


class Veto(Rule):
    """否决项."""

    title: Text


class Figure(Rule):
    """One of the rates a notice names (按时反馈率 …)."""

    title: Title
    title_en: OptionalTitle = ""
    goal: Share | None = None


class Rules(Rule):
    """rules.toml. What a notice does not speak of is empty."""

    deadlines: dict[RequestType, Deadline] = Field(default_factory=dict)
    extension: Extension | None = None
    returns: Return | None = None
    redo: Redo | None = None
    flow: tuple[Step, ...] = ()
    """受理 to 归档."""
    supervision: tuple[Step, ...] = ()
    reports: tuple[Report, ...] = ()
    figures: tuple[Figure, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    scores: tuple[Score, ...] = ()
    bonus: tuple[Score, ...] = ()
    bonus_most: Most | None = None
    assessment: Assessment | None = None
    vetoes: tuple[Veto, ...] = ()
    liability: tuple[Liability, ...] = ()
    refused: tuple[Veto, ...] = ()
    """不受理: what is told to go another way."""
    ways: tuple[Step, ...] = ()
    """Channels besides the telephone."""
    duties: tuple[Step, ...] = ()
    """What else units and the office must do."""

    def bonus_for(self, cases: Mapping[str, int]) -> float:
        """Points given for so many cases of each item, by its title: an item's own most (加满为止), then the
        most of all together."""
        each = (min(item.points, (item.off or 0.0) * cases.get(item.title, 0)) for item in self.bonus)
        return min(sum(each), self.bonus_most.points if self.bonus_most is not None else math.inf)
