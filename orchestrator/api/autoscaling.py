"""The rules of HorizontalPodAutoscaler, in v2 and in the older v1."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import NONE, UNSET, age_of, columns, name_of
from orchestrator.api.counts import NEGATIVE
from orchestrator.api.strategy import Rules, setdefault, spec_changed
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, invalid, not_supported, required
from orchestrator.apimachinery.names import path_segment

_SPEC = Path("spec")
DEFAULT_UTILIZATION = 80
_SHOWN_METRICS = 2
_UNKNOWN = "<unknown>"
_UP: Object = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_DOWN: Object = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}
_SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}


def default_autoscaler(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    setdefault(spec, "minReplicas", 1)
    if obj.get("apiVersion") == "autoscaling/v1":
        return
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": DEFAULT_UTILIZATION}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is not None:
        behavior["scaleUp"] = _with_defaults(behavior.get("scaleUp"), _UP)
        behavior["scaleDown"] = _with_defaults(behavior.get("scaleDown"), _DOWN)


def _with_defaults(rules: Object | None, defaults: Object) -> Object:
    given = {key: value for key, value in (rules or {}).items() if value is not None}
    whole = {**defaults, **given}
    whole["policies"] = [dict(policy) for policy in whole["policies"]]
    return whole


def check_autoscaler(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    errors: list[FieldError] = []
    if low is not None and low < 1:
        errors.append(invalid(_SPEC.child("minReplicas"), low, "must be greater than or equal to 1"))
    if high < 0:
        errors.append(invalid(_SPEC.child("maxReplicas"), high, "must be greater than or equal to 1"))
    if low is not None and high < low:
        errors.append(invalid(_SPEC.child("maxReplicas"), high, "must be greater than or equal to `minReplicas`"))
    errors.extend(_check_target(spec.get("scaleTargetRef") or {}, _SPEC.child("scaleTargetRef")))
    if not high:
        errors.append(required(_SPEC.child("maxReplicas")))
    for position, metric in enumerate(spec.get("metrics") or ()):
        _check_metric(metric, _SPEC.child("metrics").index(position), errors)
    behavior = spec.get("behavior") or {}
    for key in ("scaleUp", "scaleDown"):
        if behavior.get(key):
            _check_scaling(behavior[key], _SPEC.child("behavior", key), errors)
    return errors


def _check_target(reference: Object, path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    version = reference.get("apiVersion") or ""
    if not version.rpartition("/")[0] and reference.get("kind") != "ReplicationController":
        errors.append(invalid(path.child("apiVersion"), version, "apiVersion must specify API group"))
    for key in ("kind", "name"):
        value = reference.get(key)
        if not value:
            errors.append(required(path.child(key)))
        else:
            errors.extend(invalid(path.child(key), value, text) for text in path_segment(value))
    return errors


def _check_metric(metric: Object, path: Path, errors: list[FieldError]) -> None:
    kind = metric.get("type")
    if not kind:
        errors.append(required(path.child("type"), "must specify a metric source type"))
    elif kind not in _SOURCES:
        errors.append(not_supported(path.child("type"), kind, sorted(_SOURCES)))
    elif metric.get(_SOURCES[kind]) is None:
        text = "must populate information for the given metric source"
        errors.append(required(path.child(_SOURCES[kind]), text))
    elif kind in ("Resource", "ContainerResource"):
        source, place = metric[_SOURCES[kind]], path.child(_SOURCES[kind])
        if not source.get("name"):
            errors.append(required(place.child("name"), "must specify a resource name"))
        target = source.get("target") or {}
        if target.get("averageUtilization") is None and target.get("averageValue") is None:
            text = "must set either a target raw value or a target utilization"
            errors.append(required(place.child("target", "averageUtilization"), text))


def _check_scaling(rules: Object, path: Path, errors: list[FieldError]) -> None:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        errors.append(invalid(path.child("stabilizationWindowSeconds"), window, NEGATIVE))
    elif window is not None and window > 3600:
        text = "must be less than or equal to 3600"
        errors.append(invalid(path.child("stabilizationWindowSeconds"), window, text))
    if rules.get("selectPolicy") not in (None, "Max", "Min", "Disabled"):
        errors.append(not_supported(path.child("selectPolicy"), rules["selectPolicy"], ("Disabled", "Max", "Min")))
    policies = rules.get("policies") or []
    if not policies:
        errors.append(required(path.child("policies"), "must specify at least one Policy"))
    for position, policy in enumerate(policies):
        place = path.child("policies").index(position)
        if policy.get("type") not in ("Percent", "Pods"):
            errors.append(not_supported(place.child("type"), policy.get("type") or "", ("Percent", "Pods")))
        for key in ("value", "periodSeconds"):
            if (policy.get(key) or 0) <= 0:
                errors.append(invalid(place.child(key), policy.get(key) or 0, "must be greater than zero"))


def _metrics_text(obj: Object) -> str:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    specs, current = spec.get("metrics") or [], status.get("currentMetrics") or []
    if obj.get("apiVersion") == "autoscaling/v1":
        specs, current = _of_v1(spec, status)
    if not specs:
        return NONE
    words = [_metric_text(each, current[i] if i < len(current) else {}) for i, each in enumerate(specs)]
    text = ", ".join(words[:_SHOWN_METRICS])
    return f"{text} + {len(words) - _SHOWN_METRICS} more..." if len(words) > _SHOWN_METRICS else text


def _of_v1(spec: Object, status: Object) -> tuple[list[Object], list[Object]]:
    wanted = spec.get("targetCPUUtilizationPercentage", DEFAULT_UTILIZATION)
    have = status.get("currentCPUUtilizationPercentage")
    target = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": wanted}}}
    current = {} if have is None else {"averageUtilization": have}
    return [target], [{"resource": {"current": current}}]


def _metric_text(metric: Object, current: Object) -> str:
    key = _SOURCES.get(metric.get("type", ""))
    if key is None:
        return "<unknown type>"
    source = metric.get(key) or {}
    target, have = source.get("target") or {}, (current.get(key) or {}).get("current") or {}
    if key in ("resource", "containerResource"):
        if target.get("averageValue") is not None:
            return f"{source.get('name')}: {have.get('averageValue', _UNKNOWN)}/{target['averageValue']}"
        share = have.get("averageUtilization")
        wanted = target.get("averageUtilization")
        now, goal = _UNKNOWN if share is None else f"{share}%", "<auto>" if wanted is None else f"{wanted}%"
        return f"{source.get('name')}: {now}/{goal}"
    if key == "pods":
        return f"{have.get('averageValue', _UNKNOWN)}/{target.get('averageValue', '0')}"
    if target.get("averageValue") is not None:
        return f"{have.get('averageValue', _UNKNOWN)}/{target['averageValue']} (avg)"
    return f"{have.get('value', _UNKNOWN)}/{target.get('value', '0')}"


def _row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    low = spec.get("minReplicas")
    return [
        name_of(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _metrics_text(obj),
        UNSET if low is None else str(low),
        spec.get("maxReplicas") or 0,
        status.get("currentReplicas") or 0,
        age_of(obj, now),
    ]


RULES = (
    Rules(
        group="autoscaling",
        kind="HorizontalPodAutoscaler",
        has_status=True,
        counts=spec_changed,
        default=default_autoscaler,
        check=check_autoscaler,
        columns=columns("Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"),
        row=_row,
    ),
)
