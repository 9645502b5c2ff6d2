"""A node, the pods on it and what they ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.apimachinery.quantity import Quantity
from orchestrator.cli.describe.page import Page, conditions, events, head, marks, ruled, stamp
from orchestrator.cli.show.rows import age

Object = dict[str, Any]
ROLE = "node-role.kubernetes.io/"
COLUMNS = [("Type", "type"), ("Status", "status"), ("LastHeartbeatTime", "lastHeartbeatTime"),
           ("LastTransitionTime", "lastTransitionTime"), ("Reason", "reason"), ("Message", "message")]  # fmt: skip
FACTS = (("Machine ID", "machineID"), ("Kernel Version", "kernelVersion"), ("OS Image", "osImage"),
         ("Operating System", "operatingSystem"), ("Architecture", "architecture"),
         ("Container Runtime Version", "containerRuntimeVersion"), ("Kubelet Version", "kubeletVersion"))  # fmt: skip


def describe(
    node: Object, lease: Object | None, pods: Sequence[Object], happened: Sequence[Object], now: float
) -> list[str]:
    spec, status = node["spec"], node.get("status") or {}
    page = Page()
    head(page, node)
    labels = node["metadata"].get("labels") or {}
    page.field("Roles", ",".join(sorted(key.removeprefix(ROLE) for key in labels if key.startswith(ROLE))))
    marks(page, node)
    page.field("CreationTimestamp", stamp(node["metadata"].get("creationTimestamp")))
    page.many("Taints", [taint(entry) for entry in spec.get("taints") or ()])
    page.field("Unschedulable", "true" if spec.get("unschedulable") else "false")
    renewed = ((lease or {}).get("spec") or {}).get("renewTime")
    page.field("Lease", f"renewed {stamp(renewed)}" if renewed else None)
    page.block("Conditions", conditions(status.get("conditions"), COLUMNS))
    page.many("Addresses", [f"{entry['type']}: {entry['address']}" for entry in status.get("addresses") or ()])
    page.pairs("Capacity", status.get("capacity"), joint=": ")
    page.pairs("Allocatable", status.get("allocatable"), joint=": ")
    facts = status.get("nodeInfo") or {}
    page.many("System Info", [f"{label}: {facts[field]}" for label, field in FACTS if facts.get(field)])
    active = [pod for pod in pods if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
    room = status.get("allocatable") or {}
    page.block(f"Non-terminated Pods ({len(active)} in total)", pod_rows(active, room, now))
    page.block("Allocated resources", allocated(active, room))
    events(page, happened, now)
    return page.lines()


def taint(entry: Object) -> str:
    value = f"={entry['value']}" if entry.get("value") else ""
    return f"{entry['key']}{value}:{entry['effect']}"


def asked(pod: Object, field: str, resource: str) -> int:
    """Thousandths; the larger of what the containers ask together and any init container alone."""
    spec = pod["spec"]

    def of(entry: Object) -> int:
        amount = ((entry.get("resources") or {}).get(field) or {}).get(resource)
        return Quantity.parse(amount).milli() if amount is not None else 0

    together = sum(of(entry) for entry in spec.get("containers") or ())
    return max([together, *(of(entry) for entry in spec.get("initContainers") or ())])


def amount(milli: int, resource: str, room: Object) -> str:
    total = Quantity.parse(room.get(resource, "0")).milli()
    share = f" ({100 * milli // total}%)" if total else ""
    if resource == "cpu":
        text = str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"
    else:
        text = f"{milli // 1000 // 2**20}Mi" if milli else "0"
    return text + share


def pod_rows(pods: Sequence[Object], room: Object, now: float) -> list[str]:
    rows = [["Namespace", "Name", "CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age"]]
    for pod in pods:
        cells = [
            amount(asked(pod, field, name), name, room)
            for name in ("cpu", "memory")
            for field in ("requests", "limits")
        ]
        metadata = pod["metadata"]
        rows.append([metadata["namespace"], metadata["name"], *cells, age(metadata, now)])
    return ruled(rows) if len(rows) > 1 else []


def allocated(pods: Sequence[Object], room: Object) -> list[str]:
    rows = [["Resource", "Requests", "Limits"]]
    for name in ("cpu", "memory", "ephemeral-storage"):
        sums = [sum(asked(pod, field, name) for pod in pods) for field in ("requests", "limits")]
        rows.append([name, *(amount(total, name, room) for total in sums)])
    return ruled(rows)
