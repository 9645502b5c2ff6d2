"""Nodes that have the pod's images already, weighed by size and by how many nodes have them."""

from __future__ import annotations

import numpy as np

from orchestrator.scheduler.framework import MAX_SCORE, Nodes, Scope, Score
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Ints, Snapshot

MIB = 1024 * 1024
LEAST_BYTES = 23 * MIB
"""Less than this on a node is not worth a point."""
MOST_BYTES_PER_IMAGE = 1000 * MIB


class ImageLocality(Score):
    name = "ImageLocality"
    scope = Scope.STATIC

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return any(image in snapshot.images for image in shape.images)

    def score(self, shape: Shape, nodes: Nodes) -> Ints:
        snapshot = nodes.snapshot
        there = np.zeros(snapshot.size, np.int64)
        for image in shape.images:
            sizes = snapshot.images.get(image)
            if sizes:
                spread = len(sizes) / snapshot.node_count
                there[list(sizes)] += np.array([int(size * spread) for size in sizes.values()], np.int64)
        most = MOST_BYTES_PER_IMAGE * len(shape.images)
        clamped = np.clip(nodes.cut(there), LEAST_BYTES, most)
        score: Ints = MAX_SCORE * (clamped - LEAST_BYTES) // (most - LEAST_BYTES)
        return score
