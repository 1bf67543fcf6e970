"""Orders at a seat -> the dialplan that also serves the feature codes, so both have one outcome.

A Local channel runs ``seat-order`` (asterisk_conf.seats); answered means done. The reason of a refusal is
left in AstDB and taken from there.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from calls.orders import EndWrapUp, Pause, SeatOrder, SignIn, SignOut, Unpause
from cti.asterisk.resync import whole
from cti.asterisk.wire.connection import Connection
from cti.errors import Refused

SECONDS = 10.0
"""Two phones and an order at one moment wait for each other, some milliseconds each."""
FAMILY = "hotline-order"
_DID: dict[type[SeatOrder], str] = {
    SignIn: "in",
    SignOut: "out",
    Pause: "pause",
    Unpause: "ready",
    EndWrapUp: "unwrap",
}
_WORD = re.compile(r"[a-z0-9-]{0,24}")
"""What may become a dialplan variable of ours."""
_LISTS: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(("ADD", "SET", "DROP"), re.compile(r"[a-z0-9/:-]{0,900}")),
    "SOUND": re.compile(r"[A-Za-z0-9/-]{0,80}"),
    **dict.fromkeys(("CALLER_CHANNEL", "TAKER"), re.compile(r"[A-Za-z0-9/@;._+-]{1,100}")),
}
"""And those that are longer: queues with levels (``general/0:market/2``), names of a sound, of channels."""
REASONS = {
    "unknown-queue": "没有这个队列 no such queue",
    "unknown-line": "没有这条线路 no such line",
    "unknown-agent": "没有这个工号 no such agent",
    "unknown-seat": "没有这个座席 no such seat",
    "unknown-reason": "没有这个原因 no such reason in the plan",
    "not-signed-in": "该座席没有人签入 nobody is signed in there",
    "no-wrap-up": "该座席不在整理中 the seat is in no wrap-up",
    "caller-gone": "来电人已挂断 the caller is gone",
    "led-already": "另一指令正在处理该来电 another order is moving this caller just now",
    "passed-on": "来电人已由他人接听 somebody else has the caller by now",
    "no-talk-now": "来电人已不在通话 the caller talks to nobody now: they are in the queue again",
    "no-queue": "此人在此座席没有队列 this person has no queue at this seat",
}
"""The dialplan's word to what a person reads."""


async def at_seat(order: SeatOrder, connection: Connection) -> None:
    """Do it. Raises Refused with the reason, or NotNow (no answer: outcome unknown)."""
    await run(
        connection,
        "seat-order",
        {
            "CITY": order.city,
            "SEAT": order.seat,
            "DID": _DID[type(order)],
            "BY": order.by,
            "AGENT": order.agent if isinstance(order, SignIn) else "",
            "REASON": order.reason if isinstance(order, Pause) else "",
        },
        f"{order.city}/{order.seat}",
    )


async def run(connection: Connection, context: str, told: Mapping[str, str], what: str) -> None:
    """Run a context of orders with these variables. Raises Refused with the reason it left, or NotNow."""
    number = secrets.token_hex(6)
    told = {**told, "ORDER": number}
    for name, word in told.items():
        if not _LISTS.get(name, _WORD).fullmatch(word):
            raise Refused(f"{name.lower()} {word[:30]!r}: small letters, digits and hyphens only")
    reply = whole(
        "Originate",
        await connection.ask(
            {
                "Action": "Originate",
                "Channel": f"Local/s@{context}/n",
                "Context": context,
                "Exten": "1",
                "Priority": "1",
                "Timeout": str(int(SECONDS * 1000)),
                "Async": "true",
                "Variable": [f"{name}={word}" for name, word in told.items()],
            },
            SECONDS + 2,
        ),
    )
    if reply.close.get("Response") == "Success":
        return
    why = await connection.ask({"Action": "DBGet", "Family": FAMILY, "Key": number})
    word = next((row["Val"] for row in why.items if "Val" in row), "") if why.ok else ""
    await connection.ask({"Action": "DBDel", "Family": FAMILY, "Key": number})
    raise Refused(f"{what}: {REASONS.get(word, word or 'Asterisk did not do it')}")
