"""Disks that two pods of a node cannot share, and claims that one pod of the cluster has for itself."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.scheduler.framework import Block, Filter, Nodes
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Mask, Snapshot
from orchestrator.scheduler.volume_facts import READ_WRITE_ONCE_POD

REASON_DISK = "node(s) had no available disk"
REASON_CLAIM = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
)


class VolumeRestrictions(Filter):
    name = "VolumeRestrictions"

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return bool(shape.claims or shape.disks)

    def refuses(self, shape: Shape, snapshot: Snapshot) -> str:
        return snapshot.volumes.missing(shape)

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        claimed = nodes.every() if _claimed(shape, nodes.snapshot) else nodes.none()
        return [Block(disk := _clashing(shape, nodes), REASON_DISK), Block(claimed & ~disk, REASON_CLAIM)]


def _claimed(shape: Shape, snapshot: Snapshot) -> bool:
    volumes = snapshot.volumes
    for mount in shape.claims:
        key = f"{shape.namespace}/{mount.name}"
        claim = volumes.claims.get(key)
        if not mount.ephemeral and claim and READ_WRITE_ONCE_POD in claim.modes and volumes.users.get(key):
            return True
    return False


def _clashing(shape: Shape, nodes: Nodes) -> Mask:
    clashing = nodes.none()
    if not shape.disks:
        return clashing
    for index, column in enumerate(nodes.indexes()):
        held = [disk for pod in nodes.snapshot.on_node[column].values() for disk in pod.shape.disks]
        clashing[index] = any(mine.clashes(theirs) for mine in shape.disks for theirs in held)
    return clashing
