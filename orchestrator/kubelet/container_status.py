"""The status of one container: waiting, running or terminated, and what came before. Pure."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.kubelet.backoff import duration_text
from orchestrator.kubelet.observed import Memory, Observed
from orchestrator.kubelet.pod import Container, Pod
from orchestrator.kubelet.restart import policy_of, restart_at, restarts
from orchestrator.kubelet.runtime.runtime import Container as Seen
from orchestrator.kubelet.runtime.runtime import State

ERROR_SHOWN_SECONDS = 2.0
"""How long a failed pull shows its own reason before the back-off's (ErrImagePull, then ImagePullBackOff)."""


def container_status(
    pod: Pod, container: Container, observed: Observed, now: float, *, runtime: str, waiting: str, init: bool = False
) -> Object:
    """``waiting`` is the reason of a container that nothing hinders: ContainerCreating or PodInitializing."""
    seen = observed.containers.get(container.name)
    if seen is None:
        memory = observed.memory.get(container.name)
        return {
            "name": container.name,
            "state": {"waiting": _waiting(memory, now, waiting)},
            "lastState": {},
            "ready": False,
            "restartCount": 0,
            "image": container.image,
            "imageID": "",
            "started": False,
        }
    former = observed.former.get(container.name)
    state, last = _states(pod, container, observed, seen, now, runtime=runtime, waiting=waiting, init=init)
    if not last and former is not None:
        last = {"terminated": terminated(former, runtime)}
    return {
        "name": container.name,
        "state": state,
        "lastState": last,
        "ready": _ready(container, observed, seen, init=init),
        "restartCount": seen.attempt,
        "image": container.image,
        "imageID": seen.image_id,
        "containerID": f"{runtime}://{seen.id}",
        "started": observed.started(container),
    }


def _ready(container: Container, observed: Observed, seen: Seen, *, init: bool) -> bool:
    if init and container.restart_policy != "Always":
        return seen.state is State.EXITED and seen.exit_code == 0
    return observed.ready(container)


def _states(
    pod: Pod,
    container: Container,
    observed: Observed,
    seen: Seen,
    now: float,
    *,
    runtime: str,
    waiting: str,
    init: bool,
) -> tuple[Object, Object]:
    """State and last state; a container that will be restarted waits, and its end is the last state."""
    memory = observed.memory.get(container.name)
    if seen.state is State.RUNNING:
        if memory is not None and memory.post_start:
            return {"waiting": {"reason": waiting}}, {}
        return {"running": {"startedAt": rfc3339(seen.started_at)}}, {}
    if seen.state is State.CREATED:
        return {"waiting": _waiting(memory, now, waiting)}, {}
    end = {"terminated": terminated(seen, runtime)}
    if observed.terminating_since is not None or observed.verdict is not None:
        return end, {}
    if memory is not None and memory.failure is not None:
        return {"waiting": _waiting(memory, now, waiting)}, end
    if not restarts(policy_of(pod, container, init=init), seen.exit_code) or now >= restart_at(memory, seen):
        return end, {}
    seconds = memory.backoff.seconds if memory is not None else 0.0
    message = (
        f"back-off {duration_text(seconds)} restarting failed container={container.name} "
        f"pod={pod.metadata.name}_{pod.metadata.namespace}({pod.uid})"
    )
    return {"waiting": {"reason": "CrashLoopBackOff", "message": message}}, end


def _waiting(memory: Memory | None, now: float, reason: str) -> Object:
    failure = None if memory is None else memory.failure
    if failure is None:
        return {"reason": reason}
    if failure.backoff_reason and now >= failure.at + ERROR_SHOWN_SECONDS:
        return {"reason": failure.backoff_reason, "message": f"Back-off pulling image: {failure.message}"}
    return {"reason": failure.reason, "message": failure.message}


def terminated(seen: Seen, runtime: str) -> Object:
    reason = seen.reason or ("Completed" if seen.exit_code == 0 else "Error")
    state: Object = {
        "exitCode": seen.exit_code,
        "reason": reason,
        "startedAt": rfc3339(seen.started_at),
        "finishedAt": rfc3339(seen.finished_at),
        "containerID": f"{runtime}://{seen.id}",
    }
    if seen.signal:
        state["signal"] = seen.signal
    if seen.message:
        state["message"] = seen.message
    return state
