"""Calls and visits as queue_log and the CDR prove them.

What proves what: a call's beginning, number, line and end stand in the CDR; a visit's beginning and end, the
seat that answered and every phone that did not stand in queue_log. Not in these files, so only the ledger
knows them: the moment the greeting ended, hold, call-back duties, advice.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cti.truth.files import CALL_ID, Cdr, QueueLine

SECONDS = 15.0
TRUNK_FULL = "34"
AGENT_ENDED = ("talked", "desk-taken", "transfer-blind", "transfer-caller")
"""Where a caller's leg hangs up because the talk was over: an agent's, a supervisor's who took the call over,
a colleague's to whom the caller was transferred."""
ASKING = ("Originate", "AGI")
"""What the caller's leg runs while "where next?" is asked: of the service, of the failsafe."""
_BESIDE_ASKING = re.compile(r"What: greeted|(?<![A-Z_])(?:ASK_|NEXT=|NEXT\)|QUESTION=)|\?judge|\?answered")
"""In what the steps just before and after it are given: milliseconds, in which somebody hangs up."""
_OUT = {"FULL": "full", "JOINEMPTY": "no-seats", "JOINUNAVAIL": "no-seats"}
"""QUEUESTATUS of callers refused at the door: app_queue's own log is silent, our dialplan's line is not."""
_EXITS = {
    "ABANDON": "abandoned",
    "EXITWITHTIMEOUT": "timeout",
    "EXITWITHKEY": "key",
    "EXITEMPTY": "seats-left",
    "WITHDRAW": "withdrawn",
}
_TALKED = ("COMPLETECALLER", "COMPLETEAGENT")
_RANG = {"CONNECT": "answered", "RINGNOANSWER": "missed", "RINGCANCELED": "stopped"}
_ROOM = "HOTLINEROOM"
"""The dialplan's own lines of who comes into a caller's room, or leaves a talk. They name no queue."""


@dataclass(slots=True)
class CountedVisit:
    queue: str
    joined: float
    outcome: str = "waiting"
    left: float | None = None
    seat: str = ""
    answered: float | None = None
    """The dialplan's own moment when there is one, else the second of CONNECT."""
    exact: bool = False
    talked: int | None = None
    missed: int = 0
    waited: int | None = None
    """Seconds in the queue, as app_queue counted them."""
    rang: int | None = None
    """Seconds the phone rang that answered."""
    silenced: float = -1.0
    """When phones stopped ringing because the caller hung up."""
    leg: str = ""
    """The Uniqueid of the phone that answered."""
    lifted: str = ""
    """A seat whose phone answered, and that was not connected: the caller was just leaving."""


@dataclass(slots=True)
class CountedCall:
    id: str
    city: str
    line: str = ""
    original: str = ""
    trunk: str = ""
    called: str = ""
    caller: str = ""
    arrived: float = 0.0
    exact: bool = False
    """``arrived`` has milliseconds."""
    ended: float | None = None
    left_by: str = ""
    context: str = ""
    """Where the dialplan was when it ended."""
    asked: bool = False
    """It was being asked where the caller goes next, or just before or after."""
    refused: bool = False
    visits: list[CountedVisit] = field(default_factory=list)
    told_by_cdr: bool = False
    callback_of: str = ""
    """A stand-in's call: the call in which this call back was promised."""
    owed: bool = False
    """A message was left that somebody is to answer by a call."""
    reached: bool = False
    """Its citizen answered."""
    seat: str = ""
    """The seat that made this call; empty: a citizen made it."""
    answered: float | None = None
    """When the citizen answered whom a seat called."""
    rings: list[tuple[str, str]] = field(default_factory=list)
    """Seat and what became of it: answered, missed, stopped. In the order in which they ended."""
    led: bool = False
    """Somebody else than whom a queue rang took part: the caller was passed on, or a colleague came in."""

    @property
    def first(self) -> CountedVisit | None:
        """The visit in which an agent first answered."""
        return next((v for v in self.visits if v.outcome == "answered"), None)

    @property
    def seconds(self) -> float | None:
        """The 15 s clock."""
        first = self.first
        return None if first is None or first.answered is None else max(0.0, first.answered - self.arrived)

    @property
    def resolution(self) -> float:
        """How far ``seconds`` can be wrong."""
        first = self.first
        return (0.0 if self.exact else 1.0) + (0.0 if first is not None and first.exact else 1.0)

    @property
    def offered(self) -> bool:
        return (
            self.told_by_cdr
            and bool(self.line)
            and not self.refused
            and not self.callback_of
            and not self.seat
        )

    @property
    def stage(self) -> str:
        """Where an unanswered caller left."""
        last = self.visits[-1] if self.visits else None
        if last is not None and last.outcome == "abandoned":
            # written one after the other; whole seconds may have turned between the two
            return "ringing" if 0 <= (last.left or 0) - last.silenced <= 1 else "waiting"
        if last is not None and last.outcome == "key" and not self.owed:
            return "waiting"
        if "-message-" in self.context or self.visits:
            return "message"
        # the question "where next?" is asked within the line, after its greeting
        return "greeting" if "-line-" in self.context and not self.asked else "menu"


@dataclass(slots=True)
class Recount:
    calls: dict[str, CountedCall]
    starts: list[float]
    """Every start of Asterisk: what was open before it has no end in these files."""


def recount(log: Iterable[QueueLine], cdrs: Iterable[Cdr]) -> Recount:
    """Every call these files hold."""
    calls: dict[str, CountedCall] = {}
    rows: dict[str, list[Cdr]] = {}
    for cdr in cdrs:
        rows.setdefault(cdr.call, []).append(cdr)
    for id, mine in rows.items():
        calls[id] = _of_cdrs(id, mine)
    starts: list[float] = []
    by_leg = {c.id.partition("-")[2]: c for c in calls.values()}
    for line in log:
        if line.event == "QUEUESTART":
            starts.append(float(line.at))
            _lost(by_leg.values(), float(line.at))
            continue
        if line.event == _ROOM:
            if (led := by_leg.get(line.uniqueid)) is not None:
                led.led = True
            continue
        city, _, queue = line.queue.partition("-")
        if not CALL_ID.fullmatch(f"{city}-{line.uniqueid}"):
            continue
        call = by_leg.get(line.uniqueid)
        if call is None:
            call = CountedCall(f"{city}-{line.uniqueid}", city, arrived=float(line.at))
            by_leg[line.uniqueid] = calls[call.id] = call
        _take(call, line, queue)
    return Recount(calls, starts)


def _of_cdrs(id: str, rows: Sequence[Cdr]) -> CountedCall:
    city, _, leg = id.partition("-")
    own = [r for r in rows if r.uniqueid == leg] or list(rows)
    first, last = min(own, key=lambda r: (r.start, r.number)), max(own, key=lambda r: (r.end, r.number))
    call = CountedCall(id, city, told_by_cdr=True)
    call.arrived, call.ended = first.start, last.end
    # a withheld number is a word there, and none to the dialplan
    call.caller = "".join(x for x in first.src if x in "+0123456789")
    call.context = last.context
    call.asked = last.app in ASKING or _BESIDE_ASKING.search(last.data) is not None
    told = next((r.userfield for r in own if r.userfield), "").split(";")[0].split("/")
    if len(told) >= 3:
        call.line, call.original = told[1], told[2]
    if len(told) >= 6:
        call.trunk, call.called = told[3], told[4]
        with contextlib.suppress(ValueError):
            call.arrived, call.exact = float(told[5]), True
    if len(told) >= 7:
        call.callback_of, call.caller = told[6], told[4]
    call.refused = last.app == "Hangup" and last.data == TRUNK_FULL and last.context == "arrive"
    if last.app == "Hangup":
        call.left_by = "agent" if last.context in AGENT_ENDED else "system"
    else:
        call.left_by = "caller"
    if call.callback_of:
        call.left_by = "system"
    if len(told) >= 9:
        # a seat called a citizen: whose leg ended first is told by what the seat's did last
        call.seat, call.caller, call.reached = told[7], told[8], False
        call.left_by = {"out-over": "caller", "out-failed": "system"}.get(last.context, "agent")
    return call


def _lost(calls: Iterable[CountedCall], at: float) -> None:
    """Asterisk started: whoever waited or talked until then was cut off."""
    for call in calls:
        if call.visits and call.visits[-1].outcome == "waiting":
            call.visits[-1].outcome, call.visits[-1].left = "lost", at


def _take(call: CountedCall, line: QueueLine, queue: str) -> None:
    at = float(line.at)
    last = call.visits[-1] if call.visits else None
    if line.event in _RANG:
        call.rings.append((line.agent.partition("-")[2], _RANG[line.event]))
    if line.event == "HOTLINEDUTY":
        call.left_by = "system"
        return
    if line.event == "HOTLINECALLBACK" and line.data:
        state = line.data[0].split("/")[-2:][0]
        if state == "asked":
            call.left_by = "system"
        call.reached = call.reached or state == "talking"
        return
    if line.event == "HOTLINEOWED":
        call.owed = True
        return
    if line.event == "HOTLINECALLED" and line.data:
        call.answered, call.reached = _number(line.data[0]), True
        return
    if line.event == "ENTERQUEUE":
        if last is not None and last.outcome == "waiting":
            last.outcome, last.left = "moved", at
        call.visits.append(CountedVisit(queue, at))
        return
    if line.event == "HOTLINEOUT" and line.data and line.data[0] in _OUT:
        call.visits.append(CountedVisit(queue, at, _OUT[line.data[0]], at))
        return
    if last is None or last.queue != queue:
        return
    if line.event == "HOTLINEANSWER" and last.outcome == "answered":
        # a colleague to whom the agent passed the caller on
        call.led = True
    elif line.event == "HOTLINEANSWER" and last.outcome == "waiting" and line.data:
        last.answered, last.exact = _number(line.data[0]), True
        last.lifted = line.agent.partition("-")[2]
    elif line.event == "CONNECT" and last.outcome == "waiting":
        last.outcome, last.left = "answered", at
        last.seat = line.agent.partition("-")[2]
        if len(line.data) >= 3:
            last.waited, last.rang = _whole(line.data[0]), _whole(line.data[2])
            last.leg = line.data[1]
        last.lifted = ""
        if last.answered is None:
            last.answered = at
    elif line.event == "RINGNOANSWER" and last.outcome == "waiting":
        last.missed += 1
    elif line.event == "RINGCANCELED" and last.outcome == "waiting":
        last.silenced = at
    elif line.event in _EXITS and last.outcome in ("waiting", "abandoned"):
        # a way out that Queue() found itself is sometimes followed by a line of an abandon
        last.outcome, last.left = _EXITS[line.event], at
        if line.event == "ABANDON" and len(line.data) >= 3:
            last.waited = _whole(line.data[2])
        if line.event == "ABANDON" and call.ended is not None:
            # no CDR tells of the wait behind a ring once the call had been bridged
            call.ended = max(call.ended, at)
    elif line.event in _TALKED and len(line.data) >= 2 and last.seat == line.agent.partition("-")[2]:
        # of a caller who went on to another seat it comes at the very end, and its time runs on
        last.talked = int(_number(line.data[1]) or 0)


def _whole(told: str) -> int | None:
    number = _number(told)
    return None if number is None else int(number)


def _number(told: str) -> float | None:
    try:
        return float(told)
    except ValueError:
        return None
