"""The advice question ("where next?"): FastAGI, answered within a budget or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """What the dialplan says when it asks. Plain strings; whoever answers knows the plan."""

    call: str
    city: str
    line: str
    caller: str
    called: str


class Advice:
    """The FastAGI server: one question per connection, one destination (or none) as the answer.

    ``answer`` is called in the event loop and must not block; None, or an exception, means "no
    advice": the dialplan takes its default.
    """

    def __init__(self, address: tuple[str, int], answer: Callable[[Question], str | None]) -> None:
        self.address = address
        self._answer = answer

    async def run(self) -> None:
        """Serve until cancelled. Raises Refused when the address cannot be bound."""
        raise NotImplementedError
