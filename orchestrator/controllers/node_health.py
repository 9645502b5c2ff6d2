"""What a node's conditions and taints should be, given how long it has been silent. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.view import View
from orchestrator.controllers import conditions
from orchestrator.controllers.taints import (
    BY_CONDITION,
    NO_EXECUTE,
    NO_SCHEDULE,
    NOT_READY,
    UNREACHABLE,
    UNSCHEDULABLE,
    taints,
)

WATCHED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
"""The conditions that become Unknown with a silent node."""
_OURS = frozenset((NOT_READY, UNREACHABLE, UNSCHEDULABLE, *BY_CONDITION.values()))


def ready(node: View) -> str:
    """The Ready condition's status."""
    held = conditions.find(node.status.get("conditions") or [], "Ready")
    return str(held["status"]) if held is not None else "Unknown"


def unknown_conditions(node: View, now: float) -> list[Object] | None:
    """The conditions of a node that is silent; None when they say so already."""
    held: list[Object] = list(node.status.get("conditions") or [])
    before = list(held)
    for type in WATCHED:
        current = conditions.find(held, type)
        if current is not None and current.get("status") == "Unknown":
            continue
        never = current is None
        reason = "NodeStatusNeverUpdated" if never else "NodeStatusUnknown"
        text = "Kubelet never posted node status." if never else "Kubelet stopped posting node status."
        made = conditions.make(type, "Unknown", reason, text, now)
        made["lastHeartbeatTime"] = current.get("lastHeartbeatTime") if current else node.meta.creationTimestamp
        held = conditions.put(held, made)
    return held if held != before else None


def wanted_taints(node: View, status: str, now: float, *, evict: bool) -> list[Object] | None:
    """The node's taints as its conditions ask for them; None when they are so.

    ``status`` is that of the Ready condition. Without ``evict`` nothing leaves: no node is there to take it.
    """
    held = taints(node)
    wanted: list[tuple[str, str]] = []
    if status != "True":
        key = NOT_READY if status == "False" else UNREACHABLE
        wanted.append((key, NO_SCHEDULE))
        if evict:
            wanted.append((key, NO_EXECUTE))
    found = node.status.get("conditions") or []
    wanted += [(key, NO_SCHEDULE) for type, key in BY_CONDITION.items() if conditions.is_true(found, type)]
    if node.spec.get("unschedulable"):
        wanted.append((UNSCHEDULABLE, NO_SCHEDULE))
    kept = [taint for taint in held if taint["key"] not in _OURS or (taint["key"], taint.get("effect")) in wanted]
    there = {(taint["key"], taint.get("effect")) for taint in kept}
    added = [_taint(key, effect, now) for key, effect in wanted if (key, effect) not in there]
    return [*kept, *added] if added or len(kept) != len(held) else None


def _taint(key: str, effect: str, now: float) -> Object:
    made: Object = {"key": key, "effect": effect}
    if key != UNSCHEDULABLE:
        made["timeAdded"] = rfc3339(now)
    return made


def unready(pods: Sequence[View]) -> list[View]:
    """The pods of a lost node that still say they are ready."""
    return [view for view in pods if conditions.is_true(view.status.get("conditions") or [], "Ready")]


def unready_conditions(view: View, now: float) -> list[Object]:
    held = view.status.get("conditions") or []
    current = conditions.find(held, "Ready") or {"type": "Ready"}
    changed = {**current, "status": "False", "lastTransitionTime": rfc3339(now)}
    return [changed if condition is current else condition for condition in held]
