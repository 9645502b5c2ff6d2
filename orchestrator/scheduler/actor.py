"""The scheduler's actor: follows the caches, lets the engine decide, binds in one batch, tells why not.

Holds nothing that it cannot rebuild from the caches, so it may be killed at any time: pods that were assumed and not
bound are found unbound again. The engine (and numpy) is made when the first pod wants a node.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from actors import Actor, Tell
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.selectors import from_label_selector
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client import requests
from orchestrator.client.cache import Cache
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.informers import Informers
from orchestrator.client.kinds import (
    CSINODES,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    SERVICES,
    STATEFULSETS,
    STORAGECLASSES,
    Kind,
)
from orchestrator.client.messages import Enqueue
from orchestrator.client.protocol import Request, Response
from orchestrator.client.recorder import NORMAL, WARNING, Involved, Record, Recorder, record
from orchestrator.client.view import Owner, View
from orchestrator.scheduler.node_facts import same_node, view_facts
from orchestrator.scheduler.pod_facts import pod_facts, same_to_scheduler
from orchestrator.scheduler.unanswered import outcomes
from orchestrator.scheduler.writes import (
    bind,
    condition_of,
    patch_status,
    refused_status,
    select_node,
    take_volume,
    with_condition,
)

if TYPE_CHECKING:
    from orchestrator.scheduler.configuration import SchedulerConfiguration
    from orchestrator.scheduler.engine import Engine
    from orchestrator.scheduler.outcome import Outcome, Refusal, VolumeWork

MAX_BATCHES = 4
"""Batches of bindings on their way at once; the next waits, its pods stay in the queue."""
POD_PREEMPTED = "PreemptionByScheduler"
UNANSWERED = 0
"""No code of the API."""

FOLLOWED: tuple[Kind, ...] = (
    NAMESPACES,
    SERVICES,
    PODDISRUPTIONBUDGETS,
    STORAGECLASSES,
    CSINODES,
    PERSISTENTVOLUMES,
    PERSISTENTVOLUMECLAIMS,
    NODES,
    PODS,
)
"""In the order in which news of them is taken in: a pod finds its node, its claims and its Service there."""
WORKLOADS = {
    "ReplicaSet": REPLICASETS,
    "StatefulSet": STATEFULSETS,
    "ReplicationController": REPLICATIONCONTROLLERS,
}


class Cycle(Tell):
    """Decide for the pods that wait."""


class Bound(Tell):
    """What became of a batch: for each pod its key, uid, node and the API's code."""

    pods: list[tuple[str, str, str, int]]


class VolumesFailed(Tell):
    """A claim or volume of the pod could not be written: key, uid, node."""

    key: str
    uid: str
    node: str
    message: str


class Scheduler(Actor):
    """Serial: what the caches say is taken in between two cycles, never during one."""

    def __init__(
        self,
        client: Client,
        informers: Informers,
        recorder: Recorder,
        configuration: SchedulerConfiguration | None = None,
    ) -> None:
        self._configuration = configuration
        self._client = client
        self._informers = informers
        self._recorder = recorder
        self._caches: dict[str, Cache] = {}
        self._workloads: dict[str, Cache] = {}
        self._news: dict[str, dict[str, None]] = {kind.label: {} for kind in FOLLOWED}
        """Keys that changed and were not taken in yet, by kind; bounded by the objects there are."""
        self._engine: Engine | None = None
        self._batches = 0
        self._cycling = False
        self._timer: Any = None

    async def start(self) -> None:
        for owner, kind in WORKLOADS.items():
            self._workloads[owner] = await self._informers.cache(kind)
        for kind in FOLLOWED:
            self._caches[kind.label] = await self._informers.subscribe(kind, self.context.ref, _KEYS[kind.label])

    async def receive(self, message: Any) -> None:
        match message:
            case Enqueue():
                self._news[message.kind].update(dict.fromkeys(message.keys))
                self._wake()
            case Cycle():
                self._cycling = False
                self._cycle()
            case Bound():
                self._batches -= 1
                self._settle(message)
                self._wake()
            case VolumesFailed():
                self._volumes_failed(message)
                self._wake()

    def _wake(self) -> None:
        """One ``Cycle`` in the mailbox at a time: whatever arrives before it is part of it."""
        if not self._cycling:
            self._cycling = self.context.ref.tell_nowait(Cycle())

    def _cycle(self) -> None:
        if not all(cache.synced for cache in self._caches.values()):
            return
        if self._engine is None:
            if not self._wanted():
                return
            self._engine = self._make_engine()
        now = self.context.clock.monotonic()
        self._take_in(self._engine, now)
        if self._batches >= MAX_BATCHES:
            return
        outcome = self._engine.schedule(now)
        if outcome:
            self._batches += 1
            self.context.task(self._write(outcome), f"batch-{self._batches}")
        self._plan_wake(self._engine, now)

    def _wanted(self) -> bool:
        """Does a pod want a node? Before the first one there is nothing to decide."""
        pods = self._caches[PODS.label]
        views = (pods.get_key(key) for key in self._news[PODS.label])
        return any(view is not None and not view.facts(pod_facts).node for view in views)

    def _make_engine(self) -> Engine:
        """Imports numpy: the one time that the loop waits for it (a thread's timing would show in a simulation)."""
        from orchestrator.scheduler.engine import Engine

        return Engine(self.context.random, self._owner_selector, self._configuration)

    def _owner_selector(self, namespace: str, owner: Owner) -> Object | None:
        cache = self._workloads.get(owner.kind)
        view = cache.get(namespace, owner.name) if cache is not None else None
        if view is None:
            return None
        selector = view.spec.get("selector")
        return {"matchLabels": selector} if owner.kind == "ReplicationController" else selector

    # what the caches say

    def _take_in(self, engine: Engine, now: float) -> None:
        from orchestrator.scheduler.volume_facts import claim_facts, class_facts, volume_facts, volume_limits

        for kind in FOLLOWED:
            cache, keys = self._caches[kind.label], self._news[kind.label]
            self._news[kind.label] = {}
            for key in keys:
                view = cache.get_key(key)
                match kind.label:
                    case "pods":
                        engine.pod(key, view.facts(pod_facts) if view is not None else None, now)
                    case "nodes":
                        engine.node(key, view_facts(view) if view is not None else None, now)
                    case "services":
                        engine.service(key, view.spec.get("selector") if view is not None else None)
                    case "namespaces":
                        engine.namespace(key, view.labels if view is not None else None, now)
                    case "persistentvolumeclaims":
                        engine.claim(key, claim_facts(view.object) if view is not None else None, now)
                    case "persistentvolumes":
                        engine.volume(key, volume_facts(view.object) if view is not None else None, now)
                    case "storageclasses.storage.k8s.io":
                        engine.storage_class(key, class_facts(view.object) if view is not None else None, now)
                    case "csinodes.storage.k8s.io":
                        engine.volume_limits(key, volume_limits(view.object) if view is not None else None, now)
                    case _:
                        self._take_budget(engine, key, view)

    def _take_budget(self, engine: Engine, key: str, view: View | None) -> None:
        from orchestrator.scheduler.preemption import Budget

        if view is None:
            engine.budgets.pop(key, None)
            return
        status = view.status
        engine.budgets[key] = Budget(
            view.namespace,
            from_label_selector(view.spec.get("selector")),
            status.get("disruptionsAllowed", 0),
            frozenset(status.get("disruptedPods") or ()),
        )

    def _plan_wake(self, engine: Engine, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        seconds = engine.next_wake(now)
        if seconds == 0.0:
            self._wake()
        elif seconds is not None:
            self._timer = self.context.send_after(seconds, Cycle())

    # what goes out

    async def _write(self, outcome: Outcome) -> None:
        """Bindings first; all in one batch, each answered for itself. Until it is known what became of one, its room
        stays taken."""
        now = rfc3339(self.context.clock.time())
        refused = [self._refusal(refusal, now) for refusal in outcome.refusals]
        bindings = [requests.because(bind(each), each.key, self._revision(each.key)) for each in outcome.assignments]
        works = [(work, self._volume_writes(work)) for work in outcome.volumes]
        batch = bindings + [request for many in refused for request in many]
        batch += [request for _, writes in works for request in writes]
        try:
            responses = await self._client.batch(batch)
        except TransportError:
            responses = [Response(UNANSWERED)] * len(batch)
        codes = [response.code for response in responses[: len(outcome.assignments)]]
        rest = responses[len(batch) - sum(len(writes) for _, writes in works) :]
        for work, writes in works:
            answers, rest = rest[: len(writes)], rest[len(writes) :]
            refused_by = next((answer for answer in answers if not 200 <= answer.code < 300), None)
            if refused_by is not None:
                at = work.assignment
                await self.context.ref.tell(VolumesFailed(at.key, at.uid, at.node, f"{refused_by.code}"))
        if UNANSWERED in codes:
            codes = await outcomes(self._client, self.context.clock, outcome.assignments, bindings)
        bound = [(each.key, each.uid, each.node, code) for each, code in zip(outcome.assignments, codes, strict=True)]
        await self.context.ref.tell(Bound(bound))

    def _settle(self, message: Bound) -> None:
        """Events for the bound, another try for the others; one that is gone or bound already shows in the cache."""
        from orchestrator.scheduler.outcome import Assignment

        bound: list[Record] = []
        for key, uid, node, code in message.pods:
            about = self._about(key, uid)
            if 200 <= code < 300:
                text = f"Successfully assigned {key} to {node}"
                bound.append(record(about, NORMAL, "Scheduled", text, action="Binding"))
                continue
            if self._engine is not None:
                self._engine.binding_failed(Assignment(key, uid, node), self.context.clock.monotonic())
            self._recorder.event(about, WARNING, "FailedScheduling", f"binding rejected: {code}", action="Scheduling")
            self._news[PODS.label][key] = None
        self._recorder.events(bound)

    def _volume_writes(self, work: VolumeWork) -> list[Request]:
        """Volumes are taken at the revision at which they were seen free; a provisioner finds a claim by its node."""
        at = work.assignment
        writes = [take_volume(volume, claim) for volume, claim in work.plan.taken]
        writes += [select_node(claim, at.node) for claim in work.plan.made if claim.selected_node != at.node]
        return [requests.because(write, at.key, self._revision(at.key)) for write in writes]

    def _volumes_failed(self, message: VolumesFailed) -> None:
        from orchestrator.scheduler.outcome import Assignment

        if self._engine is not None:
            at = Assignment(message.key, message.uid, message.node)
            self._engine.volumes_failed(at, self.context.clock.monotonic())
        text = f"running PreBind plugin VolumeBinding: the write of a claim or volume was refused: {message.message}"
        self._recorder.event(
            self._about(message.key, message.uid), WARNING, "FailedScheduling", text, action="Scheduling"
        )
        self._news[PODS.label][message.key] = None

    def _revision(self, key: str) -> int:
        view = self._caches[PODS.label].get_key(key)
        return view.revision if view is not None else 0

    def _about(self, key: str, uid: str) -> Involved:
        namespace, _, name = key.partition("/")
        return Involved("v1", "Pod", namespace, name, uid, self._revision(key))

    def _refusal(self, refusal: Refusal, now: str) -> list[Request]:
        """The event, the pod's condition, and for each victim its condition and its deletion."""
        about = self._about(refusal.key, refusal.uid)
        self._recorder.event(about, WARNING, "FailedScheduling", refusal.message, action="Scheduling")
        view = self._caches[PODS.label].get_key(refusal.key)
        writes: list[Request] = []
        if view is not None and view.uid == refusal.uid:
            status = refused_status(view.status, refusal, now)
            if status is not None:
                writes.append(patch_status(view.namespace, view.name, refusal.uid, status))
        for pod in refusal.displaced:
            writes.append(patch_status(pod.namespace, pod.name, pod.uid, {"nominatedNodeName": None}))
        for victim in refusal.victims:
            text = f"{about.namespace}/{about.name}: preempting to accommodate a higher priority pod"
            condition = condition_of("DisruptionTarget", "True", POD_PREEMPTED, text, now)
            held = self._caches[PODS.label].get(victim.namespace, victim.name)
            conditions = with_condition(held.status.get("conditions") if held is not None else None, condition)
            writes.append(patch_status(victim.namespace, victim.name, victim.uid, {"conditions": conditions}))
            writes.append(requests.delete(PODS, victim.name, victim.namespace, uid=victim.uid))
            gone = Involved("v1", "Pod", victim.namespace, victim.name, victim.uid)
            self._recorder.event(gone, NORMAL, "Preempted", f"Preempted by pod {refusal.uid} on node {victim.node}")
        return [requests.because(write, refusal.key, about.revision) for write in writes]


def _pod_keys(old: View | None, new: View | None) -> Iterable[str]:
    if old is not None and new is not None and same_to_scheduler(old, new):
        return ()
    view = new or old
    return (view.key,) if view is not None else ()


def _own_keys(old: View | None, new: View | None) -> Iterable[str]:
    view = new or old
    return (view.key,) if view is not None else ()


def _node_keys(old: View | None, new: View | None) -> Iterable[str]:
    return () if old is not None and new is not None and same_node(old, new) else _own_keys(old, new)


def _label_keys(old: View | None, new: View | None) -> Iterable[str]:
    if old is not None and new is not None and old.labels == new.labels:
        return ()
    return _own_keys(old, new)


_KEYS = {
    NAMESPACES.label: _label_keys,
    SERVICES.label: _own_keys,
    STORAGECLASSES.label: _own_keys,
    CSINODES.label: _own_keys,
    PERSISTENTVOLUMES.label: _own_keys,
    PERSISTENTVOLUMECLAIMS.label: _own_keys,
    PODDISRUPTIONBUDGETS.label: _own_keys,
    NODES.label: _node_keys,
    PODS.label: _pod_keys,
}
