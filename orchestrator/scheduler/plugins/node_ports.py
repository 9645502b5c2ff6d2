"""Host ports: one protocol, address and port is held by one pod of a node; 0.0.0.0 stands for every address."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orchestrator.scheduler.framework import Block, Filter, Nodes, Scope
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Mask, Snapshot

REASON = "node(s) didn't have free ports for the requested pod ports"
ANY = "0.0.0.0"


class NodePorts(Filter):
    name = "NodePorts"
    scope = Scope.NODE

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return bool(shape.ports)

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        return [Block(nodes.cut(_taken(shape, nodes.snapshot)) | (np.asarray(nodes.extra) > 0), REASON)]


def _taken(shape: Shape, snapshot: Snapshot) -> Mask:
    taken = np.zeros(snapshot.size, np.bool_)
    for protocol, address, port in shape.ports:
        for column, addresses in snapshot.ports.get((protocol, port), {}).items():
            if address == ANY or address in addresses or ANY in addresses:
                taken[column] = True
    return taken
