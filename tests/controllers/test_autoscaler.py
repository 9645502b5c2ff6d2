"""HorizontalPodAutoscaler: what the figures ask for, how fast it is granted, what the conditions say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from actors import child
from orchestrator.apimachinery.encoded import Object, encode
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.kinds import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, PODS, Kind
from orchestrator.client.view import Parts, View
from orchestrator.controllers.autoscaler import Autoscalers, target_kind
from orchestrator.controllers.autoscaler_plan import Plan, plan
from orchestrator.controllers.pod_metrics import ContainerUse, PodUse
from orchestrator.controllers.replica_count import Goal, MetricError, count
from orchestrator.controllers.scaling_behavior import Change, Memory, limit
from tests.controllers.stage import deployment, stage

NOW = 1_800_000_000.0
MILLI = 1_000_000
CPU = Goal("cpu", "", 50, None)


def pod(number: int, *, ready: bool = True, phase: str = "Running", age: float = 3600.0, request: str = "100m") -> View:
    container: Object = {"name": "c", "resources": {"requests": {"cpu": request}} if request else {}}
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": rfc3339(NOW - age + 1),
    }
    obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"p{number}", "namespace": "default", "uid": f"u{number}", "labels": {"app": "web"}},
        "spec": {"containers": [container]},
        "status": {"phase": phase, "startTime": rfc3339(NOW - age), "conditions": [condition]},
    }
    return View(encode(obj, 1), Parts())


def used(pods: Sequence[View], milli: int) -> Mapping[str, PodUse]:
    return {view.uid: PodUse(NOW, 30.0, {"c": ContainerUse(milli * MILLI, 0)}) for view in pods}


def scaler(**spec: Any) -> View:
    target = {"type": "Utilization", "averageUtilization": 50}
    obj = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "default", "uid": "u", "generation": 1},
        "spec": {
            "minReplicas": 1,
            "maxReplicas": 10,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            **spec,
        },
    }
    return View(encode(obj, 1), Parts())


def planned(current: int, milli: int, memory: Memory | None = None, now: float = NOW, **spec: Any) -> Plan:
    pods = [pod(number) for number in range(current)]
    return plan(scaler(**spec), current, pods, used(pods, milli), memory or Memory([], []), now)


def condition(made: Plan, type: str) -> tuple[str, str]:
    held = next(one for one in made.conditions if one["type"] == type)
    return held["status"], held["reason"]


@pytest.mark.parametrize(("milli", "replicas"), [(50, 4), (54, 4), (46, 4), (75, 6), (100, 8), (25, 2), (60, 5)])
def test_the_count_follows_the_ratio_of_usage_to_goal_beyond_the_tolerance(milli: int, replicas: int) -> None:
    pods = [pod(number) for number in range(4)]
    assert count(CPU, 4, pods, used(pods, milli), NOW).replicas == replicas


def test_an_average_value_needs_no_requests() -> None:
    pods = [pod(number, request="") for number in range(2)]
    goal = Goal("cpu", "", None, 100 * MILLI)
    assert count(goal, 2, pods, used(pods, 300), NOW).replicas == 6


def test_utilization_without_a_request_is_refused() -> None:
    pods = [pod(0, request="")]
    with pytest.raises(MetricError, match="missing request for cpu in container c of Pod p0"):
        count(CPU, 1, pods, used(pods, 10), NOW)


def test_pods_without_figures_damp_a_scale_up() -> None:
    pods = [pod(number) for number in range(4)]
    assert count(CPU, 4, pods, used(pods[:3], 100), NOW).replicas == 6


def test_pods_without_figures_count_as_busy_before_a_scale_down() -> None:
    pods = [pod(number) for number in range(4)]
    assert count(CPU, 4, pods, used(pods[:3], 10), NOW).replicas == 3


def test_pods_that_just_started_do_not_make_more_of_them() -> None:
    old = [pod(number) for number in range(2)]
    young = [pod(number, ready=False, age=20.0) for number in range(2, 4)]
    assert count(CPU, 4, [*old, *young], used([*old, *young], 100), NOW).replicas == 4


def test_one_container_alone_can_be_the_measure() -> None:
    pods = [pod(0)]
    usage = {"u0": PodUse(NOW, 30.0, {"c": ContainerUse(100 * MILLI, 0), "other": ContainerUse(900 * MILLI, 0)})}
    assert count(Goal("cpu", "c", 50, None), 1, pods, usage, NOW).replicas == 2


def test_a_scale_up_goes_at_most_to_the_double_or_four_more() -> None:
    assert limit(Memory([], []), {}, 1, 20, (1, 100), NOW).replicas == 5
    assert limit(Memory([], []), {}, 10, 90, (1, 100), NOW).replicas == 20


def test_what_was_added_in_the_period_is_taken_off_the_allowance() -> None:
    memory = Memory([(NOW - 5, 20)], [Change(NOW - 5, 10)])
    assert limit(memory, {}, 20, 90, (1, 100), NOW).replicas == 20


def test_a_scale_down_waits_for_the_highest_of_five_minutes() -> None:
    memory = Memory([], [])
    assert limit(memory, {}, 8, 8, (1, 10), NOW).replicas == 8
    held = limit(memory, {}, 8, 2, (1, 10), NOW + 60)
    assert (held.replicas, held.stabilized) == (8, True)
    assert limit(memory, {}, 8, 2, (1, 10), NOW + 301).replicas == 2


def test_policies_of_the_user_limit_a_scale_down() -> None:
    rules = {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}
    found = limit(Memory([], []), {"scaleDown": rules}, 8, 2, (1, 10), NOW)
    assert (found.replicas, found.reason) == (7, "ScaleDownLimit")
    disabled = {"scaleDown": {**rules, "selectPolicy": "Disabled"}}
    assert limit(Memory([], []), disabled, 8, 2, (1, 10), NOW).replicas == 8


def test_the_maximum_is_said_in_a_condition() -> None:
    made = planned(8, 100)
    assert made.desired == 10
    assert condition(made, "ScalingLimited") == ("True", "TooManyReplicas")
    assert condition(made, "ScalingActive") == ("True", "ValidMetricFound")
    assert made.reason == "cpu resource utilization (percentage of request) above target"


def test_a_target_of_zero_replicas_is_left_alone() -> None:
    made = planned(0, 0)
    assert made.desired == 0
    assert condition(made, "ScalingActive") == ("False", "ScalingDisabled")


def test_without_figures_nothing_changes() -> None:
    made = plan(scaler(), 3, [pod(0)], {}, Memory([], []), NOW)
    assert made.desired == 3
    assert condition(made, "ScalingActive") == ("False", "FailedGetResourceMetric")


def test_a_count_outside_of_the_bounds_is_brought_back_without_figures() -> None:
    assert planned(0, 0, minReplicas=0).desired == 0
    assert plan(scaler(maxReplicas=2), 5, [], {}, Memory([], []), NOW).desired == 2
    assert plan(scaler(minReplicas=3), 1, [], {}, Memory([], []), NOW).desired == 3


def test_current_metrics_are_shown() -> None:
    made = planned(2, 50)
    assert made.metrics == [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 50, "averageValue": "50m"}}}
    ]


def test_any_kind_can_be_a_target() -> None:
    assert target_kind({"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}) == DEPLOYMENTS
    other = target_kind({"apiVersion": "example.com/v2", "kind": "Factory", "name": "x"})
    assert other == Kind("example.com", "v2", "factories", "Factory")


class Busy:
    """Every pod uses so many thousandths of a core."""

    def __init__(self) -> None:
        self.milli = 100

    async def usage(self, pods: Sequence[View]) -> Mapping[str, PodUse]:
        return used(pods, self.milli)


async def test_the_target_is_scaled_and_the_status_says_so() -> None:
    async with stage() as s:
        busy = Busy()
        actor = Autoscalers(s.client, s.informers, s.recorder, metrics=busy)
        await s.system.spawn(child(lambda: actor), name="autoscaler")
        await s.client.create(DEPLOYMENTS, {**deployment(replicas=1), "status": {"replicas": 1, "selector": "app=web"}})
        await s.client.create(PODS, pod(0).object)
        await s.client.create(HORIZONTALPODAUTOSCALERS, scaler().object, "default")
        await s.settle(1.0)
        assert (await s.client.get(DEPLOYMENTS, "web", "default"))["spec"]["replicas"] == 2
        status = (await s.client.get(HORIZONTALPODAUTOSCALERS, "web", "default"))["status"]
        assert (status["currentReplicas"], status["desiredReplicas"]) == (1, 2)
        assert "lastScaleTime" in status
        busy.milli = 10
        await s.settle(200.0)
        assert (await s.client.get(DEPLOYMENTS, "web", "default"))["spec"]["replicas"] == 2
        await s.settle(200.0)
        assert (await s.client.get(DEPLOYMENTS, "web", "default"))["spec"]["replicas"] == 1


async def test_a_target_that_is_missing_is_said_in_a_condition() -> None:
    async with stage() as s:
        await s.play(Autoscalers)
        await s.client.create(HORIZONTALPODAUTOSCALERS, scaler().object, "default")
        await s.settle(1.0)
        (held,) = (await s.client.get(HORIZONTALPODAUTOSCALERS, "web", "default"))["status"]["conditions"]
        assert (held["type"], held["status"], held["reason"]) == ("AbleToScale", "False", "FailedGetScale")
