"""The desk's part of the API put together: sessions, orders, audit trail."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence

from calls.audit import Audited, Outcome
from calls.facts import HandedToUs, KeyPressed, OutgoingRefused, TransferStepped, WatchEnded
from calls.mask import masked, masked_in
from calls.model import Call
from calls.note import ShiftNote
from calls.orders import Order
from calls.standing import Watching
from cti.accounts import Accounts
from cti.desk import Desk
from cti.errors import NotNow
from cti.home import Home
from cti.speech import shelf
from cti.store.duties import DutyStore
from cti.store.history import History, Past
from cti.store.journal import Journal
from cti.store.keeping import audit_record, note_record
from cti.switchboard import Board, Heard
from cti.web.audit import AuditDoor, AuditQuestion
from cti.web.notes import NoteDoor
from cti.web.orders import Orders
from cti.web.server import Door
from cti.web.sessions import Sessions
from cti.web.who import Role, Who
from plan.model import Plan

DISK_SECONDS = 2.0
"""How long a person who wrote a note waits for the disk."""


class DeskDoors:
    """Built once by ``cti.app``; ``doors`` are handed to the web."""

    def __init__(
        self,
        home: Home,
        board: Callable[[], Board],
        plans: Callable[[], Mapping[str, Plan]],
        do: Callable[[Order], Awaitable[str]],
        journal: Journal,
        past: Callable[[str], Awaitable[Call | None]],
    ) -> None:
        """``past``: a call, live or from history."""
        self._home, self._journal = home, journal
        self._shipped = shelf.shipped()
        # the key's own words are shorter than HS256 asks for
        key = hashlib.sha256(home.secrets["web_key"].encode()).hexdigest()
        self.sessions = Sessions(key, Accounts(home, plans), self._signed_in)
        desk = Desk(board, plans, do, self._sound, past)
        self.city = desk.city
        self.orders = Orders(desk, self.note)

    def doors(self, history: History) -> Sequence[Door]:
        """All of them."""

        async def audits(asked: AuditQuestion, city: str | None) -> Sequence[Audited]:
            past = Past(asked.since, asked.until, city, asked.most)
            named = {"who": asked.who, "did": asked.did, "on": asked.on}
            return await history.audits(past, **{k: v for k, v in named.items() if v is not None})

        notes = NoteDoor(self.city, self.keep, DutyStore(history).note, self.note)
        return (self.sessions, self.orders, AuditDoor(audits), notes)

    async def keep(self, note: ShiftNote) -> None:
        """A shift's note, on disk when this returns; the database has it within a second, or when it is
        back. Raises NotNow."""
        if not self._journal.append(note_record(note)):
            raise NotNow("未保存，请重写 not kept, write it again: the disk has stood still too long")
        if not await asyncio.to_thread(self._journal.flush, DISK_SECONDS):
            raise NotNow(
                "the disk does not take the note yet: it is written as soon as it can be; "
                "look at GET /api/duties?kind=note before you write it again"
            )

    def note(self, row: Audited) -> None:
        """A row of the audit trail, into the journal; the database has it within a second."""
        self._journal.append(audit_record(row))

    def hear(self, heard: Heard) -> None:
        """A listener of the switchboard: what nobody ordered here stands in the audit trail too."""
        if (row := unordered(heard)) is not None:
            self.note(row)

    def _signed_in(self, who: Who, why: str, ok: bool) -> None:
        now = time.time()
        outcome = Outcome.DONE if ok else Outcome.DENIED
        told = json.dumps({"agent": who.agent}) if who.agent else ""
        self.note(
            Audited(
                id=uuid.uuid4().hex, at=now, city=who.city, who=who.name, role=who.role.value, did="session",
                on="desk", told=told, outcome=outcome, why=why, ended=now,
            )
        )  # fmt: skip

    def _sound(self, plan: Plan, prompt: str) -> str | None:
        """The plan's own sound as `cti plan apply` put it on disk, else a shipped one."""
        own = f"city-{plan.id}/{prompt}"
        folder = self._home.asterisk / "data/sounds/zh"
        if prompt in plan.prompts and next(folder.glob(f"{own}.*"), None) is not None:
            return own
        return self._shipped.get(prompt)


def unordered(heard: Heard) -> Audited | None:
    """The row that this fact leaves in the audit trail: a number that a seat tried to call and may not, a
    wish keyed on its phone (one of the API has its row: ``cti.web.transfer``), a caller whom a centre hands
    over, how a supervisor goes on in a call by a key of their phone, and when they left it. None: it leaves
    none."""
    fact = heard.fact
    match fact:
        case OutgoingRefused():
            # a number that no kind of the plan knows may be a citizen's, mistyped
            number = fact.number if fact.kind else masked(fact.number)
            return _told_row(
                fact.at, fact.city, _who(fact.agent, fact.seat), "agent", "dial", f"seat {fact.seat}",
                {"number": number, "kind": fact.kind, "by": fact.by}, Outcome.REFUSED, fact.why,
            )  # fmt: skip
        case TransferStepped(step="asked", by="phone"):
            # a phone's own transfer goes wherever it dialled
            told = {"kind": fact.wished or fact.kind, "to": masked_in(fact.to), "by": fact.by}
            told["handoff"] = fact.id
            if told["kind"] != fact.kind:
                told["meant"] = fact.kind
            city = fact.call.partition("-")[0]
            return _told_row(
                fact.at, city, _who(fact.agent, fact.seat), "agent", "transfer", f"seat {fact.seat}", told
            )
        case HandedToUs():
            # the record's ``of`` is one of ours, the fact's whatever the other machine wrote
            of = "".join(record.of for record in heard.handoffs if record.call == fact.call)
            told = {"handoff": f"in-{fact.call}", "case": fact.case, "of": of, "by": fact.trunk}
            told = {name: text for name, text in told.items() if text}
            city = fact.call.partition("-")[0]
            return _told_row(fact.at, city, f"centre-{fact.centre}", "centre", "hand-off", fact.call, told)
        case KeyPressed() if fact.leg in heard.board.standing.touched:
            watch = heard.board.standing.watches[fact.leg]
            told = {"seat": watch.by, "how": watch.how, "by": "key"}
            return _watch_row(heard.board, watch, "watch", told, fact.at)
        # one who took the caller over watches no more: the end of their leg is none of a watch
        case WatchEnded() if fact.leg in heard.board.standing.touched:
            return _watch_row(heard.board, fact, "watch-end", {"seat": fact.by}, fact.at)
    return None


def _watch_row(
    board: Board, watch: Watching | WatchEnded, did: str, told: Mapping[str, str], at: float
) -> Audited:
    """What was done to a call by the phone of a supervisor's seat."""
    seat = board.seats.seats.get((watch.city, watch.by))
    who = _who(seat.agent if seat is not None else "", watch.by)
    return _told_row(at, watch.city, who, Role.SUPERVISOR.value, did, watch.call, told)


def _who(agent: str, seat: str) -> str:
    return f"agent-{agent}" if agent else f"seat-{seat}"


def _told_row(
    at: float, city: str, who: str, role: str, did: str, on: str, told: Mapping[str, str],
    outcome: Outcome = Outcome.DONE, why: str = "",
) -> Audited:  # fmt: skip
    return Audited(
        id=uuid.uuid4().hex, at=at, city=city, who=who, role=role, did=did, on=on,
        told=json.dumps(dict(told), ensure_ascii=False), outcome=outcome, why=why, ended=at,
    )  # fmt: skip
