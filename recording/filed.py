"""One leg's recording as it stands in history."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from calls.facts import CallId, LegId
from calls.picture import caller_leg, city_of
from plan.words import SEAT
from recording.table import Recording, State, is_message


class Role(StrEnum):
    """Whose voice it is."""

    CALLER = "caller"
    SEAT = "seat"
    MESSAGE = "message"  # what the caller left behind the last queue; the caller's own file has it too
    OTHER = "other"  # a centre, a department, somebody outside


class Heard(StrEnum):
    """How far its words are written down."""

    WAITING = "waiting"  # nobody has listened yet, or not to the end
    TALK = "talk"  # all of the talk; what was said before (to a machine, in the queue) is not
    DONE = "done"
    NOTHING = "nothing"  # there is nothing to listen to


class Kept(StrEnum):
    """Where the sealed file is."""

    DISK = "disk"
    CARRYING = "carrying"  # on disk; on the shelf, too, perhaps in part
    BOTH = "both"
    SHELF = "shelf"


@dataclass(frozen=True, slots=True)
class Filed:
    """Moments are seconds since the epoch, UTC."""

    leg: LegId
    call: CallId
    city: str
    line: str = ""
    seat: str = ""
    role: Role = Role.OTHER
    state: State = State.FILED
    why: str = ""
    began: float | None = None
    ended: float | None = None
    seconds: float = 0.0
    short: float = 0.0
    """Seconds of the leg that are not in the file."""
    pauses: str = "[]"
    """JSON: from and to, seconds in the file."""
    apart: str = "[]"
    """JSON: from and to, seconds in the file: consultations (``recording.consulted``)."""
    file: str = ""
    bytes: int = 0
    sha256: str = ""
    """Of the plain file."""
    sealed: bool = False
    heard: Heard = Heard.WAITING
    kept: Kept = Kept.DISK
    original: str = ""
    """The number the citizen dialled, whichever line it led to."""


def whose(one: Recording, *, outgoing: bool = False) -> tuple[Role, str]:
    """The role of a leg, and its seat. ``outgoing``: of a call that a seat made, so the other leg is the
    citizen's."""
    if is_message(one.leg):
        return Role.MESSAGE, ""
    city = city_of(one.call)
    seat = one.endpoint.removeprefix(f"{city}-")
    if one.endpoint.startswith(f"{city}-") and SEAT.fullmatch(seat):
        return Role.SEAT, seat
    return (Role.CALLER if outgoing or one.leg == caller_leg(one.call) else Role.OTHER), ""
