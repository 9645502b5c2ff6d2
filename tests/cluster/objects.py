"""The objects that the tests of the whole cluster deploy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from actors import Node
from orchestrator.apimachinery.encoded import Object
from orchestrator.embedding import Cluster
from orchestrator.embedding.faulty import FAULTS


def deployment(name: str = "web", replicas: int = 20, image: str = "nginx:1", **container: Any) -> Object:
    labels = {"app": name}
    pod = {"containers": [{"name": "main", "image": image, **container}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def service(name: str = "web") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}]},
    }


def rolled_out(obj: Object | None) -> bool:
    """What ``kubectl rollout status`` waits for."""
    if obj is None:
        return False
    status, replicas = obj.get("status") or {}, obj["spec"]["replicas"]
    if status.get("observedGeneration", 0) < obj["metadata"]["generation"]:
        return False
    return [status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas")] == [replicas] * 3


def ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions") or ()
    return any(held["type"] == "Ready" and held["status"] == "True" for held in conditions)


async def check_rollout(cluster: Cluster, name: str, replicas: int, image: str) -> None:
    """After a rollout there is exactly what the Deployment says, and the slices list exactly the ready pods."""
    found = await cluster.find("deployment", name)
    assert rolled_out(found), found
    sets = [held for held in await cluster.list("replicasets") if held["spec"]["replicas"]]
    assert [held["spec"]["replicas"] for held in sets] == [replicas]
    pods = await cluster.list("pods", app=name)
    assert len(pods) == replicas
    assert {pod["metadata"]["ownerReferences"][0]["uid"] for pod in pods} == {sets[0]["metadata"]["uid"]}
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {image}
    assert all(ready(pod) for pod in pods)
    assert await addresses(cluster, name) == sorted(pod["status"]["podIP"] for pod in pods)


def components(cluster: Cluster) -> list[str]:
    """Every actor of the tree but the one that carries faults out, parents before their children."""
    return [node.path for node in walk(cluster.system.tree()) if node.path not in ("", FAULTS)]


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


async def addresses(cluster: Cluster, name: str) -> list[str]:
    """The ready addresses in the slices of a Service, each as often as it stands there."""
    slices = await cluster.list("endpointslices", selector=f"kubernetes.io/service-name={name}")
    return sorted(
        address
        for held in slices
        for endpoint in held.get("endpoints") or ()
        if endpoint["conditions"].get("ready")
        for address in endpoint["addresses"]
    )
