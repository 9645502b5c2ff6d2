"""The status of a pod from what is observed: ``pod_status(pod, observed, node, now)``. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.kubelet.conditions import conditions
from orchestrator.kubelet.container_status import container_status
from orchestrator.kubelet.observed import Observed
from orchestrator.kubelet.phase import initialized, phase_of
from orchestrator.kubelet.pod import Container, Pod
from orchestrator.kubelet.qos import qos_class

FOREIGN = ("nominatedNodeName", "resourceClaimStatuses", "resize", "extendedResourceClaimStatus", "allocatedResources")
"""What others write into a pod's status: passed on as it stands."""


class Host(msgspec.Struct, frozen=True):
    """What a pod's status says of its node."""

    ip: str
    runtime: str


def pod_status(pod: Pod, observed: Observed, host: Host, now: float) -> Object:
    """The whole status; equal inputs give an equal status, whatever the time between."""
    phase = phase_of(pod, observed)
    status: Object = {"observedGeneration": pod.metadata.generation, "phase": phase}
    status["conditions"] = conditions(pod, observed, phase, now)
    _explain(status, pod, observed, phase)
    status["hostIP"] = host.ip
    status["hostIPs"] = [{"ip": host.ip}]
    ip = _ip(pod, observed, host)
    if ip:
        status["podIP"] = ip
        status["podIPs"] = [{"ip": ip}]
    status["startTime"] = pod.status.get("startTime") or rfc3339(observed.start_time)
    status["qosClass"] = qos_class(pod)
    _containers(status, pod, observed, now, host.runtime)
    for field in FOREIGN:
        if field in pod.status:
            status[field] = pod.status[field]
    return status


def _ip(pod: Pod, observed: Observed, host: Host) -> str:
    if pod.spec.host_network:
        return host.ip
    if observed.sandbox is not None and observed.sandbox.ip:
        return observed.sandbox.ip
    return str(pod.status.get("podIP") or "")


def _explain(status: Object, pod: Pod, observed: Observed, phase: str) -> None:
    verdict = observed.verdict
    if verdict is not None and phase == "Failed":
        status["reason"], status["message"] = verdict.reason, verdict.message
        return
    for field in ("reason", "message"):
        if pod.status.get(field) and phase in ("Failed", "Succeeded"):
            status[field] = pod.status[field]


def _containers(status: Object, pod: Pod, observed: Observed, now: float, runtime: str) -> None:
    waiting = "ContainerCreating" if initialized(pod, observed) else "PodInitializing"

    def all_of(containers: list[Container], **options: Any) -> list[Object]:
        return [
            container_status(pod, one, observed, now, runtime=runtime, waiting=waiting, **options) for one in containers
        ]

    if pod.spec.init_containers:
        status["initContainerStatuses"] = all_of(pod.spec.init_containers, init=True)
    status["containerStatuses"] = all_of(pod.spec.containers)
    if pod.spec.ephemeral_containers:
        status["ephemeralContainerStatuses"] = all_of(pod.spec.ephemeral_containers)
