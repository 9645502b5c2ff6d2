"""What the scheduler writes, as requests: bindings, the status of pods that must wait or leave, claims and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestrator.api.volumes import BOUND_BY_CONTROLLER, SELECTED_NODE
from orchestrator.apimachinery.encoded import Object
from orchestrator.client import requests
from orchestrator.client.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS
from orchestrator.client.protocol import Request, Want

if TYPE_CHECKING:
    from orchestrator.scheduler.outcome import Assignment, Refusal
    from orchestrator.scheduler.volume_facts import ClaimFacts, VolumeFacts


def bind(assignment: Assignment) -> Request:
    namespace, _, name = assignment.key.partition("/")
    body: Object = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": name, "namespace": namespace, "uid": assignment.uid},
        "target": {"apiVersion": "v1", "kind": "Node", "name": assignment.node},
    }
    return requests.create_sub(PODS, name, namespace, "binding", body)


def take_volume(volume: VolumeFacts, claim: ClaimFacts) -> Request:
    reference = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": claim.namespace,
        "name": claim.name,
        "uid": claim.uid,
        "resourceVersion": str(claim.revision),
    }
    metadata: Object = {"resourceVersion": str(volume.revision)}
    if not volume.claim:
        metadata["annotations"] = {BOUND_BY_CONTROLLER: "yes"}
    document: Object = {"metadata": metadata, "spec": {"claimRef": reference}}
    return requests.patch(PERSISTENTVOLUMES, volume.name, "", document, want=Want.REVISION)


def select_node(claim: ClaimFacts, node: str) -> Request:
    metadata = {"uid": claim.uid, "annotations": {SELECTED_NODE: node}}
    return requests.patch(
        PERSISTENTVOLUMECLAIMS, claim.name, claim.namespace, {"metadata": metadata}, want=Want.REVISION
    )


def patch_status(namespace: str, name: str, uid: str, status: Object) -> Request:
    """A merge patch: the uid is the precondition, so that a new pod of the name is left alone."""
    document: Object = {"metadata": {"uid": uid}, "status": status}
    return requests.patch(PODS, name, namespace, document, subresource="status", want=Want.REVISION)


def refused_status(status: Object, refusal: Refusal, now: str) -> Object | None:
    """What to merge into the pod's status; None when it says so already."""
    condition = condition_of("PodScheduled", "False", "Unschedulable", refusal.message, now)
    change: Object = {}
    for held in status.get("conditions") or ():
        if held["type"] == "PodScheduled":
            same = all(held.get(name) == condition[name] for name in ("status", "reason", "message"))
            if held.get("status") == "False":
                condition["lastTransitionTime"] = held.get("lastTransitionTime", now)
            break
    else:
        same = False
    if not same:
        change["conditions"] = with_condition(status.get("conditions"), condition)
    if refusal.nominated is not None and refusal.nominated != status.get("nominatedNodeName", ""):
        change["nominatedNodeName"] = refusal.nominated or None
    return change or None


def condition_of(kind: str, status: str, reason: str, message: str, now: str) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": now}


def with_condition(conditions: Sequence[Object] | None, condition: Object) -> list[Object]:
    """A merge patch replaces lists: the other conditions go along as they stand."""
    return [held for held in conditions or () if held["type"] != condition["type"]] + [condition]
