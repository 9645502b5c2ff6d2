"""Which pods a scale-down takes first, as kube-controller-manager's ActivePodsWithRanks orders them. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from orchestrator.client.view import View
from orchestrator.controllers.pods import PENDING, UNKNOWN, created_at, deletion_cost, pod

_PHASES = {PENDING: 0, UNKNOWN: 1}


def victims(candidates: Sequence[View], related: Iterable[View], count: int, now: float) -> list[View]:
    """The ``count`` pods to delete. ``related`` are all pods of the owner's owner: full nodes give first."""
    if count >= len(candidates):
        return list(candidates)
    ranks = Counter(pod(view).node for view in related)
    return sorted(candidates, key=lambda view: _order(view, ranks[pod(view).node], now))[:count]


def _order(view: View, rank: int, now: float) -> tuple[int | float | str, ...]:
    facts = pod(view)
    return (
        1 if facts.node else 0,
        _PHASES.get(facts.phase, 2),
        1 if facts.ready else 0,
        deletion_cost(view),
        -rank,
        _age_bucket(facts.ready_since, now) if facts.ready else 0,
        -facts.restarts,
        _age_bucket(created_at(view), now),
        view.uid,
    )


def _age_bucket(moment: float, now: float) -> int:
    """Ages that differ little count as equal (KEP-2185), so that the choice among them is as good as random."""
    age = now - moment
    return math.floor(math.log2(age)) if moment > 0 and age >= 1 else 0
