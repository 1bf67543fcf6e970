"""What every table of a plan file is: frozen, no unknown key, no value of another type."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from plan.words import Basis


class Rule(BaseModel):
    """One table of a plan file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    basis: Basis = ""
    """The clause this rule follows, ``六安 2021 §二(一)2``; ``假设``: an assumption, the notice is silent."""
