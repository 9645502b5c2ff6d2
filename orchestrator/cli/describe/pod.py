"""A pod."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.cli.describe.page import Page, conditions, controller, events, head, marks, ruled, stamp
from orchestrator.cli.describe.template import containers, placement, volumes

Object = dict[str, Any]


def describe(pod: Object, happened: Sequence[Object], now: float) -> list[str]:
    spec, status = pod["spec"], pod.get("status") or {}
    page = Page()
    head(page, pod)
    page.field("Priority", spec.get("priority", 0))
    page.field("Service Account", spec.get("serviceAccountName"))
    host = status.get("hostIP")
    page.field("Node", f"{spec['nodeName']}/{host}" if spec.get("nodeName") and host else spec.get("nodeName"))
    if status.get("startTime"):
        page.field("Start Time", stamp(status["startTime"]))
    marks(page, pod)
    page.field("Status", phase(pod, status))
    for label in ("Reason", "Message"):
        if status.get(label.lower()):
            page.field(label, status[label.lower()])
    page.field("IP", status.get("podIP"))
    page.many("IPs", [entry["ip"] for entry in status.get("podIPs") or ()])
    if owner := controller(pod):
        page.field("Controlled By", owner)
    for label, field, statuses in (
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ):
        if spec.get(field):
            known = {entry["name"]: entry for entry in status.get(statuses) or ()}
            page.block(label, containers(spec[field], known))
    page.block("Conditions", pod_conditions(status.get("conditions") or ()))
    page.block("Volumes", volumes(spec.get("volumes") or ()))
    page.field("QoS Class", status.get("qosClass"))
    placement(page, spec)
    events(page, happened, now)
    return page.lines()


def phase(pod: Object, status: Object) -> str:
    metadata = pod["metadata"]
    if metadata.get("deletionTimestamp"):
        return f"Terminating (grace period {metadata.get('deletionGracePeriodSeconds', 0)}s)"
    return str(status.get("phase", ""))


def pod_conditions(found: Sequence[Object]) -> list[str]:
    """Reason and message only where some condition is not met: they say why."""
    if any(entry.get("message") for entry in found):
        return conditions(found, [("Type", "type"), ("Status", "status"), ("Reason", "reason"), ("Message", "message")])
    return ruled([["Type", "Status"], *([entry["type"], entry["status"]] for entry in found)]) if found else []
