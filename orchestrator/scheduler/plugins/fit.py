"""Room for the pod's requests, and how full the node would be: least, most, or requested-to-capacity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import numpy as np

from orchestrator.scheduler.framework import MAX_SCORE, Block, Filter, Nodes, Scope, Score
from orchestrator.scheduler.plugin_args import CUSTOM_MAX_SCORE, LEAST_ALLOCATED, MOST_ALLOCATED, RATIO
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import PODS, Ints

TOO_MANY_PODS = "Too many pods"


class Fit(Filter):
    """Every insufficient resource of a node is a reason of its own."""

    name = "NodeResourcesFit"
    scope = Scope.NODE

    def __init__(self, ignored: Sequence[str] = (), ignored_groups: Sequence[str] = ()) -> None:
        self._ignored = frozenset(ignored)
        self._ignored_groups = frozenset(ignored_groups)

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        blocks = [Block(nodes.used(PODS) + 1 > nodes.allocatable(PODS), TOO_MANY_PODS)]
        for name, amount in shape.requests.items():
            if self._is_ignored(name):
                continue
            allocatable = nodes.allocatable(name)
            blocks.append(Block(allocatable - nodes.used(name) < amount, f"Insufficient {name}", allocatable >= amount))
        return blocks

    def _is_ignored(self, name: str) -> bool:
        group, slash, _ = name.partition("/")
        return bool(slash) and (name in self._ignored or group in self._ignored_groups)


class Strategy(Enum):
    LEAST = LEAST_ALLOCATED
    MOST = MOST_ALLOCATED
    RATIO = RATIO


@dataclass(frozen=True, slots=True)
class FitScoring:
    """How fullness becomes a score. ``points`` are (utilization percent, score 0..10) of the ratio strategy."""

    strategy: Strategy = Strategy.LEAST
    resources: tuple[tuple[str, int], ...] = (("cpu", 1), ("memory", 1))
    points: tuple[tuple[int, int], ...] = ((0, 0), (100, CUSTOM_MAX_SCORE))


class FitScore(Score):
    name = "NodeResourcesFit"
    scope = Scope.NODE

    def __init__(self, scoring: FitScoring | None = None) -> None:
        self.scoring = scoring or FitScoring()

    def score(self, shape: Shape, nodes: Nodes) -> Ints:
        total = np.zeros(len(nodes), np.int64)
        weights = np.zeros(len(nodes), np.int64)
        ratio = self.scoring.strategy is Strategy.RATIO
        for name, weight in self.scoring.resources:
            requested, capacity = fullness(name, shape, nodes)
            counted = capacity > 0
            points = self._points(requested, np.where(counted, capacity, 1))
            if ratio:
                counted &= points > 0
            total += np.where(counted, points * weight, 0)
            weights += np.where(counted, weight, 0)
        divisor = np.where(weights > 0, weights, 1)
        if ratio:
            return np.floor(total / divisor + 0.5).astype(np.int64)
        return total // divisor

    def _points(self, requested: Ints, capacity: Ints) -> Ints:
        over = requested > capacity
        match self.scoring.strategy:
            case Strategy.LEAST:
                return np.where(over, 0, (capacity - requested) * MAX_SCORE // capacity)
            case Strategy.MOST:
                return np.minimum(requested, capacity) * MAX_SCORE // capacity
            case Strategy.RATIO:
                return self._line(np.where(over, 100, requested * 100 // capacity))

    def _line(self, utilization: Ints) -> Ints:
        """The broken line through the points, in integers as Go divides them (towards zero)."""
        points = [(at, score * (MAX_SCORE // CUSTOM_MAX_SCORE)) for at, score in self.scoring.points]
        result = np.full(len(utilization), points[-1][1], np.int64)
        for (left, low), (right, high) in reversed(list(pairwise(points))):
            rise = (high - low) * (utilization - left)
            here = low + np.sign(rise) * (np.abs(rise) // (right - left))
            result = np.where(utilization <= right, here, result)
        return np.where(utilization <= points[0][0], points[0][1], result)


def fullness(name: str, shape: Shape, nodes: Nodes) -> tuple[Ints, Ints]:
    """(requested with this pod, capacity) of a resource as scoring sees it; capacity 0 where it does not count."""
    capacity = nodes.allocatable(name)
    if name == "cpu":
        return nodes.scored()[0] + shape.scored[0], capacity
    if name == "memory":
        return nodes.scored()[1] + shape.scored[1], capacity
    amount = shape.requests.get(name, 0)
    if not amount and name != "ephemeral-storage":
        return capacity, np.zeros_like(capacity)
    return nodes.used(name) + amount, capacity
