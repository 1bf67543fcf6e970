"""numbers.toml: the table of merged numbers (归并清单), and what a row means on a given day.

One row is one public number, or a few that were always one. What a caller to it meets changes on dates:
each row has stages, and the rows of a number follow each other. ``timeline`` is the only place that knows
what the kinds mean; dialplan, ``cti plan try`` and ``cti plan explain`` are written from it.
A day begins at 0:00 in the city's time zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from plan.rule import Rule
from plan.words import (
    Callers,
    Name,
    OptionalName,
    OptionalPrompt,
    OptionalTitle,
    PhoneNumber,
    PromptName,
    Title,
)

MergedKind = Literal["whole", "dual", "kept", "dedicated", "linked"]
"""整体并入, 双号并行, 保留座席, 专席, 双向联动 (六安 2021 §二(一), annex)."""
Way = Literal["parallel", "forward", "reminder"]
"""并行接听, 呼叫转移, 语音提醒 (资阳 2018 §四(一))."""
Treatment = Literal["announced", "silent", "own", "closed"]
"""``announced``: a transition announcement, then the line. ``silent``: the line as if its own number had been
dialled. ``own``: a line of the number's own. ``closed``: a voice says that the number is cancelled."""

Numbers = Annotated[tuple[PhoneNumber, ...], Field(max_length=200)]


class Merged(Rule):
    """One row. A number may stand in several rows that begin on different days; the latest one holds."""

    title: Title
    title_en: OptionalTitle = ""
    kind: MergedKind
    numbers: Numbers = ()
    """As citizens dial it. Arriving as the called number, or as the number that forwarded the call."""
    called: Numbers = ()
    """Distinct called numbers the carrier delivers for this row (decision 8): then the first of
    ``numbers`` is kept as the original number."""
    unit: OptionalName = ""
    """责任单位, one of units.toml."""
    line: Name
    """The line that answers once the number is merged."""
    before: OptionalName = ""
    """The line that answers until then; empty: the main line."""
    way: Way = "forward"
    begins: date | None = None
    """The row holds from this day on; without: always."""
    since: date | None = None
    """Merged from this day on; without: as long as the row holds, but for ``whole``: not yet."""
    retired: date | None = None
    """Cancelled from this day on."""
    announcement: OptionalPrompt = ""
    """The transition announcement (过渡期语音提示); empty: the standard one."""
    closed: PromptName = "merged-closed"
    """Said to who dials the number when it is cancelled."""
    trunks: tuple[Name, ...] = ()
    """``linked``: calls from these trunks were handed over by that centre."""
    callers: tuple[Callers, ...] = ()
    """``linked``: so were calls with these calling numbers."""

    @property
    def original(self) -> str:
        """The number that stays on call, recording, ledger and report; empty when the notice names none."""
        return self.numbers[0] if self.numbers else ""

    @property
    def prompt(self) -> str:
        """The transition announcement, or the standard one."""
        return self.announcement or ("merged-soon" if self.way == "reminder" else "merged")


class Stage(NamedTuple):
    """What a caller to a number meets from the day ``begins`` (None: from ever) until the next stage."""

    begins: date | None
    treatment: Treatment
    line: str
    """The line that answers; empty when closed."""
    prompt: str
    """Heard before the line's own greeting, or instead of a line; empty: nothing."""
    row: str


def stages(name: str, row: Merged, main: str) -> tuple[Stage, ...]:
    """The stages of one row alone. ``main``: the city's main line."""
    before = row.before or main
    merged: Treatment = "silent" if row.kind == "whole" else "own"
    reminds = row.prompt if row.way == "reminder" else ""
    if reminds and row.kind == "whole":
        merged = "announced"
    found: list[Stage] = []
    if row.kind == "dedicated":
        return ()
    if row.kind == "whole":
        found.append(Stage(row.begins, "announced", row.before or row.line, row.prompt, name))
    elif row.since is not None:
        spoken = row.prompt if row.kind == "dual" else ""
        found.append(Stage(row.begins, "announced" if spoken else "silent", before, spoken, name))
    if row.since is not None or row.kind != "whole":
        found.append(Stage(row.since or row.begins, merged, row.line, reminds, name))
    if row.retired is not None:
        found.append(Stage(row.retired, "closed", "", row.closed, name))
    return tuple(found)


def timeline(rows: Mapping[str, Merged], number: str, main: str) -> tuple[Stage, ...]:
    """All stages of a number (public or distinct called one), the earliest first; empty: in no row.

    A number whose first row begins on a day is answered by the main line until then: what reaches us is
    answered.
    """
    mine = [(name, row) for name, row in rows.items() if number in (*row.numbers, *row.called)]
    if not mine:
        return ()
    mine.sort(key=lambda pair: pair[1].begins or date.min)
    found: list[Stage] = []
    if mine[0][1].begins is not None and main:
        found.append(Stage(None, "silent", main, "", mine[0][0]))
    for at, (name, row) in enumerate(mine):
        end = mine[at + 1][1].begins if at + 1 < len(mine) else None
        found += [s for s in stages(name, row, main) if end is None or (s.begins or date.min) < end]
    return tuple(found)


def held(found: tuple[Stage, ...], day: date) -> Stage | None:
    """The stage that holds on a day."""
    return next((s for s in reversed(found) if s.begins is None or s.begins <= day), None)


def numbers_of(rows: Mapping[str, Merged]) -> Iterator[str]:
    """Every public and every distinct called number of the table, each once."""
    yield from dict.fromkeys(number for row in rows.values() for number in (*row.numbers, *row.called))


def answered_here(rows: Mapping[str, Merged]) -> Iterator[str]:
    """Those that are lines of this hotline, and not the sign of a centre that is linked with it."""
    linked = {n for row in rows.values() if row.kind == "linked" for n in (*row.numbers, *row.called)}
    yield from (number for number in numbers_of(rows) if number not in linked)
