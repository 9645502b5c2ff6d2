from __future__ import annotations

from typing import Any

from orchestrator.cli.describe import generic, node, pod, service, workload

EVENT = {"type": "Normal", "reason": "Started", "message": "it runs", "lastTimestamp": "1970-01-01T00:00:50Z"}
CONTAINER = {
    "name": "web",
    "image": "web:1",
    "ports": [{"containerPort": 80}],
    "env": [
        {"name": "A", "value": "b"},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ],
    "livenessProbe": {"httpGet": {"path": "/ok", "port": 80}},
    "resources": {"requests": {"cpu": "500m", "memory": "64Mi"}},
}
POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {
        "name": "web-1",
        "namespace": "shop",
        "labels": {"b": "2", "a": "1"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "controller": True, "uid": "u"}],
        "creationTimestamp": "1970-01-01T00:00:10Z",
    },
    "spec": {"nodeName": "node-1", "containers": [CONTAINER]},
    "status": {
        "phase": "Running",
        "hostIP": "10.0.0.1",
        "containerStatuses": [
            {
                "name": "web",
                "ready": False,
                "restartCount": 3,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1, "startedAt": "1970-01-01T00:00:20Z"}},
            }
        ],
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "web is not"}],
    },
}


def has(lines: list[str], *words: str) -> bool:
    """Whether one line consists of these words, whatever the space between."""
    return " ".join(words) in [" ".join(line.split()) for line in lines]


def test_a_pod_says_where_it_is_whose_it_is_and_how_its_containers_are() -> None:
    lines = pod.describe(POD, [EVENT], now=60.0)
    assert has(lines, "Node:", "node-1/10.0.0.1")
    assert has(lines, "Controlled By:", "ReplicaSet/web")
    assert has(lines, "Labels:", "a=1")
    assert has(lines, "State:", "Waiting")
    assert has(lines, "Reason: CrashLoopBackOff")
    assert has(lines, "Exit Code: 1")
    assert has(lines, "Restart Count:", "3")
    assert has(lines, "Liveness:", "http-get http://:80/ok delay=0s timeout=1s period=10s #success=1 #failure=3")
    assert has(lines, "Ready", "False", "ContainersNotReady", "web is not")
    assert has(lines, "Normal", "Started", "10s", "it runs")


def test_a_secret_in_the_environment_is_named_and_not_shown() -> None:
    lines = pod.describe(POD, [], now=60.0)
    assert has(lines, "PASSWORD:", "<set to the key 'k' in secret 's'>")
    assert has(lines, "Events:", "<none>")


def test_values_of_one_page_line_up() -> None:
    lines = pod.describe(POD, [], now=60.0)
    starts = {line.index(value) for line, value in ((line, "web-1") for line in lines if line.startswith("Name:"))}
    starts |= {line.index("shop") for line in lines if line.startswith("Namespace:")}
    assert len(starts) == 1


def test_a_node_sums_up_what_its_pods_ask_for() -> None:
    obj = {
        "metadata": {"name": "node-1", "labels": {"node-role.kubernetes.io/control-plane": ""}},
        "spec": {"taints": [{"key": "a", "effect": "NoSchedule"}], "unschedulable": True},
        "status": {"allocatable": {"cpu": "2", "memory": "128Mi"}},
    }
    done = {**POD, "status": {"phase": "Succeeded"}}
    lines = node.describe(obj, None, [POD, POD, done], [], now=60.0)
    assert has(lines, "Roles:", "control-plane")
    assert has(lines, "Taints:", "a:NoSchedule")
    assert has(lines, "Unschedulable:", "true")
    assert has(lines, "Non-terminated Pods (2 in total):")
    assert has(lines, "cpu", "1 (50%)", "0 (0%)")
    assert has(lines, "memory", "128Mi (100%)", "0 (0%)")


def test_a_service_shows_the_ready_addresses_of_each_port_and_counts_the_rest() -> None:
    obj = {
        "metadata": {"name": "web"},
        "spec": {"type": "ClusterIP", "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    }
    endpoints = [{"addresses": [f"10.0.0.{number}"], "conditions": {"ready": number != 5}} for number in range(1, 14)]
    slices = [{"ports": [{"name": "http", "port": 8080}], "endpoints": endpoints}]
    lines = service.describe(obj, slices, [], now=0.0)
    shown = next(line for line in lines if line.startswith("Endpoints:"))
    assert "10.0.0.1:8080," in shown
    assert "10.0.0.5:8080" not in shown
    assert shown.endswith(" + 2 more...")
    assert has(lines, "TargetPort:", "8080/TCP")


def replica_set(name: str, revision: str) -> dict[str, Any]:
    metadata = {"name": name, "annotations": {"deployment.kubernetes.io/revision": revision}}
    return {"metadata": metadata, "spec": {"replicas": 2}, "status": {"replicas": 1}}


def test_a_deployment_tells_its_new_replica_set_from_the_old() -> None:
    obj = {
        "kind": "Deployment",
        "metadata": {"name": "web", "annotations": {"deployment.kubernetes.io/revision": "2"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"containers": [CONTAINER]}},
        },
        "status": {"updatedReplicas": 1, "replicas": 2},
    }
    lines = workload.describe(obj, [replica_set("old", "1"), replica_set("new", "2")], [], now=0.0)
    assert has(lines, "Replicas:", "2 desired | 1 updated | 2 total | 0 available | 0 unavailable")
    assert has(lines, "OldReplicaSets:", "old (1/2 replicas created)")
    assert has(lines, "NewReplicaSet:", "new (1/2 replicas created)")
    assert has(lines, "Selector:", "app=web")


def test_the_values_of_a_secret_are_only_measured() -> None:
    obj = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"password": "c2VjcmV0"}}
    lines = generic.describe(obj, [], now=0.0)
    assert has(lines, "password:", "6 bytes")
    assert not any("c2VjcmV0" in line for line in lines)


def test_any_object_is_shown_field_by_field_and_its_own_keys_as_they_are() -> None:
    obj = {
        "kind": "X",
        "apiVersion": "x.io/v1",
        "metadata": {"name": "x"},
        "spec": {"maxReplicas": 3, "items": [{"a": 1}]},
        "data": {"aB": "c"},
    }
    lines = generic.describe(obj, [], now=0.0)
    assert has(lines, "Max Replicas:", "3")
    assert has(lines, "-", "A:", "1")
    assert has(lines, "aB:", "c")
