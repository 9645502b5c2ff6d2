from __future__ import annotations

from typing import Any

from orchestrator.bench.recount import counted, placed, served


def pod(name: str, node: str = "n", *, ready: bool = True, ip: str = "", cpu: str = "1", owner: str = "rs") -> Any:
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "labels": {"app": "web"},
            "ownerReferences": [{"uid": owner}],
        },
        "spec": {"nodeName": node, "containers": [{"resources": {"requests": {"cpu": cpu}}}]},
        "status": {
            "phase": "Running",
            "podIP": ip or name,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


NODES: Any = {"n": {"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "2", "pods": "10"}}}}


def test_pods_that_fit_on_nodes_that_are_there_are_right() -> None:
    assert placed([pod("a"), pod("b")], NODES) == []


def test_a_node_that_holds_more_than_it_has_is_told() -> None:
    assert placed([pod("a"), pod("b", cpu="1500m")], NODES) == ["node n has 2 of cpu, its pods ask for 2500m"]


def test_a_pod_on_no_node_or_on_one_that_is_gone_is_told() -> None:
    assert len(placed([pod("a", ""), pod("b", "gone")], NODES)) == 2


def test_two_pods_of_one_address_are_told() -> None:
    assert len(placed([pod("a", ip="1"), pod("b", ip="1")], NODES)) == 2


def test_a_status_that_counts_wrong_is_told() -> None:
    owner = {"metadata": {"name": "web", "uid": "rs"}, "status": {"replicas": 2, "readyReplicas": 2}}
    found = counted([pod("a"), pod("b", ready=False)], [owner], [])
    assert found == ["ReplicaSet web says 2 readyReplicas, there are 1"]


def test_a_service_that_names_other_addresses_than_those_that_are_ready_is_told() -> None:
    service = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": {"app": "web"}}}
    labels = {"kubernetes.io/service-name": "web"}
    endpoint = {"addresses": ["a"], "conditions": {"ready": True}}
    one = {"metadata": {"name": "web-1", "namespace": "default", "labels": labels}, "endpoints": [endpoint]}
    assert served([pod("a")], [service], [one]) == []
    assert len(served([pod("a"), pod("b")], [service], [one])) == 1
