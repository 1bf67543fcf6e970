"""Who asks, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from cti.web.answers import Answered


class Role(StrEnum):
    """Each may what those before it may."""

    OBSERVER = "observer"  # looks; numbers of citizens are masked
    AGENT = "agent"  # and works at a seat of their own; numbers masked as well
    SUPERVISOR = "supervisor"  # and orders at every seat and in every call of their city; whole numbers
    OPERATOR = "operator"  # and runs the machine

    @property
    def rank(self) -> int:
        return list(Role).index(self)


@dataclass(frozen=True, slots=True)
class Who:
    """``city`` empty: every city of this instance. ``agent``: the number (工号) of a person at a seat.
    ``hides``: the plan of a city they see shows whole numbers to nobody who does not ask for one."""

    name: str
    role: Role
    city: str = ""
    agent: str = ""
    hides: bool = False

    @property
    def full(self) -> bool:
        """Whether whole numbers of citizens are shown."""
        return self.may(Role.OPERATOR if self.hides else Role.SUPERVISOR)

    def may(self, least: Role) -> bool:
        return self.role.rank >= least.rank

    def sees(self, city: str) -> bool:
        return self.city in ("", city)


MASKED = (
    f"masked for {' and '.join(f'{role}s' for role in Role if not Who('', role).full)}, "
    "and where the plan hides numbers always (`hide_numbers`) for supervisors too"
)
"""What the API's description says of a citizen's number; as ``Who.full`` decides."""
WHO = web.RequestKey("who", Who)


def scope(who: Who, city: str | None) -> str | None:
    """The city asked for, as far as this person may see it; None: every city. Raises Answered."""
    if city is not None and not who.sees(city):
        raise Answered(403, f"you are signed in for {who.city} only", "city")
    return city or who.city or None
