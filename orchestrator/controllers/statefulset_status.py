"""What a StatefulSet's status says of its pods. Pure."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.view import View
from orchestrator.controllers.controller_history import HASH_LABEL
from orchestrator.controllers.pods import RUNNING, available, pod
from orchestrator.controllers.statefulset_plan import Plan, Situation


def status_of(owner: View, situation: Situation, done: Plan, collisions: int) -> Object:
    """The counters after ``done`` was done, and which revisions they are of."""
    wanted, counts = situation.wanted, _counts(situation)
    created = [situation.revision_for(number) for number in done.create]
    deleted = [view.labels.get(HASH_LABEL, "") for view in done.delete]
    counts["replicas"] += len(created)
    for name, revision in (("currentReplicas", situation.current), ("updatedReplicas", situation.update)):
        counts[name] = max(0, counts[name] + created.count(revision) - deleted.count(revision))
    current = situation.current
    whole = counts["replicas"] == wanted.replicas and len(situation.pods) == wanted.replicas
    complete = whole and counts["updatedReplicas"] == wanted.replicas == counts["readyReplicas"]
    if wanted.rolling and complete:
        current, counts["currentReplicas"] = situation.update, counts["updatedReplicas"]
    status: Object = {
        "replicas": counts["replicas"],
        "availableReplicas": counts["availableReplicas"],
        "observedGeneration": owner.generation,
        "currentRevision": current,
        "updateRevision": situation.update,
        "collisionCount": collisions,
    }
    for name in ("readyReplicas", "currentReplicas", "updatedReplicas"):
        if counts[name]:
            status[name] = counts[name]
    if owner.status.get("conditions"):
        status["conditions"] = owner.status["conditions"]
    return status


def _counts(situation: Situation) -> dict[str, int]:
    counts = {
        "replicas": len(situation.pods),
        "readyReplicas": 0,
        "availableReplicas": 0,
        "currentReplicas": 0,
        "updatedReplicas": 0,
    }
    for view in situation.pods.values():
        held = pod(view)
        if held.phase == RUNNING and held.ready:
            counts["readyReplicas"] += 1
            counts["availableReplicas"] += available(held, situation.wanted.min_ready_seconds, situation.now)
        if not view.deleting:
            revision = view.labels.get(HASH_LABEL)
            counts["currentReplicas"] += revision == situation.current
            counts["updatedReplicas"] += revision == situation.update
    return counts
