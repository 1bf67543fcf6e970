"""Figures for Prometheus: counted from facts as they come, and looked up when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import time

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from calls import facts as f
from calls.facts import CallId, Fact
from calls.model import Call, CallState
from queues.counted import abandoned, own, refused

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
KNOWN_STATUS = frozenset({"SUCCESS", "FAILURE", "HANGUP", "NOTFOUND", "SILENT", "SKIPPED", "LIE"})
ANSWER_SECONDS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300)
"""15 s is the rule (GB/T 33358-2016)."""

Gauge = tuple[str, str, Callable[[], float]]


class Metrics:
    """One registry of its own: two services in one process do not mix their figures."""

    def __init__(self, gauges: Iterable[Gauge] = (), live: Callable[[], Iterable[Call]] = tuple) -> None:
        """``gauges``: (name, help, look); ``live``: the calls that have not ended."""
        self.registry = CollectorRegistry()
        self._offered = self._counter("hotline_calls_offered", "Calls that entered a line", "city")
        self._answered = self._counter("hotline_calls_answered", "Calls an agent answered", "city")
        self._abandoned = self._counter(
            "hotline_calls_abandoned", "Calls whose caller hung up before an agent answered", "city"
        )
        self._advice = self._counter("hotline_advice", "Questions asked, by how they ended", "status", "by")
        self._facts = self._counter("hotline_facts", "Facts heard")
        self._wait = Histogram(
            "hotline_seconds_to_answer",
            "From entering the line to an agent",
            ["city"],
            buckets=ANSWER_SECONDS,
            registry=self.registry,
        )
        self._lag = Histogram(
            "hotline_event_lag_seconds",
            "From Asterisk's clock to our ear",
            buckets=(0.005, 0.01, 0.05, 0.1, 0.5, 1, 5),
            registry=self.registry,
        )
        self.registry.register(_Looked(tuple(gauges), live))
        self._known: dict[CallId, tuple[bool, bool]] = {}

    def heard(self, fact: Fact, calls: Iterable[Call]) -> None:
        """Count a fact and the calls it changed. Each call is offered, answered, abandoned at most once."""
        self._facts.inc()
        if not isinstance(fact, f.Snapshot | f.LinkUp | f.LinkDown):
            self._lag.observe(max(0.0, time() - fact.at))
        if isinstance(fact, f.AdviceAsked):
            status = fact.status if fact.status in KNOWN_STATUS else "other"
            by = fact.by if fact.by in ("service", "failsafe", "dialplan") else "other"
            self._advice.labels(status, by).inc()
        for call in calls:
            self._count(call)

    def look(self, gauges: Iterable[Gauge]) -> None:
        """More figures to look up when asked."""
        self.registry.register(_Looked(tuple(gauges), None))

    def text(self) -> bytes:
        return generate_latest(self.registry)

    def _count(self, call: Call) -> None:
        if not own(call) or not call.line or refused(call):
            return  # a consultation is nobody's call; a call rebuilt without its line was counted before
        known = self._known.get(call.id)
        # whether the trunk was full is known at the end of what nobody greeted
        if known is None and call.greeted is None and call.answered is None and call.ended is None:
            return
        answered, over = known or (False, False)
        if known is None:
            self._offered.labels(call.city).inc()
        if call.answered is not None and not answered:
            self._answered.labels(call.city).inc()
            self._wait.labels(call.city).observe(max(0.0, call.answered - call.arrived))
        if abandoned(call) and not over:
            self._abandoned.labels(call.city).inc()
        self._known[call.id] = (call.answered is not None, call.ended is not None)
        if call.state is CallState.ENDED:
            # ended calls change once more at most (a merge); 10,000 is far more than are around
            while len(self._known) > 10_000:
                del self._known[next(iter(self._known))]

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)


class _Looked(Collector):
    """Gauges read at the moment Prometheus asks."""

    def __init__(self, gauges: tuple[Gauge, ...], live: Callable[[], Iterable[Call]] | None) -> None:
        self._gauges = gauges
        self._live = live

    def collect(self) -> Iterable[GaugeMetricFamily]:
        if self._live is not None:
            states = GaugeMetricFamily(
                "hotline_calls", "Calls in progress by state", labels=["city", "state"]
            )
            for (city, state), count in sorted(_by_state(self._live()).items()):
                states.add_metric([city, state], count)
            yield states
        for name, text, look in self._gauges:
            yield GaugeMetricFamily(name, text, value=look())


def _by_state(calls: Iterable[Call]) -> Mapping[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for call in calls:
        counts[(call.city, call.state)] = counts.get((call.city, call.state), 0) + 1
    return counts
