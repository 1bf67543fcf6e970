"""What every table of a plan file is: frozen, no unknown key, no value of another type."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from plan.words import Basis


class Rule(BaseModel):
    """One table of a plan file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    basis: Basis = ""
    """The clause this rule follows: ``六安 2021 §二(一)2``."""
    assumption: Basis = ""
    """What the notice leaves open and the plan decides. A plan that follows a notice (``city.notice``) has
    a basis, an assumption or both on every entry; a file may give one for all of its tables at its top."""

    @property
    def founded(self) -> bool:
        """Whether it says where it comes from."""
        return bool(self.basis or self.assumption)
