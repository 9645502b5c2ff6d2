"""Nodes that ``DoNotSchedule`` constraints cannot tell apart, so that a run looks at groups and not at nodes.

A group is open or closed as a whole: it is the nodes of one domain, or, where every node is a domain of its own, the
nodes with equally many matching pods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from orchestrator.scheduler.plugins.spread_groups import MAX_GROUPS, Key
from orchestrator.scheduler.snapshot import Ints, Mask

if TYPE_CHECKING:
    from orchestrator.scheduler.plugins.topology_spread import Hard


class HardGroups:
    """``members``: by group the nodes that nothing but these constraints may refuse."""

    def __init__(self, constraints: Sequence[Hard], members: dict[Key, Ints]) -> None:
        self.members = members
        self._constraints = constraints
        self._tallies = [Counter(constraint.totals[constraint.known].tolist()) for constraint in constraints]
        """How many domains have so many matching pods."""

    def weigh(self, feasible: Mask) -> None:
        """Which nodes are feasible makes no difference to them."""

    def scores(self, keys: Sequence[Key]) -> list[int | None]:
        """None: the group is closed now."""
        return [0 if self._open(key) else None for key in keys]

    def _open(self, key: Key) -> bool:
        for constraint, tally, value in zip(self._constraints, self._tallies, key, strict=True):
            total = value if constraint.by_node else int(constraint.totals[value])
            if (
                total + int(constraint.spread.self_matching) - self._fewest(constraint, tally)
                > constraint.spread.max_skew
            ):
                return False
        return True

    def _fewest(self, constraint: Hard, tally: Counter[int]) -> int:
        return 0 if len(constraint.known) < constraint.spread.min_domains else min(tally, default=2**31)

    def placed(self, column: int, key: Key) -> Key:
        moved = list(key)
        for index, constraint in enumerate(self._constraints):
            domain = constraint.domains[column]
            before = int(constraint.totals[domain])
            constraint.placed(column)
            after = int(constraint.totals[domain])
            if after == before:
                continue
            tally = self._tallies[index]
            tally[before] -= 1
            tally[after] += 1
            if not tally[before]:
                del tally[before]
            if constraint.by_node:
                moved[index] = after
        return tuple(moved)


def hard_groups(constraints: Sequence[Hard], standing: Mask) -> HardGroups | None:
    """None when there are too many groups, or nodes of one group would part."""
    labelled = standing.copy()
    for constraint in constraints:
        labelled &= constraint.domains > 0
    columns = np.flatnonzero(labelled)
    values: list[Ints] = []
    for constraint in constraints:
        domains = constraint.domains[columns]
        if constraint.by_node and not _alone(domains, constraint.eligible[columns]):
            return None
        values.append(constraint.totals[domains] if constraint.by_node else domains)
    distinct, inverse = np.unique(np.array(values), axis=1, return_inverse=True)
    if distinct.shape[1] > MAX_GROUPS:
        return None
    groups = inverse.reshape(-1)
    members = {tuple(map(int, key)): columns[groups == index] for index, key in enumerate(distinct.T)}
    return HardGroups(constraints, members)


def _alone(domains: Ints, eligible: Mask) -> bool:
    """Every node is a domain of its own, and its pods count."""
    return bool(eligible.all()) and bool((np.bincount(domains) <= 1).all())
