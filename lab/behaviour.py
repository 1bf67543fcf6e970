"""How a phone of the lab behaves when a call reaches it: a value, and its text in the lab's astdb."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Does(StrEnum):
    ANSWER = "answer"
    REJECT = "reject"
    BUSY = "busy"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """After ``after`` seconds of ringing the phone does it.

    ``say`` is converted audio, played once when it has answered; after ``talk`` seconds it hangs up itself.
    """

    does: Does = Does.ANSWER
    after: float = 2.0
    say: Path | None = None
    talk: float | None = None
    hear: bool = False
    """Record what the phone hears."""

    def text(self) -> str:
        """The astdb value read by the dialplan: ``answer|2|||path without suffix``."""
        say = str(self.say.with_suffix("")) if self.say else ""
        if set(say) & set('|,;${}[]()"\\\n'):
            raise ValueError(f"{say}: the path holds a character that means something to the dialplan")
        talk = "" if self.talk is None else f"{self.talk:g}"
        return "|".join((self.does, f"{self.after:g}", talk, "1" if self.hear else "0", say))


USUAL = Behaviour()
