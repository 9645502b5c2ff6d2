"""The score of a node after one, two, three more pods of a shape: node-wise plugins asked ahead, many nodes at once.

Scoring one column with numpy costs nearly as much as scoring all of them. So when the chosen column of a run needs
its next score, the plugins are asked for a whole rung (every column with as many pods on top) or, while few columns
climb (packing strategies), for many rungs of that one column. Either way the cost is shared by the pods that follow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orchestrator.scheduler.framework import Filter, Nodes, Weighted
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Ints, Mask, Snapshot

DEEP_RUNGS = 16
"""Rungs of one column asked for at once."""
WIDE_AFTER = 3
"""Columns that asked for a rung one by one before it is computed for all."""

BLOCKED = -1
"""The score of a node that the pod does not fit."""


class Ladder:
    """Weighted sums of the node-wise scores by column and number of pods added; ``BLOCKED`` where it does not fit."""

    def __init__(self, snapshot: Snapshot, shape: Shape, filters: Sequence[Filter], scores: Sequence[Weighted]) -> None:
        self._snapshot = snapshot
        self._shape = shape
        self._filters = filters
        self._scores = scores
        self._level: dict[int, int] = {}
        self._wide: dict[int, Ints] = {}
        self._asked: dict[int, int] = {}
        self._deep: dict[int, tuple[int, list[int]]] = {}

    def first(self, open_: Mask) -> Ints:
        """The scores as things stand; filters were asked already."""
        return np.where(open_, self._sum(Nodes(self._snapshot, self._shape)), BLOCKED)

    def climb(self, column: int) -> int:
        """One more pod went to the column: its new score, or ``BLOCKED``."""
        level = self._level[column] = self._level.get(column, 0) + 1
        wide = self._wide.get(level)
        if wide is not None:
            return int(wide[column])
        start, scores = self._deep.get(column, (0, []))
        if not 0 <= level - start < len(scores):
            asked = self._asked[level] = self._asked.get(level, 0) + 1
            if asked > WIDE_AFTER:
                wide = self._wide[level] = self._rung(Nodes(self._snapshot, self._shape, None, level))
                return int(wide[column])
            start, scores = level, self._climb_far(column, level)
            self._deep[column] = (start, scores)
        return scores[level - start]

    def _climb_far(self, column: int, level: int) -> list[int]:
        columns = np.full(DEEP_RUNGS, column, np.int64)
        scores: list[int] = self._rung(
            Nodes(self._snapshot, self._shape, columns, np.arange(level, level + DEEP_RUNGS, dtype=np.int64))
        ).tolist()
        return scores

    def _rung(self, nodes: Nodes) -> Ints:
        blocked = nodes.none()
        for plugin in self._filters:
            for block in plugin.blocks(self._shape, nodes):
                blocked |= block.nodes
        return np.where(blocked, BLOCKED, self._sum(nodes))

    def _sum(self, nodes: Nodes) -> Ints:
        total = np.zeros(len(nodes), np.int64)
        for weighted in self._scores:
            total += weighted.weight * weighted.plugin.score(self._shape, nodes)
        return total
