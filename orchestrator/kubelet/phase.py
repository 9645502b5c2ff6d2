"""Whether a pod has run its course, and its phase. Pure.

Pending until every init container is done and every main container ran once; Running while one runs or will be
restarted; Succeeded or Failed once all are done for good.
"""

from __future__ import annotations

from orchestrator.kubelet.observed import Observed
from orchestrator.kubelet.pod import Pod, is_sidecar
from orchestrator.kubelet.restart import policy_of, restarts
from orchestrator.kubelet.runtime.runtime import State

TERMINAL = ("Succeeded", "Failed")


def is_terminal(pod: Pod) -> bool:
    """The API server was told that it is over; a phase never goes back."""
    return pod.status.get("phase") in TERMINAL


def init_failed(pod: Pod, observed: Observed) -> bool:
    """An init container failed and will not be tried again."""
    for container in pod.init_containers():
        seen = observed.containers.get(container.name)
        failed = seen is not None and seen.state is State.EXITED and seen.exit_code != 0
        if failed and policy_of(pod, container, init=True) == "Never":
            return True
    return False


def mains_ended(pod: Pod, observed: Observed) -> bool:
    """Every main container ended and none will be started again."""
    for container in pod.spec.containers:
        seen = observed.containers.get(container.name)
        if seen is None or seen.state is not State.EXITED:
            return False
        if restarts(policy_of(pod, container, init=False), seen.exit_code):
            return False
    return True


def ended(pod: Pod, observed: Observed) -> bool:
    """Nothing more will run, sidecars apart."""
    if not observed.containers:
        return False
    return mains_ended(pod, observed) or (bool(pod.init_containers()) and init_failed(pod, observed))


def initialized(pod: Pod, observed: Observed) -> bool:
    """Every init container succeeded, every sidecar started (or the main containers run already)."""
    if not pod.spec.init_containers:
        return True
    if any(one.name in observed.containers for one in pod.spec.containers):
        return True
    for container in pod.spec.init_containers:
        if is_sidecar(container):
            if not observed.started(container):
                return False
            continue
        seen = observed.containers.get(container.name)
        if seen is None or seen.state is not State.EXITED or seen.exit_code != 0:
            return False
    return True


def phase_of(pod: Pod, observed: Observed) -> str:
    """The phase that the containers amount to, the kubelet's own verdict first."""
    if is_terminal(pod):
        return str(pod.status["phase"])
    alive = any(one.state is State.RUNNING for one in observed.containers.values())
    if observed.verdict is not None:
        return "Running" if alive and pod.status.get("phase") == "Running" else "Failed"
    if ended(pod, observed):
        if alive:
            return "Running"
        return "Failed" if init_failed(pod, observed) or _any_failed(pod, observed) else "Succeeded"
    if observed.terminating_since is not None and pod.deleting:
        return _phase_of_deleted(pod, observed, alive=alive)
    if not initialized(pod, observed):
        return "Pending"
    for container in pod.spec.containers:
        seen = observed.containers.get(container.name)
        if seen is None or (seen.state is State.CREATED and seen.attempt == 0):
            return "Pending"
    return "Running"


def _phase_of_deleted(pod: Pod, observed: Observed, *, alive: bool) -> str:
    """A deleted pod does not restart: all its containers ended means that it is over, by its own account."""
    mains = [observed.containers.get(one.name) for one in pod.spec.containers]
    if alive or not all(mains):
        return str(pod.status.get("phase") or "Pending")
    return "Failed" if _any_failed(pod, observed) else "Succeeded"


def _any_failed(pod: Pod, observed: Observed) -> bool:
    return any(
        (seen := observed.containers.get(one.name)) is not None and seen.exit_code != 0 for one in pod.spec.containers
    )
