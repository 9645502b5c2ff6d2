from __future__ import annotations

from orchestrator.apiserver.versions import (
    autoscaler_from_v2,
    autoscaler_to_v2,
    event_from_core,
    event_to_core,
)


def test_an_event_goes_there_and_back() -> None:
    event = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "regarding": {"name": "p"}, "note": "n", "reason": "r"}
    core = event_to_core(event)
    assert (core["involvedObject"], core["message"]) == ({"name": "p"}, "n")
    assert event_from_core(core) == event


def test_the_cpu_target_of_v1_is_a_metric_of_v2() -> None:
    old = {"metadata": {"name": "h"}, "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50}}
    new = autoscaler_to_v2(old)
    target = {"type": "Utilization", "averageUtilization": 50}
    assert new["spec"]["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    assert autoscaler_from_v2(new)["spec"] == old["spec"]


def test_what_v1_cannot_say_waits_in_an_annotation() -> None:
    metric = {"type": "Pods", "pods": {"metric": {"name": "m"}}}
    new = {"apiVersion": "autoscaling/v2", "metadata": {"name": "h"}, "spec": {"maxReplicas": 3, "metrics": [metric]}}
    assert autoscaler_to_v2(autoscaler_from_v2(new))["spec"]["metrics"] == [metric]
