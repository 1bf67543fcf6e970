"""Who was quicker, when a caller and a seat's phone cannot both be right: told by the house's own events.

An observer hears them; the service of the house is not asked. A handset that is lifted as the caller hangs
up, or as the queue's time runs out, has answered when app_queue says so (AgentConnect); of two who hang up,
the one whose BYE came first (HangupRequest) has ended the call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from lab.wire import Event
from lab.witness import Race

AT_ONCE = 0.5
"""Seconds between two BYEs of which either may be told as the first: two threads of Asterisk take them."""
TOGETHER = 5.0
"""Seconds between two BYEs that belong to one end; an agent who has handed a caller on went before that."""


@dataclass(slots=True)
class Referee:
    """``take`` gets every event of the house, in order; ``seats``: the numbers of whose phones count."""

    seats: Collection[str]
    _answered: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _seats: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """When seats' phones said BYE, by call."""
    _callers: dict[str, float] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        call = event.get("AccountCode", "")
        match event.get("Event"):
            case "AgentConnect":
                self._answered[call].append(event["MemberName"].partition("-")[2])
            case "HangupRequest" if event["Uniqueid"] == call.partition("-")[2]:
                self._callers.setdefault(call, float(event["Timestamp"]))
            case "HangupRequest" if self._seat_of(event["Channel"], call.partition("-")[0]) in self.seats:
                self._seats[call].append(float(event["Timestamp"]))

    @staticmethod
    def _seat_of(channel: str, city: str) -> str:
        """The number of whose phone this is; empty: of nobody in this city."""
        phone = f"PJSIP/{city}-"
        return channel.removeprefix(phone).partition("-")[0] if channel.startswith(phone) else ""

    def against(self, race: Race) -> str:
        """What speaks against the ledger; empty: Asterisk says what the ledger says."""
        answered = self._answered.get(race.call, [])
        if tuple(answered) != race.answered:
            return f"{race}: app_queue connected {answered}"
        if not race.left_by:
            return ""
        left = self._callers.get(race.call)
        if left is None:
            return f"{race}: the caller said no BYE"
        last = [at for at in self._seats.get(race.call, ()) if abs(at - left) < TOGETHER]
        right = race.left_by == "agent" and any(at < left + AT_ONCE for at in last)
        return "" if right else f"{race}: the caller's BYE at {left:.3f}, of seats at {last}"
