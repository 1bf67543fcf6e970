"""What an agent keyed to be kept out of the recordings while nobody of ours could pause them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MARGIN = 1.0
"""Seconds of silence more on either side: a recording nobody saw begin is placed by the end of its file."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key in the call, as Asterisk wrote it down. ``at``: seconds since the epoch, UTC."""

    at: float
    on: bool


def still_on(keys: Sequence[Key], now: float, longest: float) -> float | None:
    """Since when what is said is to be kept out; None: it is not, or the agent forgot it."""
    since: float | None = None
    for key in sorted(keys, key=lambda k: k.at):
        since = (key.at if since is None else since) if key.on else None
    return since if since is not None and now - since <= longest else None


def unkept(
    keys: Iterable[Key], began: float, ended: float, pauses: Iterable[tuple[float, float]], longest: float
) -> tuple[tuple[float, float], ...]:
    """The stretches of a leg's file to be made silent: from a key until the service paused the recording
    after all, the key of its end, ``longest`` seconds, or the end. Seconds in the file, margins included."""
    lasted = ended - began
    offs = sorted(k.at - began for k in keys if not k.on)
    known = sorted(pauses)
    found: list[tuple[float, float]] = []
    for key in sorted((k for k in keys if k.on), key=lambda k: k.at):
        at = key.at - began
        if any(begin <= at <= end for begin, end in known):
            continue
        end = min(
            next((off for off in offs if off >= at), lasted),
            next((begin for begin, _ in known if begin >= at), lasted),
            at + longest,
            lasted,
        )
        begin, end = max(0.0, at - MARGIN), min(lasted, end + MARGIN)
        if begin >= end or at > lasted:
            continue
        if found and begin <= found[-1][1]:
            begin, end = found[-1][0], max(end, found.pop()[1])
        found.append((round(begin, 3), round(end, 3)))
    return tuple(found)
