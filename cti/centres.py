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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import structlog

from calls.codec import to_dict
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
    ) -> None:
        self._file, self._plans, self._board, self._handoffs = file, plans, board, handoffs
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
        side, answers, new = take(self._sides.get(key, Side()), message)
        self._sides[key] = side
        if new:
            self._learn(message, city, centre)
        self._answers += [(key, answer) for answer in answers]

    def _learn(self, message: Message, city: str, centre: str) -> None:
        if message.says == "received":
            self._note(message.record, {"received": "", "confirmed": ""})
        elif message.says == "offer":
            words = {name: message.body[name] for name in FEEDBACK if name in message.body}
            if message.body.get("outcome") in ("refused", "kept"):
                words["outcome"] = message.body["outcome"]
            # feedback names our record; a case handed to us is found by its number
            mine = self._board().moves.records
            record = message.body.get("handoff", message.record)
            found = mine.get(record) or next(
                (
                    r
                    for r in reversed(list(mine.values()))
                    if r.case and r.case == message.body.get("case") and (r.city, r.centre) == (city, centre)
                ),
                None,
            )
            if found is None or (found.city, found.centre) != (city, centre):
                log.warning("a centre tells of a record nobody knows", centre=f"{city}/{centre}")
                return
            if found.direction == "in":
                words |= {n: message.body[n] for n in ("location", "summary") if n in message.body}
            self._note(found.id, words)

    def _note(self, record: str, words: Mapping[str, str]) -> None:
        try:
            self._handoffs.note(record, words)
        except Refused as why:
            log.info("a record is not changed any more", record=record, why=str(why))
