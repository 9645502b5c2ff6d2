"""The default profile: kube-scheduler 1.37's filters and scores, in its order and with its weights."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.scheduler.framework import Filter, Profile, Score, Weighted
from orchestrator.scheduler.plugins.balanced_allocation import BalancedAllocation
from orchestrator.scheduler.plugins.fit import Fit, FitScore, FitScoring
from orchestrator.scheduler.plugins.image_locality import ImageLocality
from orchestrator.scheduler.plugins.inter_pod_affinity import InterPodAffinity, InterPodAffinityScore
from orchestrator.scheduler.plugins.node_affinity import NodeAffinity, NodeNames, PreferredNodeAffinity
from orchestrator.scheduler.plugins.node_name import NodeName
from orchestrator.scheduler.plugins.node_ports import NodePorts
from orchestrator.scheduler.plugins.node_unschedulable import NodeUnschedulable
from orchestrator.scheduler.plugins.taint_toleration import TaintScore, TaintToleration
from orchestrator.scheduler.plugins.topology_spread import SpreadScore, TopologySpread
from orchestrator.scheduler.shape import DEFAULT_SCHEDULER


def default_profile(
    scheduler: str = DEFAULT_SCHEDULER,
    *,
    fit: FitScoring | None = None,
    filters: Sequence[Filter] = (),
    scores: Sequence[Score] = (),
) -> Profile:
    """The default plugins followed by ``filters`` and ``scores`` (those of users)."""
    own_filters: list[Filter] = [
        NodeNames(),
        NodeName(),
        NodeUnschedulable(),
        TaintToleration(),
        NodeAffinity(),
        NodePorts(),
        Fit(),
        TopologySpread(),
        InterPodAffinity(),
    ]
    own_scores: list[Score] = [
        TaintScore(),
        PreferredNodeAffinity(),
        FitScore(fit),
        SpreadScore(),
        InterPodAffinityScore(),
        BalancedAllocation(),
        ImageLocality(),
    ]
    every = [*own_scores, *scores]
    return Profile(scheduler, (*own_filters, *filters), tuple(Weighted(plugin, plugin.weight) for plugin in every))
