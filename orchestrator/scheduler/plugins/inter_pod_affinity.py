"""Inter-pod affinity and anti-affinity: what the pod asks of its neighbours, and what its neighbours ask of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orchestrator.scheduler.counters import AFFINITY, ANTI_AFFINITY, totals
from orchestrator.scheduler.framework import MAX_SCORE, Block, Filter, Nodes, Scope, Score
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Ints, Mask, Snapshot
from orchestrator.scheduler.terms import PodTerm

REASON_EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"
REASON_AFFINITY = "node(s) didn't match pod affinity rules"
REASON_ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"

HARD_AFFINITY_WEIGHT = 1
"""What a required affinity term of a neighbour adds to the score of its domain, if the profile says nothing else."""


class InterPodAffinity(Filter):
    name = "InterPodAffinity"
    scope = Scope.CLUSTER

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        if shape.terms.affinity or shape.terms.anti_affinity:
            return True
        return any(role == ANTI_AFFINITY for role, _ in snapshot.counters.carriers(shape.namespace, shape.labels))

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        blocks = self.session(shape, nodes.snapshot).blocks()
        return [Block(nodes.cut(block.nodes), block.reason, block.resolvable) for block in blocks]

    def session(self, shape: Shape, snapshot: Snapshot) -> FilterSession:
        return FilterSession(shape, snapshot)


class InterPodAffinityScore(Score):
    name = "InterPodAffinity"
    weight = 2
    scope = Scope.CLUSTER

    def __init__(self, hard_weight: int = HARD_AFFINITY_WEIGHT, *, ignore_preferred_of_others: bool = False) -> None:
        self._hard_weight = hard_weight
        self._ignore_preferred = ignore_preferred_of_others

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        if shape.terms.preferred:
            return True
        if self._ignore_preferred:
            return False
        if shape.terms.affinity:
            return True
        return any(role != ANTI_AFFINITY for role, _ in snapshot.counters.carriers(shape.namespace, shape.labels))

    def score(self, shape: Shape, nodes: Nodes) -> Ints:
        feasible = nodes.snapshot.present[: nodes.snapshot.size]
        return nodes.cut(self.session(shape, nodes.snapshot).scores(feasible))

    def session(self, shape: Shape, snapshot: Snapshot) -> ScoreSession:
        return ScoreSession(shape, snapshot, self._hard_weight)


class _Domains:
    """Sums by domain of one topology key, with room for every domain there is."""

    def __init__(self, snapshot: Snapshot, topology: str) -> None:
        self.ids = snapshot.domains(topology)
        self.sums = np.zeros(int(self.ids.max(initial=0)) + 1, np.int64)

    def add(self, by_node: Ints) -> None:
        summed = totals(by_node, self.ids)
        self.sums[: len(summed)] += summed

    def placed(self, column: int, amount: int) -> None:
        domain = self.ids[column]
        if domain:
            self.sums[domain] += amount

    def near(self) -> Ints:
        near: Ints = self.sums[self.ids]
        return near


def _matches(term: PodTerm, shape: Shape, snapshot: Snapshot) -> bool:
    """Does the pod match its own term?"""
    return term.pods.matches(shape.namespace, shape.labels, lambda name: snapshot.namespaces.get(name, {}))


class FilterSession:
    def __init__(self, shape: Shape, snapshot: Snapshot) -> None:
        self._size = snapshot.size
        terms = shape.terms
        self._affinity = [_Domains(snapshot, term.topology) for term in terms.affinity]
        self._first = all(_matches(term, shape, snapshot) for term in terms.affinity)
        if terms.affinity:
            together = snapshot.counters.counts(tuple(term.pods for term in terms.affinity), terminating=True)
            for domains in self._affinity:
                domains.add(together[: self._size].astype(np.int64))
        self._anti = [(_Domains(snapshot, t.topology), _matches(t, shape, snapshot)) for t in terms.anti_affinity]
        for term, (domains, _) in zip(terms.anti_affinity, self._anti, strict=True):
            counts = snapshot.counters.counts((term.pods,), terminating=True)
            domains.add(counts[: self._size].astype(np.int64))
        self._existing: dict[str, _Domains] = {}
        for role, carrier in snapshot.counters.carriers(shape.namespace, shape.labels):
            if role == ANTI_AFFINITY:
                topology = carrier.term.topology
                there = self._existing.setdefault(topology, _Domains(snapshot, topology))
                there.add(carrier.counts[: self._size].astype(np.int64))

    def blocks(self) -> Sequence[Block]:
        """A node is blocked for the first of the three reasons that holds."""
        open_ = np.ones(self._size, np.bool_)
        blocks: list[Block] = []
        for found, reason, resolvable in (
            (self._alone(), REASON_AFFINITY, False),
            (self._near([domains for domains, _ in self._anti]), REASON_ANTI_AFFINITY, True),
            (self._near(list(self._existing.values())), REASON_EXISTING, True),
        ):
            blocked = open_ & found
            blocks.append(Block(blocked, reason, resolvable))
            open_ &= ~blocked
        return blocks

    def _alone(self) -> Mask:
        """Nodes without the pods that required affinity asks for; the first of a group needs only the labels."""
        missing = np.zeros(self._size, np.bool_)
        anywhere = any(domains.sums.any() for domains in self._affinity)
        for domains in self._affinity:
            missing |= domains.ids == 0
            if anywhere or not self._first:
                missing |= domains.near() <= 0
        return missing

    def _near(self, found: Sequence[_Domains]) -> Mask:
        near = np.zeros(self._size, np.bool_)
        for domains in found:
            near |= domains.near() > 0
        return near

    def placed(self, column: int) -> None:
        for domains in self._affinity if self._first else ():
            domains.placed(column, 1)
        for domains, matches in self._anti:
            if matches:
                domains.placed(column, 1)


class ScoreSession:
    def __init__(self, shape: Shape, snapshot: Snapshot, hard_weight: int) -> None:
        self._snapshot = snapshot
        self._keys: dict[str, _Domains] = {}
        self._own: dict[str, int] = {}
        """What one more pod of the shape adds to its domain."""
        for term in shape.terms.preferred:
            counts = snapshot.counters.counts((term.pods,), terminating=True)
            self._add(term, counts, term.weight)
            self._itself(term, shape, 2 * term.weight)
        for term in shape.terms.affinity:
            self._itself(term, shape, hard_weight)
        for role, carrier in snapshot.counters.carriers(shape.namespace, shape.labels):
            if role != ANTI_AFFINITY:
                weight = hard_weight if role == AFFINITY else carrier.term.weight
                self._add(carrier.term, carrier.counts, weight)

    def _itself(self, term: PodTerm, shape: Shape, amount: int) -> None:
        """The pod's term selects its own kind: the next one counts it, and it counts the next."""
        if _matches(term, shape, self._snapshot):
            self._own[term.topology] = self._own.get(term.topology, 0) + amount

    def _add(self, term: PodTerm, counts: np.ndarray[tuple[int], np.dtype[np.int32]], weight: int) -> None:
        domains = self._domains(term.topology)
        domains.add(counts[: self._snapshot.size].astype(np.int64) * weight)

    def _domains(self, topology: str) -> _Domains:
        known = self._keys.get(topology)
        if known is None:
            known = self._keys[topology] = _Domains(self._snapshot, topology)
        return known

    def scores(self, feasible: Mask) -> Ints:
        raw = np.zeros(len(feasible), np.int64)
        for domains in self._keys.values():
            raw += domains.near()
        some = raw[feasible]
        lowest, highest = int(some.min(initial=2**62)), int(some.max(initial=-(2**62)))
        if highest <= lowest:
            return np.zeros(len(feasible), np.int64)
        return (MAX_SCORE * ((raw - lowest) / (highest - lowest))).astype(np.int64)

    def placed(self, column: int) -> None:
        for topology, amount in self._own.items():
            self._domains(topology).placed(column, amount)
