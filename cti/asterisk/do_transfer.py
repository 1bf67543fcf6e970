"""An agent's wish for a caller -> the dialplan that also serves the keys of the phone.

One outcome for both: a Local channel runs ``transfer-go`` (asterisk_conf.transfer); answered means begun.
"""

from __future__ import annotations

import re
import secrets

from calls.orders import Transfer
from cti.asterisk.do_seat import FAMILY
from cti.asterisk.resync import whole
from cti.asterisk.wire.connection import Connection
from cti.errors import Refused

SECONDS = 5.0
_WORD = re.compile(r"[a-z0-9-]{0,30}")
"""What may become a dialplan variable of ours."""
REASONS = {
    "no-call": "该座席没有通话 nobody is talking there",
    "not-yet": "市民尚未接听，无法转接 the citizen has not answered yet: there is nobody to transfer",
    "under-way": "转接正在进行 a transfer is under way",
    "not-under-way": "没有可撤回的转接 there is no transfer to change",
    "not-allowed": "计划不允许转到该号码 the plan does not allow this number",
}


async def transfer(order: Transfer, connection: Connection) -> None:
    """Begin it. Raises Refused with the reason, or NotNow (no answer: outcome unknown)."""
    number = order.id or secrets.token_hex(6)
    told = {
        "CITY": order.city,
        "SEAT": order.seat,
        "KIND": order.kind,
        "TO": order.to,
        "BY": order.by,
        "ORDER": number,
    }
    for name, word in told.items():
        if not _WORD.fullmatch(word):
            raise Refused(f"{name.lower()} {word[:30]!r}: small letters, digits and hyphens only")
    values: dict[str, str | list[str]] = {
        "Action": "Originate",
        "Channel": "Local/s@transfer-go/n",
        "Context": "transfer-go",
        "Exten": "1",
        "Priority": "1",
        "Timeout": str(int(SECONDS * 1000)),
        "Async": "true",
        "Variable": [f"{name}={word}" for name, word in told.items()],
    }
    reply = whole("Originate", await connection.ask(values, SECONDS + 2))
    if reply.close.get("Response") == "Success":
        return
    why = await connection.ask({"Action": "DBGet", "Family": FAMILY, "Key": number})
    word = next((row["Val"] for row in why.items if "Val" in row), "") if why.ok else ""
    await connection.ask({"Action": "DBDel", "Family": FAMILY, "Key": number})
    raise Refused(f"{order.city}/{order.seat}: {REASONS.get(word, word or 'Asterisk did not do it')}")
