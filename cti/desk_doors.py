"""The desk's part of the API put together: sessions, orders, audit trail."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence

from calls.audit import Audited, Outcome
from calls.facts import KeyPressed, OutgoingRefused, WatchEnded
from calls.mask import masked
from calls.model import Call
from calls.orders import Order
from calls.standing import Watching
from cti.accounts import Accounts
from cti.desk import Desk
from cti.home import Home
from cti.speech import shelf
from cti.store.history import History, Past
from cti.store.journal import Journal
from cti.store.keeping import audit_record
from cti.switchboard import Board, Heard
from cti.web.audit import AuditDoor, AuditQuestion
from cti.web.orders import Orders
from cti.web.server import Door
from cti.web.sessions import Sessions
from cti.web.who import Role, Who
from plan.model import Plan


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
        self.orders = Orders(Desk(board, plans, do, self._sound, past), self.note)

    def doors(self, history: History) -> Sequence[Door]:
        """All of them."""

        async def audits(asked: AuditQuestion, city: str | None) -> Sequence[Audited]:
            past = Past(asked.since, asked.until, city, asked.most)
            named = {"who": asked.who, "did": asked.did, "on": asked.on}
            return await history.audits(past, **{k: v for k, v in named.items() if v is not None})

        return (self.sessions, self.orders, AuditDoor(audits))

    def note(self, row: Audited) -> None:
        """A row of the audit trail, into the journal; the database has it within a second."""
        self._journal.append(audit_record(row))

    def hear(self, heard: Heard) -> None:
        """A listener of the switchboard: what nobody ordered here and stands in the audit trail too.

        What a seat tried to call and may not; how a supervisor goes on in a call by a key of their phone, and
        when they left it."""
        match heard.fact:
            case OutgoingRefused() as fact:
                self._refused(fact)
            case KeyPressed(leg=leg, at=at) if leg in heard.board.standing.touched:
                watch = heard.board.standing.watches[leg]
                told = {"seat": watch.by, "how": watch.how, "by": "key"}
                self._at_phone(heard.board, watch, "watch", told, at)
            # one who took the caller over watches no more: the end of their leg is none of a watch
            case WatchEnded(leg=leg, at=at) as fact if leg in heard.board.standing.touched:
                self._at_phone(heard.board, fact, "watch-end", {"seat": fact.by}, at)

    def _at_phone(
        self, board: Board, watch: Watching | WatchEnded, did: str, told: Mapping[str, str], at: float
    ) -> None:
        """What was done to a call by the phone of a supervisor's seat."""
        seat = board.seats.seats.get((watch.city, watch.by))
        who = f"agent-{seat.agent}" if seat is not None and seat.agent else f"seat-{watch.by}"
        self.note(
            Audited(
                id=uuid.uuid4().hex, at=at, city=watch.city, who=who, role=Role.SUPERVISOR.value, did=did,
                on=watch.call, told=json.dumps(told), outcome=Outcome.DONE, ended=at,
            )
        )  # fmt: skip

    def _refused(self, fact: OutgoingRefused) -> None:
        # a number that no kind of the plan knows may be a citizen's, mistyped
        number = fact.number if fact.kind else masked(fact.number)
        told = json.dumps({"number": number, "kind": fact.kind, "by": fact.by})
        who = f"agent-{fact.agent}" if fact.agent else f"seat-{fact.seat}"
        self.note(
            Audited(
                id=uuid.uuid4().hex, at=fact.at, city=fact.city, who=who, role="agent", did="dial",
                on=f"seat {fact.seat}", told=told, outcome=Outcome.REFUSED, why=fact.why, ended=fact.at,
            )
        )  # fmt: skip

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
