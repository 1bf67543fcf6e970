"""What Asterisk's own files tell of the time when nobody of ours listened.

Asterisk writes queue_log and CDRs without us. When a snapshot comes after a gap, the lines of the gap
are heard first, as the facts we missed; then the snapshot has the last word. So a call that was
answered, or even began and ended, while the service was dead stands in history as any other.

Formats: queue_log ``epoch|uniqueid|queue|member|event|data…`` (Asterisk documentation, "Queue Logs"),
times in whole seconds. CDR: ``cdr_csv`` with ``usegmtime``, ``loguniqueid``, ``loguserfield``; our
dialplan puts ``<city>/<line>/<number dialled>`` into the user field and CALL_ID into the account code.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.picture import caller_leg, city_of
from cti.switchboard import Board
from queues.visit import Outcome

log = structlog.get_logger(__name__)

FIRST_BYTES = 256 * 1024
MOST_BYTES = FIRST_BYTES * 4**3
"""So much of the end of a file is read at most: days of a city's calls."""
SAME_SECONDS = 1.5
"""The files count whole seconds: a line this near to a fact we heard is that fact."""
CDR_DELAY = 2.0
"""A call's CDR stands in the file this long after its end at the latest."""

_ENDS = {"COMPLETECALLER": "caller", "COMPLETEAGENT": "agent", "ABANDON": "caller"}
_GAVE_UP = {
    "EXITWITHTIMEOUT": "TIMEOUT",
    "EXITEMPTY": "LEAVEEMPTY",
    "FULL": "FULL",
    "JOINEMPTY": "JOINEMPTY",
    "WITHDRAW": "WITHDRAW",
}


class Gap:
    """Stands between the link and the switchboard: ``hear`` passes every fact on, and fills the gaps."""

    def __init__(
        self,
        hear: Callable[[Fact], None],
        board: Callable[[], Board],
        queue_log: Path,
        cdr: Path,
    ) -> None:
        self.filled = 0
        """Facts taken from the files since the start."""
        self._hear = hear
        self._board = board
        self._queue_log = queue_log
        self._cdr = cdr
        self._last = board().picture.stale_since or 0.0
        self._owing: dict[CallId, float] = {}
        """Calls that ended before we knew their line, and when their CDR must be there."""

    def hear(self, fact: Fact) -> None:
        if isinstance(fact, f.Snapshot):
            self._fill(fact)
        before = self._board().picture
        self._hear(fact)
        if not isinstance(fact, f.LinkUp | f.LinkDown):
            self._last = max(self._last, fact.at)
        if isinstance(fact, f.LegEnded):
            call = before.calls.get(CallId(f"{city_of(before.call_of(fact) or CallId(''))}-{fact.leg}"))
            if call is not None and not call.line:
                self._owing[call.id] = fact.at + CDR_DELAY
        elif self._owing and fact.at > min(self._owing.values()):
            self._pay(fact)

    def _fill(self, snapshot: f.Snapshot) -> None:
        if not self._last:
            return  # a new home: nothing was known, so nothing was missed
        try:
            missed = self._missed(snapshot)
        except (OSError, ValueError, csv.Error) as why:
            log.error("Asterisk's files cannot be read, the gap stays", why=str(why))
            return
        for fact in missed:
            if not self._known(fact):
                self._hear(fact)
                self.filled += 1
        if missed:
            log.info("gap filled from Asterisk's files", since=self._last, facts=len(missed))

    def _missed(self, snapshot: f.Snapshot) -> list[Fact]:
        since = float(int(self._last))
        here = {leg.leg for leg in snapshot.legs}
        told = list(
            queue_facts(_tail(self._queue_log, lambda x: _since_line(x, since)), since, snapshot.node)
        )
        by = {x.call: x.reason for x in told if isinstance(x, f.SeatFinished)}
        by |= {x.call: "caller" for x in told if isinstance(x, f.QueueAbandoned)}
        found = [(x.at, 1, x) for x in told]
        for call, rows in _by_call(_tail(self._cdr, lambda x: _since_row(x, since))).items():
            ended = max(_moment(row[11]) for row in rows)
            if ended < since:
                continue
            found.append((_arrival(call, rows).at, 0, _arrival(call, rows, snapshot.node)))
            if caller_leg(call) not in here:
                left = f.CallLeft(
                    at=ended, node=snapshot.node, call=call, by=by.get(call, "unknown"), cause=0
                )
                found.append((ended, 2, left))
        for leg in snapshot.legs:
            if leg.call is not None and caller_leg(leg.call) == leg.leg:
                found.append((snapshot.at - leg.seconds, 0, _here(leg, snapshot)))
        return [fact for _, _, fact in sorted(found, key=lambda x: (x[0], x[1]))]

    def _known(self, fact: Fact) -> bool:
        """The switchboard heard it when it happened."""
        board = self._board()
        call: CallId | None = getattr(fact, "call", None)
        visit = board.visits.last.get(call) if call is not None else None
        match fact:
            case f.CallArrived():
                known = board.picture.calls.get(fact.call)
                return known is not None and bool(known.line)
            case f.QueueJoined():
                return (
                    visit is not None
                    and visit.queue == fact.queue
                    and abs(visit.joined - fact.at) <= SAME_SECONDS
                )
            case f.SeatAnswered():
                return (
                    visit is not None
                    and visit.outcome is Outcome.ANSWERED
                    and visit.seat == fact.seat
                    and abs((visit.left or 0.0) - fact.at) <= SAME_SECONDS
                )
            case f.SeatDeclined():
                return fact.at <= self._last
            case _:
                return False  # heard twice they change nothing

    def _pay(self, fact: Fact) -> None:
        """Ended calls learn from their CDR by which line they came."""
        due = [call for call, at in self._owing.items() if fact.at > at]
        for call in due:
            del self._owing[call]
        try:
            rows = _by_call(_tail(self._cdr, lambda x: True))
        except (OSError, ValueError, csv.Error) as why:
            log.error("CDRs cannot be read", why=str(why))
            return
        for call in due:
            if call in rows:
                self._hear(_arrival(call, rows[call], fact.node))


def queue_facts(lines: Iterable[str], since: float, node: str) -> Iterator[Fact]:
    """The facts of queue_log's lines from ``since`` on; foreign and broken lines are passed over."""
    for text in lines:
        part = text.rstrip("\n").split("|")
        if len(part) < 5 or not part[0].isdigit() or float(part[0]) < since:
            continue
        city, dash, queue = part[2].partition("-")
        if not dash or part[1] in ("NONE", "MANAGER", "REALTIME"):
            continue
        try:
            fact = _queue_fact(float(part[0]), node, city, queue, part)
        except (ValueError, IndexError):
            continue
        if fact is not None:
            yield fact


def _queue_fact(at: float, node: str, city: str, queue: str, part: list[str]) -> Fact | None:
    event, data = part[4], part[5:]
    call = CallId(f"{city}-{part[1]}")
    about: dict[str, Any] = {"at": at, "node": node, "call": call, "city": city, "queue": queue}
    leg = LegId(part[1])
    seat = part[3].removeprefix(f"{city}-")
    match event:
        case "ENTERQUEUE":
            return f.QueueJoined(**about, leg=leg, position=int(data[2]), waiting=int(data[2]))
        case "CONNECT":
            seat_leg = LegId(data[1])
            return f.SeatAnswered(
                **about, seat=seat, leg=seat_leg, waited=float(data[0]), rang=float(data[2])
            )
        case "COMPLETECALLER" | "COMPLETEAGENT":
            by = _ENDS[event]
            return f.SeatFinished(**about, seat=seat, reason=by, waited=float(data[0]), talked=float(data[1]))
        case "RINGNOANSWER":
            return f.SeatDeclined(**about, seat=seat, leg=LegId(""), rang=float(data[0]) / 1000)
        case "ABANDON":
            return f.QueueAbandoned(**about, leg=leg, position=int(data[0]), waited=float(data[2]))
        case "EXITWITHKEY":
            return f.QueueGaveUp(**about, status="KEY", key=data[0])
        case _ if event in _GAVE_UP:
            return f.QueueGaveUp(**about, status=_GAVE_UP[event], key="")
    return None


def _by_call(lines: Iterable[str]) -> dict[CallId, list[list[str]]]:
    """CDRs of callers' own legs, by call: a call has one for every phone that was tried."""
    found: dict[CallId, list[list[str]]] = {}
    for row in csv.reader(lines):
        if len(row) >= 18 and row[0] and row[16] == caller_leg(CallId(row[0])):
            found.setdefault(CallId(row[0]), []).append(row)
    return found


def _arrival(call: CallId, rows: list[list[str]], node: str = "") -> f.CallArrived:
    row = rows[0]
    city, _, rest = row[17].partition("/")
    line, _, dialled = rest.partition("/")
    return f.CallArrived(
        at=min(_moment(row[9]) for row in rows),
        node=node,
        call=call,
        leg=caller_leg(call),
        city=city or city_of(call),
        trunk=_trunk(row[5], city_of(call)),
        line=line,
        called=dialled,
        original=dialled,
        caller=row[1],
        sip_call="",
    )


def _here(leg: f.LegNow, snapshot: f.Snapshot) -> f.CallArrived:
    """A caller who is here and came while we were not. The line is learnt at the end, from the CDR."""
    call = leg.call or CallId("")
    city = city_of(call)
    return f.CallArrived(
        at=snapshot.at - leg.seconds,
        node=snapshot.node,
        call=call,
        leg=leg.leg,
        city=city,
        trunk=leg.endpoint.removeprefix(f"{city}-"),
        line=leg.context.removeprefix(f"{city}-line-") if leg.context.startswith(f"{city}-line-") else "",
        called=leg.called if leg.called.isdigit() else "",
        original="",
        caller=leg.caller,
        sip_call="",
    )


def _trunk(channel: str, city: str) -> str:
    """``PJSIP/demo-carrier-0000000c`` -> ``carrier``."""
    return channel.rpartition("-")[0].rpartition("/")[2].removeprefix(f"{city}-")


def _moment(text: str) -> float:
    """CDR time in UTC (``usegmtime``)."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()


def _since_line(text: str, since: float) -> bool:
    return text.partition("|")[0].isdigit() and float(text.partition("|")[0]) < since


def _since_row(text: str, since: float) -> bool:
    row = next(csv.reader([text]), [])
    return len(row) > 11 and _moment(row[11]) < since


def _tail(path: Path, older: Callable[[str], bool]) -> list[str]:
    """The last lines of a file, whole ones only, back to one that is ``older``; none without a file."""
    most = FIRST_BYTES
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            while True:
                file.seek(max(0, size - most))
                lines = file.read(most).decode("utf-8", "replace").splitlines(keepends=True)
                lines = [text for text in lines[1 if size > most else 0 :] if text.endswith("\n")]
                if size <= most or most >= MOST_BYTES or (lines and older(lines[0])):
                    return lines
                most *= 4
    except FileNotFoundError:
        return []
