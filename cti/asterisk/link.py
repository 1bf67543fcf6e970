"""The link to one Asterisk: facts come in, orders go out, for ever."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import structlog

from calls.facts import CallId, Fact, LegId, LinkDown, LinkUp
from calls.orders import Order
from cti.asterisk.do import carry_out
from cti.asterisk.ear import Ear
from cti.asterisk.hear import HANDLERS, hear
from cti.asterisk.resync import Lists, ask_all, picture
from cti.asterisk.wire.connection import BOOT_SECONDS, TICK, Connection
from cti.errors import NotNow, Refused

log = structlog.get_logger(__name__)

_WANTED = frozenset(HANDLERS) | {b"FullyBooted"}
_SLICE = 100
"""Buffered events told at a stretch after a resync."""
_RETRY = (0.1, 2.0)
_RETRY_REFUSED = (5.0, 60.0)
"""First and longest pause before the next try, seconds. A refused login writes a security event into
Asterisk's log each time, and only a person can mend it."""
_RETRY_SNAPSHOT = (0.05, 2.0)


class Link:
    """AMI to one node: log in, resync, then tell every fact, in order, through ``on_fact``.

    ``on_fact`` is called synchronously in the event loop: first LinkUp, then Snapshot, then what
    happened since; LinkDown when the link is lost. It must not block. Facts buffered during the
    snapshot come after it and may repeat what it contains: readers must bear that.
    """

    def __init__(
        self,
        address: tuple[str, int],
        user: str,
        secret: str,
        node: str,
        on_fact: Callable[[Fact], None],
        *,
        now: Callable[[], float] = time.time,
        tick: float = TICK,
    ) -> None:
        self.address, self.user, self._secret = address, user, secret
        self.node = node
        self.up = False
        """Logged in, resynced, facts are current."""
        self.trouble: Exception | None = None
        """Why there is no link at present: Refused (login, snapshot) or NotNow; None while it is up."""
        self._on_fact, self._now, self._tick = on_fact, now, tick
        self._ear = Ear(node, self._tell, now)
        self._connection: Connection | None = None
        self._buffer: list[tuple[bytes, str]] | None = None
        self._booted = asyncio.Event()
        self._boot = ""

    async def run(self) -> None:
        """Hold the link until cancelled; reconnects with back-off and jitter, never gives up."""
        pause = 0.0
        while True:
            was_up = False
            try:
                await self._hold()
            except (NotNow, Refused) as why:
                was_up, self.up = self.up, False
                self.trouble = why
                if was_up:
                    self._tell(LinkDown(at=self._now(), node=self.node, why=str(why)))
                first, longest = _RETRY_REFUSED if isinstance(why, Refused) else _RETRY
                pause = first if was_up else min(max(pause * 2, first), longest)
                log.warning(
                    "no link to Asterisk",
                    node=self.node,
                    why=str(why),
                    refused=isinstance(why, Refused),
                    again_in=round(pause, 1),
                )
            finally:
                self.up = False
            # jitter: several processes must not knock at a restarted Asterisk in step
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))

    async def do(self, order: Order) -> str:
        """Carry out ``order`` and return its outcome (a variable's value, the originated leg, or "").

        Raises NotNow (no link, or no answer in time: the outcome is unknown) or Refused.
        """
        if not self.up or self._connection is None:
            raise NotNow("no link to Asterisk")
        return await carry_out(order, self._connection, self._channel_of)

    def _channel_of(self, leg: LegId) -> str:
        # AMI takes a Uniqueid where it takes a channel's name
        return self._ear.channels.get(leg, leg)

    async def _hold(self) -> None:
        """One connection from login to its end. Ends by NotNow or Refused, or by cancellation."""
        self._buffer, self._booted = [], asyncio.Event()
        connection = Connection(self.address, self.user, self._secret, _WANTED, self._hear, tick=self._tick)
        try:
            await connection.open()
            self._connection = connection
            await self._wait_for_boot(connection)
            self._begin(await self._snapshot(connection))
            await self._tell_buffered()
            raise NotNow(await asyncio.shield(connection.lost))
        finally:
            self._connection = None
            connection.close()

    async def _wait_for_boot(self, connection: Connection) -> None:
        """Asterisk says FullyBooted to every session, at login or when it is done starting."""
        booted = asyncio.ensure_future(self._booted.wait())
        either: set[asyncio.Future[Any]] = {booted, connection.lost}
        try:
            await asyncio.wait(either, timeout=BOOT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            booted.cancel()

    async def _snapshot(self, connection: Connection) -> Lists:
        """Every list complete, however often it takes. Raises NotNow when the link ends meanwhile."""
        pause, longest = _RETRY_SNAPSHOT
        while True:
            try:
                return await ask_all(connection)
            except Refused as why:
                self.trouble = why
                log.warning("Asterisk refused a snapshot", node=self.node, why=str(why))
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest)

    def _begin(self, lists: Lists) -> None:
        """The picture starts anew from what Asterisk says now."""
        known: dict[LegId, CallId] = dict(self._ear.calls) if lists.boot == self._boot else {}
        self._boot = lists.boot
        snapshot = picture(lists, self.node, self._now(), known)
        self._ear.forget_legs()
        for leg in snapshot.legs:
            self._ear.channels[leg.leg] = leg.channel
            if leg.call is not None:
                self._ear.calls[leg.leg] = leg.call
        self.up, self.trouble = True, None
        log.info("linked to Asterisk", node=self.node, version=lists.version, legs=len(snapshot.legs))
        self._tell(LinkUp(at=snapshot.at, node=self.node, version=lists.version, boot=lists.boot))
        self._tell(snapshot)

    async def _tell_buffered(self) -> None:
        """What came during the snapshot, in bounded slices; what comes meanwhile queues up behind."""
        buffer = self._buffer or []
        done = 0
        while done < len(buffer):
            for name, text in buffer[done : done + _SLICE]:
                self._understand(name, text)
            done += _SLICE
            await asyncio.sleep(0)
        self._buffer = None

    def _hear(self, name: bytes, text: str) -> None:
        if name == b"FullyBooted":
            self._booted.set()
        elif self._buffer is not None:
            self._buffer.append((name, text))
        else:
            hear(self._ear, name, text)

    def _understand(self, name: bytes, text: str) -> None:
        try:
            hear(self._ear, name, text)
        except Exception:
            log.exception("an AMI event was not understood", event_name=name.decode("ascii", "replace"))

    def _tell(self, fact: Fact) -> None:
        """A reader that fails loses this fact, not the link nor the facts behind it."""
        try:
            self._on_fact(fact)
        except Exception:
            log.exception("a fact was not understood", fact=type(fact).__name__)
