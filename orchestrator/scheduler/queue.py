"""Pods that wait for a node: active (by priority, then age), in back-off, or unschedulable until an event helps.

Bounded by the pods there are: a pod is in exactly one of the three.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.scheduler.hints import Event, may_help, waits_for
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.terms import NamespaceLabels

BACKOFF_FIRST_SECONDS = 1.0
BACKOFF_MAX_SECONDS = 10.0
"""The wait doubles with each failed attempt."""
UNSCHEDULABLE_SECONDS = 300.0
"""An unschedulable pod is tried again after this long even if no event seemed to help."""


@dataclass(slots=True, eq=False)
class Waiting:
    """One pod that wants a node."""

    key: str
    uid: str
    shape: Shape
    created: float
    attempts: int = 0
    refused_by: frozenset[str] = frozenset()
    tried: float = 0.0
    """When the last attempt failed."""
    order: tuple[float, ...] = field(default=())
    nominated: str = ""


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    active: int
    backoff: int
    unschedulable: int


class SchedulingQueue:
    """Times are seconds of one clock, given with each call."""

    def __init__(self, first_seconds: float = BACKOFF_FIRST_SECONDS, max_seconds: float = BACKOFF_MAX_SECONDS) -> None:
        self._first_seconds = first_seconds
        self._max_seconds = max_seconds
        self._sequence = itertools.count()
        self._active: dict[str, Waiting] = {}
        self._heap: list[tuple[tuple[float, ...], str]] = []
        self._backoff: dict[str, tuple[float, Waiting]] = {}
        self._early: dict[str, None] = {}
        """Those in back-off that were unschedulable: tried before their time when nobody else waits (KEP-5142)."""
        self._backoff_heap: list[tuple[float, int, str]] = []
        self._unschedulable: dict[frozenset[str], dict[str, dict[str, Waiting]]] = {}
        """By the filters that refused them, then by the key of the shape: an event is weighed once for all pods alike,
        and not at all for those whose filters do not wait for its kind."""

    def add(self, pod: Waiting) -> None:
        """New, or changed so that it is worth a try at once."""
        self.remove(pod.key, pod.shape)
        pod.order = (-pod.shape.priority, pod.created, next(self._sequence))
        self._active[pod.key] = pod
        heapq.heappush(self._heap, (pod.order, pod.key))

    def remove(self, key: str, shape: Shape) -> None:
        self._active.pop(key, None)
        self._backoff.pop(key, None)
        self._early.pop(key, None)
        for shapes in self._unschedulable.values():
            alike = shapes.get(shape.key)
            if alike is not None:
                alike.pop(key, None)
                if not alike:
                    del shapes[shape.key]

    def pop(self, limit: int, now: float) -> list[Waiting]:
        """Up to ``limit`` pods in order; they are in no queue until they are given back."""
        self._ripen(now)
        if not self._active:
            self._hurry()
        pods: list[Waiting] = []
        while self._heap and len(pods) < limit:
            order, key = heapq.heappop(self._heap)
            pod = self._active.get(key)
            if pod is not None and pod.order == order:
                del self._active[key]
                pods.append(pod)
        return pods

    def unschedulable(self, pod: Waiting, refused_by: Iterable[str], now: float) -> None:
        """No node could take it: wait for an event that helps."""
        pod.attempts += 1
        pod.tried = now
        pod.refused_by = frozenset(refused_by)
        shapes = self._unschedulable.setdefault(pod.refused_by, {})
        shapes.setdefault(pod.shape.key, {})[pod.key] = pod

    def failed(self, pod: Waiting, now: float) -> None:
        """Something else went wrong (the binding was refused): try again after a while."""
        pod.attempts += 1
        pod.tried = now
        self._delay(pod)

    def wake(self, event: Event, now: float, namespaces: NamespaceLabels) -> None:
        """Move the pods that an event may help to back-off, or to active when that is over."""
        for refused_by, shapes in self._unschedulable.items():
            if not waits_for(event.change, refused_by):
                continue
            for key, alike in list(shapes.items()):
                if may_help(event, next(iter(alike.values())).shape, refused_by, namespaces):
                    for pod in alike.values():
                        self._again(pod, now)
                    del shapes[key]

    def next_wake(self, now: float) -> float | None:
        """Seconds until something may become active by time alone."""
        times = [until for until, _, _ in self._backoff_heap[:1]]
        times += [pod.tried + UNSCHEDULABLE_SECONDS for pod in self._oldest()]
        return max(0.0, min(times) - now) if times else None

    @property
    def ready(self) -> bool:
        return bool(self._active or self._early)

    def statistics(self) -> QueueStatistics:
        waiting = sum(len(alike) for alike in self._alike())
        return QueueStatistics(len(self._active), len(self._backoff), waiting)

    def _oldest(self) -> Iterable[Waiting]:
        """The first of each shape: pods of a shape are given back in the order they were tried."""
        return (next(iter(alike.values())) for alike in self._alike())

    def _alike(self) -> Iterable[dict[str, Waiting]]:
        return (alike for shapes in self._unschedulable.values() for alike in shapes.values())

    def _backoff_until(self, pod: Waiting) -> float:
        if not pod.attempts:
            return 0.0
        return pod.tried + min(self._first_seconds * 2.0 ** min(pod.attempts - 1, 30), self._max_seconds)

    def _again(self, pod: Waiting, now: float) -> None:
        if self._backoff_until(pod) <= now:
            self._activate(pod)
        else:
            self._delay(pod)
            self._early[pod.key] = None

    def _hurry(self) -> None:
        for key in self._early:
            self._activate(self._backoff.pop(key)[1])
        self._early.clear()

    def _activate(self, pod: Waiting) -> None:
        self._active[pod.key] = pod
        heapq.heappush(self._heap, (pod.order, pod.key))

    def _delay(self, pod: Waiting) -> None:
        until = self._backoff_until(pod)
        self._backoff[pod.key] = (until, pod)
        heapq.heappush(self._backoff_heap, (until, next(self._sequence), pod.key))

    def _ripen(self, now: float) -> None:
        while self._backoff_heap and self._backoff_heap[0][0] <= now:
            until, _, key = heapq.heappop(self._backoff_heap)
            held = self._backoff.get(key)
            if held is not None and held[0] == until:
                del self._backoff[key]
                self._early.pop(key, None)
                self._activate(held[1])
        for shapes in self._unschedulable.values():
            for key, alike in list(shapes.items()):
                if next(iter(alike.values())).tried + UNSCHEDULABLE_SECONDS <= now:
                    del shapes[key]
                    for pod in alike.values():
                        self._activate(pod)
