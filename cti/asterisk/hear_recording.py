"""What Asterisk and our dialplan tell of recordings that go on -> facts."""

from __future__ import annotations

from collections.abc import Callable

from calls.facts import CallId, LegId, MaskAsked, RecordingPaused, RecordingResumed
from cti.asterisk.ear import UNIQUEID, Ear
from cti.asterisk.wire.frames import late, value


def _muted(ear: Ear, text: str) -> None:
    """MixMonitorMute: what the leg says (``read``) is silence in its files, or is heard in them again."""
    if value(text, "\r\nDirection: ") == "write":
        return
    leg = LegId(late(text, UNIQUEID))
    kind = RecordingPaused if value(text, "\r\nState: ") == "1" else RecordingResumed
    ear.tell(kind(at=ear.moment(text), node=ear.node, leg=leg, call=ear.calls.get(leg)))


def mask_asked(ear: Ear, said: str, call: CallId, leg: LegId, at: float) -> None:
    """The feature code in the call."""
    on = value(said, "\r\nState: ") == "on"
    ear.tell(MaskAsked(at=at, node=ear.node, call=call, leg=leg, on=on))


HANDLERS: dict[bytes, Callable[[Ear, str], None]] = {b"MixMonitorMute": _muted}
