"""The objects of a story. Pure."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.testing.swarm.story import TIGHT_PODS, Workload

TIGHT = "tight"
CROWDED = "crowded"
HOST_PORT = 8080
TIGHT_REPLICAS = TIGHT_PODS + 3


def workload(one: Workload) -> list[Object]:
    """The workload, and the Service of what has pods that stay."""
    made = _object(one)
    return [made] if one.kind == "Job" else [service(one.name), made]


def _object(one: Workload) -> Object:
    labels = {"app": one.name}
    template: dict[str, Any] = {"metadata": {"labels": labels}, "spec": {"containers": [_container(one)]}}
    spec: dict[str, Any] = {"selector": {"matchLabels": labels}, "template": template}
    if one.kind == "Job":
        template["spec"]["restartPolicy"] = "Never"
        spec = {"completions": one.replicas, "parallelism": 2, "backoffLimit": 1000, "template": template}
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": one.name}, "spec": spec}
    if one.kind != "DaemonSet":
        spec["replicas"] = one.replicas
    if one.kind == "StatefulSet":
        spec["serviceName"] = one.name
    return {"apiVersion": "apps/v1", "kind": one.kind, "metadata": {"name": one.name}, "spec": spec}


def _container(one: Workload) -> Object:
    container: dict[str, Any] = {
        "name": "main",
        "image": f"app:{one.version}",
        "resources": {"requests": {"cpu": f"{one.cpu_millis}m"}},
    }
    if one.probe:
        container["readinessProbe"] = {"httpGet": {"port": 80}, "periodSeconds": 1}
    return container


def service(name: str) -> Object:
    spec = {"selector": {"app": name}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def crowded(nodes: int) -> list[Object]:
    """A Deployment whose pods want one port of the host: one fits on each node, two wait."""
    wants = _object(Workload("Deployment", "porter", nodes + 2))
    wants["metadata"]["namespace"] = CROWDED
    container = wants["spec"]["template"]["spec"]["containers"][0]
    container["ports"] = [{"containerPort": 80, "hostPort": HOST_PORT}]
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": CROWDED}}, wants]


def tight() -> list[Object]:
    """A namespace whose quota is smaller than what its Deployment wants."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few", "namespace": TIGHT},
        "spec": {"hard": {"pods": str(TIGHT_PODS)}},
    }
    wants = _object(Workload("Deployment", "greedy", TIGHT_REPLICAS))
    wants["metadata"]["namespace"] = TIGHT
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TIGHT}}, quota, wants]
