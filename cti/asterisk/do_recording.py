"""Orders about recordings -> AMI actions. The files themselves are begun by the dialplan, without us."""

from __future__ import annotations

from collections.abc import Callable

from calls.facts import LegId
from calls.orders import MaskRecording, RecordingOrder, TapLeg
from cti.asterisk.resync import whole
from cti.asterisk.wire.connection import Connection
from cti.errors import Refused


async def at_recording(
    order: RecordingOrder, connection: Connection, channel_of: Callable[[LegId], str]
) -> str:
    """Do it; a tap's name in Asterisk, or "". Raises Refused or NotNow."""
    channel = channel_of(order.leg)
    values: dict[str, str | list[str]]
    if isinstance(order, MaskRecording):
        # without a MixMonitorID it holds for the recording and every tap of the channel; "read" is what the
        # leg says, the only direction our files hold
        values = {"Action": "MixMonitorMute", "Channel": channel, "Direction": "read"}
        values["State"] = "1" if order.on else "0"
    elif isinstance(order, TapLeg):
        if "," in order.file or ")" in order.file:
            raise Refused(f"a tap cannot be named {order.file!r}")
        # the option i is what makes Asterisk tell the tap's name
        values = {"Action": "MixMonitor", "Channel": channel, "File": ""}
        values["Options"] = f"r({order.file})i(TAP)"
    else:
        values = {"Action": "StopMixMonitor", "Channel": channel, "MixMonitorID": order.tap}
    reply = whole(str(values["Action"]), await connection.ask(values, 5.0))
    return reply.head.get("MixMonitorID", "")
