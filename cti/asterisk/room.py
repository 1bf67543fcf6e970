"""A transfer's people, as the dialplan tells queue_log of them: ``HOTLINEROOM`` lines -> facts.

app_queue writes down the end of the talk it made and nothing of what follows. So whoever comes into the room,
leaves a talk or the room, or hangs up says so: ``in``, ``out`` or ``gone``, the leg, the moment to the
millisecond (``asterisk_conf.transfer_state.told_room``). A seat that ``three`` brings in comes through a
Local channel, which says ``in`` for it. A centre's or a contact's line has no stint and is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from cti.asterisk.ear import endpoint_of, leg_of

ROOM = "HOTLINEROOM"
SECOND = 1.5
"""By which a CDR's end lies before the hangup handler's word at most: it is cut, and the handler takes a
moment."""

UNCUT = 0.0001
"""Seconds; see ``uncut``."""


def uncut(at: float) -> float:
    """A moment that the dialplan wrote with milliseconds. One in a thousand is a whole second, which stands
    for a moment that was cut to it (0.0: none): that one lies a tenth of a millisecond later."""
    return at + UNCUT if at and at.is_integer() else at


class Room:
    """Of one call. ``lines``: channel and data of all its lines; ``ended``: when the caller was gone, cut to
    the second."""

    def __init__(self, call: CallId, node: str, ended: float, lines: Sequence[tuple[str, str]]) -> None:
        self._lines = [line for channel, data in lines if (line := _read(channel, data)) is not None]
        self.led = frozenset(leg for _, _, leg, _ in self._lines)
        """The legs these lines tell of."""
        self._call, self._node = call, node
        self._caller = leg_of(call)
        gone = [at for _, step, leg, at in self._lines if step == "gone" and leg == self._caller]
        self.ended = gone[-1] if gone and 0.0 <= gone[-1] - ended < SECOND else ended
        """When the caller was gone, to the millisecond where the dialplan told of it."""
        self._room = f"{call}~room"
        self._bridge: dict[LegId, str] = {}
        """Where each leg is that is somewhere."""
        self._known: set[LegId] = {self._caller}

    def talk(self, peer: LegId) -> None:
        """The caller and this leg, whom a queue rang, talk."""
        self._known.add(peer)
        self._bridge[self._caller] = self._bridge[peer] = str(peer)

    def leg_at(self, endpoint: str, moment: float) -> LegId | None:
        """The leg of a phone that answered at this moment, by its next line; None: none tells."""
        return next((leg for of, _, leg, at in self._lines if of == endpoint and at >= moment), None)

    def told(self, channel: str, data: str) -> Iterator[Fact]:
        """One line; one that is cut off or of no phone says nothing."""
        line = _read(channel, data)
        if line is None:
            return
        endpoint, step, leg, at = line
        if step == "in":
            yield from self._in(leg, endpoint, at)
        elif leg in self._known:
            yield from self._out(leg, at)
            if step == "gone" and leg != self._caller:
                yield from self._gone(leg, at)

    def over(self) -> Iterator[Fact]:
        """The files end: whoever was not told to be gone went with the caller."""
        for leg in sorted(self._known & self.led - {self._caller}):
            yield from self._gone(leg, self.ended)

    def _in(self, leg: LegId, endpoint: str, at: float) -> Iterator[Fact]:
        if leg not in self._known:
            self._known.add(leg)
            yield f.LegStarted(
                at=at, node=self._node, leg=leg, channel="", call=self._call, endpoint=endpoint, caller="",
                called="", context="", linked=self._caller,
            )  # fmt: skip
        yield from self._out(leg, at)
        self._bridge[leg] = self._room
        yield f.LegJoined(at=at, node=self._node, leg=leg, bridge=self._room, kind="conference")

    def _out(self, leg: LegId, at: float) -> Iterator[Fact]:
        bridge = self._bridge.pop(leg, "")
        if bridge:
            # agent and colleague may finish what they say when the caller is gone: that is no talk
            yield f.LegLeft(at=min(at, self.ended), node=self._node, leg=leg, bridge=bridge)

    def _gone(self, leg: LegId, at: float) -> Iterator[Fact]:
        self._known.discard(leg)
        yield f.LegEnded(at=at, node=self._node, leg=leg, cause=16)


def _read(channel: str, data: str) -> tuple[str, str, LegId, float] | None:
    """Endpoint, step, leg and moment; None where the line is cut off or of no phone."""
    step, _, rest = data.partition("/")
    name, _, moment = rest.rpartition("/")
    endpoint = endpoint_of(channel)
    try:
        at = uncut(float(moment))
    except ValueError:
        return None
    return (endpoint, step, LegId(name), at) if endpoint and name else None
