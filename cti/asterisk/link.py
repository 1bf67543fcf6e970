"""The link to one Asterisk: facts come in, orders go out, for ever."""

from __future__ import annotations

from collections.abc import Callable

from calls.facts import Fact
from calls.orders import Order


class Link:
    """AMI to one node: log in, resync, then tell every fact, in order, through ``on_fact``.

    ``on_fact`` is called synchronously in the event loop: first LinkUp, then Snapshot, then what
    happened since; LinkDown when the link is lost. It must not block.
    """

    trouble: Exception | None = None
    """Why there is no link at present: Refused (login) or NotNow; None while it is up."""
    up: bool = False

    def __init__(
        self,
        address: tuple[str, int],
        user: str,
        secret: str,
        node: str,
        on_fact: Callable[[Fact], None],
    ) -> None:
        self.address, self.user, self._secret = address, user, secret
        self.node = node
        self._on_fact = on_fact

    async def run(self) -> None:
        """Hold the link until cancelled; reconnects with back-off and jitter, never gives up."""
        raise NotImplementedError

    async def do(self, order: Order) -> str:
        """Carry out ``order`` and return its outcome (a variable's value, the originated leg, or "").

        Raises NotNow (no link, or no answer in time: the outcome is unknown) or Refused.
        """
        raise NotImplementedError
