"""Which events are worth another try of an unschedulable pod: those that one of the filters that refused it waits for.

Decided once for each shape, not for each pod (KEP-4247).
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import Enum

from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import NodeFacts


class Change(Enum):
    NODE_ADDED = "node added"
    NODE_LABELS = "node labels changed"
    NODE_TAINTS = "node taints changed"
    NODE_CORDON = "node was uncordoned"
    NODE_ROOM = "node has more room"
    POD_PLACED = "a pod was placed or its labels changed"
    POD_GONE = "a pod left its node"
    NAMESPACE_LABELS = "labels of a namespace changed"
    CLAIM = "a claim came or changed"
    VOLUME = "a volume came or changed"
    STORAGE_CLASS = "a storage class came or changed"
    VOLUME_LIMITS = "more volumes can be attached to a node"


@dataclass(frozen=True, slots=True)
class Event:
    """``shape`` is that of the pod that came or went, ``claim`` the key of the claim."""

    change: Change
    shape: Shape | None = None
    claim: str = ""


_WAITS_FOR: dict[str, frozenset[Change]] = {
    "NodeName": frozenset({Change.NODE_ADDED}),
    "NodeUnschedulable": frozenset({Change.NODE_ADDED, Change.NODE_CORDON}),
    "TaintToleration": frozenset({Change.NODE_ADDED, Change.NODE_TAINTS}),
    "NodeAffinity": frozenset({Change.NODE_ADDED, Change.NODE_LABELS}),
    "NodePorts": frozenset({Change.NODE_ADDED, Change.POD_GONE}),
    "NodeResourcesFit": frozenset({Change.NODE_ADDED, Change.NODE_ROOM, Change.POD_GONE}),
    "PodTopologySpread": frozenset(
        {Change.NODE_ADDED, Change.NODE_LABELS, Change.NODE_TAINTS, Change.POD_PLACED, Change.POD_GONE}
    ),
    "InterPodAffinity": frozenset(
        {Change.NODE_ADDED, Change.NODE_LABELS, Change.POD_PLACED, Change.POD_GONE, Change.NAMESPACE_LABELS}
    ),
    "VolumeRestrictions": frozenset({Change.NODE_ADDED, Change.POD_GONE, Change.CLAIM}),
    "NodeVolumeLimits": frozenset({Change.NODE_ADDED, Change.POD_GONE, Change.CLAIM, Change.VOLUME_LIMITS}),
    "VolumeBinding": frozenset(
        {Change.NODE_ADDED, Change.NODE_LABELS, Change.CLAIM, Change.VOLUME, Change.STORAGE_CLASS}
    ),
    "VolumeZone": frozenset({Change.NODE_ADDED, Change.NODE_LABELS, Change.CLAIM, Change.VOLUME, Change.STORAGE_CLASS}),
}


def may_help(event: Event, shape: Shape, refused_by: Set[str]) -> bool:
    """A filter that is not known here (a user's) is tried again on every event; so is a cluster without nodes."""
    if not refused_by:
        return event.change is Change.NODE_ADDED
    return any(_helps(event, shape, plugin) for plugin in refused_by)


def _helps(event: Event, shape: Shape, plugin: str) -> bool:
    waits_for = _WAITS_FOR.get(plugin)
    if waits_for is None:
        return True
    if event.change not in waits_for:
        return False
    if event.change is Change.CLAIM:
        return any(event.claim == f"{shape.namespace}/{mount.name}" for mount in shape.claims)
    other = event.shape
    if other is None:
        return True
    match plugin:
        case "VolumeRestrictions" | "NodeVolumeLimits":
            return bool(other.claims or other.disks)
        case "NodePorts":
            return bool(other.ports)
        case "PodTopologySpread":
            return other.namespace == shape.namespace
        case "InterPodAffinity":
            return _neighbour(event.change, shape, other)
    return True


def _neighbour(change: Change, shape: Shape, other: Shape) -> bool:
    """A pod that comes can satisfy affinity; one that goes can end anti-affinity, its own or ours."""
    if change is Change.POD_PLACED:
        return bool(shape.terms.affinity)
    return bool(shape.terms.anti_affinity or other.terms.anti_affinity)


def node_changes(old: NodeFacts | None, new: NodeFacts) -> list[Change]:
    """What became better for pods by an update of a node."""
    if old is None:
        return [Change.NODE_ADDED]
    changes: list[Change] = []
    if old.labels != new.labels:
        changes.append(Change.NODE_LABELS)
    if old.taints != new.taints:
        changes.append(Change.NODE_TAINTS)
    if old.unschedulable and not new.unschedulable:
        changes.append(Change.NODE_CORDON)
    if any(amount > old.allocatable.get(name, 0) for name, amount in new.allocatable.items()):
        changes.append(Change.NODE_ROOM)
    return changes
