"""An order to call a citizen -> the seat's phone rings; the rest is dialplan (asterisk_conf.outgoing)."""

from __future__ import annotations

import re

from calls.orders import CallOut
from cti.asterisk.resync import whole
from cti.asterisk.wire.connection import Connection
from cti.errors import Refused

RING_SECONDS = 20.0
"""Whoever ordered it sits beside the phone."""
_NUMBER = re.compile(r"[0-9]{3,20}")
_CALL = re.compile(r"[A-Za-z0-9.-]{0,128}")


async def call_out(order: CallOut, connection: Connection) -> str:
    """The seat's leg. Raises Refused when the phone is not answered, NotNow (the outcome is unknown)."""
    if not _NUMBER.fullmatch(order.number) or not _CALL.fullmatch(order.of):
        raise Refused(f"{order.city}/{order.seat}: 3 to 20 digits can be called")
    told = {"OUT_CITY": order.city, "OUT_NUMBER": order.number, "OUT_OF": order.of}
    values: dict[str, str | list[str]] = {
        "Action": "Originate",
        "Channel": f"PJSIP/{order.city}-{order.seat}",
        "Context": "out-ordered",
        "Exten": "s",
        "Priority": "1",
        "Timeout": str(int(RING_SECONDS * 1000)),
        "CallerID": f"<{order.shown}>",
        "Async": "true",
        "Variable": [f"{name}={text}" for name, text in told.items()],
    }
    reply = whole("Originate", await connection.ask(values, RING_SECONDS + 5))
    if reply.close.get("Response") != "Success":
        why = f"seat {order.seat}'s phone did not answer; is it on the network?"
        raise Refused(f"座席 {order.seat} 的话机没有接听 {why}")
    return reply.close.get("Uniqueid", "")
