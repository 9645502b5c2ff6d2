"""Taints of nodes and what pods tolerate. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.view import View

NO_EXECUTE, NO_SCHEDULE = "NoExecute", "NoSchedule"
NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
BY_CONDITION = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}


def taints(node: View) -> list[Object]:
    found: list[Object] = node.spec.get("taints") or []
    return found


def evicting(node: View) -> tuple[tuple[str, str, str], ...]:
    """Key, value and time of each taint that pods leave for."""
    return tuple(
        (taint["key"], taint.get("value", ""), taint.get("timeAdded", ""))
        for taint in taints(node)
        if taint.get("effect") == NO_EXECUTE
    )


def tolerates(toleration: Object, key: str, value: str, effect: str) -> bool:
    if toleration.get("effect", effect) not in ("", effect):
        return False
    wanted = toleration.get("key", "")
    if wanted and wanted != key:
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    return operator == "Equal" and bool(wanted) and toleration.get("value", "") == value


def tolerated_seconds(tolerations: Sequence[Object], found: Iterable[tuple[str, str, str]]) -> float | None:
    """How long a pod may stay: 0 when a taint is not tolerated at all, None when all are for ever."""
    shortest: float | None = None
    for key, value, _ in found:
        fitting = [held for held in tolerations if tolerates(held, key, value, NO_EXECUTE)]
        if not fitting:
            return 0.0
        for held in fitting:
            seconds = held.get("tolerationSeconds")
            if seconds is not None:
                shortest = max(0.0, float(seconds) if shortest is None else min(shortest, float(seconds)))
    return shortest
