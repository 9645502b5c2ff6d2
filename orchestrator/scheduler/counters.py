"""How many placed pods each node has of a kind that some term asks about, kept as pods come and go.

Pods with the same namespace and labels are one class; a counter is a selector with an array over the nodes. Placing
a pod touches only the counters that its class matches. A counter nobody asked for in a while is dropped and counted
anew from the classes when it is asked for again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from orchestrator.scheduler.terms import Labels, NamespaceLabels, PodSelector, PodTerm, PodTerms

MAX_COUNTERS = 512
"""Counters kept up to date at once; each has 4 bytes for each node."""

Counts = NDArray[np.int32]
ClassKey = tuple[str, frozenset[tuple[str, str]]]


@dataclass(slots=True, eq=False)
class PodClass:
    """The placed pods with one namespace and one set of labels. ``terminating`` ones are counted apart."""

    namespace: str
    labels: Labels
    columns: dict[int, int] = field(default_factory=dict)
    terminating: dict[int, int] = field(default_factory=dict)
    counters: list[Counter] = field(default_factory=list)
    version: int = -1


@dataclass(slots=True, eq=False)
class Counter:
    """Pods matching all of ``selectors``, by node. Topology spread does not count terminating pods, affinity does."""

    selectors: tuple[PodSelector, ...]
    terminating: bool
    counts: Counts

    def matches(self, namespace: str, labels: Labels, namespace_labels: NamespaceLabels) -> bool:
        return all(selector.matches(namespace, labels, namespace_labels) for selector in self.selectors)


@dataclass(slots=True, eq=False)
class Carrier:
    """A term that placed pods carry, with the number of its carriers by node: terms bind both ways."""

    term: PodTerm
    counts: Counts
    total: int = 0


CarrierKey = tuple[str, str, str, int]
"""(role, selector key, topology, weight)"""
ANTI_AFFINITY, AFFINITY, PREFERRED = "anti", "affinity", "preferred"


class Counters:
    """All counters and carriers of one snapshot."""

    def __init__(self, capacity: int, namespace_labels: NamespaceLabels) -> None:
        self._capacity = capacity
        self._namespace_labels = namespace_labels
        self._classes: dict[ClassKey, PodClass] = {}
        self._counters: OrderedDict[tuple[str, ...], Counter] = OrderedDict()
        self._version = 0
        self._carriers: dict[CarrierKey, Carrier] = {}
        self._carrier_version = 0
        self._carrier_matches: dict[ClassKey, tuple[int, tuple[tuple[str, Carrier], ...]]] = {}

    def grow(self, capacity: int) -> None:
        extra = capacity - self._capacity
        self._capacity = capacity
        for counter in self._counters.values():
            counter.counts = np.concatenate([counter.counts, np.zeros(extra, np.int32)])
        for carrier in self._carriers.values():
            carrier.counts = np.concatenate([carrier.counts, np.zeros(extra, np.int32)])

    def class_of(self, namespace: str, labels: Labels) -> PodClass:
        key = (namespace, frozenset(labels.items()))
        found = self._classes.get(key)
        if found is None:
            found = self._classes[key] = PodClass(namespace, labels)
        return found

    def add(self, pods: PodClass, column: int, terms: PodTerms, *, terminating: bool, count: int = 1) -> None:
        """``count`` pods of the class come to the node (negative: they leave)."""
        tally = pods.terminating if terminating else pods.columns
        tally[column] = tally.get(column, 0) + count
        if not tally[column]:
            del tally[column]
        for counter in self._matching(pods):
            if counter.terminating or not terminating:
                counter.counts[column] += count
        if terms:
            self._carry(terms, column, count)
        if not pods.columns and not pods.terminating:
            self._classes.pop((pods.namespace, frozenset(pods.labels.items())), None)

    def terminate(self, pods: PodClass, column: int) -> None:
        """A pod of the class that is on the node is on its way out."""
        for counter in self._matching(pods):
            if not counter.terminating:
                counter.counts[column] -= 1
        pods.terminating[column] = pods.terminating.get(column, 0) + 1
        pods.columns[column] -= 1
        if not pods.columns[column]:
            del pods.columns[column]

    def _matching(self, pods: PodClass) -> list[Counter]:
        if pods.version != self._version:
            pods.counters = [
                c for c in self._counters.values() if c.matches(pods.namespace, pods.labels, self._namespace_labels)
            ]
            pods.version = self._version
        return pods.counters

    def counts(self, selectors: Sequence[PodSelector], *, terminating: bool) -> Counts:
        """Pods that match all the selectors, by node. The array is the live one: do not write."""
        key = (str(terminating), *(selector.key for selector in selectors))
        counter = self._counters.get(key)
        if counter is None:
            counter = Counter(tuple(selectors), terminating, np.zeros(self._capacity, np.int32))
            self._count(counter)
            self._counters[key] = counter
            self._version += 1
            if len(self._counters) > MAX_COUNTERS:
                self._counters.popitem(last=False)
        else:
            self._counters.move_to_end(key)
        return counter.counts

    def _count(self, counter: Counter) -> None:
        counter.counts[:] = 0
        for pods in self._classes.values():
            if counter.matches(pods.namespace, pods.labels, self._namespace_labels):
                for tally in (pods.columns, pods.terminating) if counter.terminating else (pods.columns,):
                    for column, count in tally.items():
                        counter.counts[column] += count

    def _carry(self, terms: PodTerms, column: int, count: int) -> None:
        for role, items in (
            (ANTI_AFFINITY, terms.anti_affinity),
            (AFFINITY, terms.affinity),
            (PREFERRED, terms.preferred),
        ):
            for term in items:
                key = (role, term.pods.key, term.topology, term.weight)
                carrier = self._carriers.get(key)
                if carrier is None:
                    carrier = self._carriers[key] = Carrier(term, np.zeros(self._capacity, np.int32))
                    self._carrier_version += 1
                carrier.counts[column] += count
                carrier.total += count
                if not carrier.total:
                    del self._carriers[key]
                    self._carrier_version += 1

    def carriers(self, namespace: str, labels: Labels) -> tuple[tuple[str, Carrier], ...]:
        """(role, carrier) of the terms of placed pods that select a pod with this namespace and these labels."""
        key = (namespace, frozenset(labels.items()))
        known = self._carrier_matches.get(key)
        if known is None or known[0] != self._carrier_version:
            if len(self._carrier_matches) > MAX_COUNTERS:
                self._carrier_matches.clear()
            matching = tuple(
                (key[0], carrier)
                for key, carrier in self._carriers.items()
                if carrier.term.pods.matches(namespace, labels, self._namespace_labels)
            )
            known = self._carrier_matches[key] = (self._carrier_version, matching)
        return known[1]

    def namespace_changed(self) -> None:
        """Labels of a namespace changed: whatever was decided by a namespace selector is counted anew."""
        self._version += 1
        self._carrier_version += 1
        for counter in self._counters.values():
            if any(selector.namespace_selector is not None for selector in counter.selectors):
                self._count(counter)


def totals(
    counts: NDArray[np.int32] | NDArray[np.int64], domains: NDArray[np.int64], where: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Sums by domain; domain 0 (nodes without the label) stays 0."""
    if where is not None:
        counts, domains = counts[where], domains[where]
    summed = np.bincount(domains, weights=counts).astype(np.int64) if len(domains) else np.zeros(1, np.int64)
    summed[0] = 0
    return summed
