"""Too few people, and what is handed over: answers and questions."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from calls.mask import masked, masked_in
from cti.web.api import Answer, CallsQuestion, Moment
from cti.web.who import MASKED
from queues.duties import Duty, DutyKind
from queues.short import Shortfall

DUTIES_SECONDS = 30 * 86_400.0
"""How far back duties that are settled are looked for."""


class ShortfallAnswer(Answer):
    """A queue with fewer people at their seats than its target needs in this interval."""

    city: str
    queue: str
    need: int = Field(description="people at their seats that reach the target")
    present: int = Field(description="people who count for this queue, each for one queue only")
    able: int = Field(description="people at their seats who could answer it")
    short: int
    paused: list[str] = Field(description="seats of this queue that are paused")
    missing: list[str] = Field(description="rostered now, not signed in")


class DutiesQuestion(CallsQuestion):
    """Duties open now; ``all`` shows those settled too."""

    model_config = ConfigDict(extra="forbid", validate_by_alias=True, validate_by_name=False)

    since: Moment | None = Field(
        default=None, alias="from", description="default: 30 days ago, and whatever is open however old"
    )
    kind: DutyKind | None = None
    settled: Annotated[bool, Field(alias="all")] = False

    def begins(self, now: float) -> float:
        """How far back to look."""
        return now - DUTIES_SECONDS if self.since is None else self.since

    @property
    def older(self) -> bool:
        """Whether those that are open are wanted however old."""
        return self.since is None

    def wants(self, duty: Duty) -> bool:
        return (self.settled or duty.settled is None) and self.kind in (None, duty.kind)


class DutyAnswer(Answer):
    """Something a shift hands over to the next."""

    kind: DutyKind
    city: str
    call: str
    since: float = Field(
        description="when it was promised; of a draft, when the call ended; of a note, when it was written"
    )
    line: str
    queue: str
    number: str = Field(description=f"whom to call; empty when withheld; {MASKED}")
    settled: float | None
    settled_by: str | None = Field(
        description="the call in which an agent talked with that number, the ticket, or who said it is done"
    )
    reason: str = Field(description=f"why it was settled by hand; empty: it was not; numbers in it {MASKED}")
    message: str = Field(
        description="the recording of what the caller left (/api/recordings/{leg}/audio); empty: none"
    )
    note: str = Field("", description="a note's id")
    text: str = Field("", description=f"what the note says; numbers in it {MASKED}")
    by: str = Field("", description="who wrote the note")


def shortfall_answer(short: Shortfall) -> ShortfallAnswer:
    return ShortfallAnswer(
        city=short.city,
        queue=short.queue,
        need=short.need,
        present=short.present,
        able=short.able,
        short=short.short,
        paused=list(short.paused),
        missing=list(short.missing),
    )


def duty_answer(duty: Duty, *, full: bool) -> DutyAnswer:
    """``full`` shows the citizen's number, and those that people wrote."""
    return DutyAnswer(
        kind=duty.kind,
        city=duty.city,
        call=duty.call,
        since=duty.since,
        line=duty.line,
        queue=duty.queue,
        number=duty.number if full else masked(duty.number),
        settled=duty.settled,
        settled_by=duty.settled_by,
        message=duty.message,
        reason=duty.reason if full else masked_in(duty.reason),
        note=duty.note,
        text=duty.text if full else masked_in(duty.text),
        by=duty.by,
    )
