"""The whole truth at one moment: every list complete, or no truth at all.

A refused or cut list is never an empty one: after a restart Asterisk lets us log in about 0.1 s
before app_queue knows its queues.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from calls.facts import CallId, LegId, LegNow, MemberNow, Snapshot, WaiterNow
from cti.asterisk.ear import call_of, city_and, endpoint_of, is_question, leg_of, number_of
from cti.asterisk.wire.action import Reply
from cti.asterisk.wire.connection import Connection
from cti.asterisk.wire.frames import Headers
from cti.errors import Refused
from plan.words import SEAT

LIST_SECONDS = 15.0
"""A list of some thousand channels takes Asterisk about a second."""

SEATED = "hotline-seat"
"""The dialplan keeps there who sits where: ``/hotline-seat/demo/1001: 8001`` (asterisk_conf.seat_memory)."""
URGENT = "hotline-urgent"
"""And there what is announced on a line: ``/hotline-urgent/demo/main: hotline/mass-event``."""
CALL_BACKS = "hotline-callback"
"""Promised calls back: ``/hotline-callback/<CALL_ID>: record`` (asterisk_conf.callback)."""
_DEVICE_STATES = (
    "unknown",
    "not_inuse",
    "inuse",
    "busy",
    "invalid",
    "unavailable",
    "ringing",
    "ringinuse",
    "onhold",
)
"""AST_DEVICE_… by number (devicestate.h), as QueueMember gives them."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The raw answers a snapshot is made of."""

    version: str
    boot: str
    channels: tuple[Headers, ...]
    bridges: tuple[Headers, ...]
    queues: tuple[Headers, ...]
    agents: tuple[Headers, ...] | None = None
    """Rows of AstDB family ``hotline-seat``."""
    urgent: tuple[Headers, ...] | None = None
    """Rows of AstDB family ``hotline-urgent``."""
    call_backs: tuple[Headers, ...] | None = None
    """Rows of AstDB family ``hotline-callback``."""
    held: Mapping[LegId, bool] = field(default_factory=dict)
    """Whether a seat's phone that talks has the other side on hold, as far as it could be asked."""


async def ask_all(connection: Connection) -> Lists:
    """Ask for every list. Raises Refused when one is refused or cut, NotNow when the link ends."""
    settings = whole("CoreSettings", await connection.ask({"Action": "CoreSettings"}))
    status = whole("CoreStatus", await connection.ask({"Action": "CoreStatus"}))
    channels = await _list(connection, "CoreShowChannels")
    bridges = await _list(connection, "BridgeList")
    queues = await _list(connection, "QueueStatus")
    return Lists(
        version=settings.head.get("AsteriskVersion", ""),
        boot=f"{status.head.get('CoreStartupDate', '')}T{status.head.get('CoreStartupTime', '')}",
        channels=channels.items,
        bridges=bridges.items,
        queues=queues.items,
        agents=await _tree(connection, SEATED),
        urgent=await _tree(connection, URGENT),
        call_backs=await _tree(connection, CALL_BACKS),
        held=await _held(connection, channels.items),
    )


async def _held(connection: Connection, rows: tuple[Headers, ...]) -> dict[LegId, bool]:
    """No list tells it, and whoever came back from hold unheard would hold for ever."""

    async def ask(channel: str) -> str:
        variable = {"Action": "Getvar", "Channel": channel, "Variable": "CHANNEL(rtp,hold)"}
        reply = await connection.ask(variable, LIST_SECONDS)
        # a leg that has just ended is refused
        return reply.head.get("Value", "") if reply.ok else ""

    seats = [
        row
        for row in rows
        if row.get("BridgeId") and SEAT.fullmatch(city_and(endpoint_of(row.get("Channel", "")))[1])
    ]
    told = await asyncio.gather(*(ask(row["Channel"]) for row in seats))
    return {
        LegId(r["Uniqueid"]): said == "1" for r, said in zip(seats, told, strict=True) if said in ("0", "1")
    }


async def _tree(connection: Connection, family: str) -> tuple[Headers, ...] | None:
    """A family of AstDB. An empty one is an error to Asterisk; older ones have no such action."""
    reply = await connection.ask({"Action": "DBGetTree", "Family": family}, LIST_SECONDS)
    if not reply.ok:
        return () if "not found" in reply.why.lower() else None
    return tuple(row for row in reply.items if row.get("Event") == "DBGetTreeResponse")


async def _list(connection: Connection, action: str) -> Reply:
    reply = whole(action, await connection.ask({"Action": action}, LIST_SECONDS))
    if reply.head.get("EventList", "").lower() != "start":
        raise Refused(f"{action}: no list came")
    said, came = reply.close.get("ListItems", ""), len(reply.items)
    if reply.close.get("EventList", "").lower() != "complete" or said != str(came):
        raise Refused(f"{action}: the list was cut ({came} of {said or '?'} items)")
    return reply


def whole(action: str, reply: Reply) -> Reply:
    if not reply.ok:
        raise Refused(f"{action}: {reply.why}")
    return reply


def picture(lists: Lists, node: str, at: float, known: Mapping[LegId, CallId]) -> Snapshot:
    """The lists as a fact. ``known``: what this listener already knew of legs in this life of Asterisk."""
    return Snapshot(
        at=at,
        node=node,
        legs=_legs(
            tuple(row for row in lists.channels if not is_question(row.get("Channel", ""))),
            known,
            lists.held,
        ),
        members=tuple(
            member for row in lists.queues if row["Event"] == "QueueMember" for member in _member(row)
        ),
        waiters=tuple(
            waiter for row in lists.queues if row["Event"] == "QueueEntry" for waiter in _waiter(row)
        ),
        queues=tuple(
            name
            for row in lists.queues
            if row["Event"] == "QueueParams" and (name := city_and(row.get("Queue", "")))[0]
        ),
        agents=None if lists.agents is None else tuple(_kept(lists.agents, SEATED)),
        announcements=None if lists.urgent is None else tuple(_kept(lists.urgent, URGENT)),
        call_backs=None if lists.call_backs is None else tuple(_call_backs(lists.call_backs)),
    )


def _legs(
    rows: tuple[Headers, ...], known: Mapping[LegId, CallId], held: Mapping[LegId, bool]
) -> tuple[LegNow, ...]:
    accounts = {LegId(row["Uniqueid"]): call_of(row.get("AccountCode", "")) for row in rows}
    # after an attended transfer the colleague's leg keeps the consultation's account code, but its
    # Linkedid has become the caller's: the call is named after that leg
    named = {leg_of(call): call for call in accounts.values() if call is not None}
    # whoever talks in a bridge with one call and has no id of their own (a colleague who picked up)
    bridged: dict[str, set[CallId]] = {}
    for row in rows:
        own_call = accounts[LegId(row["Uniqueid"])]
        if row.get("BridgeId") and own_call is not None:
            bridged.setdefault(row["BridgeId"], set()).add(own_call)

    def call(leg: LegId, linked: LegId, bridge: str) -> CallId | None:
        own = accounts[leg]
        if own is not None and leg_of(own) == leg:
            return own
        found = known.get(leg) or named.get(linked) or own
        if found is None and len(mates := bridged.get(bridge, set())) == 1:
            (found,) = mates
        return found

    return tuple(
        LegNow(
            leg=(leg := LegId(row["Uniqueid"])),
            channel=row.get("Channel", ""),
            call=call(leg, LegId(row.get("Linkedid", "")), row.get("BridgeId", "")),
            endpoint=endpoint_of(row.get("Channel", "")),
            linked=LegId(row.get("Linkedid", "")),
            caller=number_of(row.get("CallerIDNum", "")),
            called=number_of(row.get("Exten", "")),
            context=row.get("Context", ""),
            up=row.get("ChannelState") == "6",
            bridge=row.get("BridgeId", ""),
            seconds=_seconds(row.get("Duration", "")),
            held=held.get(leg),
        )
        for row in rows
    )


def _member(row: Headers) -> list[MemberNow]:
    city, queue = city_and(row.get("Queue", ""))
    _, seat = city_and(row.get("Name", ""))
    if not city or not seat:
        return []
    status = _number(row, "Status")
    return [
        MemberNow(
            city=city,
            seat=seat,
            queue=queue,
            penalty=_number(row, "Penalty"),
            paused=row.get("Paused") == "1",
            reason=row.get("PausedReason", ""),
            device=_DEVICE_STATES[status] if status < len(_DEVICE_STATES) else "unknown",
            calls_taken=_number(row, "CallsTaken"),
            in_call=row.get("InCall") == "1",
        )
    ]


def _kept(rows: tuple[Headers, ...], family: str) -> Iterator[tuple[str, str, str]]:
    for row in rows:
        parts = row.get("Key", "").strip("/").split("/")
        if len(parts) == 3 and parts[0] == family:
            yield parts[1], parts[2], row.get("Val", "")


def _call_backs(rows: tuple[Headers, ...]) -> Iterator[tuple[CallId, str]]:
    for row in rows:
        family, _, call = row.get("Key", "").strip("/").partition("/")
        if family == CALL_BACKS and call:
            yield CallId(call), row.get("Val", "")


def _waiter(row: Headers) -> list[WaiterNow]:
    city, queue = city_and(row.get("Queue", ""))
    if not city:
        return []
    return [
        WaiterNow(
            city=city,
            queue=queue,
            leg=LegId(row.get("Uniqueid", "")),
            position=_number(row, "Position"),
            waited=float(_number(row, "Wait")),
        )
    ]


def _number(row: Headers, key: str) -> int:
    digits = row.get(key, "")
    return int(digits) if digits.isdigit() else 0


def _seconds(duration: str) -> float:
    """``00:01:05`` -> 65.0."""
    parts = duration.split(":")
    if not all(part.isdigit() for part in parts):
        return 0.0
    total = 0
    for part in parts:
        total = total * 60 + int(part)
    return float(total)
