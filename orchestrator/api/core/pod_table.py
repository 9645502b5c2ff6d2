"""The columns of pods: the status word that ``kubectl get pods`` shows, ready counts, restarts."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.api.cells import AGE, NAME, age_of
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.tables import Column
from orchestrator.apimachinery.timestamps import age

POD_COLUMNS = (
    NAME,
    Column("Ready", "string", "", "The aggregate readiness state of this pod for accepting traffic."),
    Column("Status", "string", "", "The aggregate status of the containers in this pod."),
    Column(
        "Restarts",
        "string",
        "",
        "The number of times the containers in this pod have been restarted and when the last container in this pod "
        "has restarted.",
    ),
    AGE,
    Column("IP", "string", "", "IP address allocated to the pod. Routable at least within the cluster.", 1),
    Column("Node", "string", "", "The node that the pod is scheduled to.", 1),
    Column("Nominated Node", "string", "", "The node that the pod is expected to be scheduled to.", 1),
    Column("Readiness Gates", "string", "", "Readiness gates of the pod.", 1),
)


class _Tally(msgspec.Struct):
    """What is counted while the containers are walked."""

    reason: str
    ready: int = 0
    restarts: int = 0
    last_restart: str = ""
    sidecar_restarts: int = 0
    last_sidecar_restart: str = ""
    initializing: bool = False


def pod_row(pod: Object, now: float) -> list[Any]:
    spec, status, meta = pod.get("spec") or {}, pod.get("status") or {}, pod["metadata"]
    tally = _tally(spec, status)
    reason = tally.reason
    if meta.get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif status.get("phase") not in ("Failed", "Succeeded"):
            reason = "Terminating"
    restarts = str(tally.restarts)
    if tally.restarts and tally.last_restart:
        restarts = f"{restarts} ({age(tally.last_restart, now)} ago)"
    total = len(spec.get("containers") or ()) + sum(map(_is_sidecar, spec.get("initContainers") or ()))
    addresses = status.get("podIPs") or [{}]
    return [
        meta.get("name", ""),
        f"{tally.ready}/{total}",
        reason,
        restarts,
        age_of(pod, now),
        addresses[0].get("ip") or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        _readiness_gates(spec, status),
    ]


def status_text(pod: Object) -> str:
    """The word in the STATUS column: ``Running``, ``CrashLoopBackOff``, ``Init:0/1``, ``Terminating`` ..."""
    return str(pod_row(pod, 0.0)[2])


def _is_sidecar(container: Object | None) -> bool:
    return bool(container) and container.get("restartPolicy") == "Always"  # type: ignore[union-attr]


def _tally(spec: Object, status: Object) -> _Tally:
    tally = _Tally(status.get("reason") or status.get("phase") or "")
    conditions = status.get("conditions") or ()
    if any(each.get("type") == "PodScheduled" and each.get("reason") == "SchedulingGated" for each in conditions):
        tally.reason = "SchedulingGated"
    _tally_init(spec, status, tally)
    if not tally.initializing or _condition_true(conditions, "Initialized"):
        tally.restarts, tally.last_restart = tally.sidecar_restarts, tally.last_sidecar_restart
        _tally_containers(status, conditions, tally)
    return tally


def _condition_true(conditions: Any, type: str) -> bool:
    return any(each.get("type") == type and each.get("status") == "True" for each in conditions)


def _last_finished(container: Object) -> str:
    return ((container.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or ""


def _tally_init(spec: Object, status: Object, tally: _Tally) -> None:
    containers = {each.get("name"): each for each in spec.get("initContainers") or ()}
    for position, each in enumerate(status.get("initContainerStatuses") or ()):
        sidecar = _is_sidecar(containers.get(each.get("name")))
        count, finished = each.get("restartCount") or 0, _last_finished(each)
        tally.restarts += count
        tally.last_restart = max(tally.last_restart, finished)
        if sidecar:
            tally.sidecar_restarts += count
            tally.last_sidecar_restart = max(tally.last_sidecar_restart, finished)
        terminated = (each.get("state") or {}).get("terminated")
        if terminated is not None and not terminated.get("exitCode"):
            continue
        if sidecar and each.get("started"):
            tally.ready += bool(each.get("ready"))
            continue
        tally.reason = _init_reason(each.get("state") or {}, position, len(containers))
        tally.initializing = True
        return


def _init_reason(state: Object, position: int, total: int) -> str:
    terminated, waiting = state.get("terminated"), state.get("waiting") or {}
    if terminated is not None:
        return f"Init:{_ended(terminated)}"
    if waiting.get("reason") and waiting["reason"] != "PodInitializing":
        return f"Init:{waiting['reason']}"
    return f"Init:{position}/{total}"


def _ended(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode') or 0}"


def _tally_containers(status: Object, conditions: Any, tally: _Tally) -> None:
    running = False
    failure = ""
    for each in reversed(status.get("containerStatuses") or ()):
        tally.restarts += each.get("restartCount") or 0
        tally.last_restart = max(tally.last_restart, _last_finished(each))
        state = each.get("state") or {}
        waiting, terminated = state.get("waiting"), state.get("terminated")
        if waiting and waiting.get("reason"):
            tally.reason = waiting["reason"]
        elif terminated is not None:
            tally.reason = _ended(terminated)
            if terminated.get("exitCode"):
                failure = tally.reason
        elif each.get("ready") and state.get("running") is not None:
            running = True
            tally.ready += 1
    if tally.reason == "Completed":
        if running and _condition_true(conditions, "Ready"):
            tally.reason = "Running"
        elif failure:
            tally.reason = failure
        elif running:
            tally.reason = "NotReady"


def _readiness_gates(spec: Object, status: Object) -> str:
    gates = spec.get("readinessGates") or ()
    if not gates:
        return "<none>"
    conditions = status.get("conditions") or ()
    passed = sum(_condition_true(conditions, gate.get("conditionType", "")) for gate in gates)
    return f"{passed}/{len(gates)}"


_ENDED = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}


def pod_row_conditions(pod: Object) -> list[Object]:
    """A pod that is over is marked as completed: clients grey it out."""
    phase = (pod.get("status") or {}).get("phase") or ""
    if phase not in _ENDED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": _ENDED[phase]}]
