"""``nodeSelector`` and node affinity, required and preferred. Labels are compared once for each distinct value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from orchestrator.scheduler.framework import Block, Filter, Nodes, Normalize, Scope, Score
from orchestrator.scheduler.node_selector import NAME_FIELD, NodeTerm, Preference, Requirement
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Ints, Mask, Snapshot

REASON = "node(s) didn't match Pod's node affinity/selector"
REASON_ENFORCED = "node(s) didn't match scheduler-enforced node affinity"
REASON_NAMES = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
REASON_CONFLICT = "pod affinity terms conflict"


class NodeAffinity(Filter):
    """``added``: what the profile demands of the nodes of all its pods."""

    name = "NodeAffinity"
    scope = Scope.STATIC

    def __init__(self, added: Sequence[NodeTerm] | None = None) -> None:
        self._added = added

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return bool(shape.node_selector) or shape.node_terms is not None or self._added is not None

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        mine = Block(~matching(shape, nodes), REASON, False)
        if self._added is None:
            return [mine]
        enforced = ~any_term(self._added, nodes)
        return [Block(enforced, REASON_ENFORCED, False), Block(mine.nodes & ~enforced, REASON, False)]


class NodeNames(Filter):
    """Terms that name the nodes: all others are out before any other filter is asked."""

    name = "NodeAffinity"
    scope = Scope.STATIC

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return _names(shape) is not None

    def refuses(self, shape: Shape, snapshot: Snapshot) -> str:
        return "" if _names(shape) else REASON_CONFLICT

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        names = _names(shape) or frozenset()
        return [Block(~_among(names, nodes), REASON_NAMES, False)]


class PreferredNodeAffinity(Score):
    name = "NodeAffinity"
    weight = 2
    scope = Scope.STATIC
    normalize = Normalize.HIGHEST_IS_BEST

    def __init__(self, added: Sequence[Preference] = ()) -> None:
        self._added = tuple(added)

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return bool(shape.node_preferences or self._added)

    def score(self, shape: Shape, nodes: Nodes) -> Ints:
        total = np.zeros(len(nodes), np.int64)
        for preference in (*shape.node_preferences, *self._added):
            if preference.weight and not preference.term.empty:
                total += preference.weight * _term(preference.term, nodes)
        return total


def matching(shape: Shape, nodes: Nodes) -> Mask:
    """The nodes that the pod's selector and required affinity allow."""
    allowed = nodes.every()
    for key, value in shape.node_selector.items():
        labels = nodes.snapshot.label(key)
        allowed &= nodes.cut(labels.ids) == labels.values.get(value, -1)
    if shape.node_terms is not None:
        allowed &= any_term(shape.node_terms, nodes)
    return allowed


def any_term(terms: Sequence[NodeTerm], nodes: Nodes) -> Mask:
    """The nodes that one of the terms matches."""
    matched = nodes.none()
    for term in terms:
        if not term.empty:
            matched |= _term(term, nodes)
    return matched


def _among(names: Iterable[str], nodes: Nodes) -> Mask:
    """The nodes with one of these names: found, not searched for."""
    columns = nodes.snapshot.columns
    found = [columns[name] for name in names if name in columns]
    if nodes.columns is not None:
        among: Mask = np.isin(nodes.columns, found)
        return among
    mask = nodes.none()
    mask[found] = True
    return mask


def _names(shape: Shape) -> frozenset[str] | None:
    """The names that all alternatives are tied to; None when one of them is not tied."""
    if not shape.node_terms:
        return None
    tied = [term.names() for term in shape.node_terms]
    return None if None in tied else frozenset().union(*(names for names in tied if names))


def _term(term: NodeTerm, nodes: Nodes) -> Mask:
    allowed = nodes.every()
    for requirement in term.labels:
        allowed &= _label(requirement, nodes)
    for requirement in term.fields:
        if requirement.key == NAME_FIELD and requirement.operator == "In":
            allowed &= _among(requirement.values, nodes)
        elif requirement.key == NAME_FIELD:
            allowed &= np.array([requirement.holds(name) for name in nodes.names()], np.bool_)
        else:
            allowed[:] = False
    return allowed


def _label(requirement: Requirement, nodes: Nodes) -> Mask:
    labels = nodes.snapshot.label(requirement.key)
    verdicts = np.array([requirement.holds(None), *map(requirement.holds, labels.values)], np.bool_)
    found: Mask = verdicts[nodes.cut(labels.ids)]
    return found
