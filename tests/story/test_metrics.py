"""The counters for Prometheus tell what the ledger tells: offered, answered, abandoned."""

from __future__ import annotations

from dataclasses import replace

from calls import facts as f
from calls.facts import Fact
from calls.model import Call, CallState, LeftBy
from cti.web.metrics import Metrics
from tests.story.a_call import said
from tests.story.test_ledger import T0, a_call

ANY: Fact = said(f.LinkUp, 1.0)


def counted(*calls: Call) -> dict[str, float]:
    metrics = Metrics()
    for call in calls:
        metrics.heard(ANY, [call])
    found = {}
    for name in ("offered", "answered", "abandoned"):
        value = metrics.registry.get_sample_value(f"hotline_calls_{name}_total", {"city": "demo"})
        found[name] = value or 0.0
    return found


def life(call: Call) -> list[Call]:
    """The same call at its beginning, and at its end twice: a merge changes an ended call."""
    begins = replace(call, state=CallState.GREETED, greeted=None, answered=None, ended=None, left_by=None)
    return [begins, call, call]


def test_a_call_is_offered_answered_and_abandoned_at_most_once() -> None:
    assert counted(*life(a_call(1))) == {"offered": 1, "answered": 1, "abandoned": 0}
    assert counted(*life(a_call(2, answer=None))) == {"offered": 1, "answered": 0, "abandoned": 1}


def test_a_call_refused_at_a_full_trunk_is_in_no_counter() -> None:
    full = a_call(1, answer=None, cause=34, left_by=LeftBy.SYSTEM, greeted=None)
    assert counted(*life(full)) == {"offered": 0, "answered": 0, "abandoned": 0}


def test_who_heard_the_last_message_to_its_end_did_not_give_up() -> None:
    heard = a_call(1, answer=None, left_by=LeftBy.SYSTEM, greeted=T0 + 5)
    assert counted(*life(heard)) == {"offered": 1, "answered": 0, "abandoned": 0}
