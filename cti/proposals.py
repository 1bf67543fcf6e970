"""What the draft of a call's ticket knows of place and story goes with the caller to a centre, by itself.

Somebody brought to 110 in a hurry is brought there by one key, and nobody types. While a hand-off goes on,
its record takes what the draft has (``transfer.handoff.news`` decides), marked as the draft's; the record's
listeners tell the centre's computer as they tell it everything else. The call waits for nothing of it:
without speech, or with all of this dead, the record is as its people wrote it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from calls.facts import CallId, TransferStepped
from calls.picture import true_call
from cti.errors import NotNow, Refused
from cti.switchboard import Board, Heard
from plan.model import Plan
from transfer.handoff import Handoff, news

log = structlog.get_logger(__name__)

GAP = 2.0
"""Seconds between two looks: a recogniser tells several times a second, a centre's computer is told less
often."""
UNTITLED = "通话草稿"
"""The first line of a summary whose draft has no title yet."""


class Proposals:
    """``hear`` is a listener of the switchboard, ``changed`` is told which call's words changed, ``run``
    looks at them."""

    def __init__(
        self,
        board: Callable[[], Board],
        plans: Callable[[], Mapping[str, Plan]],
        drafted: Callable[[CallId], Awaitable[Mapping[str, Any]]],
        note: Callable[[str, Mapping[str, str]], Any],
    ) -> None:
        """``drafted``: the fields of a call's draft as the API has them; may raise NotNow. ``note``: words
        for a record by its id; may raise Refused."""
        self._board, self._plans, self._drafted, self._note = board, plans, drafted, note
        self._news: dict[CallId, None] = {}
        self._wake = asyncio.Event()

    def hear(self, heard: Heard) -> None:
        """A hand-off begins: what is known by then goes with it."""
        if isinstance(heard.fact, TransferStepped) and heard.fact.step == "asked":
            self.changed(heard.fact.call)

    def changed(self, call: CallId) -> None:
        whole = true_call(self._board().picture, call) or call
        if self._going(whole):
            self._news[whole] = None
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        # those that a service before this one began
        for record in self._board().moves.records.values():
            self.changed(record.call)
        while True:
            await self._wake.wait()
            self._wake.clear()
            calls, self._news = list(self._news), {}
            for call in calls:
                await self.look(call)
            await asyncio.sleep(GAP)

    async def look(self, call: CallId) -> None:
        """The records of this call take what its draft has by now."""
        try:
            fields = await self._drafted(call)
        except NotNow as why:
            log.info("a hand-off goes without what was said", call=call, why=str(why))
            return
        # they may be over meanwhile
        for record in self._going(call):
            if words := news(record, proposed(fields)):
                try:
                    self._note(record.id, words)
                except Refused as why:
                    log.info("a record is not changed any more", record=record.id, why=str(why))

    def _going(self, call: CallId) -> list[Handoff]:
        """The records by which this call is on the way to a centre, or there."""
        board, plans = self._board(), self._plans()
        return [
            record
            for record in board.moves.records.values()
            if record.ended is None
            and record.direction == "out"
            and record.city in plans
            and record.centre in plans[record.city].centres
            and (true_call(board.picture, record.call) or record.call) == call
        ]


def proposed(fields: Mapping[str, Any]) -> dict[str, str]:
    """What a draft proposes, by the names of ``transfer.handoff.PROPOSED``."""
    title, story = _text(fields, "title"), _text(fields, "story")
    by = _by(fields, "story")
    if by == "ticket" and _by(fields, "title") == "draft":
        # who may see what was typed may not see a drafted title: it names red flags
        summary = story
    else:
        summary = f"{title or UNTITLED}\n{story}" if story else title
    return {
        f"{_by(fields, 'address')}_location": _text(fields, "address"),
        f"{by}_summary": summary,
    }


def _by(fields: Mapping[str, Any], name: str) -> str:
    return "ticket" if fields.get(name, {}).get("typed") else "draft"


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, {}).get("value")
    if isinstance(value, Mapping):
        # an address that an agent typed may have its parts only
        parts = (value.get(part) for part in ("district", "town", "street", "number", "place", "detail"))
        value = value.get("text") or "".join(part for part in parts if isinstance(part, str))
    return value if isinstance(value, str) else ""
