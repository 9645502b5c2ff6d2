"""Soft spreading of a run without touching every node for every pod: nodes of equal standing are one group.

Two nodes in the same domains, with as many matching pods of their own, have the same spreading score whatever comes.
There are few such groups (zones times a few counts), so a pod costs a look at each group and not at each node.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from orchestrator.scheduler.framework import MAX_SCORE
from orchestrator.scheduler.snapshot import Ints, Mask

if TYPE_CHECKING:
    from orchestrator.scheduler.plugins.topology_spread import Soft

MAX_GROUPS = 48
"""With more groups than this the arrays are the cheaper way."""
MAX_CODE = 2**40

Key = tuple[int, ...]
"""Does the node take part (0 or 1), then for each constraint: its domain, or by hostname one more than its own count
(0: the node has no such label)."""


class SpreadGroups:
    """The groups of the feasible nodes, and their scores as pods are placed."""

    def __init__(
        self, constraints: Sequence[Soft], members: dict[Key, Ints], taking_part: Mask, feasible: Mask
    ) -> None:
        self.members = members
        self._constraints = constraints
        self._taking_part = taking_part
        self._near: list[dict[int, int]] = [{} for _ in constraints]
        for index, constraint in enumerate(constraints):
            for key, columns in members.items():
                self._near[index][key[index + 1]] = int(constraint.near[columns[0]])
        self.weigh(feasible)

    def weigh(self, feasible: Mask) -> None:
        """The feasible nodes changed, and with them what a pod in a domain weighs."""
        scored = feasible & self._taking_part
        count = int(np.count_nonzero(scored))
        for constraint in self._constraints:
            constraint.weigh(scored, count)

    def scores(self, keys: Sequence[Key]) -> list[int | None]:
        """The scores of these groups, which must be all that have a feasible node."""
        raws = [self._raw(key) if key[0] else -1 for key in keys]
        some = [raw for raw in raws if raw >= 0]
        highest, lowest = max(some, default=0), min(some, default=0)
        if highest == 0:
            return [MAX_SCORE if raw >= 0 else 0 for raw in raws]
        return [(highest + lowest - raw) * MAX_SCORE // highest if raw >= 0 else 0 for raw in raws]

    def _raw(self, key: Key) -> int:
        raw = 0.0
        for constraint, value in zip(self._constraints, key[1:], strict=True):
            raw += constraint.spread.max_skew - 1 if value else 0
        for constraint, value, near in zip(self._constraints, key[1:], self._near, strict=True):
            raw += (value - 1 if constraint.by_node and value else near.get(value, 0)) * constraint.weight
        return math.floor(raw + 0.5)

    def placed(self, column: int, key: Key) -> Key:
        """A pod went to a node of the group: the group that the node is in from now on."""
        moved = list(key)
        for index, constraint in enumerate(self._constraints):
            value = key[index + 1]
            if not value or not constraint.counts_itself or not constraint.eligible[column]:
                continue
            if constraint.by_node:
                moved[index + 1] = value + 1
            else:
                self._near[index][value] += 1
        return tuple(moved)


def spread_groups(constraints: Sequence[Soft], taking_part: Mask, feasible: Mask) -> SpreadGroups | None:
    """None when there are too many groups."""
    columns = np.flatnonzero(feasible)
    values = [taking_part[columns].astype(np.int64)]
    for constraint in constraints:
        domains = constraint.domains[columns]
        values.append(np.where(domains > 0, constraint.near[columns] + 1, 0) if constraint.by_node else domains)
    code = np.zeros(len(columns), np.int64)
    for each in values:
        code = code * (int(each.max(initial=0)) + 1) + each
        if int(code.max(initial=0)) > MAX_CODE:
            return None
    distinct, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    if len(distinct) > MAX_GROUPS:
        return None
    members: dict[Key, Ints] = {}
    for index, at in enumerate(first.tolist()):
        key = tuple(int(each[at]) for each in values)
        members[key] = columns[inverse == index]
    return SpreadGroups(constraints, members, taking_part, feasible)
