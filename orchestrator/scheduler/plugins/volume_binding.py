"""Claims and nodes: bound volumes tie the pod to where they can be used, unbound ones must be found or made there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orchestrator.scheduler.framework import Block, Filter, Nodes
from orchestrator.scheduler.plugins.node_affinity import any_term
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Mask, Snapshot
from orchestrator.scheduler.volume_facts import ClaimFacts, ClassFacts, VolumeFacts
from orchestrator.scheduler.volumes import PodClaims, VolumePlan, choose

REASON_NODE = "node(s) didn't match PersistentVolume's node affinity"
REASON_UNBOUND = "node(s) didn't find available persistent volumes to bind"
REASON_LOST = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


class VolumeBinding(Filter):
    """A pod that brings claims to be bound is placed alone: the next one finds them decided."""

    name = "VolumeBinding"

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return bool(shape.claims)

    def refuses(self, shape: Shape, snapshot: Snapshot) -> str:
        claims = snapshot.volumes.pod_claims(shape)
        return claims if isinstance(claims, str) else ""

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        claims = nodes.snapshot.volumes.pod_claims(shape)
        assert isinstance(claims, PodClaims), "a pod whose claims are not ready was refused before its nodes are asked"
        elsewhere, lost = _bound(claims.bound, nodes)
        return [
            Block(elsewhere, REASON_NODE, False),
            Block(~_bindable(claims.delayed, nodes), REASON_UNBOUND, False),
            Block(lost, REASON_LOST, False),
        ]


def plan_volumes(shape: Shape, snapshot: Snapshot, column: int) -> VolumePlan:
    """What is to be written so that the pod can use its claims on the node, which no filter refused."""
    claims = snapshot.volumes.pod_claims(shape)
    if isinstance(claims, str) or not claims.delayed:
        return VolumePlan()
    nodes = Nodes(snapshot, shape, np.array([column], np.int64))
    fresh, decided = _by_decision(claims.delayed)
    usable = {name: bool(mask[0]) for name, mask in _usable(fresh, nodes).items()}
    taken, left = choose(fresh, snapshot.volumes, usable)
    return VolumePlan(tuple(taken), (*decided, *left))


def _by_decision(claims: Sequence[ClaimFacts]) -> tuple[list[ClaimFacts], list[ClaimFacts]]:
    """(claims that may still take a volume, claims that a provisioner was asked about)."""
    return [c for c in claims if not c.selected_node], [c for c in claims if c.selected_node]


def _bound(claims: Sequence[ClaimFacts], nodes: Nodes) -> tuple[Mask, Mask]:
    """(nodes where a volume cannot be used, nodes when a volume is gone: all or none). The first trouble counts."""
    elsewhere = nodes.none()
    for claim in claims:
        volume = nodes.snapshot.volumes.volumes.get(claim.volume)
        if volume is None:
            return elsewhere, ~elsewhere
        elsewhere |= ~_where(volume, nodes)
    return elsewhere, nodes.none()


def _where(volume: VolumeFacts, nodes: Nodes) -> Mask:
    return nodes.every() if volume.terms is None else any_term(volume.terms, nodes)


def _usable(claims: Sequence[ClaimFacts], nodes: Nodes) -> dict[str, Mask]:
    volumes = nodes.snapshot.volumes
    return {volume.name: _where(volume, nodes) for claim in claims for volume in volumes.candidates(claim)}


def _bindable(claims: Sequence[ClaimFacts], nodes: Nodes) -> Mask:
    fresh, decided = _by_decision(claims)
    allowed = nodes.every()
    for claim in decided:
        allowed &= np.array([name == claim.selected_node for name in nodes.names()], np.bool_)
        allowed &= _provisionable(claim, nodes)
    usable = _usable(fresh, nodes)
    if not usable:
        for claim in fresh:
            allowed &= _provisionable(claim, nodes)
        return allowed
    made = {claim.key: _provisionable(claim, nodes) for claim in fresh}
    for index in np.flatnonzero(allowed).tolist():
        here = {name: bool(mask[index]) for name, mask in usable.items()}
        _, left = choose(fresh, nodes.snapshot.volumes, here)
        allowed[index] = all(made[claim.key][index] for claim in left)
    return allowed


def _provisionable(claim: ClaimFacts, nodes: Nodes) -> Mask:
    held = nodes.snapshot.volumes.classes.get(claim.storage_class)
    if held is None or not held.provisions:
        return nodes.none()
    return _allowed(held, nodes)


def _allowed(held: ClassFacts, nodes: Nodes) -> Mask:
    """The nodes in the topologies of the class; a class without any allows all."""
    if not held.topologies:
        return nodes.every()
    allowed = nodes.none()
    for topology in held.topologies:
        here = nodes.every()
        for key, values in topology:
            labels = nodes.snapshot.label(key)
            ids = [labels.values[value] for value in values if value in labels.values]
            here &= np.isin(nodes.cut(labels.ids), ids)
        allowed |= here
    return allowed
