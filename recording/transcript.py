"""What was said in a call, in the order in which it was said, whoever said it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from calls.facts import CallId, LegId
from recording.filed import Role
from recording.recognised import Recognised, Speaker, Word


@dataclass(frozen=True, slots=True)
class Said:
    """One span of one leg. ``start``, ``end``: seconds in the leg's file; ``at``: seconds since the epoch."""

    leg: LegId
    role: Role
    seat: str
    at: float
    start: float
    end: float
    text: str
    confidence: float
    words: tuple[Word, ...] = ()
    digits: str = ""
    apart: bool = False
    """Said in a consultation: the citizen heard nobody."""


@dataclass(frozen=True, slots=True)
class Now:
    """What a leg is saying at this moment, as far as it is understood. ``second``: how far its file has been
    listened to; ``at``: when that was said, seconds since the epoch."""

    leg: LegId
    role: Role
    seat: str
    text: str
    second: float = 0.0
    at: float = 0.0
    apart: bool = False
    """As of ``Said``."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """``complete``: all that was said while people talked is in it."""

    call: CallId
    said: tuple[Said, ...] = ()
    now: tuple[Now, ...] = field(default=())
    complete: bool = False

    def with_citizen(self) -> Transcript:
        """What was said, and is not being said any more, without consultations."""
        return Transcript(self.call, tuple(s for s in self.said if not s.apart), (), self.complete)


def in_order(said: Iterable[Said]) -> tuple[Said, ...]:
    return tuple(sorted(said, key=lambda s: (s.at, s.leg, s.start)))


def plain(text: str) -> str:
    """Chinese is written without the blanks between a recogniser's words; Latin words keep theirs."""
    out: list[str] = []
    for word in text.split():
        if out and out[-1][-1].isascii() and word[0].isascii():
            out.append(" ")
        out.append(word)
    return "".join(out)


def sounded(text: str, sounds: Callable[[str], Sequence[str]]) -> str:
    """Syllables with a blank around each: `` jie fang lu `` is found within `` zai jie fang lu shang ``."""
    syllables = [s for s in sounds(plain(text)) if s.strip()]
    return f" {' '.join(syllables)} " if syllables else ""


def spoken(said: Sequence[Said], begin: float) -> tuple[Recognised, ...]:
    """As the draft of a ticket reads it: seconds from the call's ``begin``, and who spoke."""
    speakers: dict[Role, Speaker] = {Role.CALLER: "caller", Role.SEAT: "agent"}
    spans = []
    for one in said:
        shift = one.at - one.start - begin
        words = tuple(
            Word(w.text, round(w.start + shift, 3), round(w.end + shift, 3), w.confidence) for w in one.words
        )
        text = " ".join(w.text for w in one.words) or one.text
        start, end = round(one.start + shift, 3), round(one.end + shift, 3)
        speaker = speakers.get(one.role, "")
        spans.append(Recognised(text, start, end, one.confidence, speaker, words, one.digits))
    return tuple(spans)
