"""What a shift hands over to the next (交接班): duties that are open, each kind found in its own way.

A new kind is one entry of ``KINDS``: a function from what is known to the duties it sees in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from calls.facts import CallId
from calls.model import Call
from calls.note import ShiftNote
from calls.standing import Announcement
from plan.words import NUMBER


class DutyKind(StrEnum):
    ANNOUNCEMENT = "announcement"  # stands on a line until somebody lowers it
    CALL_BACK = "call-back"  # a caller was promised a call: recorded message, asked to be called
    DRAFT = "draft"  # what a citizen said was written down, and no ticket was made of it
    NOTE = "note"  # what a person of the leaving shift wrote, until somebody says it is done


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody still has to do this, or ``settled`` says when and by what it was done."""

    kind: DutyKind
    city: str
    call: CallId
    """Empty for an announcement and a note."""
    since: float
    """When the promise was made; of a draft, when the call ended; of a note, when it was written."""
    line: str
    queue: str
    """The last queue the caller waited in."""
    number: str
    """Whom to call; empty when it was withheld (``anonymous`` is many people, and nobody to call)."""
    settled: float | None = None
    settled_by: str | None = None
    """The call in which an agent talked with that number; of a draft, the ticket's number; by hand, who."""
    message: str = ""
    """The recording of what the caller left; empty: nothing was."""
    reason: str = ""
    """Why somebody settled it by hand."""
    note: str = ""
    """A note's id."""
    text: str = ""
    """What the note says."""
    by: str = ""
    """Who wrote it."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """The citizen's words in this call were written down; ``ticket``: the first one made of them."""

    call: Call
    ticket: str | None = None
    made: float | None = None


@dataclass(frozen=True, slots=True)
class ByHand:
    """Somebody says that this was done in a way no call of ours shows: a withheld number, a mobile."""

    at: float
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """What duties are found in: calls of history and of the moment, each once."""

    calls: Sequence[Call]
    announcements: Sequence[Announcement] = ()
    drafted: Sequence[Drafted] = ()
    messages: Mapping[CallId, str] = field(default_factory=dict)
    """The recording of the message that was left in a call."""
    by_hand: Mapping[tuple[DutyKind, CallId], ByHand] = field(default_factory=dict)
    """By the call's id, or the note's."""
    notes: Sequence[ShiftNote] = ()


def duties(known: Known) -> list[Duty]:
    """Every duty, the oldest first; those that are done have ``settled``."""
    found = (_by_hand(known, duty) for find in KINDS.values() for duty in find(known))
    return sorted(found, key=lambda d: (d.since, d.call))


def _by_hand(known: Known, duty: Duty) -> Duty:
    """What a call or a ticket settled stays settled by it."""
    hand = known.by_hand.get((duty.kind, CallId(duty.note) if duty.note else duty.call))
    if hand is None or duty.settled is not None:
        return duty
    return replace(duty, settled=hand.at, settled_by=hand.who, reason=hand.reason)


def call_backs(known: Known) -> Iterable[Duty]:
    """Calls back that are owed. One is settled when an agent has talked with that number since.

    Whichever side dialled: a citizen who got through later has been spoken to.
    """
    talked: dict[tuple[str, str], list[Call]] = {}
    kept: dict[str, list[Call]] = {}
    for call in known.calls:
        if call.callback_of:
            # an agent who answered a stand-in has not yet talked with anybody
            if call.greeted is not None and call.answered is not None:
                kept.setdefault(call.callback_of, []).append(replace(call, answered=call.greeted))
            continue
        if call.answered is not None and call.consult_of is None and NUMBER.fullmatch(call.caller):
            talked.setdefault((call.city, call.caller), []).append(call)
    for call in known.calls:
        if not call.owed or call.consult_of is not None:
            continue
        since = call.since if call.ended is None else call.ended
        spoken = [*talked.get((call.city, call.caller), ()), *kept.get(call.id, ())]
        later = [c for c in spoken if c.answered and (c.answered > since or c.callback_of)]
        first = min(later, key=lambda c: c.answered or 0.0, default=None)
        yield Duty(
            kind=DutyKind.CALL_BACK,
            city=call.city,
            call=call.id,
            since=since,
            line=call.line,
            queue=call.queue,
            number=call.caller if NUMBER.fullmatch(call.caller) else "",
            settled=None if first is None else first.answered,
            settled_by=None if first is None else first.id,
            message=known.messages.get(call.id, ""),
        )


def drafts(known: Known) -> Iterable[Duty]:
    """Drafts that no ticket was made of: an agent answered, the call is over. Settled by the ticket."""
    for drafted in known.drafted:
        call = drafted.call
        if call.answered is None or call.ended is None or call.outgoing or call.consult_of is not None:
            continue
        yield Duty(
            kind=DutyKind.DRAFT,
            city=call.city,
            call=call.id,
            since=call.ended,
            line=call.line,
            queue=call.queue,
            number=call.caller if NUMBER.fullmatch(call.caller) else "",
            settled=drafted.made,
            settled_by=drafted.ticket,
        )


def announcements(known: Known) -> Iterable[Duty]:
    """Urgent announcements that stand: the next shift decides when they go."""
    for up in known.announcements:
        kind, none = DutyKind.ANNOUNCEMENT, CallId("")
        yield Duty(kind=kind, city=up.city, call=none, since=up.since, line=up.line, queue="", number="")


def notes(known: Known) -> Iterable[Duty]:
    """What the leaving shift wrote. It stands until somebody says that it is done."""
    for note in known.notes:
        yield Duty(
            kind=DutyKind.NOTE, city=note.city, call=CallId(""), since=note.at, line="", queue="", number="",
            note=note.id, text=note.text, by=note.who,
        )  # fmt: skip


KINDS: Mapping[DutyKind, Callable[[Known], Iterable[Duty]]] = {
    DutyKind.CALL_BACK: call_backs,
    DutyKind.DRAFT: drafts,
    DutyKind.ANNOUNCEMENT: announcements,
    DutyKind.NOTE: notes,
}
