"""KubeSchedulerConfiguration: what a document comes to, and the field that is named when it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.scheduler.configuration import API_VERSION, KIND, read
from orchestrator.scheduler.errors import ConfigurationError
from orchestrator.scheduler.framework import Candidates, Profile
from orchestrator.scheduler.plugins.fit import FitScore, Strategy
from orchestrator.scheduler.profiles import profiles

Object = dict[str, Any]


def document(*profile: Object, **more: Any) -> Object:
    return {"apiVersion": API_VERSION, "kind": KIND, **({"profiles": list(profile)} if profile else {}), **more}


def made(*profile: Object) -> list[Profile]:
    return profiles(read(document(*profile), offers={}))


def filter_names(profile: Profile) -> list[str]:
    return list(dict.fromkeys(plugin.name for plugin in profile.filters))


def weights(profile: Profile) -> dict[str, int]:
    return {weighted.plugin.name: weighted.weight for weighted in profile.scores}


def test_an_empty_document_is_the_default_profile_of_kube_scheduler() -> None:
    (profile,) = made()
    assert profile.scheduler == "default-scheduler"
    assert filter_names(profile) == [
        "NodeAffinity",  # its part that names nodes comes before everything
        "NodeName",
        "NodeUnschedulable",
        "TaintToleration",
        "NodePorts",
        "NodeResourcesFit",
        "VolumeRestrictions",
        "NodeVolumeLimits",
        "VolumeBinding",
        "VolumeZone",
        "PodTopologySpread",
        "InterPodAffinity",
    ]
    assert weights(profile) == {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "NodeResourcesFit": 1,
        "PodTopologySpread": 2,
        "InterPodAffinity": 2,
        "NodeResourcesBalancedAllocation": 1,
        "ImageLocality": 1,
    }
    assert profile.preemption == Candidates(10, 100)
    assert profile.gates
    assert profile.spreading.system


def test_a_point_overrides_the_weight_and_leaves_out_what_it_disables() -> None:
    score = {"enabled": [{"name": "ImageLocality", "weight": 7}], "disabled": [{"name": "NodeResourcesFit"}]}
    (profile,) = made({"plugins": {"score": score}})
    assert weights(profile)["ImageLocality"] == 7
    assert next(iter(weights(profile))) == "ImageLocality"
    assert "NodeResourcesFit" not in weights(profile)
    assert "NodeResourcesFit" in filter_names(profile)


def test_a_star_leaves_only_what_the_point_enables() -> None:
    score = {"enabled": [{"name": "NodeResourcesFit"}], "disabled": [{"name": "*"}]}
    (profile,) = made({"plugins": {"score": score}})
    assert weights(profile) == {"NodeResourcesFit": 1}


def test_multi_point_disables_a_plugin_everywhere() -> None:
    disabled = [{"name": "PodTopologySpread"}, {"name": "DefaultPreemption"}, {"name": "SchedulingGates"}]
    (profile,) = made({"plugins": {"multiPoint": {"disabled": disabled}}})
    assert "PodTopologySpread" not in weights(profile)
    assert "PodTopologySpread" not in filter_names(profile)
    assert profile.preemption is None
    assert not profile.gates


def test_arguments_reach_the_plugins() -> None:
    strategy = {"type": "MostAllocated", "resources": [{"name": "nvidia.com/gpu", "weight": 3}]}
    (profile,) = made(
        {
            "pluginConfig": [
                {"name": "NodeResourcesFit", "args": {"scoringStrategy": strategy}},
                {"name": "DefaultPreemption", "args": {"minCandidateNodesPercentage": 50}},
                {"name": "VolumeBinding", "args": {"bindTimeoutSeconds": 5}},
                {"name": "PodTopologySpread", "args": {"defaultingType": "List"}},
            ]
        }
    )
    (fit,) = [weighted.plugin for weighted in profile.scores if isinstance(weighted.plugin, FitScore)]
    assert fit.scoring.strategy is Strategy.MOST
    assert fit.scoring.resources == (("nvidia.com/gpu", 3),)
    assert profile.preemption == Candidates(50, 100)
    assert profile.volume_seconds == 5.0
    assert not profile.spreading.constraints


def test_several_profiles_bear_their_own_names() -> None:
    two = made({"schedulerName": "default-scheduler"}, {"schedulerName": "packing"})
    assert [profile.scheduler for profile in two] == ["default-scheduler", "packing"]


def point(name: str, **plugin_set: Any) -> Object:
    return {"plugins": {name: plugin_set}}


def config(name: str, **args: Any) -> Object:
    return {"pluginConfig": [{"name": name, "args": args}]}


RATIO = {"type": "RequestedToCapacityRatio", "requestedToCapacityRatio": {"shape": [{"utilization": 5, "score": 11}]}}
FIT = "profiles[0].pluginConfig[0].args.scoringStrategy"


@pytest.mark.parametrize(
    ("found", "field", "message"),
    [
        ({"apiVersion": "v1", "kind": KIND}, "kind", f"expected {API_VERSION}, {KIND}, found v1, {KIND}"),
        (document(colour="red"), "document", "Object contains unknown field 'colour'"),
        (document({"plugins": {"filtre": {}}}), "profiles[0].plugins", "Object contains unknown field 'filtre'"),
        (document(parallelism="16"), "parallelism", "Expected 'int', got 'str'"),
        (document(parallelism=0), "parallelism", "should be an integer value greater than zero: 0"),
        (document(percentageOfNodesToScore=101), "percentageOfNodesToScore", "not in valid range [0-100]: 101"),
        (document(podInitialBackoffSeconds=0), "podInitialBackoffSeconds", "must be greater than 0: 0"),
        (document(podMaxBackoffSeconds=0), "podMaxBackoffSeconds", "must be greater than or equal to"),
        (document(extenders=[{"urlPrefix": "http://x"}]), "extenders", "not supported: expected none"),
        (document(profiles=[]), "profiles", "expected at least one"),
        (document({}, {"schedulerName": "a"}), "profiles[0].schedulerName", "required when there are several"),
        (document({"schedulerName": "a"}, {"schedulerName": "a"}), "profiles[1].schedulerName", "duplicate value: 'a'"),
        (
            document(point("filter", enabled=[{"name": "NoSuch"}])),
            "profiles[0].plugins.filter.enabled[0].name",
            "found 'NoSuch'",
        ),
        (
            document(point("score", enabled=[{"name": "NodePorts"}])),
            "profiles[0].plugins.score.enabled[0].name",
            "expected a plugin with score; NodePorts has filter",
        ),
        (document(point("bind", disabled=[{"name": "*"}])), "profiles[0].plugins.bind", "expected DefaultBinder"),
        (document(config("NoSuch")), "profiles[0].pluginConfig[0].name", "found 'NoSuch'"),
        (document(config("NodeName", a=1)), "profiles[0].pluginConfig[0].args", "NodeName takes no arguments"),
        (document(config("NodeResourcesFit", a=1)), "profiles[0].pluginConfig[0].args", "unknown field 'a'"),
        (
            document(config("NodeResourcesFit", scoringStrategy={"type": "Best"})),
            f"{FIT}.type",
            "expected one of LeastAllocated, MostAllocated, RequestedToCapacityRatio, found 'Best'",
        ),
        (
            document(config("NodeResourcesFit", scoringStrategy=RATIO)),
            f"{FIT}.requestedToCapacityRatio.shape[0].score",
            "not in valid range [0, 10]: 11",
        ),
        (
            document(config("InterPodAffinity", hardPodAffinityWeight=101)),
            "profiles[0].pluginConfig[0].args.hardPodAffinityWeight",
            "not in valid range [0, 100]: 101",
        ),
        (
            document(config("PodTopologySpread", defaultConstraints=[{"maxSkew": 1}])),
            "profiles[0].pluginConfig[0].args.defaultingType",
            "when .defaultConstraints are not empty",
        ),
        (
            document(config("DefaultPreemption", minCandidateNodesPercentage=0, minCandidateNodesAbsolute=0)),
            "profiles[0].pluginConfig[0].args.minCandidateNodesPercentage",
            "cannot be zero at the same time",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_field(found: Object, field: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(found, offers={})
    assert raised.value.field == field
    assert message in str(raised.value)
