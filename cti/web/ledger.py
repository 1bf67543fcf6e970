"""The ledger's questions and answers."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cti.web.api import Answer, CallsQuestion, Moment
from queues.any_day import DAY, Worst, worst_window
from queues.ledger import By, Figures, Rows, Spread, figures

MOST_ROWS = 5000
DEFINITION = (
    "GB/T 33358-2016: the clock starts when a call enters the line (the greeting counts) and stops when an "
    "agent first answers; all offered calls count; call-backs and messages are not answered; short abandons "
    "are shown beside; a fraction 0-1, null over zero rows"
)


class SpanQuestion(CallsQuestion):
    """Calls that arrived in [from, to); without ``from`` the 24 hours before ``to``, without ``to`` now."""

    model_config = ConfigDict(extra="forbid", validate_by_alias=True, validate_by_name=False)

    since: Moment | None = Field(default=None, alias="from")
    until: Moment | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        since, until = self.span(0.0 if self.until is None else self.until)
        if self.until is not None and since >= until:
            raise ValueError("'from' is not before 'to'")
        return self

    def span(self, now: float) -> tuple[float, float]:
        """[since, until) in seconds since the epoch."""
        until = now if self.until is None else self.until
        return (until - DAY if self.since is None else self.since), until


class LedgerQuestion(SpanQuestion):
    """A time, and how it is split."""

    by: By = By.TOTAL
    minutes: Annotated[int, Field(ge=1, le=1440, description="length of an interval")] = 60


class SpreadAnswer(Answer):
    """Seconds; null over zero rows."""

    count: int
    total: float
    mean: float | None
    p50: float | None
    p95: float | None
    longest: float | None


class FiguresAnswer(Answer):
    """One row: of calls, of visits when by queue, of stints when by seat."""

    key: str
    since: float
    until: float
    offered: int
    answered: int
    within: int = Field(description="answered within 15 s")
    connect_rate: float | None
    within_15s: float | None
    abandoned: int
    abandoned_in: dict[str, int] = Field(description="by stage: greeting, menu, waiting, ringing, message")
    short_abandoned: int
    lost: int
    ended_by_us: int
    open: int
    refused: int = Field(description="trunk full; not offered")
    not_in_service: int
    owed: int = Field(description="left a call-back duty")
    called_back: int = Field(description="citizens reached when called back; not answered")
    timed_out: int
    key_exit: int
    full: int
    no_seats: int
    withdrawn: int
    redirected: int
    overflowed: int
    missed: int = Field(description="rings nobody answered")
    wait: SpreadAnswer
    to_answer: SpreadAnswer
    ring: SpreadAnswer
    talk: SpreadAnswer
    hold: SpreadAnswer
    wrap_up: SpreadAnswer
    called_out: int = Field(description="calls that agents made to citizens; in no other figure")
    reached_out: int = Field(description="those that the citizen answered")
    talk_out: SpreadAnswer
    refilled: int = Field(description="rows put right from Asterisk's own files after an outage")


class WorstAnswer(Answer):
    """The continuous 24 hours with the lowest figure."""

    since: float
    until: float
    offered: int
    answered: int
    within: int
    connect_rate: float
    within_15s: float


class LedgerAnswer(Answer):
    since: float
    until: float
    city: str | None
    by: By
    definition: str
    total: FiguresAnswer
    rows: list[FiguresAnswer]
    worst_24h_within_15s: WorstAnswer | None = Field(description="null when the time is shorter, or empty")
    worst_24h_connect_rate: WorstAnswer | None


class TooMany(ValueError):
    """More rows than an answer holds."""


def ledger_answer(asked: LedgerQuestion, rows: Rows, since: float, until: float) -> LedgerAnswer:
    """Counted from the rows of [since, until). Raises TooMany. For a thread: a month takes seconds."""
    if asked.by is By.INTERVAL and (until - since) / (asked.minutes * 60) > MOST_ROWS:
        raise TooMany(f"more than {MOST_ROWS} intervals: ask for longer ones or a shorter time")
    (total,) = figures(rows, since, until)
    split = [total] if asked.by is By.TOTAL else figures(rows, since, until, asked.by, asked.minutes)
    return LedgerAnswer(
        since=since,
        until=until,
        city=asked.city,
        by=asked.by,
        definition=DEFINITION,
        total=_figures(total),
        rows=[_figures(row) for row in split],
        worst_24h_within_15s=_worst(worst_window(rows.calls, since, until, "within_15s")),
        worst_24h_connect_rate=_worst(worst_window(rows.calls, since, until, "connect_rate")),
    )


def _figures(row: Figures) -> FiguresAnswer:
    told = {name: getattr(row, name) for name in FiguresAnswer.model_fields}
    for name, value in told.items():
        if isinstance(value, Spread):
            told[name] = SpreadAnswer(**{n: getattr(value, n) for n in SpreadAnswer.model_fields})
    return FiguresAnswer(**told)


def _worst(found: Worst | None) -> WorstAnswer | None:
    if found is None:
        return None
    return WorstAnswer(**{name: getattr(found, name) for name in WorstAnswer.model_fields})


class RefillQuestion(BaseModel):
    """The body of an order to put right what nobody heard in [from, to)."""

    model_config = ConfigDict(extra="forbid", validate_by_alias=True, validate_by_name=False)

    since: Moment = Field(alias="from")
    until: Moment = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> RefillQuestion:
        if self.since >= self.until:
            raise ValueError("'from' is not before 'to'")
        return self


class RefillAnswer(Answer):
    calls: int = Field(description="calls put right, labelled source = refilled")
