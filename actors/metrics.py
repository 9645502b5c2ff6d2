"""Prometheus metrics of a system: ``registry.register(Metrics(system))``, or ``prometheus_client.REGISTRY``.

Figures of actors are summed by kind, so that a thousand actors of a class are one series. Read when they are scraped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from actors.statistics import Node
from actors.system import System

BY_KIND = (
    ("mailbox_messages", "Messages that wait.", GaugeMetricFamily),
    ("tasks", "Owned tasks that run.", GaugeMetricFamily),
    ("handled_messages", "Messages handled.", CounterMetricFamily),
    ("dropped_messages", "Messages that an overflow policy dropped.", CounterMetricFamily),
    ("restarts", "Restarts of instances.", CounterMetricFamily),
    ("crashes", "Crashes of instances and owned tasks.", CounterMetricFamily),
    ("busy_seconds", "Time in handlers, waiting inside them included.", CounterMetricFamily),
)
"""What is summed over the actors of a kind: name, help, type; in the order of ``_figures``. Living actors only."""


class Metrics(Collector):
    """A ``prometheus_client`` collector. Scrape it from the system's loop: the tree is read without a lock."""

    def __init__(self, system: System) -> None:
        self._system = system

    def collect(self) -> Iterable[Metric]:
        """All metrics, as they are now."""
        yield from self._of_kinds()
        yield from self._of_system()

    def _of_kinds(self) -> Iterator[Metric]:
        sums: dict[str, list[float]] = {}
        for node in _walk(self._system.tree()):
            held = sums.setdefault(node.kind, [0.0] * (len(BY_KIND) + 1))
            for position, figure in enumerate((1, *_figures(node))):
                held[position] += figure
        actors = GaugeMetricFamily("actors_actors", "Living actors.", labels=["system", "kind"])
        for kind, held in sums.items():
            actors.add_metric([self._system.name, kind], held[0])
        yield actors
        for position, (name, text, family) in enumerate(BY_KIND, 1):
            metric: Any = family(f"actors_{name}", text, labels=["system", "kind"])
            for kind, held in sums.items():
                metric.add_metric([self._system.name, kind], held[position])
            yield metric

    def _of_system(self) -> Iterator[Metric]:
        found = self._system.statistics()
        name = [self._system.name]
        letters = CounterMetricFamily("actors_dead_letters", "Undeliverable frames.", labels=["system", "reason"])
        for reason, count in found.dead_letters.items():
            letters.add_metric([*name, reason], count)
        yield letters
        for metric, text, value in (
            ("asks_waiting", "Asks that wait for a reply.", found.asks),
            ("workers", "Tasks in which handlers run.", found.workers),
        ):
            gauge = GaugeMetricFamily(f"actors_{metric}", text, labels=["system"])
            gauge.add_metric(name, value)
            yield gauge
        spawned = CounterMetricFamily("actors_spawned", "Actors spawned.", labels=["system"])
        spawned.add_metric(name, found.spawned)
        yield spawned


def _walk(node: Node) -> Iterator[Node]:
    for child in node.children:
        yield child
        yield from _walk(child)


def _figures(node: Node) -> tuple[float, ...]:
    found = node.statistics
    return (
        found.mailbox,
        found.tasks,
        found.handled,
        found.dropped,
        found.restarts,
        found.crashes,
        found.busy_seconds,
    )
