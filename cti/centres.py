"""The signed webhook to a centre's computer: records go out until received, theirs come in and are confirmed.

``HOME/centres.json`` says where: ``{"demo/110": {"url": "http://…", "secret": "…"}}``. Each message is JSON,
signed with HMAC-SHA256 over ``<timestamp>.<body>``; one whose time is more than five minutes off, or whose
signature is wrong, is refused. What both sides say to each other is ``transfer.agree``.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import structlog

from calls.audit import Audited, Outcome
from calls.codec import to_dict
from calls.mask import masked_in
from cti.errors import NotNow, Refused
from cti.handoffs import Handoffs
from cti.switchboard import Board, Heard
from plan.model import Plan
from transfer.agree import Message, Side, change, due, take
from transfer.handoff import Handoff

log = structlog.get_logger(__name__)

LOOK = 0.25
SECONDS = 5.0
"""How long a centre's computer may take for one message."""
SKEW = 300.0
TOLD = ("call", "centre", "caller", "seat", "asked", "answered", "joined", "handed", "ended", "number",
        "outcome", "location", "summary", "case")  # fmt: skip
"""What of a record is sent: not what came from the centre itself."""
FEEDBACK = ("officer", "case", "result", "reason")
MOST_BYTES = 32_768


@dataclass(frozen=True, slots=True)
class Address:
    url: str
    secret: str


def signature(secret: str, stamp: str, body: bytes) -> str:
    """``sha256=<hex>`` over time and body, so that an old message cannot be said again as a new one."""
    return "sha256=" + hmac.digest(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hex()


def pack(message: Message) -> bytes:
    told: dict[str, Any] = {"says": message.says, "record": message.record, "version": message.version}
    return orjson.dumps(told | ({"body": dict(message.body)} if message.says == "offer" else {}))


def unpack(body: bytes) -> Message:
    """Raises Refused for anything that is no message."""
    try:
        told = orjson.loads(body)
        says, record, version = told["says"], told["record"], told["version"]
        words = {str(k): str(v) for k, v in dict(told.get("body", {})).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Refused("not a message: says, record, version, and body with an offer") from None
    known = says in ("offer", "received", "confirm")
    if not known or not isinstance(record, str) or type(version) is not int or len(record) > 128:
        raise Refused("not a message: says is offer, received or confirm; version a whole number")
    return Message(says, record, version, words)


class Centres:
    """One conversation with each centre that has a computer. ``run`` ends by cancellation."""

    def __init__(
        self,
        file: Path,
        plans: Callable[[], Mapping[str, Plan]],
        board: Callable[[], Board],
        handoffs: Handoffs,
        audit: Callable[[Audited], None],
    ) -> None:
        """``audit`` writes a row of the audit trail."""
        self._file, self._plans, self._board, self._handoffs = file, plans, board, handoffs
        self._audit = audit
        self._sides: dict[str, Side] = {}
        self._addresses: dict[str, Address] = {}
        self._answers: list[tuple[str, Message]] = []
        self._read = 0.0
        self.refused = 0
        """Messages that came unsigned, badly signed or late."""

    def hear(self, heard: Heard) -> None:
        """A record changed: its centre is to hear of it."""
        for record in heard.handoffs:
            self._offer(record)

    def _offer(self, record: Handoff) -> None:
        plan = self._plans().get(record.city)
        centre = plan.centres.get(record.centre) if plan is not None else None
        if centre is None or not centre.webhook:
            return
        plain = to_dict(record)
        body = {name: str(plain[name]) for name in TOLD if plain[name] not in (None, "")}
        key = f"{record.city}/{record.centre}"
        side = self._sides.get(key, Side())
        before = side.mine.get(record.id)
        # what only the handshake changed is no news to the centre
        if before is None or dict(before.body) != body:
            version = max(int(record.changed * 1000), before.version + 1 if before else 0)
            self._sides[key] = change(side, record.id, version, body)

    async def run(self) -> None:
        for record in self._board().moves.records.values():
            if record.confirmed is None:
                self._offer(record)
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            while True:
                self._look_at_addresses()
                for key in list(self._sides):
                    side, said = due(self._sides[key], time.time())
                    self._sides[key] = side
                    address = self._addresses.get(key)
                    for message in said if address is not None else ():
                        if message.says == "offer":
                            self._note(message.record, {"sent": ""})
                        group.create_task(self._send(session, key, message))
                answers, self._answers = self._answers, []
                for key, message in answers:
                    group.create_task(self._send(session, key, message))
                await asyncio.sleep(LOOK)

    def _look_at_addresses(self) -> None:
        try:
            changed = self._file.stat().st_mtime
            if changed == self._read:
                return
            told = orjson.loads(self._file.read_bytes())
            self._addresses = {key: Address(str(a["url"]), str(a["secret"])) for key, a in told.items()}
            self._read = changed
        except FileNotFoundError:
            self._addresses = {}
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as why:
            log.error("centres.json cannot be read, the one before stays", why=repr(why))

    async def _send(self, session: aiohttp.ClientSession, key: str, message: Message) -> None:
        address, body, stamp = self._addresses[key], pack(message), f"{time.time():.3f}"
        headers = {
            "Content-Type": "application/json",
            "X-Hotline-Timestamp": stamp,
            "X-Hotline-Signature": signature(address.secret, stamp, body),
        }
        try:
            async with session.post(address.url, data=body, headers=headers) as answer:
                if answer.status >= 400:
                    log.warning("a centre refuses a message", centre=key, status=answer.status)
        except (aiohttp.ClientError, TimeoutError) as why:
            # said again until it is received
            log.info("a centre cannot be reached", centre=key, why=repr(why))

    async def take(self, city: str, centre: str, headers: Mapping[str, str], body: bytes) -> None:
        """A message of a centre's computer; what we answer is sent. Raises Refused, NotNow."""
        key = f"{city}/{centre}"
        self._look_at_addresses()
        address = self._addresses.get(key)
        if address is None:
            raise NotNow(f"{key} has no address here; write it into centres.json")
        stamp = headers.get("X-Hotline-Timestamp", "")
        try:
            fresh = abs(time.time() - float(stamp)) <= SKEW
        except ValueError:
            fresh = False
        given = headers.get("X-Hotline-Signature", "").encode("utf-8", "surrogateescape")
        right = hmac.compare_digest(given, signature(address.secret, stamp, body).encode())
        if not fresh or not right or len(body) > MOST_BYTES:
            self.refused += 1
            raise Refused("wrong signature, or a time more than 5 minutes off")
        message = unpack(body)
        found = await self._meant(message, key, city, centre)
        # from here on nothing waits: two copies of one message are taken one after the other
        side, answers, new = take(self._sides.get(key, Side()), message)
        self._sides[key] = side
        if new and message.says == "received":
            self._note(message.record, {"received": "", "confirmed": ""})
        elif new and found is not None:
            self._learn(message, found)
        self._answers += [(key, answer) for answer in answers]

    async def _meant(self, message: Message, key: str, city: str, centre: str) -> Handoff | None:
        """The record that a message tells of, on the board now. Raises NotNow when nobody knows it (yet):
        an offer that went nowhere is never received, so the centre says it again."""
        side = self._sides.get(key, Side())
        if message.says == "received" and message.record in side.mine:
            await self._handoffs.recalled(message.record)
        known = side.theirs.get(message.record)
        if message.says != "offer" or (known is not None and known.version >= message.version):
            return None
        found = await self._handoffs.of_centre(city, centre, message.record, message.body)
        if found is None:
            log.warning("a centre tells of a record nobody knows", centre=key, record=message.record)
            raise NotNow("没有这条移交记录 no such hand-off record here; say it again later")
        return found

    def _learn(self, message: Message, found: Handoff) -> None:
        """What a centre says of a record is noted there, and in the audit trail."""
        names = (*FEEDBACK, "location", "summary") if found.direction == "in" else FEEDBACK
        words = {name: message.body[name] for name in names if name in message.body}
        if message.body.get("outcome") in ("refused", "kept"):
            words["outcome"] = message.body["outcome"]
        self._note(found.id, words)
        now, told = time.time(), {name: masked_in(text) for name, text in words.items()}
        self._audit(
            Audited(
                id=uuid.uuid4().hex, at=now, city=found.city, who=f"centre-{found.centre}", role="centre",
                did="hand-off", on=found.call, outcome=Outcome.DONE, ended=now,
                told=orjson.dumps({"handoff": found.id, **told}).decode(),
            )
        )  # fmt: skip

    def _note(self, record: str, words: Mapping[str, str]) -> None:
        try:
            self._handoffs.note(record, words)
        except Refused as why:
            log.info("a record is not changed any more", record=record, why=str(why))
