"""One phone in one call, and the line its log gets for each thing that happens to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["citizen", "seat", "outside"]
What = Literal[
    "sent",  # the INVITE leaves
    "progress",  # 183: early media
    "ringing",  # a caller hears that it rings
    "rings",  # an INVITE came in
    "answered",
    "says",  # the phone plays audio
    "said",
    "key",  # a key came in (RFC 4733)
    "pressed",  # a key of its own, as the finger goes down
    "held",  # it puts the other side on hold
    "resumed",
    "pause",  # the voice it hears made a pause
    "ended",
    "registered",  # a phone is on the network: the house has confirmed it
    "unregistered",
]
By = Literal["self", "far", "lost"]
"""Who ended it: this phone, the other side, or nobody knows because the lab's Asterisk died."""


@dataclass(slots=True, kw_only=True)
class Leg:
    """Moments are seconds since the epoch, by the lab's Asterisk. ``sip_call`` is this leg's SIP Call-ID."""

    id: str
    phone: str
    kind: Kind
    channel: str = ""
    city: str = ""
    sip_call: str = ""
    call: str = ""
    """The house's CALL_ID, from X-Hotline-Call."""
    caller_sip_call: str = ""
    """Call-ID of the caller's own leg, from X-Hotline-Sip-Call."""
    caller: str = ""
    called: str = ""
    began: float = 0.0
    answered: float | None = None
    ended: float | None = None
    by: By | None = None
    put_down: float | None = None
    """When its handset was told to be put down: what ends it after that is this phone's doing."""
    cause: int = 0
    hear: bool = False
    more: dict[str, str] = field(default_factory=dict)

    def line(self, what: What, at: float, **more: Any) -> dict[str, Any]:
        """What the log says; every line can be understood without the others."""
        told = {
            "at": round(at, 6),
            "what": what,
            "leg": self.id,
            "phone": self.phone,
            "kind": self.kind,
            "city": self.city,
            "sip_call": self.sip_call,
            "call": self.call,
            "caller_sip_call": self.caller_sip_call,
            "caller": self.caller,
            "called": self.called,
        }
        return told | self.more | more
