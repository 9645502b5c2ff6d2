"""What an object counts for in a ResourceQuota. Pure."""

from __future__ import annotations

from orchestrator.api.schema import Resource
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.apiserver.admission.limit_ranger import pod_resources

Usage = dict[str, Quantity]

COUNTED = frozenset(
    (
        "pods",
        "services",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "replicationcontrollers",
        "resourcequotas",
    )
)
"""Core resources that have a quota name of their own besides ``count/<plural>``."""


def usage_of(resource: Resource, obj: Object) -> Usage:
    """What ``obj`` uses. A pod that is over uses nothing but its object count."""
    count = f"count/{resource.plural}.{resource.group}" if resource.group else f"count/{resource.plural}"
    usage = {count: Quantity.of(1)}
    if resource.group:
        return usage
    if resource.plural in COUNTED:
        usage[resource.plural] = Quantity.of(1)
    match resource.kind:
        case "Pod":
            if is_over(obj):
                usage.pop("pods")
            else:
                usage |= _compute(obj["spec"])
        case "Service":
            usage |= _service(obj["spec"])
        case "PersistentVolumeClaim":
            usage |= _claim(obj["spec"])
    return usage


def is_over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _compute(spec: Object) -> Usage:
    found: Usage = {}
    resources = pod_resources(spec)
    for part, values in resources.items():
        for name, value in values.items():
            found[f"{part}.{name}"] = Quantity.parse(value)
            if part == "requests" and name in ("cpu", "memory", "ephemeral-storage"):
                found[name] = Quantity.parse(value)
    return found


def _service(spec: Object) -> Usage:
    found: Usage = {}
    kind, ports = spec.get("type"), spec.get("ports") or ()
    if kind == "LoadBalancer":
        found["services.loadbalancers"] = Quantity.of(1)
    if kind in ("NodePort", "LoadBalancer"):
        found["services.nodeports"] = Quantity.of(
            sum(1 for port in ports if port.get("nodePort") or kind == "NodePort")
        )
    return found


def _claim(spec: Object) -> Usage:
    asked = Quantity.parse(((spec.get("resources") or {}).get("requests") or {}).get("storage", "0"))
    found = {"requests.storage": asked}
    if name := spec.get("storageClassName"):
        prefix = f"{name}.storageclass.storage.k8s.io"
        found |= {f"{prefix}/requests.storage": asked, f"{prefix}/persistentvolumeclaims": Quantity.of(1)}
    return found


def matches_scopes(quota: Object, obj: Object) -> bool:
    """Whether a quota's scopes take ``obj`` in; only pods have scopes."""
    spec = quota.get("spec") or {}
    expressions = list((spec.get("scopeSelector") or {}).get("matchExpressions") or ())
    expressions += [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    if not expressions:
        return True
    return obj.get("kind") == "Pod" and all(_in_scope(one, obj["spec"]) for one in expressions)


def _in_scope(expression: Object, spec: Object) -> bool:
    match expression.get("scopeName"):
        case "Terminating":
            return spec.get("activeDeadlineSeconds") is not None
        case "NotTerminating":
            return spec.get("activeDeadlineSeconds") is None
        case "BestEffort":
            return is_best_effort(spec)
        case "NotBestEffort":
            return not is_best_effort(spec)
        case "PriorityClass":
            return _by_class(expression, spec.get("priorityClassName") or "")
    return False


def _by_class(expression: Object, name: str) -> bool:
    values = expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return name in values
        case "NotIn":
            return name not in values
        case "DoesNotExist":
            return not name
    return bool(name)


def is_best_effort(spec: Object) -> bool:
    resources = pod_resources(spec)
    return not any(name in ("cpu", "memory") for part in resources.values() for name in part)
