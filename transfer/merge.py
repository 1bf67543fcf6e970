"""Who belongs to which call after transfers.

An agent who asks a colleague first has two calls: the citizen's, and one of their own to the
colleague. When the agent steps out, the two become one: **the citizen's call keeps its id**, the other
one becomes its consultation (``consult_of``).
"""

from __future__ import annotations

from typing import Any

from calls import facts as f
from calls.facts import CallId, Fact
from calls.model import Call, Leg
from calls.picture import Picture, true_call
from calls.value import dataclass, replace


@dataclass(frozen=True, slots=True)
class Merger:
    """``lost`` goes on as part of ``kept``."""

    kept: CallId
    lost: CallId


def merger(picture: Picture, fact: f.AttendedTransferred) -> Merger | None:
    """What an attended transfer makes one; None when there was only one call, or nothing moved."""
    if not fact.ok:
        return None
    ids: list[CallId] = []
    for leg_id in (fact.original, fact.consult, *fact.joined):
        leg = picture.legs.get(leg_id)
        call = true_call(picture, leg.call) if leg is not None else None
        if call is not None and call in picture.calls and call not in ids:
            ids.append(call)
    if len(ids) < 2:
        return None
    first, second = (picture.calls[i] for i in ids[:2])
    kept = _citizens(picture, first, second)
    return Merger(kept=kept.id, lost=(second if kept is first else first).id)


def _citizens(picture: Picture, first: Call, second: Call) -> Call:
    """The call whose caller is still there, else the one from a trunk, else the older one."""

    def rank(call: Call) -> tuple[bool, bool, float]:
        return (call.leg not in picture.legs, not call.trunk, call.arrived)

    return min((first, second), key=rank)


_OF_SEATS = (
    f.LegBelongs,
    f.SeatRang,
    f.SeatDeclined,
    f.SeatAnswered,
    f.SeatFinished,
    f.RecordingStarted,
)


def follow(picture: Picture, fact: Fact) -> Fact:
    """A fact told of a consultation, said of the call it became part of.

    Only what concerns a seat moves: the end of the consultation's own first leg does not end the citizen's.
    """
    if not isinstance(fact, _OF_SEATS):
        return fact
    told: Any = fact
    call = true_call(picture, fact.call)
    return fact if call is None or call == fact.call else replace(told, call=call)


def parties(picture: Picture, call: CallId) -> tuple[Leg, ...]:
    """The legs that belong to a call, its consultations' included, the caller's first."""
    known = picture.calls.get(call)
    legs = [leg for leg in picture.legs.values() if true_call(picture, leg.call) == call]
    return tuple(sorted(legs, key=lambda leg: (known is None or leg.id != known.leg, leg.id)))
