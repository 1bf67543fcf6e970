"""A small town for stories: facts with the boring parts filled in, and any fact at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from calls import facts as f
from calls.facts import CallId, Fact, LegId

CALL = CallId("demo-n1-100.1")
CALLER = LegId("n1-100.1")
SEAT_LEG = LegId("n1-100.2")


def said(kind: type[Fact], at: float = 100.0, /, **told: Any) -> Any:
    """A fact about the one call of the town, seat 1001 and queue general, unless told otherwise."""
    usual: dict[str, Any] = {
        "at": at,
        "node": "n1",
        "call": CALL,
        "leg": CALLER,
        "city": "demo",
        "id": "h1",
        "step": "asked",
        "centre": "110",
        "case": "JQ-1",
        "words": (("officer", "0231"),),
        "trunk": "carrier",
        "line": "main",
        "called": "12345",
        "original": "12345",
        "caller": "13800138000",
        "sip_call": "abc@x",
        "queue": "general",
        "position": 1,
        "waiting": 1,
        "waited": 5.0,
        "since": 90.0,
        "seat": "1001",
        "rang": 2.0,
        "talked": 30.0,
        "reason": "caller",
        "by": "caller",
        "cause": 16,
        "status": "SUCCESS",
        "next": "queue:general",
        "menu": "top",
        "key": "1",
        "file": "a.wav",
        "message": "",
        "bridge": "b1",
        "kind": "basic",
        "penalty": 0,
        "paused": False,
        "state": "not_inuse",
        "contact": "sip:1001@127.0.0.1",
        "version": "22.10.1",
        "boot": "1",
        "why": "gone",
        "channel": "PJSIP/demo-carrier-1",
        "endpoint": "demo-carrier",
        "context": "demo-line-main",
        "linked": CALLER,
        "room": "r",
        "marked": False,
        "ok": True,
        "to": "1002",
        "original_leg": CALLER,
        "consult": SEAT_LEG,
        "joined": (CALLER, SEAT_LEG),
        "legs": (),
        "members": (),
        "waiters": (),
        "queues": (("demo", "general"),),
        "agent": "8001",
        "agents": None,
        "did": "in",
        "count": 1,
        "limit": 3,
        "how": "listen",
        "sound": "hotline/mass-event",
        "announcements": None,
        "callback_of": "",
        "number": "13800138000",
        "rank": 904724199,
        "tries": 0,
        "due": 0.0,
        "phone": "duty",
        "call_backs": None,
        "on": True,
        "flag": "gas",
        "second": 3.5,
        "seconds": 4.5,
        "ended": 160.0,
        "steps": (),
        "sha256": "0" * 64,
    }
    if kind is f.CallArrived:
        usual["centre"] = usual["case"] = ""
    if kind is f.FlagRaised:
        usual["words"] = "家里有煤气味"
    if kind is f.CallBackMoved:
        usual["state"] = "asked"
    if kind in (f.SeatRang, f.SeatDeclined, f.SeatAnswered):
        usual["leg"] = SEAT_LEG
    if kind is f.AttendedTransferred:
        usual["original"] = CALLER
    if kind is f.BlindTransferred:
        usual["by"] = SEAT_LEG
    usual |= told
    names = [name for name in kind.__dataclass_fields__ if name in usual]
    return kind(**{name: usual[name] for name in names})


def seat_starts(leg: LegId = SEAT_LEG, seat: str = "1001", at: float = 100.0) -> f.LegStarted:
    started: f.LegStarted = said(
        f.LegStarted,
        at,
        leg=leg,
        channel=f"PJSIP/demo-{seat}-1",
        endpoint=f"demo-{seat}",
        called="",
        call=CALL,
    )
    return started


def arrives(at: float = 100.0) -> list[Fact]:
    return [said(f.LegStarted, at, call=None), said(f.CallArrived, at)]


def answered(at: float = 110.0) -> list[Fact]:
    """Arrived, greeted, queued, rung and answered by seat 1001."""
    return [
        *arrives(at - 10),
        said(f.GreetingEnded, at - 8),
        said(f.AdviceAsked, at - 8, by="service"),
        said(f.QueueJoined, at - 7),
        seat_starts(at=at - 7),
        said(f.SeatRang, at - 7),
        said(f.LegRang, at - 7, leg=SEAT_LEG),
        said(f.LegAnswered, at, leg=SEAT_LEG),
        said(f.QueueLeft, at),
        said(f.SeatAnswered, at),
        said(f.LegJoined, at, leg=CALLER),
        said(f.LegJoined, at, leg=SEAT_LEG),
    ]


def leg_now(leg: LegId = CALLER, **told: Any) -> f.LegNow:
    usual: dict[str, Any] = {
        "leg": leg, "channel": "PJSIP/demo-carrier-1", "call": CALL, "endpoint": "demo-carrier",
        "linked": CALLER, "caller": "13800138000", "called": "12345", "context": "demo-line-main",
        "up": True, "bridge": "",
        "seconds": 20.0,
    }  # fmt: skip
    return f.LegNow(**(usual | told))


def member_now(**told: Any) -> f.MemberNow:
    usual: dict[str, Any] = {
        "city": "demo", "seat": "1001", "queue": "general", "penalty": 0, "paused": False, "reason": "",
        "device": "not_inuse", "calls_taken": 0, "in_call": False,
    }  # fmt: skip
    return f.MemberNow(**(usual | told))


# --- any fact at random -------------------------------------------------------------------------

LEGS = [LegId(f"n1-100.{n}") for n in range(1, 6)]
CALLS = [CallId(f"demo-n1-100.{n}") for n in (1, 2)]

_words: dict[str, st.SearchStrategy[Any]] = {
    "call": st.sampled_from(CALLS),
    "leg": st.sampled_from(LEGS),
    "linked": st.sampled_from(LEGS),
    "seat": st.sampled_from(["1001", "1002"]),
    "direction": st.sampled_from(["", "", "out"]),
    "queue": st.sampled_from(["general", "market"]),
    "by": st.sampled_from(["caller", "agent", "system", "nobody"]),
    "reason": st.sampled_from(["", "lunch", "wrapup:200", "wrapup:", "wrapup:x", "rest:300", "transfer"]),
    "status": st.sampled_from(["TIMEOUT", "FULL", "JOINEMPTY", "CONTINUE", "SUCCESS", "?"]),
    "key": st.sampled_from(["", "1"]),
    "state": st.sampled_from(["not_inuse", "inuse", "unavailable", "ringing", "?"]),
    "bridge": st.sampled_from(["b1", "b2"]),
    "kind": st.sampled_from(["basic", "holding", "conference"]),
    "endpoint": st.sampled_from(["demo-carrier", "demo-1001", "demo-1002", ""]),
    "channel": st.sampled_from(
        ["PJSIP/demo-1001-1", "Local/s@transfer-target-1;1", "Local/s@transfer-target-1;2"]
    ),
    "called": st.sampled_from(["", "12345"]),
    "ok": st.booleans(),
    "paused": st.booleans(),
    "contact": st.sampled_from(["a", "b", ""]),
    "joined": st.tuples(st.sampled_from(LEGS), st.sampled_from(LEGS)),
    "consult": st.sampled_from(LEGS),
    "agent": st.sampled_from(["8001", "8002"]),
    "did": st.sampled_from(["in", "out", "pause", "ready"]),
    "count": st.integers(1, 4),
    "id": st.sampled_from(["h1", "h2"]),
    "step": st.sampled_from(["asked", "dialled", "answered", "joined", "refused", "handed", "back", "?"]),
    "centre": st.sampled_from(["110", "120"]),
    "case": st.sampled_from(["", "JQ-1"]),
    "words": st.sampled_from([(), (("officer", "0231"),), (("received", ""), ("outcome", "kept"))]),
    "agents": st.sampled_from([None, (), (("demo", "1001", "8002"),), (("demo", "1002", "8001"),)]),
}
_now = st.builds(
    lambda leg, call, endpoint, up, bridge: leg_now(leg, call=call, endpoint=endpoint, up=up, bridge=bridge),
    st.sampled_from(LEGS),
    st.sampled_from([*CALLS, None]),
    _words["endpoint"],
    st.booleans(),
    st.sampled_from(["", "b1", "b2"]),
)
_member = st.builds(
    lambda seat, queue, paused, device, reason: member_now(
        seat=seat, queue=queue, paused=paused, device=device, reason=reason
    ),
    _words["seat"],
    _words["queue"],
    st.booleans(),
    _words["state"],
    _words["reason"],
)
_waiter = st.builds(
    lambda queue, leg: f.WaiterNow(city="demo", queue=queue, leg=leg, position=1, waited=3.0),
    _words["queue"],
    st.sampled_from(LEGS),
)


@st.composite
def any_fact(draw: st.DrawFn) -> Fact:
    from calls.codec import FACTS

    kind = draw(st.sampled_from(sorted(FACTS.values(), key=lambda k: k.__name__)))
    at = draw(st.floats(100.0, 1000.0, allow_nan=False))
    told = {n: draw(_words[n]) for n in kind.__dataclass_fields__ if n in _words}
    if kind is f.BlindTransferred:
        told |= {"by": draw(st.sampled_from(LEGS)), "leg": draw(st.sampled_from([*LEGS, None]))}
    if kind is f.AttendedTransferred:
        told["original"] = draw(st.sampled_from(LEGS))
    if kind is f.LegStarted:
        told["call"] = draw(st.sampled_from([*CALLS, None]))
    if kind is f.FlagRaised:
        told |= {"words": "着火了", "flag": draw(st.sampled_from(["fire", "gas"]))}
    if kind is f.CallArrived:
        told["leg"] = LegId(told["call"].partition("-")[2])
    if kind is f.Snapshot:
        told["legs"] = tuple(draw(st.lists(_now, max_size=5, unique_by=lambda x: x.leg)))
        told["members"] = tuple(draw(st.lists(_member, max_size=3, unique_by=lambda x: (x.seat, x.queue))))
        told["waiters"] = tuple(draw(st.lists(_waiter, max_size=3, unique_by=lambda x: x.leg)))
    fact: Fact = said(kind, at, **told)
    return fact


def nothing_left(at: float = 2000.0) -> f.Snapshot:
    snapshot: f.Snapshot = said(f.Snapshot, at)
    return snapshot
