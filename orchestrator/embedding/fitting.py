"""Why no node takes a pod, in numbers that a person can act on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Form, Quantity
from orchestrator.scheduler.requests import amounts, pod_requests

ENDED = ("Succeeded", "Failed")
COUNTED = ("cpu", "memory")


def why_no_node(pod: Object, nodes: Sequence[Object], pods: Iterable[Object]) -> str:
    """``no node fits: 1 not ready, 2 too little cpu (asked 500m, free 200m and 100m)``; "" when it cannot be told."""
    if not nodes:
        return "there is no node"
    used = _used(pods)
    asked = pod_requests(pod["spec"])
    reasons: dict[str, list[str]] = {}
    for node in nodes:
        reason, free = _reason(pod, node, asked, used.get(node["metadata"]["name"], {}))
        if not reason:
            return ""
        reasons.setdefault(reason, []).append(free)
    return "no node fits: " + ", ".join(_said(reason, free, asked) for reason, free in sorted(reasons.items()))


def _reason(pod: Object, node: Object, asked: Mapping[str, int], used: Mapping[str, int]) -> tuple[str, str]:
    """Why this node does not take it, and how much it has free of what is short."""
    if not _is_ready(node):
        return "not ready", ""
    spec, labels = node.get("spec") or {}, node["metadata"].get("labels") or {}
    if spec.get("unschedulable"):
        return "cordoned", ""
    wanted = pod["spec"].get("nodeSelector") or {}
    missing = [f"{name}={value}" for name, value in wanted.items() if labels.get(name) != value]
    if missing:
        return f"without the label {missing[0]}", ""
    allocatable = amounts((node.get("status") or {}).get("allocatable"))
    for resource, amount in asked.items():
        free = allocatable.get(resource, 0) - used.get(resource, 0)
        if amount > free:
            return f"too little {resource}", _text(resource, free)
    if used.get("pods", 0) + 1 > allocatable.get("pods", 110):
        return "full of pods", ""
    return "", ""


def _said(reason: str, free: Sequence[str], asked: Mapping[str, int]) -> str:
    resource = reason.removeprefix("too little ")
    if resource == reason:
        return f"{len(free)} {reason}"
    left = f"{', '.join(free[:-1])} and {free[-1]}" if len(free) > 1 else free[0]
    return f"{len(free)} {reason} (asked {_text(resource, asked[resource])}, free {left})"


def _used(pods: Iterable[Object]) -> dict[str, dict[str, int]]:
    total: dict[str, dict[str, int]] = {}
    for pod in pods:
        name = pod["spec"].get("nodeName")
        if not name or (pod.get("status") or {}).get("phase") in ENDED:
            continue
        sums = total.setdefault(name, {})
        for resource, amount in {**pod_requests(pod["spec"]), "pods": 1}.items():
            sums[resource] = sums.get(resource, 0) + amount
    return total


def _is_ready(node: Object) -> bool:
    held = (node.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in held)


def _text(resource: str, amount: int) -> str:
    if resource == "cpu":
        return str(Quantity.of_milli(amount))
    return str(Quantity.of(amount, Form.BINARY if resource == "memory" else Form.DECIMAL))
