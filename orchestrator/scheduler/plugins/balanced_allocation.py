"""Does the pod bring the node's resources closer to being equally full? 75 when it makes no difference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from orchestrator.scheduler.framework import MAX_SCORE, Nodes, Scope, Score
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Ints, Snapshot

Floats = NDArray[np.float64]


class BalancedAllocation(Score):
    name = "NodeResourcesBalancedAllocation"
    scope = Scope.NODE

    def __init__(self, resources: tuple[str, ...] = ("cpu", "memory")) -> None:
        self._resources = resources

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return any(shape.requests.get(name) for name in self._resources)

    def score(self, shape: Shape, nodes: Nodes) -> Ints:
        names = [name for name in self._resources if name in ("cpu", "memory") or shape.requests.get(name)]
        capacity = np.array([nodes.allocatable(name) for name in names])
        used = np.array([nodes.used(name) for name in names])
        asked = np.array([shape.requests.get(name, 0) for name in names])[:, None]
        half = MAX_SCORE // 2
        better = half + _evenness(used + asked, capacity) - _evenness(used, capacity)
        return half + better // 2


def _evenness(used: Ints, capacity: Ints) -> Ints:
    """100 less the standard deviation of how full each resource is, over the resources that the node has."""
    has = capacity > 0
    full = np.where(has, np.minimum(used / np.where(has, capacity, 1), 1.0), 0.0)
    count = has.sum(axis=0)
    if len(full) == 2:
        deviation: Floats = np.where(count == 2, np.abs(full[0] - full[1]) / 2, 0.0)
    else:
        deviation = _deviation(full, has, count)
    return ((1 - deviation) * MAX_SCORE).astype(np.int64)


def _deviation(full: Floats, has: NDArray[np.bool_], count: Ints) -> Floats:
    divisor = np.maximum(count, 1)
    mean = full.sum(axis=0) / divisor
    squares = np.where(has, (full - mean) ** 2, 0.0).sum(axis=0)
    return np.where(count > 1, np.sqrt(squares / divisor), 0.0)
