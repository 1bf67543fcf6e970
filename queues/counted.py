"""What one call counts as in the figure of GB/T 33358-2016 (decision 10)."""

from __future__ import annotations

from calls.model import Call, LeftBy

WITHIN = 15.0
"""Seconds to an agent's voice (GB/T 33358-2016)."""
NO_CIRCUIT = 34
"""Q.850: refused because the trunk is full. The trunk's own counters tell these (decision 10)."""


def own(call: Call) -> bool:
    """A citizen's own call: no consultation, and no call of ours to a citizen."""
    return call.consult_of is None and not call.callback_of and not call.outgoing


def refused(call: Call) -> bool:
    return call.cause == NO_CIRCUIT and call.left_by is LeftBy.SYSTEM and call.greeted is None


def not_in_service(call: Call) -> bool:
    """A call whose beginning nobody heard has no line either, but no called number too."""
    return not call.line and bool(call.original)


def is_open(call: Call) -> bool:
    return call.ended is None and call.answered is None


def offered(call: Call) -> bool:
    """Whether the call stands below the line of both rates."""
    return not (not own(call) or refused(call) or not_in_service(call) or is_open(call))


def seconds_to_answer(call: Call) -> float | None:
    return None if call.answered is None else max(0.0, call.answered - call.arrived)


def in_time(call: Call) -> bool:
    seconds = seconds_to_answer(call)
    return seconds is not None and seconds <= WITHIN


def abandoned(call: Call) -> bool:
    return call.answered is None and call.ended is not None and call.left_by is LeftBy.CALLER
