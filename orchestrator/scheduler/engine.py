"""The scheduler without its shell: objects go in, bindings and refusals come out. No clock, no I/O.

A pod that was given a node counts there at once (it is assumed) until the watch shows it bound, or until the caller
says that the binding failed; then it is forgotten and waits its back-off.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from orchestrator.scheduler.cycle import MAX_RUN, Run
from orchestrator.scheduler.decision import Diagnosis
from orchestrator.scheduler.framework import Profile
from orchestrator.scheduler.hints import Change, Event, node_changes
from orchestrator.scheduler.plugins.default import default_profile
from orchestrator.scheduler.pod_facts import PodFacts
from orchestrator.scheduler.preemption import Budget, Preemption, preempt
from orchestrator.scheduler.queue import QueueStatistics, SchedulingQueue, Waiting
from orchestrator.scheduler.shape import DEFAULT_SCHEDULER, Shape, shape_key, shape_of
from orchestrator.scheduler.siblings import OwnerSelector, Siblings
from orchestrator.scheduler.snapshot import NodeFacts, Placed, Snapshot

MAX_SHAPES = 4096
"""Parsed shapes kept for reuse (about 3 KB each); the least recently used goes first."""
MAX_BATCH = 256
"""Pods tried at once: what is decided between two looks at the mailbox, and bound in one batch."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Bind this pod to this node."""

    key: str
    uid: str
    node: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """No node can take the pod. ``nominated``: where room is made for it; None: keep what its status says."""

    key: str
    uid: str
    message: str
    victims: tuple[Placed, ...] = ()
    nominated: str | None = None


@dataclass(slots=True)
class Outcome:
    assignments: list[Assignment] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    nodes: int
    placed: int
    assumed: int
    shapes: int
    queue: QueueStatistics


class Engine:
    """Owns the snapshot and the queue. ``now`` is seconds of one clock in all calls."""

    def __init__(
        self, random_: random.Random, owner_selector: OwnerSelector, profiles: Sequence[Profile] | None = None
    ) -> None:
        self.snapshot = Snapshot()
        self.budgets: dict[str, Budget] = {}
        """PodDisruptionBudgets by key."""
        self._random = random_
        self._rng = np.random.Generator(np.random.PCG64(random_.getrandbits(64)))
        self._queue = SchedulingQueue()
        self._siblings = Siblings(owner_selector)
        self._profiles: Mapping[str, Profile] = {p.scheduler: p for p in profiles or [default_profile()]}
        self._known: dict[str, tuple[str, Shape, bool]] = {}
        """By key: uid, shape, and whether it is on a node (else it waits, or is gated)."""
        self._assumed: dict[str, Waiting] = {}
        self._shapes: OrderedDict[object, Shape] = OrderedDict()
        self._interned: OrderedDict[str, Shape] = OrderedDict()

    # what the watch tells

    def node(self, name: str, facts: NodeFacts | None, now: float) -> None:
        if facts is None:
            self.snapshot.remove_node(name)
            return
        column = self.snapshot.columns.get(name)
        before = self.snapshot.facts[column] if column is not None else None
        if before != facts:
            self.snapshot.set_node(facts)
            self._queue.wake([Event(change) for change in node_changes(before, facts)], now)

    def service(self, key: str, selector: dict[str, str] | None) -> None:
        self._siblings.set_service(key, selector)

    def namespace(self, name: str, labels: dict[str, str] | None, now: float) -> None:
        self.snapshot.set_namespace(name, labels)
        self._queue.wake([Event(Change.NAMESPACE_LABELS)], now)

    def pod(self, key: str, facts: PodFacts | None, now: float) -> None:
        """The pod as it stands; None: gone."""
        known = self._known.get(key)
        if known is not None and (facts is None or facts.uid != known[0]):
            self._forget(key, now)
        if facts is None:
            return
        if facts.finished:
            if facts.key in self._known:
                self._forget(key, now)
        elif facts.node:
            self._placed(facts, now)
        else:
            self._pending(facts)

    def _forget(self, key: str, now: float) -> None:
        uid, shape, _ = self._known.pop(key)
        self._queue.remove(key, shape)
        self._assumed.pop(uid, None)
        self.snapshot.nominated.pop(uid, None)
        if self.snapshot.remove(uid) is not None:
            self._queue.wake([Event(Change.POD_GONE, shape)], now)

    def _placed(self, facts: PodFacts, now: float) -> None:
        assumed = self._assumed.pop(facts.uid, None)
        shape = assumed.shape if assumed is not None and assumed.shape.labels == facts.labels else self._shape(facts)
        before = self.snapshot.placed.get(facts.uid)
        known = self._known.get(facts.key)
        self._known[facts.key] = (facts.uid, shape, True)
        if assumed is None and known is not None and not known[2]:
            self._queue.remove(facts.key, known[1])
        self.snapshot.nominated.pop(facts.uid, None)
        if before is not None and _unchanged(before, facts, shape):
            before.started = facts.started
            return
        self.snapshot.place(
            Placed(
                facts.uid,
                facts.namespace,
                facts.name,
                facts.node,
                shape,
                started=facts.started,
                terminating=facts.terminating,
            )
        )
        self._queue.wake([Event(Change.POD_PLACED, shape)], now)

    def _pending(self, facts: PodFacts) -> None:
        if facts.uid in self._assumed or (facts.scheduler or DEFAULT_SCHEDULER) not in self._profiles:
            return
        shape = self._shape(facts)
        known = self._known.get(facts.key)
        if known is not None and known[1] is shape and not facts.terminating:
            return
        if known is not None:
            self._queue.remove(facts.key, known[1])
        self._known[facts.key] = (facts.uid, shape, False)
        if not facts.terminating and not shape.gates:
            self._queue.add(Waiting(facts.key, facts.uid, shape, facts.created, nominated=facts.nominated))

    def _shape(self, facts: PodFacts) -> Shape:
        """Pods with equal bytes, labels and siblings share the parse; pods that only look alike share the shape."""
        default = self._default_selector(facts)
        alike = (facts.view.encoded.rest, facts.namespace, frozenset(facts.labels.items()), repr(default))
        shape = self._shapes.get(alike)
        if shape is None:
            spec = facts.spec if not facts.node else {**facts.spec, "nodeName": ""}
            key = shape_key(spec, facts.namespace, facts.labels, default)
            shape = self._interned.get(key)
            if shape is None:
                shape = self._interned[key] = shape_of(spec, facts.namespace, facts.labels, default)
            self._shapes[alike] = shape
            for cache in (self._shapes, self._interned):
                if len(cache) > MAX_SHAPES:
                    cache.popitem(last=False)
        else:
            self._shapes.move_to_end(alike)
        return shape

    def _default_selector(self, facts: PodFacts) -> dict[str, object] | None:
        profile = self._profiles.get(facts.scheduler or DEFAULT_SCHEDULER)
        if profile is None or not profile.default_spreading:
            return None
        return self._siblings.selector(facts.namespace, facts.labels, facts.owner)

    # deciding

    def schedule(self, now: float, limit: int = MAX_BATCH) -> Outcome:
        """Decide for the next pods. Those that got a node are assumed there."""
        outcome = Outcome()
        pods = self._queue.pop(limit, now)
        for _, alike in groupby(pods, key=lambda pod: id(pod.shape)):
            self._schedule_alike(list(alike), outcome, now)
        return outcome

    def _schedule_alike(self, pods: list[Waiting], outcome: Outcome, now: float) -> None:
        shape = pods[0].shape
        profile = self._profiles[shape.scheduler]
        while pods:
            reserved = self._reserve(shape, pods[0].uid)
            run = Run(self.snapshot, shape, profile, self._rng, self._random)
            columns = run.place(min(len(pods), MAX_RUN))
            self._release(reserved)
            if not columns:
                self._refuse(pods, run.diagnosis, profile, outcome, now)
                return
            for pod, column in zip(pods, columns, strict=False):
                self._assume(pod, self.snapshot.names[column], outcome)
            pods = pods[len(columns) :]

    def _reserve(self, shape: Shape, uid: str) -> list[str]:
        """Room that preemption made for pods at least as important is not for this one."""
        nominated = self.snapshot.nominated
        held = [pod for pod in nominated.values() if pod.uid != uid and pod.shape.priority >= shape.priority]
        for pod in held:
            self.snapshot.place(pod)
        return [pod.uid for pod in held]

    def _release(self, uids: Iterable[str]) -> None:
        for uid in uids:
            self.snapshot.remove(uid)

    def _assume(self, pod: Waiting, node: str, outcome: Outcome) -> None:
        namespace, _, name = pod.key.partition("/")
        self.snapshot.nominated.pop(pod.uid, None)
        self.snapshot.place(Placed(pod.uid, namespace, name, node, pod.shape))
        self._assumed[pod.uid] = pod
        self._known[pod.key] = (pod.uid, pod.shape, True)
        outcome.assignments.append(Assignment(pod.key, pod.uid, node))

    def _refuse(
        self, pods: list[Waiting], diagnosis: Diagnosis, profile: Profile, outcome: Outcome, now: float
    ) -> None:
        """Pods alike are refused alike, save that each may preempt for itself."""
        message = diagnosis.message()
        hopeless: Preemption | None = None
        for pod in pods:
            found = hopeless or self._preempt(pod, diagnosis, profile)
            if found.node:
                namespace, _, name = pod.key.partition("/")
                self.snapshot.nominated[pod.uid] = Placed(pod.uid, namespace, name, found.node, pod.shape)
                pod.nominated = found.node
            else:
                hopeless = found
            text = f"{message} {found.message}" if found.message else message
            outcome.refusals.append(Refusal(pod.key, pod.uid, text, found.victims, found.nominated))
            self._queue.unschedulable(pod, diagnosis.plugins, now)

    def _preempt(self, pod: Waiting, diagnosis: Diagnosis, profile: Profile) -> Preemption:
        if diagnosis.resolvable is None or not diagnosis.nodes:
            return Preemption("")
        reserved = self._reserve(pod.shape, pod.uid)
        found = preempt(self.snapshot, pod, diagnosis.resolvable, profile, self.budgets.values(), self._rng)
        self._release(reserved)
        return found

    # what became of it

    def binding_failed(self, assignment: Assignment, now: float) -> None:
        """The pod is not on the node after all: try again after its back-off (unless it is gone)."""
        pod = self._assumed.pop(assignment.uid, None)
        if pod is None:
            return
        self.snapshot.remove(assignment.uid)
        self._known[pod.key] = (pod.uid, pod.shape, False)
        self._queue.failed(pod, now)
        self._queue.wake([Event(Change.POD_GONE, pod.shape)], now)

    def is_ready(self, now: float) -> bool:
        return self._queue.ready or self._queue.next_wake(now) == 0.0

    def next_wake(self, now: float) -> float | None:
        return 0.0 if self._queue.ready else self._queue.next_wake(now)

    def statistics(self) -> EngineStatistics:
        return EngineStatistics(
            nodes=self.snapshot.node_count,
            placed=len(self.snapshot.placed),
            assumed=len(self._assumed),
            shapes=len(self._shapes),
            queue=self._queue.statistics(),
        )


def _unchanged(before: Placed, facts: PodFacts, shape: Shape) -> bool:
    return before.node == facts.node and before.shape is shape and before.terminating == facts.terminating
