"""A supervisor's orders -> AMI: what the dialplan of asterisk_conf.desk then does without us."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from asterisk_conf.seat_leg import HEAD
from calls.facts import LegId
from calls.orders import (
    Announce,
    DeskOrder,
    Free,
    MoveToFront,
    MoveToQueue,
    SetQueues,
    TakeOver,
    Watch,
)
from cti.asterisk.do_seat import run
from cti.asterisk.resync import whole
from cti.asterisk.wire.action import Reply, Values
from cti.asterisk.wire.connection import Connection
from cti.errors import Refused

RING_SECONDS = 20.0
"""A supervisor who wants to listen sits beside the phone."""
LINE = 800
LOOK = 0.02
LOOKS = 100
"""Two seconds in all; it takes some milliseconds."""
Channel = Callable[[LegId], str]


async def at_desk(order: DeskOrder, connection: Connection, channel_of: Channel) -> None:
    """Do it. Raises Refused with the reason, or NotNow (no answer: outcome unknown)."""
    match order:
        case SetQueues():
            await _set_queues(order, connection)
        case Watch():
            await _watch(order, connection, channel_of)
        case TakeOver():
            await _take_over(order, connection, channel_of)
        case Free():
            told = {"CITY": order.city, "SEAT": order.seat, "HOW": order.to}
            await _lead(connection, channel_of(order.leg), told, f"{order.city}/{order.seat}")
        case MoveToFront():
            await _ask(
                connection,
                {
                    "Action": "QueueChangePriorityCaller",
                    "Queue": f"{order.city}-{order.queue}",
                    "Caller": channel_of(order.leg),
                    "Priority": await _before_all(connection, order.city, order.queue),
                    "Immediate": "yes",
                },
            )
        case MoveToQueue():
            await _move(order, connection, channel_of(order.leg))
        case Announce():
            told = {"CITY": order.city, "LINE": order.line, "SOUND": order.sound, "BY": order.by}
            await run(connection, "line-order", told, f"{order.city}/{order.line}")


async def _set_queues(order: SetQueues, connection: Connection) -> None:
    """The difference to what app_queue has now, handed to the dialplan, which applies it under its lock."""
    member = f"PJSIP/{order.city}-{order.seat}"
    rows = await _ask(connection, {"Action": "QueueStatus", "Member": member}, 15.0)
    prefix = f"{order.city}-"
    has = {
        row.get("Queue", "").removeprefix(prefix): row.get("Penalty", "")
        for row in rows.items
        if row.get("Event") == "QueueMember" and row.get("Location", row.get("StateInterface")) == member
    }
    wanted = {queue: str(level) for queue, level in order.queues}
    changes = [("ADD", f"{queue}/{level}") for queue, level in wanted.items() if queue not in has]
    changes += [("SET", f"{q}/{level}") for q, level in wanted.items() if q in has and has[q] != level]
    changes += [("DROP", queue) for queue in has if queue not in wanted]
    seat = {"CITY": order.city, "SEAT": order.seat, "DID": "queues", "BY": order.by}
    for some in _short(changes):
        told = {name: ":".join(text for n, text in some if n == name) for name in ("ADD", "SET", "DROP")}
        await run(connection, "seat-order", {**seat, **told}, f"{order.city}/{order.seat}")


def _short(changes: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """In pieces that fit: AMI cuts a header's line after 1,024 characters. At least one, if an empty one."""
    pieces: list[list[tuple[str, str]]] = [[]]
    for change in changes:
        if sum(len(text) + 1 for _, text in pieces[-1]) + len(change[1]) > LINE:
            pieces.append([])
        pieces[-1].append(change)
    return pieces


async def _watch(order: Watch, connection: Connection, channel_of: Channel) -> None:
    if order.watching is not None:
        await _redirect(connection, channel_of(order.watching), "desk-watch", order.how)
        return
    await _ring(order, connection, "desk-watch", order.how, {"WATCH_LEG": order.leg})


async def _take_over(order: TakeOver, connection: Connection, channel_of: Channel) -> None:
    caller = channel_of(order.leg)
    values = {"Action": "Getvar", "Channel": caller, "Variable": "DAY"}
    day = (await _ask(connection, values)).head.get("Value", "")
    if order.watching is None:
        taker = LegId(
            await _ring(order, connection, "desk-taker", "s", {"DAY": day, "CALLER_CHANNEL": caller})
        )
    else:
        taker = order.watching
        await _set(connection, channel_of(taker), "DAY", day)
        await _set(connection, channel_of(taker), "CALLER_CHANNEL", caller)
        await _redirect(connection, channel_of(taker), "desk-taker", "s")
    try:
        await _is_there(connection, channel_of(taker))
        told = {"HOW": "taken", "BY": order.by, "TAKER": channel_of(taker)}
        await _lead(connection, caller, told, order.call)
    except Refused:
        # the caller is gone, or nobody's to take: nobody may sit there and wait
        await connection.ask({"Action": "Hangup", "Channel": channel_of(taker)})
        raise


async def _lead(connection: Connection, caller: str, told: dict[str, str], what: str) -> None:
    """The caller leaves what they are in; the dialplan sees to it. Raises Refused when they did not."""
    await run(connection, "desk-leads", {"CALLER_CHANNEL": caller, **told}, what)


async def _is_there(connection: Connection, taker: str) -> None:
    """The supervisor's leg stands in the dialplan and may be bridged. Raises Refused when it does not."""
    values = {"Action": "Getvar", "Channel": taker, "Variable": "TAKER_READY"}
    for _ in range(LOOKS):
        reply = await connection.ask(values)
        if not reply.ok:
            raise Refused("话机已挂断 the supervisor's phone is gone: caller and agent go on talking")
        if reply.head.get("Value", "") == "1":
            return
        # Asterisk tells nobody that a channel has reached a step
        await asyncio.sleep(LOOK)
    raise Refused("the supervisor's phone did not get ready: hang up and try again")


async def _ring(
    order: Watch | TakeOver, connection: Connection, context: str, exten: str, told: dict[str, str]
) -> str:
    """The leg of the supervisor's phone that answered."""
    endpoint = f"PJSIP/{order.city}-{order.by}"
    variables = {"WATCHED": order.call, "CITY": order.city, "SEAT": order.seat, "BY": order.by, **told}
    reply = await _ask(
        connection,
        {
            "Action": "Originate",
            "Channel": endpoint,
            "Context": context,
            "Exten": exten,
            "Priority": "1",
            "Timeout": str(int(RING_SECONDS * 1000)),
            # what the supervisor's phone shows: whose call it is
            "CallerID": f"<{order.seat}>",
            "Async": "true",
            "Variable": [f"{name}={text}" for name, text in variables.items()],
        },
        RING_SECONDS + 5,
    )
    if reply.close.get("Response") != "Success":
        raise Refused(
            f"座席 {order.by} 的话机没有接听 seat {order.by}'s phone did not answer; is it on the network?"
        )
    return reply.close.get("Uniqueid", "")


async def _before_all(connection: Connection, city: str, queue: str) -> str:
    """A priority above everybody who waits there: app_queue puts an equal one behind."""
    rows = await _ask(connection, {"Action": "QueueStatus", "Queue": f"{city}-{queue}"}, 15.0)
    told = [row.get("Priority", "0") for row in rows.items if row.get("Event") == "QueueEntry"]
    return str(max([HEAD, *(int(n) + 1 for n in told if n.isdigit())]))


async def _move(order: MoveToQueue, connection: Connection, caller: str) -> None:
    await _set(connection, caller, "MOVE_TO", order.to)
    if order.first:
        first = await _before_all(connection, order.city, order.to)
        await _set(connection, caller, "QUEUE_PRIO", first)
    out = {"Queue": f"{order.city}-{order.queue}", "Caller": caller, "WithdrawInfo": order.to}
    try:
        await _ask(connection, {"Action": "QueueWithdrawCaller", **out})
    except Refused:
        # answered in this very moment: a later way out of the queue is none of this order's
        await connection.ask({"Action": "Setvar", "Channel": caller, "Variable": "MOVE_TO", "Value": ""})
        raise


async def _set(connection: Connection, channel: str, name: str, text: str) -> None:
    await _ask(connection, {"Action": "Setvar", "Channel": channel, "Variable": name, "Value": text})


async def _redirect(connection: Connection, channel: str, context: str, exten: str) -> None:
    values = {"Action": "Redirect", "Channel": channel, "Context": context, "Exten": exten, "Priority": "1"}
    await _ask(connection, {**values})


async def _ask(connection: Connection, values: Values, seconds: float = 5.0) -> Reply:
    return whole(str(values["Action"]), await connection.ask(values, seconds))
