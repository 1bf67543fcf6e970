"""What stands beside the calls: supervisors who are in one, announcements that are up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.value import dataclass, field, replace

KEYS = {"4": "listen", "5": "whisper", "6": "barge"}
"""A supervisor's phone changes by key too (ChanSpy's option d)."""


@dataclass(frozen=True, slots=True)
class Watching:
    """A supervisor at seat ``by`` is in the call of seat ``seat``."""

    leg: LegId
    call: CallId
    city: str
    seat: str
    by: str
    how: str
    since: float


@dataclass(frozen=True, slots=True)
class Announcement:
    """Callers of this line hear ``sound`` after the greeting."""

    city: str
    line: str
    sound: str
    since: float
    by: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Plain maps; ``touched`` is what the last step changed: legs, and (city, line)."""

    watches: Mapping[LegId, Watching] = field(default_factory=dict)
    announcements: Mapping[tuple[str, str], Announcement] = field(default_factory=dict)
    touched: frozenset[LegId | tuple[str, str]] = field(default=frozenset(), compare=False)

    def watching(self, call: CallId, by: str) -> Watching | None:
        """The watch of this call from seat ``by``."""
        return next((w for w in self.watches.values() if w.call == call and w.by == by), None)


def step(standing: Standing, fact: Fact) -> Standing:
    """After this fact. Never raises."""
    if standing.touched:
        standing = replace(standing, touched=frozenset())
    handler = _HANDLERS.get(type(fact))
    return standing if handler is None else handler(standing, fact)


def _began(s: Standing, x: f.WatchBegan) -> Standing:
    # the same leg again: it only changes how
    since = s.watches[x.leg].since if x.leg in s.watches else x.at
    watch = Watching(leg=x.leg, call=x.call, city=x.city, seat=x.seat, by=x.by, how=x.how, since=since)
    return replace(s, watches={**s.watches, x.leg: watch}, touched=frozenset({x.leg}))


def _over(s: Standing, x: f.WatchEnded | f.LegEnded) -> Standing:
    if x.leg not in s.watches:
        return s
    rest = {leg: watch for leg, watch in s.watches.items() if leg != x.leg}
    return replace(s, watches=rest, touched=frozenset({x.leg}))


def _belongs(s: Standing, x: f.LegBelongs) -> Standing:
    """A watching leg that becomes one of the call took it over."""
    watch = s.watches.get(x.leg)
    return (
        s
        if watch is None
        else replace(
            s, watches={k: v for k, v in s.watches.items() if k != x.leg}, touched=frozenset({x.leg})
        )
    )


def _key(s: Standing, x: f.KeyPressed) -> Standing:
    watch = s.watches.get(x.leg)
    how = KEYS.get(x.key)
    if watch is None or how in (None, watch.how):
        return s
    return replace(s, watches={**s.watches, x.leg: replace(watch, how=how)}, touched=frozenset({x.leg}))


def _announced(s: Standing, x: f.AnnouncementSet) -> Standing:
    key = (x.city, x.line)
    rest = {k: v for k, v in s.announcements.items() if k != key}
    if x.sound:
        rest[key] = Announcement(city=x.city, line=x.line, sound=x.sound, since=x.at, by=x.by)
    return replace(s, announcements=rest, touched=frozenset({key}))


def _snapshot(s: Standing, x: f.Snapshot) -> Standing:
    here = {leg.leg for leg in x.legs}
    touched: set[LegId | tuple[str, str]] = set(s.watches.keys() - here)
    s = replace(s, watches={leg: watch for leg, watch in s.watches.items() if leg in here})
    if x.announcements is not None:
        told = {(city, line): sound for city, line, sound in x.announcements}
        now: dict[tuple[str, str], Announcement] = {}
        for (city, line), sound in told.items():
            known = s.announcements.get((city, line))
            if known is None or known.sound != sound:
                known = Announcement(city=city, line=line, sound=sound, since=x.at, by="")
                touched.add((city, line))
            now[city, line] = known
        touched |= s.announcements.keys() - now.keys()
        s = replace(s, announcements=now)
    return replace(s, touched=frozenset(touched))


_HANDLERS: Mapping[type[Fact], Callable[[Standing, Any], Standing]] = {
    f.WatchBegan: _began,
    f.WatchEnded: _over,
    f.LegEnded: _over,
    f.LegBelongs: _belongs,
    f.KeyPressed: _key,
    f.AnnouncementSet: _announced,
    f.Snapshot: _snapshot,
}
