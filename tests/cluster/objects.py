"""The objects that the tests of the whole cluster deploy."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import DEPLOYMENTS, ENDPOINTSLICES, PODS, REPLICASETS
from orchestrator.testing import SimulatedCluster


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


async def check_rollout(cluster: SimulatedCluster, name: str, replicas: int, image: str) -> None:
    """After a rollout there is exactly what the Deployment says, and the slices list exactly the ready pods."""
    found = await cluster.get(DEPLOYMENTS, name)
    assert rolled_out(found), found
    sets = [held for held in await cluster.objects(REPLICASETS, "default") if held["spec"]["replicas"]]
    assert [held["spec"]["replicas"] for held in sets] == [replicas]
    pods = await cluster.objects(PODS, "default", labels=f"app={name}")
    assert len(pods) == replicas
    assert {pod["metadata"]["ownerReferences"][0]["uid"] for pod in pods} == {sets[0]["metadata"]["uid"]}
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {image}
    assert all(ready(pod) for pod in pods)
    assert await addresses(cluster, name) == sorted(pod["status"]["podIP"] for pod in pods)


async def addresses(cluster: SimulatedCluster, name: str) -> list[str]:
    """The ready addresses in the slices of a Service, each as often as it stands there."""
    slices = await cluster.objects(ENDPOINTSLICES, "default", labels=f"kubernetes.io/service-name={name}")
    return sorted(
        address
        for held in slices
        for endpoint in held.get("endpoints") or ()
        if endpoint["conditions"].get("ready")
        for address in endpoint["addresses"]
    )
