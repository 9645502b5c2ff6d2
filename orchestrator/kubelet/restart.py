"""Whether and when a container that ended is started again: restartPolicy, the pod's or its own."""

from __future__ import annotations

from orchestrator.kubelet.backoff import ready_at
from orchestrator.kubelet.observed import Memory
from orchestrator.kubelet.pod import Container, Pod, is_sidecar
from orchestrator.kubelet.runtime.runtime import Container as RuntimeContainer


def policy_of(pod: Pod, container: Container, *, init: bool) -> str:
    """Always, OnFailure or Never for this container. An init container that succeeded is never run again."""
    if init:
        if is_sidecar(container):
            return "Always"
        return "Never" if (container.restart_policy or pod.spec.restart_policy) == "Never" else "OnFailure"
    return container.restart_policy or pod.spec.restart_policy


def restarts(policy: str, exit_code: int) -> bool:
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def restart_at(memory: Memory | None, ended: RuntimeContainer) -> float:
    """When an ended container may start again."""
    return ended.finished_at if memory is None else ready_at(memory.backoff, ended.finished_at)
