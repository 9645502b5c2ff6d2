"""The figures of a node and its pods for whoever asks (metrics.k8s.io, the summary of a node)."""

from __future__ import annotations

from orchestrator.kubelet.messages import ContainerUsage, NodeUsage, PodUsage
from orchestrator.kubelet.runtime.runtime import PodFigures, Runtime


async def pod_usages(runtime: Runtime, uid: str = "") -> list[PodUsage]:
    """Of every pod that uses anything, or of one: a pod that is over has no figures."""
    figures = [one for one in await runtime.figures() if one.containers and uid in ("", one.uid)]
    names = {pod.uid: (pod.namespace, pod.name) for pod in await runtime.pods()} if figures else {}
    return [_usage(one, *names[one.uid]) for one in figures if one.uid in names]


def _usage(figures: PodFigures, namespace: str, name: str) -> PodUsage:
    containers = [
        ContainerUsage(one.name, one.cpu_nanoseconds, one.memory_bytes, one.started_at) for one in figures.containers
    ]
    return PodUsage(namespace, name, figures.uid, containers)


async def node_usage(runtime: Runtime, node: str, now: float) -> NodeUsage:
    pods = await pod_usages(runtime)
    containers = [one for pod in pods for one in pod.containers]
    cpu = sum(one.cpu_nanoseconds for one in containers)
    return NodeUsage(node, now, cpu, sum(one.memory_bytes for one in containers), pods)
