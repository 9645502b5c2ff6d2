"""The nodes and the pods on them as arrays with a column for each node, changed pod by pod, never rebuilt.

A column belongs to a node until the node goes; then it is empty until another node takes it. Arrays are grown by
doubling, so ``size`` (columns in use) is what readers cut them to. Amounts are int64, as in ``requests``.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from orchestrator.scheduler.counters import Counters, PodClass
from orchestrator.scheduler.node_facts import NodeFacts
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.taints import Taint
from orchestrator.scheduler.terms import Labels
from orchestrator.scheduler.volumes import Volumes

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

FIRST_CAPACITY = 64
PODS = "pods"
CORE_RESOURCES = ("cpu", "memory", "ephemeral-storage", PODS)


@dataclass(slots=True, eq=False)
class Placed:
    """A pod on a node (bound, or assumed to be)."""

    uid: str
    namespace: str
    name: str
    node: str
    shape: Shape
    started: float = 0.0
    """Unix seconds; orders victims of one priority."""
    terminating: bool = False
    rest: bytes = b""
    """The encoded rest that the shape was read from, as the cache holds it; empty while the pod is assumed."""
    pods: PodClass | None = None
    """What it is counted as while it is on a node."""


@dataclass(slots=True, eq=False)
class LabelColumn:
    """One label key over the nodes: ids of values, 0 where the node has no such label."""

    ids: Ints
    values: dict[str, int] = field(default_factory=dict)

    def intern(self, value: str | None) -> int:
        return 0 if value is None else self.values.setdefault(value, len(self.values) + 1)


class Snapshot:
    """Nodes, their pods, and every count that filters and scores ask for."""

    def __init__(self) -> None:
        self.size = 0
        self.names: list[str] = []
        self.columns: dict[str, int] = {}
        self.facts: list[NodeFacts | None] = []
        self.placed: dict[str, Placed] = {}
        self.on_node: list[dict[str, Placed]] = []
        self.present: Mask = np.zeros(FIRST_CAPACITY, np.bool_)
        self.unschedulable: Mask = np.zeros(FIRST_CAPACITY, np.bool_)
        self.resources: dict[str, int] = {name: index for index, name in enumerate(CORE_RESOURCES)}
        self._allocatable: list[Ints] = [np.zeros(FIRST_CAPACITY, np.int64) for _ in CORE_RESOURCES]
        self._used: list[Ints] = [np.zeros(FIRST_CAPACITY, np.int64) for _ in CORE_RESOURCES]
        self.scored_cpu: Ints = np.zeros(FIRST_CAPACITY, np.int64)
        self.scored_memory: Ints = np.zeros(FIRST_CAPACITY, np.int64)
        self.taint_ids: Ints = np.zeros(FIRST_CAPACITY, np.int64)
        self.taint_sets: dict[tuple[Taint, ...], int] = {(): 0}
        self.images: dict[str, dict[int, int]] = {}
        self.ports: dict[tuple[str, int], dict[int, dict[str, int]]] = {}
        self.volumes = Volumes()
        self.namespaces: dict[str, Labels] = {}
        self.nominated: dict[str, Placed] = {}
        """Pods that preempted and wait for their room, by uid."""
        self.counters = Counters(FIRST_CAPACITY, self.namespace_labels)
        self.version = 0
        """Changes with every change: a cached evaluation of an older version may be stale."""
        self._labels: dict[str, LabelColumn] = {}
        self._free: list[int] = []
        self._orphans: dict[str, dict[str, Placed]] = {}

    def namespace_labels(self, namespace: str) -> Labels:
        return self.namespaces.get(namespace, {})

    @property
    def node_count(self) -> int:
        return len(self.columns)

    # nodes

    def set_node(self, facts: NodeFacts) -> None:
        """Add or change a node; pods that are known to be on it already count at once."""
        self.version += 1
        column = self.columns.get(facts.name)
        if column is None:
            column = self._take_column(facts.name)
        self._describe(column, facts)
        for pod in self._orphans.pop(facts.name, {}).values():
            self.place(pod)

    def remove_node(self, name: str) -> None:
        """The node goes; its pods wait, uncounted, until they are removed or the node returns."""
        column = self.columns.get(name)
        if column is None:
            return
        orphans = list(self.on_node[column].values())
        for pod in orphans:
            self.remove(pod.uid)
        for pod in orphans:
            self._orphans.setdefault(name, {})[pod.uid] = pod
            self.placed[pod.uid] = pod
        self._describe(column, NodeFacts(name, {}, (), False, {}, {}))
        self.version += 1
        self.present[column] = False
        self.facts[column] = None
        self.names[column] = ""
        del self.columns[name]
        heapq.heappush(self._free, column)

    def _take_column(self, name: str) -> int:
        if self._free:
            column = heapq.heappop(self._free)
            self.names[column] = name
        else:
            column = self.size
            if column == len(self.present):
                self._grow(2 * column)
            self.size += 1
            self.names.append(name)
            self.facts.append(None)
            self.on_node.append({})
        self.columns[name] = column
        self.present[column] = True
        return column

    def _grow(self, capacity: int) -> None:
        def longer(array: Ints) -> Ints:
            return np.concatenate([array, np.zeros(capacity - len(array), array.dtype)])

        self.present = np.concatenate([self.present, np.zeros(capacity - len(self.present), np.bool_)])
        self.unschedulable = np.concatenate(
            [self.unschedulable, np.zeros(capacity - len(self.unschedulable), np.bool_)]
        )
        self._allocatable = [longer(array) for array in self._allocatable]
        self._used = [longer(array) for array in self._used]
        self.scored_cpu, self.scored_memory = longer(self.scored_cpu), longer(self.scored_memory)
        self.taint_ids = longer(self.taint_ids)
        for labels in self._labels.values():
            labels.ids = longer(labels.ids)
        self.counters.grow(capacity)

    def _describe(self, column: int, facts: NodeFacts) -> None:
        before, self.facts[column] = self.facts[column], facts
        self.unschedulable[column] = facts.unschedulable
        self.taint_ids[column] = self.taint_sets.setdefault(facts.taints, len(self.taint_sets))
        for name in {**facts.allocatable, **(before.allocatable if before else {})}:
            self._allocatable[self.resource(name)][column] = facts.allocatable.get(name, 0)
        for key, labels in self._labels.items():
            labels.ids[column] = labels.intern(facts.labels.get(key))
        for name in before.images if before else ():
            self.images[name].pop(column, None)
            if not self.images[name]:
                del self.images[name]
        for name, size in facts.images.items():
            self.images.setdefault(name, {})[column] = size

    # what filters and scores read

    def resource(self, name: str) -> int:
        index = self.resources.get(name)
        if index is None:
            index = self.resources[name] = len(self.resources)
            self._allocatable.append(np.zeros(len(self.present), np.int64))
            self._used.append(np.zeros(len(self.present), np.int64))
        return index

    def allocatable(self, name: str) -> Ints:
        return self._allocatable[self.resource(name)][: self.size]

    def used(self, name: str) -> Ints:
        return self._used[self.resource(name)][: self.size]

    def label(self, key: str) -> LabelColumn:
        """Ids of the values of a label over all columns (``ids[: size]``); the domains of a topology key."""
        known = self._labels.get(key)
        if known is None:
            known = self._labels[key] = LabelColumn(np.zeros(len(self.present), np.int64))
            for column, facts in enumerate(self.facts):
                if facts is not None:
                    known.ids[column] = known.intern(facts.labels.get(key))
        return known

    def domains(self, key: str) -> Ints:
        return self.label(key).ids[: self.size]

    def set_namespace(self, name: str, labels: Labels | None) -> None:
        if self.namespaces.get(name) == labels:
            return
        if labels is None:
            del self.namespaces[name]
        else:
            self.namespaces[name] = labels
        self.version += 1
        self.counters.namespace_changed()

    # pods

    def place(self, pod: Placed) -> None:
        """The pod is on its node from now on. Replaces what was known of the same uid."""
        if pod.uid in self.placed:
            self.remove(pod.uid)
        self.placed[pod.uid] = pod
        column = self.columns.get(pod.node)
        if column is None:
            self._orphans.setdefault(pod.node, {})[pod.uid] = pod
            return
        self.on_node[column][pod.uid] = pod
        self._count(pod, column, 1)

    def terminate(self, pod: Placed) -> None:
        """A pod that was placed is on its way out: it keeps its node and what it takes there."""
        pod.terminating = True
        if pod.pods is not None and (column := self.columns.get(pod.node)) is not None:
            self.version += 1
            self.counters.terminate(pod.pods, column)

    def remove(self, uid: str) -> Placed | None:
        pod = self.placed.pop(uid, None)
        if pod is None:
            return None
        column = self.columns.get(pod.node)
        if column is None:
            orphans = self._orphans.get(pod.node, {})
            orphans.pop(uid, None)
            if not orphans:
                self._orphans.pop(pod.node, None)
            return pod
        del self.on_node[column][uid]
        self._count(pod, column, -1)
        return pod

    def _count(self, pod: Placed, column: int, sign: int) -> None:
        self.version += 1
        shape = pod.shape
        for name, amount in shape.requests.items():
            self._used[self.resource(name)][column] += sign * amount
        self._used[self.resources[PODS]][column] += sign
        self.scored_cpu[column] += sign * shape.scored[0]
        self.scored_memory[column] += sign * shape.scored[1]
        if sign > 0 or pod.pods is None:
            pod.pods = self.counters.class_of(pod.namespace, shape.labels)
        self.counters.add(pod.pods, column, shape.terms, terminating=pod.terminating, count=sign)
        if shape.ports:
            self._count_ports(shape, column, sign)
        if shape.claims:
            if sign > 0:
                self.volumes.mount(shape, pod.uid, column)
            else:
                self.volumes.unmount(shape, pod.uid)

    def _count_ports(self, shape: Shape, column: int, sign: int) -> None:
        for protocol, address, port in shape.ports:
            addresses = self.ports.setdefault((protocol, port), {}).setdefault(column, {})
            addresses[address] = addresses.get(address, 0) + sign
            if not addresses[address]:
                del addresses[address]
            if not addresses:
                del self.ports[protocol, port][column]

    def pods_of(self, columns: Iterable[int]) -> Iterable[Placed]:
        for column in columns:
            yield from self.on_node[column].values()
