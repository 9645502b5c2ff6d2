"""What a wait that failed says: scene by scene."""

from __future__ import annotations

import re

import pytest

from orchestrator import Cluster, Unmet
from orchestrator.apimachinery.encoded import Object
from orchestrator.embedding.fitting import why_no_node
from tests.embedding.manifests import WEB


async def failed(cluster: Cluster, what: str = "deployment/web", goal: str = "Available") -> str:
    with pytest.raises(Unmet) as unmet:
        await cluster.wait(what, goal, timeout=10.0)
    return re.sub(r"-[a-z0-9]{8,10}\b|-[a-z0-9]{5}\b", "-#", re.sub(r"revision \d+", "revision N", str(unmet.value)))


async def test_a_pod_that_fits_nowhere_is_told_with_the_numbers_and_the_causes() -> None:
    async with Cluster(nodes=3, cpu="600m", seed=1) as cluster:
        cluster.replay = "pytest test_web.py::test_it --seed 7"
        await cluster.apply(WEB)
        await cluster.wait("deployment/web", "Available")
        await cluster.kill("node-1")
        await cluster.advance(minutes=6)
        text = await failed(cluster)
    assert text == (
        "waited for deployment/web Available: 2 of 3 pods ready\n"
        "  pod/web-#-#  Pending  no node fits: 1 not ready, 2 too little cpu (asked 500m, free 100m and 100m)\n"
        "  because: deployment/web (you, revision N) -> replicaset/web-# (revision N) -> pod/web-#-# (revision N)\n"
        "  after: node/node-1 (you, revision N) -> pod/web-#-# (revision N)\n"
        "replay: pytest test_web.py::test_it --seed 7"
    )


async def test_an_image_that_cannot_be_had_is_named() -> None:
    async with Cluster(nodes=1, seed=1) as cluster:
        await cluster.fail_pull("nginx:*", "manifest unknown")
        await cluster.apply(WEB.replace("replicas: 3", "replicas: 1"))
        text = await failed(cluster)
    assert "0 of 1 pods ready" in text
    assert "container main waits: " in text
    assert 'failed to pull image "nginx:1": manifest unknown' in text


async def test_a_quota_that_forbids_the_pods_is_told() -> None:
    async with Cluster(nodes=1, seed=1) as cluster:
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "none"},
            "spec": {"hard": {"pods": "0"}},
        }
        await cluster.apply(quota)
        await cluster.wait("resourcequota/none", lambda held: "hard" in held.get("status", {}))
        await cluster.apply(WEB)
        text = await failed(cluster)
    assert text.startswith("waited for deployment/web Available: 0 of 3 pods ready; ")
    assert "exceeded quota: none" in text


async def test_another_kind_is_told_by_its_condition() -> None:
    async with Cluster(nodes=1, seed=1) as cluster:
        await cluster.power_off("node-1")
        await cluster.advance(minutes=2)
        text = await failed(cluster, "node/node-1", "Ready")
    assert text.splitlines()[0] == (
        "waited for node/node-1 Ready: Ready is Unknown (NodeStatusUnknown: Kubelet stopped posting node status.)"
    )


def node(name: str, cpu: str, *, ready: str = "True", **spec: object) -> Object:
    status = {
        "conditions": [{"type": "Ready", "status": ready}],
        "allocatable": {"cpu": cpu, "memory": "1Gi", "pods": "2"},
    }
    return {"metadata": {"name": name}, "spec": spec, "status": status}


def pod(cpu: str, node: str = "", **spec: object) -> Object:
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    return {"metadata": {"name": "p"}, "spec": {"containers": [container], "nodeName": node, **spec}}


@pytest.mark.parametrize(
    ("asked", "nodes", "pods", "said"),
    [
        (pod("1"), [], [], "there is no node"),
        (pod("1"), [node("a", "500m")], [], "no node fits: 1 too little cpu (asked 1, free 500m)"),
        (pod("1"), [node("a", "2")], [pod("1500m", "a")], "no node fits: 1 too little cpu (asked 1, free 500m)"),
        (pod("1"), [node("a", "2", unschedulable=True)], [], "no node fits: 1 cordoned"),
        (pod("1"), [node("a", "2", ready="Unknown")], [], "no node fits: 1 not ready"),
        (pod("1", nodeSelector={"disk": "ssd"}), [node("a", "2")], [], "no node fits: 1 without the label disk=ssd"),
        (pod("1"), [node("a", "9")], [pod("1", "a"), pod("1", "a")], "no node fits: 1 full of pods"),
        (pod("1"), [node("a", "2")], [], ""),
    ],
)
def test_why_no_node_takes_a_pod(asked: Object, nodes: list[Object], pods: list[Object], said: str) -> None:
    assert why_no_node(asked, nodes, pods) == said
