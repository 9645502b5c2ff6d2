"""Deployments, ReplicaSets, StatefulSets, DaemonSets and Jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.apimachinery.selectors import selector_text
from orchestrator.cli.describe.page import Page, conditions, controller, events, head, marks, stamp
from orchestrator.cli.describe.template import template_lines

Object = dict[str, Any]
COLUMNS = [("Type", "type"), ("Status", "status"), ("Reason", "reason"), ("Message", "message")]
KINDS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController")


def describe(obj: Object, owned: Sequence[Object], happened: Sequence[Object], now: float) -> list[str]:
    """``owned``: a Deployment's ReplicaSets, the pods of the others."""
    spec, status = obj["spec"], obj.get("status") or {}
    page = Page()
    head(page, obj)
    page.field("CreationTimestamp", stamp(obj["metadata"].get("creationTimestamp")))
    marks(page, obj)
    selector = spec.get("selector") or {}
    plain = obj["kind"] == "ReplicationController"
    page.field("Selector", selector_text({"matchLabels": selector} if plain else selector))
    if owner := controller(obj):
        page.field("Controlled By", owner)
    counts(page, obj, spec, status)
    if obj["kind"] != "Deployment":
        page.field("Pods Status", pods_status(owned))
    body = page.lines() + template_lines(spec.get("template") or {})
    tail = Page()
    tail.block("Conditions", conditions(status.get("conditions"), COLUMNS))
    if obj["kind"] == "Deployment":
        replica_sets(tail, obj, owned)
    events(tail, happened, now)
    return body + tail.lines()


def counts(page: Page, obj: Object, spec: Object, status: Object) -> None:
    kind = obj["kind"]
    if kind == "Deployment":
        deployment_counts(page, spec, status)
    elif kind == "DaemonSet":
        page.field("Desired Number of Nodes Scheduled", status.get("desiredNumberScheduled", 0))
        page.field("Current Number of Nodes Scheduled", status.get("currentNumberScheduled", 0))
        page.field("Number of Nodes Scheduled with Up-to-date Pods", status.get("updatedNumberScheduled", 0))
        page.field("Number of Nodes Scheduled with Available Pods", status.get("numberAvailable", 0))
    elif kind == "Job":
        page.field("Parallelism", spec.get("parallelism", 1))
        page.field("Completions", spec.get("completions"))
        page.field("Backoff Limit", spec.get("backoffLimit", 6))
        for label, field in (("Start Time", "startTime"), ("Completed At", "completionTime")):
            if status.get(field):
                page.field(label, stamp(status[field]))
    else:
        page.field("Replicas", f"{status.get('replicas', 0)} current / {spec.get('replicas', 1)} desired")


def deployment_counts(page: Page, spec: Object, status: Object) -> None:
    words = [
        ("", "desired"),
        ("updatedReplicas", "updated"),
        ("replicas", "total"),
        ("availableReplicas", "available"),
        ("unavailableReplicas", "unavailable"),
    ]
    shown = [f"{status.get(field, 0) if field else spec.get('replicas', 1)} {word}" for field, word in words]
    page.field("Replicas", " | ".join(shown))
    strategy = spec.get("strategy") or {}
    page.field("StrategyType", strategy.get("type"))
    page.field("MinReadySeconds", spec.get("minReadySeconds", 0))
    if rolling := strategy.get("rollingUpdate"):
        page.field(
            "RollingUpdateStrategy",
            f"{rolling.get('maxUnavailable')} max unavailable, {rolling.get('maxSurge')} max surge",
        )
    if spec.get("paused"):
        page.field("Paused", "true")


def pods_status(pods: Sequence[Object]) -> str:
    phases = [(pod.get("status") or {}).get("phase", "Unknown") for pod in pods]
    return " / ".join(f"{phases.count(phase)} {phase}" for phase in ("Running", "Pending", "Succeeded", "Failed"))


def replica_sets(page: Page, deployment: Object, owned: Sequence[Object]) -> None:
    revision = "deployment.kubernetes.io/revision"
    current = (deployment["metadata"].get("annotations") or {}).get(revision)

    def text(entry: Object) -> str:
        made = (entry.get("status") or {}).get("replicas", 0)
        return f"{entry['metadata']['name']} ({made}/{entry['spec'].get('replicas', 1)} replicas created)"

    new = [entry for entry in owned if (entry["metadata"].get("annotations") or {}).get(revision) == current]
    page.field("OldReplicaSets", ", ".join(text(entry) for entry in owned if entry not in new))
    page.field("NewReplicaSet", ", ".join(text(entry) for entry in new))
