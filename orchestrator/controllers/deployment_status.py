"""What a Deployment's status says of its ReplicaSets: counts, Available, Progressing, ReplicaFailure. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import parse_time, rfc3339
from orchestrator.client.view import View
from orchestrator.controllers import conditions
from orchestrator.controllers.rollout import Bounds, count, total

NEW_AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"
RESUMED = "DeploymentResumed"
NO_DEADLINE = 2147483647
"""``progressDeadlineSeconds`` that means none."""


def status(
    deployment: View, limit: Bounds, new: View | None, old: Sequence[View], *, collisions: int, now: float
) -> Object:
    everything = [*old, new] if new is not None else list(old)
    counts = _counts(new, everything)
    result: Object = {"observedGeneration": deployment.generation}
    result.update({name: value for name, value in counts.items() if value})
    result["terminatingReplicas"] = sum(count(view, "terminatingReplicas") for view in everything)
    if collisions:
        result["collisionCount"] = collisions
    held = deployment.status.get("conditions") or []
    enough = counts["availableReplicas"] >= limit.least_available
    held = put(held, _availability(enough, now))
    held = _progress(deployment, new, held, counts, now)
    held = _failure(held, new, old, now)
    result["conditions"] = held
    return result


def _counts(new: View | None, everything: Sequence[View]) -> dict[str, int]:
    available = sum(count(view, "availableReplicas") for view in everything)
    return {
        "replicas": sum(count(view, "replicas") for view in everything),
        "updatedReplicas": count(new, "replicas") if new is not None else 0,
        "readyReplicas": sum(count(view, "readyReplicas") for view in everything),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total(everything) - available),
    }


def condition(type: str, status: str, reason: str, message: str, now: float) -> Object:
    moment = rfc3339(now)
    return {
        "type": type,
        "status": status,
        "lastUpdateTime": moment,
        "lastTransitionTime": moment,
        "reason": reason,
        "message": message,
    }


def put(held: Sequence[Object], new: Object) -> list[Object]:
    """Same status and reason change nothing; same status keeps the transition time."""
    current = conditions.find(held, new["type"])
    if current is not None and (current["status"], current.get("reason")) == (new["status"], new["reason"]):
        return list(held)
    return renew(held, new)


def renew(held: Sequence[Object], new: Object) -> list[Object]:
    """In place of the one of its type, whatever it said."""
    current = conditions.find(held, new["type"])
    if current is not None and current["status"] == new["status"]:
        new = {**new, "lastTransitionTime": current["lastTransitionTime"]}
    return [*conditions.drop(held, new["type"]), new]


def complete(deployment: View, counts: Object) -> bool:
    """Every replica is of the new template and available, and no other is left."""
    wanted = deployment.spec.get("replicas", 1)
    return bool(
        counts.get("updatedReplicas", 0) == wanted
        and counts.get("replicas", 0) == wanted
        and counts.get("availableReplicas", 0) == wanted
    )


def has_deadline(deployment: View) -> bool:
    seconds = deployment.spec.get("progressDeadlineSeconds")
    return seconds is not None and seconds != NO_DEADLINE


def stuck_after(deployment: View, status: Object, now: float) -> float | None:
    """Seconds until the rollout may have passed its deadline; None when nothing is to be waited for."""
    current = conditions.find(status.get("conditions") or [], "Progressing")
    if current is None or not has_deadline(deployment) or deployment.spec.get("paused"):
        return None
    if complete(deployment, status) or current.get("reason") in (TIMED_OUT, NEW_AVAILABLE):
        return None
    due: float = parse_time(current["lastUpdateTime"]) + deployment.spec["progressDeadlineSeconds"]
    return max(0.0, due - now) + 1.0


def paused(deployment: View, now: float) -> Object | None:
    """The Progressing condition that pausing or resuming asks for."""
    if not has_deadline(deployment):
        return None
    current = conditions.find(deployment.status.get("conditions") or [], "Progressing")
    reason = current.get("reason") if current is not None else ""
    if reason == TIMED_OUT:
        return None
    if deployment.spec.get("paused") and reason != PAUSED:
        return condition("Progressing", "Unknown", PAUSED, "Deployment is paused", now)
    if not deployment.spec.get("paused") and reason == PAUSED:
        return condition("Progressing", "Unknown", RESUMED, "Deployment is resumed", now)
    return None


def _availability(enough: bool, now: float) -> Object:
    if enough:
        text = "Deployment has minimum availability."
        return condition("Available", "True", "MinimumReplicasAvailable", text, now)
    text = "Deployment does not have minimum availability."
    return condition("Available", "False", "MinimumReplicasUnavailable", text, now)


def _progress(
    deployment: View, new: View | None, held: list[Object], counts: dict[str, int], now: float
) -> list[Object]:
    if not has_deadline(deployment):
        return conditions.drop(held, "Progressing")
    change = paused(deployment, now)
    if change is not None:
        return renew(held, change)
    current = conditions.find(held, "Progressing")
    if deployment.spec.get("paused"):
        return held
    if (
        current is not None
        and current.get("reason") == NEW_AVAILABLE
        and counts["replicas"] == counts["updatedReplicas"]
    ):
        return held
    who = f'ReplicaSet "{new.name}"' if new is not None else f'Deployment "{deployment.name}"'
    if complete(deployment, counts):
        return put(held, condition("Progressing", "True", NEW_AVAILABLE, f"{who} has successfully progressed.", now))
    if current is None or _advances(deployment.status, counts):
        return renew(held, condition("Progressing", "True", "ReplicaSetUpdated", f"{who} is progressing.", now))
    if _late(deployment, current, now):
        return put(held, condition("Progressing", "False", TIMED_OUT, f"{who} has timed out progressing.", now))
    return held


def _advances(before: Object, counts: dict[str, int]) -> bool:
    def old(name: str) -> int:
        value: int = before.get(name, 0)
        return value

    return (
        counts["updatedReplicas"] > old("updatedReplicas")
        or counts["replicas"] - counts["updatedReplicas"] < old("replicas") - old("updatedReplicas")
        or counts["readyReplicas"] > old("readyReplicas")
        or counts["availableReplicas"] > old("availableReplicas")
    )


def _late(deployment: View, current: Object, now: float) -> bool:
    if current.get("reason") == NEW_AVAILABLE:
        return False
    due = parse_time(current["lastUpdateTime"]) + deployment.spec["progressDeadlineSeconds"]
    return bool(current.get("reason") == TIMED_OUT or due < now)


def _failure(held: list[Object], new: View | None, old: Sequence[View], now: float) -> list[Object]:
    for view in [new, *old] if new is not None else old:
        found = conditions.find(view.status.get("conditions") or [], "ReplicaFailure")
        if found is not None and found.get("status") == "True":
            return put(held, condition("ReplicaFailure", "True", found["reason"], found["message"], now))
    return conditions.drop(held, "ReplicaFailure")
