"""The conditions that a kubelet owns on its pods. Pure.

A condition that somebody else set (a readiness gate, DisruptionTarget) is passed on as it stands.
"""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.kubelet.observed import Observed
from orchestrator.kubelet.phase import initialized
from orchestrator.kubelet.pod import Container, Pod, is_sidecar
from orchestrator.kubelet.runtime.runtime import State

OWNED = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")

Finding = tuple[str, str, str]
"""Status, reason, message."""

TRUE: Finding = ("True", "", "")


def conditions(pod: Pod, observed: Observed, phase: str, now: float) -> list[Object]:
    """All conditions of the pod, transition times kept where a status did not change."""
    before: dict[str, Object] = {one["type"]: one for one in pod.status.get("conditions") or ()}
    containers = _containers_ready(pod, observed, phase)
    findings = (
        TRUE if observed.sandbox is not None and observed.sandbox.ready else ("False", "", ""),
        _initialized(pod, observed, phase),
        _ready(pod, before, containers),
        containers,
        TRUE,
    )
    moment = rfc3339(now)
    generation = pod.metadata.generation
    result = [
        _condition(kind, finding, before.get(kind), moment, generation)
        for kind, finding in zip(OWNED, findings, strict=True)
    ]
    if len(before) > 1:
        result += [one for kind, one in before.items() if kind not in OWNED]
    return result


def _condition(kind: str, finding: Finding, before: Object | None, moment: str, generation: int) -> Object:
    status, reason, message = finding
    if before is not None and before.get("status") == status:
        moment = before.get("lastTransitionTime") or moment
    condition: Object = {
        "type": kind,
        "observedGeneration": generation,
        "status": status,
        "lastTransitionTime": moment,
    }
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition


def _initialized(pod: Pod, observed: Observed, phase: str) -> Finding:
    if not pod.spec.init_containers:
        return TRUE
    if phase == "Succeeded":
        return "True", "PodCompleted", ""
    if initialized(pod, observed):
        return TRUE
    waiting = [one.name for one in pod.spec.init_containers if not _initialized_one(one, observed)]
    return "False", "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(waiting)}]"


def _initialized_one(container: Container, observed: Observed) -> bool:
    if is_sidecar(container):
        return observed.started(container)
    seen = observed.containers.get(container.name)
    return seen is not None and seen.state is State.EXITED and seen.exit_code == 0


def _containers_ready(pod: Pod, observed: Observed, phase: str) -> Finding:
    if phase == "Succeeded":
        return "False", "PodCompleted", ""
    if phase == "Failed":
        return "False", "PodFailed", ""
    unready = [one.name for one in pod.spec.containers if not observed.ready(one)]
    if pod.spec.init_containers:
        unready += [one.name for one in pod.spec.init_containers if is_sidecar(one) and not observed.ready(one)]
    if unready:
        return "False", "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
    return TRUE


def _ready(pod: Pod, before: dict[str, Object], containers: Finding) -> Finding:
    if containers[0] != "True" or not pod.spec.readiness_gates:
        return containers
    messages = []
    for gate in pod.spec.readiness_gates:
        condition = before.get(gate.condition_type)
        if condition is None:
            messages.append(f'corresponding condition of pod readiness gate "{gate.condition_type}" does not exist.')
        elif condition.get("status") != "True":
            messages.append(
                f'the status of pod readiness gate "{gate.condition_type}" is not "True", but {condition.get("status")}'
            )
    return ("False", "ReadinessGatesNotReady", ", ".join(messages)) if messages else TRUE
