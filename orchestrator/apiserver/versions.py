"""Kinds that are served in more than one form over one storage, and how one form becomes the other.

Stored are ``v1`` Events and ``autoscaling/v2`` autoscalers; everything else is stored as it is served. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from orchestrator.api.custom.catalog import Catalog
from orchestrator.api.custom.definition import Custom
from orchestrator.api.schema import Resource
from orchestrator.apimachinery.encoded import Encoded, Object, encode

Convert = Callable[[Object], Object]


@dataclass(frozen=True, slots=True)
class Form:
    """``stored``: group and version of what is stored. ``write`` makes the stored form, ``read`` the served one."""

    group: str
    version: str
    write: Convert
    read: Convert


EVENT_FIELDS = (
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
)
"""Names of ``events.k8s.io`` and of the core group for the same thing."""


def event_to_core(event: Object) -> Object:
    names = dict(EVENT_FIELDS)
    core = {names.get(key, key): value for key, value in event.items()}
    core.setdefault("involvedObject", {})
    return core | {"apiVersion": "v1"}


def event_from_core(event: Object) -> Object:
    names = {core: new for new, core in EVENT_FIELDS}
    made = {names.get(key, key): value for key, value in event.items()} | {"apiVersion": "events.k8s.io/v1"}
    for key in ("reportingController", "reportingInstance"):
        if not made.get(key):
            made.pop(key, None)
    return made


CPU_UTILIZATION = "targetCPUUtilizationPercentage"
METRICS = "autoscaling.alpha.kubernetes.io/metrics"
CURRENT_METRICS = "autoscaling.alpha.kubernetes.io/current-metrics"
CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"
DEFAULT_UTILIZATION = 80


def autoscaler_to_v2(hpa: Object) -> Object:
    """What v1 cannot say waits in annotations, as upstream keeps it."""
    made = hpa | {"apiVersion": "autoscaling/v2", "spec": dict(hpa.get("spec") or {})}
    metadata = made["metadata"] = dict(hpa["metadata"])
    annotations = dict(metadata.get("annotations") or {})
    metrics = _loads(annotations.pop(METRICS, "[]"), [])
    behavior = _loads(annotations.pop(BEHAVIOR, "null"), None)
    for name in (CURRENT_METRICS, CONDITIONS):
        annotations.pop(name, None)
    if annotations:
        metadata["annotations"] = annotations
    else:
        metadata.pop("annotations", None)
    percent = made["spec"].pop(CPU_UTILIZATION, None)
    if percent is not None:
        metrics = [_cpu_metric({"type": "Utilization", "averageUtilization": percent}, "target"), *metrics]
    if metrics:
        made["spec"]["metrics"] = metrics
    if behavior:
        made["spec"]["behavior"] = behavior
    status = dict(hpa.get("status") or {})
    current = status.pop("currentCPUUtilizationPercentage", None)
    if current is not None:
        status["currentMetrics"] = [_cpu_metric({"averageUtilization": current, "averageValue": "0"}, "current")]
    if "status" in hpa:
        made["status"] = status
    return made


def autoscaler_from_v2(hpa: Object) -> Object:
    made = hpa | {"apiVersion": "autoscaling/v1", "spec": dict(hpa.get("spec") or {})}
    metadata = made["metadata"] = dict(hpa["metadata"])
    annotations = dict(metadata.get("annotations") or {})
    percent, rest = _take_cpu(made["spec"].pop("metrics", None) or [], "target")
    if percent is not None:
        made["spec"][CPU_UTILIZATION] = percent
    if rest:
        annotations[METRICS] = orjson.dumps(rest).decode()
    behavior = made["spec"].pop("behavior", None)
    if behavior:
        annotations[BEHAVIOR] = orjson.dumps(behavior).decode()
    if "status" in hpa:
        made["status"] = {"currentReplicas": 0} | _status_to_v1(dict(hpa["status"]), annotations)
    if annotations:
        metadata["annotations"] = annotations
    return made


def _status_to_v1(status: Object, annotations: dict[str, str]) -> Object:
    percent, rest = _take_cpu(status.pop("currentMetrics", None) or [], "current")
    if percent is not None:
        status["currentCPUUtilizationPercentage"] = percent
    if rest:
        annotations[CURRENT_METRICS] = orjson.dumps(rest).decode()
    conditions = status.pop("conditions", None)
    if conditions:
        annotations[CONDITIONS] = orjson.dumps(conditions).decode()
    return status


def _cpu_metric(value: Object, word: str) -> Object:
    return {"type": "Resource", "resource": {"name": "cpu", word: value}}


def _take_cpu(metrics: list[Object], word: str) -> tuple[int | None, list[Object]]:
    """The CPU utilization, which v1 has a field for, and the other metrics."""
    percent, rest = None, []
    for metric in metrics:
        resource = metric.get("resource") or {}
        found = (resource.get(word) or {}).get("averageUtilization")
        if percent is None and resource.get("name") == "cpu" and found is not None:
            percent = found
        else:
            rest.append(metric)
    return percent, rest


def _loads(text: str, otherwise: Any) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return otherwise


FORMS: dict[tuple[str, str, str], Form] = {
    ("events.k8s.io", "v1", "events"): Form("", "v1", event_to_core, event_from_core),
    ("autoscaling", "v1", "horizontalpodautoscalers"): Form("autoscaling", "v2", autoscaler_to_v2, autoscaler_from_v2),
}


def form_of(resource: Resource) -> Form | None:
    """None: the resource is stored as it is served."""
    custom = resource.custom
    if custom is not None:
        return _custom_form(custom, resource.version) if custom.rewritten else None
    return FORMS.get((resource.group, resource.version, resource.plural))


def _custom_form(custom: Custom, version: str) -> Form:
    """The only conversion of a custom kind is of its name; what is read has the defaults of the day."""
    stored = custom.stored
    return Form(
        stored.group,
        stored.version,
        lambda obj: {**obj, "apiVersion": stored.api_version},
        lambda obj: custom.read(obj, version),
    )


def stored_resource(schema: Catalog, resource: Resource) -> Resource:
    """The resource as which its objects are stored."""
    if resource.custom is not None:
        return resource.custom.stored
    form = form_of(resource)
    if form is None:
        return resource
    found = schema.resource(form.group, form.version, resource.plural)
    assert found is not None
    return found


def read_as(form: Form | None, encoded: Encoded) -> Encoded:
    """The served form of a stored object."""
    return encoded if form is None else encode(form.read(encoded.decode()), encoded.revision)
