"""A replayed tape as text a person can review: each call's story, then every fact as a line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from calls import story
from calls.facts import CallArrived, CallId, Fact, LinkDown, LinkUp, Snapshot
from cti.asterisk.ear import Ear
from cti.asterisk.hear import HANDLERS, hear
from cti.asterisk.record import Taped, read_tape
from cti.asterisk.resync import picture
from cti.asterisk.wire.frames import event_name, text_of
from cti.switchboard import Heard, Switchboard
from tests.replay.truth import Truth

TAPES = Path(__file__).parents[1] / "tapes"


def tape(name: str) -> list[Taped]:
    return list(read_tape((TAPES / f"{name}.ami").read_bytes()))


def names() -> list[str]:
    return sorted(path.stem for path in TAPES.glob("*.ami"))


def resync(ear: Ear, truth: Truth, at: float, told: list[Fact]) -> None:
    """What ``Link`` does after a login, with ``truth`` as the Asterisk that answers."""
    lists = truth.lists()
    snapshot = picture(lists, ear.node, at, {})
    ear.forget_legs()
    for leg in snapshot.legs:
        ear.channels[leg.leg] = leg.channel
        if leg.call is not None:
            ear.calls[leg.leg] = leg.call
    told += [LinkUp(at=at, node=ear.node, version=lists.version, boot=lists.boot), snapshot]


def heard(frames: Iterable[Taped]) -> list[Fact]:
    """All facts of a tape. A FullyBooted in its middle is an Asterisk that came back: resync."""
    told: list[Fact] = []
    truth = Truth()
    ear = Ear("n1", told.append, lambda: 0.0)
    for taped in frames:
        play(taped, ear, truth, told)
    return told


def play(taped: Taped, ear: Ear, truth: Truth, told: list[Fact]) -> None:
    truth.hear(taped.frame)
    name = event_name(taped.frame)
    if name == b"FullyBooted":
        at = told[-1].at if told else 0.0
        if told:
            told.append(LinkDown(at=at, node=ear.node, why="Asterisk closed the connection"))
        resync(ear, truth, at, told)
    elif name in HANDLERS:
        hear(ear, name, text_of(taped.frame))


def telling(facts: list[Fact]) -> str:
    """The golden text."""
    start = min((fact.at for fact in facts if fact.at), default=0.0)
    lines: list[str] = []
    for call, its in _by_call(facts).items():
        lines.append(f"# {call}")
        lines += [
            f"{line.at - start:8.3f}  {line.zh} | {line.en}" for line in story.tell(its, call, full=True)
        ]
        lines.append("")
    lines.append("# every fact")
    lines += [_line(fact, start) for fact in facts]
    return "\n".join(lines) + "\n"


def _by_call(facts: list[Fact]) -> dict[CallId, list[Fact]]:
    """Each call's facts, as the switchboard hands them to the journal."""
    calls: dict[CallId, list[Fact]] = {fact.call: [] for fact in facts if isinstance(fact, CallArrived)}
    switchboard = Switchboard()

    def file(heard: Heard) -> None:
        if heard.call in calls:
            calls[heard.call].append(heard.fact)

    switchboard.listen(file)
    for fact in facts:
        switchboard.hear(fact)
    return calls


def _line(fact: Fact, start: float) -> str:
    words = re.sub(r"(?<!^)([A-Z])", r" \1", type(fact).__name__).lower()
    if isinstance(fact, Snapshot):
        legs = ", ".join(f"{leg.leg} of {leg.call}" for leg in fact.legs) or "none"
        return f"{max(fact.at - start, 0):8.3f}  {words}: legs {legs}; {len(fact.waiters)} waiting"
    told = ", ".join(
        f"{field.name} {getattr(fact, field.name)!s}".rstrip()
        for field in fields(fact)
        # what few calls have (a centre, its case) is told where there is some
        if field.name not in ("at", "node") and (field.default != "" or getattr(fact, field.name) != "")
    )
    return f"{max(fact.at - start, 0):8.3f}  {words}: {told}"
