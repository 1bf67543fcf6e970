"""What Asterisk wrote while nobody listened: its queue_log and CDR lines -> facts of finished calls.

Folded through the rooms like heard facts, they give the rows history should hold. Times are whole seconds
except where our dialplan wrote milliseconds. What the files do not say (hold, bridges, advice) stays unsaid.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from cti.asterisk.ear import call_of, city_and, endpoint_of, leg_of
from cti.asterisk.room import ROOM, Room, uncut
from cti.asterisk.stages import stages
from queues.wrap_up import WRAP_UP, WrapUp
from recording.masked import Key

CHUNK = 1 << 20
LATEST_FIRST = 2
"""Seconds by which lines of these files may stand out of order."""
TALK_OVER = ("talked", "desk-taken", "transfer-blind", "transfer-caller")
"""Contexts that end a call because whoever talked to the caller hung up, also after a transfer."""
ASKING = ("Originate", "AGI")
"""What the caller's leg runs while "where next?" is asked: of the service, of the failsafe."""
_ABOUT_ASKING = re.compile(r"What: greeted|\b(?:ASK_\w+|NEXT|QUESTION)\b|\?(?:judge|answered)\b")
"""What the steps around it name: whoever hung up in those milliseconds had heard the greeting, too."""


@dataclass(frozen=True, slots=True)
class Written:
    """One finished call: its CDR rows and its lines of queue_log, in order."""

    call: CallId
    began: float
    ended: float
    facts: tuple[Fact, ...]
    stages: tuple[f.TransferStepped, ...] = ()
    """Of its transfers; none of ``facts``, which make the rows of the ledger."""


def written(queue_log: Path, cdrs: Path, node: str, since: float, until: float) -> list[Written]:
    """Every call that ended at ``since`` or later and began before ``until``. Reads the files' ends only."""
    rows: dict[CallId, list[list[str]]] = {}
    for row in csv.reader(io.StringIO(_tail(cdrs, since - LATEST_FIRST, _cdr_end))):
        if len(row) >= 18 and (call := call_of(row[0])) is not None and row[16] == leg_of(call):
            rows.setdefault(call, []).append(row)
    spans: dict[CallId, tuple[float, float]] = {}
    for call, mine in rows.items():
        began, ended = min(_utc(r[9]) for r in mine), max(_utc(r[11]) for r in mine)
        if ended >= since and began < until:
            spans[call] = began, ended
    if not spans:
        return []
    lines: dict[str, list[list[str]]] = {leg_of(call): [] for call in spans}
    for line in _tail(queue_log, min(b for b, _ in spans.values()) - LATEST_FIRST, _line_at).splitlines():
        words = line.split("|")
        if len(words) >= 5 and words[1] in lines:
            lines[words[1]].append(words)
    for call, (began, ended) in spans.items():
        # no CDR tells of the wait behind a ring
        left = (float(w[0]) for w in lines[leg_of(call)] if w[4] == "ABANDON")
        spans[call] = began, max([ended, *left])
    return [
        Written(
            call,
            began,
            ended,
            tuple(_facts(call, node, rows[call], lines[leg_of(call)], ended)),
            tuple(stages(call, node, lines[leg_of(call)])),
        )
        for call, (began, ended) in spans.items()
    ]


def mask_keys(queue_log: Path, call: CallId, since: float) -> tuple[Key, ...]:
    """The keys by which an agent of this call paused its recordings or resumed them, from ``since`` on."""
    leg, found = leg_of(call), []
    for line in _tail(queue_log, since - LATEST_FIRST, _line_at).splitlines():
        words = line.split("|")
        if len(words) > 5 and words[1] == leg and words[4] == "HOTLINEMASK":
            at, _, state = words[5].partition("/")
            found.append(Key(_float(at), state == "on"))
    return tuple(key for key in found if key.at >= since)


def wrap_ups(queue_log: Path, since: float) -> tuple[WrapUp, ...]:
    """Every wrap-up of a seat that began at ``since`` or later, in the order in which they began."""
    going: dict[str, WrapUp] = {}
    queues: dict[str, set[str]] = {}
    found: list[WrapUp] = []
    for line in _tail(queue_log, since - LATEST_FIRST, _line_at).splitlines():
        words = [*line.split("|"), ""]
        if len(words) < 6 or words[4] not in ("PAUSE", "UNPAUSE", "REMOVEMEMBER"):
            continue
        at, member, event = _float(words[0]), words[3], words[4]
        if event == "PAUSE" and words[5].startswith(f"{WRAP_UP}:"):
            going.setdefault(member, WrapUp(*city_and(member), at))
            queues.setdefault(member, set()).add(words[2])
            continue
        if event == "REMOVEMEMBER":
            # a queue may be taken away from a seat that wraps up
            queues.get(member, set()).discard(words[2])
            if queues.get(member):
                continue
        queues.pop(member, None)
        if (one := going.pop(member, None)) is not None:
            found.append(replace(one, ended=at))
    every = sorted((*found, *going.values()), key=lambda w: w.began)
    return tuple(w for w in every if w.began >= since)


def _tail(file: Path, since: float, moment: Callable[[str], float]) -> str:
    """The end of a file, from a line before ``since`` on."""
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        return ""
    kept: list[bytes] = []
    at = size
    with file.open("rb") as raw:
        while at > 0:
            begin = max(0, at - CHUNK)
            raw.seek(begin)
            kept.insert(0, raw.read(at - begin))
            at = begin
            first = kept[0].split(b"\n", 2)
            if at and len(first) > 2 and 0 < moment(first[1].decode("utf-8", "replace")) < since:
                break
    text = b"".join(kept).decode("utf-8", "replace")
    return text if at == 0 else text.partition("\n")[2]


def _line_at(line: str) -> float:
    head = line.partition("|")[0]
    return float(head) if head.isdigit() else 0.0


def _cdr_end(line: str) -> float:
    row = next(csv.reader([line]), [])
    return _utc(row[11]) if len(row) >= 12 else 0.0


def _utc(told: str) -> float:
    try:
        return datetime.strptime(told, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


NO_NUMBER = re.compile(r"[^+0-9]")
"""What the dialplan leaves out of a caller's number (context arrive): ``anonymous`` is none."""


def _facts(
    call: CallId, node: str, rows: Sequence[list[str]], lines: Sequence[list[str]], ended: float
) -> Iterator[Fact]:
    city, leg = city_and(call)[0], leg_of(call)
    last = max(enumerate(rows), key=lambda x: (_utc(x[1][11]), x[0]))[1]
    told = next((r[17] for r in rows if r[17]), "").split(";")[0].split("/")
    told += [""] * (9 - len(told))
    if told[7]:
        yield from _called(call, node, told, lines, last, ended)
        return
    back = [r for w in lines if w[4] == "HOTLINECALLBACK" and len(w) > 5 for r in [(w, w[5].split("/")[-2:])]]
    at = uncut(_float(told[5])) or min(_utc(r[9]) for r in rows)
    yield f.CallArrived(
        at=at, node=node, call=call, leg=leg, city=city, line=told[1], original=told[2],
        trunk=told[3] or endpoint_of(rows[0][5]).removeprefix(f"{city}-"), called=told[4] or told[2],
        caller=told[4] if told[6] else NO_NUMBER.sub("", rows[0][1]), sip_call="", callback_of=told[6],
    )  # fmt: skip
    yield f.LegStarted(
        at=at, node=node, leg=leg, channel=rows[0][5], call=call, endpoint=endpoint_of(rows[0][5]),
        caller=rows[0][1], called=told[4], context="", linked=leg,
    )  # fmt: skip
    if told[6]:
        # a stand-in greets nobody; its citizen hears a greeting when the call back is answered
        for words, state in back:
            if state[0] == "talking":
                yield f.GreetingEnded(at=float(words[0]), node=node, call=call)
    elif "-line-" not in last[3] or last[7] in ASKING or _ABOUT_ASKING.search(last[8]):
        # it came past the greeting; when exactly, only the listener would know
        yield f.GreetingEnded(at=float(lines[0][0]) if lines else ended, node=node, call=call)
    moment, peer = 0.0, ""
    rings: Counter[str] = Counter()
    room = Room(call, node, ended, [(w[3], w[5]) for w in lines if w[4] == ROOM and len(w) > 5])
    ended = room.ended
    for words in lines:
        if words[4] == ROOM and len(words) > 5:
            yield from room.told(words[3], words[5])
            continue
        if words[4] == "HOTLINEANSWER" and len(words) > 5:
            moment = uncut(_float(words[5]))
            if (until := _passed_on(rows, words[3], moment)) is not None:
                own = room.leg_at(words[3], moment)
                other = own or LegId(f"{leg}~{words[0]}~{words[3]}")
                yield from _colleague(call, leg, node, words[3], other, moment)
                if own is None:
                    yield f.LegEnded(at=until, node=node, leg=other, cause=16)
                else:
                    # it ends when the dialplan says so: it may have asked somebody else meanwhile
                    room.talk(own)
            continue
        exact = moment if words[4] == "CONNECT" and abs(moment - float(words[0])) < LATEST_FIRST else 0.0
        # a phone that was not answered is not named by its leg in this file; a busy one rings twice a second
        ring = f"{leg}~{words[0]}~{city_and(words[3])[1]}"
        if words[4] in _RANG:
            rings[ring] += 1
            ring += f"~{rings[ring]}" if rings[ring] > 1 else ""
        yield from _line(call, city, leg, LegId(ring), node, words, exact or float(words[0]))
        if words[4] == "CONNECT" and len(words) > 6:
            peer = words[6]
            room.talk(LegId(peer))
        elif peer and words[4] in _TALK_ENDS:
            # whoever leads the caller into a room is gone when the dialplan says so
            if peer not in room.led:
                yield f.LegEnded(at=float(words[0]), node=node, leg=LegId(peer), cause=16)
            peer = ""
    if peer and peer not in room.led:
        yield f.LegEnded(at=ended, node=node, leg=LegId(peer), cause=16)
    yield from room.over()
    app, data, context = last[7], last[8], last[3]
    if context.startswith(f"{city}-message-"):
        message = context.removeprefix(f"{city}-message-")
        yield f.MessageReached(at=ended, node=node, call=call, message=message)
    by = ("agent" if context in TALK_OVER else "system") if app == "Hangup" else "caller"
    if told[6] or any(w[4] == "HOTLINEDUTY" for w in lines) or any(s[0] == "asked" for _, s in back):
        by = "system"
    cause = int(data) if app == "Hangup" and data.isdigit() else 16
    yield f.CallLeft(at=ended, node=node, call=call, by=by, cause=cause)
    yield f.LegEnded(at=ended, node=node, leg=leg, cause=cause)


def _passed_on(rows: Sequence[list[str]], endpoint: str, moment: float) -> float | None:
    """When the talk of a caller whom an agent passed on blindly ended; None: no such talk began then."""
    for row in rows:
        if row[3] == "transfer-blind" and row[7] == "Dial" and endpoint_of(row[6]) == endpoint:
            began, ended = _utc(row[9]), _utc(row[11])
            if began - 1 <= moment <= ended + 1:
                return max(ended, moment)
    return None


def _colleague(
    call: CallId, leg: LegId, node: str, endpoint: str, other: LegId, moment: float
) -> Iterator[Fact]:
    """Whom the caller was passed on to, and the talk."""
    yield f.LegStarted(
        at=moment, node=node, leg=other, channel="", call=call, endpoint=endpoint, caller="", called="",
        context="", linked=leg,
    )  # fmt: skip
    for one in (leg, other):
        yield f.LegJoined(at=moment, node=node, leg=one, bridge=str(other), kind="basic")


OUT_ENDS = {"out-over": "caller", "out-failed": "system"}
"""Where the dialplan of a seat that called a citizen was at the end, to who ended it; elsewhere the agent."""


def _called(
    call: CallId, node: str, told: list[str], lines: Sequence[list[str]], last: list[str], ended: float
) -> Iterator[Fact]:
    """A seat called a citizen: told[7] the seat, told[8] the citizen's number."""
    city, leg, at = city_and(call)[0], leg_of(call), uncut(_float(told[5]))
    endpoint = f"{city}-{told[7]}"
    yield f.CallArrived(
        at=at, node=node, call=call, leg=leg, city=city, line=told[1], original="", trunk=told[3],
        called=told[4], caller=told[8], sip_call="", callback_of=told[6], direction="out", seat=told[7],
    )  # fmt: skip
    yield f.LegStarted(
        at=at, node=node, leg=leg, channel="", call=call, endpoint=endpoint, caller="", called=told[8],
        context="", linked=leg,
    )  # fmt: skip
    citizen = LegId(f"{leg}~out")
    for words in lines:
        if words[4] == "HOTLINECALLED" and len(words) > 5:
            moment = uncut(_float(words[5]))
            yield f.GreetingEnded(at=moment, node=node, call=call)
            for one in (leg, citizen):
                yield f.LegJoined(at=moment, node=node, leg=one, bridge=str(citizen), kind="basic")
    cause = int(last[8]) if last[7] == "Hangup" and last[8].isdigit() else 16
    yield f.CallLeft(at=ended, node=node, call=call, by=OUT_ENDS.get(last[3], "agent"), cause=cause)
    yield f.LegEnded(at=ended, node=node, leg=leg, cause=cause)


_RANG = frozenset({"RINGNOANSWER", "RINGCANCELED"})
_TALK_ENDS = frozenset({"COMPLETECALLER", "COMPLETEAGENT", "BLINDTRANSFER", "ATTENDEDTRANSFER"})


def _line(
    call: CallId, city: str, leg: LegId, ring: LegId, node: str, words: list[str], at: float
) -> Iterator[Fact]:
    queue, seat, event = city_and(words[2])[1], city_and(words[3])[1], words[4]
    data = [*words[5:], "", "", ""]
    here: dict[str, Any] = {"node": node, "call": call, "city": city, "queue": queue}
    rang: dict[str, Any] = {"seat": seat, "leg": ring}
    match event:
        case "ENTERQUEUE":
            position = int(_float(data[2]))
            yield f.QueueJoined(at=at, leg=leg, position=position, waiting=position, **here)
        case "RINGNOANSWER":
            seconds = _float(data[0]) / 1000
            yield f.SeatRang(at=at - seconds, **rang, **here)
            yield f.SeatDeclined(at=at, rang=seconds, **rang, **here)
        case "RINGCANCELED":
            yield f.SeatRang(at=at - _float(data[0]) / 1000, **rang, **here)
            yield f.LegEnded(at=at, node=node, leg=rang["leg"], cause=26)
        case "CONNECT":
            waited, seconds, peer = _float(data[0]), _float(data[2]), LegId(data[1])
            yield f.LegStarted(
                at=at - seconds, node=node, leg=peer, channel="", call=call, endpoint=f"{city}-{seat}",
                caller="", called="", context="", linked=leg,
            )  # fmt: skip
            yield f.SeatRang(at=at - seconds, seat=seat, leg=peer, **here)
            yield f.SeatAnswered(at=at, seat=seat, leg=peer, waited=waited, rang=seconds, **here)
            for one in (leg, peer):
                yield f.LegJoined(at=at, node=node, leg=one, bridge=str(peer), kind="basic")
        case "COMPLETECALLER" | "COMPLETEAGENT":
            waited, talked = _float(data[0]), _float(data[1])
            reason = event.removeprefix("COMPLETE").lower()
            yield f.SeatFinished(at=at, seat=seat, reason=reason, waited=waited, talked=talked, **here)
        case "ABANDON":
            position, waited = int(_float(data[0])), _float(data[2])
            yield f.QueueAbandoned(at=at, leg=leg, position=position, waited=waited, **here)
        case "EXITWITHTIMEOUT" | "EXITWITHKEY" | "EXITEMPTY":
            status = {"EXITWITHTIMEOUT": "TIMEOUT", "EXITEMPTY": "LEAVEEMPTY"}.get(event, "CONTINUE")
            key = data[0] if event == "EXITWITHKEY" else ""
            yield f.QueueGaveUp(at=at, status=status, key=key, **here)
        case "HOTLINEOUT" if data[0] in ("FULL", "JOINEMPTY", "JOINUNAVAIL", "WITHDRAW"):
            yield f.QueueGaveUp(at=at, status=data[0], key="", **here)
        case "HOTLINEOWED":
            yield f.CallBackOwed(at=at, node=node, call=call, caller="", line="", message=data[0])


def _float(told: str) -> float:
    try:
        return float(told)
    except ValueError:
        return 0.0
