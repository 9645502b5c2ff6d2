"""What scheduling came to: a node, or why there is none in the words of kube-scheduler."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from orchestrator.scheduler.framework import Block
from orchestrator.scheduler.snapshot import Mask

NO_NODES = "no nodes available to schedule pods"


@dataclass(slots=True)
class Diagnosis:
    """Why no node can take the pod: reasons with the number of nodes, and who said so."""

    nodes: int
    reasons: dict[str, int] = field(default_factory=dict)
    plugins: set[str] = field(default_factory=set)
    """Filters that rejected some node: only an event that one of them waits for can help."""
    resolvable: Mask | None = None
    """Columns where the room could be made by preemption."""
    instead: str = ""
    """One reason for all nodes, that no node was asked for."""

    def message(self) -> str:
        if not self.nodes:
            return NO_NODES
        prefix = f"0/{self.nodes} nodes are available:"
        if self.instead:
            return f"{prefix} {self.instead}."
        return f"{prefix} {histogram(self.reasons.items())}."


def histogram(reasons: Iterable[tuple[str, int]]) -> str:
    """``1 Insufficient cpu, 2 node(s) were unschedulable``: sorted as texts, as upstream sorts them."""
    return ", ".join(sorted(f"{count} {reason}" for reason, count in reasons))


@dataclass(frozen=True, slots=True)
class Decision:
    """``node`` is "" when the pod is unschedulable; then ``diagnosis`` says why."""

    node: str
    score: int = 0
    diagnosis: Diagnosis | None = None


class Rejections:
    """Collects blocks in the order filters are asked: a node is out with the first filter that rejects it."""

    def __init__(self, present: Mask) -> None:
        self.open: Mask = present.copy()
        self.diagnosis = Diagnosis(int(present.sum()), resolvable=present.copy())

    def refuse(self, plugin: str, reason: str) -> None:
        """No node can take the pod; that others leave does not help."""
        self.diagnosis.plugins.add(plugin)
        self.diagnosis.instead = reason
        self.diagnosis.resolvable = np.zeros_like(self.open)
        self.open = np.zeros_like(self.open)

    def add(self, plugin: str, blocks: Iterable[Block]) -> None:
        still = self.open.copy()
        for block in blocks:
            rejected = block.nodes & self.open
            count = int(rejected.sum())
            if not count:
                continue
            reasons = self.diagnosis.reasons
            reasons[block.reason] = reasons.get(block.reason, 0) + count
            self.diagnosis.plugins.add(plugin)
            assert self.diagnosis.resolvable is not None
            if block.resolvable is not True:
                self.diagnosis.resolvable &= ~rejected | block.resolvable
            still &= ~rejected
        self.open = still
