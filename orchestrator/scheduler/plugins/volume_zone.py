"""A bound volume's zone and region labels must be those of the node, if the node has any."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orchestrator.scheduler.framework import Block, Filter, Nodes
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Mask, Snapshot

REASON = "node(s) had no available volume zone"
BETA = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
LABELS = (*BETA, *BETA.values())
SEPARATOR = "__"
"""Between the zones of a volume that is in several."""


class VolumeZone(Filter):
    name = "VolumeZone"

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return bool(shape.claims)

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        zoned = nodes.none()
        for key in LABELS:
            zoned |= nodes.cut(nodes.snapshot.label(key).ids) > 0
        allowed = nodes.every()
        for key, values in _zones(shape, nodes.snapshot):
            allowed &= _has(key, values, nodes)
        return [Block(zoned & ~allowed, REASON, False)]


def _zones(shape: Shape, snapshot: Snapshot) -> Sequence[tuple[str, list[str]]]:
    volumes = snapshot.volumes
    claims = (volumes.claims.get(f"{shape.namespace}/{mount.name}") for mount in shape.claims)
    bound = (volumes.volumes.get(claim.volume) for claim in claims if claim is not None)
    return [
        (key, [zone.strip() for zone in volume.labels[key].split(SEPARATOR)])
        for volume in bound
        if volume is not None
        for key in LABELS
        if key in volume.labels
    ]


def _has(key: str, values: Sequence[str], nodes: Nodes) -> Mask:
    """By the label itself; a node without the old name of a label is known by the new one."""
    labels = nodes.snapshot.label(key)
    ids = nodes.cut(labels.ids)
    has: Mask = np.isin(ids, [labels.values[value] for value in values if value in labels.values])
    if key not in BETA:
        return has
    return np.where(ids > 0, has, _has(BETA[key], values, nodes))
