"""The plan for one pod on one node: ``plan_pod(pod, observed, now)``. Pure.

The invariant it drives to: a pod that is wanted has its volumes, one ready sandbox, its init containers done in order
(sidecars running), and every main container running unless its restart policy lets it rest; a pod that is not wanted
has nothing. Kubernetes' counterpart is ``computePodActions``; unlike there stopping is a state, not a wait: the plan
says when to look again.
"""

from __future__ import annotations

import msgspec

from orchestrator.kubelet import action
from orchestrator.kubelet.action import Action
from orchestrator.kubelet.end import plan_end, stop_one
from orchestrator.kubelet.observed import Memory, Observed, Verdict
from orchestrator.kubelet.phase import ended, is_terminal
from orchestrator.kubelet.pod import Container, Pod, is_sidecar
from orchestrator.kubelet.restart import policy_of, restart_at, restarts
from orchestrator.kubelet.runtime.runtime import State

DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline"


class Plan(msgspec.Struct, frozen=True):
    """``actions`` in order; look again at ``wake_at`` (None: when something changes); ``verdict`` is a new decision."""

    actions: tuple[Action, ...] = ()
    wake_at: float | None = None
    verdict: Verdict | None = None


class _Steps:
    """Actions and the earliest wake-up, while a plan is made."""

    __slots__ = ("actions", "wake_at")

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self.wake_at: float | None = None

    def at(self, moment: float) -> None:
        if self.wake_at is None or moment < self.wake_at:
            self.wake_at = moment

    def plan(self, verdict: Verdict | None = None) -> Plan:
        return Plan(tuple(self.actions), self.wake_at, verdict)


def plan_pod(pod: Pod, observed: Observed, now: float) -> Plan:
    """What to do next for ``pod``; empty actions when it is where it should be."""
    steps = _Steps()
    if _ending(pod, observed):
        plan_end(pod, observed, now, steps)
        return steps.plan()
    overdue = _deadline(pod, observed, now, steps)
    if overdue is not None:
        return Plan(verdict=overdue)
    if ended(pod, observed):
        plan_end(pod, observed, now, steps)
        return steps.plan()
    _plan_running(pod, observed, now, steps)
    return steps.plan()


def _ending(pod: Pod, observed: Observed) -> bool:
    return observed.gone or pod.deleting or observed.verdict is not None or is_terminal(pod)


def _deadline(pod: Pod, observed: Observed, now: float, steps: _Steps) -> Verdict | None:
    seconds = pod.spec.active_deadline_seconds
    if seconds is None:
        return None
    end = observed.start_time + seconds
    if now >= end:
        return Verdict("DeadlineExceeded", DEADLINE_MESSAGE)
    steps.at(end)
    return None


def _plan_running(pod: Pod, observed: Observed, now: float, steps: _Steps) -> None:
    failure = observed.failure
    if failure is not None and now < failure.retry_at:
        steps.at(failure.retry_at)
        return
    if not observed.volumes_ready:
        steps.actions.append(action.PrepareVolumes())
    sandbox = observed.sandbox
    if sandbox is None or not sandbox.ready:
        if _stop_leftovers(observed, now, steps):
            return
        if sandbox is not None:
            steps.actions.append(action.StopSandbox())
        steps.actions.append(action.CreateSandbox(0 if sandbox is None else sandbox.attempt + 1))
    if _plan_init(pod, observed, now, steps):
        for container in pod.spec.containers:
            _plan_container(pod, container, observed, now, steps)
        for container in pod.ephemeral_containers():
            if container.name not in observed.containers:
                _run(container, observed, now, steps)


def _stop_leftovers(observed: Observed, now: float, steps: _Steps) -> bool:
    """Containers of a sandbox that is lost go with it."""
    found = False
    for one in observed.containers.values():
        if one.state is State.RUNNING:
            stop_one(one.name, observed, now, now, steps, "The pod's sandbox is gone, its containers are restarted")
            found = True
    return found


def _plan_init(pod: Pod, observed: Observed, now: float, steps: _Steps) -> bool:
    """Plan the init containers; True when the main ones may run."""
    init = pod.spec.init_containers
    if not init:
        return True
    mains_began = any(one.name in observed.containers for one in pod.spec.containers)
    for container in init:
        if is_sidecar(container):
            _plan_container(pod, container, observed, now, steps, init=True)
            if not mains_began and not observed.started(container):
                return False
            continue
        if mains_began:
            continue
        seen = observed.containers.get(container.name)
        if seen is None or seen.state is not State.EXITED or seen.exit_code != 0:
            _plan_container(pod, container, observed, now, steps, init=True)
            return False
    return True


def _plan_container(
    pod: Pod, container: Container, observed: Observed, now: float, steps: _Steps, *, init: bool = False
) -> None:
    seen = observed.containers.get(container.name)
    if seen is None:
        _run(container, observed, now, steps)
    elif seen.state is State.EXITED:
        _restart(pod, container, observed, now, steps, init=init)
    elif seen.state is State.RUNNING:
        _keep(pod, container, observed, now, steps)
    else:  # left by a kubelet that died between creating and starting it
        steps.actions.append(action.RemoveContainer(seen.id))
        _run(container, observed, now, steps, seen.attempt)


def _run(container: Container, observed: Observed, now: float, steps: _Steps, attempt: int = 0) -> None:
    memory = observed.memory.get(container.name)
    failure = None if memory is None else memory.failure
    if failure is not None and now < failure.retry_at:
        steps.at(failure.retry_at)
    else:
        steps.actions.append(action.RunContainer(container.name, attempt))


def _restart(pod: Pod, container: Container, observed: Observed, now: float, steps: _Steps, *, init: bool) -> None:
    seen = observed.containers[container.name]
    memory = observed.memory.get(container.name)
    # An image that was changed, and a restart that the kubelet itself caused, ask the policy like any other exit does.
    if not restarts(policy_of(pod, container, init=init), seen.exit_code):
        return
    due = restart_at(memory, seen)
    if now < due:
        steps.at(due)
        return
    former = observed.former.get(container.name)
    if former is not None:
        steps.actions.append(action.RemoveContainer(former.id))
    _run(container, observed, now, steps, seen.attempt + 1)


def _keep(pod: Pod, container: Container, observed: Observed, now: float, steps: _Steps) -> None:
    memory = observed.memory.get(container.name)
    why = _why_restart(container, observed, memory)
    if why:
        stop_one(container.name, observed, now, now + _restart_grace(pod, container, memory), steps, why)


def _why_restart(container: Container, observed: Observed, memory: Memory | None) -> str:
    if observed.containers[container.name].image != container.image:
        return f"Container {container.name} definition changed, will be restarted"
    return "" if memory is None else memory.unhealthy


def _restart_grace(pod: Pod, container: Container, memory: Memory | None) -> float:
    """A failed probe may bring a grace of its own."""
    unhealthy = memory.probing.unhealthy if memory is not None and memory.probing is not None else None
    probe = None
    if unhealthy is not None:
        probe = container.startup_probe if unhealthy == "startup" else container.liveness_probe
    if probe is not None and probe.termination_grace_period_seconds is not None:
        return float(probe.termination_grace_period_seconds)
    return pod.grace_seconds()
