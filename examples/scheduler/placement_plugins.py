"""Two plugins of one's own: a filter that minds licences, a score that likes quiet nodes.

``pip install ./examples/scheduler`` beside Podium makes them part of every profile; ``podium.yaml`` gives the score an
argument and a weight.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orchestrator.scheduler.framework import MAX_SCORE, Block, Filter, Nodes, Scope, Score
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Ints, Snapshot

LICENSE = "example.com/license"


class Licenses(Filter):
    """A pod with the label ``example.com/license: cad`` runs only on nodes with that label."""

    name = "Licenses"
    scope = Scope.STATIC  # the Node object alone decides

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return LICENSE in shape.labels

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        wanted = shape.labels[LICENSE]
        missing = np.array([labels.get(LICENSE) != wanted for labels in nodes.labels()], np.bool_)
        return [Block(missing, f"node(s) had no {wanted} license", resolvable=False)]


class QuietNodes(Score):
    """The less noise a node's label tells (0 to 100), the better; a node without the label is loud."""

    name = "QuietNodes"
    weight = 2
    scope = Scope.STATIC

    def __init__(self, label: str = "example.com/noise") -> None:
        self.label = label

    def score(self, shape: Shape, nodes: Nodes) -> Ints:
        noise = [int(labels.get(self.label, MAX_SCORE)) for labels in nodes.labels()]
        return MAX_SCORE - np.clip(np.array(noise, np.int64), 0, MAX_SCORE)
