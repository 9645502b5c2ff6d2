"""The arguments of the built-in plugins in a ``KubeSchedulerConfiguration``, and what Kubernetes demands of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import msgspec

from orchestrator.apimachinery.encoded import Object

CUSTOM_MAX_SCORE = 10
"""The scale of the points of a requested-to-capacity shape."""
LEAST_ALLOCATED, MOST_ALLOCATED, RATIO = "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"
UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")

Problem: TypeAlias = tuple[str, str]
"""Path below the arguments, and what is wrong there."""


class Args(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    api_version: str = ""
    kind: str = ""

    def problems(self) -> Iterator[Problem]:
        yield from ()


class Resource(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    name: str
    weight: int = 1


class Point(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    utilization: int
    score: int


class Ratio(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    shape: tuple[Point, ...] = ()


DEFAULT_RESOURCES = (Resource("cpu"), Resource("memory"))


class ScoringStrategy(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    type: str = LEAST_ALLOCATED
    resources: tuple[Resource, ...] = DEFAULT_RESOURCES
    requested_to_capacity_ratio: Ratio | None = None


class NodeResourcesFitArgs(Args, frozen=True):
    ignored_resources: tuple[str, ...] = ()
    ignored_resource_groups: tuple[str, ...] = ()
    scoring_strategy: ScoringStrategy = ScoringStrategy()

    def problems(self) -> Iterator[Problem]:
        for index, group in enumerate(self.ignored_resource_groups):
            if "/" in group:
                yield f"ignoredResourceGroups[{index}]", f"resource group name can't contain '/', found {group!r}"
        strategy = self.scoring_strategy
        if strategy.type not in (LEAST_ALLOCATED, MOST_ALLOCATED, RATIO):
            known = ", ".join((LEAST_ALLOCATED, MOST_ALLOCATED, RATIO))
            yield "scoringStrategy.type", f"expected one of {known}, found {strategy.type!r}"
        for index, resource in enumerate(strategy.resources):
            if not 0 < resource.weight <= 100:
                at = f"scoringStrategy.resources[{index}].weight"
                yield at, f"resource weight of {resource.name} not in valid range (0, 100]: {resource.weight}"
        yield from _ratio_problems(strategy)


def _ratio_problems(strategy: ScoringStrategy) -> Iterator[Problem]:
    at, ratio = "scoringStrategy.requestedToCapacityRatio", strategy.requested_to_capacity_ratio
    if strategy.type != RATIO:
        if ratio is not None:
            yield at, f"must be nil when type is not {RATIO}"
        return
    if ratio is None or not ratio.shape:
        yield f"{at}.shape", f"at least one point must be specified when type is {RATIO}"
        return
    for index, (left, right) in enumerate(pairwise(ratio.shape)):
        if left.utilization >= right.utilization:
            yield f"{at}.shape[{index + 1}].utilization", "values must be sorted in increasing order"
    for index, point in enumerate(ratio.shape):
        if not 0 <= point.utilization <= 100:
            yield f"{at}.shape[{index}].utilization", f"not in valid range [0, 100]: {point.utilization}"
        if not 0 <= point.score <= CUSTOM_MAX_SCORE:
            yield f"{at}.shape[{index}].score", f"not in valid range [0, {CUSTOM_MAX_SCORE}]: {point.score}"


class NodeResourcesBalancedAllocationArgs(Args, frozen=True):
    resources: tuple[Resource, ...] = DEFAULT_RESOURCES

    def problems(self) -> Iterator[Problem]:
        for index, resource in enumerate(self.resources):
            if resource.weight != 1:
                yield f"resources[{index}].weight", f"must be 1, found {resource.weight}"
            if resource.name in [other.name for other in self.resources[:index]]:
                yield f"resources[{index}].name", f"duplicate value: {resource.name!r}"


class InterPodAffinityArgs(Args, frozen=True):
    hard_pod_affinity_weight: int = 1
    ignore_preferred_terms_of_existing_pods: bool = False

    def problems(self) -> Iterator[Problem]:
        if not 0 <= self.hard_pod_affinity_weight <= 100:
            yield "hardPodAffinityWeight", f"not in valid range [0, 100]: {self.hard_pod_affinity_weight}"


class NodeAffinityArgs(Args, frozen=True):
    added_affinity: Object | None = None

    def problems(self) -> Iterator[Problem]:
        required = (self.added_affinity or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
        if required is not None and not required.get("nodeSelectorTerms"):
            at = "addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
            yield at, "must have at least one node selector term"


class SpreadConstraint(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A constraint that pods get which have none; its selector is found for each pod."""

    topology_key: str = ""
    max_skew: int = 0
    when_unsatisfiable: str = ""
    min_domains: int | None = None
    node_affinity_policy: str = "Honor"
    node_taints_policy: str = "Ignore"
    label_selector: Any = None


SYSTEM, LIST = "System", "List"


class PodTopologySpreadArgs(Args, frozen=True):
    default_constraints: tuple[SpreadConstraint, ...] = ()
    defaulting_type: str = SYSTEM

    def problems(self) -> Iterator[Problem]:
        if self.defaulting_type not in (SYSTEM, LIST):
            yield "defaultingType", f"expected one of {SYSTEM}, {LIST}, found {self.defaulting_type!r}"
        if self.defaulting_type == SYSTEM and self.default_constraints:
            yield "defaultingType", f"invalid value: {SYSTEM!r}: when .defaultConstraints are not empty"
        for index, constraint in enumerate(self.default_constraints):
            earlier = self.default_constraints[:index]
            for name, message in _constraint_problems(constraint, earlier):
                yield f"defaultConstraints[{index}].{name}", message


def _constraint_problems(constraint: SpreadConstraint, earlier: Sequence[SpreadConstraint]) -> Iterator[Problem]:
    if constraint.max_skew <= 0:
        yield "maxSkew", f"not in valid range (0, inf): {constraint.max_skew}"
    if not constraint.topology_key:
        yield "topologyKey", "can not be empty"
    if constraint.when_unsatisfiable not in UNSATISFIABLE:
        known = ", ".join(UNSATISFIABLE)
        yield "whenUnsatisfiable", f"expected one of {known}, found {constraint.when_unsatisfiable!r}"
    if constraint.label_selector is not None:
        yield "labelSelector", "constraint must not define a selector, as they deduced for each pod"
    same = (constraint.topology_key, constraint.when_unsatisfiable)
    if any((other.topology_key, other.when_unsatisfiable) == same for other in earlier):
        yield "topologyKey", f"duplicate value: {{{same[0]}, {same[1]}}}"


class DefaultPreemptionArgs(Args, frozen=True):
    min_candidate_nodes_percentage: int = 10
    min_candidate_nodes_absolute: int = 100

    def problems(self) -> Iterator[Problem]:
        if not 0 <= self.min_candidate_nodes_percentage <= 100:
            at = "minCandidateNodesPercentage"
            yield at, f"not in valid range [0, 100]: {self.min_candidate_nodes_percentage}"
        if self.min_candidate_nodes_absolute < 0:
            yield "minCandidateNodesAbsolute", f"not in valid range [0, inf): {self.min_candidate_nodes_absolute}"
        if not self.min_candidate_nodes_percentage and not self.min_candidate_nodes_absolute:
            yield "minCandidateNodesPercentage", "cannot be zero at the same time as minCandidateNodesAbsolute"


class VolumeBindingArgs(Args, frozen=True):
    bind_timeout_seconds: int = 600

    def problems(self) -> Iterator[Problem]:
        if self.bind_timeout_seconds < 0:
            yield "bindTimeoutSeconds", f"should not be a negative value: {self.bind_timeout_seconds}"


ARGS: dict[str, type[Args]] = {
    "DefaultPreemption": DefaultPreemptionArgs,
    "InterPodAffinity": InterPodAffinityArgs,
    "NodeAffinity": NodeAffinityArgs,
    "NodeResourcesBalancedAllocation": NodeResourcesBalancedAllocationArgs,
    "NodeResourcesFit": NodeResourcesFitArgs,
    "PodTopologySpread": PodTopologySpreadArgs,
    "VolumeBinding": VolumeBindingArgs,
}
"""By plugin; a plugin that is not here takes no arguments."""
