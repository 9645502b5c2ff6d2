"""Which events are worth another try of an unschedulable pod: those that one of the filters that refused it waits for.

Decided once for each shape, not for each pod (KEP-4247). A hint may be wrong in one direction only: a pod that is woken
for nothing costs a try, one that is not woken waits five minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from enum import Enum

from orchestrator.scheduler.node_facts import NodeFacts
from orchestrator.scheduler.node_selector import matches_labels
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import PODS
from orchestrator.scheduler.taints import NO_SCHEDULE, UNSCHEDULABLE, Taint, keeps_out, tolerated
from orchestrator.scheduler.terms import NamespaceLabels, PodTerm


class Change(Enum):
    NODE = "a node came or changed"
    NODE_GONE = "a node is gone"
    POD_PLACED = "a pod was placed or its labels changed"
    POD_GONE = "a pod left its node"
    NAMESPACE_LABELS = "labels of a namespace changed"
    CLAIM = "a claim came or changed"
    VOLUME = "a volume came or changed"
    STORAGE_CLASS = "a storage class came or changed"
    VOLUME_LIMITS = "more volumes can be attached to a node"


@dataclass(frozen=True, slots=True)
class Event:
    """``pod`` is the shape of the pod that came or went, ``claim`` the key of the claim."""

    change: Change
    pod: Shape | None = None
    claim: str = ""
    node: NodeFacts | None = None
    before: NodeFacts | None = None
    """The node as it was; None for a new one."""


_WAITS_FOR: dict[str, frozenset[Change]] = {
    "NodeName": frozenset({Change.NODE}),
    "NodeUnschedulable": frozenset({Change.NODE}),
    "TaintToleration": frozenset({Change.NODE}),
    "NodeAffinity": frozenset({Change.NODE}),
    "NodePorts": frozenset({Change.NODE, Change.POD_GONE}),
    "NodeResourcesFit": frozenset({Change.NODE, Change.POD_GONE}),
    "VolumeRestrictions": frozenset({Change.NODE, Change.POD_GONE, Change.CLAIM}),
    "NodeVolumeLimits": frozenset({Change.NODE, Change.POD_GONE, Change.CLAIM, Change.VOLUME_LIMITS}),
    "VolumeBinding": frozenset({Change.NODE, Change.CLAIM, Change.VOLUME, Change.STORAGE_CLASS}),
    "VolumeZone": frozenset({Change.NODE, Change.CLAIM, Change.VOLUME, Change.STORAGE_CLASS}),
    "PodTopologySpread": frozenset({Change.NODE, Change.NODE_GONE, Change.POD_PLACED, Change.POD_GONE}),
    "InterPodAffinity": frozenset({Change.NODE, Change.POD_PLACED, Change.POD_GONE, Change.NAMESPACE_LABELS}),
}


def waits_for(change: Change, refused_by: Set[str]) -> bool:
    """Is one of these filters, or one that is not known here, ever helped by such a change?"""
    if not refused_by:
        return change is Change.NODE
    return any(plugin not in _WAITS_FOR or change in _WAITS_FOR[plugin] for plugin in refused_by)


def may_help(event: Event, shape: Shape, refused_by: Set[str], namespaces: NamespaceLabels) -> bool:
    """A filter that is not known here (a user's) is tried again on every event; so is a cluster without nodes."""
    if not refused_by:
        return event.change is Change.NODE
    return any(plugin not in _HINTS or _HINTS[plugin](event, shape, namespaces) for plugin in refused_by)


def _node_name(event: Event, shape: Shape, namespaces: NamespaceLabels) -> bool:
    return event.node is not None and event.before is None and event.node.name == shape.node_name


def _node_unschedulable(event: Event, shape: Shape, namespaces: NamespaceLabels) -> bool:
    if event.node is None or (event.before is not None and not event.before.unschedulable):
        return False
    return not event.node.unschedulable or tolerated(Taint(UNSCHEDULABLE, "", NO_SCHEDULE), shape.tolerations)


def _taints(event: Event, shape: Shape, namespaces: NamespaceLabels) -> bool:
    if event.node is None or (event.before is not None and event.before.taints == event.node.taints):
        return False
    return not keeps_out(event.node.taints, shape.tolerations)


def _node_affinity(event: Event, shape: Shape, namespaces: NamespaceLabels) -> bool:
    node, before = event.node, event.before
    if node is None or (before is not None and before.labels == node.labels):
        return False
    return matches_labels(shape.node_selector, shape.node_terms, node.name, node.labels)


def _node_ports(event: Event, shape: Shape, namespaces: NamespaceLabels) -> bool:
    if event.change is Change.POD_GONE and event.pod is not None:
        mine = {(protocol, port) for protocol, _, port in shape.ports}
        return any((protocol, port) in mine for protocol, _, port in event.pod.ports)
    return event.node is not None and event.before is None


def _fit(event: Event, shape: Shape, namespaces: NamespaceLabels) -> bool:
    """A pod that went made room; a node helps if the pod fits it and it is new or has more of what the pod needs."""
    node, before = event.node, event.before
    if node is None:
        return event.change is Change.POD_GONE
    wanted = {PODS: 1, **shape.requests}
    if any(node.allocatable.get(name, 0) < amount for name, amount in wanted.items()):
        return False
    return before is None or any(node.allocatable[name] > before.allocatable.get(name, 0) for name in wanted)


def _spreading(event: Event, shape: Shape, namespaces: NamespaceLabels) -> bool:
    hard = [spread for spread in shape.spreads if spread.hard]
    pod = event.pod
    if pod is not None:
        return any(spread.pods.matches(pod.namespace, pod.labels, namespaces) for spread in hard)
    keys = [spread.topology for spread in hard]
    node, before = event.node, event.before
    was = before is not None and all(key in before.labels for key in keys)
    if node is None:
        return was
    now = all(key in node.labels for key in keys)
    if before is None or was != now:
        return before is not None or now
    return now and (node.taints != before.taints or any(node.labels[key] != before.labels[key] for key in keys))


def _affinity(event: Event, shape: Shape, namespaces: NamespaceLabels) -> bool:
    """A pod that comes can satisfy affinity; one that goes can end anti-affinity, its own or ours."""
    terms, pod = shape.terms, event.pod
    if event.change is Change.NAMESPACE_LABELS:
        return True
    if pod is not None:
        if event.change is Change.POD_PLACED:
            return _selects(terms.affinity, pod, namespaces)
        return _selects(terms.anti_affinity, pod, namespaces) or _selects(pod.terms.anti_affinity, shape, namespaces)
    node, before = event.node, event.before
    if node is None:
        return False
    if before is None:
        return bool(terms.anti_affinity) or not terms or any(t.topology in node.labels for t in terms.affinity)
    keys = {term.topology for term in (*terms.affinity, *terms.anti_affinity)}
    return not keys or any(node.labels.get(key) != before.labels.get(key) for key in keys)


def _selects(terms: Iterable[PodTerm], pod: Shape, namespaces: NamespaceLabels) -> bool:
    return any(term.pods.matches(pod.namespace, pod.labels, namespaces) for term in terms)


def _claim(event: Event, shape: Shape, namespaces: NamespaceLabels) -> bool:
    """Of a claim only the pod's own; of nodes new ones and those with other labels."""
    match event.change:
        case Change.CLAIM:
            return any(event.claim == f"{shape.namespace}/{mount.name}" for mount in shape.claims)
        case Change.NODE:
            node, before = event.node, event.before
            return node is not None and (before is None or node.labels != before.labels)
        case Change.VOLUME | Change.STORAGE_CLASS:
            return True
    return False


def _disks(event: Event, shape: Shape, namespaces: NamespaceLabels) -> bool:
    """Somebody who had volumes left, or there is a new place."""
    if event.change is Change.POD_GONE and event.pod is not None:
        return bool(event.pod.claims or event.pod.disks)
    if event.change is Change.VOLUME_LIMITS:
        return True
    return event.change in (Change.NODE, Change.CLAIM) and _claim(event, shape, namespaces)


_HINTS: dict[str, Callable[[Event, Shape, NamespaceLabels], bool]] = {
    "NodeName": _node_name,
    "NodeUnschedulable": _node_unschedulable,
    "TaintToleration": _taints,
    "NodeAffinity": _node_affinity,
    "NodePorts": _node_ports,
    "NodeResourcesFit": _fit,
    "VolumeRestrictions": _disks,
    "NodeVolumeLimits": _disks,
    "VolumeBinding": _claim,
    "VolumeZone": _claim,
    "PodTopologySpread": _spreading,
    "InterPodAffinity": _affinity,
}
