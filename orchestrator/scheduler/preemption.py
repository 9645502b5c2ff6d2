"""Who would have to go so that a pod fits: kube-scheduler's DefaultPreemption.

For each node where it could help, all pods of lower priority are taken away and as many as possible given back, the
important ones first. Among the nodes the one that hurts least wins: fewest broken budgets, lowest highest priority,
lowest sum of priorities, fewest pods, latest start.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from orchestrator.apimachinery.selectors import Selector
from orchestrator.scheduler.decision import histogram
from orchestrator.scheduler.framework import Filter, Nodes, Profile, Scope
from orchestrator.scheduler.plugins.fit import Fit
from orchestrator.scheduler.queue import Waiting
from orchestrator.scheduler.snapshot import PODS, Mask, Placed, Snapshot

NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
NEVER = "preemption: not eligible due to preemptionPolicy=Never."
WAITING = "preemption: not eligible due to a terminating pod on the nominated node."

PRIORITY_OFFSET = 2**31
"""Makes every priority positive, so that more victims are never better than fewer."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget: ``allowed`` more of its pods may go; ``disrupted`` ones are gone already."""

    namespace: str
    selector: Selector
    allowed: int
    disrupted: frozenset[str] = frozenset()

    def covers(self, pod: Placed) -> bool:
        if pod.namespace != self.namespace or pod.name in self.disrupted:
            return False
        return not self.selector.empty and self.selector.matches(pod.shape.labels)


@dataclass(frozen=True, slots=True)
class Preemption:
    """``node`` is "" when it does not help. ``nominated``: what the pod's status shall say (None: as it is)."""

    message: str
    node: str = ""
    victims: tuple[Placed, ...] = ()
    nominated: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    column: int
    victims: tuple[Placed, ...]
    broken_budgets: int

    def cost(self) -> tuple[float, ...]:
        priorities = [pod.shape.priority for pod in self.victims]
        highest = max(priorities)
        earliest = min(pod.started for pod in self.victims if pod.shape.priority == highest)
        total = sum(priority + PRIORITY_OFFSET for priority in priorities)
        return self.broken_budgets, highest, total, len(priorities), -earliest


def preempt(
    snapshot: Snapshot,
    pod: Waiting,
    resolvable: Mask,
    profile: Profile,
    budgets: Iterable[Budget],
    source: Random,
) -> Preemption:
    """Does not change the snapshot. ``resolvable``: the columns where other pods' leaving could help."""
    limits = profile.preemption
    if limits is None:
        return Preemption("")
    if pod.shape.preemption_policy == "Never":
        return Preemption(NEVER)
    if _waits(snapshot, pod, resolvable):
        return Preemption(WAITING)
    columns = np.flatnonzero(resolvable)
    held = tuple(budgets)
    trial = _Trial(snapshot, pod, profile, held)
    wanted = max(limits.least, snapshot.node_count * limits.percent // 100)
    candidates: list[Candidate] = []
    for column in np.roll(columns, -source.randrange(max(1, len(columns)))).tolist():
        candidate = trial.at(column)
        if candidate is not None:
            candidates.append(candidate)
            if len(candidates) >= wanted and any(not each.broken_budgets for each in candidates):
                break
    if not candidates:
        return Preemption(trial.message(len(columns)), nominated="")
    best = min(candidates, key=Candidate.cost)
    node = snapshot.names[best.column]
    count = len(best.victims)
    text = f"preemption: found a potential placement for pod on node {node}, preempting {count} victims"
    return Preemption(text, node, best.victims, node)


def _waits(snapshot: Snapshot, pod: Waiting, resolvable: Mask) -> bool:
    """Victims of the pod's last preemption are still leaving a node that it could go to."""
    column = snapshot.columns.get(pod.nominated)
    if column is None or not resolvable[column]:
        return False
    return any(
        other.terminating and other.shape.priority < pod.shape.priority for other in snapshot.on_node[column].values()
    )


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What came of a node: ``victims`` are places in its list of lower pods; reasons when it does not help."""

    victims: tuple[int, ...] = ()
    broken_budgets: int = 0
    reasons: tuple[str, ...] = ()


class _Trial:
    """Takes pods off one node at a time, asks the filters, and puts back what was taken.

    When nothing but room decides, nodes with the same room and the same pods have the same verdict: it is found once.
    """

    def __init__(self, snapshot: Snapshot, pod: Waiting, profile: Profile, budgets: Sequence[Budget]) -> None:
        self._snapshot = snapshot
        self._pod = pod
        self._budgets = budgets
        self._reasons: dict[str, int] = {}
        self._filters = [each for each in profile.filters if each.applies(pod.shape, snapshot)]
        self._alike = not budgets and all(each.scope is Scope.STATIC or type(each) is Fit for each in self._filters)
        self._verdicts: dict[tuple[object, ...], _Verdict] = {}
        self._rooms = [
            array for name in (PODS, *pod.shape.requests) for array in (snapshot.allocatable(name), snapshot.used(name))
        ]

    def at(self, column: int) -> Candidate | None:
        """The fewest, least important pods of this node that would have to go."""
        lower = [
            other
            for other in self._snapshot.on_node[column].values()
            if other.shape.priority < self._pod.shape.priority
        ]
        if not lower:
            self._count([NO_VICTIMS])
            return None
        lower.sort(key=lambda other: (-other.shape.priority, other.started))
        verdict = self._verdict(column, lower)
        self._count(verdict.reasons)
        if not verdict.victims:
            return None
        return Candidate(column, tuple([lower[place] for place in verdict.victims]), verdict.broken_budgets)

    def _verdict(self, column: int, lower: Sequence[Placed]) -> _Verdict:
        if not self._alike or self._unlike(column):
            return self._try(column, lower)
        key = (*[array[column] for array in self._rooms], *[id(other.shape) for other in lower])
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = self._verdicts[key] = self._try(column, lower)
        return verdict

    def _unlike(self, column: int) -> bool:
        """A filter that looks at the Node object refuses it: its reasons are its own."""
        return any(each.scope is Scope.STATIC and self._refused(each, column) for each in self._filters)

    def _try(self, column: int, lower: Sequence[Placed]) -> _Verdict:
        for other in lower:
            self._snapshot.remove(other.uid)
        try:
            return self._reprieve(column, lower)
        finally:
            for other in lower:
                if other.uid not in self._snapshot.placed:
                    self._snapshot.place(other)

    def _reprieve(self, column: int, lower: Sequence[Placed]) -> _Verdict:
        reasons = self._blocked(column)
        if reasons:
            return _Verdict(reasons=tuple(reasons))
        breaking, harmless = self._by_budget(lower)
        victims: list[int] = []
        broken = 0
        for other in (*breaking, *harmless):
            self._snapshot.place(other)
            if self._blocked(column):
                self._snapshot.remove(other.uid)
                victims.append(lower.index(other))
                broken += other in breaking
        return _Verdict(tuple(victims), broken)

    def _blocked(self, column: int) -> list[str]:
        """The reasons of the first filter that refuses the node; empty when the pod fits."""
        for plugin in self._filters:
            reasons = self._refused(plugin, column)
            if reasons:
                return reasons
        return []

    def _refused(self, plugin: Filter, column: int) -> list[str]:
        nodes = Nodes(self._snapshot, self._pod.shape, np.array([column], np.int64))
        return [block.reason for block in plugin.blocks(self._pod.shape, nodes) if block.nodes[0]]

    def _by_budget(self, pods: Sequence[Placed]) -> tuple[list[Placed], list[Placed]]:
        """(those whose leaving breaks a budget, the others), each in the given order."""
        left = [budget.allowed for budget in self._budgets]
        breaking: list[Placed] = []
        harmless: list[Placed] = []
        for pod in pods:
            breaks = False
            for index, budget in enumerate(self._budgets):
                if budget.covers(pod):
                    left[index] -= 1
                    breaks = breaks or left[index] < 0
            (breaking if breaks else harmless).append(pod)
        return breaking, harmless

    def _count(self, reasons: Iterable[str]) -> None:
        for reason in reasons:
            self._reasons[reason] = self._reasons.get(reason, 0) + 1

    def message(self, tried: int) -> str:
        """In the words of a FitError: nodes that were not tried are those where preemption cannot help."""
        nodes = self._snapshot.node_count
        if nodes > tried:
            self._reasons[NOT_HELPFUL] = nodes - tried
        return f"preemption: 0/{nodes} nodes are available: {histogram(self._reasons.items())}."
