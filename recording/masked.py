"""What was to be kept out of the recordings and was not paused: keyed unheard, or asked in vain."""

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
        found.append((at, end))
    return _silent(found, lasted)


def unpaused(
    missed: Iterable[tuple[float, float | None]], began: float, ended: float
) -> tuple[tuple[float, float], ...]:
    """The stretches of a leg's file to be made silent because Asterisk did not pause it: ``missed`` from and
    to, seconds since the epoch (to None: to the end). Seconds in the file, margins included."""
    return _silent(((a - began, (ended if b is None else b) - began) for a, b in missed), ended - began)


def together(stretches: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """In order, those that touch as one."""
    found: list[tuple[float, float]] = []
    for begin, end in sorted(stretches):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return tuple(found)


def _silent(stretches: Iterable[tuple[float, float]], lasted: float) -> tuple[tuple[float, float], ...]:
    """With the margins, as far as the file goes."""
    wide = (
        (round(max(0.0, a - MARGIN), 3), round(min(lasted, b + MARGIN), 3))
        for a, b in stretches
        if a <= lasted
    )
    return together((a, b) for a, b in wide if a < b)
