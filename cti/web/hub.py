"""The live board, fanned out: one JSON encoding and one frame per change, whoever many look at it.

Rows are whole and idempotent; what changes several times between two frames is told once. Frames go out at
most every ``GAP`` seconds, the rows of queues and figures at most every ``BOARD`` seconds (four a second).
Nothing queues up here: a client whose socket is full misses frames (a gap), and gets a fresh snapshot once
it has read what it has; one that never reads is cut. docs/socket.md is the contract.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
import structlog

from calls.facts import CallId
from calls.model import Call, CallState, Seat
from calls.picture import city_of
from calls.standing import Announcement, Watching
from cti.web import api
from cti.web.flags import flag_answer
from cti.web.transfer import handoff_answer, transfer_answer
from cti.web.who import Role, Who
from recording.flagged import Flag
from transfer.handoff import Handoff, Now

log = structlog.get_logger(__name__)

GAP = 0.02
"""Seconds between two frames: a call's five changes in one instant are one frame."""
BOARD = 0.25
FULL = 256 * 1024
"""Bytes a client may leave unread in our memory before it misses frames."""
PATIENCE = 30.0
"""A client that has missed frames for so many seconds and read nothing is cut."""
SLICE = 50
"""So many sockets are written before others get the loop."""
Row = dict[str, Any]


class Look(Protocol):
    """What a snapshot shows; ``cti.live_board`` has it."""

    def calls(self) -> Sequence[Call]: ...

    def seats(self) -> Sequence[Seat]: ...

    def agent_at(self, city: str, seat: str) -> str: ...

    def hides(self, call: Call) -> bool:
        """Whether the agent at whose seat it is may not see its number."""

    def boards(self) -> Mapping[str, Row]:
        """Rows of queues, figures and shortfalls by a key of their own; each names its ``kind`` and city."""

    def watches(self) -> Sequence[Watching]: ...

    def announcements(self) -> Sequence[Announcement]: ...

    def transfers(self) -> Sequence[Now]:
        """Where each call stands that an agent may move, or that is being moved."""

    def handoffs(self) -> Sequence[Handoff]:
        """Records that a desk should have."""

    def flags(self) -> Sequence[Flag]:
        """Red flags that a supervisor should see now."""

    def flagged_agent(self, call: CallId) -> str:
        """Who is to be told of a flag of this call: the agent in it; empty: nobody."""

    def alarms(self) -> Sequence[Row]:
        """Recordings that are missing or short and seats that were paused, as supervisors should see them
        now."""

    def link(self) -> Row:
        """Whether Asterisk stands behind what is shown."""


class Wire(Protocol):
    """The part of asyncio's transport we use."""

    def write(self, data: bytes) -> None: ...

    def get_write_buffer_size(self) -> int: ...

    def is_closing(self) -> bool: ...

    def abort(self) -> None: ...


@dataclass(eq=False, slots=True)
class Client:
    """One socket."""

    who: Who
    wire: Wire
    gap_since: float | None = None
    """Since when it has missed frames; None: it has missed none."""
    gaps: int = 0
    prompted: set[tuple[CallId, str]] = field(default_factory=set)
    """Flags this agent was told of."""


@dataclass(slots=True)
class Audience:
    """Clients who see the same: whole or masked numbers, one city or all, as supervisors or not."""

    full: bool
    city: str
    chief: bool
    seq: int = 0
    clients: set[Client] = field(default_factory=set)
    snapshot: tuple[int, int, bytes] = (-1, -1, b"")
    """(version, seq, frame) of the last one encoded."""

    def sees(self, city: str) -> bool:
        return self.city in ("", city)


class Hub:
    """``changed`` is told what changed, ``run`` sends it. One event loop, no locks."""

    def __init__(self, look: Look, clock: Callable[[], float] = time.monotonic) -> None:
        self.encodings = 0
        """Rows encoded since the start."""
        self.frames = 0
        self.gaps = 0
        """Clients that fell behind since the start."""
        self.cut = 0
        self._look, self._clock = look, clock
        self._audiences: dict[tuple[bool, str, bool], Audience] = {}
        self._pending: dict[tuple[str, str], tuple[str, Row, Row]] = {}
        """(kind, key) -> city, the row in full, the row masked."""
        self._silent: dict[tuple[str, str], tuple[str, Row]] = {}
        """The same of what only supervisors see."""
        self._flagged: set[CallId] = set()
        self._oldest: float | None = None
        """When the first of the pending changes was heard."""
        self._mine: dict[CallId, Call] = {}
        self._boards: dict[str, Row] = {}
        self._boards_dirty = True
        self._boards_at = 0.0
        self._version = 0
        self._news = asyncio.Event()

    # --- what happened --------------------------------------------------------------------------------

    @property
    def clients(self) -> int:
        return sum(len(a.clients) for a in self._audiences.values())

    def changed(
        self,
        calls: Iterable[Call] = (),
        seats: Iterable[Seat] = (),
        gone: Iterable[CallId] = (),
        watches: Iterable[tuple[str, str, Row]] = (),
        link: bool = False,
    ) -> None:
        """``watches``: (kind, city, row) of watches and announcements that changed. Returns at once."""
        self._version += 1
        self._boards_dirty = True
        if not self.clients:
            return
        if self._oldest is None:
            self._oldest = time.time()
        for call in calls:
            full = _row("call", api.call_answer(call, full=True))
            masked = _row("call", api.call_answer(call, full=False))
            self._pending["call", call.id] = (call.city, full, masked)
            if call.state in (CallState.RINGING, CallState.TALKING):
                self._mine[call.id] = call
        for seat in seats:
            row = _row("seat", api.seat_answer(seat))
            self._pending["seat", f"{seat.city}-{seat.name}"] = (seat.city, row, row)
        for id in gone:
            row = {"kind": "gone", "call": id}
            self._pending["call", id] = (city_of(id), row, row)
        for kind, city, row in watches:
            whole = {"kind": kind, **row}
            self._pending[kind, str(row.get("leg") or row.get("line"))] = (city, whole, whole)
        if link:
            row = {"kind": "link", **self._look.link()}
            self._pending["link", ""] = ("", row, row)
        self._news.set()

    def moved(
        self, stands: Iterable[Now] = (), over: Iterable[CallId] = (), handoffs: Iterable[Handoff] = ()
    ) -> None:
        """``over``: calls that stand nowhere any more. Returns at once."""
        self._version += 1
        if not self.clients:
            return
        if self._oldest is None:
            self._oldest = time.time()
        for now in stands:
            row = _row("transfer", transfer_answer(now))
            self._pending["transfer", now.call] = (now.city, row, row)
        for call in over:
            row = {"kind": "transfer", "call": call, "over": True}
            self._pending["transfer", call] = (city_of(call), row, row)
        for record in handoffs:
            whole, masked = ({"kind": "handoff", **_handoff(record, full=full)} for full in (True, False))
            self._pending["handoff", record.id] = (record.city, whole, masked)
        self._news.set()

    def warned(self, flags: Iterable[Flag] = (), alarms: Iterable[Row] = ()) -> None:
        """Signs for supervisors, and of ``flags`` for the agent in the call. Returns at once."""
        self._version += 1
        if not self.clients:
            return
        if self._oldest is None:
            self._oldest = time.time()
        for flag in flags:
            row = _row("flag", flag_answer(flag))
            self._silent["flag", f"{flag.call} {flag.flag}"] = (flag.city, row)
            self._flagged.add(flag.call)
        for alarm in alarms:
            row = {"kind": "alarm", **alarm}
            key = " ".join(str(alarm[name]) for name in ("city", "leg", "seat", "why"))
            self._silent["alarm", key] = (alarm["city"], row)
        self._news.set()

    # --- who listens ----------------------------------------------------------------------------------

    def join(self, client: Client) -> None:
        """From now on it gets everything; a snapshot first."""
        audience = self._audience(client.who)
        audience.clients.add(client)
        client.wire.write(self._snapshot(audience, "hello"))
        self._prompt((client,))
        self._news.set()

    def leave(self, client: Client) -> None:
        self._audience(client.who).clients.discard(client)

    def ask(self, client: Client) -> None:
        """A fresh snapshot, because it asked."""
        if client.gap_since is None:
            client.wire.write(self._snapshot(self._audience(client.who), "asked"))

    def _audience(self, who: Who) -> Audience:
        key = (who.full, who.city, who.may(Role.SUPERVISOR))
        return self._audiences.setdefault(key, Audience(*key))

    # --- sending --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        last = 0.0
        while True:
            # figures slide with time, and a client that was behind wants its snapshot
            timeout = BOARD if self.clients else None
            try:
                async with asyncio.timeout(timeout):
                    await self._news.wait()
            except TimeoutError:
                self._boards_dirty = True
            if (wait := last + GAP - self._clock()) > 0:
                await asyncio.sleep(wait)
            last = self._clock()
            self._news.clear()
            await self.flush()

    async def flush(self) -> None:
        """Send what has changed since the last time, to everybody."""
        self._look_at_boards()
        pending, self._pending = self._pending, {}
        silent, self._silent = self._silent, {}
        mine, self._mine = self._mine, {}
        flagged, self._flagged = self._flagged, set()
        now = time.time()
        oldest, self._oldest = self._oldest or now, None
        encoded = [self._encoded(city, full, masked) for city, full, masked in pending.values()]
        signs = [(city, orjson.dumps(row)) for city, row in silent.values()]
        self.encodings += len(signs)
        written = 0
        for audience in list(self._audiences.values()):
            if not audience.clients:
                continue
            parts = [e[1] if audience.full else e[2] for e in encoded if not e[0] or audience.sees(e[0])]
            if audience.chief:
                parts += [row for city, row in signs if audience.sees(city)]
            frame = b""
            if parts:
                audience.seq += 1
                numbers = (audience.seq, oldest, now)
                head = b'{"kind":"changes","seq":%d,"from":%.6f,"at":%.6f,"changes":[' % numbers
                frame = text_frame(head + b",".join(parts) + b"]}")
                self.frames += 1
            for client in tuple(audience.clients):
                self._send(audience, client, frame)
                written += 1
                if written % SLICE == 0:
                    await asyncio.sleep(0)
        self._tell_mine(mine)
        if flagged or mine:
            agents = [c for a in self._audiences.values() for c in a.clients if c.who.agent]
            self._prompt(agents, flagged | mine.keys())

    def _encoded(self, city: str, full: Row, masked: Row) -> tuple[str, bytes, bytes]:
        self.encodings += 1
        whole = orjson.dumps(full)
        if masked is full or not any(not a.full and a.clients for a in self._audiences.values()):
            return city, whole, whole if masked is full else b""
        self.encodings += 1
        return city, whole, orjson.dumps(masked)

    def _send(self, audience: Audience, client: Client, frame: bytes) -> None:
        wire = client.wire
        if wire.is_closing():
            return
        unread = wire.get_write_buffer_size()
        if client.gap_since is not None:
            if unread == 0:
                client.gap_since = None
                wire.write(self._snapshot(audience, "gap"))
                self._prompt((client,))
            elif self._clock() - client.gap_since > PATIENCE:
                self.cut += 1
                log.warning("a socket that reads nothing is cut", who=client.who.name, unread=unread)
                wire.abort()
            return
        if not frame:
            return
        if unread > FULL:
            client.gap_since = self._clock()
            client.gaps += 1
            self.gaps += 1
            return
        wire.write(frame)

    def _tell_mine(self, calls: Mapping[CallId, Call]) -> None:
        """An agent sees the whole number of the caller at their own seat, and of nobody else; where the plan
        hides it, not even that."""
        agents = {(c.who.city, c.who.agent): c for a in self._audiences.values() if not a.full
                  for c in a.clients if c.who.agent}  # fmt: skip
        if not agents:
            return
        for call in calls.values():
            client = agents.get((call.city, self._look.agent_at(call.city, call.seat)))
            if client is not None and client.gap_since is None and not client.wire.is_closing():
                shown = api.call_answer(call, full=not self._look.hides(call))
                row = {"kind": "mine", "row": shown.model_dump()}
                client.wire.write(text_frame(orjson.dumps(row)))

    def _prompt(self, clients: Sequence[Client], calls: Set[CallId] | None = None) -> None:
        """Tell each agent of these the flags of the call at their own seat, once; ``calls``: look at these
        only. Whoever missed frames is told with the next snapshot."""
        if not any(c.who.agent for c in clients):
            return
        for flag in self._look.flags():
            if calls is not None and flag.call not in calls:
                continue
            agent, key = self._look.flagged_agent(flag.call), (flag.call, flag.flag)
            for client in clients:
                who = client.who
                if not agent or (who.agent, who.city) != (agent, flag.city) or key in client.prompted:
                    continue
                if client.gap_since is None and not client.wire.is_closing():
                    client.prompted.add(key)
                    row = {"kind": "prompt", "row": flag_answer(flag).model_dump()}
                    client.wire.write(text_frame(orjson.dumps(row)))

    def _look_at_boards(self) -> None:
        """Four times a second, and only what differs."""
        now = self._clock()
        if not self._boards_dirty or now - self._boards_at < BOARD or not self.clients:
            return
        self._boards_dirty, self._boards_at = False, now
        fresh = dict(self._look.boards())
        for key, row in fresh.items():
            if self._boards.get(key) != row:
                self._pending["board", key] = (row["city"], row, row)
        for key in self._boards.keys() - fresh.keys():
            old = self._boards[key]
            row = {"kind": "gone", "board": old["kind"], "city": old["city"], "queue": old.get("queue")}
            self._pending["board", key] = (old["city"], row, row)
        self._boards = fresh

    def _snapshot(self, audience: Audience, why: str) -> bytes:
        """Encoded once for all who come between two changes: after a restart they come together."""
        version, seq, frame = audience.snapshot
        if (version, seq) == (self._version, audience.seq) and why == "hello" and frame:
            return frame
        look, sees = self._look, audience.sees
        told = {
            "kind": "snapshot",
            "why": why,
            "seq": audience.seq,
            "at": round(time.time(), 3),
            "link": look.link(),
            "calls": [
                api.call_answer(c, full=audience.full).model_dump() for c in look.calls() if sees(c.city)
            ],
            "seats": [api.seat_answer(s).model_dump() for s in look.seats() if sees(s.city)],
            "boards": [row for row in look.boards().values() if sees(row["city"])],
            "watches": [plain(w) for w in look.watches() if sees(w.city)],
            "announcements": [plain(a) for a in look.announcements() if sees(a.city)],
            "transfers": [transfer_answer(n).model_dump() for n in look.transfers() if sees(n.city)],
            "handoffs": [_handoff(h, full=audience.full) for h in look.handoffs() if sees(h.city)],
        }
        if audience.chief:
            told["flags"] = [flag_answer(x).model_dump() for x in look.flags() if sees(x.city)]
            told["alarms"] = [row for row in look.alarms() if sees(row["city"])]
        frame = text_frame(orjson.dumps(told))
        if why == "hello":
            audience.snapshot = (self._version, audience.seq, frame)
        return frame


def _row(kind: str, told: api.Answer) -> Row:
    return {"kind": kind, **told.model_dump()}


def _handoff(record: Handoff, *, full: bool) -> Row:
    """The record; its own ``kind`` (blind, consult, ...) is told as ``wish``, as rows have a kind already.
    Of a drafted summary a row has the title at most: who may read what was said asks for the record."""
    told = handoff_answer(record, full=full)
    return {("wish" if name == "kind" else name): value for name, value in told.items()}


def plain(value: Watching | Announcement) -> Row:
    """A watch or an announcement as a row."""
    return {name: getattr(value, name) for name in type(value).__dataclass_fields__}


def text_frame(payload: bytes) -> bytes:
    """One unmasked text frame (RFC 6455, 5.2), built once for all sockets."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload
