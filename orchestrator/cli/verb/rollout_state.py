"""How far a rollout is, in kubectl's words. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

Object = dict[str, Any]


class State(NamedTuple):
    text: str
    done: bool = False
    failed: bool = False


def state(obj: Object) -> State:
    """Of a Deployment, StatefulSet or DaemonSet."""
    status = obj.get("status") or {}
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        return State(f"Waiting for {obj['kind'].lower()} spec update to be observed...")
    return {"Deployment": deployment, "StatefulSet": stateful_set, "DaemonSet": daemon_set}[obj["kind"]](obj, status)


def deployment(obj: Object, status: Object) -> State:
    name = obj["metadata"]["name"]
    head = f'Waiting for deployment "{name}" rollout to finish:'
    for condition in status.get("conditions") or ():
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return State(f'deployment "{name}" exceeded its progress deadline', failed=True)
    wanted = obj["spec"].get("replicas", 1)
    updated = status.get("updatedReplicas", 0)
    total = status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    if updated < wanted:
        return State(f"{head} {updated} out of {wanted} new replicas have been updated...")
    if total > updated:
        return State(f"{head} {total - updated} old replicas are pending termination...")
    if available < updated:
        return State(f"{head} {available} of {updated} updated replicas are available...")
    return State(f'deployment "{name}" successfully rolled out', done=True)


def stateful_set(obj: Object, status: Object) -> State:
    spec = obj["spec"]
    name = obj["metadata"]["name"]
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return State(
            f"statefulset {name} is updated as its pods are deleted (OnDelete): nothing to wait for", done=True
        )
    wanted = spec.get("replicas", 1)
    ready = status.get("readyReplicas", 0)
    if ready < wanted:
        return State(f"Waiting for {wanted - ready} pods to be ready...")
    partition = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    updated = status.get("updatedReplicas", 0)
    if partition:
        if updated < wanted - partition:
            text = f"{updated} out of {wanted - partition} new pods have been updated..."
            return State(f"Waiting for partitioned roll out to finish: {text}")
        return State(f"partitioned roll out complete: {updated} new pods have been updated...", done=True)
    if status.get("updateRevision") != status.get("currentRevision"):
        target = status.get("updateRevision", "")
        return State(f"waiting for statefulset rolling update to complete {updated} pods at revision {target}...")
    current = status.get("currentReplicas", 0)
    return State(
        f"statefulset rolling update complete {current} pods at revision {status.get('currentRevision', '')}...",
        done=True,
    )


def daemon_set(obj: Object, status: Object) -> State:
    name = obj["metadata"]["name"]
    if (obj["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        return State(f"daemon set {name} is updated as its pods are deleted (OnDelete): nothing to wait for", done=True)
    wanted = status.get("desiredNumberScheduled", 0)
    updated = status.get("updatedNumberScheduled", 0)
    available = status.get("numberAvailable", 0)
    head = f'Waiting for daemon set "{name}" rollout to finish:'
    if updated < wanted:
        return State(f"{head} {updated} out of {wanted} new pods have been updated...")
    if available < wanted:
        return State(f"{head} {available} of {wanted} updated pods are available...")
    return State(f'daemon set "{name}" successfully rolled out', done=True)
