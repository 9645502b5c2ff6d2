"""The scheduler without its shell: objects go in, bindings and refusals come out. No clock, no I/O.

A pod that was given a node counts there at once (it is assumed) until the watch shows it bound, or until the caller
says that the binding failed; then it is forgotten and waits its back-off.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from orchestrator.scheduler.configuration import SchedulerConfiguration, default_configuration
from orchestrator.scheduler.cycle import MAX_RUN, Run
from orchestrator.scheduler.decision import Diagnosis
from orchestrator.scheduler.framework import Profile
from orchestrator.scheduler.hints import Change, Event
from orchestrator.scheduler.node_facts import NodeFacts
from orchestrator.scheduler.outcome import Assignment, Outcome, Refusal, VolumeWork
from orchestrator.scheduler.plugins.volume_binding import plan_volumes
from orchestrator.scheduler.pod_facts import PodFacts
from orchestrator.scheduler.preemption import Budget, Preemption, preempt
from orchestrator.scheduler.profiles import profiles
from orchestrator.scheduler.queue import QueueStatistics, SchedulingQueue, Waiting
from orchestrator.scheduler.shape import DEFAULT_SCHEDULER, Shape
from orchestrator.scheduler.shapes import Shapes
from orchestrator.scheduler.siblings import OwnerSelector, Siblings
from orchestrator.scheduler.snapshot import Placed, Snapshot
from orchestrator.scheduler.volume_bindings import VolumeBindings
from orchestrator.scheduler.volume_facts import ClaimFacts, ClassFacts, VolumeFacts
from orchestrator.scheduler.volumes import VolumePlan

MAX_BATCH = 512
"""Pods tried at once: what is decided between two looks at the mailbox, and bound in one batch."""


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
        self,
        random_: random.Random,
        owner_selector: OwnerSelector,
        configuration: SchedulerConfiguration | None = None,
    ) -> None:
        configuration = configuration or default_configuration()
        self.snapshot = Snapshot()
        self.budgets: dict[str, Budget] = {}
        """PodDisruptionBudgets by key."""
        self._random = random_
        self._queue = SchedulingQueue(configuration.backoff_seconds, configuration.backoff_max_seconds)
        self._siblings = Siblings(owner_selector)
        self._profiles: Mapping[str, Profile] = {each.scheduler: each for each in profiles(configuration)}
        self._bindings = VolumeBindings(self.snapshot.volumes)
        self._known: dict[str, tuple[str, Shape, bool]] = {}
        """By key: uid, shape, and whether it is on a node (else it waits, or is gated)."""
        self._assumed: dict[str, Waiting] = {}
        self._shapes = Shapes(self._siblings, self._profiles)

    # what the watch tells

    def node(self, name: str, facts: NodeFacts | None, now: float) -> None:
        column = self.snapshot.columns.get(name)
        before = self.snapshot.facts[column] if column is not None else None
        if before == facts:
            return
        if facts is None:
            self.snapshot.remove_node(name)
            self._wake(Event(Change.NODE_GONE, before=before), now)
        else:
            self.snapshot.set_node(facts)
            self._wake(Event(Change.NODE, node=facts, before=before), now)

    def _wake(self, event: Event, now: float) -> None:
        self._queue.wake(event, now, self.snapshot.namespace_labels)

    def service(self, key: str, selector: dict[str, str] | None) -> None:
        self._siblings.set_service(key, selector)

    def namespace(self, name: str, labels: dict[str, str] | None, now: float) -> None:
        self.snapshot.set_namespace(name, labels)
        self._wake(Event(Change.NAMESPACE_LABELS), now)

    def claim(self, key: str, facts: ClaimFacts | None, now: float) -> None:
        self.snapshot.volumes.set_claim(key, facts)
        self._wake(Event(Change.CLAIM, claim=key), now)

    def volume(self, name: str, facts: VolumeFacts | None, now: float) -> None:
        self.snapshot.volumes.set_volume(name, facts)
        self._wake(Event(Change.VOLUME), now)

    def storage_class(self, name: str, facts: ClassFacts | None, now: float) -> None:
        classes = self.snapshot.volumes.classes
        if facts is None:
            classes.pop(name, None)
        elif classes.get(name) != facts:
            classes[name] = facts
            self._wake(Event(Change.STORAGE_CLASS), now)

    def volume_limits(self, node: str, limits: dict[str, int] | None, now: float) -> None:
        held = self.snapshot.volumes.limits
        if limits:
            held[node] = limits
        else:
            held.pop(node, None)
        self._wake(Event(Change.VOLUME_LIMITS), now)

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
        self._bindings.pop(uid)
        self.snapshot.nominated.pop(uid, None)
        if self.snapshot.remove(uid) is not None:
            self._wake(Event(Change.POD_GONE, shape), now)

    def _placed(self, facts: PodFacts, now: float) -> None:
        assumed = self._assumed.pop(facts.uid, None)
        self._bindings.pop(facts.uid)
        before = self.snapshot.placed.get(facts.uid)
        shape = self._shape(facts, assumed, before)
        known = self._known.get(facts.key)
        self._known[facts.key] = (facts.uid, shape, True)
        if assumed is None and known is not None and not known[2]:
            self._queue.remove(facts.key, known[1])
        self.snapshot.nominated.pop(facts.uid, None)
        if before is not None and _stays(before, facts, shape):
            before.started = facts.started
            # The very texts and bytes that the cache holds.
            before.namespace, before.name, before.rest = facts.namespace, facts.name, facts.rest
            ends = before.terminating != facts.terminating
            if ends:
                self.snapshot.terminate(before)
            if ends or assumed is not None:
                self._wake(Event(Change.POD_PLACED, shape), now)
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
                rest=facts.rest,
            )
        )
        self._wake(Event(Change.POD_PLACED, shape), now)

    def _shape(self, facts: PodFacts, assumed: Waiting | None, before: Placed | None) -> Shape:
        """What a placed pod takes. It keeps the siblings with which it was placed: they matter to that alone."""
        if assumed is not None and assumed.shape.labels == facts.labels:
            return assumed.shape
        if before is not None and before.rest == facts.rest and before.shape.labels == facts.labels:
            return before.shape
        return self._shapes.of(facts)

    def _pending(self, facts: PodFacts) -> None:
        if facts.uid in self._assumed or (facts.scheduler or DEFAULT_SCHEDULER) not in self._profiles:
            return
        shape = self._shapes.of(facts)
        known = self._known.get(facts.key)
        if known is not None and known[1] is shape and not facts.terminating:
            return
        if known is not None:
            self._queue.remove(facts.key, known[1])
        self._known[facts.key] = (facts.uid, shape, False)
        if not facts.terminating and not (shape.gates and self._profiles[shape.scheduler].gates):
            waiting = Waiting(facts.key, facts.uid, shape, facts.created)
            self._nominate(waiting, facts.nominated)
            self._queue.add(waiting)

    # deciding

    def schedule(self, now: float, limit: int = MAX_BATCH) -> Outcome:
        """Decide for the next pods. Those that got a node are assumed there."""
        outcome = Outcome()
        self._follow_volumes(outcome, now)
        pods = self._queue.pop(limit, now)
        for _, alike in groupby(pods, key=lambda pod: id(pod.shape)):
            self._schedule_alike(list(alike), outcome, now)
        return outcome

    def _schedule_alike(self, pods: list[Waiting], outcome: Outcome, now: float) -> None:
        shape = pods[0].shape
        profile = self._profiles[shape.scheduler]
        while pods:
            reserved = self._reserve(shape, pods[0].uid)
            run = Run(self.snapshot, shape, profile, self._random)
            columns = self._nominated(run, pods[0]) or run.place(_run_length(pods))
            self._release(reserved)
            if not columns:
                self._refuse(pods, run.diagnosis, profile, outcome, now)
                return
            for pod, column in zip(pods, columns, strict=False):
                plan = plan_volumes(shape, self.snapshot, column) if shape.claims else VolumePlan()
                self._assume(pod, self.snapshot.names[column], plan, outcome, now)
            pods = pods[len(columns) :]

    def _nominated(self, run: Run, pod: Waiting) -> list[int]:
        """Room that was made for a pod is taken without looking for better."""
        column = self.snapshot.columns.get(pod.nominated)
        return [column] if column is not None and run.feasible[column] else []

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

    def _assume(self, pod: Waiting, node: str, plan: VolumePlan, outcome: Outcome, now: float) -> None:
        namespace, _, name = pod.key.partition("/")
        self.snapshot.nominated.pop(pod.uid, None)
        self.snapshot.place(Placed(pod.uid, namespace, name, node, pod.shape))
        self._assumed[pod.uid] = pod
        self._known[pod.key] = (pod.uid, pod.shape, True)
        assignment = Assignment(pod.key, pod.uid, node)
        if not plan:
            outcome.assignments.append(assignment)
            return
        work = VolumeWork(assignment, plan)
        self._bindings.begin(work, now + self._profiles[pod.shape.scheduler].volume_seconds)
        outcome.volumes.append(work)

    def _follow_volumes(self, outcome: Outcome, now: float) -> None:
        """Pods whose volumes are bound by now are bound too; those whose volumes went wrong try again."""
        bound, lost = self._bindings.follow(now)
        outcome.assignments += bound
        for assignment in lost:
            self.volumes_failed(assignment, now)

    def _refuse(
        self, pods: list[Waiting], diagnosis: Diagnosis, profile: Profile, outcome: Outcome, now: float
    ) -> None:
        """Pods alike are refused alike, save that each may preempt for itself."""
        message = diagnosis.message()
        hopeless: Preemption | None = None
        for pod in pods:
            found = hopeless or self._preempt(pod, diagnosis, profile)
            displaced = self._displaced(found.node, pod.shape.priority)
            if not found.node:
                hopeless = found
            if found.nominated is not None:
                self._nominate(pod, found.nominated)
            text = f"{message} {found.message}" if found.message else message
            outcome.refusals.append(Refusal(pod.key, pod.uid, text, found.victims, found.nominated, displaced))
            self._queue.unschedulable(pod, diagnosis.plugins, now)

    def _nominate(self, pod: Waiting, node: str) -> None:
        """Room on the node is kept for the pod; "": none is."""
        pod.nominated = node
        self.snapshot.nominated.pop(pod.uid, None)
        if node:
            namespace, _, name = pod.key.partition("/")
            self.snapshot.nominated[pod.uid] = Placed(pod.uid, namespace, name, node, pod.shape)

    def _displaced(self, node: str, priority: int) -> tuple[Placed, ...]:
        """Less important pods lose the room that was kept for them on the node."""
        nominated = self.snapshot.nominated
        lost = tuple(held for held in nominated.values() if held.node == node and held.shape.priority < priority)
        for held in lost:
            del nominated[held.uid]
        return lost

    def _preempt(self, pod: Waiting, diagnosis: Diagnosis, profile: Profile) -> Preemption:
        if diagnosis.resolvable is None or not diagnosis.nodes:
            return Preemption("")
        reserved = self._reserve(pod.shape, pod.uid)
        found = preempt(self.snapshot, pod, diagnosis.resolvable, profile, self.budgets.values(), self._random)
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
        self._wake(Event(Change.POD_GONE, pod.shape), now)

    def volumes_failed(self, assignment: Assignment, now: float) -> None:
        """The volumes of the pod were not bound: what was decided for it is undone."""
        if self._bindings.undo(assignment.uid):
            self.binding_failed(assignment, now)

    def next_wake(self, now: float) -> float | None:
        if self._queue.ready:
            return 0.0
        deadline = self._bindings.deadline()
        times = [self._queue.next_wake(now), None if deadline is None else max(0.0, deadline - now)]
        return min((each for each in times if each is not None), default=None)

    def statistics(self) -> EngineStatistics:
        return EngineStatistics(
            nodes=self.snapshot.node_count,
            placed=len(self.snapshot.placed),
            assumed=len(self._assumed),
            shapes=len(self._shapes),
            queue=self._queue.statistics(),
        )


def _run_length(pods: Sequence[Waiting]) -> int:
    """How many of these one evaluation can place: one that has a nomination begins its own."""
    later = (index for index, pod in enumerate(pods) if index and pod.nominated)
    return min(next(later, len(pods)), MAX_RUN)


def _stays(before: Placed, facts: PodFacts, shape: Shape) -> bool:
    """Where it is, and as it is but for being on its way out: from there is no way back."""
    return before.node == facts.node and before.shape is shape and before.terminating <= facts.terminating
