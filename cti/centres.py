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
from typing import Any, Protocol

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
from transfer.agree import Message, Side, change, due, heard_before, recalled, take
from transfer.handoff import DECISIONS, TOLD, Handoff

log = structlog.get_logger(__name__)

LOOK = 0.25
SECONDS = 5.0
"""How long a centre's computer may take for one message."""
SKEW = 300.0
FEEDBACK = ("officer", "case", "result", "reason")
MOST_BYTES = 32_768
MOST_VERSION = 1 << 53
"""What every reader of JSON knows exactly (RFC 8259, section 6)."""


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
    counted = type(version) is int and 0 < version < MOST_VERSION
    if not known or not isinstance(record, str) or not counted or len(record) > 128:
        raise Refused(
            "not a message: says is offer, received or confirm; version a whole number from 1 to 2^53-1"
        )
    return Message(says, record, version, words)


class Written(Protocol):
    """The journal, as far as it is asked here: records given to it, and those that outlive a kill."""

    @property
    def appended(self) -> int: ...

    @property
    def durable(self) -> int: ...


class Centres:
    """One conversation with each centre that has a computer. ``run`` ends by cancellation."""

    def __init__(
        self,
        file: Path,
        plans: Callable[[], Mapping[str, Plan]],
        board: Callable[[], Board],
        handoffs: Handoffs,
        audit: Callable[[Audited], None],
        written: Written,
    ) -> None:
        """``audit`` writes a row of the audit trail."""
        self._file, self._plans, self._board, self._handoffs = file, plans, board, handoffs
        self._audit, self._written = audit, written
        self._sides: dict[str, Side] = {}
        self._addresses: dict[str, Address] = {}
        self._answers: dict[tuple[str, str, str, int], tuple[Message, int]] = {}
        """By centre and message: what is said as soon as so many records of the journal are on disk."""
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
        side = recalled(
            self._sides.get(key, Side()), record.id, record.version, body, received=record.settled
        )
        self._sides[key] = change(side, record.id, record.version, body)

    async def run(self) -> None:
        # one that goes on is offered also if its version is agreed: what changed just before a kill may be
        # known to the centre only
        for record in self._board().moves.records.values():
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
                        if message.says == "received":
                            self._answer(key, message)
                            continue
                        self._note(message.record, {"sent": ""})
                        group.create_task(self._send(session, key, message))
                for key, message in self._ready():
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
            self._addresses, self._read = {}, 0.0
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as why:
            log.error("centres.json cannot be read, the one before stays", why=repr(why))

    def _answer(self, key: str, message: Message) -> None:
        """What we have received the centre never says again: it is on disk before we say that we have it."""
        one = (key, message.says, message.record, message.version)
        self._answers.setdefault(one, (message, self._written.appended))

    def _ready(self) -> list[tuple[str, Message]]:
        durable = self._written.durable
        ready = {one: m for one, (m, after) in self._answers.items() if after <= durable}
        self._answers = {one: waits for one, waits in self._answers.items() if one not in ready}
        return [(one[0], message) for one, message in ready.items()]

    async def _send(self, session: aiohttp.ClientSession, key: str, message: Message) -> None:
        address, body, stamp = self._addresses.get(key), pack(message), f"{time.time():.3f}"
        if address is None:
            return  # taken away meanwhile: the centre asks again
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
        before = self._sides.get(key, Side())
        side, answers, new = take(before, message)
        self._sides[key] = side
        if new and message.says == "received":
            agreed = {"received": "", "confirmed": "", "agreed": str(message.version)}
            self._note(message.record, agreed)
        elif message.says == "received" and side is not before:
            self._note(message.record, {"version": str(side.mine[message.record].version)})
        elif new and found is not None:
            self._learn(message, found)
        for answer in answers:
            self._answer(key, answer)

    async def _meant(self, message: Message, key: str, city: str, centre: str) -> Handoff | None:
        """The record that a message tells of, on the board now. Raises NotNow when nobody knows it (yet):
        an offer that went nowhere is never received, so the centre says it again."""
        if message.says == "received":
            await self._recall(message, key, city, centre)
        known = self._sides.get(key, Side()).theirs.get(message.record)
        if message.says != "offer" or (known is not None and known.version >= message.version):
            return None
        found = await self._handoffs.of_centre(city, centre, message.record, message.body)
        if known is None and (noted := self._noted_before(city, centre, message.record)):
            self._sides[key] = heard_before(self._sides.get(key, Side()), message.record, noted)
            if noted >= message.version:
                return None
        if found is None:
            log.warning("a centre tells of a record nobody knows", centre=key, record=message.record)
            raise NotNow("没有这条移交记录 no such hand-off record here; say it again later")
        return found

    async def _recall(self, message: Message, key: str, city: str, centre: str) -> None:
        """The record that a centre has received is on the board and known to be ours. Raises NotNow."""
        if message.record in self._sides.get(key, Side()).mine:
            await self._handoffs.recalled(message.record)
        elif (record := await self._handoffs.of_centre(city, centre, message.record, {})) is not None:
            self._offer(record)

    def _noted_before(self, city: str, centre: str, theirs: str) -> int:
        """The newest version of a centre's record that is noted on the board; 0: none."""
        records = self._board().moves.records.values()
        mine = (r for r in records if (r.city, r.centre) == (city, centre))
        return max((v for r in mine for name, v in r.theirs if name == theirs), default=0)

    def _learn(self, message: Message, found: Handoff) -> None:
        """What a centre says of a record is noted there, and in the audit trail."""
        names = (*FEEDBACK, "location", "summary") if found.direction == "in" else FEEDBACK
        words = {name: message.body[name] for name in names if name in message.body}
        if message.body.get("outcome") in DECISIONS:
            words |= {"outcome": message.body["outcome"], "decided_by": f"centre-{found.centre}"}
        self._note(found.id, words | {"theirs": f"{message.record} {message.version}"})
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
