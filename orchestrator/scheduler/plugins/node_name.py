"""``spec.nodeName`` of a pod that another scheduler left to us."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.scheduler.framework import Block, Filter, Nodes, Scope
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Snapshot

REASON = "node(s) didn't match the requested node name"


class NodeName(Filter):
    name = "NodeName"
    scope = Scope.STATIC

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return bool(shape.node_name)

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        blocked = nodes.every()
        column = nodes.snapshot.columns.get(shape.node_name)
        if column is not None:
            blocked[[index for index, at in enumerate(nodes.indexes()) if at == column]] = False
        return [Block(blocked, REASON, False)]
