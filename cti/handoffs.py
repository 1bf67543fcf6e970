"""The service's part in transfers: an agent's wish becomes an order, words go into the record, centres with a
computer hear of it.

Whether the caller gets where they should never depends on this file: the dialplan does that.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog

from calls.facts import Fact, HandoffNoted
from calls.orders import Kind, Order, Transfer
from cti.errors import NotNow, Refused
from cti.home import NODE
from cti.store.history import Past
from cti.switchboard import Board
from plan.model import Plan
from transfer.handoff import Handoff, Now, all_stand
from transfer.table import meant

log = structlog.get_logger(__name__)

BEGUN_SECONDS = 2.0


class Records(Protocol):
    """History, as far as it is asked here."""

    async def handoffs(
        self, past: Past, *, id: str = "", centre: str = "", case: str = ""
    ) -> Sequence[Handoff]:
        """Newest first. Raises NotNow."""


class Handoffs:
    """Answers the web (``cti.web.transfer``)."""

    def __init__(
        self,
        board: Callable[[], Board],
        plans: Callable[[], Mapping[str, Plan]],
        do: Callable[[Order], Awaitable[str]],
        hear: Callable[[Fact], None],
        recall: Callable[[Handoff], None],
        history: Records | None = None,
    ) -> None:
        """``recall`` puts a record of ``history`` back on the board."""
        self._board, self._plans, self._do, self._hear = board, plans, do, hear
        self._recall, self._history = recall, history

    async def wish(
        self, city: str, seat: str, kind: Kind, to: str, words: Mapping[str, str]
    ) -> tuple[str, Kind]:
        """Order it; the id of the record, empty when the wish begins none, and what was ordered
        (``transfer.table.meant``). ``words`` go into the record.

        Raises Refused in words for the agent, NotNow without a link.
        """
        plan = self._plans().get(city)
        if plan is None:
            raise Refused(f"没有这个城市 no such city {city!r}")
        if seat not in plan.seats:
            raise Refused(f"没有这个座席 no such seat {seat!r}")
        # a hand-over is for centres; whoever dials one with another wish still gets its record
        if kind == "handoff" and to not in plan.centres:
            known = ", ".join(plan.centres) or "none"
            raise Refused(f"{to!r} 不是联动中心 is no centre of this plan (there are: {known})")
        kind = meant(kind, urgent=to in plan.centres and plan.centres[to].urgent)
        ours = [call for call in self._board().picture.live() if (call.city, call.seat) == (city, seat)]
        if ours and all(call.outgoing for call in ours):
            raise Refused(
                "座席呼出的通话不能转接 the citizen was called from this seat: such a call is not transferred"
            )
        id = secrets.token_hex(8) if to else ""
        await self._do(Transfer(city=city, seat=seat, kind=kind, to=to, id=id))
        if id and words:
            await self._begun(id)
            try:
                self.note(id, words)
            except Refused:
                # it has begun all the same; only words that somebody typed are worth an error
                if set(words) != {"asked_by"}:
                    raise NotNow(f"begun as {id}, but its words are not noted: say them again") from None
                log.warning("nobody told yet that it began", id=id)
        return id, kind

    async def _begun(self, id: str) -> None:
        """The fact that it began and the answer to the order come on two ways; wait for the fact."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEGUN_SECONDS):
                while id not in self._board().moves.records:  # noqa: ASYNC110  # the record comes with a fact; a listener for one wait would outlive it
                    await asyncio.sleep(0.01)

    def note(self, id: str, words: Mapping[str, str]) -> Handoff:
        """Words for a record on the board. Raises Refused when there is none."""
        record = self._board().moves.records.get(id)
        if record is None:
            raise Refused(f"没有这条移交记录 no such record {id!r}")
        self._hear(
            HandoffNoted(at=time.time(), node=NODE, id=id, call=record.call, words=tuple(words.items()))
        )
        return self._board().moves.records[id]

    async def amend(self, id: str, words: Mapping[str, str]) -> Handoff:
        """The same for any record, also one of history. Raises Refused, NotNow."""
        await self.recalled(id)
        return self.note(id, words)

    async def recalled(self, id: str) -> None:
        """A record that stands in history only is on the board again. Raises NotNow."""
        if (record := await self.record(id)) is not None:
            self._recall(record)

    async def of_centre(self, city: str, centre: str, record: str, told: Mapping[str, str]) -> Handoff | None:
        """The record a centre's message means, on the board now: ``handoff`` names one of ours, else the
        message's own ``record``, or ``case``, the centre's own number. None: there is none. Raises NotNow
        when history cannot be asked."""
        named, case = told.get("handoff", ""), told.get("case", "")
        mine = [r for r in self._board().moves.records.values() if (r.city, r.centre) == (city, centre)]
        fits = [r for r in mine if r.id == (named or record)]
        if not fits and case and not named:
            fits = [r for r in mine if r.case == case]
        if not fits and self._history is not None:
            past = Past(city=city)
            fits = list(await self._history.handoffs(past, centre=centre, id=named or record))
            if not fits and case and not named:
                fits = list(await self._history.handoffs(past, centre=centre, case=case))[::-1]
            for found in fits[-1:]:
                self._recall(found)
        return fits[-1] if fits else None

    def now(self) -> Sequence[Now]:
        """Where every call stands that talks to an agent or is being transferred."""
        board = self._board()
        return all_stand(board.moves, board.picture.calls)

    async def records(self, past: Past) -> Sequence[Handoff]:
        """Live ones and those of history, newest first. Raises NotNow."""
        live = [
            r
            for r in self._board().moves.records.values()
            if (past.city in (None, r.city))
            and (past.since is None or (r.asked or 0.0) >= past.since)
            and (past.until is None or (r.asked or 0.0) < past.until)
        ]
        known = {r.id: r for r in live}
        if self._history is not None:
            try:
                known = {r.id: r for r in await self._history.handoffs(past)} | known
            except NotNow:
                # a record made a moment ago must be readable with the database down
                log.warning("hand-off records of history cannot be read now")
        return sorted(known.values(), key=lambda r: -(r.asked or r.changed))[: past.most]

    async def record(self, id: str) -> Handoff | None:
        """One record; None: there is none."""
        live = self._board().moves.records.get(id)
        if live is not None or self._history is None:
            return live
        found = await self._history.handoffs(Past(most=1), id=id)
        return found[0] if found else None
