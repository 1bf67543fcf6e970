"""The record of a caller brought to somebody outside, or handed to us: who asked, when, each stage's time,
which number took it, what was sent with it, what became of it. One row for both sides' words.

Made from facts alone (the dialplan tells them), so a service that was dead lacks what it did not hear until
the call is over: then it is put in from what Asterisk wrote (``HandoffRefilled``). Words of people and of the
centre's computer come as ``HandoffNoted``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from calls import facts as f
from calls.facts import CallId, Fact
from calls.model import GONE, Call, CallState
from calls.value import dataclass, field, replace
from transfer.table import STATES, State
from transfer.table import Fact as Happened
from transfer.table import step as step_table

OUTCOMES = ("", "asked", "accepted", "handed", "refused", "back", "over", "kept", "taken-back",
            "abandoned")  # fmt: skip
"""kept: undecided, and the platform that answered first keeps it (国办发〔2022〕12号).
abandoned: handed to us, and the caller gave up before anybody answered."""
DECISIONS = ("kept", "refused")
"""Outcomes that somebody says, an agent or a centre; the others are what happened."""
TOLD = ("call", "centre", "caller", "seat", "asked", "answered", "joined", "handed", "ended", "number",
        "outcome", "location", "location_from", "summary", "summary_from", "case")  # fmt: skip
"""What of a record a centre's computer is told: not what came from the centre itself."""
SOURCES = ("", "draft", "ticket", "agent", "centre")
"""Whose ``location`` and ``summary`` are, the weaker before the stronger: nobody's; words the draft of the
call's ticket found; what the agent typed into that draft; what an agent noted here; the centre's own."""
MOST_THEIRS = 64
KEPT = 500
"""Records remembered; older ones stand in the database."""
KEPT_OVER = 64


@dataclass(frozen=True, slots=True)
class Handoff:
    """Times are seconds since the epoch, UTC; None: it has not happened."""

    id: str
    call: CallId
    city: str
    direction: str
    """``out``, or ``in``: handed to us."""
    kind: str
    centre: str
    """What was dialled: a centre, a seat, a contact, a line."""
    caller: str = ""
    seat: str = ""
    agent: str = ""
    by: str = ""
    """phone (a key), api; for a call handed to us, the trunk."""
    asked: float | None = None
    dialled: float | None = None
    answered: float | None = None
    joined: float | None = None
    handed: float | None = None
    """The agent has left caller and centre to each other."""
    ended: float | None = None
    number: str = ""
    """The number that took it."""
    trunk: str = ""
    tried: tuple[str, ...] = ()
    """``1 demo-centres 110 dialled``, ``1 demo-centres 110 skipped 17``."""
    outcome: str = ""
    """One of ``OUTCOMES``."""
    decided: float | None = None
    """When somebody said it (``DECISIONS``); None: it is what happened."""
    decided_by: str = ""
    """Who: a name as the API knows it, or ``centre-110``."""
    cause: str = ""
    case: str = ""
    """The centre's own case number."""
    story: str = ""
    """What the centre wrote of a call it handed to us; ``summary`` is ours."""
    of: str = ""
    """The record by which this caller had gone to that centre before: the call comes back."""
    officer: str = ""
    location: str = ""
    location_from: str = ""
    """One of ``SOURCES``. A draft's is a proposal: a machine listened to what was said."""
    summary: str = ""
    """A draft's has its title on the first line; what follows is what was said, word for word."""
    summary_from: str = ""
    reason: str = ""
    """Why the centre refused it, in its own words."""
    result: str = ""
    """What came back: the centre's feedback."""
    sent: float | None = None
    received: float | None = None
    confirmed: float | None = None
    """The webhook's handshake: first sent by us; when the centre's computer received, and we confirmed,
    version ``agreed``."""
    version: int = 0
    """Grows whenever something of ``TOLD`` changes; milliseconds of that moment, as far as that grows."""
    agreed: int = 0
    """The newest version that the centre's computer has; older than ``version``: it is to be told."""
    theirs: tuple[tuple[str, int], ...] = ()
    """Records of the centre's computer that were noted here, each with its newest version."""
    asked_by: str = ""
    """Who asked for it, or wrote its place and story last: a name as the API knows it (``agent-8001``)."""
    changed: float = 0.0
    refilled: tuple[str, ...] = ()
    """What nobody heard and Asterisk's own file told afterwards: names of these fields."""

    @property
    def keeper(self) -> str:
        """The platform that answered first and keeps it; empty: none does, or it is not undecided."""
        if self.outcome != "kept":
            return ""
        return self.centre if self.direction == "in" else "12345"

    @property
    def settled(self) -> bool:
        """It is over and its centre's computer knows all of it."""
        return self.ended is not None and self.agreed >= self.version > 0


@dataclass(frozen=True, slots=True)
class Now:
    """Where a call stands in the transfer table."""

    call: CallId
    state: State
    id: str
    city: str
    seat: str
    to: str
    """With whom, as dialled; empty with ``id`` while nobody was asked yet."""
    urgent: bool
    """The target is an emergency or utility centre, or it is a hand-over."""


@dataclass(frozen=True, slots=True)
class Moves:
    """All transfers known: where live ones stand, and the records."""

    live: Mapping[CallId, Now] = field(default_factory=dict)
    records: Mapping[str, Handoff] = field(default_factory=dict)
    touched: tuple[Handoff, ...] = ()
    """Records the last fact changed."""
    over: tuple[CallId, ...] = ()
    """The last calls that are over: what is told late of them begins nothing."""


_HAPPENED: Mapping[str, Happened] = {
    "answered": Happened.ANSWERED,
    "refused": Happened.REFUSED,
    "target-left": Happened.TARGET_LEFT,
    "agent-left": Happened.AGENT_LEFT,
    "handed": Happened.AGENT_LEFT,
    "together": Happened.TOGETHER,
    "taken-back": Happened.TAKE_BACK,
}
_VANISHED = frozenset(str(cause) for cause in GONE)
_OUTCOME: Mapping[str, str] = {
    "asked": "asked",
    "answered": "accepted",
    "handed": "handed",
    "refused": "refused",
    "back": "back",
    "over": "over",
    "taken-back": "taken-back",
}
_TIMED = {"dialled": "dialled", "answered": "answered", "joined": "joined", "handed": "handed"}
KINDS = ("blind", "consult", "three", "handoff")
_ENDS = ("refused", "taken-back", "back", "over", "queued")


def step(
    moves: Moves,
    fact: Fact,
    agent_at: Callable[[str, str], str] = lambda city, seat: "",
    was_answered: Callable[[CallId], bool] = lambda call: False,
) -> Moves:
    """The records after this fact. ``agent_at``: who sits at a seat (city, seat); ``was_answered``: whether
    anybody has talked in this call, which may have begun while nobody listened."""
    if moves.touched:
        moves = replace(moves, touched=())
    match fact:
        case f.TransferStepped():
            return _stepped(moves, fact)
        case f.HandoffNoted():
            return _noted(moves, fact)
        case f.HandoffRefilled():
            return _refilled(moves, fact)
        case f.Snapshot():
            return _true(moves, fact)
        case f.HandedToUs():
            return _to_us(moves, fact)
        case f.CallLeft():
            return _left(moves, fact, was_answered)
        case f.CallTakenOver():
            return _gone(moves, fact.call)
        case f.SeatAnswered():
            return _seat_answered(moves, fact, agent_at)
    return moves


WORDS = ("case", "officer", "location", "summary", "reason", "result", "asked_by")
"""What may be noted as text. ``sent``, ``received`` and ``confirmed`` are noted as the moment it was said,
``version`` and ``agreed`` as numbers, ``theirs`` as their record and its version: ``f-1 3``."""
LONGEST = 2000
PROPOSED = {f"{source}_{name}": (source, name) for source in ("draft", "ticket")
            for name in ("location", "summary")}  # fmt: skip
"""What may be noted as a proposal, to whose it is and what of the record: ``draft_location``."""


def _noted(moves: Moves, x: f.HandoffNoted) -> Moves:
    record = moves.records.get(x.id)
    if record is None:
        return moves
    told: dict[str, Any] = {"changed": x.at}
    by = "centre" if any(name == "theirs" for name, _ in x.words) else "agent"
    for name, text in x.words:
        if name in PROPOSED:
            told |= _proposed(record, name, text)
        elif name in WORDS:
            told[name] = text[:LONGEST]
            if name in ("location", "summary"):
                told[f"{name}_from"] = by
        elif name == "sent":
            # said again, the first time stands
            told[name] = record.sent or x.at
        elif name in ("received", "confirmed"):
            told[name] = x.at
        elif name in ("version", "agreed"):
            told[name] = max(getattr(record, name), int(text))
        elif name == "theirs":
            told[name] = _with_theirs(record.theirs, text)
        elif name == "outcome" and text in DECISIONS and (record.outcome != text or not record.decided):
            # said again, by the other side too: whoever said it first decided it
            told |= {"outcome": text, "decided": x.at, "decided_by": dict(x.words).get("decided_by", "")}
    return _put(moves, replace(record, **told))


def _proposed(record: Handoff, name: str, text: str) -> dict[str, str]:
    """What a proposal changes: nothing of what a person wrote, also of what they emptied, and nothing once it
    is over. A draft that has nothing any more leaves what it had before: a machine may have misheard."""
    source, field_of = PROPOSED[name]
    now: str = getattr(record, field_of)
    # written before records had sources
    held = getattr(record, f"{field_of}_from") or ("agent" if now else "")
    nothing = source == "draft" and not text
    if record.ended is not None or nothing or SOURCES.index(held) > SOURCES.index(source):
        return {}
    return {field_of: text[:LONGEST], f"{field_of}_from": source}


def news(record: Handoff, proposals: Mapping[str, str]) -> dict[str, str]:
    """Those of these proposals (by their names in ``PROPOSED``) that would change the record."""
    return {
        name: text
        for name, text in proposals.items()
        if any(getattr(record, n) != told for n, told in _proposed(record, name, text).items())
    }


def _with_theirs(known: tuple[tuple[str, int], ...], text: str) -> tuple[tuple[str, int], ...]:
    name, _, version = text.rpartition(" ")
    newest = max(int(version), *(v for n, v in known if n == name), 0)
    return (*((n, v) for n, v in known if n != name), (name, newest))[-MOST_THEIRS:]


def _stepped(moves: Moves, x: f.TransferStepped) -> Moves:
    record = moves.records.get(x.id)
    if record is None:
        city = x.call.partition("-")[0]
        record = Handoff(x.id, x.call, city, "out", x.kind, x.to, asked=x.at)
    told: dict[str, Any] = {"changed": x.at}
    if x.step == "asked":
        told |= {"kind": x.kind, "centre": x.to, "seat": x.seat, "by": x.by, "asked": x.at}
        told |= {"caller": x.caller, "agent": x.agent}
        if x.by == "phone" and x.agent and not record.asked_by:
            told["asked_by"] = f"agent-{x.agent}"
    if x.step in ("dialled", "skipped", "accepted"):
        words = (x.way, x.trunk, x.number, x.step, x.why if x.step == "skipped" else "")
        told["tried"] = (*record.tried, " ".join(w for w in words if w))
    if x.step == "accepted":
        told |= {"number": x.number, "trunk": x.trunk}
    if (name := _TIMED.get(x.step)) and getattr(record, name) is None:
        told[name] = x.at
    # undecided and kept by who answered first: an end of the call decides nothing any more
    decided = record.outcome == "kept" and x.step in _ENDS
    if (outcome := _OUTCOME.get(x.step)) is not None and not decided:
        told["outcome"] = outcome
        told |= {"decided": None, "decided_by": ""}
        told["cause"] = x.why or record.cause
    late = x.call in moves.over
    if x.step in _ENDS or ((x.step == "target-left" or late) and record.ended is None):
        told["ended"] = x.at
    moves = _put(moves, replace(record, **told))
    return moves if late else _move(moves, x)


def _move(moves: Moves, x: f.TransferStepped) -> Moves:
    """The state in the table: the desk's buttons follow it."""
    known = moves.live.get(x.call)
    if x.step == "asked":
        if x.kind not in KINDS:
            return moves
        # the dialplan tells what it made of the wish
        state = step_table(State.TALKING, Happened(x.kind)).state
        city = x.call.partition("-")[0]
        return _at(moves, Now(x.call, state, x.id, city, x.seat, x.to, x.urgent))
    if known is None:
        return moves
    if x.step in ("back", "queued"):
        return _at(moves, replace(known, state=State.QUEUED))
    if x.step == "over":
        return _gone(moves, x.call)
    happened = _HAPPENED.get(x.step)
    if happened is Happened.TARGET_LEFT and x.why in _VANISHED:
        happened = Happened.TARGET_LOST
    if happened is None or known.id != x.id:
        return moves
    return _at(moves, replace(known, state=step_table(known.state, happened, urgent=known.urgent).state))


def _to_us(moves: Moves, x: f.HandedToUs) -> Moves:
    city = x.call.partition("-")[0]
    went = moves.records.get(x.of)
    # the header is the centre's word: it links to nobody else's record
    known = went is not None and (went.city, went.centre, went.direction) == (city, x.centre, "out")
    record = Handoff(
        id=f"in-{x.call}", call=x.call, city=city, direction="in", kind="handoff", centre=x.centre,
        caller=x.caller, by=x.trunk, asked=x.at, case=x.case, story=x.story, of=x.of if known else "",
        outcome="asked", changed=x.at,
    )  # fmt: skip
    return _put(moves, record)


def _seat_answered(moves: Moves, x: f.SeatAnswered, agent_at: Callable[[str, str], str]) -> Moves:
    # also one that a supervisor freed from a talk
    moves = _gone(moves, x.call)
    record = moves.records.get(f"in-{x.call}")
    if record is None or record.answered is not None:
        return moves
    agent = agent_at(x.city, x.seat)
    told = replace(record, seat=x.seat, agent=agent, answered=x.at, outcome="accepted", changed=x.at)
    return _put(moves, told)


def _left(moves: Moves, x: f.CallLeft, was_answered: Callable[[CallId], bool]) -> Moves:
    moves = replace(_gone(moves, x.call), over=(*moves.over, x.call)[-KEPT_OVER:])
    for record in list(moves.records.values()):
        if record.call == x.call and record.ended is None:
            # a duty phone that had them is no seat: then it is not the caller who left
            waits = record.direction == "in" and record.outcome == "asked" and x.by == "caller"
            outcome = "abandoned" if waits and not was_answered(x.call) else record.outcome
            moves = _put(moves, replace(record, ended=x.at, outcome=outcome, changed=x.at))
    return moves


def recalled(moves: Moves, record: Handoff) -> Moves:
    """A record of the database is remembered again, so that words can be noted in it; one that is
    remembered stays as it is."""
    if record.id in moves.records:
        return moves
    # written before records had versions
    record = replace(record, version=record.version or _moment(record))
    return replace(_keep(moves, record), touched=moves.touched)


def _true(moves: Moves, x: f.Snapshot) -> Moves:
    """What ended while nobody listened: its last words are in no file, so the record says when it was found
    to be over, and ``unheard`` for its cause."""
    alive = {leg.call for leg in x.legs}
    moves = replace(moves, live={c: n for c, n in moves.live.items() if c in alive})
    for record in list(moves.records.values()):
        if record.ended is None and record.call not in alive:
            cause = record.cause or "unheard"
            moves = _put(moves, replace(record, ended=x.at, cause=cause, changed=x.at))
    return moves


STAGES = ("asked", "dialled", "answered", "joined", "handed")
NEAR = 1.6
"""Seconds: two moments of one event, one of them heard and one written down, on a busy machine."""


def proved(x: f.HandoffRefilled) -> Handoff | None:
    """The record as heard facts would have made it; None: its beginning was never written down."""
    moves = Moves()
    for one in x.steps:
        if one.id == x.id:
            moves = _stepped(moves, one)
    record = moves.records.get(x.id)
    if record is None or not record.kind:
        return None
    return record if record.ended is not None else replace(record, ended=x.ended)


def mended(heard: Handoff | None, told: Handoff) -> Handoff | None:
    """The record as it should be, ``told`` being what Asterisk wrote; None: nothing is missing in it. What
    was heard stays as it was heard, and so do words of people and centres, an outcome of theirs too."""
    if heard is None:
        there = tuple(name for name in (*STAGES, "ended") if getattr(told, name) is not None)
        return replace(told, refilled=there)
    changes: dict[str, Any] = {}
    if not heard.kind:
        # a later stage was the first that was heard
        names = ("asked", "kind", "centre", "seat", "by", "caller", "agent")
        changes = {name: getattr(told, name) for name in names}
        changes["asked_by"] = heard.asked_by or told.asked_by
    for name in STAGES:
        was, at = getattr(heard, name), getattr(told, name)
        # of a second way, where the first one was not heard
        if at is not None and (was is None or was - at > NEAR):
            changes[name] = at
    if told.number and not heard.number:
        changes |= {"number": told.number, "trunk": told.trunk}
    if len(told.tried) > len(heard.tried):
        changes["tried"] = told.tried
    ends = told.ended is not None and heard.ended is not None and heard.ended - told.ended > NEAR
    if heard.ended is None or heard.cause == "unheard" or ends:
        changes |= {"ended": told.ended, "cause": told.cause}
    if not changes:
        return None
    if not _decided(heard, told):
        changes |= {"outcome": told.outcome, "decided": None, "decided_by": ""}
    labels = (*STAGES, "tried", "ended")
    new = tuple(name for name in labels if name in changes and name not in heard.refilled)
    return replace(heard, **changes, refilled=(*heard.refilled, *new))


def _decided(heard: Handoff, told: Handoff) -> bool:
    """Whether the outcome is what somebody said, and nothing happened after it that undoes it."""
    if heard.outcome not in DECISIONS:
        return False
    # of before there was a moment: only people said kept, the dialplan tells refused by itself
    if heard.decided is None:
        return heard.outcome == "kept"
    return told.handed is None or told.handed <= heard.decided


def _refilled(moves: Moves, x: f.HandoffRefilled) -> Moves:
    told = proved(x)
    record = None if told is None else mended(moves.records.get(x.id), told)
    return moves if record is None else _put(moves, replace(record, changed=x.at))


def _moment(record: Handoff) -> int:
    return int(record.changed * 1000)


def _put(moves: Moves, record: Handoff) -> Moves:
    """The record as a fact has changed it."""
    known = moves.records.get(record.id)
    if known is None or any(getattr(known, name) != getattr(record, name) for name in TOLD):
        record = replace(record, version=max(_moment(record), record.version + 1))
    return _keep(moves, record)


def _keep(moves: Moves, record: Handoff) -> Moves:
    records = {**moves.records, record.id: record}
    while len(records) > KEPT:
        # the oldest that is over: what goes on is not in the database in whole; if there is one, one of which
        # no centre is owed the rest, which only the board says again after a restart
        over = [r for r in records.values() if r.ended is not None and r.id != record.id]
        free = (r.id for r in over if r.settled or r.sent is None)
        del records[next(free, over[0].id if over else next(iter(records)))]
    touched = (*(r for r in moves.touched if r.id != record.id), record)
    return replace(moves, records=records, touched=touched)


def _at(moves: Moves, standing: Now) -> Moves:
    return replace(moves, live={**moves.live, standing.call: standing})


def _gone(moves: Moves, call: CallId) -> Moves:
    if call not in moves.live:
        return moves
    return replace(moves, live={c: n for c, n in moves.live.items() if c != call})


def stands(moves: Moves, id: CallId, call: Call | None) -> Now | None:
    """Where this call stands: in a transfer, or talking to an agent who may wish one; None: neither.

    ``call``: as the picture has it; None: it is over and forgotten, or nobody heard of it. A citizen who is
    called back out of the queue is a caller from the moment they answer. A citizen whom a seat called by
    itself, and a consultation that is a call of its own, are not transferred.
    """
    if call is None or call.state is CallState.ENDED:
        return None
    if (known := moves.live.get(id)) is not None:
        return known
    if call.state is not CallState.TALKING or not call.seat or call.outgoing or call.consult_of is not None:
        return None
    if call.callback_of and call.greeted is None:
        return None
    return Now(call.id, State.TALKING, "", call.city, call.seat, "", urgent=False)


def all_stand(moves: Moves, calls: Mapping[CallId, Call]) -> tuple[Now, ...]:
    """Where every call stands that stands somewhere; ``calls``: those of the picture."""
    found = (stands(moves, id, call) for id, call in calls.items())
    return tuple(now for now in found if now is not None)


def hears(standing: Now) -> tuple[str, ...]:
    """What a desk shows: ``caller-agent``."""
    return tuple("-".join(sorted(pair)) for pair in sorted(STATES[standing.state].hear, key=sorted))
