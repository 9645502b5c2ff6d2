"""Which pods a scale-down takes first, as kube-controller-manager's ActivePodsWithRanks orders them. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial

from orchestrator.client.view import View
from orchestrator.controllers.pods import PENDING, UNKNOWN, created_at, deletion_cost, pod

Order = tuple[int, ...]
_PHASES = {PENDING: 0, UNKNOWN: 1}


def victims(candidates: Sequence[View], related: Iterable[View], count: int, now: float) -> list[View]:
    """The ``count`` pods to delete. ``related`` are all pods of the owner's owner: full nodes give first."""
    if count >= len(candidates):
        return list(candidates)
    ranks = Counter([pod(view).node for view in related])
    age = cache(partial(_age_bucket, now=now))
    alike: dict[Order, list[View]] = {}  # few are told apart by more than their uid
    for view in candidates:
        alike.setdefault(_order(view, ranks, age), []).append(view)
    chosen: list[View] = []
    for order in sorted(alike):
        if len(chosen) < count:
            chosen += sorted(alike[order], key=_uid)
    return chosen[:count]


def _order(view: View, ranks: Mapping[str, int], age: Callable[[float], int]) -> Order:
    facts = pod(view)
    node = facts.node
    return (
        1 if node else 0,
        _PHASES.get(facts.phase, 2),
        1 if facts.ready else 0,
        deletion_cost(view),
        -ranks[node],
        age(facts.ready_since) if facts.ready else 0,
        -facts.restarts,
        age(created_at(view)),
    )


def _uid(view: View) -> str:
    return view.meta.uid


def _age_bucket(moment: float, now: float) -> int:
    """Ages that differ little count as equal (KEP-2185), so that the choice among them is as good as random."""
    age = now - moment
    return math.floor(math.log2(age)) if moment > 0 and age >= 1 else 0
