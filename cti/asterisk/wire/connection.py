"""One login at one Asterisk: opened once, watched, closed once. Whoever wants another makes another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container
from functools import partial

from panoramisk.manager import Manager

from cti.asterisk.wire.action import Action, Reply, Values
from cti.asterisk.wire.protocol import Protocol
from cti.errors import NotNow, Refused

TICK = 1.0
PING_AFTER = 2
DEAD_AFTER = 7
"""Ticks without a byte. A half-open link is noticed after DEAD_AFTER + 1 seconds at most (issue: 10 s)."""
OPEN_SECONDS = 5.0
ASK_SECONDS = 5.0
BOOT_SECONDS = 10.0


class Connection(Manager):  # type: ignore[misc]  # the base comes from panoramisk, which has no type information, so mypy sees Any; extending it is the point
    """panoramisk's Manager for exactly one connection.

    What is gone on purpose: reconnecting (the Link does it, with a resync), the queue of actions
    replayed after a reconnect (an Originate came twice), callbacks per pattern (several coroutines
    per event ran in any order). What is new: deadlines, a checked ping, login refusal as an answer.
    """

    def __init__(
        self,
        address: tuple[str, int],
        user: str,
        secret: str,
        wanted: Container[bytes],
        on_event: Callable[[bytes, str], None],
        *,
        tick: float = TICK,
    ) -> None:
        super().__init__(
            host=address[0],
            port=address[1],
            protocol_factory=partial(Protocol, wanted, on_event),
            loop=asyncio.get_running_loop(),
        )
        # the base class registered its replay of unanswered actions
        self.patterns.clear()
        self.callbacks.clear()
        self.user, self._secret, self._tick = user, secret, tick
        self._timer: asyncio.TimerHandle | None = None

    async def open(self) -> str:
        """Connect and log in; returns AMI's version. Raises NotNow, or Refused by a wrong user or secret."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                # the base class makes a task of create_connection and hands it to connection_made
                _, self.protocol = await self.connect()
                version = await asyncio.shield(self.protocol.greeted)
        except (OSError, TimeoutError) as why:
            self.close()
            where = f"{self.config['host']}:{self.config['port']}"
            raise NotNow(f"no AMI at {where}: {str(why) or 'no greeting in time'}") from why
        if not version:
            raise NotNow(self.protocol.lost.result())
        try:
            reply = await self.ask(
                {"Action": "Login", "Username": self.user, "Secret": self._secret, "Events": "on"}
            )
        except BaseException:
            self.close()
            raise
        if not reply.ok:
            self.close()
            raise Refused(f"login as {self.user}: {reply.why}")
        self.authenticated = True
        self._watch()
        return str(version)

    def connection_made(self, f: asyncio.Future[object]) -> None:
        """The base class would log in, ping and reconnect from here; ``open`` does it instead."""

    @property
    def lost(self) -> asyncio.Future[str]:
        """Done when the connection ended; its result says why."""
        future: asyncio.Future[str] = self.protocol.lost
        return future

    async def ask(self, values: Values, seconds: float = ASK_SECONDS) -> Reply:
        """Send one action, wait for its whole answer.

        Raises NotNow when the link ends or ``seconds`` pass first (the outcome is unknown), Refused
        for a value that would break out of its header. An error *response* is returned: ``Reply.ok``.
        """
        action = Action(values)
        if self.protocol is None:
            raise NotNow("no link to Asterisk")
        future = self.protocol.send(action)
        try:
            async with asyncio.timeout(seconds):
                reply: Reply = await future
                return reply
        except TimeoutError:
            raise NotNow(f"{action.name}: no answer in {seconds:g} s, outcome unknown") from None
        finally:
            # a late answer then passes as an ordinary event instead of being swallowed
            self.protocol.responses.pop(action.id, None)

    def send_action(self, action: Values, as_list: bool | None = None, **more: str) -> asyncio.Future[object]:
        """panoramisk's own entry, without its queue: write now or raise NotNow."""
        if self.protocol is None:
            raise NotNow("no link to Asterisk")
        future: asyncio.Future[object] = self.protocol.send(Action({**action, **more}))
        return future

    def _watch(self) -> None:
        """Count seconds of silence, ask for a sign of life, and believe in death after a while.

        Ticks are counted, not the clock: after a SIGSTOP of ours the first tick is one tick.
        """
        protocol: Protocol = self.protocol
        if protocol.closed or protocol.transport.is_closing():
            return
        protocol.silent += 1
        if protocol.silent >= DEAD_AFTER:
            protocol.abort(f"Asterisk said nothing for {DEAD_AFTER} s and does not answer a ping")
            return
        if protocol.silent >= PING_AFTER:
            ping = Action({"Action": "Ping"})
            protocol.send(ping)
            asyncio.get_running_loop().call_later(
                DEAD_AFTER * self._tick, protocol.responses.pop, ping.id, None
            )
        self._timer = asyncio.get_running_loop().call_later(self._tick, self._watch)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.protocol is not None:
            self.protocol.close()
