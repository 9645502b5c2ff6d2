"""``spec.unschedulable`` (cordon), unless the pod tolerates the taint that stands for it."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.scheduler.framework import Block, Filter, Nodes, Scope
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Snapshot
from orchestrator.scheduler.taints import NO_SCHEDULE, UNSCHEDULABLE, Taint, tolerated

REASON = "node(s) were unschedulable"
_TAINT = Taint(UNSCHEDULABLE, "", NO_SCHEDULE)


class NodeUnschedulable(Filter):
    name = "NodeUnschedulable"
    scope = Scope.STATIC

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return not tolerated(_TAINT, shape.tolerations)

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        return [Block(nodes.cut(nodes.snapshot.unschedulable), REASON, False)]
