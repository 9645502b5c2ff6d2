"""The way out of a pod: main containers, then sidecars in reverse order, sandbox, files, the API object. Pure."""

from __future__ import annotations

from typing import Protocol

from orchestrator.kubelet import action
from orchestrator.kubelet.action import Action
from orchestrator.kubelet.observed import Observed
from orchestrator.kubelet.pod import Pod, is_sidecar
from orchestrator.kubelet.runtime.runtime import State

MIN_GRACE_SECONDS = 2.0
"""What a sidecar always gets, even when the main containers used up the pod's grace."""


class Steps(Protocol):
    actions: list[Action]

    def at(self, moment: float) -> None: ...


def plan_end(pod: Pod, observed: Observed, now: float, steps: Steps) -> None:
    """Stop what runs; when nothing does, clean up as far as the pod's object allows."""
    since = now if observed.terminating_since is None else observed.terminating_since
    deadline = since if observed.gone else since + pod.grace_seconds()
    sidecars = [one.name for one in pod.init_containers() if is_sidecar(one)]
    alive = [one.name for one in observed.containers.values() if one.state is State.RUNNING]
    mains = [name for name in alive if name not in sidecars]
    for name in mains:
        stop_one(name, observed, now, deadline, steps, f"Stopping container {name}")
    if mains:
        return
    last = next((name for name in reversed(sidecars) if name in alive), None)
    if last is not None:
        deadline = max(deadline, now + MIN_GRACE_SECONDS) if not observed.gone else now
        stop_one(last, observed, now, deadline, steps, f"Stopping container {last}")
        return
    if pod.deleting or observed.gone:
        steps.actions.append(action.RemovePod())
        if not observed.gone:
            steps.actions.append(action.DeletePod())
    elif observed.sandbox is not None and observed.sandbox.ready:
        steps.actions.append(action.StopSandbox())


def stop_one(name: str, observed: Observed, now: float, deadline: float, steps: Steps, message: str) -> None:
    """The next step of stopping one running container. A stop under way keeps the earlier of two deadlines."""
    memory = observed.memory.get(name)
    stopping = None if memory is None else memory.stopping
    if stopping is None:
        steps.actions.append(action.StopContainer(name, deadline, message))
        return
    deadline = min(deadline, stopping.deadline)
    if stopping.killed:
        return
    if now >= deadline:
        steps.actions.append(action.KillContainer(name))
        return
    if not stopping.hook and not stopping.asked:
        steps.actions.append(action.SignalContainer(name))
    steps.at(deadline)
