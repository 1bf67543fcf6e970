"""Who may hear and read a call's recordings, by the classes the call is of now (recordings.toml), and the
consultations in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from calls.facts import CallId
from calls.picture import city_of, true_call
from cti.store.recordings import RecordingStore
from cti.switchboard import Board
from cti.web.recordings import Least
from cti.web.who import Role, Who
from plan.model import Plan
from plan.recordings import (
    CONSULTATION,
    CallClass,
    RecordingClass,
    for_operators,
    of_consultation,
    own_places,
)
from recording.retention import DAY


class CallClasses:
    """``least`` and ``may_consult`` answer the web."""

    def __init__(
        self,
        store: RecordingStore,
        plans: Callable[[], Mapping[str, Plan]],
        board: Callable[[], Board],
    ) -> None:
        self._store, self._plans, self._board = store, plans, board

    def may_consult(self, who: Who, city: str, ended: float | None, now: float, *, held: bool) -> str:
        """Why this person may not hear a consultation in this city that ended then (seconds since the epoch;
        None: it goes on); empty when they may. ``held``: its call is held for the law."""
        plan = self._plans().get(city)
        rule = RecordingClass() if plan is None else of_consultation(plan)
        if not who.may(Role(rule.listen)):
            return Least(Role(rule.listen), (CONSULTATION,)).bars(who)
        if rule.keep_days is None or held or ended is None or ended >= now - rule.keep_days * DAY:
            return ""
        return f"consultations are kept for {rule.keep_days} days: this one is older"

    async def least(self, calls: Collection[str]) -> Mapping[str, Least]:
        """The calls among these that no supervisor may hear, and why. Raises NotNow."""
        found: dict[str, Least] = {}
        for city, plan in self._plans().items():
            names = for_operators(plan)
            mine = [call for call in calls if city_of(CallId(call)) == city]
            if not names or not mine:
                continue
            kin = {call: _kin(self._board(), CallId(call)) for call in mine}
            told = await self._store.classes(
                {one for ones in kin.values() for one in ones}, names, own_places(plan)
            )
            for call, ones in kin.items():
                now = {*_going(self._board(), ones, own_places(plan))}.union(
                    *(told.get(one, ()) for one in ones)
                )
                if classes := tuple(name for name in names if name in now):
                    found[call] = Least(Role.OPERATOR, classes)
        return found


def _kin(board: Board, call: CallId) -> tuple[CallId, ...]:
    """A call and those it belongs to: one that goes on is not in history yet."""
    whole = true_call(board.picture, call) or call
    known = board.picture.calls.get(whole)
    back = () if known is None or not known.callback_of else (CallId(known.callback_of),)
    return tuple(dict.fromkeys((call, whole, *back)))


def _going(board: Board, kin: Collection[CallId], own: Collection[str]) -> Iterator[CallClass]:
    """The classes of these calls as the board has them: they reach history a moment later."""
    if any(known.outgoing for one in kin if (known := board.picture.calls.get(one)) is not None):
        yield "outgoing"
    if any(board.flags.of(one) for one in kin):
        yield "flagged"
    records = (r for r in board.moves.records.values() if r.call in kin)
    if any(r.kind == "handoff" or r.direction == "in" or r.centre not in own for r in records):
        yield "handed"
