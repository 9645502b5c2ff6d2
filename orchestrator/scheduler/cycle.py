"""Scheduling cycles: one pod (``schedule``), or a run of identical pods that share their work (``Run``).

Filters and scores are asked once for all nodes. Then each pod of the run goes to the best node, and only what that
changes is asked again: the node's own rung of the ladder, and the domains of cluster-wide plugins. Ties are broken at
random: a fraction below one, drawn for each column, is added to the integer scores.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass

import numpy as np

from orchestrator.scheduler.decision import Decision, Diagnosis, Rejections
from orchestrator.scheduler.fractions import Keys, fractions
from orchestrator.scheduler.framework import (
    Filter,
    FilterSession,
    Nodes,
    Normalize,
    Profile,
    Scope,
    ScoreSession,
    Weighted,
    normalized,
)
from orchestrator.scheduler.ladder import BLOCKED, Ladder
from orchestrator.scheduler.plugins.hard_groups import HardGroups
from orchestrator.scheduler.plugins.spread_groups import Key, SpreadGroups
from orchestrator.scheduler.plugins.topology_spread import HardSession, SoftSession
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Ints, Mask, Snapshot

GROUPED_RUN = 4
"""Fewer pods than this are not worth sorting the nodes into groups."""
MAX_RUN = 512
"""Pods placed by one evaluation; the snapshot is brought up to date between runs."""

Heap = list[tuple[float, int]]
"""(negative score with its tie-breaking fraction, column)"""


def schedule(snapshot: Snapshot, shape: Shape, profile: Profile, ties: random.Random) -> Decision:
    """Where one pod of the shape goes now. Does not change the snapshot."""
    run = Run(snapshot, shape, profile, ties)
    columns = run.place(1)
    if not columns:
        return Decision("", diagnosis=run.diagnosis)
    return Decision(snapshot.names[columns[0]], score=run.last_score)


@dataclass(slots=True)
class _Static:
    """A normalized score of the nodes' own: it changes when the last node with the highest raw score drops out."""

    raw: Ints
    highest: int
    holders: int


class Run:
    """Places pods of one shape on a snapshot that stands still meanwhile."""

    def __init__(self, snapshot: Snapshot, shape: Shape, profile: Profile, ties: random.Random) -> None:
        self._snapshot = snapshot
        self._shape = shape
        self._ties = ties
        filters = [plugin for plugin in profile.filters if plugin.applies(shape, snapshot)]
        self._scores = [weighted for weighted in profile.scores if weighted.plugin.applies(shape, snapshot)]
        self._nodewise = [plugin for plugin in filters if plugin.scope is Scope.NODE]
        self._filter_sessions: list[FilterSession] = []
        self.repeatable = True
        """False: some plugin cannot follow a run, so that it ends with its first pod."""
        self._reject(filters)
        self._jitter = fractions(ties, snapshot.size)
        self.last_score = 0

    def _reject(self, filters: list[Filter]) -> None:
        snapshot, shape = self._snapshot, self._shape
        rejections = Rejections(snapshot.present[: snapshot.size])
        for plugin in filters:
            reason = plugin.refuses(shape, snapshot)
            if reason:
                rejections.refuse(plugin.name, reason)
                filters = []
                break
        nodes = Nodes(snapshot, shape)
        self._standing: Mask = rejections.open.copy()
        """The nodes that no filter of the node's own refuses: cluster-wide ones may close and open them in a run."""
        for plugin in filters:
            session = plugin.session(shape, snapshot) if plugin.scope is Scope.CLUSTER else None
            if session is not None:
                self._filter_sessions.append(session)
            elif plugin.scope is Scope.CLUSTER:
                self.repeatable = False
            blocks = session.blocks() if session is not None else plugin.blocks(shape, nodes)
            rejections.add(plugin.name, blocks)
            if session is None:
                for block in blocks:
                    self._standing &= ~block.nodes
        self.feasible: Mask = rejections.open
        """The nodes that can take the first pod."""
        self.diagnosis: Diagnosis = rejections.diagnosis

    def place(self, count: int) -> list[int]:
        """Columns for up to ``count`` pods, in order. After fewer the snapshot must take these first."""
        if not self.feasible.any():
            return []
        self._score()
        if not self.repeatable:
            count = 1
        if self._filter_sessions or self._score_sessions:
            grouped = self._place_grouped(count) if count >= GROUPED_RUN else None
            return grouped if grouped is not None else self._place_coupled(count)
        return self._place_apart(count)

    def totals(self) -> Ints:
        """The final scores as things stand; ``BLOCKED`` where the pod cannot go."""
        self._score()
        total = self._apart.copy()
        for weight, session in self._score_sessions:
            total += weight * session.scores(self.feasible)
        return np.where(self.feasible, total, BLOCKED)

    def _score(self) -> None:
        nodes = Nodes(self._snapshot, self._shape)
        self._score_sessions: list[tuple[int, ScoreSession]] = []
        self._statics: list[_Static] = []
        plain: list[Weighted] = []
        fixed = np.zeros(self._snapshot.size, np.int64)
        for weighted in self._scores:
            plugin = weighted.plugin
            session = plugin.session(self._shape, self._snapshot) if plugin.scope is Scope.CLUSTER else None
            if session is not None:
                self._score_sessions.append((weighted.weight, session))
            elif plugin.scope is Scope.NODE and plugin.normalize is Normalize.NONE:
                plain.append(weighted)
            else:
                self.repeatable = self.repeatable and plugin.scope is Scope.STATIC
                fixed += weighted.weight * self._fixed(weighted, nodes)
        self._ladder = Ladder(self._snapshot, self._shape, self._nodewise, plain)
        self._fixed_sum = fixed
        self._apart: Ints = self._ladder.first(self._standing) + fixed

    def _fixed(self, weighted: Weighted, nodes: Nodes) -> Ints:
        plugin = weighted.plugin
        raw = plugin.score(self._shape, nodes)
        if plugin.normalize is not Normalize.NONE:
            some = raw[self.feasible]
            highest = int(some.max(initial=0))
            self._statics.append(_Static(raw, highest, int((some == highest).sum())))
        return normalized(raw, self.feasible, plugin.normalize)

    # scores of a node that depend on that node only

    def _place_apart(self, count: int) -> list[int]:
        """A heap of the ``count`` best nodes: no other can come up while scores of others stand still."""
        heap = self._heap(count)
        columns: list[int] = []
        while heap and len(columns) < count:
            key, column = heap[0]
            columns.append(column)
            self.last_score = int(-key // 1)
            score = self._ladder.climb(column)
            if score != BLOCKED:
                heapq.heapreplace(heap, (-(score + int(self._fixed_sum[column]) + self._ties.random()), column))
                continue
            heapq.heappop(heap)
            self.feasible[column] = False
            if self._lost_highest(column):
                return columns
        return columns

    def _heap(self, count: int, candidates: Ints | None = None) -> Heap:
        """The best ``count`` of the candidates (None: of all feasible nodes), best first."""
        if candidates is None:
            candidates = np.flatnonzero(self.feasible)
        keys = self._apart[candidates] + self._jitter[candidates]
        if count < len(candidates):
            best = np.argpartition(keys, len(keys) - count)[len(keys) - count :]
            candidates, keys = candidates[best], keys[best]
        order = np.argsort(-keys)
        return list(zip((-keys[order]).tolist(), candidates[order].tolist(), strict=True))

    def _lost_highest(self, column: int) -> bool:
        """The node was the last with a plugin's highest raw score: all scores change, the caller evaluates anew."""
        lost = False
        for static in self._statics:
            if static.raw[column] == static.highest:
                static.holders -= 1
                lost = lost or (static.holders == 0 and bool(static.highest))
        return lost

    # scores of a node that depend on how its domains fare: nodes of equal standing share a heap

    def _place_grouped(self, count: int) -> list[int] | None:
        """None when more than one kind of spreading couples the nodes, or they fall in too many groups."""
        weight, groups = self._groups()
        if groups is None:
            return None
        heaps = {key: self._heap(count, columns) for key, columns in groups.members.items()}
        columns: list[int] = []
        while len(columns) < count:
            best, key = _best_group(heaps, weight, groups)
            if key is None:
                break
            self.last_score = int(best // 1)
            _, column = heapq.heappop(heaps[key])
            columns.append(column)
            if not heaps[key]:
                del heaps[key]
            moved = groups.placed(column, key)
            score = self._ladder.climb(column)
            if score != BLOCKED:
                entry = (-(score + int(self._fixed_sum[column]) + self._ties.random()), column)
                heapq.heappush(heaps.setdefault(moved, []), entry)
                continue
            self.feasible[column] = False
            groups.weigh(self.feasible)
            if self._lost_highest(column):
                break
        return columns

    def _groups(self) -> tuple[int, SpreadGroups | HardGroups | None]:
        """(weight of the groups' scores, the groups)"""
        if not self._filter_sessions and len(self._score_sessions) == 1:
            weight, soft = self._score_sessions[0]
            return weight, soft.groups(self.feasible) if isinstance(soft, SoftSession) else None
        if self._score_sessions or len(self._filter_sessions) != 1 or not self._even():
            return 0, None
        hard = self._filter_sessions[0]
        return 1, hard.groups(self._standing) if isinstance(hard, HardSession) else None

    def _even(self) -> bool:
        """Whichever nodes are open, scores that are scaled by the best of them come out the same."""
        standing = [static.raw[self._standing] for static in self._statics]
        return all(bool((raw == raw[:1]).all()) for raw in standing)

    # scores of a node that depend on others in other ways

    def _place_coupled(self, count: int) -> list[int]:
        keys: Keys = np.where(self.feasible, self._apart + self._jitter, -np.inf)
        columns: list[int] = []
        while len(columns) < count:
            total = keys
            if self._score_sessions:
                total = keys.copy()
                for weight, session in self._score_sessions:
                    total += weight * session.scores(self.feasible)
            column = int(total.argmax())
            if total[column] == -np.inf:
                break
            columns.append(column)
            self.last_score = int(total[column] // 1)
            for _, session in self._score_sessions:
                session.placed(column)
            if len(columns) == count:
                break
            if not self._settle(column, keys):
                break
        return columns

    def _settle(self, column: int, keys: Keys) -> bool:
        """Bring keys and feasibility up to date after a pod went to the column. False: evaluate anew."""
        score = self._ladder.climb(column)
        if score == BLOCKED:
            self._standing[column] = self.feasible[column] = False
            keys[column] = -np.inf
            if self._lost_highest(column):
                return False
        else:
            self._apart[column] = score + int(self._fixed_sum[column])
            self._jitter[column] = self._ties.random()
            keys[column] = self._apart[column] + self._jitter[column]
        if not self._filter_sessions:
            return True
        feasible = self._standing.copy()
        for session in self._filter_sessions:
            session.placed(column)
            for block in session.blocks():
                feasible &= ~block.nodes
        return self._keep(feasible, keys)

    def _keep(self, feasible: Mask, keys: Keys) -> bool:
        """Nodes that cluster-wide filters closed or opened since the last pod. False: evaluate anew."""
        closed = np.flatnonzero(self.feasible & ~feasible)
        opened = np.flatnonzero(feasible & ~self.feasible)
        self.feasible = feasible
        keys[closed] = -np.inf
        keys[opened] = self._apart[opened] + self._jitter[opened]
        for static in self._statics:
            if len(opened) and int(static.raw[opened].max()) > static.highest:
                return False
            static.holders += int((static.raw[opened] == static.highest).sum())
        return sum(self._lost_highest(column) for column in closed.tolist()) == 0


def _best_group(heaps: dict[Key, Heap], weight: int, groups: SpreadGroups | HardGroups) -> tuple[float, Key | None]:
    """The score of the best node of all open groups, and its group."""
    keys = list(heaps)
    best, found = -np.inf, None
    for key, score in zip(keys, groups.scores(keys), strict=True):
        if score is not None and weight * score - heaps[key][0][0] > best:
            best, found = weight * score - heaps[key][0][0], key
    return best, found
