"""What Asterisk would answer at any moment of a tape: the lists of a resync, rebuilt from raw events.

A stand-in on purpose unlike ``cti.asterisk.hear``: it knows nothing of calls, it only keeps each channel's
latest snapshot as CoreShowChannels would print it.
"""

from __future__ import annotations

from cti.asterisk.resync import Lists
from cti.asterisk.wire.frames import Headers, headers_of, text_of

_CHANNEL = (
    "Channel",
    "ChannelState",
    "CallerIDNum",
    "AccountCode",
    "Context",
    "Exten",
    "Uniqueid",
    "Linkedid",
)
QUEUES = ("demo-general", "demo-market", "demo-fund", "demo-expert")


class Truth:
    def __init__(self) -> None:
        self.life = 1
        self.channels: dict[str, Headers] = {}
        self.waiting: dict[str, Headers] = {}
        self.hanging: set[str] = set()

    def hear(self, frame: bytes) -> None:
        row = headers_of(text_of(frame))
        event = row.get("Event", "")
        if event == "FullyBooted":
            self.life += 1
            self.channels.clear()
            self.waiting.clear()
            return
        for prefix in ("", "Dest"):
            unique = row.get(f"{prefix}Uniqueid", "")
            if unique and (unique in self.channels or event == "Newchannel"):
                known = self.channels.setdefault(unique, {"BridgeId": ""})
                for key in _CHANNEL:
                    if f"{prefix}{key}" in row:
                        known[key] = row[f"{prefix}{key}"]
        unique = row.get("Uniqueid", "")
        match event:
            case "BridgeEnter" if unique in self.channels:
                self.channels[unique]["BridgeId"] = row["BridgeUniqueid"]
            case "BridgeLeave" if unique in self.channels:
                self.channels[unique]["BridgeId"] = ""
            case "QueueCallerJoin":
                self.waiting[unique] = {
                    "Event": "QueueEntry",
                    "Queue": row["Queue"],
                    "Position": row["Position"],
                    "Uniqueid": unique,
                    "Wait": "0",
                }
            case "QueueCallerLeave":
                self.waiting.pop(unique, None)
            case "HangupRequest" | "SoftHangupRequest":
                self.hanging.add(unique)
            case "Hangup":
                self.channels.pop(unique, None)
                self.hanging.discard(unique)

    def lists(self) -> Lists:
        return Lists(
            version="22.10.1",
            boot=f"life {self.life}",
            channels=tuple(dict(row) for row in self.channels.values()),
            bridges=(),
            queues=(
                *({"Event": "QueueParams", "Queue": queue} for queue in QUEUES),
                *self.waiting.values(),
            ),
        )
