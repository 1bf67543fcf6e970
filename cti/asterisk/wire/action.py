"""One AMI action and its answer: when it is complete, and when it never will be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from panoramisk import actions

from cti.asterisk.wire.frames import Headers
from cti.errors import Refused

Values = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What Asterisk answered: the response and, for a list, its items and its closing event."""

    head: Headers
    items: tuple[Headers, ...] = ()
    close: Headers = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.head.get("Response") in ("Success", "Goodbye", "Follows")

    @property
    def why(self) -> str:
        return self.head.get("Message", "no reason given")


class Action(actions.Action):  # type: ignore[misc]  # the base comes from panoramisk, which has no type information, so mypy sees Any; extending it is the point
    """panoramisk's Action with its own idea of an end.

    panoramisk guesses from the message text: "successfully queued" (Atxfer, CancelAtxfer, PlayDTMF,
    a synchronous Originate) raises KeyError and kills the link, "Added interface to queue" waits for
    events that never come. Asterisk says it plainly: ``EventList: start`` opens a list and
    ``EventList: Complete`` (or Cancelled) closes it; an asynchronous Originate ends in
    OriginateResponse; everything else is one response.
    """

    def __init__(self, values: Values) -> None:
        super().__init__(dict(values))
        self.frames: list[Headers] = []
        self.name = str(self["action"])

    def __str__(self) -> str:
        """The action as AMI text. Raises Refused: a line break in a value would start another header."""
        for key, stored in self.items():
            for part in stored if isinstance(stored, list | tuple) else (stored,):
                if any(c in f"{key}{part}" for c in "\r\n\0"):
                    raise Refused(f"{self['action']}: a line break in {key!r}")
        return str(super().__str__())

    @property
    def asynchronous(self) -> bool:
        return self.name.lower() == "originate" and str(self.get("async", "")).lower() in ("true", "yes", "1")

    def take(self, frame: Headers) -> bool:
        """Add one frame of the answer; True when the answer is whole (and the future is set)."""
        self.frames.append(frame)
        head = self.frames[0]
        if "Response" not in head:
            # an item before its response: Asterisk never does that
            return False
        if head["Response"] != "Error":
            if head.get("EventList", "").lower() == "start":
                if frame.get("EventList", "").lower() not in ("complete", "cancelled"):
                    return False
            elif self.asynchronous and frame.get("Event") != "OriginateResponse":
                return False
        if not self.future.done():
            if len(self.frames) > 1:
                self.future.set_result(Reply(head, tuple(self.frames[1:-1]), self.frames[-1]))
            else:
                self.future.set_result(Reply(head))
        return True
