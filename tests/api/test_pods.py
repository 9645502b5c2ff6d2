"""The rules of pods."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.api.core.pod_defaults import pull_policy
from orchestrator.api.core.pod_table import status_text
from orchestrator.api.rules import rules
from orchestrator.apimachinery.copying import deep

PODS = rules("", "Pod")


def pod(**more: Any) -> dict[str, Any]:
    obj: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "b", "resourceVersion": "1"},
        "spec": {"containers": [{"name": "c", "image": "busybox"}], **more},
    }
    PODS.default(obj)
    PODS.prepare_create(obj)
    return obj


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.2", "IfNotPresent"),
        ("host:5000/nginx", "Always"),
        ("nginx@sha256:abc", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


def test_requests_follow_limits_and_make_the_class() -> None:
    limits = {"cpu": "0.5", "memory": "1024Mi"}
    obj = pod(containers=[{"name": "c", "image": "a", "resources": {"limits": limits}}])
    assert obj["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    assert obj["status"] == {"phase": "Pending", "qosClass": "Guaranteed"}


def test_a_default_applied_twice_changes_nothing() -> None:
    once = pod(volumes=[{"name": "v"}], hostNetwork=True)
    twice = deep(once)
    PODS.default(twice)
    assert twice == once


def test_an_image_may_change_and_counts_the_generation() -> None:
    old = pod()
    new = deep(old)
    new["spec"]["containers"][0]["image"] = "other"
    PODS.prepare_update(new, old)
    assert PODS.validate_update(new, old) == []
    assert new["metadata"]["generation"] == 2


def test_the_node_may_not_change() -> None:
    old = pod()
    new = deep(old)
    new["spec"]["nodeName"] = "n"
    [error] = PODS.validate_update(new, old)
    assert error.detail.startswith("pod updates may not change fields other than")


def test_tolerations_may_only_be_added() -> None:
    old = pod(tolerations=[{"key": "a", "operator": "Exists"}])
    new = deep(old)
    new["spec"]["tolerations"].append({"key": "b", "operator": "Exists"})
    assert PODS.validate_update(new, old) == []
    new["spec"]["tolerations"] = []
    assert "existing toleration" in PODS.validate_update(new, old)[0].detail


def test_an_update_keeps_the_status_and_a_status_write_keeps_the_spec() -> None:
    old = pod()
    new = deep(old)
    new["status"] = {"phase": "Running"}
    PODS.prepare_update(new, old)
    assert new["status"] is old["status"]
    new["status"], new["spec"] = {"phase": "Running"}, {}
    PODS.prepare_status(new, old)
    assert new["spec"] is old["spec"]
    assert new["status"] == {"phase": "Running", "qosClass": "BestEffort"}


@pytest.mark.parametrize(
    ("node", "phase", "asked", "seconds"),
    [("", "Pending", None, 0), ("n", "Running", None, 30), ("n", "Running", 5, 5), ("n", "Succeeded", None, 0)],
)
def test_a_deleted_pod_waits_for_its_kubelet_only(node: str, phase: str, asked: int | None, seconds: int) -> None:
    obj = pod(nodeName=node)
    obj["status"]["phase"] = phase
    assert PODS.grace_seconds is not None
    assert PODS.grace_seconds(obj, asked) == seconds


STATES: list[tuple[dict[str, Any], str]] = [
    ({"phase": "Pending"}, "Pending"),
    ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
    (
        {"phase": "Running", "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]},
        "CrashLoopBackOff",
    ),
    (
        {"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"reason": "Completed"}}}]},
        "Completed",
    ),
    ({"phase": "Running", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]}, "ExitCode:3"),
    ({"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": {"running": {}}}]}, "Init:0/1"),
    (
        {"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 1}}}]},
        "Init:ExitCode:1",
    ),
]


@pytest.mark.parametrize(("status", "text"), STATES)
def test_the_status_column_says_what_goes_on(status: dict[str, Any], text: str) -> None:
    obj = pod(initContainers=[{"name": "i", "image": "a"}])
    obj["status"] = status
    assert status_text(obj) == text


def test_a_pod_that_is_being_deleted_is_terminating() -> None:
    obj = pod()
    obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert status_text(obj) == "Terminating"


def test_restarts_say_when_the_last_was() -> None:
    obj = pod()
    ended = {"terminated": {"finishedAt": "2026-01-01T00:00:00Z"}}
    obj["status"]["containerStatuses"] = [{"restartCount": 2, "lastState": ended}]
    assert PODS.row(obj, 1_767_225_660.0)[3] == "2 (60s ago)"


def test_selectors_see_the_node_and_the_phase() -> None:
    fields = PODS.fields(pod(nodeName="n"))
    assert (fields["spec.nodeName"], fields["status.phase"], fields["metadata.namespace"]) == ("n", "Pending", "b")


def test_label_keys_become_part_of_the_selector() -> None:
    constraint = {
        "maxSkew": 1,
        "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
        "matchLabelKeys": ["hash", "absent"],
    }
    obj = pod(topologySpreadConstraints=[constraint])
    obj["metadata"]["labels"] = {"hash": "1"}
    PODS.prepare_create(obj)
    expressions = obj["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchExpressions"]
    assert expressions == [{"key": "hash", "operator": "In", "values": ["1"]}]
