"""Profiles made of a configuration: names and arguments become plugins, kube-scheduler 1.37's or a user's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from orchestrator.scheduler.configuration import ProfileConfiguration, SchedulerConfiguration, default_configuration
from orchestrator.scheduler.errors import ConfigurationError
from orchestrator.scheduler.framework import Candidates, Filter, Profile, Score, Weighted
from orchestrator.scheduler.node_selector import preferences, required_terms
from orchestrator.scheduler.offers import Offers
from orchestrator.scheduler.plugin_args import (
    LIST,
    Args,
    DefaultPreemptionArgs,
    InterPodAffinityArgs,
    NodeAffinityArgs,
    NodeResourcesBalancedAllocationArgs,
    NodeResourcesFitArgs,
    PodTopologySpreadArgs,
    VolumeBindingArgs,
)
from orchestrator.scheduler.plugin_points import FILTER, POST_FILTER, PRE_ENQUEUE, SCORE
from orchestrator.scheduler.plugins.balanced_allocation import BalancedAllocation
from orchestrator.scheduler.plugins.fit import Fit, FitScore, FitScoring, Strategy
from orchestrator.scheduler.plugins.image_locality import ImageLocality
from orchestrator.scheduler.plugins.inter_pod_affinity import InterPodAffinity, InterPodAffinityScore
from orchestrator.scheduler.plugins.node_affinity import NodeAffinity, NodeNames, PreferredNodeAffinity
from orchestrator.scheduler.plugins.node_name import NodeName
from orchestrator.scheduler.plugins.node_ports import NodePorts
from orchestrator.scheduler.plugins.node_unschedulable import NodeUnschedulable
from orchestrator.scheduler.plugins.taint_toleration import TaintScore, TaintToleration
from orchestrator.scheduler.plugins.topology_spread import SpreadScore, TopologySpread
from orchestrator.scheduler.plugins.volume_binding import VolumeBinding
from orchestrator.scheduler.plugins.volume_limits import NodeVolumeLimits
from orchestrator.scheduler.plugins.volume_restrictions import VolumeRestrictions
from orchestrator.scheduler.plugins.volume_zone import VolumeZone
from orchestrator.scheduler.terms import SYSTEM_SPREADING, DefaultSpreading

ArgsByName = Mapping[str, Args]
P = TypeVar("P", bound=Args)


def profiles(configuration: SchedulerConfiguration) -> list[Profile]:
    """Raises ConfigurationError when an installed plugin is not what the configuration takes it for."""
    return [_Maker(each, configuration.offers).profile() for each in configuration.profiles]


def default_profile() -> Profile:
    """The default plugins alone."""
    return profiles(default_configuration({}))[0]


class _Maker:
    def __init__(self, configuration: ProfileConfiguration, offers: Offers) -> None:
        self._configuration = configuration
        self._users = {name: self._user(name, load) for name, load in offers.items()}
        points = {name: _points(plugin) for name, plugin in self._users.items()}
        self._chosen = configuration.chosen(points)

    def profile(self) -> Profile:
        args, chosen = self._configuration.args, self._chosen
        filters = [plugin for name in chosen.names(FILTER) for plugin in self._filters(name)]
        # Terms that name the nodes are looked at before any filter is asked, wherever NodeAffinity stands.
        named = [plugin for plugin in filters if isinstance(plugin, NodeNames)]
        filters = named + [plugin for plugin in filters if not isinstance(plugin, NodeNames)]
        scores = [self._score(name, weight) for name, weight in chosen.points[SCORE]]
        preemption = of(args, "DefaultPreemption", DefaultPreemptionArgs)
        limits = Candidates(preemption.min_candidate_nodes_percentage, preemption.min_candidate_nodes_absolute)
        return Profile(
            scheduler=self._configuration.scheduler,
            filters=tuple(filters),
            scores=tuple(scores),
            spreading=_spreading(of(args, "PodTopologySpread", PodTopologySpreadArgs)),
            preemption=limits if "DefaultPreemption" in chosen.names(POST_FILTER) else None,
            gates="SchedulingGates" in chosen.names(PRE_ENQUEUE),
            volume_seconds=float(of(args, "VolumeBinding", VolumeBindingArgs).bind_timeout_seconds),
        )

    def _filters(self, name: str) -> Sequence[Filter]:
        if name in FILTERS:
            return FILTERS[name](self._configuration.args)
        plugin = self._users[name]
        if not isinstance(plugin, Filter):
            raise self._wrong(FILTER, name, "Filter", plugin)
        return [plugin]

    def _score(self, name: str, weight: int) -> Weighted:
        if name in SCORES:
            return Weighted(SCORES[name](self._configuration.args), weight or 1)
        plugin = self._users[name]
        if not isinstance(plugin, Score):
            raise self._wrong(SCORE, name, "Score", plugin)
        return Weighted(plugin, weight or plugin.weight)

    def _user(self, name: str, load: Callable[[], Any]) -> Any:
        plugin = load()(**self._configuration.user_args.get(name, {}))
        if not isinstance(plugin, Filter | Score):
            raise ConfigurationError(f"plugin {name}", f"expected a Filter or Score class, found {plugin!r}")
        if plugin.name != name:
            text = f"expected a class whose name is {name!r} like its entry point's, found {plugin.name!r}"
            raise ConfigurationError(f"plugin {name}", text)
        return plugin

    def _wrong(self, point: str, name: str, kind: str, plugin: Any) -> ConfigurationError:
        path = f"profile {self._configuration.scheduler}: plugins.{point}"
        return ConfigurationError(path, f"expected a {kind}, found {name}, a {type(plugin).__name__}")


def _points(plugin: Any) -> frozenset[str]:
    kinds = ((FILTER, Filter), (SCORE, Score))
    return frozenset(point for point, kind in kinds if isinstance(plugin, kind))


def of(args: ArgsByName, name: str, kind: type[P]) -> P:
    found = args.get(name)
    return found if isinstance(found, kind) else kind()


def _fit(args: ArgsByName) -> list[Filter]:
    fit = of(args, "NodeResourcesFit", NodeResourcesFitArgs)
    return [Fit(fit.ignored_resources, fit.ignored_resource_groups)]


def _fit_score(args: ArgsByName) -> Score:
    strategy = of(args, "NodeResourcesFit", NodeResourcesFitArgs).scoring_strategy
    resources = tuple((resource.name, resource.weight) for resource in strategy.resources)
    ratio = strategy.requested_to_capacity_ratio
    points = tuple((point.utilization, point.score) for point in ratio.shape) if ratio else FitScoring().points
    return FitScore(FitScoring(Strategy(strategy.type), resources, points))


def _balanced(args: ArgsByName) -> Score:
    found = of(args, "NodeResourcesBalancedAllocation", NodeResourcesBalancedAllocationArgs)
    return BalancedAllocation(tuple(resource.name for resource in found.resources))


def _node_affinity(args: ArgsByName) -> list[Filter]:
    added = of(args, "NodeAffinity", NodeAffinityArgs).added_affinity
    return [NodeNames(), NodeAffinity(required_terms({"affinity": {"nodeAffinity": added}}) if added else None)]


def _preferred_node_affinity(args: ArgsByName) -> Score:
    added = of(args, "NodeAffinity", NodeAffinityArgs).added_affinity
    return PreferredNodeAffinity(preferences({"affinity": {"nodeAffinity": added}}) if added else ())


def _inter_pod_affinity(args: ArgsByName) -> Score:
    found = of(args, "InterPodAffinity", InterPodAffinityArgs)
    ignore = found.ignore_preferred_terms_of_existing_pods
    return InterPodAffinityScore(found.hard_pod_affinity_weight, ignore_preferred_of_others=ignore)


def _spreading(args: PodTopologySpreadArgs) -> DefaultSpreading:
    if args.defaulting_type != LIST:
        return SYSTEM_SPREADING
    documents: Iterable[Any] = (msgspec.to_builtins(each) for each in args.default_constraints)
    return DefaultSpreading(tuple(documents))


def _alone(kind: Callable[[], Filter]) -> Callable[[ArgsByName], list[Filter]]:
    return lambda _: [kind()]


FILTERS: dict[str, Callable[[ArgsByName], list[Filter]]] = {
    "NodeName": _alone(NodeName),
    "NodeUnschedulable": _alone(NodeUnschedulable),
    "TaintToleration": _alone(TaintToleration),
    "NodeAffinity": _node_affinity,
    "NodePorts": _alone(NodePorts),
    "NodeResourcesFit": _fit,
    "VolumeRestrictions": _alone(VolumeRestrictions),
    "NodeVolumeLimits": _alone(NodeVolumeLimits),
    "VolumeBinding": _alone(VolumeBinding),
    "VolumeZone": _alone(VolumeZone),
    "PodTopologySpread": _alone(TopologySpread),
    "InterPodAffinity": _alone(InterPodAffinity),
}
SCORES: dict[str, Callable[[ArgsByName], Score]] = {
    "TaintToleration": lambda _: TaintScore(),
    "NodeAffinity": _preferred_node_affinity,
    "NodeResourcesFit": _fit_score,
    "PodTopologySpread": lambda _: SpreadScore(),
    "InterPodAffinity": _inter_pod_affinity,
    "NodeResourcesBalancedAllocation": _balanced,
    "ImageLocality": lambda _: ImageLocality(),
}
