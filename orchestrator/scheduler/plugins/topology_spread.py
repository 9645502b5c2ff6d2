"""Topology spread constraints (KEP-895), hard and soft, and the cluster's own soft ones (KEP-1258).

A session keeps the counts by domain of one shape through a run: placing a pod changes one domain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from orchestrator.scheduler.counters import Counts, totals
from orchestrator.scheduler.framework import MAX_SCORE, Block, Filter, Nodes, Scope, Score
from orchestrator.scheduler.plugins.hard_groups import HardGroups, hard_groups
from orchestrator.scheduler.plugins.node_affinity import matching
from orchestrator.scheduler.plugins.spread_groups import SpreadGroups, spread_groups
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Ints, Mask, Snapshot
from orchestrator.scheduler.taints import keeps_out
from orchestrator.scheduler.terms import HOSTNAME, Spread

REASON = "node(s) didn't match pod topology spread constraints"
REASON_LABEL = f"{REASON} (missing required label)"


class TopologySpread(Filter):
    name = "PodTopologySpread"
    scope = Scope.CLUSTER

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return any(spread.hard for spread in shape.spreads)

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        blocks = self.session(shape, nodes.snapshot).blocks()
        return [Block(nodes.cut(block.nodes), block.reason, block.resolvable) for block in blocks]

    def session(self, shape: Shape, snapshot: Snapshot) -> HardSession:
        return HardSession(shape, snapshot)


class SpreadScore(Score):
    name = "PodTopologySpread"
    weight = 2
    scope = Scope.CLUSTER

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return any(not spread.hard for spread in shape.spreads)

    def score(self, shape: Shape, nodes: Nodes) -> Ints:
        feasible = nodes.snapshot.present[: nodes.snapshot.size]
        return nodes.cut(self.session(shape, nodes.snapshot).scores(feasible))

    def session(self, shape: Shape, snapshot: Snapshot) -> SoftSession:
        return SoftSession(shape, snapshot)


def _counts(spread: Spread, snapshot: Snapshot) -> Counts:
    if not spread.counting:
        return np.zeros(snapshot.size, np.int32)
    return snapshot.counters.counts((spread.pods,), terminating=False)[: snapshot.size]


def _eligible(spread: Spread, shape: Shape, snapshot: Snapshot) -> Mask:
    """The nodes whose pods count for the constraint (KEP-3094)."""
    nodes = Nodes(snapshot, shape)
    eligible = snapshot.present[: snapshot.size].copy()
    if spread.honor_affinity:
        eligible &= matching(shape, nodes)
    if spread.honor_taints:
        out = np.array([keeps_out(taints, shape.tolerations) for taints in snapshot.taint_sets])
        eligible &= ~out[snapshot.taint_ids[: snapshot.size]]
    return eligible


def _labelled(spreads: Sequence[Spread], snapshot: Snapshot) -> Mask:
    """The nodes that have every topology key of these constraints."""
    labelled = snapshot.present[: snapshot.size].copy()
    for spread in spreads:
        labelled &= snapshot.domains(spread.topology) > 0
    return labelled


class Hard:
    """One ``DoNotSchedule`` constraint."""

    def __init__(self, spread: Spread, shape: Shape, snapshot: Snapshot, labelled: Mask) -> None:
        self.spread = spread
        self.domains = snapshot.domains(spread.topology)
        self.by_node = spread.topology == HOSTNAME
        self.eligible = labelled & _eligible(spread, shape, snapshot)
        self.totals = np.zeros(int(self.domains.max(initial=0)) + 1, np.int64)
        summed = totals(_counts(spread, snapshot), self.domains, self.eligible)
        self.totals[: len(summed)] = summed
        there = np.zeros(len(self.totals), np.bool_)
        there[self.domains[self.eligible]] = True
        self.known = np.flatnonzero(there)

    def too_many(self) -> Mask:
        spread = self.spread
        fewest = 0 if len(self.known) < spread.min_domains else int(self.totals[self.known].min(initial=2**31))
        over: Mask = self.totals + int(spread.self_matching) - fewest > spread.max_skew
        return over[self.domains]

    def placed(self, column: int) -> None:
        if self.spread.self_matching and self.spread.counting and self.eligible[column]:
            self.totals[self.domains[column]] += 1


class HardSession:
    def __init__(self, shape: Shape, snapshot: Snapshot) -> None:
        hard = [spread for spread in shape.spreads if spread.hard]
        labelled = _labelled(hard, snapshot)
        self._constraints = [Hard(spread, shape, snapshot, labelled) for spread in hard]

    def blocks(self) -> Sequence[Block]:
        blocks: list[Block] = []
        size = len(self._constraints[0].domains)
        open_ = np.ones(size, np.bool_)
        for constraint in self._constraints:
            unlabelled = constraint.domains == 0
            blocks.append(Block(open_ & unlabelled, REASON_LABEL, False))
            open_ &= ~unlabelled
            over = open_ & constraint.too_many()
            blocks.append(Block(over, REASON))
            open_ &= ~over
        return blocks

    def placed(self, column: int) -> None:
        for constraint in self._constraints:
            constraint.placed(column)

    def groups(self, standing: Mask) -> HardGroups | None:
        """The same verdicts by groups of nodes, for a run that nothing else couples; None: too many groups."""
        return hard_groups(self._constraints, standing)


class Soft:
    """One ``ScheduleAnyway`` constraint: the pods in each node's domain, and what one of them weighs."""

    def __init__(self, spread: Spread, shape: Shape, snapshot: Snapshot, taking_part: Mask) -> None:
        self.spread = spread
        self.domains = snapshot.domains(spread.topology)
        self.by_node = spread.topology == HOSTNAME
        self.weight = 0.0
        self.counts_itself = spread.self_matching and spread.counting
        counts = _counts(spread, snapshot)
        if self.by_node:
            self.eligible = taking_part
            self.near = np.where(self.domains > 0, counts, 0).astype(np.int64)
        else:
            self.eligible = taking_part & _eligible(spread, shape, snapshot)
            summed = np.zeros(int(self.domains.max(initial=0)) + 1, np.int64)
            some = totals(counts, self.domains, self.eligible)
            summed[: len(some)] = some
            self.near = summed[self.domains]

    def weigh(self, feasible: Mask, count: int) -> None:
        size = count if self.by_node else np.count_nonzero(np.bincount(self.domains[feasible]))
        self.weight = math.log(size + 2)

    def placed(self, column: int) -> Ints | int | None:
        """The columns whose count changed."""
        if not self.counts_itself:
            return None
        domain = self.domains[column]
        if not domain or not self.eligible[column]:
            return None
        if self.by_node:
            self.near[column] += 1
            return column
        members = np.flatnonzero(self.domains == domain)
        self.near[members] += 1
        return members


class SoftSession:
    """Scores as upstream's: fewer matching pods in the node's domains is better, scaled by the best and the worst."""

    def __init__(self, shape: Shape, snapshot: Snapshot) -> None:
        soft = [spread for spread in shape.spreads if not spread.hard]
        present = snapshot.present[: snapshot.size]
        self._taking_part = present if shape.spread_defaulted else _labelled(soft, snapshot)
        self._constraints = [Soft(spread, shape, snapshot, self._taking_part) for spread in soft]
        self._base = np.zeros(snapshot.size)
        for constraint in self._constraints:
            self._base += np.where(constraint.domains > 0, constraint.spread.max_skew - 1, 0)
        self._raw: NDArray[np.float64] = self._base
        self._feasible: Mask = np.zeros(0, np.bool_)
        self._scored: Mask = present

    def groups(self, feasible: Mask) -> SpreadGroups | None:
        """The same scores by groups of nodes, for a run that nothing else couples; None: too many groups."""
        return spread_groups(self._constraints, self._taking_part, feasible)

    def scores(self, feasible: Mask) -> Ints:
        if not np.array_equal(feasible, self._feasible):
            self._weigh(feasible)
        raw, scored = self._raw, self._scored
        some = raw[scored]
        if not len(some):
            return np.zeros(len(raw), np.int64)
        highest, lowest = some.max(), some.min()
        if highest == 0:
            return np.where(scored, MAX_SCORE, 0)
        scaled = np.floor((highest + lowest - raw) * MAX_SCORE / highest)
        return np.where(scored, scaled, 0).astype(np.int64)

    def _weigh(self, feasible: Mask) -> None:
        """The weights follow the number of domains among the feasible nodes."""
        self._feasible = feasible.copy()
        self._scored = feasible & self._taking_part
        scored = int(np.count_nonzero(self._scored))
        for constraint in self._constraints:
            constraint.weigh(self._scored, scored)
        self._raw = self._rounded(slice(None))

    def _rounded(self, at: slice | Ints | int) -> NDArray[np.float64]:
        raw = self._base[at]
        for constraint in self._constraints:
            raw = raw + constraint.near[at] * constraint.weight
        return np.floor(raw + 0.5)

    def placed(self, column: int) -> None:
        for constraint in self._constraints:
            changed = constraint.placed(column)
            if changed is not None:
                self._raw[changed] = self._rounded(changed)
