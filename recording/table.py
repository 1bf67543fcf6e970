"""What becomes of the recording of each leg: wanted -> rolling -> paused -> filed | missing.

Asterisk writes the files, one for each leg of a call, and does so without us. This table knows which there
should be, so that one that is not there is missing aloud and never simply absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.picture import caller_leg, city_of, newest, without
from calls.value import dataclass, field, replace
from plan.words import SEAT

K = TypeVar("K")


class State(StrEnum):
    WANTED = "wanted"  # this leg is heard by somebody and Asterisk has not said that it writes
    ROLLING = "rolling"
    PAUSED = "paused"  # rolling in silence: sensitive data are said
    FILED = "filed"
    MISSING = "missing"
    EXPIRED = "expired"  # only in history: it was kept as long as the plan says


LIFE: Mapping[tuple[State, type[Fact]], State] = {
    (State.WANTED, f.RecordingStarted): State.ROLLING,
    (State.ROLLING, f.RecordingPaused): State.PAUSED,
    (State.PAUSED, f.RecordingResumed): State.ROLLING,
    (State.WANTED, f.RecordingMissing): State.MISSING,
    (State.ROLLING, f.RecordingMissing): State.MISSING,
    (State.PAUSED, f.RecordingMissing): State.MISSING,
    (State.WANTED, f.RecordingFiled): State.FILED,
    (State.ROLLING, f.RecordingFiled): State.FILED,
    (State.PAUSED, f.RecordingFiled): State.FILED,
    # a file that turned up after all: a disk that came back, an Asterisk that wrote it late
    (State.MISSING, f.RecordingFiled): State.FILED,
}
"""(state, fact about this leg) -> next state; a pair that is not here changes nothing."""
MESSAGE = "-message"
"""Behind the caller's leg: the name of the message that this caller left (``asterisk_conf.shared``)."""
KEPT_OVER = 2048
"""Recordings that are filed or missing, kept so that a late fact finds them so."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One leg's file. Moments are seconds since the epoch, UTC."""

    leg: LegId
    call: CallId
    state: State
    since: float
    """When this state began."""
    began: float | None = None
    """When Asterisk began to write; None: it never said so."""
    ended: float | None = None
    """When the leg was over; None while it goes on."""
    sure: bool = True
    """Whether ``ended`` was heard; False: the leg was gone when we looked again."""
    file: str = ""
    """Below the folder of recordings, as Asterisk wrote it."""
    endpoint: str = ""
    pauses: tuple[tuple[float, float], ...] = ()
    """From and to, seconds after ``began``."""
    why: str = ""
    """Why it is missing."""
    missed: tuple[tuple[float, float | None], ...] = ()
    """From and to, seconds since the epoch: it was to be paused and was not. To None: it still is not."""
    apart: tuple[tuple[float, float], ...] = ()
    """From and to, seconds since the epoch: consultations, in which this leg talked to somebody while the
    citizen of its call heard nobody."""
    away: float | None = None
    """Since when the citizen hears nobody, not this leg either; None: they hear each other, or never did."""
    consults: bool = False
    """Whether it has talked to somebody else since."""
    met: bool = False
    """Whether the citizen has ever heard it."""

    @property
    def over(self) -> bool:
        return self.state in (State.FILED, State.MISSING)

    @property
    def due(self) -> bool:
        """The leg is over and nobody has looked at its file."""
        return self.ended is not None and not self.over


def is_message(leg: LegId) -> bool:
    """Whether this recording is a message that was left, and no leg's own."""
    return leg.endswith(MESSAGE)


def message_of(leg: LegId) -> LegId:
    """The name of the message that the caller with this leg left."""
    return LegId(leg + MESSAGE)


def speaker(leg: LegId) -> LegId:
    """The leg whose voice is in this recording."""
    return LegId(leg.removesuffix(MESSAGE))


@dataclass(frozen=True, slots=True)
class _Leg:
    call: CallId | None
    endpoint: str
    channel: str
    begun: bool = False
    """Whether it was heard to begin."""


@dataclass(frozen=True, slots=True)
class Recordings:
    """``going`` are those whose leg goes on or whose file waits to be looked at; ``over`` the others."""

    going: Mapping[LegId, Recording] = field(default_factory=dict)
    over: Mapping[LegId, Recording] = field(default_factory=dict)
    legs: Mapping[LegId, _Leg] = field(default_factory=dict)
    heirs: Mapping[LegId, LegId] = field(default_factory=dict)
    """A leg that took another's place by masquerade, and whose file it goes on in."""
    lines: frozenset[CallId] = frozenset()
    """Calls that entered a line of ours: only those are answered and recorded."""
    told: frozenset[CallId] = frozenset()
    """Calls of which the dialplan told that they arrived, also those that a seat made to a citizen."""
    rooms: Mapping[LegId, str] = field(default_factory=dict)
    """The bridge in which a leg talks."""
    inside: Mapping[str, frozenset[LegId]] = field(default_factory=dict)
    """The same by bridge: who talks in it."""
    calls: Mapping[CallId, frozenset[LegId]] = field(default_factory=dict)
    """Of each call, those of ``going``."""
    touched: tuple[Recording, ...] = field(default=(), compare=False)

    def of(self, leg: LegId) -> Recording | None:
        leg = self.heirs.get(leg, leg)
        return self.going.get(leg) or self.over.get(leg)

    def due(self) -> list[Recording]:
        """Those whose file is to be looked at now, the oldest first."""
        return sorted((r for r in self.going.values() if r.due), key=lambda r: r.ended or 0.0)

    def of_call(self, call: CallId) -> list[Recording]:
        """Those of a call that go on, the caller's first."""
        mine = [r for r in self.going.values() if r.call == call and r.ended is None]
        return sorted(mine, key=lambda r: (r.leg != caller_leg(call), r.began or 0.0))


def step(all_: Recordings, fact: Fact) -> Recordings:
    """The recordings after this fact; ``touched`` are those it changed. Never raises."""
    if all_.touched:
        all_ = replace(all_, touched=())
    handler = _HANDLERS.get(type(fact))
    return all_ if handler is None else handler(all_, fact)


def _put(all_: Recordings, one: Recording) -> Recordings:
    touched = (*all_.touched, one)
    going, was = without(all_.going, one.leg), all_.going.get(one.leg)
    calls = all_.calls
    if was is not None and (one.over or was.call != one.call):
        calls = _less(calls, was.call, one.leg)
    if not one.over and (was is None or was.call != one.call):
        calls = {**calls, one.call: calls.get(one.call, frozenset()) | {one.leg}}
    all_ = replace(all_, calls=calls) if calls is not all_.calls else all_
    if one.over:
        return replace(all_, going=going, over=newest(all_.over, one.leg, one, KEPT_OVER), touched=touched)
    # the newest last, also when it was there
    return replace(all_, going={**going, one.leg: one}, over=without(all_.over, one.leg), touched=touched)


def _less(legs: Mapping[K, frozenset[LegId]], key: K, leg: LegId) -> Mapping[K, frozenset[LegId]]:
    """Without this one; nobody leaves nothing behind."""
    rest = legs[key] - {leg}
    return {**legs, key: rest} if rest else without(legs, key)


def _in_room(all_: Recordings, leg: LegId, bridge: str) -> Recordings:
    """This leg talks in this bridge; empty: in none."""
    was = all_.rooms.get(leg, "")
    if was == bridge:
        return all_
    rooms, inside = all_.rooms, all_.inside
    if was:
        rooms, inside = without(rooms, leg), _less(inside, was, leg)
    if bridge:
        rooms = {**rooms, leg: bridge}
        inside = {**inside, bridge: inside.get(bridge, frozenset()) | {leg}}
    return replace(all_, rooms=rooms, inside=inside)


def _moved(one: Recording, fact: Fact, **changes: Any) -> Recording | None:
    after = LIFE.get((one.state, type(fact)))
    return None if after is None else replace(one, state=after, since=fact.at, **changes)


# --- legs ---------------------------------------------------------------------------------------


def _leg_started(all_: Recordings, x: f.LegStarted) -> Recordings:
    known = all_.legs.get(x.leg)
    call = x.call if known is None or known.call is None else known.call
    return _note(all_, x.leg, _Leg(call, x.endpoint, x.channel, begun=True))


def _leg_belongs(all_: Recordings, x: f.LegBelongs) -> Recordings:
    known = all_.legs.get(x.leg) or _Leg(None, x.endpoint, "")
    all_ = _note(all_, x.leg, replace(known, call=x.call, endpoint=known.endpoint or x.endpoint))
    one = all_.of(x.leg)
    # a consultation's leg becomes part of the citizen's call, and so does its file
    if one is not None and one.call != x.call:
        all_ = _put(all_, replace(one, call=x.call))
    return _consulted(all_, x.call, x.at)


def _note(all_: Recordings, leg: LegId, known: _Leg) -> Recordings:
    return replace(all_, legs={**all_.legs, leg: known})


def _arrived(all_: Recordings, x: f.CallArrived) -> Recordings:
    known = all_.legs.get(x.leg) or _Leg(None, "", "")
    all_ = replace(_note(all_, x.leg, replace(known, call=x.call)), told=all_.told | {x.call})
    return replace(all_, lines=all_.lines | {x.call}) if x.line else all_


def _answered(all_: Recordings, x: f.LegAnswered) -> Recordings:
    """The caller's leg: from the first second."""
    known = all_.legs.get(x.leg)
    if known is None or known.call not in all_.lines or x.leg != caller_leg(known.call):
        return all_
    # a stand-in: who is called back speaks on a leg of their own
    if not known.endpoint:
        return all_
    return _want(all_, x.leg, x.at)


def _joined(all_: Recordings, x: f.LegJoined) -> Recordings:
    """Everybody else: from the moment on when somebody hears them."""
    known = all_.legs.get(x.leg)
    if x.kind == "holding":
        return all_
    all_ = _in_room(all_, x.leg, x.bridge)
    if known is None or known.call is None:
        return all_
    # a Local channel has no endpoint; it only carries what a leg says
    all_ = _want(all_, x.leg, x.at) if known.endpoint else all_
    return _consulted(all_, known.call, x.at)


def _left(all_: Recordings, x: f.LegLeft) -> Recordings:
    if all_.rooms.get(x.leg) != x.bridge:
        return all_
    all_ = _in_room(all_, x.leg, "")
    known = all_.legs.get(x.leg)
    return all_ if known is None or known.call is None else _consulted(all_, known.call, x.at)


def _want(all_: Recordings, leg: LegId, at: float) -> Recordings:
    known = all_.legs[leg]
    if all_.of(leg) is not None or known.call is None:
        return all_
    return _put(all_, Recording(leg, known.call, State.WANTED, since=at, endpoint=known.endpoint))


def _renamed(all_: Recordings, x: f.LegRenamed) -> Recordings:
    """Masquerade: leg W becomes X<MASQ>, leg U takes the name X and what listened to W, MixMonitor too."""
    known = all_.legs.get(x.leg)
    if known is None:
        return all_
    all_ = _note(all_, x.leg, replace(known, channel=x.channel))
    if x.channel.endswith(("<MASQ>", "<ZOMBIE>")):
        return all_
    was = next((leg for leg, k in all_.legs.items() if k.channel == x.channel + "<MASQ>"), None)
    owner = None if was is None else all_.heirs.get(was, was)
    if owner is None or owner not in all_.going or all_.of(x.leg) is not None:
        return all_
    return replace(all_, heirs={**all_.heirs, x.leg: owner})


def _ended(all_: Recordings, x: f.LegEnded) -> Recordings:
    legs = without(all_.legs, x.leg)
    mine = all_.heirs.get(x.leg, x.leg)
    # the owner's own channel may be gone while an heir's goes on in its file
    goes_on = any(owner == mine and heir != x.leg for heir, owner in all_.heirs.items())
    mine_no_more = {c for c in all_.told if c.endswith(x.leg) and caller_leg(c) == x.leg}
    lines, told = all_.lines - mine_no_more, all_.told - mine_no_more
    all_ = replace(all_, legs=legs, lines=lines, told=told, heirs=without(all_.heirs, x.leg))
    all_ = _in_room(all_, x.leg, "")
    one = all_.going.get(mine)
    if one is None or one.ended is not None or goes_on:
        return all_
    one = _met_again(one, x.at)
    return _put(all_, replace(one, ended=x.at, pauses=_closed(one, x.at), missed=_unmissed(one, x.at)))


# --- consultations ------------------------------------------------------------------------------


def _consulted(all_: Recordings, call: CallId, at: float) -> Recordings:
    """Who of this call talks to somebody while its citizen hears nobody. Told by bridges, so it holds for
    whatever led there: a key, an order, the phone's own second call."""
    citizen = _citizen(all_, call)
    here = any(_with_somebody(all_, all_.rooms.get(leg, "")) for leg in citizen)
    theirs = citizen | _beside(all_, citizen)
    changed: dict[LegId, Recording] = {}
    for one in (all_.going[leg] for leg in all_.calls.get(call, ())):
        if one.ended is not None or one.leg in theirs:
            continue
        legs = (one.leg, *(heir for heir, owner in all_.heirs.items() if owner == one.leg))
        room = next((all_.rooms[leg] for leg in legs if leg in all_.rooms), "")
        if here and room:
            after = one if one.met and one.away is None else replace(_met_again(one, at), met=True)
        elif here:
            continue  # on the way to the citizen, or out
        else:
            talks = _with_somebody(all_, room)
            if not talks and not one.met:
                continue
            since = at if one.met else (one.since if one.began is None else one.began)
            since = since if one.away is None else one.away
            after = replace(one, away=since, consults=one.consults or talks)
        if after != one:
            changed[one.leg] = after
    return replace(all_, going={**all_.going, **changed}) if changed else all_


def _with_somebody(all_: Recordings, room: str) -> bool:
    """Whether more than one is in this bridge; empty: in none."""
    return len(all_.inside.get(room, ())) > 1


def _met_again(one: Recording, at: float) -> Recording:
    """What was said since the citizen heard nobody, if anything was, is a consultation until now."""
    apart = one.apart if one.away is None or not one.consults else (*one.apart, (one.away, at))
    return replace(one, apart=apart, away=None, consults=False)


def _citizen(all_: Recordings, call: CallId) -> frozenset[LegId]:
    """The legs by which the citizen hears the others (of a call that a seat made to them: the seat's); none
    when there is no citizen in it: a seat called a colleague."""
    leg = caller_leg(call)
    known = all_.legs.get(leg)
    if known is not None and known.begun and call not in all_.told:
        city, _, seat = known.endpoint.partition("-")
        if city == city_of(call) and SEAT.fullmatch(seat):
            return frozenset()
    return frozenset({leg, *(heir for heir, owner in all_.heirs.items() if owner == leg)})


def _beside(all_: Recordings, citizen: frozenset[LegId]) -> frozenset[LegId]:
    """The leg of a citizen who is called back: it talks to the other half of the stand-in that waited."""
    halves = {all_.legs[leg].channel for leg in citizen if leg in all_.legs}
    others = {half[:-1] + ("2" if half.endswith("1") else "1") for half in halves if half[-2:-1] == ";"}
    if not others:
        return frozenset()
    rooms = {all_.rooms[leg] for leg, k in all_.legs.items() if k.channel in others and leg in all_.rooms}
    return frozenset(leg for room in rooms for leg in all_.inside[room])


# --- the file -----------------------------------------------------------------------------------


def _unmissed(one: Recording, at: float) -> tuple[tuple[float, float | None], ...]:
    """What was missed, if it ends now."""
    return tuple((since, max(since, at) if until is None else until) for since, until in one.missed)


def _recording_started(all_: Recordings, x: f.RecordingStarted) -> Recordings:
    one = all_.of(x.leg)
    if one is None:
        known = all_.legs.get(x.leg)
        endpoint = "" if known is None else known.endpoint
        one = Recording(x.leg, x.call, State.WANTED, since=x.at, endpoint=endpoint)
    moved = _moved(one, x, began=x.at, file=x.file)
    return all_ if moved is None else _put(all_, moved)


def _paused(all_: Recordings, x: f.RecordingPaused) -> Recordings:
    one = all_.of(x.leg)
    moved = None if one is None or one.ended is not None else _moved(one, x)
    return all_ if moved is None else _put(all_, replace(moved, missed=_unmissed(moved, x.at)))


def _mask_missed(all_: Recordings, x: f.MaskMissed) -> Recordings:
    one = all_.of(x.leg)
    if one is None or one.over:
        return all_
    ends = [at for at in (x.until, one.ended) if at is not None]
    if any(until is None for _, until in one.missed):
        return _put(all_, replace(one, missed=_unmissed(one, min(ends)))) if ends else all_
    if any(since == x.since for since, _ in one.missed):
        return all_  # it ended by what Asterisk told
    until = max(x.since, min(ends)) if ends else None
    return _put(all_, replace(one, missed=(*one.missed, (x.since, until))))


def _resumed(all_: Recordings, x: f.RecordingResumed) -> Recordings:
    one = all_.of(x.leg)
    moved = None if one is None else _moved(one, x, pauses=_closed(one, x.at))
    return all_ if moved is None else _put(all_, moved)


def _closed(one: Recording, at: float) -> tuple[tuple[float, float], ...]:
    if one.state is not State.PAUSED or one.began is None:
        return one.pauses
    return (*one.pauses, (round(one.since - one.began, 3), round(at - one.began, 3)))


def _filed(all_: Recordings, x: f.RecordingFiled) -> Recordings:
    one = all_.of(x.leg) or Recording(x.leg, x.call, State.WANTED, since=x.at, ended=x.at, sure=False)
    moved = _moved(one, x, file=x.file, why="", ended=x.at if one.ended is None else one.ended)
    return all_ if moved is None else _put(all_, moved)


def _missing(all_: Recordings, x: f.RecordingMissing) -> Recordings:
    one = all_.of(x.leg)
    moved = None if one is None else _moved(one, x, why=x.why)
    return all_ if moved is None else _put(all_, moved)


def _message_left(all_: Recordings, x: f.CallBackOwed) -> Recordings:
    """Asterisk has closed its file before it tells that a call is owed."""
    leg = LegId(x.message.rpartition("/")[2].removesuffix(".wav"))
    if not is_message(leg) or all_.of(leg) is not None:
        return all_
    left = Recording(leg, x.call, State.ROLLING, since=x.at, ended=x.at, sure=False, file=x.message)
    return _put(all_, left)


def _snapshot(all_: Recordings, x: f.Snapshot) -> Recordings:
    """Legs that are gone ended while nobody listened; their files are there to be looked at."""
    there = {leg.leg for leg in x.legs}
    begun = {leg for leg, known in all_.legs.items() if known.begun}
    known = {leg.leg: _Leg(leg.call, leg.endpoint, leg.channel, leg.leg in begun) for leg in x.legs}
    heirs = {k: v for k, v in all_.heirs.items() if k in there}
    calls = {k.call for k in known.values() if k.call}
    rooms = {leg.leg: leg.bridge for leg in x.legs if leg.bridge and leg.up}
    inside: dict[str, frozenset[LegId]] = {}
    for who, bridge in rooms.items():
        inside[bridge] = inside.get(bridge, frozenset()) | {who}
    lines, told = all_.lines & calls, all_.told & calls
    all_ = replace(all_, legs=known, heirs=heirs, rooms=rooms, inside=inside, lines=lines, told=told)
    for one in list(all_.going.values()):
        if one.ended is None and one.leg not in there and one.leg not in heirs.values():
            pauses, missed, one = _closed(one, x.at), _unmissed(one, x.at), _met_again(one, x.at)
            all_ = _put(all_, replace(one, ended=x.at, sure=False, pauses=pauses, missed=missed))
    for leg in x.legs:
        # heard by somebody now; that its recording began was told while nobody listened
        if leg.bridge and leg.up and leg.call is not None and leg.endpoint:
            all_ = _want(all_, leg.leg, x.at)
    # what they said before, nobody heard whom they said it to
    all_ = replace(all_, going={k: v if v.ended else replace(v, met=True) for k, v in all_.going.items()})
    for call in all_.calls:
        all_ = _consulted(all_, call, x.at)
    return all_


_HANDLERS: Mapping[type[Fact], Callable[[Recordings, Any], Recordings]] = {
    f.LegStarted: _leg_started,
    f.LegBelongs: _leg_belongs,
    f.CallArrived: _arrived,
    f.LegAnswered: _answered,
    f.LegJoined: _joined,
    f.LegLeft: _left,
    f.LegRenamed: _renamed,
    f.LegEnded: _ended,
    f.RecordingStarted: _recording_started,
    f.RecordingPaused: _paused,
    f.RecordingResumed: _resumed,
    f.MaskMissed: _mask_missed,
    f.RecordingFiled: _filed,
    f.RecordingMissing: _missing,
    f.CallBackOwed: _message_left,
    f.Snapshot: _snapshot,
}
