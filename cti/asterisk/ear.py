"""What the listener keeps between two events: which legs exist and which call each belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from asterisk_conf.shared import QUESTION
from calls.facts import CallId, Fact, LegBelongs, LegId
from cti.asterisk.wire.frames import late, value

CALL_ID = re.compile(r"[a-z][a-z0-9]{0,15}-.{1,100}\.\d{1,12}")
"""``<city>-<Uniqueid of the caller's leg>``; any other account code is somebody else's."""

CHANNEL = "\r\nChannel: "
UNIQUEID = "\r\nUniqueid: "
LINKEDID = "\r\nLinkedid: "
ACCOUNT = "\r\nAccountCode: "
TIMESTAMP = "\r\nTimestamp: "


NUDGE = "D"
"""The key that wakes a waiting channel: no phone of today has it, no queue or menu of a plan means it."""


def city_and(name: str) -> tuple[str, str]:
    """``demo-1001`` -> ("demo", "1001"): queues, members and endpoints carry their city in front."""
    city, dash, rest = name.partition("-")
    return (city, rest) if dash else ("", "")


def endpoint_of(channel: str) -> str:
    """``demo-1001`` of ``PJSIP/demo-1001-0000001a``, empty for a channel without an endpoint."""
    return channel[6:].rpartition("-")[0] if channel.startswith("PJSIP/") else ""


def number_of(text: str) -> str:
    """A number or nothing: no caller id is ``<unknown>``, and a dialled leg stands at extension ``s``."""
    return "" if text in ("<unknown>", "s") else text


_QUESTION = f"Local/s@{QUESTION}-"


def is_question(channel: str) -> bool:
    """Half of a channel that only asks the service something (asterisk_conf.shared): nobody's call."""
    return channel.startswith(_QUESTION)


def of_question(text: str) -> bool:
    """The event is of such a channel."""
    # almost no event has the word at all, and to see that costs less than to look the channel up
    return _QUESTION in text and is_question(value(text, CHANNEL))


@lru_cache(4096)
def call_of(account: str) -> CallId | None:
    """The CALL_ID in an account code; every event of a call carries it, so the answers are kept."""
    return CallId(account) if account and CALL_ID.fullmatch(account) else None


def leg_of(call: CallId) -> LegId:
    """The caller's leg that gave the call its name."""
    return LegId(call.partition("-")[2])


def _age(call: CallId) -> int:
    """The running number at the end of a Uniqueid: smaller is older, within one life of Asterisk."""
    tail = call.rpartition(".")[2]
    return int(tail) if tail.isdigit() else 0


def elder(calls: list[CallId]) -> CallId:
    """Two calls that merge keep the caller's id (decision 4); the consultation began later."""
    return min(calls, key=_age)


class Ear:
    """The state of hearing one node. ``tell`` gets every fact, in order."""

    def __init__(self, node: str, tell: Callable[[Fact], None], now: Callable[[], float]) -> None:
        self.node, self.tell, self.now = node, tell, now
        self.channels: dict[LegId, str] = {}
        self.calls: dict[LegId, CallId] = {}
        self.hanging: set[LegId] = set()
        """Legs whose hang-up was asked for, by a phone or by AMI, and that are not gone yet."""
        self.connected: dict[tuple[str, str], CallId] = {}
        """(queue, member) -> the call app_queue gave it last: a seat has one at a time."""

    def moment(self, text: str) -> float:
        """When Asterisk says it happened (manager.conf ``timestampevents``), else now."""
        # the third line of every event
        start = text.find(TIMESTAMP, 0, 120)
        if start < 0:
            return self.now()
        start += len(TIMESTAMP)
        try:
            return float(text[start : text.find("\r", start)])
        except ValueError:
            return self.now()

    def forget_legs(self) -> None:
        self.channels.clear()
        self.calls.clear()
        self.hanging.clear()

    def belongs(self, leg: LegId, call: CallId | None, at: str | float) -> None:
        """From now on the leg carries this call's id. A leg that is gone does not come back: after a
        pick-up Asterisk tells the account code of a channel it has just hung up. ``at``: a moment, or
        the frame that has it.
        """
        if call is not None and leg in self.channels and self.calls.get(leg) != call:
            moment = self.moment(at) if isinstance(at, str) else at
            self.calls[leg] = call
            endpoint = endpoint_of(self.channels[leg])
            self.tell(LegBelongs(at=moment, node=self.node, leg=leg, call=call, endpoint=endpoint))

    def call_in_queue(self, text: str, leg: LegId, city: str) -> CallId:
        """The call of a caller in a queue; one that never passed our line is named after its own leg."""
        return self.calls.get(leg) or call_of(late(text, ACCOUNT)) or CallId(f"{city}-{leg}")
