"""Taints: ``NoSchedule`` and ``NoExecute`` keep a pod out, ``PreferNoSchedule`` costs score.

Nodes with equal taints share one verdict: tolerations are matched once for each distinct set of taints.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orchestrator.scheduler.framework import Block, Filter, Nodes, Normalize, Scope, Score
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Ints, Snapshot
from orchestrator.scheduler.taints import PREFER_NO_SCHEDULE, Toleration, keeps_out, unwelcome

REASON = "node(s) had untolerated taint(s)"


class TaintToleration(Filter):
    name = "TaintToleration"
    scope = Scope.STATIC

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return len(snapshot.taint_sets) > 1

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        verdicts = np.array([keeps_out(taints, shape.tolerations) for taints in nodes.snapshot.taint_sets])
        return [Block(verdicts[nodes.cut(nodes.snapshot.taint_ids)], REASON, False)]


class TaintScore(Score):
    name = "TaintToleration"
    weight = 3
    scope = Scope.STATIC
    normalize = Normalize.LOWEST_IS_BEST

    def score(self, shape: Shape, nodes: Nodes) -> Ints:
        soft = _soft(shape.tolerations)
        counts = np.array([unwelcome(taints, soft) for taints in nodes.snapshot.taint_sets], np.int64)
        found: Ints = counts[nodes.cut(nodes.snapshot.taint_ids)]
        return found


def _soft(tolerations: Sequence[Toleration]) -> list[Toleration]:
    return [toleration for toleration in tolerations if toleration.effect in ("", PREFER_NO_SCHEDULE)]
